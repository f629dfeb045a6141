"""If these fail, the stream reads a topic it must not read, or stops where it could go on."""

from __future__ import annotations

import pytest

from ingest.topics import AcceptedGap, DecisionNeeded, Topic, starting_offsets


def topic(begin: dict[int, int], end: dict[int, int], topic_id: str = "a") -> Topic:
    return Topic("orders", topic_id, begin, end)


def start(of: Topic, fence: dict[int, int], gaps: list[AcceptedGap] | None = None) -> dict[int, int]:
    return starting_offsets("orders", of, "a", fence, gaps or [])


def test_a_start_is_one_above_the_fence() -> None:
    assert start(topic({0: 0, 1: 0}, {0: 10, 1: 10}), {0: 4, 1: 9}) == {0: 5, 1: 10}


def test_a_partition_never_seen_starts_at_the_first_record_kept() -> None:
    assert start(topic({0: 0, 1: 7}, {0: 10, 1: 9}), {0: 4}) == {0: 5, 1: 7}


def test_a_recreated_topic_needs_a_person() -> None:
    with pytest.raises(DecisionNeeded, match="lake dataset new-epoch orders"):
        start(topic({0: 0}, {0: 100}, topic_id="b"), {0: 4})


def test_a_log_that_ends_below_the_fence_needs_a_person() -> None:
    with pytest.raises(DecisionNeeded, match="partition 0 ends at offset 3"):
        start(topic({0: 0}, {0: 3}), {0: 4})


def test_a_partition_that_vanished_needs_a_person() -> None:
    with pytest.raises(DecisionNeeded, match="no partition 1"):
        start(topic({0: 0}, {0: 10}), {0: 4, 1: 4})


def test_records_that_expired_unread_need_a_person() -> None:
    with pytest.raises(DecisionNeeded, match=r"3 records expired unread.*accept-gap orders"):
        start(topic({0: 8}, {0: 10}), {0: 4})


@pytest.mark.parametrize(
    ("gaps", "goes_on"),
    [
        ([AcceptedGap(0, 5, 7)], True),
        ([AcceptedGap(0, 5, 5), AcceptedGap(0, 6, 9)], True),
        ([AcceptedGap(0, 5, 6)], False),
        ([AcceptedGap(0, 6, 7)], False),
        ([AcceptedGap(1, 5, 7)], False),
    ],
)
def test_only_a_gap_accepted_whole_is_passed_over(gaps: list[AcceptedGap], goes_on: bool) -> None:
    of = topic({0: 8}, {0: 10})
    if goes_on:
        assert start(of, {0: 4}, gaps) == {0: 8}
    else:
        with pytest.raises(DecisionNeeded):
            start(of, {0: 4}, gaps)
