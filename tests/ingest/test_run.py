"""If these fail, a stream that failed now and then over weeks waits longer than it must, a drain gives up too early, or
a gold that hangs holds its bronze.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest import followers
from ingest import run as module
from ingest.datasets import load
from ingest.run import ONCE_ATTEMPTS, DatasetRun
from ingest.schema.check import SchemaBlocked
from ingest.stream import Pace
from stack.settings import DATASETS, Settings

ORDERS = load("orders", DATASETS)
(GOLD,) = ORDERS.golds
GROWING = [0.5, 1, 2, 4, 8, 10, 10]


class Clock(threading.Event):
    """A stop event that takes no time to wait for, and remembers what it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return self.is_set()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatasetRun:
    monkeypatch.setattr(module, "assure", lambda live: live.assure_key())
    monkeypatch.setattr(module.tell, "begins", lambda run: None)
    monkeypatch.setattr(module, "drop_left_branches", lambda *_: None)
    monkeypatch.setattr(module, "turn", lambda spark: nullcontext())
    made = DatasetRun(None, Settings(home=tmp_path), ORDERS, Pace(), Clock(), wait=False)
    made.lease = SimpleNamespace(assure=lambda: None, lost=threading.Event())
    return made


class Live:
    """A gold whose steps fail where they are an error; asked for more than there are, it ends the run."""

    def __init__(self, run: DatasetRun, steps: Iterator[object]) -> None:
        self.run, self.steps = run, steps
        self.is_of_another_fold = False
        self.publisher = SimpleNamespace(drop_branch=lambda: None)

    def compact(self) -> None:
        pass

    def is_to_compact(self, at_rest: bool) -> bool:
        return False

    def assure_key(self) -> None:
        if self.is_of_another_fold and next(self.steps) == "blocked":
            raise SchemaBlocked("the key has changed")

    def is_behind(self) -> bool:
        return True

    def step(self) -> bool:
        step = next(self.steps, None)
        if isinstance(step, Exception):
            raise step
        if step is None:
            self.run.stop.set()
        return True


def pauses(run: DatasetRun, monkeypatch: pytest.MonkeyPatch, *steps: object) -> list[float]:
    """Of a gold whose steps these are: how long was waited after each failure."""
    every = iter(steps)
    monkeypatch.setattr(run, "_live", lambda gold: Live(run, every))
    run._persist(GOLD.table, lambda: run._keep_gold(GOLD))
    return run.stop.waits


def test_pauses_grow_while_it_fails_and_begin_anew_after_a_success(
    run: DatasetRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [ConnectionError("the database is away")] * len(GROWING)
    assert pauses(run, monkeypatch, *failures, True, *failures[:3]) == [*GROWING, *GROWING[:3]]


def test_what_one_part_did_is_no_success_of_another(run: DatasetRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def bronze() -> bool:
        run._worked.add(GOLD.table)
        if len(run.stop.waits) < 3:
            raise ConnectionError("Kafka is away")
        return True

    assert run._persist("bronze", bronze) and run.stop.waits == GROWING[:3]


def test_a_drain_gives_up_after_failures_in_a_row_only(run: DatasetRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run.pace = Pace(once=True)
    failures = [ConnectionError("the database is away")] * (ONCE_ATTEMPTS - 1)
    assert len(pauses(run, monkeypatch, *failures, True, *failures)) == 2 * len(failures)
    run.stop.clear()
    with pytest.raises(ConnectionError):
        pauses(run, monkeypatch, *failures, *failures[:1])


def test_a_gold_of_another_key_is_rebuilt_when_that_is_accepted_and_not_before(
    run: DatasetRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, made, rebuilt = iter(["blocked", "blocked", "accepted", True]), [], []

    def live(gold: object) -> Live:
        made.append(Live(run, steps))
        made[-1].is_of_another_fold = True
        return made[-1]

    monkeypatch.setattr(run, "_live", live)
    monkeypatch.setattr(module, "publish_rebuilt", rebuilt.append)
    run._keep_gold(GOLD)
    assert run.stop.waits == [module.DECISION_SECONDS] * 2
    assert rebuilt == [made[2]] == made[2:]  # by the version that holds since then


class Slow(Live):
    """A gold that is behind when it is told so, and takes a step when it may."""

    def __init__(self, run: DatasetRun) -> None:
        super().__init__(run, iter(()))
        self.behind, self.may = threading.Event(), threading.Event()
        self.failure: Exception | None = None
        self.due, self.packing, self.packed = threading.Event(), threading.Event(), threading.Event()

    def is_behind(self) -> bool:
        return self.behind.is_set()

    def is_to_compact(self, at_rest: bool) -> bool:
        return at_rest and self.due.is_set()

    def compact(self) -> None:
        self.packing.set()
        self.packed.wait(60)
        self.due.clear()

    def step(self) -> bool:
        self.may.wait(60)
        if self.failure is not None:
            raise self.failure
        self.behind.clear()
        return True


@pytest.fixture
def slow(run: DatasetRun, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    """A gold that follows the run, with much to catch up with."""
    gold = Slow(run)
    gold.behind.set()
    monkeypatch.setattr(followers, "WAIT_SECONDS", 60)
    monkeypatch.setattr(run, "_live", lambda _gold: gold)
    thread = threading.Thread(target=run._run_gold, args=(GOLD,), daemon=True)
    monkeypatch.setattr(module, "share_the_cores", lambda *_: None)
    thread.start()
    yield gold
    gold.behind.clear()
    gold.may.set()
    gold.packed.set()
    run.stop.set()
    thread.join(60)
    assert not thread.is_alive()


def following(run: DatasetRun) -> threading.Thread:
    """Bronze, after a batch."""
    run.followers.wake()
    bronze = threading.Thread(target=run.followers.wait, daemon=True)
    bronze.start()
    return bronze


def until(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_bronze_waits_for_a_gold_that_had_caught_up_and_for_no_other(run: DatasetRun, slow: Slow) -> None:
    following(run).join(5)  # it is catching up: nothing to wait for
    slow.may.set()
    until(lambda: bool(run.followers.keeping_up))
    slow.may.clear()
    slow.behind.set()
    bronze = following(run)
    bronze.join(0.3)
    assert bronze.is_alive()
    slow.may.set()
    bronze.join(60)
    assert not bronze.is_alive()


def test_a_gold_packs_its_files_when_it_has_all_of_bronze_which_goes_on_meanwhile(run: DatasetRun, slow: Slow) -> None:
    slow.due.set()
    following(run).join(5)
    assert not slow.packing.is_set()  # it is behind
    slow.may.set()
    assert slow.packing.wait(60) and not slow.behind.is_set()
    assert [one.is_set() for one in run.followers.keeping_up.values()] == [True]


def test_bronze_waits_for_no_gold_that_fails(run: DatasetRun, slow: Slow) -> None:
    slow.may.set()
    until(lambda: bool(run.followers.keeping_up))
    slow.failure = ConnectionError("the database is away")
    slow.behind.set()
    bronze = following(run)
    bronze.join(60)
    assert not bronze.is_alive()
    until(lambda: not run.followers.keeping_up)


def test_bronze_waits_for_a_gold_that_hangs_only_so_long(
    run: DatasetRun, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow.may.set()
    until(lambda: bool(run.followers.keeping_up))
    slow.may.clear()
    slow.behind.set()
    monkeypatch.setattr(followers, "WAIT_SECONDS", 0.2)
    bronze = following(run)
    bronze.join(30)
    assert not bronze.is_alive() and slow.behind.is_set()
