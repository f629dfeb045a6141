"""The version that takes what a sample shows: after it, the same sample shows no change. It never takes less.

A type is added to the others rather than put in their place, because bronze keeps the bodies of both.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest.schema.compare import ELEMENT, Change, Path
from ingest.schema.model import Field, Schema


def evolved(known: Schema, seen: Schema, taken: Iterable[Change]) -> Schema:
    """`known` with the changes `taken` that a comparison with `seen` has found. `known` is left as it is."""
    result = known.model_copy(deep=True)
    for change in taken:
        _take(result, seen, change)
    return result


def _take(result: Schema, seen: Schema, change: Change) -> None:
    *above, name = change.place
    into, sample = _at(result, tuple(above)), _at(seen, tuple(above))
    if change.kind in ("removed", "renamed", "optional"):
        into.fields[name].always = False
    if change.kind == "added":
        into.fields[name] = _new(sample.fields[name])
    elif change.kind in ("renamed", "case"):
        if change.kind == "case":
            into.fields[name].always = False
        into.fields[change.now] = _new(sample.fields[change.now])
    elif change.kind in ("widened", "narrowed", "retyped", "unit"):
        if name == ELEMENT:
            into.element = _joined(into.element or Field(), sample.element)
        else:
            into.fields[name] = _joined(into.fields[name], sample.fields[name])


def _at(root: Schema | Field, place: Path) -> Schema | Field:
    for name in place:
        root = root.element if name == ELEMENT else root.fields[name]
    return root


def _new(field: Field) -> Field:
    """A field that the bodies before it lack: never one that must be there."""
    return field.model_copy(update={"always": False}, deep=True)


def _joined(known: Field, seen: Field) -> Field:
    """The known field with the sample's types and units, too."""
    seen = seen.model_copy(deep=True)
    types = sorted({*known.types, *seen.types})
    return known.model_copy(
        update={
            "types": types,
            "units": sorted({*known.units, *seen.units}),
            "fields": known.fields if "struct" in known.types else seen.fields,
            "element": known.element if "array" in known.types and known.element else seen.element,
        }
    )
