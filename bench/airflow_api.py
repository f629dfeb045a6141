"""What a person does in Airflow's pages, over its API."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from stack.airflow_config import url
from stack.settings import Settings

ENDED = ("success", "failed")


class Airflow:
    """One stack's Airflow, logged in as its user."""

    def __init__(self, settings: Settings) -> None:
        self._url = url(settings)
        self._token = ""
        login = {"username": settings.airflow_user, "password": settings.airflow_password}
        self._token = self.call("POST", "/auth/token", login)["access_token"]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self._url + path, data, headers, method=method), timeout=60) as answer:
            return json.loads(answer.read() or "null")

    def page(self, path: str) -> str:
        with urlopen(Request(self._url + path, headers={"Cookie": f"_token={self._token}"}), timeout=60) as answer:
            return answer.read().decode()

    def wait_for_dag(self, dag: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while dag not in {one["dag_id"] for one in self.call("GET", "/api/v2/dags")["dags"]}:
            assert time.monotonic() < deadline, self.call("GET", "/api/v2/importErrors")
            time.sleep(1)

    def unpause(self, dag: str) -> str:
        """The run that makes up for the last time it was due, which begins by itself."""
        self.call("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})
        while not (runs := self.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]):
            time.sleep(1)
        return runs[0]["dag_run_id"]

    def trigger(self, dag: str, **conf: Any) -> str:
        return self.call("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})["dag_run_id"]

    def clear_failed(self, dag: str, run: str) -> None:
        body = {"dag_run_id": run, "only_failed": True, "dry_run": False, "reset_dag_runs": True}
        self.call("POST", f"/api/v2/dags/{dag}/clearTaskInstances", body)

    def wait(self, dag: str, run: str, seconds: float = 600, every: float = 1.0) -> str:
        """The state in which the run ends; asked for every so many seconds."""
        deadline = time.monotonic() + seconds
        while (state := self.run(dag, run)["state"]) not in ENDED:
            assert time.monotonic() < deadline, self.tasks(dag, run)
            time.sleep(every)
        return state

    def run(self, dag: str, run: str) -> dict[str, Any]:
        return self.call("GET", f"/api/v2/dags/{dag}/dagRuns/{quote(run)}")

    def task(self, dag: str, run: str, task: str) -> dict[str, Any]:
        return self.call("GET", f"/api/v2/dags/{dag}/dagRuns/{quote(run)}/taskInstances/{task}")

    def tasks(self, dag: str, run: str) -> dict[str, tuple[str, int]]:
        """State and number of tries of every task."""
        listed = self.call("GET", f"/api/v2/dags/{dag}/dagRuns/{quote(run)}/taskInstances?limit=500")
        return {one["task_id"]: (one["state"], one["try_number"]) for one in listed["task_instances"]}
