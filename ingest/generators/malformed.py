"""Records that go wrong: for each dataset a catalogue of named kinds, each made from a sound event.

Every kind says which bronze `error` it must end with; None where the header can be read, however odd the body is. A
kind marked `ambiguous` is one where parsers disagree: its error is this project's choice, not a matter of course.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from ingest.generators.records import Record
from ingest.generators.shapes import SHAPES, Shape

Event = dict[str, Any]
RARELY = 0.02
"""Weight of a kind that is dear to send or to read."""


class UnknownKind(ValueError):
    """A kind that the catalogue doesn't hold."""


@dataclass(frozen=True)
class Kind:
    """One way for a record to be wrong. `make` turns a sound key and event into the key and value to send."""

    name: str
    error: str | None
    make: Callable[[bytes, Event], tuple[bytes | None, bytes | None]]
    ambiguous: bool = False
    weight: float = 1.0
    headers: tuple[tuple[str, bytes], ...] = ()

    def record(self, sound: Record) -> Record:
        """The malformed record made from `sound`, which has a key. Its event_id is the sound one's, readable or not."""
        key, value = self.make(sound.key, json.loads(sound.value))
        return Record(key, value, f"malformed:{self.name}", sound.event_id, self.headers)


def encode(event: Any) -> bytes:
    """Compact JSON, text as UTF-8."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


class Kinds:
    """The kinds of one dataset, as they are put in. Names are unique: ValueError for the second of a name."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.by_name: dict[str, Kind] = {}

    def add(self, kind: Kind) -> None:
        """Put a kind into the catalogue."""
        if kind.name in self.by_name:
            raise ValueError(f"two malformed kinds are called {kind.name}")
        self.by_name[kind.name] = kind

    def value(self, name: str, error: str | None, make: Callable[[Event], bytes | None], **more: Any) -> None:
        """A kind whose value is made from the event and whose key is sound."""
        self.add(Kind(name, error, lambda key, event: (key, make(event)), **more))

    def raw(self, name: str, error: str | None, make: Callable[[bytes], bytes], **more: Any) -> None:
        """A kind whose value is made from the sound value's bytes."""
        self.value(name, error, lambda event: make(encode(event)), **more)

    def field(self, name: str, error: str | None, changes: Event, **more: Any) -> None:
        """A kind with fields of the event set to other values."""
        self.value(name, error, lambda event: encode(event | changes), **more)

    def without(self, name: str, error: str | None, missing: str, **more: Any) -> None:
        """A kind whose event lacks a field."""
        self.value(name, error, lambda event: encode({k: v for k, v in event.items() if k != missing}), **more)

    def literal(self, name: str, error: str | None, field_name: str, text: str, **more: Any) -> None:
        """A kind with a field written as `text`, which need not be what a JSON library would write."""
        mark, written = "@literal@", text.encode()

        def make(event: Event) -> bytes:
            return encode(event | {field_name: mark}).replace(f'"{mark}"'.encode(), written)

        self.value(name, error, make, **more)


@cache
def catalogue(dataset: str = "orders") -> dict[str, Kind]:
    """All kinds of a dataset by name, in a fixed order."""
    from ingest.generators import malformed_fields, malformed_values

    kinds = Kinds(SHAPES[dataset])
    malformed_values.fill(kinds)
    malformed_fields.fill(kinds)
    return kinds.by_name


@cache
def chosen(names: tuple[str, ...], dataset: str = "orders") -> tuple[Kind, ...]:
    """The kinds of these names, all when there are none."""
    kinds = catalogue(dataset)
    unknown = [name for name in names if name not in kinds]
    if unknown:
        listed = "lake produce kinds" + ("" if dataset == "orders" else f" {dataset}")
        raise UnknownKind(f"no malformed kind is called {', '.join(unknown)}; {listed} lists them")
    return tuple(kinds[name] for name in names) or tuple(kinds.values())
