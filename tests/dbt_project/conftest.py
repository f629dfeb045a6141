"""Warehouses for the dbt tests, each on schemas of its own, so that no test sees another's rows."""
from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dbt_warehouse import Warehouse


@contextmanager
def warehouses(lake_stack: Any, folder: Path) -> Iterator[Callable[[], Warehouse]]:
    """Makes warehouses on the shared stack, and drops them at the end."""
    before, made = dict(os.environ), []

    def make() -> Warehouse:
        prefix = f"t{uuid.uuid4().hex[:8]}_"
        made.append(Warehouse(lake_stack.host, lake_stack.trino_port, prefix, folder / prefix))
        made[-1].create()
        return made[-1]

    try:
        yield make
    finally:
        for warehouse in made:
            warehouse.drop()
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def make_warehouse(lake_stack: Any, tmp_path: Path) -> Iterator[Callable[[], Warehouse]]:
    with warehouses(lake_stack, tmp_path) as make:
        yield make


@pytest.fixture
def warehouse(make_warehouse: Callable[[], Warehouse]) -> Warehouse:
    return make_warehouse()


@pytest.fixture(scope="module")
def shared_warehouse(lake_stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """One warehouse for the tests of a file, which know what the ones before left in it."""
    with warehouses(lake_stack, tmp_path_factory.mktemp("warehouse")) as make:
        yield make()
