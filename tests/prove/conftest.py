"""The warehouses of the dbt tests."""

from __future__ import annotations

import pytest
from dbt_warehouse import Warehouse

from stack.dbt import Dbt
from tests.dbt_project.conftest import make_warehouse, unused, warehouse

__all__ = ["make_warehouse", "parsed_once", "unused", "warehouse"]


@pytest.fixture
def parsed_once(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands take the project as the warehouse has parsed it, which saves seconds each."""
    warehouse.dbt("parse")
    monkeypatch.setattr(Dbt, "manifest", property(lambda _: warehouse.manifest))
