"""Rebuilding a gold from bronze: the live fold over another range, into a shadow table beside the live one.

Compared with live at a named cut it proves that the stream and a replay agree; published it takes live's place in one
commit.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from ingest.datasets import Dataset, Gold
from ingest.fence import (
    BronzeFence,
    Cut,
    GoldFence,
    Offsets,
    advanced,
    at_snapshot,
    next_cut,
    read_bronze_fence,
    read_gold_fence,
    up_to,
)
from ingest.fold import Fold, definition
from ingest.publish import current_snapshot, load
from ingest.schema.typed import SCHEMA_VERSION, bound
from ingest.tables import FOLD, create_gold, version_of
from stack.settings import CATALOG

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from ingest.live import LiveGold

RETYPED = "__retyped"
"""Added to a column's name while its type is changed."""
Report = Callable[[Cut], None]
Cutter = Callable[[BronzeFence, GoldFence], Cut | None]
"""Chooses the next range of what bronze holds above a fence; None when there is nothing."""


@dataclass(frozen=True)
class Comparison:
    """Live at `snapshot` beside the shadow built up to its fence; hashes don't depend on the order of rows."""

    snapshot: int
    fence: GoldFence
    live_rows: int
    shadow_rows: int
    live_hash: str
    shadow_hash: str

    @property
    def is_equal(self) -> bool:
        return (self.live_rows, self.live_hash) == (self.shadow_rows, self.shadow_hash)


def shadow_of(gold: Gold) -> str:
    return f"{gold.identifier}__shadow"


def bounded(held: BronzeFence, end: GoldFence) -> BronzeFence:
    """What bronze holds up to the fence `end`: earlier epochs whole, of its epoch what it has absorbed."""
    highest = {epoch: offsets for epoch, offsets in held.highest.items() if epoch < end.epoch}
    if end.epoch in held.highest:
        of = held.highest[end.epoch]
        highest[end.epoch] = {p: min(high, end.absorbed[p]) for p, high in of.items() if p in end.absorbed}
    return BronzeFence(held.lowest, highest)


def build_shadow(
    spark: SparkSession,
    dataset: Dataset,
    gold: Gold,
    end: GoldFence | None = None,
    start: GoldFence | None = None,
    max_rows: int = 1_000_000,
    report: Report = lambda cut: None,
    snapshot: int | None = None,
    shadow: str | None = None,
    cutter: Cutter | None = None,
) -> str:
    """Fold bronze above `start` (default: all of it) up to `end` (default: its newest) into a fresh shadow table.

    `snapshot` is the one of bronze to read, its current one by default; `shadow` the table, gold's own by default.
    """
    shadow, bronze = shadow or shadow_of(gold), dataset.bronze.identifier
    cutter = cutter or (lambda held, fence: next_cut(held, fence, max_rows))
    spark = spark.newSession()
    spark.sql(f"drop table if exists {CATALOG}.{shadow} purge")
    create_gold(spark, gold, shadow, definition(gold, dataset.transforms))
    snapshot = snapshot or current_snapshot(spark, bronze)
    held = read_bronze_fence(spark, bronze, snapshot, {})
    if end is not None:
        held = bounded(held, end)
    fold, fence = Fold(spark, dataset, gold), start or GoldFence()
    while (cut := cutter(held, fence)) is not None:
        rows = at_snapshot(spark, bronze, snapshot)
        fold.merge(rows.where(cut.predicate()), f"{CATALOG}.{shadow}", lambda: up_to(rows, cut))  # noqa: B023
        fence = advanced(fence, cut)
        report(cut)
    return shadow


def as_made(spark: SparkSession, dataset: Dataset, gold: Gold) -> Gold:
    """The gold as its table was made: a typed one by the version of the schema that the table names."""
    if not gold.typed:
        return gold
    return bound(dataset, gold, int(load(spark, gold.identifier).properties().get(SCHEMA_VERSION)))


def cut_at_random(chance: random.Random) -> Cutter:
    """Ranges of random size, in which each partition goes forward by a random part of its own, or stays."""

    def cut(held: BronzeFence, fence: GoldFence) -> Cut | None:
        whole = next_cut(held, fence, sum(max(offsets.values()) + 1 for offsets in held.highest.values() if offsets))
        if whole is None:
            return None
        upto = {p: chance.randint(whole.after[p], high) for p, high in whole.upto.items()}
        if chance.random() < 0.3 or upto == whole.after:  # so that it comes to an end
            return whole
        return Cut(whole.epoch, whole.after, upto)

    return cut


def compare(
    spark: SparkSession,
    dataset: Dataset,
    gold: Gold,
    snapshot: int | None,
    max_rows: int,
    report: Report,
    shadow: str | None = None,
    cutter: Cutter | None = None,
) -> Comparison:
    """Rebuild up to the fence of the live table's `snapshot` (default: its current one) and hash both."""
    snapshot = snapshot or current_snapshot(spark, gold.identifier)
    fence = read_gold_fence(spark, gold.identifier, snapshot)
    gold = as_made(spark, dataset, gold)
    shadow = build_shadow(spark, dataset, gold, fence, None, max_rows, report, None, shadow, cutter)
    live_rows, live_hash = hashed(at_snapshot(spark, gold.identifier, snapshot))
    shadow_rows, shadow_hash = hashed(spark.table(f"{CATALOG}.{shadow}"))
    return Comparison(snapshot, fence, live_rows, shadow_rows, live_hash, shadow_hash)


def hashed(rows: DataFrame) -> tuple[int, str]:
    """Number of rows and the sum of their 64-bit hashes, every column included whatever its type."""
    columns = [
        F.to_json(F.array_sort(F.map_entries(name))) if type_.startswith("map") else F.col(name)
        for name, type_ in sorted(rows.dtypes)
    ]
    # a null hashes like nothing at all: where it stands must count
    nulls = F.concat(*[F.when(F.col(name).isNull(), "1").otherwise("0") for name in sorted(rows.columns)])
    count, total = rows.select(F.count(F.lit(1)), F.sum(F.xxhash64(*columns, nulls).cast("decimal(38,0)"))).first()
    return count, str(total or 0)


def publish_rebuilt(live: LiveGold, report: Report = lambda cut: None) -> None:
    """Rebuild the table by today's fold up to its own fence, and put it in live's place, seen in one commit.

    A column whose type has changed is read under another name until then; the names are changed in one commit, too.
    """
    gold, spark = live.gold, live.spark
    name = f"{CATALOG}.{gold.identifier}"
    end = read_gold_fence(spark, gold.identifier, current_snapshot(spark, gold.identifier))
    shadow = build_shadow(spark, live.dataset, gold, end, max_rows=live.max_rows, report=report)
    rows = spark.table(f"{CATALOG}.{shadow}")
    for column in spark.table(name).columns:  # of a rebuild that was killed
        if column.endswith(RETYPED):
            spark.sql(f"alter table {name} drop column `{column}`")
    there, wanted = dict(spark.table(name).dtypes), dict(rows.dtypes)
    retyped = {column: f"{column}{RETYPED}" for column in wanted if there.get(column, wanted[column]) != wanted[column]}
    for column in gold.columns:
        if column.name in retyped or column.name not in there:
            spark.sql(f"alter table {name} add column `{retyped.get(column.name, column.name)}` {column.type}")
    live.forget()
    rows = rows.withColumnsRenamed(retyped)
    gone = [*retyped, *(there.keys() - wanted.keys())]
    for column in gone:
        rows = rows.withColumn(column, F.lit(None).cast(there[column]))
    live.publisher.publish(lambda branch: rows.writeTo(branch).overwrite(F.lit(True)), "rebuild")
    if gone:
        update = load(spark, gold.identifier).updateSchema()
        for column in gone:
            update.deleteColumn(column)
        for column, new in retyped.items():
            update.renameColumn(new, column)
        update.commit()
    properties = load(spark, gold.identifier).updateProperties().set(FOLD, definition(gold, live.dataset.transforms))
    for key, value in version_of(gold).items():
        properties.set(key, value)
    properties.commit()
    spark.sql(f"drop table {CATALOG}.{shadow} purge")
    live.forget()


def parse_offsets(texts: list[str]) -> Offsets:
    """`["0:100,1:250"]` or `["0:100", "1:250"]` as {0: 100, 1: 250}; ValueError with the form to use."""
    said = [one for text in texts for one in text.split(",") if one.strip()]
    try:
        offsets = {int(partition): int(offset) for partition, offset in (one.split(":") for one in said)}
    except ValueError:
        raise ValueError("give offsets as PARTITION:OFFSET, such as 0:1200 or 0:1200,1:900") from None
    if len(offsets) < len(said):
        raise ValueError(f"a partition has two offsets in {','.join(said)}")
    return offsets
