"""If these fail, a home's tables seem to be gone: it is opened as another kind than it was made as."""
from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stack import storage
from stack.faults import Fault
from stack.settings import Settings

Lake = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LAKE_WAREHOUSE", "LAKE_CATALOG_URI", "LAKE_S3_ENDPOINT", "LAKE_S3_PORT", "LAKE_REST_PORT"):
        monkeypatch.delenv(name, raising=False)


def with_data(settings: Settings) -> None:
    """As a stack leaves it that has run."""
    (settings.data / "postgres").mkdir(parents=True)
    (settings.data / "postgres" / "PG_VERSION").touch()


def test_a_home_remembers_what_its_first_up_asked_for(tmp_path: Path) -> None:
    storage.choose(Settings(home=tmp_path), ["s3", "refresh", "rest"])
    settings = Settings(home=tmp_path, s3_port=1, rest_port=2)
    assert (settings.warehouse, settings.catalog_uri) == ("s3://lake/warehouse", "http://127.0.0.1:2")
    assert settings.s3_endpoint == "http://127.0.0.1:1"
    with_data(settings)
    for parts in ([], ["s3"], ["rest", "s3"]):
        storage.choose(settings, parts)
        assert storage.of_home(tmp_path).parts == ("s3", "rest")


def test_a_home_made_without_refuses_to_be_opened_with(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    storage.choose(settings, [])
    with_data(settings)
    for parts, other in ((["s3"], "in S3, named by the JDBC"), (["rest"], "in a folder, named by a REST")):
        with pytest.raises(Fault, match=f"in a folder, named by the JDBC catalog; it can't .* {other} catalog"):
            storage.choose(settings, parts)
    storage.hold_to(Settings(home=tmp_path, warehouse=f"file://{tmp_path}/elsewhere"))
    for variables in ({"warehouse": "s3://elsewhere/lake"}, {"catalog_uri": "http://elsewhere"}):
        with pytest.raises(Fault, match="it can't be opened as"):
            storage.hold_to(Settings(home=tmp_path, **variables))


def test_a_home_that_was_there_before_it_was_written_down_is_what_its_settings_say(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with_data(settings)
    with pytest.raises(Fault, match="can't be opened"):
        storage.choose(settings, ["s3"])
    storage.choose(settings, [])
    assert storage.of_home(tmp_path) == storage.Storage("file", "jdbc")


def test_s3_and_a_catalog_elsewhere_are_settings_and_no_part(tmp_path: Path) -> None:
    elsewhere = {"warehouse": "s3://elsewhere/lake", "catalog_uri": "https://elsewhere"}
    storage.choose(Settings(home=tmp_path, **elsewhere), [])
    assert storage.of_home(tmp_path) == storage.Storage("s3", "rest")
    with pytest.raises(Fault, match=r"in S3, named by a REST catalog; it can't be opened as .* in a folder"):
        storage.hold_to(Settings(home=tmp_path))


def test_the_other_kind_is_refused_in_a_sentence_before_anything_starts(run_lake: Lake, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with_data(settings)
    done = run_lake("up", "--with", "s3,rest", environment={"LAKE_HOME": str(tmp_path)}, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert done.stderr.startswith(f"lake: {tmp_path} keeps its tables in a folder, named by the JDBC catalog; it can't")
    assert not settings.run.exists()
