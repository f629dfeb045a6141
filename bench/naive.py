"""The opponent: what a first version looks like. One foreachBatch appends, then merges the batch; all defaults.

It has a Spark of its own with nothing set but what it needs to run: cores, memory, jars and catalog are ours.

No fences, no branch, no lifecycle: a checkpoint is trusted, a batch is reduced to the latest event of each key.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.datasets import Dataset
from ingest.spark import spark_conf
from stack.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

NEEDED = (
    "spark.jars", "spark.driver.extraClassPath", "spark.driver.memory", "spark.driver.host", "spark.driver.bindAddress",
    "spark.local.dir", "spark.sql.extensions", "spark.sql.warehouse.dir", "spark.ui.showConsoleProgress",
)  # fmt: skip
BODY = (
    "event_id string, event_type string, event_timestamp bigint, order_id string, user_id string, "
    "total_amount decimal(18,2), currency string, payment_method string, "
    "items array<struct<sku: string, quantity: bigint, unit_price: decimal(18,2), category: string>>, "
    "current_status string"
)


@contextmanager
def opponent(settings: Settings) -> Iterator[Callable[[Dataset, Path, int], None]]:
    """`drain` in a driver of its own, which stays from one call to the next as ours does."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as driver:
        yield lambda dataset, checkpoint, most: driver.submit(drain, settings, dataset, checkpoint, most).result()


def session(settings: Settings) -> SparkSession:
    """Spark as it comes, started if there is none."""
    from pyspark.sql import SparkSession

    ours = spark_conf(settings)
    builder = SparkSession.builder.master(settings.spark_master).appName("naive").config("spark.ui.enabled", "false")
    for name in ours:
        if name in NEEDED or name.startswith("spark.sql.catalog."):
            builder = builder.config(name, ours[name])
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def drain(settings: Settings, dataset: Dataset, checkpoint: Path, max_offsets: int) -> None:
    """Drain the dataset's topic into `bronze.<table>` and `gold.<table>`."""
    spark = session(settings)
    bronze, gold = f"lake.{dataset.bronze.identifier}", f"lake.{dataset.golds[0].identifier}"
    spark.sql(
        f"create table {bronze} (order_id string, event_id string, event_type string, event_time timestamp, "
        "body string, kafka_partition int, kafka_offset bigint) using iceberg partitioned by (hours(event_time))"
    )
    spark.sql(
        f"create table {gold} (order_id string, event_type string, event_time timestamp, user_id string, "
        "total_amount decimal(18,2), currency string, payment_method string, "
        "items array<struct<sku: string, quantity: bigint, unit_price: decimal(18,2), category: string>>, "
        "kafka_offset bigint) using iceberg"
    )

    def batch(records: DataFrame, _batch_id: int) -> None:
        records.createOrReplaceTempView("batch")
        session = records.sparkSession
        session.sql(
            f"""insert into {bronze}
            select cast(key as string), get_json_object(cast(value as string), '$.event_id'),
                get_json_object(cast(value as string), '$.event_type'),
                timestamp_seconds(cast(get_json_object(cast(value as string), '$.event_timestamp') as bigint)),
                cast(value as string), partition, offset
            from batch"""
        )
        session.sql(
            f"""merge into {gold} as target using (
                select order_id, event.event_type, timestamp_seconds(event.event_timestamp) as event_time,
                    event.user_id, event.total_amount, event.currency, event.payment_method, event.items, kafka_offset
                from (
                    select cast(key as string) as order_id, offset as kafka_offset,
                        from_json(cast(value as string), '{BODY}') as event,
                        row_number() over (partition by key order by offset desc) as newest
                    from batch
                ) where newest = 1 and order_id is not null
            ) as source on target.order_id = source.order_id
            when matched and source.kafka_offset > target.kafka_offset then update set *
            when not matched then insert *"""
        )

    query = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.kafka_bootstrap_servers)
        .option("subscribe", dataset.topic)
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", max_offsets)
        .load()
        .writeStream.foreachBatch(batch)
        .option("checkpointLocation", str(checkpoint))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
