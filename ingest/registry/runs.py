"""The runs of one ingester, brought to the datasets wanted: begun, stopped gently, and begun anew when changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import structlog

from ingest.datasets import Dataset

if TYPE_CHECKING:
    from ingest.run import DatasetRun

log = structlog.get_logger()


class Runs:
    """One run a dataset. `make` gives a new one, not begun, with an event of its own to stop it by."""

    def __init__(self, make: Callable[[Dataset], DatasetRun]) -> None:
        self._make = make
        self._wanted: dict[str, Dataset] = {}
        self._runs: dict[str, DatasetRun] = {}

    @property
    def all(self) -> list[DatasetRun]:
        """The last run of every dataset that there was."""
        return list(self._runs.values())

    def want(self, datasets: Iterable[Dataset]) -> None:
        """From now on these, as they are here: what runs otherwise is asked to stop."""
        self._wanted = {dataset.name: dataset for dataset in datasets}
        for name, run in self._runs.items():
            if run.is_alive() and not run.stop.is_set() and run.dataset != self._wanted.get(name):
                log.info("dataset stops", dataset=name, why="changed" if name in self._wanted else "removed")
                run.stop.set()

    def begin_due(self) -> None:
        """Begin what is wanted and doesn't run, once the run before it and any other on its tables has ended."""
        for name, dataset in self._wanted.items():
            before = self._runs.get(name)
            if before is not None and before.dataset == dataset and not before.stop.is_set():
                continue  # it runs, or has ended by itself: with the same configuration it would end again
            if any(run.is_alive() and tables(run.dataset) & tables(dataset) for run in self.all):
                continue
            run = self._make(dataset)
            if before is not None:  # its counts go on
                run.outcome, run.outcome.failure = before.outcome, None
            log.info("dataset starts", dataset=name, again=before is not None)
            self._runs[name] = run
            run.start()

    def stop(self) -> None:
        self._wanted = {}
        for run in self._runs.values():
            run.stop.set()

    def are_going(self) -> bool:
        """Whether any runs, or will."""
        return any(run.is_alive() for run in self.all) or any(
            self._runs[name].stop.is_set() for name in self._wanted if name in self._runs
        )

    def have_failed(self) -> bool:
        return any(run.outcome.failure is not None for run in self.all)


def tables(dataset: Dataset) -> set[str]:
    """What the dataset's run writes."""
    return {dataset.bronze.identifier} | {gold.identifier for gold in dataset.golds}
