"""From bodies to a schema. A handful of odd bodies must not make a type: what counts is said by FEW and SHARE.

Bodies come in the order they were written; it tells only how long a field has not been seen.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ingest.schema.model import ENOUGH, FEW, SHARE, Field, Schema, Type, Unit

DEEPEST = 12
"""Levels that are looked into; below, an object is an object."""
ELEMENTS = 50
"""Of an array, that are looked at."""

_TIME_NAME = re.compile(r"(time|stamp|date)|(^|_)(at|ts)$|(At|Ts)$", re.IGNORECASE)
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d|$)")


def infer(bodies: Iterable[str]) -> Schema:
    """The schema of JSON objects; a text that is no object is left out."""
    return schema_of(found for body in bodies if (found := object_in(body)) is not None)


def object_in(body: str | bytes) -> dict[str, Any] | None:
    """The JSON object that a body is; None where it is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def schema_of(objects: Iterable[dict[str, Any]]) -> Schema:
    """The schema of objects that are read already."""
    root = _Seen("", 0)
    for one in objects:
        root.look_into([one])
    return Schema(bodies=root.structs, fields=_fields(root))


class _Seen:
    """What the bodies so far have shown of one field."""

    __slots__ = ("depth", "element", "fields", "last", "name", "named", "present", "structs", "types", "units", "whole")

    def __init__(self, name: str, depth: int) -> None:
        self.name, self.depth = name, depth
        self.named = self.present = self.whole = self.last = self.structs = 0
        self.types: Counter[Type] = Counter()
        self.units: Counter[Unit] = Counter()
        self.fields: dict[str, _Seen] = {}
        self.element: _Seen | None = None

    def add(self, values: list[Any], number: int, parents: int) -> None:
        """The values of one body, in which the field has so many parents; `number` counts bodies with a parent."""
        self.named += 1
        values = [value for value in values if value is not None]
        if not values:
            return
        self.present += 1
        self.whole += len(values) == parents
        self.last = number
        self.types.update({type_of(value) for value in values})
        self.units.update({unit for value in values if (unit := unit_of(self.name, value))})
        self.look_into(values)

    def look_into(self, values: list[Any]) -> None:
        """The fields of the objects, and the elements of the arrays, among one body's values."""
        if self.depth >= DEEPEST:
            return
        if structs := [value for value in values if isinstance(value, dict)]:
            self.structs += 1
            by_name: dict[str, list[Any]] = {}
            for struct in structs:
                for name, value in struct.items():
                    by_name.setdefault(name, []).append(value)
            for name, inner in by_name.items():
                self._field(name).add(inner, self.structs, len(structs))
        if elements := [one for value in values if isinstance(value, list) for one in value[:ELEMENTS]]:
            self.element = self.element or _Seen(self.name, self.depth + 1)
            self.element.add(elements, self.element.present + 1, len(elements))

    def _field(self, name: str) -> _Seen:
        if name not in self.fields:
            self.fields[name] = _Seen(name, self.depth + 1)
        return self.fields[name]


def type_of(value: Any) -> Type:
    """Of a JSON value that is not null."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "long" if -(2**63) <= value < 2**63 else "huge"
    return {float: "double", str: "string", dict: "struct", list: "array"}[type(value)]


def unit_of(name: str, value: Any) -> Unit | None:
    """What a time is counted in, of the years 2000 to 2100; a number is a time only where the name says so."""
    if isinstance(value, str):
        return "iso8601" if _ISO.match(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _TIME_NAME.search(name):
        return None
    if 946_684_800 <= value < 4_102_444_800:
        return "seconds"
    return "milliseconds" if 946_684_800_000 <= value < 4_102_444_800_000 else None


def counts(number: int, bodies: int) -> bool:
    """Whether what `number` of the bodies show is more than odd bodies."""
    return number >= FEW and number >= SHARE * bodies


def _fields(seen: _Seen) -> dict[str, Field]:
    """Its fields; one that fewer than FEW bodies and less than SHARE of them name is an oddity."""
    return {
        name: _field(inner, seen.structs)
        for name, inner in seen.fields.items()
        if inner.named >= FEW or inner.named >= SHARE * seen.structs
    }


def _field(seen: _Seen, bodies: int) -> Field:
    missing = bodies - seen.whole
    units = [unit for unit, number in sorted(seen.units.items()) if counts(number, seen.present)]
    return Field(
        types=_types(seen.types) if seen.types else [],
        always=missing == 0 or (bodies >= ENOUGH and not counts(missing, bodies)),
        units=units if sum(seen.units.values()) >= (1 - SHARE) * seen.present else [],
        bodies=bodies,
        present=seen.present,
        whole=seen.whole,
        last=seen.last,
        types_seen=dict(sorted(seen.types.items())),
        units_seen=dict(sorted(seen.units.items())),
        structs=seen.structs,
        fields=_fields(seen),
        element=_field(seen.element, seen.element.present) if seen.element else None,
    )


def _types(seen: Counter[Type]) -> list[Type]:
    """The types that count, or else the most frequent; a few fractions among whole numbers are no oddity."""
    total = sum(seen.values())
    found = {type_ for type_, number in seen.items() if counts(number, total)}
    found = found or {type_ for type_, number in seen.items() if number == max(seen.values())}
    if "long" in found and seen["double"] >= FEW:
        found.add("double")
    return sorted(found)
