"""Readers as dashboards are: each asks one table after the other how many rows it has, and remembers what was wrong.

No table may fail, be empty once it had rows, or show a part: a live gold never has fewer rows than before, a mart no
fewer than nine tenths of them (an order that ends leaves `active_orders_now`).
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence

Count = Callable[[str], int]


class Reader(threading.Thread):
    """Asks until `stop`: seconds of each answer, and a sentence for each that no reader should get."""

    def __init__(
        self,
        name: str,
        count: Count,
        tables: Sequence[str],
        growing: frozenset[str],
        stop: threading.Event,
        every: float = 0.25,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.count, self.tables, self.growing, self.stop, self.every = count, tables, growing, stop, every
        self.seconds: list[float] = []
        self.wrong: list[str] = []

    def run(self) -> None:
        before: dict[str, int] = {}
        for table in itertools.cycle(self.tables):
            if self.stop.wait(self.every):
                return
            began = time.monotonic()
            try:
                rows = self.count(table)
            except Exception as error:  # whatever a client raises, a dashboard shows it as a failure
                self.wrong.append(f"{table}: {str(error).splitlines()[0]}")
                continue
            self.seconds.append(time.monotonic() - began)
            if is_partial(before.get(table, 0), rows, table in self.growing):
                self.wrong.append(f"{table}: {rows} rows after {before[table]}")
            before[table] = rows


def is_partial(before: int, rows: int, is_growing: bool) -> bool:
    """Whether a table that had `before` rows shows only a part of itself with `rows`."""
    return rows < before if is_growing else rows < 0.9 * before
