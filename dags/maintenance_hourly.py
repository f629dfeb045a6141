"""
### Few files, few snapshots

`lake maintain` for every table that has a policy (`upkeep` in `ingest/datasets/`, `meta: upkeep:` in dbt): bronze is
packed in hours that are over, dbt's tables as a whole, a live gold by its own ingester; old snapshots expire. The log
has files, delete files, snapshots and metadata files of each table before and after.

**When**: a quarter past each hour; at 03:15 of `LAKE_SCHEDULE_TIMEZONE` files that belong to no snapshot are removed,
too, and what the home gathers beside its tables (old checkpoints, Spark's folders, Airflow's logs). Waits until no dbt
task runs, and dbt's wait for it. **When it is red**: run it again, what was done stays done.
"""

from __future__ import annotations

from airflow.sdk import DAG

from orchestration.declare import at, defaults, lake

DAILY = "{{ dag_run.run_after.astimezone(dag.timezone).hour == 3 }}"

with DAG(
    "maintenance_hourly", doc_md=__doc__, schedule=at("15 * * * *"), **defaults("on-call", tags=("upkeep",), retries=1)
):
    maintain = lake("maintain", "maintain", "--all", alone=True)
    maintain >> lake("orphans", "maintain", "--all", "--orphans", alone=True, only_if=DAILY)
    lake("leftovers", "maintain", "--leftovers", only_if=DAILY)
