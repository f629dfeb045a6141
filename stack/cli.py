"""The `lake` command: the stack's own commands, and those of the rooms it mounts.

Nothing heavy is imported before a command runs, so that `lake --help` is quick.
"""
from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from backfill.cli import backfill
from backup.cli import app as backup_app
from ingest.cli import app as ingest_app
from ingest.dataset_cli import app as dataset_app
from maintenance.cli import maintain
from onboarding.cli import add
from prove.cli import app as prove_app
from prove.soak_cli import soak
from prove.trace_cli import trace
from serving.cli import app as serving_app
from stack.faults import USAGE, Fault, SaysFaults
from stack.settings import settings

app = typer.Typer(
    cls=SaysFaults,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="A lakehouse on this machine: its engines, its stream, its checks.",
)
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]


Parts = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="PART", help="This part too: s3, rest, ingest, refresh, airflow. a,b or repeated."),
]


@app.command()
def fetch(parts: Parts = None) -> None:
    """Download and check the engines' files, and archive Spark's classes, where they are missing (`up` does it too)."""
    from rich.console import Console

    from ingest import class_archive
    from stack import downloads

    wanted = check_parts(parts)
    console = Console(stderr=True)
    downloads.fetch(settings(), console)
    for part in wanted:
        downloads.fetch_part(settings(), part, console)
    class_archive.make(settings(), console)


@app.command()
def up(parts: Parts = None) -> None:
    """Start Kafka, PostgreSQL, Trino and the dataset registry, and wait until each has answered.

    With s3, rest or both the tables are kept there: a home's first `lake up` decides that.
    """
    from rich.console import Console

    from stack import report, storage
    from stack import up as stack_up

    wanted = check_parts(parts)
    storage.choose(settings(), wanted)
    settings.cache_clear()
    keepers = storage.of_home(settings().home).parts
    fetch([*wanted, *keepers, *(["s3"] if settings().warehouse.startswith("s3://") else [])])
    console = Console(stderr=True)
    with console.status("starting") as status:
        stack_up.up(settings(), status.update if console.is_terminal else console.print, wanted)
    report.print_endpoints(settings())


def check_parts(parts: Iterable[str] | None) -> list[str]:
    """The names of the parts, `a,b` taken apart. Raises Fault where there is no such part."""
    from stack import up as stack_up

    parts = [name.strip() for text in parts or () for name in text.split(",")]
    if unknown := set(parts) - set(stack_up.PARTS):
        known = ", ".join(stack_up.PARTS)
        raise Fault(f"There is no part {', '.join(sorted(unknown))}.", f"choose from {known}", USAGE)
    return parts


@app.command()
def restart(part: Annotated[str, typer.Argument(help="ingest, refresh, airflow, s3 or rest.")]) -> None:
    """Restart a part that `lake up --with` started."""
    from stack import up as stack_up

    check_parts([part])
    stack_up.restart(settings(), part)
    print(f"{part} was restarted")


@app.command()
def down() -> None:
    """Stop every process of the stack."""
    from stack import up as stack_up

    print("stopped" if stack_up.down(settings()) else "nothing was running")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Each process: its state, and whether it answers. Exit 1 if one does not."""
    import json

    from stack import report

    processes = report.status(settings())
    if as_json:
        print(json.dumps(report.as_json(settings(), processes), indent=2))
    else:
        report.print_status(processes)
    raise typer.Exit(0 if all(process.ready for process in processes) else 1)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look for what could keep the stack from working, and say how to mend it. Exit 1 if there is a fault."""
    import json
    from dataclasses import asdict

    from stack import doctor as stack_doctor

    findings = []
    for finding in stack_doctor.examine(settings()):
        findings.append(finding)
        if not as_json:
            print(f"{'ok   ' if finding.ok else 'FAULT'}  {finding.subject}: {finding.said}")
            if not finding.ok:
                print(f"       fix: {finding.fix}")
    sound = all(finding.ok for finding in findings)
    if as_json:
        print(json.dumps({"ok": sound, "findings": [{**asdict(one), "ok": one.ok} for one in findings]}, indent=2))
    raise typer.Exit(0 if sound else 1)


@app.command()
def reset(yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False) -> None:
    """Stop the stack and delete all its data: topics, tables, logs. Downloads stay."""
    from stack import up as stack_up

    if not yes:
        if not sys.stdin.isatty():
            raise Fault("Reset deletes data and there is no terminal to ask.", "lake reset --yes", USAGE)
        typer.confirm(f"Delete everything the stack keeps in {settings().home}?", abort=True)
    stack_up.reset(settings())
    print(f"{settings().home} is empty of data")


@app.command()
def demo(
    count: Annotated[int, typer.Option(min=1000, help="Events to send of every stream.")] = 20_000,
) -> None:
    """Events from Kafka to a tested mart: start, produce, ingest, dbt build, verify, replay, and show the result."""
    from stack import demo as stack_demo

    stack_demo.run(settings(), count)


@app.command()
def registry(
    mark: str = typer.Option("", "--of", hidden=True, help="Whose service this is, for the supervisor."),
) -> None:
    """Run the dataset registry (`lake up` does it) until SIGTERM: its API by examples is at /docs.

    It begins with the files of ingest/datasets, and keeps what is changed since in PostgreSQL.
    """
    from ingest.registry.serve import serve
    from onboarding.requested import requested

    serve(settings(), requested)


dataset_app.command()(add)
app.add_typer(ingest_app)
app.command()(backfill)
app.add_typer(backup_app)
app.command()(maintain)
app.command()(trace)
app.command()(soak)
app.add_typer(prove_app, name="prove", help="Show that what must be equal is equal, with the evidence.")
app.add_typer(serving_app)
