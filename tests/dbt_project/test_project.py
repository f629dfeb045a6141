"""What can be said of the dbt project without an engine: it parses without warnings and follows the house's rules."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dbt.cli.main import dbtRunner

from ingest.datasets import load

PROJECT = Path(__file__).resolve().parents[2]
DBT_PROJECT = PROJECT / "dbt_project"


def parse(tmp_path, target="ci"):
    result = dbtRunner().invoke([
        "parse", "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--target", target, "--quiet",
        "--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs"), "--no-partial-parse",
        "--warn-error", "--show-all-deprecations",
    ])  # fmt: skip
    assert result.success, result.exception
    return result.result


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("LAKE_SCHEMA_PREFIX", raising=False)
        return parse(tmp_path_factory.mktemp("dbt"))


def models(manifest):
    return [node for node in manifest.nodes.values() if node.resource_type == "model"]


def test_every_model_says_what_a_row_is(manifest):
    assert [model.name for model in models(manifest) if not model.description.startswith("One row per ")] == []


def test_schemas_are_exactly_the_layers(manifest):
    assert {(model.database, model.schema) for model in models(manifest)} == {
        ("lake", "silver"), ("lake", "gold"), ("serving", "realtime"), ("serving", "gold"),
    }  # fmt: skip


@pytest.mark.parametrize(("target", "prefix"), [("dev", "ana_"), ("prod", "")])
def test_an_analyst_can_have_schemas_of_her_own_but_prod_can_not(tmp_path, monkeypatch, target, prefix):
    monkeypatch.setenv("LAKE_SCHEMA_PREFIX", "ana_")
    schemas = {f"{prefix}{schema}" for schema in ("silver", "gold", "realtime")}
    assert {model.schema for model in models(parse(tmp_path, target))} == schemas


def test_only_staging_reads_sources_and_marts_never_read_staging(manifest):
    for model in models(manifest):
        layer = model.fqn[1]
        parents = {parent.split(".")[0] for parent in model.depends_on.nodes}
        assert ("source" in parents) == (layer == "staging"), model.name
        if layer == "marts":
            assert not any(".stg_" in parent for parent in model.depends_on.nodes), model.name


def test_what_is_served_is_a_table_or_mart_of_the_lake_with_its_name_and_columns_listed(manifest):
    served = [model for model in models(manifest) if model.fqn[1] == "serving"]
    for model in served:
        [parent] = [manifest.nodes[name] for name in model.depends_on.nodes]
        assert model.name == f"{model.fqn[2]}__{model.alias}"
        assert parent.name == model.alias or parent.name.endswith(f"__{model.alias}")
        assert set(model.config.unique_key) < set(model.columns) and "updated_at" in model.columns
    assert {model.config.materialized for model in served} == {"served"}


def test_every_model_that_decides_something_has_a_unit_test(manifest):
    tested = {unit.model for unit in manifest.unit_tests.values()}
    plain = {model.name for model in models(manifest) if "live_gold" in str(model.depends_on.nodes)}
    decides = [model for model in models(manifest) if model.fqn[1] != "serving"]
    assert {model.name for model in decides} - tested - plain == set()


def test_macros_are_documented_and_short(manifest):
    for macro in manifest.macros.values():
        if macro.package_name == "millrace" and not macro.name.startswith("test_"):
            assert len(macro.macro_sql.splitlines()) <= 25, macro.name
            dispatched = macro.name.startswith(("default__", "spark__"))
            assert macro.description or dispatched, macro.name


def test_sql_is_formatted_as_the_house_does():
    done = subprocess.run(
        [sys.executable, "-m", "sqlfluff", "lint", "dbt_project/models", "dbt_project/tests", "--nocolor"],
        cwd=PROJECT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_recent_window_of_virality_is_as_long_as_the_live_gold_s():
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text())
    [gold] = load("content_events").golds
    assert project["vars"]["virality_window_minutes"] == gold.parameters["window_minutes"]
