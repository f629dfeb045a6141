"""If these fail, one dataset that today's rules refuse takes the others down with it, or stops without a word."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
import yaml

from ingest import command, dataset_cli
from ingest.registry import known
from ingest.registry.known import datasets_in_effect
from ingest.registry.tables import Registered
from stack import registered
from stack.registered import Documents
from stack.settings import Settings
from tests.ingest.registry.service import Service


@pytest.fixture
def service(service: Service) -> Service:
    """Orders are registered as a model of another time took them."""
    with service.client.app.state.store.writing() as session:
        row = session.get(Registered, "orders")
        row.document = row.document | {"max_lag": -1}
    return service


@pytest.fixture
def settings(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a home that follows the service: its requests are answered in this process."""
    settings = Settings(home=tmp_path / "home", registry_url="http://testserver", registry_tokens="a:write:w1")
    monkeypatch.setattr(registered, "client", lambda: service.client)
    monkeypatch.setattr(command, "settings", lambda: settings)
    monkeypatch.setattr(dataset_cli, "settings", lambda: settings)
    return settings


def test_the_others_are_served_and_it_is_named_with_the_reason(service: Service) -> None:
    listed = service.get("/datasets")
    assert [one["name"] for one in listed["datasets"]] == ["content_events", "user_events"]
    health = service.ask("GET", "/health", token="").json()
    assert health["refused"] == listed["refused"]
    (refused,) = health["refused"]
    assert refused["name"] == "orders" and "max_lag: Input should be greater than or equal to 0" in refused["said"]
    assert {one["dataset"]: one["said"] for one in service.get("/drift")["drift"]} == {"orders": refused["said"]}
    assert service.get("/config/user_events")["name"] == "user_events"
    taken = {"name": "orders_events", "kafkaTopic": "x"}
    assert service.ask("POST", "/datasets", taken).json()["type"] == "urn:millrace:problem:table-taken"


@pytest.mark.parametrize("table", ["orders_events", "gold.orders_current"])
def test_it_is_answered_by_a_problem_document(service: Service, table: str) -> None:
    off = {"table": table, "action": "disable_upsert"}
    for answer in (service.ask("GET", f"/config/{table}"), service.ask("POST", "/dml", off, etag="*")):
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:millrace:problem:document-refused")
        assert answer.json()["errors"][0]["field"] == "max_lag"


def test_a_corrected_file_heals_it_at_the_next_start(service: Service) -> None:
    path = service.files / "orders.yml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"max_lag": 9}))
    with service.client.app.state.store.writing() as session:
        row = session.get(Registered, "orders")
        row.seed = row.document  # as its file said then
    service.begin_again()
    assert service.get("/config/orders_events")["config"]["max_lag"] == 9
    assert service.get("/drift") == {"drift": []}


def test_changed_by_hand_it_waits_for_a_person(service: Service) -> None:
    service.begin_again()
    etag = service.get("/datasets")["refused"][0]["etag"]
    assert service.ask("POST", "/datasets/orders/file", etag=etag).status_code == 200
    assert service.get("/datasets")["refused"] == []


def test_it_can_be_removed(service: Service) -> None:
    etag = service.get("/datasets")["refused"][0]["etag"]
    assert service.ask("DELETE", "/datasets/orders", etag=etag).status_code == 200
    assert service.ask("GET", "/health", token="").json()["refused"] == []


def test_what_was_known_of_it_holds_and_is_said(
    service: Service, settings: Settings, capsys: pytest.CaptureFixture
) -> None:
    orders = yaml.safe_load((service.files / "orders.yml").read_text())
    registered.keep(settings, Documents([orders | {"max_lag": 7}], "registry"))
    for _asked in range(2):  # what is kept of the first answer has it, too
        found = {dataset.name: dataset for dataset in datasets_in_effect(settings)[0]}
        assert sorted(found) == ["content_events", "orders", "user_events"]
        assert found["orders"].max_lag == 7
    command.in_effect(["user_events"])
    assert capsys.readouterr().err == ""
    command.in_effect(None)
    assert "What is registered of orders is not valid" in (said := capsys.readouterr().err)
    assert "its last known configuration holds" in said
    with pytest.raises(typer.Exit) as ended:
        dataset_cli.list_(as_json=False)
    assert (ended.value.exit_code, "DRIFT orders: What is registered" in capsys.readouterr().out) == (1, True)


def test_nothing_known_of_it_the_others_go_on(
    service: Service, settings: Settings, capsys: pytest.CaptureFixture
) -> None:
    assert [one.name for one in command.in_effect(None)[0]] == ["content_events", "user_events"]
    assert "it is left out" in capsys.readouterr().err
    with pytest.raises(ValueError, match="What is registered of orders"):
        datasets_in_effect(settings, ["orders"])


def test_what_was_known_of_it_may_be_refused_here_too(service: Service, settings: Settings) -> None:
    registered.keep(settings, Documents([{"name": "orders", "max_lag": -1}], "registry"))
    assert [one.name for one in datasets_in_effect(settings)[0]] == ["content_events", "user_events"]
    assert known.ask(settings).source == "registry"


def test_a_command_takes_the_file_over(service: Service, settings: Settings) -> None:
    assert registered.take_file_over(settings, "orders", dry_run=False)["changes"]
    assert service.get("/datasets")["refused"] == []
