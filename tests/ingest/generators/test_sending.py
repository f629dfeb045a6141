"""If these fail, the load offered or the oracle's coordinates are not what the tests of the tables believe."""
from __future__ import annotations

import json
import pickle
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import murmur2

from ingest.generators import sending
from ingest.generators.broker import BrokerUnreachable
from ingest.generators.oracle import oracle_line
from ingest.generators.records import Record
from ingest.generators.sending import Pace, partition_of
from ingest.generators.shares import planned_processes
from ingest.generators.tally import Extent, Tally


class Clock:
    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


def test_the_pace_is_the_rate_and_catches_up_after_a_stall():
    clock = Clock()
    pace = Pace(100, clock)
    assert pace.due(0) == 0
    clock.now += 0.25
    assert pace.due(0) == 25 and pace.due(25) == 0
    clock.now += 60
    sent = 25
    while due := pace.due(sent):
        sent += due
    assert sent == 6025


def test_without_a_rate_there_is_always_more_to_send():
    assert Pace(0).due(10**9) > 0


@pytest.mark.parametrize(("rate", "slept"), [(10_000, 0.02), (40, 0.025), (1, 0.05)])
def test_a_high_rate_is_sent_in_beats_and_a_signal_is_heard_at_a_low_one(monkeypatch, rate, slept):
    waits = []
    monkeypatch.setattr(sending.time, "sleep", waits.append)
    Pace(rate, Clock()).sleep(0)
    assert waits == [pytest.approx(slept)]


@given(st.binary(max_size=40), st.integers(1, 50))
def test_a_key_goes_where_kafka_puts_it(key, partitions):
    assert partition_of(key, b"value", partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions


def test_records_without_a_key_spread_by_their_value():
    partitions = [partition_of(None, str(number).encode(), 4) for number in range(100)]
    assert set(partitions) == {0, 1, 2, 3}
    assert partitions == [partition_of(None, str(number).encode(), 4) for number in range(100)]


@pytest.mark.parametrize(
    ("rate", "count", "processes"),
    [(0, 20_000, 1), (0, 5_000_000, 2), (0, None, 2), (1, None, 1), (15_000, 9, 1), (15_001, 9, 2), (50_000, None, 4)],
)
def test_processes_follow_from_the_rate(rate, count, processes):
    assert planned_processes(rate, count) == processes


def test_tallies_of_processes_add_up():
    first, second = Tally(seconds=2.0), Tally(seconds=3.0)
    first.count("event", 0, 5)
    first.count("late", 0, 4)
    second.count("event", 0, 9)
    second.count("event", 1, 1)
    second.refuse("event", "MessageSizeTooLargeError")
    first.add(second)
    assert (first.sent, first.seconds, first.kinds) == (4, 3.0, {"event": 3, "late": 1})
    assert first.partitions == {0: Extent(3, 4, 9), 1: Extent(1, 1, 1)}
    assert json.loads(json.dumps(first.as_json()))["refused"] == {"event (MessageSizeTooLargeError)": 1}


def test_an_oracle_line_says_where_and_what():
    line = json.loads(oracle_line("orders", 2, 17, Record(b"ord-1", b"{}", "event", "e-1")))
    assert line == {
        "topic": "orders",
        "kafka_partition": 2,
        "kafka_offset": 17,
        "key": "ord-1",
        "value_sha256": sha256(b"{}").hexdigest(),
        "kind": "event",
        "event_id": "e-1",
    }


def test_an_oracle_line_can_hold_what_is_not_text():
    line = json.loads(oracle_line("orders", 0, 0, Record(b"\xff", None, "malformed:x")))
    assert (line["key"], line["key_hex"], line["value_sha256"], line["event_id"]) == ("ff", True, None, None)
    assert json.loads(oracle_line("orders", 0, 0, Record(None, b"", "malformed:x")))["key"] is None


def test_an_unreachable_broker_is_one_sentence_and_crosses_processes():
    fault = BrokerUnreachable(["127.0.0.1:1"], ConnectionRefusedError(), 5)
    assert str(fault).startswith("No Kafka broker answers at 127.0.0.1:1 after 5 acknowledged records")
    assert str(pickle.loads(pickle.dumps(fault))) == str(fault)
