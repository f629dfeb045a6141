"""Kafka: one KRaft node that is broker and controller at once, on the stack's own address.

Topics are made by those who declare them (`auto.create.topics.enable=false`), retention is the broker's default.
"""
from __future__ import annotations

import base64
import shlex
import subprocess
import uuid

from stack.engine import Engine
from stack.faults import Fault
from stack.java import java_17_home
from stack.settings import Settings

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{s.host}:{s.kafka_controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{s.host}:{s.kafka_port},CONTROLLER://{s.host}:{s.kafka_controller_port}
advertised.listeners=PLAINTEXT://{s.host}:{s.kafka_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={s.data}/kafka
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""

LOG4J = """\
status=warn
rootLogger.level=info
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %-5p %c{1}: %m%n
"""


def java(settings: Settings) -> list[str]:
    return [
        str(java_17_home(settings) / "bin" / "java"),
        f"-Xmx{settings.kafka_memory}",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-Djava.awt.headless=true",
        *shlex.split(settings.jvm_options),
        f"-Dlog4j2.configurationFile={settings.run}/kafka-log4j2.properties",
        mark(settings),
        "-cp",
        f"{settings.downloads}/kafka/*",
    ]


def mark(settings: Settings) -> str:
    return f"-Dlake.kafka={settings.home}"


def prepare(settings: Settings) -> None:
    """Write the configuration; format the log folder the first time."""
    properties = settings.run / "kafka.properties"
    properties.write_text(PROPERTIES.format(s=settings))
    (settings.run / "kafka-log4j2.properties").write_text(LOG4J)
    data = settings.data / "kafka"
    if (data / "meta.properties").exists():
        return
    data.mkdir(parents=True, exist_ok=True)
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")
    done = subprocess.run(
        [*java(settings), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Fault(f"Kafka's folder {data} could not be formatted: {(done.stderr or done.stdout).strip()[-500:]}")


def ready(settings: Settings) -> None:
    """The controller is elected and the broker is registered, so that a topic can be made and produced to."""
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(
        bootstrap_servers=settings.kafka_bootstrap_servers, request_timeout_ms=5000, bootstrap_timeout_ms=5000
    )
    try:
        cluster = admin.describe_cluster()
    finally:
        admin.close()
    if not cluster.get("brokers"):
        raise ConnectionError("no broker is registered yet")


ENGINE = Engine(
    name="kafka",
    ports=("kafka_port", "kafka_controller_port"),
    prepare=prepare,
    command=lambda s: [*java(s), "kafka.Kafka", str(s.run / "kafka.properties")],
    ready=ready,
    mark=mark,
    endpoint=lambda s: (s.kafka_bootstrap_servers, "none"),
)
