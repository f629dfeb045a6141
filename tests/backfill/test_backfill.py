"""If these fail, a backfill leaves days as they were, changes what was right, or makes the next run lose records."""

from __future__ import annotations

import json
import random

import pytest
from dbt_warehouse import Warehouse
from order_records import Record
from typer.testing import CliRunner

from stack.cli import app

pytestmark = pytest.mark.integration
TYPES = ("ORDER_CREATED", "ORDER_PAID", "ORDER_SHIPPED", "ORDER_CANCELLED")
TABLES = ("order_events", "order_lifecycles", "order_items")
MODELS = ("run", "--select", "+order_items", "+order_lifecycles")
DAY = 86_400


def of_days(count: int, first_offset: int, days: int) -> list[Record]:
    """Records of orders that live for days, the first of which is 2026-01-01."""
    chance = random.Random(first_offset)
    return [
        Record(f"o{chance.randint(0, 20)}", chance.choice(TYPES), number, seconds=chance.randrange(days * DAY))
        for number in range(first_offset, first_offset + count)
    ]


def backfill(warehouse: Warehouse, *arguments: str):
    """The command, on the warehouse's schemas."""
    warehouse.point()
    days = ("--from", "2026-01-02", "--to", "2026-01-03")
    models = [word for table in TABLES for word in ("--select", table)]
    return CliRunner().invoke(app, ["backfill", *days, *models, *arguments, "--json"])


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
