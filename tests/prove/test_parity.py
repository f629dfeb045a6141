"""Trino and Spark make the same rows of the same bronze.

If this fails, a model says one thing to whoever queries Trino and another to whoever runs the project on Spark.
"""
from __future__ import annotations

import json
import random
import shutil
import uuid
from datetime import timedelta

import content_records
import pytest
import user_event_records
from dbt_warehouse import DBT_PROJECT, ITEMS, Warehouse
from order_records import Record

from prove.parity import prove_parity
from prove.typed_hash import widest

pytestmark = pytest.mark.integration

LIFE = ("ORDER_CREATED", "ORDER_PAID", "ORDER_SHIPPED", "ORDER_CANCELLED", "ORDER_RETURNED", "ORDER_PAID")
ODD = (
    '{"total_amount": "12.345", "user_id": 7.1, "items": [{"sku": 7.10, "quantity": 1e0, "unit_price": 0.005}]}',
    '{"total_amount": 1234567890123456.785, "user_id": {"a": 1}, "items": [{"sku": {"a": 1}, "category": [1]}, {}]}',
    '{"total_amount": 1e30, "user_id": "{}", "currency": "", "items": []}',
    '{"total_amount": null, "user_id": "\\u00e9 \\"x\\"", "currency": true, "items": {"sku": "A"}}',
    '{"user_id": " a ", "payment_method": "null", "items": [{"sku": null, "quantity": "2", "unit_price": "x"}]}',
)
PAYLOADS = (
    '{"device": {"os": "web", "model": "\\u00e9 \\"x\\""}, "playback": {"network": {"type": "5g"}}, "watch_ms": "17"}',
    '{"device": null, "app_version": 6, "network": true, "watch_ms": 1.5, "deep": [[{"a": []}], {}], "watch_ms ": 7}',
    '{"device": ["ios"], "app_version": {"a": 1}, "playback": {"network": "wifi"}, "network": {"type": "4g"}}',
    '{"watch_ms": 99999999999999999999, "n": [1e5, 1.50, -0.0, 12345678901234567890, 0.1, 100]}',
    "null", "[1, 2]", '"text"', "7", "true", "{}",
)  # fmt: skip
SHOPPERS = ('"7"', "07", "-1", '"+7"', "1e2", "7.0", "true", '{"a": 1}', "1234567890123456789", '" 7"', '"7\\n"')
MINUTES = "cast(floor(to_unixtime(now()) / 60) as bigint)"
VIDEOS = """insert into {prefix}gold.virality_state
    select 'v' || cast(video as varchar), 100 * video, 50, 7, video, now(), map(
        transform(sequence(0, 20, 3), ago -> minute - ago - video),
        transform(sequence(0, 20, 3), ago -> cast(row(ago + video, 3, ago, 1)
            as row(impressions bigint, plays bigint, likes bigint, shares bigint)))
    ), 0.1, 0.0, 1, map(array[0], array[bigint '9']), now()
    from (select {minutes} as minute), unnest(sequence(1, 15)) as videos (video)"""
BASKETS = """insert into {prefix}gold.orders_current (order_id, current_status, items, is_deleted, updated_at)
    select 'live' || cast(number as varchar), 'PAID', transform(sequence(1, number), line -> cast(
        row('SKU-' || cast(line as varchar), number, 1.25, if(line > 2, 'Toys')) as {row})), false, now()
    from unnest(sequence(1, 4)) as baskets (number)"""


def records(count):
    """Orders that live through steps both legal and not, with baskets that grow and shrink and bodies of every type."""
    found = []
    for number in range(count):
        order, step = f"o{number % (count // 5)}", number // (count // 5)
        items = [(f"SKU-{number % 7}", 1 + line, f"{number % 90}.99", "Toys") for line in range(number % 4)]
        body = ODD[number // 10 % len(ODD)] if number % 10 == 3 else None
        error = "bad_json" if number % 50 == 7 else None
        event_type = LIFE[(number + step) % len(LIFE)] if number % 6 == 5 else LIFE[step % 3]
        found.append(
            Record(
                order, event_type, number // 2, number % 2, 1 + (number > count * 0.8),
                seconds=number * 97 % 100_000, items=tuple(items),
                body='{"user_id": "u", "items": [' if error else body, error=error,
            )
        )  # fmt: skip
    return found


def with_body(row, **values):
    """A row of bronze whose body has these pieces of JSON in it."""
    of = {name: json.dumps(value) for name, value in json.loads(row[13]).items()} | values
    return [*row[:13], "{" + ", ".join(f'"{name}": {value}' for name, value in of.items()) + "}", *row[14:]]


def land_everything(warehouse, count):
    """So many records of each stream, changes of the dimensions, and live golds that are further than bronze or not."""
    chance = random.Random(count)
    orders = records(count)
    warehouse.land(orders)
    warehouse.fold_live_gold(orders[: count // 2])
    warehouse.query(BASKETS.replace("{row}", ITEMS.removeprefix("array(").removesuffix(")")))
    warehouse.query(VIDEOS.replace("{minutes}", MINUTES))

    arrived = content_records.EVENING + timedelta(days=1)
    content = [one.row(arrived) for one in content_records.arrivals(chance, count)]
    content[::9] = [with_body(row, payload=PAYLOADS[n % len(PAYLOADS)]) for n, row in enumerate(content[::9])]
    warehouse.append("bronze.raw_events", content)
    history = content_records.changes(chance, count)
    for table in ("users_changes", "videos_changes"):
        rows = [change.row(number, arrived) for number, change in enumerate(history) if change.table == table]
        warehouse.append(f"bronze.{table}", rows)

    visits = user_event_records.arrivals(chance, count)
    shop = [one.row(arrived) for one in visits]
    shop[::9] = [with_body(row, user_id=SHOPPERS[n % len(SHOPPERS)]) for n, row in enumerate(shop[::9])]
    warehouse.append("bronze.user_events", shop)
    for table, rows in user_event_records.live_rows(visits[: count // 2]).items():
        warehouse.append(f"gold.{table}", rows)


@pytest.fixture(scope="module")
def landed(lake_stack):
    warehouse = Warehouse(lake_stack.host, lake_stack.trino_port, f"t{uuid.uuid4().hex[:8]}_", None)
    warehouse.create()
    land_everything(warehouse, 500)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LAKE_BRONZE_SCHEMA", f"{warehouse.prefix}bronze")
        environment.setenv("LAKE_LIVE_GOLD_SCHEMA", f"{warehouse.prefix}gold")
        # Spark lives for seconds here: without the optimising compiler it starts on fewer of them.
        environment.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
        environment.setenv("LAKE_SPARK_DRIVER_MEMORY", "1g")
        yield warehouse
    warehouse.drop()


def different(found):
    return {one.subject for one in found if not one.is_equal}


def test_every_model_and_snapshot_has_the_same_rows_on_both_engines(lake_stack, landed):
    said = []
    found = prove_parity(lake_stack, cuts=1, report=said.append)  # one for each epoch of the topics
    assert different(found) == set(), found
    assert {one.subject for one in found if not one.rows_left} == set()

    on_disk = [path for folder in ("models", "snapshots") for path in (DBT_PROJECT / folder).rglob("*.sql")]
    served = {path.stem for path in on_disk if path.is_relative_to(DBT_PROJECT / "models" / "serving")}
    models = {path.stem for path in on_disk} - served
    assert {one.subject for one in found} == models | {"user_changes", "video_changes"}
    [left_out] = [line for line in said if line.startswith("left out")]
    assert set(left_out.split(": ")[1].split(", ")) == served
    left_behind = landed.query("show schemas from lake like 'parity%'")
    assert left_behind == []


@pytest.mark.full
def test_a_macro_that_is_wrong_on_spark_is_seen(lake_stack, landed, tmp_path):
    project = tmp_path / "dbt_project"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    macro = project / "macros" / "seconds_between.sql"
    planted = macro.read_text().replace(" div 1000)", " div 1001)")
    assert planted != macro.read_text()
    macro.write_text(planted)

    found = prove_parity(lake_stack, cuts=1, select=["+order_state_durations"], project=project)
    assert different(found) == {"order_state_durations"}


@pytest.mark.parametrize(
    ("trino", "kind"),
    [
        ("integer", "bigint"), ("varchar(7)", "varchar"), ("decimal(28,2)", "decimal(38,2)"),
        ("timestamp(3) with time zone", "timestamp(6) with time zone"),
        ('map(integer, row("a" decimal(5, 4), "b" varchar(1)))', 'map(bigint, row("a" decimal(38,4), "b" varchar))'),
    ],
)  # fmt: skip
def test_types_differ_by_kind_and_scale_only(trino, kind):
    assert widest(trino) == kind


@pytest.mark.full
@pytest.mark.timeout(9000)
def test_ten_thousand_events_of_each_stream_have_the_same_rows_on_both_engines(lake_stack, run_lake):
    for stream in ("orders", "content_events", "user_events"):
        run_lake("produce", stream, "--count", "10000")
    run_lake("dimensions", "load")
    run_lake("ingest", "--once")
    done = run_lake("prove", "parity", "--seeds", "20", "--first-seed", "1", "--json")
    evidence = json.loads(done.stdout)["evidence"]
    assert len({one["subject"] for one in evidence}) > 40 and len(evidence) % 20 == 0
    assert all(one["equal"] and one["rows_left"] for one in evidence)
