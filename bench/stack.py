"""The benchmarks' own stack, beside any other: its state below `.lake/bench`, ports 1,000 above the usual ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from stack.settings import PROJECT, Settings, settings

_PORTS = ("kafka", "kafka_controller", "postgres", "trino", "spark_ui")


def lake(*arguments: str) -> None:
    """Run a `lake` command; its output goes to standard error, its failure is ours."""
    subprocess.run(
        [sys.executable, "-c", "from stack.cli import app; app()", *arguments], check=True, stdout=sys.stderr
    )


@contextmanager
def running() -> Iterator[Settings]:
    """Settings of a fresh running stack, which this process and its children use."""
    usual = settings()
    os.environ["LAKE_DOWNLOADS"] = str(usual.downloads)
    os.environ["LAKE_HOME"] = str(PROJECT / ".lake" / "bench")
    for name in _PORTS:
        os.environ[f"LAKE_{name.upper()}_PORT"] = str(getattr(usual, f"{name}_port") + 1000)
    settings.cache_clear()
    lake("reset", "--yes")
    lake("up")
    try:
        yield settings()
    finally:
        lake("down")
