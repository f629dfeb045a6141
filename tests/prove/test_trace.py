"""If these fail, nobody can say which Kafka records a number came from, or is told the wrong ones."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from content_records import EVENING, Change, ContentEvent
from dbt_warehouse import DBT_PROJECT, Warehouse, literal
from kafka import KafkaProducer
from order_records import Record
from typer.testing import CliRunner
from user_event_records import NOON, UserEvent

from ingest.datasets import load, load_all
from ingest.verify import broker
from prove.origins import Lineage
from stack.cli import app
from stack.dbt import Dbt
from stack.settings import NO_REGISTRY, Settings, settings

DAILY = ("daily_active_users", "conversion_rate_daily", "events_per_source_daily", "purchases_per_page_daily")
RECORDS = [
    Record("a", "ORDER_CREATED", 0, seconds=10),
    Record("b", "ORDER_CREATED", 1, seconds=20, items=[("SKU-2", 1, "1.00", "Books")]),
    Record("a", "ORDER_PAID", 2, seconds=30),
    Record("a", "", 3, error="bad_json", body="not this one"),
    Record("a", "ORDER_SHIPPED", 4, seconds=40),  # the live gold below has not absorbed it
]


def trace(*arguments: str):
    return CliRunner().invoke(app, ["trace", *arguments])


def offsets(*arguments: str) -> list[int]:
    said = trace(*arguments, "--json")
    assert said.exit_code == 0, said.stderr
    return [record["kafka_offset"] for record in json.loads(said.stdout)["records"]]


@pytest.mark.integration
@pytest.mark.usefixtures("parsed_once")
def test_a_row_of_any_layer_leads_to_its_records(warehouse: Warehouse) -> None:
    warehouse.land(RECORDS)
    warehouse.fold_live_gold(RECORDS[:4])
    warehouse.dbt("run", "--select", "+category_sales", "+active_orders_now")
    assert offsets("orders_current", "a") == [0, 2]
    assert offsets("order_events", "b") == [1]
    assert offsets("order_lifecycles", "a") == [0, 2, 4]
    assert offsets("category_sales", "Toys", "USD") == [0, 2, 4]
    assert offsets(f"{warehouse.prefix}gold.category_sales", "category=Books") == [1]
    assert offsets("active_orders_now", "current_status=CREATED") == [1]

    shown = trace("category_sales", "Toys", "--limit", "1").stdout
    assert "1 rows from 3 records, the first 1 of them" in shown
    assert '"sku": "SKU-1"' in shown
    for wrong, code in ((["nonsense", "a"], 2), (["orders_current", "a", "b"], 2), (["orders_current", "zz"], 1)):
        said = trace(*wrong)
        assert (said.exit_code, said.stdout) == (code, "")
        assert "Traceback" not in said.stderr


@pytest.mark.integration
def test_minutes_lead_to_the_records_dated_in_them(warehouse: Warehouse) -> None:
    kinds = [("login", "web"), ("login", "mobile"), ("click", "web"), ("login", "web"), ("login", "tv")]
    events = [(*kind, second) for kind, second in zip(kinds, (0, 1, 2, 70, 3), strict=True)]
    for offset, (kind, source, second) in enumerate(events):
        record = Record("u", kind, offset, seconds=second, body=json.dumps({"source": source}))
        row = warehouse._bronze_row(record, datetime(2026, 1, 2, tzinfo=UTC))
        warehouse.append("bronze.user_events", [["user-events" if cell == "orders" else cell for cell in row]])
    absorbed = "1, map(array[0], array[bigint '9']), current_timestamp"
    minute = "timestamp '2026-01-01 00:00:00 UTC'"
    warehouse.query(f"insert into {{prefix}}gold.logins_per_source values ({minute}, 'web', 1, {absorbed})")
    warehouse.query(f"insert into {{prefix}}gold.logins_per_source values ({minute}, 'unknown', 1, {absorbed})")
    warehouse.query(f"insert into {{prefix}}gold.events_per_minute values ({minute}, 'click', 1, {absorbed})")
    warehouse.point()
    assert offsets("logins_per_source", "2026-01-01T00:00", "web") == [0]
    assert offsets("logins_per_source", "2026-01-01 00:00", "unknown") == [4]
    assert offsets("events_per_minute", "2026-01-01T00:00:00Z", "click") == [2]
    assert trace("events_per_minute", "yesterday", "click").exit_code == 2


@pytest.mark.integration
@pytest.mark.usefixtures("parsed_once")
def test_a_daily_number_leads_to_the_events_it_counts(warehouse: Warehouse) -> None:
    late = NOON + timedelta(days=1)
    visits = [
        UserEvent(0, event_id="a", event_type="login", source="mobile"),
        UserEvent(1, event_id="b", event_type="purchase", page="/cart"),
        UserEvent(2, event_id="b", event_type="purchase", page="/cart"),  # a repeat, which no day counts
        UserEvent(3, event_id="c", event_type="purchase", page="/cart", source="tv"),  # rejected
        UserEvent(4, event_id="d", event_type="purchase", page="/home"),
        UserEvent(5, event_id="e", event_type="purchase", page="/cart", happened=late, sent=late),
    ]
    warehouse.append("bronze.user_events", [visit.row(late) for visit in visits])
    minute = literal(NOON)
    absorbed = "1, map(array[0], array[bigint '9']), current_timestamp"
    warehouse.query(f"insert into {{prefix}}gold.purchases_per_minute values ({minute}, 4, {absorbed})")
    warehouse.dbt("run", "--select", *(f"+{mart}" for mart in DAILY), "+speed_vs_batch", "+duplicate_rate")
    assert offsets("daily_active_users", "2026-01-10") == [0, 1, 4]
    assert offsets("conversion_rate_daily", "2026-01-11") == [5]
    assert offsets("events_per_source_daily", "2026-01-10", "web") == [1, 4]
    assert offsets("purchases_per_page_daily", "2026-01-10", "/cart") == [1]
    assert offsets("int_page_days_counted", "2026-01-10", "/home") == [4]
    assert offsets("speed_vs_batch", "purchases_per_minute", "all", "2026-01-10T12:00") == [1, 2, 3, 4]
    assert offsets("duplicate_rate", "user_events", "2026-01-10") == [0, 1, 2, 3, 4]


@pytest.mark.integration
@pytest.mark.usefixtures("parsed_once")
def test_a_content_number_leads_to_the_events_of_its_sessions_and_videos(warehouse: Warehouse) -> None:
    minutes = [timedelta(minutes=minute) for minute in (0, 10, 10, 50, 5)]
    events = [
        ContentEvent(0, event_id="a", user_id=1, video_id="v1"),
        ContentEvent(1, event_id="b", user_id=1, video_id="v2"),
        ContentEvent(2, event_id="b", user_id=1, video_id="v2"),
        ContentEvent(3, event_id="c", user_id=1, video_id="v1"),
        ContentEvent(4, event_id="d", user_id=2, video_id="v9"),
    ]
    events = [replace(event, happened=EVENING + at) for event, at in zip(events, minutes, strict=True)]
    arrived = EVENING + timedelta(days=1)
    warehouse.append("bronze.raw_events", [event.row(arrived) for event in events])
    born, moved = EVENING - timedelta(days=1), EVENING + timedelta(minutes=30)
    history = [
        Change(1, 0, born, "insert", "DE"), Change(1, 1, moved, "update", "US"),
        Change("v1", 0, born, "insert", "news"), Change("v2", 0, born, "insert", "music"),
    ]  # fmt: skip
    for number, change in enumerate(history, 1):
        warehouse.append(f"bronze.{change.table}", [change.row(number, arrived)])
    state = "1, 0, 0, 0, current_timestamp, null, 0, 0, 1, map(array[0], array[bigint '9']), current_timestamp"
    for video in ("v1", "v2", "v9"):
        warehouse.query(f"insert into {{prefix}}gold.virality_state values ('{video}', {state})")
    warehouse.dbt(
        "build", "--exclude-resource-type", "test", "unit_test", "--select",
        "+session_depth_by_country", "+retention_by_signup_cohort", "+virality_by_category",
    )  # fmt: skip
    [[session]] = warehouse.query("select session_id from {prefix}silver.sessions where duration_seconds > 0")
    assert offsets("sessions", "2026-01-10", session) == [0, 1]
    assert offsets("session_depth_by_country", "2026-01-10", "DE") == [0, 1]
    assert offsets("session_depth_by_country", "2026-01-10", "US") == [3]
    assert offsets("session_depth_by_country", "2026-01-10", "unknown") == [4]
    assert offsets("retention_by_signup_cohort", "2025-12-29", "2026-01-05") == [0, 1, 3]
    assert offsets("virality_by_category", "news") == [0, 3]
    assert offsets("virality_by_category", "unknown") == [4]

    said = trace("dim_users", "1", f"{moved:%Y-%m-%d %H:%M:%S}", "--json")
    assert said.exit_code == 0, said.stderr
    landed = json.loads(said.stdout)["landed"]
    assert [(one["feed_row"], one["values"]["country"]) for one in landed] == [(1, "DE"), (2, "US")]
    assert "1 rows from 1 rows of feeds, not in Kafka" in trace("dim_videos", "v1").stdout


@pytest.mark.integration
def test_the_broker_is_asked_whether_it_has_the_same(
    warehouse: Warehouse, lake_stack: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = f"{warehouse.prefix}traced"
    orders = load("orders").model_dump(mode="json") | {"topic": topic}
    (tmp_path / "orders.yml").write_text(json.dumps(orders))
    producer = KafkaProducer(bootstrap_servers=lake_stack.kafka_bootstrap_servers)
    admin_made(lake_stack, topic)
    sent = [Record("a", "ORDER_CREATED", 0, seconds=10), Record("a", "ORDER_PAID", 1, seconds=20)]
    for record in sent:
        at = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000) + record.seconds * 1000
        producer.send(topic, key=b"a", value=record.value().encode(), timestamp_ms=at).get(30)
    producer.close()
    warehouse.land([*sent, Record("a", "ORDER_SHIPPED", 2, seconds=30)])
    warehouse.fold_live_gold([*sent, Record("a", "ORDER_SHIPPED", 2, seconds=30)])
    warehouse.query(f"update {{prefix}}bronze.orders_events set topic = {literal(topic)}")
    warehouse.query("update {prefix}bronze.orders_events set body = body || ' ' where kafka_offset = 1")
    warehouse.point()
    monkeypatch.setattr(settings(), "datasets", tmp_path)  # what the command reads, be it `lake_stack` or another copy
    monkeypatch.setattr(settings(), "registry_url", NO_REGISTRY)
    said = trace("orders_current", "a", "--kafka", "--json")
    broker._consumer(lake_stack.kafka_bootstrap_servers).close()  # else it outlives the stack
    broker._consumer.cache_clear()
    assert said.exit_code == 1, said.stderr
    found = [record["broker"] for record in json.loads(said.stdout)["records"]]
    assert found == ["same", "different in body", "gone"]


def admin_made(settings: Settings, topic: str) -> None:
    from kafka import KafkaAdminClient
    from kafka.admin import NewTopic

    admin = KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    # The records are months old: with the broker's default they are gone as soon as it looks.
    admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"retention.ms": "-1"})])
    admin.close()


def test_every_trace_that_a_model_declares_leads_somewhere(tmp_path: Path) -> None:
    lineage = Lineage(load_all(), Dbt(Settings(), tmp_path, project=DBT_PROJECT))
    for node in lineage.dbt.manifest.nodes.values():
        if node.resource_type == "model" and node.config.meta.get("trace"):
            table = lineage.table(node.name)
            assert table.key, node.name
            assert lineage.places(table, "select 1"), node.name
    assert lineage.dbt.manifest.nodes["model.millrace.order_items"].config.meta["gone_when"]
