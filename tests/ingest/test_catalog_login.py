"""If these fail, a REST catalog that wants a login refuses us, or the login is there for everybody to read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from ingest.catalog import catalog
from ingest.spark import catalog_conf, unsecret
from stack import trino
from stack.faults import Fault
from stack.settings import Settings
from stack.settings import settings as settings_of_this_process

LOGIN = {"catalog_credential": "id:s3cret", "catalog_scope": "lake", "catalog_warehouse": "main"}


@pytest.fixture
def asked() -> Iterator[list[tuple[str, str, dict[str, list[str]]]]]:
    """What a REST catalog that wants a login was asked: path, Authorization, form; the first entry has its address."""
    heard: list[tuple[str, str, dict[str, list[str]]]] = []

    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.answer(form, {"access_token": "t0ken", "token_type": "bearer", "expires_in": 3600})

        def do_GET(self) -> None:
            self.answer({}, {"namespaces": [["bronze"]], "defaults": {}, "overrides": {}})

        def answer(self, form: dict[str, list[str]], said: dict) -> None:
            heard.append((self.path, self.headers.get("Authorization", ""), form))
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    heard.append((f"http://127.0.0.1:{server.server_port}", "", {}))
    yield heard
    server.shutdown()


def of(home: Path, uri: str = "http://catalog", **login: str) -> Settings:
    return Settings(home=home, catalog_uri=uri, **login)


def test_pyiceberg_gets_a_token_for_the_credential_and_shows_it(asked: list, tmp_path: Path) -> None:
    address = asked[0][0]
    settings = of(tmp_path, address, catalog_oauth2_uri=f"{address}/tokens", **LOGIN)
    assert catalog(settings).list_namespaces() == [("bronze",)]
    form = {"grant_type": ["client_credentials"], "client_id": ["id"], "client_secret": ["s3cret"], "scope": ["lake"]}
    tokens = [said[2] for said in asked if said[0] == "/tokens"]
    assert tokens and all(said == form for said in tokens)
    assert {said[1] for said in asked if said[0].startswith("/v1/")} == {"Bearer t0ken"}
    assert any(said[0] == "/v1/config?warehouse=main" for said in asked)


def test_pyiceberg_shows_a_token_that_it_was_given(asked: list, tmp_path: Path) -> None:
    assert catalog(of(tmp_path, asked[0][0], catalog_token="given")).list_namespaces() == [("bronze",)]
    assert {said[1] for said in asked[1:]} == {"Bearer given"}


def test_spark_is_told_the_login_but_for_its_command_line(tmp_path: Path) -> None:
    conf = catalog_conf(of(tmp_path, catalog_oauth2_uri="http://tokens", **LOGIN))
    of_lake = {key.removeprefix("spark.sql.catalog.lake."): value for key, value in conf.items()}
    wanted = {
        "type": "rest", "uri": "http://catalog", "rest.auth.type": "oauth2", "credential": "id:s3cret", "scope": "lake",
        "oauth2-server-uri": "http://tokens", "warehouse": "main",
    }  # fmt: skip
    assert {name: of_lake[name] for name in wanted} == wanted
    shown = unsecret(conf | catalog_conf(of(tmp_path, catalog_token="t0ken")))
    assert not [text for text in (*shown, *shown.values()) if "s3cret" in text or "t0ken" in text]


def test_trino_reads_the_login_from_its_environment_and_no_file_has_it(tmp_path: Path) -> None:
    settings = of(tmp_path, catalog_oauth2_uri="http://tokens", **LOGIN)
    trino.prepare(settings)
    folder = trino.catalogs(settings)
    assert f"-Dcatalog.config-dir={folder}" in trino.command(settings)
    assert {path.name for path in folder.iterdir()} == {path.name for path in (trino.ETC / "catalog_rest").iterdir()}
    assert "s3cret" not in "".join(path.read_text() for path in folder.iterdir())
    given, said = trino.environment(settings), {}
    for line in trino.lines(folder / "lake.properties"):
        name, _, value = line.partition("=")
        said[name] = given[value[6:-1]] if value.startswith("${ENV:") else value
    prefix = "iceberg.rest-catalog."
    assert {name.removeprefix(prefix): said[name] for name in said if name.startswith(prefix)} == {
        "uri": "http://catalog", "warehouse": "main", "security": "OAUTH2", "oauth2.credential": "id:s3cret",
        "oauth2.scope": "lake", "oauth2.server-uri": "http://tokens",
    }  # fmt: skip


def test_a_scope_is_for_a_credential(tmp_path: Path) -> None:
    """Trino would not start with a scope beside a bare token."""
    assert of(tmp_path, catalog_token="t0ken", catalog_scope="lake").catalog_login == {"token": "t0ken"}


def test_without_a_login_everything_is_as_it_was(tmp_path: Path) -> None:
    settings = of(tmp_path)
    assert settings.catalog_login == {}
    assert not [name for name in catalog_conf(settings) if "auth" in name or "credential" in name]
    assert trino.catalogs(settings) == trino.ETC / "catalog_rest"
    assert not [name for name in trino.environment(settings) if "LOGIN" in name]


def test_the_login_is_not_in_what_is_printed_of_the_settings(tmp_path: Path) -> None:
    settings = of(tmp_path, catalog_token="t0ken", **LOGIN)
    assert not any(secret in text for secret in ("s3cret", "t0ken") for text in (repr(settings), str(settings)))


def test_a_login_without_a_rest_catalog_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    monkeypatch.delenv("LAKE_CATALOG_URI", raising=False)
    monkeypatch.setenv("LAKE_CATALOG_TOKEN", "t0ken")
    settings_of_this_process.cache_clear()
    try:
        with pytest.raises(Fault, match="for a REST catalog"):
            settings_of_this_process()
    finally:
        settings_of_this_process.cache_clear()
