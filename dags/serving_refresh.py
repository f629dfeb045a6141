"""
### Are dashboards fresh?

Asks how old each table of PostgreSQL's schema `realtime` is, and is red where one is older than half a minute: the
refresher (`lake up --with refresh`) should keep them younger.

**When**: every ten minutes. **To refresh now**: trigger it with *refresh* on; that is safe beside a running refresher.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from orchestration.declare import at, defaults, lake

ASKED = Param(False, type="boolean", title="refresh", description="Refresh first, whoever else does.")

with DAG(
    "serving_refresh",
    doc_md=__doc__,
    schedule=at("*/10 * * * *"),
    params={"refresh": ASKED},
    **defaults("on-call", tags=("serving",), retries=1),
):
    refresh = lake("refresh", "refresh", "--once", only_if="{{ params.refresh }}")
    refresh >> lake("check", "refresh", "--check", trigger_rule="none_failed")
