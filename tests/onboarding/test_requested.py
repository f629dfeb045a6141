"""If these fail, one request does not make all that a dataset is, or a refused one leaves some of it behind."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from ingest.topics import TopicAbsent, TopicUnavailable
from onboarding import sample
from onboarding.describe import describe
from onboarding.files import files
from stack.settings import PROJECT, Settings
from tests.ingest.registry.process import RegistryProcess
from tests.ingest.registry.service import Service
from tests.onboarding.payments import payments

WANTED = {"name": "payments", "kafkaTopic": "payments"}


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The registry over a copy of the dbt project; the topics' records are there without a broker."""
    shutil.copytree(PROJECT / "dbt_project", tmp_path / "dbt_project", ignore=shutil.ignore_patterns("target", "logs"))

    def sampled(_servers: str, topic: str, most: int) -> sample.Sample:
        if topic == "absent":
            raise TopicAbsent("topic absent does not exist; produce to it first")
        if topic == "unreachable":
            raise TopicUnavailable("Kafka does not answer")
        return sample.Sample(3, payments(100)[: 19 if topic == "few" else most])

    monkeypatch.setattr(sample, "sample", sampled)
    running = Service(tmp_path)
    yield running
    running.close()


def state(service: Service) -> tuple[Any, ...]:
    """All that a registration would change."""
    folders = service.files, service.project
    texts = {path: path.read_text() for folder in folders for path in folder.rglob("*") if path.is_file()}
    return service.get("/datasets"), service.get("/audit"), texts


def test_one_request_registers_a_dataset_and_writes_its_files(service: Service) -> None:
    expected = files("payments", "payments", 3, describe(payments(100)), service.files, service.project)
    before = state(service)
    dry = service.ask("POST", "/datasets?files=true&dry_run=true", WANTED)
    assert (dry.status_code, state(service)) == (200, before)
    done = service.ask("POST", "/datasets?files=true", WANTED)
    assert done.status_code == 201, done.text
    assert done.json()["files"] == dry.json()["files"] == [str(path) for path in expected]
    assert {path: path.read_text() for path in expected} == expected
    config = service.get("/config/payments_current")["config"]
    assert (config["event_time"]["field"], config["key"]["field"]) == ("occurredAt", "iban")
    assert service.get("/drift") == {"drift": []}
    newest = service.get("/audit")["audit"][0]
    assert (newest["who"], newest["action"], newest["after"]) == ("ana", "register", config)
    file = service.files / "payments.yml"
    file.write_text(f"{file.read_text()}max_lag: 7\n")  # yours from then on: the next start follows it
    service.begin_again()
    assert service.get("/config/payments_current")["config"] == config | {"max_lag": 7}


REFUSED = {
    "too few records": ({"kafkaTopic": "few"}, 409, "too-few-records"),
    "no topic": ({"kafkaTopic": "absent"}, 409, "too-few-records"),
    "no broker": ({"kafkaTopic": "unreachable"}, 503, "no-broker"),
    "a broker that is gone when the topic is looked at": ({"kafkaTopic": "refused"}, 503, "no-broker"),
    "no such field": ({"pkFields": ["nobody"]}, 422, "not-in-the-records"),
    "another mode": ({"mode": "append"}, 422, "not-in-the-files"),
    "transforms": ({"transforms": [{"filter": "true"}]}, 422, "not-in-the-files"),
    "another unit": ({"eventTime": {"field": "occurredAt", "unit": "seconds"}}, 422, "not-in-the-files"),
    "no name": ({"name": "Payments!"}, 422, "invalid"),
    "a dataset that is there": ({"name": "orders"}, 409, "file-exists"),
    "another's table": ({"name": "raw"}, 409, "table-taken"),
}


def test_what_is_refused_leaves_no_file_and_no_dataset(service: Service) -> None:
    before = state(service)
    for name, (other, status, kind) in REFUSED.items():
        answer = service.ask("POST", "/datasets?files=true", WANTED | other)
        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:millrace:problem:{kind}"), name
        assert state(service) == before, name
    in_full = yaml.safe_load((service.files / "orders.yml").read_text()) | {"name": "more"}
    assert service.ask("POST", "/datasets?files=true", in_full).status_code == 422


def test_the_next_step_is_said_where_the_topic_has_too_little(service: Service) -> None:
    said = service.ask("POST", "/datasets?files=true", WANTED | {"kafkaTopic": "few"}).json()["detail"]
    assert "topic few has 19 records; produce at least 20 first, and ask again" in said
    assert "register it without files, and run lake dataset add payments later" in said


def test_a_folder_that_takes_no_file_leaves_the_others_as_they_were(service: Service) -> None:
    marts = service.project / "models" / "marts"
    shutil.rmtree(marts)
    marts.write_text("a file where a folder was")
    before = state(service)
    answer = service.ask("POST", "/datasets?files=true", WANTED)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:millrace:problem:files-refused")
    assert state(service) == before


@pytest.mark.integration
@pytest.mark.full
def test_the_service_that_runs_looks_at_the_topic_itself(lake_stack: Settings, tmp_path: Path) -> None:
    topic, servers = f"asked_{uuid.uuid4().hex[:6]}", lake_stack.kafka_bootstrap_servers
    with KafkaAdminClient(bootstrap_servers=servers) as admin:
        admin.create_topics({topic: {"num_partitions": 2}}, wait_for_metadata=True)
    (tmp_path / "datasets").mkdir()
    registry = RegistryProcess(lake_stack, tmp_path / "datasets")
    registry.start()
    try:
        asked = "POST", "/datasets?files=true&dry_run=true", {"name": topic, "kafkaTopic": topic}
        with pytest.raises(AssertionError, match="has 0 records"):
            registry.ask(*asked)
        producer = KafkaProducer(bootstrap_servers=servers)
        for record in payments(100):
            producer.send(topic, record.value, record.key)
        producer.close()
        said = registry.ask(*asked)
    finally:
        registry.kill()
    assert said["topic"] == {"name": topic, "partitions": 2, "created": False}
    assert str(PROJECT / "dbt_project" / "models" / "marts" / f"{topic}_daily.sql") in said["files"], json.dumps(said)
