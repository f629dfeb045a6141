"""If this fails, every batch compiles its plans anew, and runs them in code that is not warm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.integration
OTHERS = 60  # plans, of two classes each: three streams and their golds have more


def compiled(spark: SparkSession) -> int:
    """How many classes this driver has compiled for plans."""
    return spark._jvm.org.apache.spark.metrics.source.CodegenMetrics.METRIC_COMPILATION_TIME().getCount()


def ask(spark: SparkSession, number: int) -> None:
    spark.range(2).where(f"id * {number} > {number + 1}").collect()  # numbers stand in the code that is made


def test_a_plan_finds_its_code_again_after_many_others(spark: SparkSession) -> None:
    ask(spark, 1000)
    before = compiled(spark)
    for number in range(2000, 2000 + OTHERS):
        ask(spark, number)
    others = compiled(spark) - before
    ask(spark, 1000)
    assert others >= 2 * OTHERS
    assert compiled(spark) == before + others
