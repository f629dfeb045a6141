"""If these fail, a live gold depends on how it found its ranges, or a replay says equal where it isn't."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.gold_table import append_events, live, new_dataset
from ingest import fold as fold_module
from ingest import live as live_module
from ingest.fence import GoldFence
from ingest.fold import definition
from ingest.live import LiveGold, appended_until
from ingest.publish import current_snapshot, load
from ingest.rebuild import assure
from ingest.replay import build_shadow, compare, hashed, publish_rebuilt
from ingest.tables import FOLD
from ingest.topics import DecisionNeeded

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.integration
KEYS = 40


def drain(gold: LiveGold) -> None:
    while gold.step():
        pass


def rows(spark: SparkSession, gold: LiveGold) -> tuple[int, str]:
    return hashed(spark.table(f"lake.{gold.gold.identifier}"))


def silent(_cut: object) -> None:
    pass


def test_ranges_by_snapshots_and_by_content_give_the_same_rows(spark: SparkSession) -> None:
    dataset = new_dataset(spark)
    append_events(spark, dataset, 0, KEYS, KEYS)
    steady = live(spark, dataset)
    drain(steady)
    for first in (KEYS, 2 * KEYS):
        append_events(spark, dataset, first, KEYS, KEYS)
        assert appended_until(load(spark, dataset.bronze.identifier), steady.folded, 10_000) is not None
        drain(steady)
    shadow = build_shadow(spark, dataset, dataset.golds[0], max_rows=50)  # other cuts than the live one's
    assert rows(spark, steady) == hashed(spark.table(f"lake.{shadow}"))


def test_expired_bronze_snapshots_change_nothing(spark: SparkSession) -> None:
    dataset = new_dataset(spark)
    gold = live(spark, dataset)
    for first in (0, KEYS, 2 * KEYS):
        append_events(spark, dataset, first, KEYS, KEYS)
        if first == 0:
            drain(gold)
        table = load(spark, dataset.bronze.identifier)
        table.expireSnapshots().retainLast(1).expireOlderThan(table.currentSnapshot().timestampMillis() + 1).commit()
    assert appended_until(load(spark, dataset.bronze.identifier), gold.folded, 10_000) is None
    drain(gold)
    found = compare(spark, dataset, dataset.golds[0], None, 10_000, silent)
    assert found.is_equal
    assert found.live_rows == KEYS


def test_a_gold_rolled_back_under_its_writer_comes_forward_again(spark: SparkSession) -> None:
    dataset = new_dataset(spark)
    gold = live(spark, dataset)
    append_events(spark, dataset, 0, KEYS, KEYS)
    drain(gold)
    before = current_snapshot(spark, dataset.golds[0].identifier)
    append_events(spark, dataset, KEYS, KEYS, KEYS)
    drain(gold)
    whole = rows(spark, gold)
    load(spark, dataset.golds[0].identifier).manageSnapshots().rollbackTo(before).commit()
    append_events(spark, dataset, 2 * KEYS, 1, KEYS)
    drain(gold)
    assert rows(spark, gold) != whole
    assert compare(spark, dataset, dataset.golds[0], None, 10_000, silent).is_equal


def test_a_replay_sees_one_changed_value_and_one_lost_row(spark: SparkSession) -> None:
    dataset = new_dataset(spark)
    gold = live(spark, dataset)
    append_events(spark, dataset, 0, KEYS, KEYS)
    drain(gold)
    named = current_snapshot(spark, dataset.golds[0].identifier)
    table = f"lake.{dataset.golds[0].identifier}"
    spark.sql(f"update {table} set currency = 'EUR' where order_id = 'ord-3'")
    assert not compare(spark, dataset, dataset.golds[0], None, 10_000, silent).is_equal
    spark.sql(f"update {table} set currency = 'USD' where order_id = 'ord-3'")
    assert compare(spark, dataset, dataset.golds[0], None, 10_000, silent).is_equal
    spark.sql(f"delete from {table} where order_id = 'ord-3'")
    assert not compare(spark, dataset, dataset.golds[0], None, 10_000, silent).is_equal
    assert compare(spark, dataset, dataset.golds[0], named, 10_000, silent).is_equal


def test_a_range_goes_to_the_shadow_only(spark: SparkSession) -> None:
    dataset = new_dataset(spark)
    gold = live(spark, dataset)
    append_events(spark, dataset, 0, 2 * KEYS, KEYS)
    drain(gold)
    before = rows(spark, gold)
    partitions = spark.table(f"lake.{dataset.bronze.identifier}").select("kafka_partition").distinct().collect()
    start = GoldFence(1, {row.kafka_partition: KEYS - 1 for row in partitions})
    shadow = build_shadow(spark, dataset, dataset.golds[0], start=start)
    statuses = {row.current_status for row in spark.table(f"lake.{shadow}").collect()}
    assert statuses == {None}  # the second events alone: paid without having been created
    assert rows(spark, gold) == before


def test_a_changed_fold_is_rebuilt_from_all_of_bronze(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = new_dataset(spark)
    gold = live(spark, dataset)
    append_events(spark, dataset, 0, 2 * KEYS, KEYS)
    drain(gold)
    sql = fold_module.sql_of(dataset.golds[0]).replace("'CREATED>ORDER_PAID',", "")
    monkeypatch.setattr(fold_module, "sql_of", lambda gold: sql)
    changed = live(spark, dataset)
    assert changed.is_of_another_fold
    publish_rebuilt(changed)
    assert not live(spark, dataset).is_of_another_fold
    assert load(spark, dataset.golds[0].identifier).properties().get(FOLD) == definition(dataset.golds[0])
    found = spark.table(f"lake.{dataset.golds[0].identifier}").collect()
    assert {(row.current_status, row.rejected_events) for row in found} == {("CREATED", 1)}


def test_a_null_and_its_neighbour_don_t_hash_alike(spark: SparkSession) -> None:
    left = spark.sql("select 'a' as one, cast(null as string) as two")
    right = spark.sql("select cast(null as string) as one, 'a' as two")
    assert hashed(left) != hashed(right)


def test_a_merge_leaves_files_alone_whose_keys_it_does_not_touch(spark: SparkSession) -> None:
    """Or each one reads the whole table: a pause that grows with it."""
    dataset = new_dataset(spark)
    gold = live(spark, dataset)
    near, far = named_alike("0", KEYS), named_alike("1", KEYS)
    append_events(spark, dataset, 0, KEYS, KEYS, far)
    drain(gold)
    hidden = data_files(spark, gold)
    append_events(spark, dataset, KEYS, KEYS, KEYS, near)
    drain(gold)
    with away(hidden):
        append_events(spark, dataset, 2 * KEYS, KEYS, KEYS, near)
        drain(gold)  # it would fail by a file that is not there
    found = Counter(row.current_status for row in spark.table(f"lake.{gold.gold.identifier}").collect())
    assert found == {"CREATED": KEYS, None: KEYS}
    assert compare(spark, dataset, dataset.golds[0], None, 10_000, silent).is_equal


def test_a_merge_leaves_files_alone_between_an_old_key_and_the_new_ones(spark: SparkSession) -> None:
    """Or one order that is returned after weeks makes its merge read all of those weeks."""
    dataset = new_dataset(spark)
    gold = live(spark, dataset)
    old, between, new = (named_alike(kind, KEYS) for kind in "012")
    append_events(spark, dataset, 0, KEYS, KEYS, between)
    drain(gold)
    hidden = data_files(spark, gold)
    append_events(spark, dataset, KEYS, 2 * KEYS, 2 * KEYS, old + new)
    drain(gold)
    with away(hidden):
        append_events(spark, dataset, 3 * KEYS, KEYS + 1, KEYS + 1, [old[0], *new])
        drain(gold)  # it would fail by a file that is not there
    assert spark.table(f"lake.{gold.gold.identifier}").count() == 3 * KEYS
    assert compare(spark, dataset, dataset.golds[0], None, 10_000, silent).is_equal


def test_files_are_packed_after_twice_as_many_merges_where_there_is_more_to_merge(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new_dataset(spark)
    (often,) = (one.model_copy(update={"compact_every": 2}) for one in made.golds)
    dataset = made.model_copy(update={"golds": [often]})
    gold = live(spark, dataset)
    packed: list[int] = []
    compact = gold.compact

    def counted() -> None:
        packed.append(gold.progress.merges)
        compact()

    monkeypatch.setattr(gold, "compact", counted)
    due = []
    for number in range(5):
        append_events(spark, dataset, number * KEYS, KEYS, KEYS)
        drain(gold)
        due.append(gold.is_to_compact(at_rest=True))
    assert packed == [4] and due == [False, True, True, False, False]


@contextmanager
def away(names: Iterable[str]) -> Iterator[None]:
    """Meanwhile nobody can read these files."""
    files = [Path(name.removeprefix("file:")) for name in names]
    for file in files:
        file.rename(file.with_suffix(".away"))
    yield
    for file in files:
        file.with_suffix(".away").rename(file)


def named_alike(kind: str, count: int) -> list[str]:
    """Keys that differ after their first 16 characters only, which is what statistics keep as a rule."""
    return [f"order-of-the-day-{kind}-{number:03d}" for number in range(count)]


def test_keys_of_any_text_are_found_again(spark: SparkSession) -> None:
    """Keys are compared by Spark, by Iceberg and by Parquet: where one has another order, a key is there twice."""
    keys = ["", " ", "'", "\\", '"; drop', ":lowest", "a\nb", "\x00", "é", "\ufffd", "\U0001f600", "\uffff", "z" * 300]
    dataset = new_dataset(spark)
    gold = live(spark, dataset)
    append_events(spark, dataset, 0, len(keys), len(keys), keys)
    drain(gold)
    offset = len(keys)
    for number in range(len(keys) - 1):  # each pair of neighbours is a range of its own
        append_events(spark, dataset, offset, 2, 2, keys[number : number + 2])
        drain(gold)
        offset += 2
    assert sorted(row.order_id for row in spark.table(f"lake.{gold.gold.identifier}").collect()) == sorted(keys)
    assert compare(spark, dataset, dataset.golds[0], None, 10_000, silent).is_equal


def test_keys_that_a_fold_makes_numbers_of_are_found_again(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new_dataset(spark)
    (gold,) = made.golds
    columns = [one.model_copy(update={"type": "bigint"} if one.name == "order_id" else {}) for one in gold.columns]
    dataset = made.model_copy(update={"golds": [gold.model_copy(update={"columns": columns})]})
    sql = "cast(order_id as bigint) as order_id,\n    if(is_changed, body.user_id"
    sql = fold_module.sql_of(gold).replace("order_id,\n    if(is_changed, body.user_id", sql)
    monkeypatch.setattr(fold_module, "sql_of", lambda gold: sql)
    numbers = live(spark, dataset)
    for first in (0, 3):
        append_events(spark, dataset, first, 3, 3, ["9", "10", "100"])
        drain(numbers)
    found = {row.order_id: row.current_status for row in spark.table(f"lake.{gold.identifier}").collect()}
    assert found == {9: "PAID", 10: "PAID", 100: "PAID"}


def test_a_range_without_a_key_changes_nothing(spark: SparkSession) -> None:
    dataset = new_dataset(spark)
    gold = live(spark, dataset)
    append_events(spark, dataset, 0, KEYS, KEYS)
    drain(gold)
    before = rows(spark, gold)
    append_events(spark, dataset, KEYS, KEYS, KEYS)
    spark.sql(f"update lake.{dataset.bronze.identifier} set error = 'bad_json' where kafka_offset >= {KEYS}")
    drain(gold)
    assert rows(spark, gold) == before


def test_a_range_without_a_file_changes_nothing(spark: SparkSession) -> None:
    """A batch of a transaction's markers alone: offsets move, and no record is there to be read."""
    dataset = new_dataset(spark)
    gold = live(spark, dataset)
    append_events(spark, dataset, 0, KEYS, KEYS)
    drain(gold)
    before = rows(spark, gold)
    load(spark, dataset.bronze.identifier).newAppend().commit()
    assert gold.is_behind()
    drain(gold)
    assert rows(spark, gold) == before and not gold.is_behind()


def test_more_keys_than_are_looked_at_one_by_one_are_one_span(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_module, "FEW", KEYS - 1)
    dataset = new_dataset(spark)
    gold = live(spark, dataset)
    for number in range(2):
        append_events(spark, dataset, number * KEYS, KEYS, KEYS, [*named_alike("0", KEYS - 1), "another"])
        drain(gold)
    assert {row.current_status for row in spark.table(f"lake.{gold.gold.identifier}").collect()} == {"PAID"}
    assert compare(spark, dataset, dataset.golds[0], None, 10_000, silent).is_equal


def test_compaction_leaves_a_large_file_alone_until_a_third_of_it_is_deleted(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or each one rewrites the whole table: a pause that grows with it."""
    many = 6_000
    dataset = new_dataset(spark)
    gold = live(spark, dataset)
    append_events(spark, dataset, 0, many, many)
    drain(gold)
    large = data_files(spark, gold)
    monkeypatch.setattr(live_module, "SMALL_FILE", min(large.values()) // 2)
    for number in range(2):
        append_events(spark, dataset, many + number * KEYS, KEYS, many)
        drain(gold)
    before = rows(spark, gold)
    gold.compact()
    packed = data_files(spark, gold)
    assert large.keys() < packed.keys() and len(packed) == len(large) + 1
    append_events(spark, dataset, many + 2 * KEYS, many // 2, many)
    drain(gold)
    gold.compact()
    assert not large.keys() & data_files(spark, gold).keys()
    assert before[0] == rows(spark, gold)[0] == many
    assert compare(spark, dataset, dataset.golds[0], None, 10_000, silent).is_equal


def data_files(spark: SparkSession, gold: LiveGold) -> dict[str, int]:
    """Bytes of each of the table's data files, by path."""
    found = spark.sql(
        f"select file_path, file_size_in_bytes from lake.{gold.gold.identifier}.files where content = 0"
    ).collect()
    return {row.file_path: row.file_size_in_bytes for row in found}


def test_a_gold_that_is_partitioned_by_its_key_is_not_rebuilt_by_another(spark: SparkSession) -> None:
    made = new_dataset(spark)
    (gold,) = made.golds

    def having(**fields: object) -> LiveGold:
        return live(spark, made.model_copy(update={"golds": [gold.model_copy(update=fields)]}))

    assure(having(buckets=4))
    for buckets in (4, 0):  # the table has them, whatever is said by now
        with pytest.raises(DecisionNeeded, match="by its key, which was order_id and is to be user_id: put"):
            assure(having(buckets=buckets, key=["user_id"]))
    other = new_dataset(spark)
    live(spark, other)
    assure(live(spark, other.model_copy(update={"golds": [other.golds[0].model_copy(update={"key": ["user_id"]})]})))
