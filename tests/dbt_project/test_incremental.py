"""Incremental runs over any cut of the arrivals end in the rows of a full refresh.

dbt tests what is about to be merged, never the table it made; so the equality needs a harness. If this fails, what an
analyst sees depends on how often dbt ran.
"""
from __future__ import annotations

import random

import pytest
from order_records import Record

pytestmark = pytest.mark.integration

TYPES = ("ORDER_CREATED", "ORDER_PAID", "ORDER_SHIPPED", "ORDER_CANCELLED", "ORDER_RETURNED")
TABLES = ("order_events", "order_lifecycles", "order_items")
MODELS = ("run", "--select", "+order_items", "+order_lifecycles")
NESTED = '{"total_amount": 1, "items": ' + "[" * 3000 + "]" * 3000 + "}"
BODIES = (
    NESTED,
    '{"total_amount": NaN}',
    '{"total_amount": 1} garbage',
    '{"total_amount": 123456789012345678901234567890, "items": [{"quantity": 99999999999999999999}]}',
    '{"user_id": "\\ud800", "items": [{"sku": "\\udfff"}]}',
    '{"items": [1, null, {"sku": {}}]}',
    '{"items": [{"sku": "A", "sku": "B"}]}',
    "[]",
    "",
)


def arrivals(chance, count):
    """Records of orders whose events go on while others come: repeats, illegal steps, baskets that grow and shrink,
    keys that move to a partition added later, and a topic that is recreated."""
    next_offset, records = {}, []
    for number in range(count):
        epoch = 1 if number < count * 0.8 else 2
        partition = chance.randrange(2 if number < count // 2 else 3)
        order = chance.randint(0, count // 5)
        offset = next_offset.get((epoch, partition), 0)
        next_offset[epoch, partition] = offset + chance.choice([1, 1, 1, 4])
        event_type = chance.choice(TYPES)
        items = tuple(
            (f"SKU-{chance.randint(1, 5)}", chance.randint(1, 4), f"{chance.randint(1, 999)}.99", "Toys")
            for _ in range(chance.randint(0, 4))
        )
        records.append(
            Record(
                f"o{order}", event_type, offset, partition, epoch,
                event_id=chance.choice(["", "", f"o{order}-{event_type}"]),
                seconds=number + chance.randint(-50, 50),
                items=items,
                body=chance.choice(BODIES) if chance.random() < 0.05 else None,
                error=chance.choice(["bad_json", "event_time_range"]) if chance.random() < 0.05 else None,
            )
        )
    return records


def check_random_cuts(warehouse, seed, count, cuts):
    chance = random.Random(seed)
    records = arrivals(chance, count)
    ends = sorted({*chance.sample(range(1, count), cuts - 1), count})
    for first, last in zip([0, *ends], ends, strict=False):
        warehouse.land(records[first:last])
        warehouse.dbt(*MODELS)
    cut = {table: warehouse.rows(table) for table in TABLES}

    warehouse.dbt(*MODELS, "--full-refresh")
    for table in TABLES:
        assert cut[table] == warehouse.rows(table), f"{table}: seed {seed}, cut after {ends}"
    assert all(cut.values())


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.full)])
def test_any_cut_of_the_arrivals_equals_a_full_refresh(warehouse, seed):
    check_random_cuts(warehouse, seed, count=300, cuts=5)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 120))
def test_any_cut_of_ten_thousand_arrivals_equals_a_full_refresh(warehouse, seed):
    check_random_cuts(warehouse, seed, count=10_000, cuts=8)


def test_a_partition_that_lags_is_read_from_where_it_was(warehouse):
    """Partition 1's first offsets arrive after partition 0 is far ahead, and change what partition 0's events did."""
    ahead = [Record("a", "ORDER_PAID", offset, 0, seconds=100 + offset) for offset in range(50)]
    late = [Record("a", "ORDER_CREATED", 0, 1, seconds=1), Record("b", "ORDER_CREATED", 1, 1, seconds=2)]
    warehouse.land(ahead)
    warehouse.dbt(*MODELS)
    assert warehouse.query("select current_status from {prefix}silver.order_lifecycles") == [[None]]
    warehouse.land(late)
    warehouse.dbt(*MODELS)

    lifecycles = "select order_id, current_status, rejected_events from {prefix}silver.order_lifecycles order by 1"
    assert warehouse.query(lifecycles) == [["a", "PAID", 49], ["b", "CREATED", 0]]


def test_a_partition_that_was_quiet_for_days_is_read_from_where_it_was(warehouse):
    """Nothing of partition 1 is among the newest arrivals, which are all that is usually looked at."""
    orders = ("run", "--select", "+order_events")
    warehouse.land([Record("a", "ORDER_CREATED", 0, 0), Record("b", "ORDER_CREATED", 0, 1)])
    warehouse.dbt(*orders)
    warehouse.batches += 10 * 24 * 60
    warehouse.land([Record("a", "ORDER_PAID", 1, 0)])
    warehouse.dbt(*orders)
    warehouse.land([Record("a", "ORDER_SHIPPED", 2, 0), Record("b", "ORDER_PAID", 1, 1)])
    warehouse.dbt(*orders)

    events = "select order_id, event_type, is_duplicate from {prefix}silver.order_events order by 1, kafka_offset"
    assert warehouse.query(events) == [
        ["a", "ORDER_CREATED", False], ["a", "ORDER_PAID", False], ["a", "ORDER_SHIPPED", False],
        ["b", "ORDER_CREATED", False], ["b", "ORDER_PAID", False],
    ]  # fmt: skip


def test_lines_that_vanish_from_a_basket_go_in_the_same_commit(warehouse):
    three = [("A", 1, "1.00", "Toys"), ("B", 1, "1.00", "Toys"), ("C", 1, "1.00", "Toys")]
    many = '{"items": [' + ", ".join(["{}"] * 12_000) + "]}"
    warehouse.land([Record("a", "ORDER_CREATED", 0, items=three), Record("b", "ORDER_CREATED", 1, items=three)])
    warehouse.land([Record("c", "ORDER_CREATED", 2, body=many)])
    warehouse.dbt(*MODELS)
    commits = 'select count(*) from {prefix}silver."order_items$snapshots"'
    before = warehouse.query(commits)[0][0]
    assert warehouse.query("select count(*) from {prefix}silver.order_items") == [[12_006]]
    warehouse.land([Record("a", "ORDER_PAID", 3, items=three[1:2]), Record("b", "ORDER_PAID", 4, items=[])])
    warehouse.land([Record("c", "ORDER_PAID", 5, body="{}")])
    warehouse.dbt(*MODELS)

    assert warehouse.query("select order_id, line_number, sku from {prefix}silver.order_items") == [["a", 1, "B"]]
    assert warehouse.query(commits)[0][0] == before + 1
