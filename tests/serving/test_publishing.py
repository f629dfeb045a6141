"""If these fail, a dashboard shows half a table, an old number, or none at all while its tables are refreshed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from board import ARRIVED, MINUTES, TABLES, Board

import serving.runner
from serving.age import ages
from serving.refresh import Refresh
from serving.runner import Runner
from stack import supervision
from stack.settings import LAKE, PROJECT

pytestmark = pytest.mark.integration


def seen_while(board: Board, work: Callable[[], None]) -> list[object]:
    """What a reader saw from before `work` until after it."""
    seen: list[object] = []
    stop = threading.Event()
    reader = threading.Thread(target=board.poll, args=(seen, stop))
    reader.start()
    try:
        work()
    finally:
        stop.set()
        reader.join()
    return seen


def refreshes(board: Board, refresh: Refresh, count: int) -> None:
    """Refreshes of a lake in which every minute has another count each time."""
    for number in range(count):
        board.set_counts(100 + number, f"2026-01-03 00:{number:02}:00")
        assert not any(refresh.step().values())


@pytest.mark.parametrize("count", [3, pytest.param(20, marks=pytest.mark.full)])
def test_a_reader_sees_every_refresh_whole_or_not_at_all(board: Board, count: int) -> None:
    before = board.read("select max(event_count) from {schema}.events_per_minute")[0][0]
    seen = seen_while(board, lambda: refreshes(board, board.refresh, count))
    versions = [before, *range(100, 100 + count)]
    assert set(seen) <= {(MINUTES, version, version) for version in versions}
    assert (MINUTES, before, before) in seen and len(seen) > 5 * count


def test_the_reader_would_see_a_table_that_is_dropped_and_made_again(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "dbt_project"
    shutil.copytree(serving.runner.DBT_PROJECT, planted, ignore=shutil.ignore_patterns("target", "logs"))
    project = planted / "dbt_project.yml"
    plain = "+materialized: table\n      +on_table_exists: drop"
    project.write_text(project.read_text().replace("+materialized: served", plain))
    monkeypatch.setattr(serving.runner, "DBT_PROJECT", planted)
    with_the_bug = Refresh(Runner(board.settings, tmp_path / "target"))
    try:
        seen = seen_while(board, lambda: refreshes(board, with_the_bug, 1))
    finally:
        assert not any(Refresh(board.runner).step().values())
    assert {one for one in seen if not isinstance(one, tuple) or one[0] != MINUTES}


def test_tables_are_the_lakes(board: Board) -> None:
    board.refresh.step()
    for table, origin in TABLES.items():
        columns = [name for (name,) in board.read(
            "select column_name::text from information_schema.columns where table_schema = '{schema}' "
            f"and table_name = '{table}' order by ordinal_position"
        )]  # fmt: skip
        lake = {tuple(row) for row in board.warehouse.query(f"select {', '.join(columns)} from {origin}")}
        served = board.read(f"select * from {{schema}}.{table}")
        assert len(served) == min(len(lake), 100 if table == "virality_now" else MINUTES) > 0, table
        assert set(served) <= lake, table
    orders = "select status, currency, order_count::int, total_amount::text from {schema}.orders_by_status_now"
    assert board.read(orders) == [("PAID", "USD", 1, "1.50"), ("PAID", "unknown", 1, "2.50")]
    fastest = "select array_agg(video_id order by velocity desc) from {schema}.virality_now"
    assert board.read(fastest)[0][0][:3] == ["v-1", "v-2", "v-3"]


def test_a_refresh_with_nothing_new_writes_no_row_and_leaves_nothing_behind(board: Board) -> None:
    board.refresh.step()
    written = "select max(xmin::text::bigint), count(*) from {schema}.events_per_minute"
    before = board.read(written)
    with board.connect() as owner:
        left = f"{board.schema}_stage_2020010100"
        owner.execute(f"create schema {left}; create table {left}.tmp_trino_1 as select 1 as a")
        assert not any(Refresh(board.runner).step().values())
        stages = "select nspname, relname from pg_namespace left join pg_class on relnamespace = pg_namespace.oid "
        kept = owner.execute(f"{stages} where nspname like '{board.schema}_stage_%'").fetchall()
    assert board.read(written) == before
    assert left not in {name for name, _ in kept}
    assert [table for _, table in kept if table] == []


def test_what_arrival_does_not_show_is_put_right_when_the_whole_is_compared(board: Board) -> None:
    """A live gold that was rebuilt: a row is gone, another one says that it is old."""
    board.warehouse.query("delete from {prefix}gold.logins_per_source where source = 'mobile'")
    board.warehouse.query(
        f"update {{prefix}}gold.logins_per_source set login_count = 2, updated_at = {ARRIVED} - interval '1' day"
    )
    rows = "select source, login_count::int from {schema}.logins_per_source order by 1"
    board.refresh.step()
    assert board.read(rows) == [("mobile", 4), ("web", 3)]
    Refresh(board.runner).step()
    assert board.read(rows) == [("web", 2)]


def test_a_table_of_other_columns_is_replaced_and_no_view_on_it_breaks_unseen(board: Board) -> None:
    with board.connect() as owner:
        owner.execute(f"alter table {board.schema}.purchases_per_minute add column extra int")
        causes = board.refresh.step()
        assert "run dbt with --full-refresh" in causes.pop("purchases_per_minute")
        assert not any(causes.values())
        owner.execute(f"create view {board.schema}.theirs as select * from {board.schema}.purchases_per_minute")
        assert "other objects depend on it" in board.refresh.step()["purchases_per_minute"]
        owner.execute(f"drop view {board.schema}.theirs")
    assert not any(board.refresh.step().values())
    assert board.read("select purchase_count::int from {schema}.purchases_per_minute") == [(5,)]


def test_a_refresh_whose_sessions_are_killed_says_so_and_the_next_one_is_well(board: Board) -> None:
    kill = (
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid() and usename = 'lake'"
    )
    board.set_counts(7, "2026-01-04 00:00:00")
    stop = threading.Event()

    def keep_killing() -> None:
        with board.connect() as owner:
            while not stop.wait(0.01):
                owner.execute(kill)

    killer = threading.Thread(target=keep_killing)
    killer.start()
    try:
        causes = board.refresh.step()
    finally:
        stop.set()
        killer.join()
    assert all(causes.values())
    assert "terminating connection due to administrator command" in "".join(filter(None, causes.values()))
    assert not any(board.refresh.step().values())
    assert board.read("select count(*), min(event_count)::int from {schema}.events_per_minute") == [(MINUTES, 7)]


def test_readers_may_only_read_and_minutes_are_found_by_the_key(board: Board) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        board.read("delete from {schema}.events_per_minute returning 1")
    minute = "select * from {schema}.events_per_minute where window_start = '2026-01-01 10:00 UTC'"
    plan = board.read(f"explain {minute}")
    assert any("Index" in line for (line,) in plan), plan


@contextmanager
def refresher(folder: Path) -> Iterator[Iterator[dict]]:
    """`lake refresh` beside the test, and what it logs as it does; in the end it ends well when it is told to."""
    command = [*LAKE, "refresh", "--every", "1"]
    process = subprocess.Popen(
        [*command, f"--target-path={folder}"], cwd=PROJECT, env=dict(os.environ), stderr=subprocess.PIPE, text=True
    )
    patience = threading.Timer(300, process.kill)
    patience.start()
    try:
        yield map(json.loads, process.stderr)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    finally:
        patience.cancel()
        process.kill()


def test_it_lives_through_a_missing_view_and_logs_why(board: Board, tmp_path: Path) -> None:
    view, away = "{prefix}silver.stg_shop__purchases_per_minute", "{prefix}silver.away"
    board.warehouse.query(f"alter view {view} rename to {away}")
    failed = []
    with refresher(tmp_path) as said:
        for one in said:
            if one["event"] == "refresh failed":
                failed.append(one)
            elif len(one.get("tables", ())) == len(TABLES):
                break
            elif away and one["event"] == "refreshed":
                board.warehouse.query(f"alter view {away} rename to {view}")
                away = ""
    assert {one["table"] for one in failed} == {"purchases_per_minute"}
    assert "stg_shop__purchases_per_minute" in failed[0]["cause"]


def test_it_is_fresh_again_by_itself_after_a_restart_of_its_engines(
    board: Board, tmp_path: Path, run_lake: Callable[..., subprocess.CompletedProcess]
) -> None:
    failed = []
    with refresher(tmp_path) as said:
        assert next(one for one in said if len(one.get("tables", ())) == len(TABLES))
        for count, engine in enumerate(("postgres", "trino"), 21):
            supervision.call(board.settings, "stopProcess", engine)
            run_lake("up")
            board.set_counts(count, f"2026-01-05 00:{count}:00")
            for one in said:
                if one["event"] == "refresh failed":
                    failed.append(one)
                elif one["event"] == "refreshed" and set(newest_counts(board)) == {count}:
                    break
    assert {one["table"] for one in failed} == set(TABLES)
    assert all(age.is_fresh() for age in ages(board.settings))


def newest_counts(board: Board) -> list[int]:
    return board.read("select min(event_count)::int, max(event_count)::int from {schema}.events_per_minute")[0]
