"""A live gold: kept current from bronze by one writer, range after range, from the fence its own rows carry.

In the steady state the range is what was appended between two bronze snapshots; when such a snapshot is gone (expired,
rolled back), or at a start, it is found by content. Both give the same rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from ingest.datasets import Dataset, Gold
from ingest.fence import (
    FENCE_PROPERTY,
    BronzeFence,
    GoldFence,
    advanced,
    at_snapshot,
    check_absorbed,
    next_cut,
    read_bronze_fence,
    read_gold_fence,
    up_to,
)
from ingest.fold import Fold, definition
from ingest.metrics import tell
from ingest.publish import MainMoved, Publisher, current_snapshot, load
from ingest.schema.check import SchemaCheck
from ingest.schema.sample import Riding, Sampled, sample
from ingest.tables import FOLD, create_gold
from stack.settings import CATALOG

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

log = structlog.get_logger()
SMALL_FILE, LARGE_FILE = 8 << 20, 128 << 20  # bytes; a file between them is left alone
PACKED_AT_ONCE = 12 << 20  # bytes, by one core


class SchemaEvolved(RuntimeError):
    """A typed gold was made by another version of the schema than the one that holds."""


@dataclass
class Progress:
    """What this process has done to one gold."""

    merges: int = 0
    since_compacted: int = 0
    """Merges."""
    seconds: list[float] = field(default_factory=list)


class LiveGold:
    """Brings one gold table forward. Not thread-safe: one thread a gold, with a Spark session of its own."""

    def __init__(
        self,
        spark: SparkSession,
        dataset: Dataset,
        gold: Gold,
        writer: str,
        max_rows: int,
        check: SchemaCheck | None = None,
    ) -> None:
        self.spark = spark.newSession()
        # A small merge would spend more on planning each stage anew than it gains; nothing here is unknown beforehand.
        self.spark.conf.set("spark.sql.adaptive.enabled", "false")
        self.dataset, self.gold, self.max_rows, self.check = dataset, gold, max_rows, check
        self.definition = definition(gold, dataset.transforms)
        create_gold(self.spark, gold, gold.identifier, self.definition)
        self.fold = Fold(self.spark, dataset, gold)
        self.publisher = Publisher(self.spark, gold.identifier, writer)
        self.progress = Progress()
        self.folded: int | None = None  # the bronze snapshot that is absorbed whole
        self._catching_up: tuple[int, BronzeFence, GoldFence] | None = None

    @property
    def is_of_another_fold(self) -> bool:
        """Whether the table was made by another SQL, key or columns than today's."""
        return load(self.spark, self.gold.identifier).properties().get(FOLD) != self.definition

    def is_behind(self) -> bool:
        """Whether bronze has a snapshot that is not absorbed yet."""
        return self.folded != current_snapshot(self.spark, self.dataset.bronze.identifier)

    def step(self) -> bool:
        """Absorb the next range, at most about `max_rows` rows; False when there was nothing to do."""
        began = time.monotonic()
        bronze = load(self.spark, self.dataset.bronze.identifier)
        if self.folded == bronze.currentSnapshot().snapshotId():
            return False
        try:
            appended = None if self.folded is None else appended_until(bronze, self.folded, self.max_rows)
            by = self._by_snapshots(*appended) if appended is not None else self._by_content()
        except MainMoved:
            self.forget()
            return True
        if by is None:
            return False
        seconds = time.monotonic() - began
        self.progress.merges += 1
        self.progress.seconds.append(seconds)
        log.info(
            "gold",
            table=self.gold.table,
            batch=self.progress.merges,
            offsets=tell.position(self.gold.identifier),
            seconds=round(seconds, 2),
            snapshot=self.publisher.base,
            by=by,
        )
        self.progress.since_compacted += 1
        if self.is_to_compact(at_rest=False):
            self.compact()
        return True

    def is_to_compact(self, at_rest: bool) -> bool:
        """Whether enough was merged since the last time: twice as much while there is more to merge."""
        return self.progress.since_compacted >= self.gold.compact_every * (1 if at_rest else 2)

    def _by_snapshots(self, until: int, size: int) -> str:
        """Absorb the `size` rows that were appended after `self.folded` up to the snapshot `until`."""
        rows = (
            self.spark.read.format("iceberg")
            .option("start-snapshot-id", self.folded)
            .option("end-snapshot-id", until)
            .load(f"{CATALOG}.{self.dataset.bronze.identifier}")
        )
        self._merge(
            ("snapshots", self.folded, until),
            rows,
            size,
            lambda: at_snapshot(self.spark, self.dataset.bronze.identifier, until),
        )
        self.folded = until
        tell.gold_has_folded(self.gold.identifier, until, lambda: load(self.spark, self.dataset.bronze.identifier))
        return "snapshots"

    def _by_content(self) -> str | None:
        """Absorb the next cut above the fence, read from the rows of one bronze snapshot, until that is absorbed."""
        identifier = self.dataset.bronze.identifier
        if self._catching_up is None:
            bronze = load(self.spark, identifier)
            newest = bronze.currentSnapshot().snapshotId()
            properties = dict(bronze.properties())
            held = read_bronze_fence(self.spark, identifier, newest, properties)
            if FENCE_PROPERTY not in properties:  # else a retention may have removed the rows that would tell
                check_absorbed(self.spark, identifier, newest, self.gold.identifier, self.publisher.base)
            self._catching_up = newest, held, read_gold_fence(self.spark, self.gold.identifier, self.publisher.base)
        newest, held, fence = self._catching_up
        tell.gold_is_at(self.gold.identifier, fence)
        cut = next_cut(held, fence, self.max_rows)
        if cut is None:
            self.folded, self._catching_up = newest, None
            return None
        rows = at_snapshot(self.spark, identifier, newest).where(cut.predicate())
        size = sum(high - cut.after[partition] for partition, high in cut.upto.items())
        self._merge(
            ("content", newest, cut.predicate()),
            rows,
            size,
            lambda: up_to(at_snapshot(self.spark, identifier, newest), cut),
        )
        self._catching_up = newest, held, advanced(fence, cut)
        tell.gold_is_at(self.gold.identifier, advanced(fence, cut))
        return "content"

    def _merge(self, range_: tuple, rows: DataFrame, size: int, history: Callable[[], DataFrame]) -> None:
        """Fold the range's `rows`, about `size`, into the table, and look at the schema of the bodies that it reads.

        Nothing is published of a range whose bodies have changed in a way that a person must decide on (SchemaBlocked),
        nor where a typed gold has to have other columns first (SchemaEvolved).
        """
        if self.check is not None and self.check.is_waiting:
            self._look(range_, rows, size)  # a merge would be in vain, most likely

        def write(branch: str) -> None:
            if self.check is None:
                self.fold.merge(rows, branch, history)
                return
            riding = None if self.check.has_passed(range_) else Riding(size, self.dataset)
            try:
                self.fold.merge(rows, branch, history, riding)
            except Exception:
                self._look(range_, rows, size)  # a changed schema is why, perhaps
                raise
            self._look(range_, rows, size, riding)

        self.publisher.publish(write, "gold")

    def _look(self, range_: tuple, rows: DataFrame, size: int, riding: Riding | None = None) -> None:
        """At what rode in a merge; where that tells nothing, at a sample of the range's rows."""

        def sampled() -> list[Sampled]:
            taken = riding.taken() if riding is not None else None
            return sample(rows, size, self.dataset) if taken is None else taken

        self.assure_version(self.check.pass_(range_, sampled))

    def assure_version(self, version: int) -> None:
        """Raise SchemaEvolved where a typed gold was made by another than this version, which holds."""
        if self.gold.typed and version != self.gold.version:
            raise SchemaEvolved(f"version {version} of its schema holds, it was made by {self.gold.version}")

    def forget(self) -> None:
        """Read everything anew: someone else committed, or a step failed half way."""
        self.folded = self._catching_up = None
        self.publisher.base = current_snapshot(self.spark, self.gold.identifier)

    def compact(self) -> None:
        """Rewrite small data files, and large ones of which a third is deleted, between two merges, by the table's only
        writer. What it costs depends on what was merged, not on the table's size.
        """
        began = time.monotonic()
        self.spark.sql(
            f"call {CATALOG}.system.rewrite_data_files(table => '{self.gold.identifier}', options => map("
            f"'target-file-size-bytes', '{LARGE_FILE}', 'min-file-size-bytes', '{SMALL_FILE}', 'min-input-files', '2', "
            "'delete-ratio-threshold', '0.33', 'remove-dangling-deletes', 'true', "
            f"'max-file-group-size-bytes', '{PACKED_AT_ONCE}', 'max-concurrent-file-group-rewrites', '2'))"
        )
        self.publisher.base = current_snapshot(self.spark, self.gold.identifier)
        self.progress.since_compacted = 0
        tell.took(self.gold.identifier, "compact", time.monotonic() - began)
        log.info("gold compacted", table=self.gold.table, seconds=round(time.monotonic() - began, 2))


def appended_until(bronze: Any, since: int, max_rows: int) -> tuple[int, int] | None:
    """The newest snapshot of main whose appends after `since` hold at most `max_rows` rows (one append at least), and
    how many they hold.

    None where `since` is no ancestor of main, or where anything but appends and rewrites lies between.
    """
    line = []
    snapshot = bronze.currentSnapshot()
    while snapshot is not None and snapshot.snapshotId() != since:
        if snapshot.operation() not in ("append", "replace"):
            return None
        line.append(snapshot)
        parent = snapshot.parentId()
        snapshot = bronze.snapshot(parent) if parent is not None else None
    if snapshot is None:
        return None
    rows, until = 0, None
    for snapshot in reversed(line):
        added = int(snapshot.summary().get("added-records") or 0) if snapshot.operation() == "append" else 0
        if until is not None and rows + added > max_rows:
            break
        rows, until = rows + added, snapshot.snapshotId()
    return until, rows
