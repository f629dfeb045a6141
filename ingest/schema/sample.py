"""Which rows of a range its schema is read from.

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
    """A row and where it came from, in the order of time: its body, or bronze's error where it is a dead letter."""

    topic_epoch: int
    at: int
    """Of Kafka, in microseconds."""
    kafka_partition: int
    kafka_offset: int
    body: str = ""
    error: str = ""


class Riding:
    """A sample of about `size` rows of a dataset, taken by whatever reads them."""

    def __init__(self, size: int, dataset: Dataset) -> None:
        self.size, self.dataset = size, dataset
        self._seen: list[Observation] = []

    def on(self, rows: DataFrame) -> DataFrame:
        """Bronze rows, of which some are noted as they pass."""
        self._seen = []
        dead = _dead(self.dataset)
        return self._noting(rows, dead if self.dataset.transforms else dead | _readable())

    def on_transformed(self, events: DataFrame) -> DataFrame:
        """What the dataset's transforms have made of them: those are the bodies that golds see."""
        return self._noting(events, _readable()) if self.dataset.transforms else events

    def _noting(self, rows: DataFrame, which: Column) -> DataFrame:
        self._seen.append(Observation())
        noted = F.collect_list(F.when(_picked(self.size) & which, _noted()))
        return rows.observe(self._seen[-1], F.to_json(noted).alias("noted"))

    def taken(self) -> list[Sampled] | None:
        """What was noted, once the rows were read. None where nothing tells."""
        found = [_told(seen) for seen in self._seen]
        if not found or None in found:
            return None
        return sorted(Sampled(**row) for noted in found for row in noted)


def _told(observation: Observation) -> list[dict[str, Any]] | None:
    """What an observation of rows that were read has noted; None where its part of the plan was never run."""
    seen = observation._jo  # `Observation.get` waits for ever, and fails on an empty row
    deadline = time.monotonic() + PATIENCE
    while not seen.future().isCompleted():
        if time.monotonic() > deadline:
            return None
        time.sleep(0.005)
    row = seen.getRow()
    return json.loads(row.getString(0)) if row.length() else None


def sample(rows: DataFrame, size: int, dataset: Dataset) -> list[Sampled]:
    """One to two SAMPLEs of a range of about `size`, spread over its offsets, in the order of time; as golds see them.
    TransformFailed where one of the dataset's transforms fails on a row.
    """
    picked = rows.where(_picked(size))
    with blaming(lambda: picked.where(_readable()), dataset):
        bodies, noted = applied(picked.where(_readable()), dataset), F.to_json(_noted()).alias("noted")
        found = bodies.select(noted).union(picked.where(_dead(dataset)).select(noted)).collect()
    return sorted(Sampled(**json.loads(row.noted)) for row in found)


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


def _readable() -> Column:
    return F.col("error").isNull() & (F.octet_length("body") <= LARGEST)


def _dead(dataset: Dataset) -> Column:
    """A tombstone that deletes is what it should be."""
    return F.col("error") != ("null_value" if dataset.on_tombstone == "delete" else "")


def _noted() -> Column:
    """What is noted of a row; as JSON, the fields of a Sampled."""
    at = F.coalesce(F.unix_micros("kafka_timestamp"), F.lit(0)).alias("at")  # JSON leaves nulls out
    body = F.when(F.col("error").isNull(), F.col("body")).alias("body")
    return F.struct("topic_epoch", at, "kafka_partition", "kafka_offset", body, "error")
