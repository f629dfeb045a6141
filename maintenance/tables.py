"""One table's upkeep through Trino, and what it came to: files, delete files and snapshots before and after.

Nothing here makes a stream or a reader fail: bronze is rewritten where no event of the present lands, and its writer
goes on over it; a live gold is rewritten by its own writer, which is asked to; snapshots stay as long as they should.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from maintenance.policy import Kept, Upkeep

Query = Callable[[str], list[list[Any]]]
ORPHANS_AFTER = "3d"  # longer than any batch, query or dbt run: a file under way belongs to no snapshot yet


@dataclass(frozen=True)
class Files:
    """What the current snapshot of a table is made of, how many snapshots it has, and how many metadata files it names:
    the current one and those before it."""

    data_files: int
    delete_files: int
    mb: float
    snapshots: int
    metadata_files: int


@dataclass(frozen=True)
class Done:
    """A table's upkeep: seconds, and the files before and after. `by` says who rewrote them."""

    table: str
    by: str
    seconds: float
    before: Files
    after: Files


def files(query: Query, table: str) -> Files:
    schema, name = table.split(".")
    counted = (
        "select count_if(content = 0), count_if(content <> 0), coalesce(sum(file_size_in_bytes), 0) / 1e6 "
        f'from {schema}."{name}$files"'
    )
    [[data, deletes, mb]] = query(counted)
    [[snapshots]] = query(f'select count(*) from {schema}."{name}$snapshots"')
    [[metadata]] = query(f'select count(*) from {schema}."{name}$metadata_log_entries"')
    return Files(data, deletes, round(mb, 1), snapshots, metadata)


def partitions_over(now: datetime, partition_by: str) -> str:
    """The condition on bronze's partitions that have been over for an hour: on whole ones, Trino refuses any other."""
    hour = "%H" if partition_by == "hour" else "00"
    return f"partition_time < timestamp '{now.astimezone(UTC) - timedelta(hours=1):%Y-%m-%d {hour}:00:00} UTC'"


def metadata_kept(upkeep: Upkeep) -> dict[str, str]:
    """Properties by which each commit removes the metadata files that are older than those it keeps."""
    return {
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": str(upkeep.keep_metadata),
    }


def said_of(query: Query, table: str) -> dict[str, str]:
    """The table's properties."""
    schema, name = table.split(".")
    return dict(query(f'select key, value from {schema}."{name}$properties"'))


def statements(kept: Kept, now: datetime, orphans: bool, properties: dict[str, str]) -> list[str]:
    """What Trino is told of a table with these properties, in order."""
    alter = f"alter table {kept.table} execute"
    where = f" where {partitions_over(now, kept.partition_by)}" if kept.kind == "bronze" else ""
    said, wanted = [], metadata_kept(kept.upkeep)
    if wanted.items() - properties.items():  # dbt's tables are made by Trino, which keeps a hundred and deletes none
        pairs = ", ".join(f"row('{key}', '{value}')" for key, value in wanted.items())
        said.append(f"alter table {kept.table} set properties extra_properties = map_from_entries(array[{pairs}])")
    if kept.kind != "gold":
        said.append(f"{alter} optimize(file_size_threshold => '{kept.upkeep.file_mb}MB'){where}")
        said.append(f"{alter} optimize_manifests")
    said.append(f"{alter} expire_snapshots(retention_threshold => '{kept.upkeep.keep_hours}h')")
    return said + ([f"{alter} remove_orphan_files(retention_threshold => '{ORPHANS_AFTER}')"] if orphans else [])


def keep_up(query: Query, kept: Kept, orphans: bool, ask: Callable[[str], bool]) -> Done:
    """Do it. `ask` asks a live gold's writer to rewrite its files, and says whether it has."""
    began, before = time.monotonic(), files(query, kept.table)
    by = "trino"
    if kept.kind == "gold":
        by = "its writer" if ask(kept.table) else "nobody: no ingester answered"
    for statement in statements(kept, datetime.now(UTC), orphans, said_of(query, kept.table)):
        query(statement)
    return Done(kept.table, by, round(time.monotonic() - began, 2), before, files(query, kept.table))
