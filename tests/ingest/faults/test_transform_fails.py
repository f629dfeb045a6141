"""If this fails, a transform that fails holds bronze, or the gold goes on over the record it failed on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from java_classes import jar

from tests.ingest.faults.case import Case

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.integration
FAILS = {"set": {"body": "if(kafka_partition = 1 and kafka_offset = 60, raise_error('no such key'), body)"}}


@pytest.mark.full
def test_a_transform_that_fails_stops_its_gold_at_the_record_and_never_bronze(
    another_case: Callable[..., Case],
) -> None:
    case = another_case(transforms=[FAILS])
    case.produce(600)
    ingester = case.ingest()
    ingester.says('"dataset stopped"')
    assert f"transform 1 (set) of {case.name} fails at topic {case.topic} partition 1 offset 60" in ingester.said()
    case.produce(200)
    ingester.until(lambda: case.query("select count(*) from {bronze}") == [[800]], "bronze going on")
    assert case.query("select count(*) from {gold} where element_at(absorbed, 1) >= 60") == [[0]]
    ingester.process.send_signal(signal.SIGTERM)
    ingester.ends(4, saying="no such key")
    case.declare()
    case.drain()
    case.judge()


@pytest.mark.full
def test_a_method_in_a_jar_is_a_step_of_the_ingester_as_long_as_it_finds_the_jar(
    another_case: Callable[..., Case], spark: SparkSession, tmp_path: Path
) -> None:
    path = jar(spark, tmp_path / "example.jar")
    says = {"column": "event_type", "by": "if(kafka_partition = 1 and kafka_offset = 60, raise_error('too loud'), '')"}
    case = another_case(transforms=[{"java": {"class": "com.example.Shouts", **says}}])
    case.produce(600)
    case.ingest("--once").ends(4, saying="no class com.example.Shouts in the JARs of LAKE_SPARK_JARS")
    assert case.query("select count(*) from {bronze}") == [[600]]
    case.ingest("--once", variables={"LAKE_SPARK_JARS": f"{path}.gone"}).ends(5, saying="gone, which is no file")
    found = {"LAKE_SPARK_JARS": str(path)}
    where = f"transform 1 (java) of {case.name} fails at topic {case.topic} partition 1 offset 60"
    case.ingest("--once", variables=found).ends(4, saying=where)
    assert case.query("select count(*) from {gold} where element_at(absorbed, 1) >= 60") == [[0]]
    case.declare([{"java": {"class": "com.example.Shouts", **says, "by": "''"}}])
    case.ingest("--once", variables=found).ends(0)
    assert case.differences() == []
