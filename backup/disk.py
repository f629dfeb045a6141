"""Files of this machine: where a `file:` address is, and a copy that knows its sum."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from stack.faults import USAGE, Fault


def on_disk(uri: str) -> Path:
    """The path of a `file:` address, which Iceberg writes with one slash or three. Raises Fault for any other."""
    if not re.match(r"file:/", uri):
        fix = "back up its bucket by the store's own means, after `iceberg_tables` of the catalog's database"
        raise Fault(f"The warehouse {uri} is no folder of this machine, so its files can't be copied.", fix, USAGE)
    return Path(re.sub(r"^file:/+", "/", uri))


def copy(source: Path, target: Path) -> tuple[int, str]:
    """Copy a file's bytes; how many they were and their sum."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("wb") as writer:
        while piece := reader.read(1 << 20):
            digest.update(piece)
            writer.write(piece)
            size += len(piece)
    return size, digest.hexdigest()
