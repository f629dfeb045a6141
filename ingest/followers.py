"""How a dataset's bronze wakes its golds, and waits a moment for those that keep up with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

WAIT_SECONDS = 4.0  # the longest that bronze waits for its golds, between two small batches


class Followers:
    """The golds of one bronze, each by its table's name and in a thread of its own.

    `keeping_up` has those that had all of bronze once, and an event that is set while they have its newest.
    """

    def __init__(self, tables: Iterable[str]) -> None:
        self._published = {table: threading.Event() for table in tables}  # one gold's wake-up is no other's
        self.keeping_up: dict[str, threading.Event] = {}

    def wake(self) -> None:
        """Bronze has a new commit, or will have no more."""
        for is_current in list(self.keeping_up.values()):
            is_current.clear()
        for published in self._published.values():
            published.set()

    def wait(self) -> None:
        """Until those that keep up have what bronze has, but not for long: beside the next batch both take longer."""
        until = time.monotonic() + WAIT_SECONDS
        for is_current in list(self.keeping_up.values()):
            is_current.wait(max(0.0, until - time.monotonic()))

    def looks(self, table: str) -> None:
        """The gold looks what bronze has: what woke it is done with."""
        self._published[table].clear()

    def rests(self, table: str) -> None:
        """The gold has found nothing to do, so it keeps up."""
        if not self._published[table].is_set():
            self.keeping_up.setdefault(table, threading.Event()).set()

    def sleeps(self, table: str, seconds: float) -> None:
        """The gold waits to be woken, at most so long."""
        self._published[table].wait(seconds)

    def falls_behind(self, table: str) -> None:
        """What the gold does now may take long: bronze waits for it no more."""
        if is_current := self.keeping_up.pop(table, None):
            is_current.set()
