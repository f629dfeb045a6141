"""dbt in this process, pointed at this stack: the project is parsed once, then run as often as asked.

What a run says goes to its log file; a run that fails is a `Fault` that names the models and what was said of them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stack.faults import UNREACHABLE, Fault
from stack.settings import PROJECT, Settings

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

FINE = ("success", "pass", "no-op", "skipped", "warn")
AWAY = ("does not answer", "Connection refused", "Max retries exceeded", "ConnectionError")


@dataclass
class Dbt:
    """One parsed project. `folder` takes target and logs, `environment` adds to the process's own while dbt runs."""

    settings: Settings
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    target: str | None = None
    project: Path = PROJECT / "dbt_project"

    @cached_property
    def manifest(self) -> Manifest:
        """The project as parsed under this environment: which schemas the models are in is part of it."""
        return self._invoke(None, "parse", "--no-partial-parse")

    def run(self, *arguments: str) -> list[Any]:
        """What `dbt <arguments>` gives: results of nodes, or for `ls` names."""
        return list(self._invoke(self.manifest, *arguments) or [])

    def invoke(self, *arguments: str) -> dbtRunnerResult:
        """What came of `dbt <arguments>`, good or not."""
        return self._call(self.manifest, *arguments)

    def _invoke(self, manifest: Manifest | None, *arguments: str) -> Any:
        done = self._call(manifest, *arguments)
        if done.success:
            return done.result
        said = _failures(done) or str(done.exception)
        code = UNREACHABLE if any(word in said for word in AWAY) else 1
        fix = "lake status" if code == UNREACHABLE else f"the log is {self.folder / 'logs' / 'dbt.log'}"
        raise Fault(f"dbt {arguments[0]} failed: {said}", fix, code)

    def _call(self, manifest: Manifest | None, *arguments: str) -> dbtRunnerResult:
        from dbt.cli.main import dbtRunner

        logging.getLogger("trino").setLevel(logging.WARNING)  # it says what is not installed

        common = ["--project-dir", str(self.project), "--profiles-dir", str(self.project), "--log-level", "none"]
        paths = ["--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        if self.target:
            common += ["--target", self.target]
        with self._environment():
            return dbtRunner(manifest=manifest).invoke([*arguments, *common, *paths])

    @contextmanager
    def _environment(self) -> Iterator[None]:
        stack = {"LAKE_TRINO_HOST": self.settings.trino_host, "LAKE_TRINO_PORT": str(self.settings.trino_port)}
        before = dict(os.environ)
        os.environ.update(stack | self.environment)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def sources_of(manifest: Manifest, id_: str) -> list[Any]:
    """The sources that a model is made from, through whatever lies between."""
    seen, todo = set(), [id_]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            if one in manifest.nodes:
                todo += manifest.nodes[one].depends_on.nodes
    return [manifest.sources[one] for one in sorted(seen) if one in manifest.sources]


def _failures(done: Any) -> str:
    results = getattr(done.result, "results", None) or []
    return "\n".join(f"{one.node.name}: {one.message}" for one in results if one.status not in FINE)
