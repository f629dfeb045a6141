"""If these fail, a command works on other datasets than the ingester, or nothing works while the registry is down."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.datasets import UnknownDataset, load_all
from ingest.metrics.meters import REGISTRY_UP
from ingest.registry.following import Follower
from ingest.registry.known import datasets_in_effect
from stack import registered
from stack.faults import Fault
from stack.registered import RegistryDown
from stack.settings import DATASETS, NO_REGISTRY, Settings

FILES = [dataset.name for dataset in load_all(DATASETS)]
ORDERS = load_all(DATASETS)[1].model_dump(mode="json")


class Registry:
    """A server that answers what the test says: a status, and what each dataset is."""

    def __init__(self) -> None:
        self.status, self.configs, self.etag, self.asked = 200, [ORDERS], '"1"', 0
        said = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                said.asked += 1
                unchanged = said.status == 200 and self.headers["If-None-Match"] == said.etag
                body = json.dumps({"datasets": [{"config": config} for config in said.configs]}).encode()
                self.send_response(304 if unchanged else said.status)
                self.send_header("ETag", said.etag)
                self.send_header("Content-Length", "0" if unchanged else str(len(body)))
                self.end_headers()
                self.wfile.write(b"" if unchanged else body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def registry() -> Iterator[Registry]:
    running = Registry()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def settings(registry: Registry, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, registry_url=f"http://127.0.0.1:{registry.server.server_port}")


def effect(settings: Settings, names: list[str] | None = None) -> tuple[list[str], str]:
    """The names of the datasets in effect, and where they are from."""
    datasets, known = datasets_in_effect(settings, names)
    return [dataset.name for dataset in datasets], known.source


def test_first_the_registry_then_what_it_said_last_then_the_files(settings: Settings, registry: Registry) -> None:
    registry.status = 503
    assert effect(settings) == (FILES, "files")
    registry.status = 200
    assert effect(settings) == (["orders"], "registry")
    registry.status = 503
    assert effect(settings) == (["orders"], "last known")
    assert "503" in datasets_in_effect(settings)[1].said


@pytest.mark.parametrize("answer", [["no entry"], [{"name": "orders"}]])
def test_what_is_no_configuration_is_no_answer(settings: Settings, registry: Registry, answer: list) -> None:
    effect(settings)
    kept = registered.last_known_file(settings).read_text()
    registry.configs, registry.etag = answer, '"2"'
    assert effect(settings) == (["orders"], "last known")
    assert registered.last_known_file(settings).read_text() == kept


def test_a_damaged_last_known_configuration_is_a_sentence(settings: Settings, registry: Registry) -> None:
    effect(settings)
    file = registered.last_known_file(settings)
    file.write_text(file.read_text()[:100])
    registry.status = 500
    with pytest.raises(Fault, match="can't be read"):
        effect(settings)
    registry.status = 200
    assert effect(settings) == (["orders"], "registry")


def test_names_are_those_of_the_configuration_in_effect(settings: Settings) -> None:
    assert effect(settings, ["orders"]) == (["orders"], "registry")
    with pytest.raises(UnknownDataset, match=r"known: orders$"):
        effect(settings, ["nothing"])
    with pytest.raises(UnknownDataset, match="lake dataset follow-file user_events"):
        effect(settings, ["user_events"])


def test_a_folder_of_one_s_own_is_files_alone(tmp_path: Path) -> None:
    assert Settings(home=tmp_path, registry_port=8123).registry_url == "http://127.0.0.1:8123"
    assert Settings(home=tmp_path, registry_url=NO_REGISTRY).registry_url == NO_REGISTRY
    own = Settings(home=tmp_path, datasets=tmp_path)
    assert (own.registry_url, effect(own)) == (NO_REGISTRY, ([], "files"))
    assert Settings(home=tmp_path, datasets=tmp_path, registry_url="http://r").registry_url == "http://r"


def test_a_kept_configuration_is_whole_or_not_there(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    effect(settings)
    monkeypatch.setattr(registered.json, "dump", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    assert effect(settings) == (["orders"], "registry")
    monkeypatch.undo()
    assert [one["name"] for one in registered.last_known(settings).documents] == ["orders"]
    assert [path.name for path in settings.data.iterdir()] == ["datasets.json"]


def test_a_follower_has_news_only_when_there_are_and_says_when_it_hears_nothing(
    settings: Settings, registry: Registry, capsys: pytest.CaptureFixture
) -> None:
    follower = Follower(settings, datasets_in_effect(settings)[1], None, 0.02)
    follower.start()
    try:
        _asked_again(registry)
        assert (follower.news(), _up()) == (None, 1)
        registry.status = 500
        _asked_again(registry)
        assert (follower.news(), _up()) == (None, 0)
        registry.status, registry.etag = 200, '"2"'
        registry.configs = [ORDERS | {"max_lag": 5}]
        _asked_again(registry)
        assert [one.max_lag for one in follower.news()] == [5]
        assert (follower.news(), _up()) == (None, 1)
    finally:
        follower.end()
        follower.join()
    said = capsys.readouterr()
    assert (said.out + said.err).count("registry down") == 1


def test_a_follower_of_some_datasets_hears_of_no_other(settings: Settings, registry: Registry) -> None:
    follower = Follower(settings, registered.Documents([]), ["user_events"], 0.02)
    follower.start()
    try:
        _asked_again(registry)
        assert follower.news() == []
    finally:
        follower.end()


def test_asking_costs_the_registry_nothing_where_nothing_changed(settings: Settings, registry: Registry) -> None:
    known = registered.ask(settings)
    assert registered.ask(settings, known.etag) is None
    registry.server.shutdown()
    registry.server.server_close()
    registered.client.cache_clear()
    with pytest.raises(RegistryDown, match="does not answer"):
        registered.ask(settings)


def _up() -> float:
    return REGISTRY_UP._value.get()


def _asked_again(registry: Registry) -> None:
    """Wait until two more requests have been answered, so that one of them was made wholly after now."""
    until = registry.asked + 3
    while registry.asked < until:
        threading.Event().wait(0.01)
