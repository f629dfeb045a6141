"""Mends what Cosmos' tasks that watch one `dbt build` don't see by themselves (astronomer-cosmos 1.15.1).

A test of several models would be green unseen, and a task tried again while the build goes on would read its old
failure.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from airflow.sdk.exceptions import AirflowException
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from cosmos import DbtTaskGroup
from cosmos.constants import PRODUCER_WATCHER_TASK_ID, DbtResourceType
from cosmos.dbt.graph import is_freshness_effective

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
    if _is_unasked(task.task):
        task.task._get_node_status = lambda *_: "success"
        return
    task.task._log_startup_events = lambda *_: None  # dbt's version, asked for at every look
    task.task._handle_no_dbt_node_status = partial(_no_word_of_it, task.task._handle_no_dbt_node_status)
    while (state := _state(task, producer)) not in ENDED and task.try_number > 1:
        time.sleep(5)
    if state == "skipped":
        task.task._get_node_status = lambda *_: None


def _is_unasked(watcher: Any) -> bool:
    """A source that is not asked for its freshness: no build says anything of it, its tests are tasks of their own."""
    node = getattr(watcher, "extra_context", {}).get("dbt_node_config", {})
    if node.get("resource_type") != "source" or getattr(watcher, "is_test_sensor", False):
        return False
    return not is_freshness_effective(node["config"].get("freshness"))


def _no_word_of_it(goes_on: Callable[..., bool], producer_state: str | None, *more: Any) -> bool:
    """Not for ever: a build that ended well without the node has left it out."""
    if producer_state == "success":
        raise AirflowException("dbt's build has ended well and said nothing of this node")
    return goes_on(producer_state, *more)


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
# They wait in their slots: one that defers is started twice, and what waits for it in the triggerer asks as often.
WATCHERS = {"pre_execute": after_the_build, "poke_interval": 3, "deferrable": False}
