"""What the generators need of a broker beside sending: that it answers, and that the topic is there."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import NamedTuple

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import RetriableError, TopicAlreadyExistsError


class BrokerUnreachable(Exception):
    """No broker answers (any more) at the address. The message is one sentence for the person at the terminal."""

    def __init__(self, servers: str | list[str], cause: object, sent: int | None = None) -> None:
        address = servers if isinstance(servers, str) else ",".join(servers)
        reason = type(cause).__name__ if isinstance(cause, Exception) else str(cause)
        after = "" if sent is None else f" after {sent} acknowledged records (later ones may be in the topic or not)"
        super().__init__(f"No Kafka broker answers at {address}{after}: {reason}; is the stack up (lake status)?")
        self._arguments = (servers, reason, sent)

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """It crosses process borders."""
        return type(self), self._arguments


class Topic(NamedTuple):
    """A topic as the broker has it. `largest_batch` is its `max.message.bytes`, a batch's overhead included."""

    partitions: int
    largest_batch: int


class BrokerRefused(Exception):
    """The broker answers, and says no; the client then gives up whatever else it had to send."""


def ensure_topic(bootstrap_servers: str, topic: str, partitions: int, config: Mapping[str, str] | None = None) -> Topic:
    """Create the topic if it is missing, and say how it is. An existing one keeps its partitions and configuration."""
    _knock(bootstrap_servers)
    try:
        with KafkaAdminClient(bootstrap_servers=bootstrap_servers.split(","), bootstrap_timeout_ms=10_000) as admin:
            try:
                wanted = {"num_partitions": partitions, "configs": dict(config or {})}
                admin.create_topics({topic: wanted}, wait_for_metadata=True)
            except TopicAlreadyExistsError:
                partitions = len(admin.describe_topics([topic])[0]["partitions"])
            resource = ConfigResource(ConfigResourceType.TOPIC, topic, ["max.message.bytes"])
            described = admin.describe_configs([resource], config_filter="all")["topic"][topic]
            return Topic(partitions, int(described["max.message.bytes"]["value"]))
    except RetriableError as error:
        raise BrokerUnreachable(bootstrap_servers, error) from error


def _knock(bootstrap_servers: str) -> None:
    """Fail at once where nothing listens, rather than after the client's retries."""
    refusal: OSError | None = None
    for server in bootstrap_servers.split(","):
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
            return
        except OSError as error:
            refusal = error
    raise BrokerUnreachable(bootstrap_servers, refusal)
