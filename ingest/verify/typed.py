"""A typed gold recomputed on Trino: shares the schema's version with the fold, and no code that reads a body.

The fold lets Spark parse a body into the version's types; here each value is taken out of the body and looked at.
"""

from __future__ import annotations

from ingest.datasets import Dataset, Gold
from ingest.schema.model import Field, columns, quoted
from ingest.schema.typed import KEY, SCHEMA_VERSION, bound, frozen, taken
from ingest.verify.warehouse import TableAbsent, Warehouse

_QUERY = """
with

readable as (

    select
        *,
        error is not null as is_tombstone,
        -- Offsets of two partitions say nothing about order: then the broker's clock decides.
        if(
            min(kafka_partition) over of_epoch <> max(kafka_partition) over of_epoch,
            kafka_timestamp
        ) as order_time
    from ${{events}}
    where ({counts})
    and entity_key is not null
    and ${{slice}}
    window of_epoch as (partition by entity_key, topic_epoch)

),

in_order as (

    select
        *,
        row_number() over (
            partition by entity_key
            order by topic_epoch, order_time, if(order_time is not null, kafka_partition), kafka_offset
        ) as position,
        is_tombstone or ({fits}) as is_typed
    from readable

),

last_typed as (

    select
        *,
        row_number() over (partition by entity_key order by position desc) as back
    from in_order
    where is_typed

),

positions as (

    select
        entity_key,
        topic_epoch,
        map_agg(kafka_partition, kafka_offset) as absorbed,
        max(updated_at) as updated_at
    from (
        select
            entity_key,
            topic_epoch,
            kafka_partition,
            max(kafka_offset) as kafka_offset,
            max(max(topic_epoch)) over (partition by entity_key) as last_epoch,
            max(max(ingested_at)) over (partition by entity_key) as updated_at
        from in_order
        group by entity_key, topic_epoch, kafka_partition
    )
    where topic_epoch = last_epoch
    group by entity_key, topic_epoch

)

select
    last_typed.entity_key as {key},
    event_id,
    event_type,
    event_time,
    {columns}
    is_tombstone as is_deleted,
    kafka_partition,
    kafka_offset,
    positions.topic_epoch,
    absorbed,
    updated_at
from last_typed
inner join positions on last_typed.entity_key = positions.entity_key
where back = 1
"""
_SCALARS = {
    "boolean": "json_format({}) in ('true', 'false')",
    "long": "try_cast(json_format({}) as bigint) is not null",
    "double": "regexp_like(json_format({}), '^-?[0-9]') and try_cast(json_format({}) as double) is not null",
    "string": "true",
}


def as_made(dataset: Dataset, gold: Gold, warehouse: Warehouse) -> Gold:
    """The gold as its table was made: a typed one by the version of the schema that the table names."""
    version = _properties(gold, warehouse).get(SCHEMA_VERSION)
    return bound(dataset, gold, None if version is None else int(version))


def former_key(gold: Gold, warehouse: Warehouse) -> str:
    """The key column that a typed gold's table still has where today's is another; empty where it is today's."""
    key = _properties(gold, warehouse).get(KEY, gold.key[0])
    return "" if key == gold.key[0] else key


def _properties(gold: Gold, warehouse: Warehouse) -> dict[str, str]:
    """Those of a typed gold's table; none of another gold's, or where there is no table."""
    try:
        return warehouse.properties(gold.identifier) if gold.typed else {}
    except TableAbsent:
        return {}


def recomputation(dataset: Dataset, gold: Gold) -> str:
    """The query of a typed gold, with ${events} and ${slice} to be put in."""
    own = {column: (member("body", source), field) for column, (source, field) in taken(gold, gold.body).items()}
    needed = [fits(member("body", source), field) for source, field in taken(gold, gold.needed).values()]
    typed = {
        column: f"if({fits(value, field)}, {read(value, field)})" if column in frozen(gold) else read(value, field)
        for column, (value, field) in own.items()
    }
    counts = "error is null"
    if dataset.on_tombstone == "delete":
        counts += " or error = 'null_value'"
    return _QUERY.format(
        counts=counts,
        fits="\n        and ".join(f"({one})" for one in needed) or "true",
        key=gold.key[0],
        columns="\n    ".join(
            f"{value} as {quoted(column, 'trino')}," for column, value in typed.items()
        ),
    )


def fits(value: str, field: Field, depth: int = 0) -> str:
    """Whether a JSON value, null or absent included, is of the field's type: SQL."""
    absent = f"coalesce(json_format({value}), 'null') = 'null'"
    if field.type == "array":
        one = f"element_{depth}"
        inner = fits(one, field.element, depth + 1)
        return f"{absent} or coalesce(all_match(try(cast({value} as array(json))), {one} -> {inner}), false)"
    if field.type == "struct":
        inner = [f"({fits(member(value, name), field.fields[name], depth)})" for name in columns(field.fields, "trino")]
        return f"{absent} or (starts_with(json_format({value}), '{{') and {' and '.join(inner)})"
    return f"{absent} or {_SCALARS[field.type].format(value, value)}"


def read(value: str, field: Field, depth: int = 0) -> str:
    """The typed value of a JSON value that fits: SQL."""
    type_ = field.ddl("trino")
    absent = f"coalesce(json_format({value}), 'null') = 'null'"
    if field.type == "array":
        one = f"element_{depth}"
        return f"transform(try(cast({value} as array(json))), {one} -> {read(one, field.element, depth + 1)})"
    if field.type == "struct":
        inner = ", ".join(
            read(member(value, name), field.fields[name], depth) for name in columns(field.fields, "trino")
        )
        return f"if({absent}, null, cast(row({inner}) as {type_}))"
    if field.type == "string":
        return f"text_of({value})"
    return f"try_cast(nullif(json_format({value}), 'null') as {type_})"


def comparable(gold: Gold, rows: str) -> str:
    """`rows`, a relation of a typed gold's columns, with what JSON says in columns of mixed types written alike."""
    own = {column: field for column, (_, field) in taken(gold, gold.body).items()}
    named = [(quoted(column.name, "trino"), own.get(column.name, Field())) for column in gold.columns]
    return f"(select {', '.join(f'{_alike(name, field)} as {name}' for name, field in named)} from {rows})"


def _alike(value: str, field: Field, depth: int = 0) -> str:
    if field.type == "string" and len(field.types) > 1:
        return f"coalesce(try(json_format(json_parse({value}))), {value})"
    if field.type == "array" and (inner := _alike(f"element_{depth}", field.element, depth + 1)) != f"element_{depth}":
        return f"transform({value}, element_{depth} -> {inner})"
    if field.type == "struct":
        names = columns(field.fields, "trino")
        inner = {f"{value}.{quoted(name, 'trino')}": field.fields[name] for name in names}
        read_alike = [_alike(one, of, depth) for one, of in inner.items()]
        if read_alike != list(inner):
            return f"if({value} is not null, cast(row({', '.join(read_alike)}) as {field.ddl('trino')}))"
    return value


def member(value: str, name: str) -> str:
    """A member of a JSON object, of text or of a JSON value; `$` is doubled for the template."""
    path = "$$[" + quoted(name, "trino") + "]"
    return f"json_extract({value}, {text(path)})"


def text(text: str) -> str:
    """A text literal of Trino's."""
    return "'" + text.replace("'", "''") + "'"
