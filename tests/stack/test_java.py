"""If these fail, Spark and Kafka run on a Java that breaks them, or a right Java is overlooked."""
from __future__ import annotations

from pathlib import Path

import pytest

from stack import java
from stack.faults import Fault
from stack.settings import Settings


def fake_java(home: Path, version: str) -> Path:
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025' >&2\n")
    program.chmod(0o755)
    return home


def test_the_major_version_is_read(tmp_path: Path) -> None:
    assert java.major(fake_java(tmp_path, "17.0.15") / "bin" / "java") == 17
    assert java.major(tmp_path / "absent") is None


def test_a_newer_java_home_is_passed_over_for_a_java_17(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new, old = fake_java(tmp_path / "new", "25.0.2"), fake_java(tmp_path / "old", "17.0.1")
    monkeypatch.setenv("JAVA_HOME", str(new))
    monkeypatch.setenv("PATH", str(old / "bin"))
    assert java.java_17_home(Settings(home=tmp_path)) == old


def test_the_persons_own_choice_is_not_replaced_in_silence(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="LAKE_JAVA_HOME"):
        java.java_17_home(Settings(home=tmp_path, java_home=fake_java(tmp_path / "new", "25.0.2")))
