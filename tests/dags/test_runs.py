"""If these fail, a run is green that did less than it says, or red work looks done, or a second try tries nothing.

`dimensions_daily` under the real scheduler: sources, staging, snapshots, views, tests of every kind, little else.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.error import HTTPError

import psutil
import pytest

from bench.airflow_api import Airflow
from stack import airflow, supervision
from stack.airflow_config import dbt_manifest, home
from stack.settings import Settings
from tests.dags.conftest import sql, stop

pytestmark = pytest.mark.integration
DAG = "dimensions_daily"
NOBODY = -1
RETRIES = 0  # a person asks for the second try here


def processes(lake: Settings) -> list[psutil.Process]:
    supervisor = str(lake.run / "supervisord.conf")
    return [one for one in supervision.strays(lake, airflow.ENGINES) if supervisor not in one.cmdline()]


def results(lake: Settings, run: str) -> list[tuple[Path, dict]]:
    """Each dbt command's results of one run, by file."""
    kept = [path for path in (home(lake) / "results" / DAG).glob("*/*.json") if path.parent.name in as_folder(run)]
    return [(path, one) for path in sorted(kept) for one in json.loads(path.read_text())["results"]]


def as_folder(run: str) -> set[str]:
    return {run.replace(":", "_").replace("+", "_")}


def made_by(manifest: dict) -> set[str]:
    """The models and snapshots that the DAG is there for."""
    nodes = {id_: node for id_, node in manifest["nodes"].items() if node["resource_type"] != "test"}
    of_dimensions = {id_ for id_, node in nodes.items() if "dimensions" in node["original_file_path"]}
    return of_dimensions | {id_ for id_, node in nodes.items() if node["resource_type"] == "snapshot"}


def test_a_green_run_has_run_what_the_manifest_has(running: Airflow, lake_stack: Settings) -> None:
    run = running.unpause(DAG)
    assert running.wait(DAG, run) == "success", running.tasks(DAG, run)
    assert {state for state, _tries in running.tasks(DAG, run).values()} == {"success"}

    manifest = json.loads(dbt_manifest(lake_stack).read_text())
    tests = {id_: node for id_, node in manifest["nodes"].items() if node["resource_type"] == "test"}
    tests |= manifest["unit_tests"]
    ours = made_by(manifest)
    ours |= {id_ for id_, test in tests.items() if ours & set(test["depends_on"]["nodes"])}
    ended = {one["unique_id"]: one["status"] for _path, one in results(lake_stack, run)}
    assert ours - set(ended) == set()
    assert set(ended.values()) <= {"success", "pass", "warn", "no-op"}

    waits_for = running.call("GET", "/api/v2/assets?dag_ids=lakehouse_bronze_to_gold&limit=200")["assets"]
    wanted = {one["id"] for one in waits_for if any(by["dag_id"] != DAG for by in one["scheduled_dags"])}
    told_of = running.call("GET", f"/api/v2/assets/events?source_dag_id={DAG}&limit=200")["asset_events"]
    assert len(wanted) == 2
    assert wanted <= {one["asset_id"] for one in told_of if one["source_run_id"] == run}, "what waits for it never runs"


def test_a_failing_test_ends_red_and_a_second_try_really_runs(
    running: Airflow, lake_stack: Settings, told: list[dict]
) -> None:
    """A row that no feed has turns a source's test red, so nothing may be built from it; without it, all of it runs."""
    bronze = "bronze.users_changes"
    sql(lake_stack, f"insert into {bronze} (user_id, operation) values ({NOBODY}, 'nonsense')")
    try:
        run = running.trigger(DAG)
        assert running.wait(DAG, run) == "failed"
    finally:
        sql(lake_stack, f"delete from {bronze} where user_id = {NOBODY}")
    red = running.tasks(DAG, run)
    assert red["dbt.dimensions_users_changes.test"][0] == "failed"
    after = ("dbt.stg_dimensions__user_changes.run", "dbt.user_changes_snapshot", "dbt.dim_users.run", "all_ran")
    assert {red[task][0] for task in after} == {"upstream_failed"}
    assert {one["task"] for one in told if one["run"] == run} >= {"dbt.dimensions_users_changes.test"}

    before = {path for path, _one in results(lake_stack, run)}
    running.clear_failed(DAG, run)
    assert running.wait(DAG, run) == "success", running.tasks(DAG, run)
    again = {one["unique_id"] for path, one in results(lake_stack, run) if path not in before}
    assert {"model.millrace.dim_users", "snapshot.millrace.user_changes"} <= again
    assert any(id_.startswith("test.millrace.source_accepted_values_dimensions_users_changes") for id_ in again)


def test_dbt_s_docs_are_in_airflow_s_pages(running: Airflow, lake_stack: Settings) -> None:
    assert "dbt_docs_index.html" in running.page("/cosmos/millrace/dbt_docs")


def test_a_person_who_is_not_logged_in_sees_nothing(running: Airflow) -> None:
    stranger = object.__new__(Airflow)
    stranger._url, stranger._token = running._url, "x"
    with pytest.raises(HTTPError) as refused:
        stranger.call("GET", "/api/v2/dags")
    assert refused.value.code in (401, 403)


def test_it_listens_on_loopback_only_and_leaves_no_process(running: Airflow, lake_stack: Settings) -> None:
    """The last of this file: Airflow is stopped here."""
    before = processes(lake_stack)
    listening = [c.laddr for one in before for c in one.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert {address.port for address in listening} == {lake_stack.airflow_port}
    stop(lake_stack)
    psutil.wait_procs(before, timeout=20)
    assert processes(lake_stack) == []
