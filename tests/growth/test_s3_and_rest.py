"""If these fail, an s3:// warehouse or a REST catalog is no setting: an engine keeps to the folder or to JDBC,
or what is promised about crashes holds for a folder only.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ingest.catalog import catalog
from stack import supervision
from stack.settings import Settings
from tests.ingest.faults.case import Case
from tests.ingest.faults.deaths import killed_at

pytestmark = pytest.mark.integration
Lake = Callable[..., subprocess.CompletedProcess]


@pytest.mark.full  # a minute: what S3 and REST change is the commit, which the tests below make, too
def test_a_killed_ingester_loses_and_doubles_nothing(in_s3: Settings, tmp_path: Path) -> None:
    case = Case(in_s3, tmp_path, planned=2_000)
    try:
        case.produce(2_000)
        killed_at(case, "after_bronze_commit", 2)
        case.judge_so_far()
        case.drain()
        case.judge()
        for table in (case.bronze, case.gold):
            assert {row[0].split("/")[0] for row in case.query(f'select "$path" from {table}')} == {"s3:"}
    finally:
        case.close()
    assert not (in_s3.home / "warehouse").exists()


@pytest.mark.full  # two starts of three JVMs each
@pytest.mark.timeout(1800)
def test_executors_in_processes_of_their_own_write_the_same(
    in_s3: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is passed from task to task but by Spark, and nothing lies on the driver's disk only."""
    monkeypatch.setenv("LAKE_SPARK_MASTER", "local-cluster[2,1,1024]")
    case = Case(in_s3, tmp_path, planned=2_000, seed=8)
    try:
        case.produce(2_000)
        ingester = case.ingest("--once", hold="before_gold_commit:2")
        ingester.reaches("before_gold_commit")
        said = [process.cmdline() for process in ingester.jvm]
        executors = [words for words in said if any("CoarseGrainedExecutorBackend" in word for word in words)]
        assert len(executors) == 2
        ingester.kill()
        case.judge_so_far()
        case.drain()
        case.judge()
    finally:
        case.close()


def test_what_trino_writes_by_dbts_statements_and_pyiceberg_reads_is_the_same(in_s3: Settings, tmp_path: Path) -> None:
    case = Case(in_s3, tmp_path)
    for statement in (
        "create table silver.numbers with (partitioning = array['number']) as select 1 as number, 'a' as name",
        "create or replace view gold.numbers_now as select * from silver.numbers",
        "merge into silver.numbers as kept using (values (1, 'b'), (2, 'c')) as new (number, name) "
        "on kept.number = new.number when matched then update set name = new.name "
        "when not matched then insert values (new.number, new.name)",
        "create or replace table silver.numbers as select number, upper(name) as name from silver.numbers",
        "alter table silver.numbers execute optimize",
    ):
        case.query(statement)
    assert sorted(case.query("select * from gold.numbers_now")) == [[1, "B"], [2, "C"]]
    table = catalog(in_s3).load_table("silver.numbers")
    assert table.location().startswith("s3://lake/warehouse/")
    assert sorted(table.scan().to_arrow().column("name").to_pylist()) == ["B", "C"]


def test_both_are_parts_of_the_stack_that_no_other_machine_reaches(in_s3: Settings, run_lake: Lake) -> None:
    said = json.loads(run_lake("status", "--json").stdout)
    assert [(one["name"], one["ready"], one["port"]) for one in said["processes"] if one["name"] in ("s3", "rest")] == [
        ("s3", True, in_s3.s3_port), ("rest", True, in_s3.rest_port)
    ]  # fmt: skip
    for name in ("s3", "rest"):
        process = psutil.Process(supervision.states(in_s3)[name]["pid"])
        listening = {one.laddr.ip for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN}
        assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def test_its_home_can_not_be_opened_as_another_kind(in_s3: Settings, run_lake: Lake, tmp_path: Path) -> None:
    """Which kind it is, a later command knows from the home alone: no variable says it here."""
    for name, value in {"LAKE_WAREHOUSE": f"file://{tmp_path}", "LAKE_CATALOG_URI": ""}.items():
        done = run_lake("status", environment={name: value}, check=False)
        assert done.returncode == (2 if value else 0), done.stderr
    done = run_lake("verify", environment={"LAKE_WAREHOUSE": f"file://{tmp_path}"}, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "keeps its tables in S3, named by a REST catalog" in done.stderr
    assert "can't be opened as one that keeps them in a folder" in done.stderr


@pytest.mark.full
@pytest.mark.timeout(2700)
def test_the_demo_goes_the_whole_way(in_s3: Settings, run_lake: Lake) -> None:
    said = run_lake("demo", "--count", "2000", environment={"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}).stdout
    assert "gold.category_sales" in said
