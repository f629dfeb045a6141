"""`lake produce`: sends generated events to Kafka, until a count is reached or a signal says stop.

A stop is graceful: what was handed to the client is flushed and counted before the summary is printed.
"""

from __future__ import annotations

import json
import re
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stack.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.generators.orders import OrderStream
    from ingest.generators.tally import Tally

app = typer.Typer(no_args_is_help=True, help="Send generated events to Kafka.")

FAILED, USAGE, UNREACHABLE = 1, 2, 5


def _share(what: str) -> Any:
    return Annotated[float, typer.Option(min=0, max=1, help=f"Share of the records that {what}, 0 to 1.")]


@app.callback()
def produce() -> None:
    """Send generated events to Kafka."""


@app.command()
def orders(
    rate: Annotated[
        float | None,
        typer.Option(min=0, help="Records a second in all; 0, the default with a count, is as fast as it goes."),
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=0, help="Records to send; 0, the default, is until Ctrl-C.", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Same seed, same events; by default a new one.", show_default=False)
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="Event time of the first record, ISO-8601 or epoch seconds; by default now - span."),
    ] = None,
    span: Annotated[str, typer.Option(help="Event time covered by COUNT records: 90s, 30m, 6h, 2d.")] = "6h",
    duplicates: _share("repeat an earlier one, byte for byte") = 0.01,
    late: _share("happened 1 to 24 hours before") = 0.01,
    out_of_order: _share("change places with the next of their order") = 0.005,
    illegal: _share("are no legal event of their order, or of no known type") = 0.01,
    malformed: _share("are malformed, of any kind in `kinds`") = 0.002,
    clean: Annotated[bool, typer.Option("--clean", help="No faults at all: sets the five shares to 0.")] = False,
    corpus: Annotated[
        bool, typer.Option("--corpus", help="First one record of every malformed kind; alone, nothing else.")
    ] = False,
    malformed_kinds: Annotated[
        str, typer.Option(help="Only these malformed kinds, separated by commas (see `kinds`).")
    ] = "",
    topic: Annotated[str, typer.Option(help="Topic to send to; created if it is missing.")] = "orders",
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of a topic created.")] = 4,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Producing processes; by default what the rate needs.", show_default=False)
    ] = None,
    oracle: Annotated[
        Path | None, typer.Option(help="Write a JSON line per acknowledged record to this file.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Send the events of many orders, from their creation to their return, with the faults of real producers."""
    from ingest.generators.faults import NO_FAULTS, Faults
    from ingest.generators.malformed import UnknownKind, chosen
    from ingest.generators.orders import OrderStream
    from ingest.generators.shares import planned_processes

    endless = count == 0 or (count is None and not corpus)
    rate = (100 if endless else 0) if rate is None else rate
    kinds = tuple(kind.strip() for kind in malformed_kinds.split(",") if kind.strip())
    try:
        seconds = parse_span(span)
        if endless and start:
            raise ValueError("--start needs a --count: an endless stream is dated by the clock.")
        begin = parse_start(start) if start else int(time.time()) - (0 if endless else seconds)
        faults = NO_FAULTS if clean else Faults(duplicates, late, out_of_order, illegal, malformed)
        chosen(kinds)
    except (ValueError, UnknownKind) as fault:
        _say(fault, USAGE)
    stream = OrderStream(
        seed=secrets.randbelow(1_000_000) if seed is None else seed,
        start=begin,
        span=seconds,
        count=count or 0,
        faults=faults,
        corpus=corpus,
        malformed_kinds=kinds,
        endless=endless,
        topic=topic,
        partitions=partitions,
    )
    processes = processes or planned_processes(rate, stream.total)
    tally, stopped = _send(stream, rate, processes, oracle)
    _report(stream, processes, tally, stopped, as_json)


@app.command()
def kinds(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """List the malformed kinds and the bronze error each must end with."""
    from ingest.generators.malformed import catalogue

    if as_json:
        rows = [{"kind": k.name, "error": k.error, "ambiguous": k.ambiguous} for k in catalogue().values()]
        print(json.dumps(rows, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("kind", "bronze error", "parsers disagree")
    for kind in catalogue().values():
        table.add_row(kind.name, kind.error or "", "yes" if kind.ambiguous else "")
    Console().print(table)


def parse_span(text: str) -> int:
    """Seconds of `90s`, `30m`, `6h` or `2d`; a bare number is seconds."""
    match = re.fullmatch(r"(\d+)([smhd]?)", text.strip())
    if not match:
        raise ValueError(f"--span is a number with s, m, h or d, such as 6h; not {text!r}.")
    return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def parse_start(text: str) -> int:
    """Epoch seconds of an ISO-8601 time (UTC when it names no zone) or of epoch seconds."""
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--start is a time such as 2026-01-27T10:00:00Z, or epoch seconds; not {text!r}.") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _send(stream: OrderStream, rate: float, processes: int, oracle: Path | None) -> tuple[Tally, bool]:
    import logging

    from kafka.errors import KafkaError

    from ingest.generators.broker import BrokerRefused, BrokerUnreachable, ensure_topic
    from ingest.generators.shares import ProcessDied, send_stream

    # The client logs each retry; what matters of them reaches us as an exception.
    logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
    servers = settings().kafka_bootstrap_servers
    try:
        there = ensure_topic(servers, stream.topic, stream.partitions)
        if there.partitions != stream.partitions:
            typer.echo(f"Topic {stream.topic} is there with {there.partitions} partitions and keeps them.", err=True)
        with _stop_on_signal() as stopping, _progress(stream) as on_progress:
            tally = send_stream(stream, servers, there.largest_batch, rate, processes, oracle, stopping, on_progress)
            return tally, stopping()
    except BrokerUnreachable as fault:
        _say(fault, UNREACHABLE)
    except (BrokerRefused, ProcessDied, OSError) as fault:
        _say(fault, FAILED)
    except KafkaError as fault:
        _say(f"The broker at {servers} refused: {fault}", FAILED)


def _report(stream: OrderStream, processes: int, tally: Tally, stopped: bool, as_json: bool) -> None:
    if as_json:
        plan = {"topic": stream.topic, "seed": stream.seed, "start": stream.start, "span": stream.span}
        print(json.dumps(plan | {"processes": processes, "stopped": stopped} | tally.as_json()))
    else:
        groups: Counter[str] = Counter()
        for kind, number in tally.kinds.items():
            groups[kind.partition(":")[0].replace("_", " ")] += number
        parts = ", ".join(f"{number:,} {kind}" for kind, number in groups.most_common())
        print(
            f"Sent {tally.sent:,} records to {stream.topic} in {tally.seconds:.1f} s ({tally.rate:,.0f}/s), "
            f"seed {stream.seed}, processes {processes}: {parts or 'nothing'}"
        )
    if tally.refused:
        listed = ", ".join(f"{number} {what}" for what, number in tally.refused.most_common(5))
        _say(f"{tally.refused.total()} records could not be sent: {listed}.", FAILED)


@contextmanager
def _stop_on_signal() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C or SIGTERM asks for a stop, the second is as hard as ever."""
    asked: list[int] = []
    before: dict[int, Any] = {}

    def ask(number: int, _frame: object) -> None:
        asked.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, ask)
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(stream: OrderStream) -> Iterator[Callable[[int], None]]:
    """A line of progress on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda sent: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"sending to {stream.topic}", total=stream.total)
        yield lambda sent: progress.update(task, completed=sent)


def _say(what: object, code: int) -> Any:
    """One sentence on stderr, and out."""
    typer.echo(str(what), err=True)
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
