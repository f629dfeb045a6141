"""What a sample of records says of its dataset: which fields tell id, type, time and key of an event, and the columns.

What is guessed here is written into files, for a person to read and change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

from ingest.schema.infer import object_in, schema_of
from ingest.schema.model import Field, Schema
from ingest.schema.typed import column_of
from onboarding.sample import Record

# By preference; a body's field is compared in lower case and without `_`.
_IDS = ("eventid", "messageid", "id", "uuid", "guid")
_TYPES = ("eventtype", "event", "type", "kind", "action", "name")
_TIMES = ("eventtime", "eventtimestamp", "timestamp", "occurredat", "createdat", "time", "ts", "at")
_MOST_TYPES = 50  # different texts, beyond which a field says something else than what happened
_READABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_STAGING = {
    "topic", "topic_epoch", "kafka_partition", "kafka_offset", "kafka_timestamp", "kafka_headers", "ingested_at",
    "error", "event_id", "event_type", "event_time", "event_date", "entity_key", "body", "is_duplicate",
    "readable_body",
}  # fmt: skip
# What Trino or Spark reserve beyond PostgreSQL, and names of types.
_WORDS = {
    "by", "cube", "date", "deallocate", "delete", "describe", "drop", "escape", "execute", "exists", "extract",
    "insert", "interval", "json_array", "json_object", "listagg", "normalize", "prepare", "range", "recursive",
    "rollup", "row", "rows", "skip", "time", "timestamp", "trim", "uescape", "unnest", "values",
}  # fmt: skip


class NotDescribed(ValueError):
    """The sample doesn't say what a dataset needs; the message says what to do."""


@dataclass(frozen=True)
class Column:
    """A body field as staging types it: its path, column, type of SQL, and what is said of it."""

    path: str
    column: str
    type: str
    description: str

    @property
    def sql(self) -> str:
        """Its line of the select list, or lines."""
        text = f"json_text('readable_body', '{self.path}')"
        if self.type == "boolean":
            cases = (
                f"            when 'true' then true\n            when 'false' then false\n        end as {self.column}"
            )
            return f"case {{{{ {text} }}}}\n{cases}"
        value = f"{{{{ {text} }}}}" if self.type == "varchar" else f"{{{{ number_in({text}, '{self.type}') }}}}"
        return (
            f"{value} as {self.column}" if len(value + self.column) < 76 else f"{value}\n            as {self.column}"
        )


@dataclass(frozen=True)
class Described:
    """A dataset as its sample shows it. Fields are null where no field of the body is it."""

    event_id: str | None
    event_type: str | None
    event_time: str | None
    event_time_unit: str | None
    key: str | None
    keyed: bool
    columns: list[Column]
    left_in_body: list[str]
    example: dict[str, Any]


def describe(records: Sequence[Record], **said: str | None) -> Described:
    """From at least one record that is a JSON object. `said` names fields that a person knows: event_id, event_type,
    event_time, key; what it leaves out is guessed. Raises NotDescribed where a field said is none of the sample's.
    """
    bodies = [(record.key, body) for record in records if (body := object_in(record.value or b"")) is not None]
    if not bodies:
        raise NotDescribed("no record of the sample is a JSON object; produce some first, or write the dataset's YAML")
    schema = schema_of(body for _, body in bodies)
    named = {name: field for name, field in schema.fields.items() if _READABLE.match(name)}
    for what, field in said.items():
        if field is not None and field not in named:
            raise NotDescribed(f"no field {field!r} for {what}; the sample has: {', '.join(sorted(named))}")
    times = [name for name, field in named.items() if field.always and len(field.units) == 1]
    event_time = said.get("event_time") or _first(named, _TIMES, lambda field: len(field.units) == 1)
    event_time = event_time or (times[0] if len(times) == 1 else None)
    if event_time and not (units := named[event_time].units):
        raise NotDescribed(f"{event_time!r} holds no times: epoch seconds or milliseconds, or ISO 8601")
    event_id = said.get("event_id") or _first(
        named, _IDS, lambda field: field.type == "string", lambda name: _is_distinct(bodies, name)
    )
    event_type = said.get("event_type") or _first(
        named, _TYPES, lambda field: field.type == "string", lambda name: _is_few(bodies, name)
    )
    keyed = all(key is not None for key, _ in bodies)
    key = said.get("key") or _key(bodies, named)
    header = {event_id, event_type, event_time} - {None}
    columns, left = _columns(schema, header)
    return Described(
        event_id, event_type, event_time, units[0] if event_time else None, key, keyed, columns, left, bodies[0][1]
    )


def _first(fields: dict[str, Field], names: Sequence[str], fits: Any, holds: Any = lambda name: True) -> str | None:
    """The first of the names that is a field of every body and is what is looked for."""
    fitting = {_plain(name): name for name, field in fields.items() if field.always and fits(field)}
    return next((fitting[name] for name in names if name in fitting and holds(fitting[name])), None)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _is_distinct(bodies: Sequence[tuple[Any, dict]], name: str) -> bool:
    """Whether nearly every body has another value; repeats of a producer's retries are few."""
    values = [str(body.get(name)) for _, body in bodies]
    return len(set(values)) >= 0.8 * len(values)


def _is_few(bodies: Sequence[tuple[Any, dict]], name: str) -> bool:
    different = {str(body.get(name)) for _, body in bodies}
    return len(different) <= min(_MOST_TYPES, max(1, len(bodies) // 2))


def _key(bodies: Sequence[tuple[bytes | None, dict]], names: Iterable[str]) -> str | None:
    """The field whose value is the record's key, in nearly all of the records that have one."""
    with_key = [(key, body) for key, body in bodies if key is not None]
    for name in names if with_key else ():
        same = sum(_as_text(body.get(name)) == key for key, body in with_key)
        if same >= 0.95 * len(with_key):
            return name
    return None


def _as_text(value: object) -> bytes | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value).encode()


def _columns(schema: Schema, header: set[str]) -> tuple[list[Column], list[str]]:
    """Scalars of the body, those of its objects among them, as columns; and what stays in the body."""
    found: list[Column] = []
    left: list[str] = []
    taken = _STAGING | _WORDS | RESERVED_WORDS

    def look(path: str, name: str, field: Field) -> None:
        if path in header:
            return
        if not _READABLE.match(name):
            left.append(path)
        elif field.type == "struct":
            for inner, of in field.fields.items():
                look(f"{path}.{inner}", inner, of)
        elif (type_ := field.ddl("trino")) is None or field.type == "array":
            left.append(path)
        else:
            column = column_of(path) or "field"
            while column in taken:
                column += "_value"
            taken.add(column)
            found.append(Column(path, column, type_, _says(path, field)))

    for name, field in schema.fields.items():
        look(name, name, field)
    return found, left


def _says(path: str, field: Field) -> str:
    kind = {"long": "a whole number", "double": "a number", "boolean": "true or false"}.get(field.type, "any text")
    sometimes = "" if field.always else ", not in every record"
    unit = f"; times in {field.units[0]}" if len(field.units) == 1 else ""
    return f"The body's {path}, {kind}{sometimes}{unit}."
