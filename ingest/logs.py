"""Logs of the ingester."""

from __future__ import annotations

import logging

from stack.logs import to_standard_error


def configure() -> None:
    """Set structlog up for this process."""
    # Clients (py4j, Kafka's) log with a traceback what they raise as well; what comes of it is said by us, once.
    logging.getLogger().setLevel(logging.CRITICAL)
    to_standard_error()
