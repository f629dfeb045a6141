"""If these fail, a REST catalog that wants a login (OAuth2) is shut to Spark, PyIceberg or Trino.

The stack's own knows none, so before it stands a door that lets in who has a token, and gives one for a credential.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from pyiceberg.exceptions import OAuthError

from ingest.catalog import catalog
from stack.settings import Settings
from tests.ingest.faults.case import Case

pytestmark = [pytest.mark.integration, pytest.mark.full, pytest.mark.timeout(1800)]
ID, SECRET, TOKEN = "millrace", "s3cret", "t0ken"
LEFT_OUT = {"host", "connection", "transfer-encoding", "content-length"}


class Door(BaseHTTPRequestHandler):
    """Passes on what has the token, to the port `behind`. Counts how often it let in and sent away."""

    protocol_version = "HTTP/1.1"
    behind = 0
    let_in = sent_away = 0

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/tokens":
            form = {name: value for name, [value] in parse_qs(body.decode()).items()}
            if (form["client_id"], form["client_secret"], form["scope"]) != (ID, SECRET, "lake"):
                return self.answer(401, b"{}")
            said = {"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600}
            return self.answer(200, json.dumps(said).encode())
        asks_whether_it_is_up = self.headers.get("User-Agent", "").startswith("Python-urllib")  # `lake up` does
        if self.headers.get("Authorization") != f"Bearer {TOKEN}" and not asks_whether_it_is_up:
            Door.sent_away += 1
            return self.answer(401, b'{"error": {"message": "no", "type": "NotAuthorizedException", "code": 401}}')
        Door.let_in += 1
        there = HTTPConnection("127.0.0.1", Door.behind, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in LEFT_OUT}
        there.request(self.command, self.path, body or None, headers)
        answer = there.getresponse()
        self.answer(answer.status, answer.read(), answer.getheaders())

    do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = pass_on

    def answer(self, status: int, body: bytes, headers: list[tuple[str, str]] = ()) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in LEFT_OUT:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def behind_a_door(
    running_stack: Callable, another_stack: Callable, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    environment = another_stack(tmp_path_factory.mktemp("login"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Door.behind, address = int(environment["LAKE_REST_PORT"]), f"http://127.0.0.1:{server.server_port}"
    login = {"CREDENTIAL": f"{ID}:{SECRET}", "SCOPE": "lake", "OAUTH2_URI": f"{address}/tokens", "URI": address}
    try:
        with running_stack(environment | {f"LAKE_CATALOG_{of}": said for of, said in login.items()}, "rest") as stack:
            yield stack
    finally:
        server.shutdown()


def test_all_engines_are_let_in_and_no_file_or_command_line_has_the_secret(
    behind_a_door: Settings, tmp_path: Path
) -> None:
    case = Case(behind_a_door, tmp_path, planned=1_000)
    try:
        case.produce(1_000)
        ingester = case.ingest("--once", hold="before_gold_commit:2")
        ingester.reaches("before_gold_commit")
        assert ingester.jvm
        assert not [word for process in ingester.jvm for word in process.cmdline() if SECRET in word or TOKEN in word]
        ingester.kill()
        case.drain()
        case.judge()
    finally:
        case.close()
    case.query("create table silver.numbers as select 1 as number")
    assert catalog(behind_a_door).load_table("silver.numbers").scan().to_arrow().num_rows == 1
    assert Door.let_in > 0 and Door.sent_away == 0
    home = behind_a_door.home
    for path in (path for folder in ("run", "logs") for path in (home / folder).rglob("*") if path.is_file()):
        assert SECRET not in path.read_text(errors="replace") or path.stat().st_mode & 0o077 == 0, path


def test_a_stranger_is_sent_away(behind_a_door: Settings) -> None:
    """Else the test above would show nothing."""
    with pytest.raises(OAuthError):
        catalog(behind_a_door.model_copy(update={"catalog_credential": f"{ID}:wrong"}))
