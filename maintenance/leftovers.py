"""What a home gathers beside its tables: checkpoints of datasets that are gone, folders that killed Sparks left, logs
of Airflow's runs.

What is in use stays, whatever its age. Engines' own logs are rotated by their supervisor, dbt's by dbt.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from stack import registered
from stack.settings import Settings

DAY = 86_400.0


@dataclass(frozen=True)
class Cleared:
    """Entries of `folder` before and after: of a dataset, a Spark or a run of Airflow's each; MB are those gone."""

    what: str
    folder: str
    before: int
    after: int
    mb: float


def clear(settings: Settings) -> Iterator[Cleared]:
    """Remove what nothing has touched for `keep_days` and nobody uses, place by place."""
    old = time.time() - settings.keep_days * DAY
    known = {said["name"] for said in registered.documents(settings).documents}
    checkpoints, sparks, logs = settings.home / "checkpoints", settings.home / "spark", settings.logs / "airflow"
    of = list(_within(checkpoints, "*"))
    unknown = [path for path in of if path.name not in known]
    yield _removed("checkpoints of datasets that are gone", checkpoints, of, unknown, old)
    left = [path for pattern in ("spark-*", "blockmgr-*") for path in _within(sparks, pattern)]
    yield _removed("folders of ended Sparks", sparks, left, left, min([old, *_begun(sparks)]))
    runs = [path for path in _within(logs, "*/*") if not path.is_symlink()]
    yield _removed("runs in Airflow's logs", logs, runs, runs, old)


def _within(folder: Path, pattern: str) -> Iterable[Path]:
    return folder.glob(pattern) if folder.is_dir() else ()


def _removed(what: str, folder: Path, there: list[Path], removable: list[Path], before: float) -> Cleared:
    """Remove those whose newest file is older than `before`, in seconds since the epoch."""
    gone, size = 0, 0
    for path in removable:
        of = [one.lstat() for one in (path, *path.rglob("*"))]
        if max(one.st_mtime for one in of) < before:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            gone, size = gone + 1, size + sum(one.st_size for one in of)
    return Cleared(what, str(folder), len(there), len(there) - gone, round(size / 1e6, 1))


def _begun(sparks: Path) -> Iterator[float]:
    """When each Spark that works in this folder began: what is older than all of them is none's."""
    for process in psutil.process_iter():
        try:
            if any(str(sparks) in argument for argument in process.cmdline()):
                yield process.create_time()
        except psutil.Error:
            continue
