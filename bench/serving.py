"""How long a dashboard waits: its queries through Trino, on the lake, and through PostgreSQL, on what is served.

Each query is asked in turn, on a connection that is kept, from the same process; the answers are fetched.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import psycopg

import trino
from bench.stack import built
from stack.settings import Settings

# The last hours there are, not the last of the clock: generated events may be of any day.
_LAST_HOURS = "where window_start > (select max(window_start) from {live}.events_per_minute) - interval '3' hour"
QUERIES = {
    "event stream of three hours": (
        f"select window_start, event_type, event_count from {{live}}.events_per_minute {_LAST_HOURS} order by 1, 2"
    ),
    "logins by source": "select source, sum(login_count) from {live}.logins_per_source group by source order by 1",
    "purchases of three hours": (
        f"select window_start, purchase_count from {{live}}.purchases_per_minute {_LAST_HOURS} order by 1"
    ),
    "fastest videos": "select video_id, velocity from {marts}.virality_now order by velocity desc limit 10",
    "orders by status": "select status, currency, order_count from {marts}.orders_by_status_now order by 1, 2",
    "sales by category": "select category, revenue from {daily}.category_sales order by revenue desc limit 10",
}
LAKE = {"live": "lake.gold", "marts": "lake.gold", "daily": "lake.gold"}
SERVED = {"live": "realtime", "marts": "realtime", "daily": "gold"}
WARM_UP = 5


def measure(settings: Settings, events: int, rounds: int) -> dict[str, object]:
    """Milliseconds of each query through both, p50 and p95, with `events` of each stream in the lake."""
    built(settings, events)
    reader = psycopg.connect(
        host=settings.postgres_host, port=settings.postgres_port, dbname=settings.serving_database,
        user=settings.reader_user, password=settings.reader_password, autocommit=True,
    )  # fmt: skip
    cursor = trino.dbapi.connect(host=settings.trino_host, port=settings.trino_port, user="bench").cursor()
    with reader:
        return {
            "events_per_stream": events,
            "rounds": rounds,
            "trino": _timed(lambda sql: cursor.execute(sql).fetchall(), LAKE, rounds),
            "postgres": _timed(lambda sql: reader.execute(sql).fetchall(), SERVED, rounds),
        }


def _timed(ask: Callable[[str], list], names: dict[str, str], rounds: int) -> dict[str, dict[str, float]]:
    taken: dict[str, list[float]] = {name: [] for name in QUERIES}
    for number in range(WARM_UP + rounds):
        for name, query in QUERIES.items():
            began = time.perf_counter()
            found = ask(query.format(**names))
            if number >= WARM_UP:
                taken[name].append((time.perf_counter() - began) * 1000)
            assert found, f"{name}: no rows"
    both = {**taken, "all": [one for of in taken.values() for one in of]}
    return {
        name: {"p50": round(statistics.median(of), 1), "p95": round(statistics.quantiles(of, n=20)[-1], 1)}
        for name, of in both.items()
    }
