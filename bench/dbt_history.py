"""What history costs dbt: its incremental models run on the same new day with 1 x and 100 x the days before it.

A day of every stream is generated once; each day of history, and each new day, is that day again, some days apart and
with keys of its own. The history is kept up as `lake maintain` does. The two take turns, and a last run of each has
nothing new to do.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from bench.queries import Queries
from bench.stack import lake
from ingest.datasets import Dataset, load_all
from ingest.verify.warehouse import Warehouse
from maintenance.policy import Kept, Upkeep, models
from maintenance.tables import keep_up
from prove.arrivals import drop_schemas
from stack.dbt import Dbt
from stack.settings import CATALOG, Settings

DAYS = (1, 100)
INCREMENTAL = "config.materialized:incremental"
FEEDS = ("users_changes", "videos_changes")
# Members stay who they are; everything else is another day's.
_MOVED = {
    "event_id": "event_id || '-' || cast(day as varchar)",
    "kafka_offset": "kafka_offset + (day + {before}) * {offsets}",
    **{
        name: f"{name} + day * interval '1' day"
        for name in ("event_time", "kafka_timestamp", "ingested_at", "partition_time")
    },
}
# An order's key begins with its day, as in `ord-20260127-s1-000001`.
_ORDERED = "try(date_parse(substr(entity_key, 5, 8), '%Y%m%d')) + day * interval '1' day"
_NEW_KEYS = {
    "orders": {"entity_key": f"'ord-' || coalesce(date_format({_ORDERED}, '%Y%m%d'), cast(day as varchar))"
                             " || substr(entity_key, 13)"}
}  # fmt: skip
_DAYS_AT_ONCE = {"hour": 3, "day": 90}  # by partitioning, late events too: a writer has at most 100 partitions open


@dataclass(frozen=True)
class Run:
    """One run of dbt: seconds of the whole, and by model its seconds and the bytes its queries read."""

    seconds: float
    by_model: dict[str, tuple[float, int]]

    @property
    def bytes_read(self) -> int:
        return sum(read for _, read in self.by_model.values())


class Side:
    """A lakehouse of its own, below one schema prefix, with so many days of history."""

    def __init__(self, settings: Settings, days: int) -> None:
        self.prefix, self._days = f"history{days}_", days
        self._warehouse, self._queries = Warehouse(settings), Queries(settings)
        environment = {"LAKE_BRONZE_SCHEMA": f"{self.prefix}bronze", "LAKE_SCHEMA_PREFIX": self.prefix}
        self._dbt = Dbt(settings, settings.data / "bench" / self.prefix, environment, "ci")

    def build(self, datasets: list[Dataset]) -> None:
        """The history in bronze, and dbt's tables of it."""
        self._warehouse.rows(f"create schema {CATALOG}.{self.prefix}bronze")
        for dataset in datasets:
            table = dataset.bronze.table
            self._warehouse.rows(
                f"create table {CATALOG}.{self.prefix}bronze.{table} with (partitioning ="
                f" array['{dataset.bronze.partition_by}(partition_time)']) as select * from {CATALOG}.bronze.{table}"
                " with no data"
            )
            step = _DAYS_AT_ONCE[dataset.bronze.partition_by]
            for first in range(1 - self._days, 1, step):
                self.arrive([dataset], first, min(first + step - 1, 0))
        for table in FEEDS:
            self._warehouse.rows(
                f"create table {CATALOG}.{self.prefix}bronze.{table} as select * from {CATALOG}.bronze.{table}"
            )
        self._dbt.run("build", "--exclude-resource-type", "test", "unit_test", "--select", f"+{INCREMENTAL}")
        self._keep_up(datasets)

    def _keep_up(self, datasets: list[Dataset]) -> None:
        """What `lake maintain` does each hour: files packed, manifests rewritten."""
        bronze = [
            Kept(f"{self.prefix}bronze.{one.bronze.table}", "bronze", Upkeep(), one.bronze.partition_by)
            for one in datasets
        ]
        for kept in [*bronze, *models(self._dbt)]:
            keep_up(self._warehouse.rows, kept, orphans=False, ask=lambda table: False)

    def arrive(self, datasets: list[Dataset], first: int, last: int) -> None:
        """The days from `first` to `last`, appended to bronze; day 0 is the one that was generated."""
        for dataset in datasets:
            base = f"{CATALOG}.bronze.{dataset.bronze.table}"
            moved = _MOVED | _NEW_KEYS.get(dataset.name, {})
            [[offsets]] = self._warehouse.rows(f"select max(kafka_offset) + 1 from {base}")
            listed = ", ".join(
                moved.get(name, name).format(before=self._days - 1, offsets=offsets)
                for name in self._warehouse.columns(f"select * from {base}")
            )
            self._warehouse.rows(
                f"insert into {CATALOG}.{self.prefix}bronze.{dataset.bronze.table} select {listed}"
                f" from {base} cross join unnest(sequence({first}, {last})) as days (day)"
            )

    def run(self) -> Run:
        """dbt's incremental models, once."""
        before = self._queries.ids()
        began = time.monotonic()
        results = self._dbt.run("run", "--select", INCREMENTAL)
        seconds = time.monotonic() - began
        read = self._queries.bytes_read_by_model(before)
        return Run(seconds, {one.node.name: (one.execution_time, read.get(one.node.name, 0)) for one in results})

    def snapshots(self) -> int:
        """How many snapshots dbt's tables have, all together."""
        tables = self._warehouse.rows(
            f"select table_schema, table_name from {CATALOG}.information_schema.tables"
            f" where table_type = 'BASE TABLE' and table_schema in ('{self.prefix}silver', '{self.prefix}gold')"
        )
        counted = (f'select count(*) from {CATALOG}.{schema}."{table}$snapshots"' for schema, table in tables)
        return sum(self._warehouse.rows(sql)[0][0] for sql in counted)


def measure(settings: Settings, events: int, rounds: int) -> dict[str, object]:
    """Median seconds and bytes read of a run with `events` new events of each stream, by history, and their ratios."""
    datasets = load_all()
    for dataset in datasets:
        lake("produce", dataset.name, "--count", str(events), "--seed", "6", "--span", "4h")
    lake("dimensions", "load")
    lake("ingest", "--once")
    warehouse = Warehouse(settings)
    drop_schemas(warehouse, "history")
    sides = {days: Side(settings, days) for days in DAYS}
    for days, side in sides.items():
        began = time.monotonic()
        side.build(datasets)
        print(f"{days} x history built in {time.monotonic() - began:.0f} s", flush=True)
    runs: dict[int, list[Run]] = {days: [] for days in DAYS}
    for number in range(rounds + 1):  # the first warms the engine up
        for days, side in sides.items():
            side.arrive(datasets, number + 1, number + 1)
            run = side.run()
            print(f"round {number or 'warm-up'}: {days} x {run.seconds:.1f} s, {run.bytes_read:,} bytes", flush=True)
            if number:
                runs[days].append(run)
    idle = {}
    for days, side in sides.items():
        before = side.snapshots()
        run = side.run()
        idle[f"history_{days}x"] = {"seconds": round(run.seconds, 1), "snapshots": side.snapshots() - before}
    drop_schemas(warehouse, "history")
    sizes = {"events_per_stream": events, "rounds": rounds, "trino_memory": settings.trino_memory}
    return {**sizes, **_compared(runs), "nothing_new": idle}


def _compared(runs: dict[int, list[Run]]) -> dict[str, object]:
    less, more = runs.values()
    found: dict[str, object] = {}
    for days, of in runs.items():
        found[f"history_{days}x"] = {
            "seconds": [round(run.seconds, 1) for run in of],
            "bytes_read": [run.bytes_read for run in of],
        }
    found["ratio_seconds"] = _ratio([run.seconds for run in more], [run.seconds for run in less])
    found["ratio_bytes"] = _ratio([run.bytes_read for run in more], [run.bytes_read for run in less])
    found["models"] = {
        name: {
            "seconds": [round(statistics.median(run.by_model[name][0] for run in of), 2) for of in (less, more)],
            "bytes_read": [round(statistics.median(run.by_model[name][1] for run in of)) for of in (less, more)],
        }
        for name in sorted(less[0].by_model)
    }
    return found


def _ratio(more: list[float], less: list[float]) -> float:
    return round(statistics.median(more) / max(statistics.median(less), 1e-9), 2)
