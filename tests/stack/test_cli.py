"""If these fail, `lake` answers a person's mistake with a traceback, or a script with the wrong exit code."""
from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from stack.settings import PROJECT

Lake = Callable[..., subprocess.CompletedProcess]


def test_reset_without_a_terminal_asks_for_yes_and_deletes_nothing(run_lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    done = run_lake("reset", environment={"LAKE_HOME": str(tmp_path)}, check=False)
    assert (done.returncode, "lake reset --yes" in done.stderr) == (2, True)
    assert (tmp_path / "data").exists()


def test_reset_deletes_the_stacks_own_folders_only(run_lake: Lake, tmp_path: Path) -> None:
    for name in ("data", "warehouse", "engines", "a-persons-own"):
        (tmp_path / name).mkdir()
    run_lake("reset", "--yes", environment={"LAKE_HOME": str(tmp_path)})
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"engines", "a-persons-own"}


def test_status_of_a_stack_that_is_down_exits_1(run_lake: Lake, tmp_path: Path) -> None:
    done = run_lake("status", "--json", environment={"LAKE_HOME": str(tmp_path)}, check=False)
    assert (done.returncode, '"ready": false' in done.stdout) == (1, True)


def test_a_setting_that_is_no_number_is_said_in_a_sentence(run_lake: Lake, tmp_path: Path) -> None:
    done = run_lake("status", environment={"LAKE_HOME": str(tmp_path), "LAKE_TRINO_PORT": "many"}, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "LAKE_TRINO_PORT" in done.stderr


def test_up_names_the_holder_of_a_taken_port(run_lake: Lake, another_stack: Callable, tmp_path: Path) -> None:
    environment = another_stack(tmp_path)
    with socket.create_server(("127.0.0.1", int(environment["LAKE_KAFKA_PORT"]))):
        done = run_lake("up", environment=environment, check=False)
    assert done.returncode == 5
    assert f"Port {environment['LAKE_KAFKA_PORT']}, which kafka needs, is held by process" in done.stderr
    assert "LAKE_KAFKA_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_heavy_is_imported_before_a_command_runs() -> None:
    """Or each command, and each task of Airflow's, begins a second later."""
    heavy = ("sqlalchemy", "kafka", "trino", "pyspark", "dbt", "pyiceberg", "psycopg", "httpx", "fastapi", "starlette")
    script = f"import sys, stack.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PROJECT)
    assert done.stdout.strip() == "[]"
