"""Every test of this folder is judged by the oracle of its own dataset, on the shared stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stack.settings import Settings
from tests.ingest.faults.case import Case


@pytest.fixture(scope="session")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all, so that one ingester can write several of them."""
    return tmp_path_factory.mktemp("faults")


@pytest.fixture
def another_case(lake_stack: Settings, datasets: Path) -> Iterator[Callable[..., Case]]:
    """Makes datasets: `another_case(planned=…, seed=…, transforms=…)`. Their ingesters end with the test."""
    cases: list[Case] = []

    def make(**how: Any) -> Case:
        cases.append(Case(lake_stack, datasets, **how))
        return cases[-1]

    yield make
    for case in cases:
        case.close()


@pytest.fixture
def case(another_case: Callable[..., Case]) -> Case:
    """The test's own dataset."""
    return another_case()
