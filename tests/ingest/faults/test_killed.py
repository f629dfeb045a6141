"""If these fail, a crash loses or doubles records, or leaves gold other than its events say."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from tests.ingest.faults.case import Case
from tests.ingest.faults.deaths import jvm_killed, killed_at, killed_at_random, python_killed_at, terminated_at
from tests.ingest.faults.lanes import side_by_side
from tests.ingest.faults.mishaps import (
    bronze_expired,
    bronze_rolled_back_to_its_first_batch,
    checkpoint_deleted,
    gold_expired,
)

pytestmark = pytest.mark.integration

POINTS = ("before_bronze_commit", "after_bronze_commit", "before_gold_commit", "after_gold_commit")
Step = Callable[[Case], None]
# A death and what then happens to the tables. Each ingester begins by getting over the death before its own.
ONE_LIFE: tuple[tuple[Step, ...], ...] = (
    (lambda case: killed_at(case, "after_gold_commit", 2), bronze_rolled_back_to_its_first_batch),
    (lambda case: killed_at(case, "before_bronze_commit", 2),),
    (lambda case: killed_at(case, "after_bronze_commit", 1), checkpoint_deleted, bronze_expired, gold_expired),
    (lambda case: python_killed_at(case, "before_gold_commit", 1),),
)
ANOTHER: tuple[tuple[Step, ...], ...] = (
    (jvm_killed,),
    (lambda case: killed_at_random(case, Random(1), within=8),),
    (lambda case: terminated_at(case, "before_bronze_commit", 1),),
)


def live_through(case: Case, deaths: tuple[tuple[Step, ...], ...]) -> None:
    """What a death leaves is judged at once, what then happens to the tables by the starts that follow."""
    case.produce(800)
    for death, *mishaps in deaths:
        case.produce(200)
        death(case)
        case.judge_so_far()
        for mishap in mishaps:
            mishap(case)
    case.produce(200)
    case.drain()
    case.judge()


@pytest.mark.timeout(2700)  # five starts of Spark one after the other, on a busy machine a minute each
def test_through_every_death_in_turn_nothing_is_lost_or_doubled(another_case: Callable[..., Case]) -> None:
    one, another = another_case(), another_case(seed=8)
    side_by_side(lambda: live_through(one, ONE_LIFE), lambda: live_through(another, ANOTHER))


@pytest.mark.full
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_nothing_is_lost_or_doubled(case: Case, point: str, batch: int) -> None:
    case.produce(1_600)
    killed_at(case, point, batch)
    case.produce(400)
    case.drain()
    case.judge()


@pytest.mark.full
@pytest.mark.timeout(1800)  # several starts of Spark, on a busy machine a minute each
def test_killed_at_every_point_in_turn_nothing_is_lost_or_doubled(case: Case) -> None:
    case.produce(2_000)
    for point, batch in zip(POINTS, (2, 1, 2, 1), strict=True):
        killed_at(case, point, batch)
    case.drain()
    case.judge()


@pytest.mark.full
@pytest.mark.parametrize("seed", range(1, 23))
def test_killed_at_random_times_nothing_is_lost_or_doubled(another_case: Callable[..., Case], seed: int) -> None:
    """The first two once and soon, the others three times and in the midst of more records."""
    records, kills, within = (2_400, 1, 8) if seed < 3 else (12_000, 3, 20)
    case, chance = another_case(seed=seed, planned=12_000), Random(seed)
    case.produce(records)
    for _ in range(kills):
        killed_at_random(case, chance, within)
    case.drain()
    case.judge()


@pytest.mark.full
def test_killed_while_a_table_is_made_it_is_made_the_next_time(case: Case) -> None:
    """Between the table's creation and its first, empty commit."""
    case.produce(100)
    half_made = "import os, ingest.tables as tables\ntables.load = lambda *_: os.killpg(0, 9)"
    case.ingest("--once", patch=half_made).process.wait(300)
    case.drain()
    case.judge()
