"""`lake trace`: from a row to the Kafka records it came from. Exits 0, 1 when there is no such row (or the broker has
another record), 2 for an unknown table or key, 5 when an engine does not answer."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from stack.faults import DIFFERENT, UNREACHABLE, Fault
from stack.settings import settings


def trace(
    table: Annotated[str, typer.Argument(help="A live gold, or a dbt model: orders_current, category_sales, …")],
    key: Annotated[list[str], typer.Argument(help="Values of its key, in order, or column=value.")],
    limit: Annotated[int, typer.Option(min=1, help="Most records to show.")] = 20,
    kafka: Annotated[bool, typer.Option("--kafka", help="Compare each with the record the broker has.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show the Kafka records that a row came from: topic, partition, offset and body.

    For the dimensions, the rows of the feeds that were landed: those were never in Kafka.
    """
    from ingest.command import datasets
    from ingest.verify.broker import BrokerUnreachable
    from ingest.verify.warehouse import TrinoUnreachable, Warehouse
    from prove import trace as traces
    from prove.origins import Lineage
    from stack.dbt import Dbt

    warehouse = Warehouse(settings())
    lineage = Lineage(datasets(None), Dbt(settings(), settings().home / "trace"))
    try:
        found = traces.trace(warehouse, lineage, table, key, limit)
        if kafka:
            found = traces.beside_broker(settings(), warehouse, lineage, found)
    except (TrinoUnreachable, BrokerUnreachable) as error:
        raise Fault(str(error), "lake status", UNREACHABLE) from error
    if as_json:
        typer.echo(json.dumps(traces.as_json(found)))
    else:
        _show(found)
    different = any(record.broker not in (None, "same", "gone") for record in found.records)
    raise typer.Exit(DIFFERENT if different else 0)


def _show(found: object) -> None:
    key = ", ".join(f"{column} = {value}" for column, value in found.key.items())
    listed = len(found.records) + len(found.landed)
    shown = "" if listed == found.total else f", the first {listed} of them (--limit)"
    what = "rows of feeds, not in Kafka" if found.landed else "records"
    typer.echo(f"{found.table}, {key}: {found.rows} rows from {found.total} {what}{shown}")
    for row in found.landed:
        typer.echo(f"\n{row.feeds}, feed of {row.feed_date}, row {row.feed_row}, landed {row.ingested_at}")
        typer.echo(json.dumps(row.values))
    for record in found.records:
        place = f"{record.topic} {record.kafka_partition}:{record.kafka_offset}, epoch {record.topic_epoch}"
        broker = "" if record.broker is None else f", broker: {record.broker}"
        typer.echo(f"\n{place}, {record.kafka_timestamp}, {record.error or record.event_type}{broker}")
        typer.echo(record.body if record.body is not None else f"bytes {record.body_hex}")
