"""What a replay would fold, before it does: of each Kafka partition the offsets and the rows of bronze."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from ingest.fence import GoldFence, at_snapshot
from ingest.publish import current_snapshot

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Part:
    """Rows of bronze of one (topic epoch, partition), from offset `first` to `last`."""

    epoch: int
    partition: int
    first: int
    last: int
    rows: int


@dataclass(frozen=True)
class Plan:
    """Parts of `bronze` at `snapshot` that are folded into the fresh table `shadow`."""

    bronze: str
    snapshot: int
    shadow: str
    parts: list[Part]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"rows": self.rows}

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"fold {self.rows:,} rows of {self.bronze} (snapshot {self.snapshot}) into {self.shadow}, made anew",
            *(
                f"  epoch {one.epoch}, partition {one.partition}: offsets {one.first} to {one.last}, {one.rows:,} rows"
                for one in self.parts
            ),
        ]


def plan(spark: SparkSession, bronze: str, shadow: str, start: GoldFence | None, end: GoldFence | None) -> Plan:
    """The parts above `start` and up to `end` of bronze as it is now."""
    snapshot = current_snapshot(spark, bronze)
    rows = at_snapshot(spark, bronze, snapshot)
    if start is not None:
        rows = rows.where(f"topic_epoch > {start.epoch} or (topic_epoch = {start.epoch} and not {_within(start)})")
    if end is not None:
        rows = rows.where(f"topic_epoch < {end.epoch} or (topic_epoch = {end.epoch} and {_within(end)})")
    parts = (
        rows.groupBy("topic_epoch", "kafka_partition")
        .agg(F.min("kafka_offset"), F.max("kafka_offset"), F.count(F.lit(1)))
        .orderBy("topic_epoch", "kafka_partition")
        .collect()
    )
    return Plan(bronze, snapshot, shadow, [Part(*part) for part in parts])


def outside(held: Sequence[Part], start: GoldFence | None, end: GoldFence | None) -> str:
    """Which bound does not lie in what bronze holds, `held`, as a sentence; empty where both do.

    What is folded lies above `start`, so that may be one less than the first offset.
    """
    for option, fence, before in (("--from", start, 1), ("--to", end, 0)):
        there = {part.partition: part for part in held if fence and part.epoch == fence.epoch}
        for partition, offset in (fence.absorbed if fence else {}).items():
            of = f"partition {partition} in epoch {fence.epoch}"
            if (part := there.get(partition)) is None:
                return f"{option} {partition}:{offset}: bronze holds no row of {of}"
            if not part.first - before <= offset <= part.last:
                return f"{option} {partition}:{offset}: bronze holds the offsets {part.first} to {part.last} of {of}"
    if start and end and start.epoch == end.epoch:
        for partition, offset in end.absorbed.items():
            if (above := start.absorbed.get(partition, -1)) >= offset:
                return f"--to {partition}:{offset} is not above --from {partition}:{above}"
    return ""


def _within(fence: GoldFence) -> str:
    """SQL for the offsets of the fence's epoch that it has absorbed."""
    of = [f"(kafka_partition = {p} and kafka_offset <= {offset})" for p, offset in fence.absorbed.items()]
    return f"({' or '.join(of) or 'false'})"
