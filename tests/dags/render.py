"""Prints as JSON what the DAG files of a folder declare. Run by Airflow's Python, which pytest is not in."""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

logging.disable(logging.CRITICAL)

from airflow.dag_processing.dagbag import DagBag  # noqa: E402

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


dags, errors, seconds = {}, {}, {}
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
print(json.dumps({"dags": dags, "errors": errors, "seconds": seconds}, default=str))
