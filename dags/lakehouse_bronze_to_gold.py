"""
### From bronze to what people read

Every model, test and source of dbt's project that is no dimension: silver, marts, and the tables in PostgreSQL.

**When**: each day at 06:00 of `LAKE_SCHEDULE_TIMEZONE`, for the day before, and whenever `dimensions_daily` has new
history. **Deadline**: 09:00. A missed one is told as a failure is: in the log, and to `LAKE_FAILURE_WEBHOOK`.

**When it is red**: the task's log names the model. What it reads is unchanged, so clear the task and it runs again;
what comes after it has waited. `all_ran` compares what dbt ran with the manifest, so a green run has left nothing out.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, AssetOrTimeSchedule, AsyncCallback, DeadlineAlert, DeadlineReference

from orchestration.dbt_tasks import all_ran, asset, dbt_docs, dbt_tasks, made_for
from orchestration.declare import at, defaults
from orchestration.notify import deadline_missed

# Clocks are changed before six, so three hours later it is nine on every day of the year.
BEGIN, IN_TIME = "0 6 * * *", timedelta(hours=3)

with DAG(
    "lakehouse_bronze_to_gold",
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(timetable=at(BEGIN), assets=(asset("dim_users") & asset("dim_videos"))),
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=IN_TIME, callback=AsyncCallback(deadline_missed)
    ),
    **defaults("analysts", tags=("dbt", "daily")),
):
    dbt = dbt_tasks("dbt", exclude=made_for("models/dimensions"))
    dbt >> all_ran(dbt) >> dbt_docs()
