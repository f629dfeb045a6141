"""If these fail, Trino does not start, or a container's Trino is not the one that was tested here."""
from __future__ import annotations

import re
import uuid
from pathlib import Path

import httpx
import pytest
from trino.dbapi import connect

from ingest.spark import RESTARTING
from stack import trino as engine
from stack.settings import CATALOG, PROJECT, Settings

FILES = [path for path in engine.ETC.rglob("*") if path.suffix in (".properties", ".config")]


def test_what_the_files_ask_of_the_environment_is_what_is_given(tmp_path: Path) -> None:
    asked = {name for path in FILES for name in re.findall(r"\$\{ENV:(\w+)}", path.read_text())}
    assert asked == set(engine.environment(Settings(home=tmp_path)))


def test_the_files_hold_no_address_port_or_login_of_one_machine() -> None:
    for path in FILES:
        said = "\n".join(engine.lines(path))
        assert not re.search(r"127\.0\.0\.1|:\d{4}\b|password=(?!\$)", said), path


def test_memory_given_by_the_settings_wins_over_the_files(tmp_path: Path) -> None:
    command = engine.command(Settings(home=tmp_path, trino_memory="2G"))
    assert [argument for argument in command if argument.startswith("-Xmx")][-1] == "-Xmx2G"


def test_two_stacks_spill_to_folders_of_their_own(tmp_path: Path) -> None:
    for home in (tmp_path / "one", tmp_path / "two"):
        assert f"-Dspiller-spill-path={home}/data/trino/spill" in engine.command(Settings(home=home))


def test_trino_and_spark_get_over_the_same_errors_of_a_restarting_postgresql() -> None:
    said = engine.lines(engine.ETC / "catalog" / "lake.properties")
    assert f"iceberg.jdbc-catalog.retryable-status-codes={RESTARTING}" in said
    assert f"<Item>{RESTARTING}</Item>" in (PROJECT / "stack" / "rest.xml").read_text()


def test_with_a_rest_catalog_trino_is_configured_as_without_but_for_the_catalog(tmp_path: Path) -> None:
    names = {folder: {path.name for path in (engine.ETC / folder).iterdir()} for folder in ("catalog", "catalog_rest")}
    assert names["catalog"] == names["catalog_rest"]
    for name in names["catalog"]:
        jdbc, rest = (engine.lines(engine.ETC / folder / name) for folder in names)
        other = [line for line in set(jdbc) ^ set(rest) if not re.match(r"iceberg\.(jdbc-|rest-)?catalog\.", line)]
        assert other == []
    for uri, folder in (("", "catalog"), ("http://elsewhere", "catalog_rest")):
        assert f"-Dcatalog.config-dir={engine.ETC}/{folder}" in engine.command(Settings(home=tmp_path, catalog_uri=uri))


@pytest.mark.integration
def test_years_of_days_are_written_by_one_statement(lake_stack: Settings) -> None:
    """As a full refresh of a table by day does; Trino's default ends it after a hundred of them."""
    table = f"days_{uuid.uuid4().hex[:8]}"
    with connect(host=lake_stack.host, port=lake_stack.trino_port, user="tests", catalog=CATALOG) as client:
        cursor = client.cursor()
        days = "sequence(date '2023-01-01', date '2025-12-31')"
        made = f"create table ops.{table} with (partitioning = array['day'])"
        cursor.execute(f"{made} as select day from unnest({days}) as days (day)").fetchall()
        assert cursor.execute(f'select count(*) from ops."{table}$partitions"').fetchall() == [[1096]]
        cursor.execute(f"drop table ops.{table}").fetchall()


@pytest.mark.integration
def test_what_a_query_holds_goes_to_disk_long_before_the_heap_is_full(lake_stack: Settings) -> None:
    """400 MB of rows to be sorted, of which the pool would take 640 in a gigabyte of heap before it gave any back."""
    assert lake_stack.trino_memory == "1G"
    many = "unnest(sequence(1, 1000)) as thousands (a) cross join unnest(sequence(1, 1000)) as ones (b)"
    rows = f"select a * 1000 + b as n, lpad(cast(a * 1000 + b as varchar), 400, 'x') as filler from {many}"
    placed = f"select row_number() over (partition by mod(n, 100000) order by filler) as place from ({rows})"
    with connect(host=lake_stack.host, port=lake_stack.trino_port, user="tests", catalog=CATALOG) as client:
        cursor = client.cursor()
        assert cursor.execute(f"select max(place), count(*) from ({placed})").fetchall() == [[10, 1_000_000]]
        assert cursor.stats["spilledBytes"] > 100 << 20


@pytest.mark.integration
def test_nothing_is_kept_of_the_keys_that_a_join_met(lake_stack: Settings) -> None:
    """Trino 476 keeps a filter for each set of keys, until no memory is left."""

    def filters_made() -> float:
        url = f"http://{lake_stack.host}:{lake_stack.trino_port}/metrics"
        said = httpx.get(url, headers={"X-Trino-User": "tests"}, timeout=30).raise_for_status().text
        return float(re.search(r"^\S+_ColumnarFilterCompiler_FilterCache_LoadCount (\S+)$", said, re.MULTILINE)[1])

    table, joins = f"ops.keys_{uuid.uuid4().hex[:8]}", 30
    with connect(host=lake_stack.host, port=lake_stack.trino_port, user="tests", catalog=CATALOG) as client:
        cursor = client.cursor()
        keys = "select 'key-' || cast(n as varchar) as key from unnest(sequence(1, 1000)) as numbers (n)"
        cursor.execute(f"create table {table} as {keys}").fetchall()
        before = filters_made()
        for _ in range(joins):
            some = f"select key from {table} order by random() limit 40"
            assert cursor.execute(f"select count(*) from {table} join ({some}) using (key)").fetchall() == [[40]]
        assert filters_made() - before < joins / 2
        cursor.execute(f"drop table {table}").fetchall()
