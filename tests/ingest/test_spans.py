"""If these fail, a merge doesn't find a row that is there and adds it again, or it reads what it need not."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from ingest.spans import MOST, Span, spans


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5)), st.integers(1, MOST))
def test_each_key_is_in_one_span_whose_ends_are_keys(keys: list[str], most: int) -> None:
    found = spans(keys, most)
    in_bytes = [(span.lowest.encode(), span.highest.encode()) for span in found]
    for key in keys:
        assert sum(lowest <= key.encode() <= highest for lowest, highest in in_bytes) == 1
    assert {end for span in found for end in span} <= set(keys)
    assert len(found) <= most


def test_old_keys_and_those_of_another_kind_have_spans_of_their_own() -> None:
    new = [f"ord-20261130-s1-{number:06d}" for number in range(104_000, 112_000)]
    odd = ["ord-20261029-s1-000700", "ord-20261130-s1-000007", "test"]
    ends = [(odd[0], odd[0]), (odd[1], odd[1]), (new[0], new[5_999]), (new[6_000], new[-1]), (odd[2], odd[2])]
    assert spans([*new, *odd]) == [Span(*pair) for pair in ends]


def test_random_keys_are_one_span_and_no_key_has_none() -> None:
    random = [sha256(str(number).encode()).hexdigest() for number in range(1_000)]
    assert spans(random) == [Span(min(random), max(random))]
    assert spans([]) == []
