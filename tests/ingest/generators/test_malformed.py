"""If these fail, the corpus says something about a record that isn't so, and bronze is tested against a wrong claim."""
from __future__ import annotations

import json
from random import Random

import pytest

from ingest.generators.lifecycle import Order
from ingest.generators.malformed import Kind, UnknownKind, add, catalogue, chosen
from ingest.generators.malformed_values import BROKER_LIMIT, body_at_limit
from ingest.generators.orders import Faults, OrderStream

ERRORS = {
    "null_value", "invalid_utf8", "bad_json", "key_encoding", "key_null", "key_mismatch", "event_id_missing",
    "event_type_missing", "event_time_missing", "event_time_range",
}  # fmt: skip
NOW = 1_769_500_000


def sound(number=1):
    rng = Random(number)
    return Order(f"ord-20260127-s7-{number:06d}", rng).event("ORDER_CREATED", rng, NOW, "event")


def first_error(record):
    """The error by the letter of the contract, read with Python's strict parser; no opinion on ambiguous kinds."""
    if record.value is None:
        return "null_value"
    try:
        event = json.loads(record.value.decode(), parse_constant=lambda _: (_ for _ in ()).throw(ValueError()))
    except UnicodeDecodeError:
        return "invalid_utf8"
    except (ValueError, RecursionError):
        return "bad_json"
    if not isinstance(event, dict):
        return "bad_json"
    try:
        key = record.key.decode() if record.key is not None else None
    except UnicodeDecodeError:
        return "key_encoding"
    if key is None:
        return "key_null"
    if event.get("order_id") is None or str(event["order_id"]) != key:
        return "key_mismatch"
    for name in ("event_id", "event_type"):
        if event.get(name) is None:
            return f"{name}_missing"
    time = event.get("event_timestamp")
    if isinstance(time, bool):
        return "event_time_missing"
    try:
        seconds = int(time)
    except (TypeError, ValueError):
        return "event_time_missing"
    return None if 946_684_800 <= seconds <= NOW + 86_400 else "event_time_range"


def test_there_are_many_kinds_and_every_error_has_some():
    assert len(catalogue()) >= 30
    assert {kind.error for kind in catalogue().values()} == ERRORS | {None}


@pytest.mark.parametrize("kind", catalogue().values(), ids=lambda kind: kind.name)
def test_a_kind_ends_as_it_says(kind):
    record = kind.record(sound())
    assert record.kind == f"malformed:{kind.name}"
    assert (record.key, record.value) != (sound().key, sound().value) or kind.headers
    assert record.key is not None or record.value is not None, "the client refuses a record with neither"
    if not kind.ambiguous:
        assert first_error(record) == kind.error


def test_two_kinds_never_share_a_name():
    with pytest.raises(ValueError, match="null_value"):
        add(Kind("null_value", None, lambda key, event: (key, b"")))


def test_an_unknown_kind_is_named():
    with pytest.raises(UnknownKind, match="no malformed kind is called nonsense"):
        chosen(("null_key", "nonsense"))


def test_the_body_at_the_limit_fills_a_batch_to_the_last_byte():
    from kafka.record.memory_records import MemoryRecordsBuilder

    for excess in (0, 1):
        record = sound()
        key, value = body_at_limit(record.key, json.loads(record.value), excess)
        batch = MemoryRecordsBuilder(2, 0, 1)
        batch.append(NOW * 1000, key, value, [])
        batch.close()
        assert batch.size_in_bytes() == BROKER_LIMIT + excess


def test_the_corpus_is_each_kind_once():
    records = list(OrderStream(7, NOW, 3600, 0, corpus=True).records())
    assert [record.kind for record in records] == [f"malformed:{name}" for name in catalogue()]
    assert len({record.event_id for record in records}) == len(records)


def test_kinds_can_be_chosen():
    names = ("null_key", "bad_escape")
    alone = OrderStream(7, NOW, 3600, 0, corpus=True, malformed_kinds=names)
    assert [record.kind for record in alone.records()] == ["malformed:null_key", "malformed:bad_escape"]
    mixed = OrderStream(7, NOW, 3600, 2000, Faults(malformed=0.2), malformed_kinds=names)
    drawn = {record.kind for record in mixed.records() if record.kind.startswith("malformed")}
    assert drawn == {"malformed:null_key", "malformed:bad_escape"}


def test_dear_kinds_are_rare():
    records = OrderStream(7, NOW, 3600, 20_000, Faults(malformed=0.5)).records()
    megabytes = sum(len(record.value or b"") for record in records if record.kind.startswith("malformed")) / 1e6
    assert megabytes < 40
