"""If these fail, `lake doctor` calls a broken machine sound, or sends its user after a fault that isn't there."""
from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from stack import doctor
from stack.faults import Fault
from stack.settings import PROJECT, Settings

PIN = """\
some-package==1.2.3 \\
    --hash=sha256:00
only-elsewhere==1 ; sys_platform == 'win32' \\
    --hash=sha256:11
"""


def test_the_lock_is_read_as_far_as_it_holds_here() -> None:
    assert doctor.locked(PIN) == {"some-package": "1.2.3"}


@pytest.mark.parametrize(
    ("requirement", "missing"),
    [("some_package>=1,<2", []), ("some-package>=2", ["some-package>=2"]), ("absent>=1", ["absent>=1"])],
)
def test_a_requirement_that_the_lock_does_not_meet_is_named(requirement: str, missing: list[str]) -> None:
    pyproject = f'[project]\ndependencies = ["{requirement}"]\n[dependency-groups]\ndev = []\n'
    assert doctor.unlocked(pyproject, {"some-package": "1.2.3"}) == missing


def test_the_projects_own_lock_meets_its_pyproject() -> None:
    pins = doctor.locked(doctor.LOCK.read_text())
    assert doctor.unlocked((PROJECT / "pyproject.toml").read_text(), pins) == []


def test_a_taken_port_is_named_with_its_holder_and_the_variable_that_moves_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        findings = doctor.ports(Settings(home=tmp_path, trino_port=port))
        (fault,) = (finding for finding in findings if finding.subject == f"port {port}")
    assert f"process {os.getpid()} (" in fault.said
    assert "LAKE_TRINO_PORT" in fault.fix


def test_missing_downloads_and_little_memory_are_faults_with_a_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, downloads=tmp_path / "engines")
    (missing,) = doctor.engine_files(settings)
    assert missing.fix == "lake fetch"
    monkeypatch.setattr(doctor, "MEMORY_GB", 1 << 20)
    (little,) = doctor.memory(settings)
    assert "LAKE_SPARK_DRIVER_MEMORY" in little.fix


def test_a_check_that_can_not_be_made_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(_settings: Settings) -> None:
        raise Fault("it is gone.", "bring it back")

    monkeypatch.setattr(doctor, "CHECKS", (broken,))
    assert list(doctor.examine(Settings(home=tmp_path))) == [doctor.Finding("broken", "it is gone.", "bring it back")]
