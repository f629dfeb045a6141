"""A schema of JSON objects: of each field its types, whether it is always there, and what the sample showed.

The same model is a sample's finding (`infer`) and a version that was accepted (`store`). JSON in and out.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Type = Literal["boolean", "long", "double", "huge", "string", "struct", "array"]
"""Of a JSON value; whole numbers are 64 bits, `huge` is one that doesn't fit."""
Unit = Literal["seconds", "milliseconds", "iso8601"]
Engine = Literal["spark", "trino"]

FEW = 5
"""Bodies that must show a thing before it counts."""
SHARE = 0.05
"""Of a sample's bodies, the part that must show a thing before it counts."""
ENOUGH = 100
"""Bodies without a field before it counts as gone."""

_NAMES = {
    "spark": {"boolean": "boolean", "long": "bigint", "double": "double", "string": "string"},
    "trino": {"boolean": "boolean", "long": "bigint", "double": "double", "string": "varchar"},
}


class Field(BaseModel):
    """One field, or the elements of an array. `types` and `units` are those that count, `always` that no more than odd
    bodies lack it; the rest is what the sample showed, all of it counted in bodies.

    `bodies` hold its parent, `present` of them a value here, `whole` a value in each of the parents there are in the
    body, `last` is the number of the last body that has one.
    """

    model_config = ConfigDict(extra="forbid")

    types: list[Type] = []
    always: bool = False
    units: list[Unit] = []
    bodies: int = 0
    present: int = 0
    whole: int = 0
    last: int = 0
    types_seen: dict[Type, int] = {}
    units_seen: dict[Unit, int] = {}
    structs: int = 0
    fields: dict[str, Field] = {}
    element: Field | None = None

    @property
    def type(self) -> Type | None:
        """The one type that takes all of `types` without a loss; None where nothing but nulls was seen."""
        if len(self.types) < 2:
            return self.types[0] if self.types and self.types[0] != "huge" else "string" if self.types else None
        return "double" if set(self.types) == {"long", "double"} else "string"

    @property
    def since(self) -> int:
        """Bodies after the last one that has the field."""
        return self.bodies - self.last

    @property
    def gaps(self) -> int:
        """Bodies that lack the field though a later one has it."""
        return self.last - self.whole

    def ddl(self, engine: Engine = "spark") -> str | None:
        """Its type in an engine's SQL; None where it has none yet (nulls, empty arrays and objects)."""
        if self.type == "struct":
            inner = columns(self.fields, engine)
            between, around = (": ", "struct<{}>") if engine == "spark" else (" ", "row({})")
            listed = ", ".join(f"{quoted(name, engine)}{between}{type_}" for name, type_ in inner.items())
            return around.format(listed) if listed else None
        if self.type == "array":
            inner = self.element.ddl(engine) if self.element else None
            return None if inner is None else f"array<{inner}>" if engine == "spark" else f"array({inner})"
        return _NAMES[engine].get(self.type or "")


class Schema(BaseModel):
    """The objects of a stream: their fields by name, as `bodies` bodies showed them."""

    model_config = ConfigDict(extra="forbid")

    bodies: int = 0
    fields: dict[str, Field] = {}

    def ddl(self, engine: Engine = "spark") -> dict[str, str]:
        """Column types by name, in the fields' order; a field without a type yet is no column."""
        return columns(self.fields, engine)


def columns(fields: dict[str, Field], engine: Engine) -> dict[str, str]:
    """Type by name. Of names that differ by case only, which tables don't tell apart, the first is the column."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name, field in fields.items():
        type_ = field.ddl(engine)
        if type_ is not None and name and name.lower() not in taken:
            taken.add(name.lower())
            found[name] = type_
    return found


def quoted(name: str, engine: Engine) -> str:
    """A name of any text, for the engine's SQL."""
    return "`" + name.replace("`", "``") + "`" if engine == "spark" else '"' + name.replace('"', '""') + '"'
