"""Records that can be told apart in a table: probes go between a stream's others, and are looked for."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import trino
from stack.settings import Settings


@dataclass(frozen=True)
class Stream:
    """Where a probe of a dataset is seen: by layer the table, and its column that has the probe's name."""

    topic: str
    tables: dict[str, tuple[str, str]]
    event: Callable[[str, float], dict[str, Any]]
    """The record's value, from the probe's name and the epoch seconds at which it happened."""


STREAMS = {
    "orders": Stream(
        "orders",
        {"bronze": ("bronze.orders_events", "entity_key"), "gold": ("gold.orders_current", "order_id")},
        lambda name, at: {"event_type": "ORDER_CREATED", "event_timestamp": int(at), "order_id": name},
    ),
    "content_events": Stream(
        "content_events",
        {"bronze": ("bronze.raw_events", "entity_key"), "gold": ("gold.virality_state", "video_id")},
        lambda name, at: {"event_type": "play", "event_timestamp": int(at * 1000), "video_id": name, "user_id": 1},
    ),
    "user_events": Stream(  # its counts are of event types, whatever those are
        "user-events",
        {"bronze": ("bronze.user_events", "event_type"), "gold": ("gold.events_per_minute", "event_type")},
        lambda name, at: {
            "event_type": name, "timestamp": datetime.fromtimestamp(at, UTC).isoformat(), "user_id": 1,
            "page": "/home", "source": "web",
        },
    ),
}  # fmt: skip


class Probes:
    """The probes of one table that are on their way, and the ages at which the others were first seen, in seconds."""

    def __init__(self, stream: Stream, layer: str) -> None:
        self._table, self._column = stream.tables[layer]
        self._is_bronze = layer == "bronze"
        self.waiting: dict[str, float] = {}
        self.ages: list[float] = []

    def look(self, settings: Settings) -> None:
        """Ask for the probes that have not been seen; those that are there have arrived by now."""
        if not self.waiting:
            return
        listed = ", ".join(f"'{name}'" for name in self.waiting)
        sql = f"select {self._column} from {self._table} where {self._column} in ({listed})"
        if self._is_bronze:  # it grows without end: only files of the probes' own time are opened
            sql += f" and partition_time >= from_unixtime({int(min(self.waiting.values()))})"
        found = query(settings, sql)
        now = time.time()
        for name in {row[0] for row in found}:
            self.ages.append(now - self.waiting.pop(name))


def send(producer: Any, stream: Stream) -> tuple[str, float]:
    """A new probe's name, and when it was sent."""
    name, now = f"probe-{uuid.uuid4().hex}", time.time()
    key = None if stream.topic == "user-events" else name.encode()
    value = {"event_id": str(uuid.uuid4())} | stream.event(name, now)
    producer.send(stream.topic, key=key, value=json.dumps(value).encode())
    return name, now


def query(settings: Settings, sql: str) -> list[list[Any]]:
    """Rows of a query through Trino."""
    with trino.dbapi.connect(host=settings.host, port=settings.trino_port, user="bench", catalog="lake") as connection:
        return connection.cursor().execute(sql).fetchall()
