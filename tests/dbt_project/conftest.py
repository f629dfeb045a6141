"""Warehouses for the dbt tests, each on schemas of its own, so that no test sees another's rows."""
from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dbt_warehouse import Warehouse


@pytest.fixture
def make_warehouse(lake_stack: Any, tmp_path: Path) -> Iterator[Callable[[], Warehouse]]:
    """Makes warehouses on the shared stack, and drops them after the test."""
    before, made = dict(os.environ), []

    def make() -> Warehouse:
        prefix = f"t{uuid.uuid4().hex[:8]}_"
        made.append(Warehouse(lake_stack.host, lake_stack.trino_port, prefix, tmp_path / prefix))
        made[-1].create()
        return made[-1]

    yield make
    for warehouse in made:
        warehouse.drop()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def warehouse(make_warehouse: Callable[[], Warehouse]) -> Warehouse:
    return make_warehouse()
