"""If these fail, a writer that was overtaken can still commit: rows are doubled or lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ingest import publish
from ingest.publish import MainMoved, Publisher, current_snapshot, drop_left_branches, load, only_rewritten
from ingest.verify.warehouse import Warehouse
from stack.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.integration


@pytest.fixture
def table(spark: SparkSession, request: pytest.FixtureRequest) -> str:
    """An empty table with a snapshot."""
    identifier = f"bronze.{request.node.name[:50]}"
    spark.sql("create namespace if not exists lake.bronze")
    spark.sql(f"create table lake.{identifier} (n int) using iceberg")
    load(spark, identifier).newAppend().commit()
    return identifier


def append(spark: SparkSession, numbers: range, branch: str) -> None:
    spark.createDataFrame([(n,) for n in numbers], "n int").writeTo(branch).append()


def numbers(spark: SparkSession, table: str) -> list[int]:
    return sorted(row.n for row in spark.table(f"lake.{table}").collect())


def test_publishes_follow_each_other(spark: SparkSession, table: str) -> None:
    publisher = Publisher(spark, table, "a")
    for start in (0, 2, 4):
        publisher.publish(lambda branch: append(spark, range(start, start + 2), branch), "bronze")  # noqa: B023
    assert numbers(spark, table) == list(range(6))
    assert publisher.base == current_snapshot(spark, table)


def test_nothing_shows_before_it_is_published(spark: SparkSession, table: str) -> None:
    def write(branch: str) -> None:
        append(spark, range(3), branch)
        assert numbers(spark, table) == []

    Publisher(spark, table, "a").publish(write, "bronze")
    assert numbers(spark, table) == [0, 1, 2]


def test_a_writer_overtaken_between_write_and_publish_is_refused(spark: SparkSession, table: str) -> None:
    slow, quick = Publisher(spark, table, "slow"), Publisher(spark, table, "quick")

    def write(branch: str) -> None:
        append(spark, range(10, 12), branch)
        quick.publish(lambda own: append(spark, range(2), own), "bronze")

    with pytest.raises(MainMoved):
        slow.publish(write, "bronze")
    assert numbers(spark, table) == [0, 1]


def test_a_writer_overtaken_before_it_begins_is_refused(spark: SparkSession, table: str) -> None:
    slow = Publisher(spark, table, "slow")
    Publisher(spark, table, "quick").publish(lambda branch: append(spark, range(2), branch), "bronze")
    with pytest.raises(MainMoved):
        slow.publish(lambda branch: append(spark, range(10, 12), branch), "bronze")
    assert numbers(spark, table) == [0, 1]


def test_a_late_write_to_a_branch_that_was_removed_is_refused(spark: SparkSession, table: str) -> None:
    """Iceberg makes a missing branch anew from today's main, so the fast-forward alone would accept it."""
    slow, quick = Publisher(spark, table, "slow"), Publisher(spark, table, "quick")

    def write(branch: str) -> None:
        quick.publish(lambda own: append(spark, range(2), own), "bronze")
        drop_left_branches(spark, table)
        load(spark, table).newFastAppend().toBranch(slow.branch).commit()

    with pytest.raises(MainMoved):
        slow.publish(write, "bronze")
    assert numbers(spark, table) == [0, 1]


def test_a_rolled_back_table_refuses_what_was_cut_from_the_later_snapshot(spark: SparkSession, table: str) -> None:
    publisher = Publisher(spark, table, "a")
    before = publisher.base
    publisher.publish(lambda branch: append(spark, range(2), branch), "bronze")
    load(spark, table).manageSnapshots().rollbackTo(before).commit()
    with pytest.raises(MainMoved):
        publisher.publish(lambda branch: append(spark, range(2, 4), branch), "bronze")
    assert not only_rewritten(load(spark, table), publisher.base)


def test_a_rollback_between_write_and_publication_is_not_undone(spark: SparkSession, table: str) -> None:
    """The head descends from the snapshot rolled back to, so the fast-forward alone would accept it."""
    publisher = Publisher(spark, table, "a")
    before = publisher.base
    publisher.publish(lambda branch: append(spark, range(2), branch), "bronze")

    def write(branch: str) -> None:
        append(spark, range(2, 4), branch)
        load(spark, table).manageSnapshots().rollbackTo(before).commit()

    with pytest.raises(MainMoved):
        publisher.publish(write, "bronze")
    assert numbers(spark, table) == []


def test_compaction_is_told_from_other_commits(spark: SparkSession, table: str) -> None:
    publisher = Publisher(spark, table, "a")
    for start in (0, 2):
        publisher.publish(lambda branch: append(spark, range(start, start + 2), branch), "bronze")  # noqa: B023
    compacted(spark, table)
    assert current_snapshot(spark, table) != publisher.base
    assert only_rewritten(load(spark, table), publisher.base)


def compacted(spark: SparkSession, table: str) -> None:
    spark.sql(f"call lake.system.rewrite_data_files(table => '{table}', options => map('rewrite-all', 'true'))")


def files(spark: SparkSession, table: str, of: str = "files") -> set[str]:
    return {row.file_path for row in spark.table(f"lake.{table}.{of}").collect()}


def test_an_append_goes_on_from_a_compacted_main_with_the_files_that_it_has(
    spark: SparkSession, table: str, lake_stack: Settings
) -> None:
    """Its batch would take twice as long otherwise. Whoever expires snapshots leaves it its files."""
    publisher, written = Publisher(spark, table, "a"), []
    publisher.publish(lambda branch: append(spark, range(2), branch), "bronze", appends=True)
    compacted(spark, table)  # before it begins, too

    def write(branch: str) -> None:
        append(spark, range(2, 4), branch)
        written.append(files(spark, table, "all_files"))
        compacted(spark, table)

    publisher.publish(write, "bronze", appends=True)
    [before] = written
    assert len(files(spark, table) & before) == len(files(spark, table)) - 1  # but for what compaction made of the rest
    assert [name for name in load(spark, table).refs().keySet() if name != "main"] == [publisher.branch]
    publisher.drop_branch()
    # Trino's Iceberg removes files that Spark's leaves
    Warehouse(lake_stack).rows(f"alter table {table} execute expire_snapshots(retention_threshold => '0s')")
    assert numbers(spark, table) == [0, 1, 2, 3]
    publisher.publish(lambda branch: append(spark, range(4, 6), branch), "bronze", appends=True)
    assert numbers(spark, table) == list(range(6))


def test_its_files_are_on_a_branch_at_every_moment(
    spark: SparkSession, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As somebody expires snapshots between any two of its commits."""
    publisher = Publisher(spark, table, "a")
    publisher.publish(lambda branch: append(spark, range(2), branch), "bronze", appends=True)

    def write(branch: str) -> None:
        append(spark, range(2, 4), branch)
        compacted(spark, table)
        monkeypatch.setattr(publish, "load", expiring)

    def expiring(spark: SparkSession, identifier: str) -> Any:
        keep = 3  # so that the base is known still
        load(spark, identifier).expireSnapshots().expireOlderThan(1 << 42).retainLast(keep).commit()
        return load(spark, identifier)

    publisher.publish(write, "bronze", appends=True)
    assert numbers(spark, table) == [0, 1, 2, 3]


def test_main_may_be_rewritten_only_so_often(
    spark: SparkSession, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, tried = Publisher(spark, table, "a"), []
    publisher.publish(lambda branch: append(spark, range(2), branch), "bronze", appends=True)
    forward = publisher._fast_forward

    def late(head: int) -> None:
        tried.append(head)
        compacted(spark, table)
        forward(head)

    monkeypatch.setattr(publisher, "_fast_forward", late)
    with pytest.raises(MainMoved):
        publisher.publish(lambda branch: append(spark, range(2, 4), branch), "bronze", appends=True)
    assert len(tried) == len(set(tried)) == publish.REWRITES + 1
    assert numbers(spark, table) == [0, 1]


def test_a_writer_overtaken_before_a_compaction_is_refused(spark: SparkSession, table: str) -> None:
    slow, quick = Publisher(spark, table, "slow"), Publisher(spark, table, "quick")

    def write(branch: str) -> None:
        append(spark, range(10, 12), branch)
        quick.publish(lambda own: append(spark, range(2), own), "bronze", appends=True)
        compacted(spark, table)

    with pytest.raises(MainMoved):
        slow.publish(write, "bronze", appends=True)
    assert numbers(spark, table) == [0, 1]


def test_a_compacted_main_is_another_for_what_was_computed_from_it(spark: SparkSession, table: str) -> None:
    publisher = Publisher(spark, table, "a")
    publisher.publish(lambda branch: append(spark, range(2), branch), "gold")

    def write(branch: str) -> None:
        append(spark, range(2, 4), branch)
        compacted(spark, table)

    with pytest.raises(MainMoved):
        publisher.publish(write, "gold")
    assert numbers(spark, table) == [0, 1]


def test_upkeep_that_commits_while_a_branch_is_made_is_no_reason_to_fail(
    spark: SparkSession, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `expire_snapshots` does beside a stream: the update was made on metadata that is the last no more."""
    met = []

    class Kept:
        def __init__(self, loaded: Any) -> None:
            self._loaded = loaded

        def __getattr__(self, name: str) -> Any:
            return getattr(self._loaded, name)

        def manageSnapshots(self) -> Any:
            update = self._loaded.manageSnapshots()
            if not met:
                met.append(load(spark, table).updateProperties().set("kept", "up").commit())
            return update

    monkeypatch.setattr(publish, "load", lambda spark, identifier: Kept(load(spark, identifier)))
    Publisher(spark, table, "a").publish(lambda branch: append(spark, range(3), branch), "bronze")
    assert met and numbers(spark, table) == [0, 1, 2]
