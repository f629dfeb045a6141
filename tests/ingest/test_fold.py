"""If these fail, a gold row depends on how the stream was cut into batches: crashes and replays change it."""

from __future__ import annotations

import random
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ingest.bronze import to_bronze
from ingest.datasets import Dataset, load
from ingest.fence import BronzeFence, Cut, at_snapshot, read_bronze_fence, up_to
from ingest.fold import Fold, definition
from ingest.generators.orders import Faults, OrderStream
from ingest.publish import current_snapshot
from ingest.replay import hashed
from ingest.tables import create_bronze, create_gold
from tests.ingest.faults.case import KINDS
from tests.ingest.faults.judgement import BRONZE, GOLD, gold_differences

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.integration

START = datetime(2026, 1, 27, 12, tzinfo=UTC)
FAULTS = Faults(duplicates=0.05, late=0.02, out_of_order=0.05, illegal=0.05, malformed=0.02)
KAFKA = (
    "key binary, value binary, topic string, partition int, offset bigint, timestamp timestamp, timestampType int, "
    "headers array<struct<key: string, value: binary>>"
)
SHAPES = ("plain", "partitions_added", "recreated")
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(2, 21))]


def arrived(spark: SparkSession, seed: int, shape: str, count: int) -> tuple[Dataset, DataFrame, BronzeFence]:
    """A bronze table filled with a generated stream: in four partitions, then six, or in two epochs, by `shape`."""
    name = f"fold_{shape}_{seed}_{count}"
    orders = load("orders")
    dataset = orders.model_copy(update={"bronze": orders.bronze.model_copy(update={"table": f"{name}_events"})})
    identifier = dataset.bronze.identifier
    create_bronze(spark, dataset, "none")
    chance = random.Random(seed)
    next_offset: dict[tuple[int, int], int] = {}
    epochs: dict[int, list[tuple]] = {1: [], 2: []}
    stream = OrderStream(
        seed=seed, start=int(START.timestamp()), span=1200, count=count, faults=FAULTS, malformed_kinds=KINDS
    )
    for number, record in enumerate(stream.records()):
        late = number >= count // 2
        epoch = 2 if late and shape == "recreated" else 1
        partitions = 6 if late and shape == "partitions_added" else 4
        partition = zlib.crc32(record.key or b"") % partitions
        offset = next_offset.get((epoch, partition), 0)
        next_offset[epoch, partition] = offset + 1
        at = START + timedelta(milliseconds=number * 100 + chance.randrange(-300, 300))
        epochs[epoch].append((record.key, record.value, "orders", partition, offset, at, 0, []))
    for epoch, rows in epochs.items():
        if rows:
            to_bronze(spark.createDataFrame(rows, KAFKA), dataset, epoch).writeTo(f"lake.{identifier}").append()
    snapshot = current_snapshot(spark, identifier)
    return dataset, at_snapshot(spark, identifier, snapshot), read_bronze_fence(spark, identifier, snapshot, {})


def random_cuts(fence: BronzeFence, chance: random.Random, most: int) -> list[Cut]:
    """Ranges that follow each other and together hold every offset, each partition cut at places of its own."""
    cuts = []
    for epoch, highest in sorted(fence.highest.items()):
        after = dict.fromkeys(highest, -1)
        for number in range(chance.randrange(2, most)):
            upto = {p: chance.randint(after[p], min(high, after[p] + 1 + high // 2)) for p, high in highest.items()}
            cuts.append(Cut(epoch, after, upto))
            if number % 2:  # a range that is tried again changes nothing
                cuts.append(cuts[-1])
            after = upto
        cuts.append(Cut(epoch, after, dict(highest)))
    return cuts


def folded(spark: SparkSession, dataset: Dataset, bronze: DataFrame, cuts: list[Cut], name: str) -> DataFrame:
    """A gold table made from `bronze` range by range."""
    gold = dataset.golds[0]
    create_gold(spark, gold, f"gold.{name}", definition(gold))
    worker = Fold(spark, dataset, gold)
    for cut in cuts:
        worker.merge(bronze.where(cut.predicate()), f"lake.gold.{name}", lambda: up_to(bronze, cut))  # noqa: B023
    return spark.table(f"lake.gold.{name}")


def differences(gold: DataFrame, bronze: DataFrame) -> list[str]:
    """What of gold is not as the plain loop over the events says."""
    rows = [row.asDict() for row in gold.select(*GOLD).collect()]
    for row in rows:  # Spark hands out the local time, without a zone
        row["status_changed_at"] = row["status_changed_at"] and row["status_changed_at"].astimezone(UTC)
    return gold_differences(rows, [row.asDict() for row in bronze.select(*BRONZE).collect()])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", SEEDS)
def test_any_cut_of_the_offsets_gives_the_same_rows(spark: SparkSession, seed: int, shape: str) -> None:
    count = 2_000 if seed == 1 else 10_000
    dataset, bronze, fence = arrived(spark, seed, shape, count)
    whole = [Cut(epoch, dict.fromkeys(highest, -1), highest) for epoch, highest in sorted(fence.highest.items())]
    at_once = folded(spark, dataset, bronze, whole, f"at_once_{shape}_{seed}")
    in_cuts = folded(spark, dataset, bronze, random_cuts(fence, random.Random(seed), 5), f"in_cuts_{shape}_{seed}")
    assert hashed(at_once) == hashed(in_cuts)
    assert differences(in_cuts, bronze) == []


def test_one_event_at_a_time_gives_the_same_rows(spark: SparkSession) -> None:
    dataset, bronze, fence = arrived(spark, 3, "partitions_added", 16)
    steps = [
        Cut(epoch, {partition: offset - 1}, {partition: offset})
        for epoch, highest in fence.highest.items()
        for partition, high in highest.items()
        for offset in range(high + 1)
    ]
    gold = folded(spark, dataset, bronze, steps, "one_at_a_time")
    assert differences(gold, bronze) == []
