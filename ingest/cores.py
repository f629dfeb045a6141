"""How the datasets of one driver share its cores, so that none waits for another's whole work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TURN_SECONDS = 10.0
"""The longest that a merge waits for others."""


def share_the_cores(spark: SparkSession, table: str) -> None:
    """Give this thread's jobs a pool of their own: within one pool, the first job takes every core that it can use."""
    spark.sparkContext.setLocalProperty("spark.scheduler.pool", table)


@contextmanager
def turn(spark: SparkSession) -> Iterator[None]:
    """One of as many merges at once as fill the places that Spark has for tasks: more of them would all end later, each
    with a range that was chosen when it began. A turn that does not come in TURN_SECONDS is taken: no gold depends on
    another.
    """
    tasks = int(spark.conf.get("spark.sql.shuffle.partitions"))
    turns = _turns(max(1, spark.sparkContext.defaultParallelism // tasks))
    has_one = turns.acquire(timeout=TURN_SECONDS)
    try:
        yield
    finally:
        if has_one:
            turns.release()


_turns = cache(threading.Semaphore)
