"""The check of a merge: a sample of the range beside the version that holds. One object a dataset, for its golds.

A breaking change is recorded once and then asked of the store on every try, until a person has decided.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NoReturn

import structlog

from ingest.datasets import Dataset
from ingest.metrics.meters import BREAKING_SCHEMA_CHANGE, DEAD_LETTER_RATIO
from ingest.schema import store
from ingest.schema.compare import Change, changes
from ingest.schema.evolve import evolved
from ingest.schema.infer import infer
from ingest.schema.model import ENOUGH, FEW, Schema
from ingest.schema.sample import Sampled, since
from ingest.schema.version import Version, has_accepted, holding, refused, waiting
from ingest.topics import DecisionNeeded

log = structlog.get_logger()
RANGES = 16
"""Remembered, so that the golds of a dataset look at a range once."""


class SchemaBlocked(DecisionNeeded):
    """A breaking change of a dataset's bodies waits for a person; bronze and the other datasets go on."""


class SchemaCheck:
    """What a dataset's golds ask before they publish a merge. Thread-safe; what passed for one has for the others."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.table = dataset, dataset.bronze.table
        self._lock = threading.Lock()
        self._passed: deque[Hashable] = deque(maxlen=RANGES)
        self._newest: deque[str] = deque(maxlen=ENOUGH)  # bodies of the ranges before, for small ones
        self._errors: deque[str] = deque(maxlen=ENOUGH)  # of their rows, too; empty for a readable one
        self._blocked: int | None = None
        self._told: set[tuple[str, str]] = set()

    @property
    def is_waiting(self) -> bool:
        """Whether a person is waited for, as far as this process knows: nothing is to be merged in vain."""
        return self._blocked is not None

    def has_passed(self, range_: Hashable) -> bool:
        """Whether another gold's merge of the range was looked at, so that this one's needs no look."""
        return range_ in self._passed

    def pass_(self, range_: Hashable, sampled: Callable[[], list[Sampled]]) -> int:
        """The number of the version by which the range may be merged; 0 where there is none yet. `sampled` gives some
        of its bodies, where they are needed.

        Raises SchemaBlocked where a person must decide.
        """
        with self._lock:
            known = store.versions(self.table)
            held = holding(known)
            if range_ in self._passed:
                return held.number if held else 0
            blocked = waiting(known)
            if blocked is not None and blocked.number == self._blocked:
                self._stop(blocked, self._asked(blocked))
            newest = sampled()
            bodies, errors = [row.body for row in newest if not row.error], [row.error for row in newest]
            recent = [*self._errors, *errors][-max(ENOUGH, len(errors)) :]
            if recent:
                DEAD_LETTER_RATIO.labels(self.dataset.name).set(sum(map(bool, recent)) / len(recent))
            if bodies or (held and newest):
                before = self._newest if len(bodies) < ENOUGH else ()
                lost = unread(self.dataset, recent)
                held = self._compare(known, infer([*before, *bodies]), lost, since(newest))
            BREAKING_SCHEMA_CHANGE.labels(self.dataset.name).set(0)
            self._blocked = None
            self._newest.extend(bodies[-ENOUGH:])
            self._errors.extend(errors[-ENOUGH:])
            self._passed.append(range_)
            return held.number if held else 0

    def pass_key(self, was: str, now: str) -> None:
        """Raise SchemaBlocked until a person has accepted that golds have a row for each `now`, no more each `was`."""
        with self._lock:
            known = store.versions(self.table)
            held, blocked = holding(known), waiting(known)
            changed = Change(kind="key", path=was, now=now)
            if held is None or has_accepted(known, changed):
                return
            if blocked is None or changed not in blocked.changes:
                blocked = self._record(held, held.body, "BLOCKED", [changed], {})
            name = self.dataset.name
            asked = (
                f"the key of {name} has changed: {changed}. Its gold stays at its fence, bronze goes on. If it is "
                f"right: lake schema accept {name}; else put the key back, and lake schema rollback {name}"
            )
            self._stop(blocked, asked)

    def _stop(self, blocked: Version, asked: str) -> NoReturn:
        """Raise, and tell of a version once."""
        if blocked.number != self._blocked:
            self._blocked = blocked.number
            BREAKING_SCHEMA_CHANGE.labels(self.dataset.name).set(1)
            log.error("schema blocked", dataset=self.dataset.name, reason=asked)
        raise SchemaBlocked(asked)

    def _compare(self, known: list[Version], seen: Schema, lost: list[Change], first: dict[str, Any]) -> Version:
        """Record what the sample shows beyond the version that holds, and stop where that is not for us to decide."""
        held = holding(known)
        if held is None:
            held = store.record(self.table, seen, "INITIAL", since=first, who=store.INGESTER)
        no_more, lost = refused(known), [change for change in lost if not has_accepted(known, change)]
        found = [change for change in (*changes(held.body, seen), *lost) if (change.kind, change.path) not in no_more]
        judged = {change: self.dataset.policy.of(change) for change in found}
        taken = [change for change, verdict in judged.items() if verdict == "evolve" and change not in lost]
        stopping = [change for change, verdict in judged.items() if verdict == "block"]
        self._tell([change for change in found if change not in taken and change not in stopping])
        if stopping:
            blocked = waiting(known)
            if blocked is None or blocked.changes != taken + stopping:
                body = evolved(held.body, seen, taken + stopping)
                blocked = self._record(held, body, "BLOCKED", taken + stopping, first)
            self._stop(blocked, self._asked(blocked))
        if held.status == "INITIAL":
            held = store.activate(self.table, held.number)
        if taken:
            held = self._record(held, evolved(held.body, seen, taken), "ACTIVE", taken, first)
            log.info("schema evolved", dataset=self.dataset.name, version=held.number, changes=[str(c) for c in taken])
        return held

    def _record(self, held: Version, body: Schema, status: Any, found: list[Change], first: dict[str, Any]) -> Version:
        return store.record(self.table, body, status, found, first, held.number, store.INGESTER)

    def _tell(self, left: list[Change]) -> None:
        """Say once which changes the policy leaves out."""
        new = [change for change in left if (change.kind, change.path) not in self._told]
        self._told.update((change.kind, change.path) for change in new)
        if new:
            log.warning("schema change left out", dataset=self.dataset.name, changes=[str(change) for change in new])

    def _asked(self, blocked: Version) -> str:
        listed = "; ".join(str(change) for change in blocked.changes if self.dataset.policy.of(change) == "block")
        name = self.dataset.name
        return (
            f"the schema of {name} has changed: {listed}. Its gold stays at its fence, bronze goes on. If it is right: "
            f"lake schema accept {name}; to go on without it: lake schema rollback {name}"
        )


def unread(dataset: Dataset, errors: Sequence[str]) -> list[Change]:
    """The header's field by which most of the newest rows can't be read: an error of each is given, or nothing.

    They are dead letters, and a gold of what is left would look as if it were whole.
    """
    fields = {
        "key_mismatch": dataset.key.field,
        "event_id_missing": dataset.event_id,
        "event_type_missing": dataset.event_type,
        "event_time_missing": dataset.event_time and dataset.event_time.field,
        "event_time_range": dataset.event_time and dataset.event_time.field,
    }
    [(error, rows)] = Counter(errors).most_common(1) or [("", 0)]
    field = fields.get(error)
    if not field or rows < FEW or 2 * rows <= len(errors):
        return []
    return [Change(kind="header", path=field, now=error, place=(field,))]
