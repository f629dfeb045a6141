"""Logs of our own processes, on standard error: lines for a person at a terminal, JSON for everything else."""

from __future__ import annotations

import sys

import structlog


def to_standard_error() -> None:
    """Set structlog up for this process."""
    person = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if person else "iso", utc=not person),
            structlog.dev.ConsoleRenderer() if person else structlog.processors.JSONRenderer(default=str),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
