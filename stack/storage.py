"""How a home keeps its tables: where their files are, and which catalog names them.

Written down by the home's first `lake up` and held to from then on: with another kind its tables would seem to be gone.
"""
from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stack.faults import USAGE, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stack.settings import Settings

PARTS = ("s3", "rest")  # the parts of a stack that tables live in
FILES = {"file": "in a folder", "s3": "in S3"}
CATALOGS = {"jdbc": "the JDBC catalog", "rest": "a REST catalog"}


@dataclass(frozen=True)
class Storage:
    """`files` is the warehouse's scheme, `parts` are those of PARTS that the home's own stack runs."""

    files: str
    catalog: str
    parts: tuple[str, ...] = ()

    def __str__(self) -> str:
        files, catalog = FILES.get(self.files, f"in {self.files}"), CATALOGS[self.catalog]
        own = f" (run by {' and '.join(self.parts)})" if self.parts else ""
        return f"{files}, named by {catalog}{own}"


def record(home: Path) -> Path:
    return home / "data" / "storage.json"


def of_home(home: Path) -> Storage | None:
    """What the home's first `lake up` chose; None before it."""
    try:
        said = json.loads(record(home).read_text())
    except FileNotFoundError:
        return None
    return Storage(said["files"], said["catalog"], tuple(said["parts"]))


def of_settings(settings: Settings) -> Storage:
    """What the settings ask for."""
    kept = of_home(settings.home)
    files = settings.warehouse.partition("://")[0]
    return Storage(files, "rest" if settings.catalog_uri else "jdbc", kept.parts if kept else ())


def hold_to(settings: Settings) -> None:
    """Raise Fault where the settings ask for another kind than the home has."""
    kept, asked = of_home(settings.home), of_settings(settings)
    if kept and kept != asked:
        raise other(settings, kept, asked, "unset LAKE_WAREHOUSE and LAKE_CATALOG_URI")


def choose(settings: Settings, parts: Iterable[str]) -> None:
    """Write down what this home keeps its tables in: what the settings say, and those of `parts` that hold tables.

    Raises Fault where there are tables already, kept otherwise.
    """
    kept = of_home(settings.home) or of_settings(settings)
    running = tuple(name for name in PARTS if name in {*parts, *kept.parts})
    files = "s3" if "s3" in running else kept.files
    wanted = Storage(files, "rest" if "rest" in running else kept.catalog, running)
    if wanted != kept and has_data(settings):
        raise other(settings, kept, wanted, "lake up")
    record(settings.home).parent.mkdir(parents=True, exist_ok=True)
    record(settings.home).write_text(json.dumps(asdict(wanted)))


def has_data(settings: Settings) -> bool:
    """Whether a stack has run here: PostgreSQL's folder is made by the first."""
    return (settings.data / "postgres" / "PG_VERSION").exists()


def other(settings: Settings, kept: Storage, asked: Storage, fix: str) -> Fault:
    sentence = f"{settings.home} keeps its tables {kept}; it can't be opened as one that keeps them {asked}."
    return Fault(sentence, f"{fix}, or choose another LAKE_HOME, or begin anew with lake reset", USAGE)
