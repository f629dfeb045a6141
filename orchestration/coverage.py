"""What dbt really ran in a DAG run, kept task by task, so that no green run did less than it says.

Each dbt task leaves its `run_results.json`; the last task compares them with the manifest.
"""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from stack.airflow_config import dbt_manifest, home
from stack.settings import settings

RAN = {"success", "pass", "warn", "no-op"}


@cache
def manifest() -> dict[str, Any]:
    """dbt's manifest that the DAGs are rendered from, as it was when this process first asked."""
    return json.loads(dbt_manifest(settings()).read_text())


def folder(run_id: str, dag_id: str) -> Path:
    return home(settings()) / "results" / dag_id / re.sub(r"[^\w.-]", "_", run_id)


def keep(project: str, context: dict[str, Any]) -> None:
    """Cosmos' callback after a dbt command: keep its results. Raises where dbt ran nothing at all."""
    found = Path(project) / "target" / "run_results.json"
    if not found.exists():  # `dbt source freshness` writes sources.json
        return
    task = context["task_instance"]
    if not json.loads(found.read_text())["results"]:
        raise AirflowFailException(f"dbt ran nothing for {task.task_id}: its selection names no node of the project")
    kept = folder(task.run_id, task.dag_id)
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copy(found, kept / f"{task.task_id}.{task.try_number}.json")


def ran(kept: Path) -> set[str]:
    """Unique ids of the nodes that ended well in any task of the run."""
    results = [one for path in kept.glob("*.json") for one in json.loads(path.read_text())["results"]]
    return {one["unique_id"] for one in results if one["status"] in RAN}


def left_out(wanted: set[str], kept: Path) -> list[str]:
    return sorted(wanted - ran(kept))


def check(wanted: list[str], *, run_id: str, dag_id: str) -> str:
    """Fail where a node of dbt's did not end well in this run; what earlier runs left is removed."""
    kept = folder(run_id, dag_id)
    if missing := left_out(set(wanted), kept):
        raise AirflowFailException(f"{len(missing)} of {len(wanted)} nodes did not run: {', '.join(missing[:10])}")
    for other in kept.parent.iterdir():
        if other != kept:
            shutil.rmtree(other, ignore_errors=True)
    return f"{len(wanted)} nodes ran"


def nodes_of(rendered: set[str]) -> list[str]:
    """What dbt runs where these nodes are tasks: models and snapshots themselves, and every test of any of them."""
    nodes = manifest()["nodes"]
    tests = {id_: node for id_, node in nodes.items() if node["resource_type"] == "test"} | manifest()["unit_tests"]
    tasks = rendered - tests.keys()
    tested = {id_ for id_, test in tests.items() if tasks & set(test["depends_on"]["nodes"])}
    return sorted({id_ for id_ in tasks if not id_.startswith("source.")} | tested)
