"""The rows of the dimensions' feeds that a row came from. They were landed by `lake dimensions load`: Kafka never had
them, and bronze is their origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ingest.verify.warehouse import Warehouse

PLACE = ("feed_date", "feed_row")


@dataclass(frozen=True)
class Landed:
    """A row of a feed: which feed, which row of it, when it was landed, and all its columns."""

    feeds: str
    feed_date: str
    feed_row: int
    ingested_at: str
    values: dict[str, Any]


def landed(warehouse: Warehouse, feeds: str, rows: str, limit: int) -> tuple[int, list[Landed]]:
    """How many rows the query `rows` of the table `feeds` has, and the first of them as they arrived."""
    columns = list(warehouse.columns(rows))
    [[total]] = warehouse.rows(f"select count(*) from ({rows})")
    listed = warehouse.rows(f"select * from ({rows}) order by ingested_at, {', '.join(PLACE)} limit {limit}")
    found = [dict(zip(columns, map(_as_json, row), strict=True)) for row in listed]
    return total, [
        Landed(feeds, values["feed_date"], values["feed_row"], values["ingested_at"], values) for values in found
    ]


def _as_json(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)
