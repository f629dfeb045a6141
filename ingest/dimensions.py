"""Dimension feeds into bronze: every row of every feed once, as it came.

Which feeds a table has is asked of the table itself, and what is missing is appended in one commit that is refused if
anybody else has committed since the question. So a load may be killed anywhere, repeated, or run twice at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_type_hints

from ingest.generators.dimension_users import UserChange, user_feeds
from ingest.generators.dimension_videos import VideoChange, video_feeds

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.catalog import Catalog
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table

SEED, FIRST_DAY = "lake.feeds-seed", "lake.feeds-first-day"
_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    # PyIceberg would retry an append on top of whatever is there now, perhaps the same feeds by another loader.
    "commit.retry.num-retries": "0",
}


class OtherFeeds(ValueError):
    """The table has the feeds of another seed or first day: other lives of the same members."""


@dataclass(frozen=True)
class Dimension:
    """A dimension's bronze table and the feeds that land in it; `row` is the NamedTuple that says its columns."""

    name: str
    table: str
    row: type
    feeds: Callable[[int, date], Iterator[list[Any]]]


DIMENSIONS = {
    "users": Dimension("users", "users_changes", UserChange, user_feeds),
    "videos": Dimension("videos", "videos_changes", VideoChange, video_feeds),
}


@dataclass(frozen=True)
class Load:
    """What a load did: rows and feeds added, feeds that were there, and the span of days the table is to have."""

    table: str
    rows: int
    feeds: int
    feeds_skipped: int
    seed: int
    first_day: date
    last_day: date


def open_table(catalog: Catalog, dimension: Dimension, namespace: str = "bronze") -> Table:
    """The bronze table of the dimension, created if it isn't there."""
    catalog.create_namespace_if_not_exists(namespace)
    identifier = f"{namespace}.{dimension.table}"
    return catalog.create_table_if_not_exists(identifier, _schema(dimension), properties=_PROPERTIES)


def load(
    table: Table, dimension: Dimension, seed: int | None, first_day: date | None, days: int | None, today: date
) -> Load:
    """Append the first full load and the daily feeds that the table doesn't have, in one commit.

    What isn't given is the table's own (seed 7 and 30 days before today for a new one), and up to today.
    OtherFeeds where the table has others; CommitFailedException where somebody else committed meanwhile.
    """
    seed, first_day, days = _anchored(table, seed, first_day, days, today)
    there, newest = _landed(table)
    wanted = {first_day + timedelta(days=number) for number in range(days + 1)}
    rows = []
    for feed, _ in zip(dimension.feeds(seed, first_day), range(days + 1), strict=False):
        rows += [(row, number) for number, row in enumerate(feed, 1) if row.feed_date not in there]
    if rows:
        with table.transaction() as transaction:
            transaction.set_properties({SEED: str(seed), FIRST_DAY: str(first_day)})
            transaction.append(to_arrow(dimension, rows, _arrival(newest)))
    return Load(
        table=".".join(table.name()),
        rows=len(rows),
        feeds=len(wanted - there),
        feeds_skipped=len(wanted & there),
        seed=seed,
        first_day=first_day,
        last_day=first_day + timedelta(days=days),
    )


def to_arrow(dimension: Dimension, rows: Sequence[tuple[Any, int]], ingested_at: datetime) -> pa.Table:
    """Rows of feeds, each with its number in its feed, as the bronze table has them once they arrived at that time."""
    import pyarrow as pa

    schema = _schema(dimension).as_arrow()
    columns = [*zip(*(row for row, _ in rows), strict=True)]
    columns += [[number for _, number in rows], [ingested_at] * len(rows)]
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def _schema(dimension: Dimension) -> Schema:
    from pyiceberg.schema import Schema
    from pyiceberg.types import DateType, LongType, NestedField, StringType, TimestamptzType

    types = {int: LongType(), date: DateType(), datetime: TimestamptzType()}
    columns = {**get_type_hints(dimension.row), "feed_row": int, "ingested_at": datetime}
    return Schema(
        *(
            NestedField(number, name, types.get(python_type, StringType()), required=False)
            for number, (name, python_type) in enumerate(columns.items(), 1)
        )
    )


def _anchored(
    table: Table, seed: int | None, first_day: date | None, days: int | None, today: date
) -> tuple[int, date, int]:
    """Seed, first day and number of daily feeds. Feeds of two seeds in one table would be a history that never was."""
    if SEED in table.properties:
        has = int(table.properties[SEED]), date.fromisoformat(table.properties[FIRST_DAY])
        if (has[0] if seed is None else seed, first_day or has[1]) != has:
            raise OtherFeeds(
                f"{'.'.join(table.name())} has the feeds of seed {has[0]} from {has[1]} on, and others would be other "
                "lives of the same members; leave out --seed and --first-day."
            )
        seed, first_day = has
    first_day = first_day or today - timedelta(days=30 if days is None else days)
    return 7 if seed is None else seed, first_day, max(0, (today - first_day).days) if days is None else days


def _landed(table: Table) -> tuple[set[date], datetime | None]:
    """The days whose feeds the table has, and the newest arrival."""
    import pyarrow.compute as pc

    arrivals = table.scan(selected_fields=("feed_date", "ingested_at")).to_arrow()
    return set(pc.unique(arrivals["feed_date"]).to_pylist()), pc.max(arrivals["ingested_at"]).as_py()


def _arrival(newest: datetime | None) -> datetime:
    """Now, or right after the newest arrival where the clock was set back: later loads must arrive later."""
    now = datetime.now(UTC)
    return now if newest is None else max(now, newest + timedelta(microseconds=1))
