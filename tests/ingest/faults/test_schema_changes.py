"""If these fail, a breaking change gets into a gold unseen, takes other streams with it, or can't be decided on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from ingest.datasets import Dataset, load
from ingest.fence import read_gold_fence
from ingest.generators.drift import DRIFTS, changed
from ingest.generators.shapes import SHAPES
from ingest.metrics.meters import METERS
from ingest.publish import current_snapshot
from ingest.publish import load as load_table
from ingest.run import DatasetRun
from ingest.schema import store
from ingest.schema.check import SchemaBlocked
from ingest.schema.compare import Policy
from ingest.stream import Pace
from ingest.tables import exists
from tests.ingest.faults.case import Case

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.integration
PATIENCE = 300  # seconds; a quiet machine needs a few


def changing(case: Case, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """From the next record on, the case's sound events have gone through `change`."""
    case._records = changed(case._records, change)


def amount_as_text(event: dict[str, Any]) -> dict[str, Any]:
    return event | {"total_amount": f"{event['total_amount']:.2f}"}


@contextmanager
def running(spark: SparkSession, case: Case, dataset: Dataset, **pace: Any) -> Iterator[DatasetRun]:
    """The ingester of one dataset, in this process, until the block ends."""
    stop = threading.Event()
    run = DatasetRun(spark, case.stack, dataset, Pace(0.3, 400, 400, **pace), stop, wait=False)
    run.start()
    try:
        yield run
    finally:
        stop.set()
        run.join(PATIENCE)


def drained(spark: SparkSession, case: Case, dataset: Dataset) -> Exception | None:
    """Why a run with `--once` has ended, where it was not for want of records."""
    with running(spark, case, dataset, once=True) as run:
        run.join(PATIENCE)
    return run.outcome.failure


def until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.3)


def has_absorbed(spark: SparkSession, case: Case, dataset: Dataset) -> Callable[[], bool]:
    """Whether bronze and gold have all that was sent."""

    def has() -> bool:
        identifier = dataset.golds[0].identifier
        # A table has no snapshot between its making and its first, empty commit.
        if not exists(spark, identifier) or load_table(spark, identifier).currentSnapshot() is None:
            return False
        ends: dict[int, int] = {}
        for sent in case.sent:
            if not sent["kind"].startswith("malformed"):  # which have a header here that can't be read
                ends[sent["kafka_partition"]] = max(sent["kafka_offset"], ends.get(sent["kafka_partition"], -1))
        gold = dataset.golds[0].identifier
        absorbed = read_gold_fence(spark, gold, current_snapshot(spark, gold)).absorbed
        return all(absorbed.get(partition, -1) >= end for partition, end in ends.items())

    return has


def in_bronze(spark: SparkSession, dataset: Dataset) -> int:
    return spark.table(f"lake.{dataset.bronze.identifier}").count()


def metric(dataset: Dataset) -> float | None:
    return METERS.get_sample_value("breaking_schema_change", {"dataset": dataset.name})


@pytest.mark.timeout(1200)
def test_a_breaking_change_stops_one_gold_until_it_is_accepted(
    another_case: Callable[..., Case], spark: SparkSession, run_lake: Callable
) -> None:
    changed, other = another_case(), another_case()
    mine, theirs = load(changed.name, changed.datasets), load(other.name, other.datasets)
    table, gold = mine.bronze.table, mine.golds[0].identifier
    changed.produce(500)
    other.produce(300)
    environment = {"LAKE_DATASETS": str(changed.datasets)}

    def schema(*arguments: str, check: bool = True) -> Any:
        return run_lake("schema", *arguments, environment=environment, check=check)

    with running(spark, changed, mine) as run, running(spark, other, theirs):
        until(has_absorbed(spark, changed, mine), "the first events")
        assert [(one.number, one.status) for one in store.versions(table)] == [(1, "ACTIVE")]
        fence = read_gold_fence(spark, gold, current_snapshot(spark, gold))

        changing(changed, amount_as_text)
        changed.produce(300)
        other.produce(200)
        until(lambda: metric(mine) == 1, "the block")
        until(lambda: in_bronze(spark, mine) == 800, "bronze going on")
        until(has_absorbed(spark, other, theirs), "the other gold going on")
        assert metric(theirs) == 0
        absorbed = read_gold_fence(spark, gold, current_snapshot(spark, gold)).absorbed
        # A batch may end in the midst of the change: less than five such events are odd ones.
        assert sum(absorbed.values()) - sum(fence.absorbed.values()) < 10
        shown = schema("show", mine.name, check=False)
        assert shown.returncode == 4 and "total_amount: double is now" in shown.stdout, shown
        assert run.is_alive() and run.outcome.failure is None

        schema("accept", mine.name)
        until(has_absorbed(spark, changed, mine), "the gold catching up")
        assert metric(mine) == 0
    with pytest.raises(store.StaleVersion, match="is ACTIVE, not BLOCKED"):
        store.accept(table, 2, "someone")
    changed.verified()


@pytest.mark.full
def test_drained_it_ends_with_a_decision_and_a_refused_change_is_let_through(
    another_case: Callable[..., Case], spark: SparkSession
) -> None:
    case = another_case()
    dataset = load(case.name, case.datasets)
    case.produce(200)
    drained(spark, case, dataset)
    changing(case, amount_as_text)
    case.produce(200)
    failure = drained(spark, case, dataset)
    assert isinstance(failure, SchemaBlocked)
    assert f"lake schema accept {dataset.name}" in str(failure)
    assert not has_absorbed(spark, case, dataset)()

    store.rollback(dataset.bronze.table, 1, "someone")
    assert drained(spark, case, dataset) is None
    assert has_absorbed(spark, case, dataset)()
    assert [one.status for one in store.versions(dataset.bronze.table)] == ["ACTIVE", "RETIRED"]
    case.verified()


@pytest.mark.full
def test_a_stream_whose_key_has_another_name_waits_for_a_person(
    another_case: Callable[..., Case], spark: SparkSession
) -> None:
    case = another_case()
    dataset = load(case.name, case.datasets)
    gold = dataset.golds[0].identifier
    case.produce(200)
    assert drained(spark, case, dataset) is None
    fence = read_gold_fence(spark, gold, current_snapshot(spark, gold))
    changing(case, partial(DRIFTS["key"].change, SHAPES["orders"]))
    case.produce(200)
    assert "order_id: can't be read in most records" in str(drained(spark, case, dataset))
    assert in_bronze(spark, dataset) == 400 and metric(dataset) == 1
    assert read_gold_fence(spark, gold, current_snapshot(spark, gold)) == fence

    store.accept(dataset.bronze.table, 2, "someone")
    assert drained(spark, case, dataset) is None and metric(dataset) == 0
    case.verified()


@pytest.mark.full
def test_without_the_check_the_change_gets_in(another_case: Callable[..., Case], spark: SparkSession) -> None:
    """What the tests above would see if the check were gone."""
    case = another_case()
    dataset = load(case.name, case.datasets).model_copy(update={"policy": Policy(check=False)})
    case.produce(200)
    changing(case, amount_as_text)
    case.produce(200)
    assert drained(spark, case, dataset) is None
    assert has_absorbed(spark, case, dataset)()
    assert store.versions(dataset.bronze.table) == []
