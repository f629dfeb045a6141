"""`lake registry` as a process, with a database and a folder of files of its own on the shared PostgreSQL."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psycopg

from stack.settings import LAKE, PROJECT, Settings
from tests.conftest import free_ports

PATIENCE = 120  # seconds; a quiet machine needs two
_numbers = itertools.count(1)


class RegistryProcess:
    """Started by `start`, ended by `kill` as by a crash; what it keeps is there at the next start."""

    def __init__(self, stack: Settings, files: Path) -> None:
        self.database = f"registry_{os.getpid()}_{next(_numbers)}"
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.files, self.log = files, files.parent / "registry.log"
        self.process: subprocess.Popen | None = None
        with psycopg.connect(stack.database_url("postgres"), autocommit=True) as server:
            server.execute(f"create database {self.database}")

    def start(self) -> None:
        """Start it and wait until it answers."""
        variables = {
            "LAKE_REGISTRY_DATABASE": self.database, "LAKE_REGISTRY_PORT": str(self.port),
            "LAKE_DATASETS": str(self.files),
        }  # fmt: skip
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*LAKE, "registry"], env={**os.environ, **variables}, cwd=PROJECT, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.ask("GET", "/health")
            except (AssertionError, OSError) as refusal:
                assert self.process.poll() is None and time.monotonic() < deadline, f"{refusal}\n{self.log.read_text()}"
                time.sleep(0.05)

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def ask(self, method: str, path: str, body: Any = None, token: str = "lake-write", etag: str = "*") -> Any:
        """The answer, which must be a success."""
        headers = {"Authorization": f"Bearer {token}", "If-Match": etag, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            raise AssertionError(refusal.read().decode()) from refusal
