"""Whether a live gold slows down as it is merged into: the last ten of 100 merges against the first ten."""

from __future__ import annotations

import statistics
import time

from pyspark.sql import SparkSession

from bench.gold_table import append_events, live, new_dataset

# An order has half a dozen events by the end, as orders do: a row remembers the ids of all it met.
MERGES, EVENTS, KEYS, START_ROWS = 100, 10_000, 200_000, 200_000


def measure(spark: SparkSession) -> dict[str, object]:
    """Seconds a merge, compaction included, of 10,000 events into a table of 200,000 rows and more."""
    dataset = new_dataset(spark)
    append_events(spark, dataset, 0, START_ROWS, START_ROWS)
    gold = live(spark, dataset)
    while gold.step():
        pass
    seconds = []
    for number in range(MERGES + 3):
        append_events(spark, dataset, START_ROWS + number * EVENTS, EVENTS, KEYS)
        began = time.monotonic()
        while gold.step():
            pass
        seconds.append(time.monotonic() - began)
    counted = seconds[3:]  # the first ones warm up
    first, last = statistics.mean(counted[:10]), statistics.mean(counted[-10:])
    return {
        "merges": MERGES,
        "events_a_merge": EVENTS,
        "rows": START_ROWS,
        "buckets": dataset.golds[0].buckets,
        "compact_every": dataset.golds[0].compact_every,
        "first_ten_mean_seconds": round(first, 2),
        "last_ten_mean_seconds": round(last, 2),
        "ratio": round(last / first, 2),
    }
