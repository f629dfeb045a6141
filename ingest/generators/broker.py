"""What the generators need of a broker beside sending: that it answers, and that the topic is there."""
from __future__ import annotations

import socket

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError


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


def ensure_topic(bootstrap_servers: str, topic: str, partitions: int) -> int:
    """Create the topic if it is missing, and say how many partitions it has (an existing one keeps its number)."""
    _knock(bootstrap_servers)
    try:
        with KafkaAdminClient(bootstrap_servers=bootstrap_servers.split(","), bootstrap_timeout_ms=10_000) as admin:
            try:
                admin.create_topics({topic: {"num_partitions": partitions}}, wait_for_metadata=True)
            except TopicAlreadyExistsError:
                return len(admin.describe_topics([topic])[0]["partitions"])
            return partitions
    except KafkaError as error:
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
