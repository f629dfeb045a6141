"""If these fail, a process that dies under a run leaves it green for less than it did, or under way for ever."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import psutil
import pytest

from bench.airflow_api import Airflow
from stack import supervision
from stack.airflow_config import dbt_manifest
from stack.settings import Settings
from tests.dags.test_runs import DAG, made_by, processes, results

pytestmark = [
    pytest.mark.integration,
    pytest.mark.full,
    pytest.mark.timeout(3_000),
    pytest.mark.parametrize("running", ["watcher"], indirect=True, scope="module"),
]
PATIENCE = 1_200
"""Seconds for a run to end; Airflow misses a task that says nothing for five minutes."""


def dbt_build(lake: Settings) -> psutil.Process | None:
    """The build that the others watch."""
    for one in processes(lake):
        try:
            words = one.cmdline()
        except psutil.Error:
            continue
        if "build" in words and any(word.endswith("/dbt") for word in words):
            return one
    return None


def its_task(lake: Settings) -> psutil.Process | None:
    """The process of the task that has begun the build."""
    build = dbt_build(lake)
    return build and build.parent()


def scheduler(lake: Settings) -> psutil.Process | None:
    """The scheduler, once the build goes on."""
    return dbt_build(lake) and psutil.Process(supervision.states(lake)["airflow-scheduler"]["pid"])


def built(lake: Settings, run: str) -> set[str]:
    return {one["unique_id"] for _path, one in results(lake, run) if one["status"] in ("success", "pass", "no-op")}


@pytest.mark.parametrize("victim", [dbt_build, its_task, scheduler], ids=["the build", "its task", "the scheduler"])
def test_a_run_ends_and_is_green_for_what_it_did_only(
    running: Airflow, lake_stack: Settings, victim: Callable[[Settings], psutil.Process | None]
) -> None:
    running.call("PATCH", f"/api/v2/dags/{DAG}", {"is_paused": False})
    for earlier in running.call("GET", f"/api/v2/dags/{DAG}/dagRuns")["dag_runs"]:
        running.wait(DAG, earlier["dag_run_id"], PATIENCE)
    run = running.trigger(DAG)
    until = time.monotonic() + 300
    while (found := victim(lake_stack)) is None:
        assert time.monotonic() < until, running.tasks(DAG, run)
        time.sleep(0.2)
    time.sleep(3)  # into the first models
    found.kill()

    state = running.wait(DAG, run, PATIENCE)
    ended = running.tasks(DAG, run)
    if state == "failed":
        assert ended["all_ran"][0] == "upstream_failed", ended
        running.clear_failed(DAG, run)
        assert running.wait(DAG, run, PATIENCE) == "success", running.tasks(DAG, run)
    assert made_by(json.loads(dbt_manifest(lake_stack).read_text())) <= built(lake_stack, run)
    assert dbt_build(lake_stack) is None, "a build that nobody watches writes on"
