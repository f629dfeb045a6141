"""Airflow as a part of the stack: its processes, each supervised by itself, and the database they share.

Nothing it starts outlives `lake down`: every process of it, and what its tasks began, carries this stack's mark.
"""

from __future__ import annotations

import json
import subprocess
from functools import partial
from urllib.request import urlopen

from stack import airflow_install, postgres
from stack.airflow_config import (
    MARK,
    POOL,
    dbt_manifest,
    dbt_tasks_manifest,
    environment,
    home,
    passwords,
    program,
    url,
)
from stack.engine import Engine
from stack.faults import Fault
from stack.settings import Settings

# By the name that Airflow's health report has for it: the command. Logs are files, so nobody need serve them.
PROCESSES = {
    "metadatabase": ["api-server"],
    "dag_processor": ["dag-processor"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}


def prepare(settings: Settings) -> None:
    """Environment, login, manifest, database, pools: repeatable, and what a change of dbt's models asks for."""
    airflow_install.install(settings)
    make(settings)


def make(settings: Settings) -> None:
    """All of `prepare` but the environment."""
    for name in ("airflow", *(engine.name for engine in ENGINES)):
        (settings.data / name).mkdir(parents=True, exist_ok=True)
    passwords(settings).touch(mode=0o600)
    passwords(settings).write_text(json.dumps({settings.airflow_user: settings.airflow_password}))
    parse(settings)
    make_database(settings)
    command(settings, "db", "migrate")
    command(settings, "pools", "set", POOL, str(settings.airflow_parallelism), "Writers of dbt's tables")


def parse(settings: Settings) -> None:
    """Write the manifest of dbt's project as it is now, and the one that a dbt a task is rendered from.

    Cosmos knows no unit tests (astronomer-cosmos#1386), so that it would give a model with no other test no test task.
    There they stand among the tests.
    """
    from stack.dbt import Dbt

    assert Dbt(settings, home(settings) / "dbt").manifest
    manifest = json.loads(dbt_manifest(settings).read_text())
    manifest["nodes"] |= {id_: {**test, "resource_type": "test"} for id_, test in manifest["unit_tests"].items()}
    dbt_tasks_manifest(settings).write_text(json.dumps(manifest))


def make_database(settings: Settings) -> None:
    """The role and the database of Airflow's metadata, where they are missing."""
    from psycopg import sql

    owner, database = sql.Identifier(settings.airflow_database_user), sql.Identifier(settings.airflow_database)
    password = sql.Literal(settings.airflow_database_password)
    with postgres.connection(settings, "postgres") as server:
        if not server.execute("select 1 from pg_roles where rolname = %s", [settings.airflow_database_user]).fetchone():
            server.execute(sql.SQL("create role {} login").format(owner))
        server.execute(sql.SQL("alter role {} password {}").format(owner, password))
        if not server.execute("select 1 from pg_database where datname = %s", [settings.airflow_database]).fetchone():
            server.execute(sql.SQL("create database {} owner {}").format(database, owner))


def command(settings: Settings, *arguments: str) -> str:
    """What Airflow's command says. Raises Fault where it fails."""
    done = subprocess.run(
        [program(settings), *arguments], env=environment(settings), capture_output=True, text=True, cwd=home(settings)
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise Fault(f"airflow {' '.join(arguments)} failed: {said}", f"see {settings.logs}")
    return done.stdout


def ready(settings: Settings, part: str) -> None:
    """The part has said within the last half minute that it lives."""
    with urlopen(f"{url(settings)}/api/v2/monitor/health", timeout=10) as answer:
        said = json.load(answer)[part]
    if said["status"] != "healthy":
        raise ConnectionError(f"{part} is {said['status']}")


def login(settings: Settings) -> str:
    return f"{settings.airflow_user} / {settings.airflow_password}"


def process(part: str, arguments: list[str]) -> Engine:
    serves = part == "metadatabase"
    return Engine(
        name=f"airflow-{arguments[0]}",
        ports=("airflow_port",) if serves else (),
        command=lambda s: [str(program(s)), *arguments],
        environment=environment,
        prepare=prepare if serves else lambda s: None,
        ready=partial(ready, part=part),
        mark=lambda s: f"{MARK}={s.home}",
        endpoint=lambda s: (url(s), login(s)) if serves else ("", ""),
        about=(lambda s: f"{url(s)} as {login(s)}") if serves else None,
        after=("postgres",),
        stop_seconds=10 if part == "scheduler" else 5,  # what they keep is in the database
    )


ENGINES = tuple(process(part, arguments) for part, arguments in PROCESSES.items())
