"""Trino and Spark make the same rows of the same bronze.

If this fails, a model says one thing to whoever queries Trino and another to whoever runs the project on Spark.
"""
from __future__ import annotations

import shutil
import uuid

import pytest
from dbt_warehouse import DBT_PROJECT, Warehouse
from order_records import Record

from prove.parity import prove_parity, widest

pytestmark = pytest.mark.integration

LIFE = ("ORDER_CREATED", "ORDER_PAID", "ORDER_SHIPPED", "ORDER_CANCELLED", "ORDER_RETURNED", "ORDER_PAID")
ODD = (
    '{"total_amount": "12.345", "user_id": 7.1, "items": [{"sku": 7.10, "quantity": 1e0, "unit_price": 0.005}]}',
    '{"total_amount": 1234567890123456.785, "user_id": {"a": 1}, "items": [{"sku": {"a": 1}, "category": [1]}, {}]}',
    '{"total_amount": 1e30, "user_id": "{}", "currency": "", "items": []}',
    '{"total_amount": null, "user_id": "\\u00e9 \\"x\\"", "currency": true, "items": {"sku": "A"}}',
    '{"user_id": " a ", "payment_method": "null", "items": [{"sku": null, "quantity": "2", "unit_price": "x"}]}',
)
FEW = ("order_items", "order_state_durations", "fct_order_conversion_hourly", "category_sales")


def records(count):
    """Orders that live through steps both legal and not, with baskets that grow and shrink and bodies of every type."""
    found = []
    for number in range(count):
        order, step = f"o{number % (count // 5)}", number // (count // 5)
        items = [(f"SKU-{number % 7}", 1 + line, f"{number % 90}.99", "Toys") for line in range(number % 4)]
        body = ODD[number // 10 % len(ODD)] if number % 10 == 3 else None
        error = "bad_json" if number % 50 == 7 else None
        event_type = LIFE[(number + step) % len(LIFE)] if number % 6 == 5 else LIFE[step % 3]
        found.append(
            Record(
                order, event_type, number // 2, number % 2, seconds=number * 97 % 100_000, items=tuple(items),
                body='{"user_id": "u", "items": [' if error else body, error=error,
            )
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def landed(lake_stack):
    warehouse = Warehouse(lake_stack.host, lake_stack.trino_port, f"t{uuid.uuid4().hex[:8]}_", None)
    warehouse.create()
    warehouse.land(records(1_000))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LAKE_BRONZE_SCHEMA", f"{warehouse.prefix}bronze")
        environment.setenv("LAKE_LIVE_GOLD_SCHEMA", f"{warehouse.prefix}gold")
        # Spark lives for seconds here: without the optimising compiler it starts on fewer of them.
        environment.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
        environment.setenv("LAKE_SPARK_DRIVER_MEMORY", "1g")
        yield warehouse
    warehouse.drop()


def different(found):
    return {one.subject for one in found if not one.is_equal}


def test_models_have_the_same_rows_on_both_engines(lake_stack, landed):
    found = prove_parity(lake_stack, select=[f"+{name}" for name in FEW])
    assert different(found) == set(), found
    assert {one.subject for one in found} >= {*FEW, "stg_orders__events", "order_events", "order_lifecycles"}
    assert all(one.rows_left for one in found)
    left_behind = landed.query("show schemas from lake like 'parity%'")
    assert left_behind == []


def test_a_macro_that_is_wrong_on_spark_is_seen(lake_stack, landed, tmp_path):
    project = tmp_path / "dbt_project"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    macro = project / "macros" / "seconds_between.sql"
    planted = macro.read_text().replace(" div 1000)", " div 1001)")
    assert planted != macro.read_text()
    macro.write_text(planted)

    found = prove_parity(lake_stack, cuts=1, select=["+order_state_durations"], project=project)
    assert different(found) == {"order_state_durations"}


@pytest.mark.parametrize(
    ("trino", "kind"),
    [
        ("integer", "bigint"), ("varchar(7)", "varchar"), ("decimal(28,2)", "decimal(38,2)"),
        ("timestamp(3) with time zone", "timestamp(6) with time zone"),
        ('map(integer, row("a" decimal(5, 4), "b" varchar(1)))', 'map(bigint, row("a" decimal(38,4), "b" varchar))'),
    ],
)  # fmt: skip
def test_types_differ_by_kind_and_scale_only(trino, kind):
    assert widest(trino) == kind
