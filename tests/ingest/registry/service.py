"""The registry's service on a database of its own: SQLite in a folder, for what needs no PostgreSQL."""

from __future__ import annotations

import shutil
import threading
import warnings
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event

from ingest.registry.app import application
from ingest.registry.problems import Problem
from ingest.registry.topics import Topic
from onboarding.requested import requested
from stack.settings import DATASETS, Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

TOKENS = "ana:write:w1,ben:write:w2,rita:read:r1"
RETURNS = {"name": "returns", "kafkaTopic": "returns", "pkFields": ["id"], "partitionKeys": ["date"]}


def sqlite(path: Path) -> Engine:
    """One that locks at a transaction's beginning, as PostgreSQL's advisory lock has it."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql("begin immediate")

    return engine


class Service:
    """The application in this process; `begin_again` is a restart on the same database."""

    def __init__(self, folder: Path, engine: Engine | None = None) -> None:
        self.files, self.project = folder / "datasets", folder / "dbt_project"
        if not self.files.exists():
            shutil.copytree(DATASETS, self.files, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        self.settings = Settings(home=folder, datasets=self.files, registry_tokens=TOKENS)
        self.topics: dict[str, int] = {}
        self.engine = engine or sqlite(folder / "registry.db")
        self.begin()

    def begin(self) -> None:
        app = application(self.settings, partial(requested, project=self.project), self.engine)
        app.state.ensure_topic = self.ensure_topic
        self.client = TestClient(app, raise_server_exceptions=False)
        self.client.__enter__()
        assert app.state.is_seeded.wait(30)

    def ensure_topic(self, name: str, partitions: int, dry_run: bool) -> Topic:
        """As the broker has it in these tests: partitions by name; a topic named `refused` fails."""
        if name == "refused":
            raise Problem(503, "no-broker", "Kafka does not answer")
        created = name not in self.topics
        there = self.topics.get(name, partitions)
        if not dry_run:
            self.topics[name] = there
        return Topic(name=name, partitions=there, created=created)

    def begin_again(self) -> None:
        self.close()
        self.begin()

    def close(self) -> None:
        self.client.__exit__()

    def ask(self, method: str, path: str, body: Any = None, token: str = "w1", etag: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"If-Match": etag} if etag else {}
        return self.client.request(method, path, json=body, headers=headers)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path, token="r1")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def etag(self, table: str = "orders_events") -> str:
        return self.get(f"/config/{table}")["etag"]

    def at_once(self, *requests: tuple) -> list[int]:
        """The statuses of requests made by a thread each, begun together."""
        ready, statuses = threading.Barrier(len(requests)), []

        def one(request: tuple) -> None:
            ready.wait()
            statuses.append(self.ask(*request).status_code)

        threads = [threading.Thread(target=one, args=(request,)) for request in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(statuses)
