"""The opponent: what a first version looks like. One foreachBatch appends, then merges the batch; all defaults.

Its session has Spark's own SQL settings where ours are tuned; cores, memory and catalog are the same.

No fences, no branch, no lifecycle: a checkpoint is trusted, a batch is reduced to the latest event of each key.
"""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from ingest.datasets import Dataset

DEFAULTS = {"spark.sql.shuffle.partitions": "200", "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "128"}
BODY = (
    "event_id string, event_type string, event_timestamp bigint, order_id string, user_id string, "
    "total_amount decimal(18,2), currency string, payment_method string, "
    "items array<struct<sku: string, quantity: bigint, unit_price: decimal(18,2), category: string>>, "
    "current_status string"
)


def drain(spark: SparkSession, servers: str, dataset: Dataset, checkpoint: Path, max_offsets: int) -> None:
    """Drain the dataset's topic into `bronze.<table>` and `gold.<table>`."""
    spark = spark.newSession()
    for name, default in DEFAULTS.items():
        spark.conf.set(name, default)
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
        .option("kafka.bootstrap.servers", servers)
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
