"""Airflow's environment, made once for all; what its DAG files say, read by its own Python; Airflow that runs."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault as RemoteFault

import pytest

import trino
from bench.airflow_api import Airflow
from stack import airflow, airflow_install, supervision
from stack.airflow_config import environment, program
from stack.settings import CATALOG, PROJECT, Settings, settings

LANDED_AND_KEPT = ("bronze.users_changes", "bronze.videos_changes", "silver.user_changes", "silver.video_changes")
Lake = Callable[..., subprocess.CompletedProcess]
RENDER = PROJECT / "tests" / "dags" / "render.py"


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a home that has the manifests the DAG files need, and no engine."""
    settings = Settings(home=tmp_path_factory.mktemp("airflow"), downloads=Settings().downloads)
    airflow_install.install(settings)
    airflow.parse(settings)
    return settings


@pytest.fixture(scope="session", params=["local", "watcher"])
def rendered(request: pytest.FixtureRequest, parsed: Settings) -> dict[str, Any]:
    """Every DAG with its tasks, as `render.py` says them, in each way to run dbt's."""
    return {"mode": request.param, **render(parsed.model_copy(update={"dbt_tasks": request.param}))}


def render(settings: Settings, folder: Path = PROJECT / "dags", *more: str) -> dict[str, Any]:
    command = [program(settings).parent / "python", RENDER, folder, *more]
    done = subprocess.run(command, env=environment(settings), capture_output=True, text=True, cwd=settings.home)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def told() -> Iterator[list[dict]]:
    """What the webhook was told; `LAKE_FAILURE_WEBHOOK` points to it."""
    heard: list[dict] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["LAKE_FAILURE_WEBHOOK"] = f"http://127.0.0.1:{server.server_port}"
    yield heard
    del os.environ["LAKE_FAILURE_WEBHOOK"]
    server.shutdown()


@pytest.fixture(scope="module", params=["watcher", pytest.param("local", marks=pytest.mark.full)])
def running(
    request: pytest.FixtureRequest, lake_stack: Settings, told: list[dict], run_lake: Lake
) -> Iterator[Airflow]:
    """Airflow beside the shared stack's engines, stopped when these tests are over."""
    # Where the module doesn't say otherwise, what a killed process leaves is tried again once, soon.
    retries = str(getattr(request.module, "RETRIES", 1))
    ours = {"LAKE_DBT_TASKS": request.param, "LAKE_TASK_RETRIES": retries, "LAKE_TASK_RETRY_SECONDS": "2"}
    os.environ.update(ours)
    settings.cache_clear()
    try:
        run_lake("up", "--with", "airflow")
        api = Airflow(lake_stack)
        api.wait_for_dag("dimensions_daily")
        yield api
    finally:
        stop(lake_stack)
        for table in LANDED_AND_KEPT:  # other tests land feeds of their own
            sql(lake_stack, f"drop table if exists {table}")
        for name in ours:
            del os.environ[name]
        settings.cache_clear()


def stop(lake: Settings) -> None:
    """Stop Airflow's processes and forget them, so that another test may start them with other settings."""
    for engine in reversed(airflow.ENGINES):
        with suppress(RemoteFault):  # stopped already
            supervision.call(lake, "stopProcess", engine.name)
        with suppress(RemoteFault):
            supervision.call(lake, "removeProcessGroup", engine.name)


def sql(lake: Settings, statement: str) -> None:
    with trino.dbapi.connect(host=lake.host, port=lake.trino_port, user="tests", catalog=CATALOG) as connection:
        connection.cursor().execute(statement).fetchall()
