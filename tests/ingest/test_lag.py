"""If this fails, the on-call engineer is woken for nothing, or not at all."""

from __future__ import annotations

from ingest.lag_cli import Lag, waiting


def test_what_waits_is_counted_from_bronze_or_from_the_first_record_the_broker_keeps() -> None:
    assert waiting({0: 0, 1: 0}, {0: 10, 1: 5}, {0: 9, 1: 1}) == 3
    assert waiting({0: 4}, {0: 10}, {}) == 6, "a partition never read begins where the broker does"
    assert waiting({0: 20}, {0: 25}, {0: 9}) == 5, "expired records don't wait any more"
    assert waiting({0: 0}, {0: 3}, {0: 9}) == 0, "a topic made anew owes nothing to the old offsets"


def test_exactly_as_many_as_allowed_is_well() -> None:
    assert not Lag("orders", 100, 100).is_too_far_behind
    assert Lag("orders", 101, 100).is_too_far_behind
