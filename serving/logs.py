"""Logs of the refresher, on standard error: lines for a person at a terminal, JSON for everything else."""

from __future__ import annotations

import logging
import sys

import structlog


def configure() -> None:
    """Set structlog up for this process; dbt's and its clients' own logs are left out."""
    logging.disable(logging.CRITICAL)
    person = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if person else "iso", utc=not person),
            structlog.dev.ConsoleRenderer() if person else structlog.processors.JSONRenderer(default=str),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
