"""If these fail, what a crash leaves is judged wrong: a tear passes, or a mere beginning is called one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from tests.ingest.faults.judgement import GOLD, Row, torn
from tests.ingest.faults.reference import folded

AT = datetime(2026, 1, 27, 12, tzinfo=UTC)


def record(offset: int, order: str = "a", type_: str = "ORDER_CREATED") -> Row:
    body = json.dumps(
        {
            "event_id": f"e{offset}", "event_type": type_, "event_timestamp": 1_769_500_000, "user_id": "u",
            "total_amount": 1.5, "currency": "USD", "payment_method": "CARD", "items": [],
        }
    )  # fmt: skip
    return {
        "topic_epoch": 1, "kafka_partition": 0, "kafka_offset": offset, "kafka_timestamp": AT, "entity_key": order,
        "error": None, "body": body, "body_bytes": None,
    }  # fmt: skip


def line(row: Row) -> Row:
    place = {name: row[name] for name in ("topic_epoch", "kafka_partition", "kafka_offset")}
    return place | {"key": row["entity_key"], "value_sha256": sha256(row["body"].encode()).hexdigest(), "kind": "event"}


ROWS = [record(0), record(1, "b"), record(2, "a", "ORDER_PAID"), record(3, "b", "ORDER_PAID")]
SENT = [line(row) for row in ROWS]


def gold(rows: list[Row]) -> list[Row]:
    return [{name: row[name] for name in GOLD} for row in folded(rows).values()]


@pytest.mark.parametrize("in_bronze", range(5))
def test_beginnings_are_whole(in_bronze: int) -> None:
    for in_gold in range(in_bronze + 1):
        assert torn(ROWS[:in_bronze], gold(ROWS[:in_gold]), SENT) == []


def test_a_record_lost_doubled_or_changed_below_the_end_is_seen() -> None:
    changed = ROWS[1] | {"body": ROWS[2]["body"]}
    for bronze in (ROWS[1:], [ROWS[0], *ROWS[2:]], [*ROWS, ROWS[1]], [ROWS[0], changed, *ROWS[2:]]):
        assert torn(bronze, [], SENT)[0].startswith("bronze ")


def test_a_gold_that_skipped_or_doubled_an_event_below_its_fence_is_seen() -> None:
    skipped = gold([ROWS[0], ROWS[1], ROWS[3]])
    rejected_twice = [row | {"rejected_events": 1} for row in gold(ROWS)]
    for live in (skipped, rejected_twice, gold(ROWS)[1:], [*gold(ROWS), gold(ROWS)[0]]):
        assert any(difference.startswith("gold ") for difference in torn(ROWS, live, SENT))


def test_a_gold_ahead_of_a_bronze_that_was_rolled_back_is_not_judged() -> None:
    assert torn(ROWS[:2], gold(ROWS), SENT) == []
