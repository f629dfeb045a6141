"""What the feeds of a dimension have in common: a first full load, then the changes of each day, as feeds really come.

A feed holds some changes twice, some days late, and not in the order in which they were made. What is true is said by
the changes themselves: of each member, ordered by `changed_at`, then `change_id`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Generic, Literal, Protocol, TypeVar

Operation = Literal["insert", "update", "correction", "delete"]
"""An `update` says what is so from then on (type 2), a `correction` what always was so (type 1). A deleted member that
comes back is inserted again."""

_BEFORE = timedelta(days=540)
"""How long before the first load the first member joined."""
_AGAIN, _SAME_MOMENT = 0.15, 0.3
"""Share of the changes that are of the same member as the one before, and of those the share made at the same time."""
_COMES_BACK = 0.02
_LATE, _REPEATED, _REPEATED_NEXT_DAY, _OUT_OF_PLACE = 0.05, 0.03, 0.02, 0.2


class Change(Protocol):
    """A row of a feed: everything about a member as it was after a change. A NamedTuple with these fields, and more."""

    operation: Operation
    changed_at: datetime
    """When it was made, UTC, in milliseconds."""
    change_id: str
    """Of each change another; of one member, in the order in which they were made."""
    feed_date: date
    """The day of the feed that brought it: the day on which it was made, unless it was late or is a repeat."""

    def _replace(self, **fields: object) -> Change: ...


Row = TypeVar("Row", bound=Change)


@dataclass(frozen=True)
class Dimension(Generic[Row]):
    """How members begin and change. `known` are in the first load; `newcomers` and `changes` are those of a day.

    `born` makes the member of this number who joins at this time; `changed` is given the row before a change and says
    what it was and the row after it (operation, times and ids of the change aside).
    """

    name: str
    known: int
    newcomers: int
    changes: int
    born: Callable[[int, datetime, Random], Row]
    changed: Callable[[Row, Random], tuple[Operation, Row]]


def feeds(dimension: Dimension[Row], seed: int, first_day: date) -> Iterator[list[Row]]:
    """The first full load, with `feed_date` = `first_day`, then the feed of each day after it, without end.

    The same for the same seed and first day. Members are numbered in the order in which they joined.
    """
    history = _History(dimension, seed)
    yield history.first_load(first_day)
    waiting: defaultdict[date, list[Row]] = defaultdict(list)
    day = first_day
    while True:
        day += timedelta(days=1)
        rng = Random(f"{dimension.name}/{seed}/{day}")
        for change in history.changes_of(day, rng):
            delay = rng.randint(1, 3) if rng.random() < _LATE else 0
            waiting[day + timedelta(days=delay)].append(change)
        feed = waiting.pop(day, [])
        for change in list(feed):
            roll = rng.random()
            if roll < _REPEATED:
                feed.append(change)
            elif roll < _REPEATED + _REPEATED_NEXT_DAY:
                waiting[day + timedelta(days=1)].append(change)
        placed = sorted((_place(change, rng), number) for number, change in enumerate(feed))
        yield [feed[number]._replace(feed_date=day) for _, number in placed]


def _place(change: Change, rng: Random) -> datetime:
    """Where in its feed a change is: by time, or some hours off."""
    return change.changed_at + timedelta(hours=rng.uniform(-8, 8) if rng.random() < _OUT_OF_PLACE else 0)


class _History(Generic[Row]):
    """What really happened to the members, change by change."""

    def __init__(self, dimension: Dimension[Row], seed: int) -> None:
        self._dimension, self._seed = dimension, seed
        self._rows: dict[int, Row] = {}
        self._deleted: list[int] = []
        self._changes: Counter[int] = Counter()

    def first_load(self, day: date) -> list[Row]:
        """All who joined up to the end of the day: more and more, so that the last months have most of them."""
        rng, known = Random(f"{self._dimension.name}/{self._seed}"), self._dimension.known
        end = datetime.combine(day, time(), UTC) + timedelta(days=1)
        joined = [end - _BEFORE * (1 - (number / (known + 1)) ** 0.5) for number in range(1, known + 1)]
        return [self._join(moment, day, rng) for moment in joined]

    def changes_of(self, day: date, rng: Random) -> list[Row]:
        """The changes made on a day, in order."""
        midnight = datetime.combine(day, time(), UTC)
        plan = sorted(
            (rng.randrange(86_400_000), joins)
            for joins, number in ((True, self._dimension.newcomers), (False, self._dimension.changes))
            for _ in range(number)
        )
        made: list[Row] = []
        member, moment = 1, midnight
        for milliseconds, joins in plan:
            now = midnight + timedelta(milliseconds=milliseconds)
            if joins:
                made.append(self._join(now, day, rng))
                continue
            if rng.random() >= _AGAIN:
                back = self._deleted and rng.random() < _COMES_BACK
                member, moment = rng.choice(self._deleted) if back else rng.randint(1, len(self._rows)), now
            elif rng.random() >= _SAME_MOMENT:
                moment = now
            made.append(self._change(member, moment, day, rng))
        return made

    def _join(self, moment: datetime, day: date, rng: Random) -> Row:
        member = len(self._rows) + 1
        return self._keep(member, "insert", self._dimension.born(member, moment, rng), moment, day)

    def _change(self, member: int, moment: datetime, day: date, rng: Random) -> Row:
        operation, row = self._dimension.changed(self._rows[member], rng)
        if member in self._deleted:
            self._deleted.remove(member)
            operation = "insert"
        elif operation == "delete":
            self._deleted.append(member)
            row = self._rows[member]
        return self._keep(member, operation, row, moment, day)

    def _keep(self, member: int, operation: Operation, row: Row, moment: datetime, day: date) -> Row:
        self._changes[member] += 1
        self._rows[member] = row._replace(
            operation=operation,
            changed_at=moment.replace(microsecond=moment.microsecond // 1000 * 1000),
            change_id=f"{self._dimension.name}-{member}-{self._changes[member]:06d}",
            feed_date=day,
        )
        return self._rows[member]
