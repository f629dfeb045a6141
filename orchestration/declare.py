"""What every DAG of the lakehouse has: owner, retries, who is told, the time zone; and `lake` commands as tasks."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk.definitions.timetables.trigger import CronTriggerTimetable

from orchestration.notify import task_failed
from stack.airflow_config import POOL
from stack.settings import settings

TAG = "lakehouse"


def defaults(owner: str, *, tags: tuple[str, ...] = (), retries: int | None = None, **more: Any) -> dict[str, Any]:
    """Arguments of a DAG."""
    return {
        "catchup": False,
        "max_active_runs": 1,
        "tags": [TAG, *tags],
        "start_date": pendulum.datetime(2026, 1, 1, tz=settings().schedule_timezone),
        "default_args": {
            "owner": owner,
            "retries": settings().task_retries if retries is None else retries,
            "retry_delay": timedelta(seconds=settings().task_retry_seconds),
            "on_failure_callback": task_failed,
        },
        **more,
    }


def at(cron: str) -> CronTriggerTimetable:
    """A schedule in the configured time zone, so that summer time moves no hour of it."""
    return CronTriggerTimetable(cron, timezone=settings().schedule_timezone)


def lake(
    task_id: str,
    *words: str,
    env: dict[str, str] | None = None,
    only_if: str = "True",
    alone: bool = False,
    **more: Any,
) -> BashOperator:
    """A task that is a `lake` command.

    `$NAME` in `words` is a value of `env`, which may be a template and is never read as code. `only_if` is a template:
    empty, False or None skips the task. `alone`: while no task writes dbt's tables.
    """
    said = " ".join(f'"{word}"' if word.startswith("$") else shlex.quote(word) for word in ("lake", *words))
    if alone:
        more |= {"pool": POOL, "pool_slots": settings().airflow_parallelism}
    return BashOperator(
        task_id=task_id,
        bash_command=f'case "$ONLY_IF" in ""|False|None) exit 99;; esac; exec {said}',
        env={"ONLY_IF": only_if, **(env or {})},
        append_env=True,
        **more,
    )
