"""Sends a stream by as many processes as its rate needs, each one a share of the keys.

What is sent depends on the stream and the number of processes only, never on the machine or on timing.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import queue
import shutil
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ingest.generators.records import Stream
from ingest.generators.sending import Sender
from ingest.generators.tally import Tally

RATE_OF_ONE = 15_000
"""Records a second that one process surely manages beside a broker on the same machine."""
FEW = 200_000
"""Up to so many records a second process is not worth its start."""


class ProcessDied(Exception):
    """A producing process ended without saying why."""


def planned_processes(rate: float, count: int | None) -> int:
    """How many processes this rate (0: as fast as it goes) asks for, for `count` records (None: endless)."""
    if rate:
        return max(1, math.ceil(rate / RATE_OF_ONE))
    return 1 if count is not None and count <= FEW else 2


def send_stream(
    stream: Stream,
    bootstrap_servers: str,
    largest_batch: int,
    rate: float = 0,
    processes: int = 1,
    oracle: Path | None = None,
    stopping: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda sent: None,
) -> Tally:
    """Send the stream at `rate` records a second in all. Raises BrokerUnreachable, BrokerRefused or ProcessDied."""
    if processes == 1:
        return _send_share(stream, 0, 1, (bootstrap_servers, largest_batch), rate, oracle, stopping, on_progress)
    context = multiprocessing.get_context("spawn")
    results, stop, sent = context.Queue(), context.Event(), context.Array("Q", processes, lock=False)
    broker = bootstrap_servers, largest_batch
    parts = [oracle and oracle.with_name(f"{oracle.name}.{share}") for share in range(processes)]
    workers = [
        context.Process(
            target=_worker,
            args=(stream, share, processes, broker, rate / processes, parts[share], os.getpid()),
            kwargs={"results": results, "stop": stop, "sent": sent},
            daemon=True,
        )
        for share in range(processes)
    ]
    for worker in workers:
        worker.start()
    try:
        return _gather(workers, results, stop, sent, stopping, on_progress)
    finally:
        stop.set()
        for worker in workers:
            worker.join(timeout=70)
        if oracle:
            _join(parts, oracle)


def _send_share(
    stream: Stream,
    share: int,
    shares: int,
    broker: tuple[str, int],
    rate: float,
    oracle: Path | None,
    stopping: Callable[[], bool],
    on_progress: Callable[[int], None],
) -> Tally:
    with ExitStack() as stack:
        lines = stack.enter_context(oracle.open("w", encoding="utf-8")) if oracle else None
        sender = stack.enter_context(Sender(broker[0], stream.topic, broker[1], lines))
        return sender.send(stream.records(share, shares), rate, stopping, on_progress)


def _worker(
    stream: Stream,
    share: int,
    shares: int,
    broker: tuple[str, int],
    rate: float,
    oracle: Path | None,
    parent: int,
    *,
    results: Any,
    stop: Any,
    sent: Any,
) -> None:
    # Ctrl-C reaches the whole group; the parent decides, and an orphan stops by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminated = []
    signal.signal(signal.SIGTERM, lambda *_: terminated.append(True))

    def on_progress(count: int) -> None:
        sent[share] = count

    def stopping() -> bool:
        return bool(terminated) or stop.is_set() or os.getppid() != parent

    try:
        results.put(_send_share(stream, share, shares, broker, rate, oracle, stopping, on_progress))
    except Exception as error:
        results.put(error)


def _gather(
    workers: list[Any],
    results: Any,
    stop: Any,
    sent: Any,
    stopping: Callable[[], bool],
    on_progress: Callable[[int], None],
) -> Tally:
    """Every worker's tally as one; the first failure stops the others and is raised."""
    total, failure, outstanding = Tally(), None, len(workers)
    while outstanding:
        if stopping():
            stop.set()
        all_gone = not any(worker.is_alive() for worker in workers)
        try:
            result = results.get(timeout=0.1)
        except queue.Empty:
            on_progress(sum(sent))
            if all_gone:
                failure = failure or ProcessDied(
                    f"{outstanding} of {len(workers)} producing processes died; "
                    "what they had in flight may or may not be in the topic."
                )
                break
            continue
        outstanding -= 1
        if isinstance(result, Exception):
            failure = failure or result
            stop.set()
        else:
            total.add(result)
    if failure:
        raise failure
    return total


def _join(parts: list[Path | None], oracle: Path) -> None:
    with oracle.open("wb") as whole:
        for part in parts:
            if part and part.exists():
                with part.open("rb") as lines:
                    shutil.copyfileobj(lines, whole)
                part.unlink()
