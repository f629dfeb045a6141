"""How a gold finds its next range: between two bronze snapshots or by content, with 1 x and 100 x history."""

from __future__ import annotations

import statistics
import time

from pyspark.sql import SparkSession

from bench.gold_table import append_events, live, new_dataset
from ingest.datasets import Dataset

EVENTS, KEYS, ROUNDS = 10_000, 10_000, 5


def measure(spark: SparkSession) -> dict[str, object]:
    """Median seconds to fold the same new events, per way and history."""
    found = {}
    for times in (1, 100):
        dataset = new_dataset(spark)
        for number in range(times):
            append_events(spark, dataset, number * EVENTS, EVENTS, KEYS)
        seconds = {"snapshots": [], "content": []}
        next_offset = times * EVENTS
        for _ in range(ROUNDS):
            for way in seconds:
                seconds[way].append(_fold(spark, dataset, next_offset, way))
                next_offset += EVENTS
        found[f"history_{times}x"] = {way: round(statistics.median(of), 2) for way, of in seconds.items()}
    found["ratio_snapshots"] = round(found["history_100x"]["snapshots"] / found["history_1x"]["snapshots"], 2)
    found["ratio_content"] = round(found["history_100x"]["content"] / found["history_1x"]["content"], 2)
    return {"events": EVENTS, **found}


def _fold(spark: SparkSession, dataset: Dataset, next_offset: int, way: str) -> float:
    gold = live(spark, dataset)
    while gold.step():
        pass
    append_events(spark, dataset, next_offset, EVENTS, KEYS)
    if way == "content":
        gold.forget()
    began = time.monotonic()
    while gold.step():
        pass
    return time.monotonic() - began
