"""A generated stream landed in a bronze of its own, and its offsets cut at random: what tests of every fold work on."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ingest.bronze import to_bronze
from ingest.datasets import Dataset, Gold, load
from ingest.fence import BronzeFence, Cut, at_snapshot, read_bronze_fence, up_to
from ingest.fold import Fold, definition
from ingest.publish import current_snapshot
from ingest.tables import create_bronze, create_gold

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from ingest.generators.event_stream import EventStream

START = datetime(2026, 1, 27, 12, tzinfo=UTC)
KAFKA = (
    "key binary, value binary, topic string, partition int, offset bigint, timestamp timestamp, timestampType int, "
    "headers array<struct<key: string, value: binary>>"
)
SHAPES = ("plain", "partitions_added", "recreated")
"""How a stream may land: in four partitions, in four and then six, or in two epochs."""


def kafka_records(spark: SparkSession, pairs: Iterable[tuple[bytes | None, bytes | None]]) -> DataFrame:
    """Keys and values as the Kafka source gives records, one partition, offsets from 0."""
    rows = [(key, value, "events", 0, offset, START, 0, []) for offset, (key, value) in enumerate(pairs)]
    return spark.createDataFrame(rows, KAFKA)


def own(dataset: Dataset, name: str) -> Dataset:
    """The dataset with tables of its own, named after `name`."""
    golds = [gold.model_copy(update={"table": f"{name}_{gold.table}", "sql": gold.table}) for gold in dataset.golds]
    bronze = dataset.bronze.model_copy(update={"table": f"{name}_{dataset.bronze.table}"})
    return dataset.model_copy(update={"bronze": bronze, "golds": golds})


def landed(spark: SparkSession, stream: EventStream, shape: str) -> tuple[Dataset, DataFrame, BronzeFence]:
    """A bronze table filled with `stream`, by `shape`, and how far it is."""
    dataset = own(load(stream.dataset), f"fold_{shape}_{stream.seed}_{stream.count}")
    identifier = dataset.bronze.identifier
    create_bronze(spark, dataset, "none")
    chance = random.Random(stream.seed)
    next_offset: dict[tuple[int, int], int] = {}
    epochs: dict[int, list[tuple]] = {1: [], 2: []}
    for number, record in enumerate(stream.records()):
        late = number >= stream.total // 2
        epoch = 2 if late and shape == "recreated" else 1
        partitions = 6 if late and shape == "partitions_added" else 4
        partition = zlib.crc32(record.key or b"") % partitions
        offset = next_offset.get((epoch, partition), 0)
        next_offset[epoch, partition] = offset + 1
        at = START + timedelta(milliseconds=number * 100 + chance.randrange(-300, 300))
        epochs[epoch].append((record.key, record.value, dataset.topic, partition, offset, at, 0, []))
    for epoch, rows in epochs.items():
        if rows:
            _append(spark, dataset, epoch, rows)
    snapshot = current_snapshot(spark, identifier)
    return dataset, at_snapshot(spark, identifier, snapshot), read_bronze_fence(spark, identifier, snapshot, {})


def _append(spark: SparkSession, dataset: Dataset, epoch: int, rows: list[tuple]) -> None:
    """Rows of bronze that each arrived at a time of its own, later offsets and epochs later."""
    from pyspark.sql import functions as F

    arrived = F.lit(START) + F.expr(f"make_interval(0, 0, 0, {epoch}, 0, 0, kafka_offset)")
    bronze = to_bronze(spark.createDataFrame(rows, KAFKA), dataset, epoch).withColumn("ingested_at", arrived)
    bronze.writeTo(f"lake.{dataset.bronze.identifier}").append()


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


def whole(fence: BronzeFence) -> list[Cut]:
    """All offsets, an epoch at a time."""
    return [Cut(epoch, dict.fromkeys(highest, -1), highest) for epoch, highest in sorted(fence.highest.items())]


def one_at_a_time(fence: BronzeFence) -> list[Cut]:
    """A range for every offset."""
    return [
        Cut(epoch, {partition: offset - 1}, {partition: offset})
        for epoch, highest in sorted(fence.highest.items())
        for partition, high in highest.items()
        for offset in range(high + 1)
    ]


def folded(
    spark: SparkSession, dataset: Dataset, gold: Gold, bronze: DataFrame, cuts: list[Cut], name: str
) -> DataFrame:
    """A table `name` of `gold`, made from `bronze` range by range."""
    create_gold(spark, gold, f"gold.{name}", definition(gold))
    worker = Fold(spark, dataset, gold)
    for cut in cuts:
        worker.merge(bronze.where(cut.predicate()), f"lake.gold.{name}", lambda: up_to(bronze, cut))  # noqa: B023
    return spark.table(f"lake.gold.{name}")


def plain_rows(table: DataFrame) -> list[dict[str, Any]]:
    """Rows as plain Python; times as microseconds since 1970, since Spark hands them out without a zone."""
    from pyspark.sql import functions as F

    columns = [F.unix_micros(name).alias(name) if type_ == "timestamp" else name for name, type_ in table.dtypes]
    return [row.asDict(recursive=True) for row in table.select(*columns).collect()]
