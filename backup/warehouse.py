"""The warehouse's files copied beside a running ingester, dbt and upkeep.

What a metadata file names never changes, but it may be removed before it is copied: snapshots expire, tables are
dropped, a metadata file is gone twenty commits later. Then the catalog is read again; what was copied stays copied.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from backup.disk import copy, on_disk
from backup.manifest import Property, Table
from backup.tables import Copies, File, files, metadata
from stack.faults import Fault

TRIES = 5
FOLDER = "warehouse"


class Catalog(NamedTuple):
    """The catalog at one moment."""

    namespaces: list[Property]
    tables: list[Table]


class Copied(NamedTuple):
    size: int
    digest: str


class Backup:
    """The copies in `folder` of files below the warehouse `uri`."""

    def __init__(self, uri: str, folder: Path) -> None:
        self.warehouse, self.folder = on_disk(uri), folder / FOLDER
        self.copied: dict[str, Copied] = {}
        self.copies = Copies(self.place)

    def path(self, location: str) -> str:
        """The path of `location` below the warehouse."""
        try:
            return str(on_disk(location).relative_to(self.warehouse))
        except (ValueError, Fault):
            raise Fault(f"{location} lies outside the warehouse {self.warehouse}, which alone is copied.") from None

    def place(self, location: str) -> Path:
        return self.folder / self.path(location)

    def take(self, read: Callable[[], Catalog], say: Callable[[str], None]) -> Catalog:
        """Copy what the catalog names that `read` returns; the catalog as of the time that went well."""
        gone = ""
        for _ in range(TRIES):
            catalog = read()
            try:
                wanted = self._copy(catalog, say)
            except FileNotFoundError as error:
                gone = str(error.filename)
                say(f"{gone} was removed before it was copied: reading the catalog again")
                continue
            for path in self.copied.keys() - wanted:  # of an earlier try
                (self.folder / path).unlink()
                del self.copied[path]
            self.check(catalog)
            return Catalog(catalog.namespaces, [self._described(table) for table in catalog.tables])
        fix = "do it again while no `lake maintain` runs and no table is dropped"
        raise Fault(f"{TRIES} times a file was removed before it was copied, the last {gone}.", fix)

    def _copy(self, catalog: Catalog, say: Callable[[str], None]) -> set[str]:
        wanted: set[str] = set()
        for table in catalog.tables:  # all of these first: they are the first to go
            wanted.add(self._add(File(table.metadata_location)))
        for number, table in enumerate(catalog.tables, 1):
            say(f"copying {table} ({number} of {len(catalog.tables)})")
            wanted.update(self._add(file) for file in files(table, self.copies))
        return wanted

    def _add(self, file: File) -> str:
        path = self.path(file.location)
        if path not in self.copied:
            self.copied[path] = Copied(*copy(self.warehouse / path, self.folder / path))
        return path

    def check(self, catalog: Catalog) -> None:
        """Read the copied metadata again: raises Fault unless each file that it names is there, as long as it says."""
        for table in catalog.tables:
            for file in files(table, self.copies):
                path = self.path(file.location)
                size = self.copied[path].size if path in self.copied else None
                place = self.folder / path
                if size is None or not place.is_file() or place.stat().st_size != size:
                    raise Fault(f"The backup lacks {path}, which {table} is made of.", "take it again")
                if file.size not in (None, size):
                    fix = f"look at {table}; the backup has the file as it is"
                    raise Fault(f"{path} has {size} bytes, and the metadata of {table} says {file.size}.", fix)

    def _described(self, table: Table) -> Table:
        if table.kind == "VIEW":
            return table
        snapshot = metadata(table, self.copies).current_snapshot()
        records = snapshot.summary["total-records"] if snapshot and snapshot.summary else None
        known = {"snapshot_id": snapshot and snapshot.snapshot_id, "records": records and int(records)}
        return table.model_copy(update=known)
