"""If this fails, README's figures are not those that were measured."""

from __future__ import annotations

import json

from bench.__main__ import RESULTS
from bench.table import render
from stack.settings import PROJECT


def test_the_readme_shows_the_figures_of_the_last_run() -> None:
    assert render(json.loads(RESULTS.read_text())) in (PROJECT / "README.md").read_text()
