"""If these fail, a table that could not be refreshed stays old, or one failure takes the others with it."""

from __future__ import annotations

import threading

import pytest

from serving import refresh
from serving.refresh import Refresh


class Scripted:
    """Runs by script: each run's failing tables; remembers what was asked."""

    def __init__(self, *failing: set[str]) -> None:
        self.tables = {"minutes": "realtime__minutes", "videos": "realtime__videos"}
        self.asked: list[tuple[tuple[str, ...], bool]] = []
        self._failing = list(failing)
        self.stop: threading.Event | None = None

    def run(self, tables: list[str], whole: bool) -> dict[str, str | None]:
        self.asked.append((tuple(tables), whole))
        failing = self._failing.pop(0) if self._failing else set()
        if self.stop and len(self.asked) == 3:
            self.stop.set()
        return {table: "Trino is away" if table in failing else None for table in tables}


def test_the_first_refresh_compares_everything_and_the_next_reads_what_is_new() -> None:
    runner = Scripted()
    work = Refresh(runner)
    work.step()
    work.step()
    assert runner.asked == [(("minutes", "videos"), True), (("minutes", "videos"), False)]


def test_a_table_that_failed_is_compared_whole_and_the_others_are_not() -> None:
    runner = Scripted(set(), {"videos"})
    work = Refresh(runner)
    work.step()
    assert work.step() == {"minutes": None, "videos": "Trino is away"}
    work.step()
    work.step()
    assert runner.asked[2:] == [(("videos",), True), (("minutes",), False), (("minutes", "videos"), False)]


def test_everything_is_compared_again_after_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Scripted()
    work = Refresh(runner)
    now = [0.0]
    monkeypatch.setattr(refresh.time, "monotonic", lambda: now[0])
    for now[0] in (1.0, 3000.0, 3602.0):
        work.step()
    assert [whole for _, whole in runner.asked] == [True, False, True]


def test_it_goes_on_after_failures_until_it_is_stopped() -> None:
    runner = Scripted({"minutes", "videos"}, {"minutes", "videos"})
    runner.stop = threading.Event()
    Refresh(runner).keep(0.01, runner.stop)
    assert len(runner.asked) == 3
