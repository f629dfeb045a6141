"""Everything at once, for minutes: producers, the ingester, dbt's builds, upkeep and readers, all by the commands that
people use. What they come to is in the report: nothing may fail, be lost, be doubled, or be seen half.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import tenacity
from psycopg import sql

from ingest.datasets import Dataset
from ingest.lag_cli import lag_of
from ingest.topics import Broker
from ingest.verify.warehouse import TableAbsent, Warehouse
from prove.soak_readers import Reader
from prove.soak_report import Batches, Run, Sample, Soaked
from stack import supervision
from stack.faults import Fault
from stack.report import resident_mb
from stack.settings import LAKE, PROJECT, Settings

Report = Callable[[str], None]
PROGRAMS = {"lake": LAKE, "dbt": (str(Path(sys.executable).with_name("dbt")),)}
BUILD = ("dbt", "build", "--exclude-resource-type", "test", "unit_test")
SAMPLE_SECONDS = 5.0
PAUSE_SECONDS = 5.0
STARTS_IN = 180.0
"""Seconds in which the ingester must have made its tables, and in which it must have drained its topics at the end."""


class Repeated(threading.Thread):
    """A command, again and again until `stop`: what each came to."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], stop: threading.Event) -> None:
        super().__init__(name=" ".join(command[:2]), daemon=True)
        self.command, self.environment, self.stop = command, environment, stop
        self.runs: list[Run] = []

    def run(self) -> None:
        while not self.stop.wait(PAUSE_SECONDS):
            self.runs.append(ran(self.command, self.environment))


def ran(command: Sequence[str], environment: dict[str, str]) -> Run:
    """One command, run to its end."""
    began = time.monotonic()
    done = subprocess.run(
        [*PROGRAMS[command[0]], *command[1:]],
        cwd=PROJECT / "dbt_project" if command[0] == "dbt" else PROJECT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    said = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-2:])
    return Run(" ".join(command[:2]), done.returncode, round(time.monotonic() - began, 1), done.stdout, said)


@contextmanager
def child(log: Path, *arguments: str) -> Iterator[subprocess.Popen]:
    """A `lake` command that runs until the block ends; what it says is in `log`."""
    with log.open("w") as said:
        process = subprocess.Popen([*LAKE, *arguments], cwd=PROJECT, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen) -> int:
    """Ask a process to stop, where it has not ended, and wait: its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    return process.wait(STARTS_IN)


def soak(settings: Settings, datasets: Sequence[Dataset], minutes: float, rate: float, report: Report) -> Soaked:
    """All of it for `minutes` at `rate` events/s in total, then drained and verified. The lake gains the events."""
    folder = settings.home / "soak"
    folder.mkdir(parents=True, exist_ok=True)
    dbt = {"DBT_TARGET_PATH": str(folder / "target"), "DBT_LOG_PATH": str(folder / "logs")}
    stop, warehouse, broker = threading.Event(), Warehouse(settings), Broker(settings.kafka_bootstrap_servers)
    with ExitStack() as beside:
        beside.callback(broker.close)
        ingester = beside.enter_context(child(folder / "ingest.log", "ingest"))
        share = str(rate / len(datasets))
        producers = [
            beside.enter_context(child(folder / f"{one.name}.log", "produce", one.name, "--rate", share))
            for one in datasets
        ]
        beside.callback(stop.set)
        report("loads the dimensions, waits for the first rows, builds dbt's tables")
        first = [ran(["lake", "dimensions", "load"], {})]
        wait_until_folded(warehouse, datasets, ingester, folder)
        first.append(ran(BUILD, dbt))
        if failed := [run for run in first if run.code]:
            raise Fault(f"{failed[0].command} failed: {failed[0].said}", "lake status")

        keep = [table.identifier for one in datasets for table in (one.bronze, *one.golds)]
        builds, upkeep = Repeated(BUILD, dbt, stop), Repeated(["lake", "maintain", *keep, "--json"], {}, stop)
        readers = list(readers_of(settings, datasets, stop))
        for thread in (builds, upkeep, *readers):
            thread.start()
        samples = list(watched(settings, datasets, warehouse, broker, ingester, minutes, report))

        report("stops the producers, lets the ingester drain, verifies")
        for producer in producers:
            end(producer)
        stop.set()
        for thread in (builds, upkeep, *readers):
            thread.join()
        drained = wait_until_drained(warehouse, broker, datasets, ingester)
        code = end(ingester)
    verified = ran(["lake", "verify", "--json"], {})
    batches = Batches.of(folder / "ingest.log")
    return Soaked(minutes, rate, samples, code, drained, batches, builds.runs, upkeep.runs, readers, verified)


def watched(
    settings: Settings, datasets: Sequence[Dataset], warehouse: Warehouse, broker: Broker,
    ingester: subprocess.Popen, minutes: float, report: Report,
) -> Iterator[Sample]:  # fmt: skip
    """Lag and memory every few seconds; ends early where the ingester has."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < minutes * 60 and ingester.poll() is None:
        lags = {one.name: lag_of(broker, warehouse, one) for one in datasets}
        pids = {name: state["pid"] for name, state in supervision.states(settings).items() if state["pid"]}
        memory = {name: resident_mb(pid) or 0 for name, pid in (pids | {"lake ingest": ingester.pid}).items()}
        yield Sample(round(passed), lags, memory)
        behind = ", ".join(f"{name} {lag.records:,}" for name, lag in lags.items())
        report(f"{passed / 60:.1f} of {minutes:g} min: records waiting: {behind}; {sum(memory.values()):,} MB")
        time.sleep(SAMPLE_SECONDS)


def readers_of(settings: Settings, datasets: Sequence[Dataset], stop: threading.Event) -> Iterator[Reader]:
    """One of Trino's gold, one of PostgreSQL's tables."""
    golds = frozenset(gold.identifier for one in datasets for gold in one.golds)
    trino = Warehouse(settings)
    marts = [f"gold.{name}" for [name] in trino.rows("show tables from lake.gold")]
    yield Reader("Trino", lambda table: trino.rows(f"select count(*) from lake.{table}")[0][0], marts, golds, stop)

    served = psycopg.connect(settings.database_url(settings.serving_database), autocommit=True)
    listed = "select schemaname || '.' || tablename from pg_tables where schemaname in ('realtime', 'gold')"
    tables = [name for [name] in served.execute(listed).fetchall()]
    count = sql.SQL("select count(*) from {}")

    def in_postgres(table: str) -> int:
        return served.execute(count.format(sql.Identifier(*table.split(".")))).fetchone()[0]

    yield Reader("PostgreSQL", in_postgres, tables, frozenset(), stop)


def wait_until_folded(
    warehouse: Warehouse, datasets: Sequence[Dataset], ingester: subprocess.Popen, folder: Path
) -> None:
    """Until every live gold has rows."""
    patience = {"stop": tenacity.stop_after_delay(STARTS_IN), "wait": tenacity.wait_fixed(1), "reraise": True}
    retried = tenacity.retry_if_exception_type((TableAbsent, LookupError))
    for attempt in tenacity.Retrying(retry=retried, **patience):
        with attempt:
            if ingester.poll() is not None:
                last = " ".join((folder / "ingest.log").read_text().strip().splitlines()[-1:])
                code = ingester.returncode
                raise Fault(f"The ingester ended with {code}: {last}", f"the log is {folder / 'ingest.log'}", code or 1)
            for gold in (gold for one in datasets for gold in one.golds):
                if not warehouse.rows(f"select 1 from lake.{gold.identifier} limit 1"):
                    raise LookupError(f"{gold.identifier} has no row after {STARTS_IN:.0f} s")


def wait_until_drained(
    warehouse: Warehouse, broker: Broker, datasets: Sequence[Dataset], ingester: subprocess.Popen
) -> bool:
    """Whether bronze holds every record of the topics, within the time it may take."""
    until = time.monotonic() + STARTS_IN
    while time.monotonic() < until and ingester.poll() is None:
        if not any(lag_of(broker, warehouse, one).records for one in datasets):
            return True
        time.sleep(1)
    return False
