"""User event records as bronze keeps them, and what silver, marts and live counters say of them, as plain loops.

The loops share no code with what they judge: neither the SQL of dbt nor the folds of the ingester.
"""
from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
TYPES = ("login", "click", "click", "purchase", "logout")
PAGES = ("/home", "/cart", "/products?page=2")


@dataclass(frozen=True)
class UserEvent:
    """One Kafka record of the topic user-events, as bronze keeps it. `happened` is event time, `sent` Kafka's."""

    kafka_offset: int
    kafka_partition: int = 0
    topic_epoch: int = 1
    event_id: str = "e"
    event_type: str = "click"
    happened: datetime = NOON
    sent: datetime = NOON
    user_id: Any = 1
    page: Any = "/home"
    source: Any = "web"
    error: str | None = None

    @property
    def identity(self) -> tuple[int, int, int]:
        return self.topic_epoch, self.kafka_partition, self.kafka_offset

    @property
    def day(self) -> date:
        return (self.sent if self.error else self.happened).date()

    @property
    def minute(self) -> datetime:
        return self.happened.replace(second=0, microsecond=0)

    def row(self, arrived: datetime) -> list[Any]:
        """The columns of bronze.user_events."""
        body = {"user_id": self.user_id, "page": self.page, "source": self.source}
        header = (None, None, None) if self.error else (self.event_id, self.event_type, self.happened)
        return [
            *header, str(self.user_id), None, "user-events", self.topic_epoch, self.kafka_partition, self.kafka_offset,
            self.sent, None, arrived, self.error, json.dumps(body), None, self.sent if self.error else self.happened,
        ]  # fmt: skip

    @property
    def rejection(self) -> str | None:
        """Why silver doesn't take it."""
        if self.error:
            return self.error
        if not self.event_id:
            return "event_id_empty"
        if self.event_type not in TYPES:
            return "event_type_unknown"
        if not isinstance(self.user_id, int) or self.user_id < 1:
            return "user_id_invalid"
        if self.source not in ("web", "mobile"):
            return "source_unknown"
        return None if isinstance(self.page, str) and self.page.startswith("/") else "page_invalid"

    @property
    def metrics(self) -> Iterator[tuple[str, str, datetime]]:
        """The live numbers that count it."""
        if self.error:
            return
        yield "events_per_minute", self.event_type, self.minute
        if self.event_type == "login":
            known = self.source in ("web", "mobile")
            yield "logins_per_source", self.source if known else "unknown", self.minute
        if self.event_type == "purchase":
            yield "purchases_per_minute", "all", self.minute


def arrivals(chance: Random, count: int) -> list[UserEvent]:
    """Records in an order of arrival: partitions that lag, Kafka timestamps that disagree with it, event ids that come
    again with another day, source, page or validity, events days late, a topic that is recreated."""
    waiting: dict[tuple[int, int], list[UserEvent]] = defaultdict(list)
    for number in range(count):
        epoch = 1 if number < count * 0.8 else 2
        partition = chance.randrange(3)
        queue = waiting[epoch, partition]
        sent = NOON + timedelta(minutes=10 * number, seconds=chance.randint(-9000, 9000))
        late = timedelta(days=chance.choice([0] * 9 + [1, 2, 5]), seconds=chance.randint(-600, 600))
        fresh = chance.random() < 0.8
        queue.append(
            UserEvent(
                (queue[-1].kafka_offset if queue else -1) + chance.choice([1, 1, 1, 4]), partition, epoch,
                event_id=f"e{number}" if fresh else f"e{chance.randint(max(0, number - 60), number)}",
                event_type="teleport" if chance.random() < 0.02 else chance.choice(TYPES),
                happened=sent - late,
                sent=sent,
                user_id=chance.choice([None, -1, "x", 1.5]) if chance.random() < 0.02 else chance.randint(1, 40),
                page=chance.choice([None, "home", 7]) if chance.random() < 0.02 else chance.choice(PAGES),
                source=chance.choice([None, "fridge"]) if chance.random() < 0.02 else chance.choice(("web", "mobile")),
                error=chance.choice(("bad_json", "event_time_range")) if chance.random() < 0.02 else None,
            )
        )  # fmt: skip
    arrived = []
    for epoch in (1, 2):
        queues = [queue for (its_epoch, _), queue in sorted(waiting.items()) if its_epoch == epoch]
        while queues := [queue for queue in queues if queue]:
            queue = chance.choice(queues)
            taken = chance.randint(1, 1 + len(queue) // 4)
            arrived += queue[:taken]
            del queue[:taken]
    return arrived


@dataclass
class Shop:
    """What silver and marts must say once `records` and nothing else have arrived."""

    winners: list[UserEvent]
    duplicates: list[UserEvent]
    rejected: list[UserEvent]

    @classmethod
    def of(cls, records: Iterable[UserEvent]) -> Shop:
        winners: dict[tuple[date, str], UserEvent] = {}
        duplicates, rejected = [], []
        for record in sorted(records, key=lambda one: (one.topic_epoch, one.sent, *one.identity[1:])):
            if record.rejection:
                rejected.append(record)
            elif (record.day, record.event_id) in winners:
                duplicates.append(record)
            else:
                winners[record.day, record.event_id] = record
        return cls(list(winners.values()), duplicates, rejected)

    def conversion(self) -> set[tuple[date, Decimal, int, int]]:
        """conversion_rate_daily without updated_at."""
        users, buyers, purchases = defaultdict(set), defaultdict(set), defaultdict(int)
        for event in self.winners:
            users[event.day].add(event.user_id)
            if event.event_type == "purchase":
                buyers[event.day].add(event.user_id)
                purchases[event.day] += 1
        four = Decimal("0.0001")
        return {
            (day, (Decimal(len(buyers[day])) / len(there)).quantize(four, ROUND_HALF_UP), purchases[day], len(there))
            for day, there in users.items()
        }

    def per_day(self, field: str, event_type: str | None = None) -> set[tuple[date, str, int]]:
        """events_per_source_daily and purchases_per_page_daily without updated_at."""
        counts: dict[tuple[date, str], int] = defaultdict(int)
        for event in self.winners:
            if event_type in (None, event.event_type):
                counts[event.day, getattr(event, field)] += 1
        return {(*key, count) for key, count in counts.items()}


def live_counts(records: Sequence[UserEvent]) -> dict[tuple[str, str, datetime], tuple[int, int, dict[int, int]]]:
    """Count, topic_epoch and absorbed of each live number once it has absorbed `records`."""
    found: dict[tuple[str, str, datetime], tuple[int, int, dict[int, int]]] = {}
    for record in sorted(records, key=lambda one: one.identity):
        for key in record.metrics:
            count, epoch, absorbed = found.get(key, (0, record.topic_epoch, {}))
            kept = absorbed if epoch == record.topic_epoch else {}
            found[key] = count + 1, record.topic_epoch, kept | {record.kafka_partition: record.kafka_offset}
    return found


def live_rows(records: Sequence[UserEvent]) -> dict[str, list[list[Any]]]:
    """The rows of each live gold of user events."""
    tables: dict[str, list[list[Any]]] = defaultdict(list)
    for (metric, piece, minute), (count, epoch, absorbed) in live_counts(records).items():
        pieces = [] if metric == "purchases_per_minute" else [piece]
        tables[metric].append([minute, *pieces, count, epoch, absorbed, NOON])
    return tables
