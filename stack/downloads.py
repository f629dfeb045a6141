"""The engines' files: had through Maven, compared with `stack/engines.sha256`, unpacked as far as they are used.

Resumable: Maven keeps what it has, and an unpacking is renamed into place when whole. A file that differs is an error.
"""
from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console

from stack.faults import UNREACHABLE, Fault
from stack.locks import locked
from stack.settings import PROJECT, Settings

POM = PROJECT / "stack" / "pom.xml"
SUMS = PROJECT / "stack" / "engines.sha256"
PLATFORMS = {"x86_64": "linux-amd64", "aarch64": "linux-arm64v8"}
TRINO_PARTS = (
    "lib",
    *(
        f"plugin/{name}"
        for name in ("geospatial", "iceberg", "memory", "password-authenticators", "postgresql", "tpch")
    ),
)
MANIFEST = "manifest.sha256"
FOLDERS = ("kafka", "spark", "packed")
# Parts with files of their own, had where the part is asked for: profiles of the pom, and the folders that they fill.
PARTS = {"s3": ("s3", "aws"), "rest": ("rest",)}


def postgres_platform() -> str:
    """PostgreSQL's name for this machine in its artifact."""
    if platform.system() != "Linux" or platform.machine() not in PLATFORMS:
        here = f"{platform.system()} {platform.machine()}"
        raise Fault(f"No PostgreSQL build for {here} is pinned.", "docker compose up")
    return PLATFORMS[platform.machine()]


def sums(text: str) -> dict[str, str]:
    """Path to sha256, from the format of `sha256sum`."""
    return {path: digest for digest, path in (line.split(maxsplit=1) for line in text.splitlines() if line.strip())}


def expected(folders: Iterable[str] = FOLDERS) -> dict[str, str]:
    """What is downloaded into these folders on this machine: path (kafka/…, spark/…, packed/…) to sha256."""
    other = tuple(name for name in PLATFORMS.values() if name != postgres_platform())
    return {
        path: digest
        for path, digest in sums(SUMS.read_text()).items()
        if path.split("/")[0] in folders and not any(name in path for name in other)
    }


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def state_of_the_pins() -> str:
    """Changes when other files are wanted, or other parts of them."""
    said = POM.read_bytes() + SUMS.read_bytes() + repr((TRINO_PARTS, postgres_platform())).encode()
    return hashlib.sha256(said).hexdigest()


def stamp(settings: Settings, part: str = "") -> Path:
    """What says that the downloads, or those of one part, are whole."""
    return settings.downloads / (f"complete.{part}" if part else "complete")


def is_complete(settings: Settings, part: str = "") -> bool:
    """Whether everything pinned was had and unpacked once; `damaged` says what happened to it since."""
    file = stamp(settings, part)
    return file.exists() and file.read_text() == state_of_the_pins()


def fetch(settings: Settings, console: Console) -> None:
    """Download, check and unpack what is missing. Returns at once where nothing is."""

    def get() -> None:
        console.print("downloading the engines (about 1.1 GB the first time; what is there already is kept)")
        run_maven(settings, console, "prepare-package")
        packed = settings.downloads / "packed"
        tarball = Path((packed / "trino.path").read_text().strip())
        check(settings, FOLDERS, tarball, console)
        unpack_postgres(settings, console)
        unpack_trino(settings, tarball, console)
        shutil.rmtree(packed)

    complete(settings, "", FOLDERS, get)


def fetch_part(settings: Settings, part: str, console: Console) -> None:
    """As `fetch`, for the files of one part; nothing where it has none."""

    def get() -> None:
        console.print(f"downloading what {part} needs")
        run_maven(settings, console, "-P", part, "generate-resources")
        check(settings, PARTS[part], None, console)

    if part in PARTS:
        complete(settings, part, PARTS[part], get)


def complete(settings: Settings, part: str, folders: Iterable[str], get: Callable[[], None]) -> None:
    """Have `get` fill the folders anew where they are not whole, one process at a time, and say then that they are."""
    if is_complete(settings, part):
        return
    with locked(settings.downloads / ".lock"):
        if is_complete(settings, part):
            return
        for folder in folders:
            shutil.rmtree(settings.downloads / folder, ignore_errors=True)
        get()
        stamp(settings, part).write_text(state_of_the_pins())


def run_maven(settings: Settings, console: Console, *goals: str) -> None:
    """Maven's downloads, its progress passed on: a moving line in a terminal, else a line every ten seconds."""
    maven = shutil.which("mvn")
    if not maven:
        raise Fault("Maven is missing: the engines are downloaded with it.", "apt-get install maven")
    command = [
        maven, "-Dstyle.color=never", "-f", str(POM), *goals,
        f"-Ddownloads={settings.downloads}", f"-Dpostgres.platform={postgres_platform()}",
    ]  # fmt: skip
    said: list[str] = []
    name = ""
    told_at = time.monotonic()
    with console.status("asking Maven") as status, subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL
    ) as process:
        for line in process.stdout:
            if found := re.search(r"Downloading from \S+: \S*/(\S+)", line):
                name = found[1]
            progress = re.search(r"Progress \(\d+\): (.*\S)", line)  # a line that Maven overwrites
            if not progress:
                said.append(line.rstrip())
            elif console.is_terminal:
                status.update(f"{name} {progress[1]}")
            elif time.monotonic() - told_at > 10:
                console.print(f"  {name} {progress[1]}", highlight=False)
                told_at = time.monotonic()
    if process.returncode:
        errors = [line for line in said if "ERROR" in line][:3] or said[-3:]
        told = "\n  ".join(errors)
        raise Fault(f"Maven could not get the engines:\n  {told}", "run it again: it goes on from there", UNREACHABLE)


def check(settings: Settings, folders: Iterable[str], tarball: Path | None, console: Console) -> None:
    """Compare every file of these folders, and Trino's tarball in Maven's own, with its pinned sum."""
    console.print("checking what came")
    for path, wanted in expected(folders).items():
        file = tarball if tarball and path == f"packed/{tarball.name}" else settings.downloads / path
        if not file.exists():
            raise Fault(f"{path} is pinned in {SUMS.name} but was not downloaded.", "compare it with stack/pom.xml")
        if digest(file) != wanted:
            # Where Maven keeps its files is seen from the tarball's path in it.
            kept = tarball.parents[4] if tarball else "Maven's repository"
            raise Fault(f"{file} is not the file that {SUMS.name} pins.", f"remove {file.name} from {kept}, run again")


def unpack_postgres(settings: Settings, console: Console) -> None:
    console.print("unpacking PostgreSQL")
    (jar,) = (settings.downloads / "packed").glob("embedded-postgres-binaries-*.jar")
    with zipfile.ZipFile(jar) as archive:
        (name,) = (entry for entry in archive.namelist() if entry.endswith(".txz"))
        with archive.open(name) as stream, tarfile.open(fileobj=stream, mode="r|xz") as inner:
            place(settings, "postgres", lambda partial: inner.extractall(partial, filter="tar"))


def unpack_trino(settings: Settings, tarball: Path, console: Console) -> None:
    """Only the parts used. A jar of one plugin is often a hard link to another's, so those are followed."""
    console.print("unpacking Trino")

    def unpack(partial: Path) -> None:
        with tarfile.open(tarball) as archive:
            top = archive.next().name.split("/")[0]
            prefixes = tuple(f"{top}/{part}/" for part in TRINO_PARTS)
            wanted = [member for member in archive if member.name.startswith(prefixes) and not member.isdir()]
        sources: dict[str, list[Path]] = {}
        for member in wanted:
            target = partial / member.name.removeprefix(f"{top}/")
            sources.setdefault(member.linkname if member.islnk() else member.name, []).append(target)
        with tarfile.open(tarball, "r|gz") as archive:
            for member in archive:
                targets = sources.get(member.name) if member.isfile() else None
                if not targets:
                    continue
                for target in targets:
                    target.parent.mkdir(parents=True, exist_ok=True)
                with archive.extractfile(member) as stream, targets[0].open("wb") as file:
                    shutil.copyfileobj(stream, file, 1 << 20)
                for target in targets[1:]:
                    os.link(targets[0], target)

    place(settings, "trino", unpack)


def place(settings: Settings, name: str, unpack: Callable[[Path], None]) -> None:
    """Unpack beside, note every file's sum, then rename: what is there is whole."""
    partial, final = settings.downloads / f"{name}.partial", settings.downloads / name
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    unpack(partial)
    files = sorted(path for path in partial.rglob("*") if path.is_file() and not path.is_symlink())
    (partial / MANIFEST).write_text("".join(f"{digest(path)}  {path.relative_to(partial)}\n" for path in files))
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)


def damaged(settings: Settings) -> list[str]:
    """Files of the downloads that are missing or differ from their sums, read in full."""
    parts = [folder for part, folders in PARTS.items() if is_complete(settings, part) for folder in folders]
    wanted = {path: sum_ for path, sum_ in expected((*FOLDERS, *parts)).items() if not path.startswith("packed/")}
    for name in ("postgres", "trino"):
        manifest = settings.downloads / name / MANIFEST
        if not manifest.exists():
            return [f"{name}/{MANIFEST}"]
        wanted |= {f"{name}/{path}": sum_ for path, sum_ in sums(manifest.read_text()).items()}
    files = ((settings.downloads / path, path, sum_) for path, sum_ in wanted.items())
    return [path for file, path, sum_ in files if not file.is_file() or digest(file) != sum_]
