"""If these fail, a running ingester doesn't follow the registry, or can't do without it; or the service as `lake up`
runs it is another than the one that the fast tests know.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from ingest.registry.tables import engine_of
from stack.settings import Settings
from tests.ingest.faults.case import Case
from tests.ingest.registry.process import RegistryProcess
from tests.ingest.registry.service import RETURNS, Service

pytestmark = pytest.mark.integration
TRIGGER = 2.0
Lake = Callable[..., subprocess.CompletedProcess]


@pytest.fixture
def registry(lake_stack: Settings, tmp_path: Path) -> Iterator[RegistryProcess]:
    (tmp_path / "reviewed").mkdir()
    running = RegistryProcess(lake_stack, tmp_path / "reviewed")
    yield running
    running.kill()


@pytest.fixture
def cases(lake_stack: Settings, tmp_path: Path) -> Iterator[Callable[[], Case]]:
    made: list[Case] = []

    def make() -> Case:
        made.append(Case(lake_stack, tmp_path))
        return made[-1]

    yield make
    for case in made:
        case.close()


def said_of(case: Case, ingester, event: str) -> list[datetime]:
    """When the ingester said this of a dataset."""
    lines = [json.loads(line) for line in ingester.said().splitlines() if line.startswith("{")]
    found = [line for line in lines if line["event"] == event and line.get("dataset") == case.name]
    return [datetime.fromisoformat(line["timestamp"]) for line in found]


def test_an_ingester_follows_the_registry_and_goes_on_without_it(
    registry: RegistryProcess, cases: Callable[[], Case], run_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, new = cases(), cases()
    file, posted = known.datasets / f"{known.name}.yml", known.datasets / f"{new.name}.yml"
    reviewed = registry.files / file.name
    shutil.copy(file, reviewed)
    monkeypatch.setenv("LAKE_REGISTRY_URL", registry.url)

    # Whatever asks for datasets remembers what the registry said.
    registry.start()
    of_home = {"LAKE_HOME": str(known.home), "LAKE_DATASETS": str(known.datasets)}
    assert known.name in run_lake("dataset", "list", environment=of_home).stdout
    registry.kill()

    # Started while it is down: what was known last holds, not the files, which have two datasets.
    known.produce(400)
    ingester = known.lake("ingest", "--trigger", str(TRIGGER))
    ingester.says("registry down: the last known configuration holds")
    ingester.until(lambda: said_of(known, ingester, "bronze"), "the first batch")
    assert not said_of(new, ingester, "dataset starts")

    # Registered while it runs: taken up within two triggers.
    registry.start()
    ingester.says("the registry answers again")
    new.produce(400)
    asked = datetime.now(UTC)
    registry.ask("POST", "/datasets", yaml.safe_load(posted.read_text()))
    ingester.until(lambda: said_of(new, ingester, "dataset starts"), "the new dataset")
    assert (said_of(new, ingester, "dataset starts")[0] - asked).total_seconds() <= 2 * TRIGGER
    ingester.until(lambda: said_of(new, ingester, "bronze"), "the new dataset's rows")

    # Killed: both go on. What changed meanwhile is taken up when it is back, and nothing is lost or doubled by it.
    registry.kill()
    batches = len(said_of(known, ingester, "bronze"))
    known.produce(200)
    ingester.until(lambda: len(said_of(known, ingester, "bronze")) > batches, "a batch without the registry")
    reviewed.write_text(yaml.safe_dump(yaml.safe_load(reviewed.read_text()) | {"max_lag": 5}))
    registry.start()
    ingester.until(lambda: len(said_of(known, ingester, "dataset starts")) == 2, "the changed dataset's new run")
    known.produce(200)
    known.becomes_exact(ingester)
    new.becomes_exact(ingester)

    # Removed: read no longer, while the other goes on.
    registry.ask("DELETE", f"/datasets/{new.name}")
    ingester.until(lambda: said_of(new, ingester, "dataset stops"), "the removed dataset's end")
    assert ingester.said().count("registry down") == 2
    ingester.process.send_signal(signal.SIGTERM)
    ingester.ends(0)


def test_on_postgresql_of_writers_who_saw_the_same_state_one_wins(
    registry: RegistryProcess, lake_stack: Settings, tmp_path: Path
) -> None:
    """Through two services at once, as while a new one takes over from an old one."""
    database = lake_stack.model_copy(update={"registry_database": registry.database})
    one = Service(tmp_path, engine_of(database))
    other = Service(tmp_path, engine_of(database))
    try:
        etag = one.etag("user_events")
        keys = [{"table": "user_events", "action": "change_key", "key": {"field": f"f{n}"}} for n in range(6)]
        statuses = one.at_once(*(("POST", "/dml", key, "w1", etag) for key in keys[:3]))
        assert statuses == [200, 412, 412]
        assert one.at_once(("POST", "/datasets", RETURNS), ("POST", "/datasets", RETURNS)) == [201, 409]
        assert other.ask("POST", "/dml", keys[3], etag=etag).status_code == 412
        assert other.ask("POST", "/dml", keys[3], etag=one.etag("user_events")).status_code == 200
        assert [entry["action"] for entry in one.get("/audit?dataset=user_events")["audit"]] == [
            "change_key", "change_key", "seed",
        ]  # fmt: skip
        assert datetime.fromisoformat(one.get("/audit")["audit"][0]["at"]).tzinfo is not None
    finally:
        one.close()
        other.close()


def expected(line: str) -> str:
    """On a stack where no version waits for a decision, and no gold is typed."""
    return "409" if "/ddl" in line else "404" if "/accept" in line or "/rollback" in line else "200"


def test_the_lines_of_the_page_work(lake_stack: Settings) -> None:
    """On the stack's own registry: what changes something is a dry run. Today's golds have their columns by SQL."""
    address = f"http://127.0.0.1:{lake_stack.registry_port}"
    page = subprocess.run(["curl", "-sS", f"{address}/docs"], capture_output=True, text=True, check=True).stdout
    lines = [html.unescape(line) for line in re.findall(r"<pre>(.*?)</pre>", page)]
    assert len(lines) >= 13
    config = f'{address}/config/orders_events -H "Authorization: Bearer $TOKEN"'
    for line in lines:
        ask_first = f"TOKEN=lake-write; ETAG=$(curl -sSD - -o /dev/null {config} | sed -n 's/\\r$//; s/^etag: //Ip')"
        if "user_events" in line:
            ask_first = ask_first.replace("orders_events", "user_events")
        if "/ddl" in line or "/schemas/" in line:  # other states than the configuration's
            ask_first = "TOKEN=lake-write; ETAG=*"
        shell = subprocess.run(
            ["bash", "-c", f"{ask_first}\n{line} --write-out '\\n%{{http_code}}'"], capture_output=True, text=True
        )
        body, status = shell.stdout.rsplit("\n", 1)
        assert (shell.returncode, status) == (0, expected(line)), f"{line}\n{shell.stdout}"
        assert json.loads(body)


def test_status_and_up_say_where_it_is(lake_stack: Settings, run_lake: Lake) -> None:
    said = {one["name"]: one for one in json.loads(run_lake("status", "--json", check=False).stdout)["processes"]}
    assert (said["registry"]["ready"], said["registry"]["port"]) == (True, lake_stack.registry_port)
    assert re.match(r"\d+ datasets, ", said["registry"]["about"])
    assert "nothing to change" in run_lake("dataset", "follow-file", "orders", "--dry-run").stdout
