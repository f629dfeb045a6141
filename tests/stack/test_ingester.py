"""If this fails, `lake status` says nothing of an ingester that stands still."""

from __future__ import annotations

import pytest

from ingest.metrics import server, tell
from ingest.metrics.board import BOARD
from stack.ingester import about
from stack.settings import Settings
from stack.web import Served
from tests.ingest.metrics.test_meter import BRONZE, Run
from tests.stack.test_web import answers


def test_what_its_health_says_is_what_status_says(monkeypatch: pytest.MonkeyPatch) -> None:
    BOARD.clear()
    served = Served(server.app, "127.0.0.1", 0, "")
    served.start()
    answers(served)
    where = Settings(metrics_port=int(served.url.rpartition(":")[2]))
    run = Run()
    tell.begins(run)
    run.start()
    assert about(where) == "healthy (orders starting)"
    tell.stopped(BRONZE, "bronze", "topic orders was recreated")
    assert about(where) == "NOT HEALTHY (orders bronze stopped: topic orders was recreated)"
    run.let_go.set()
    served.end()
    BOARD.clear()
    assert "does not answer" in about(where)
    assert about(Settings(metrics_port="off")) == ""
