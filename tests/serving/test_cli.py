"""If these fail, who watches the serving tables is told the wrong thing, or the refresher can't be stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from board import TABLES, Board
from typer.testing import CliRunner

import serving.age
import serving.runner
from serving.age import Age, expected
from serving.cli import app
from stack.settings import PROJECT

Lake = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(autouse=True)
def this_process_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands that run here neither take the tests' logs nor their signals."""
    monkeypatch.setattr("serving.logs.configure", lambda: None)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_the_tables_watched_are_those_of_the_models() -> None:
    assert expected() == sorted(TABLES)


@pytest.mark.parametrize(("seconds", "code"), [([3.0, 29.9], 0), ([3.0, 30.1], 1), ([3.0, None], 1)])
def test_check_exits_by_the_oldest_table(
    monkeypatch: pytest.MonkeyPatch, seconds: list[float | None], code: int
) -> None:
    monkeypatch.setattr(serving.age, "ages", lambda _settings: [Age(f"t{s}", s) for s in seconds])
    assert CliRunner().invoke(app, ["--check"]).exit_code == code
    said = CliRunner().invoke(app, ["--check", "--json"])
    assert (said.exit_code, json.loads(said.stdout)["fresh"]) == (code, code == 0)


def test_check_without_postgresql_exits_5(run_lake: Lake) -> None:
    done = run_lake("refresh", "--check", environment={"LAKE_POSTGRES_PORT": "1"}, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (5, False)
    assert "lake status" in done.stderr


@pytest.mark.parametrize(("causes", "code"), [({"a": None, "b": None}, 0), ({"a": None, "b": "Trino is away"}, 1)])
def test_once_exits_1_where_a_table_could_not_be_refreshed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, causes: dict[str, str | None], code: int
) -> None:
    class Runner:
        tables = causes

        def __init__(self, *_: object) -> None: ...

        def run(self, tables: list[str], whole: bool) -> dict[str, str | None]:
            return {table: causes[table] for table in tables}

    monkeypatch.setattr(serving.runner, "Runner", Runner)
    assert CliRunner().invoke(app, ["--once", "--target-path", str(tmp_path)]).exit_code == code


@pytest.mark.integration
def test_it_lives_through_a_missing_view_logs_why_and_ends_when_it_is_told_to(board: Board, tmp_path: Path) -> None:
    view, away = "{prefix}silver.stg_user_events__purchases_per_minute", "{prefix}silver.away"
    board.warehouse.query(f"alter view {view} rename to {away}")
    command = [sys.executable, "-c", "from stack.cli import app; app()", "refresh", "--every", "1"]
    process = subprocess.Popen(
        [*command, f"--target-path={tmp_path}"], cwd=PROJECT, env=dict(os.environ), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    said = []
    try:
        for line in process.stderr:
            said.append(json.loads(line))
            if said[-1]["event"] != "refreshed":
                continue
            if len(said[-1]["tables"]) == len(TABLES):
                break
            if away:
                board.warehouse.query(f"alter view {away} rename to {view}")
                away = ""
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(60) == 0, f"after {time.monotonic() - began:.0f} s"
    finally:
        process.kill()
    failed = [one for one in said if one["event"] == "refresh failed"]
    assert {one["table"] for one in failed} == {"purchases_per_minute"}
    assert "stg_user_events__purchases_per_minute" in failed[0]["cause"]
