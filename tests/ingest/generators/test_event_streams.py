"""If these fail, a stream isn't what its seed, its shares or the faults asked for say, whatever it is about."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections import Counter
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

import pytest

from ingest.datasets import load
from ingest.generators.content_events import ContentStream
from ingest.generators.faults import NO_FAULTS, USUAL, USUAL_BUT_LEGAL, Faults
from ingest.generators.malformed import catalogue
from ingest.generators.user_events import UserStream
from stack.settings import PROJECT

START, SPAN = 1_769_500_000, 6 * 3600
STREAMS = (ContentStream, UserStream)
SHARES_OF_FAULTS = {"duplicates": 0, "late": 0, "out_of_order": 0, "illegal": 0, "malformed": 0}

each = pytest.mark.parametrize("kind", STREAMS)


def stream(kind, count=3000, seed=7, faults=NO_FAULTS, **more):
    return kind(seed=seed, start=START, span=SPAN, count=count, faults=faults, **more)


def seconds_of(record):
    event = json.loads(record.value)
    if "timestamp" in event:
        return datetime.fromisoformat(event["timestamp"]).timestamp()
    return event["event_timestamp"] / 1000


@each
def test_the_same_seed_gives_the_same_bytes(kind):
    once, again = (list(stream(kind, 2000, faults=USUAL_BUT_LEGAL, corpus=True).records()) for _ in range(2))
    assert once == again
    assert once != list(stream(kind, 2000, seed=8, faults=USUAL_BUT_LEGAL, corpus=True).records())


def digest():
    """Of a share of every stream."""
    records = [list(stream(kind, 500, faults=USUAL_BUT_LEGAL).records(1, 3)) for kind in STREAMS]
    return sha256(repr(records).encode()).hexdigest()


def test_another_process_gives_the_same_bytes():
    """Nothing may hang on the order of a set or on `hash`, which differ by process."""
    other = subprocess.run(
        [sys.executable, "-c", "from tests.ingest.generators.test_event_streams import digest; print(digest())"],
        cwd=PROJECT,
        env=os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == digest()


@each
def test_a_share_is_the_same_whatever_the_other_shares_do(kind):
    whole = stream(kind, 3000, faults=USUAL_BUT_LEGAL)
    first, second = (list(whole.records(share, 2)) for share in (0, 1))
    assert second == list(whole.records(1, 2))
    assert not {r.key for r in first} & {r.key for r in second} - {None}


@each
@pytest.mark.parametrize(("count", "shares", "corpus"), [(0, 1, True), (0, 3, True), (1, 4, False), (1000, 5, True)])
def test_shares_add_up_to_the_total(kind, count, shares, corpus):
    whole = stream(kind, count, faults=Faults(illegal=0, malformed=0.01), corpus=corpus)
    assert sum(sum(1 for _ in whole.records(share, shares)) for share in range(shares)) == whole.total


@each
def test_event_times_cover_the_span_and_end_with_it(kind):
    times = [seconds_of(record) for record in stream(kind).records()]
    assert all(late - early > -1.001 for early, late in pairwise(times)), "whole seconds are cut"
    assert times[0] - START < 20 and int(times[-1]) == START + SPAN


@each
@pytest.mark.parametrize("fault", ["duplicates", "late", "out_of_order", "malformed"])
def test_a_fault_has_the_share_asked_for(kind, fault):
    count = 3000
    faults = Faults(**SHARES_OF_FAULTS | {fault: 0.1})
    kinds = Counter(record.kind.partition(":")[0] for record in stream(kind, count, faults=faults).records())
    name = "duplicate" if fault == "duplicates" else fault
    assert 0.075 < kinds[name] / count < 0.125
    assert kinds["event"] + kinds[name] == count


@each
def test_an_event_id_comes_again_in_duplicates_only_and_then_all_is_the_same(kind):
    seen = {}
    for record in stream(kind, faults=Faults(0.1, 0.1, 0.1, 0, 0)).records():
        assert (record.kind == "duplicate") == (record.event_id in seen)
        same = (record.key, record.value, record.headers)
        assert seen.setdefault(record.event_id, same) == same


@each
def test_a_late_event_happened_hours_before(kind):
    newest = START
    for record in stream(kind, faults=Faults(0, 0.1, 0, 0, 0)).records():
        time = seconds_of(record)
        assert (time < newest - 3000) == (record.kind == "late")
        newest = max(newest, time)


@each
def test_an_event_out_of_order_changes_places_with_the_next_of_its_session(kind):
    latest, overtaken, swapped = {}, 0, 0
    for record in stream(kind, faults=Faults(0, 0, 0.1, 0, 0)).records():
        user, time = json.loads(record.value)["user_id"], seconds_of(record)
        is_behind = time < latest.get(user, 0)
        assert not is_behind or record.kind == "out_of_order" or time == int(time)
        overtaken += is_behind
        swapped += record.kind == "out_of_order"
        latest[user] = max(latest.get(user, 0), time)
    assert overtaken > 0.4 * swapped > 100


@each
def test_topic_and_partitions_are_those_that_the_dataset_declares(kind):
    declared = load(kind.dataset, PROJECT / "ingest" / "datasets")
    assert (kind.topic, kind.partitions) == (declared.topic, declared.partitions)


@each
def test_a_stream_goes_to_another_process_as_it_is(kind):
    sent = stream(kind, 100, rate=5, topic="other")
    assert pickle.loads(pickle.dumps(sent)) == sent


@each
def test_the_corpus_is_each_kind_once(kind):
    records = list(stream(kind, 0, corpus=True).records())
    assert [record.kind for record in records] == [f"malformed:{name}" for name in catalogue(kind.dataset)]


@each
def test_all_kinds_are_drawn_in_time_and_only_those_chosen(kind):
    faults = Faults(**SHARES_OF_FAULTS | {"malformed": 1})
    drawn = {record.kind for record in stream(kind, 2000, faults=faults).records()}
    cheap = {f"malformed:{each.name}" for each in catalogue(kind.dataset).values() if each.weight == 1}
    assert cheap <= drawn
    alone = stream(kind, 100, faults=faults, malformed_kinds=("null_key", "bom"))
    assert {record.kind for record in alone.records()} == {"malformed:null_key", "malformed:bom"}


@each
def test_illegal_events_are_refused_where_nothing_can_be_illegal(kind):
    with pytest.raises(ValueError, match=f"no event of {kind.dataset} is illegal"):
        stream(kind, faults=USUAL)


@each
def test_an_endless_stream_is_dated_by_the_clock_and_drawn_from_the_seed(kind, monkeypatch):
    monkeypatch.setattr("ingest.generators.event_stream.time.time", lambda: START + 5.0)
    runs = [stream(kind, 0, endless=True, rate=50).records() for _ in range(2)]
    once, again = ([next(run) for _ in range(300)] for run in runs)
    assert {seconds_of(record) for record in once} == {START + 5}
    assert once == again and stream(kind, 0, endless=True).total is None
