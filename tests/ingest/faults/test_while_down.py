"""If these fail, what happens to checkpoints, snapshots and tables while no ingester runs costs or doubles records.

Each by itself; a sample of them in turn is in `test_killed.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.ingest.faults.case import Case
from tests.ingest.faults.mishaps import (
    bronze_expired,
    bronze_rolled_back,
    bronze_rolled_back_to_nothing,
    checkpoint_deleted,
    gold_expired,
    gold_rolled_back,
    roll_back,
)

pytestmark = [pytest.mark.integration, pytest.mark.full]


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
