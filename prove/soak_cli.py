"""`lake soak`: the whole lakehouse at work for some minutes. Exits 0 when nothing failed, 1 when something did, 3 where
another ingester writes, 5 when an engine can't be reached."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stack.faults import DIFFERENT, UNREACHABLE, Fault
from stack.settings import settings

if TYPE_CHECKING:
    from prove.soak_report import Soaked


def soak(
    minutes: Annotated[float, typer.Option(min=0.5, help="How long, after the first build of dbt's tables.")] = 5.0,
    rate: Annotated[float, typer.Option(min=1, help="Events a second, all streams together.")] = 600.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Ingest, build, keep up and read at once, then verify: nothing stops, no lost or doubled row, no half table.

    On the stack that is up, whose lake gains the events; no other ingester may run.
    """
    from ingest.command import datasets
    from ingest.topics import TopicUnavailable
    from ingest.verify.warehouse import TrinoUnreachable
    from prove import soak as soaks

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no ingester or producer is left behind
    try:
        done = soaks.soak(settings(), datasets(None), minutes, rate, lambda line: typer.echo(line, err=True))
    except (TrinoUnreachable, TopicUnavailable) as error:
        raise Fault(str(error), "lake up", UNREACHABLE) from error
    found = done.as_json()
    if as_json:
        typer.echo(json.dumps(found))
    else:
        show(done, found)
    raise typer.Exit(0 if found["ok"] else DIFFERENT)


def show(done: Soaked, found: dict[str, Any]) -> None:
    """The report for a person."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    measured = Table("what", "count", "p50 (s)", "p99 (s)", title="How long", title_justify="left")
    rows = {
        "bronze batch": found["bronze_batch"],
        "bronze batch while a gold is packed": found["bronze_batch_beside_packing"],
        "gold merge": found["gold_merge"],
        **{f"query of {name}": of for name, of in found["readers"].items()},
    }
    for what, of in rows.items():
        measured.add_row(what, *(str(of.get(column, "-")) for column in ("count", "p50", "p99")))
    console.print(measured)

    title = {"title": "Upkeep, before → after", "title_justify": "left"}
    files = Table("table", "files", "delete files", "snapshots", "s", **title)
    for one in found["upkeep"]:
        before, after = one["before"], one["after"]
        kinds = ("data_files", "delete_files", "snapshots")
        files.add_row(one["table"], *(f"{before[kind]} → {after[kind]}" for kind in kinds), str(one["seconds"]))
    console.print(files)

    memory = ", ".join(f"{name} {most:,} MB" for name, most in found["most_memory_mb"].items())
    waiting = ", ".join(f"{name} {most:,}" for name, most in found["most_waiting"].items())
    builds = ", ".join(f"{seconds:.0f} s" for seconds in found["dbt_builds"])
    console.print(f"most memory: {memory}\nmost records waiting: {waiting}\ndbt builds: {builds}", highlight=False)
    for retried in found["retried"]:
        console.print(f"went on by itself: {retried}", highlight=False)
    if found["ok"]:
        console.print(f"[green]{done.minutes:g} minutes, nothing failed[/green]; lake verify: no difference")
    for failure in found["failures"]:
        console.print(f"[bold red]FAILED[/bold red] {failure}", highlight=False)
