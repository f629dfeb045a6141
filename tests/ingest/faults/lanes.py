"""Two cases at once: a starting Spark keeps one core busy, so a second one beside it takes little more time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def side_by_side(*lives: Callable[[], object]) -> None:
    """Run all to their ends, then raise what the first of those that failed has raised."""
    with ThreadPoolExecutor(len(lives)) as pool:
        for life in [pool.submit(life) for life in lives]:
            life.result()
