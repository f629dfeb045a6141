"""If these fail, somebody is called by a rule that can't fire, or finds nothing about it in the runbook."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from ingest.metrics import server  # noqa: F401  what it exports is then registered
from ingest.metrics.meters import METERS
from stack.settings import PROJECT, Settings

FOLDER = PROJECT / "dashboards"
RULES = [rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
RUNBOOK = (PROJECT / "docs" / "runbook.md").read_text()
PROMTOOL = shutil.which("promtool")
OWN = {"up"}  # of Prometheus itself
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on the PATH: apt-get install prometheus")


def names_in(expression: str) -> set[str]:
    """Metrics of an expression: words that are neither functions, keywords, labels nor in quotes."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring)\s*\([^)]*\)', " ", expression)
    return set(re.findall(r"\b[a-zA-Z_]\w*\b(?!\s*\()", bare)) - {"sum", "max", "min", "and", "or", "unless"}


def exported() -> set[str]:
    """Names that a query may use."""
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}
    return {family.name + suffix for family in METERS.collect() for suffix in suffixes[family.type]}


def anchors(page: str) -> set[str]:
    """Those of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_metrics_that_are_exported(rule: dict) -> None:
    assert names_in(rule["expr"])
    assert names_in(rule["expr"]) <= exported() | OWN


def test_a_metric_that_is_not_exported_would_be_seen() -> None:
    found = names_in('sum by (part) (rate(lake_lost_total{table=~"gold.+"}[5m])) > on (part) lake_max_lag_records')
    assert found == {"lake_lost_total", "lake_max_lag_records"}
    assert found - exported() == {"lake_lost_total"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_says_what_is_wrong_and_links_to_what_to_do(rule: dict) -> None:
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert anchor in anchors((PROJECT / page).read_text())
    assert f"| `{rule['alert']}` |" in RUNBOOK, "the runbook's section on alerts has a row for each"


def test_the_scraper_asks_where_the_ingester_answers() -> None:
    (job,) = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    port = Settings.model_fields["metrics_port"].default
    assert job["static_configs"] == [{"targets": [f"127.0.0.1:{port}"]}]
    assert any(f'job="{job["job_name"]}"' in rule["expr"] for rule in RULES)


def test_every_rule_has_a_test_of_its_own() -> None:
    tested = re.findall(r"alertname: (\w+)", (FOLDER / "alerts_test.yml").read_text())
    assert set(tested) == {rule["alert"] for rule in RULES}


@needs_promtool
@pytest.mark.parametrize(
    "arguments", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")], ids=" ".join
)
def test_promtool_finds_no_fault(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([PROMTOOL, *arguments], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_sees_a_rule_that_fires_too_late(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    rules = tmp_path / "alerts.yml"
    rules.write_text(rules.read_text().replace("lake_lag_seconds > 60", "lake_lag_seconds > 600"))
    assert subprocess.run([PROMTOOL, "test", "rules", "alerts_test.yml"], cwd=tmp_path, capture_output=True).returncode
