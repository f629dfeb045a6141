"""If these fail, `lake prove` proves nothing: rows are missing from both sides, or arrive as Kafka never gives them."""

from __future__ import annotations

import random
import sqlite3

import pytest

from prove.arrivals import kafka_cuts

FENCE = {(1, 0): (0, 40), (1, 1): (5, 9), (1, 2): (7, 7), (2, 0): (0, 12)}


def arrived(seed: int, count: int) -> list[list[tuple[int, int, int]]]:
    """The places that each cut brings."""
    with sqlite3.connect(":memory:") as database:
        database.execute("create table bronze (topic_epoch, kafka_partition, kafka_offset)")
        places = [(*place, offset) for place, (low, high) in FENCE.items() for offset in range(low, high + 1)]
        database.executemany("insert into bronze values (?, ?, ?)", places)
        conditions = kafka_cuts(FENCE, random.Random(seed), count)
        return [database.execute(f"select * from bronze where {condition}").fetchall() for condition in conditions]


@pytest.mark.parametrize("seed", range(40))
def test_every_record_comes_once_in_its_partition_s_order(seed: int) -> None:
    cuts = arrived(seed, 4)
    came = [place for cut in cuts for place in sorted(cut)]
    assert len(came) == len(set(came)) == sum(high - low + 1 for low, high in FENCE.values())
    for partition in FENCE:
        of = [place for place in came if place[:2] == partition]
        assert of == sorted(of)
    assert [place[0] for place in came] == sorted(place[0] for place in came)


def test_the_same_seed_gives_the_same_cuts_and_another_one_others() -> None:
    assert arrived(1, 4) == arrived(1, 4) != arrived(2, 4)


def test_partitions_come_apart_from_each_other() -> None:
    """In some cut of some seed one partition is done while another has not begun."""
    firsts = [{place[:2] for place in arrived(seed, 4)[0]} for seed in range(40)]
    assert any((1, 0) in first and (1, 1) not in first for first in firsts)
    assert any((1, 1) in first and (1, 0) not in first for first in firsts)
