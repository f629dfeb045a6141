"""If these fail, a stack does not come up beside another, does not survive a process's death, or leaves one behind.

They break their stack, so it is one of their own; its home lies deep, where a Unix socket's path would be too long.
"""
from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import psutil
import pytest

from ingest.verify.warehouse import Warehouse
from stack import supervision
from stack.settings import Settings
from stack.trino import ENGINE as trino_engine
from stack.up import ENGINES, EVERY, wait_until_ready

pytestmark = pytest.mark.integration
Lake = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="module")
def environment(another_stack: Callable, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return another_stack(tmp_path_factory.mktemp("own") / ("deep" * 12) / "and with spaces")


@pytest.fixture(scope="module")
def own(environment: dict[str, str], run_lake: Lake) -> Iterator[Settings]:
    """A running stack that these tests may break."""
    run_lake("up", environment=environment)
    yield Settings(**{name.removeprefix("LAKE_").lower(): value for name, value in environment.items()})
    run_lake("down", environment=environment, check=False)


def processes(settings: Settings) -> dict[str, psutil.Process]:
    """The engines' main processes by name."""
    return {name: psutil.Process(state["pid"]) for name, state in supervision.states(settings).items() if state["pid"]}


def status(run_lake: Lake, environment: dict[str, str]) -> dict:
    return json.loads(run_lake("status", "--json", environment=environment, check=False).stdout)


def test_status_reports_every_process_as_answering(own: Settings, run_lake: Lake, environment: dict[str, str]) -> None:
    said = status(run_lake, environment)
    assert said["ready"]
    assert {one["name"]: one["port"] for one in said["processes"]} == {
        "postgres": own.postgres_port,
        "kafka": own.kafka_port,
        "trino": own.trino_port,
        "registry": own.registry_port,
    }
    assert all(one["rss_mb"] > 0 and one["uptime_seconds"] >= 0 for one in said["processes"])


def test_nothing_listens_beyond_loopback(own: Settings) -> None:
    family = [one for process in processes(own).values() for one in (process, *process.children(recursive=True))]
    addresses = {
        listener.laddr.ip
        for process in family
        for listener in process.net_connections("inet")
        if listener.status == psutil.CONN_LISTEN
    }
    assert {address.removeprefix("::ffff:") for address in addresses} == {"127.0.0.1"}


def test_the_namespaces_are_there_for_trino_and_pyiceberg(own: Settings) -> None:
    from pyiceberg.catalog import load_catalog

    schemas = {name for (name,) in Warehouse(own).rows("show schemas")}
    uri = own.database_url(own.catalog_database, "postgresql+psycopg2")
    namespaces = {name for (name,) in load_catalog("lake", type="sql", uri=uri).list_namespaces()}
    assert namespaces == {"bronze", "silver", "gold", "ops"}
    assert namespaces <= schemas


def test_a_second_up_leaves_what_runs_alone(own: Settings, run_lake: Lake, environment: dict[str, str]) -> None:
    before = {name: process.pid for name, process in processes(own).items()}
    run_lake("up", environment=environment)
    assert {name: process.pid for name, process in processes(own).items()} == before


def test_killed_processes_come_back(own: Settings, run_lake: Lake, environment: dict[str, str]) -> None:
    killed = processes(own)
    for process in killed.values():
        process.send_signal(signal.SIGKILL)
    for engine in ENGINES:
        wait_until_ready(own, engine)  # in this process: a `lake status` in a loop would keep a core busy
    assert status(run_lake, environment)["ready"]
    assert all(process.pid != killed[name].pid for name, process in processes(own).items())


@pytest.mark.full  # a start of Trino's for itself
def test_trino_reads_files_once_it_is_ready(own: Settings) -> None:
    """From metadata it answers seconds before; how many depends on the load, so it starts alone here."""
    Warehouse(own).rows("create table ops.kept as select 42 as answer")
    processes(own)["trino"].kill()
    wait_until_ready(own, trino_engine)
    assert Warehouse(own).rows("select answer from ops.kept") == [[42]]


def test_up_recovers_from_a_killed_supervisor(own: Settings, run_lake: Lake, environment: dict[str, str]) -> None:
    os.kill(int((own.run / "supervisord.pid").read_text()), signal.SIGKILL)
    orphans = supervision.strays(own, ENGINES)
    assert len(orphans) >= len(ENGINES)
    run_lake("up", environment=environment)
    assert status(run_lake, environment)["ready"]
    assert not any(orphan.is_running() for orphan in orphans)


def test_a_part_is_started_where_it_is_asked_for_and_status_says_how_old_its_data_is(
    own: Settings, run_lake: Lake, environment: dict[str, str]
) -> None:
    refused = run_lake("up", "--with", "refersh", environment=environment, check=False)
    assert (refused.returncode, "choose from s3, rest, ingest, refresh" in refused.stderr) == (2, True)
    assert "refresh" not in {one["name"] for one in status(run_lake, environment)["processes"]}

    run_lake("up", "--with", "refresh", environment=environment)
    said = status(run_lake, environment)
    [refresh] = [one for one in said["processes"] if one["name"] == "refresh"]
    assert (said["ready"], refresh["ready"], refresh["pid"] > 0) == (False, False, True)
    assert "was never refreshed" in refresh["about"]


def test_down_leaves_no_process_and_no_listener(own: Settings, run_lake: Lake, environment: dict[str, str]) -> None:
    family = [one for process in processes(own).values() for one in (process, *process.children(recursive=True))]
    run_lake("down", environment=environment)
    _gone, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
    assert not supervision.strays(own, EVERY)
    assert run_lake("down", environment=environment).stdout == "nothing was running\n"
