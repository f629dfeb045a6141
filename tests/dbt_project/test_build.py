"""`dbt build` as people run it: from nothing, again with nothing new, and while somebody reads.

If this fails, an empty lake can't be started, or every run makes snapshots, or a dashboard shows an empty table.
"""
from __future__ import annotations

import threading

import pytest
from dbt_warehouse import LIVE_GOLD
from order_records import Record

pytestmark = pytest.mark.integration

LIVES = (
    ("a", "ORDER_CREATED"), ("b", "ORDER_CREATED"), ("a", "ORDER_PAID"), ("c", "ORDER_PAID"), ("b", "ORDER_CANCELLED"),
    ("b", "ORDER_PAID"), ("a", "ORDER_SHIPPED"), ("d", "ORDER_CREATED"), ("a", "ORDER_RETURNED"), ("d", "ORDER_PAID"),
    ("b", "ORDER_SHIPPED"),  # refused, so order_items looks again in every run and must find nothing to write
)  # fmt: skip
GONE_WRONG = '{"items": ' + "[" * 3000


def lives():
    records = [Record(order, kind, offset, seconds=60 * offset) for offset, (order, kind) in enumerate(LIVES)]
    return [*records, Record("e", "", len(LIVES), body=GONE_WRONG, error="bad_json")]


@pytest.fixture(scope="module")
def built(make_shared_warehouse):
    """A warehouse built from nothing, for tests that leave its rows as they are."""
    warehouse = make_shared_warehouse()
    records = lives()
    warehouse.land(records)
    warehouse.fold_live_gold(records)
    warehouse.dbt("build")
    return warehouse


def test_a_build_from_nothing_is_green_and_a_second_one_commits_nothing(built):
    before = built.snapshot_ids()
    assert set(before) == tables_of(built) > {"order_events", "order_lifecycles", "order_items"}

    built.dbt("build", "--exclude-resource-type", "unit_test")  # they read no table
    assert built.snapshot_ids() == before

    durations = "select status, orders_entered, orders_left, total_seconds from {prefix}gold.order_state_durations"
    assert sorted(built.query(durations)) == [
        ["CANCELLED", 1, 0, None], ["CREATED", 3, 3, 120 + 180 + 120], ["PAID", 2, 1, 240],
        ["RETURNED", 1, 0, None], ["SHIPPED", 1, 1, 120],
    ]  # fmt: skip


@pytest.mark.full
def test_a_build_of_an_empty_bronze_is_green(warehouse):
    warehouse.dbt("build", "--exclude-resource-type", "unit_test")
    warehouse.dbt("run")


def test_a_live_gold_that_disagrees_with_silver_turns_the_build_red(warehouse):
    records = lives()
    warehouse.land(records)
    warehouse.fold_live_gold(records)
    warehouse.query("update {prefix}gold.orders_current set current_status = 'PAID' where order_id = 'b'")
    judged = "+assert_silver_lifecycle_equals_live_gold"
    build = ("build", "--exclude-resource-type", "unit_test", "--select", judged, "--indirect-selection", "cautious")
    result = warehouse.dbt(*build, ok=False)

    red = {run.node.name: run.failures for run in result.result if run.status == "fail"}
    assert red == {"assert_silver_lifecycle_equals_live_gold": 1}

    # The same order is not judged while one side has records that the other has not.
    warehouse.land([Record("b", "ORDER_SHIPPED", 100)])
    warehouse.dbt(*build)


@pytest.mark.full  # the gate has test_readers.py, on more tables
def test_a_reader_never_meets_an_empty_or_missing_table_in_a_rebuild(built):
    counts, stop = [], threading.Event()

    def poll() -> None:
        while not stop.is_set():
            for table in ("order_events", "order_lifecycles", "order_items"):
                counts.append(built.query(f"select count(*) from {{prefix}}silver.{table}")[0][0])

    failures = []
    reader = threading.Thread(target=lambda: _collect(poll, failures))
    reader.start()
    try:
        for _ in range(3):
            built.dbt("run", "--full-refresh")
    finally:
        stop.set()
        reader.join()
    assert failures == []
    assert len(counts) > 20 and min(counts) > 0


def test_a_bronze_that_only_compacts_grows_stale(warehouse):
    """Freshness asks for the last append: rewriting files is not new data."""
    warehouse.land(lives())
    warehouse.land([Record("z", "ORDER_CREATED", 99)])
    appended = _max_loaded_at(warehouse)
    warehouse.query("alter table {prefix}bronze.orders_events execute optimize")
    assert _max_loaded_at(warehouse) == appended

    warehouse.land([Record("z", "ORDER_PAID", 100)])
    assert _max_loaded_at(warehouse) > appended


def test_docs_are_generated_with_every_mart_column_described(built):
    built.dbt("docs", "generate")
    catalog = built.query(
        "select table_name, column_name from information_schema.columns where table_schema = '{prefix}gold'"
    )
    described = {
        (node.name, column.name)
        for node in built.manifest.nodes.values()
        if node.resource_type == "model"
        for column in node.columns.values()
        if column.description
    }
    assert {tuple(one) for one in catalog if one[0] not in LIVE_GOLD} - described == set()


def tables_of(warehouse):
    """What dbt keeps as tables; the rest are views."""
    nodes = warehouse.manifest.nodes.values()
    return {node.alias for node in nodes if node.config.materialized in ("incremental", "snapshot")}


def _collect(work, failures) -> None:
    try:
        work()
    except Exception as error:
        failures.append(error)


def _max_loaded_at(warehouse):
    result = warehouse.dbt("source", "freshness", "--select", "source:bronze.orders_events")
    return result.result.results[0].max_loaded_at
