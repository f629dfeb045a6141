"""How long until an event can be queried: orders offered at a steady rate, probes looked for through Trino.

A probe is an order of its own, sent between the others; its age is taken when a query of the table first returns it.
"""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import sys
import time
import uuid

import tenacity

import trino
from bench.stack import lake
from stack.settings import Settings

LAKE = [sys.executable, "-c", "from stack.cli import app; app()"]
TABLES = {"bronze": ("bronze.orders_events", "entity_key"), "gold": ("gold.orders_current", "order_id")}
WARM_UP_EVENTS = 500_000
WARM_UP_SECONDS = 120


def measure(settings: Settings, rate: int, seconds: int) -> dict[str, object]:
    """Seconds from sending to visible, per table: p50, p95 and the greatest."""
    from kafka import KafkaProducer

    # A service has long been running when its freshness matters: the compiled code first, then the load.
    lake("produce", "orders", "--count", str(WARM_UP_EVENTS), "--seed", "2")
    ingester = subprocess.Popen([*LAKE, "ingest", "orders"], stderr=subprocess.DEVNULL)
    _wait_for_rows(settings, WARM_UP_EVENTS)
    load = subprocess.Popen([*LAKE, "produce", "orders", "--rate", str(rate)], stderr=subprocess.DEVNULL)
    producer = KafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, linger_ms=0)
    ages: dict[str, list[float]] = {name: [] for name in TABLES}
    waiting: dict[str, dict[str, float]] = {name: {} for name in TABLES}
    try:
        until = time.monotonic() + WARM_UP_SECONDS + seconds
        counted_from = time.monotonic() + WARM_UP_SECONDS
        while time.monotonic() < until or any(waiting.values()):
            now = time.time()
            if time.monotonic() < until:
                key = f"probe-{uuid.uuid4().hex}"
                producer.send("orders", key=key.encode(), value=_event(key, int(now)))
                producer.flush()
                if time.monotonic() > counted_from:
                    for name in TABLES:
                        waiting[name][key] = now
            for name in TABLES:
                _look(settings, name, waiting[name], ages[name])
            if time.monotonic() > until + 120:
                raise TimeoutError(f"probes never arrived: { {name: len(of) for name, of in waiting.items()} }")
            time.sleep(1)  # a query costs the machine as much as the stream does
    finally:
        for process in (load, ingester):
            process.send_signal(signal.SIGTERM)
        for process in (load, ingester):
            process.wait(120)
    return {
        "offered_per_second": rate,
        "seconds": seconds,
        **{
            name: {
                "probes": len(of),
                "p50": round(statistics.median(of), 2),
                "p95": round(statistics.quantiles(of, n=20)[-1], 2),
                "max": round(max(of), 2),
            }
            for name, of in ages.items()
        },
    }


def _wait_for_rows(settings: Settings, count: int) -> None:
    """Until bronze holds `count` rows; its table is there some seconds after the ingester has started."""
    for attempt in tenacity.Retrying(stop=tenacity.stop_after_delay(300), wait=tenacity.wait_fixed(2)):
        with attempt:
            held = _query(settings, f"select count(*) from {TABLES['bronze'][0]}")[0][0]
            assert held >= count, f"{held} of {count} rows"


def _query(settings: Settings, sql: str) -> list[list[object]]:
    with trino.dbapi.connect(host=settings.host, port=settings.trino_port, user="bench", catalog="lake") as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()


def _event(key: str, at: int) -> bytes:
    return json.dumps(
        {"event_id": str(uuid.uuid4()), "event_type": "ORDER_CREATED", "event_timestamp": at, "order_id": key}
    ).encode()


def _look(settings: Settings, name: str, waiting: dict[str, float], ages: list[float]) -> None:
    """Ask for the probes that have not been seen; those that are there have arrived by now."""
    if not waiting:
        return
    table, column = TABLES[name]
    listed = ", ".join(f"'{key}'" for key in waiting)
    # Bronze grows without end: the probes of now are in its last hours.
    recent = " and partition_time > now() - interval '1' hour" if name == "bronze" else ""
    found = _query(settings, f"select {column} from {table} where {column} in ({listed}){recent}")
    seen = {str(row[0]) for row in found}
    now = time.time()
    for key in seen:
        ages.append(now - waiting.pop(key))
