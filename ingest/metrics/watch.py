"""Looks every few seconds where the broker's logs end, on a connection and in a thread of its own: never a batch's."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from ingest.metrics.board import BOARD
from ingest.topics import offsets

if TYPE_CHECKING:
    from kafka.admin import KafkaAdminClient

log = structlog.get_logger()
LOOK_SECONDS = 3.0
ANSWER_MS = 5_000


class Watch(threading.Thread):
    """Tells the meters where the logs begin and end, until `stop` is set."""

    def __init__(self, bootstrap_servers: str, stop: threading.Event) -> None:
        super().__init__(name="metrics watch", daemon=True)
        self._servers, self._stop_asked = bootstrap_servers, stop
        self._admin: KafkaAdminClient | None = None

    def run(self) -> None:
        from kafka.errors import KafkaError

        while not self._stop_asked.is_set():
            try:
                self.look()
            except (KafkaError, OSError, KeyError, ValueError) as error:
                if BOARD.broker_silent_since is None:
                    log.info("Kafka does not say where its logs end", cause=f"{type(error).__name__}: {error}")
                BOARD.broker_answers(False)
                self._close()
            self._stop_asked.wait(LOOK_SECONDS)
        self._close()

    def look(self) -> None:
        """One look at every topic. A topic that isn't there keeps what was known of it."""
        meters = {meter.run.dataset.topic: meter for meter in BOARD.meters()}
        if not meters:
            return
        found = offsets(self._connected(), list(meters))
        BOARD.broker_answers(True)
        for topic, (begin, end) in found.items():
            meters[topic].looked(begin, end)

    def _connected(self) -> KafkaAdminClient:
        from kafka.admin import KafkaAdminClient

        if self._admin is None:
            self._admin = KafkaAdminClient(
                bootstrap_servers=self._servers, request_timeout_ms=ANSWER_MS, bootstrap_timeout_ms=ANSWER_MS
            )
        return self._admin

    def _close(self) -> None:
        if self._admin is not None:
            self._admin.close()
        self._admin = None
