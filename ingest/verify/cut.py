"""One cut through gold, bronze and the broker, that all later reads keep to while the stream runs on.

Gold's snapshots are taken before bronze's: gold is folded from bronze, so bronze then holds all that gold has absorbed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.datasets import Dataset
from ingest.verify.blocks import Range
from ingest.verify.warehouse import TableAbsent, Warehouse, pinned
from stack.settings import CATALOG

DECISIONS = "ops.stream_decisions"


@dataclass(frozen=True)
class Held:
    """What bronze holds of one (topic epoch, partition)."""

    lowest: int
    highest: int
    rows: int


@dataclass(frozen=True)
class Cut:
    """Snapshots, and bronze's fence in them. `golds` lacks the tables that don't exist yet."""

    bronze: str
    bronze_snapshot: int | None
    golds: dict[str, int | None]
    topic_id: str | None
    epoch: int
    held: dict[tuple[int, int], Held] = field(default_factory=dict)
    accepted: list[Range] = field(default_factory=list)

    @property
    def bronze_rows(self) -> str:
        """Bronze at the cut, as it is written after `from`."""
        return pinned(self.bronze, self.bronze_snapshot)

    @property
    def fence(self) -> dict[int, int]:
        """Per partition the highest offset that bronze holds in the current epoch."""
        return {partition: held.highest for (epoch, partition), held in self.held.items() if epoch == self.epoch}

    @property
    def earlier_rows(self) -> int:
        """Rows of epochs before the current one, whose topic the broker no longer has."""
        return sum(held.rows for (epoch, _), held in self.held.items() if epoch < self.epoch)


def take(warehouse: Warehouse, dataset: Dataset) -> Cut:
    """The cut now; TableAbsent when there is no bronze."""
    golds: dict[str, int | None] = {}
    for gold in dataset.golds:
        try:
            golds[gold.identifier] = warehouse.snapshot(gold.identifier)
        except TableAbsent:
            continue
    bronze = dataset.bronze.identifier
    snapshot = warehouse.snapshot(bronze)
    # After the snapshot: an epoch is declared before its first row is written.
    properties = warehouse.properties(bronze)
    epoch = int(properties.get("lake.topic-epoch", 1))
    held = warehouse.rows(
        "select topic_epoch, kafka_partition, min(kafka_offset), max(kafka_offset), count(*)"
        f" from {pinned(bronze, snapshot)} group by 1, 2 order by 1, 2"
    )
    return Cut(
        bronze=bronze,
        bronze_snapshot=snapshot,
        golds=golds,
        topic_id=properties.get("lake.topic-id"),
        epoch=epoch,
        held={(row[0], row[1]): Held(*row[2:]) for row in held},
        accepted=_accepted(warehouse, dataset.name, epoch),
    )


def _accepted(warehouse: Warehouse, dataset: str, epoch: int) -> list[Range]:
    """The gaps of an epoch that a person accepted."""
    try:
        rows = warehouse.rows(
            f"select kafka_partition, from_offset, to_offset + 1 from {CATALOG}.{DECISIONS}"
            f" where kind = 'accept_gap' and topic_epoch = {epoch} and dataset = '{dataset}' order by 1, 2"
        )
    except TableAbsent:
        return []
    return [Range(*row) for row in rows]
