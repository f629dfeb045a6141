"""Sends a stream of records to Kafka in one process, paced, and settles each by the broker's own acknowledgement.

A record counts as sent only when the broker has said where it is; the oracle holds those coordinates. Idempotent
producer, acks from all: what is retried is neither doubled nor reordered.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import TextIO
from zlib import crc32

from kafka import KafkaProducer
from kafka.errors import KafkaError, RetriableError
from kafka.partitioner import murmur2
from kafka.record.memory_records import MemoryRecordsBuilder

from ingest.generators.broker import BrokerRefused, BrokerUnreachable
from ingest.generators.oracle import oracle_line
from ingest.generators.records import Record
from ingest.generators.tally import Tally

_CHUNK = 500
_UNSETTLED = 20_000
_DELIVERY_SECONDS = 60
_LONGEST_SLEEP = 0.05
_BEAT = 0.02
"""Seconds between two sends at a high rate: a wake-up for every record costs five times the CPU of the record."""
_hash_of_key = lru_cache(2**16)(murmur2)


class Pace:
    """How many records may be sent by now at `rate` records a second; 0 is as fast as it goes."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock, self._began = rate, clock, clock()

    def due(self, sent: int) -> int:
        """At most one chunk, 0 when it is too early."""
        if not self._rate:
            return _CHUNK
        return max(0, min(_CHUNK, int((self._clock() - self._began) * self._rate) - sent))

    def sleep(self, sent: int) -> None:
        """Wait for the next record's turn and those of a beat, but never so long that a signal goes unheard."""
        wait = (sent + 1) / self._rate - (self._clock() - self._began)
        time.sleep(min(max(wait, _BEAT), _LONGEST_SLEEP))


def partition_of(key: bytes | None, value: bytes | None, partitions: int) -> int:
    """Kafka's default partition of a key; without a key one by the value, so that a seed always gives the same."""
    return (crc32(value or b"") if key is None else _hash_of_key(key) & 0x7FFFFFFF) % partitions


def batch_size(record: Record) -> int:
    """Bytes of a batch that holds this record alone, which is what a broker's limit is about."""
    batch = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1)
    batch.append(0, record.key, record.value, list(record.headers))
    return batch.size_in_bytes()


class Sender:
    """One connection to a broker, sending to one topic. Close it, or use it in a `with`.

    A record whose batch is above `largest_batch` is refused here: refused by the broker, it would take all others that
    are in flight with it.
    """

    def __init__(self, servers: str, topic: str, largest_batch: int, oracle: TextIO | None = None) -> None:
        self.topic, self.tally = topic, Tally()
        self._servers, self._largest_batch, self._oracle = servers, largest_batch, oracle
        self._unsettled: deque[tuple[object, Record]] = deque()
        self._partitions, self._partitions_asked = 0, 0.0
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=servers.split(","),
                acks="all",
                enable_idempotence=True,
                batch_size=min(128 * 1024, largest_batch),
                linger_ms=5,
                max_request_size=largest_batch + 1024 * 1024,
                delivery_timeout_ms=_DELIVERY_SECONDS * 1000,
                max_block_ms=_DELIVERY_SECONDS * 1000,
                bootstrap_timeout_ms=10_000,
                # Partitions may be added while we send.
                metadata_max_age_ms=3_000,
                metrics_enabled=False,
            )
        except KafkaError as error:
            raise BrokerUnreachable(servers, error) from error

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_rest: object) -> None:
        try:
            self._producer.close(timeout=1 if failure else _DELIVERY_SECONDS)
        except KafkaError:
            # Not closed, it would try again, and complain, when it is collected.
            self._producer._sender.force_close()
            self._producer._closed = True
            if not failure:
                raise

    def send(
        self,
        records: Iterator[Record],
        rate: float = 0,
        stopping: Callable[[], bool] = lambda: False,
        on_progress: Callable[[int], None] = lambda sent: None,
    ) -> Tally:
        """Send all records, or those up to the moment when `stopping()` says so, and wait for every acknowledgement."""
        pace, given = Pace(rate), 0
        began = time.monotonic()
        while not stopping():
            due = pace.due(given)
            if not due:
                self._settle(leave=_UNSETTLED)
                on_progress(self.tally.sent)
                pace.sleep(given)
                continue
            chunk = list(islice(records, due))
            if not chunk:
                break
            self._give(chunk)
            given += len(chunk)
            self._settle(leave=_UNSETTLED)
            on_progress(self.tally.sent)
        try:
            self._producer.flush(timeout=_DELIVERY_SECONDS + 10)
        except KafkaError as error:
            raise self._gone_wrong(error) from error
        self._settle(leave=0)
        self.tally.seconds = time.monotonic() - began
        on_progress(self.tally.sent)
        return self.tally

    def _give(self, chunk: list[Record]) -> None:
        partitions = self._partition_count()
        send, unsettled = self._producer.send, self._unsettled
        for record in chunk:
            key, value = record.key, record.value
            if value and len(value) > self._largest_batch // 2 and batch_size(record) > self._largest_batch:
                self.tally.refuse(record.kind, "larger than the topic's max.message.bytes")
                continue
            partition = partition_of(key, value, partitions)
            try:
                unsettled.append((send(self.topic, value, key, list(record.headers), partition), record))
            except KafkaError as error:
                raise self._gone_wrong(error) from error

    def _partition_count(self) -> int:
        if time.monotonic() - self._partitions_asked > 0.5:
            try:
                self._partitions = len(self._producer.partitions_for(self.topic))
            except KafkaError as error:
                raise self._gone_wrong(error) from error
            self._partitions_asked = time.monotonic()
        return self._partitions

    def _settle(self, leave: int) -> None:
        """Take in the acknowledgements that have come; wait for them while more than `leave` are outstanding."""
        unsettled = self._unsettled
        while unsettled and (unsettled[0][0].is_done or len(unsettled) > leave):
            future, record = unsettled.popleft()
            try:
                sent = future.value if future.succeeded() else future.get(timeout=_DELIVERY_SECONDS + 10)
            except KafkaError as error:
                raise self._gone_wrong(error) from error
            self.tally.count(record.kind, sent.partition, sent.offset)
            if self._oracle:
                self._oracle.write(oracle_line(self.topic, sent.partition, sent.offset, record))

    def _gone_wrong(self, error: KafkaError) -> Exception:
        """What to raise: a broker that doesn't answer, or one that says no. Neither lets the rest through."""
        if isinstance(error, RetriableError):
            return BrokerUnreachable(self._servers, error, self.tally.sent)
        return BrokerRefused(f"The broker refused records of {self.topic} after {self.tally.sent} sent: {error}")
