"""A typed gold: its columns and its fold come from a version of the schema, not from a file of its own."""

from __future__ import annotations

import re
from string import Template

from ingest.datasets import Column, Dataset, Gold
from ingest.schema import store
from ingest.schema.model import Field, Schema, quoted

SCHEMA_VERSION = "lake.schema-version"
"""Of a typed gold's table, the property that names the version it was made by."""
UNREADABLE = "__unreadable"
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
    return bound_to(gold, chosen.body if chosen else Schema(), chosen.number if chosen else 0)


def bound_to(gold: Gold, schema: Schema, number: int) -> Gold:
    """The gold with the columns of the schema, which is its version `number`."""
    own = [(name, field.ddl(), _described(source, field)) for name, (source, field) in taken(gold, schema).items()]
    listed = [(gold.key[0], "string", "The record's key"), *HEAD, *own, *TAIL]
    columns = [Column.model_construct(name=name, type=type_, description=said) for name, type_, said in listed]
    return gold.model_copy(update={"columns": columns}).with_version(number, schema)


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
    own = taken(gold, gold.body)
    types = ", ".join(f"{quoted(source, 'spark')} {field.ddl()}" for source, field in own.values())
    types = f"{types}, {UNREADABLE} string" if types else f"{UNREADABLE} string"
    columns = [
        f"if(last is null, state.`{column}`, last.fields.{quoted(source, 'spark')}) as `{column}`,"
        for column, (source, _) in own.items()
    ]
    return Template(text).substitute(
        key=gold.key[0], types=_formatted(_literal(types)), columns="\n    ".join(map(_formatted, columns))
    )


def _described(source: str, field: Field) -> str:
    unit = {"seconds": ", in seconds since 1970", "milliseconds": ", in milliseconds since 1970"}
    return f"The body's {source}{''.join(unit.get(one, '') for one in field.units)}"


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _formatted(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
