"""If these fail, the corpus says something about a record that isn't so, and bronze is tested against a wrong claim."""

from __future__ import annotations

import json
import math
from datetime import datetime
from random import Random

import pytest

from ingest.datasets import load
from ingest.generators.lifecycle import Order
from ingest.generators.malformed import Kind, Kinds, UnknownKind, catalogue, chosen, encode
from ingest.generators.malformed_values import BROKER_LIMIT, body_at_limit
from ingest.generators.orders import Faults, OrderStream
from ingest.generators.records import Record
from ingest.generators.shapes import SHAPES
from stack.settings import PROJECT

ERRORS = {
    "null_value", "invalid_utf8", "bad_json", "key_encoding", "key_null", "key_mismatch", "event_id_missing",
    "event_type_missing", "event_time_missing", "event_time_range",
}  # fmt: skip
NOW = 1_769_500_000
DATASETS = tuple(SHAPES)
KINDS = [(dataset, kind) for dataset in DATASETS for kind in catalogue(dataset).values()]
ID = "0b7e2c1e-6f1d-4c5a-9d3e-2a1b3c4d5e6f"
EVENTS = {
    "content_events": {
        "event_id": ID, "event_timestamp": NOW * 1000 + 7, "event_type": "impression", "video_id": "vid-0042",
        "user_id": 17, "payload": {"device": "ios", "app_version": "5.0.1"},
    },
    "user_events": {
        "event_id": ID, "user_id": 17, "event_type": "click", "page": "/home",
        "timestamp": "2026-01-27T07:46:40.250Z", "source": "web",
    },
}  # fmt: skip


def sound(dataset="orders", number=1):
    if dataset == "orders":
        rng = Random(number)
        return Order(f"ord-20260127-s7-{number:06d}", rng).event("ORDER_CREATED", rng, NOW, "event")
    event = EVENTS[dataset]
    return Record(str(event[SHAPES[dataset].key_field]).encode(), encode(event), "event", event["event_id"])


def seconds_of(time, unit):
    """Epoch seconds of an event time by the letter, None where it is no time."""
    if isinstance(time, bool):
        return None
    try:
        if unit == "iso8601":
            return datetime.fromisoformat(time).timestamp() if isinstance(time, str) else None
        return math.floor(int(time) / {"seconds": 1, "milliseconds": 1000}[unit])
    except (TypeError, ValueError):
        return None


def first_error(dataset, record):
    """The error by the letter of the contract, read with Python's strict parser; no opinion on ambiguous kinds."""
    shape = SHAPES[dataset]
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
    if key is None and shape.key_required:
        return "key_null"
    if key is not None and (event.get(shape.key_field) is None or str(event[shape.key_field]) != key):
        return "key_mismatch"
    for name in ("event_id", "event_type"):
        if event.get(name) is None:
            return f"{name}_missing"
    seconds = seconds_of(event.get(shape.time_field), shape.time_unit)
    if seconds is None:
        return "event_time_missing"
    return None if 946_684_800 <= seconds <= NOW + 86_400 else "event_time_range"


@pytest.mark.parametrize("dataset", DATASETS)
def test_there_are_many_kinds_and_every_error_has_some(dataset):
    assert len(catalogue(dataset)) >= 30
    never = set() if SHAPES[dataset].key_required else {"key_null"}
    assert {kind.error for kind in catalogue(dataset).values()} == ERRORS - never | {None}


@pytest.mark.parametrize(("dataset", "kind"), KINDS, ids=[f"{dataset}-{kind.name}" for dataset, kind in KINDS])
def test_a_kind_ends_as_it_says(dataset, kind):
    record = kind.record(sound(dataset))
    assert record.kind == f"malformed:{kind.name}"
    assert (record.key, record.value) != (sound(dataset).key, sound(dataset).value) or kind.headers
    assert record.key is not None or record.value is not None, "the client refuses a record with neither"
    if not kind.ambiguous:
        assert first_error(dataset, record) == kind.error


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_event_they_are_made_from_is_sound(dataset):
    assert first_error(dataset, sound(dataset)) is None


@pytest.mark.parametrize("dataset", [path.stem for path in (PROJECT / "ingest" / "datasets").glob("*.yml")])
def test_a_shape_is_the_header_that_the_dataset_declares(dataset):
    declared, shape = load(dataset, PROJECT / "ingest" / "datasets"), SHAPES[dataset]
    assert (declared.key.field, declared.key.required) == (shape.key_field, shape.key_required)
    assert (declared.event_time.field, declared.event_time.unit) == (shape.time_field, shape.time_unit)


def test_two_kinds_never_share_a_name():
    kinds = Kinds(SHAPES["orders"])
    kinds.add(Kind("null_value", None, lambda key, event: (key, b"")))
    with pytest.raises(ValueError, match="null_value"):
        kinds.add(Kind("null_value", None, lambda key, event: (key, b"")))


def test_an_unknown_kind_is_named():
    with pytest.raises(UnknownKind, match="no malformed kind is called nonsense"):
        chosen(("null_key", "nonsense"))
    with pytest.raises(UnknownKind, match=r"kinds user_events lists them"):
        chosen(("amount_null",), "user_events")


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
