"""`lake verify` where nothing can be compared, or not all: a sentence and an exit code, never a traceback, and never
`equal` for what nobody has looked at."""
from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import typer
from rich.progress import Progress
from typer.testing import CliRunner, Result

from ingest import verify_cli
from ingest.datasets import Gold, load
from ingest.verify import run as verify_run
from ingest.verify.cut import Cut
from ingest.verify.report import BronzeReport, GoldReport
from ingest.verify.warehouse import TableAbsent
from stack.settings import DATASETS, Settings

app = typer.Typer()
app.command()(verify_cli.verify)
VISITS = load("user_events", DATASETS)
ORDERS = load("orders", DATASETS).model_copy(update={"transforms": [{"filter": "event_type is not null"}]})


def test_an_unknown_dataset_names_the_known() -> None:
    answer = CliRunner().invoke(app, ["nonsense"])
    assert answer.exit_code == 2
    assert "orders" in answer.stderr


def test_no_engine_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_cli, "settings", lambda: Settings(trino_port=1, kafka_port=1))
    answer = CliRunner().invoke(app, ["orders"])
    assert answer.exit_code == 5
    assert "Trino at 127.0.0.1:1 does not answer" in answer.stderr
    others = [line for line in answer.stderr.strip().splitlines() if not line.startswith("the dataset registry at")]
    assert len(others) == 1


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`lake verify` of orders with transforms and visits without, where this many records lack in bronze."""

    def run(*arguments: str, missing: int = 0) -> Result:
        bronze = BronzeReport(table="b", snapshot=1, topic="t", topic_epoch=1, missing=missing)
        monkeypatch.setattr(verify_cli, "datasets_named", lambda names: [ORDERS, VISITS])
        monkeypatch.setattr(verify_run, "Warehouse", lambda settings: None)
        monkeypatch.setattr(verify_run, "take", lambda *_: Cut("b", 1, {}, None, 1))
        monkeypatch.setattr(verify_run, "verify_bronze", lambda *_: bronze)
        monkeypatch.setattr(verify_run, "verify_gold", lambda *given: GoldReport(table=given[3].identifier))
        return CliRunner().invoke(app, arguments)

    return run


def test_a_gold_that_could_not_be_compared_is_not_called_equal(verified: Callable[..., Result]) -> None:
    answer = verified("--json")
    report = json.loads(answer.stdout)
    orders, visits = report["datasets"]
    assert (orders["golds"][0]["verdict"], orders["verdict"]) == ("not compared", "incomplete")
    assert {gold["verdict"] for gold in visits["golds"]} | {visits["verdict"]} == {"equal"}
    assert (answer.exit_code, report["verdict"]) == (0, "incomplete")
    assert report["not_compared"] == ["lake replay orders_current --verify"]
    *_, last = verified().stdout.strip().splitlines()
    assert last == "incomplete: 1 gold was not compared; run lake replay orders_current --verify"


def test_a_difference_counts_more_than_what_was_not_compared(verified: Callable[..., Result]) -> None:
    answer = verified(missing=1)
    *_, last = answer.stdout.strip().splitlines()
    assert (answer.exit_code, last.split(":")[0]) == (1, "different")
    assert "lake replay orders_current --verify" in last


def test_a_gold_whose_new_key_waits_for_a_person_is_not_called_different(monkeypatch: pytest.MonkeyPatch) -> None:
    keyed = [Gold(table=name, key=["visitor_id"], typed=True) for name in ("blocked", "agreed", "not_there")]
    table = {"gold.blocked": {"lake.key": "session_id"}, "gold.agreed": {"lake.key": "visitor_id"}}

    class Tables:
        def properties(self, identifier: str) -> dict[str, str]:
            if identifier not in table:
                raise TableAbsent(identifier)
            return table[identifier]

    visits = VISITS.model_copy(update={"golds": keyed})
    monkeypatch.setattr(verify_run, "as_made", lambda _dataset, gold, _warehouse: gold)
    monkeypatch.setattr(verify_run, "Warehouse", lambda settings: Tables())
    monkeypatch.setattr(verify_run, "take", lambda *_: Cut("b", 1, {}, None, 1))
    bronze = BronzeReport(table="b", snapshot=1, topic="t", topic_epoch=1)
    monkeypatch.setattr(verify_run, "verify_bronze", lambda *_: bronze)
    monkeypatch.setattr(verify_run, "verify_gold", lambda *given: GoldReport(table=given[3].identifier))
    blocked, *others = verify_run.verify_dataset(visits, Settings(), Progress()).golds
    assert (blocked.verdict, blocked.compared_by) == ("not compared", "lake schema accept user_events")
    assert "one session_id each" in blocked.not_compared
    assert [gold.verdict for gold in others] == ["equal", "equal"]
