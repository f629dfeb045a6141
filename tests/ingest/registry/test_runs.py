"""If these fail, a changed dataset has two writers, keeps its old configuration, or takes others down with it."""

from __future__ import annotations

import threading
from types import SimpleNamespace

from ingest.datasets import Dataset, load
from ingest.registry.runs import Runs
from stack.settings import DATASETS

ORDERS, VISITS = load("orders", DATASETS), load("user_events", DATASETS)
CHANGED = ORDERS.model_copy(update={"max_lag": 5})


class Run(threading.Thread):
    """Stands in for a dataset's run: ends when asked to and let."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(daemon=True)
        self.dataset, self.stop, self.may_end = dataset, threading.Event(), threading.Event()
        self.outcome = SimpleNamespace(failure=None, rows=0)

    def run(self) -> None:
        self.may_end.wait()

    def end(self) -> None:
        self.may_end.set()
        self.join()


def begun(*datasets: Dataset) -> tuple[Runs, list[Run]]:
    """Runs of the datasets, and a list that every later run is put on, too."""
    made: list[Run] = []

    def make(dataset: Dataset) -> Run:
        made.append(Run(dataset))
        return made[-1]

    runs = Runs(make)
    runs.want(datasets)
    runs.begin_due()
    return runs, made


def stopped(made: list[Run]) -> list[bool]:
    return [run.stop.is_set() for run in made]


def test_a_changed_dataset_begins_anew_when_its_last_batch_has_ended() -> None:
    runs, made = begun(ORDERS, VISITS)
    made[0].outcome.rows = 7
    runs.want([CHANGED, VISITS])
    runs.begin_due()
    assert (stopped(made), len(made)) == ([True, False], 2)
    made[0].end()
    assert runs.are_going()
    runs.begin_due()
    assert (made[2].dataset, made[2].outcome.rows, stopped(made)) == (CHANGED, 7, [True, False, False])
    runs.begin_due()
    assert len(made) == 3


def test_a_new_one_begins_and_a_removed_one_stops() -> None:
    runs, made = begun(ORDERS)
    runs.want([VISITS])
    runs.begin_due()
    assert ([run.dataset for run in made], stopped(made)) == ([ORDERS, VISITS], [True, False])
    made[0].end()
    made[1].end()
    assert not runs.are_going()
    runs.want([ORDERS, VISITS])
    runs.begin_due()
    assert made[-1].dataset == ORDERS and len(made) == 3  # the visits had ended by themselves


def test_changed_to_and_fro_it_runs_again() -> None:
    runs, made = begun(ORDERS)
    runs.want([CHANGED])
    runs.want([ORDERS])
    runs.begin_due()
    made[0].end()
    runs.begin_due()
    assert [run.dataset for run in made] == [ORDERS, ORDERS]


def test_what_failed_is_tried_again_only_with_another_configuration() -> None:
    runs, made = begun(ORDERS)
    made[0].outcome.failure = RuntimeError("a person must decide")
    made[0].end()
    runs.want([ORDERS])
    runs.begin_due()
    assert (len(made), runs.are_going(), runs.have_failed()) == (1, False, True)
    runs.want([CHANGED])
    runs.begin_due()
    assert (len(made), runs.have_failed()) == (2, False)


def test_a_table_changes_hands_only_when_it_is_free() -> None:
    runs, made = begun(ORDERS)
    heir = VISITS.model_copy(update={"bronze": ORDERS.bronze, "golds": []})
    runs.want([heir])
    runs.begin_due()
    assert len(made) == 1
    made[0].end()
    runs.begin_due()
    assert made[1].dataset == heir


def test_asked_to_stop_nothing_begins() -> None:
    runs, made = begun(ORDERS)
    runs.want([CHANGED, VISITS])
    runs.stop()
    made[0].end()
    runs.begin_due()
    assert (len(made), runs.are_going()) == (1, False)
