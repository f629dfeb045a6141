"""`lake schema`: the versions of a stream's schema, and a person's decision about one that is blocked."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ingest.command import Json, datasets, fail
from stack.faults import DECISION, UNREACHABLE, USAGE

if TYPE_CHECKING:
    from ingest.schema.version import Version

app = typer.Typer(no_args_is_help=True)
Found = TypeVar("Found")
Name = Annotated[str, typer.Argument(metavar="DATASET")]


@app.command()
def show(
    name: Name,
    number: Annotated[
        int | None, typer.Option("--version", help="Its fields, too; by default those of the one that holds.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The versions of a dataset's schema, what each changed, and its fields. Exits 4 where one waits for a decision."""
    from ingest.schema import store
    from ingest.schema.version import holding, waiting

    known = _asked(lambda: store.versions(_table(name)))
    if as_json:
        typer.echo(json.dumps([version.model_dump(mode="json") for version in known]))
    else:
        chosen = holding(known) if number is None else next((v for v in known if v.number == number), None)
        if number is not None and chosen is None:
            fail(f"{name} has no schema version {number}; there are {', '.join(str(v.number) for v in known)}", USAGE)
        for line in _lines(known, chosen):
            typer.echo(line)
    if blocked := waiting(known):
        typer.echo(
            f"version {blocked.number} waits for you: lake schema accept {name}, or lake schema rollback {name}",
            err=True,
        )
        raise typer.Exit(DECISION)


@app.command()
def accept(
    name: Name,
    number: Annotated[int | None, typer.Option("--version", help="Default: the blocked one.")] = None,
    as_json: Json = False,
) -> None:
    """The blocked version is right: its gold goes on with it."""
    from ingest.schema import store
    from ingest.schema.version import waiting

    if number is None:
        blocked = waiting(_asked(lambda: store.versions(_table(name))))
        if blocked is None:
            fail(f"{name}: no schema version is blocked, nothing to accept", USAGE)
        number = blocked.number
    _say(_asked(lambda: store.accept(_table(name), number, getpass.getuser())), as_json)


@app.command()
def rollback(
    name: Name,
    to: Annotated[int | None, typer.Option(help="The version to hold again; default: the one that holds now.")] = None,
    as_json: Json = False,
) -> None:
    """Go on without what later versions changed: the blocked one is refused, and rows that show it are odd rows."""
    from ingest.schema import store

    if to is None:
        held = _asked(lambda: store.active(_table(name)))
        if held is None:
            fail(f"{name} has no schema yet, nothing to roll back", USAGE)
        to = held.number
    _say(_asked(lambda: store.rollback(_table(name), to, getpass.getuser())), as_json)


@app.command("dead-letters")
def dead_letters(name: Name, as_json: Json = False) -> None:
    """The records that a typed gold does not take, by reason; makes the view gold.<TABLE>_dead_letters of them anew."""
    from ingest.verify.dead_letters import make, view_of
    from ingest.verify.typed import as_made
    from ingest.verify.warehouse import TableAbsent, TrinoUnreachable, Warehouse
    from stack.settings import settings

    (dataset,) = datasets([name])
    typed = [gold for gold in dataset.golds if gold.typed]
    if not typed:
        fail(f"{name} has no typed gold", USAGE)
    if dataset.transforms:  # what they make of a body is not in bronze, which is what Trino reads
        by = " and ".join(f"lake replay {gold.table} --verify" for gold in typed)
        fail(f"{name} has transforms, which only Spark does: its dead letters can't be told; what can be: {by}", USAGE)
    warehouse, found = Warehouse(settings()), {}
    try:
        for gold in typed:
            found[view_of(gold)] = _asked(lambda: make(dataset, as_made(dataset, gold, warehouse), warehouse))  # noqa: B023
    except TableAbsent as error:
        fail(f"{error} (run: lake ingest {name} --once)", UNREACHABLE)
    except TrinoUnreachable as error:
        fail(str(error), UNREACHABLE)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for view, reasons in found.items():
        typer.echo(f"{view}: {sum(reasons.values()):,} records")
        for reason, number in reasons.items():
            typer.echo(f"  {number:>10,}  {reason}")


def _table(name: str) -> str:
    (dataset,) = datasets([name])
    return dataset.bronze.table


def _asked(ask: Callable[[], Found]) -> Found:
    """What the store says; its refusals as a sentence."""
    from sqlalchemy.exc import OperationalError

    from ingest.schema.version import NoSuchVersion, StaleVersion

    try:
        return ask()
    except (StaleVersion, NoSuchVersion) as error:
        fail(str(error), USAGE)
    except OperationalError:
        fail("PostgreSQL does not answer (is the stack up? lake status)", UNREACHABLE)


def _say(version: Version, as_json: bool) -> None:
    said = f"{version.table}: version {version.number} is {version.status}"
    typer.echo(json.dumps(version.model_dump(mode="json")) if as_json else said)


def _lines(known: list[Version], chosen: Version | None) -> list[str]:
    if not known:
        return ["no schema yet: it is inferred from the first events that a gold takes"]
    lines = []
    for version in known:
        decided = f", {version.decision} by {version.decided_by}" if version.decision else ""
        lines.append(f"{version.number}  {version.status:8}{version.recorded_at:%Y-%m-%d %H:%M}{decided}")
        for change in version.changes:
            mark = {"added": "+", "removed": "-"}.get(change.kind, "!" if change.is_breaking else "~")
            lines.append(f"     {mark} {change}")
    if chosen:
        lines.append(f"fields of version {chosen.number}:")
        for field, type_ in chosen.body.ddl().items():
            found = chosen.body.fields[field]
            notes = ["" if found.always else "optional", *found.units]
            lines.append(f"     {field}: {type_}  {', '.join(note for note in notes if note)}".rstrip())
    return lines
