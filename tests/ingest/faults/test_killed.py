"""If these fail, a crash loses or doubles records, or leaves gold other than its events say."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from tests.ingest.faults.case import Case

pytestmark = pytest.mark.integration

POINTS = ("before_bronze_commit", "after_bronze_commit", "before_gold_commit", "after_gold_commit")


def killed_at(case: Case, point: str, batch: int) -> None:
    ingester = case.ingest("--once", hold=f"{point}:{batch}")
    ingester.reaches(point)
    ingester.kill()


@pytest.mark.timeout(1800)  # several starts of Spark, on a busy machine a minute each
def test_killed_at_every_point_in_turn_nothing_is_lost_or_doubled(case: Case) -> None:
    case.produce(2_000)
    for point, batch in zip(POINTS, (2, 1, 2, 1), strict=True):
        killed_at(case, point, batch)
    case.drain()
    case.judge()


@pytest.mark.full
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_nothing_is_lost_or_doubled(case: Case, point: str, batch: int) -> None:
    case.produce(1_600)
    killed_at(case, point, batch)
    case.produce(400)
    case.drain()
    case.judge()


def killed_at_random(case: Case, seed: int, kills: int, within: float) -> None:
    """Kill it `kills` times, up to `within` seconds after its stream has begun; then let it end."""
    chance = random.Random(seed)
    for _ in range(kills):
        ingester = case.ingest("--once")
        ingester.says('"bronze starts"')
        time.sleep(chance.uniform(0, within))
        ingester.kill()
    case.drain()
    case.judge()


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.full)])
def test_killed_at_random_nothing_is_lost_or_doubled(another_case: Callable[..., Case], seed: int) -> None:
    case = another_case(seed=seed)
    case.produce(2_400)
    killed_at_random(case, seed, kills=1, within=8)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(3, 23))
def test_killed_at_random_times_and_again_nothing_is_lost_or_doubled(
    another_case: Callable[..., Case], seed: int
) -> None:
    case = another_case(seed=seed, planned=12_000)
    case.produce(12_000)
    killed_at_random(case, seed, kills=3, within=20)


@pytest.mark.full
def test_killed_while_a_table_is_made_it_is_made_the_next_time(case: Case) -> None:
    """Between the table's creation and its first, empty commit."""
    case.produce(100)
    half_made = "import os, ingest.tables as tables\ntables.load = lambda *_: os.killpg(0, 9)"
    case.ingest("--once", patch=half_made).process.wait(300)
    case.drain()
    case.judge()
