"""If this fails, a lake that was lost can't be had back from its backup, or comes back with rows lost or doubled.

The disaster: PostgreSQL and the warehouse are gone, Kafka's disk is not. The lake goes on in another home, on other
ports.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from short_lived import FAST_START
from trino.exceptions import TrinoUserError

import trino
from stack.settings import PROJECT, Settings

pytestmark = pytest.mark.integration
Lake = Callable[..., subprocess.CompletedProcess]
PATIENCE = 600  # seconds; a quiet machine needs a twentieth


def settings_of(environment: dict[str, str]) -> Settings:
    return Settings(**{name.removeprefix("LAKE_").lower(): at for name, at in environment.items() if "LAKE_" in name})


def query(stack: Settings, sql: str) -> list[list[Any]]:
    with trino.dbapi.connect(host=stack.host, port=stack.trino_port, user="tests", catalog="lake") as client:
        return client.cursor().execute(sql).fetchall()


def arrives(stack: Settings, wanted: int) -> None:
    """Wait until bronze has so many rows."""
    deadline, found = time.monotonic() + PATIENCE, 0
    while found != wanted:
        assert time.monotonic() < deadline, f"bronze has {found} rows, not {wanted}"
        time.sleep(0.5)
        with suppress(TrinoUserError):  # the ingester has not made the table yet
            [[found]] = query(stack, "select count(*) from bronze.orders_events")


@pytest.fixture
def datasets(tmp_path: Path) -> dict[str, str]:
    """Orders alone: one stream with a live gold that has delete files."""
    folder = tmp_path / "datasets"
    folder.mkdir()
    shutil.copy(PROJECT / "ingest" / "datasets" / "orders.yml", folder)
    return {"LAKE_DATASETS": str(folder), "LAKE_SPARK_DRIVER_MEMORY": "1g", "JAVA_TOOL_OPTIONS": FAST_START}


@pytest.mark.timeout(1800)  # two stacks and four starts of Spark one after the other, on a busy machine a minute each
def test_a_lake_lost_after_its_backup_goes_on_elsewhere_from_its_own_fence(
    another_stack: Callable[[Path], dict[str, str]], run_lake: Lake, datasets: dict[str, str], tmp_path: Path
) -> None:
    backup, lost, found = tmp_path / "backup", tmp_path / "lost", tmp_path / "found"
    before, after = another_stack(lost) | datasets, another_stack(found) | datasets
    try:
        run_lake("up", "--with", "ingest", environment=before)
        run_lake("produce", "orders", "--count", "2000", "--seed", "7", environment=before)
        stack = settings_of(before)
        query(stack, "create table silver.numbers as select * from (values 1, 2, 3) as t (number)")
        query(stack, "delete from silver.numbers where number = 2")
        query(stack, "create view silver.odd as select number from silver.numbers")
        query(stack, "create schema serving.gold")
        query(stack, "create table serving.gold.kept as select 42 as answer")
        arrives(stack, 2000)
        with ThreadPoolExecutor() as beside:
            more = ("produce", "orders", "--count", "2000", "--seed", "8", "--rate", "300")
            producing = beside.submit(run_lake, *more, environment=before)
            said = json.loads(run_lake("backup", str(backup), "--json", environment=before).stdout)
            producing.result()
        held = {f"{table['namespace']}.{table['name']}": table for table in said["tables"]}
        records = held["bronze.orders_events"]["records"]
        assert 2000 <= records <= 4000
        assert {held["silver.odd"]["kind"], held["silver.numbers"]["kind"]} == {"VIEW", "TABLE"}
        arrives(stack, 4000)  # what came after the backup is lost with the rest, and will be read again from Kafka
    finally:
        run_lake("down", environment=before, check=False)

    shutil.rmtree(lost / "warehouse")
    shutil.rmtree(lost / "data" / "postgres")
    (found / "data").mkdir(parents=True)
    (lost / "data" / "kafka").rename(found / "data" / "kafka")
    refused = run_lake("restore", str(backup), environment=after, check=False)
    assert (refused.returncode, f"LAKE_WAREHOUSE=file://{lost}/warehouse" in refused.stderr) == (2, True)
    after["LAKE_WAREHOUSE"] = f"file://{lost}/warehouse"
    run_lake("restore", str(backup), environment=after)
    try:
        run_lake("up", environment=after)
        stack = settings_of(after)
        assert query(stack, "select count(*) from bronze.orders_events") == [[records]]
        for (snapshot,) in query(stack, 'select snapshot_id from gold."orders_current$snapshots"'):
            query(stack, f"select count(*), count(absorbed) from gold.orders_current for version as of {snapshot}")
        assert query(stack, "select array_agg(number order by number) from silver.odd") == [[[1, 3]]]
        url = stack.database_url(stack.serving_database).replace("lake:lake@", "reader:reader@")
        with psycopg.connect(url) as dashboard:
            assert dashboard.execute("select answer from gold.kept").fetchall() == [(42,)]
        run_lake("ingest", "--once", environment=after)
        once = "select count(*), count(distinct (kafka_partition, kafka_offset)) from bronze.orders_events"
        assert query(stack, once) == [[4000, 4000]]
        with ThreadPoolExecutor() as beside:
            list(beside.map(lambda words: run_lake(*words, environment=after), (("verify",), ("prove", "replay"))))
    finally:
        run_lake("down", environment=after, check=False)
