"""The orders stream: many orders in flight at once, each going through its life, some events of it illegal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count as counting
from random import Random
from typing import ClassVar

from ingest.generators.event_stream import EventStream
from ingest.generators.faults import USUAL, Faults
from ingest.generators.lifecycle import Order
from ingest.generators.records import Record


@dataclass(frozen=True)
class OrderStream(EventStream):
    """Order events, key `order_id`, dated in epoch seconds."""

    faults: Faults = USUAL
    topic: str = "orders"
    partitions: int = 4

    dataset: ClassVar[str] = "orders"
    has_illegal_events: ClassVar[bool] = True

    def population(self, share: int, shares: int) -> Orders:
        # How many records an order's life takes: the longer, the more orders are in flight.
        life = 20_000 if self.endless else min(max(self.count_of(share, shares) / 4, 8), 100_000)
        return Orders(self._order_ids(share, shares), life)

    def _order_ids(self, share: int, shares: int) -> Iterator[str]:
        day = datetime.fromtimestamp(self.start, UTC).strftime("%Y%m%d")
        return (f"ord-{day}-s{self.seed}-{number:06d}" for number in counting(share + 1, shares))


class Orders:
    """The orders of one share: every one is new, and takes about `life` records."""

    def __init__(self, ids: Iterator[str], life: float) -> None:
        self._ids, self._life = ids, life

    def newcomer(self, _index: int, rng: Random) -> Order:
        return Order(next(self._ids), rng, self._life)

    def sound(self, timestamp: int, rng: Random) -> Record:
        return self.newcomer(0, rng).event("ORDER_CREATED", rng, timestamp, "event")
