"""If these fail, a feed that is loaded again, at once with another loader or through a crash is in bronze twice, or a
history is mixed of two that never were."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import typer
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException
from typer.testing import CliRunner

from ingest import catalog as catalogs
from ingest import dimensions_cli
from ingest.dimensions import DIMENSIONS, Dimension, OtherFeeds, load, open_table, to_arrow
from ingest.verify.warehouse import Warehouse
from stack.settings import Settings

TODAY = date(2026, 1, 28)
integration = pytest.mark.integration
both = pytest.mark.parametrize("dimension", DIMENSIONS.values(), ids=DIMENSIONS)


@pytest.fixture(scope="module")
def catalog(lake_stack: Settings) -> Catalog:
    return catalogs.catalog(lake_stack)


@pytest.fixture
def namespace(catalog: Catalog) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex[:8]}_bronze"
    yield name
    for table in catalog.list_tables(name):
        catalog.drop_table(table)
    catalog.drop_namespace(name)


@pytest.fixture
def land(catalog: Catalog, namespace: str):
    """A load as the command does it, by default of the first load and the feeds of two days, the second today."""

    def land(dimension: Dimension, today: date = TODAY, days: int | None = None, **anchor):
        anchor = {"seed": None, "first_day": None} | anchor
        return load(open_table(catalog, dimension, namespace), dimension, days=days, today=today, **anchor)

    return land


@pytest.fixture
def rows(catalog: Catalog, namespace: str):
    def rows(dimension: Dimension) -> list[dict]:
        return open_table(catalog, dimension, namespace).scan().to_arrow().to_pylist()

    return rows


@integration
@both
def test_every_row_of_every_feed_is_landed_as_it_came_and_once(dimension, land, rows):
    first = land(dimension, days=2)
    feeds = dimension.feeds(7, TODAY - timedelta(days=2))
    expected = [row._asdict() | {"feed_row": n} for _ in range(3) for n, row in enumerate(next(feeds), 1)]
    landed = sorted(rows(dimension), key=lambda row: (row["feed_date"], row["feed_row"]))
    assert [row | {"ingested_at": None} for row in landed] == [row | {"ingested_at": None} for row in expected]
    assert (first.rows, first.feeds, first.feeds_skipped) == (len(expected), 3, 0)

    again = land(dimension)
    assert (again.rows, again.feeds, again.feeds_skipped) == (0, 0, 3)
    assert len(rows(dimension)) == len(expected)


@integration
def test_a_load_goes_on_where_the_last_one_ended_and_commits_only_then(land, rows, catalog, namespace):
    videos = DIMENSIONS["videos"]
    land(videos, days=1, seed=3)
    land(videos)
    next_day = land(videos, today=TODAY + timedelta(days=1))
    assert (next_day.feeds, next_day.feeds_skipped, next_day.seed) == (1, 2, 3)
    assert len(open_table(catalog, videos, namespace).snapshots()) == 2
    expected = DIMENSIONS["videos"].feeds(3, TODAY - timedelta(days=1))
    assert len(rows(videos)) == sum(len(next(expected)) for _ in range(3))


@integration
@pytest.mark.parametrize("other", [{"seed": 8}, {"first_day": date(2026, 1, 1)}])
def test_feeds_of_another_seed_or_first_day_are_refused(land, rows, other):
    land(DIMENSIONS["videos"], days=1)
    before = rows(DIMENSIONS["videos"])
    with pytest.raises(OtherFeeds, match="has the feeds of seed 7 from 2026-01-27 on"):
        land(DIMENSIONS["videos"], days=5, **other)
    assert rows(DIMENSIONS["videos"]) == before


@integration
def test_a_loader_that_was_overtaken_adds_nothing(catalog, namespace, rows):
    videos = DIMENSIONS["videos"]
    slow, fast = (open_table(catalog, videos, namespace) for _ in range(2))
    done = load(fast, videos, None, None, 1, TODAY)
    with pytest.raises(CommitFailedException):
        load(slow, videos, None, None, 1, TODAY)
    assert len(rows(videos)) == done.rows


@integration
@pytest.mark.parametrize("landed", [False, True], ids=["before", "after"])
def test_a_loader_that_dies_around_its_commit_leaves_all_or_nothing(land, rows, catalog, monkeypatch, landed):
    commit = type(catalog).commit_table

    def die(*arguments, **named):
        if landed:
            commit(*arguments, **named)
        raise KeyboardInterrupt

    videos = DIMENSIONS["videos"]
    with monkeypatch.context() as killed:
        killed.setattr(type(catalog), "commit_table", die)
        with pytest.raises(KeyboardInterrupt):
            land(videos, days=1)
    assert bool(rows(videos)) == landed
    again = land(videos, days=1)
    assert (again.feeds, again.feeds_skipped) == ((0, 2) if landed else (2, 0))
    places = [(row["feed_date"], row["feed_row"]) for row in rows(videos)]
    assert len(set(places)) == len(places) > 1000


@integration
def test_a_later_load_arrives_later_though_the_clock_was_set_back(catalog, namespace, rows, land):
    videos, ahead = DIMENSIONS["videos"], datetime(2090, 1, 1, tzinfo=UTC)
    row = next(videos.feeds(7, date(2000, 1, 1)))[0]
    open_table(catalog, videos, namespace).append(to_arrow(videos, [(row, 1)], ahead))
    land(videos, days=0)
    assert {row["ingested_at"] > ahead for row in rows(videos) if row["feed_date"] == TODAY} == {True}


@integration
@both
def test_trino_and_spark_read_what_was_landed(dimension, land, rows, lake_stack, spark, namespace):
    land(dimension, days=1)
    first_column = dimension.row._fields[0]
    sql = (
        f"select {first_column}, change_id, cast(changed_at as varchar), cast(ingested_at as varchar), feed_row "
        f"from lake.{namespace}.{dimension.table} order by feed_date, feed_row"
    )
    warehouse = Warehouse(lake_stack)
    by_trino, types = warehouse.rows(sql), warehouse.columns(f"select * from lake.{namespace}.{dimension.table}")
    assert types["changed_at"] == types["ingested_at"] == "timestamp(6) with time zone"
    assert types["feed_date"] == "date" and types["feed_row"] == "bigint"
    by_spark = spark.sql(sql.replace("as varchar", "as timestamp")).collect()
    landed = sorted(rows(dimension), key=lambda row: (row["feed_date"], row["feed_row"]))
    assert [(row[0], row[1], row[4]) for row in by_trino] == [(row[0], row[1], row[4]) for row in by_spark]
    assert [(row[first_column], row["change_id"]) for row in landed] == [(row[0], row[1]) for row in by_trino]
    assert [f"{row['changed_at']:%Y-%m-%d %H:%M:%S.%f} UTC" for row in landed] == [row[2] for row in by_trino]
    assert [row["changed_at"].timestamp() for row in landed] == [row[2].timestamp() for row in by_spark]


@integration
def test_the_command_lands_and_says_what(run_lake, lake_stack):
    said = run_lake("dimensions", "load", "videos", "--days", "1", "--json").stdout
    [done] = json.loads(said)
    assert done["table"] == "bronze.videos_changes" and done["last_day"] == str(datetime.now(UTC).date())
    again = run_lake("dimensions", "load", "videos", "--days", "1").stdout
    assert "0 rows of 0 feeds landed, 2 feeds were there" in again
    refused = run_lake("dimensions", "load", "videos", "--seed", "99", check=False)
    assert refused.returncode == 2 and "has the feeds of seed 7" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["nobody"], "there are users, videos"), (["--first-day", "yesterday"], "--first-day is a day such as")],
)
def test_what_cannot_be_asked_is_a_sentence(arguments, sentence):
    app = typer.Typer()
    app.command()(dimensions_cli.load)
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 2 and sentence in answer.stderr


def test_no_engine_is_one_sentence(monkeypatch):
    monkeypatch.setattr(dimensions_cli, "settings", lambda: Settings(postgres_port=1))
    app = typer.Typer()
    app.command()(dimensions_cli.load)
    answer = CliRunner().invoke(app, [])
    assert answer.exit_code == 5
    assert answer.stderr.strip() == "PostgreSQL on port 1 does not answer: lake up"
