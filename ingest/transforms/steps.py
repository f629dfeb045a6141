"""A dataset's transforms, applied to the readable rows before a gold's fold.

Whatever a step does, a row keeps its place: coordinates, key and arrival are put back after each, so that fences hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from ingest.topics import DecisionNeeded
from ingest.transforms.shipped import SHIPPED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from ingest.datasets import Dataset

GROUP = "lake.transforms"
KEPT = ("topic", "topic_epoch", "kafka_partition", "kafka_offset", "kafka_timestamp", "entity_key", "ingested_at")
_PLACE = "_place"

Function = Callable[..., "DataFrame"]


class TransformFailed(DecisionNeeded):
    """A transform can't be applied, or fails on a record: that dataset's golds stop where they are, bronze goes on."""


@cache
def function_of(name: str) -> Function:
    """The function of a step's name: one of ours, or an entry point of any package. TransformFailed without one."""
    if name in SHIPPED:
        return SHIPPED[name]
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join(sorted({*SHIPPED, *found}))
        raise TransformFailed(f"there is no transform {name!r}; known: {known}")
    return found[name].load()


def applied(rows: DataFrame, dataset: Dataset, steps: int | None = None) -> DataFrame:
    """`rows` after the first `steps` of the dataset's transforms, or all. TransformFailed for one without a plan."""
    for number, step in enumerate(dataset.transforms[:steps], 1):
        [(name, said)] = step.items()
        try:
            rows = _in_place(rows, function_of(name), said)
        except TransformFailed as error:
            raise TransformFailed(f"transform {number} of {dataset.name}: {error}") from error
        except Exception as error:
            why = str(error).strip().partition("\n")[0][:300]
            raise TransformFailed(f"transform {number} ({name}) of {dataset.name} can't be applied: {why}") from error
    return rows


def _in_place(rows: DataFrame, function: Function, said: Any) -> DataFrame:
    """One step; what it returns must have the columns that it was given."""
    given = rows.withColumn(_PLACE, F.struct(*KEPT))
    done = function(given, **said) if isinstance(said, Mapping) else function(given, said)
    before = {field.name: field.dataType for field in given.schema.fields}
    after = {field.name: field.dataType for field in done.schema.fields}
    if changed := sorted(name for name in before | after if before.get(name) != after.get(name)):
        raise TransformFailed(f"it returns other columns or types than it was given: {', '.join(changed)}")
    return done.withColumns({name: F.col(f"{_PLACE}.{name}") for name in KEPT}).drop(_PLACE)
