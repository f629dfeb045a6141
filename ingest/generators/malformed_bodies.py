"""Malformed kinds of the body beyond the header, by dataset. None has an error: such records are readable."""

from __future__ import annotations

import json

from ingest.generators.malformed import RARELY, Kind, Kinds, encode


def fill(kinds: Kinds) -> None:
    """Put these kinds into the catalogue."""
    {"orders": _orders, "content_events": _content_events, "user_events": _user_events}[kinds.shape.dataset](kinds)


def _orders(kinds: Kinds) -> None:
    def amount(name: str, text: str) -> None:
        kinds.literal(f"amount_{name}", None, "total_amount", text)

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
    kinds.literal("number_of_2000_digits", "bad_json", "total_amount", "7" * 2000, ambiguous=True, weight=RARELY)
    item = {"sku": "SKU-101", "quantity": 1, "unit_price": 299.00, "category": "Electronics"}
    field = kinds.field
    kinds.without("items_missing", None, "items")
    field("items_null", None, {"items": None})
    field("items_empty", None, {"items": []})
    field("items_object", None, {"items": item})
    field("items_text", None, {"items": json.dumps([item])})
    field("items_scalars", None, {"items": [1, "two", True]})
    field("items_mixed", None, {"items": [item, None, 3, {}]})
    field("items_wrong_types", None, {"items": [{"sku": 999, "quantity": "one", "unit_price": [], "category": {}}]})
    field("items_quantity_beyond_64_bits", None, {"items": [item | {"quantity": 2**64}]})
    field("items_thousand", None, {"items": [item] * 1000}, weight=RARELY)


def _content_events(kinds: Kinds) -> None:
    field = kinds.field

    def user(name: str, text: str) -> None:
        kinds.literal(f"user_id_{name}", None, "user_id", text)

    kinds.without("user_id_missing", None, "user_id")
    user("null", "null")
    user("text", '"42"')
    user("garbage_text", '"somebody"')
    user("negative", "-42")
    user("fraction", "42.5")
    user("beyond_64_bits", "18446744073709551616")
    user("object", '{"id":42}')
    kinds.literal("number_of_2000_digits", "bad_json", "user_id", "7" * 2000, ambiguous=True, weight=RARELY)
    payload = {"device": "ios", "app_version": "5.0.1", "watch_ms": 4200}
    kinds.without("payload_missing", None, "payload")
    field("payload_empty", None, {"payload": {}})
    field("payload_text", None, {"payload": json.dumps(payload)})
    field("payload_number", None, {"payload": 4200})
    field("payload_array", None, {"payload": [payload, None]})
    field("payload_wrong_types", None, {"payload": {"device": 7, "app_version": 5.1, "watch_ms": {"ms": "long"}}})
    field("payload_names_in_other_cases", None, {"payload": payload | {"Device": "x", "WATCH_MS": 0}})
    field("payload_names_with_dots", None, {"payload": payload | {"device.os": "ios", "": 1, "$.watch_ms": 2}})
    for name, watched in {
        "negative": -1,
        "fraction": 4200.5,
        "garbage_text": "a while",
        "beyond_64_bits": 2**64,
    }.items():
        field(f"watch_ms_{name}", None, {"payload": payload | {"watch_ms": watched}})
    field("payload_thousand_fields", None, {"payload": {f"f{n}": n for n in range(1000)}}, weight=RARELY)


def _user_events(kinds: Kinds) -> None:
    field = kinds.field
    kinds.value("user_id_as_text", None, lambda event: encode(event | {"user_id": str(event["user_id"])}))
    kinds.value(
        "user_id_with_decimals", "key_mismatch", lambda event: encode(event | {"user_id": float(event["user_id"])}),
        ambiguous=True,
    )  # fmt: skip
    kinds.add(Kind("user_id_and_key_null", None, lambda key, event: (None, encode(event | {"user_id": None}))))
    beyond = str(2**64)
    kinds.add(Kind("user_id_beyond_64_bits", None, lambda _, e: (beyond.encode(), encode(e | {"user_id": 2**64}))))
    kinds.literal("number_of_2000_digits", "bad_json", "page", "7" * 2000, ambiguous=True, weight=RARELY)
    kinds.without("page_missing", None, "page")
    field("page_null", None, {"page": None})
    field("page_empty", None, {"page": ""})
    field("page_number", None, {"page": 404})
    field("page_array", None, {"page": ["/home", "/cart"]})
    field("page_with_host", None, {"page": "https://shop.example/cart?step=2#pay"})
    field("page_with_query", None, {"page": "/cart?item=%F0%9F%9B%92&&="})
    field("page_in_capitals", None, {"page": "/HOME"})
    kinds.without("source_missing", None, "source")
    field("source_unknown", None, {"source": "fridge"})
    field("source_in_capitals", None, {"source": "WEB"})
    field("source_object", None, {"source": {"name": "web"}})
