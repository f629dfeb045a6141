"""If these fail, a range is judged by other bodies than it has, or is read once more to be judged."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from bench.gold_table import append_events, new_dataset
from ingest import live as module
from ingest.live import LiveGold
from ingest.schema.sample import SAMPLE, Riding, Sampled, sample

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from ingest.datasets import Dataset

pytestmark = pytest.mark.integration
EVENTS = 10_000


class Looked:
    """Stands in for the check: what every merge was judged by."""

    is_waiting = False

    def __init__(self) -> None:
        self.by: list[list[Sampled]] = []

    def has_passed(self, range_: tuple) -> bool:
        return False

    def pass_(self, range_: tuple, sampled: Callable[[], list[Sampled]]) -> int:
        self.by.append(sampled())
        return 0


def looks(spark: SparkSession, dataset: Dataset, append: Callable[[], None]) -> list[list[Sampled]]:
    """At what `append` adds, as one range."""
    looked = Looked()
    gold = LiveGold(spark, dataset, dataset.golds[0], uuid.uuid4().hex[:12], EVENTS, looked)
    for land in (lambda: None, append):
        land()
        while gold.step():
            pass
    return looked.by


def bronze(spark: SparkSession, dataset: Dataset) -> DataFrame:
    return spark.table(f"lake.{dataset.bronze.identifier}")


def no_second_scan(*_of: object) -> None:
    pytest.fail("the range was read once more")


def test_what_a_merge_notes_is_what_a_look_finds(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = new_dataset(spark)
    monkeypatch.setattr(module, "sample", no_second_scan)
    [noted] = looks(spark, dataset, lambda: append_events(spark, dataset, 0, EVENTS, EVENTS // 10))
    assert noted == sample(bronze(spark, dataset), EVENTS, dataset)
    assert SAMPLE <= len(noted) <= 2 * SAMPLE
    assert {row.kafka_partition for row in noted} == {0, 1, 2, 3}
    assert len({row.kafka_offset // (EVENTS // 10) for row in noted}) == 10


def test_keys_in_two_partitions_are_looked_at_too(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = new_dataset(spark)
    append_events(spark, dataset, 0, 40, 10)
    table = f"lake.{dataset.bronze.identifier}"
    spark.sql(f"update {table} set kafka_partition = 9 where kafka_offset = 7")
    monkeypatch.setattr(module, "sample", no_second_scan)
    [noted] = looks(spark, dataset, lambda: None)
    assert len(noted) == 40 and 9 in {row.kafka_partition for row in noted}


@pytest.mark.parametrize(("error", "noted"), [("null_value", 0), ("key_mismatch", 40)])
def test_of_rows_that_are_dead_letters_only_the_reason_is_noted(spark: SparkSession, error: str, noted: int) -> None:
    dataset = new_dataset(spark).model_copy(update={"on_tombstone": "delete"})
    append_events(spark, dataset, 0, 40, 40)
    spark.sql(f"update lake.{dataset.bronze.identifier} set error = '{error}'")
    [rows] = looks(spark, dataset, lambda: None)
    assert [(row.body, row.error) for row in rows] == [("", error)] * noted
    assert rows == sample(bronze(spark, dataset), 40, dataset)


def test_the_bodies_are_those_that_transforms_leave(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = new_dataset(spark)
    dataset = dataset.model_copy(update={"transforms": [{"set": {"body": "replace(body, 'USD', 'EUR')"}}]})
    append_events(spark, dataset, 0, 40, 40)
    spark.sql(f"update lake.{dataset.bronze.identifier} set error = 'key_mismatch' where kafka_offset < 10")
    looked = sample(bronze(spark, dataset), 40, dataset)
    monkeypatch.setattr(module, "sample", no_second_scan)
    [noted] = looks(spark, dataset, lambda: None)
    assert noted == looked and len(noted) == 40
    assert ["EUR" in row.body for row in noted] == [row.kafka_offset >= 10 for row in noted]


def test_rows_that_nobody_read_tell_nothing(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = new_dataset(spark)
    unread = Riding(10, dataset)
    assert unread.taken() is None
    unread.on(bronze(spark, dataset))
    monkeypatch.setattr("ingest.schema.sample.PATIENCE", 0.1)
    assert unread.taken() is None
