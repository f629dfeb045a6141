"""If these fail, a record's content can stop the stream, or a record that can't be read passes for one that can."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ingest.bronze import BRONZE_SCHEMA, to_bronze
from ingest.datasets import load
from ingest.generators.content_events import ContentStream
from ingest.generators.event_stream import EventStream
from ingest.generators.malformed import catalogue
from ingest.generators.orders import OrderStream
from ingest.generators.shapes import SHAPES
from ingest.generators.user_events import UserStream
from tests.ingest.landing import KAFKA

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.integration

NOW = datetime(2026, 1, 27, 12, tzinfo=UTC)
STREAMS = {kind.dataset: kind for kind in (OrderStream, ContentStream, UserStream)}


def records(spark: SparkSession, pairs: list[tuple[bytes | None, bytes | None]]) -> DataFrame:
    """Records as the Kafka source gives them, one partition, offsets from 0."""
    rows = [(key, value, "events", 0, offset, NOW, 0, []) for offset, (key, value) in enumerate(pairs)]
    return spark.createDataFrame(rows, KAFKA)


def test_every_shape_has_a_stream() -> None:
    assert set(STREAMS) == set(SHAPES)


@pytest.mark.parametrize("kind", STREAMS.values(), ids=STREAMS)
def test_every_malformed_kind_is_one_row_with_its_error(spark: SparkSession, kind: type[EventStream]) -> None:
    """The errors that the catalogue says, for each dataset's own fields."""
    errors = {f"malformed:{one.name}": one.error for one in catalogue(kind.dataset).values()}
    sent = list(kind(seed=1, start=int(NOW.timestamp()) - 60, span=60, count=0, corpus=True).records())
    rows = (
        to_bronze(records(spark, [(record.key, record.value) for record in sent]), load(kind.dataset), 1)
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


def test_bytes_at_random_are_rows_too(spark: SparkSession) -> None:
    chance = random.Random(7)
    pairs = [(chance.randbytes(chance.randrange(20)), chance.randbytes(chance.randrange(200))) for _ in range(5_000)]
    bronze = to_bronze(records(spark, pairs), load("orders"), 1)
    assert bronze.schema.simpleString() == BRONZE_SCHEMA.simpleString()
    assert bronze.where("error is null").count() == 0
    assert bronze.where("partition_time is null").count() == 0
    assert bronze.count() == len(pairs)
