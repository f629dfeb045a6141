"""A small HTTP server in a process of ours, in a thread beside its work, which it can never stop.

A port that another holds is waited for: so of two ingesters the standby's takes over where the first one was scraped.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import structlog

if TYPE_CHECKING:
    import uvicorn

log = structlog.get_logger()
TRY_SECONDS = 5.0


class Served(threading.Thread):
    """Serves the ASGI app that `make_app` makes once the port is ours; `port` 0 is any free one."""

    def __init__(self, make_app: Callable[[], Any], host: str, port: int, variable: str) -> None:
        super().__init__(name=f"http {port}", daemon=True)
        self._make_app, self._host, self._port, self._variable = make_app, host, port, variable
        self._stop_asked = threading.Event()
        self._server: uvicorn.Server | None = None
        self.url = ""

    def run(self) -> None:
        listening = self._bound()
        if listening is None:
            return
        import uvicorn

        self._server = uvicorn.Server(
            uvicorn.Config(self._make_app(), log_config=None, access_log=False, lifespan="off", ws="none")
        )
        self.url = f"http://{self._host}:{listening.getsockname()[1]}"
        log.info("serves http", url=self.url)
        if not self._stop_asked.is_set():
            self._server.run(sockets=[listening])
        listening.close()

    def _bound(self) -> socket.socket | None:
        """The port, waited for as long as it takes and said once; None when asked to stop before."""
        said = False
        while not self._stop_asked.is_set():
            try:
                return socket.create_server((self._host, self._port))
            except OSError as error:
                if not said:
                    log.warning(
                        "http waits for its port",
                        cause=f"{self._host}:{self._port}: {error.strerror}; move it with {self._variable}, or wait",
                    )
                    said = True
            self._stop_asked.wait(TRY_SECONDS)
        return None

    def end(self) -> None:
        """Stop serving, and wait for it a moment."""
        self._stop_asked.set()
        if self._server is not None:
            self._server.should_exit = True
        self.join(5)


@contextmanager
def served(make_app: Callable[[], Any], host: str, port: int | Literal["off"], variable: str) -> Iterator[None]:
    """Serve while the block runs; with the port `off`, don't."""
    if port == "off":
        yield
        return
    server = Served(make_app, host, port, variable)
    server.start()
    try:
        yield
    finally:
        server.end()
