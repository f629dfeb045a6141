"""The command `lake refresh`.

Heavy imports wait until it runs, so that `--help` is quick.
"""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from stack.faults import UNREACHABLE
from stack.settings import Settings, settings

FAILED = 1

app = typer.Typer()


@app.command()
def refresh(
    every: Annotated[
        float, typer.Option(envvar="LAKE_REFRESH_EVERY", min=1, help="Seconds from one refresh's start to the next.")
    ] = 20.0,
    once: Annotated[bool, typer.Option("--once", help="Refresh once, then exit; 1 if a table could not be.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only look: exit 1 if a table is older than --max-age.")
    ] = False,
    max_age: Annotated[float, typer.Option(help="Seconds, for --check.")] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="With --check: print one JSON document.")] = False,
    target_path: Annotated[
        Path | None, typer.Option(help="dbt's folder for this process; default <home>/data/refresh.")
    ] = None,
) -> None:
    """Keep PostgreSQL's schema `realtime` as the lake is, until SIGTERM or Ctrl-C. `dbt build` comes first, once.

    A refresh that fails is logged with its cause and tried again. Exits 5 where PostgreSQL can't be reached by --check.
    """
    if check:
        _check(settings(), max_age, as_json)
    from serving.logs import configure
    from serving.refresh import Refresh
    from serving.runner import Runner

    configure()
    folder = target_path or settings().data / "refresh"
    folder.mkdir(parents=True, exist_ok=True)
    runner = Runner(settings(), folder)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # until here there is nothing to end well
        signal.signal(number, lambda *_: stop.set())
    work = Refresh(runner)
    if once:
        raise typer.Exit(FAILED if any(work.step().values()) else 0)
    from serving.health import app as health
    from stack.web import served

    where = settings()
    with served(lambda: health(where), where.host, where.refresh_health_port, "LAKE_REFRESH_HEALTH_PORT"):
        work.keep(every, stop)


def _check(where: Settings, max_age: float, as_json: bool) -> NoReturn:
    """Say each table's age, and exit by the oldest."""
    import psycopg

    from serving.age import ages

    try:
        found = ages(where)
    except psycopg.OperationalError as error:
        _fail(f"PostgreSQL does not answer: {str(error).splitlines()[0]} (is the stack up? lake status)", UNREACHABLE)
    if as_json:
        tables = [
            {"table": age.table, "seconds": age.seconds, "newest_data_at": str(age.newest_data_at or "") or None}
            for age in found
        ]
        typer.echo(json.dumps({"fresh": all(age.is_fresh(max_age) for age in found), "tables": tables}))
    else:
        for age in found:
            typer.echo(f"{'ok   ' if age.is_fresh(max_age) else 'OLD  '}  {age}")
    raise typer.Exit(0 if all(age.is_fresh(max_age) for age in found) else FAILED)


def _fail(message: str, code: int) -> NoReturn:
    """One sentence to the person, and the exit code."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
