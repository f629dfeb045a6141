"""If these fail, what the oracle says was sent is not what the topic holds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from itertools import count

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient

from ingest.generators.broker import BrokerRefused, ensure_topic
from ingest.generators.faults import NO_FAULTS
from ingest.generators.malformed import catalogue
from ingest.generators.malformed_values import BROKER_LIMIT, body_at_limit
from ingest.generators.orders import OrderStream
from ingest.generators.records import Record
from ingest.generators.sending import Sender

pytestmark = pytest.mark.integration
_numbers = count()


@pytest.fixture
def broker(lake_stack):
    return lake_stack.kafka_bootstrap_servers


@pytest.fixture
def topic():
    return f"generator-test-{os.getpid()}-{next(_numbers)}"


def produce(broker, *arguments, expect=0):
    done = subprocess.run(
        [sys.executable, "-m", "ingest.produce_cli", "orders", *map(str, arguments)],
        env=os.environ | {"LAKE_KAFKA_BOOTSTRAP_SERVERS": broker},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == expect, done.stderr
    return done


def content(broker, topic):
    """Every record that the topic holds now, by partition and offset."""
    consumer = KafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False, max_partition_fetch_bytes=4 << 20)
    parts = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
    ends = consumer.end_offsets(parts)
    consumer.assign(parts)
    consumer.seek_to_beginning(*parts)
    found = {}
    deadline = time.monotonic() + 60
    while len(found) < sum(ends.values()) and time.monotonic() < deadline:
        for part, records in consumer.poll(timeout_ms=500).items():
            found |= {(part.partition, record.offset): record for record in records if record.offset < ends[part]}
    consumer.close()
    assert len(found) == sum(ends.values())
    return found


def as_oracle_knows(record):
    value = None if record.value is None else sha256(record.value).hexdigest()
    try:
        return None if record.key is None else record.key.decode(), value
    except UnicodeDecodeError:
        return record.key.hex(), value


def lines_of(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {(line["kafka_partition"], line["kafka_offset"]): line for line in lines}


@pytest.mark.parametrize("processes", [1, 2])
def test_the_oracle_is_the_topic(broker, topic, tmp_path, processes):
    oracle = tmp_path / "oracle.jsonl"
    arguments = ("--topic", topic, "--seed", 7, "--count", 3000, "--processes", processes, "--oracle", oracle)
    summary = json.loads(produce(broker, *arguments, "--corpus", "--json").stdout)
    lines, found = lines_of(oracle), content(broker, topic)
    assert summary["sent"] == len(lines) == 3000 + len(catalogue())
    assert {place: (line["key"], line["value_sha256"]) for place, line in lines.items()} == {
        place: as_oracle_knows(record) for place, record in found.items()
    }
    for number, extent in summary["partitions"].items():
        assert extent["count"] == sum(partition == int(number) for partition, _ in found)
    assert {f"malformed:{name}" for name in catalogue()} <= {line["kind"] for line in lines.values()}
    assert list(tmp_path.iterdir()) == [oracle]


def test_an_order_is_sent_in_order_to_one_partition(broker, topic):
    stream = OrderStream(3, 1_769_500_000, 3600, 4000, NO_FAULTS, topic=topic)
    ensure_topic(broker, topic, 4)
    with Sender(broker, topic, BROKER_LIMIT) as sender:
        assert sender.send(stream.records()).sent == 4000
    sent, arrived = {}, {}
    for record in stream.records():
        sent.setdefault(record.key, []).append(record.value)
    for _, record in sorted(content(broker, topic).items()):
        arrived.setdefault(record.key, []).append(record.value)
    assert arrived == sent


def test_headers_arrive(broker, topic):
    produce(broker, "--topic", topic, "--seed", 1, "--corpus", "--malformed-kinds", "headers_odd")
    (record,) = content(broker, topic).values()
    assert record.headers == [("", b""), ("trace", b"\xff\xfe"), ("trace", b"again"), ("naïve", "✓".encode())]


def test_a_record_above_the_limit_is_reported_and_the_rest_arrives(broker, topic):
    assert ensure_topic(broker, topic, 1) == (1, BROKER_LIMIT)
    sound = list(OrderStream(5, 1_769_500_000, 3600, 200, NO_FAULTS).records())
    key, value = body_at_limit(sound[0].key, json.loads(sound[0].value), excess=1)
    with Sender(broker, topic, BROKER_LIMIT) as sender:
        tally = sender.send(iter([*sound[:100], Record(key, value, "too_large"), *sound[100:]]))
    assert tally.sent == 200
    assert tally.refused == {"too_large (larger than the topic's max.message.bytes)": 1}
    assert [record.value for record in content(broker, topic).values()] == [record.value for record in sound]


def test_an_existing_topic_keeps_its_partitions(broker, topic):
    assert ensure_topic(broker, topic, 3).partitions == 3
    assert ensure_topic(broker, topic, 4).partitions == 3


def test_partitions_added_while_sending_are_used(broker, topic):
    ensure_topic(broker, topic, 1)
    endless = OrderStream(1, int(time.time()), 3600, 0, NO_FAULTS, endless=True, topic=topic)
    began = time.monotonic()
    added = []

    def on_progress(_sent):
        if not added and time.monotonic() - began > 0.5:
            with KafkaAdminClient(bootstrap_servers=broker) as admin:
                added.append(admin.create_partitions({topic: 3}))

    with Sender(broker, topic, BROKER_LIMIT) as sender:

        def stopping():
            return len(sender.tally.partitions) == 3 or time.monotonic() - began > 30

        sender.send(endless.records(), 500, stopping, on_progress)
    assert set(sender.tally.partitions) == {0, 1, 2}


def test_a_record_that_only_the_broker_refuses_ends_the_sending_in_a_sentence(broker, topic):
    ensure_topic(broker, topic, 1)
    key, value = body_at_limit(b"ord-1", {}, excess=1)
    with pytest.raises(BrokerRefused, match="refused records"), Sender(broker, topic, 2 * BROKER_LIMIT) as sender:
        sender.send(iter([Record(key, value, "too_large")]))


@pytest.mark.parametrize(
    ("signum", "processes"),
    [
        (signal.SIGINT, 1),
        (signal.SIGTERM, 2),
        pytest.param(signal.SIGTERM, 1, marks=pytest.mark.full),
        pytest.param(signal.SIGINT, 2, marks=pytest.mark.full),
    ],
)
def test_a_signal_stops_an_endless_run_gracefully(broker, topic, tmp_path, signum, processes):
    ensure_topic(broker, topic, 4)
    oracle = tmp_path / "oracle.jsonl"
    command = [sys.executable, "-m", "ingest.produce_cli", "orders", "--topic", topic, "--rate", "500", "--json"]
    running = subprocess.Popen(
        [*command, "--processes", str(processes), "--oracle", str(oracle)],
        env=os.environ | {"LAKE_KAFKA_BOOTSTRAP_SERVERS": broker},
        stdout=subprocess.PIPE,
    )
    try:
        deadline = time.monotonic() + 60
        while not content(broker, topic):
            assert time.monotonic() < deadline
        running.send_signal(signum)
        summary = json.loads(running.communicate(timeout=60)[0])
    finally:
        running.kill()
    assert running.returncode == 0 and summary["stopped"]
    assert summary["sent"] == len(content(broker, topic)) == len(lines_of(oracle)) > 0


def test_a_rate_is_kept(broker, topic):
    summary = json.loads(produce(broker, "--topic", topic, "--rate", 400, "--count", 1200, "--json").stdout)
    assert 2.5 < summary["seconds"] < 6


def test_no_broker_is_one_sentence(topic):
    done = produce("127.0.0.1:9", "--topic", topic, "--count", 1, expect=5)
    assert done.stderr.count("\n") == 1 and "No Kafka broker answers at 127.0.0.1:9" in done.stderr
