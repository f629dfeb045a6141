"""A typed gold: its columns and its fold come from a version of the schema, not from a file of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import Template

from ingest.datasets import Column, Dataset, Gold
from ingest.schema import store
from ingest.schema.compare import ELEMENT, Path, Policy, dotted
from ingest.schema.model import Field, Schema, quoted

SCHEMA_VERSION, KEY = "lake.schema-version", "lake.key"
"""Properties of a typed gold's table: the version of the schema, and the key column, that it was made with."""
UNREADABLE = "__unreadable"
OPTIONS = (
    f"map('columnNameOfCorruptRecord', '{UNREADABLE}', 'allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false')"
)
READ_FROZEN = f",\n        from_json(arrived.body, {{}}, {OPTIONS}) as frozen"
KEPT_FROZEN = f", frozen, if(frozen.{UNREADABLE} is null, null, body) as doubted"
HEAD = (
    ("event_id", "string", "Event id of the last event"),
    ("event_type", "string", "What happened last"),
    ("event_time", "timestamp", "When it happened, by the producer's clock"),
)
TAIL = (
    ("is_deleted", "boolean", "Whether the last event is a tombstone, which deletes the key"),
    ("kafka_partition", "int", "Kafka partition of the last event"),
    ("kafka_offset", "bigint", "Kafka offset of the last event"),
    ("topic_epoch", "int", "Topic epoch of the newest event absorbed"),
    ("absorbed", "map<int, bigint>", "Highest offset absorbed per Kafka partition of topic_epoch"),
    ("updated_at", "timestamp", "Greatest ingested_at absorbed"),
)


def bound(dataset: Dataset, gold: Gold, version: int | None = None) -> Gold:
    """The gold with the columns of its schema's version, by default the one that holds; any other gold as it is.

    Without a version yet it has the columns that every typed gold has, and version 0.
    """
    if not gold.typed:
        return gold
    known = store.versions(dataset.bronze.table)
    chosen = next((one for one in known if one.number == version), None) or store.holding(known)
    return bound_to(gold, chosen.body if chosen else Schema(), chosen.number if chosen else 0, dataset.policy)


def bound_to(gold: Gold, schema: Schema, number: int, policy: Policy | None = None) -> Gold:
    """The gold with the columns of the schema, which is its version `number`."""
    own = [(name, field.ddl(), _described(source, field)) for name, (source, field) in taken(gold, schema).items()]
    listed = [(gold.key[0], "string", "The record's key"), *HEAD, *own, *TAIL]
    columns = [Column.model_construct(name=name, type=type_, description=said) for name, type_, said in listed]
    needed = {name: _needed(field, (name,), policy or Policy()) for name, field in schema.fields.items()}
    needed = schema.model_copy(update={"fields": needed})
    return gold.model_copy(update={"columns": columns}).with_version(number, schema, needed)


def _needed(field: Field, place: Path, policy: Policy) -> Field:
    """The field with text, which takes anything, for what is frozen in it."""
    if field.ddl() is None:
        return field
    if policy.freezes(dotted(place)):
        return Field(types=["string"])
    inner = {name: _needed(one, (*place, name), policy) for name, one in field.fields.items()}
    element = field.element and _needed(field.element, (*place, ELEMENT), policy)
    return field.model_copy(update={"fields": inner, "element": element})


def frozen(gold: Gold) -> dict[str, tuple[str, Field]]:
    """Of the columns those that read null where the body's field is of another type."""
    needed = taken(gold, gold.needed)
    own = taken(gold, gold.body)
    return {column: of for column, of in own.items() if of[1].ddl() != needed[column][1].ddl()}


def taken(gold: Gold, schema: Schema) -> dict[str, tuple[str, Field]]:
    """Column: the body's field that it is read from. A field that every typed gold has, or a second one of a column's
    name, is none."""
    found: dict[str, tuple[str, Field]] = {}
    reserved = {gold.key[0], *(name for name, *_ in (*HEAD, *TAIL))}
    for name in schema.ddl():
        column = column_of(name)
        if column and column not in reserved and column not in found:
            found[column] = name, schema.fields[name]
    return found


def column_of(name: str) -> str:
    """`userId` as user_id, `Total amount` as total_amount."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    text = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")[:63]
    return f"field_{text}"[:63] if text[:1].isdigit() else text


def fold_sql(gold: Gold, text: str) -> str:
    """`text`, which is latest.sql, for the gold's version. Braces are doubled: the rest is for Spark's formatter."""
    own, doubtful = taken(gold, gold.body), frozen(gold)
    columns = [
        f"if(last is null, state.`{column}`, {_value(source, field, column in doubtful)}) as `{column}`,"
        for column, (source, field) in own.items()
    ]
    return Template(text).substitute(
        key=gold.key[0],
        types=_formatted(_types(taken(gold, gold.needed).values())),
        read_frozen=_formatted(READ_FROZEN.format(_types(doubtful.values()))) if doubtful else "",
        kept_frozen=KEPT_FROZEN if doubtful else "",
        columns="\n    ".join(map(_formatted, columns)),
        options=OPTIONS,
    )


def _types(fields: Iterable[tuple[str, Field]]) -> str:
    listed = [f"{quoted(source, 'spark')} {field.ddl()}" for source, field in fields]
    return _literal(", ".join([*listed, f"{UNREADABLE} string"]))


def _value(source: str, field: Field, is_frozen: bool) -> str:
    """SQL for what the last event says. Of one with a frozen field of another type, each is looked at by itself."""
    name = quoted(source, "spark")
    if not is_frozen:
        return f"last.fields.{name}"
    alone = f"from_json(last.doubted, {_types([(source, field)])}, {OPTIONS})"
    return f"if(last.doubted is null, last.frozen.{name}, if({alone}.{UNREADABLE} is null, {alone}.{name}, null))"


def _described(source: str, field: Field) -> str:
    unit = {"seconds": ", in seconds since 1970", "milliseconds": ", in milliseconds since 1970"}
    return f"The body's {source}{''.join(unit.get(one, '') for one in field.units)}"


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _formatted(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
