"""If this fails, a machine can't read our logs, or a person at a terminal has to read JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from stack.logs import to_standard_error


class Stream(io.StringIO):
    terminal = False

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_json_for_everything_but_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream()
    monkeypatch.setattr("sys.stderr", stream)
    to_standard_error()
    structlog.contextvars.bind_contextvars(dataset="orders", batch=3)
    structlog.get_logger().info("bronze", offsets={0: [1, 5]})
    said = json.loads(stream.getvalue())
    assert said.pop("timestamp").endswith("Z")
    assert said == {"event": "bronze", "level": "info", "dataset": "orders", "batch": 3, "offsets": {"0": [1, 5]}}


def test_a_line_for_a_person_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream()
    stream.terminal = True
    monkeypatch.setattr("sys.stderr", stream)
    to_standard_error()
    structlog.get_logger().info("bronze", dataset="orders")
    assert "bronze" in stream.getvalue() and not stream.getvalue().startswith("{")
