"""If these fail, the command leaves half a dataset behind, or a running ingester does not hear of the new one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from onboarding import sample
from stack import registered
from stack.cli import app
from stack.settings import NO_REGISTRY, PROJECT, settings
from tests.onboarding.payments import payments


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the dbt project; the topic's records are there without a broker, the registry is named."""
    shutil.copytree(PROJECT / "dbt_project", tmp_path / "dbt", ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setenv("LAKE_DATASETS", str(tmp_path / "datasets"))
    monkeypatch.setenv("LAKE_REGISTRY_URL", "http://registry.invalid")
    monkeypatch.setattr(sample, "sample", lambda *_: sample.Sample(3, payments(100)))
    settings.cache_clear()
    yield tmp_path / "dbt"
    settings.cache_clear()


def add(project: Path, *more: str):
    return CliRunner().invoke(app, ["dataset", "add", "payments", "--project", str(project), *more])


def test_the_registry_takes_the_new_file_over_at_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(registered, "take_file_over", lambda _settings, name, dry_run: told.append((name, dry_run)))
    done = add(project, "--json")
    assert done.exit_code == 0, done.output
    assert told == [("payments", False)]
    assert all(Path(path).is_file() for path in json.loads(done.stdout)["files"])


def test_a_registry_that_is_down_is_said_and_the_files_are_there(project: Path, monkeypatch) -> None:
    def down(*_: object, **__: object) -> None:
        raise registered.RegistryDown("the dataset registry does not answer")

    monkeypatch.setattr(registered, "take_file_over", down)
    done = add(project)
    assert done.exit_code == 0
    assert "lake dataset follow-file payments" in done.stderr
    assert (project / "models" / "marts" / "payments_daily.sql").is_file()


def test_a_dry_run_writes_nothing_and_tells_nobody(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "take_file_over", lambda *_, **__: pytest.fail("told"))
    done = add(project, "--dry-run", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["written"] is False
    assert not (project / "models" / "marts" / "payments_daily.sql").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [(["--key", "nobody"], "no field 'nobody' for key"), (["--records", "3"], "20")],
)
def test_a_mistake_is_one_sentence_and_exit_2(project: Path, more: list[str], message: str) -> None:
    done = add(project, *more)
    assert done.exit_code == 2
    assert message in done.output and "Traceback" not in done.output


def test_a_second_time_overwrites_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_REGISTRY_URL", NO_REGISTRY)
    settings.cache_clear()
    assert add(project).exit_code == 0
    again = add(project)
    assert again.exit_code == 2 and "is there already" in again.output
