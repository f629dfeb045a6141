"""Content events from bronze to sessions: the same rows whatever the order of arrival and the cut into runs.

If this fails, who was active and for how long depends on how often dbt ran, sessions are counted that never were, or an
event is about what its user or video was at another time.
"""
from __future__ import annotations

import random
import shutil
from datetime import timedelta

import pytest
from content_records import EVENING, ContentEvent, arrivals, changes, enriched_of, events_of, sessions_of
from dbt_warehouse import DBT_PROJECT

pytestmark = pytest.mark.integration

TABLES = ("content_events", "events_enriched", "sessions")
MARTS = ("session_depth_by_country", "retention_by_signup_cohort")
MODELS = ("build", "--resource-type", "model", "--resource-type", "snapshot", "--select")
SNAPSHOTS = ("user_changes", "video_changes")


def land(warehouse, batch, records, history=()):
    """One batch of the ingester and one load of the dimensions."""
    arrived = EVENING + timedelta(days=1, hours=batch)
    warehouse.append("bronze.raw_events", [record.row(arrived) for record in records])
    for table in ("users_changes", "videos_changes"):
        rows = [change.row(number, arrived) for number, change in enumerate(history, 1) if change.table == table]
        warehouse.append(f"bronze.{table}", rows)


def cuts(chance, count, pieces):
    """The ends of so many pieces of `count` things, some of them empty."""
    return [0, *sorted(chance.randint(0, count) for _ in range(pieces - 1)), count]


def sessions(warehouse):
    columns = "user_id, started_at, ended_at, event_count, play_count, like_count, videos_watched"
    return [tuple(row) for row in warehouse.query(f"select {columns} from {{prefix}}silver.sessions")]


def enriched(warehouse):
    columns = (
        "event_date, event_id, user_id, video_id, is_user_known, is_user_deleted, user_country, is_video_known, "
        "is_video_deleted, video_category, kafka_offset"
    )
    return [tuple(row) for row in warehouse.query(f"select {columns} from {{prefix}}silver.events_enriched")]


def rows(warehouse):
    return {table: warehouse.rows(table) for table in TABLES} | {mart: warehouse.rows(mart, "gold") for mart in MARTS}


def check_random_cuts(warehouse, seed, count, pieces):
    """A run after each of so many batches: tables equal plain loops and a full refresh, and a further run is idle."""
    chance = random.Random(seed)
    records, history = arrivals(chance, count), changes(chance, count)
    ends, history_ends = cuts(chance, len(records), pieces), cuts(chance, len(history), pieces)
    for batch in range(pieces):
        part, history_part = slice(*ends[batch : batch + 2]), slice(*history_ends[batch : batch + 2])
        land(warehouse, batch, records[part], history[history_part])
        warehouse.dbt(*MODELS, *([f"+{name}" for name in MARTS + TABLES] if batch == 0 else SNAPSHOTS + TABLES))
    where = f"seed {seed}, events cut at {ends}, changes at {history_ends}"

    events = events_of(records)
    assert sorted(sessions(warehouse)) == sorted(sessions_of(events)), where
    assert sorted(enriched(warehouse), key=str) == sorted(enriched_of(events, history), key=str), where

    cut, before = rows(warehouse), warehouse.snapshot_ids()
    assert all(cut.values())
    warehouse.dbt(*MODELS, *SNAPSHOTS, *TABLES)
    assert warehouse.snapshot_ids() == before, where

    warehouse.dbt(*MODELS, *TABLES, "--full-refresh")
    full = rows(warehouse)
    for table, cut_rows in cut.items():
        assert cut_rows == full[table], f"{table}: {where}"


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.full)])
def test_any_order_of_events_and_changes_equals_a_full_refresh_and_a_plain_loop(warehouse, seed):
    check_random_cuts(warehouse, seed, count=300, pieces=4)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 120))
def test_any_order_of_ten_thousand_events_equals_a_full_refresh_and_a_plain_loop(warehouse, seed):
    check_random_cuts(warehouse, seed, count=10_000, pieces=5)


NO_DELETE = pytest.param("when matched and {{ gone }} then delete", marks=pytest.mark.full)


@pytest.mark.parametrize("planted", [None, NO_DELETE], ids=["as it is", "no delete"])
def test_a_session_that_another_swallows_goes_in_the_same_commit(warehouse, tmp_path, planted):
    if planted:
        warehouse.project = shutil.copytree(DBT_PROJECT, tmp_path / "planted", ignore=shutil.ignore_patterns("target"))
        warehouse.manifest = None  # of the project as it is
        macro = warehouse.project / "macros" / "merge.sql"
        assert planted in macro.read_text()
        macro.write_text(macro.read_text().replace(planted, ""))
    early, late, between = (
        ContentEvent(offset, event_id=f"e{offset}", happened=EVENING + timedelta(minutes=minutes))
        for offset, minutes in enumerate((0, 50, 25))
    )
    land(warehouse, 0, [early, late])
    warehouse.dbt(*MODELS, "+sessions")
    assert len(sessions(warehouse)) == 2
    commits = 'select count(*) from {prefix}silver."sessions$snapshots"'
    before = warehouse.query(commits)[0][0]

    land(warehouse, 1, [between])
    warehouse.dbt(*MODELS, "content_events", "sessions")
    assert warehouse.query(commits)[0][0] == before + 1
    assert (set(sessions(warehouse)) == sessions_of([early, late, between])) == (planted is None)
