"""What the ingester counts and measures, under the names that a scraper sees. One set a process."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

METERS = CollectorRegistry()

BREAKING_SCHEMA_CHANGE = Gauge(
    "breaking_schema_change", "1 while a dataset waits for a decision on its schema", ["dataset"], registry=METERS
)
REGISTRY_UP = Gauge(
    "registry_up", "0 while the dataset registry does not answer and the last configuration holds", registry=METERS
)
