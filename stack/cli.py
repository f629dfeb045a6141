"""The `lake` command: the stack's own commands, and those of the rooms it mounts.

Nothing heavy is imported before a command runs, so that `lake --help` is quick.
"""
from __future__ import annotations

import typer

from stack.faults import SaysFaults
from stack.settings import settings

app = typer.Typer(
    cls=SaysFaults, no_args_is_help=True, pretty_exceptions_enable=False, help="A lakehouse on this machine.", add_completion=False
)


@app.command()
def up() -> None:
    """Start Kafka, PostgreSQL and Trino; download them first where they are missing."""
    from rich.console import Console

    from stack import downloads, report
    from stack import up as stack_up

    console = Console(stderr=True)
    downloads.fetch(settings(), console)
    with console.status("starting") as status:
        stack_up.up(settings(), lambda text: status.update(text) if console.is_terminal else console.print(text))
    report.print_endpoints(settings())


@app.command()
def down() -> None:
    """Stop every process of the stack."""
    from stack import up as stack_up

    print("stopped" if stack_up.down(settings()) else "nothing was running")


try:
    from ingest.cli import app as ingest_app
except ModuleNotFoundError:
    pass
else:
    app.add_typer(ingest_app)
