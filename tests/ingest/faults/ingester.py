"""`lake ingest` as a process of its own that a test can hold at a named point, kill, freeze and question.

It leads its own process group, so a signal to the group reaches both halves, Python and JVM, and nothing else.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from stack.settings import PROJECT

PATIENCE = 600  # seconds until a wait is given up; a quiet machine needs a tenth
RUN = "from stack.cli import app; app()"


class Ingester:
    """One run of `lake <arguments>` with a state folder of its own. `patch` is Python to run before the command."""

    def __init__(self, home: Path, environment: dict[str, str], arguments: list[str], hold: str = "", patch: str = ""):
        self.paused = home / "paused"
        self.paused.mkdir(parents=True, exist_ok=True)
        (self.paused / (hold.partition(":")[0] or "nowhere")).unlink(missing_ok=True)  # a killed one leaves its marker
        self.log = home / f"{time.monotonic_ns()}.log"
        with self.log.open("w") as output:
            self.process = psutil.Popen(
                [sys.executable, "-c", f"{patch}\n{RUN}", *arguments],
                env={**os.environ, **environment, "LAKE_HOME": str(home), "LAKE_PAUSE_AT": hold},
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def until(self, happened: Callable[[], object], what: str) -> None:
        """Wait for something; fail with what the ingester said when it ends before, or takes too long."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            if self.process.poll() is not None or time.monotonic() > deadline:
                state = f"ended with {self.process.poll()}" if self.process.poll() is not None else "still runs"
                pytest.fail(f"waited for {what}, but the ingester {state}\n{self.said()[-6000:]}")
            time.sleep(0.1)

    def reaches(self, point: str) -> None:
        """Wait until it is held at the point."""
        self.until((self.paused / point).exists, f"the point {point}")

    def says(self, text: str) -> None:
        """Wait until the log has the text."""
        self.until(lambda: text in self.said(), repr(text))

    def let_go(self, point: str) -> None:
        (self.paused / point).unlink()

    def send(self, number: signal.Signals) -> None:
        """A signal to both halves."""
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """kill -9 of both halves, and wait until neither is left."""
        jvm = self.jvm
        self.send(signal.SIGKILL)
        psutil.wait_procs([self.process, *jvm], timeout=60)

    @property
    def jvm(self) -> list[psutil.Process]:
        """The Java half; nothing when it has not started or has ended."""
        try:
            return [child for child in self.process.children(recursive=True) if child.name() == "java"]
        except psutil.NoSuchProcess:
            return []

    def ends(self, code: int, saying: str = "") -> None:
        """Wait for the end; it must have this exit code and have said this, without a traceback."""
        try:
            ended = self.process.wait(PATIENCE)
        except psutil.TimeoutExpired:
            ended = "no end"
        said = self.said()
        assert ended == code and saying in said and "Traceback" not in said, f"{ended}, {saying!r} in:\n{said[-6000:]}"

    def close(self) -> None:
        """Leave nothing behind, however the test went."""
        if self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.kill()
