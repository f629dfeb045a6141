"""Malformed kinds, second half: JSON objects whose fields are missing, of the wrong type, out of range or just odd.

Only the header's fields can make an error here; whatever is wrong with the rest of the body, the record is readable.
"""

from __future__ import annotations

import json

from ingest.generators.malformed import RARELY, encode, field, literal, raw, value, without


def fill() -> None:
    """Put these kinds into the catalogue."""
    _ids()
    _types()
    _times()
    _amounts_and_items()
    _text()
    _names()


def _ids() -> None:
    without("order_id_missing", "key_mismatch", "order_id")
    field("order_id_null", "key_mismatch", {"order_id": None})
    field("order_id_empty", "key_mismatch", {"order_id": ""})
    field("order_id_number", "key_mismatch", {"order_id": 1})
    field("order_id_array", "key_mismatch", {"order_id": ["ord-1"]})
    without("event_id_missing", "event_id_missing", "event_id")
    field("event_id_null", "event_id_missing", {"event_id": None})
    field("event_id_empty", None, {"event_id": ""}, ambiguous=True)
    field("event_id_number", None, {"event_id": 5})
    field("event_id_boolean", None, {"event_id": True})
    field("event_id_object", None, {"event_id": {"id": 1}}, ambiguous=True)
    field("event_id_array", None, {"event_id": [1, 2]}, ambiguous=True)
    field("event_id_no_uuid", None, {"event_id": "not a uuid"})
    value("event_id_long", None, lambda event: encode(event | {"event_id": event["event_id"] * 3000}), weight=RARELY)
    field("event_id_and_type_missing", "event_id_missing", {"event_id": None, "event_type": None})


def _types() -> None:
    without("event_type_missing", "event_type_missing", "event_type")
    field("event_type_null", "event_type_missing", {"event_type": None})
    field("event_type_empty", None, {"event_type": ""}, ambiguous=True)
    field("event_type_unknown", None, {"event_type": "ORDER_EXPLODED"})
    field("event_type_lower_case", None, {"event_type": "order_created"})
    field("event_type_with_space", None, {"event_type": "ORDER_CREATED "})
    field("event_type_number", None, {"event_type": 1})
    field("event_type_boolean", None, {"event_type": False})
    field("event_type_array", None, {"event_type": ["ORDER_CREATED"]}, ambiguous=True)
    field("schema_version_text", None, {"schema_version": "2"})
    field("schema_version_number", None, {"schema_version": 2})
    field("schema_version_object", None, {"schema_version": {"major": 2}}, ambiguous=True)


def _times() -> None:
    def time(name: str, error: str | None, text: str, **more: bool) -> None:
        literal(f"time_{name}", error, "event_timestamp", text, **more)

    without("time_missing", "event_time_missing", "event_timestamp")
    time("null", "event_time_missing", "null")
    time("empty_text", "event_time_missing", '""', ambiguous=True)
    time("garbage_text", "event_time_missing", '"yesterday"')
    time("iso_text", "event_time_missing", '"2026-01-27T10:00:00Z"', ambiguous=True)
    time("boolean", "event_time_missing", "true")
    time("object", "event_time_missing", '{"seconds":1706600000}')
    time("array", "event_time_missing", "[1706600000]")
    value("time_number_as_text", None, lambda event: encode(event | {"event_timestamp": str(event["event_timestamp"])}))
    time("text_with_spaces", None, '" 1706600000 "', ambiguous=True)
    time("float", None, "1706600000.75", ambiguous=True)
    time("whole_float", None, "1706600000.0", ambiguous=True)
    time("exponent", None, "1.7066e9", ambiguous=True)
    time("zero", "event_time_range", "0")
    time("negative", "event_time_range", "-1706600000")
    time("year_1", "event_time_range", "-62135596800")
    time("before_year_1", "event_time_range", "-62135596801000")
    time("last_second_of_1999", "event_time_range", "946684799")
    time("first_second_of_2000", None, "946684800")
    time("year_2100", "event_time_range", "4102444800")
    time("year_9999", "event_time_range", "253402300799")
    time("year_10000", "event_time_range", "253402300800")
    value(
        "time_in_milliseconds",
        "event_time_range",
        lambda event: encode(event | {"event_timestamp": event["event_timestamp"] * 1000}),
    )
    value(
        "time_in_nanoseconds",
        "event_time_range",
        lambda event: encode(event | {"event_timestamp": event["event_timestamp"] * 10**9}),
    )
    time("largest_64_bits", "event_time_range", str(2**63 - 1))
    time("beyond_64_bits", "event_time_range", "99999999999999999999", ambiguous=True)
    time("beyond_128_bits", "event_time_range", "9" * 50, ambiguous=True)
    time("huge_exponent", "event_time_range", "1e400", ambiguous=True)


def _amounts_and_items() -> None:
    def amount(name: str, text: str) -> None:
        literal(f"amount_{name}", None, "total_amount", text)

    amount("null", "null")
    amount("text", '"299.00"')
    amount("garbage_text", '"a lot"')
    amount("with_comma", '"1.299,00"')
    amount("negative", "-299.00")
    amount("three_decimals", "299.005")
    amount("exponent", "2.99e2")
    amount("beyond_64_bits", "18446744073709551616.00")
    amount("forty_digits", "1" * 40 + ".00")
    amount("boolean", "true")
    amount("object", '{"value":299.00,"currency":"USD"}')
    literal("number_of_2000_digits", "bad_json", "total_amount", "7" * 2000, ambiguous=True, weight=RARELY)
    item = {"sku": "SKU-101", "quantity": 1, "unit_price": 299.00, "category": "Electronics"}
    without("items_missing", None, "items")
    field("items_null", None, {"items": None})
    field("items_empty", None, {"items": []})
    field("items_object", None, {"items": item})
    field("items_text", None, {"items": json.dumps([item])})
    field("items_scalars", None, {"items": [1, "two", True]})
    field("items_mixed", None, {"items": [item, None, 3, {}]})
    field("items_wrong_types", None, {"items": [{"sku": 999, "quantity": "one", "unit_price": [], "category": {}}]})
    field("items_quantity_beyond_64_bits", None, {"items": [item | {"quantity": 2**64}]})
    field("items_thousand", None, {"items": [item] * 1000}, weight=RARELY)


def _text() -> None:
    literal("lone_surrogate", None, "user_id", r'"u-\ud800"')
    literal("lone_surrogate_in_event_id", None, "event_id", r'"e-\udfff"', ambiguous=True)
    literal("escaped_nul", None, "user_id", r'"u-\u0000"')
    literal("escaped_nul_in_event_id", None, "event_id", r'"e-\u0000-1"')
    literal("escaped_control_characters", None, "user_id", r'"\u0001\u001b[31m\b\f"')
    field("emoji", None, {"user_id": "u-👩‍👩‍👧🏳️‍🌈"})
    field("right_to_left", None, {"user_id": "u-\u202eمرحبا"})
    field("quotes_and_semicolons", None, {"user_id": "'; drop table orders_current; --\"\\"})
    value("user_id_long", None, lambda event: encode(event | {"user_id": "u" * 100_000}), weight=RARELY)


def _names() -> None:
    def doubled(name: str, error: str | None, text: str) -> None:
        raw(name, error, lambda body: body[:-1] + text.encode() + b"}", ambiguous=True)

    field("extra_fields", None, {"coupon": "SPRING", "address": {"city": "Lyon", "lines": [1, None]}, "": 0})
    field("currency_null", None, {"currency": None})
    field("kafka_named_fields", None, {"kafka_offset": -1, "error": "none", "topic_epoch": 99, "body": "x"})
    field("field_names_in_other_cases", None, {"EVENT_ID": "other", "Order_Id": "other", "Event_Type": 1})
    value("header_names_in_upper_case", "key_mismatch", lambda event: encode({k.upper(): v for k, v in event.items()}))
    raw("escaped_field_name", None, lambda body: body.replace(b'"event_id"', rb'"\u0065vent_id"', 1))
    doubled("event_id_twice", None, ',"event_id":"second"')
    doubled("order_id_twice", "key_mismatch", ',"order_id":"second"')
    doubled("event_type_twice", None, ',"event_type":"ORDER_CANCELLED"')
    doubled("time_twice", "event_time_range", ',"event_timestamp":0')
    value("header_nested_in_payload", "key_mismatch", lambda event: encode({"payload": event}))
