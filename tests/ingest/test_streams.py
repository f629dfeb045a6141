"""If this fails, some content stops a stream or is lost on the way, or a live gold and `lake verify` tell it
differently."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from short_lived import FAST_START

from ingest.datasets import load
from ingest.generators.broker import ensure_topic
from ingest.generators.content_events import ContentStream
from ingest.generators.event_stream import EventStream
from ingest.generators.faults import Faults
from ingest.generators.malformed import catalogue
from ingest.generators.orders import OrderStream
from ingest.generators.records import Record
from ingest.generators.sending import Sender
from ingest.generators.user_events import UserStream
from ingest.verify.report import GoldReport, Report
from ingest.verify.warehouse import Warehouse
from ingest.verify_cli import run as verify
from stack.settings import PROJECT, Settings

pytestmark = pytest.mark.integration

FAULTS = Faults(duplicates=0.02, late=0.02, out_of_order=0.02, illegal=0, malformed=0.02)
KINDS = (OrderStream, ContentStream, UserStream)
COUNT = 3_000
START = int(time.time()) // 3600 * 3600 - 7200
ODD_SOURCES = (
    '"source":"web","source":"mobile"',
    '"source":"fridge","source":"web"',
    '"source":"web","source":null',
    '"source":null,"source":"web"',
    '"source":"web","source":{"name":"mobile"}',
    '"source":"w\\u0065b"',
    '"source":"web "',
    '"source":["web"]',
    '"source":"\\ud800"',
    '"source":true',
    '"Source":"web"',
    '"a":{"source":"web"}',
    '"$.source":"web"',
)
COUNTS = {
    "gold.own_orders_current": "rejected_events",
    "gold.own_virality_state": "impressions",
    "gold.own_events_per_minute": "event_count",
    "gold.own_logins_per_source": "login_count",
    "gold.own_purchases_per_minute": "purchase_count",
}


def odd_logins() -> Iterator[Record]:
    """Logins that say where they are from in ways that two JSON parsers could read differently."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START))
    for number, source in enumerate(ODD_SOURCES):
        event = f'{{"event_id":"odd-{number}","user_id":7,"event_type":"login","timestamp":"{when}",{source}}}'
        yield Record(b"7", event.encode(), "odd", f"odd-{number}")


def declare(folder: Path, kind: type[EventStream]) -> None:
    """The dataset of the stream once more, with a topic and tables of the test's own."""
    declared = yaml.safe_load((PROJECT / "ingest" / "datasets" / f"{kind.dataset}.yml").read_text())
    own = f"own_{kind.dataset}"
    declared |= {"name": own, "topic": own, "bronze": declared["bronze"] | {"table": own}}
    for gold in declared["golds"]:
        gold |= {"table": f"own_{gold['table']}", "sql": gold["table"]}
    (folder / f"{own}.yml").write_text(yaml.safe_dump(declared))


def send(stack: Settings, kind: type[EventStream], oracle: Path) -> None:
    """Every malformed kind among sound and faulty events; user events also in the odd ways that are legal."""
    topic = f"own_{kind.dataset}"
    faults = replace(FAULTS, illegal=0.02) if kind.has_illegal_events else FAULTS
    stream = kind(seed=5, start=START, span=3600, count=COUNT, faults=faults, corpus=True)
    largest = ensure_topic(stack.kafka_bootstrap_servers, topic, stream.partitions).largest_batch
    with oracle.open("w") as lines, Sender(stack.kafka_bootstrap_servers, topic, largest, lines) as sender:
        sender.send(stream.records())
        if kind is UserStream:
            sender.send(odd_logins())


def errors(warehouse: Warehouse, kind: type[EventStream], oracle: Path) -> dict[str, str | None]:
    """What bronze says of each malformed kind that was sent."""
    sent = map(json.loads, oracle.read_text().splitlines())
    rows = warehouse.rows(f"select kafka_partition, kafka_offset, error from lake.bronze.own_{kind.dataset}")
    said = {(partition, offset): error for partition, offset, error in rows}
    found = {line["kind"]: said.get((line["kafka_partition"], line["kafka_offset"]), "no row") for line in sent}
    return {name.removeprefix("malformed:"): error for name, error in found.items() if name.startswith("malformed:")}


def golds_of(report: Report) -> dict[str, GoldReport]:
    return {gold.table: gold for one in report.datasets for gold in one.golds}


def test_what_is_sent_is_what_the_live_golds_count(lake_stack: Settings, run_lake: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "datasets"
    folder.mkdir()
    for kind in KINDS:
        declare(folder, kind)
        send(lake_stack, kind, tmp_path / kind.dataset)
    own = {"LAKE_DATASETS": str(folder), "LAKE_SPARK_UI_PORT": "0", "LAKE_MAX_GOLD_ROWS": "2000"}
    run_lake("ingest", "--once", environment=own | {"JAVA_TOOL_OPTIONS": FAST_START})
    datasets = [load(f"own_{kind.dataset}", folder) for kind in KINDS]
    report = verify(datasets)
    assert report.verdict == "equal", report.model_dump_json(indent=1)
    assert all(one.bronze.compared_rows > COUNT for one in report.datasets)
    assert {table: gold.live_rows > 10 for table, gold in golds_of(report).items()} == dict.fromkeys(COUNTS, True)
    warehouse = Warehouse(lake_stack)
    for kind in KINDS:
        due = {one.name: one.error for one in catalogue(kind.dataset).values()}
        assert errors(warehouse, kind, tmp_path / kind.dataset) == due

    for table, column in COUNTS.items():
        warehouse.rows(f"update lake.{table} set {column} = {column} + 1 where {column} = 1")
    seen = golds_of(verify(datasets))
    assert {table: (gold.differing > 0, gold.missing) for table, gold in seen.items()} == dict.fromkeys(
        COUNTS, (True, 0)
    )
