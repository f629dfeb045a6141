"""How long until an event can be queried: streams offered at a steady rate, probes looked for through Trino.

A probe is a record of its own, sent between the others; its age is taken when a query of the table first returns it.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack

import tenacity

from bench.probes import STREAMS, Probes, query, send
from bench.stack import lake, lake_beside
from stack.settings import Settings

WARM_UP_EVENTS = 500_000
WARM_UP_SECONDS = 120
LATEST = 120
"""Seconds after the last one was sent, by which every probe must have been seen."""


def measure(
    settings: Settings,
    rate: int,
    seconds: int,
    streams: Sequence[str],
    layers: Sequence[str] = ("bronze", "gold"),
    every: float = 0.5,
) -> dict[str, dict[str, dict[str, float]]]:
    """Seconds from sending to visible, by stream and layer: p50, p95 and the greatest, at `rate` events/s in total.

    A look costs the machine as much as a batch does: there is one each `every` seconds, and an age is as much too long.
    """
    from kafka import KafkaProducer

    # A service has long been running when its freshness matters: the compiled code first, then the load.
    share = WARM_UP_EVENTS // len(streams)
    for stream in streams:
        lake("produce", stream, "--count", str(share), "--seed", "2")
    probes = {(stream, layer): Probes(STREAMS[stream], layer) for stream in streams for layer in layers}
    with ExitStack() as beside:
        ingester = beside.enter_context(lake_beside("ingest", *streams))
        _wait_for_rows(settings, ingester, streams, share)
        for stream in streams:
            beside.enter_context(lake_beside("produce", stream, "--rate", str(rate / len(streams))))
        producer = KafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, linger_ms=0)
        beside.callback(producer.close)
        counted_from = time.monotonic() + WARM_UP_SECONDS
        until = counted_from + seconds
        while time.monotonic() < until or any(of.waiting for of in probes.values()):
            for stream in streams if time.monotonic() < until else ():
                name, sent_at = send(producer, STREAMS[stream])
                for layer in layers if time.monotonic() > counted_from else ():
                    probes[stream, layer].waiting[name] = sent_at
            producer.flush()
            for of in probes.values():
                of.look(settings)
            if ingester.poll() is not None or time.monotonic() > until + LATEST:
                raise TimeoutError(f"probes never arrived: { {name: len(of.waiting) for name, of in probes.items()} }")
            time.sleep(every)
    return {stream: {layer: _said(probes[stream, layer].ages) for layer in layers} for stream in streams}


def _said(ages: list[float]) -> dict[str, float]:
    return {
        "probes": len(ages),
        "p50": round(statistics.median(ages), 2),
        "p95": round(statistics.quantiles(ages, n=20)[-1], 2),
        "max": round(max(ages), 2),
    }


def _wait_for_rows(settings: Settings, ingester: subprocess.Popen, streams: Sequence[str], count: int) -> None:
    """Until the bronze of each stream holds `count` rows; its table comes some seconds after the start."""
    patience = {"stop": tenacity.stop_after_delay(300), "wait": tenacity.wait_fixed(2), "reraise": True}
    for attempt in tenacity.Retrying(retry=tenacity.retry_if_not_exception_type(ChildProcessError), **patience):
        with attempt:
            if ingester.poll() is not None:
                raise ChildProcessError(f"lake ingest has ended with {ingester.returncode}")
            for stream in streams:
                table, _ = STREAMS[stream].tables["bronze"]
                held = query(settings, f"select count(*) from {table}")[0][0]
                assert held >= count, f"{held} of {count} rows in {table}"
