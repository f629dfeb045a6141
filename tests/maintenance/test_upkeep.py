"""If these fail, upkeep touches files that a writer is adding to, loses rows, or never asks a live gold's writer."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

import trino
from ingest import upkeep
from maintenance.policy import Kept, Upkeep
from maintenance.requests import ask
from maintenance.tables import files, keep_up, said_of, statements
from stack.settings import CATALOG, Settings

pytestmark = pytest.mark.integration
Query = Callable[[str], list[list[Any]]]


@pytest.fixture
def query(lake_stack: Settings) -> Iterator[Query]:
    with trino.dbapi.connect(host=lake_stack.host, port=lake_stack.trino_port, user="tests", catalog=CATALOG) as client:
        yield lambda sql: client.cursor().execute(sql).fetchall()


@pytest.fixture(params=["hour", "day"])
def partition_by(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def table(query: Query, partition_by: str) -> Iterator[str]:
    """Three files of an hour or day that is over and two of the present one, like bronze's."""
    name = f"ops.upkeep_{uuid.uuid4().hex[:8]}"
    query(
        f"create table {name} (number bigint, partition_time timestamp(6) with time zone) "
        f"with (partitioning = array['{partition_by}(partition_time)'])"
    )
    now = datetime.now(UTC)
    for number, at in enumerate([now - timedelta(days=2)] * 3 + [now] * 2):
        query(f"insert into {name} values ({number}, timestamp '{at:%Y-%m-%d %H:%M:%S} UTC')")
    yield name
    query(f"drop table {name}")


def test_bronze_is_packed_where_nothing_is_added_any_more_and_keeps_its_rows(
    query: Query, table: str, partition_by: str
) -> None:
    done = keep_up(query, Kept(table, "bronze", Upkeep(), partition_by), True, lambda _: pytest.fail("nobody is asked"))
    assert (done.before.data_files, done.after.data_files) == (5, 3)
    assert query(f"select array_sort(array_agg(number)) from {table}") == [[[0, 1, 2, 3, 4]]]
    assert done.after.snapshots > 1, "a reader of this morning's snapshot still finds it"


@pytest.mark.parametrize("partition_by", ["hour"], indirect=True)
def test_a_table_made_by_trino_keeps_the_last_metadata_files_and_deletes_the_others(query: Query, table: str) -> None:
    """An insert makes one or two of them, and without the property none is ever deleted."""
    [[location]] = query(f'select max("file") from ops."{table.split(".")[1]}$metadata_log_entries"')
    folder = Path(location.removeprefix("file://")).parent if location.startswith("file:") else None
    done = keep_up(query, Kept(table, "dbt", Upkeep(keep_metadata=2)), False, lambda _: pytest.fail("nobody is asked"))
    query(f"insert into {table} values (5, current_timestamp)")
    assert done.before.metadata_files >= 6
    assert files(query, table).metadata_files == 3
    assert folder is None or len(list(folder.glob("*.metadata.json"))) == 3
    assert query(f"select count(*) from {table}") == [[6]]
    again = statements(Kept(table, "dbt", Upkeep(keep_metadata=2)), datetime.now(UTC), False, said_of(query, table))
    assert not any("set properties" in one for one in again), "a commit an hour for nothing"


def test_a_live_gold_s_writer_rewrites_it_once_for_each_time_it_is_asked(
    lake_stack: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOOK_SECONDS", 0)
    table, rewritten, stop = f"gold.t{uuid.uuid4().hex[:8]}", [], threading.Event()
    writer = upkeep.Requests(lake_stack, table)
    began = time.monotonic()
    assert not ask(lake_stack, table, 60), "nobody answered, so nobody may say that it was done"
    assert time.monotonic() - began < 30, "there is no ingester to wait for"

    def write() -> None:
        while not stop.wait(0.1):
            writer.answer(lambda: rewritten.append(table))

    thread = threading.Thread(target=write)
    thread.start()
    url = lake_stack.database_url(lake_stack.catalog_database)
    try:
        with psycopg.connect(url, application_name="lake ingest pid 1"):  # as an ingester's lease
            assert ask(lake_stack, table, 30)
    finally:
        stop.set()
        thread.join()
    assert 1 <= len(rewritten) <= 2  # the request that nobody answered may have been met, too
    writer.answer(lambda: pytest.fail("nobody has asked again"))
