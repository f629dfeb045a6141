"""Logs of the refresher."""

from __future__ import annotations

import logging

from stack.logs import to_standard_error


def configure() -> None:
    """Set structlog up for this process; dbt's and its clients' own logs are left out."""
    logging.disable(logging.CRITICAL)
    to_standard_error()
