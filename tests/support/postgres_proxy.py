"""PostgreSQL behind a proxy that can keep an answer to itself: the commit was made, and whoever made it isn't told.

What it looks for is the catalog's commit, an UPDATE to which a client binds the path of a table's new metadata file.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections import Counter
from typing import Literal

Loss = Literal["reset", "error", "silence"]
METADATA = re.compile(rb"/(\w+)/metadata/[\w-]+\.metadata\.json")
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close is a reset
REFUSAL = b"SERROR\0VERROR\0CXX000\0Mthe answer to this commit was lost\0\0"


class PostgresProxy:
    """Listens on `port`. `lose` loses the answers to the next commits to a table, `lost` counts them."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listening = socket.create_server((host, 0))
        self.port: int = self._listening.getsockname()[1]
        self._due: list[tuple[Loss | None, bytes]] = []
        self._lock = threading.Lock()
        self.lost: Counter[tuple[str, str]] = Counter()
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, how: Loss, table: str, count: int = 1, after: int = 0) -> None:
        """The answers to `count` commits to a table, once `after` others have been passed on."""
        name = table.rpartition(".")[2].encode()
        with self._lock:
            self._due += [(None, name)] * after + [(how, name)] * count

    def is_due(self) -> bool:
        """Whether there are answers that are still to be lost."""
        return bool(self._due)

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=_Connection, args=(self, client), daemon=True).start()

    def take(self, tables: set[bytes]) -> Loss | None:
        """How the answer to a commit to one of these tables is lost; None where it is passed on."""
        with self._lock:
            for number, (how, table) in enumerate(self._due):
                if table in tables:
                    del self._due[number]
                    if how:
                        self.lost[how, table.decode()] += 1
                    return how
        return None


class _Connection:
    """One client's: what it asks and what it is answered, a thread each."""

    def __init__(self, proxy: PostgresProxy, client: socket.socket) -> None:
        self._proxy, self._client = proxy, client
        self._committing: set[bytes] = set()
        try:
            self._server = socket.create_connection(proxy._target, timeout=10)
        except OSError:
            client.close()
            return
        self._server.settimeout(None)
        threading.Thread(target=self._answers, daemon=True).start()
        self._asks()

    def _asks(self) -> None:
        with contextlib.suppress(OSError):
            while said := self._client.recv(1 << 16):
                if named := set(METADATA.findall(said)):
                    self._committing = named
                self._server.sendall(said)
        self._end()

    def _answers(self) -> None:
        held = b""
        with contextlib.suppress(OSError):
            while said := self._server.recv(1 << 16):
                if not self._committing:
                    self._client.sendall(said)
                    continue
                held += said
                messages = _messages(held)
                if not messages or messages[-1][0] != b"Z":
                    continue  # the whole answer, up to "ready for query"
                how = self._proxy.take(self._committing) if (b"C", b"UPDATE 1\0") in messages else None
                self._committing = set()
                if how == "reset":
                    self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    break
                if how == "error":
                    kept = [one for one in messages if one != (b"C", b"UPDATE 1\0")]
                    held = b"".join(map(_packed, [*kept[:-1], (b"E", REFUSAL), kept[-1]]))
                if how != "silence":
                    self._client.sendall(held)
                held = b""
        self._end()

    def _end(self) -> None:
        # A thread that still reads would keep the socket open beyond its close.
        for side, how in ((self._client, socket.SHUT_RD), (self._server, socket.SHUT_RDWR)):
            with contextlib.suppress(OSError):
                side.shutdown(how)
            side.close()


def _messages(answer: bytes) -> list[tuple[bytes, bytes]]:
    """Type and content of the whole messages of an answer; none where the last is not whole."""
    found = []
    while answer:
        if len(answer) < 5 or len(answer) < (end := 1 + struct.unpack(">i", answer[1:5])[0]):
            return []
        found.append((answer[:1], answer[5:end]))
        answer = answer[end:]
    return found


def _packed(message: tuple[bytes, bytes]) -> bytes:
    kind, content = message
    return kind + struct.pack(">i", len(content) + 4) + content
