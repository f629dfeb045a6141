"""Malformed kinds, first half: values that are no JSON object or no text, odd keys, odd headers.

`body_at_limit` fills a record batch to the last byte that a broker with default settings accepts.
"""

from __future__ import annotations

import codecs
import json

from ingest.generators.malformed import RARELY, Event, Kind, Kinds, encode

BROKER_LIMIT = 1_048_588
"""`message.max.bytes` of a broker with default settings: the largest record batch, overhead included."""
# Of a batch with one record, key under 64 bytes, no headers: batch header, varints, attributes.
_BATCH_OVERHEAD = 72


def body_at_limit(key: bytes, event: Event, excess: int = 0) -> tuple[bytes, bytes]:
    """A sound event padded so that its batch has exactly the broker's limit, or `excess` bytes more."""
    empty = len(encode(event | {"padding": ""}))
    room = BROKER_LIMIT - _BATCH_OVERHEAD - len(key) - empty + excess
    return key, encode(event | {"padding": "x" * room})


def fill(kinds: Kinds) -> None:
    """Put these kinds into the catalogue."""
    _no_object(kinds)
    _nearly_json(kinds)
    _no_text(kinds)
    _sizes(kinds)
    _keys(kinds)
    _headers(kinds)


def _no_object(kinds: Kinds) -> None:
    value, entity, key_field = kinds.value, kinds.shape.entity, kinds.shape.key_field
    value("null_value", "null_value", lambda event: None)
    value("empty_value", "bad_json", lambda event: b"")
    value("whitespace_value", "bad_json", lambda event: b" \t\r\n ")
    value("json_null", "bad_json", lambda event: b"null")
    value("json_true", "bad_json", lambda event: b"true")
    value("json_number", "bad_json", lambda event: b"42")
    value("json_string", "bad_json", lambda event: encode(event["event_type"]))
    value("json_in_a_string", "bad_json", lambda event: encode(encode(event).decode()))
    value("json_array", "bad_json", lambda event: encode([event]))
    value("json_empty_array", "bad_json", lambda event: b"[]")
    value("json_empty_object", "key_mismatch", lambda event: b"{}")
    value("plain_text", "bad_json", lambda event: b"Internal Server Error")
    value("xml", "bad_json", lambda event: f"<{entity} id='{event[key_field]}'/>".encode())
    value("csv", "bad_json", lambda event: f"{event['event_id']},{event['event_type']},{event[key_field]}".encode())


def _nearly_json(kinds: Kinds) -> None:
    raw, literal, shape = kinds.raw, kinds.literal, kinds.shape
    name = shape.text_field.encode()
    raw("truncated_json", "bad_json", lambda body: body[: len(body) // 2])
    raw("last_brace_missing", "bad_json", lambda body: body[:-1])
    raw("trailing_garbage", "bad_json", lambda body: body + b" and more")
    raw("trailing_brace", "bad_json", lambda body: body + b"}")
    raw("two_objects", "bad_json", lambda body: body + body)
    raw("two_lines", "bad_json", lambda body: body + b"\n" + body)
    raw("leading_comma", "bad_json", lambda body: b"{," + body[1:])
    raw("trailing_comma", "bad_json", lambda body: body[:-1] + b",}")
    raw("missing_colon", "bad_json", lambda body: body.replace(b'"%b":' % name, b'"%b"' % name, 1))
    raw("single_quotes", "bad_json", lambda body: body.replace(b'"', b"'"), ambiguous=True)
    raw("unquoted_names", "bad_json", lambda body: body.replace(b'"%b"' % name, name), ambiguous=True)
    raw("comment", "bad_json", lambda body: f"/* {shape.noun} */".encode() + body, ambiguous=True)
    raw("python_repr", "bad_json", lambda body: repr(json.loads(body) | {"gift": None}).encode())
    literal(f"nan_{shape.number}", "bad_json", shape.number_field, "NaN", ambiguous=True)
    literal(f"infinite_{shape.number}", "bad_json", shape.number_field, "-Infinity", ambiguous=True)
    literal("leading_zero", "bad_json", shape.number_field, "0299.00", ambiguous=True)
    literal("leading_plus", "bad_json", shape.number_field, "+299.00", ambiguous=True)
    literal("hexadecimal_number", "bad_json", shape.number_field, "0x12B")
    literal("bad_escape", "bad_json", shape.text_field, r'"u-\x31"', ambiguous=True)
    literal("half_unicode_escape", "bad_json", shape.text_field, r'"u-\u12"')
    literal("raw_newline_in_string", "bad_json", shape.text_field, '"u-1\n2"', ambiguous=True)
    literal("raw_nul_in_string", "bad_json", shape.text_field, '"u-1\0"', ambiguous=True)
    raw("padded_with_whitespace", None, lambda body: b"\n\t " + body + b" \r\n")
    raw("pretty_printed", None, lambda body: json.dumps(json.loads(body), indent=4).encode())


def _no_text(kinds: Kinds) -> None:
    raw = kinds.raw
    kinds.value("invalid_utf8", "invalid_utf8", _invalid_utf8)
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


def _invalid_utf8(event: Event) -> bytes:
    """The event's type with two bytes in it that are no text."""
    head = event["event_type"][:6].encode()
    return encode(event).replace(head, head[:-1] + b"\xff\xfe", 1)


def _sizes(kinds: Kinds) -> None:
    literal = kinds.literal
    kinds.add(Kind("body_at_limit", None, body_at_limit, weight=RARELY / 4))
    for depth, error in ((500, None), (5000, "bad_json")):
        nested = "[" * depth + "]" * depth
        literal(f"nested_arrays_{depth}", error, "extra", nested, ambiguous=error is not None, weight=RARELY)
        nested = '{"a":' * depth + "1" + "}" * depth
        literal(f"nested_objects_{depth}", error, "extra", nested, ambiguous=error is not None, weight=RARELY)
    many = {f"extra_{number}": number for number in range(2000)}
    kinds.value("many_fields", None, lambda event: encode(many | event), weight=RARELY)
    long_name = {"n" * 60_000: 1}
    kinds.value("long_field_name", "bad_json", lambda event: encode(event | long_name), ambiguous=True, weight=RARELY)


def _keys(kinds: Kinds) -> None:
    add, field = kinds.add, kinds.shape.key_field

    def suffixed(name: str, error: str | None, key: str, body: str, **more: bool) -> None:
        def make(sound: bytes, event: Event) -> tuple[bytes, bytes]:
            return f"{event[field]}{key}".encode(), encode(event | {field: f"{event[field]}{body}"})

        add(Kind(name, error, make, **more))

    def key_escaped_in_body(key: bytes, event: Event) -> tuple[bytes, bytes]:
        """The body says the same key, written with escapes: equal as text, not as bytes."""
        text = f"{event[field]}-ñ"
        plain = json.dumps(text)
        escaped = f'"\\u{ord(text[0]):04x}{plain[2:]}'.replace("/", r"\/")
        body = json.dumps(event | {field: text}, separators=(",", ":"))
        return text.encode(), body.replace(plain, escaped, 1).encode()

    null_key = "key_null" if kinds.shape.key_required else None
    add(Kind("null_key", null_key, lambda key, event: (None, encode(event))))
    add(Kind("empty_key", "key_mismatch", lambda key, event: (b"", encode(event))))
    add(Kind("invalid_utf8_key", "key_encoding", lambda key, event: (b"\xff\x00" + key, encode(event))))
    add(Kind("binary_key", "key_encoding", lambda key, event: (bytes.fromhex("c328a0a1ff"), encode(event))))
    add(Kind("invalid_key_and_bad_json", "bad_json", lambda key, event: (b"\xfe" + key, b"{")))
    add(Kind("null_key_and_bad_json", "bad_json", lambda key, event: (None, b"{")))
    add(Kind("invalid_key_and_null_value", "null_value", lambda key, event: (b"\xfe" + key, None)))
    suffixed(f"key_of_another_{kinds.shape.entity}", "key_mismatch", "", "-other")
    suffixed("key_with_space", "key_mismatch", " ", "")
    suffixed("body_with_space", "key_mismatch", "", " ")
    suffixed("key_with_nul", "key_mismatch", "\0", "")
    suffixed("key_in_another_unicode_form", "key_mismatch", "-é", "-e\u0301")
    suffixed("key_with_emoji", None, "-🛒", "-🛒")
    suffixed("key_with_slash_and_quote", None, "/'\"", "/'\"")
    if not kinds.shape.key_is_number:
        add(Kind("key_in_upper_case", "key_mismatch", lambda key, event: (key.upper(), encode(event))))
    add(Kind("key_in_json_quotes", "key_mismatch", lambda key, event: (b'"' + key + b'"', encode(event))))
    add(Kind("key_escaped_in_body", None, key_escaped_in_body))


def _headers(kinds: Kinds) -> None:
    def headed(name: str, *headers: tuple[str, bytes]) -> None:
        kinds.add(Kind(name, None, lambda key, event: (key, encode(event)), headers=headers))

    headed("headers_odd", ("", b""), ("trace", b"\xff\xfe"), ("trace", b"again"), ("naïve", "✓".encode()))
    headed("headers_many", *((f"header-{number}", str(number).encode()) for number in range(200)))
    headed("headers_large", ("stack-trace", b"at Order.java\n" * 4000))
