"""How long a table has lacked a record that the broker has, from looks at the log's end every few seconds.

No table is read for it, and a topic in which nothing happens is not late. It counts from this process's first look, to
within the time between two looks.
"""

from __future__ import annotations

from ingest.fence import Offsets

MOST = 720  # looks kept; beyond, every second one is forgotten, the first kept


class Looks:
    """When the log was seen to end where, oldest first. Offsets are those of the next record."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, Offsets]] = []

    def add(self, now: float, end: Offsets) -> None:
        """The log ends at `end`, by partition, at the monotonic time `now`."""
        if self._seen and self._seen[-1][1] == end:
            return
        seen = [*self._seen, (now, dict(end))]
        self._seen = seen[::2] if len(seen) > MOST else seen

    def forget(self, slowest: Offsets) -> None:
        """Leave out the looks whose every record all tables have, those up to `slowest`."""
        self._seen = [*(one for one in self._seen[:-1] if is_behind(slowest, one[1])), *self._seen[-1:]]

    def seconds_behind(self, reached: Offsets, now: float) -> float:
        """Seconds since a record was first seen that a table which has all before `reached` still lacks; 0 for none."""
        return next((now - at for at, end in self._seen if is_behind(reached, end)), 0.0)


def is_behind(reached: Offsets, end: Offsets) -> bool:
    return any(offset > reached.get(partition, 0) for partition, offset in end.items())
