"""
### Days of silver again, or a live gold beside the live one

Trigger it with a range of days of event time (UTC): the plan comes first and is in the log of `plan`; then the
incremental models are rebuilt for those days and tested. With *live gold* set, that table is rebuilt from bronze
instead, beside the live one, and compared with it.

One at a time, and nothing else writes dbt's tables meanwhile. At most 31 days. Safe to repeat: days that were so
already change nothing, so a run that was interrupted is triggered again as it was.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from orchestration.declare import defaults, lake

DAYS = {"FROM": "{{ params.first_day }}", "TO": "{{ params.last_day }}"}
RANGE = ("--from", "$FROM", "--to", "$TO")
TABLE = {"TABLE": "{{ params.live_gold }}"}

with DAG(
    "backfill",
    doc_md=__doc__,
    schedule=None,
    params={
        "first_day": Param(None, type=["null", "string"], format="date", description="first day, UTC"),
        "last_day": Param(None, type=["null", "string"], format="date", description="last day, included"),
        "live_gold": Param("", type="string", pattern="^[a-z_]*$", description="a live gold, such as orders_current"),
    },
    **defaults("on-call", tags=("by hand",), retries=0),
):
    plan = lake("plan", "backfill", *RANGE, "--plan", env=DAYS, only_if="{{ not params.live_gold }}")
    plan >> lake("rebuild", "backfill", *RANGE, env=DAYS, alone=True)
    plan_replay = lake("plan_replay", "replay", "$TABLE", "--plan", env=TABLE, only_if=TABLE["TABLE"])
    plan_replay >> lake("replay", "replay", "$TABLE", "--verify", env=TABLE)
