"""The Kafka topic of a dataset that is registered: there already, or made."""

from __future__ import annotations

from pydantic import BaseModel

from ingest.registry.problems import Problem

ANSWER_MS = 5_000


class Topic(BaseModel):
    """A topic as it is after the request, or would be. One that was there keeps its partitions."""

    name: str
    partitions: int
    created: bool


def ensure(servers: str, name: str, partitions: int, dry_run: bool) -> Topic:
    """Create the topic where it is missing; with `dry_run` the broker only says whether it would. Problem otherwise."""
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError, RetriableError, TopicAlreadyExistsError

    try:
        with KafkaAdminClient(
            bootstrap_servers=servers.split(","), bootstrap_timeout_ms=ANSWER_MS, request_timeout_ms=ANSWER_MS
        ) as admin:
            try:
                wanted = {name: {"num_partitions": partitions}}
                admin.create_topics(wanted, validate_only=dry_run, wait_for_metadata=not dry_run)
                return Topic(name=name, partitions=partitions, created=True)
            except TopicAlreadyExistsError:
                there = len(admin.describe_topics([name])[0]["partitions"])
                return Topic(name=name, partitions=there, created=False)
    except (RetriableError, OSError) as error:
        detail = f"Kafka at {servers} does not answer ({type(error).__name__}): nothing was registered."
        raise Problem(503, "no-broker", detail) from error
    except KafkaError as error:
        detail = f"Kafka refuses the topic {name} ({error}): nothing was registered."
        raise Problem(409, "topic-refused", detail) from error
