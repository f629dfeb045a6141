"""The orders stream: many orders in flight at once, each going through its life, plus the faults asked for.

Deterministic: the same stream, share and number of shares yield the same bytes. Only an endless stream dates its
events by the clock; all else about it is drawn from the seed too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count as counting
from random import Random

from ingest.generators import malformed
from ingest.generators.lifecycle import WAITS, Order
from ingest.generators.records import Record

_HOUR = 3600
_REMEMBERED = 1000


@dataclass(frozen=True)
class Faults:
    """Shares of all records, each between 0 and 1, together at most 1."""

    duplicates: float = 0.01
    late: float = 0.01
    out_of_order: float = 0.005
    illegal: float = 0.01
    malformed: float = 0.002

    def __post_init__(self) -> None:
        shares = (self.duplicates, self.late, self.out_of_order, self.illegal, self.malformed)
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError("the shares of faults must not be negative, and together not above 1")


NO_FAULTS = Faults(0, 0, 0, 0, 0)


@dataclass(frozen=True)
class OrderStream:
    """Order events from `start` (epoch seconds) over `span` seconds; `count` 0 has no end and is dated by the clock.

    `corpus` puts one record of each kind of `malformed_kinds` (all when empty) first, beyond `count`.
    """

    seed: int
    start: int
    span: int
    count: int
    faults: Faults = Faults()
    corpus: bool = False
    malformed_kinds: tuple[str, ...] = ()
    endless: bool = False
    topic: str = "orders"
    partitions: int = 4

    @property
    def total(self) -> int | None:
        corpus = len(malformed.chosen(self.malformed_kinds)) if self.corpus else 0
        return None if self.endless else self.count + corpus

    def records(self, share: int = 0, shares: int = 1) -> Iterator[Record]:
        rng = Random(f"orders/{self.seed}/{share}/{shares}")
        ids = self._order_ids(share, shares)
        if self.corpus:
            for kind in malformed.chosen(self.malformed_kinds)[share::shares]:
                yield self._malformed(kind, Order(next(ids), rng), rng, self.start)
        yield from self._life(rng, ids, self.count // shares + (share < self.count % shares))

    def _order_ids(self, share: int, shares: int) -> Iterator[str]:
        day = datetime.fromtimestamp(self.start, UTC).strftime("%Y%m%d")
        return (f"ord-{day}-s{self.seed}-{number:06d}" for number in counting(share + 1, shares))

    def _life(self, rng: Random, ids: Iterator[str], count: int) -> Iterator[Record]:
        """`count` records (no end when the stream is endless): due events of orders in flight, new orders, faults."""
        kinds = malformed.chosen(self.malformed_kinds)
        weights = [kind.weight for kind in kinds]
        duplicates, late, swaps, illegal, broken = _thresholds(self.faults)
        # How many records an order's life takes: the longer, the more orders are in flight.
        life = min(max(count / 4, 8), 100_000) if not self.endless else 20_000
        waits = {step: 1 / (life * part) for step, part in WAITS.items()}
        in_flight: list[tuple[int, int, Order]] = []
        past: list[tuple[Record, Order]] = []
        owed_swaps = 0

        for index in counting() if self.endless else range(count):
            now = int(time.time()) if self.endless else self.start + self.span * (index + 1) // count
            roll = rng.random()
            if roll < duplicates and past:
                yield rng.choice(past)[0]._replace(kind="duplicate")
                continue
            if late <= roll < illegal and past:
                order = rng.choice(past)[1]
                yield order.event(order.illegal_type(rng), rng, now, "illegal")
                continue
            if illegal <= roll < broken and kinds:
                yield self._malformed(rng.choices(kinds, weights)[0], Order(next(ids), rng), rng, now)
                continue
            if broken <= roll < swaps:
                owed_swaps += 1
            is_due = in_flight and in_flight[0][0] <= index
            order = heappop(in_flight)[2] if is_due else Order(next(ids), rng)
            if owed_swaps and len(order.steps) > 1 and not order.swapped:
                order.swap_next_two()
                owed_swaps -= 1
            is_late = duplicates <= roll < late
            timestamp = now - _lateness(rng) if is_late else now
            record = order.take_step(rng, timestamp, is_late)
            if order.steps:
                heappush(in_flight, (index + 1 + int(rng.expovariate(waits[order.steps[0]])), index, order))
            # A ring: beyond the end, a slice assignment appends.
            past[index % _REMEMBERED : index % _REMEMBERED + 1] = [(record, order)]
            yield record

    @staticmethod
    def _malformed(kind: malformed.Kind, order: Order, rng: Random, now: int) -> Record:
        return kind.record(order.event("ORDER_CREATED", rng, now, "event"))


def _lateness(rng: Random) -> int:
    """Seconds between 1 and 24 hours, most of them few: a phone that was offline, seldom one that was lost."""
    return min(int(_HOUR + rng.expovariate(1 / _HOUR)), 24 * _HOUR)


def _thresholds(faults: Faults) -> tuple[float, float, float, float, float]:
    """Where one roll of the dice falls: duplicate, late, swap, illegal, malformed, one after the other."""
    duplicates = faults.duplicates
    late = duplicates + faults.late
    illegal = late + faults.illegal
    broken = illegal + faults.malformed
    # A swap makes two records out of order.
    swaps = broken + faults.out_of_order / 2
    return duplicates, late, swaps, illegal, broken
