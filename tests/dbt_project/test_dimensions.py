"""Who was what when: from feeds landed in any order and any cut to the history that plain Python makes of them.

If this fails, an event is joined to a user or video as it never was, or history changes when it is rebuilt.
"""
from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import islice

import pytest
from dbt_warehouse import DBT_PROJECT
from dimension_reference import history

from ingest.catalog import catalog
from ingest.dimensions import DIMENSIONS, open_table, to_arrow
from ingest.generators import dimension_users, dimension_videos, dimensions
from prove.history import prove_history

pytestmark = pytest.mark.integration

FIRST_DAY = date(2026, 1, 26)
BUILD = ("build", "--select", "+dim_users", "+dim_videos", "--exclude-resource-type", "unit_test")


def few(seed):
    """Feeds of a few members: most change, some several times a day or at one moment, are deleted and return."""
    kinds = {"users": dimension_users._USERS, "videos": dimension_videos._VIDEOS}
    return {
        name: list(islice(dimensions.feeds(replace(kind, known=300, newcomers=2, changes=60), seed, FIRST_DAY), 15))
        for name, kind in kinds.items()
    }


def everybody(seed):
    return {name: list(islice(one.feeds(seed, FIRST_DAY), 41)) for name, one in DIMENSIONS.items()}


def land(warehouse, lake_stack, feeds, arrived):
    """These feeds appended to the warehouse's bronze, as the loader does it."""
    for name, of in feeds.items():
        table = open_table(catalog(lake_stack), DIMENSIONS[name], f"{warehouse.prefix}bronze")
        rows = [(row, number) for feed in of for number, row in enumerate(feed, 1)]
        table.append(to_arrow(DIMENSIONS[name], rows, arrived))


def kept(warehouse, lake_stack, feeds):
    """The dimensions after dbt ran, tests and all, in the middle of the feeds and at their end."""
    half = len(feeds["users"]) // 2
    land(warehouse, lake_stack, {name: of[:half] for name, of in feeds.items()}, datetime(2026, 2, 1, tzinfo=UTC))
    warehouse.dbt(*BUILD)
    land(warehouse, lake_stack, {name: of[half:] for name, of in feeds.items()}, datetime(2026, 3, 1, tzinfo=UTC))
    warehouse.dbt(*BUILD)


def check(warehouse, lake_stack, feeds, seeds):
    kept(warehouse, lake_stack, feeds)
    for name, of in feeds.items():
        rows = warehouse.query(f"select * from {{prefix}}silver.dim_{name}")
        expected = history(row for feed in of for row in feed)
        assert len(rows) == len(expected) > len({row[0] for row in rows})
        assert {tuple(row[:-1]) for row in rows} == expected, name

    evidence = prove_history(lake_stack, seeds, cuts=3)
    assert len(evidence) == 2 + 4 * len(seeds)
    assert all(one.is_equal and one.rows_left > 0 for one in evidence), evidence


def test_history_is_what_the_changes_say_in_whatever_order_and_cuts_they_arrive(warehouse, lake_stack):
    check(warehouse, lake_stack, few(seed=7), seeds=[1])

    # Nothing has arrived since, and dbt commits nothing.
    before = warehouse.snapshot_ids()
    assert set(before) == {"user_changes", "video_changes"}
    warehouse.dbt("snapshot")
    assert warehouse.snapshot_ids() == before


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 120))
def test_history_of_everybody_is_what_the_changes_say_in_whatever_order_they_arrive(warehouse, lake_stack, seed):
    check(warehouse, lake_stack, everybody(seed), seeds=[seed])


PLANTED = {
    "validity by arrival": (
        "models/dimensions/dim_users.sql", "        changed_at,\n        change_id,\n        max",
        "        ingested_at as changed_at,\n        change_id,\n        max",
    ),
    "the last arrival of a change": (
        "models/staging/stg_dimensions__user_changes.sql", "order by ingested_at,", "order by ingested_at desc,",
    ),
    "only the newest change of a member in a run": (
        "models/staging/stg_dimensions__user_changes.sql", "user_id, changed_at, change_id\n            order by",
        "user_id\n            order by changed_at desc,",
    ),
}  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("bug", PLANTED)
def test_a_history_that_depends_on_arrival_is_seen(warehouse, lake_stack, monkeypatch, bug):
    feeds = few(seed=8)
    land(warehouse, lake_stack, feeds, datetime(2026, 2, 1, tzinfo=UTC))
    monkeypatch.setenv("LAKE_BRONZE_SCHEMA", f"{warehouse.prefix}bronze")
    monkeypatch.setenv("LAKE_SCHEMA_PREFIX", warehouse.prefix)
    project = warehouse.folder / "planted"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    path, right, wrong = PLANTED[bug]
    text = (project / path).read_text()
    assert text.count(right) == 1
    (project / path).write_text(text.replace(right, wrong))

    evidence = prove_history(lake_stack, [1], cuts=2, project=project)
    assert {one.subject for one in evidence if not one.is_equal} == {"dim_users"}
