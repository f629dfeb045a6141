"""
### Days of silver again, or a live gold beside the live one

Trigger it with a range of days of event time (UTC): the plan comes first and is in the log of `plan`; then the
incremental models are rebuilt for those days and tested. With *live gold* set, that table is rebuilt from bronze
instead, beside the live one: all of it, and compared with the live one, or the offsets above *from* and up to *to*
(`0:100,1:250` is offset 100 of partition 0 and 250 of partition 1), into `gold.<live gold>__shadow`.

One at a time, and nothing else writes dbt's tables meanwhile. At most 31 days, or 10 million rows of bronze; the plan
refuses offsets that bronze doesn't hold. Safe to repeat: days that were so already change nothing, a shadow is made
anew, so a run that was interrupted is triggered again as it was.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from orchestration.declare import defaults, lake

DAYS = {"FROM": "{{ params.first_day }}", "TO": "{{ params.last_day }}"}
RANGE = ("--from", "$FROM", "--to", "$TO")
TABLE = {
    "TABLE": "{{ params.live_gold }}",
    "FROM": "{{ params.from_offsets }}",
    "TO": "{{ params.to_offsets }}",
    "EPOCH": "{{ params.topic_epoch }}",
}
OFFSETS = ("--from", "$FROM", "--to", "$TO", "--epoch", "$EPOCH")
ASKED, BOUNDED = "{{ params.live_gold }}", "(params.from_offsets or params.to_offsets)"
PAIRS = r"^(\d+:-?\d+(,\d+:-?\d+)*)?$"

with DAG(
    "backfill",
    doc_md=__doc__,
    schedule=None,
    params={
        "first_day": Param(None, type=["null", "string"], format="date", description="first day, UTC"),
        "last_day": Param(None, type=["null", "string"], format="date", description="last day, included"),
        "live_gold": Param("", type="string", pattern="^[a-z_]*$", description="a live gold, such as orders_current"),
        "from_offsets": Param("", type="string", pattern=PAIRS, description="partition:offset,…; what lies above"),
        "to_offsets": Param("", type="string", pattern=PAIRS, description="partition:offset,…; the last ones included"),
        "topic_epoch": Param(1, type="integer", minimum=1, description="of those offsets"),
    },
    **defaults("on-call", tags=("by hand",), retries=0),
):
    plan = lake("plan", "backfill", *RANGE, "--plan", env=DAYS, only_if="{{ not params.live_gold }}")
    plan >> lake("rebuild", "backfill", *RANGE, env=DAYS, alone=True)
    plan_replay = lake("plan_replay", "replay", "$TABLE", *OFFSETS, "--plan", env=TABLE, only_if=ASKED)
    whole = f"{{{{ params.live_gold and not {BOUNDED} }}}}"
    plan_replay >> lake("replay", "replay", "$TABLE", "--verify", env=TABLE, only_if=whole)
    part = f"{{{{ params.live_gold and {BOUNDED} }}}}"
    plan_replay >> lake("replay_offsets", "replay", "$TABLE", *OFFSETS, env=TABLE, only_if=part)
