"""The ingester's commands of `lake`, this module's own `ingest` among them.

Heavy imports wait until a command runs, so that `--help` is quick.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from typing import Annotated

import typer

from ingest import dataset_cli, dimensions_cli, lag_cli, produce_cli, replay_cli, schema_cli, verify_cli
from ingest.command import Json, fail, in_effect, spark_for
from ingest.reason import reason
from stack.faults import DECISION, HELD, UNREACHABLE
from stack.settings import settings

app = typer.Typer()
app.add_typer(produce_cli.app, name="produce", help="Send generated events to Kafka.")
app.command()(verify_cli.verify)
app.command()(lag_cli.lag)
app.command()(replay_cli.replay)
app.add_typer(dataset_cli.app, name="dataset", help="Which datasets there are; a person's decisions about a stream.")
app.add_typer(schema_cli.app, name="schema", help="Versions of a stream's schema, and decisions about them.")
app.add_typer(dimensions_cli.app, name="dimensions", help="Feeds of users and videos.")


@app.command()
def ingest(
    names: Annotated[list[str] | None, typer.Argument(metavar="[DATASET]...", help="Default: all.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Drain what the topics hold now, then exit.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Stand by while another ingester writes.")] = False,
    trigger: Annotated[float, typer.Option(envvar="LAKE_TRIGGER", help="Seconds between two bronze batches.")] = 2.0,
    max_offsets: Annotated[
        int, typer.Option(envvar="LAKE_MAX_OFFSETS", min=1, help="Most records in a bronze batch.")
    ] = 500_000,
    max_gold_rows: Annotated[
        int, typer.Option(envvar="LAKE_MAX_GOLD_ROWS", min=1, help="Most bronze rows in a gold merge.")
    ] = 1_000_000,
    as_json: Json = False,
) -> None:
    """Read Kafka into bronze and keep the live golds current, until SIGTERM or Ctrl-C.

    Exits 3 where another ingester writes, 4 where a person must decide, 5 where an engine can't be reached.
    """
    chosen, known = in_effect(names)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    from ingest.metrics.server import observed
    from ingest.registry.following import Follower
    from ingest.registry.runs import Runs
    from ingest.run import DatasetRun  # a second of imports: what is served first must know the datasets
    from ingest.stream import Pace

    with spark_for("lake ingest") as spark, observed(settings()):
        pace = Pace(trigger, max_offsets, max_gold_rows, once)
        runs = Runs(lambda dataset: DatasetRun(spark, settings(), dataset, pace, threading.Event(), wait))
        runs.want(chosen)
        runs.begin_due()
        follower = Follower(settings(), known, names, trigger)
        if not once:
            follower.start()
        jvm = spark.sparkContext._gateway.proc
        # One that follows a registry goes on without datasets: there may be some again.
        while runs.are_going() or (follower.is_alive() and not runs.have_failed() and not stop.is_set()):
            time.sleep(0.2)
            if stop.is_set():
                follower.end()
                runs.stop()
            elif (news := follower.news()) is not None:
                runs.want(news)
            runs.begin_due()
            if jvm.poll() is not None:
                runs.stop()
                fail(f"Spark's JVM (pid {jvm.pid}) has ended; start again, nothing is lost: lake ingest", UNREACHABLE)
        follower.end()
        _finish(runs.all, as_json)


@app.command()
def spark_conf() -> None:
    """Write Spark's settings for dbt, and print their folder: export SPARK_CONF_DIR=$(lake spark-conf)."""
    from ingest.spark import MissingJars, write_conf

    try:
        typer.echo(write_conf(settings()))
    except MissingJars as error:
        fail(str(error), UNREACHABLE)


def _finish(runs: list, as_json: bool) -> None:
    """Say what was done, and exit by the worst ending."""
    from ingest.lease import LeaseHeld
    from ingest.topics import DecisionNeeded

    done = {
        run.dataset.name: {
            "records": run.outcome.bronze.rows,
            "batches": run.outcome.bronze.batches,
            "bronze_seconds": round(sum(run.outcome.bronze.seconds), 2),
            "golds": {
                name: {"merges": gold.merges, "seconds": round(sum(gold.seconds), 2)}
                for name, gold in run.outcome.golds.items()
            },
            "stopped_by": None if run.outcome.failure is None else reason(run.outcome.failure),
        }
        for run in runs
    }
    if as_json:
        typer.echo(json.dumps(done))
    else:
        for name, one in done.items():
            typer.echo(f"{name}: {one['records']:,} records in {one['batches']} batches ({one['bronze_seconds']} s)")
    sys.stdout.flush()
    codes = []
    for run in runs:
        if run.outcome.failure is not None:
            typer.echo(f"{run.dataset.name} stopped: {done[run.dataset.name]['stopped_by']}", err=True)
            codes.append(
                DECISION
                if isinstance(run.outcome.failure, DecisionNeeded)
                else HELD
                if isinstance(run.outcome.failure, LeaseHeld)
                else UNREACHABLE
            )
    raise typer.Exit(min(codes, default=0))
