"""Records that can be told apart in a table: probes go between a stream's others, and are looked for."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

import trino
from stack.settings import Settings


@dataclass(frozen=True)
class Stream:
    """Where a probe of a dataset is seen: by layer the table, and its column that has the probe's name."""

    topic: str
    tables: dict[str, tuple[str, str]]
    event: Callable[[str, float], dict[str, Any]]
    """The record's value, from the probe's name and the epoch seconds at which it happened."""
    named: Callable[[int], str] = lambda _sent: f"probe-{uuid.uuid4().hex}"
    """A new probe's name, beside a producer of SEED that has sent so many records."""


SEED = 3


def order_id(sent: int) -> str:
    """Of an order that begins now, among the others: one in two and a half records is of a new one. Another kind of id
    would make files' bounds, by which merges choose what they read, say nothing.
    """
    return f"ord-{datetime.now(UTC):%Y%m%d}-s{SEED}-{sent * 2 // 5:06d}-{uuid.uuid4().hex[:8]}"


STREAMS = {
    "orders": Stream(
        "orders",
        {"bronze": ("bronze.orders_events", "entity_key"), "gold": ("gold.orders_current", "order_id")},
        lambda name, at: {"event_type": "ORDER_CREATED", "event_timestamp": int(at), "order_id": name},
        order_id,
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
    """The probes of one table that are on their way, and the ages at which the others were first seen, in seconds.

    Those sent before `counted_from`, in epoch seconds, only warm up what is measured.
    """

    def __init__(self, stream: Stream, layer: str, counted_from: float) -> None:
        self._table, self._column = stream.tables[layer]
        self._is_bronze = layer == "bronze"
        self._counted_from = counted_from
        self._version: str | None = None
        self.waiting: dict[str, float] = {}
        self.ages: list[float] = []

    def look(self, settings: Settings, catalog: psycopg.Connection) -> None:
        """Ask Trino for the probes that have not been seen; those that are there have arrived by now.

        Between two commits it would answer the same: the catalog tells, for a thousandth of what the question costs.
        """
        of_table = "select metadata_location from iceberg_tables where table_namespace = %s and table_name = %s"
        (version,) = catalog.execute(of_table, self._table.split(".")).fetchone()
        if version == self._version or not self.waiting:
            return
        self._version = version
        listed = ", ".join(f"'{name}'" for name in self.waiting)
        sql = f"select {self._column} from {self._table} where {self._column} in ({listed})"
        if self._is_bronze:  # it grows without end: only files of the probes' own time are opened
            sql += f" and partition_time >= from_unixtime({int(min(self.waiting.values()))})"
        found = query(settings, sql)
        now = time.time()
        for name in {row[0] for row in found}:
            if (sent_at := self.waiting.pop(name)) >= self._counted_from:
                self.ages.append(now - sent_at)


def send(producer: Any, stream: Stream, sent: int) -> tuple[str, float]:
    """The name of a new probe, beside `sent` other records of the stream, and when it was sent."""
    name, now = stream.named(sent), time.time()
    key = None if stream.topic == "user-events" else name.encode()
    value = {"event_id": str(uuid.uuid4())} | stream.event(name, now)
    producer.send(stream.topic, key=key, value=json.dumps(value).encode())
    return name, now


def query(settings: Settings, sql: str) -> list[list[Any]]:
    """Rows of a query through Trino."""
    with trino.dbapi.connect(host=settings.host, port=settings.trino_port, user="bench", catalog="lake") as connection:
        return connection.cursor().execute(sql).fetchall()
