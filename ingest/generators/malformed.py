"""Records that go wrong: a catalogue of named kinds, each made from a sound order event.

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
        """The malformed record made from `sound`. Its event_id is the sound one's, readable or not."""
        key, value = self.make(sound.key, json.loads(sound.value))
        return Record(key, value, f"malformed:{self.name}", sound.event_id, self.headers)


_KINDS: dict[str, Kind] = {}


def encode(event: Any) -> bytes:
    """Compact JSON, text as UTF-8."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def add(kind: Kind) -> None:
    """Put a kind into the catalogue. Names are unique."""
    if kind.name in _KINDS:
        raise ValueError(f"two malformed kinds are called {kind.name}")
    _KINDS[kind.name] = kind


def value(name: str, error: str | None, make: Callable[[Event], bytes | None], **more: Any) -> None:
    """A kind whose value is made from the event and whose key is sound."""
    add(Kind(name, error, lambda key, event: (key, make(event)), **more))


def raw(name: str, error: str | None, make: Callable[[bytes], bytes], **more: Any) -> None:
    """A kind whose value is made from the sound value's bytes."""
    value(name, error, lambda event: make(encode(event)), **more)


def field(name: str, error: str | None, changes: Event, **more: Any) -> None:
    """A kind with fields of the event set to other values."""
    value(name, error, lambda event: encode(event | changes), **more)


def without(name: str, error: str | None, missing: str, **more: Any) -> None:
    """A kind whose event lacks a field."""
    value(name, error, lambda event: encode({k: v for k, v in event.items() if k != missing}), **more)


def literal(name: str, error: str | None, field_name: str, text: str, **more: Any) -> None:
    """A kind with a field written as `text`, which need not be what a JSON library would write."""
    mark, written = "@literal@", text.encode()
    value(name, error, lambda event: encode(event | {field_name: mark}).replace(f'"{mark}"'.encode(), written), **more)


@cache
def catalogue() -> dict[str, Kind]:
    """All kinds by name, in a fixed order."""
    from ingest.generators import malformed_fields, malformed_values

    malformed_values.fill()
    malformed_fields.fill()
    return dict(_KINDS)


@cache
def chosen(names: tuple[str, ...], dataset: str = "orders") -> tuple[Kind, ...]:
    """The kinds of these names, all when there are none."""
    kinds = catalogue()
    unknown = [name for name in names if name not in kinds]
    if unknown:
        raise UnknownKind(f"no malformed kind is called {', '.join(unknown)}; lake produce kinds lists them")
    return tuple(kinds[name] for name in names) or tuple(kinds.values())
