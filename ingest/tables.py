"""The tables the ingester writes: how they are created. A table is born with an empty commit, so it has a snapshot.

Spark's side creates them; nothing else of the project writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.bronze import BRONZE_SCHEMA
from ingest.datasets import Dataset, Gold
from ingest.fence import Offsets, read_bronze_fence
from ingest.publish import load
from ingest.schema.typed import KEY, SCHEMA_VERSION
from stack.settings import CATALOG

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TOPIC_ID = "lake.topic-id"
TOPIC_EPOCH = "lake.topic-epoch"
FOLD = "lake.fold"

# Level 1 and a small dictionary page spend less CPU an event: ids do not repeat, so a large dictionary earns nothing.
_WRITING = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "write.parquet.compression-level": "1",
    "write.parquet.dict-size-bytes": "65536",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.distribution-mode": "none",
}
_BRONZE = {"write.spark.fanout.enabled": "true"}
_GOLD = {
    "write.merge.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.delete.mode": "merge-on-read",
    "write.merge.isolation-level": "serializable",
    "write.merge.distribution-mode": "none",
    # A merge reads the groups of rows that can have its keys: some thousand rows each, about what one merge wrote.
    "write.parquet.row-group-size-bytes": "2097152",
    # What it does read, in pieces that every core gets one of.
    "read.split.target-size": "16777216",
    "read.split.open-file-cost": "262144",
}


@dataclass(frozen=True)
class Epoch:
    """The topic a bronze is being read from: Kafka's id of it, its number, per partition the highest offset held."""

    topic_id: str
    number: int
    fence: Offsets


def current_epoch(spark: SparkSession, bronze: str, snapshot_id: int | None = None) -> Epoch:
    """The epoch that bronze is in, its fence as of a snapshot (default: main's)."""
    table = load(spark, bronze)
    properties = dict(table.properties())
    number = int(properties[TOPIC_EPOCH])
    fence = read_bronze_fence(spark, bronze, snapshot_id or table.currentSnapshot().snapshotId(), properties)
    return Epoch(properties[TOPIC_ID], number, fence.of(number))


def exists(spark: SparkSession, identifier: str) -> bool:
    """Whether `<namespace>.<table>` is in the catalog."""
    return spark.catalog.tableExists(f"{CATALOG}.{identifier}")


def create_bronze(spark: SparkSession, dataset: Dataset, topic_id: str) -> None:
    """The bronze table of `dataset`, in the first epoch of the topic `topic_id`, if it isn't there."""
    columns = [(f.name, f.dataType.simpleString(), f.metadata["comment"]) for f in BRONZE_SCHEMA.fields]
    partitioning = f"partitioned by ({dataset.bronze.partition_by}s(partition_time))"
    properties = {**_WRITING, **_BRONZE, TOPIC_ID: topic_id, TOPIC_EPOCH: "1"}
    _create(spark, dataset.bronze.identifier, columns, partitioning, properties)


def create_gold(spark: SparkSession, gold: Gold, identifier: str, fold: str) -> None:
    """A table of `gold`'s columns named `identifier` (live, or a shadow), made by the fold with the hash `fold`."""
    columns = [(c.name, c.type, c.description) for c in gold.columns]
    partitioning = f"partitioned by (bucket({gold.buckets}, {gold.key[0]}))" if gold.buckets else ""
    # By its keys a merge tells which files it may leave: the first 16 characters, the default, are often all the same.
    keys = {f"write.metadata.metrics.column.{key}": "full" for key in gold.key}
    _create(spark, identifier, columns, partitioning, {**_WRITING, **_GOLD, **keys, FOLD: fold, **version_of(gold)})


def bucketed_by(table: Any) -> str | None:
    """The column that a loaded table's buckets are of; None where it has none."""
    fields = [one for one in table.spec().fields() if one.transform().toString().startswith("bucket")]
    return str(table.schema().findColumnName(fields[0].sourceId())) if fields else None


def version_of(gold: Gold) -> dict[str, str]:
    """The properties that say by which version of the schema a typed gold was made, and by which key."""
    return {SCHEMA_VERSION: str(gold.version), KEY: gold.key[0]} if gold.typed else {}


def _create(
    spark: SparkSession,
    identifier: str,
    columns: list[tuple[str, str, str]],
    partitioning: str,
    properties: dict[str, str],
) -> None:
    if exists(spark, identifier):
        if load(spark, identifier).currentSnapshot() is None:  # whoever made it was killed before the empty commit
            load(spark, identifier).newAppend().commit()
        return
    namespace = identifier.split(".")[0]
    spark.sql(f"create namespace if not exists {CATALOG}.{namespace}")
    listed = ",\n".join(f"`{name}` {type_} comment {_quoted(comment)}" for name, type_, comment in columns)
    settings = ", ".join(f"{_quoted(key)} = {_quoted(value)}" for key, value in properties.items())
    spark.sql(
        f"create table if not exists {CATALOG}.{identifier} (\n{listed}\n) using iceberg {partitioning} "
        f"tblproperties ({settings})"
    )
    load(spark, identifier).newAppend().commit()


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
