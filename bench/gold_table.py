"""A bronze and a gold of any size without Kafka: what the benchmarks of the fold alone work on."""

from __future__ import annotations

import uuid

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from ingest.datasets import Dataset, load
from ingest.live import LiveGold
from ingest.tables import create_bronze


def new_dataset(spark: SparkSession) -> Dataset:
    """The orders dataset with fresh tables of its own."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    orders = load("orders")
    gold = orders.golds[0].model_copy(update={"table": f"{name}_current", "sql": orders.golds[0].table})
    dataset = orders.model_copy(
        update={"bronze": orders.bronze.model_copy(update={"table": f"{name}_events"}), "golds": [gold]}
    )
    create_bronze(spark, dataset, "none")
    return dataset


def append_events(
    spark: SparkSession, dataset: Dataset, first: int, count: int, keys: int, names: list[str] | None = None
) -> None:
    """Append `count` events of `keys` orders in one commit, offsets from `first` on, round robin over the keys.

    The keys are ord-0, ord-1, ... of four partitions, or have `names`, all of one.
    """
    events = spark.range(first, first + count, numPartitions=4).selectExpr(
        "uuid() as event_id",
        f"element_at(array('ORDER_CREATED','ORDER_PAID','ORDER_SHIPPED'), cast(least(id div {keys}, 2) as int) + 1) "
        "as event_type",
        "timestamp'2026-01-27 12:00:00Z' as event_time",
        f"concat('ord-', id % {keys}) as entity_key",
        "cast(null as string) as schema_version",
        "'orders' as topic",
        "1 as topic_epoch",
        f"cast(pmod(hash(id % {keys}), 4) as int) as kafka_partition",
        "id as kafka_offset",
        "current_timestamp() as kafka_timestamp",
        "cast(array() as array<struct<key: string, value: binary>>) as kafka_headers",
        "current_timestamp() as ingested_at",
        "cast(null as string) as error",
        f"""concat('{{"user_id":"u-1","total_amount":299.00,"currency":"USD","payment_method":"CREDIT_CARD",',
        '"items":[{{"sku":"SKU-999","quantity":1,"unit_price":299.00,"category":"Electronics"}}],"order_id":"ord-',
        id % {keys}, '"}}') as body""",
        "cast(null as binary) as body_bytes",
        "timestamp'2026-01-27 12:00:00Z' as partition_time",
    )
    if names is not None:
        name = F.get(F.array(*map(F.lit, names)), F.col("kafka_offset") % keys)
        events = events.withColumns({"entity_key": name, "kafka_partition": F.lit(0)})
    events.writeTo(f"lake.{dataset.bronze.identifier}").append()


def live(spark: SparkSession, dataset: Dataset, max_rows: int = 1_000_000) -> LiveGold:
    """The live gold of the dataset, as the ingester runs it."""
    return LiveGold(spark, dataset, dataset.golds[0], uuid.uuid4().hex[:12], max_rows)
