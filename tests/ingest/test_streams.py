"""If this fails, content or user events get lost, or a live count is not what `lake verify` makes of its events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from ingest.generators.broker import ensure_topic
from ingest.generators.content_events import ContentStream
from ingest.generators.event_stream import EventStream
from ingest.generators.faults import Faults
from ingest.generators.records import Record
from ingest.generators.sending import Sender
from ingest.generators.user_events import UserStream
from ingest.verify.warehouse import Warehouse
from stack.settings import PROJECT, Settings

pytestmark = pytest.mark.integration

FAULTS = Faults(duplicates=0.02, late=0.02, out_of_order=0.02, illegal=0, malformed=0.02)
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


def golds_of(report: dict) -> dict[str, dict]:
    return {gold["table"]: gold for one in report["datasets"] for gold in one["golds"]}


def test_what_is_sent_is_what_the_live_golds_count(lake_stack: Settings, run_lake: Callable, tmp_path: Path) -> None:
    for kind in (ContentStream, UserStream):
        declare(tmp_path, kind)
        stream = kind(seed=5, start=START, span=3600, count=COUNT, faults=FAULTS, corpus=True)
        topic = f"own_{kind.dataset}"
        largest = ensure_topic(lake_stack.kafka_bootstrap_servers, topic, stream.partitions).largest_batch
        with Sender(lake_stack.kafka_bootstrap_servers, topic, largest) as sender:
            sender.send(stream.records())
            if kind is UserStream:
                sender.send(odd_logins())
    own = {"LAKE_DATASETS": str(tmp_path), "LAKE_SPARK_UI_PORT": "0", "LAKE_MAX_GOLD_ROWS": "2000"}
    run_lake("ingest", "--once", environment=own)
    report = json.loads(run_lake("verify", "--json", environment=own).stdout)
    assert report["verdict"] == "equal", report
    assert [one["bronze"]["compared_rows"] > COUNT for one in report["datasets"]] == [True, True]
    assert {table: gold["live_rows"] > 10 for table, gold in golds_of(report).items()} == dict.fromkeys(COUNTS, True)

    warehouse = Warehouse(lake_stack)
    for table, column in COUNTS.items():
        warehouse.rows(f"update lake.{table} set {column} = {column} + 1 where {column} = 1")
    seen = golds_of(json.loads(run_lake("verify", "--json", environment=own, check=False).stdout))
    assert {table: (gold["differing"] > 0, gold["missing"]) for table, gold in seen.items()} == dict.fromkeys(
        COUNTS, (True, 0)
    )
