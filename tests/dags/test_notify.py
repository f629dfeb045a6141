"""If these fail, nobody hears that a run is late or a task has failed, or saying so makes another failure."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace

import pytest

from orchestration.notify import deadline_missed, task_failed


def test_a_missed_deadline_and_a_failed_task_are_told_with_their_names(told: list[dict]) -> None:
    asyncio.run(deadline_missed(context={"dag_run": {"dag_id": "a", "dag_run_id": "r"}}))
    task = SimpleNamespace(dag_id="a", task_id="t", try_number=3, log_url="http://log")
    task_failed({"task_instance": task, "run_id": "r", "exception": ValueError("x" * 900)})
    late, failed = told
    assert late == {"event": "deadline missed", "dag": "a", "run": "r"}
    assert failed == {
        "event": "task failed", "dag": "a", "task": "t", "run": "r", "attempt": 3, "cause": "x" * 500, "see": "http://log"
    }  # fmt: skip


def test_a_webhook_that_is_away_is_a_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LAKE_FAILURE_WEBHOOK", "http://127.0.0.1:1")
    with caplog.at_level(logging.WARNING):
        asyncio.run(deadline_missed())
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "the webhook was not told" in caplog.text
