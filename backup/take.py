"""A backup taken while everything goes on: PostgreSQL first, then the catalog, then the files that it names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from backup import databases
from backup.manifest import Manifest, Server, write, write_sums
from backup.warehouse import FOLDER, Backup
from stack.faults import USAGE, Fault
from stack.settings import Settings

Say = Callable[[str], None]


def take(settings: Settings, folder: Path, say: Say) -> Manifest:
    """Back up the stack into `folder`, which must be new or empty; what was committed before the call is in it."""
    began = datetime.now(UTC)
    backup = Backup(settings.warehouse, folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Fault(f"{folder} is not empty; a backup is never mixed with what is there.", "name a new folder", USAGE)
    major = databases.major(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # rows and passwords
    say("copying PostgreSQL")
    archive = folder / databases.ARCHIVE
    databases.base_backup(settings, archive)
    catalog = backup.take(lambda: databases.catalog(settings), say)
    with archive.open("rb") as file:
        sums = {databases.ARCHIVE: hashlib.file_digest(file, "sha256").hexdigest()}
    sums |= {f"{FOLDER}/{path}": copied.digest for path, copied in backup.copied.items()}
    manifest = Manifest(
        began_at=began,
        ended_at=datetime.now(UTC),
        warehouse=settings.warehouse,
        server=Server.of(settings, major),
        namespaces=catalog.namespaces,
        tables=catalog.tables,
        files=len(sums),
        bytes=archive.stat().st_size + sum(copied.size for copied in backup.copied.values()),
        sums=write_sums(folder, sums),
    )
    write(folder, manifest)
    return manifest
