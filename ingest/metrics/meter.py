"""One dataset as this process runs it: how far its tables are, how far the log is, what failed and when.

Written by the threads of its run and by the look at the broker, read by whoever asks over HTTP: so a table's offsets
are replaced, never changed in place. They are those of the next record: a table that has everything is where the log
ends.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest.fence import Offsets
from ingest.metrics.lateness import Looks

if TYPE_CHECKING:
    from ingest.run import DatasetRun

RATE_SECONDS = 60.0
PATIENCE_SECONDS = 60.0  # how long a part may fail, or the broker be silent, until a dataset is not healthy
SNAPSHOTS = 5_000


@dataclass(frozen=True)
class Trouble:
    """A part that fails: since when, when last (monotonic), and why."""

    since: float
    last: float
    why: str


@dataclass
class Meter:
    """Numbers of one dataset. `next_offsets` has them by table, in the topic's epoch `epoch`."""

    run: DatasetRun
    epoch: int = 0
    begin: Offsets = field(default_factory=dict)
    end: Offsets = field(default_factory=dict)
    next_offsets: dict[str, Offsets] = field(default_factory=dict)
    at_snapshot: OrderedDict[int, Offsets] = field(default_factory=OrderedDict)
    waiting: dict[str, int] = field(default_factory=dict)  # golds at a snapshot that bronze's run has not come to yet
    last_commit: dict[str, float] = field(default_factory=dict)
    publish_seconds: dict[str, float] = field(default_factory=dict)
    records: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    standing_by: str = ""
    looks: Looks = field(default_factory=Looks)
    _recent: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=1_000))

    @property
    def name(self) -> str:
        return self.run.dataset.name

    @property
    def bronze(self) -> str:
        return self.run.dataset.bronze.identifier

    @property
    def tables(self) -> list[str]:
        return [self.bronze, *(gold.identifier for gold in self.run.dataset.golds)]

    def bronze_is_at(self, reached: Offsets, snapshot: int) -> None:
        """Bronze's snapshot `snapshot` has every record before `reached`."""
        self.at_snapshot[snapshot] = dict(reached)
        while len(self.at_snapshot) > SNAPSHOTS:
            self.at_snapshot.popitem(last=False)
        self.next_offsets[self.bronze] = dict(reached)
        for table, at in list(self.waiting.items()):
            if at == snapshot:
                self.next_offsets[table] = dict(reached)
                self.waiting.pop(table, None)

    def looked(self, begin: Offsets, end: Offsets) -> None:
        """The log holds records from `begin` to before `end`."""
        self.begin, self.end = begin, end
        self.looks.add(time.monotonic(), end)
        if reached := [self.reached(table) for table in self.tables if table in self.next_offsets]:
            self.looks.forget({p: min(one.get(p, 0) for one in reached) for p in end})

    def reached(self, table: str) -> Offsets:
        """Where a table is, records that expired unread counted as passed."""
        at = self.next_offsets.get(table, {})
        return {p: max(at.get(p, 0), self.begin.get(p, 0)) for p in self.end.keys() | at.keys()}

    def lag_records(self, table: str) -> Offsets | None:
        """Records that a table lacks, by partition; None while it isn't known."""
        if table not in self.next_offsets or not self.end:
            return None
        reached = self.reached(table)
        return {p: max(0, end - reached[p]) for p, end in self.end.items()}

    def lag_seconds(self, table: str) -> float | None:
        if table not in self.next_offsets or not self.end:
            return None
        return self.looks.seconds_behind(self.reached(table), time.monotonic())

    def commits(self, table: str, rows: int) -> None:
        """A commit of `rows` rows to a table has become main's."""
        self.last_commit[table] = time.time()
        self.troubles.pop(self.part_of(table), None)
        if table == self.bronze:
            self.records += rows
            self._recent.append((time.monotonic(), rows))

    def part_of(self, table: str) -> str:
        """What the run calls the part that writes a table."""
        return "bronze" if table == self.bronze else table.rpartition(".")[2]

    def fails(self, part: str, kind: str, why: str) -> None:
        now, before = time.monotonic(), self.troubles.get(part)
        still = before is not None and now - before.last < PATIENCE_SECONDS
        self.troubles[part] = Trouble(before.since if still else now, now, why)
        self.errors[kind] += 1

    def records_per_second(self) -> float:
        """Of the last minute."""
        now = time.monotonic()
        return sum(rows for at, rows in list(self._recent) if now - at <= RATE_SECONDS) / RATE_SECONDS

    def current_troubles(self) -> dict[str, Trouble]:
        """Parts whose last attempt failed, a moment ago."""
        now = time.monotonic()
        return {part: one for part, one in list(self.troubles.items()) if now - one.last < PATIENCE_SECONDS}
