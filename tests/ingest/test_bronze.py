"""If these fail, a record's content can stop the stream, or a record that can't be read passes for one that can."""

from __future__ import annotations

import random
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from ingest.bronze import BRONZE_SCHEMA, to_bronze
from ingest.datasets import Dataset, EventTime, Key, load
from ingest.generators.event_stream import EventStream
from ingest.generators.malformed import catalogue
from ingest.generators.shapes import SHAPES
from ingest.produce_cli import STREAMS
from tests.ingest.landing import START as NOW
from tests.ingest.landing import kafka_records

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.integration


def test_every_shape_has_a_stream() -> None:
    assert set(STREAMS) == set(SHAPES)


@pytest.mark.parametrize("kind", STREAMS.values(), ids=STREAMS)
def test_every_malformed_kind_is_one_row_with_its_error(spark: SparkSession, kind: type[EventStream]) -> None:
    """The errors that the catalogue says, for each dataset's own fields."""
    errors = {f"malformed:{one.name}": one.error for one in catalogue(kind.dataset).values()}
    sent = list(kind(seed=1, start=int(NOW.timestamp()) - 60, span=60, count=0, corpus=True).records())
    rows = (
        to_bronze(kafka_records(spark, [(record.key, record.value) for record in sent]), load(kind.dataset), 1)
        .select("kafka_offset", "error", "body", "body_bytes", "event_time", "partition_time")
        .orderBy("kafka_offset")
        .collect()
    )
    assert len(rows) == len(sent) == len(errors) >= 25
    assert {record.kind: row.error for record, row in zip(sent, rows, strict=True)} == errors
    for record, row in zip(sent, rows, strict=True):
        kept = row.body_bytes if row.body is None else row.body.encode()
        assert (bytes(kept) if kept is not None else None) == record.value
        assert row.partition_time is not None


def test_the_header_is_read_from_the_fields_that_the_dataset_names(spark: SparkSession) -> None:
    """Whoever made the topic has named them, or has sent none at all."""
    body = b'{"id": "a1", "kind": "paid", "at": "2026-01-27T11:59:00Z", "event_id": "no"}'
    orders = load("orders").model_copy(update={"key": Key(required=False)})
    time = EventTime(field="at", unit="iso8601")
    named = orders.model_copy(update={"event_id": "id", "event_type": "kind", "event_time": time})
    none = orders.model_copy(update={"event_id": None, "event_type": None, "event_time": None})
    columns = ("event_id", "event_type", "event_time", "error", "partition_time")

    def read(dataset: Dataset, value: bytes) -> tuple:
        return tuple(to_bronze(kafka_records(spark, [(None, value)]), dataset, 1).select(*columns).first())

    at = datetime(2026, 1, 27, 11, 59)
    noon = NOW.replace(tzinfo=None)
    assert read(named, body) == ("a1", "paid", at, None, at)
    assert read(named, b'{"kind": "paid"}') == (None, "paid", None, "event_id_missing", noon)
    assert read(named, b'{"id": "a1", "kind": "paid"}') == ("a1", "paid", None, "event_time_missing", noon)
    assert read(none, body) == (None, None, None, None, noon)
    assert read(none, b"[]")[3] == "bad_json"


def test_bytes_at_random_are_rows_too(spark: SparkSession) -> None:
    chance = random.Random(7)
    pairs = [(chance.randbytes(chance.randrange(20)), chance.randbytes(chance.randrange(200))) for _ in range(5_000)]
    bronze = to_bronze(kafka_records(spark, pairs), load("orders"), 1)
    assert bronze.schema.simpleString() == BRONZE_SCHEMA.simpleString()
    assert bronze.where("error is null").count() == 0
    assert bronze.where("partition_time is null").count() == 0
    assert bronze.count() == len(pairs)
