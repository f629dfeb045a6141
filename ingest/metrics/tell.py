"""What the ingester's work tells its meters: one call where something happens, never an error, next to no time.

By the table's name, so that the same code run outside an ingester (a replay, a test) tells nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ingest.fence import GoldFence, Offsets
from ingest.metrics import meters
from ingest.metrics.board import BOARD
from ingest.metrics.meter import Meter
from ingest.reason import reason

if TYPE_CHECKING:
    from ingest.run import DatasetRun

T = TypeVar("T")


def begins(run: DatasetRun) -> None:
    """A dataset is run by this process."""
    meter = BOARD.add(run)
    meters.RECORDS_INGESTED.labels(meter.name)
    for table in meter.tables:
        meters.COMMITS.labels(meter.name, table)
        meters.ROWS_COMMITTED.labels(meter.name, table)


def stands_by(table: str, holder: str) -> None:
    """Another ingester writes this dataset, and this one waits."""
    if meter := BOARD.of(table):
        meter.standing_by = holder


def bronze_starts(table: str, epoch: int, start: Offsets, snapshot: int) -> None:
    """Bronze is read on from `start`, per partition the next offset, its main being `snapshot`."""
    if meter := BOARD.of(table):
        if meter.epoch != epoch:
            meter.epoch, meter.next_offsets = epoch, {}
        meter.troubles.pop("lease", None)
        meter.bronze_is_at(start, snapshot)


def bronze_is_at(table: str, reached: Offsets, snapshot: int) -> None:
    """Bronze has every record before `reached` as of `snapshot`."""
    if meter := BOARD.of(table):
        meter.bronze_is_at(reached, snapshot)


def gold_is_at(table: str, fence: GoldFence) -> None:
    """A gold has absorbed what `fence` says; of an earlier epoch than bronze's, that is nothing of today's topic."""
    if meter := BOARD.of(table):
        absorbed = fence.absorbed if fence.epoch == meter.epoch or not meter.epoch else {}
        meter.next_offsets[table] = {partition: offset + 1 for partition, offset in absorbed.items()}


def gold_has_folded(table: str, snapshot: int, bronze: Callable[[], Any]) -> None:
    """A gold has absorbed bronze's `snapshot` whole. One that only rewrote files is where its parent is."""
    meter = BOARD.of(table)
    if meter is None:
        return
    reached = meter.at_snapshot.get(snapshot)
    if reached is None:
        found = bronze()
        line = found.snapshot(snapshot)
        while line is not None and reached is None and line.parentId() is not None:
            line, reached = found.snapshot(line.parentId()), meter.at_snapshot.get(line.parentId())
    if reached is not None:
        meter.next_offsets[table] = reached
    else:
        meter.waiting[table] = snapshot


def position(table: str) -> Offsets | None:
    """Per partition the next offset that a table lacks, for a log line."""
    meter = BOARD.of(table)
    return meter.next_offsets.get(table) if meter else None


@contextmanager
def phase(table: str, name: str) -> Iterator[None]:
    """The block is a phase of a batch."""
    began = time.monotonic()
    yield
    took(table, name, time.monotonic() - began)


def took(table: str, name: str, seconds: float) -> None:
    """A phase of a batch took so long."""
    if meter := BOARD.of(table):
        meters.PHASE_SECONDS.labels(meter.name, table, name).observe(seconds)
        if name == "publish":
            meter.publish_seconds[table] = seconds


def committed(table: str, snapshot: Any) -> None:
    """An Iceberg snapshot of ours is main's."""
    if meter := BOARD.of(table):
        rows = int(snapshot.summary().get("added-records") or 0)
        meter.commits(table, rows)
        meters.COMMITS.labels(meter.name, table).inc()
        meters.ROWS_COMMITTED.labels(meter.name, table).inc(rows)
        if table == meter.bronze:
            meters.RECORDS_INGESTED.labels(meter.name).inc(rows)


def failed(table: str, part: str, error: BaseException) -> None:
    """Something failed and is tried again, or not."""
    if meter := BOARD.of(table):
        _fails(meter, part, error)


def stopped(table: str, part: str, why: str) -> None:
    """A part of the dataset has ended for good."""
    if meter := BOARD.of(table):
        meter.stopped.setdefault(part, why)


def counting(table: str, part: str, act: Callable[[], T]) -> Callable[[], T]:
    """`act`, whose failures are counted as the part's."""

    def counted() -> T:
        try:
            return act()
        except Exception as error:
            meter = BOARD.of(table)
            if meter and not meter.run.stop.is_set():
                _fails(meter, part, error)
            raise

    return counted


def _fails(meter: Meter, part: str, error: BaseException) -> None:
    kind, why = kind_of(error), type(error).__name__
    with suppress(Exception):
        why = reason(error)
    meter.fails(part, kind, why)
    meters.ERRORS.labels(meter.name, part, kind).inc()


def kind_of(error: BaseException) -> str:
    """The error's class; of a Java exception its innermost cause's."""
    with suppress(Exception):  # the JVM may be gone, and the answer with it
        java = getattr(error, "java_exception", None)
        while java is not None and java.getCause() is not None:
            java = java.getCause()
        if java is not None:
            return str(java.getClass().getSimpleName())
    return type(error).__name__
