"""If these fail, rows whose schema waits for a person are published, or a merge is made in vain every few seconds."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ingest.datasets import load
from ingest.live import LiveGold, SchemaEvolved
from ingest.schema.check import SchemaBlocked, SchemaCheck
from stack.settings import DATASETS

ORDERS = load("orders", DATASETS)
RANGE = ("snapshots", 1, 2)


class Publisher:
    """What was merged, and what was published of it."""

    def __init__(self) -> None:
        self.merged, self.published = [], []

    def publish(self, write, _point) -> None:
        write("a branch")
        self.published.append("a branch")


@pytest.fixture
def live() -> LiveGold:
    made = LiveGold.__new__(LiveGold)
    made.gold = SimpleNamespace(typed=True, version=1)
    made.dataset, made.publisher, made.check = ORDERS, Publisher(), SchemaCheck(ORDERS)
    made.fold = SimpleNamespace(merge=lambda rows, branch, *_of: made.publisher.merged.append(branch))
    return made


def looks(live: LiveGold, monkeypatch: pytest.MonkeyPatch, found: object) -> None:
    def pass_(range_, sampled):
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(live.check, "pass_", pass_)


def merge(live: LiveGold) -> None:
    live._merge(RANGE, None, 10, lambda: None)


def test_what_passes_is_published(live, monkeypatch) -> None:
    looks(live, monkeypatch, 1)
    merge(live)
    assert live.publisher.published == live.publisher.merged == ["a branch"]


@pytest.mark.parametrize(
    ("found", "raised"), [(SchemaBlocked("a field is gone"), SchemaBlocked), (2, SchemaEvolved)]
)  # fmt: skip
def test_a_merge_that_is_done_is_not_published_where_the_look_says_no(live, monkeypatch, found, raised) -> None:
    looks(live, monkeypatch, found)
    with pytest.raises(raised):
        merge(live)
    assert live.publisher.merged == ["a branch"] and live.publisher.published == []


def test_a_merge_that_a_changed_schema_made_fail_says_so(live, monkeypatch) -> None:
    def fails(*_of) -> None:
        raise RuntimeError("cannot cast")

    live.fold.merge = fails
    looks(live, monkeypatch, SchemaBlocked("a number is text now"))
    with pytest.raises(SchemaBlocked, match="a number is text now"):
        merge(live)
    looks(live, monkeypatch, 1)
    with pytest.raises(RuntimeError, match="cannot cast"):
        merge(live)


def test_while_a_person_is_waited_for_nothing_is_merged(live, monkeypatch) -> None:
    live.check._blocked = 2
    looks(live, monkeypatch, SchemaBlocked("a field is gone"))
    with pytest.raises(SchemaBlocked):
        merge(live)
    assert live.publisher.merged == []


def test_the_second_gold_of_a_range_reads_no_bodies_for_the_look(live, monkeypatch) -> None:
    ridden = []
    live.fold.merge = lambda rows, branch, history, riding: ridden.append(riding)
    looks(live, monkeypatch, 1)
    merge(live)
    live.check._passed.append(RANGE)
    merge(live)
    assert ridden[0] is not None and ridden[1] is None
