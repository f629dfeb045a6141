"""A fingerprint says everything a record is: change any part of it and the verification would notice, and say which."""
from __future__ import annotations

import pytest

from ingest.verify.fingerprint import differing_parts, fingerprint, hash_of

SOUND = {
    "offset": 7,
    "timestamp_ms": 1_706_600_000_123,
    "key": b"ord-1",
    "value": b'{"a": 1}',
    "headers": [("trace", b"1"), ("empty", None)],
}


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"offset": 8}, "kafka_offset"),
        ({"timestamp_ms": 1_706_600_000_124}, "kafka_timestamp"),
        ({"key": b"ord-2"}, "entity_key"),
        ({"key": None}, "entity_key"),
        ({"key": b""}, "entity_key"),
        ({"key": b"\xff"}, "entity_key"),
        ({"value": b'{"a": 2}'}, "body"),
        ({"value": None}, "body"),
        ({"value": b""}, "body"),
        ({"headers": []}, "kafka_headers"),
        ({"headers": [("trace", b"1"), ("empty", b"")]}, "kafka_headers"),
        ({"headers": [("trac", b"e1"), ("empty", None)]}, "kafka_headers"),
        ({"headers": [("empty", None), ("trace", b"1")]}, "kafka_headers"),
    ],
)
def test_each_part_is_told_apart(change: dict, part: str) -> None:
    one, other = fingerprint(**SOUND), fingerprint(**{**SOUND, **change})
    assert differing_parts(one, other) == [part]
    assert hash_of(one) != hash_of(other)


def test_null_and_empty_are_different_values() -> None:
    assert fingerprint(0, 0, None, None) != fingerprint(0, 0, b"", b"")


def test_a_key_that_is_no_text_is_told_by_its_hex_digits_as_bronze_holds_it() -> None:
    assert fingerprint(0, 0, b"\xff\x00", b"") == fingerprint(0, 0, b"ff00", b"")


def test_a_value_that_is_no_text_is_not_the_same_as_text() -> None:
    invalid = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]
    for value in invalid:
        assert fingerprint(0, 0, None, value)[33] == 2, value
    assert fingerprint(0, 0, None, "👩‍🚀\0".encode())[33] == 1


def test_hashes_are_signed_64_bits() -> None:
    hashes = [hash_of(fingerprint(offset, 0, None, None)) for offset in range(200)]
    assert min(hashes) < 0 < max(hashes)
    assert all(-(2**63) <= value < 2**63 for value in hashes)
