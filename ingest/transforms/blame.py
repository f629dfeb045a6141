"""Which record a transform fails on: found by halves, once a merge has failed and the dataset is to stop anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from ingest.reason import reason
from ingest.transforms.steps import TransformFailed, applied

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from ingest.datasets import Dataset


@contextmanager
def blaming(rows: Callable[[], DataFrame], dataset: Dataset) -> Iterator[None]:
    """Where what is done meanwhile fails by a transform, raise TransformFailed, which names the record. `rows` are the
    readable ones, before any transform."""
    try:
        yield
    except TransformFailed:
        raise
    except Exception as error:
        if dataset.transforms and (failure := failure_in(rows(), dataset)):
            raise failure from error
        raise


def failure_in(rows: DataFrame, dataset: Dataset) -> TransformFailed | None:
    """What to say of the first record of the readable `rows` that a transform fails on; None where none does."""
    if _error(applied(rows, dataset)) is None or _error(rows) is not None:
        return None
    ranges = (
        rows.groupBy("topic_epoch", "kafka_partition")
        .agg(F.min("kafka_offset").alias("low"), F.max("kafka_offset").alias("high"))
        .orderBy("topic_epoch", "kafka_partition")
        .collect()
    )
    for epoch, partition, low, high in ranges:
        of_partition = rows.where((F.col("topic_epoch") == epoch) & (F.col("kafka_partition") == partition))

        def between(first: int, last: int, of: DataFrame = of_partition) -> DataFrame:
            return of.where(F.col("kafka_offset").between(first, last))

        if _error(applied(between(low, high), dataset)) is None:
            continue
        while low < high:
            middle = (low + high) // 2
            if _error(applied(between(low, middle), dataset)) is not None:
                high = middle
            else:
                low = middle + 1
        return _sentence(between(low, low), dataset, f"partition {partition} offset {low} of epoch {epoch}")
    return None


def _sentence(record: DataFrame, dataset: Dataset, place: str) -> TransformFailed:
    for number, step in enumerate(dataset.transforms, 1):
        if (error := _error(applied(record, dataset, number))) is not None:
            return TransformFailed(
                f"transform {number} ({next(iter(step))}) of {dataset.name} fails at topic {dataset.topic} {place}: "
                f"{reason(error)}; mend it in the dataset's YAML, or leave the record out by a filter before it"
            )
    return TransformFailed(f"a transform of {dataset.name} failed at topic {dataset.topic} {place}")


def _error(rows: DataFrame) -> Exception | None:
    """What computing every column of the rows raises."""
    try:
        rows.write.format("noop").mode("overwrite").save()
    except Exception as error:
        return error
    return None
