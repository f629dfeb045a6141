"""Boards for the serving tests: a lake made by hand, its views built and its tables refreshed once."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from board import LIVE, Board
from dbt_warehouse import Warehouse

from serving.runner import Runner
from stack.settings import Settings


@pytest.fixture(scope="module")
def board(lake_stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A board whose tables were refreshed once."""
    before, folder = dict(os.environ), tmp_path_factory.mktemp("board")
    warehouse = Warehouse(lake_stack.host, lake_stack.trino_port, f"s{os.urandom(4).hex()}_", folder)
    warehouse.create()
    try:
        for statement in LIVE:
            warehouse.query(statement)
        warehouse.dbt("run", "--select", "+serving.realtime", "--exclude", "serving.realtime")
        made = Board(lake_stack, warehouse, Runner(lake_stack, folder / "runner"))
        assert not any(made.refresh.step().values())
        yield made
    finally:
        warehouse.drop()
        os.environ.clear()
        os.environ.update(before)
