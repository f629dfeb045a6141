"""Every dataset that this process runs, as families of samples made at the moment of a scrape, and as JSON.

Made anew each time, so that a partition, table or dataset that is gone leaves no number behind.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ingest.metrics.health import Health, health_of
from ingest.metrics.meter import Meter
from ingest.metrics.meters import METERS

if TYPE_CHECKING:
    from ingest.run import DatasetRun

TABLE = ["dataset", "table"]
PLACE = [*TABLE, "partition"]
GAUGES = {
    "lake_log_end_offset": ("Next offset that Kafka will give", ["dataset", "partition"]),
    "lake_next_offset": ("Next offset that a table lacks: bronze's fence + 1, what a gold has absorbed + 1", PLACE),
    "lake_lag_records": ("Records in Kafka that a table lacks", PLACE),
    "lake_max_lag_records": ("Records that bronze may lack, by the dataset's max_lag", ["dataset"]),
    "lake_lag_seconds": ("For how long a table has lacked a record that Kafka has", TABLE),
    "lake_last_commit_timestamp_seconds": ("When this process last committed to a table", TABLE),
    "lake_records_per_second": ("Records committed to bronze, of the last minute", ["dataset"]),
    "lake_lease_held": ("1 while this process is the dataset's writer", ["dataset"]),
    "lake_dataset_phase": ("1 for what the dataset's run is doing", ["dataset", "phase"]),
    "lake_dataset_healthy": ("0 while /health has a reason against the dataset", ["dataset"]),
    "lake_broker_up": ("0 while Kafka does not say where the logs end", []),
}


class Board(Collector):
    """The meters of this process by dataset; at most one run a dataset."""

    def __init__(self) -> None:
        self._meters: dict[str, Meter] = {}
        self._by_table: dict[str, Meter] = {}
        self.broker_silent_since: float | None = None

    def add(self, run: DatasetRun) -> Meter:
        """A meter for a dataset's run, in the place of that of the run before, whose counts go on."""
        meter = Meter(run)
        if before := self._meters.get(meter.name):
            meter.records, meter.errors = before.records, before.errors
        self._meters = self._meters | {meter.name: meter}
        self._by_table = self._by_table | dict.fromkeys(meter.tables, meter)
        return meter

    def of(self, table: str) -> Meter | None:
        """The meter of the dataset that a table belongs to; None outside an ingester."""
        return self._by_table.get(table)

    def meters(self) -> list[Meter]:
        return list(self._meters.values())

    def clear(self) -> None:
        """Forget every dataset, as a test does."""
        self._meters, self._by_table, self.broker_silent_since = {}, {}, None

    def broker_answers(self, answers: bool) -> None:
        if answers:
            self.broker_silent_since = None
        elif self.broker_silent_since is None:
            self.broker_silent_since = time.monotonic()

    def health(self) -> dict[str, Health]:
        return {meter.name: health_of(meter, self.broker_silent_since) for meter in self.meters()}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        families = {name: GaugeMetricFamily(name, said, labels=labels) for name, (said, labels) in GAUGES.items()}
        families["lake_broker_up"].add_metric([], float(self.broker_silent_since is None))
        for meter in self.meters():
            for name, labels, value in samples_of(meter, health_of(meter, self.broker_silent_since)):
                families[name].add_metric([meter.name, *labels], value)
        yield from families.values()


def samples_of(meter: Meter, health: Health) -> Iterator[tuple[str, list[str], float]]:
    """Name, labels after the dataset's, and value of every gauge of one dataset."""
    run = meter.run
    held = run.lease is not None and not run.lease.lost.is_set() and run.is_alive()
    yield "lake_lease_held", [], float(held)
    yield "lake_dataset_phase", [health.phase], 1.0
    yield "lake_dataset_healthy", [], float(health.ok)
    yield "lake_max_lag_records", [], float(run.dataset.max_lag)
    yield "lake_records_per_second", [], meter.records_per_second()
    for partition, offset in meter.end.items():
        yield "lake_log_end_offset", [str(partition)], float(offset)
    for table in meter.tables:
        for partition, offset in meter.next_offsets.get(table, {}).items():
            yield "lake_next_offset", [table, str(partition)], float(offset)
        for partition, records in (meter.lag_records(table) or {}).items():
            yield "lake_lag_records", [table, str(partition)], float(records)
        if (seconds := meter.lag_seconds(table)) is not None:
            yield "lake_lag_seconds", [table], seconds
        if at := meter.last_commit.get(table):
            yield "lake_last_commit_timestamp_seconds", [table], at


def document(meter: Meter, health: Health) -> dict[str, Any]:
    """One dataset as JSON: the ingester's shape, then what more there is. Null is what isn't known yet."""
    tables = {table: _table(meter, table) for table in meter.tables}
    late = [of["lag_seconds"] for of in tables.values() if of["lag_seconds"] is not None]
    return {
        "pipeline": meter.name,
        "phase": health.phase,
        "timestamp": _iso(time.time()),
        "records_ingested": meter.records,
        "lag_seconds": max(late, default=None),
        "last_commit": tables[meter.bronze]["last_commit"],
        "lag_records": tables[meter.bronze]["lag_records"],
        "records_per_second": round(meter.records_per_second(), 2),
        "commit_seconds": tables[meter.bronze]["commit_seconds"],
        "errors": dict(meter.errors),
        "healthy": health.ok,
        "reasons": health.reasons,
        "log_end": meter.end,
        "tables": tables,
    }


def _table(meter: Meter, table: str) -> dict[str, Any]:
    lag, late, seconds = meter.lag_records(table), meter.lag_seconds(table), meter.publish_seconds.get(table)
    return {
        "lag_records": None if lag is None else sum(lag.values()),
        "lag_seconds": None if late is None else round(late, 1),
        "last_commit": _iso(meter.last_commit[table]) if table in meter.last_commit else None,
        "commit_seconds": None if seconds is None else round(seconds, 3),
        "next_offsets": meter.next_offsets.get(table),
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


BOARD = Board()
METERS.register(BOARD)
