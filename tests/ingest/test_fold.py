"""If these fail, a gold row depends on how the stream was cut into batches: crashes and replays change it."""

from __future__ import annotations

import random
from datetime import UTC
from typing import TYPE_CHECKING

import pytest

from ingest.generators.orders import Faults, OrderStream
from ingest.replay import hashed
from tests.ingest.faults.case import KINDS
from tests.ingest.faults.judgement import BRONZE, GOLD, gold_differences
from tests.ingest.landing import SHAPES, START, folded, landed, one_at_a_time, random_cuts, whole

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.integration

FAULTS = Faults(duplicates=0.05, late=0.02, out_of_order=0.05, illegal=0.05, malformed=0.02)
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(2, 21))]


def orders(seed: int, count: int) -> OrderStream:
    return OrderStream(
        seed=seed, start=int(START.timestamp()), span=1200, count=count, faults=FAULTS, malformed_kinds=KINDS
    )


def differences(gold: DataFrame, bronze: DataFrame) -> list[str]:
    """What of gold is not as the plain loop over the events says."""
    rows = [row.asDict() for row in gold.select(*GOLD).collect()]
    for row in rows:  # Spark hands out the local time, without a zone
        row["status_changed_at"] = row["status_changed_at"] and row["status_changed_at"].astimezone(UTC)
    return gold_differences(rows, [row.asDict() for row in bronze.select(*BRONZE).collect()])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", SEEDS)
def test_any_cut_of_the_offsets_gives_the_same_rows(spark: SparkSession, seed: int, shape: str) -> None:
    dataset, bronze, fence = landed(spark, orders(seed, 2_000 if seed == 1 else 10_000), shape)
    [gold] = dataset.golds
    cuts = random_cuts(fence, random.Random(seed), 3 if seed == 1 else 5)
    at_once = folded(spark, dataset, gold, bronze, whole(fence), f"at_once_{shape}_{seed}")
    in_cuts = folded(spark, dataset, gold, bronze, cuts, f"in_cuts_{shape}_{seed}")
    assert hashed(at_once) == hashed(in_cuts)
    assert differences(in_cuts, bronze) == []


@pytest.mark.parametrize("count", [10, pytest.param(40, marks=pytest.mark.full)])
def test_one_event_at_a_time_gives_the_same_rows(spark: SparkSession, count: int) -> None:
    dataset, bronze, fence = landed(spark, orders(3, count), "partitions_added")
    gold = folded(spark, dataset, dataset.golds[0], bronze, one_at_a_time(fence), f"one_at_a_time_{count}")
    assert differences(gold, bronze) == []
    assert gold.where("cardinality(absorbed) > 1").count() > 0, "no order went on in another partition"
