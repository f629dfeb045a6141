"""What a soak came to, and what of it is a failure."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stack.faults import DIFFERENT

if TYPE_CHECKING:
    from ingest.lag_cli import Lag
    from prove.soak_readers import Reader

MOST_FILES = 128  # of a live gold right after its writer packed it, those of the merges since included
MOST_GROWTH = 1.25  # of resident memory from the second third to the last
JUDGED_AFTER = 5.0  # minutes: before, a JVM's memory is still growing into its heap


@dataclass(frozen=True)
class Run:
    """A command: exit code, seconds, all of its standard output, the last it said."""

    command: str
    code: int
    seconds: float
    stdout: str
    said: str


@dataclass(frozen=True)
class Sample:
    """At so many seconds: lag by dataset, resident megabytes by process."""

    at: int
    lags: dict[str, Lag]
    memory: dict[str, int]


@dataclass(frozen=True)
class Batches:
    """The ingester's log: seconds of bronze batches, those beside the packing of a live gold apart; of gold's merges.

    `troubles` are what stopped a dataset, `retried` is what went on by itself.
    """

    alone: list[float]
    beside_packing: list[float]
    merges: list[float]
    troubles: list[str]
    retried: list[str]

    @classmethod
    def of(cls, log: Path) -> Batches:
        said = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
        spans = {kind: [span(one) for one in said if one["event"] == kind] for kind in ("bronze", "gold compacted")}
        met = [any(a < d and c < b for c, d in spans["gold compacted"]) for a, b in spans["bronze"]]
        seconds = [one["seconds"] for one in said if one["event"] == "bronze"]
        return cls(
            [s for s, beside in zip(seconds, met, strict=True) if not beside],
            [s for s, beside in zip(seconds, met, strict=True) if beside],
            [one["seconds"] for one in said if one["event"] == "gold"],
            *([trouble(one) for one in said if one["level"] == level] for level in ("error", "warning")),
        )


def trouble(line: dict[str, Any]) -> str:
    return f"{line['event']}: {line.get('cause') or line.get('reason')}"


def span(line: dict[str, Any]) -> tuple[datetime, datetime]:
    """When the work that a log line tells of began and ended."""
    end = datetime.fromisoformat(line["timestamp"])
    return end - timedelta(seconds=line["seconds"]), end


@dataclass(frozen=True)
class Soaked:
    """A soak that is over. `ingester` is its exit code, `drained` whether bronze got all that was sent."""

    minutes: float
    rate: float
    samples: Sequence[Sample]
    ingester: int
    drained: bool
    batches: Batches
    builds: Sequence[Run]
    upkeep: Sequence[Run]
    readers: Sequence[Reader]
    verified: Run

    def failures(self) -> Iterator[str]:
        """A sentence for everything that a lakehouse must not do."""
        if self.ingester:
            yield f"the ingester ended with {self.ingester}"
        yield from (f"the ingester: {trouble}" for trouble in self.batches.troubles)
        if not self.drained:
            yield "bronze does not have every record that was sent"
        if code := self.verified.code:
            different = "a record was lost or doubled, or live gold is wrong"
            yield f"lake verify exited {code}: {different if code == DIFFERENT else self.verified.said}"
        for run in (*self.builds, *self.upkeep):
            if run.code:
                yield f"{run.command} exited {run.code}: {run.said}"
        for reader in self.readers:
            yield from (f"a reader of {reader.name} saw {what}" for what in reader.wrong)
        for name, lag in ((name, lag) for one in self.samples for name, lag in one.lags.items()):
            if lag.is_too_far_behind:
                yield f"{name}: {lag.records:,} records waited, at most {lag.most:,} may"
        for what, done in (("dbt built nothing", self.builds), ("nothing was kept up", self.upkeep)):
            if not done:
                yield what
        for table, most in self.most_files().items():
            if table.startswith("gold.") and most > MOST_FILES:
                yield f"{table} was left with {most} files after it was packed, at most {MOST_FILES} are expected"
        for name, grown in self.growth().items():
            if self.minutes >= JUDGED_AFTER and grown > MOST_GROWTH:
                yield f"the memory of {name} grew to {grown:.2f} times itself from the second third to the last"

    def kept_up(self) -> list[dict[str, Any]]:
        """Every table's upkeep, each time: files, delete files and snapshots before and after."""
        return [table for run in self.upkeep if not run.code for table in json.loads(run.stdout)]

    def most_files(self) -> dict[str, int]:
        """By table, the most data and delete files that an upkeep has left."""
        most: dict[str, int] = {}
        for one in self.kept_up():
            left = one["after"]["data_files"] + one["after"]["delete_files"]
            most[one["table"]] = max(most.get(one["table"], 0), left)
        return most

    def memory(self) -> dict[str, list[int]]:
        """Resident megabytes of each process, sample by sample."""
        names = sorted({name for one in self.samples for name in one.memory})
        return {name: [one.memory.get(name, 0) for one in self.samples] for name in names}

    def growth(self) -> dict[str, float]:
        """Median memory of the last third by that of the second."""
        third = len(self.samples) // 3
        if not third:
            return {}
        thirds = {name: (of[third : 2 * third], of[2 * third :]) for name, of in self.memory().items()}
        return {name: statistics.median(last) / max(1, statistics.median(mid)) for name, (mid, last) in thirds.items()}

    def as_json(self) -> dict[str, Any]:
        """Every figure, and `ok`."""
        failures = list(self.failures())
        return {
            "ok": not failures,
            "failures": failures,
            "minutes": self.minutes,
            "rate": self.rate,
            "most_waiting": {
                name: max(one.lags[name].records for one in self.samples) for name in self.samples[0].lags
            },
            "bronze_batch": said(self.batches.alone),
            "bronze_batch_beside_packing": said(self.batches.beside_packing),
            "gold_merge": said(self.batches.merges),
            "retried": self.batches.retried,
            "dbt_builds": [run.seconds for run in self.builds],
            "upkeep": self.kept_up(),
            "most_memory_mb": {name: max(of) for name, of in self.memory().items()},
            "memory_growth": {name: round(grown, 2) for name, grown in self.growth().items()},
            "readers": {one.name: said(one.seconds) | {"wrong": len(one.wrong)} for one in self.readers},
        }


def said(seconds: Sequence[float]) -> dict[str, float]:
    """How many, and their p50 and p99 in seconds."""
    if len(seconds) < 2:
        return {"count": len(seconds)} | ({"p50": seconds[0]} if seconds else {})
    found = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"count": len(seconds), "p50": round(found[49], 2), "p99": round(found[98], 2)}
