"""Warehouses for the dbt tests, each on schemas of its own, so that no test sees another's rows."""
from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dbt_warehouse import DBT_PROJECT, Warehouse


@pytest.fixture(scope="session")
def unused() -> list[Warehouse]:
    """Warehouses whose schemas are dropped: what dbt has parsed for their names serves the next test."""
    return []


@pytest.fixture(scope="module")
def make_shared_warehouse(
    lake_stack: Any, tmp_path_factory: pytest.TempPathFactory, unused: list[Warehouse]
) -> Iterator[Callable[[], Warehouse]]:
    """Makes warehouses for the tests of one file, dropped after the last of them."""
    yield from _maker(lake_stack, tmp_path_factory, unused)


@pytest.fixture
def make_warehouse(
    lake_stack: Any, tmp_path_factory: pytest.TempPathFactory, unused: list[Warehouse]
) -> Iterator[Callable[[], Warehouse]]:
    """Makes warehouses on the shared stack, and drops them after the test."""
    yield from _maker(lake_stack, tmp_path_factory, unused)


@pytest.fixture
def warehouse(make_warehouse: Callable[[], Warehouse]) -> Warehouse:
    return make_warehouse()


def _maker(stack: Any, folders: pytest.TempPathFactory, unused: list[Warehouse]) -> Iterator[Callable[[], Warehouse]]:
    before, made = dict(os.environ), []

    def make() -> Warehouse:
        prefix = f"t{uuid.uuid4().hex[:8]}_"
        made.append(
            unused.pop() if unused else Warehouse(stack.host, stack.trino_port, prefix, folders.mktemp(prefix))
        )
        made[-1].batches = 0
        made[-1].create()
        return made[-1]

    yield make
    for warehouse in made:
        warehouse.drop()
        if warehouse.project == DBT_PROJECT:  # else a test has put a bug into it
            unused.append(warehouse)
    os.environ.clear()
    os.environ.update(before)
