"""Some records of a topic, of every partition, as Kafka has them now. Reads only, in no consumer group."""

from __future__ import annotations

import time
from dataclasses import dataclass

PATIENCE = 20.0
"""Seconds to wait for records that the broker says are there."""
FEWEST = 20
"""Records that a sample needs: fewer show too little."""


@dataclass(frozen=True)
class Record:
    """A record's key and value as sent."""

    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class Sample:
    """The newest `records` of a topic with so many partitions; in each partition in the order they were written."""

    partitions: int
    records: list[Record]


def sample(servers: str, topic: str, most: int) -> Sample:
    """The newest records of each partition, `most` of all. Raises TopicUnavailable without broker or topic."""
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaError

    from ingest.topics import Broker, TopicUnavailable

    broker = Broker(servers)
    try:
        found = broker.topic(topic)
    finally:
        broker.close()
    share = -(-most // len(found.end))
    begin = {number: max(found.begin[number], end - share) for number, end in found.end.items()}
    places = [TopicPartition(topic, number) for number, first in begin.items() if first < found.end[number]]
    records: list[Record] = []
    if not places:
        return Sample(len(found.end), records)
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=servers, isolation_level="read_committed", enable_auto_commit=False, group_id=None
        )
        try:
            consumer.assign(places)
            for place in places:
                consumer.seek(place, begin[place.partition])
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline and any(consumer.position(p) < found.end[p.partition] for p in places):
                for batch in consumer.poll(timeout_ms=1000).values():
                    records += [Record(one.key, one.value) for one in batch]
        finally:
            consumer.close()
    except KafkaError as error:
        raise TopicUnavailable(f"Kafka at {servers} does not answer: {error}") from error
    return Sample(len(found.end), records)
