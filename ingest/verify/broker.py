"""The broker's side: records read with a plain consumer, apart from Spark and from the ingester.

Reading is `read_committed` and never skips: a log that is cut off while it is read raises LogMoved.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, OffsetOutOfRangeError

from ingest.verify.blocks import BLOCK, Blocks, Range, added, summed
from ingest.verify.fingerprint import fingerprint

PIECE = 20 * BLOCK  # offsets a worker reads at once; also the step of the progress bar
WORTH_PROCESSES = 2 * PIECE  # fewer are read sooner than a second process has started
STALLED_SECONDS = 60
BOOTSTRAP_MS = 15_000


class BrokerUnreachable(ConnectionError):
    """Kafka does not answer; the message is for the person."""


class LogMoved(RuntimeError):
    """The broker dropped records while they were being read: take another cut."""


@dataclass(frozen=True)
class Topic:
    """A topic as the broker has it: its id, first and next offset per partition."""

    name: str
    topic_id: str
    is_compacted: bool
    begin: dict[int, int]
    end: dict[int, int]


def describe(servers: str, name: str) -> Topic | None:
    """The topic now; None when the broker has none of that name."""
    try:
        admin = KafkaAdminClient(bootstrap_servers=servers, bootstrap_timeout_ms=BOOTSTRAP_MS)
        try:
            described = admin.describe_topics([name])[0]
            if not described["partitions"]:
                return None
            settings = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)], config_filter="all")
        finally:
            admin.close()
        partitions = [TopicPartition(name, p["partition_index"]) for p in described["partitions"]]
        consumer = _new_consumer(servers)  # one that is kept raises KeyError for partitions added since
        try:
            begin, end = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        finally:
            consumer.close()
    except (KafkaError, OSError) as error:
        raise BrokerUnreachable(f"Kafka at {servers} does not answer ({error}); is the stack up?") from error
    return Topic(
        name,
        str(described["topic_id"]),
        "compact" in str(settings["topic"][name].get("cleanup.policy")),
        {place.partition: offset for place, offset in begin.items()},
        {place.partition: offset for place, offset in end.items()},
    )


def fingerprints(servers: str, topic: str, what: Range) -> Iterator[tuple[int, bytes]]:
    """(offset, fingerprint) of the records that the broker has in a range; it must end at or below the log's end."""
    place = TopicPartition(topic, what.partition)
    try:
        consumer = _consumer(servers)
        consumer.assign([place])
        consumer.seek(place, what.start)
        reached, heard = what.start, time.monotonic()
        while reached < what.stop:
            polled = consumer.poll(timeout_ms=1000).get(place, [])
            # The position also moves over what a reader is never given: transaction markers, aborted records.
            before, reached = reached, consumer.position(place)
            if reached > before:
                heard = time.monotonic()
            elif time.monotonic() - heard > STALLED_SECONDS:
                raise BrokerUnreachable(f"Kafka at {servers} gave nothing of {topic}/{what.partition} at {reached}")
            for record in polled:
                if record.offset >= what.stop:
                    return
                yield (
                    record.offset,
                    fingerprint(record.offset, record.timestamp, record.key, record.value, record.headers),
                )
    except OffsetOutOfRangeError as error:
        raise LogMoved(f"{topic}/{what.partition} no longer begins at {what.start}") from error
    except KafkaError as error:
        raise BrokerUnreachable(f"reading {topic}/{what.partition} from Kafka at {servers} failed: {error}") from error


def blocks(servers: str, topic: str, ranges: Sequence[Range], advance: Callable[[int], None]) -> Blocks:
    """Sums per block over the ranges, by several processes when it is worth it; `advance` hears of offsets done."""
    pieces = [piece for what in ranges for piece in what.pieces(PIECE)]
    workers = min(os.cpu_count() or 1, len(pieces))
    if workers < 2 or sum(map(len, pieces)) < WORTH_PROCESSES:
        parts = []
        for piece in pieces:
            parts.append(_blocks_of(servers, topic, piece))
            advance(len(piece))
        return added(parts)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        asked = {pool.submit(_blocks_of, servers, topic, piece): piece for piece in pieces}
        parts = []
        for answer in as_completed(asked):
            parts.append(answer.result())
            advance(len(asked[answer]))
        return added(parts)


def _blocks_of(servers: str, topic: str, what: Range) -> Blocks:
    return summed(what.partition, fingerprints(servers, topic, what))


@cache
def _consumer(servers: str) -> KafkaConsumer:
    """One consumer a process."""
    return _new_consumer(servers)


def _new_consumer(servers: str) -> KafkaConsumer:
    """A consumer in no group."""
    return KafkaConsumer(
        bootstrap_servers=servers,
        bootstrap_timeout_ms=BOOTSTRAP_MS,
        isolation_level="read_committed",
        auto_offset_reset="none",
        enable_auto_commit=False,
        group_id=None,
        max_poll_records=2000,
    )
