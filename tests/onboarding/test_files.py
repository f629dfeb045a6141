"""If these fail, what `lake dataset add` writes is not what the house's own rules ask of a person."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

from ingest.datasets import load
from onboarding.describe import describe
from onboarding.files import InTheWay, files, write
from onboarding.sample import Record
from stack.settings import PROJECT
from tests.onboarding.payments import payments


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the dbt project with two datasets added: one with all that a header can have, one with nothing."""
    folder = tmp_path_factory.mktemp("added")
    leave = shutil.ignore_patterns("target", "logs")
    shutil.copytree(PROJECT / "dbt_project", folder / "dbt_project", ignore=leave)
    bare = [Record(None, b'{"n": 1}')] * 30
    for name, sample in (("payments", payments(100)), ("bare", bare)):
        write(files(name, name, 3, describe(sample), folder / "datasets", folder / "dbt_project"))
    return folder


def test_the_dataset_is_valid_and_says_what_was_found(written: Path) -> None:
    found = load("payments", written / "datasets")
    assert (found.event_id, found.event_type, found.event_time.field, found.key.field) == (
        "uuid", "kind", "occurredAt", "iban",
    )  # fmt: skip
    [live] = found.golds
    assert (found.mode, live.table, live.typed, live.key) == ("upsert", "payments_current", True, ["iban"])
    bare = load("bare", written / "datasets")
    assert (bare.mode, bare.golds) == ("append", [])
    assert (bare.event_id, bare.event_type, bare.event_time, bare.key.field, bare.key.required) == (None,) * 4 + (
        False,
    )


def test_dbt_reads_it_and_each_model_has_a_unit_test_and_described_columns(written: Path) -> None:
    project = str(written / "dbt_project")
    done = dbtRunner().invoke([
        "parse", "--project-dir", project, "--profiles-dir", project, "--target", "ci", "--quiet", "--warn-error",
        "--target-path", str(written / "target"), "--log-path", str(written / "logs"), "--no-partial-parse",
    ])  # fmt: skip
    assert done.success, done.exception
    manifest = done.result
    ours = [node for node in manifest.nodes.values() if node.resource_type == "model" and {"payments", "bare"} & {
        *node.name.removeprefix("stg_").split("_")
    }]  # fmt: skip
    assert len(ours) == 6
    assert all(node.description.startswith("One row per ") for node in ours)
    assert all(of.description for node in ours for of in node.columns.values())
    assert {node.name for node in ours} <= {unit.model for unit in manifest.unit_tests.values()}


def test_its_sql_is_formatted_as_the_house_does(written: Path) -> None:
    shutil.copy(PROJECT / "dbt_project" / ".sqlfluff", written)
    listed = [str(p.relative_to(written)) for p in written.rglob("*.sql") if "payments" in p.name or "bare" in p.name]
    done = subprocess.run(
        [sys.executable, "-m", "sqlfluff", "lint", *listed, "--nocolor"], cwd=written, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_nothing_is_overwritten(written: Path) -> None:
    with pytest.raises(InTheWay, match=r"payments\.yml is there already"):
        files("payments", "payments", 3, describe(payments(50)), written / "datasets", written / "dbt_project")
