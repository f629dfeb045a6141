"""Whoever reads a mart while it is built again sees all of it, every time.

If this fails, a dashboard that refreshes during a run shows an empty chart, half of one, or an error.
"""
from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random

import pytest
from content_records import arrivals, changes
from dbt_warehouse import ITEMS
from order_records import Record
from user_event_records import NOON, UserEvent, live_rows

pytestmark = pytest.mark.integration

TENTH_OF_A_SECOND = 0.1
ORDERS = [
    Record("a", "ORDER_CREATED", 0), Record("a", "ORDER_PAID", 1), Record("b", "ORDER_CREATED", 2),
    Record("a", "ORDER_SHIPPED", 3), Record("c", "ORDER_CREATED", 4), Record("c", "ORDER_CANCELLED", 5),
]  # fmt: skip
BASKET = f"cast(array[row('A', 1, 1.00, 'Toys')] as {ITEMS})"


def shop_events():
    kinds = ("login", "click", "purchase")
    return [
        UserEvent(number, event_id=f"e{number}", event_type=kinds[number % 3], user_id=1 + number % 7,
                  happened=NOON + timedelta(hours=5 * number), page=f"/{number % 4}")
        for number in range(30)
    ]  # fmt: skip


@pytest.fixture
def filled(warehouse):
    """A warehouse whose every stream has events and whose live golds have rows."""
    warehouse.land(ORDERS)
    warehouse.fold_live_gold(ORDERS)
    warehouse.query(f"update {{prefix}}gold.orders_current set items = {BASKET}")
    events = shop_events()
    warehouse.append("bronze.user_events", [event.row(NOON) for event in events])
    for table, rows in live_rows(events).items():
        warehouse.append(f"gold.{table}", rows)
    state = ["v", 1, 1, 1, 1, NOON, None, 0, 0, 1, {0: 0}, NOON]
    warehouse.append("gold.virality_state", [state])
    views, history = arrivals(Random(1), 100), changes(Random(1), 100)
    warehouse.append("bronze.raw_events", [event.row(NOON) for event in views])
    for table in ("users_changes", "videos_changes"):
        rows = [change.row(number, NOON) for number, change in enumerate(history) if change.table == table]
        warehouse.append(f"bronze.{table}", rows)
    warehouse.dbt("build", "--exclude-resource-type", "test", "unit_test")
    return warehouse


def marts(warehouse):
    """Every relation that dbt makes in gold."""
    nodes = warehouse.manifest.nodes.values()
    return sorted(
        node.alias for node in nodes if node.resource_type == "model" and node.schema == f"{warehouse.prefix}gold"
    )


@contextmanager
def reader(warehouse, tables) -> Iterator[list[dict[str, int]]]:
    """Counts the rows of all `tables`, ten times a second or as fast as it goes; yields what it saw."""
    sql = " union all ".join(f"select '{table}', count(*) from {{prefix}}gold.{table}" for table in tables)
    seen, errors, stop = [], [], threading.Event()

    def poll() -> None:
        while not stop.is_set():
            began = time.monotonic()
            try:
                seen.append(dict(warehouse.query(sql)))
            except Exception as error:
                errors.append(error)
            stop.wait(max(0, TENTH_OF_A_SECOND - (time.monotonic() - began)))

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
    assert errors == []


def check_a_reader(warehouse, runs):
    tables = marts(warehouse)
    with reader(warehouse, tables) as first:
        wait_for(first, 1)
    whole = first[0]
    assert {table for table, rows in whole.items() if not rows} == set(), "a mart without rows shows nothing here"

    with reader(warehouse, tables) as seen:
        for arguments in runs:
            warehouse.dbt(*arguments)
    assert len(seen) > 2 * len(runs)
    assert [counts for counts in seen if counts != whole] == []


def test_a_reader_sees_whole_marts_while_they_are_built_again(filled):
    check_a_reader(filled, [("run", "--full-refresh"), ("run",)])


@pytest.mark.full
def test_a_reader_sees_whole_marts_through_twenty_builds(filled):
    check_a_reader(filled, [("build", "--full-refresh"), ("build",)] * 10)


def test_a_table_that_is_emptied_before_it_is_filled_is_seen(warehouse):
    """Planted: a table filled in two steps, as an enforced contract on a table would do it."""
    warehouse.query("create table {prefix}gold.planted as select 1 as one")
    with reader(warehouse, ["planted"]) as seen:
        wait_for(seen, 1)
        warehouse.query("delete from {prefix}gold.planted")
        wait_for(seen, len(seen) + 2)
        warehouse.query("insert into {prefix}gold.planted values 1")
        wait_for(seen, len(seen) + 2)
    assert seen[0] == seen[-1] == {"planted": 1} and {"planted": 0} in seen


def wait_for(seen, count):
    while len(seen) < count:
        time.sleep(TENTH_OF_A_SECOND)
