"""If these fail, what happens to checkpoints, snapshots and tables while no ingester runs costs or doubles records."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.ingest.faults.case import Case

pytestmark = pytest.mark.integration


def checkpoint_deleted(case: Case) -> None:
    shutil.rmtree(case.home / "checkpoints")


def bronze_rolled_back(case: Case) -> None:
    roll_back(case, case.snapshots(case.bronze)[-3])


def bronze_rolled_back_to_nothing(case: Case) -> None:
    roll_back(case, case.snapshots(case.bronze)[0])


def gold_rolled_back(case: Case) -> None:
    case.query(f"alter table {{gold}} execute rollback_to_snapshot({case.snapshots(case.gold)[-2]})")


def bronze_expired(case: Case) -> None:
    case.query("alter table {bronze} execute expire_snapshots(retention_threshold => '0s')")


def gold_expired(case: Case) -> None:
    case.query("alter table {gold} execute expire_snapshots(retention_threshold => '0s')")


def roll_back(case: Case, snapshot: int) -> None:
    case.query(f"alter table {{bronze}} execute rollback_to_snapshot({snapshot})")


def restarted_after(case: Case, point: str, faults: list[Callable[[Case], None]]) -> None:
    """Killed at the point in a later batch; then the faults, more records, and a restart."""
    case.produce(1_600)
    ingester = case.ingest("--once", hold=f"{point}:3")
    ingester.reaches(point)
    ingester.kill()
    for fault in faults:
        fault(case)
    case.produce(200)
    case.drain()
    case.judge()


def test_checkpoint_lost_and_snapshots_expired_between_commit_and_restart_ends_exact(case: Case) -> None:
    restarted_after(case, "after_bronze_commit", [checkpoint_deleted, bronze_expired, gold_expired])


def test_bronze_rolled_back_under_a_stopped_ingester_is_read_again(case: Case) -> None:
    restarted_after(case, "after_gold_commit", [bronze_rolled_back])


@pytest.mark.full
@pytest.mark.parametrize("point", ["after_bronze_commit", "after_gold_commit"])
@pytest.mark.parametrize(
    "fault",
    [
        checkpoint_deleted,
        bronze_rolled_back,
        bronze_rolled_back_to_nothing,
        gold_rolled_back,
        bronze_expired,
        gold_expired,
    ],
)
def test_restart_after_a_fault_ends_exact(case: Case, point: str, fault: Callable[[Case], None]) -> None:
    restarted_after(case, point, [fault])


@pytest.mark.full
def test_a_rollback_taken_back_before_the_restart_changes_nothing(case: Case) -> None:
    case.produce(1_200)
    case.drain()
    newest = case.snapshots(case.bronze)[-1]
    bronze_rolled_back_to_nothing(case)
    roll_back(case, newest)
    gold = case.snapshots(case.gold)[-1]
    case.drain()
    assert (case.snapshots(case.bronze)[-1], case.snapshots(case.gold)[-1]) == (newest, gold)
    case.judge()
