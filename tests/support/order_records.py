"""Order records as bronze keeps them, and the order lifecycle as a plain loop.

The loop shares no code with what it judges: neither the windows of dbt nor the fold of the ingester.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Record:
    """One Kafka record of the topic orders, as bronze keeps it. `seconds` places it in event and Kafka time."""

    order_id: str
    event_type: str
    kafka_offset: int
    kafka_partition: int = 0
    topic_epoch: int = 1
    event_id: str = ""
    seconds: int = 0
    items: Sequence[tuple[str, int, str, str]] = (("SKU-1", 1, "10.00", "Toys"),)
    body: str | None = None
    error: str | None = None

    @property
    def name(self) -> str:
        return self.event_id or f"{self.topic_epoch}-{self.kafka_partition}-{self.kafka_offset}"

    @property
    def identity(self) -> tuple[int, int, int]:
        return self.topic_epoch, self.kafka_partition, self.kafka_offset

    def value(self) -> str:
        if self.body is not None:
            return self.body
        lines = ", ".join(
            f'{{"sku": "{sku}", "quantity": {quantity}, "unit_price": {price}, "category": "{category}"}}'
            for sku, quantity, price, category in self.items
        )
        return (
            f'{{"event_id": "{self.name}", "order_id": "{self.order_id}", "user_id": "u-1", "currency": "USD", '
            f'"payment_method": "CARD", "total_amount": {self.kafka_offset}.25, "items": [{lines}]}}'
        )


@dataclass
class Judged:
    """What the lifecycle says of one record; the plain loop that the windows of order_events must equal."""

    event_number: int
    is_duplicate: bool
    is_applied: bool
    status_after: str | None


NEXT = {
    None: {"ORDER_CREATED"},
    "CREATED": {"ORDER_PAID", "ORDER_CANCELLED"},
    "PAID": {"ORDER_SHIPPED", "ORDER_CANCELLED"},
    "SHIPPED": {"ORDER_RETURNED"},
    "CANCELLED": set(),
    "RETURNED": set(),
}


def judge(records: Iterable[Record]) -> dict[tuple[int, int, int], Judged]:
    """The lifecycle of one order, one event after the other."""
    readable = [record for record in records if record.error is None]
    if len({record.kafka_partition for record in readable}) <= 1:
        readable.sort(key=lambda record: (record.topic_epoch, record.kafka_offset))
    else:
        readable.sort(
            key=lambda record: (record.topic_epoch, record.seconds, record.kafka_partition, record.kafka_offset)
        )
    status, seen, judged = None, set(), {}
    for number, record in enumerate(readable, start=1):
        is_duplicate = record.name in seen
        is_applied = not is_duplicate and record.event_type in NEXT[status]
        status = record.event_type.removeprefix("ORDER_") if is_applied else status
        seen.add(record.name)
        judged[record.identity] = Judged(number, is_duplicate, is_applied, status)
    return judged
