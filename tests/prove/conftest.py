"""The warehouses of the dbt tests."""

from __future__ import annotations

from tests.dbt_project.conftest import make_warehouse, warehouse

__all__ = ["make_warehouse", "warehouse"]
