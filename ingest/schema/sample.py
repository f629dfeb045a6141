"""Which bodies of a range its schema is read from.

They ride in the scan that the merge makes anyway: a scan of their own would decode every body once more to pick some.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspark.sql import Observation
from pyspark.sql import functions as F

from ingest.datasets import Dataset
from ingest.transforms.blame import blaming
from ingest.transforms.steps import applied

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

SAMPLE = 1_000
"""Bodies of a range, at least, where it has as many."""
LARGEST = 256 << 10
"""Bytes of a body that is looked at."""
PATIENCE = 10.0
"""Seconds that Spark's listeners have, after a merge, to say what was noted."""


class Sampled(NamedTuple):
    """A body and where it came from, in the order of time."""

    topic_epoch: int
    at: int
    """Of Kafka, in microseconds."""
    kafka_partition: int
    kafka_offset: int
    body: str


class Riding:
    """A sample of about `size` rows, taken by whatever reads them. One use."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._seen: Observation | None = None

    def on(self, events: DataFrame) -> DataFrame:
        """The same rows, of which some are noted as they pass."""
        self._seen = Observation()
        picked = F.when(_picked(self.size) & F.col("error").isNull() & _short(), _noted())
        return events.observe(self._seen, F.to_json(F.collect_list(picked)).alias("sampled"))

    def taken(self) -> list[Sampled] | None:
        """What was noted, once the rows were read. None where nothing tells, as of rows of which none was readable."""
        if self._seen is None:
            return None
        seen = self._seen._jo  # `Observation.get` waits for ever, and fails on an empty row
        deadline = time.monotonic() + PATIENCE
        while not seen.future().isCompleted():
            if time.monotonic() > deadline:
                return None
            time.sleep(0.005)
        noted = seen.getRow()
        return sorted(Sampled(**row) for row in json.loads(noted.getString(0))) if noted.length() else None


def sample(rows: DataFrame, size: int, dataset: Dataset) -> list[Sampled]:
    """One to two SAMPLEs of readable rows of a range of about `size`, spread over its offsets, in the order of time; as
    golds see them. TransformFailed where one of the dataset's transforms fails on a row.
    """
    picked = rows.where(_picked(size)).where(F.col("error").isNull() & _short())
    with blaming(lambda: picked, dataset):
        return sorted(Sampled(*row.it) for row in applied(picked, dataset).select(_noted().alias("it")).collect())


def since(sampled: list[Sampled]) -> dict[str, Any]:
    """The newest topic epoch of the rows, and per partition their lowest offset in it."""
    epoch = max(row.topic_epoch for row in sampled)
    offsets: dict[str, int] = {}
    for row in sampled:
        if row.topic_epoch == epoch:
            partition = str(row.kafka_partition)
            offsets[partition] = min(row.kafka_offset, offsets.get(partition, row.kafka_offset))
    return {"topic_epoch": epoch, "offsets": dict(sorted(offsets.items()))}


def _picked(size: int) -> Column:
    """Asked before anything looks at the bodies of the others."""
    one_in = 1 << max(0, (size // SAMPLE).bit_length() - 1)  # few different ones: each is code that Spark compiles
    return F.expr(f"pmod(xxhash64(kafka_partition, kafka_offset), {one_in}) = 0")


def _short() -> Column:
    return F.octet_length("body") <= LARGEST


def _noted() -> Column:
    at = F.unix_micros("kafka_timestamp").alias("at")
    return F.struct("topic_epoch", at, "kafka_partition", "kafka_offset", "body")
