"""Blocks: if these fail, a lost, doubled, changed or swapped record could leave the sums as they were."""
from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.verify.blocks import BLOCK, Fault, Range, Sum, added, differing, faults, summed
from ingest.verify.fingerprint import fingerprint


def prints(offsets: list[int], value: bytes = b"v") -> list[tuple[int, bytes]]:
    return [(offset, fingerprint(offset, 0, b"k", value)) for offset in offsets]


def test_sums_do_not_depend_on_order_or_on_the_cut() -> None:
    records = prints(list(range(0, 3 * BLOCK, 700)))
    whole = summed(1, records)
    assert whole == summed(1, reversed(records))
    assert whole == added([summed(1, records[:17]), summed(1, records[17:])])
    assert set(whole) == {(1, 0), (1, 1), (1, 2)}


def test_a_loss_made_up_for_by_a_double_changes_the_sum() -> None:
    sent = prints([1, 2, 3])
    held = [sent[0], sent[0], sent[2]]
    assert summed(0, sent)[0, 0].count == summed(0, held)[0, 0].count
    assert summed(0, sent) != summed(0, held)


def test_bodies_swapped_between_offsets_change_the_sum() -> None:
    sent = [(1, fingerprint(1, 0, b"k", b"one")), (2, fingerprint(2, 0, b"k", b"two"))]
    held = [(1, fingerprint(1, 0, b"k", b"two")), (2, fingerprint(2, 0, b"k", b"one"))]
    assert summed(0, sent) != summed(0, held)


def test_a_double_of_the_same_row_twice_over_is_seen() -> None:
    """An xor would not see it."""
    sent = prints([1])
    assert summed(0, sent) != summed(0, sent * 3)


def test_only_blocks_that_differ_are_listed_within_what_was_asked() -> None:
    one, other = Sum(2, 5), Sum(2, 6)
    broker = {(0, 0): one, (0, 1): one, (0, 2): one, (1, 0): one}
    bronze = {(0, 0): one, (0, 1): other, (0, 2): other}
    within = [Range(0, 5, 2 * BLOCK + 9), Range(1, 0, 8)]
    assert differing(broker, bronze, within) == [Range(0, BLOCK, 2 * BLOCK + 9), Range(1, 0, 8)]
    assert differing(broker, broker, within) == []


def test_faults_by_record() -> None:
    sent = dict(prints([1, 2, 3, 4]))
    wrong = fingerprint(3, 0, b"k", b"w")
    held = {1: [sent[1]], 3: [wrong], 4: [sent[4]] * 2, 9: [sent[1]]}
    assert list(faults(6, sent, held)) == [
        Fault(6, 2, "missing"),
        Fault(6, 3, "changed", ("body",)),
        Fault(6, 4, "doubled", copies=2),
        Fault(6, 9, "extra"),
    ]


@settings(deadline=None)
@given(start=st.integers(0, 10**6), length=st.integers(0, 10**4), size=st.integers(50, 10**4))
def test_pieces_cover_a_range_once(start: int, length: int, size: int) -> None:
    whole = Range(0, start, start + length)
    pieces = list(whole.pieces(size))
    assert sum(map(len, pieces)) == length
    assert all(one.stop == other.start for one, other in pairwise(pieces))
    assert all(len(piece) <= size for piece in pieces)
