"""If these fail, a lake that runs for months fills its disk beside its tables, or upkeep deletes what is in use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.stream import forget
from maintenance.leftovers import DAY, clear
from stack.cli import app
from stack.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """A home that knows the dataset `a`."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "a.yml").write_text("{name: a, bronze: {table: a_events}}")
    return Settings(home=tmp_path / "lake", datasets=tmp_path / "datasets", keep_days=7)


def put(file: Path, days: float) -> Path:
    """A file of half a megabyte, it and all its folders untouched for some days."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(500_000))
    at = time.time() - days * DAY
    for path in (file, *list(file.parents)[:2]):
        os.utime(path, (at, at))
    return file


def test_only_what_is_old_and_of_nobody_goes_and_the_report_says_how_much(home: Settings) -> None:
    kept = [
        put(home.home / "checkpoints" / "a" / "1" / "offsets", 400),  # the dataset runs, though nothing comes
        put(home.home / "checkpoints" / "removed_today" / "1" / "offsets", 1),
        put(home.home / "spark" / "spark-1" / "jar", 6),
        put(home.home / "spark" / "warehouse" / "table", 400),  # not a folder that a session makes for itself
        put(home.logs / "airflow" / "dag_id=x" / "run_id=2" / "attempt=1.log", 6),
        put(home.logs / "kafka.log", 400),
    ]
    gone = [
        put(home.home / "checkpoints" / "left" / "1" / "offsets", 8),
        put(home.home / "spark" / "blockmgr-1" / "0a" / "block", 8),
        put(home.home / "spark" / "spark-2" / "jar", 8),
        put(home.logs / "airflow" / "dag_id=x" / "run_id=1" / "attempt=1.log", 8),
    ]
    counts = {Path(one.folder).name: (one.before, one.after, one.mb) for one in clear(home)}
    assert counts == {"checkpoints": (3, 2, 0.5), "spark": (3, 1, 1.0), "airflow": (2, 1, 0.5)}
    assert [path for path in kept if not path.exists()] == []
    assert [path for path in gone if path.exists()] == []
    assert not (home.logs / "airflow" / "dag_id=x" / "run_id=1").exists()


def test_a_spark_that_runs_for_weeks_keeps_its_folders(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may not have written for long, so what counts is that it began before."""
    block = put(home.home / "spark" / "blockmgr-1" / "0a" / "block", 8)
    began = time.time() - 9 * DAY
    monkeypatch.setattr("psutil.Process.create_time", lambda _: began)
    word = f"spark.local.dir={home.home / 'spark'}"
    with subprocess.Popen([sys.executable, "-c", "input()", word], stdin=subprocess.PIPE) as spark:
        list(clear(home))
        assert block.exists()
        spark.communicate(b"\n")
    list(clear(home))
    assert not block.exists()


def test_a_stream_s_start_keeps_the_last_checkpoints_only(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path / "orders" / f"c{number}" / "offsets" / "0", 5 - number)
    forget(tmp_path / "orders", 2)
    assert {path.name for path in (tmp_path / "orders").iterdir()} == {"c3", "c4"}
    forget(tmp_path / "orders", 0)
    assert list((tmp_path / "orders").iterdir()) == []
    forget(tmp_path / "no_dataset_yet", 2)


def test_a_new_home_has_nothing_to_clear(home: Settings) -> None:
    assert [(one.before, one.after) for one in clear(home)] == [(0, 0)] * 3


def test_leftovers_are_cleared_alone(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maintenance.cli.settings", lambda: home)
    assert len(json.loads(CliRunner().invoke(app, ["maintain", "--leftovers", "--json"]).stdout)) == 3
    for words in (["--leftovers", "--all"], ["--leftovers", "gold.t"], [], ["--leftovers", "--orphans"]):
        refused = CliRunner().invoke(app, ["maintain", *words])
        assert refused.exit_code == 2 and "--leftovers alone" in refused.stderr
