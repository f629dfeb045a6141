"""
### Does the ingester keep up?

Compares what Kafka holds with bronze, by dataset; red where more records wait than its `max_lag` (`ingest/datasets/`)
allows. The ingester is then restarted, where `lake up --with ingest` supervises it, and the failure is told either way.

**When**: five minutes past each hour. **When it is red**: `lake status`, then the ingester's log; what it says there is
in `docs/runbook.md`. A standstill loses nothing as long as Kafka keeps the records.
"""

from __future__ import annotations

from airflow.sdk import DAG

from orchestration.declare import at, defaults, lake

with DAG(
    "lag_check_hourly", doc_md=__doc__, schedule=at("5 * * * *"), **defaults("on-call", tags=("stream",), retries=0)
):
    lag = lake("lag", "lag")
    # The last task decides the run: it fails with `lag` unless the restart was all it took.
    lag >> lake("restart", "restart", "ingest", trigger_rule="one_failed") >> lake("lag_after", "lag", retries=3)
