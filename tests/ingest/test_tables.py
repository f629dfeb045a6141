"""If these fail, a crash at a table's birth leaves one that no ingester can start on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest import tables
from ingest.datasets import load as load_dataset
from ingest.publish import load

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.integration


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_table_whose_maker_was_killed_before_its_first_commit_is_finished(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load_dataset("orders")
    dataset = dataset.model_copy(update={"bronze": dataset.bronze.model_copy(update={"table": "half_made"})})
    with monkeypatch.context() as killed:
        killed.setattr(tables, "load", _die)
        with pytest.raises(KeyboardInterrupt):
            tables.create_bronze(spark, dataset, "some-topic-id")
    assert load(spark, dataset.bronze.identifier).currentSnapshot() is None
    tables.create_bronze(spark, dataset, "some-topic-id")
    assert load(spark, dataset.bronze.identifier).currentSnapshot() is not None
    spark.sql(f"drop table lake.{dataset.bronze.identifier}")
