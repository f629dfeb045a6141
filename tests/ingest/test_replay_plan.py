"""If these fail, a replay of a range of offsets folds less than was asked for, and says nothing."""

from __future__ import annotations

import pytest

from ingest.fence import GoldFence
from ingest.replay import parse_offsets
from ingest.replay_plan import Part, outside

HELD = [Part(1, 0, 0, 99, 100), Part(2, 0, 10, 499, 490), Part(2, 1, 0, 249, 250)]


def refused(start: str = "", end: str = "", epoch: int = 2) -> str:
    return outside(HELD, *(GoldFence(epoch, parse_offsets([said])) if said else None for said in (start, end)))


@pytest.mark.parametrize("range_", [("0:9", "0:499"), ("0:9,1:-1", "0:10,1:0"), ("0:498", ""), ("", "1:249"), ("", "")])
def test_a_range_that_bronze_holds_is_folded(range_: tuple[str, str]) -> None:
    assert refused(*range_) == ""


@pytest.mark.parametrize(
    ("range_", "said"),
    [
        (("0:8", ""), "--from 0:8: bronze holds the offsets 10 to 499 of partition 0 in epoch 2"),
        (("", "0:500"), "--to 0:500: bronze holds the offsets 10 to 499 of partition 0 in epoch 2"),
        (("", "1:100,0:9"), "--to 0:9: bronze holds the offsets 10 to 499 of partition 0 in epoch 2"),
        (("2:0", ""), "--from 2:0: bronze holds no row of partition 2 in epoch 2"),
        (("0:100", "0:100"), "--to 0:100 is not above --from 0:100"),
    ],
)
def test_a_bound_outside_of_bronze_is_refused_in_a_sentence(range_: tuple[str, str], said: str) -> None:
    assert refused(*range_) == said


def test_offsets_are_those_of_their_epoch() -> None:
    assert refused("", "0:99", epoch=1) == ""
    assert "no row of partition 1 in epoch 1" in refused("", "1:100", epoch=1)


def test_offsets_are_given_together_or_one_by_one_and_nothing_is_none() -> None:
    assert parse_offsets(["0:100,1:250"]) == parse_offsets(["0:100", "1:250"]) == {0: 100, 1: 250}
    assert parse_offsets([""]) == {}
    for wrong in ("0", "0:a", "0:1:2", "0:1,0:2"):
        with pytest.raises(ValueError, match=r"PARTITION:OFFSET|two offsets"):
            parse_offsets([wrong])
