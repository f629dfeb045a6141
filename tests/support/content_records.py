"""Content events and changes of dimensions as bronze keeps them, and what silver says of them, as plain loops.

The loops share no code with the SQL they judge.
"""
from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

EVENING = datetime(2026, 1, 10, 20, tzinfo=UTC)
TYPES = ("impression", "impression", "play", "play", "like", "share", "finish", "skip", "teleport")
TIMEOUT = timedelta(minutes=30)


@dataclass(frozen=True)
class ContentEvent:
    """One Kafka record of the topic content_events. `happened` is event time, `sent` Kafka's."""

    kafka_offset: int
    kafka_partition: int = 0
    topic_epoch: int = 1
    event_id: str = "e"
    event_type: str = "play"
    happened: datetime = EVENING
    sent: datetime = EVENING
    user_id: Any = 1
    video_id: str = "v1"
    error: str | None = None

    @property
    def place(self) -> tuple[int, datetime, int, int]:
        """Of the records of an event, the least is the event."""
        return self.topic_epoch, self.sent, self.kafka_partition, self.kafka_offset

    def row(self, arrived: datetime) -> list[Any]:
        """The columns of bronze.raw_events."""
        body = json.dumps({"user_id": self.user_id, "payload": {"device": "ios", "watch_ms": self.kafka_offset}})
        happened = None if self.error else self.happened
        return [
            self.event_id, self.event_type, happened, self.video_id, None, "content_events", self.topic_epoch,
            self.kafka_partition, self.kafka_offset, self.sent, None, arrived, self.error, body, None,
            happened or self.sent,
        ]  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One change of a user (`member` is a number) or of a video (text); `value` is the country or the category."""

    member: Any
    number: int
    changed_at: datetime
    operation: str
    value: str

    @property
    def place(self) -> tuple[datetime, int]:
        return self.changed_at, self.number

    @property
    def table(self) -> str:
        return "users_changes" if isinstance(self.member, int) else "videos_changes"

    def row(self, feed_row: int, arrived: datetime) -> list[Any]:
        """The columns of bronze.users_changes or bronze.videos_changes."""
        change = [self.operation, self.changed_at, f"c-{self.number:06d}", arrived.date(), feed_row, arrived]
        if isinstance(self.member, int):
            signed_up = date(2026, 1, 1 + self.member % 7)
            return [self.member, "Ada", "a@example.com", self.value, "free", "active", signed_up, *change]
        return [self.member, "Chess", self.value, "creator-001", 60, "published", date(2026, 1, 1), *change]


def arrivals(chance: Random, count: int) -> list[ContentEvent]:
    """Records in an order of arrival: partitions that lag, events hours late, gaps of exactly the timeout, repeats
    of an id with the same content or with another user, time and day, users that can't be read, a topic recreated."""
    users, made = max(3, count // 30), []
    waiting: dict[tuple[int, int], list[ContentEvent]] = defaultdict(list)
    for number in range(count):
        epoch, partition = 1 if number < count * 0.8 else 2, chance.randrange(3)
        queue = waiting[epoch, partition]
        happened = EVENING + timedelta(minutes=5 * chance.randint(0, 120), microseconds=chance.choice([0, 0, 0, 1]))
        event = ContentEvent(
            (queue[-1].kafka_offset if queue else -1) + chance.choice([1, 1, 1, 4]), partition, epoch,
            event_id=f"e{number}",
            event_type=chance.choice(TYPES),
            happened=happened,
            sent=EVENING + timedelta(seconds=number + chance.randint(-300, 300)),
            user_id=chance.choice(["u-1", None, 1.5]) if chance.random() < 0.02 else chance.randint(1, users),
            video_id=f"v{chance.randint(1, 12)}",
            error="bad_json" if chance.random() < 0.02 else None,
        )  # fmt: skip
        if made and chance.random() < 0.15:
            same = chance.choice(made[-60:])
            copied = {"event_id": same.event_id}
            if chance.random() < 0.5:
                copied |= {"happened": same.happened, "user_id": same.user_id, "video_id": same.video_id}
            event = replace(event, **copied)
        made.append(event)
        queue.append(event)
    arrived: list[ContentEvent] = []
    for epoch in (1, 2):
        queues = [queue for (its_epoch, _), queue in sorted(waiting.items()) if its_epoch == epoch]
        while queues := [queue for queue in queues if queue]:
            queue = chance.choice(queues)
            taken = chance.randint(1, 1 + len(queue) // 4)
            arrived += queue[:taken]
            del queue[:taken]
    return arrived


def changes(chance: Random, count: int) -> list[Change]:
    """Changes of the users and videos that `arrivals(…, count)` speaks of, in any order: some members join late or
    never, some changes are made at one moment, some change nothing, some come twice."""
    members = [*range(1, max(3, count // 30) + 1), *(f"v{number}" for number in range(1, 13))]
    made: list[Change] = []
    for member in members:
        if chance.random() < 0.1:
            continue
        moment = EVENING + timedelta(minutes=chance.choice([-1000, -1000, 100]))
        operation = "insert"
        for number in range(chance.randint(1, 4)):
            value = chance.choice(["US", "DE", "FR"] if isinstance(member, int) else ["news", "music", "travel"])
            made.append(Change(member, number, moment, operation, value))
            moment += timedelta(minutes=chance.choice([0, 5, 60, 240]))
            back = operation == "delete"
            operation = "insert" if back else chance.choice(["update", "update", "correction", "delete"])
    made += chance.sample(made, len(made) // 10)
    return chance.sample(made, len(made))


def events_of(records: Iterable[ContentEvent]) -> list[ContentEvent]:
    """The records that are the events: readable, and the first of each id and day."""
    events: dict[tuple[date, str], ContentEvent] = {}
    for record in sorted(records, key=lambda one: one.place):
        if record.error is None:
            events.setdefault((record.happened.date(), record.event_id), record)
    return list(events.values())


def sessions_of(events: Iterable[ContentEvent]) -> set[tuple[Any, ...]]:
    """user_id, started_at, ended_at, events, plays, likes and videos watched of each session."""
    by_user: dict[int, list[ContentEvent]] = defaultdict(list)
    for event in events:
        if isinstance(event.user_id, int):
            by_user[event.user_id].append(event)
    cut: list[list[ContentEvent]] = []
    for user in by_user:
        newest = None
        for event in sorted(by_user[user], key=lambda one: (one.happened, one.event_id)):
            if newest is None or event.happened - newest > TIMEOUT:
                cut.append([])
            cut[-1].append(event)
            newest = event.happened
    return {
        (
            session[0].user_id, session[0].happened, session[-1].happened, len(session),
            sum(event.event_type == "play" for event in session),
            sum(event.event_type == "like" for event in session),
            len({event.video_id for event in session if event.event_type == "play"}),
        )
        for session in cut
    }  # fmt: skip


def enriched_of(events: Iterable[ContentEvent], history: Sequence[Change]) -> set[tuple[Any, ...]]:
    """Each event's day, id, user and video; of both whether it was known, whether deleted, and its value then."""
    by_member: dict[Any, list[Change]] = defaultdict(list)
    for change in sorted(history, key=lambda one: one.place):
        by_member[change.member].append(change)

    def then(member: Any, moment: datetime) -> tuple[bool, bool | None, str | None]:
        past = [change for change in by_member[member] if change.changed_at <= moment]
        return (True, past[-1].operation == "delete", past[-1].value) if past else (False, None, None)

    found = set()
    for event in events:
        user = event.user_id if isinstance(event.user_id, int) else None
        members = (*then(user, event.happened), *then(event.video_id, event.happened))
        found.add((event.happened.date(), event.event_id, user, event.video_id, *members, event.kafka_offset))
    return found
