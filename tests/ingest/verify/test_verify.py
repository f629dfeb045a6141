"""`lake verify` on engines: if these fail it calls a wrong lake right, or a right one wrong."""
from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from ingest import verify_cli
from stack.settings import settings

pytestmark = pytest.mark.integration

A, B = 20, 21  # offsets of partition 0 in the current epoch
HERE = "where topic_epoch = 2 and kafka_partition = 0 and kafka_offset"


@pytest.fixture
def lake_verify(world, monkeypatch):
    """`lake verify <arguments>` over the world's dataset."""
    monkeypatch.setattr(verify_cli, "datasets_named", lambda _names: [world.dataset])
    settings.cache_clear()
    app = typer.Typer()
    app.command()(verify_cli.verify)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_a_right_world_is_equal(world, lake_verify) -> None:
    answer = lake_verify("--json")
    report = json.loads(answer.stdout)
    assert (answer.exit_code, report["verdict"]) == (0, "equal"), answer.stdout
    [dataset] = report["datasets"]
    bronze, [gold] = dataset["bronze"], dataset["golds"]
    assert bronze["broker_records"] == bronze["compared_rows"] > 500
    assert bronze["broker_hash"] == bronze["compared_hash"]
    assert bronze["earlier_epoch_rows"] > 100
    assert gold["live_rows"] == gold["recomputed_rows"] == 220
    assert gold["live_hash"] == gold["recomputed_hash"]
    assert gold["pending_rows"] == 0
    people = lake_verify()
    assert people.exit_code == 0
    assert "of an earlier epoch" in people.stdout


# What is planted in bronze, and what must be said of it: counts, and (kind, parts) of the examples.
BRONZE_FAULTS = {
    "a lost row": ([f"delete from {{t}} {HERE} = {A}"], {"missing": 1}, [("missing", [])]),
    "a doubled row": ([f"insert into {{t}} select * from {{t}} {HERE} = {A}"], {"doubled": 1}, [("doubled", [])]),
    "a loss made up for by a double": (
        [f"delete from {{t}} {HERE} = {A}", f"insert into {{t}} select * from {{t}} {HERE} = {B}"],
        {"missing": 1, "doubled": 1},
        [("missing", []), ("doubled", [])],
    ),
    "a changed body": (
        [f"update {{t}} set body = replace(body, 'event_type', 'Event_type') {HERE} = {A}"],
        {"changed": 1},
        [("changed", ["body"])],
    ),
    "bodies swapped between offsets": (
        [
            f"""merge into {{t}} as t using (
                select {A} + {B} - kafka_offset as place, body as other from {{t}} {HERE} in ({A}, {B})
            ) as s on t.topic_epoch = 2 and t.kafka_partition = 0 and t.kafka_offset = s.place
            when matched then update set body = s.other"""
        ],
        {"changed": 2},
        [("changed", ["body"]), ("changed", ["body"])],
    ),
    "a row that the broker never had": (
        [
            f"update {{t}} set kafka_partition = 1 {HERE} = 1",
            "delete from {t} where topic_epoch = 2 and kafka_partition = 1 and kafka_offset = 3",
        ],
        {"missing": 2, "changed": 1},
        None,
    ),
    "a changed key, time and header": (
        [
            f"update {{t}} set entity_key = 'other' {HERE} = {A}",
            f"update {{t}} set kafka_timestamp = kafka_timestamp + interval '1' second {HERE} = {B}",
            "update {t} set kafka_headers = array[row('trace', x'00')] "
            f"{HERE} = (select max(kafka_offset) from {{t}} {HERE} < 100 and cardinality(kafka_headers) > 0)",
        ],
        {"changed": 3},
        None,
    ),
    "an earlier epoch's row doubled": (
        ["insert into {t} select * from {t} where topic_epoch = 1 and kafka_offset = 5000"],
        {"doubled": 1},
        [("doubled", [])],
    ),
}


@pytest.mark.parametrize("fault", BRONZE_FAULTS)
def test_a_fault_planted_in_bronze_is_named(world, lake_verify, fault: str) -> None:
    statements, counts, examples = BRONZE_FAULTS[fault]
    with world.spoiled(world.bronze, *statements):
        answer = lake_verify("--json")
    bronze = json.loads(answer.stdout)["datasets"][0]["bronze"]
    assert (answer.exit_code, bronze["verdict"]) == (1, "different")
    found = {kind: bronze[kind] for kind in ("missing", "extra", "changed", "doubled") if bronze[kind]}
    assert found == counts, bronze["examples"]
    if examples is not None:
        assert [(example["kind"], example["parts"]) for example in bronze["examples"]] == examples
    place = {(example["partition"], example["offset"]) for example in bronze["examples"]}
    assert place <= {(0, A), (0, B), (0, 1), (1, 1), (1, 3), (0, 5000)} or "header" in fault


# An order in the middle of partition 0, so that no fence rests on it.
ORDER = "where order_id = 'ord-008'"
GOLD_FAULTS = {
    "a wrong status": ([f"update {{t}} set current_status = 'LOST' {ORDER}"], "differing", "current_status"),
    "a wrong rejected count": (
        [f"update {{t}} set rejected_events = rejected_events + 1 {ORDER}"],
        "differing",
        "rejected_events",
    ),
    "a missing row": ([f"delete from {{t}} {ORDER}"], "missing", "*"),
    "an extra row": (
        [f"update {{t}} set order_id = 'ord-never' {ORDER}", f"insert into {{t}} select * from {{t}} {ORDER}"],
        "extra",
        "*",
    ),
    "a doubled row": ([f"insert into {{t}} select * from {{t}} {ORDER}"], "doubled", "*"),
    "a wrong amount": (
        [f"update {{t}} set total_amount = coalesce(total_amount, 0) + 0.01 {ORDER}"],
        "differing",
        "total_amount",
    ),
    "a null where a value was": ([f"update {{t}} set updated_at = null {ORDER}"], "differing", "updated_at"),
    "a forgotten event id": (
        [f"update {{t}} set seen_event_ids = slice(seen_event_ids, 2, 99) {ORDER}"],
        "differing",
        "seen_event_ids",
    ),
    "a wrong position": ([f"update {{t}} set absorbed = map(array[0], array[0]) {ORDER}"], "differing", "absorbed"),
    "wrong items": (
        [
            "update {t} set items = array[cast(row('SKU-1', 1, 1.00, null)"
            f" as row(sku varchar, quantity bigint, unit_price decimal(18, 2), category varchar))] {ORDER}"
        ],
        "differing",
        "items",
    ),
}


@pytest.mark.parametrize("fault", GOLD_FAULTS)
def test_a_fault_planted_in_gold_is_named(world, lake_verify, fault: str) -> None:
    statements, kind, column = GOLD_FAULTS[fault]
    with world.spoiled(world.gold, *statements):
        answer = lake_verify("--json")
    [dataset] = json.loads(answer.stdout)["datasets"]
    [gold] = dataset["golds"]
    assert (answer.exit_code, dataset["bronze"]["verdict"], gold["verdict"]) == (1, "equal", "different")
    assert gold[kind] == 1, gold["examples"]
    assert column in {example["column"] for example in gold["examples"]}
    assert {example["key"] for example in gold["examples"]} <= {"ord-008", "ord-never"}


def test_gold_that_has_absorbed_more_than_bronze_holds_is_a_problem(world, lake_verify) -> None:
    with world.spoiled(world.gold, f"update {{t}} set absorbed = map(array[0], array[999999]) {ORDER}"):
        answer = lake_verify()
    assert answer.exit_code == 1
    assert "it has absorbed offsets that bronze does not hold" in answer.stdout


def test_gold_behind_bronze_is_equal_and_says_so(world) -> None:
    """All that partition 1 gave in this epoch is taken back from gold, as if it were not absorbed yet."""
    untouched = "where topic_epoch = 2 and contains(map_keys(absorbed), 1)"
    with world.spoiled(world.gold, f"delete from {{t}} {untouched}") as report:
        [gold] = report.golds
        assert gold.pending_rows > 100
        assert 1 not in gold.absorbed


def test_a_gap_that_a_person_accepted_is_honoured(world, lake_verify) -> None:
    world.sql("create schema if not exists lake.ops")
    world.sql(
        "create table if not exists lake.ops.stream_decisions (dataset varchar, kind varchar, topic_id varchar,"
        " topic_epoch integer, kafka_partition integer, from_offset bigint, to_offset bigint, reason varchar,"
        " decided_by varchar, decided_at timestamp(6) with time zone)"
    )
    with world.spoiled(world.bronze, f"delete from {{t}} {HERE} between {A} and {B}"):
        assert lake_verify().exit_code == 1
        world.sql(
            "insert into lake.ops.stream_decisions values"
            f" ('verified', 'accept_gap', 't', 2, 0, {A}, {B}, 'test', 'me', current_timestamp)"
        )
        try:
            answer = lake_verify("--json")
        finally:
            world.sql("delete from lake.ops.stream_decisions where dataset = 'verified'")
    bronze = json.loads(answer.stdout)["datasets"][0]["bronze"]
    assert (bronze["verdict"], bronze["accepted_missing"]) == ("equal", 2)


def test_a_recreated_topic_is_not_compared_but_named(world, lake_verify) -> None:
    properties = world.warehouse.properties(world.dataset.bronze.identifier)
    world.declare(topic_id="another")
    try:
        answer = lake_verify()
    finally:
        world.declare(topic_id=properties["lake.topic-id"])
    assert answer.exit_code == 1
    assert "was recreated" in answer.stdout


def test_expired_records_are_counted_not_missed(world) -> None:
    """Last of the tests of one world: what the broker has dropped does not come back."""
    from kafka import KafkaAdminClient, TopicPartition

    admin = KafkaAdminClient(bootstrap_servers=world.settings.kafka_bootstrap_servers)
    admin.delete_records({TopicPartition(world.dataset.topic, 0): 15})
    with world.spoiled(world.bronze, f"insert into {{t}} select * from {{t}} {HERE} = 3") as report:
        assert report.bronze.expired_rows == 16
        assert (report.bronze.doubled, report.bronze.missing) == (1, 0)
    report = world.verify()
    assert (report.verdict, report.bronze.expired_rows) == ("equal", 15)
    with world.spoiled(world.bronze, f"delete from {{t}} {HERE} = {A}") as report:
        assert report.bronze.missing == 1


def test_no_bronze_is_a_sentence(world, lake_verify, monkeypatch) -> None:
    bronze = world.dataset.bronze.model_copy(update={"table": "nowhere"})
    elsewhere = world.dataset.model_copy(update={"bronze": bronze})
    monkeypatch.setattr(verify_cli, "datasets_named", lambda _names: [elsewhere])
    answer = lake_verify()
    assert answer.exit_code == 1
    assert "bronze.nowhere does not exist yet" in answer.stderr
