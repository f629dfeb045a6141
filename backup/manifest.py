"""What a backup says of itself: `manifest.json`, written last, and `SHA256SUMS` as `sha256sum --check` reads it.

A folder without a manifest is no backup, however much is in it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from stack.faults import Fault
from stack.settings import Settings

FORMAT = 1
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"


class Table(BaseModel):
    """A table or view of the catalog: where its metadata was, and which snapshot that made current."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    name: str
    kind: Literal["TABLE", "VIEW"]
    metadata_location: str
    snapshot_id: int | None = None
    records: int | None = None

    def __str__(self) -> str:
        return f"{self.namespace}.{self.name}"


class Property(BaseModel):
    """A row of the catalog's namespaces."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    key: str
    value: str | None


class Server(BaseModel):
    """The PostgreSQL that was copied: its major version, and the settings that name what is in it."""

    model_config = ConfigDict(frozen=True)

    major: int
    catalog_database: str
    serving_database: str
    airflow_database: str
    database_user: str

    @classmethod
    def of(cls, settings: Settings, major: int) -> Server:
        names = [name for name in cls.model_fields if name != "major"]
        return cls(major=major, **{name: getattr(settings, name) for name in names})


class Manifest(BaseModel):
    """Times are UTC. `files` and `bytes` count what `SHA256SUMS` lists, `sums` is the sum of that file itself."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = FORMAT
    began_at: datetime
    ended_at: datetime
    warehouse: str
    server: Server
    namespaces: list[Property]
    tables: list[Table]
    files: int
    bytes: int
    sums: str


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest: from now on, and not before, the folder is a backup."""
    os.sync()
    part = folder / f"{MANIFEST}.part"
    part.write_text(manifest.model_dump_json(indent=2) + "\n")
    part.rename(folder / MANIFEST)
    os.sync()


def write_sums(folder: Path, sums: Mapping[str, str]) -> str:
    """Write `SHA256SUMS` of paths below `folder`; its own sum."""
    listed = "".join(f"{digest}  {path}\n" for path, digest in sorted(sums.items()))
    (folder / SUMS).write_text(listed)
    return hashlib.sha256(listed.encode()).hexdigest()


def read(folder: Path) -> tuple[Manifest, dict[str, str]]:
    """The manifest and the sum of each path. Raises Fault where the backup is half, of another format, or short of a
    file; what is in the files is not read here."""
    try:
        said = json.loads((folder / MANIFEST).read_text())
        of = said["format"]
    except FileNotFoundError:
        raise Fault(f"{folder} is not a backup, or half of one: it has no {MANIFEST}.", "choose another") from None
    except (ValueError, TypeError, KeyError):
        raise Fault(f"{folder / MANIFEST} is damaged.", "choose another backup") from None
    if of != FORMAT:
        raise Fault(f"{folder} is a backup of format {of}, and this lake reads {FORMAT}.", "restore it by its own lake")
    try:
        manifest = Manifest.model_validate(said)
        listed = (folder / SUMS).read_bytes()
    except (ValidationError, FileNotFoundError):
        raise Fault(f"{folder}: {MANIFEST} or {SUMS} is damaged.", "choose another backup") from None
    if hashlib.sha256(listed).hexdigest() != manifest.sums:
        raise Fault(f"{folder / SUMS} is not the one that {MANIFEST} names.", "choose another backup")
    sums = {path: digest for digest, path in (line.split("  ", 1) for line in listed.decode().splitlines())}
    if absent := [path for path in sums if not (folder / path).is_file()]:
        raise Fault(f"{folder} lacks {len(absent)} of {len(sums)} files, such as {absent[0]}.", "choose another backup")
    return manifest, sums
