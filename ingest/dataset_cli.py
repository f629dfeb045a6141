"""`lake dataset`: a person's decisions about a stream that stopped."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ingest.command import USAGE, Json, datasets, fail, spark_for
from stack.settings import settings

app = typer.Typer(no_args_is_help=True)
Why = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]


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
