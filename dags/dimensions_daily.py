"""
### Users and videos, as they were and are

Lands each day's feed in bronze, keeps every change in the snapshots, and tests the history computed from them. What it
renews is what `lakehouse_bronze_to_gold` waits for.

**When**: each day at 05:00 of `LAKE_SCHEDULE_TIMEZONE`. Days that are there already are skipped, days that are missing
are made up for, so a day on which this did not run needs nothing.
"""

from __future__ import annotations

from airflow.sdk import DAG

from orchestration.dbt_tasks import all_ran, dbt_tasks, made_for
from orchestration.declare import at, defaults, lake
from stack.airflow_config import POOL

with DAG("dimensions_daily", doc_md=__doc__, schedule=at("0 5 * * *"), **defaults("analysts", tags=("dbt", "daily"))):
    dbt = dbt_tasks("dbt", select=made_for("models/dimensions"))
    lake("load", "dimensions", "load", pool=POOL) >> dbt >> all_ran(dbt)
