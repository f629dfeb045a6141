"""If these fail, the registry takes what the stream can't follow, loses one of two changes, or refuses without reason.

On SQLite: nothing here is PostgreSQL's own. tests/ingest/registry/test_following.py has it as `lake up` runs it.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import create_engine

from ingest.registry import store
from ingest.registry.app import application
from onboarding.requested import requested
from tests.ingest.registry.service import RETURNS, Service, TestClient

OFF = {"table": "orders_events", "action": "disable_upsert"}
ON = {"table": "orders_current", "action": "enable_upsert"}
KEY = {"table": "user_events", "action": "change_key", "key": {"field": "visitor_id", "required": True}}
COLUMN = {"name": "coupon", "type": "string", "description": "What was taken off"}


def state(service: Service) -> tuple[Any, Any]:
    """All that a change would change."""
    return service.get("/datasets"), service.get("/audit")


def problem(answer: Any, status: int, kind: str) -> dict:
    """The problem document of an answer, which must be one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert (said["status"], said["type"]) == (status, f"urn:millrace:problem:{kind}")
    assert said["title"] and said["detail"]
    return said


def test_the_files_are_what_it_begins_with(service: Service) -> None:
    names = [one["name"] for one in service.get("/datasets")["datasets"]]
    assert names == ["content_events", "orders", "user_events"]
    assert service.get("/drift") == {"drift": []}
    assert service.ask("GET", "/health", token="").json() == {
        "status": "ok", "datasets": 3, "drifting": 0, "refused": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("table", "layer"), [("orders_events", "bronze"), ("bronze.orders_events", "bronze"), ("orders_current", "gold")]
)
def test_a_table_says_whose_it_is(service: Service, table: str, layer: str) -> None:
    said = service.get(f"/config/{table}")
    assert (said["name"], said["layer"], said["config"]["topic"]) == ("orders", layer, "orders")
    problem(service.ask("GET", "/config/gold.orders_events"), 404, "no-such-table")


def test_a_registration_in_short_is_a_whole_dataset(service: Service) -> None:
    answer = service.ask("POST", "/datasets", RETURNS)
    assert answer.status_code == 201
    config = service.get("/config/returns_events")
    assert answer.headers["ETag"] == config["etag"]
    assert config["config"]["key"] == {"field": "id", "required": True}
    assert config["config"]["bronze"] == {"table": "returns_events", "partition_by": "day"}


def test_a_document_in_full_is_what_a_file_says(service: Service) -> None:
    document = yaml.safe_load((service.files / "orders.yml").read_text()) | {"name": "more", "topic": "more"}
    document["bronze"]["table"] = "more_events"
    document["golds"][0] |= {"table": "more_current", "sql": "orders_current"}
    assert service.ask("POST", "/datasets", document).status_code == 201
    assert service.get("/config/more_current")["config"]["partitions"] == 4


def test_golds_are_switched_off_and_on_again_as_they_were(service: Service) -> None:
    before = service.get("/config/orders_current")
    off = service.ask("POST", "/dml", OFF, etag=before["etag"])
    assert (off.status_code, service.get("/config/orders_current")["golds_switched_off"]) == (200, ["orders_current"])
    assert service.get("/config/orders_events")["config"]["golds"] == []
    assert service.ask("POST", "/dml", ON, etag=off.headers["ETag"]).status_code == 200
    assert service.get("/config/orders_current")["config"] == before["config"]


def test_a_key_changes_unless_rows_are_made_by_it(service: Service) -> None:
    assert service.ask("POST", "/dml", KEY, etag=service.etag("user_events")).status_code == 200
    assert service.get("/config/user_events")["config"]["key"]["field"] == "visitor_id"
    of_orders = {"table": "orders_events", "action": "change_key", "key": {"field": "user_id"}}
    said = problem(service.ask("POST", "/dml", of_orders, etag=service.etag()), 409, "edit-the-sql")
    assert "ingest/gold/orders_current.sql" in said["detail"]


def test_what_is_removed_is_read_no_longer_and_may_come_back(service: Service) -> None:
    etag = service.etag()
    assert service.ask("DELETE", "/datasets/orders", etag=etag).status_code == 200
    assert "orders" not in [one["name"] for one in service.get("/datasets")["datasets"]]
    problem(service.ask("GET", "/config/orders_events"), 404, "no-such-table")
    assert service.ask("POST", "/datasets/orders/file").status_code == 200
    assert service.etag() != etag  # it is another state, though it looks the same
    assert service.get("/drift") == {"drift": []}


REFUSED = {
    "an unknown field": (("POST", "/datasets", RETURNS | {"colour": "red"}), 422, "invalid", "colour"),
    "a wrong topic": (("POST", "/datasets", RETURNS | {"kafkaTopic": "a topic"}), 422, "invalid", "topic"),
    "transforms": (("POST", "/datasets", RETURNS | {"transforms": ["mask"]}), 422, "invalid", "transforms.0"),
    "two keys": (("POST", "/datasets", RETURNS | {"pkFields": ["a", "b"]}), 422, "invalid", "pkFields"),
    "no body": (("POST", "/datasets"), 422, "invalid", "body"),
    "a list": (("POST", "/datasets", []), 422, "invalid", "body"),
    "half a document": (("POST", "/datasets", {"name": "half"}), 422, "invalid", "topic"),
    "a dataset that is there": (("POST", "/datasets", RETURNS | {"name": "orders"}), 409, "exists", None),
    "another's table": (("POST", "/datasets", RETURNS | {"name": "raw_events"}), 409, "table-taken", None),
    "an unknown change": (("POST", "/dml", OFF | {"action": "truncate"}), 422, "invalid", "body"),
    "an unknown table": (("POST", "/dml", OFF | {"table": "nothing"}), 404, "no-such-table", None),
    "a dataset that isn't there": (("DELETE", "/datasets/nothing"), 404, "no-such-dataset", None),
    "a file that isn't there": (("POST", "/datasets/nothing/file"), 404, "no-such-file", None),
    "no If-Match": (("POST", "/dml", OFF), 428, "if-match-needed", None),
    "no If-Match to remove": (("DELETE", "/datasets/orders"), 428, "if-match-needed", None),
    "no If-Match for the file": (("POST", "/datasets/orders/file"), 428, "if-match-needed", None),
    "a stale If-Match": (("POST", "/dml", OFF, "w1", '"0-0"'), 412, "stale", None),
    "no token": (("POST", "/datasets", RETURNS, ""), 401, "no-token", None),
    "nobody's token": (("GET", "/datasets", None, "x"), 401, "no-token", None),
    "a reader who writes": (("POST", "/datasets", RETURNS, "r1"), 403, "read-only", None),
    "a reader who removes": (("DELETE", "/datasets/orders", None, "r1", "*"), 403, "read-only", None),
    "an unknown path": (("GET", "/nothing"), 404, "not-found", None),
    "a wrong method": (("PUT", "/datasets"), 405, "method-not-allowed", None),
    "a wrong number": (("GET", "/audit?limit=many"), 422, "invalid", "limit"),
}


def test_a_refusal_is_a_problem_document_and_changes_nothing(service: Service) -> None:
    before = state(service)
    for name, (request, status, kind, field) in REFUSED.items():
        said = problem(service.ask(*request), status, kind)
        assert field is None or field in [one["field"] for one in said["errors"]], name
    assert state(service) == before


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ({"table": "orders_current", "action": "add_column", "column": COLUMN}, "edit-the-sql", 409),
        ({"table": "gold.orders_current", "action": "drop_column", "column": "items"}, "edit-the-sql", 409),
        ({"table": "orders_events", "action": "add_column", "column": COLUMN}, "bronze-is-fixed", 422),
    ],
)
def test_columns_that_sql_or_the_header_decide_are_refused(
    service: Service, body: dict, kind: str, status: int
) -> None:
    said = problem(service.ask("POST", "/ddl", body, etag=service.etag()), status, kind)
    assert said["errors"][0]["field"] == "table"


def test_a_dry_run_answers_what_the_change_would_and_changes_nothing(service: Service) -> None:
    for request in (
        ("POST", "/datasets", RETURNS),
        ("POST", "/dml", OFF, "w1", "*"),
        ("POST", "/dml", KEY, "w1", "*"),
        ("DELETE", "/datasets/orders", None, "w1", "*"),
    ):
        method, path, *rest = request
        before = state(service)
        dry = service.ask(method, f"{path}?dry_run=true", *rest)
        assert (dry.status_code, state(service)) == (200, before), path
        assert dry.json()["dry_run"]
        done = service.ask(*request).json()
        assert done["changes"] == dry.json()["changes"] != [], path
        assert (done["version"], done["etag"]) == (dry.json()["version"], dry.json()["etag"])
        service.ask("POST", "/datasets/orders/file", etag="*")
    problem(service.ask("POST", "/dml?dry_run=true", OFF), 428, "if-match-needed")


def test_changes_are_told_field_by_field(service: Service) -> None:
    said = service.ask("POST", "/dml?dry_run=true", KEY, etag="*").json()["changes"]
    assert said == [
        {"field": "key.field", "before": "user_id", "after": "visitor_id"},
        {"field": "key.required", "before": False, "after": True},
    ]


def test_the_audit_has_every_change_and_who_made_it(service: Service) -> None:
    seeded = len(service.get("/audit")["audit"])
    before = service.get("/config/orders_events")["config"]
    service.ask("POST", "/dml", OFF, "w1", service.etag())
    between = service.get("/config/orders_events")["config"]
    service.ask("POST", "/dml", ON, "w2", service.etag())
    service.ask("POST", "/dml", ON, "w2", service.etag())  # changes nothing
    service.ask("DELETE", "/datasets/orders", None, "w1", service.etag())
    found = service.get("/audit?dataset=orders")["audit"]
    assert [(one["who"], one["action"]) for one in found] == [
        ("ana", "remove"), ("ben", "enable_upsert"), ("ana", "disable_upsert"), ("orders.yml", "seed"),
    ]  # fmt: skip
    assert [one["before"] for one in found] == [before, between, before, None]
    assert [one["after"] for one in found] == [None, before, between, before]
    assert len(service.get("/audit")["audit"]) == seeded + 3
    assert service.get(f"/audit?limit=1&before={found[1]['id']}")["audit"] == [found[2]]


def test_an_etag_is_the_same_as_long_as_nothing_changes(service: Service) -> None:
    for path in ("/datasets", "/config/orders_events"):
        etag = service.ask("GET", path).headers["ETag"]
        asked = {"Authorization": "Bearer r1", "If-None-Match": etag}
        same = service.client.get(path, headers=asked | {"If-None-Match": f'"another", {etag}'})
        assert (same.status_code, same.headers["ETag"], same.content) == (304, etag, b"")
        service.ask("POST", "/dml", OFF, etag=service.etag())
        assert service.client.get(path, headers=asked).status_code == 200
        service.ask("POST", "/dml", ON, etag=service.etag())
        assert service.client.get(path, headers=asked).status_code == 200


def test_of_writers_who_saw_the_same_state_one_wins(service: Service) -> None:
    for _round in range(4):
        etag = service.etag("user_events")
        keys = [KEY | {"key": {"field": f"field_{_round}_{number}"}} for number in range(4)]
        assert service.at_once(*(("POST", "/dml", key, "w1", etag) for key in keys)) == [200, 412, 412, 412]


def test_of_two_who_register_the_same_one_wins(service: Service) -> None:
    assert service.at_once(("POST", "/datasets", RETURNS), ("POST", "/datasets", RETURNS, "w2")) == [201, 409]
    of_one_table = [{"name": "a_b", "kafkaTopic": "x"}, {"name": "a_b_events", "kafkaTopic": "x"}]
    assert service.at_once(*(("POST", "/datasets", body) for body in of_one_table)) == [201, 409]


def test_the_tests_above_see_a_lost_update(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "must_match", lambda row, etags: None)
    etag = service.etag("user_events")
    keys = [KEY | {"key": {"field": f"field_{number}"}} for number in range(2)]
    assert service.at_once(*(("POST", "/dml", key, "w1", etag) for key in keys)) == [200, 200]


def test_a_typed_gold_has_the_key_that_its_dataset_has(service: Service) -> None:
    typed = {"table": "typed_current", "key": ["user_id"], "typed": True}
    document = service.get("/config/user_events")["config"] | {"name": "typed", "golds": [typed]}
    document["bronze"]["table"] = "typed_events"
    assert service.ask("POST", "/datasets", document).status_code == 201
    said = service.ask("POST", "/dml?dry_run=true", KEY | {"table": "typed_current"}, etag="*").json()["changes"]
    assert {"field": "golds.typed_current.key", "before": ["user_id"], "after": ["visitor_id"]} in said
    document |= {"name": "parted", "golds": [typed | {"table": "parted_current", "buckets": 4}]}
    document["bronze"]["table"] = "parted_events"
    assert service.ask("POST", "/datasets", document).status_code == 201
    problem(service.ask("POST", "/dml", KEY | {"table": "parted_current"}, etag="*"), 409, "key-partitions")


def test_a_gold_without_its_sql_is_refused(service: Service) -> None:
    document = copy.deepcopy(service.get("/config/orders_current")["config"])
    document |= {"name": "more"}
    document["bronze"]["table"], document["golds"][0]["table"] = "more_events", "more_current"
    said = problem(service.ask("POST", "/datasets", document), 422, "no-fold")
    assert "ingest/gold/more_current.sql" in said["detail"]


def test_without_a_database_it_says_so(service: Service, tmp_path: Path) -> None:
    nowhere = create_engine("postgresql+psycopg://nobody:x@127.0.0.1:1/none", connect_args={"connect_timeout": 1})
    with TestClient(application(service.settings, requested, nowhere)) as client:
        problem(client.get("/health"), 503, "starting")
        problem(client.get("/datasets", headers={"Authorization": "Bearer r1"}), 503, "no-database")


def test_a_bug_is_a_problem_document_too_and_tells_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.registry.routes.etag_of", lambda rows: 1 / 0)
    assert "division" not in problem(service.ask("GET", "/datasets"), 500, "internal")["detail"]


def test_the_page_shows_every_request_and_asks_no_other_server(service: Service) -> None:
    page = service.client.get("/docs").text
    document = service.client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()} {path}</code>" in page
    assert "<script" not in page and "https:" not in page
