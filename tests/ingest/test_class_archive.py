"""If these fail, each Spark reads and verifies all of its classes anew, or takes another Java than the settings say."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from ingest import class_archive
from stack.java import java_17_home
from stack.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages without an archive."""
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    return tmp_path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "engines" / "spark").mkdir(parents=True)
    return Settings(home=tmp_path, downloads=tmp_path / "engines")


def test_without_an_archive_there_is_no_flag(packages: Path, settings: Settings) -> None:
    assert class_archive.flags(settings) == ""
    class_archive.place(settings).touch()
    assert f"-XX:SharedArchiveFile={class_archive.place(settings)}" in class_archive.flags(settings)


def test_the_archive_of_other_jars_is_not_used(packages: Path, settings: Settings) -> None:
    jar = settings.downloads / "spark" / "iceberg.jar"
    jar.write_text("one")
    class_archive.place(settings).touch()
    jar.write_text("another")
    assert class_archive.flags(settings) == ""


def test_one_that_cannot_be_made_is_told_and_leaves_nothing(packages: Path, settings: Settings) -> None:
    """There are no jars here."""
    said = io.StringIO()
    class_archive.make(settings, Console(file=said, width=500))
    assert "no Spark jars in" in said.getvalue()
    assert not [*packages.glob("spark-*")]


@pytest.mark.integration
def test_spark_starts_from_the_archive_on_the_java_of_the_settings(spark: SparkSession, lake_stack: Settings) -> None:
    assert spark._jvm.System.getProperty("java.home") == str(java_17_home(lake_stack))
    pid = spark._jvm.java.lang.ProcessHandle.current().pid()
    mapped = Path("/proc", str(pid), "maps").read_text()
    assert os.fspath(class_archive.place(lake_stack)) in mapped, "make setup"
