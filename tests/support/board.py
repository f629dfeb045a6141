"""A lake of live golds made by hand, and PostgreSQL as its readers reach it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import psycopg
from dbt_warehouse import Warehouse

from serving.refresh import Refresh
from serving.runner import Runner
from stack.settings import Settings

MINUTES = 3000
ARRIVED = "timestamp '2026-01-02 00:00:00 UTC'"
UPTO = "map(array[0], array[bigint '1']), " + ARRIVED
LIVE = (
    "insert into {prefix}gold.events_per_minute select timestamp '2026-01-01 00:00:00 UTC' + n * interval '1' minute, "
    f"'click', 1, 1, {UPTO} from unnest(sequence(1, {MINUTES})) as numbers (n)",
    f"insert into {{prefix}}gold.logins_per_source values (timestamp '2026-01-01 00:00:00 UTC', 'web', 3, 1, {UPTO}), "
    f"(timestamp '2026-01-01 00:00:00 UTC', 'mobile', 4, 1, {UPTO})",
    f"insert into {{prefix}}gold.purchases_per_minute values (timestamp '2026-01-01 00:00:00 UTC', 5, 1, {UPTO})",
    "insert into {prefix}gold.virality_state select 'v-' || cast(n as varchar), n, n, 1, 0, "
    "timestamp '2026-01-01 00:00:00 UTC' + n * interval '1' second, "
    "map(array[cast(floor(to_unixtime(now()) / 60) as bigint)], array[cast(row(n, n, 1, 0) as "
    "row(impressions bigint, plays bigint, likes bigint, shares bigint))]), 0, 0, 1, "
    f"{UPTO} from unnest(sequence(bigint '1', 150)) as numbers (n)",
    "insert into {prefix}gold.orders_current (order_id, current_status, total_amount, currency, updated_at) values "
    f"('a', 'PAID', 1.50, 'USD', {ARRIVED}), ('b', 'PAID', 2.50, null, {ARRIVED}), ('c', null, null, null, {ARRIVED})",
)
TABLES = {
    "events_per_minute": "{prefix}gold.events_per_minute",
    "logins_per_source": "{prefix}gold.logins_per_source",
    "purchases_per_minute": "{prefix}gold.purchases_per_minute",
    "virality_now": "{prefix}gold.virality_now",
    "orders_by_status_now": "{prefix}gold.orders_by_status_now",
}


@dataclass
class Board:
    """What a dashboard sees, and the lake behind it."""

    settings: Settings
    warehouse: Warehouse
    runner: Runner
    refresh: Refresh = field(init=False)

    def __post_init__(self) -> None:
        self.refresh = Refresh(self.runner)

    @property
    def schema(self) -> str:
        return f"{self.warehouse.prefix}realtime"

    def connect(self, user: str = "lake") -> psycopg.Connection:
        return psycopg.connect(
            host=self.settings.host, port=self.settings.postgres_port, dbname=self.settings.serving_database,
            user=user, password=user, autocommit=True,
        )  # fmt: skip

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query of a dashboard's own user returns; `{schema}` is where the tables are."""
        with self.connect("reader") as connection:
            return connection.execute(sql.format(schema=self.schema)).fetchall()

    def set_counts(self, count: int, arrived: str) -> None:
        """Every minute of the live gold gets this count, as if records had come for each."""
        self.warehouse.query(
            f"update {{prefix}}gold.events_per_minute set event_count = {count}, updated_at = timestamp '{arrived} UTC'"
        )

    def poll(self, seen: list[object], stop: threading.Event) -> None:
        """Look at the minutes ten times a second, as a reader that knows nothing of refreshes."""
        query = f"select count(*), min(event_count), max(event_count) from {self.schema}.events_per_minute"
        with self.connect("reader") as connection:
            while not stop.is_set():
                try:
                    seen.append(connection.execute(query).fetchone())
                except psycopg.Error as error:
                    seen.append(type(error).__name__)
                time.sleep(0.1)
