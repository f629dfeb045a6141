"""Airflow's own Python environment, beside the engines' files: exactly what requirements-airflow.lock pins.

Apart from `.venv`, since the two need different versions of the same packages; made when a stack first asks for it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from stack.faults import UNREACHABLE, Fault
from stack.locks import locked
from stack.settings import PROJECT, Settings

LOCK = PROJECT / "requirements-airflow.lock"
UV = PROJECT / ".lake" / "uv" / "bin" / "uv"


def folder(settings: Settings) -> Path:
    return settings.downloads / "airflow"


def wanted() -> str:
    """Changes when other packages are, or for another Python."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest() + f" {sys.version.split()[0]}"


def is_complete(settings: Settings) -> bool:
    stamp = folder(settings) / "complete"
    return stamp.exists() and stamp.read_text() == wanted()


def install(settings: Settings) -> None:
    """Make the environment where it is missing or another. Quick when it is there, safe to interrupt."""
    if is_complete(settings):
        return
    with locked(settings.downloads / ".airflow.lock"):
        if is_complete(settings):
            return
        python = folder(settings) / "bin" / "python"
        _run(str(PROJECT / "stack" / "setup.sh"), "uv")
        _run(str(UV), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder(settings)))
        _run(str(UV), "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(LOCK))
        (folder(settings) / "complete").write_text(wanted())


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise Fault(f"Airflow's environment could not be made:\n  {said}", "run it again", UNREACHABLE)
