"""Mends what Cosmos' tasks that watch one `dbt build` don't see by themselves (astronomer-cosmos 1.15.1).

A test of several models would be green unseen, and a task tried again while the build goes on would read its old
failure.
"""

from __future__ import annotations

import time
from typing import Any

from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from cosmos import DbtTaskGroup
from cosmos.constants import PRODUCER_WATCHER_TASK_ID, DbtResourceType

ENDED = {"success", "failed", "skipped", "upstream_failed", "removed"}


def nothing_left_out(*_: Any) -> list[tuple[str, str]]:
    """A stale source is its own task's failure; what is built from it is built all the same."""
    return []


def after_the_build(context: dict[str, Any]) -> None:
    """Before a try: a second one waits for the end of the build, since the task then runs dbt itself.

    A build is never tried again (its second try is skipped), so after one the others run dbt at their first try, too:
    what they would read is why they were not built then.
    """
    task = context["task_instance"]
    producer = f"{task.task.task_group.group_id.split('.')[0]}.{PRODUCER_WATCHER_TASK_ID}"
    if task.task_id == producer:
        return
    while (state := _state(task, producer)) not in ENDED and task.try_number > 1:
        time.sleep(5)
    if state == "skipped":
        task.task._get_node_status = lambda *_: None


def _state(task: Any, producer: str) -> str | None:
    states = RuntimeTaskInstance.get_task_states(dag_id=task.dag_id, task_ids=[producer], run_ids=[task.run_id])
    return states.get(task.run_id, {}).get(producer)


def each_test_by_itself(group: DbtTaskGroup) -> None:
    """Tell the build's task which tests each watching task waits for: its model's own, or the one it stands for."""
    nodes = group.dbt_graph.nodes
    tests: dict[str, list[str]] = {}
    for id_, node in nodes.items():
        if node.resource_type == DbtResourceType.TEST:
            of_one = len(node.depends_on) == 1
            tests.setdefault(node.depends_on[0] if of_one else id_, []).append(id_)
    group.children[f"{group.group_id}.{PRODUCER_WATCHER_TASK_ID}"].tests_per_model = tests


PRODUCER = {"retries": 0, "freshness_callback": nothing_left_out}
WATCHERS = {"pre_execute": after_the_build, "poke_interval": 2}
