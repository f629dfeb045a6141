"""The history of a dimension in plain Python, from the changes that were generated: no SQL, no windows, no dbt."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

END = datetime(9999, 12, 31, tzinfo=UTC)
OVERWRITTEN = {"name", "signup_date", "title", "duration_seconds", "published_date"}
PROVENANCE = {"operation", "changed_at", "change_id", "feed_date"}


def history(rows: Iterable[Any]) -> set[tuple[Any, ...]]:
    """A dimension's rows without updated_at, columns in the order of its table, from rows of feeds in any order."""
    members: defaultdict[Any, dict[tuple[datetime, str], Any]] = defaultdict(dict)
    for row in rows:
        members[row[0]][row.changed_at, row.change_id] = row
    return {period for changes in members.values() for period in _periods([changes[at] for at in sorted(changes)])}


def _periods(changes: list[Any]) -> Iterable[tuple[Any, ...]]:
    names = [name for name in changes[0]._fields if name not in PROVENANCE]
    overwritten = {name: getattr(changes[-1], name) for name in names if name in OVERWRITTEN}
    at_moment = {change.changed_at: change for change in changes}  # the last of a moment stays
    periods: list[list[Any]] = []
    for change in at_moment.values():
        state = [overwritten.get(name, getattr(change, name)) for name in names] + [change.operation == "delete"]
        if not periods or periods[-1][0] != state:
            periods.append([state, change])
    for (state, change), following in zip(periods, [*periods[1:], None], strict=True):
        end = following[1].changed_at if following else END
        yield (*state, following is None, change.changed_at, end, change.change_id)
