"""If these fail, a typed gold misses a column that its stream has gained, or its table is not what bronze says."""

from __future__ import annotations

import io
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F
from rich.console import Console
from rich.progress import Progress

from ingest.datasets import Dataset, Key
from ingest.generators.broker import ensure_topic
from ingest.generators.records import Record
from ingest.generators.sending import Sender
from ingest.replay import compare
from ingest.run import DatasetRun
from ingest.schema import store
from ingest.schema.check import SchemaBlocked
from ingest.schema.compare import Policy
from ingest.schema.typed import taken
from ingest.schema.version import waiting
from ingest.stream import Pace
from ingest.verify.dead_letters import make
from ingest.verify.run import verify_dataset
from ingest.verify.typed import as_made
from ingest.verify.warehouse import Warehouse
from stack.settings import Settings
from tests.ingest.schema import devices

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.integration
PATIENCE = 300  # seconds; a quiet machine needs a few


def send(stack: Settings, dataset: Dataset, records: list[Record]) -> None:
    largest = ensure_topic(stack.kafka_bootstrap_servers, dataset.topic, dataset.partitions).largest_batch
    with Sender(stack.kafka_bootstrap_servers, dataset.topic, largest, io.StringIO()) as sender:
        sender.send(iter(records))


def is_equal(spark: SparkSession, stack: Settings, dataset: Dataset) -> bool:
    """By a replay, and by the recomputation on Trino."""
    replayed = compare(spark, dataset, dataset.golds[0], None, 10_000, lambda _: None)
    with Progress(console=Console(quiet=True)) as progress:
        report = verify_dataset(dataset, stack, progress)
    assert report.verdict == "equal", report.model_dump_json(indent=1)
    return replayed.is_equal


def new_firmware(one: dict[str, Any]) -> None:
    one.update(firmware="1.2", batteryLevel=one["batteryLevel"] + 0.5)


def other_types(one: dict[str, Any]) -> None:
    one.update(firmware="2.0", batteryLevel="low")
    one["reading"]["celsius"] = {"value": one["reading"]["celsius"], "at": [1.0, 2]}


@pytest.mark.timeout(1200)
def test_a_typed_gold_gains_columns_and_types_while_it_runs(spark: SparkSession, lake_stack: Settings) -> None:
    dataset = devices.dataset(f"devices_{uuid.uuid4().hex[:6]}")
    table = f"lake.{dataset.golds[0].identifier}"
    stop = threading.Event()
    send(lake_stack, dataset, devices.records(0, 200))
    run = DatasetRun(spark, lake_stack, dataset, Pace(0.3, 400, 400), stop, wait=False)
    run.start()

    def is_there(column: str, value: object) -> bool:
        try:
            rows = spark.table(table)
            return column in rows.columns and not rows.where(F.col(column) == value).isEmpty()
        except AnalysisException:  # there is no table yet, or its columns change while it is looked at
            return False

    def until(column: str, value: object, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_there(column, value):
            assert run.is_alive() and time.monotonic() < deadline, f"waited for {what}: {run.outcome.failure}"
            time.sleep(0.3)

    try:
        until("event_id", "e-199", "the first rows")
        assert dict(spark.table(table).dtypes)["battery_level"] == "bigint"
        send(lake_stack, dataset, devices.records(200, 150, new_firmware, odd=0.05))
        until("firmware", "1.2", "the new column")
        assert dict(spark.table(table).dtypes)["battery_level"] == "double"

        send(lake_stack, dataset, devices.records(350, 150, other_types))
        while (blocked := waiting(store.versions(dataset.bronze.table))) is None:
            time.sleep(0.3)
        assert spark.table(table).where("firmware = '2.0'").isEmpty()
        store.accept(dataset.bronze.table, blocked.number, "a test")
        until("event_id", "e-499", "the last event")
        assert dict(spark.table(table).dtypes)["battery_level"] == "string"
    finally:
        stop.set()
        run.join(PATIENCE)
    assert run.outcome.failure is None
    assert is_equal(spark, lake_stack, dataset)
    warehouse = Warehouse(lake_stack)
    gold = as_made(dataset, dataset.golds[0], warehouse)
    reasons = make(dataset, gold, warehouse)
    assert reasons and all(reason.startswith("untyped: ") for reason in reasons)
    # Counted by Spark's reading of the bodies, which is the fold's: bronze is what was typed and the dead letters.
    events = spark.table(f"lake.{dataset.bronze.identifier}")
    types = ", ".join(f"`{source}` {field.ddl()}" for source, field in taken(gold, gold.body).values())
    parsed = F.from_json("body", f"{types}, bad string", {"columnNameOfCorruptRecord": "bad"})
    is_typed = F.col("error").isNotNull() | parsed["bad"].isNull()  # a tombstone's error is that it has no body
    typed = events.where(is_typed).count()
    assert typed + sum(reasons.values()) == events.count() == 500


def low(one: dict[str, Any]) -> None:
    one.update(batteryLevel="low")


def no_reading(one: dict[str, Any]) -> None:
    one.update(reading="none")


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_under_a_policy_it_goes_on_without_the_frozen_value_and_the_quarantined_rows(
    spark: SparkSession, lake_stack: Settings
) -> None:
    policy = Policy(fields={"batteryLevel": "freeze", "reading": "quarantine"})
    dataset = devices.dataset(f"ruled_{uuid.uuid4().hex[:6]}").model_copy(update={"policy": policy})
    events = [*devices.records(0, 200), *devices.records(200, 150, low), *devices.records(350, 150, no_reading)]
    send(lake_stack, dataset, [*events, *devices.records(500, 100, odd=0.1)])
    run = DatasetRun(spark, lake_stack, dataset, Pace(0.3, 200, 200, once=True), threading.Event(), wait=False)
    run.run()
    assert run.outcome.failure is None
    assert [one.status for one in store.versions(dataset.bronze.table)] == ["ACTIVE"]
    assert is_equal(spark, lake_stack, dataset)
    warehouse = Warehouse(lake_stack)
    reasons = make(dataset, as_made(dataset, dataset.golds[0], warehouse), warehouse)
    assert reasons["quarantined: reading"] >= 150 and "untyped: batteryLevel" not in reasons


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_a_changed_key_stops_it_until_it_is_accepted_and_then_it_is_rebuilt(
    spark: SparkSession, lake_stack: Settings
) -> None:
    dataset = devices.dataset(f"keyed_{uuid.uuid4().hex[:6]}")
    (gold,) = dataset.golds
    other = {"key": Key(field="serial"), "golds": [gold.model_copy(update={"key": ["serial"]})]}
    changed = dataset.model_copy(update=other)
    table = f"lake.{gold.identifier}"

    def drained(of: Dataset, first: int, count: int) -> BaseException | None:
        send(lake_stack, of, devices.records(first, count, lambda one: one.update(serial=one["device_id"])))
        run = DatasetRun(spark, lake_stack, of, Pace(0.3, 200, 200, once=True), threading.Event(), wait=False)
        run.run()
        return run.outcome.failure

    assert drained(dataset, 0, 200) is None
    before = spark.table(table).orderBy("device_id").collect()
    for first in (200, 250):
        assert isinstance(drained(changed, first, 50), SchemaBlocked)
        assert spark.table(table).orderBy("device_id").collect() == before
        assert spark.table(f"lake.{dataset.bronze.identifier}").count() == first + 50
    blocked = waiting(store.versions(dataset.bronze.table))
    assert [(change.kind, change.path, change.now) for change in blocked.changes] == [("key", "device_id", "serial")]
    store.accept(dataset.bronze.table, blocked.number, "a test")
    assert drained(changed, 300, 50) is None
    assert "device_id" in spark.table(table).columns  # the field of that name, which is a column like others now
    assert spark.table(table).where("serial is null").isEmpty()
    assert not spark.table(table).where("event_id = 'e-349'").isEmpty()
    assert is_equal(spark, lake_stack, changed)


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_transforms_are_of_its_types_too_and_another_type_by_them_waits_for_a_person(
    spark: SparkSession, lake_stack: Settings
) -> None:
    dataset = devices.dataset(f"masked_{uuid.uuid4().hex[:6]}").model_copy(
        update={"transforms": [{"cast": {"order": "string"}}, {"mask": {"fields": ["labels"]}}]}
    )
    (gold,) = dataset.golds
    table, bronze = f"lake.{gold.identifier}", f"lake.{dataset.bronze.identifier}"
    masked = dataset.model_copy(
        update={"transforms": [*dataset.transforms, {"mask": {"fields": ["batteryLevel"], "by": "hidden"}}]}
    )

    def drained(of: Dataset, first: int, count: int) -> BaseException | None:
        send(lake_stack, of, devices.records(first, count))
        run = DatasetRun(spark, lake_stack, of, Pace(0.3, 200, 200, once=True), threading.Event(), wait=False)
        run.run()
        return run.outcome.failure

    def held(*columns: str) -> set[tuple]:
        return {tuple(row) for row in spark.table(table).select(*columns).distinct().collect()}

    def told(of: Dataset) -> tuple[bool, str, str]:
        """What a replay says, and the verification on Trino, and why."""
        with Progress(console=Console(quiet=True)) as progress:
            report = verify_dataset(of, lake_stack, progress)
        replayed = compare(spark, of, gold, None, 10_000, lambda _: None)
        return replayed.is_equal, report.verdict, report.golds[0].compared_by

    incomplete = True, "incomplete", f"lake replay {gold.table} --verify"
    assert drained(dataset, 0, 200) is None
    assert dict(spark.table(table).dtypes)["order"] == "string" and held("labels") == {("***",)}
    newest = "select entity_key, max(cast(get_json_object(body, '$.order') as int))"
    sent = {tuple(row) for row in spark.sql(f"{newest} from {bronze} group by 1").collect()}
    assert {(one, int(order)) for one, order in held("device_id", "order")} == sent
    assert told(dataset) == incomplete

    before = held("device_id", "order", "battery_level")
    assert isinstance(drained(masked, 200, 50), SchemaBlocked)
    assert held("device_id", "order", "battery_level") == before
    blocked = waiting(store.versions(dataset.bronze.table))
    assert [(change.kind, change.path) for change in blocked.changes] == [("retyped", "batteryLevel")]
    store.accept(dataset.bronze.table, blocked.number, "a test")
    assert drained(masked, 250, 50) is None
    assert held("battery_level") == {("hidden",)} and max(int(order) for (order,) in held("order")) == 299
    assert told(masked) == incomplete
