"""Who is told when something fails: the log always, and `LAKE_FAILURE_WEBHOOK` where it is set.

A webhook that can't be reached is a line in the log, never another failure.
"""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.request import Request, urlopen

from stack.settings import Settings

log = logging.getLogger(__name__)
PATIENCE = 10.0


def task_failed(context: dict[str, Any]) -> None:
    """For `on_failure_callback`: the task's last try has failed."""
    task = context["task_instance"]
    tell(
        "task failed",
        dag=task.dag_id,
        task=task.task_id,
        run=context["run_id"],
        attempt=task.try_number,
        cause=str(context.get("exception") or "unknown")[:500],
        see=getattr(task, "log_url", ""),
    )


async def deadline_missed(**context: Any) -> None:
    """For a `DeadlineAlert`: the run has not ended in time."""
    run = context.get("context", {}).get("dag_run", {})
    tell("deadline missed", dag=run.get("dag_id", ""), run=run.get("dag_run_id", ""))


def tell(what: str, **facts: object) -> None:
    """Log it, and post it as JSON: `{"event": …, …facts}`."""
    said = json.dumps({"event": what, **facts}, default=str)
    log.error("%s", said)
    if not (webhook := Settings().failure_webhook):
        return
    request = Request(webhook, said.encode(), {"Content-Type": "application/json"})
    try:
        urlopen(request, timeout=PATIENCE).close()
    except OSError as error:
        log.warning("the webhook was not told: %s", error)
