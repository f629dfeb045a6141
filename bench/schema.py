"""What the look at each range costs: a preloaded topic drained into gold with the schema checked, and without.

The two ways take turns, first one then the other first, so that neither always meets the warmer machine.
"""

from __future__ import annotations

import statistics
import time

from pyspark.sql import SparkSession

from bench.drain import drop_tables, ingest, own_tables
from bench.stack import lake
from ingest.datasets import load
from ingest.schema.compare import Policy
from stack.settings import Settings


def measure(spark: SparkSession, settings: Settings, events: int, rounds: int, max_offsets: int) -> dict[str, object]:
    """Events a second of each way, one figure a round, after a round that is not counted."""
    topic = "bench_schema"
    sent = {"--topic": topic, "--count": events, "--seed": 1, "--span": "2h", "--processes": 2, "--malformed": 0}
    lake("produce", "orders", *(str(word) for option in sent.items() for word in option))
    orders = load("orders").model_copy(update={"topic": topic})
    ways = {"checked": Policy(), "unchecked": Policy(check=False)}
    found: dict[str, list[int]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name in sorted(ways, reverse=bool(number % 2)):
            dataset = own_tables(orders).model_copy(update={"policy": ways[name]})
            began = time.monotonic()
            ingest(spark, settings, dataset, max_offsets)
            rate = events / (time.monotonic() - began)
            print(f"round {number or 'warm-up'}: {name} {rate:,.0f} events/s", flush=True)
            if number:
                found[name].append(round(rate))
            drop_tables(spark)
    median = {name: round(statistics.median(of)) for name, of in found.items()}
    ratio = round(median["checked"] / median["unchecked"], 3)
    return {"events": events, "rounds": rounds, "events_per_second": found, "median": median, "ratio": ratio}
