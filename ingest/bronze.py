"""Bronze: one row per Kafka record, as it came.

A record whose header can't be read is a row with `error` set, not a crash: the append never depends on the content.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from pyspark.sql import functions as F
from pyspark.sql import types as T

from ingest.datasets import Dataset

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

HEADERS = T.ArrayType(T.StructType([T.StructField("key", T.StringType()), T.StructField("value", T.BinaryType())]))

BRONZE_SCHEMA = T.StructType(
    [
        T.StructField(name, type_, True, {"comment": comment})
        for name, type_, comment in [
            ("event_id", T.StringType(), "the producer's id of the event"),
            ("event_type", T.StringType(), "what happened"),
            ("event_time", T.TimestampType(), "when it happened, by the producer's clock; null where out of range"),
            ("entity_key", T.StringType(), "the record's key as text; hex where it is not UTF-8"),
            ("schema_version", T.StringType(), "the body's field of that name"),
            ("topic", T.StringType(), "Kafka topic"),
            ("topic_epoch", T.IntegerType(), "rises when a person declares a recreated topic"),
            ("kafka_partition", T.IntegerType(), "Kafka partition"),
            ("kafka_offset", T.LongType(), "Kafka offset; unique with topic_epoch and kafka_partition"),
            ("kafka_timestamp", T.TimestampType(), "the record's own timestamp"),
            ("kafka_headers", HEADERS, "headers as sent"),
            ("ingested_at", T.TimestampType(), "when the batch that brought the row began"),
            ("error", T.StringType(), "why the header could not be read; null when it could"),
            ("body", T.StringType(), "the value as it came, where it is UTF-8"),
            ("body_bytes", T.BinaryType(), "the value as it came, where it is not UTF-8"),
            ("partition_time", T.TimestampType(), "coalesce(event_time, kafka_timestamp): what the table is cut by"),
        ]
    ]
)

# A value that closes our wrapper early hides what follows it; then this last field is missing.
_END = f"end_{uuid.uuid4().hex}"
_STRICT_JSON = {
    "allowSingleQuotes": "false",
    "allowNonNumericNumbers": "false",
    "columnNameOfCorruptRecord": "unreadable",
}
_EARLIEST = "timestamp'2000-01-01 00:00:00Z'"


def header(records: DataFrame, dataset: Dataset) -> DataFrame:
    """`records` with struct `header` (text fields of the body, null where it isn't one JSON object) and text forms.

    The value is parsed inside an object of ours, so that anything before or after one JSON object is an error.
    """
    fields = {"schema_version", dataset.event_id, dataset.event_type, _time_field(dataset), dataset.key.field} - {None}
    schema = T.StructType(
        [
            T.StructField("value", T.StructType([T.StructField(f, T.StringType()) for f in sorted(fields)])),
            T.StructField(_END, T.IntegerType()),
            T.StructField("unreadable", T.StringType()),
        ]
    )
    text = F.col("value").cast("string")
    return (
        records.withColumn("is_text", F.expr("is_valid_utf8(cast(value as string))"))
        .withColumn("key_is_text", F.expr("is_valid_utf8(cast(key as string))"))
        .withColumn("body", F.when(F.col("is_text"), text))
        .withColumn(
            "parsed",
            F.from_json(
                F.concat(F.lit('{"value":'), F.col("body"), F.lit(f',"{_END}":1}}')), schema, options=_STRICT_JSON
            ),
        )
        .withColumn(
            "header",
            F.when(F.col("parsed.unreadable").isNull() & (F.col(f"parsed.{_END}") == 1), F.col("parsed.value")),
        )
    )


def _time_field(dataset: Dataset) -> str | None:
    return dataset.event_time.field if dataset.event_time else None


def _of_header(field: str | None) -> Column:
    """The text of a body field; null where the dataset names none."""
    return F.col(f"header.`{field}`") if field else F.lit(None).cast("string")


def _event_time(dataset: Dataset) -> Column:
    """The body's event time as timestamp, null where it isn't one."""
    if dataset.event_time is None:
        return F.lit(None).cast("timestamp")
    text = f"header.`{dataset.event_time.field}`"
    if dataset.event_time.unit == "iso8601":
        return F.expr(f"try_cast({text} as timestamp)")
    per_unit = {"seconds": 1_000_000, "milliseconds": 1_000}[dataset.event_time.unit]
    # A whole number, which nearly all are, is read at a fraction of a decimal's cost.
    whole = f"try_multiply(try_cast({text} as bigint), {per_unit}L)"
    exact = f"try_cast(try_cast({text} as decimal(24, 6)) * {per_unit} as bigint)"
    return F.expr(f"timestamp_micros(coalesce({whole}, {exact}))")


def _now() -> Column:
    """This moment, as data of the query.

    A constant would be written into the Java code that Spark generates: other code for each batch, to be compiled anew
    and slow for its first seconds. An array is handed over beside the code, and an index that depends on the row keeps
    the optimizer from taking the element out of it.
    """
    moment = time.time_ns() // 1_000
    return F.timestamp_micros(F.get(F.array(F.lit(moment)), F.col("partition") * 0))


def to_bronze(records: DataFrame, dataset: Dataset, topic_epoch: int) -> DataFrame:
    """One bronze row per record of `records` (Kafka source schema with headers), columns as in `BRONZE_SCHEMA`."""
    event_id, event_type, time_text = map(_of_header, (dataset.event_id, dataset.event_type, _time_field(dataset)))
    body_key = _of_header(dataset.key.field)
    read_time = F.col("read_time")
    in_range = read_time.between(F.expr(_EARLIEST), F.expr("timestamp + interval 1 day"))
    # A number too large for a timestamp is out of range (Spark's text of 1e400 is "Infinity"), no number is missing.
    number_like = time_text.rlike(r'^(-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|"-?Infinity")$')
    is_number = dataset.event_time is not None and dataset.event_time.unit != "iso8601"
    is_time = read_time.isNotNull() | (number_like if is_number else F.lit(False))
    has_id, has_type, has_time = (
        F.lit(of is not None) for of in (dataset.event_id, dataset.event_type, dataset.event_time)
    )
    error = (
        F.when(F.col("value").isNull(), "null_value")
        .when(~F.col("is_text"), "invalid_utf8")
        .when(F.col("header").isNull(), "bad_json")
        .when(F.col("key").isNotNull() & ~F.col("key_is_text"), "key_encoding")
        .when(F.lit(dataset.key.required) & F.col("key").isNull(), "key_null")
        .when(
            F.lit(dataset.key.field is not None) & F.col("key").isNotNull() & ~body_key.eqNullSafe(F.col("entity_key")),
            "key_mismatch",
        )
        .when(has_id & event_id.isNull(), "event_id_missing")
        .when(has_type & event_type.isNull(), "event_type_missing")
        .when(has_time & (time_text.isNull() | ~is_time), "event_time_missing")
        .when(has_time & (~in_range | read_time.isNull()), "event_time_range")
    )
    return (
        header(records, dataset)
        .withColumn("read_time", _event_time(dataset))
        .withColumn(
            "entity_key", F.when(F.col("key_is_text"), F.col("key").cast("string")).otherwise(F.lower(F.hex("key")))
        )
        .withColumn("event_time", F.when(in_range, read_time))
        .select(
            event_id.alias("event_id"),
            event_type.alias("event_type"),
            "event_time",
            "entity_key",
            F.col("header.schema_version"),
            "topic",
            F.lit(topic_epoch).alias("topic_epoch"),
            F.col("partition").alias("kafka_partition"),
            F.col("offset").alias("kafka_offset"),
            F.col("timestamp").alias("kafka_timestamp"),
            F.col("headers").alias("kafka_headers"),
            _now().alias("ingested_at"),
            error.alias("error"),
            "body",
            F.when(~F.col("is_text"), F.col("value")).alias("body_bytes"),
            F.coalesce("event_time", F.col("timestamp")).alias("partition_time"),
        )
    )
