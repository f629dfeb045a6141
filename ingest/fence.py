"""Fences: how far a table is, read from the table's own rows, and the next range to fold.

A fence is never read from a checkpoint: whatever was lost, restored or rolled back, the rows say what is there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from stack.settings import CATALOG

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FENCE_PROPERTY = "lake.fence"  # kept before a retention removes rows: {"<epoch>": {"<partition>": offset}}

Offsets = dict[int, int]


class BronzeRewritten(RuntimeError):
    """Bronze no longer holds the very rows that a gold has absorbed: it was rolled back, or restored."""


@dataclass(frozen=True)
class BronzeFence:
    """Per topic epoch and Kafka partition, the lowest and highest offset that bronze holds."""

    lowest: dict[int, Offsets] = field(default_factory=dict)
    highest: dict[int, Offsets] = field(default_factory=dict)

    def of(self, epoch: int) -> Offsets:
        return self.highest.get(epoch, {})


@dataclass(frozen=True)
class GoldFence:
    """The topic epoch a gold is in, and per Kafka partition the highest offset it has absorbed there."""

    epoch: int = 0
    absorbed: Offsets = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """A range of one epoch: per partition, offsets above `after` up to and including `upto`."""

    epoch: int
    after: Offsets
    upto: Offsets

    def predicate(self) -> str:
        """SQL with literals only, so that Iceberg prunes files by their offset bounds."""
        parts = [
            f"(kafka_partition = {p} and kafka_offset > {self.after.get(p, -1)} and kafka_offset <= {high})"
            for p, high in sorted(self.upto.items())
        ]
        return f"topic_epoch = {self.epoch} and ({' or '.join(parts)})"


def next_cut(bronze: BronzeFence, gold: GoldFence, limit: int) -> Cut | None:
    """The next range of at most about `limit` offsets that `gold` has not absorbed; None when there is nothing.

    An epoch is folded whole before the next one begins: offsets of two epochs are never compared.
    """
    for epoch in sorted(bronze.highest):
        if epoch < gold.epoch:
            continue
        lowest, highest = bronze.lowest[epoch], bronze.highest[epoch]
        absorbed = gold.absorbed if epoch == gold.epoch else {}
        after = {p: max(absorbed.get(p, -1), lowest[p] - 1) for p in highest}
        pending = {p: high for p, high in highest.items() if high > after[p]}
        if pending:
            share = max(1, limit // len(pending))
            upto = {p: min(high, after[p] + share) for p, high in pending.items()}
            return Cut(epoch, {p: after[p] for p in pending}, upto)
    return None


def advanced(gold: GoldFence, cut: Cut) -> GoldFence:
    """The fence once `cut` is absorbed, dead letters included."""
    absorbed = gold.absorbed if cut.epoch == gold.epoch else {}
    return GoldFence(cut.epoch, {**absorbed, **cut.upto})


def at_snapshot(spark: SparkSession, identifier: str, snapshot_id: int) -> DataFrame:
    """The rows of `<namespace>.<table>` as of one snapshot."""
    return spark.read.option("versionAsOf", snapshot_id).table(f"{CATALOG}.{identifier}")


def read_bronze_fence(
    spark: SparkSession, identifier: str, snapshot_id: int, properties: dict[str, str]
) -> BronzeFence:
    """Bronze's fence at a snapshot, by its rows and, where a retention removed rows, by the property kept before it."""
    rows = (
        at_snapshot(spark, identifier, snapshot_id)
        .groupBy("topic_epoch", "kafka_partition")
        .agg(F.min("kafka_offset"), F.max("kafka_offset"))
        .collect()
    )
    lowest: dict[int, Offsets] = {}
    highest: dict[int, Offsets] = {}
    for epoch, partition, low, high in rows:
        lowest.setdefault(epoch, {})[partition] = low
        highest.setdefault(epoch, {})[partition] = high
    for epoch, offsets in json.loads(properties.get(FENCE_PROPERTY, "{}")).items():
        for partition, high in offsets.items():
            of_epoch = highest.setdefault(int(epoch), {})
            of_epoch[int(partition)] = max(high, of_epoch.get(int(partition), -1))
            lowest.setdefault(int(epoch), {}).setdefault(int(partition), high + 1)
    return BronzeFence(lowest, highest)


def read_gold_fence(spark: SparkSession, identifier: str, snapshot_id: int) -> GoldFence:
    """A gold's fence at a snapshot: per partition, the maximum over its rows of the newest epoch."""
    rows = (
        at_snapshot(spark, identifier, snapshot_id)
        .select("topic_epoch", F.explode("absorbed"))
        .groupBy("topic_epoch", "key")
        .agg(F.max("value"))
        .collect()
    )
    epoch = max((row[0] for row in rows), default=0)
    return GoldFence(epoch, {partition: high for of, partition, high in rows if of == epoch})


def up_to(rows: DataFrame, cut: Cut) -> DataFrame:
    """All of bronze up to the end of `cut`: earlier epochs whole, of its epoch what is absorbed after it."""
    high = " or ".join(f"(kafka_partition = {p} and kafka_offset <= {offset})" for p, offset in cut.upto.items())
    others = ", ".join(str(p) for p in cut.upto)
    return rows.where(
        f"topic_epoch < {cut.epoch} or (topic_epoch = {cut.epoch} and ({high} or kafka_partition not in ({others})))"
    )


def check_absorbed(spark: SparkSession, bronze: str, snapshot: int, gold: str, gold_snapshot: int) -> None:
    """Raise BronzeRewritten unless `bronze` still holds the last row of each partition that `gold` has absorbed.

    A rollback takes rows from the end, and a row that is read again arrives later: its `ingested_at` tells. A gold row
    carries the greatest one absorbed, which is the last event's as long as the key is in one partition.
    """
    last = F.max(F.struct("offset", (F.size("absorbed") == 1).alias("is_alone"), "updated_at")).alias("last")
    rows = at_snapshot(spark, gold, gold_snapshot)
    seen = (
        rows.where(F.col("topic_epoch") == rows.agg(F.max("topic_epoch")).first()[0])
        .select("topic_epoch", "updated_at", "absorbed", F.explode("absorbed").alias("partition", "offset"))
        .groupBy("topic_epoch", "partition")
        .agg(last)
        .select("topic_epoch", "partition", "last.*")
        .collect()
    )
    places = [f"(kafka_partition = {row.partition} and kafka_offset = {row.offset})" for row in seen]
    if not places:
        return
    held = {
        row.kafka_partition: row.ingested_at
        for row in at_snapshot(spark, bronze, snapshot)
        .where(f"topic_epoch = {seen[0].topic_epoch} and ({' or '.join(places)})")
        .select("kafka_partition", "ingested_at")
        .collect()
    }
    for row in seen:
        at = held.get(row.partition)
        if at is None or at > row.updated_at or (row.is_alone and at != row.updated_at):
            raise BronzeRewritten(
                f"{bronze} was rolled back or restored: it holds offset {row.offset} of partition {row.partition} as "
                f"read at {at}, {gold} has absorbed it as read at {row.updated_at}"
            )
