"""If these fail, an ingester that slept through the loss of its lease publishes what it had in hand."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.ingest.faults.case import Case

pytestmark = pytest.mark.integration


def heads(cases: list[Case]) -> list[list[int]]:
    return [[case.snapshots(case.bronze)[-1], case.snapshots(case.gold)[-1]] for case in cases]


@pytest.mark.timeout(1800)  # several starts of Spark, on a busy machine a minute each
def test_a_frozen_ingester_that_wakes_after_a_takeover_publishes_nothing_and_exits_3(
    another_case: Callable[..., Case],
) -> None:
    """Two at once: one frozen with a bronze batch in hand, one with a gold merge. A standby takes both over."""
    held = {"before_bronze_commit": another_case(), "before_gold_commit": another_case()}
    cases, zombies = list(held.values()), {}
    for point, case in held.items():
        case.produce(800)
        zombies[point] = case.ingest(hold=f"{point}:2")
    for point, zombie in zombies.items():
        zombie.reaches(point)
        zombie.send(signal.SIGSTOP)
    standby = cases[0].lake("ingest", *(case.name for case in cases), "--wait")
    for case in cases:
        case.produce(300)
        case.becomes_exact(standby)
    before = heads(cases)
    for point, zombie in zombies.items():
        zombie.let_go(point)
        zombie.send(signal.SIGCONT)
    for zombie in zombies.values():
        zombie.ends(3, saying="another ingester")
    assert heads(cases) == before, "a zombie moved a table"
    for case in cases:
        case.produce(300)
        case.becomes_exact(standby)
    standby.process.terminate()
    standby.ends(0)
