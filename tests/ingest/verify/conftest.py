"""A small world that is right: records in a topic, bronze and gold filled by hand, with no code of the ingester.

Gold is folded here in plain Python, a third way beside the ingester's and the verification's. Tests plant a fault in
one of the tables, look whether it is seen, and roll the table back.
"""
from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from pyiceberg.catalog import Catalog, load_catalog
from rich.progress import Progress

from ingest.datasets import Dataset, Gold, load
from ingest.verify import broker
from ingest.verify.report import DatasetReport
from ingest.verify.run import verify_dataset
from ingest.verify.warehouse import Warehouse
from stack.settings import Settings

EPOCH = 2
START = datetime(2026, 1, 27, 10, tzinfo=UTC)
LEGAL = {
    (None, "ORDER_CREATED"),
    ("CREATED", "ORDER_PAID"),
    ("PAID", "ORDER_SHIPPED"),
    ("SHIPPED", "ORDER_RETURNED"),
    ("CREATED", "ORDER_CANCELLED"),
    ("PAID", "ORDER_CANCELLED"),
}
TYPES = ["ORDER_CREATED", "ORDER_PAID", "ORDER_SHIPPED", "ORDER_RETURNED", "ORDER_CANCELLED", "ORDER_EXPLODED"]
ITEM = {"sku": "SKU-1", "quantity": 2, "unit_price": 10.5, "category": "Toys"}
ODD_FIELDS = [
    {"items": None},
    {"items": []},
    {"items": ITEM},
    {"items": [1, "two"]},
    {"items": [ITEM, {}]},
    {"items": [{"sku": 999, "quantity": "one", "unit_price": "x", "category": None}]},
    {"items": json.dumps([ITEM])},
    {"total_amount": "a lot"},
    {"total_amount": None},
    {"total_amount": " 12.345 "},
    {"total_amount": 10**40},
    {"user_id": "u-👩‍🚀\u0000'\"\\"},
    {"user_id": 5, "currency": True},
    {"padding": "x" * 200_000},
]
BRONZE = """
    event_id varchar, event_type varchar, event_time timestamp(6) with time zone, entity_key varchar,
    schema_version varchar, topic varchar, topic_epoch integer, kafka_partition integer, kafka_offset bigint,
    kafka_timestamp timestamp(6) with time zone, kafka_headers array(row(key varchar, value varbinary)),
    ingested_at timestamp(6) with time zone, error varchar, body varchar, body_bytes varbinary,
    partition_time timestamp(6) with time zone
"""
GOLD = """
    order_id varchar, user_id varchar, current_status varchar, status_changed_at timestamp(6) with time zone,
    total_amount decimal(18, 2), currency varchar, payment_method varchar,
    items array(row(sku varchar, quantity bigint, unit_price decimal(18, 2), category varchar)),
    last_event_id varchar, kafka_partition integer, kafka_offset bigint, rejected_events bigint,
    last_rejected_type varchar, last_rejected_offset bigint, is_deleted boolean, seen_event_ids array(varchar),
    topic_epoch integer, absorbed map(integer, bigint), updated_at timestamp(6) with time zone
"""
Row = dict[str, Any]


class OwnGold(Gold):
    """The gold `orders_current` in a schema of the tests' own."""

    @property
    def identifier(self) -> str:
        return f"gold_verify.{self.table}"


class World:
    """One dataset in engines that run, and the ways to look at it and to spoil it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.warehouse = Warehouse(settings)
        base = load("orders")
        gold = OwnGold(**{**base.golds[0].model_dump()})
        bronze = base.bronze.model_copy(update={"table": "verified_events"})
        more = {"name": "verified", "topic": "verified", "bronze": bronze, "golds": [gold]}
        self.dataset: Dataset = base.model_copy(update=more)
        self.bronze, self.gold = f"lake.{bronze.identifier}", f"lake.{gold.identifier}"
        self.catalog: Catalog = load_catalog(
            "lake",
            type="sql",
            uri=settings.database_url(settings.catalog_database, "postgresql+psycopg2"),
            warehouse=settings.warehouse,
            init_catalog_tables="false",
        )

    def sql(self, query: str) -> list[list[Any]]:
        return self.warehouse.rows(query)

    def create(self, table: str, columns: str) -> None:
        schema = table.split(".")[1]
        self.sql(f"create schema if not exists lake.{schema}")
        self.sql(f"create table {table} ({columns})")

    def insert(self, table: str, rows: list[Row]) -> None:
        """Add a few rows by Trino: PyIceberg writes a null array as an empty one."""
        types = dict(self.sql(f"select column_name, data_type from lake.information_schema.columns where {_is(table)}"))
        read = ", ".join(f"cast({name} as {type_})" for name, type_ in types.items())
        as_json = ", ".join(f"{n} {'varchar' if t.startswith('timestamp') else t}" for n, t in types.items())
        text = json.dumps(rows, default=str, ensure_ascii=False).replace("'", "''")
        names = ", ".join(types)
        self.sql(
            f"insert into {table} ({names}) select {read}"
            f" from unnest(cast(json_parse('{text}') as array(row({as_json})))) as t({names})"
        )

    def append(self, table: str, rows: list[Row]) -> None:
        """Add many rows, null arrays as empty ones."""
        target = self.catalog.load_table(table.removeprefix("lake."))
        target.append(pa.Table.from_pylist(rows, schema=target.schema().as_arrow()))

    def declare(self, **properties: str) -> None:
        """Set properties of bronze: `topic_epoch="2"` is `lake.topic-epoch`."""
        with self.catalog.load_table(self.bronze.removeprefix("lake.")).transaction() as change:
            change.set_properties({f"lake.{name.replace('_', '-')}": value for name, value in properties.items()})

    def verify(self) -> DatasetReport:
        with Progress(disable=True) as progress:
            return verify_dataset(self.dataset, self.settings, progress)

    @contextmanager
    def spoiled(self, table: str, *statements: str) -> Iterator[DatasetReport]:
        """The report with `statements` run on `table` ({t} in them), which is as it was afterwards."""
        identifier = table.removeprefix("lake.")
        before = self.warehouse.snapshot(identifier)
        try:
            for statement in statements:
                self.sql(statement.format(t=table))
            yield self.verify()
        finally:
            self.sql(f"alter table {table} execute rollback_to_snapshot({before})")


@pytest.fixture(scope="module")
def world(lake_stack: Settings) -> World:
    """About a thousand records in four partitions, with everything odd that a record may be, and an earlier epoch."""
    world = World(lake_stack)
    rng = random.Random(7)
    admin = KafkaAdminClient(bootstrap_servers=lake_stack.kafka_bootstrap_servers)
    topic = NewTopic(world.dataset.topic, 4, 1, topic_configs={"retention.ms": "-1", "max.message.bytes": "2000000"})
    admin.create_topics([topic])
    rows = [*_earlier_epoch(rng), *_produced(world, rng)]
    rng.shuffle(rows)
    world.create(world.bronze, BRONZE)
    world.append(world.bronze, rows)
    described = broker.describe(lake_stack.kafka_bootstrap_servers, world.dataset.topic)
    world.declare(topic_id=described.topic_id, topic_epoch=str(EPOCH))
    world.create(world.gold, GOLD)
    world.insert(world.gold, folded(rows))
    return world


@pytest.fixture(scope="module")
def fold() -> Callable[[list[Row]], list[Row]]:
    return folded


def _is(table: str) -> str:
    _, schema, name = table.split(".")
    return f"table_schema = '{schema}' and table_name = '{name}'"


def _event(rng: random.Random, order: str, type_: str, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"e-{rng.getrandbits(64):016x}",
        "event_type": type_,
        "event_timestamp": int(START.timestamp()) + rng.randrange(20_000),
        "order_id": order,
        "user_id": f"u-{rng.randrange(50)}",
        "total_amount": rng.randrange(10**6) / 100,
        "currency": "USD",
        "payment_method": "CARD",
        "items": [ITEM] * rng.randrange(3),
        **more,
    }


def _life(rng: random.Random, order: str) -> list[dict[str, Any]]:
    """An order's events: mostly a sound life, with odd fields, illegal steps and producers' retries."""
    events: list[dict[str, Any]] = []
    for type_ in rng.choice([TYPES[:1], TYPES[:2], TYPES[:3], TYPES[:4], [*TYPES[:2], TYPES[4]], [TYPES[0], TYPES[4]]]):
        odd = rng.choice(ODD_FIELDS) if rng.random() < 0.2 else {}
        events.append(_event(rng, order, type_, **odd))
        if rng.random() < 0.2:
            events.append(_event(rng, order, rng.choice(TYPES)))
        if rng.random() < 0.2:
            events.append(rng.choice(events))
    return events


def _produced(world: World, rng: random.Random) -> list[Row]:
    """Send the current epoch's records; what bronze must hold of them."""
    sent: list[tuple[int, bytes | None, bytes | None]] = []
    lives = []
    for number in range(200):
        partitions = [number % 4, 1] if number % 10 == 0 else [number % 4]
        order = f"ord-{number:03d}"
        life = [(rng.choice(partitions), order.encode(), json.dumps(e).encode()) for e in _life(rng, order)]
        lives.append(life)
    while lives:
        life = rng.choice(lives)
        sent.append(life.pop(0))
        lives = [life for life in lives if life]
    broken = [(b"k", None), (b"\xff\xfe", None), (b"\xff", b"{}"), (None, b"{}"), (b"k", b"\xc3("), (b"", b"1")]
    sent += [(place % 4, key, value) for place, (key, value) in enumerate(broken)]
    producer = KafkaProducer(bootstrap_servers=world.settings.kafka_bootstrap_servers, max_request_size=2_000_000)
    rows = []
    for number, (partition, key, value) in enumerate(sent):
        at = START + timedelta(milliseconds=1001 * number + rng.randrange(5000))
        headers = [("trace", b"%d" % number), ("nothing", b"")] if number % 7 == 0 else []
        place = {"topic": world.dataset.topic, "partition": partition, "timestamp_ms": round(at.timestamp() * 1000)}
        done = producer.send(**place, key=key, value=value, headers=headers)
        rows.append((partition, key, value, headers, at, done))
        if number % 100 == 0:
            producer.flush()  # several batches
    producer.flush()
    return [_bronze_row(EPOCH, *row[:5], row[5].get().offset) for row in rows]


def _earlier_epoch(rng: random.Random) -> list[Row]:
    """Rows of a topic that the broker no longer has; some of its orders go on in the current epoch."""
    rows = []
    for number in range(180, 220):
        for event in _life(rng, f"ord-{number:03d}"):
            body = json.dumps(event).encode()
            at = START - timedelta(days=1) + timedelta(seconds=len(rows))
            rows.append(_bronze_row(1, number % 4, event["order_id"].encode(), body, [], at, 5000 + len(rows)))
    return rows


def _bronze_row(
    epoch: int, partition: int, key: bytes | None, value: bytes | None, headers: list, at: datetime, offset: int
) -> Row:
    key_text, body = _text(key), _text(value)
    event, error = {}, None
    if value is None:
        error = "null_value"
    elif body is None:
        error = "invalid_utf8"
    else:
        try:
            event = json.loads(body)
        except ValueError:
            error = "bad_json"
    if not isinstance(event, dict):
        event, error = {}, "bad_json"
    if key is not None and key_text is None:
        error = error or "key_encoding"
    elif key is None or event.get("order_id") != key_text:
        error = error or ("key_null" if key is None else "key_mismatch")
    time = datetime.fromtimestamp(event["event_timestamp"], UTC) if "event_timestamp" in event else None
    return {
        "event_id": event.get("event_id"),
        "event_type": event.get("event_type"),
        "event_time": time,
        "entity_key": key_text if key is None or key_text is not None else key.hex(),
        "topic": "verified",
        "topic_epoch": epoch,
        "kafka_partition": partition,
        "kafka_offset": offset,
        "kafka_timestamp": at.replace(microsecond=at.microsecond // 1000 * 1000),
        "kafka_headers": [{"key": name, "value": data} for name, data in headers] or None,
        "ingested_at": at + timedelta(seconds=1),
        "error": error,
        "body": body,
        "body_bytes": value if body is None else None,
        "partition_time": time or at,
    }


def folded(rows: list[Row]) -> list[Row]:
    """Gold as the rules say, one event after the other."""
    by_order: dict[str, list[Row]] = {}
    for row in rows:
        if row["error"] is None:
            by_order.setdefault(row["entity_key"], []).append(row)
    return [_fold(order, events) for order, events in by_order.items()]


def _fold(order: str, events: list[Row]) -> Row:
    partitions: dict[int, set[int]] = {}
    for event in events:
        partitions.setdefault(event["topic_epoch"], set()).add(event["kafka_partition"])

    def place(event: Row) -> tuple:
        epoch, offset = event["topic_epoch"], event["kafka_offset"]
        if len(partitions[epoch]) == 1:
            return epoch, offset
        return epoch, event["kafka_timestamp"], event["kafka_partition"], offset

    gold: Row = {"order_id": order, "rejected_events": 0, "is_deleted": False, "seen_event_ids": []}
    last_epoch = max(partitions)
    for event in sorted(events, key=place):
        if event["event_id"] in gold["seen_event_ids"]:
            continue
        gold["seen_event_ids"].append(event["event_id"])
        if (gold.get("current_status"), event["event_type"]) in LEGAL:
            gold |= _applied(event)
        else:
            gold["rejected_events"] += 1
            gold |= {"last_rejected_type": event["event_type"], "last_rejected_offset": event["kafka_offset"]}
    absorbed: dict[int, int] = {}
    for event in events:
        if event["topic_epoch"] == last_epoch:
            partition = event["kafka_partition"]
            absorbed[partition] = max(absorbed.get(partition, -1), event["kafka_offset"])
    updated_at = max(event["ingested_at"] for event in events)
    return {**gold, "topic_epoch": last_epoch, "absorbed": absorbed, "updated_at": updated_at}


def _applied(event: Row) -> Row:
    body = json.loads(event["body"])
    items = body.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        items = None
    return {
        "current_status": event["event_type"].removeprefix("ORDER_"),
        "status_changed_at": event["event_time"],
        "user_id": _scalar(body.get("user_id")),
        "total_amount": _money(body.get("total_amount")),
        "currency": _scalar(body.get("currency")),
        "payment_method": _scalar(body.get("payment_method")),
        "items": items
        and [
            {
                "sku": _scalar(item.get("sku")),
                "quantity": item["quantity"] if isinstance(item.get("quantity"), int) else None,
                "unit_price": _money(item.get("unit_price")),
                "category": _scalar(item.get("category")),
            }
            for item in items
        ],
        "last_event_id": event["event_id"],
        "kafka_partition": event["kafka_partition"],
        "kafka_offset": event["kafka_offset"],
    }


def _scalar(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _money(value: Any) -> Decimal | None:
    try:
        amount = Decimal(str(value).strip()).quantize(Decimal("0.01"), "ROUND_HALF_UP")
    except InvalidOperation:
        return None
    return amount if abs(amount) < 10**16 else None


def _text(data: bytes | None) -> str | None:
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError:
        return None
