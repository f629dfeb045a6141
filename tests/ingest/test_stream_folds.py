"""If these fail, a live count depends on how the stream was cut: crashes, replays and late events make it wrong."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from ingest import fold as fold_module
from ingest.datasets import Dataset, Gold
from ingest.generators.content_events import ContentStream
from ingest.generators.event_stream import EventStream
from ingest.generators.faults import Faults
from ingest.generators.user_events import UserStream
from ingest.live import LiveGold
from ingest.publish import current_snapshot
from ingest.replay import compare, hashed
from tests.ingest.landing import SHAPES, START, folded, landed, one_at_a_time, plain_rows, random_cuts, whole
from tests.ingest.stream_reference import differences

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.integration

FAULTS = Faults(duplicates=0.05, late=0.05, out_of_order=0.05, illegal=0, malformed=0.02)
# Few minutes, so that many events share one; and hours, so that minutes of a video grow too old while it is watched.
SPANS = {UserStream: 1200, ContentStream: 4 * 3600}
GATE = [(UserStream, "plain", 1), (ContentStream, "recreated", 1)]
ALL = [(kind, shape, seed) for kind in (UserStream, ContentStream) for shape in SHAPES for seed in range(1, 8)]
CASES = [*GATE, *(pytest.param(*case, marks=pytest.mark.full) for case in ALL if case not in GATE)]


def stream(kind: type[EventStream], seed: int, count: int, corpus: bool = True) -> EventStream:
    start = int(START.timestamp())
    return kind(seed=seed, start=start, span=SPANS[kind], count=count, faults=FAULTS, corpus=corpus)


def found(spark: SparkSession, dataset: Dataset, gold: Gold, bronze: DataFrame, cuts: list, name: str) -> list[str]:
    """What is wrong with the gold, made from `bronze` cut by cut."""
    rows = folded(spark, dataset, gold, bronze, cuts, f"{name}_{gold.table}")
    return differences(gold.sql, plain_rows(rows), plain_rows(bronze))


@pytest.mark.parametrize(("kind", "shape", "seed"), CASES)
def test_any_cut_of_the_offsets_gives_the_same_rows(
    spark: SparkSession, kind: type[EventStream], shape: str, seed: int
) -> None:
    dataset, bronze, fence = landed(spark, stream(kind, seed, 2_000 if seed == 1 else 10_000), shape)
    for gold in dataset.golds:
        assert found(spark, dataset, gold, bronze, whole(fence), "at_once") == []
        cuts = random_cuts(fence, random.Random(seed), 3 if seed == 1 else 5)
        assert found(spark, dataset, gold, bronze, [*cuts, cuts[0]], "in_cuts") == []


@pytest.mark.full
@pytest.mark.parametrize("kind", [UserStream, ContentStream])
def test_one_event_at_a_time_gives_the_same_rows(spark: SparkSession, kind: type[EventStream]) -> None:
    dataset, bronze, fence = landed(spark, stream(kind, 9, 16, corpus=False), "partitions_added")
    for gold in dataset.golds:
        assert found(spark, dataset, gold, bronze, one_at_a_time(fence), "one_at_a_time") == []


POSITION = "and arrived.kafka_offset > coalesce(state.absorbed[arrived.kafka_partition], -1)"
EPOCH = "if(state.topic_epoch = added.topic_epoch, state.absorbed, cast(map() as map<int, bigint>))"
BUGS = {
    "a row's position is ignored": (POSITION, "", "plain"),
    "positions of two partitions are compared": (
        POSITION,
        "and arrived.kafka_offset > coalesce(array_max(map_values(state.absorbed)), -1)",
        "partitions_added",
    ),
    "an earlier epoch's positions are kept": (
        EPOCH,
        "coalesce(state.absorbed, cast(map() as map<int, bigint>))",
        "recreated",
    ),
}
PLANTED = [
    pytest.param(kind, bug, marks=() if kind is UserStream and bug == next(iter(BUGS)) else pytest.mark.full)
    for kind in (UserStream, ContentStream)
    for bug in BUGS
]


@pytest.mark.parametrize(("kind", "bug"), PLANTED)
def test_a_planted_bug_is_seen(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, kind: type[EventStream], bug: str
) -> None:
    sound, broken, shape = BUGS[bug]
    dataset, bronze, fence = landed(spark, stream(kind, 8 + len(bug), 300, corpus=False), shape)
    gold = dataset.golds[0]
    sql = fold_module.sql_of(gold)
    assert sound in sql
    first, *rest = random_cuts(fence, random.Random(8), 3)
    cuts = [first, first, *rest]
    assert found(spark, dataset, gold, bronze, cuts, "sound") == []
    monkeypatch.setattr(fold_module, "sql_of", lambda _: sql.replace(sound, broken))
    assert found(spark, dataset, gold, bronze, cuts, "broken") != []


def test_events_of_no_row_are_read_again_after_a_restart_and_change_nothing(spark: SparkSession) -> None:
    """Most events are no purchases: the fence, which is the rows', lies below what was read."""
    dataset, bronze, _ = landed(spark, stream(UserStream, 7, 600, corpus=False), "recreated")
    gold = dataset.golds[2]
    seen = []
    for number in range(2):
        live = LiveGold(spark, dataset, gold, f"run{number}", max_rows=400)
        while live.step():
            assert live.progress.merges < 20
        assert live.folded == current_snapshot(spark, dataset.bronze.identifier)
        seen.append((live.progress.merges, hashed(spark.table(f"lake.{gold.identifier}"))))
    (first, rows), (again, rows_then) = seen
    assert 0 < again < first
    assert rows_then == rows
    assert differences(gold.sql, plain_rows(spark.table(f"lake.{gold.identifier}")), plain_rows(bronze)) == []
    assert compare(spark, dataset, gold, None, 400, lambda _: None).is_equal
