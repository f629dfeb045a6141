"""Events of devices, a shape that nothing of the project knows: what typed golds make of a stream never seen before."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from ingest.datasets import Bronze, Dataset, EventTime, Gold, Key
from ingest.generators.records import Record

Change = Callable[[dict[str, Any]], object]
START = 1_769_500_000


def dataset(name: str, **gold: Any) -> Dataset:
    """The stream's dataset, with one typed gold."""
    return Dataset(
        name=name,
        topic=name,
        partitions=2,
        mode="upsert",
        key=Key(field="device_id"),
        event_time=EventTime(field="measured_at", unit="iso8601"),
        on_tombstone="delete",
        bronze=Bronze(table=f"{name}_events"),
        golds=[Gold(table=f"{name}_latest", typed=True, key=["device_id"], **gold)],
    )


def event(number: int, chance: random.Random) -> dict[str, Any]:
    return {
        "event_id": f"e-{number}",
        "event_type": chance.choice(["measured", "moved"]),
        "measured_at": f"2026-01-27T{10 + number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        "device_id": f"d-{chance.randrange(25)}",
        "order": number,
        "batteryLevel": chance.randrange(101),
        "reading": {"celsius": round(chance.uniform(-20, 40), 1), "is_sound": chance.random() < 0.9, "note": None},
        "route": [{"lat": round(chance.uniform(0, 90), 3), "stop": f"s{n}"} for n in range(chance.randrange(3))],
        "labels": chance.sample(["cold", "wet", "dark"], 2),
    }


ODD: list[Change] = [
    lambda one: one.update(batteryLevel="full"),
    lambda one: one.update(batteryLevel=50.5),
    lambda one: one.update(batteryLevel=2**70),
    lambda one: one.update(batteryLevel=True),
    lambda one: one["reading"].update(celsius="warm"),
    lambda one: one.update(reading="none"),
    lambda one: one.update(labels="cold"),
    lambda one: one.update(route=[{"lat": "north", "stop": "s1"}]),
    lambda one: one.update(route={"lat": 1.5}),
]
"""Each makes an event that the stream's schema can't type."""


def record(one: dict[str, Any], kind: str = "event") -> Record:
    return Record(one["device_id"].encode(), json.dumps(one).encode(), kind, one["event_id"])


def records(first: int, count: int, change: Change = lambda one: None, odd: float = 0.0, seed: int = 7) -> list[Record]:
    """Events with numbers from `first`; a share of them odd, and some tombstones among them where any are odd."""
    chance = random.Random(f"{seed} {first}")
    found = []
    for number in range(first, first + count):
        one = event(number, chance)
        change(one)
        if chance.random() < odd / 4:
            found.append(Record(one["device_id"].encode(), None, "tombstone"))
        elif chance.random() < odd:
            chance.choice(ODD)(one)
            found.append(record(one, "odd"))
        else:
            found.append(record(one))
    return found
