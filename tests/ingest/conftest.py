"""One Spark session for every test that needs none of its own, on the shared stack's catalog."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from stack.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark(lake_stack: Settings) -> Iterator[SparkSession]:
    """The ingester's own session, so that what is tested is what runs."""
    from ingest.spark import session

    spark = session(lake_stack, "tests")
    yield spark
    spark.stop()
