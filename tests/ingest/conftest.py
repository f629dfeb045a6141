"""One Spark session for every test that needs none of its own, on the shared stack's catalog."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from stack.settings import Settings
from tests.ingest.faults.case import FAST_START

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark(lake_stack: Settings) -> Iterator[SparkSession]:
    """The ingester's own session, so that what is tested is what runs."""
    from ingest.spark import session

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JAVA_TOOL_OPTIONS", os.environ.get("JAVA_TOOL_OPTIONS", FAST_START))
        spark = session(lake_stack, "tests")
    yield spark
    spark.stop()
