"""Prints as JSON what the DAG files of a folder declare. Run by Airflow's Python, which pytest is not in.

With a number n after the folder, also what every n-th task finds itself to be where it alone is to be run.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

logging.disable(logging.CRITICAL)

from airflow.dag_processing.dagbag import DagBag  # noqa: E402
from airflow.sdk.definitions._internal.dag_parsing_context import (  # noqa: E402
    _airflow_parsing_context_manager,
)

SAID = ("select", "exclude", "indirect_selection", "tests_per_model", "base_cmd", "pool", "pool_slots", "retries")


def task(one: Any) -> dict[str, Any]:
    node = getattr(one, "extra_context", {}).get("dbt_node_config", {})
    return {
        **{name: getattr(one, name, None) for name in SAID},
        "kind": type(one).__name__,
        "node": node.get("unique_id"),
        "owner": one.owner,
        "upstream": sorted(one.upstream_task_ids),
        "tells": [getattr(told, "__name__", str(told)) for told in one.on_failure_callback or ()],
        "command": getattr(one, "bash_command", None),
        "wanted": (getattr(one, "op_kwargs", None) or {}).get("wanted"),
    }


def alone(path: Path, dag: str, id_: str) -> dict[str, Any]:
    """The task, as the process that runs it reads the file."""
    with _airflow_parsing_context_manager(dag_id=dag, task_id=id_):
        return task(DagBag(path).dags[dag].task_dict[id_])


dags, errors, seconds, by_itself = {}, {}, {}, {}
for path in sorted(Path(sys.argv[1]).glob("*.py")):
    began = time.monotonic()
    bag = DagBag(path)
    seconds[path.name] = round(time.monotonic() - began, 2)
    errors |= bag.import_errors
    for id_, dag in bag.dags.items():
        dags[id_] = {
            "file": path.name,
            "doc": dag.doc_md,
            "tags": sorted(dag.tags),
            "runs": dag.max_active_runs,
            "catchup": dag.catchup,
            "tasks": {one.task_id: task(one) for one in dag.tasks},
        }
    if len(sys.argv) > 2:
        each = [(dag, id_) for dag, found in bag.dags.items() for id_ in found.task_dict]
        by_itself |= {f"{dag}.{id_}": alone(path, dag, id_) for dag, id_ in each[:: int(sys.argv[2])]}
print(json.dumps({"dags": dags, "errors": errors, "seconds": seconds, "alone": by_itself}, default=str))
