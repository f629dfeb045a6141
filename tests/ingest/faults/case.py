"""One dataset of a test's own on the shared stack: its topic, its tables, what was sent, and the judgement.

What was sent is what the broker acknowledged, with its coordinates.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from short_lived import FAST_START
from trino.exceptions import Error as TrinoError

import trino
from ingest.datasets import load
from ingest.generators.broker import ensure_topic
from ingest.generators.orders import Faults, OrderStream
from ingest.generators.sending import Sender
from ingest.verify_cli import run as verify
from stack.settings import PROJECT, Settings
from tests.ingest.faults.ingester import Ingester
from tests.ingest.faults.judgement import BRONZE, GOLD, Row, bronze_differences, gold_differences, torn

FAULTS = Faults(duplicates=0.05, late=0.003, out_of_order=0.05, illegal=0.05, malformed=0.03)
KINDS = ("null_value", "truncated_json", "invalid_utf8", "null_key", "binary_key", "json_empty_object")
START = int(time.time()) // 3600 * 3600 - 7200  # events of one hour: one file a batch and Kafka partition
PAUSE = 2  # seconds until an ingester that says nothing is looked after
_numbers = itertools.count(1)
_verifying = threading.Lock()  # a process has one consumer for it


class Case:
    """`planned` records are one stream of orders, sent in as many instalments as the test likes."""

    def __init__(
        self,
        stack: Settings,
        folder: Path,
        planned: int = 4_000,
        seed: int = 7,
        transforms: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.stack = stack
        self.name = self.topic = f"fault_{os.getpid()}_{next(_numbers)}"
        self.home, self.datasets = folder / self.name, folder / "datasets"
        self.home.mkdir()
        self.bronze, self.gold = f"lake.bronze.{self.name}_events", f"lake.gold.{self.name}_current"
        self.epoch, self.sent = 1, []
        self.stream = OrderStream(seed, START, 1800, planned, FAULTS, malformed_kinds=KINDS, topic=self.topic)
        self._records = self.stream.records()
        self._ingesters: list[Ingester] = []
        self.declare(transforms)

    def declare(self, transforms: Sequence[dict[str, Any]] = ()) -> None:
        """Write the dataset's YAML."""
        declared = yaml.safe_load((PROJECT / "ingest" / "datasets" / "orders.yml").read_text())
        declared |= {"name": self.name, "topic": self.topic, "transforms": list(transforms)}
        declared["bronze"]["table"] = f"{self.name}_events"
        declared["golds"][0] |= {"table": f"{self.name}_current", "sql": "orders_current"}
        self.datasets.mkdir(exist_ok=True)
        (self.datasets / f"{self.name}.yml").write_text(yaml.safe_dump(declared))

    def produce(self, count: int) -> None:
        """Send the next records, and remember what the broker acknowledged."""
        servers, oracle = self.stack.kafka_bootstrap_servers, self.home / "oracle"
        largest = ensure_topic(servers, self.topic, 4).largest_batch
        with oracle.open("w") as lines, Sender(servers, self.topic, largest, lines) as sender:
            sender.send(itertools.islice(self._records, count))
        new = [json.loads(line) | {"topic_epoch": self.epoch} for line in oracle.read_text().splitlines()]
        assert len(new) == count, "the stream was planned too short"
        self.sent += new

    def lake(
        self, *arguments: str, hold: str = "", patch: str = "", variables: dict[str, str] | None = None
    ) -> Ingester:
        """A `lake` process on this dataset; the first argument may be `ingest`, whose defaults are small batches."""
        environment = {
            "LAKE_DATASETS": str(self.datasets),
            "LAKE_WAREHOUSE": self.stack.warehouse,
            "LAKE_CATALOG_URI": self.stack.catalog_uri,
            "LAKE_SPARK_UI_PORT": "0",
            "LAKE_METRICS_PORT": "0",
            "LAKE_SPARK_DRIVER_MEMORY": "1g",
            "LAKE_TRIGGER": "0.3",
            "LAKE_MAX_OFFSETS": "400",
            "LAKE_MAX_GOLD_ROWS": "400",
            "JAVA_TOOL_OPTIONS": FAST_START,
            **(variables or {}),
        }
        self._ingesters.append(Ingester(self.home, environment, list(arguments), hold, patch))
        return self._ingesters[-1]

    def ingest(
        self, *arguments: str, hold: str = "", patch: str = "", variables: dict[str, str] | None = None
    ) -> Ingester:
        return self.lake("ingest", self.name, *arguments, hold=hold, patch=patch, variables=variables)

    def drain(self) -> None:
        """`lake ingest --once` to its end."""
        self.ingest("--once").ends(0)

    def query(self, sql: str) -> list[list[Any]]:
        """Rows by Trino, `{bronze}` and `{gold}` in the text standing for the tables."""
        with trino.dbapi.connect(
            host=self.stack.host, port=self.stack.trino_port, user="lake", catalog="lake", timezone="UTC"
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(sql.format(bronze=self.bronze, gold=self.gold))
            return cursor.fetchall()

    def _read(self, table: str, columns: tuple[str, ...]) -> list[Row]:
        rows = self.query(f"select {', '.join(columns)} from {table}")
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def snapshots(self, table: str) -> list[int]:
        """Snapshot ids of main, oldest first."""
        name = table.rsplit(".", 1)
        history = f'{name[0]}."{name[1]}$history"'
        return [row[0] for row in self.query(f"select snapshot_id from {history} order by made_current_at")]

    def differences(self) -> list[str]:
        """What is not as the oracle and the reference say, bronze first."""
        bronze = self._read(self.bronze, BRONZE)
        return bronze_differences(bronze, self.sent) + gold_differences(self._read(self.gold, GOLD), bronze)

    def judge(self) -> None:
        """All that was sent is in bronze once, gold is what its events say, and `lake verify` agrees."""
        differences = self.differences()
        assert not differences, f"{len(differences)} differences: {differences[:4]}"
        self.verified()

    def judge_so_far(self) -> None:
        """What must hold at any moment: bronze is the beginning of what was sent, gold the beginning of bronze."""
        found = torn(self._read(self.bronze, BRONZE), self._read(self.gold, GOLD), self.sent)
        assert not found, f"{len(found)} differences: {found[:4]}"

    def verified(self) -> None:
        """`lake verify` says equal."""
        with _verifying:
            report = verify([load(self.name, self.datasets)])
        assert report.verdict == "equal", report.model_dump_json(indent=1)

    def becomes_exact(self, ingester: Ingester) -> None:
        """Wait until a running ingester has caught up, then judge. Engines may be on their way back."""

        left: list[str] = []
        look_again, said = 0.0, ""

        def is_exact() -> bool:
            """Looked at when the ingester said something more, and now and then: a look is work for Trino."""
            nonlocal look_again, said
            if ingester.said() == said and time.monotonic() < look_again:
                return False
            look_again, said = time.monotonic() + PAUSE, ingester.said()
            try:
                left[:] = self.differences()
            except TrinoError as error:
                left[:] = [str(error)]
            return not left

        try:
            ingester.until(is_exact, "bronze and gold being exact")
        finally:
            print(*left[:4], sep="\n")
        self.judge()

    def close(self) -> None:
        for ingester in self._ingesters:
            ingester.close()
