"""A warehouse of its own for a test: bronze made by hand, silver and gold by dbt, all under one schema prefix.

Bronze is written through Trino instead of by the ingester, so that a test decides what arrives and in which cut.
"""
from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import tenacity
from dbt.cli.main import dbtRunner, dbtRunnerResult
from order_records import Record, judge

import trino

DBT_PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
START = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS = "array(row(sku varchar, quantity bigint, unit_price decimal(18, 2), category varchar))"

BRONZE_TABLES = {"orders_events": "hour", "raw_events": "hour", "user_events": "day"}
BRONZE = """create table {schema}.{table} (
    event_id varchar, event_type varchar, event_time timestamp(6) with time zone, entity_key varchar,
    schema_version varchar, topic varchar, topic_epoch integer, kafka_partition integer, kafka_offset bigint,
    kafka_timestamp timestamp(6) with time zone, kafka_headers array(row(key varchar, value varbinary)),
    ingested_at timestamp(6) with time zone, error varchar, body varchar, body_bytes varbinary,
    partition_time timestamp(6) with time zone
) with (format_version = 2, partitioning = array['{cut}(partition_time)'])"""

_CHANGE = """operation varchar, changed_at timestamp(6) with time zone, change_id varchar, feed_date date,
        feed_row bigint, ingested_at timestamp(6) with time zone"""
FEEDS = {
    "users_changes": f"""
        user_id bigint, name varchar, email varchar, country varchar, plan varchar, status varchar, signup_date date,
        {_CHANGE}""",
    "videos_changes": f"""
        video_id varchar, title varchar, category varchar, creator varchar, duration_seconds bigint, status varchar,
        published_date date, {_CHANGE}""",
}

_ABSORBED = "topic_epoch integer, absorbed map(integer, bigint), updated_at timestamp(6) with time zone"
_COUNTS = "impressions bigint, plays bigint, likes bigint, shares bigint"
LIVE_GOLD = {
    "orders_current": f"""
        order_id varchar, user_id varchar, current_status varchar, status_changed_at timestamp(6) with time zone,
        total_amount decimal(18, 2), currency varchar, payment_method varchar, items {ITEMS},
        last_event_id varchar, kafka_partition integer, kafka_offset bigint, rejected_events bigint,
        last_rejected_type varchar, last_rejected_offset bigint, is_deleted boolean, seen_event_ids array(varchar),
        {_ABSORBED}""",
    "events_per_minute": f"""
        window_start timestamp(6) with time zone, event_type varchar, event_count bigint, {_ABSORBED}""",
    "logins_per_source": f"""
        window_start timestamp(6) with time zone, source varchar, login_count bigint, {_ABSORBED}""",
    "purchases_per_minute": f"""
        window_start timestamp(6) with time zone, purchase_count bigint, {_ABSORBED}""",
    "virality_state": f"""
        video_id varchar, {_COUNTS}, newest_event_at timestamp(6) with time zone,
        minute_counts map(bigint, row({_COUNTS})), velocity double, acceleration double, {_ABSORBED}""",
}


def literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"timestamp '{value:%Y-%m-%d %H:%M:%S.%f} UTC'"
    if isinstance(value, date):
        return f"date '{value}'"
    if isinstance(value, (bool, int)):
        return str(value).lower()
    if isinstance(value, dict):
        return f"map(array{list(value)}, cast(array{list(value.values())} as array(bigint)))"
    return "'" + str(value).replace("'", "''") + "'"


# In its first seconds Trino may plan a statement before it knows its own node (trinodb/trino#27078).
once_it_knows_its_node = tenacity.retry(
    retry=tenacity.retry_if_exception_message(match="(?s).*([Nn]odes is empty|No nodes available)"),
    wait=tenacity.wait_fixed(2), stop=tenacity.stop_after_attempt(5), reraise=True,
)  # fmt: skip


@dataclass
class Warehouse:
    """Schemas `<prefix>bronze|silver|gold` on one Trino, and dbt pointed at them."""

    host: str
    port: int
    prefix: str
    folder: Path
    project: Path = DBT_PROJECT
    batches: int = 0
    manifest: Any = field(default=None, repr=False)

    @once_it_knows_its_node
    def query(self, sql: str) -> list[list[Any]]:
        with trino.dbapi.connect(
            host=self.host, port=self.port, user="tests", catalog="lake", timezone="UTC"
        ) as connection:
            return connection.cursor().execute(sql.format(prefix=self.prefix)).fetchall()

    def create(self) -> None:
        for layer in ("bronze", "silver", "gold"):
            self.query(f"create schema {self.prefix}{layer}")
        for table, cut in BRONZE_TABLES.items():
            self.query(BRONZE.format(schema=f"{self.prefix}bronze", table=table, cut=cut))
        for table, columns in FEEDS.items():
            self.query(f"create table {self.prefix}bronze.{table} ({columns}) with (format_version = 2)")
        for table, columns in LIVE_GOLD.items():
            self.query(f"create table {self.prefix}gold.{table} ({columns}) with (format_version = 2)")

    def drop(self) -> None:
        for layer in ("gold", "silver", "bronze"):
            self.query(f"drop schema if exists {self.prefix}{layer} cascade")
        pattern = self.prefix.replace("_", "!_") + "%"
        for (schema,) in self.query(f"show schemas from serving like '{pattern}' escape '!'"):
            self.query(f"drop schema if exists serving.{schema} cascade")

    def land(self, records: Sequence[Record]) -> None:
        """One batch of the ingester: these records appended to bronze."""
        self.batches += 1
        arrived = START + timedelta(days=1, minutes=self.batches)
        self.append("bronze.orders_events", [self._bronze_row(record, arrived) for record in records])

    def append(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Rows of Python values, one for each column of `table`, which is named without the prefix."""
        for first in range(0, len(rows), 400):
            values = ",\n".join("(" + ", ".join(map(literal, row)) + ")" for row in rows[first : first + 400])
            self._insert(f"insert into {self.prefix}{table} values {values}")

    def fold_live_gold(self, records: Sequence[Record]) -> None:
        """What the ingester's gold has once it absorbed `records`: status, refusals and coverage."""
        orders: dict[str, list[Record]] = {}
        for record in records:
            if record.error is None:
                orders.setdefault(record.order_id, []).append(record)
        rows = ",\n".join(self._live_row(order_id, events) for order_id, events in orders.items())
        columns = "order_id, current_status, rejected_events, topic_epoch, absorbed, items, is_deleted, updated_at"
        self._insert(f"insert into {self.prefix}gold.orders_current ({columns}) values {rows}")

    def point(self) -> None:
        """Let dbt, and commands that run it, work on these schemas."""
        os.environ |= {
            "LAKE_TRINO_HOST": self.host,
            "LAKE_TRINO_PORT": str(self.port),
            "LAKE_SCHEMA_PREFIX": self.prefix,
            "LAKE_BRONZE_SCHEMA": f"{self.prefix}bronze",
            "LAKE_LIVE_GOLD_SCHEMA": f"{self.prefix}gold",
        }

    def dbt(self, *arguments: str, ok: bool = True) -> dbtRunnerResult:
        """Runs dbt in this process; the manifest of the first run is used again, since only data changes."""
        self.point()
        common = ["--project-dir", str(self.project), "--profiles-dir", str(self.project), "--target", "ci", "--quiet"]
        paths = ["--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        if self.manifest is None:
            parsed = dbtRunner().invoke(["parse", *common, *paths, "--no-partial-parse"])
            assert parsed.success, parsed.exception
            self.manifest = parsed.result
        result = dbtRunner(manifest=self.manifest).invoke([*arguments, *common, *paths])
        if ok:
            assert result.success, result.exception or failures(result)
        return result

    def rows(self, table: str, schema: str = "silver") -> list[tuple[Any, ...]]:
        found = self.query(f"select * from {self.prefix}{schema}.{table}")
        return sorted(tuple(map(str, row)) for row in found)

    def snapshot_ids(self) -> dict[str, int]:
        """Current snapshot of every table that dbt keeps in silver and gold."""
        tables = self.query(
            "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE' "
            "and table_schema in ('{prefix}silver', '{prefix}gold')"
        )
        return {
            table: self.query(
                f'select snapshot_id from {schema}."{table}$history" where is_current_ancestor '
                "order by made_current_at desc limit 1"
            )[0][0]
            for schema, table in tables
            if table not in LIVE_GOLD
        }

    @once_it_knows_its_node
    def _insert(self, sql: str) -> None:
        with trino.dbapi.connect(
            host=self.host, port=self.port, user="tests", catalog="lake", timezone="UTC"
        ) as connection:
            connection.cursor().execute(sql).fetchall()

    @staticmethod
    def _bronze_row(record: Record, arrived: datetime) -> list[Any]:
        happened = START + timedelta(seconds=record.seconds)
        return [
            record.name, record.event_type, happened, record.order_id, None, "orders", record.topic_epoch,
            record.kafka_partition, record.kafka_offset, happened, None, arrived, record.error, record.value(),
            None, happened,
        ]  # fmt: skip

    @staticmethod
    def _live_row(order_id: str, events: list[Record]) -> str:
        judged = judge(events)
        last = max(judged.values(), key=lambda one: one.event_number)
        epoch = max(record.topic_epoch for record in events)
        absorbed: dict[int, int] = {}
        for record in events:
            if record.topic_epoch == epoch:
                held = absorbed.get(record.kafka_partition, -1)
                absorbed[record.kafka_partition] = max(held, record.kafka_offset)
        rejected = sum(not one.is_applied and not one.is_duplicate for one in judged.values())
        return (
            f"({literal(order_id)}, {literal(last.status_after)}, {rejected}, {epoch}, {literal(absorbed)}, "
            f"cast(null as {ITEMS}), false, {literal(START)})"
        )


def failures(result: dbtRunnerResult) -> str:
    fine = ("success", "pass", "no-op", "skipped")
    return json.dumps({run.node.name: run.message for run in result.result if run.status not in fine}, indent=1)
