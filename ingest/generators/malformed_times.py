"""Malformed kinds of event times, by the unit that a dataset sends: a number of (milli)seconds, or ISO 8601 text.

Of ISO 8601, bronze reads the extended format with a calendar date; other legal forms are kinds of their own here.
"""

from __future__ import annotations

from ingest.generators.malformed import Kinds, encode

_MISSING, _RANGE = "event_time_missing", "event_time_range"


def fill(kinds: Kinds) -> None:
    """Put these kinds into the catalogue."""
    kinds.without("time_missing", _MISSING, kinds.shape.time_field)
    _time(kinds, "null", _MISSING, "null")
    _time(kinds, "empty_text", _MISSING, '""', ambiguous=True)
    _time(kinds, "garbage_text", _MISSING, '"yesterday"')
    if kinds.shape.time_unit == "iso8601":
        _text(kinds)
    else:
        _number(kinds, {"seconds": 1, "milliseconds": 1000}[kinds.shape.time_unit])


def _time(kinds: Kinds, name: str, error: str | None, text: str, **more: bool) -> None:
    kinds.literal(f"time_{name}", error, kinds.shape.time_field, text, **more)


def _number(kinds: Kinds, unit: int) -> None:
    """`unit` is how many of the dataset's units are a second."""
    field = kinds.shape.time_field

    def time(name: str, error: str | None, text: str, **more: bool) -> None:
        _time(kinds, name, error, text, **more)

    def scaled(name: str, numerator: int, denominator: int = 1) -> None:
        kinds.value(
            f"time_in_{name}",
            _RANGE,
            lambda event: encode(event | {field: event[field] * numerator // denominator}),
        )

    sound = 1_706_600_000 * unit
    time("iso_text", _MISSING, '"2026-01-27T10:00:00Z"', ambiguous=True)
    time("boolean", _MISSING, "true")
    time("object", _MISSING, f'{{"seconds":{sound}}}')
    time("array", _MISSING, f"[{sound}]")
    kinds.value("time_number_as_text", None, lambda event: encode(event | {field: str(event[field])}))
    time("text_with_spaces", None, f'" {sound} "', ambiguous=True)
    time("float", None, f"{sound}.75", ambiguous=True)
    time("whole_float", None, f"{sound}.0", ambiguous=True)
    time("exponent", None, f"1.7066e{8 + len(str(unit))}", ambiguous=True)
    time("zero", _RANGE, "0")
    time("negative", _RANGE, f"-{sound}")
    time("year_1", _RANGE, str(-62135596800 * unit))
    time("before_year_1", _RANGE, str(-62135596801000 * unit))
    time("last_second_of_1999", _RANGE, str(946684799 * unit))
    time("first_second_of_2000", None, str(946684800 * unit))
    time("year_2100", _RANGE, str(4102444800 * unit))
    time("year_9999", _RANGE, str(253402300799 * unit))
    time("year_10000", _RANGE, str(253402300800 * unit))
    if unit == 1:
        scaled("milliseconds", 1000)
    else:
        scaled("seconds", 1, 1000)
        scaled("microseconds", 1000)
    scaled("nanoseconds", 10**9 // unit)
    time("largest_64_bits", _RANGE, str(2**63 - 1))
    time("beyond_64_bits", _RANGE, "99999999999999999999", ambiguous=True)
    time("beyond_128_bits", _RANGE, "9" * 50, ambiguous=True)
    time("huge_exponent", _RANGE, "1e400", ambiguous=True)


def _text(kinds: Kinds) -> None:
    def time(name: str, error: str | None, text: str, **more: bool) -> None:
        _time(kinds, name, error, f'"{text}"', **more)

    for name, written in {
        "boolean": "true",
        "object": '{"iso":"2024-01-30T07:33:20Z"}',
        "array": '["2024-01-30T07:33:20Z"]',
        "epoch_seconds": "1706600000",
        "epoch_milliseconds": "1706600000000",
        "zero": "0",
    }.items():
        _time(kinds, name, _MISSING, written)
    time("epoch_as_text", _MISSING, "1706600000")
    time("month_13", _MISSING, "2024-13-30T07:33:20Z")
    time("february_30", _MISSING, "2024-02-30T07:33:20Z")
    time("hour_25", _MISSING, "2024-01-30T25:33:20Z")
    time("offset_of_19_hours", _MISSING, "2024-01-30T07:33:20+19:00", ambiguous=True)
    time("slashes", _MISSING, "01/30/2024 07:33:20")
    time("of_an_email", _MISSING, "Tue, 30 Jan 2024 07:33:20 GMT")
    time("nine_decimals", None, "2024-01-30T07:33:20.123456789Z", ambiguous=True)
    time("without_zone", None, "2024-01-30T07:33:20", ambiguous=True)
    time("space_for_t", None, "2024-01-30 07:33:20Z", ambiguous=True)
    time("offset_without_colon", None, "2024-01-30T07:33:20+0530", ambiguous=True)
    time("date_alone", None, "2024-01-30", ambiguous=True)
    time("text_with_spaces", None, " 2024-01-30T07:33:20Z ", ambiguous=True)
    time("lower_case", _MISSING, "2024-01-30t07:33:20z", ambiguous=True)
    time("comma_for_point", _MISSING, "2024-01-30T07:33:20,5Z", ambiguous=True)
    time("basic_format", _MISSING, "20240130T073320Z", ambiguous=True)
    time("week_date", _MISSING, "2024-W05-2T07:33:20Z", ambiguous=True)
    time("ordinal_date", _MISSING, "2024-030T07:33:20Z", ambiguous=True)
    time("leap_second", _MISSING, "2016-12-31T23:59:60Z", ambiguous=True)
    time("hour_24", _MISSING, "2024-01-30T24:00:00Z", ambiguous=True)
    time("year_1", _RANGE, "0001-01-01T00:00:00Z")
    time("last_second_of_1999", _RANGE, "1999-12-31T23:59:59Z")
    time("last_second_of_1999_by_offset", _RANGE, "2000-01-01T05:29:59+05:30")
    time("first_second_of_2000", None, "2000-01-01T00:00:00Z")
    time("first_second_of_2000_by_offset", None, "1999-12-31T20:00:00-04:00")
    time("year_2100", _RANGE, "2100-01-01T00:00:00Z")
    time("year_9999", _RANGE, "9999-12-31T23:59:59Z")
    time("year_10000", _RANGE, "+10000-01-01T00:00:00Z", ambiguous=True)
