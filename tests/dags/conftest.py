"""Airflow's environment, made once for all, and what its DAG files say, read by its own Python."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stack import airflow, airflow_install
from stack.airflow_config import environment, program
from stack.settings import PROJECT, Settings

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


def render(settings: Settings, folder: Path = PROJECT / "dags") -> dict[str, Any]:
    command = [program(settings).parent / "python", RENDER, folder]
    done = subprocess.run(command, env=environment(settings), capture_output=True, text=True, cwd=settings.home)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
