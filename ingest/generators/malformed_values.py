"""Malformed kinds, first half: values that are no JSON object or no text, odd keys, odd headers.

`body_at_limit` fills a record batch to the last byte that a broker with default settings accepts.
"""

from __future__ import annotations

import codecs
import json

from ingest.generators.malformed import RARELY, Event, Kind, add, encode, literal, raw, value

BROKER_LIMIT = 1_048_588
"""`message.max.bytes` of a broker with default settings: the largest record batch, overhead included."""
# Of a batch with one record, key under 64 bytes, no headers: batch header, varints, attributes.
_BATCH_OVERHEAD = 72


def body_at_limit(key: bytes, event: Event, excess: int = 0) -> tuple[bytes, bytes]:
    """A sound event padded so that its batch has exactly the broker's limit, or `excess` bytes more."""
    empty = len(encode(event | {"padding": ""}))
    room = BROKER_LIMIT - _BATCH_OVERHEAD - len(key) - empty + excess
    return key, encode(event | {"padding": "x" * room})


def fill() -> None:
    """Put these kinds into the catalogue."""
    _no_object()
    _nearly_json()
    _no_text()
    _sizes()
    _keys()
    _headers()


def _no_object() -> None:
    value("null_value", "null_value", lambda event: None)
    value("empty_value", "bad_json", lambda event: b"")
    value("whitespace_value", "bad_json", lambda event: b" \t\r\n ")
    value("json_null", "bad_json", lambda event: b"null")
    value("json_true", "bad_json", lambda event: b"true")
    value("json_number", "bad_json", lambda event: b"42")
    value("json_string", "bad_json", lambda event: b'"ORDER_CREATED"')
    value("json_in_a_string", "bad_json", lambda event: encode(encode(event).decode()))
    value("json_array", "bad_json", lambda event: encode([event]))
    value("json_empty_array", "bad_json", lambda event: b"[]")
    value("json_empty_object", "key_mismatch", lambda event: b"{}")
    value("plain_text", "bad_json", lambda event: b"Internal Server Error")
    value("xml", "bad_json", lambda event: f"<order id='{event['order_id']}'/>".encode())
    value("csv", "bad_json", lambda event: f"{event['event_id']},ORDER_CREATED,{event['order_id']}".encode())


def _nearly_json() -> None:
    raw("truncated_json", "bad_json", lambda body: body[: len(body) // 2])
    raw("last_brace_missing", "bad_json", lambda body: body[:-1])
    raw("trailing_garbage", "bad_json", lambda body: body + b" and more")
    raw("trailing_brace", "bad_json", lambda body: body + b"}")
    raw("two_objects", "bad_json", lambda body: body + body)
    raw("two_lines", "bad_json", lambda body: body + b"\n" + body)
    raw("leading_comma", "bad_json", lambda body: b"{," + body[1:])
    raw("trailing_comma", "bad_json", lambda body: body[:-1] + b",}")
    raw("missing_colon", "bad_json", lambda body: body.replace(b'"user_id":', b'"user_id"', 1))
    raw("single_quotes", "bad_json", lambda body: body.replace(b'"', b"'"), ambiguous=True)
    raw("unquoted_names", "bad_json", lambda body: body.replace(b'"user_id"', b"user_id"), ambiguous=True)
    raw("comment", "bad_json", lambda body: b"/* an order */" + body, ambiguous=True)
    raw("python_repr", "bad_json", lambda body: repr(json.loads(body) | {"gift": None}).encode())
    literal("nan_amount", "bad_json", "total_amount", "NaN", ambiguous=True)
    literal("infinite_amount", "bad_json", "total_amount", "-Infinity", ambiguous=True)
    literal("leading_zero", "bad_json", "total_amount", "0299.00", ambiguous=True)
    literal("leading_plus", "bad_json", "total_amount", "+299.00", ambiguous=True)
    literal("hexadecimal_number", "bad_json", "total_amount", "0x12B")
    literal("bad_escape", "bad_json", "user_id", r'"u-\x31"', ambiguous=True)
    literal("half_unicode_escape", "bad_json", "user_id", r'"u-\u12"')
    literal("raw_newline_in_string", "bad_json", "user_id", '"u-1\n2"', ambiguous=True)
    literal("raw_nul_in_string", "bad_json", "user_id", '"u-1\0"', ambiguous=True)
    raw("padded_with_whitespace", None, lambda body: b"\n\t " + body + b" \r\n")
    raw("pretty_printed", None, lambda body: json.dumps(json.loads(body), indent=4).encode())


def _no_text() -> None:
    raw("invalid_utf8", "invalid_utf8", lambda body: body.replace(b"ORDER_", b"ORDER\xff\xfe", 1))
    raw("truncated_utf8", "invalid_utf8", lambda body: body[:-1] + b',"note":"\xe2\x82"}')
    raw("overlong_utf8", "invalid_utf8", lambda body: body[:-1] + b',"note":"\xc0\xaf"}')
    raw("utf8_surrogate", "invalid_utf8", lambda body: body[:-1] + b',"note":"\xed\xa0\x80"}')
    raw("latin_1", "invalid_utf8", lambda body: body[:-1] + ',"note":"Málaga"}'.encode("latin-1"))
    raw("random_bytes", "invalid_utf8", lambda body: bytes(range(255, 127, -1)))
    raw("gzipped_like", "invalid_utf8", lambda body: b"\x1f\x8b\x08\x00" + body[:40])
    raw("utf16_with_bom", "invalid_utf8", lambda body: body.decode().encode("utf-16"))
    raw("utf16_without_bom", "bad_json", lambda body: body.decode().encode("utf-16-le"), ambiguous=True)
    raw("bom", "bad_json", lambda body: codecs.BOM_UTF8 + body, ambiguous=True)
    raw("only_nul", "bad_json", lambda body: b"\0\0\0\0")


def _sizes() -> None:
    add(Kind("body_at_limit", None, body_at_limit, weight=RARELY / 4))
    for depth, error in ((500, None), (5000, "bad_json")):
        nested = "[" * depth + "]" * depth
        literal(f"nested_arrays_{depth}", error, "extra", nested, ambiguous=error is not None, weight=RARELY)
        nested = '{"a":' * depth + "1" + "}" * depth
        literal(f"nested_objects_{depth}", error, "extra", nested, ambiguous=error is not None, weight=RARELY)
    many = {f"extra_{number}": number for number in range(2000)}
    value("many_fields", None, lambda event: encode(many | event), weight=RARELY)
    long_name = {"n" * 60_000: 1}
    value("long_field_name", "bad_json", lambda event: encode(event | long_name), ambiguous=True, weight=RARELY)


def _keys() -> None:
    def keyed(name: str, error: str | None, key: bytes | None, **body: str) -> None:
        add(Kind(name, error, lambda _, event: (key, encode(event | body))))

    def suffixed(name: str, error: str | None, key: str, body: str, **more: bool) -> None:
        def make(sound: bytes, event: Event) -> tuple[bytes, bytes]:
            order_id = event["order_id"]
            return f"{order_id}{key}".encode(), encode(event | {"order_id": f"{order_id}{body}"})

        add(Kind(name, error, make, **more))

    keyed("null_key", "key_null", None)
    keyed("empty_key", "key_mismatch", b"")
    add(Kind("invalid_utf8_key", "key_encoding", lambda key, event: (b"\xff\x00" + key, encode(event))))
    add(Kind("binary_key", "key_encoding", lambda key, event: (bytes.fromhex("c328a0a1ff"), encode(event))))
    add(Kind("invalid_key_and_bad_json", "bad_json", lambda key, event: (b"\xfe" + key, b"{")))
    add(Kind("null_key_and_bad_json", "bad_json", lambda key, event: (None, b"{")))
    add(Kind("invalid_key_and_null_value", "null_value", lambda key, event: (b"\xfe" + key, None)))
    suffixed("key_of_another_order", "key_mismatch", "", "-other")
    suffixed("key_with_space", "key_mismatch", " ", "")
    suffixed("body_with_space", "key_mismatch", "", " ")
    suffixed("key_with_nul", "key_mismatch", "\0", "")
    suffixed("key_in_another_unicode_form", "key_mismatch", "-é", "-e\u0301")
    suffixed("key_with_emoji", None, "-🛒", "-🛒")
    suffixed("key_with_slash_and_quote", None, "/'\"", "/'\"")
    add(Kind("key_in_upper_case", "key_mismatch", lambda key, event: (key.upper(), encode(event))))
    add(Kind("key_in_json_quotes", "key_mismatch", lambda key, event: (b'"' + key + b'"', encode(event))))
    add(Kind("key_escaped_in_body", None, _key_escaped_in_body))


def _key_escaped_in_body(key: bytes, event: Event) -> tuple[bytes, bytes]:
    """The body says the same key, written with escapes: equal as text, not as bytes."""
    order_id = f"{event['order_id']}-ñ"
    body = json.dumps(event | {"order_id": order_id}, ensure_ascii=True, separators=(",", ":"))
    return order_id.encode(), body.replace("/", r"\/").replace("ord-", r"\u006frd-").encode()


def _headers() -> None:
    def headed(name: str, *headers: tuple[str, bytes]) -> None:
        add(Kind(name, None, lambda key, event: (key, encode(event)), headers=headers))

    headed("headers_odd", ("", b""), ("trace", b"\xff\xfe"), ("trace", b"again"), ("naïve", "✓".encode()))
    headed("headers_many", *((f"header-{number}", str(number).encode()) for number in range(200)))
    headed("headers_large", ("stack-trace", b"at Order.java\n" * 4000))
