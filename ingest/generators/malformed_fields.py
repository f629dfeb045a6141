"""Malformed kinds, second half: JSON objects whose fields are missing, of the wrong type, or just odd.

Only the header's fields can make an error here; whatever is wrong with the rest of the body, the record is readable.
"""

from __future__ import annotations

from ingest.generators import malformed_bodies, malformed_times
from ingest.generators.malformed import RARELY, Kinds, encode


def fill(kinds: Kinds) -> None:
    """Put these kinds into the catalogue."""
    _ids(kinds)
    _types(kinds)
    malformed_times.fill(kinds)
    malformed_bodies.fill(kinds)
    _text(kinds)
    _names(kinds)


def _ids(kinds: Kinds) -> None:
    field, key_field = kinds.field, kinds.shape.key_field
    kinds.without(f"{key_field}_missing", "key_mismatch", key_field)
    field(f"{key_field}_null", "key_mismatch", {key_field: None})
    field(f"{key_field}_empty", "key_mismatch", {key_field: ""})
    # Where ids are numbers, one that nobody has.
    field(f"{key_field}_number", "key_mismatch", {key_field: -1 if kinds.shape.key_is_number else 1})
    field(f"{key_field}_array", "key_mismatch", {key_field: ["ord-1"]})
    kinds.without("event_id_missing", "event_id_missing", "event_id")
    field("event_id_null", "event_id_missing", {"event_id": None})
    field("event_id_empty", None, {"event_id": ""}, ambiguous=True)
    field("event_id_number", None, {"event_id": 5})
    field("event_id_boolean", None, {"event_id": True})
    field("event_id_object", None, {"event_id": {"id": 1}}, ambiguous=True)
    field("event_id_array", None, {"event_id": [1, 2]}, ambiguous=True)
    field("event_id_no_uuid", None, {"event_id": "not a uuid"})
    kinds.value(
        "event_id_long", None, lambda event: encode(event | {"event_id": event["event_id"] * 3000}), weight=RARELY
    )
    field("event_id_and_type_missing", "event_id_missing", {"event_id": None, "event_type": None})


def _types(kinds: Kinds) -> None:
    field, value = kinds.field, kinds.value
    kinds.without("event_type_missing", "event_type_missing", "event_type")
    field("event_type_null", "event_type_missing", {"event_type": None})
    field("event_type_empty", None, {"event_type": ""}, ambiguous=True)
    field("event_type_unknown", None, {"event_type": kinds.shape.unknown_type})
    other = "lower" if kinds.shape.types_are_capitals else "upper"
    value(f"event_type_{other}_case", None, lambda e: encode(e | {"event_type": e["event_type"].swapcase()}))
    value("event_type_with_space", None, lambda e: encode(e | {"event_type": e["event_type"] + " "}))
    field("event_type_number", None, {"event_type": 1})
    field("event_type_boolean", None, {"event_type": False})
    value("event_type_array", None, lambda e: encode(e | {"event_type": [e["event_type"]]}), ambiguous=True)
    field("schema_version_text", None, {"schema_version": "2"})
    field("schema_version_number", None, {"schema_version": 2})
    field("schema_version_object", None, {"schema_version": {"major": 2}}, ambiguous=True)


def _text(kinds: Kinds) -> None:
    literal, name = kinds.literal, kinds.shape.text_field
    literal("lone_surrogate", None, name, r'"u-\ud800"')
    literal("lone_surrogate_in_event_id", None, "event_id", r'"e-\udfff"', ambiguous=True)
    literal("escaped_nul", None, name, r'"u-\u0000"')
    literal("escaped_nul_in_event_id", None, "event_id", r'"e-\u0000-1"')
    literal("escaped_control_characters", None, name, r'"\u0001\u001b[31m\b\f"')
    kinds.field("emoji", None, {name: "u-👩‍👩‍👧🏳️‍🌈"})
    kinds.field("right_to_left", None, {name: "u-\u202eمرحبا"})
    kinds.field("quotes_and_semicolons", None, {name: "'; drop table orders_current; --\"\\"})
    kinds.value(f"{name}_long", None, lambda event: encode(event | {name: "u" * 100_000}), weight=RARELY)


def _names(kinds: Kinds) -> None:
    shape = kinds.shape
    key_field, spare = shape.key_field, shape.spare_field

    def doubled(name: str, error: str | None, text: str) -> None:
        kinds.raw(name, error, lambda body: body[:-1] + text.encode() + b"}", ambiguous=True)

    kinds.field("extra_fields", None, {"coupon": "SPRING", "address": {"city": "Lyon", "lines": [1, None]}, "": 0})
    kinds.field(f"{spare}_null", None, {spare: None})
    kinds.field("kafka_named_fields", None, {"kafka_offset": -1, "error": "none", "topic_epoch": 99, "body": "x"})
    kinds.field("field_names_in_other_cases", None, {"EVENT_ID": "other", key_field.title(): "other", "Event_Type": 1})
    kinds.value(
        "header_names_in_upper_case", "key_mismatch", lambda event: encode({k.upper(): v for k, v in event.items()})
    )
    kinds.raw("escaped_field_name", None, lambda body: body.replace(b'"event_id"', rb'"\u0065vent_id"', 1))
    doubled("event_id_twice", None, ',"event_id":"second"')
    doubled(f"{key_field}_twice", "key_mismatch", f',"{key_field}":"second"')
    doubled("event_type_twice", None, f',"event_type":"{shape.other_type}"')
    second = '"1970-01-01T00:00:00Z"' if shape.time_unit == "iso8601" else "0"
    doubled("time_twice", "event_time_range", f',"{shape.time_field}":{second}')
    kinds.value("header_nested_in_payload", "key_mismatch", lambda event: encode({"payload": event}))
