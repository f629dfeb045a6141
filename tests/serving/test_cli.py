"""If these fail, who watches the serving tables is told the wrong thing, or the refresher can't be stopped."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from board import TABLES
from typer.testing import CliRunner

import serving.age
import serving.runner
from serving.age import Age, expected
from serving.cli import app

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
