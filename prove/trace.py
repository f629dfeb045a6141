"""The Kafka records that a row came from, with their bodies, as bronze keeps them and as the broker may still do.

What is known of users and videos came from feeds: there the rows of those are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from trino.exceptions import TrinoUserError

from ingest.verify.blocks import Range
from ingest.verify.broker import describe, fingerprints
from ingest.verify.fingerprint import FINGERPRINT_SQL, differing_parts
from ingest.verify.warehouse import TableAbsent, Warehouse
from prove.feeds import Landed, landed
from prove.origins import PLACE, Lineage, Traced
from stack.faults import USAGE, Fault
from stack.settings import CATALOG, Settings


@dataclass(frozen=True)
class Record:
    """A record of bronze. `broker` is None (not asked), same, gone, or what differs there."""

    topic: str
    topic_epoch: int
    kafka_partition: int
    kafka_offset: int
    kafka_timestamp: str
    event_type: str | None
    error: str | None
    body: str | None
    body_hex: str | None
    fingerprint: bytes
    broker: str | None = None


@dataclass(frozen=True)
class Found:
    """`rows` of the table that have the key, `total` records or rows of feeds they came from, the first of those."""

    table: str
    key: dict[str, str]
    rows: int
    total: int
    records: list[Record]
    landed: list[Landed] = field(default_factory=list)


def trace(warehouse: Warehouse, lineage: Lineage, name: str, key: Sequence[str], limit: int) -> Found:
    """What rows of the table with this key came from; Fault where there is no such table or row."""
    table = lineage.table(name)
    columns, link = _columns(warehouse, table), table
    while link.trace:
        link = lineage.table(link.trace.through)
        _columns(warehouse, link)
    if not (table.live or table.trace or table.is_feed or {"topic", *PLACE} <= set(columns)):
        fix = "give its model meta: trace: with `through` and `by`"
        raise Fault(f"{table.identifier} doesn't say where its rows come from", fix, USAGE)
    wanted = _wanted(table, columns, key)
    condition = " and ".join(f'"{column}" = {_literal(value, columns[column])}' for column, value in wanted.items())
    rows = f"select * from {CATALOG}.{table.identifier} where {condition}"
    said = ", ".join(f"{column} = {value}" for column, value in wanted.items())
    try:
        [[count]] = warehouse.rows(f"select count(*) from ({rows})")
    except TrinoUserError as error:
        raise Fault(f"{said}: {error.message}", code=USAGE) from error
    if not count:
        raise Fault(f"No row of {table.identifier} has {said}")
    places, records, total = lineage.places(table, rows), [], 0
    if link.is_feed:
        total, rows_landed = landed(warehouse, link.identifier, places, limit)
        return Found(table.identifier, wanted, count, total, [], rows_landed)
    try:
        topics = {row[0] for row in warehouse.rows(f"select distinct topic from ({places})")}
    except TrinoUserError as error:
        raise Fault(f"{table.name} can't be followed: {error.message}", "mend meta: trace: of its models") from error
    for dataset in lineage.datasets:
        if dataset.topic in topics:
            joined = f"{lineage.bronze_of(dataset)} inner join ({places}) using (topic, {', '.join(PLACE)})"
            [[held]] = warehouse.rows(f"select count(*) from {joined}")
            total += held
            listed = warehouse.rows(
                f"select topic, {', '.join(PLACE)}, cast(kafka_timestamp as varchar), event_type, error, body,"
                f" to_hex(body_bytes), {FINGERPRINT_SQL} from {joined}"
                f" order by topic_epoch, kafka_timestamp, kafka_partition, kafka_offset limit {limit - len(records)}"
            )
            records += [Record(*row) for row in listed]
    return Found(table.identifier, wanted, count, total, records)


def beside_broker(settings: Settings, warehouse: Warehouse, lineage: Lineage, found: Found) -> Found:
    """The same, each record compared with the one that the broker has at its place."""
    epochs, topics = {}, {}
    for dataset in lineage.datasets:
        if any(record.topic == dataset.topic for record in found.records):
            bronze = lineage.bronze_of(dataset).removeprefix(f"{CATALOG}.")
            epochs[dataset.topic] = int(warehouse.properties(bronze).get("lake.topic-epoch", 1))
            topics[dataset.topic] = describe(settings.kafka_bootstrap_servers, dataset.topic)
    compared = []
    for record in found.records:
        topic, place = topics[record.topic], record.kafka_partition
        there = topic and record.topic_epoch == epochs[record.topic] and place in topic.begin
        if there and topic.begin[place] <= record.kafka_offset < topic.end[place]:
            what = Range(place, record.kafka_offset, record.kafka_offset + 1)
            held = next(fingerprints(settings.kafka_bootstrap_servers, record.topic, what), None)
            said = "gone" if held is None else _compared(record.fingerprint, held[1])
        else:
            said = "gone"
        compared.append(replace(record, broker=said))
    return replace(found, records=compared)


def _columns(warehouse: Warehouse, table: Traced) -> dict[str, str]:
    try:
        return warehouse.columns(f"select * from {CATALOG}.{table.identifier}")
    except TableAbsent:
        raise Fault(f"{table.identifier} is not there yet", "lake ingest --once, then dbt build") from None


def _compared(bronze: bytes, broker: bytes) -> str:
    parts = differing_parts(bytes(bronze), broker)
    return f"different in {', '.join(parts)}" if parts else "same"


def _wanted(table: Traced, columns: dict[str, str], key: Sequence[str]) -> dict[str, str]:
    """Column and value of each part of the key: `column=value`, or values of the table's key in its order."""
    named = dict(part.split("=", 1) for part in key if part.split("=", 1)[0] in columns and "=" in part)
    plain = [part for part in key if "=" not in part or part.split("=", 1)[0] not in columns]
    free = [column for column in table.key if column not in named]
    if not key or len(plain) > len(free):
        fix = " ".join(f"<{column}>" for column in table.key) or "column=value"
        raise Fault(f"{table.identifier} has no such key", f"lake trace {table.name} {fix}", USAGE)
    return named | dict(zip(free, plain, strict=False))


def _literal(value: str, type_: str) -> str:
    quoted = value.replace("'", "''")
    if type_.startswith("timestamp"):
        quoted = quoted.replace("T", " ").removesuffix("Z")
        quoted = f"{quoted} UTC" if "zone" in type_ and not quoted.endswith("UTC") else quoted
    return f"cast('{quoted}' as {type_})"


def as_json(found: Found) -> dict[str, Any]:
    """For scripts; bytes as hex digits."""
    records = [{k: v for k, v in vars(record).items() if k != "fingerprint"} for record in found.records]
    return {
        "table": found.table,
        "key": found.key,
        "rows": found.rows,
        "total": found.total,
        "records": records,
        "landed": [asdict(one) for one in found.landed],
    }
