"""Keeps `realtime` fresh: a run every so many seconds, whatever the last one came to.

A run reads what arrived in the lake since the last. Once an hour, and whenever a table's last run failed, the whole of
it is compared, so that nothing can stay wrong that the arrival does not show (a live gold that was rebuilt).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Protocol

import psutil
import structlog

WHOLE_EVERY = 3600.0

log = structlog.get_logger()


class Runs(Protocol):
    """What `serving.runner.Runner` offers."""

    tables: Mapping[str, str]

    def run(self, tables: list[str], whole: bool) -> dict[str, str | None]: ...


class Refresh:
    """The tables and when each was last compared whole."""

    def __init__(self, runner: Runs) -> None:
        self._runner = runner
        self._compared: dict[str, float] = {}

    def step(self) -> dict[str, str | None]:
        """One refresh of every table. By table, why it failed; None where it is fresh."""
        began = time.monotonic()
        due = [t for t in self._runner.tables if began - self._compared.get(t, -WHOLE_EVERY) >= WHOLE_EVERY]
        causes: dict[str, str | None] = {}
        for tables, whole in ((due, True), ([t for t in self._runner.tables if t not in due], False)):
            if tables:
                causes |= self._runner.run(tables, whole)
        for table, cause in causes.items():
            if cause:
                self._compared.pop(table, None)
                log.warning("refresh failed", table=table, cause=cause)
            elif table in due:
                self._compared[table] = began
        log.info(
            "refreshed",
            tables=[table for table, cause in causes.items() if not cause],
            whole=due,
            seconds=round(time.monotonic() - began, 2),
            rss_mb=psutil.Process().memory_info().rss >> 20,
        )
        return causes

    def keep(self, every: float, stop: threading.Event) -> None:
        """Refresh until `stop` is set; a run under way ends first."""
        while not stop.is_set():
            began = time.monotonic()
            self.step()
            stop.wait(max(0.0, every - (time.monotonic() - began)))
