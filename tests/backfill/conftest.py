"""The warehouses of the dbt tests."""

from __future__ import annotations

from tests.prove.conftest import make_warehouse, parsed_once, unused, warehouse

__all__ = ["make_warehouse", "parsed_once", "unused", "warehouse"]
