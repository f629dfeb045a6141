"""Replay equals live: every live gold rebuilt from bronze by the live fold, up to the cut of one snapshot of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ingest.datasets import Dataset
from ingest.fence import GoldFence
from ingest.publish import current_snapshot
from ingest.replay import Comparison, compare, cut_at_random
from ingest.tables import exists
from prove.evidence import Evidence
from stack.faults import Fault
from stack.settings import CATALOG

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MAX_ROWS = 1_000_000
Report = Callable[[str], None]


def prove_replay(
    spark: SparkSession, datasets: Sequence[Dataset], seeds: Sequence[int] = (), report: Report = lambda line: None
) -> list[Evidence]:
    """Evidence for every live gold there is: folded in cuts as large as can be, then in each seed's random ones.

    Shadows are `gold.<table>__proof`; one that differs is left to be looked at.
    """
    found = []
    for dataset in datasets:
        for gold in dataset.golds:
            if not exists(spark, gold.identifier):
                report(f"{gold.identifier} does not exist yet: left out")
                continue
            shadow, snapshot = f"{gold.identifier}__proof", current_snapshot(spark, gold.identifier)
            for seed in (None, *seeds):
                said = "" if seed is None else f", seed {seed}"
                report(f"{gold.identifier}: folding bronze into {shadow}{said}")
                cutter = None if seed is None else cut_at_random(random.Random(seed))
                compared = compare(spark, dataset, gold, snapshot, MAX_ROWS, lambda _: None, shadow, cutter)
                found.append(_evidence(gold.identifier, compared, said))
                if not compared.is_equal:
                    break
            if found[-1].is_equal:
                spark.sql(f"drop table if exists {CATALOG}.{shadow} purge")
    if not any(one.rows_left or one.rows_right for one in found):
        raise Fault("Nothing to prove: no live gold has a row yet", "lake ingest --once")
    return found


def _evidence(table: str, compared: Comparison, said: str) -> Evidence:
    return Evidence(
        table,
        f"snapshot {compared.snapshot}, {offsets(compared.fence)}{said}",
        compared.live_rows,
        compared.shadow_rows,
        compared.live_hash,
        compared.shadow_hash,
    )


def offsets(fence: GoldFence) -> str:
    """A fence for people."""
    absorbed = " ".join(f"{partition}:{offset}" for partition, offset in sorted(fence.absorbed.items()))
    return f"epoch {fence.epoch}, offsets {absorbed or 'none'}"
