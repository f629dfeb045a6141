"""If these fail, gold skips offsets, reads some twice in vain, or compares offsets of two epochs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.fence import BronzeFence, Cut, GoldFence, advanced, next_cut

offsets = st.dictionaries(st.integers(0, 5), st.integers(0, 500), min_size=1)


def held(highest: dict[int, dict[int, int]]) -> BronzeFence:
    return BronzeFence({epoch: dict.fromkeys(of, 0) for epoch, of in highest.items()}, highest)


@given(st.dictionaries(st.integers(1, 3), offsets, min_size=1), st.integers(1, 300))
def test_cuts_cover_every_offset_once_and_epochs_in_order(highest: dict[int, dict[int, int]], limit: int) -> None:
    bronze, gold, seen = held(highest), GoldFence(), []
    while (cut := next_cut(bronze, gold, limit)) is not None:
        seen += [
            (cut.epoch, partition, offset)
            for partition, high in cut.upto.items()
            for offset in range(cut.after[partition] + 1, high + 1)
        ]
        gold = advanced(gold, cut)
    assert [epoch for epoch, _, _ in seen] == sorted(epoch for epoch, _, _ in seen)
    assert sorted(seen) == [
        (epoch, partition, offset)
        for epoch, of in sorted(highest.items())
        for partition, high in sorted(of.items())
        for offset in range(high + 1)
    ]


@given(offsets, st.integers(6, 300))
def test_a_cut_holds_no_more_than_asked_for(highest: dict[int, int], limit: int) -> None:
    cut = next_cut(held({1: highest}), GoldFence(), limit)
    assert sum(high - cut.after[partition] for partition, high in cut.upto.items()) <= limit


def test_nothing_is_left_at_the_fence() -> None:
    assert next_cut(held({1: {0: 9, 1: 4}}), GoldFence(1, {0: 9, 1: 4}), 100) is None


def test_a_partition_whose_first_records_expired_begins_where_bronze_does() -> None:
    bronze = BronzeFence({1: {0: 1_000_000}}, {1: {0: 1_000_009}})
    assert next_cut(bronze, GoldFence(), 100) == Cut(1, {0: 999_999}, {0: 1_000_009})


def test_an_earlier_epoch_is_never_folded_again() -> None:
    assert next_cut(held({1: {0: 900}, 2: {0: 5}}), GoldFence(2, {0: 5}), 100) is None


def test_the_predicate_has_only_literals() -> None:
    cut = Cut(2, {0: 4}, {0: 9, 1: 3})
    assert cut.predicate() == (
        "topic_epoch = 2 and ((kafka_partition = 0 and kafka_offset > 4 and kafka_offset <= 9) "
        "or (kafka_partition = 1 and kafka_offset > -1 and kafka_offset <= 3))"
    )
