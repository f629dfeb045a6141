"""How long until an event can be queried: streams offered at a steady rate, probes looked for through Trino.

A probe is a record of its own, sent between the others; its age is taken when a query of the table first returns it.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack

import psycopg
import tenacity

from bench.probes import SEED, STREAMS, Probes, query, send
from bench.stack import lake, lake_beside
from stack.settings import Settings

WARM_UP_EVENTS = 500_000
WARM_UP_SECONDS = 240
LOOK_SECONDS = 0.1
"""Between two looks whether a table has a commit more; an age may be as much too long."""
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

    A stream has a probe each `every` seconds.
    """
    from kafka import KafkaProducer

    # A service has long been running when its freshness matters: the compiled code first, then the load.
    share, share_rate = WARM_UP_EVENTS // len(streams), rate / len(streams)
    for stream in streams:
        lake("produce", stream, "--count", str(share), "--seed", "2")
    with ExitStack() as beside:
        ingester = beside.enter_context(lake_beside("ingest", *streams))
        _wait_for_rows(settings, ingester, streams, share)
        for stream in streams:
            beside.enter_context(lake_beside("produce", stream, "--rate", str(share_rate), "--seed", str(SEED)))
        producer = KafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, linger_ms=0)
        beside.callback(producer.close)
        catalog = psycopg.connect(settings.database_url(settings.catalog_database), autocommit=True)
        beside.callback(catalog.close)
        began = next_one = time.time()
        counted_from = began + WARM_UP_SECONDS
        until = counted_from + seconds
        probes = {(one, layer): Probes(STREAMS[one], layer, counted_from) for one in streams for layer in layers}
        while time.time() < until or any(of.waiting for of in probes.values()):
            if next_one < time.time() < until:
                next_one += every
                for stream in streams:
                    sent = int((next_one - began) * share_rate)
                    name, sent_at = send(producer, STREAMS[stream], sent)
                    for layer in layers:
                        probes[stream, layer].waiting[name] = sent_at
                producer.flush()
            for of in probes.values():
                of.look(settings, catalog)
            if ingester.poll() is not None or time.time() > until + LATEST:
                raise TimeoutError(f"probes never arrived: { {name: len(of.waiting) for name, of in probes.items()} }")
            time.sleep(LOOK_SECONDS)
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
