"""If these fail, a process of ours can't be asked how it is, or dies of a port that another one holds."""

from __future__ import annotations

import socket
import time
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from stack import web
from stack.settings import Settings
from stack.web import Served, served


def app() -> Any:
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    return Starlette(routes=[Route("/", lambda _request: PlainTextResponse("here"))])


def started(port: int) -> Served:
    server = Served(app, "127.0.0.1", port, "LAKE_METRICS_PORT")
    server.start()
    return server


def answers(server: Served) -> str:
    for _ in range(400):
        try:
            return httpx.get(server.url).text
        except (httpx.HTTPError, ValueError):
            time.sleep(0.05)
    pytest.fail("no answer")


def test_a_standby_serves_on_the_same_port_once_the_first_one_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "TRY_SECONDS", 0.05)
    first = started(0)
    assert answers(first) == "here"
    port = int(first.url.rpartition(":")[2])
    with capture_logs() as said:
        second = started(port)
        time.sleep(0.3)
        assert second.is_alive() and not second.url
        warned = [one for one in said if one["log_level"] == "warning"]
        assert len(warned) == 1, "said once, however often it is tried"
        assert f"127.0.0.1:{port}" in warned[0]["cause"] and "LAKE_METRICS_PORT" in warned[0]["cause"]
    first.end()
    assert answers(second) == "here"
    assert second.url == first.url
    second.end()
    assert not second.is_alive()


def test_one_that_waits_for_its_port_ends_when_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        waiting = started(taken.getsockname()[1])
        time.sleep(0.1)
        waiting.end()
    assert not waiting.is_alive()


def test_off_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_METRICS_PORT", "off")
    port = Settings().metrics_port
    with served(lambda: pytest.fail("made"), "127.0.0.1", port, ""):
        assert port == "off"
