"""A person's decisions about a stream, kept in `ops.stream_decisions`: a recreated topic, records that expired unread.

The ingester only reads them; `lake verify` honours them.
"""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingest.datasets import Dataset
from ingest.fence import Offsets
from ingest.publish import load
from ingest.tables import TOPIC_EPOCH, TOPIC_ID, current_epoch, exists
from ingest.topics import AcceptedGap, Topic
from stack.settings import CATALOG

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TABLE = "ops.stream_decisions"
_SCHEMA = (
    "dataset string, kind string, topic_id string, topic_epoch int, kafka_partition int, from_offset bigint, "
    "to_offset bigint, reason string, decided_by string, decided_at timestamp"
)


def accepted_gaps(spark: SparkSession, dataset: str, epoch: int) -> list[AcceptedGap]:
    """The offsets that were declared gone in this epoch of the dataset's topic."""
    if not exists(spark, TABLE):
        return []
    rows = spark.table(f"{CATALOG}.{TABLE}").where(
        f"dataset = '{dataset}' and kind = 'accept_gap' and topic_epoch = {epoch}"
    )
    return [AcceptedGap(r.kafka_partition, r.from_offset, r.to_offset) for r in rows.collect()]


def find_gaps(topic: Topic, fence: Offsets) -> list[AcceptedGap]:
    """What expired between bronze's fence and the first offset that the broker still has."""
    return [
        AcceptedGap(partition, fence[partition] + 1, begin - 1)
        for partition, begin in sorted(topic.begin.items())
        if partition in fence and begin > fence[partition] + 1
    ]


def record_gaps(
    spark: SparkSession, dataset: Dataset, topic: Topic, epoch: int, gaps: list[AcceptedGap], why: str
) -> None:
    """Record that the records of `gaps` are gone for good."""
    _record(spark, [
        (dataset.name, "accept_gap", topic.topic_id, epoch, gap.partition, gap.first, gap.last, why) for gap in gaps
    ])  # fmt: skip


def needs_epoch(spark: SparkSession, dataset: Dataset, topic: Topic) -> bool:
    """Whether the topic is another one than bronze was read from, or no longer has what bronze holds."""
    held = current_epoch(spark, dataset.bronze.identifier)
    return topic.topic_id != held.topic_id or any(topic.end.get(p, 0) <= high for p, high in held.fence.items())


def begin_epoch(spark: SparkSession, dataset: Dataset, topic: Topic, why: str) -> int:
    """Read `topic` as a new epoch from its first record on; the epoch's number."""
    table = load(spark, dataset.bronze.identifier)
    epoch = int(table.properties().get(TOPIC_EPOCH)) + 1
    _record(spark, [(dataset.name, "new_epoch", topic.topic_id, epoch, None, None, None, why)])
    table.updateProperties().set(TOPIC_ID, topic.topic_id).set(TOPIC_EPOCH, str(epoch)).commit()
    return epoch


def _record(spark: SparkSession, rows: list[tuple]) -> None:
    spark.sql(f"create namespace if not exists {CATALOG}.ops")
    spark.sql(f"create table if not exists {CATALOG}.{TABLE} ({_SCHEMA}) using iceberg")
    by, at = getpass.getuser(), datetime.now(UTC)
    spark.createDataFrame([(*row, by, at) for row in rows], _SCHEMA).writeTo(f"{CATALOG}.{TABLE}").append()
