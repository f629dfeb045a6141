"""If these fail, `lake prove replay` says equal of a live gold that its events don't bear out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest import fold as fold_module
from ingest.fence import GoldFence
from ingest.generators.faults import Faults
from ingest.generators.user_events import UserStream
from ingest.live import LiveGold
from ingest.replay_plan import plan
from prove.replay import prove_replay
from stack.faults import Fault
from tests.ingest.landing import START, landed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.integration
FAULTS = Faults(duplicates=0.05, late=0.05, out_of_order=0.05, illegal=0, malformed=0.02)


def test_a_replay_equals_live_until_either_is_changed(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = UserStream(seed=31, start=int(START.timestamp()), span=1200, count=300, faults=FAULTS, corpus=False)
    dataset, bronze, _ = landed(spark, stream, "recreated")
    dataset = dataset.model_copy(update={"golds": dataset.golds[:1]})
    [gold] = dataset.golds
    with pytest.raises(Fault, match="Nothing to prove"):
        prove_replay(spark, [dataset])
    live = LiveGold(spark, dataset, gold, "test", max_rows=200)
    while live.step():
        pass

    found = prove_replay(spark, [dataset], seeds=[1])
    assert len(found) == 2 and all(one.is_equal and one.rows_left for one in found)
    assert "seed 1" in found[1].cut and "epoch 2" in found[1].cut
    assert not spark.catalog.tableExists(f"lake.{gold.identifier}__proof")

    sound = fold_module.sql_of(gold)
    with monkeypatch.context() as patch:
        patch.setattr(fold_module, "sql_of", lambda _: sound.replace("count(*)", "count(distinct event_type)"))
        [bug] = prove_replay(spark, [dataset])
    assert not bug.is_equal and bug.rows_left == bug.rows_right
    assert spark.catalog.tableExists(f"lake.{gold.identifier}__proof")  # to be looked at

    spark.sql(f"update lake.{gold.identifier} set event_count = event_count + 1 where event_type = 'click'")
    [changed] = prove_replay(spark, [dataset])
    assert not changed.is_equal

    whole = plan(spark, dataset.bronze.identifier, "shadow", None, None)
    assert (whole.rows, {part.epoch for part in whole.parts}) == (bronze.count(), {1, 2})
    some = plan(spark, dataset.bronze.identifier, "shadow", GoldFence(1, {0: 4}), GoldFence(1, {0: 9, 1: 2}))
    assert [(part.partition, part.first, part.last) for part in some.parts] == [(0, 5, 9), (1, 0, 2)]
