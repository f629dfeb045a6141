"""One fingerprint of a record, computed alike from the broker's record in Python and from a bronze row in Trino.

The two definitions stand side by side here because they must say the same, byte by byte. The fingerprint is made of
parts of fixed width, so that two of one offset tell which part differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from xxhash import xxh64_digest, xxh64_intdigest

_PLACE = Struct(">qq")
_LENGTH = Struct(">q")
_NOTHING = xxh64_digest(b"")

NULL, TEXT, BYTES = b"\x00", b"\x01", b"\x02"

PARTS = {
    "kafka_offset": slice(0, 8),
    "kafka_timestamp": slice(8, 16),
    "entity_key": slice(16, 25),
    "kafka_headers": slice(25, 33),
    "body": slice(33, 42),
}

# A key that isn't UTF-8 is text of hex digits in bronze. A value is in `body` or in `body_bytes`, never in both.
FINGERPRINT_SQL = """
    to_big_endian_64(kafka_offset)
    || to_big_endian_64(coalesce(date_diff('millisecond', from_unixtime(0), kafka_timestamp), -9223372036854775808))
    || if(entity_key is null, x'00', x'01')
    || xxhash64(coalesce(to_utf8(entity_key), x''))
    || xxhash64(reduce(
        coalesce(kafka_headers, array[]),
        x'',
        (so_far, header) -> so_far
            || to_big_endian_64(length(to_utf8(header.key))) || to_utf8(header.key)
            || to_big_endian_64(coalesce(length(header.value), -1)) || coalesce(header.value, x''),
        so_far -> so_far
    ))
    || case
        when body is not null and body_bytes is not null then x'03'
        when body_bytes is not null then x'02'
        when body is not null then x'01'
        else x'00'
    end
    || xxhash64(coalesce(to_utf8(body), body_bytes, x''))
"""
HASH_SQL = f"from_big_endian_64(xxhash64({FINGERPRINT_SQL}))"


def fingerprint(
    offset: int,
    timestamp_ms: int,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]] = (),
) -> bytes:
    """The 42 bytes that say what the record is; cut by `PARTS`."""
    return b"".join(
        (
            _PLACE.pack(offset, timestamp_ms),
            NULL if key is None else TEXT,
            _NOTHING if key is None else xxh64_digest(key if _is_text(key) else key.hex().encode()),
            _headers(headers) if headers else _NOTHING,
            NULL if value is None else TEXT if _is_text(value) else BYTES,
            _NOTHING if value is None else xxh64_digest(value),
        )
    )


def hash_of(of_record: bytes) -> int:
    """Signed 64-bit hash of a fingerprint: what the sums of `ingest.verify.blocks` add up."""
    unsigned = xxh64_intdigest(of_record)
    return unsigned - (1 << 64) if unsigned >> 63 else unsigned


def differing_parts(one: bytes, other: bytes) -> list[str]:
    """Names of the parts in which two fingerprints differ."""
    return [name for name, part in PARTS.items() if one[part] != other[part]]


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _headers(headers: Iterable[tuple[str, bytes | None]]) -> bytes:
    parts = []
    for name, data in headers:
        encoded = name.encode()
        parts += [_LENGTH.pack(len(encoded)), encoded, _LENGTH.pack(-1 if data is None else len(data)), data or b""]
    return xxh64_digest(b"".join(parts))
