"""`lake dataset add`: a topic becomes a dataset, with everything that a reader of its mart needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ingest.command import Json, fail
from onboarding.sample import FEWEST
from stack.faults import UNREACHABLE, USAGE
from stack.settings import NO_REGISTRY, PROJECT, settings


def add(
    name: Annotated[str, typer.Argument(help="Of the dataset: lower case, digits and _.")],
    topic: Annotated[str | None, typer.Option(help="Kafka topic; the name unless given.")] = None,
    event_id: Annotated[str | None, typer.Option(help="Body field with the event's id; guessed unless given.")] = None,
    event_type: Annotated[str | None, typer.Option(help="Body field that says what happened.")] = None,
    event_time: Annotated[str | None, typer.Option(help="Body field with the event's time.")] = None,
    key: Annotated[str | None, typer.Option(help="Body field that is the record's key.")] = None,
    records: Annotated[int, typer.Option(min=FEWEST, help="Records to look at, the newest.")] = 1000,
    project: Annotated[Path, typer.Option(help="The dbt project that gains the models.")] = PROJECT / "dbt_project",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Look at a topic and write what it needs: dataset with a typed live table, dbt source, silver, daily mart, tests.

    The files are yours from then on. Next: lake ingest, then dbt build.
    """
    from pydantic import ValidationError

    from ingest.topics import TopicUnavailable
    from onboarding.addition import TooFewRecords, addition
    from onboarding.describe import NotDescribed
    from onboarding.files import InTheWay, names, write

    topic = topic or name
    fields = {"event_id": event_id, "event_type": event_type, "event_time": event_time, "key": key}
    try:
        servers, datasets = settings().kafka_bootstrap_servers, settings().datasets
        found = addition(servers, name, topic, datasets, project, records, **fields)
        described, written = found.described, found.files()
        if not dry_run:
            write(written)
    except ValidationError as error:
        fail(f"{name!r} is no name for a dataset: {error.errors()[0]['msg']}", USAGE)
    except (TooFewRecords, NotDescribed, InTheWay) as error:
        fail(str(error), USAGE)
    except TopicUnavailable as error:
        fail(f"{error} (is the stack up? lake status)", UNREACHABLE)
    except OSError as error:
        fail(f"the files can't be written: {error}", USAGE)
    if not dry_run:
        _tell_registry(name)
    said = {
        "dataset": name,
        "records_looked_at": found.records,
        **{field: getattr(described, field) for field in fields},
        "columns": {one.column: one.type for one in described.columns},
        "left_in_body": described.left_in_body,
        "files": [str(path) for path in written],
        "written": not dry_run,
    }
    if as_json:
        typer.echo(json.dumps(said))
        return
    typer.echo(f"{name}: {found.records:,} records of {topic} looked at")
    for field in fields:
        typer.echo(f"  {field.replace('_', ' ')}: {said[field] or 'none of its fields'}")
    typer.echo(
        f"  {len(described.columns)} columns; left in the body: {', '.join(described.left_in_body) or 'nothing'}"
    )
    for path in written:
        typer.echo(f"  {'would write' if dry_run else 'wrote'} {path}")
    if not dry_run:
        typer.echo(f"next: lake ingest {name} --once, then dbt build --select +{names(name)['mart']} in dbt_project")


def _tell_registry(name: str) -> None:
    """Have the registry take the file over, so that a running ingester begins with it; where it is down, say how."""
    from stack.registered import RegistryDown, take_file_over

    if settings().registry_url == NO_REGISTRY:
        return
    try:
        take_file_over(settings(), name, dry_run=False)
    except (RegistryDown, ValueError) as error:
        typer.echo(f"{error}; it takes the file over when it starts, or by: lake dataset follow-file {name}", err=True)
