"""The benchmarks' own stack, beside any other: its state below `.lake/bench`, ports 1,000 above the usual ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from stack.dbt import Dbt
from stack.settings import LAKE, PROJECT, Settings, settings

_PORTS = (
    "kafka", "kafka_controller", "postgres", "trino", "registry", "airflow", "spark_ui", "metrics", "refresh_health",
)  # fmt: skip

STREAMS = ("orders", "content_events", "user_events")


def lake(*arguments: str) -> None:
    """Run a `lake` command; its output goes to standard error, its failure is ours."""
    subprocess.run([*LAKE, *arguments], check=True, stdout=sys.stderr)


@contextmanager
def lake_beside(*arguments: str) -> Iterator[subprocess.Popen]:
    """A `lake` command that runs until the block ends, however it ends."""
    process = subprocess.Popen([*LAKE, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def built(settings: Settings, events: int) -> None:
    """`events` of each stream and the dimensions in the lake, and dbt's tables of them."""
    for stream in STREAMS:
        lake("produce", stream, "--count", str(events), "--seed", "4")
    lake("dimensions", "load")
    lake("ingest", *STREAMS, "--once")
    Dbt(settings, settings.data / "bench").run("build", "--exclude-resource-type", "test", "unit_test")


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and its children, those that have ended among them."""
    process = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:4]) for one in [process, *process.children(recursive=True)])


@contextmanager
def running(**other: str) -> Iterator[Settings]:
    """Settings of a fresh running stack, which this process and its children use; `other` than the usual ones."""
    usual, before = settings(), dict(os.environ)
    os.environ |= {f"LAKE_{name.upper()}": value for name, value in other.items()}
    os.environ["LAKE_DOWNLOADS"] = str(usual.downloads)
    os.environ["LAKE_HOME"] = str(PROJECT / ".lake" / "bench")
    for name in _PORTS:
        if isinstance(port := getattr(usual, f"{name}_port"), int):
            os.environ[f"LAKE_{name.upper()}_PORT"] = str(port + 1000)
    settings.cache_clear()
    lake("reset", "--yes")
    try:
        lake("up")
        yield settings()
    finally:
        lake("down")
        os.environ.clear()
        os.environ |= before
        settings.cache_clear()
