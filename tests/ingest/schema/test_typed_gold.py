"""If these fail, a typed gold holds nulls or old values where events said otherwise, or differs by how it was cut."""

from __future__ import annotations

import json
import random
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ingest import fold as fold_module
from ingest.bronze import to_bronze
from ingest.datasets import Dataset, Gold
from ingest.fence import BronzeFence, at_snapshot, read_bronze_fence
from ingest.generators.records import Record
from ingest.publish import current_snapshot
from ingest.replay import hashed
from ingest.schema.infer import infer
from ingest.schema.typed import bound_to
from ingest.tables import create_bronze
from tests.ingest.landing import KAFKA, folded, plain_rows, random_cuts, whole
from tests.ingest.schema import devices

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.integration
START = datetime(2026, 1, 27, 12, tzinfo=UTC)
SENT = devices.records(0, 600, odd=0.3)


@pytest.fixture(scope="module")
def landed(spark: SparkSession) -> tuple[Dataset, Gold, DataFrame, BronzeFence]:
    """The events in a bronze of their own, and the gold bound to the schema of sound ones."""
    dataset = devices.dataset("devices_landed")
    create_bronze(spark, dataset, "none")
    offsets = [0, 0]
    rows = []
    for number, sent in enumerate(SENT):
        partition = partition_of(sent)
        at = START + timedelta(seconds=number)
        rows.append((sent.key, sent.value, dataset.topic, partition, offsets[partition], at, 0, []))
        offsets[partition] += 1
    to_bronze(spark.createDataFrame(rows, KAFKA), dataset, 1).writeTo(f"lake.{dataset.bronze.identifier}").append()
    snapshot = current_snapshot(spark, dataset.bronze.identifier)
    schema = infer(one.value.decode() for one in devices.records(0, 200))
    bronze = at_snapshot(spark, dataset.bronze.identifier, snapshot)
    fence = read_bronze_fence(spark, dataset.bronze.identifier, snapshot, {})
    return dataset, bound_to(dataset.golds[0], schema, 1), bronze, fence


def partition_of(sent: Record) -> int:
    return zlib.crc32(sent.key) % 2


def expected() -> dict[str, dict[str, Any]]:
    """By key what its last event that is of the schema's types says; written apart from the fold."""
    rows: dict[str, dict[str, Any]] = {}
    for sent in SENT:
        if sent.kind == "odd":
            continue
        said = json.loads(sent.value) if sent.value else {}
        rows[sent.key.decode()] = {
            "event_id": said.get("event_id"),
            "order": said.get("order"),
            "battery_level": said.get("batteryLevel"),
            "reading": {k: v for k, v in said["reading"].items() if k != "note"} if said else None,
            "route": said.get("route"),
            "labels": said.get("labels"),
            "is_deleted": not said,
        }
    return rows


def found(table: DataFrame) -> dict[str, dict[str, Any]]:
    columns = next(iter(expected().values()))
    return {row["device_id"]: {column: row[column] for column in columns} for row in plain_rows(table)}


def test_a_row_is_the_last_event_that_could_be_typed_however_it_was_cut(spark: SparkSession, landed: tuple) -> None:
    dataset, gold, bronze, fence = landed
    at_once = folded(spark, dataset, gold, bronze, whole(fence), "devices_at_once")
    assert found(at_once) == expected()
    cuts = random_cuts(fence, random.Random(5), 6)
    assert hashed(folded(spark, dataset, gold, bronze, cuts, "devices_in_cuts")) == hashed(at_once)


def test_events_that_become_nulls_are_seen(spark: SparkSession, landed: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, gold, bronze, fence = landed
    sound = fold_module.sql_of(gold)
    broken = sound.replace("fields.__unreadable is null", "true")
    assert broken != sound
    monkeypatch.setattr(fold_module, "sql_of", lambda _: broken)
    assert found(folded(spark, dataset, gold, bronze, whole(fence), "devices_broken")) != expected()
