"""If this fails, a topic nobody has seen before does not become a tested mart by commands alone, or takes too long."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from ingest.verify.warehouse import Warehouse
from onboarding.sample import Record
from stack.dbt import Dbt
from stack.faults import Fault
from stack.settings import PROJECT, Settings
from tests.onboarding.payments import MIDNIGHT, START, payments

pytestmark = pytest.mark.integration
PROMISED = 300
"""Seconds from a topic with unknown JSON to rows in a tested mart."""


def send(servers: str, topic: str, records: list[Record]) -> None:
    with KafkaAdminClient(bootstrap_servers=servers) as admin:
        admin.create_topics({topic: {"num_partitions": 2}}, wait_for_metadata=True)
    producer = KafkaProducer(bootstrap_servers=servers)
    for record in records:
        producer.send(topic, record.value, record.key)
    producer.close()


def test_an_unknown_topic_becomes_a_tested_mart(lake_stack: Settings, tmp_path: Path, run_lake: Callable) -> None:
    sent = payments(400)
    send(lake_stack.kafka_bootstrap_servers, "payments", [*sent, Record(b"NL01BANK", b'{"uuid":')])
    project = tmp_path / "dbt_project"
    shutil.copytree(PROJECT / "dbt_project", project, ignore=shutil.ignore_patterns("target", "logs"))
    mine = {"LAKE_DATASETS": str(tmp_path / "datasets")}

    began = time.monotonic()
    said = json.loads(
        run_lake("dataset", "add", "payments", "--project", str(project), "--json", environment=mine).stdout
    )
    assert said["event_time"] == "occurredAt" and said["written"]
    run_lake("ingest", "payments", "--once", environment=mine)
    dbt = Dbt(lake_stack, tmp_path / "dbt", {"LAKE_SCHEMA_PREFIX": "added_"}, "ci", project)
    results = dbt.run("build", "--select", "+payments_daily")
    taken = time.monotonic() - began

    warehouse = Warehouse(lake_stack)
    counted = warehouse.rows(
        "select cast(event_date as varchar), sum(event_count) from added_gold.payments_daily group by 1 order by 1"
    )
    # Ten seconds apart from an hour before midnight; one in ten was sent twice.
    assert counted == [[f"{START:%Y-%m-%d}", 360], [f"{MIDNIGHT:%Y-%m-%d}", 40]]
    keys = {record.key.decode() for record in sent}
    assert {row[0] for row in warehouse.rows("select iban from gold.payments_current where amount is not null")} == keys
    dead = "select error, count(*) from added_silver.stg_payments__events where error is not null group by 1"
    assert warehouse.rows(dead) == [["bad_json", 1]]
    tests = {one.node.name for one in results if str(one.status) == "pass"}
    assert "assert_every_record_of_payments_is_in_silver_or_a_dead_letter" in tests and len(tests) >= 8
    assert taken < PROMISED

    # Planted: a record that is lost on its way, and one that comes twice instead.
    lost = "assert_every_record_of_payments_is_in_silver_or_a_dead_letter"
    warehouse.rows("delete from added_silver.payments_events where kafka_partition = 0 and kafka_offset = 1")
    with pytest.raises(Fault, match=lost):
        dbt.run("test", "--select", lost)
    warehouse.rows(
        "insert into added_silver.payments_events select * from added_silver.payments_events"
        " where kafka_partition = 0 and kafka_offset = 2"
    )
    with pytest.raises(Fault, match=lost):
        dbt.run("test", "--select", lost)
