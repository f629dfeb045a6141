"""If these fail, a backfill leaves days as they were, changes what was right, or makes the next run lose records."""

from __future__ import annotations

import json
import random
from datetime import timedelta

import pytest
from content_records import arrivals as content_arrivals
from dbt_warehouse import Warehouse
from order_records import Record
from typer.testing import CliRunner
from user_event_records import NOON
from user_event_records import arrivals as user_arrivals

from stack.cli import app

pytestmark = pytest.mark.integration
TYPES = ("ORDER_CREATED", "ORDER_PAID", "ORDER_SHIPPED", "ORDER_CANCELLED")
TABLES = ("order_events", "order_lifecycles", "order_items")
OF_OTHER_STREAMS = ("user_event_records", "int_user_days_counted", "duplicate_rate", "content_events", "sessions")
MODELS = ("run", "--select", "+order_items", "+order_lifecycles")
DAY = 86_400


def of_days(count: int, first_offset: int, days: int) -> list[Record]:
    """Records of orders that live for days, the first of which is 2026-01-01."""
    chance = random.Random(first_offset)
    return [
        Record(f"o{chance.randint(0, 20)}", chance.choice(TYPES), number, seconds=chance.randrange(days * DAY))
        for number in range(first_offset, first_offset + count)
    ]


def backfill(warehouse: Warehouse, *arguments: str, models=TABLES, first="2026-01-02", last="2026-01-03"):
    """The command, on the warehouse's schemas."""
    warehouse.point()
    chosen = [word for model in models for word in ("--select", model)]
    return CliRunner().invoke(app, ["backfill", "--from", first, "--to", last, *chosen, *arguments, "--json"])


@pytest.mark.usefixtures("parsed_once")
def test_days_are_rebuilt_once_and_only_they(warehouse: Warehouse) -> None:
    refused = backfill(warehouse)
    assert refused.exit_code == 1 and "not there yet" in refused.stderr
    warehouse.land(of_days(100, 0, 5))
    warehouse.dbt(*MODELS)
    right = {table: warehouse.rows(table) for table in TABLES}

    before = warehouse.snapshot_ids()
    assert backfill(warehouse).exit_code == 0
    assert warehouse.snapshot_ids() == before  # nothing was wrong, nothing is committed

    within = "event_time >= timestamp '2026-01-02 00:00 UTC' and event_time < timestamp '2026-01-04 00:00 UTC'"
    warehouse.query(f"delete from {{prefix}}silver.order_events where {within} and mod(kafka_offset, 3) = 0")
    warehouse.query(f"update {{prefix}}silver.order_events set total_amount = 0 where {within}")
    orders = f"order_id in (select order_id from {{prefix}}silver.order_events where {within})"
    warehouse.query(f"update {{prefix}}silver.order_lifecycles set current_status = 'X' where {orders}")
    planned = json.loads(backfill(warehouse, "--plan").stdout)
    assert {part["model"] for part in planned["models"]} == set(TABLES)
    assert all(part["days"] == 2 and part["records"] > 30 for part in planned["models"])

    # These are newer than anything dbt has seen, and not of the days: a run after the backfill must still find them.
    later = of_days(30, 100, 1)
    warehouse.land([*later, Record("o1", "ORDER_PAID", 130, seconds=DAY + 60)])
    done = backfill(warehouse)
    assert done.exit_code == 0, done.stderr
    assert all(json.loads(done.stdout)["changed"].values())
    warehouse.dbt(*MODELS)
    after = {table: warehouse.rows(table) for table in TABLES}
    warehouse.dbt(*MODELS, "--full-refresh")
    assert after == {table: warehouse.rows(table) for table in TABLES} != right


@pytest.mark.usefixtures("parsed_once")
@pytest.mark.full
def test_days_of_the_other_streams_are_rebuilt_with_what_counts_them(warehouse: Warehouse) -> None:
    chance = random.Random(5)
    arrived = NOON + timedelta(days=2)
    warehouse.append("bronze.user_events", [record.row(arrived) for record in user_arrivals(chance, 200)])
    warehouse.append("bronze.raw_events", [record.row(arrived) for record in content_arrivals(chance, 200)])
    warehouse.dbt("run", "--select", *(f"+{model}" for model in OF_OTHER_STREAMS))
    right = {table: warehouse.rows(table) for table in OF_OTHER_STREAMS}
    assert all(right.values())

    within = "event_date between date '2026-01-10' and date '2026-01-11'"
    timeless = "select count(*) from {prefix}silver.user_event_records where event_time is null and " + within
    assert warehouse.query(timeless) != [[0]]  # rejected: those are of the day of Kafka's timestamp
    for table in ("user_event_records", "content_events"):
        warehouse.query(f"delete from {{prefix}}silver.{table} where {within} and mod(kafka_offset, 3) = 0")
        warehouse.query(f"update {{prefix}}silver.{table} set is_duplicate = not is_duplicate where {within}")
    warehouse.query(f"update {{prefix}}silver.int_user_days_counted set dau_count = 999 where {within}")
    warehouse.query(f"update {{prefix}}silver.duplicate_rate set record_count = 999 where {within}")
    ended = "date(started_at) >= date '2026-01-10' and date(ended_at) <= date '2026-01-11'"
    warehouse.query(f"update {{prefix}}silver.sessions set event_count = 999 where {ended}")

    for changes in (True, False):
        done = backfill(warehouse, models=OF_OTHER_STREAMS, first="2026-01-10", last="2026-01-11")
        assert done.exit_code == 0, done.stderr
        assert set(json.loads(done.stdout)["changed"].values()) == {changes}
        assert {table: warehouse.rows(table) for table in OF_OTHER_STREAMS} == right
