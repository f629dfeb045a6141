"""A sample beside the version that is known: what has changed, field by field, and what is to be done about it.

docs/schema.md is the contract of every case, and a test holds it to this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ingest.schema.infer import counts
from ingest.schema.model import ENOUGH, FEW, Field, Schema

Kind = Literal[
    "added", "widened", "optional", "narrowed", "retyped", "removed", "renamed", "case", "unit", "key", "header"
]
Verdict = Literal["evolve", "freeze", "quarantine", "block"]
COMPATIBLE: tuple[Kind, ...] = ("added", "widened", "optional")
SEVERITY: tuple[Verdict, ...] = ("evolve", "freeze", "quarantine", "block")
Path = tuple[str, ...]
ELEMENT = "[]"
_SQL = {"long": "bigint", "huge": "number beyond 64 bits"}


class Change(BaseModel):
    """One field's change. `path` is dotted, `[]` stands for an array's elements; `was` and `now` are for a person."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    path: str
    was: str = ""
    now: str = ""
    place: Path = ()

    @property
    def is_breaking(self) -> bool:
        """Whether a reader of the known version could be misled."""
        return self.kind not in COMPATIBLE

    def __str__(self) -> str:
        told = {
            "added": f"new, {self.now}",
            "widened": f"{self.was} is now {self.now}",
            "optional": "was always there, is now missing in some",
            "narrowed": f"{self.was} is now {self.now}",
            "retyped": f"{self.was} is now {self.now}",
            "removed": f"{self.was}, was always there, is gone",
            "renamed": f"is gone, {self.now} of the same type is new",
            "case": f"{self.now} is new and differs from it by case only",
            "key": f"golds had a row for each, and are to have one for each {self.now}",
            "header": f"can't be read in most records, which are dead letters ({self.now})",
            "unit": f"time in {self.was} is now in {self.now}",
        }
        return f"{self.path}: {told[self.kind]}"


class Policy(BaseModel):
    """What a dataset does about changes; without `check`, nothing is looked at. `fields`: by dotted path, for what lies
    below it, too, breaking or not. `default`: elsewhere; evolve takes compatible changes and blocks on breaking ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: bool = True
    default: Verdict = "evolve"
    fields: dict[str, Verdict] = {}

    def at(self, path: str) -> Verdict | None:
        """What the longest path that is given says of a field; None where none does."""
        above = [one for one in self.fields if _lies_in(path, one)]
        return self.fields[max(above, key=len)] if above else None

    def of(self, change: Change) -> Verdict:
        """The verdict on one change."""
        default = "block" if self.default == "evolve" and change.is_breaking else self.default
        return self.at(change.path) or default

    def freezes(self, path: str) -> bool:
        """Whether a field, with all that lies in it, is only read where it is of its type."""
        return (self.at(path) or self.default) == "freeze" and not self._below(path)

    def quarantines(self, path: str) -> bool:
        """Whether a field, or something that lies in it, keeps a body from typed golds where it is of another type."""
        return "quarantine" in {self.at(path) or self.default, *self._below(path)}

    def _below(self, path: str) -> list[Verdict]:
        return [said for one, said in self.fields.items() if one != path and _lies_in(one, path)]


def verdict(found: Iterable[Change], policy: Policy | None = None) -> Verdict:
    """The severest verdict on the changes; evolve where there is none."""
    policy = policy or Policy()
    return max((policy.of(change) for change in found), key=SEVERITY.index, default="evolve")


def changes(known: Schema, seen: Schema) -> list[Change]:
    """What the sample `seen` shows that `known` does not take, by path. Odd bodies change nothing: FEW and SHARE."""
    return sorted(_of_fields((), known.fields, seen.fields, seen.bodies), key=lambda change: change.path)


def dotted(place: Path) -> str:
    """`("items", "[]", "sku")` as items[].sku; a name with a dot or a bracket is put in quotes."""
    text = ""
    for name in place:
        plain = name != ELEMENT and not set(name) & set('.[]"') and name
        text += ELEMENT if name == ELEMENT else ("." if text else "") + (name if plain else f'"{name}"')
    return text


def _lies_in(path: str, above: str) -> bool:
    return path == above or path.startswith((above + ".", above + ELEMENT))


def told(field: Field) -> str:
    """A field's type for a person."""
    return field.ddl() or field.type or "null"


def _change(kind: Kind, place: Path, was: str = "", now: str = "") -> Change:
    return Change(kind=kind, path=dotted(place), was=was, now=now, place=place)


def _of_fields(place: Path, known: dict[str, Field], seen: dict[str, Field], bodies: int) -> Iterator[Change]:
    gone = {n: f for n, f in known.items() if f.always and (seen[n].since if n in seen else bodies) >= ENOUGH}
    new = {name: field for name, field in seen.items() if name not in known and field.present >= FEW}
    lowered = {name.lower(): name for name in reversed(known)}
    for name, field in new.items():
        if (twin := lowered.get(name.lower())) is not None:
            gone.pop(twin, None)
            yield _change("case", (*place, twin), twin, name)
        elif (old := next((n for n, f in gone.items() if f.types == field.types), None)) is not None:
            del gone[old]
            yield _change("renamed", (*place, old), old, name)
        else:
            yield _change("added", (*place, name), now=told(field))
    for name, field in gone.items():
        yield _change("removed", (*place, name), told(field))
    for name in known.keys() & seen.keys():
        if known[name].always and name not in gone and counts(seen[name].gaps, seen[name].bodies):
            yield _change("optional", (*place, name))
        yield from _of_field((*place, name), known[name], seen[name])


def _of_field(place: Path, known: Field, seen: Field) -> Iterator[Change]:
    strong = {type_ for type_, number in seen.types_seen.items() if counts(number, seen.present)}
    if seen.types_seen.get("double", 0) >= FEW and "long" in known.types:
        strong.add("double")
    new = strong - set(known.types)
    if new and not known.types:
        yield _change("widened", place, "null", told(seen))
    elif new == {"double"} and known.types == ["long"]:
        yield _change("widened", place, "bigint", "double")
    elif known.types == ["double"] and new == {"long"}:
        if seen.present >= ENOUGH and not seen.types_seen.get("double"):
            yield _change("narrowed", place, "double", "bigint")
    elif new and (len(known.types) < 2 or known.type != "string"):
        yield _change("retyped", place, told(known), " or ".join(_SQL.get(type_, type_) for type_ in sorted(strong)))
    units = {unit for unit, number in seen.units_seen.items() if counts(number, seen.present)}
    if known.units and not new and units - set(known.units):
        yield _change("unit", place, " or ".join(known.units), " or ".join(sorted(units - set(known.units))))
    if "struct" in known.types and "struct" in strong:
        yield from _of_fields(place, known.fields, seen.fields, seen.structs)
    if "array" not in known.types or seen.element is None:
        return
    if known.element:
        yield from _of_field((*place, ELEMENT), known.element, seen.element)
    elif seen.element.present >= FEW:
        yield _change("widened", (*place, ELEMENT), "null", told(seen.element))
