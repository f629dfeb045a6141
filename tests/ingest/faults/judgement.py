"""What of bronze and gold is not as it must be: bronze by what the broker acknowledged, gold by the reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from tests.ingest.faults.reference import Row, folded

BRONZE = (
    "topic_epoch", "kafka_partition", "kafka_offset", "kafka_timestamp", "entity_key", "error", "body", "body_bytes",
)  # fmt: skip
GOLD = (
    "order_id", "user_id", "current_status", "status_changed_at", "total_amount", "currency", "payment_method", "items",
    "last_event_id", "kafka_partition", "kafka_offset", "rejected_events", "last_rejected_type",
    "last_rejected_offset", "seen_event_ids", "topic_epoch", "absorbed",
)  # fmt: skip


def bronze_differences(bronze: list[Row], sent: list[Row]) -> list[str]:
    """Records lost, doubled or changed, and those whose readability was misjudged."""
    held = Counter((*_place(row), row["entity_key"], _digest(row)) for row in bronze)
    due = Counter((*_place(line), line["key"], line["value_sha256"]) for line in sent)
    lost, more = due - held, held - due
    malformed = {_place(line) for line in sent if line["kind"].startswith("malformed")}
    misread = [row for row in bronze if (row["error"] is not None) != (_place(row) in malformed)]
    found = {"lacks": list(lost.elements()), "has too many": list(more.elements()), "misread": misread}
    return [f"bronze {what} {len(which)}: {which[:3]}" for what, which in found.items() if which]


def gold_differences(gold: list[Row], bronze: list[Row]) -> list[str]:
    """Orders whose row is not what the events in bronze make of them."""
    live = {row["order_id"]: _comparable(row) for row in gold}
    should = folded(bronze)
    twice = ["gold has an order twice"] if len(live) != len(gold) else []
    return twice + [
        f"gold of {order} is {live.get(order)}, should be {should.get(order)}"
        for order in sorted(live.keys() | should.keys())
        if live.get(order) != should.get(order)
    ]


def torn(bronze: list[Row], gold: list[Row], sent: list[Row]) -> list[str]:
    """What no crash may leave: bronze other than `sent` up to its own end, gold other than bronze up to its fence.

    A gold that is ahead of bronze, since bronze was rolled back, is not judged.
    """
    end = _ends((row["topic_epoch"], row["kafka_partition"], row["kafka_offset"]) for row in bronze)
    fence = _ends((row["topic_epoch"], *place) for row in gold for place in row["absorbed"].items())
    found = bronze_differences(bronze, [line for line in sent if _is_within(end, line)])
    if all(offset <= end.get(place, -1) for place, offset in fence.items()):
        found += gold_differences(gold, [row for row in bronze if _is_within(fence, row)])
    return found


def _ends(places: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int], int]:
    """The highest offset by (epoch, partition)."""
    ends: dict[tuple[int, int], int] = {}
    for epoch, partition, offset in places:
        ends[epoch, partition] = max(offset, ends.get((epoch, partition), -1))
    return ends


def _is_within(ends: dict[tuple[int, int], int], row: Row) -> bool:
    return row["kafka_offset"] <= ends.get((row["topic_epoch"], row["kafka_partition"]), -1)


def _place(row: Row) -> tuple[int, int, int]:
    return row["topic_epoch"], row["kafka_partition"], row["kafka_offset"]


def _digest(row: Row) -> str | None:
    value = row["body_bytes"] if row["body"] is None else row["body"].encode()
    return None if value is None else sha256(value).hexdigest()


def _comparable(row: Row) -> Row:
    items = row["items"] and [tuple(item) for item in row["items"]]
    return row | {"items": items, "seen_event_ids": sorted(row["seen_event_ids"])}
