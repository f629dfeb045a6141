"""If these fail, the on-call engineer reads a lag that is not there, or doesn't read one that is."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from ingest.datasets import load
from ingest.fence import GoldFence
from ingest.metrics import meter as meter_module
from ingest.metrics import tell
from ingest.metrics.board import BOARD, document
from ingest.metrics.health import health_of
from ingest.metrics.lateness import MOST, Looks
from ingest.metrics.meter import Meter
from ingest.metrics.meters import BREAKING_SCHEMA_CHANGE, METERS
from stack.settings import PROJECT

BRONZE, GOLD = "bronze.orders_events", "gold.orders_current"


class Run(threading.Thread):
    """As much of a DatasetRun as a meter looks at, alive until it is let go."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.dataset = load("orders", PROJECT / "ingest" / "datasets")
        self.lease: Any = SimpleNamespace(lost=threading.Event())
        self.stop, self.let_go = threading.Event(), threading.Event()

    def run(self) -> None:
        self.let_go.wait()


@pytest.fixture
def run():
    BOARD.clear()
    run = Run()
    tell.begins(run)
    run.start()
    yield run
    run.let_go.set()
    BREAKING_SCHEMA_CHANGE.clear()
    BOARD.clear()


@pytest.fixture
def meter(run: Run) -> Meter:
    found = BOARD.of(BRONZE)
    assert found is not None
    return found


def snapshot(rows: int) -> Any:
    return SimpleNamespace(summary=lambda: {"added-records": str(rows)})


def value(name: str, **labels: str) -> float | None:
    return METERS.get_sample_value(name, {"dataset": "orders", **labels})


def test_a_table_is_late_from_when_its_first_missing_record_was_seen() -> None:
    looks = Looks()
    for now, end in ((10.0, {0: 5, 1: 1}), (13.0, {0: 7, 1: 1}), (16.0, {0: 7, 1: 1}), (19.0, {0: 9, 1: 4})):
        looks.add(now, end)
    assert looks.seconds_behind({0: 9, 1: 4}, 20.0) == 0
    assert looks.seconds_behind({0: 7, 1: 4}, 20.0) == 1, "seen at 19"
    assert looks.seconds_behind({0: 9, 1: 1}, 20.0) == 1, "one partition is enough"
    assert looks.seconds_behind({0: 5, 1: 1}, 20.0) == 7, "seen at 13"
    assert looks.seconds_behind({}, 20.0) == 10
    looks.forget({0: 7, 1: 1})
    assert looks.seconds_behind({}, 20.0) == 1


def test_a_table_that_stands_still_for_days_keeps_its_age_and_little_memory() -> None:
    looks = Looks()
    for second in range(5 * MOST):
        looks.add(float(second), {0: second + 1})
    assert looks.seconds_behind({0: 0}, 5.0 * MOST) == 5 * MOST
    assert len(looks._seen) <= MOST
    assert looks.seconds_behind({0: 5 * MOST}, 5.0 * MOST) == 0


def test_lag_is_what_the_broker_has_less_what_a_table_has_and_nothing_while_that_is_not_known(meter: Meter) -> None:
    meter.looked({0: 0, 1: 0}, {0: 10, 1: 5})
    assert (meter.lag_records(BRONZE), meter.lag_seconds(BRONZE)) == (None, None)
    tell.bronze_starts(BRONZE, 1, {0: 4, 1: 0}, 100)
    assert meter.lag_records(BRONZE) == {0: 6, 1: 5}
    tell.bronze_is_at(BRONZE, {0: 10, 1: 5}, 101)
    assert meter.lag_records(BRONZE) == {0: 0, 1: 0}
    meter.looked({0: 12, 1: 5}, {0: 14, 1: 5})
    assert meter.lag_records(BRONZE) == {0: 2, 1: 0}, "records that expired unread don't wait any more"


def test_a_gold_is_where_the_bronze_snapshot_was_that_it_folded_or_that_one_s_parent(meter: Meter) -> None:
    tell.bronze_starts(BRONZE, 1, {0: 0}, 100)
    tell.bronze_is_at(BRONZE, {0: 7}, 101)
    tell.bronze_is_at(BRONZE, {0: 9}, 103)
    parents = {102: 101, 101: 100}
    bronze = SimpleNamespace(
        snapshot=lambda number: SimpleNamespace(snapshotId=lambda: number, parentId=lambda: parents.get(number))
    )
    tell.gold_has_folded(GOLD, 102, lambda: bronze)
    assert meter.next_offsets[GOLD] == {0: 7}
    tell.gold_has_folded(GOLD, 103, lambda: pytest.fail("a known snapshot needs no look"))
    assert meter.next_offsets[GOLD] == {0: 9}
    tell.gold_has_folded(GOLD, 55, lambda: SimpleNamespace(snapshot=lambda _: None))
    assert meter.next_offsets[GOLD] == {0: 9}, "of an unknown snapshot nothing is said"
    tell.bronze_starts(BRONZE, 1, {0: 12}, 55)
    assert meter.next_offsets[GOLD] == {0: 12}, "until bronze's run begins there"


def test_a_gold_still_in_an_earlier_epoch_has_nothing_of_this_one(meter: Meter) -> None:
    tell.bronze_starts(BRONZE, 2, {0: 3}, 100)
    meter.looked({0: 0}, {0: 3})
    tell.gold_is_at(GOLD, GoldFence(1, {0: 900}))
    assert meter.lag_records(GOLD) == {0: 3}
    tell.gold_is_at(GOLD, GoldFence(2, {0: 2}))
    assert meter.lag_records(GOLD) == {0: 0}


def test_commits_are_counted_by_table_and_end_a_trouble(meter: Meter) -> None:
    before = value("lake_records_ingested_total") or 0
    tell.failed(BRONZE, "bronze", OSError("disk full"))
    assert health_of(meter).phase == "retrying"
    tell.committed(BRONZE, snapshot(40))
    tell.committed(GOLD, snapshot(3))
    tell.bronze_starts(BRONZE, 1, {0: 40}, 1)
    assert health_of(meter).phase == "running"
    assert value("lake_records_ingested_total") == before + 40
    assert (meter.records, meter.errors["OSError"]) == (40, 1)
    assert meter.records_per_second() == pytest.approx(40 / 60)
    assert document(meter, health_of(meter))["last_commit"].endswith("Z")


def test_a_dataset_that_is_run_anew_goes_on_counting_and_forgets_what_stopped_it(meter: Meter) -> None:
    tell.committed(BRONZE, snapshot(40))
    tell.failed(BRONZE, "lease", OSError())
    tell.stopped(BRONZE, "bronze", "recreated")
    tell.begins(Run())
    again = BOARD.of(BRONZE)
    assert again is not meter
    assert (again.records, again.errors, again.stopped, again.next_offsets) == (40, {"OSError": 1}, {}, {})


def test_what_happens_to_tables_outside_an_ingester_is_told_to_nobody() -> None:
    BOARD.clear()
    tell.committed("bronze.other", snapshot(1))
    tell.failed("bronze.other", "bronze", OSError())
    with tell.phase("bronze.other", "write"):
        pass
    assert tell.position("bronze.other") is None
    with pytest.raises(ValueError):
        tell.counting("bronze.other", "bronze", lambda: int("x"))()


def test_failures_of_a_run_that_was_asked_to_stop_are_not_counted(run: Run, meter: Meter) -> None:
    def fails() -> None:
        raise OSError("cut off")

    for _ in range(2):
        with pytest.raises(OSError):
            tell.counting(BRONZE, "bronze", fails)()
        run.stop.set()
    assert meter.errors == {"OSError": 1}


def test_a_part_that_goes_on_failing_makes_its_dataset_unhealthy_and_one_that_failed_once_does_not(
    meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000.0]
    monkeypatch.setattr(meter_module, "time", SimpleNamespace(monotonic=lambda: now[0], time=time.time))
    for _ in range(7):
        assert health_of(meter).ok
        tell.failed(GOLD, "orders_current", ConnectionError("reset"))
        now[0] += 10
    assert health_of(meter).reasons == ["orders_current has failed for 60 s: ConnectionError: reset"]
    now[0] += 60
    assert health_of(meter).ok, "nothing has failed for a minute"


@pytest.mark.parametrize(
    ("how", "phase", "reason"),
    [
        ("stopped", "stopped", "bronze stopped: recreated"),
        ("blocked", "blocked", "BLOCKED"),
        ("lost", "starting", "lease is lost"),
        ("silent", "starting", "Kafka has not answered"),
    ],
)
def test_what_keeps_a_dataset_from_its_work_is_said(run: Run, meter: Meter, how: str, phase: str, reason: str) -> None:
    assert health_of(meter).ok
    if how == "stopped":
        tell.stopped(BRONZE, "bronze", "recreated")
    elif how == "blocked":
        BREAKING_SCHEMA_CHANGE.labels("orders").set(1)
    elif how == "lost":
        run.lease.lost.set()
    found = health_of(meter, time.monotonic() - 61 if how == "silent" else None)
    assert (found.ok, found.phase) == (False, phase)
    assert reason in found.reasons[0]


def test_standing_by_and_having_drained_are_well(run: Run, meter: Meter) -> None:
    run.lease = None
    assert (health_of(meter).ok, health_of(meter).phase) == (True, "starting")
    tell.stands_by(BRONZE, "lake ingest pid 1")
    assert (health_of(meter).ok, health_of(meter).phase) == (True, "standing_by")
    run.let_go.set()
    run.join()
    assert (health_of(meter).ok, health_of(meter).phase) == (True, "ended")
