"""The ingester's commands of `lake`: produce, ingest, replay, verify, and a person's decisions about a dataset.

Heavy imports wait until a command runs, so that `--help` is quick.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, NoReturn

import typer

from ingest import produce_cli, verify_cli
from ingest.datasets import Dataset, Gold, UnknownDataset, load_all
from ingest.datasets import load as load_dataset
from stack.settings import settings

app = typer.Typer()
app.add_typer(produce_cli.app, name="produce", help="Send generated events to Kafka.")
app.command()(verify_cli.verify)
dataset_app = typer.Typer(no_args_is_help=True)
app.add_typer(dataset_app, name="dataset", help="A person's decisions about a stream.")

DIFFERENT, USAGE, HELD, DECISION, UNREACHABLE = 1, 2, 3, 4, 5
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]


def fail(message: str, code: int) -> NoReturn:
    """One sentence to the person, and the exit code."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


@contextmanager
def _spark(name: str) -> Iterator:
    """A Spark session whose failures are sentences."""
    from py4j.protocol import Py4JError

    from ingest.logs import configure
    from ingest.run import reason
    from ingest.spark import MissingJars, session
    from ingest.topics import TopicUnavailable

    configure()
    try:
        spark = session(settings(), name)
        try:
            yield spark
        finally:
            with suppress(ConnectionError, Py4JError):  # the JVM may have been ended with us
                spark.stop()
    except MissingJars as error:
        fail(str(error), UNREACHABLE)
    except (Py4JError, TopicUnavailable) as error:
        fail(f"{reason(error)} (is the stack up? lake status)", UNREACHABLE)


def _datasets(names: list[str] | None) -> list[Dataset]:
    try:
        return [load_dataset(name) for name in names] if names else load_all()
    except (UnknownDataset, ValueError) as error:
        fail(str(error), USAGE)


def _gold(table: str) -> tuple[Dataset, Gold]:
    found = {gold.table: (dataset, gold) for dataset in _datasets(None) for gold in dataset.golds}
    if table not in found:
        fail(f"no live gold table {table!r}; known: {', '.join(sorted(found))}", USAGE)
    return found[table]


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
    datasets = _datasets(names)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _spark("lake ingest") as spark:
        from ingest.run import DatasetRun
        from ingest.stream import Pace

        pace = Pace(trigger, max_offsets, max_gold_rows, once)
        runs = [DatasetRun(spark, settings(), dataset, pace, stop, wait) for dataset in datasets]
        for run in runs:
            run.start()
        jvm = spark.sparkContext._gateway.proc
        while any(run.is_alive() for run in runs):
            for run in runs:
                run.join(0.2)
            if jvm.poll() is not None:
                stop.set()
                fail(f"Spark's JVM (pid {jvm.pid}) has ended; start again, nothing is lost: lake ingest", UNREACHABLE)
        _finish(runs, as_json)


def _finish(runs: list, as_json: bool) -> None:
    """Say what was done, and exit by the worst ending."""
    from ingest.lease import LeaseHeld
    from ingest.run import reason
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


@app.command()
def replay(
    table: Annotated[str, typer.Argument(help="A live gold table, such as orders_current.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare with live at one snapshot; exit 1 if not equal.")
    ] = False,
    snapshot: Annotated[
        int | None, typer.Option(help="Live snapshot to compare with; default: its current one.")
    ] = None,
    start: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="P:OFFSET", help="Fold what lies above this offset; repeatable."),
    ] = None,
    end: Annotated[
        list[str] | None, typer.Option("--to", metavar="P:OFFSET", help="Fold up to this offset; repeatable.")
    ] = None,
    epoch: Annotated[int, typer.Option(help="Topic epoch of --from and --to.")] = 1,
    max_rows: Annotated[int, typer.Option(min=1, help="Most bronze rows in one merge.")] = 1_000_000,
    as_json: Json = False,
) -> None:
    """Rebuild a live gold from bronze, by the live fold, into the shadow table gold.<TABLE>__shadow."""
    from ingest.fence import GoldFence
    from ingest.replay import build_shadow, compare, hashed, parse_offsets, shadow_of

    dataset, gold = _gold(table)
    if verify and (start or end):
        fail("--verify compares whole tables at live's own cut: leave out --from and --to", USAGE)
    try:
        bounds = [GoldFence(epoch, parse_offsets(texts)) if texts else None for texts in (start, end)]
    except ValueError as error:
        fail(str(error), USAGE)

    def report(cut: object) -> None:
        typer.echo(f"folded {cut.upto} of epoch {cut.epoch}", err=True)

    with _spark("lake replay") as spark:
        from ingest.tables import exists

        if not exists(spark, gold.identifier):
            fail(f"there is no {gold.identifier} yet; run: lake ingest --once", UNREACHABLE)
        if not verify:
            build_shadow(spark, dataset, gold, start=bounds[0], end=bounds[1], max_rows=max_rows, report=report)
            rows, digest = hashed(spark.table(f"lake.{shadow_of(gold)}"))
            said = {"table": shadow_of(gold), "rows": rows, "hash": digest}
            typer.echo(json.dumps(said) if as_json else f"{shadow_of(gold)}: {rows:,} rows, hash {digest}")
            return
        found = compare(spark, dataset, gold, snapshot, max_rows, report)
    said = {
        "table": gold.identifier,
        "snapshot": found.snapshot,
        "cut": {"topic_epoch": found.fence.epoch, "absorbed": found.fence.absorbed},
        "live": {"rows": found.live_rows, "hash": found.live_hash},
        "shadow": {"rows": found.shadow_rows, "hash": found.shadow_hash},
        "equal": found.is_equal,
    }
    if as_json:
        typer.echo(json.dumps(said))
    else:
        typer.echo(f"cut: snapshot {found.snapshot}, epoch {found.fence.epoch}, offsets {found.fence.absorbed}")
        typer.echo(f"live:   {found.live_rows:,} rows, hash {found.live_hash}")
        typer.echo(f"shadow: {found.shadow_rows:,} rows, hash {found.shadow_hash}")
        typer.echo("equal" if found.is_equal else "DIFFERENT")
    raise typer.Exit(0 if found.is_equal else DIFFERENT)


@dataset_app.command("new-epoch")
def new_epoch(name: str, why: Why = "", as_json: Json = False) -> None:
    """Go on with a recreated topic: its records, from the first one on, are a new epoch beside the old ones."""
    (dataset,) = _datasets([name])
    with _spark("lake dataset") as spark:
        from ingest import decisions
        from ingest.tables import exists
        from ingest.topics import Broker

        if not exists(spark, dataset.bronze.identifier):
            fail(f"{dataset.bronze.identifier} does not exist yet: nothing to decide", USAGE)
        epoch = decisions.begin_epoch(spark, dataset, Broker(settings().kafka_bootstrap_servers), why)
    typer.echo(
        json.dumps({"dataset": name, "topic_epoch": epoch}) if as_json else f"{name}: topic epoch is now {epoch}"
    )


@dataset_app.command("accept-gap")
def accept_gap(name: str, why: Why = "", as_json: Json = False) -> None:
    """Go on without the records that expired from the topic before they were read."""
    (dataset,) = _datasets([name])
    with _spark("lake dataset") as spark:
        from ingest import decisions
        from ingest.fence import read_bronze_fence
        from ingest.publish import load
        from ingest.tables import TOPIC_EPOCH, exists
        from ingest.topics import Broker

        bronze = dataset.bronze.identifier
        if not exists(spark, bronze):
            fail(f"{bronze} does not exist yet: nothing to decide", USAGE)
        table = load(spark, bronze)
        properties = dict(table.properties())
        epoch = int(properties[TOPIC_EPOCH])
        topic = Broker(settings().kafka_bootstrap_servers).topic(dataset.topic)
        fence = read_bronze_fence(spark, bronze, table.currentSnapshot().snapshotId(), properties).of(epoch)
        gaps = decisions.find_gaps(topic, fence)
        if not gaps:
            fail(f"{name}: no records expired unread, nothing to accept", USAGE)
        decisions.record_gaps(spark, dataset, topic, epoch, gaps, why)
    listed = [{"kafka_partition": g.partition, "from_offset": g.first, "to_offset": g.last} for g in gaps]
    typer.echo(json.dumps(listed) if as_json else f"{name}: accepted as gone: {listed}")
