"""Sending a stream at a person's terminal: progress, a graceful stop, and what came of it.

What was handed to the client before a stop is flushed and counted before the summary is printed.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ingest.command import fail
from stack.faults import UNREACHABLE
from stack.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.generators.event_stream import EventStream
    from ingest.generators.tally import Tally

FAILED = 1


def send(stream: EventStream, rate: float, processes: int, oracle: Path | None) -> tuple[Tally, bool]:
    """What was sent, and whether a signal ended it. A failure is one sentence and an exit code."""
    import logging

    from kafka.errors import KafkaError

    from ingest.generators.broker import BrokerRefused, BrokerUnreachable, ensure_topic
    from ingest.generators.shares import ProcessDied, send_stream

    # The client logs each retry; what matters of them reaches us as an exception.
    logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
    servers = settings().kafka_bootstrap_servers
    try:
        there = ensure_topic(servers, stream.topic, stream.partitions, stream.topic_config)
        if there.partitions != stream.partitions:
            typer.echo(f"Topic {stream.topic} is there with {there.partitions} partitions and keeps them.", err=True)
        with _stop_on_signal() as stopping, _progress(stream) as on_progress:
            tally = send_stream(stream, servers, there.largest_batch, rate, processes, oracle, stopping, on_progress)
            return tally, stopping()
    except BrokerUnreachable as fault:
        fail(str(fault), UNREACHABLE)
    except (BrokerRefused, ProcessDied, OSError) as fault:
        fail(str(fault), FAILED)
    except KafkaError as fault:
        fail(f"The broker at {servers} refused: {fault}", FAILED)


def report(stream: EventStream, processes: int, tally: Tally, stopped: bool, as_json: bool) -> None:
    """Print what was sent, by kind, as a line or as JSON; exit code 1 where records could not be sent."""
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
        fail(f"{tally.refused.total()} records could not be sent: {listed}.", FAILED)


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
def _progress(stream: EventStream) -> Iterator[Callable[[int], None]]:
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
