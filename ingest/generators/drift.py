"""Events as a producer's next release would send them: kinds of change, for the check of schemas to meet.

Each kind changes every sound event of a stream alike. Malformed records stay as they are, and so do the records' keys.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ingest.generators.malformed import Event, encode
from ingest.generators.records import Record
from ingest.generators.shapes import SHAPES, Shape
from ingest.schema.compare import COMPATIBLE, Kind


class UnknownDrift(ValueError):
    """A kind of drift that there isn't."""


@dataclass(frozen=True)
class Drift:
    """One kind. `found`: what the check calls it."""

    name: str
    told: str
    found: Kind
    change: Callable[[Shape, Event], Event]

    @property
    def stops(self) -> bool:
        """Whether a gold then waits for a person, by default."""
        return self.found not in COMPATIBLE


def _with(**fields: object) -> Callable[[Shape, Event], Event]:
    return lambda shape, event: event | fields


def _without_in_half(shape: Shape, event: Event) -> Event:
    """By the last digit of an event's id, which is drawn evenly."""
    return _without(shape, event) if int(event["event_id"][-1], 16) % 2 else event


def _without(shape: Shape, event: Event) -> Event:
    return {name: value for name, value in event.items() if name != shape.spare_field}


def _called(field: Callable[[Shape], str], name: Callable[[str], str]) -> Callable[[Shape, Event], Event]:
    def renamed(shape: Shape, event: Event) -> Event:
        return {name(one) if one == field(shape) else one: value for one, value in event.items()}

    return renamed


def _as_object(shape: Shape, event: Event) -> Event:
    return event | {shape.text_field: {"value": event[shape.text_field]}}


def _in_another_unit(shape: Shape, event: Event) -> Event:
    time = event[shape.time_field]
    if shape.time_unit == "iso8601":
        return event | {shape.time_field: int(datetime.fromisoformat(time).timestamp() * 1_000)}
    return event | {shape.time_field: time * 1_000 if shape.time_unit == "seconds" else time // 1_000}


DRIFTS = {
    drift.name: drift
    for drift in (
        Drift("new_field", "a field more", "added", _with(channel="app")),
        Drift("new_object", "an object more", "added", _with(client={"os": "ios", "version": 7})),
        Drift("optional_field", "a field missing in every second event", "optional", _without_in_half),
        Drift("removed_field", "a field less", "removed", _without),
        Drift(
            "renamed_field", "a field by another name", "renamed",
            _called(lambda shape: shape.spare_field, lambda name: f"{name}_v2"),
        ),
        Drift(
            "case", "a field's name in capitals", "case",
            _called(lambda shape: shape.spare_field, str.upper),
        ),
        Drift("retyped_field", "a value that is an object now", "retyped", _as_object),
        Drift(
            "key", "the key's field by another name", "header",
            _called(lambda shape: shape.key_field, lambda name: f"{name}_v2"),
        ),
        Drift("time_unit", "event times counted in another unit", "header", _in_another_unit),
    )
}  # fmt: skip


def chosen(names: Iterable[str]) -> list[Drift]:
    """The drifts of the names. UnknownDrift for one that there isn't."""
    names = list(names)
    if unknown := [name for name in names if name not in DRIFTS]:
        raise UnknownDrift(f"there is no drift {', '.join(unknown)}; known: {', '.join(DRIFTS)}")
    return [DRIFTS[name] for name in names]


def drifted(records: Iterable[Record], dataset: str, names: Iterable[str]) -> Iterator[Record]:
    """The records of a dataset, its sound events changed by each of the drifts in turn."""
    for drift in chosen(names):
        records = changed(records, partial(drift.change, SHAPES[dataset]))
    yield from records


def changed(records: Iterable[Record], change: Callable[[Event], Event]) -> Iterator[Record]:
    """The records, the events of sound ones as `change` makes them."""
    for record in records:
        is_sound = record.value is not None and not record.kind.startswith("malformed")
        yield record._replace(value=encode(change(json.loads(record.value)))) if is_sound else record
