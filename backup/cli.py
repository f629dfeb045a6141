"""`lake backup` and `lake restore`: the lake copied to a folder, and laid down again.

Exit 1 where a backup could not be made or is damaged, 2 where it may not go there, 5 where PostgreSQL does not answer.
Heavy imports wait until a command runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stack.faults import UNREACHABLE, Fault
from stack.settings import settings

if TYPE_CHECKING:
    from backup.manifest import Manifest

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Directory = Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Of the backup.", resolve_path=True)]
app = typer.Typer()


@app.command()
def backup(directory: Directory, as_json: AsJson = False) -> None:
    """Copy catalog, tables and PostgreSQL's databases into DIRECTORY, which must be new or empty. Nothing has to stop.

    Not Kafka: bronze knows how far it had read.
    """
    from backup.take import take

    with progress(f"backing up to {directory}") as say:
        _report("backup", directory, take(settings(), directory, say), as_json)


@app.command()
def restore(directory: Directory, as_json: AsJson = False) -> None:
    """Lay the backup in DIRECTORY down in this stack, which is stopped and holds nothing; then `lake up`.

    Kafka's data stays as it is. Another LAKE_HOME and other ports will do, the warehouse's path is the backup's.
    """
    from rich.console import Console

    from backup.restore import restore as lay_down
    from stack import downloads

    downloads.fetch(settings(), Console(stderr=True))
    with progress(f"restoring from {directory}") as say:
        _report("restored", directory, lay_down(settings(), directory, say), as_json)


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """Say what is being done, and a disk's or PostgreSQL's failure as a sentence."""
    import psycopg
    from rich.console import Console

    console = Console(stderr=True)
    try:
        with console.status(what) as status:
            yield status.update if console.is_terminal else lambda _: None
    except psycopg.OperationalError as error:
        said = str(error).splitlines()[0]
        raise Fault(f"PostgreSQL does not answer: {said}", "lake status", UNREACHABLE) from error
    except OSError as error:
        raise Fault(f"{error.filename or what}: {error.strerror or error}", "mend that, then do it again") from error


def _report(what: str, directory: Path, manifest: Manifest, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"directory": str(directory), **manifest.model_dump(mode="json")}))
        return
    kinds = [table.kind for table in manifest.tables]
    typer.echo(
        f"{what}: {kinds.count('TABLE')} tables, {kinds.count('VIEW')} views and PostgreSQL "
        f"{manifest.server.major}, {manifest.files} files of {manifest.bytes / 1e6:.1f} MB, as of "
        f"{manifest.began_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    typer.echo(directory if what == "backup" else "next: lake up, lake ingest --once, lake verify")
