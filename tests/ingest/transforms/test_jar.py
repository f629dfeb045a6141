"""If these fail, a method in a JAR is not called, gets past the rules of a step, or fails without saying why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from java_classes import jar

from bench.gold_table import append_events, live, new_dataset
from ingest.datasets import Dataset, load
from ingest.spark import MissingJars, own_jars, spark_conf
from ingest.transforms.steps import TransformFailed, applied
from stack.settings import DATASETS, Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def test_jars_of_ones_own_are_spark_s_too_and_one_that_is_not_there_is_said(tmp_path: Path) -> None:
    for name in ("hadoop-bare-naked-local-fs-1.jar", "postgresql-1.jar"):
        (tmp_path / "spark").mkdir(exist_ok=True)
        (tmp_path / "spark" / name).touch()
    (tmp_path / "upper.jar").touch()
    said = Settings(home=tmp_path, downloads=tmp_path, spark_jars=f"{tmp_path}/upper.jar, {tmp_path}/lower.jar")
    with pytest.raises(MissingJars, match=r"LAKE_SPARK_JARS names \S+/lower\.jar, which is no file"):
        spark_conf(said)
    (tmp_path / "lower.jar").touch()
    named = spark_conf(said)["spark.jars"].split(",")
    assert [Path(one).name for one in named[-2:]] == ["upper.jar", "lower.jar"]
    assert own_jars(Settings(home=tmp_path)) == []


@pytest.fixture(scope="module")
def session(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    """Spark with the JAR, given to a session that runs already."""
    spark.sql(f"add jar '{jar(spark, tmp_path_factory.mktemp('jars') / 'example.jar')}'")
    return spark


@pytest.fixture
def rows(session: SparkSession) -> DataFrame:
    columns = "event_type string, entity_key string, topic string, topic_epoch int, kafka_partition int, "
    columns += "kafka_offset bigint, kafka_timestamp timestamp, ingested_at timestamp, body string"
    row = ("order_paid", "ord-1", "orders", 1, 0, 7, None, None, "{}")
    return session.createDataFrame([row], columns)


def java(**said: Any) -> dict[str, Any]:
    return {"java": {"class": "com.example.Shouts", **said}}


def orders(*transforms: dict[str, Any]) -> Dataset:
    return load("orders", DATASETS).model_copy(update={"transforms": list(transforms)})


@pytest.mark.integration
def test_the_method_is_called_with_its_options_and_a_row_keeps_its_place(rows: DataFrame) -> None:
    [row] = applied(rows, orders(java(column="event_type", by=True))).collect()
    assert (row.event_type, row.kafka_offset, row.body) == ("ORDER_PAIDtrue", 7, "{}")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"class": "com.example.Nobody"}, "applied: no class com.example.Nobody in the JARs of LAKE_SPARK_JARS"),
        ({"class": 3}, "can't be applied: say which class"),
        ({"class": "com.example.Lacks"}, "can't be applied: com.example.Lacks has no public static Dataset<Row> apply"),
        ({"class": "com.example.Instance"}, "can't be applied: com.example.Instance has no public static"),
        ({"class": "com.example.Counts"}, "can't be applied: com.example.Counts has no public static"),
        ({"class": "com.example.Empties"}, "can't be applied: com.example.Empties returns null"),
        ({"class": "com.example.Narrows"}, "it returns other columns or types than it was given: body"),
        ({}, "can't be applied: com.example.Shouts throws .*IllegalArgumentException: say which column"),
        ({"column": "no_such_column", "by": "''"}, "can't be applied: com.example.Shouts throws .*no_such_column"),
    ],
)
def test_what_is_no_step_is_said_in_one_sentence(rows: DataFrame, said: dict, why: str) -> None:
    with pytest.raises(TransformFailed, match=f"transform 2.*{why}") as failure:
        applied(rows, orders({"filter": "true"}, java(**said)))
    assert "\n" not in str(failure.value)


@pytest.mark.integration
def test_the_record_that_it_fails_on_is_named(session: SparkSession) -> None:
    made = new_dataset(session)
    append_events(session, made, 0, 40, 20)
    fails = java(column="event_type", by="if(kafka_offset = 27, raise_error('loud'), '')")
    gold = live(session, made.model_copy(update={"transforms": [fails]}))
    with pytest.raises(TransformFailed, match=r"transform 1 \(java\) of orders fails at .* offset 27 .*loud"):
        while gold.step():
            pass
    assert session.table(f"lake.{made.golds[0].identifier}").count() == 0
