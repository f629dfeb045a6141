"""If these fail, a DAG that nobody watches is green or red for nothing.

Each runs once under the scheduler, on a small lake, and what it was for is looked at in the lake itself.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from bench.airflow_api import Airflow
from stack.dbt import Dbt
from stack.settings import Settings
from stack.warehouse import Warehouse
from tests.dags.conftest import Lake

pytestmark = [
    pytest.mark.integration,
    pytest.mark.full,
    pytest.mark.parametrize("running", ["watcher"], indirect=True, scope="module"),
]
STREAMS = ("orders", "content_events", "user_events")
SILVER = "silver.order_events"
HELD = "select count(*), sum(kafka_offset), sum(total_amount) from silver.order_events"
BUILD = ("build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


@pytest.fixture(scope="module")
def lake(running: Airflow, lake_stack: Settings, run_lake: Lake) -> Warehouse:
    """A thousand events of each stream in bronze and live gold."""
    for stream in STREAMS:
        run_lake("produce", stream, "--count", "1000", "--seed", "11")
    run_lake("ingest", "--once")
    return Warehouse(lake_stack)


def ended(running: Airflow, dag: str, run: str) -> dict[str, str]:
    """How each task of the run ended, when it has."""
    running.wait(dag, run, 900)
    return {task: state for task, (state, _tries) in running.tasks(dag, run).items()}


def started(running: Airflow, dag: str, **said: Any) -> str:
    """A run by hand of a DAG, when those that the clock began have ended; the first is what the clock begins."""
    runs = running.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]
    if not said and not runs:
        return running.unpause(dag)
    running.call("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})
    for run in runs:
        running.wait(dag, run["dag_run_id"], 900)
    body = {"logical_date": None, **said}
    return running.call("POST", f"/api/v2/dags/{dag}/dagRuns", body)["dag_run_id"]


def log_of(lake_stack: Settings, dag: str, run: str, task: str) -> str:
    """What the task's last try said."""
    tries = sorted((lake_stack.logs / "airflow" / f"dag_id={dag}" / f"run_id={run}" / f"task_id={task}").glob("*.log"))
    return tries[-1].read_text()


def test_dimensions_daily_lands_feeds_and_says_so_to_those_who_wait(running: Airflow, lake: Warehouse) -> None:
    run = started(running, "dimensions_daily")
    assert set(ended(running, "dimensions_daily", run).values()) == {"success"}
    [[users, first, last]] = lake.rows("select count(*), min(feed_date), max(feed_date) from bronze.users_changes")
    assert users > 0 and first < last
    assert lake.rows("select count(*) from silver.dim_users") > [[0]]


def test_a_missed_deadline_is_told(running: Airflow, lake_stack: Settings, told: list[dict]) -> None:
    """The run waits, its DAG being paused; its deadline is moved to a minute ago, where Airflow keeps it."""
    dag = "lakehouse_bronze_to_gold"
    run = running.trigger(dag)
    try:
        with psycopg.connect(lake_stack.database_url(lake_stack.airflow_database), autocommit=True) as metadata:
            moved = "update deadline set deadline_time = now() - interval '1 minute'"
            due = "select deadline_time - now() from deadline"
            assert timedelta(hours=2, minutes=50) < metadata.execute(due).fetchone()[0] <= timedelta(hours=3)
            assert metadata.execute(moved).rowcount == 1
        until = time.monotonic() + 120
        while not (said := [one for one in told if one["event"] == "deadline missed"]) and time.monotonic() < until:
            time.sleep(1)
        assert [(one["dag"], one["run"]) for one in said] == [(dag, run)]
    finally:
        running.call("DELETE", f"/api/v2/dags/{dag}/dagRuns/{quote(run)}")


@pytest.mark.timeout(3_000)
def test_what_reads_the_dimensions_runs_whole_when_they_have_new_history(
    running: Airflow, lake: Warehouse, lake_stack: Settings
) -> None:
    """Nobody asks for the run: the assets of the dimensions' tasks do."""
    dag = "lakehouse_bronze_to_gold"
    run = started(running, "dimensions_daily")  # what the first run reads, whichever tests came before
    assert set(ended(running, "dimensions_daily", run).values()) == {"success"}
    by_the_clock = running.unpause(dag)
    assert set(ended(running, dag, by_the_clock).values()) == {"success"}
    run = started(running, "dimensions_daily", conf={})
    assert set(ended(running, "dimensions_daily", run).values()) == {"success"}
    until = time.monotonic() + 120
    while not (asked := [one["dag_run_id"] for one in of_assets(running, dag)]) and time.monotonic() < until:
        time.sleep(2)
    [by_the_assets] = asked
    assert set(ended(running, dag, by_the_assets).values()) == {"success"}
    assert "nodes ran" in log_of(lake_stack, dag, by_the_assets, "all_ran")
    running.call("PATCH", f"/api/v2/dags/{dag}", {"is_paused": True})
    assert lake.rows("select count(*) from gold.category_sales") > [[0]]


def of_assets(running: Airflow, dag: str) -> list[dict[str, Any]]:
    """The runs of a DAG that assets have begun."""
    runs = running.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]
    return [one for one in runs if one["run_type"] == "asset_triggered"]


def test_backfill_brings_back_the_rows_of_a_range_of_days(
    running: Airflow, lake: Warehouse, lake_stack: Settings, tmp_path: Path
) -> None:
    Dbt(lake_stack, tmp_path).run(*BUILD)
    whole = lake.rows(HELD)
    today = datetime.now(UTC).date()
    first = today - timedelta(days=3)
    lake.rows(f"delete from {SILVER} where mod(kafka_offset, 7) = 1 and event_time >= timestamp '{first} 00:00 UTC'")
    assert lake.rows(HELD) != whole
    run = started(running, "backfill", conf={"first_day": str(first), "last_day": str(today)})
    tasks = ended(running, "backfill", run)
    assert (tasks["plan"], tasks["rebuild"]) == ("success", "success")
    assert {tasks[one] for one in ("plan_replay", "replay", "replay_offsets")} == {"skipped"}
    assert lake.rows(HELD) == whole


def test_backfill_folds_a_range_of_offsets_beside_live_and_refuses_what_bronze_has_not(
    running: Airflow, lake: Warehouse, lake_stack: Settings
) -> None:
    parts = "select kafka_partition, max(kafka_offset) from bronze.orders_events where topic_epoch = 1 group by 1"
    last = dict(lake.rows(parts))
    up_to = {partition: offset // 2 for partition, offset in last.items() if offset > 1}
    said = {"live_gold": "orders_current", "from_offsets": ",".join(f"{p}:-1" for p in up_to)}
    bounds = ",".join(f"{partition}:{offset}" for partition, offset in up_to.items())
    live = lake.snapshot("gold.orders_current")
    run = started(running, "backfill", conf=said | {"to_offsets": bounds})
    tasks = ended(running, "backfill", run)
    assert (tasks["plan_replay"], tasks["replay_offsets"]) == ("success", "success")
    assert {tasks[one] for one in ("plan", "rebuild", "replay")} == {"skipped"}
    within = " or ".join(f"(kafka_partition = {p} and kafka_offset <= {offset})" for p, offset in up_to.items())
    orders = "select count(distinct entity_key) from bronze.orders_events where error is null and topic_epoch = 1"
    assert lake.rows("select count(*) from gold.orders_current__shadow") == lake.rows(f"{orders} and ({within})")
    assert lake.snapshot("gold.orders_current") == live

    run = started(running, "backfill", conf=said | {"to_offsets": "0:99999999"})
    tasks = ended(running, "backfill", run)
    assert tasks["plan_replay"] == "failed" and tasks["replay_offsets"] == "upstream_failed"
    refusal = f"--to 0:99999999: bronze holds the offsets 0 to {last[0]} of partition 0 in epoch 1"
    assert refusal in log_of(lake_stack, "backfill", run, "plan_replay")
    lake.rows("drop table gold.orders_current__shadow")


def test_maintenance_packs_what_the_backfill_left_and_clears_the_home_at_three(
    running: Airflow, lake: Warehouse, lake_stack: Settings
) -> None:
    counted = 'select count_if(content = 0), count_if(content <> 0) from silver."order_events$files"'
    [[files, deletes]] = lake.rows(counted)
    whole = lake.rows(HELD)
    assert deletes > 0, "the backfill before this left nothing to pack"
    at_three = datetime.now(UTC).replace(hour=3, minute=15, second=0) - timedelta(days=1)
    run = started(running, "maintenance_hourly", run_after=at_three.isoformat())
    assert ended(running, "maintenance_hourly", run) == dict.fromkeys(("maintain", "orphans", "leftovers"), "success")
    [[files_after, deletes_after]] = lake.rows(counted)
    assert deletes_after == 0 and files_after <= files
    assert lake.rows(HELD) == whole
    kept = "select value from silver.\"order_events$properties\" where key = 'write.metadata.previous-versions-max'"
    assert lake.rows(kept) == [["20"]]
    assert f"{SILVER}: files " in "".join(
        log_of(lake_stack, "maintenance_hourly", one["dag_run_id"], "maintain")
        for one in running.call("GET", "/api/v2/dags/maintenance_hourly/dagRuns")["dag_runs"]
    )
    assert "runs in Airflow's logs: " in log_of(lake_stack, "maintenance_hourly", run, "leftovers")


def test_the_lag_is_in_the_log_and_nothing_is_restarted_where_it_is_short(
    running: Airflow, lake: Warehouse, lake_stack: Settings
) -> None:
    run = started(running, "lag_check_hourly")
    assert ended(running, "lag_check_hourly", run) == {"lag": "success", "restart": "skipped", "lag_after": "skipped"}
    said = log_of(lake_stack, "lag_check_hourly", run, "lag")
    assert all(f"ok      {stream}: 0 records wait" in said for stream in STREAMS)


def test_serving_is_refreshed_when_asked_and_red_when_it_is_old(
    running: Airflow, lake: Warehouse, lake_stack: Settings, told: list[dict]
) -> None:
    with psycopg.connect(lake_stack.database_url(lake_stack.serving_database), autocommit=True) as served:
        rows = "select count(*) from realtime.orders_by_status_now"
        served.execute("delete from realtime.orders_by_status_now")
        run = started(running, "serving_refresh", conf={"refresh": True})
        assert ended(running, "serving_refresh", run)["refresh"] == "success"
        assert served.execute(rows).fetchone()[0] > 0
    time.sleep(31)
    run = started(running, "serving_refresh")
    assert ended(running, "serving_refresh", run) == {"refresh": "skipped", "check": "failed"}
    assert "OLD" in log_of(lake_stack, "serving_refresh", run, "check")
    assert {"serving_refresh"} <= {one["dag"] for one in told if one.get("run") == run}
    running.call("PATCH", "/api/v2/dags/serving_refresh", {"is_paused": True})
