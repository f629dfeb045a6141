"""The order lifecycle in plain Python: what a gold row must say, written apart from the fold's SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

LEGAL = {
    (None, "ORDER_CREATED"),
    ("CREATED", "ORDER_PAID"),
    ("CREATED", "ORDER_CANCELLED"),
    ("PAID", "ORDER_SHIPPED"),
    ("PAID", "ORDER_CANCELLED"),
    ("SHIPPED", "ORDER_RETURNED"),
}


@dataclass(frozen=True)
class Event:
    """A readable bronze row, as far as the lifecycle goes."""

    key: str
    epoch: int
    partition: int
    offset: int
    at: datetime
    event_id: str
    type: str


@dataclass
class Row:
    """The part of a gold row that the lifecycle decides."""

    status: str | None = None
    last_event_id: str | None = None
    rejected: int = 0
    last_rejected_type: str | None = None
    seen: list[str] = field(default_factory=list)
    epoch: int = 0
    absorbed: dict[int, int] = field(default_factory=dict)


def fold(events: Iterable[Event]) -> dict[str, Row]:
    """Gold rows by key; events in offset order, or in time order where an epoch has two partitions of the key."""
    by_key: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_key[event.key].append(event)
    return {key: _row(of_key) for key, of_key in by_key.items()}


def _row(events: list[Event]) -> Row:
    partitions: dict[int, set[int]] = defaultdict(set)
    for event in events:
        partitions[event.epoch].add(event.partition)

    def order(event: Event) -> tuple:
        if len(partitions[event.epoch]) > 1:
            return event.epoch, event.at, event.partition, event.offset
        return event.epoch, event.offset

    row = Row(epoch=max(partitions))
    for event in sorted(events, key=order):
        if event.epoch == row.epoch:
            row.absorbed[event.partition] = max(event.offset, row.absorbed.get(event.partition, -1))
        if event.event_id in row.seen:
            continue
        row.seen.append(event.event_id)
        if (row.status, event.type) in LEGAL:
            row.status, row.last_event_id = event.type.removeprefix("ORDER_"), event.event_id
        else:
            row.rejected, row.last_rejected_type = row.rejected + 1, event.type
    return row
