"""The windows of order_events against a plain loop over each order's events.

If this fails, silver and the live gold tell different stories of the same order.
"""
from __future__ import annotations

import random

import pytest
from order_records import Record, judge

pytestmark = pytest.mark.integration

TYPES = ("ORDER_CREATED", "ORDER_PAID", "ORDER_SHIPPED", "ORDER_CANCELLED", "ORDER_RETURNED")
LENGTH = 6

ALL_SEQUENCES = f"""
insert into {{prefix}}bronze.orders_events (
    event_id, event_type, event_time, entity_key, topic, topic_epoch, kafka_partition, kafka_offset,
    kafka_timestamp, ingested_at, body, partition_time
)
with types (digit, name) as (values {", ".join(f"({digit}, '{name}')" for digit, name in enumerate(TYPES))})
select
    concat(cast(sequence as varchar), '-', cast(step as varchar)), types.name, timestamp '2026-01-01 00:00:00 UTC',
    cast(sequence as varchar), 'orders', 1, 0, cast(sequence * {LENGTH} + step as bigint),
    timestamp '2026-01-01 00:00:00 UTC', timestamp '2026-01-01 00:00:00 UTC', '{{{{}}}}',
    timestamp '2026-01-01 00:00:00 UTC'
from unnest(sequence(0, 124)) as high (high)
cross join unnest(sequence(0, 124)) as low (low)
cross join unnest(sequence(0, {LENGTH - 1})) as steps (step)
cross join lateral (select high * 125 + low) as numbered (sequence)
inner join types on types.digit = mod(sequence / cast(power(5, step) as bigint), 5)
"""


def outcomes(warehouse):
    return {
        tuple(row[:3]): tuple(row[3:])
        for row in warehouse.query(
            "select topic_epoch, kafka_partition, kafka_offset, event_number, is_duplicate, is_applied, status_after "
            "from {prefix}silver.order_events"
        )
    }


def expected(records):
    orders = {}
    for one in records:
        orders.setdefault(one.order_id, []).append(one)
    return {
        identity: (one.event_number, one.is_duplicate, one.is_applied, one.status_after)
        for events in orders.values()
        for identity, one in judge(events).items()
    }


def test_every_sequence_of_six_event_types_is_judged_as_a_plain_loop_does(warehouse):
    warehouse.query(ALL_SEQUENCES)
    warehouse.dbt("run", "--select", "+order_events")

    records = [
        Record(str(sequence), TYPES[sequence // 5**step % 5], sequence * LENGTH + step)
        for sequence in range(5**LENGTH)
        for step in range(LENGTH)
    ]
    found = {identity: outcome for identity, outcome in outcomes(warehouse).items()}
    assert len(found) == len(records) == LENGTH * 5**LENGTH
    assert found == expected(records)


def test_repeats_unknown_types_and_two_partitions_are_judged_as_a_plain_loop_does(warehouse):
    chance = random.Random(11)
    offsets, records = [0, 0, 0], []
    for number in range(300):
        pinned = chance.choice([None, 0, 1, 2])
        for _ in range(chance.randint(1, 9)):
            partition = chance.randrange(3) if pinned is None else pinned
            event_type = chance.choice([*TYPES, *TYPES[:2], "ORDER_LOST"])
            event_id = chance.choice(["", f"{number}-repeated", f"{number}-{event_type}"])
            seconds = chance.randint(0, 9)
            error = "event_time_range" if chance.random() < 0.05 else None
            records.append(
                Record(
                    f"o{number}", event_type, offsets[partition], partition,
                    event_id=event_id, seconds=seconds, error=error,
                )
            )
            offsets[partition] += 1
    warehouse.land(records)
    warehouse.dbt("run", "--select", "+order_events")

    assert outcomes(warehouse) == expected(records)
