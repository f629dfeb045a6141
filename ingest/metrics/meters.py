"""What the ingester counts and measures, under the names that a scraper sees. One set a process.

What is read off the datasets at the moment of a scrape (offsets, lag, phase) is in `ingest.metrics.board`, which adds
it to METERS.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

METERS = CollectorRegistry()

BREAKING_SCHEMA_CHANGE = Gauge(
    "breaking_schema_change", "1 while a dataset waits for a decision on its schema", ["dataset"], registry=METERS
)
DEAD_LETTER_RATIO = Gauge(
    "lake_dead_letter_ratio",
    "Of a sample of the newest rows, those that are dead letters",
    ["dataset"],
    registry=METERS,
)
REGISTRY_UP = Gauge(
    "registry_up", "0 while the dataset registry does not answer and the last configuration holds", registry=METERS
)
RECORDS_INGESTED = Counter(
    "lake_records_ingested", "Kafka records that this process has committed to bronze", ["dataset"], registry=METERS
)
ROWS_COMMITTED = Counter(
    "lake_rows_committed", "Rows in the data files of this process's commits", ["dataset", "table"], registry=METERS
)
COMMITS = Counter(
    "lake_commits", "Commits of this process: bronze batches, gold merges", ["dataset", "table"], registry=METERS
)
PHASE_SECONDS = Histogram(
    "lake_phase_seconds",
    "Seconds of a batch by phase: branch, write (read and append, or merge), publish; and of compact",
    ["dataset", "table", "phase"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=METERS,
)
ERRORS = Counter(
    "lake_errors",
    "What failed and was tried again, or has stopped a part",
    ["dataset", "part", "kind"],
    registry=METERS,
)
