"""If this fails, the runbook promises a recovery that nothing tests."""

from __future__ import annotations

import ast
import re

from stack.settings import PROJECT

SECTION = re.search(r"^## What may fail\n(.*?)^## ", (PROJECT / "docs" / "runbook.md").read_text(), re.M | re.S)[1]
ROWS = [line for line in SECTION.splitlines() if line.startswith("| ")][1:]


def test_every_row_names_a_test_that_is_there() -> None:
    assert ROWS
    for row in ROWS:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, row
        for path, name in named:
            tree = ast.parse((PROJECT / path).read_text())
            assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name
