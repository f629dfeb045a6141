"""Bronze of the dimensions once more, in schemas of a prefix of its own, and dbt's history of it."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ingest.verify.warehouse import TableAbsent, TrinoUnreachable, Warehouse, pinned
from prove.arrivals import drop_schemas
from prove.typed_hash import hashed
from stack.dbt import Dbt
from stack.faults import Fault
from stack.settings import CATALOG, Settings

Hashed = tuple[int, str]
BRONZE, PREFIX = "LAKE_BRONZE_SCHEMA", "LAKE_SCHEMA_PREFIX"


@dataclass(frozen=True)
class History:
    """A dimension, the snapshot that it is computed from, and the bronze table of its feeds."""

    dimension: str
    snapshot: str
    feeds: str


HISTORIES = (
    History("dim_users", "user_changes", "users_changes"),
    History("dim_videos", "video_changes", "videos_changes"),
)


@dataclass
class Copies:
    """Bronze once more, and dbt's history of it."""

    warehouse: Warehouse
    dbt: Dbt
    prefix: str
    landed: dict[History, str]
    """What to copy of each, as it is written after `from`."""

    def arrive(self, history: History, condition: str = "true", arrived: str = "ingested_at") -> None:
        """The changes that meet a condition, appended to the copy with this arrival."""
        self.warehouse.rows(
            f"insert into {self._at('bronze', history.feeds)} select {_but('ingested_at', self._columns(history))},"
            f" {arrived} from {self.landed[history]} where {condition}"
        )

    def empty(self) -> None:
        """No bronze, and no history."""
        for history in HISTORIES:
            copy = self._at("bronze", history.feeds)
            self.warehouse.rows(f"drop table if exists {copy}")
            columns = _but("ingested_at", self._columns(history))
            self.warehouse.rows(
                f"create table {copy} as select {columns}, ingested_at from {self.landed[history]} with no data"
            )
        self.forget()

    def forget(self) -> None:
        """No history."""
        for history in HISTORIES:
            self.warehouse.rows(f"drop table if exists {self._at('silver', history.snapshot)}")

    def build(self) -> None:
        """Views and history."""
        views = (f"+{history.dimension}" for history in HISTORIES)
        self.dbt.run("build", "--exclude-resource-type", "test", "unit_test", "--select", *views)

    def snapshot(self) -> None:
        """What a daily run adds to the history."""
        self.dbt.run("snapshot", "--select", *(history.snapshot for history in HISTORIES))

    def history(self, history: History) -> Hashed:
        """Rows and hash of the dimension."""
        return hashed(self.warehouse, self._at("silver", history.dimension))

    def history_but_arrivals(self, history: History) -> Hashed:
        """The same without the one column that says when changes arrived."""
        relation = self._at("silver", history.dimension)
        columns = _but("updated_at", self.warehouse.columns(f"select * from {relation}"))
        return hashed(self.warehouse, f"(select {columns} from {relation})")

    def _at(self, layer: str, table: str) -> str:
        return f"{CATALOG}.{self.prefix}{layer}.{table}"

    def _columns(self, history: History) -> Iterable[str]:
        return self.warehouse.columns(f"select * from {self.landed[history]}")


@contextmanager
def copies_of(
    warehouse: Warehouse, settings: Settings, landed: dict[History, str], project: Path
) -> Iterator[Copies]:
    """Copies in schemas that are dropped afterwards."""
    prefix = f"prove{uuid.uuid4().hex[:8]}_"
    with tempfile.TemporaryDirectory(prefix="lake-prove-") as folder:
        dbt = Dbt(settings, Path(folder), {BRONZE: f"{prefix}bronze", PREFIX: prefix}, "ci", project)
        try:
            for layer in ("bronze", "silver"):
                warehouse.rows(f"create schema {CATALOG}.{prefix}{layer}")
            yield Copies(warehouse, dbt, prefix, landed)
        finally:
            with suppress(TrinoUnreachable):
                drop_schemas(warehouse, prefix)


def landed_and_kept(
    warehouse: Warehouse, report: Callable[[str], None]
) -> tuple[dict[History, str], dict[History, Hashed]]:
    """The feeds at one snapshot, as they are written after `from`; and the history that the lakehouse keeps of them.

    What was landed after dbt last kept history is left out. Where dbt never did, only the feeds.
    """
    bronze, silver = os.environ.get(BRONZE, "bronze"), f"{os.environ.get(PREFIX, '')}silver"
    landed, kept = {}, {}
    for history in HISTORIES:
        feeds = f"{bronze}.{history.feeds}"
        try:
            at = pinned(feeds, warehouse.snapshot(feeds))
        except TableAbsent:
            raise Fault(f"Nothing to prove: there is no {feeds} yet", "lake dimensions load") from None
        landed[history] = at
        try:
            newest, kept[history] = _kept(warehouse, silver, history)
            landed[history] = f"(select * from {at} where ingested_at <= timestamp '{newest}')"
        except TableAbsent:
            report(f"dbt keeps no {silver}.{history.dimension} yet: only copies are compared")
    return landed, kept


def _kept(warehouse: Warehouse, silver: str, history: History) -> tuple[str, Hashed]:
    """The newest arrival that a dimension of the lakehouse knows, and its hash."""
    while True:
        snapshot = warehouse.snapshot(f"{silver}.{history.snapshot}")
        [[newest]] = warehouse.rows(f"select cast(max(ingested_at) as varchar) from {silver}.{history.snapshot}")
        found = hashed(warehouse, f"{CATALOG}.{silver}.{history.dimension}")
        if snapshot == warehouse.snapshot(f"{silver}.{history.snapshot}"):
            return newest or "1970-01-01 00:00:00 UTC", found


def _but(name: str, columns: Iterable[str]) -> str:
    return ", ".join(column for column in columns if column != name)
