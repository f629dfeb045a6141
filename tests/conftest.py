"""One stack for every test that needs engines: its own state folder, its own free ports, the project's downloads.

The first test that asks for `lake_stack` starts it, the end stops it; the developer's own stack is left alone.
"""
from __future__ import annotations

import os
import random
import re
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from short_lived import FAST_START

from stack.settings import LAKE, PROJECT, Settings, settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PORTS = (
    "KAFKA_PORT", "KAFKA_CONTROLLER_PORT", "POSTGRES_PORT", "TRINO_PORT", "AIRFLOW_PORT", "SPARK_UI_PORT", "S3_PORT",
    "REST_PORT", "REGISTRY_PORT", "METRICS_PORT", "REFRESH_HEALTH_PORT",
)  # fmt: skip
# A stack that lives for minutes: without the optimising compiler Trino starts on 26 instead of 42 CPU seconds.
SHORT_LIVED = {"LAKE_JVM_OPTIONS": "-XX:TieredStopAtLevel=1"}
# TESTS_WITH=s3,rest runs the same tests on tables kept in S3 behind a REST catalog.
KEPT_BY = os.environ.get("TESTS_WITH", "")


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now, below those that the kernel hands to outgoing connections."""
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().randrange(15000, 32000)
        with socket.socket() as probe:
            if port not in found and probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return found


def stack_environment(home: Path) -> dict[str, str]:
    """LAKE_ variables of a short-lived stack in `home`, beside any other on this machine."""
    ports = dict(zip((f"LAKE_{name}" for name in PORTS), map(str, free_ports(len(PORTS))), strict=True))
    downloads = os.environ.get("LAKE_DOWNLOADS", str(PROJECT / ".lake" / "engines"))
    return {"LAKE_HOME": str(home), "LAKE_DOWNLOADS": downloads, **SHORT_LIVED, **ports}


def lake(*arguments: str, environment: dict[str, str] | None = None, check: bool = True) -> subprocess.CompletedProcess:
    """Run the `lake` command as a person would; with `check`, a failure shows what it said."""
    done = subprocess.run(
        [*LAKE, *arguments],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
    )
    if check and done.returncode:
        pytest.fail(f"lake {' '.join(arguments)} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


@pytest.fixture(scope="session")
def run_lake() -> Callable[..., subprocess.CompletedProcess]:
    """The `lake` command: `run_lake("status", environment={…}, check=False)`."""
    return lake


@pytest.fixture(scope="session")
def another_stack() -> Callable[[Path], dict[str, str]]:
    """LAKE_ variables of one more stack, in the folder given, for a test that breaks things."""
    return stack_environment


@contextmanager
def running(environment: dict[str, str], parts: str = "") -> Iterator[Settings]:
    """A stack that runs, with these parts; meanwhile this process's `LAKE_` variables and settings are its own."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    settings.cache_clear()
    try:
        lake("up", *(["--with", parts] if parts else []))
        settings.cache_clear()
        yield settings()
    finally:
        lake("down", check=False)
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        settings.cache_clear()


@pytest.fixture(scope="session")
def running_stack() -> Callable[..., AbstractContextManager[Settings]]:
    """`with running_stack(another_stack(folder), "s3,rest") as settings`."""
    return running


@pytest.fixture(scope="session")
def lake_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a running stack. `LAKE_` variables point to it for the whole session."""
    # This one lives as long as the tests: what the optimising compiler costs at the start, it earns.
    with running(stack_environment(tmp_path_factory.mktemp("lake")) | {"LAKE_JVM_OPTIONS": ""}, KEPT_BY) as settings:
        yield settings


@pytest.fixture(scope="session")
def spark(lake_stack: Settings) -> Iterator[SparkSession]:
    """The ingester's own session on the shared stack's catalog, so that what is tested is what runs."""
    from ingest.spark import session

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JAVA_TOOL_OPTIONS", os.environ.get("JAVA_TOOL_OPTIONS", FAST_START))
        spark = session(lake_stack, "tests")
    yield spark
    spark.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Side by side, tests on the shared stack are one lane, those on stacks of their own another; others fill gaps."""
    for item in items:
        if item.get_closest_marker("integration"):
            lane = "shared" if "lake_stack" in item.fixturenames else "own"
            item.add_marker(pytest.mark.xdist_group(lane))


_left_out: Counter[str] = Counter()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Remember which of the long tests this run leaves out."""
    _left_out.update(re.split(r"[\[@]", item.nodeid)[0] for item in items if item.get_closest_marker("full"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A lane tells what it has left out, as all do alike."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(_left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A lane is over; one that broke off has told nothing."""
    told = getattr(node, "workeroutput", {}).get("left_out", {})
    _left_out.update({name: count for name, count in told.items() if name not in _left_out})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out: a gate that ran a sample must not look like the whole."""
    if not _left_out:
        return
    terminalreporter.section(f"left out: {sum(_left_out.values())} long tests, run by make test-full")
    for name, count in sorted(_left_out.items()):
        terminalreporter.line(f"{name} ({count})" if count > 1 else name)
