"""If these fail, a dataset is registered whose topic nobody makes, or a topic is made for what nobody registered."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from ingest.registry import topics
from ingest.registry.problems import Problem
from ingest.topics import Broker
from stack.settings import Settings
from tests.conftest import free_ports
from tests.ingest.registry.service import RETURNS, Service


def registered(service: Service, **fields: Any) -> tuple[int, Any]:
    dry_run = "?dry_run=true" if fields.pop("dry_run", False) else ""
    answer = service.ask("POST", f"/datasets{dry_run}", RETURNS | fields)
    return answer.status_code, answer.json().get("topic", answer.json())


def test_a_registration_makes_the_topic_that_is_missing(service: Service) -> None:
    wanted = {"name": "returns", "partitions": 3, "created": True}
    assert registered(service, partitions=3, dry_run=True) == (200, wanted)
    assert service.topics == {}
    assert registered(service, partitions=3) == (201, wanted)
    assert service.topics == {"returns": 3}


def test_a_topic_that_is_there_stays_as_it_is(service: Service) -> None:
    service.topics["returns"] = 7
    assert registered(service, partitions=3) == (201, {"name": "returns", "partitions": 7, "created": False})


def test_without_a_broker_nothing_is_registered(service: Service) -> None:
    before = service.get("/datasets"), service.get("/audit")
    for dry_run in (True, False):
        status, problem = registered(service, kafkaTopic="refused", dry_run=dry_run)
        assert (status, problem["type"]) == (503, "urn:millrace:problem:no-broker")
    assert (service.get("/datasets"), service.get("/audit")) == before
    assert registered(service)[0] == 201


def test_for_what_is_refused_no_topic_is_made(service: Service) -> None:
    assert registered(service, name="orders")[0] == 409
    assert registered(service, name="raw_events")[0] == 409
    assert service.topics == {}


def test_a_port_where_nobody_listens_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "ANSWER_MS", 300)
    with pytest.raises(Problem, match="nothing was registered") as refused:
        topics.ensure(f"127.0.0.1:{free_ports(1)[0]}", "returns", 1, dry_run=False)
    assert refused.value.status == 503


@pytest.mark.integration
def test_at_the_broker_it_is_made_once_and_a_dry_run_makes_none(lake_stack: Settings) -> None:
    name, servers = f"made_{uuid.uuid4().hex[:6]}", lake_stack.kafka_bootstrap_servers
    assert topics.ensure(servers, name, 3, dry_run=True).created
    assert topics.ensure(servers, name, 3, dry_run=False) == topics.Topic(name=name, partitions=3, created=True)
    again = topics.Topic(name=name, partitions=3, created=False)
    assert [topics.ensure(servers, name, 5, dry_run=dry_run) for dry_run in (True, False)] == [again, again]
    broker = Broker(servers)
    assert broker.topic(name).end == {0: 0, 1: 0, 2: 0}
    broker.close()
    with pytest.raises(Problem, match="refuses the topic") as refused:
        topics.ensure(servers, f"{name}_none", 0, dry_run=False)
    assert refused.value.status == 409
