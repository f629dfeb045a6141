"""A backup laid down where there is nothing: everything beside its place first, compared with its sum, then renamed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from backup import databases
from backup.disk import copy, on_disk
from backup.manifest import Manifest, Server, read
from backup.warehouse import FOLDER
from stack import postgres, supervision
from stack.faults import USAGE, Fault
from stack.settings import Settings
from stack.up import EVERY, alone

Say = Callable[[str], None]


def restore(settings: Settings, folder: Path, say: Say) -> Manifest:
    """Lay the backup in `folder` down in this stack, which is stopped and has neither databases nor tables.

    Kafka's data is left as it is. Raises Fault, and leaves the stack as it was, where the backup or the stack is unfit.
    """
    manifest, sums = read(folder)
    check_settings(settings, manifest)
    warehouse, cluster = on_disk(settings.warehouse), settings.data / "postgres"
    with alone(settings):
        if supervision.strays(settings, EVERY):
            raise Fault(f"The stack in {settings.home} runs.", "lake down", USAGE)
        for place in (warehouse, cluster):
            if place.exists() and any(place.iterdir()):
                fix = f"move {place} away, or `lake reset`, which deletes Kafka's topics, too"
                raise Fault(f"{place} holds data, and a restore overwrites nothing.", fix, USAGE)
        beside = {place: place.with_name(f"{place.name}.restoring") for place in (warehouse, cluster)}
        try:
            lay_down(settings, folder, manifest, sums, beside[warehouse], beside[cluster], say)
            for place, laid in beside.items():
                os.rename(laid, place)
        finally:
            for laid in beside.values():
                shutil.rmtree(laid, ignore_errors=True)
    return manifest


def check_settings(settings: Settings, manifest: Manifest) -> None:
    """Raise Fault where this stack could not read what the backup holds."""
    if on_disk(settings.warehouse) != on_disk(manifest.warehouse):
        raise Fault(
            f"The backup's tables name their files below {manifest.warehouse}; this stack's are in "
            f"{settings.warehouse}.",
            f"LAKE_WAREHOUSE={manifest.warehouse} with any LAKE_HOME",
            USAGE,
        )
    here = Server.of(settings, installed_major(settings))
    for name in Server.model_fields:
        was, now = getattr(manifest.server, name), getattr(here, name)
        if was != now and name == "major":
            raise Fault(f"The backup is of PostgreSQL {was}, and this lake runs {now}.", "restore it by its own lake")
        if was != now:
            raise Fault(f"The backup's {name} is {was}, this stack's is {now}.", f"LAKE_{name.upper()}={was}", USAGE)


def installed_major(settings: Settings) -> int:
    """Major version of the PostgreSQL that would run here."""
    said = subprocess.run([postgres.binary(settings, "postgres"), "--version"], capture_output=True, text=True).stdout
    return int(said.split()[2].split(".")[0])  # postgres (PostgreSQL) 18.6


def lay_down(
    settings: Settings, folder: Path, manifest: Manifest, sums: dict[str, str], warehouse: Path, cluster: Path, say: Say
) -> None:
    """Copy the files into `warehouse` and PostgreSQL's into `cluster`. Raises Fault where one is not what it was."""
    for place in (warehouse, cluster):
        shutil.rmtree(place, ignore_errors=True)  # of a restore that was killed
    archive = cluster.with_name("postgres.tar")
    try:
        for number, (path, digest) in enumerate(sums.items(), 1):
            say(f"copying {number} of {len(sums)} files")
            place = archive if path == databases.ARCHIVE else warehouse / Path(path).relative_to(FOLDER)
            if copy(folder / path, place)[1] != digest:
                raise Fault(f"{folder / path} is damaged: its sum is another.", "choose another backup")
        warehouse.mkdir(parents=True, exist_ok=True)  # of a lake without a table
        say("recovering PostgreSQL")
        databases.unpack(archive, cluster)
    finally:
        archive.unlink(missing_ok=True)
    databases.put_catalog(settings, cluster, manifest)
