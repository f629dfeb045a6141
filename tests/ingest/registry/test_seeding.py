"""If these fail, a reviewed file is overruled without a word, or overrules what a person changed."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ingest.registry.tables import Registered
from tests.ingest.registry.service import Service

OFF = {"table": "orders_events", "action": "disable_upsert"}


def edit(service: Service, **fields: Any) -> None:
    """Change the file of orders."""
    path = service.files / "orders.yml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | fields))


def registered(service: Service, field: str) -> Any:
    return service.get("/config/orders_events")["config"][field]


def drift(service: Service) -> dict[str, str]:
    return {one["dataset"]: one["said"] for one in service.get("/drift")["drift"]}


def test_a_changed_file_is_shown_at_once_and_taken_over_at_the_next_start(service: Service) -> None:
    edit(service, max_lag=7)
    assert registered(service, "max_lag") == 100_000
    assert drift(service)["orders"].startswith("orders.yml has changed")
    service.begin_again()
    assert (registered(service, "max_lag"), drift(service)) == (7, {})
    assert service.get("/audit?dataset=orders")["audit"][0]["who"] == "orders.yml"


def test_what_was_changed_by_hand_holds_against_the_file(service: Service) -> None:
    service.ask("POST", "/dml", OFF, etag=service.etag())
    assert drift(service)["orders"].startswith("it has changed in the registry, which holds")
    edit(service, max_lag=7)
    service.begin_again()
    assert (registered(service, "mode"), registered(service, "max_lag")) == ("append", 100_000)
    assert drift(service)["orders"].startswith("it has changed in the registry and so has the file")
    changes = {one["field"]: (one["before"], one["after"]) for one in service.get("/drift")["drift"][0]["changes"]}
    assert changes["mode"] == ("upsert", "append") and changes["max_lag"] == (7, 100_000)


def test_the_test_above_sees_a_file_that_overrules(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Registered, "is_by_hand", False)
    service.ask("POST", "/dml", OFF, etag=service.etag())
    edit(service, max_lag=7)
    service.begin_again()
    assert registered(service, "max_lag") == 7


def test_drift_ends_by_the_file_or_by_the_registry(service: Service) -> None:
    service.ask("POST", "/dml", OFF, etag=service.etag())
    edit(service, mode="append", golds=[])
    assert drift(service) == {}
    service.begin_again()
    edit(service, max_lag=7)
    service.begin_again()  # not by hand any more: the file said the same
    assert (registered(service, "max_lag"), drift(service)) == (7, {})
    service.ask("POST", "/dml", OFF | {"action": "enable_upsert"}, etag=service.etag())
    dry = service.ask("POST", "/datasets/orders/file?dry_run=true", etag=service.etag())
    assert dry.json()["changes"][0]["field"] == "mode"
    assert service.ask("POST", "/datasets/orders/file", etag=service.etag()).status_code == 200
    assert drift(service) == {}


def test_a_new_file_is_a_new_dataset(service: Service) -> None:
    path = service.files / "returns.yml"
    document = {"name": "returns", "topic": "returns", "event_time": {"field": "at", "unit": "seconds"}}
    path.write_text(yaml.safe_dump(document | {"bronze": {"table": "returns_events"}}))
    assert "taken over at the next start" in drift(service)["returns"]
    assert service.ask("POST", "/datasets/returns/file").status_code == 200
    assert service.get("/config/returns_events")["name"] == "returns"


def test_a_file_that_is_gone_removes_nothing(service: Service) -> None:
    (service.files / "orders.yml").unlink()
    service.begin_again()
    assert registered(service, "topic") == "orders"
    assert drift(service)["orders"].startswith("its file is gone")


def test_what_was_removed_stays_removed(service: Service) -> None:
    service.ask("DELETE", "/datasets/orders", etag=service.etag())
    service.begin_again()
    assert "orders" not in [one["name"] for one in service.get("/datasets")["datasets"]]
    assert drift(service)["orders"].startswith("it was removed in the registry")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: [", "orders.yml is not a valid dataset"),
        ("name: other", "orders.yml is not a valid dataset"),
        ("", "orders.yml is not a valid dataset"),
    ],
)
def test_a_broken_file_is_said_and_stops_nobody(service: Service, text: str, said: str) -> None:
    (service.files / "orders.yml").write_text(text)
    service.begin_again()
    assert drift(service)["orders"].startswith(said)
    assert service.ask("GET", "/health", token="").json()["datasets"] == 3


def test_a_file_named_otherwise_is_said(service: Service) -> None:
    (service.files / "orders.yml").rename(service.files / "sales.yml")
    service.begin_again()
    assert "file and dataset have one name" in drift(service)["sales"]
    assert registered(service, "topic") == "orders"
