"""`lake produce`: sends generated events to Kafka, until a count is reached or a signal says stop.

Each dataset that has a generator is a command; all have the same options, with defaults of their own.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Annotated

import typer

from ingest import produce_options as options
from ingest.command import Json, fail
from ingest.generators.content_events import ContentStream
from ingest.generators.event_stream import EventStream
from ingest.generators.faults import NO_FAULTS, Faults
from ingest.generators.orders import OrderStream
from ingest.generators.user_events import UserStream
from ingest.produce_run import report, send
from stack.faults import USAGE

app = typer.Typer(no_args_is_help=True, help="Send generated events to Kafka.")

HELP = {
    OrderStream: "Send the events of many orders, from creation to return, with the faults of real producers.",
    ContentStream: "Send what viewers do with videos, in sessions apart from each other, with the faults of real apps.",
    UserStream: "Send the clicks and purchases of visitors, from login to logout, with the faults of real clients.",
}
STREAMS: dict[str, type[EventStream]] = {kind.dataset: kind for kind in HELP}


@app.callback()
def produce() -> None:
    """Send generated events to Kafka."""


def _command(kind: type[EventStream]) -> Callable[..., None]:
    """The command that sends this kind of stream."""
    usual = kind.faults

    def produce_stream(
        rate: options.Rate = None,
        count: options.Count = None,
        seed: options.Seed = None,
        start: options.Start = None,
        span: options.Span = "6h",
        duplicates: options.Duplicates = usual.duplicates,
        late: options.Late = usual.late,
        out_of_order: options.OutOfOrder = usual.out_of_order,
        illegal: options.Illegal = usual.illegal,
        malformed: options.Malformed = usual.malformed,
        clean: options.Clean = False,
        corpus: options.Corpus = False,
        malformed_kinds: options.MalformedKinds = "",
        drift: options.Drift = "",
        topic: options.Topic = kind.topic,
        partitions: options.Partitions = kind.partitions,
        processes: options.Processes = None,
        oracle: options.Oracle = None,
        as_json: Json = False,
    ) -> None:
        from ingest.generators.malformed import UnknownKind, chosen
        from ingest.generators.shares import planned_processes

        endless = count == 0 or (count is None and not corpus)
        rate = (100 if endless else 0) if rate is None else rate
        kinds, drifts = options.names_in(malformed_kinds), options.names_in(drift)
        try:
            seconds = options.parse_span(span)
            if endless and start:
                raise ValueError("--start needs a --count: an endless stream is dated by the clock.")
            chosen(kinds, kind.dataset)
            stream = kind(
                seed=secrets.randbelow(1_000_000) if seed is None else seed,
                start=options.parse_start(start) if start else int(time.time()) - (0 if endless else seconds),
                span=seconds,
                count=count or 0,
                faults=NO_FAULTS if clean else Faults(duplicates, late, out_of_order, illegal, malformed),
                corpus=corpus,
                malformed_kinds=kinds,
                endless=endless,
                topic=topic,
                partitions=partitions,
                rate=rate,
                drift=drifts,
            )
        except (ValueError, UnknownKind) as fault:
            fail(str(fault), USAGE)
        processes = processes or planned_processes(rate, stream.total)
        tally, stopped = send(stream, rate, processes, oracle)
        report(stream, processes, tally, stopped, as_json)

    return produce_stream


for _kind, _help in HELP.items():
    app.command(_kind.dataset, help=_help)(_command(_kind))


@app.command()
def kinds(
    dataset: Annotated[str, typer.Argument(help=f"One of {', '.join(STREAMS)}.")] = OrderStream.dataset,
    as_json: Json = False,
) -> None:
    """List the malformed kinds of a dataset and the bronze error each must end with."""
    from ingest.generators.malformed import catalogue

    if dataset not in STREAMS:
        fail(f"nothing generates {dataset!r}; known: {', '.join(STREAMS)}", USAGE)
    listed = catalogue(dataset).values()
    if as_json:
        print(json.dumps([{"kind": k.name, "error": k.error, "ambiguous": k.ambiguous} for k in listed], indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("kind", "bronze error", "parsers disagree")
    for kind in listed:
        table.add_row(kind.name, kind.error or "", "yes" if kind.ambiguous else "")
    Console().print(table)


@app.command()
def drifts(as_json: Json = False) -> None:
    """List the kinds of drift: how events may change, what the check of schemas finds, and what a gold does then."""
    from ingest.generators.drift import DRIFTS

    if as_json:
        listed = [{"kind": d.name, "what": d.told, "found": d.found, "stops": d.stops} for d in DRIFTS.values()]
        print(json.dumps(listed, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("kind", "what the events have", "the check finds", "then")
    for drift in DRIFTS.values():
        table.add_row(drift.name, drift.told, drift.found, "the gold waits for a person" if drift.stops else "goes on")
    Console().print(table)


if __name__ == "__main__":
    app()
