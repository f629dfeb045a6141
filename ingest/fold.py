"""Gold is a fold over bronze: one function for live, catch-up, backfill and replay.

`ingest/gold/<table>.sql` says what a range of bronze adds to the table; here is only what every gold needs: which rows
count, in which order, and the MERGE. Any cut of the same offsets into ranges gives the same rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from ingest.datasets import Dataset, Gold, Transform
from ingest.schema.typed import fold_sql
from ingest.spans import Span, spans
from ingest.transforms.blame import blaming
from ingest.transforms.steps import applied

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

    from ingest.schema.sample import Riding

FOLDER = Path(__file__).parent / "gold"
FEW = 50_000  # events of a range whose keys are looked at one by one
_KEY_MOVED = "a key has events in two partitions"


def sql_of(gold: Gold) -> str:
    """The fold's SQL, as an analyst reads it."""
    text = (FOLDER / gold.sql_file).read_text()
    return fold_sql(gold, text) if gold.typed else text


def definition(gold: Gold, transforms: Sequence[Transform] = ()) -> str:
    """Hashes of fold and transforms, which determine the rows: others mean that the table is rebuilt from bronze."""
    fold = _hash(sql_of(gold) + gold.model_dump_json(include={"key", "ordered", "parameters", "columns"}))
    return f"{fold}+{_hash(json.dumps(list(transforms)))}" if transforms else fold


def has_same_transforms(definition: str, other: str) -> bool:
    return definition.partition("+")[2] == other.partition("+")[2]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def readable(bronze: DataFrame, dataset: Dataset) -> DataFrame:
    """The bronze rows that count for gold, as the dataset's transforms make them."""
    return applied(_counting(bronze, dataset), dataset)


def _counting(bronze: DataFrame, dataset: Dataset) -> DataFrame:
    """Those whose header is readable, or tombstones where the dataset deletes by them."""
    counts = F.col("error").isNull()
    if dataset.on_tombstone == "delete":
        counts |= (F.col("error") == "null_value") & F.col("entity_key").isNotNull()
    return bronze.where(counts)


class Fold:
    """Folds ranges of a dataset's bronze into tables of one gold. Uses its session's temporary views: one a thread."""

    def __init__(self, spark: SparkSession, dataset: Dataset, gold: Gold) -> None:
        self.spark = spark
        self.dataset = dataset
        self.gold = gold
        self.keys_moved = False

    def merge(
        self, rows: DataFrame, target: str, history: Callable[[], DataFrame], riding: Riding | None = None
    ) -> None:
        """Bring `target` (full name, a branch perhaps) forward by the bronze `rows`, which begin at its fence, and of
        which `riding` takes a sample.

        `history` gives all of bronze up to the end of the range: a key that gained a second partition is recomputed
        from it, since offsets of two partitions say nothing about order. One commit. TransformFailed, which names the
        record, where one of the dataset's transforms fails.
        """
        with blaming(lambda: _counting(rows, self.dataset), self.dataset):
            self._bring_forward(rows, target, history, riding)

    def _bring_forward(
        self, rows: DataFrame, target: str, history: Callable[[], DataFrame], riding: Riding | None
    ) -> None:
        if not self.keys_moved:
            try:
                state, touched = self._met_by(self._in_one_partition(rows), self.spark.table(target))
                self._merge(self._in_one_partition(rows, riding), state, target, touched)
                return
            except Exception as error:
                if _KEY_MOVED not in str(error):
                    raise
                # From here on every range is looked through for such keys; it costs another join.
                self.keys_moved = True
        events, state = self._with_moved_keys(rows, self.spark.table(target), history(), riding)
        self._merge(events, state, target)

    def _merge(self, events: DataFrame, state: DataFrame, target: str, touched: list[Span] | None = None) -> None:
        folded = self.spark.sql(sql_of(self.gold), events=events, state=state, **self.gold.parameters)
        if self.gold.ordered and not self.keys_moved:
            alarm = F.when(F.size("absorbed") > 1, F.raise_error(F.lit(_KEY_MOVED)).cast("map<int,bigint>"))
            folded = folded.withColumn("absorbed", alarm.otherwise(F.col("absorbed")))
        view = f"folded_{self.gold.table}"
        folded.createOrReplaceTempView(view)
        on = " and ".join(f"target.{key} = source.{key}" for key in self.gold.key)
        if touched is not None:
            on += f" and ({_among('target.' + self.gold.key[0], touched)})"
        self.spark.sql(
            f"merge into {target} as target using {view} as source on {on} "
            "when matched then update set * when not matched then insert *",
            args=_ends(touched or []),
        )

    def _met_by(self, events: DataFrame, state: DataFrame) -> tuple[DataFrame, list[Span] | None]:
        """The rows of `state` that `events` can change, and in which spans their keys are; all where the table's key is
        not the record's.

        A merge of a second's events would otherwise sort the whole table, every column of it. Keys that rise with time,
        as most do, spare it the reading, too: files and their row groups are told apart by the least and greatest key.
        """
        if not self.gold.ordered:
            return state, None
        key = self.gold.key[0]
        # Each as often as it comes: the join finds it as fast, and to have it once would take a shuffle.
        keys = events.select(F.col("entity_key").alias(key)).where(F.col(key).isNotNull()).localCheckpoint()
        touched = None
        if dict(state.dtypes)[key] == "string":  # numbers, which a fold may make of keys, are ordered otherwise
            some = keys.limit(FEW + 1).toArrow().column(key).to_pylist()
            is_few = len(some) <= FEW
            touched = spans(some) if is_few else spans(keys.agg(F.min(key), F.max(key)).first(), most=1)
            among = f"select * from {{state}} where {_among(key, touched)}"
            state = self.spark.sql(among, _ends(touched), state=state)
        return state.join(F.broadcast(keys), key, "left_semi"), touched

    def _in_one_partition(self, rows: DataFrame, riding: Riding | None = None) -> DataFrame:
        """Events ordered by offset within the epoch."""
        events = readable(riding.on(rows) if riding else rows, self.dataset)
        events = riding.on_transformed(events) if riding else events
        return events.withColumn("event_order", _order(F.lit(None).cast("timestamp"), F.lit(0)))

    def _with_moved_keys(
        self, rows: DataFrame, state: DataFrame, history: DataFrame, riding: Riding | None
    ) -> tuple[DataFrame, DataFrame]:
        """Events and state, where a key with two partitions has its whole history and no state."""
        key = self.gold.key[0]
        events = readable(rows, self.dataset)
        places = events.select("entity_key", "topic_epoch", "kafka_partition").union(
            state.select(F.col(key), "topic_epoch", F.explode(F.map_keys("absorbed")))
        )
        touched = events.select("entity_key").distinct()
        moved = (
            places.join(touched, "entity_key", "left_semi")
            .groupBy("entity_key", "topic_epoch")
            .agg(F.countDistinct("kafka_partition").alias("partitions"))
            .where("partitions > 1")
            .select("entity_key")
            .distinct()
            .localCheckpoint()
        )
        whole = readable(history, self.dataset).join(F.broadcast(moved), "entity_key", "left_semi")
        partitions = F.size(F.expr("collect_set(kafka_partition) over (partition by entity_key, topic_epoch)"))
        whole = whole.withColumn(
            "event_order",
            _order(
                F.when(partitions > 1, F.col("kafka_timestamp")),
                F.when(partitions > 1, F.col("kafka_partition")).otherwise(0),
            ),
        )
        rest = self._in_one_partition(rows, riding).join(F.broadcast(moved), "entity_key", "left_anti")
        known = state.join(F.broadcast(moved.withColumnRenamed("entity_key", key)), key, "left_anti")
        return rest.unionByName(whole), known


def _among(column: str, of: list[Span]) -> str:
    """Whether the column is in one of the spans, whose ends are `_ends`."""
    within = (f"{column} between :lowest_{number} and :highest_{number}" for number in range(len(of)))
    return " or ".join(within) or "false"


def _ends(of: list[Span]) -> dict[str, str]:
    return {f"{end}_{number}": key for number, span in enumerate(of) for end, key in span._asdict().items()}


def _order(timestamp: Column, partition: Column) -> Column:
    """What a key's events are sorted by; timestamp and partition say nothing while the key is in one partition."""
    return F.struct("topic_epoch", timestamp.alias("at"), partition.alias("partition"), "kafka_offset")
