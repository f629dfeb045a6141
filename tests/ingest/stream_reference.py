"""The live golds of content and user events once more, in plain Python over all events at once.

Shares no code with the folds or with `lake verify`. Rows are as `landing.plain_rows` gives them: times in microseconds.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
MINUTE = 60_000_000
KEPT, WINDOW = 120, 10
"""Minutes that are kept of a video, and those of its recent window."""
COUNTED = {"impression": "impressions", "play": "plays", "like": "likes", "share": "shares"}


def due(gold: str, bronze: list[Row]) -> list[Row]:
    """The rows that the gold must have once all of bronze is absorbed."""
    key_of, counted = GOLDS[gold]
    rows_of: dict[tuple, list[Row]] = defaultdict(list)
    for row in bronze:
        if row["error"] is None and (key := key_of(row)) is not None:
            rows_of[tuple(key.items())].append(row)
    return [dict(key) | counted(rows) | _absorbed(rows) for key, rows in rows_of.items()]


def differences(gold: str, rows: list[Row], bronze: list[Row]) -> list[str]:
    """What of the gold's rows is not as the events say."""
    is_, should_be = (sorted((sorted(row.items()) for row in table), key=repr) for table in (rows, due(gold, bronze)))
    return [f"{gold} has {row}" for row in is_ if row not in should_be] + [
        f"{gold} lacks {row}" for row in should_be if row not in is_
    ]


def _absorbed(rows: list[Row]) -> Row:
    epoch = max(row["topic_epoch"] for row in rows)
    absorbed: dict[int, int] = {}
    for row in rows:
        if row["topic_epoch"] == epoch:
            partition = row["kafka_partition"]
            absorbed[partition] = max(absorbed.get(partition, -1), row["kafka_offset"])
    return {"topic_epoch": epoch, "absorbed": absorbed, "updated_at": max(row["ingested_at"] for row in rows)}


def _window(row: Row) -> Row:
    return {"window_start": row["event_time"] // MINUTE * MINUTE}


def _login(row: Row) -> Row | None:
    if row["event_type"] != "login":
        return None
    source = json.loads(row["body"]).get("source")
    return _window(row) | {"source": source if source in ("web", "mobile") else "unknown"}


def _video(rows: list[Row]) -> Row:
    newest = max(row["event_time"] for row in rows)
    events = Counter((newest // MINUTE - row["event_time"] // MINUTE, row["event_type"]) for row in rows)
    totals = {name: sum(n for (_, kind), n in events.items() if kind == type_) for type_, name in COUNTED.items()}
    minutes = {
        newest // MINUTE - ago: {name: events[ago, type_] for type_, name in COUNTED.items()}
        for ago in {ago for ago, type_ in events if ago < KEPT and type_ in COUNTED}
    }
    velocity, before = (_velocity(events, first) for first in (0, WINDOW))
    return totals | {
        "newest_event_at": newest,
        "minute_counts": minutes,
        "velocity": velocity,
        "acceleration": velocity - before,
    }


def _velocity(events: Counter, first: int) -> float:
    """Of the window whose newest minute is `first` minutes ago."""
    of = {type_: sum(events[ago, type_] for ago in range(first, first + WINDOW)) for type_ in COUNTED}
    return (5 * of["like"] + 10 * of["share"]) / of["impression"] if of["impression"] else 0.0


Key, Counts = Callable[[Row], Row | None], Callable[[list[Row]], Row]
GOLDS: dict[str, tuple[Key, Counts]] = {
    "events_per_minute": (
        lambda row: _window(row) | {"event_type": row["event_type"]},
        lambda rows: {"event_count": len(rows)},
    ),
    "logins_per_source": (_login, lambda rows: {"login_count": len(rows)}),
    "purchases_per_minute": (
        lambda row: _window(row) if row["event_type"] == "purchase" else None,
        lambda rows: {"purchase_count": len(rows)},
    ),
    "virality_state": (lambda row: {"video_id": row["entity_key"]}, _video),
}
