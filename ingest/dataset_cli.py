"""`lake dataset`: which datasets there are, and a person's decisions about a stream that stopped."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ingest.command import Json, datasets, fail, in_effect, spark_for
from stack.faults import DIFFERENT, UNREACHABLE, USAGE
from stack.settings import settings

app = typer.Typer(no_args_is_help=True)
Why = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Every dataset that is ingested: topic, tables, where its configuration is from. Exit 1 where that has drifted
    from its file."""
    from stack.registered import RegistryDown, get

    found, known = in_effect(None)
    drift = []
    if known.source == "registry":
        try:
            drift = get(settings(), "/drift")[0]["drift"]
        except RegistryDown as error:
            fail(str(error), UNREACHABLE)
    if as_json:
        datasets_ = [dataset.model_dump(mode="json") for dataset in found]
        typer.echo(json.dumps({"configuration": known.source, "datasets": datasets_, "drift": drift}))
    else:
        for one in found:
            tables = ", ".join([one.bronze.identifier, *(gold.identifier for gold in one.golds)])
            typer.echo(f"{one.name}: topic {one.topic}, {one.mode}, {tables}")
        typer.echo(f"configuration: {known.source}")
        for one in drift:
            typer.echo(f"DRIFT {one['dataset']}: {one['said']}")
            _print_changes(one["dataset"], one["changes"])
    raise typer.Exit(DIFFERENT if drift else 0)


@app.command("follow-file")
def follow_file(
    name: str,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Take over what ingest/datasets/NAME.yml says into the registry, and give up what was changed there by hand."""
    from stack.registered import RegistryDown, take_file_over

    try:
        changed = take_file_over(settings(), name, dry_run)
    except RegistryDown as error:
        fail(str(error), UNREACHABLE)
    except ValueError as refusal:
        fail(str(refusal), USAGE)
    if as_json:
        typer.echo(json.dumps(changed))
        return
    _print_changes(name, changed["changes"])
    done = "would follow" if dry_run else "follows"
    typer.echo(f"{name} {done} its file" + ("" if changed["changes"] else ": nothing to change"))


def _print_changes(name: str, changes: list[dict]) -> None:
    for change in changes:
        typer.echo(f"  {change['field'] or name}: {_short(change['before'])} -> {_short(change['after'])}")


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@app.command("new-epoch")
def new_epoch(name: str, why: Why = "", as_json: Json = False) -> None:
    """Go on with a recreated topic: its records, from the first one on, are a new epoch beside the old ones."""
    (dataset,) = datasets([name])
    with spark_for("lake dataset") as spark:
        from ingest import decisions
        from ingest.tables import exists
        from ingest.topics import Broker

        if not exists(spark, dataset.bronze.identifier):
            fail(f"{dataset.bronze.identifier} does not exist yet: nothing to decide", USAGE)
        topic = Broker(settings().kafka_bootstrap_servers).topic(dataset.topic)
        if not decisions.needs_epoch(spark, dataset, topic):
            fail(f"topic {dataset.topic} is the one bronze was read from, and whole: nothing to decide", USAGE)
        epoch = decisions.begin_epoch(spark, dataset, topic, why)
    typer.echo(
        json.dumps({"dataset": name, "topic_epoch": epoch}) if as_json else f"{name}: topic epoch is now {epoch}"
    )


@app.command("accept-gap")
def accept_gap(name: str, why: Why = "", as_json: Json = False) -> None:
    """Go on without the records that expired from the topic before they were read."""
    (dataset,) = datasets([name])
    with spark_for("lake dataset") as spark:
        from ingest import decisions
        from ingest.tables import current_epoch, exists
        from ingest.topics import Broker

        bronze = dataset.bronze.identifier
        if not exists(spark, bronze):
            fail(f"{bronze} does not exist yet: nothing to decide", USAGE)
        topic = Broker(settings().kafka_bootstrap_servers).topic(dataset.topic)
        held = current_epoch(spark, bronze)
        gaps = decisions.find_gaps(topic, held.fence)
        if not gaps:
            fail(f"{name}: no records expired unread, nothing to accept", USAGE)
        decisions.record_gaps(spark, dataset, topic, held.number, gaps, why)
    listed = [{"kafka_partition": g.partition, "from_offset": g.first, "to_offset": g.last} for g in gaps]
    typer.echo(json.dumps(listed) if as_json else f"{name}: accepted as gone: {listed}")
