"""If these fail, a person's decision about a schema can't be made over HTTP, is made twice, or by nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.schema import store
from ingest.schema.compare import changes
from ingest.schema.infer import infer
from ingest.schema.version import refused
from stack.settings import Settings
from tests.ingest.registry.service import Service

pytestmark = pytest.mark.integration
NAME = f"decided_{os.getpid()}"
TABLE = f"{NAME}_events"
KNOWN, SEEN = (infer([body] * 200) for body in ('{"id": 1, "a": 1}', '{"id": 1, "a": "x"}'))


@pytest.fixture
def service(lake_stack: Settings, tmp_path: Path) -> Iterator[Service]:
    """Datasets in SQLite; versions where the ingester keeps them. One version holds, one is blocked."""
    running = Service(tmp_path)
    typed = {"table": f"{NAME}_current", "key": ["entity"], "typed": True}
    document = {"name": NAME, "topic": NAME, "mode": "upsert", "event_time": {"field": "at", "unit": "seconds"}}
    answer = running.ask("POST", "/datasets", document | {"bronze": {"table": TABLE}, "golds": [typed]})
    assert answer.status_code == 201, answer.text
    first = store.record(TABLE, KNOWN, "INITIAL")
    store.activate(TABLE, first.number)
    store.record(TABLE, SEEN, "BLOCKED", changes(KNOWN, SEEN), based_on=first.number)
    yield running
    running.close()


def seen(service: Service) -> tuple[str, dict[int, str]]:
    """The ETag of the versions, and the status of each."""
    answer = service.ask("GET", f"/schemas/{TABLE}", token="r1")
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"], {one["number"]: one["status"] for one in answer.json()["versions"]}


def kind(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rsplit(":", 1)[1]


def test_versions_are_shown_decided_on_once_and_audited(service: Service) -> None:
    etag, before = seen(service)
    assert before == {1: "ACTIVE", 2: "BLOCKED"}
    shown = service.get(f"/schemas/bronze.{TABLE}")
    assert (shown["active"], shown["blocked"], shown["versions"][1]["changes"][0]["kind"]) == (1, 2, "retyped")
    accept, back = (f"/schemas/{TABLE}/{what}" for what in ("accept", "rollback"))

    assert kind(service.ask("POST", accept, {"version": 2})) == (428, "if-match-needed")
    assert kind(service.ask("POST", accept, {"version": 2}, "w1", '"x"')) == (412, "stale")
    assert kind(service.ask("POST", accept, {"version": 2}, "r1", etag)) == (403, "read-only")
    assert kind(service.ask("POST", accept, {"version": 9}, "w1", etag)) == (404, "no-such-version")
    assert kind(service.ask("POST", accept, {"version": 1}, "w1", etag)) == (409, "stale-version")
    assert kind(service.ask("POST", back, {"to": 2}, "w1", etag)) == (409, "stale-version")
    assert kind(service.ask("POST", back, {"version": 2}, "w1", etag)) == (422, "invalid")
    assert kind(service.ask("GET", "/schemas/nothing")) == (404, "no-such-table")
    assert seen(service) == (etag, before)

    for path, body, after in (
        (accept, {"version": 2}, {1: "RETIRED", 2: "ACTIVE"}),
        (back, {"to": 1}, {1: "ACTIVE", 2: "RETIRED"}),
    ):
        etag, before = seen(service)
        dry = service.ask("POST", f"{path}?dry_run=true", body, "w1", etag)
        assert (dry.status_code, seen(service)) == (200, (etag, before)), dry.text
        done = service.ask("POST", path, body, "w2", etag)
        assert seen(service) == (done.headers["ETag"], after)
        assert done.json() == dry.json() | {"dry_run": False}
        assert kind(service.ask("POST", path, body, "w2", etag)) == (412, "stale")
    assert [(one["who"], one["action"]) for one in service.get(f"/audit?dataset={NAME}")["audit"]] == [
        ("ben", "rollback_schema"), ("ben", "accept_schema"), ("ana", "register"),
    ]  # fmt: skip
    assert store.versions(TABLE)[0].decided_by == "ben"

    add = {"table": f"{NAME}_current", "action": "add_column"}
    add |= {"column": {"name": "coupon", "type": "string", "description": "-"}}
    drop = {"table": f"{NAME}_current", "action": "drop_column", "column": "coupon"}
    for body, numbers in ((add, [3]), (drop, [4, 5])):
        etag, before = seen(service)
        dry = service.ask("POST", "/ddl?dry_run=true", body, "w1", etag)
        assert (dry.status_code, seen(service)) == (200, (etag, before)), dry.text
        assert kind(service.ask("POST", "/ddl", body)) == (428, "if-match-needed")
        done = service.ask("POST", "/ddl", body, "w1", etag)
        assert done.json() == dry.json() | {"dry_run": False}
        assert seen(service)[0] == done.headers["ETag"]
        assert sorted(set(seen(service)[1]) - set(before)) == numbers
        assert kind(service.ask("POST", "/ddl", body, "w1", etag)) == (412, "stale")
        assert ("coupon" in store.active(TABLE).body.fields) == (body is add)
    again = changes(store.active(TABLE).body, infer(['{"id": 1, "a": 1, "coupon": "x"}'] * 200))
    assert {(change.kind, change.path) for change in again} <= refused(store.versions(TABLE))

    etag = seen(service)[0]
    assert kind(service.ask("POST", "/ddl", drop, "w1", etag)) == (404, "no-such-column")
    assert kind(service.ask("POST", "/ddl", drop | {"column": "absorbed"}, "w1", etag)) == (409, "column-needed")
    odd = add | {"column": {"name": "at", "type": "interval", "description": "-"}}
    assert kind(service.ask("POST", "/ddl", odd, "w1", etag)) == (422, "invalid")
    store.record(TABLE, SEEN, "BLOCKED", changes(KNOWN, SEEN), based_on=store.active(TABLE).number)
    assert kind(service.ask("POST", "/ddl", add, "w1", seen(service)[0])) == (409, "stale-version")
