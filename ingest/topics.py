"""A topic as the broker has it now, and whether the stream may go on from a fence, or a person must decide first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.fence import Offsets

if TYPE_CHECKING:
    from kafka.admin import KafkaAdminClient


class DecisionNeeded(RuntimeError):
    """The dataset stops before it reads: going on would lose or mix records unless a person says so."""


class TopicUnavailable(RuntimeError):
    """The broker can't be reached, or has no such topic; may pass by itself."""


class TopicAbsent(TopicUnavailable):
    """The broker answers, and has no such topic."""


@dataclass(frozen=True)
class Topic:
    """`topic_id` as Kafka prints it; per partition the first offset kept and the next to be written."""

    name: str
    topic_id: str
    begin: Offsets
    end: Offsets


@dataclass(frozen=True)
class AcceptedGap:
    """Offsets from `first` to `last` (inclusive) that a person declared gone."""

    partition: int
    first: int
    last: int


class Broker:
    """Reads topics' identity and offsets; the connection for the first is kept, and made anew after an error."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._admin: KafkaAdminClient | None = None

    def topic_id(self, name: str) -> str:
        """The id that Kafka gave the topic when it was created."""
        from kafka.errors import KafkaError

        try:
            described = self._connected().describe_topics([name])[0]
        except KafkaError as error:
            self.close()
            raise TopicUnavailable(f"Kafka at {self._servers} does not answer: {error}") from error
        if described["error_code"] or not described.get("partitions"):
            raise TopicAbsent(f"topic {name} does not exist at {self._servers}; create it or produce to it first")
        return str(described["topic_id"])

    def topic(self, name: str) -> Topic:
        """Identity and offsets of the topic; TopicUnavailable where there is none."""
        from kafka.errors import KafkaError

        topic_id = self.topic_id(name)
        try:
            begin, end = offsets(self._connected(), [name])[name]
        except (KafkaError, KeyError) as error:
            self.close()
            raise TopicUnavailable(f"Kafka at {self._servers} does not answer: {error}") from error
        return Topic(name, topic_id, begin, end)

    def _connected(self) -> KafkaAdminClient:
        from kafka.admin import KafkaAdminClient

        if self._admin is None:
            self._admin = KafkaAdminClient(bootstrap_servers=self._servers)
        return self._admin

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        if self._admin is not None:
            self._admin.close()
        self._admin = None


def offsets(admin: KafkaAdminClient, topics: list[str]) -> dict[str, tuple[Offsets, Offsets]]:
    """Of each topic that is there, by partition: the first offset kept, and the next that a reader will be given."""
    from kafka import IsolationLevel, TopicPartition
    from kafka.admin import OffsetSpec

    described = [one for one in admin.describe_topics(topics) if not one["error_code"]]
    places = [TopicPartition(one["name"], part["partition_index"]) for one in described for part in one["partitions"]]
    if not places:
        return {}
    ends = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST), IsolationLevel.READ_COMMITTED)
    begins = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
    found: dict[str, tuple[Offsets, Offsets]] = {}
    for place in places:
        begin, end = found.setdefault(place.topic, ({}, {}))
        begin[place.partition], end[place.partition] = begins[place].offset, ends[place].offset
    return found


def starting_offsets(dataset: str, topic: Topic, known_id: str, fence: Offsets, gaps: list[AcceptedGap]) -> Offsets:
    """Per partition the next offset to read: fence + 1, or the first kept where bronze has never seen the partition.

    Raises DecisionNeeded for a recreated topic, a log that ends below the fence, and records that expired unread.
    """
    if topic.topic_id != known_id:
        raise DecisionNeeded(
            f"topic {topic.name} was recreated (its id is {topic.topic_id}, bronze was read from {known_id}); "
            f"to go on with the new topic as a new epoch: lake dataset new-epoch {dataset}"
        )
    start: Offsets = {}
    for partition, begin in sorted(topic.begin.items()):
        if partition not in fence:
            start[partition] = begin
            continue
        following = fence[partition] + 1
        if topic.end[partition] < following:
            raise DecisionNeeded(
                f"topic {topic.name} partition {partition} ends at offset {topic.end[partition]}, but bronze holds "
                f"{fence[partition]}: the broker lost records; restore the topic, or go on with what it has as a "
                f"new epoch: lake dataset new-epoch {dataset}"
            )
        if begin > following and not _covers(gaps, partition, following, begin - 1):
            raise DecisionNeeded(
                f"topic {topic.name} partition {partition} begins at offset {begin}, but bronze has only read up to "
                f"{fence[partition]}: {begin - following} records expired unread; to go on without them: "
                f"lake dataset accept-gap {dataset}"
            )
        start[partition] = max(begin, following)
    missing = sorted(set(fence) - set(topic.begin))
    if missing:
        raise DecisionNeeded(
            f"topic {topic.name} has no partition {missing[0]} any more, but bronze holds records of it; "
            f"to go on with the topic as it is: lake dataset new-epoch {dataset}"
        )
    return start


def _covers(gaps: list[AcceptedGap], partition: int, first: int, last: int) -> bool:
    """Whether a person accepted the loss of all offsets from `first` to `last`."""
    for gap in sorted((g for g in gaps if g.partition == partition), key=lambda g: g.first):
        if gap.first <= first <= gap.last:
            first = gap.last + 1
    return first > last
