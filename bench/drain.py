"""How fast a preloaded topic drains: raw, header parsed, into bronze, into bronze and gold, and the naive way.

The ways take turns in warm Spark sessions, so that a machine that slows down slows all of them.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from bench import naive
from bench.stack import lake
from ingest.bronze import to_bronze
from ingest.datasets import Dataset, load
from ingest.run import DatasetRun
from ingest.stream import FETCHING, Pace
from stack.settings import Settings

WARM_UP_ROUNDS = 1  # of millions of events: a JVM compiles for minutes, a service's rates are those after it


def measure(
    spark: SparkSession, settings: Settings, events: int, rounds: int, max_offsets: int
) -> dict[str, list[float]]:
    """Events a second of each way, one figure a round, after rounds that are not counted."""
    topic = "bench_orders"
    # Without malformed records, which end the naive design (an overflow in its timestamps): it is to be measured, too.
    sent = {"--topic": topic, "--count": events, "--seed": 1, "--span": "2h", "--processes": 2, "--malformed": 0}
    lake("produce", "orders", *(str(word) for option in sent.items() for word in option))
    orders = load("orders").model_copy(update={"topic": topic})
    ways: dict[str, Callable[[], None]] = {
        "kafka_to_noop": lambda: _to_noop(spark, settings, orders, max_offsets, lambda records: records),
        "header_parse_to_noop": lambda: _to_noop(
            # the whole typed header with its errors: a parse of less would not take malformed records
            spark,
            settings,
            orders,
            max_offsets,
            lambda records: to_bronze(records, orders, 1),
        ),
        "bronze": lambda: ingest(spark, settings, own_tables(orders, with_golds=False), max_offsets),
        "bronze_and_gold": lambda: ingest(spark, settings, own_tables(orders), max_offsets),
    }
    with naive.opponent(settings) as drain:
        ways["naive_bronze_and_gold"] = lambda: drain(own_tables(orders), _checkpoint(settings), max_offsets)
        found: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(1 - WARM_UP_ROUNDS, rounds + 1):
            for name, way in ways.items():
                began = time.monotonic()
                way()
                rate = events / (time.monotonic() - began)
                print(f"round {number if number > 0 else 'warm-up'}: {name} {rate:,.0f} events/s", flush=True)
                if number > 0:
                    found[name].append(rate)
                drop_tables(spark)
    return found


def drop_tables(spark: SparkSession) -> None:
    """Remove what a way has written, so that the next finds the disk as the first did."""
    for namespace in ("bronze", "gold"):
        for table in spark.sql(f"show tables in lake.{namespace} like 'bench_*'").collect():
            spark.sql(f"drop table lake.{namespace}.{table.tableName} purge")


def own_tables(orders: Dataset, with_golds: bool = True) -> Dataset:
    """The dataset with tables nobody has used."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    gold = orders.golds[0].model_copy(update={"table": f"{name}_current", "sql": orders.golds[0].table})
    bronze = orders.bronze.model_copy(update={"table": f"{name}_events"})
    return orders.model_copy(update={"name": name, "bronze": bronze, "golds": [gold] if with_golds else []})


def _checkpoint(settings: Settings) -> Path:
    return settings.home / "checkpoints" / uuid.uuid4().hex


def _to_noop(
    spark: SparkSession, settings: Settings, orders: Dataset, max_offsets: int, read: Callable[[DataFrame], DataFrame]
) -> None:
    """Read in the same batches as the others, and write nowhere."""
    records = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.kafka_bootstrap_servers)
        .option("subscribe", orders.topic)
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", max_offsets)
        .option("includeHeaders", "true")
        .options(**FETCHING)
        .load()
    )
    (
        read(records)
        .writeStream.format("noop")
        .option("checkpointLocation", str(_checkpoint(settings)))
        .trigger(availableNow=True)
        .start()
        .awaitTermination()
    )


def ingest(spark: SparkSession, settings: Settings, dataset: Dataset, max_offsets: int) -> None:
    """The ingester itself, as `lake ingest --once` runs it, less Spark's start."""
    pace = Pace(max_offsets=max_offsets, once=True)
    run = DatasetRun(spark, settings, dataset, pace, threading.Event(), wait=False)
    run.start()
    run.join()
    if run.outcome.failure is not None:
        raise run.outcome.failure
