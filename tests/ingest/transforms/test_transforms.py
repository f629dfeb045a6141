"""If these fail, a transform lets through what it was to hide, or one that fails is not found in a million records."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pyspark.sql import functions as F

from bench.gold_table import append_events, live, new_dataset
from ingest.datasets import Dataset, load
from ingest.fold import definition, has_same_transforms
from ingest.live import LiveGold
from ingest.replay import compare
from ingest.schema.sample import sample
from ingest.transforms import steps
from ingest.transforms.steps import TransformFailed, applied, function_of
from stack.settings import PROJECT

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ORDERS = PROJECT / "ingest" / "datasets" / "orders.yml"
KEY = "000102030405060708090a0b0c0d0e0f"
BODY = {"user_id": "u-1", "total_amount": "299.50", "items": [{"sku": "a", "quantity": 2}], "note": None}


def orders(*transforms: dict[str, Any]) -> Dataset:
    return load("orders", ORDERS.parent).model_copy(update={"transforms": list(transforms)})


@pytest.mark.parametrize("wrong", [["mask"], [{"mask": {}, "cast": {}}], [{}], [{"Mask!": "x"}], [{"filter": 3}]])
def test_a_mistake_in_the_list_is_said(tmp_path: Path, wrong: list) -> None:
    (tmp_path / "orders.yml").write_text(yaml.safe_dump(yaml.safe_load(ORDERS.read_text()) | {"transforms": wrong}))
    with pytest.raises(ValueError, match=r"orders\.yml is not a valid dataset"):
        load("orders", tmp_path)


def test_other_transforms_are_another_fold_and_none_is_the_one_there_was() -> None:
    gold = orders().golds[0]
    found = [
        definition(gold),
        definition(gold, []),
        definition(gold, [{"filter": "a"}]),
        definition(gold, [{"filter": "b"}]),
    ]
    assert found[0] == found[1]
    assert len(set(found)) == 3
    assert not any(has_same_transforms(*two) for two in itertools.combinations(found[1:], 2))
    of_another_fold = definition(gold.model_copy(update={"key": ["user_id"]}), [{"filter": "a"}])
    assert of_another_fold != found[2] and has_same_transforms(of_another_fold, found[2])


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Entry points as a package of a person's own would declare them."""
    found = [
        EntryPoint("louder", "tests.ingest.transforms.test_transforms:louder", steps.GROUP),
        EntryPoint("moves", "tests.ingest.transforms.test_transforms:moves", steps.GROUP),
        EntryPoint("narrows", "tests.ingest.transforms.test_transforms:narrows", steps.GROUP),
    ]
    monkeypatch.setattr(steps, "entry_points", lambda group: found if group == steps.GROUP else [])
    function_of.cache_clear()
    yield
    function_of.cache_clear()


def louder(rows: DataFrame, by: int) -> DataFrame:
    return rows.withColumn("event_type", F.concat("event_type", F.lit("!" * by)))


def moves(rows: DataFrame, to: str) -> DataFrame:
    return rows.withColumn("kafka_offset", F.lit(int(to)).cast("bigint")).withColumn("entity_key", F.lit("x"))


def narrows(rows: DataFrame, column: str) -> DataFrame:
    return rows.drop(column)


def test_a_name_that_is_nobody_s_names_those_there_are(others: None) -> None:
    with pytest.raises(TransformFailed, match="no transform 'hash'; known: cast, decrypt, filter, java, louder, mask"):
        function_of("hash")


@pytest.fixture
def rows(spark: SparkSession) -> DataFrame:
    """Readable rows: an order's body with every field, one without, and one without a body."""
    bodies = [json.dumps(BODY), '{"other": 1.50}', None]
    columns = "event_type string, entity_key string, topic string, topic_epoch int, kafka_partition int, "
    columns += "kafka_offset bigint, kafka_timestamp timestamp, ingested_at timestamp, body string"
    return spark.createDataFrame(
        [("ORDER_PAID", "ord-1", "orders", 1, 0, number, None, None, body) for number, body in enumerate(bodies)],
        columns,
    )


def bodies_of(rows: DataFrame, *transforms: dict[str, Any]) -> list[Any]:
    done = applied(rows, orders(*transforms)).orderBy("kafka_offset").collect()
    return [row.body and json.loads(row.body) for row in done]


@pytest.mark.integration
def test_mask_cast_and_decrypt_change_their_fields_and_nothing_else(
    spark: SparkSession, rows: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bodies_of(rows, {"mask": {"fields": ["user_id", "note"]}}, {"cast": {"total_amount": "decimal(18,2)"}})
    assert first == [BODY | {"user_id": "***", "note": "***", "total_amount": 299.5}, {"other": 1.5}, None]
    untouched = applied(rows, orders({"mask": {"fields": ["user_id"]}})).where("kafka_offset = 1").first()
    assert untouched.body == '{"other": 1.50}', "a body without the field is the text that came"
    monkeypatch.setenv("LAKE_TEST_KEY", KEY)
    secret = spark.sql(f"select base64(aes_encrypt('ü-77', unhex('{KEY}')))").first()[0]
    assert base64.b64decode(secret)
    sealed = rows.withColumn("body", F.when(F.col("kafka_offset") == 0, F.lit(json.dumps({"user_id": secret, "n": 1}))))
    assert bodies_of(sealed, {"decrypt": {"fields": ["user_id"], "key": "LAKE_TEST_KEY"}})[0] == {
        "user_id": "ü-77",
        "n": 1,
    }
    with pytest.raises(TransformFailed, match="variable LAKE_NO_KEY"):
        bodies_of(sealed, {"decrypt": {"fields": ["user_id"], "key": "LAKE_NO_KEY"}})


@pytest.mark.integration
def test_steps_follow_each_other_and_a_row_keeps_its_place(rows: DataFrame, others: None) -> None:
    chosen = [
        {"set": {"event_type": "lower(event_type)"}},
        {"louder": {"by": 2}},
        {"filter": "event_type = 'order_paid!!'"},
    ]
    done = applied(rows, orders(*chosen, {"moves": "900"})).orderBy("kafka_offset").collect()
    assert [(row.kafka_offset, row.entity_key, row.event_type) for row in done] == [
        (offset, "ord-1", "order_paid!!") for offset in range(3)
    ]
    assert applied(rows, orders(chosen[2], *chosen[:2])).count() == 0, "in another order they are another thing"


@pytest.mark.integration
@pytest.mark.parametrize(
    ("step", "why"),
    [
        ({"filter": "no_such_column = 1"}, "can't be applied.*no_such_column"),
        ({"filter": "not sql at all ("}, "can't be applied"),
        ({"mask": {"of": ["user_id"]}}, "can't be applied.*unexpected keyword"),
        ({"set": {"event_type": "1"}}, "other columns or types.*event_type"),
        ({"narrows": {"column": "body"}}, "other columns or types.*body"),
        ({"nothing": "x"}, "there is no transform 'nothing'"),
    ],
)
def test_a_step_that_can_t_be_applied_is_said_before_anything_runs(
    rows: DataFrame, others: None, step: dict[str, Any], why: str
) -> None:
    with pytest.raises(TransformFailed, match=f"transform 2.*{why}"):
        applied(rows, orders({"filter": "true"}, step))


@pytest.mark.integration
def test_the_schema_is_that_of_the_bodies_that_golds_see(rows: DataFrame) -> None:
    readable = rows.withColumn("error", F.lit(None).cast("string"))
    steps = {"filter": "kafka_offset = 0"}, {"cast": {"total_amount": "double"}}
    assert [json.loads(row.body)["total_amount"] for row in sample(readable, 3, orders(*steps))] == [299.5]
    with pytest.raises(TransformFailed, match=r"transform 2 \(set\) of orders fails at .* offset 0 .*loud"):
        sample(readable, 3, orders(steps[0], {"set": {"body": "if(kafka_offset = 0, raise_error('loud'), body)"}}))


def drain(gold: LiveGold) -> None:
    while gold.step():
        pass


@pytest.mark.integration
def test_a_gold_sees_what_its_transforms_leave_and_a_replay_the_same(spark: SparkSession) -> None:
    dataset = new_dataset(spark).model_copy(
        update={"transforms": [{"filter": "entity_key <> 'ord-3'"}, {"mask": {"fields": ["user_id"], "by": "u-?"}}]}
    )
    append_events(spark, dataset, 0, 40, 20)
    drain(live(spark, dataset))
    found = spark.table(f"lake.{dataset.golds[0].identifier}").collect()
    assert len(found) == 19
    assert {row.user_id for row in found} == {"u-?"}
    assert {row.current_status for row in found} == {"PAID"}
    assert compare(spark, dataset, dataset.golds[0], None, 10_000, lambda _cut: None).is_equal


@pytest.mark.integration
def test_the_record_that_a_transform_fails_on_is_named_and_nothing_is_absorbed_until_it_is_mended(
    spark: SparkSession,
) -> None:
    made = new_dataset(spark)
    append_events(spark, made, 0, 40, 20)
    [bad] = spark.sql(
        f"select kafka_partition, kafka_offset from lake.{made.bronze.identifier} where kafka_offset = 27"
    ).collect()
    fails = "if(kafka_offset = 27, raise_error('no such currency'), body)"
    dataset = made.model_copy(update={"transforms": [{"filter": "true"}, {"set": {"body": fails}}]})
    gold = live(spark, dataset)
    with pytest.raises(TransformFailed) as failure:
        drain(gold)
    said = str(failure.value)
    assert f"transform 2 (set) of orders fails at topic orders partition {bad.kafka_partition} offset 27" in said
    assert "no such currency" in said
    assert spark.table(f"lake.{dataset.golds[0].identifier}").count() == 0
    drain(live(spark, made))
    assert spark.table(f"lake.{dataset.golds[0].identifier}").count() == 20
