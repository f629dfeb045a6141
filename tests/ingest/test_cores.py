"""If these fail, golds merge all at once and all end late, or one gold that hangs holds every other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from ingest import cores


def driver(parallelism: int, tasks: int) -> SimpleNamespace:
    conf = {"spark.sql.shuffle.partitions": str(tasks)}
    return SimpleNamespace(conf=conf, sparkContext=SimpleNamespace(defaultParallelism=parallelism))


@pytest.fixture(autouse=True)
def no_turns_left() -> None:
    cores._turns.cache_clear()


@pytest.mark.parametrize(("parallelism", "tasks", "at_once"), [(2, 2, 1), (8, 2, 4), (1, 2, 1)])
def test_as_many_merge_at_once_as_fill_the_cores(parallelism: int, tasks: int, at_once: int) -> None:
    running, most, lock, met = 0, 0, threading.Lock(), threading.Barrier(at_once)

    def merge(_number: int) -> None:
        nonlocal running, most
        with cores.turn(driver(parallelism, tasks)):
            with lock:
                running += 1
                most = max(most, running)
            met.wait(5)
            with lock:
                running -= 1

    with ThreadPoolExecutor(2 * at_once) as golds:
        list(golds.map(merge, range(2 * at_once)))
    assert most == at_once


def test_a_merge_that_hangs_holds_no_other_for_long_and_has_no_turn_taken_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cores, "TURN_SECONDS", 0.05)
    spark, others = driver(2, 2), []
    with cores.turn(spark):
        for number in range(3):
            with cores.turn(spark):
                others.append(number)
    assert others == [0, 1, 2]
    monkeypatch.setattr(cores, "TURN_SECONDS", 0)
    turns = cores._turns(1)
    assert turns.acquire(timeout=0) and not turns.acquire(timeout=0)  # one was given back, once
