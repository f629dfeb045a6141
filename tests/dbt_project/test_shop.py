"""User events from bronze to the daily marts: the same rows whatever the order of arrival and the cut into runs.

If this fails, the daily numbers depend on how often dbt ran, a day is never corrected once a late event arrives, or a
record is neither counted nor among the dead letters.
"""
from __future__ import annotations

import random
import shutil
from datetime import date, timedelta

import pytest
from dbt_warehouse import DBT_PROJECT
from user_event_records import NOON, Shop, UserEvent, arrivals, live_counts, live_rows

pytestmark = pytest.mark.integration

TABLES = (
    "user_event_records", "int_user_days_counted", "int_source_days_counted", "int_page_days_counted", "duplicate_rate",
    "late_arrivals",
)  # fmt: skip
DAILY = ("conversion_rate_daily", "events_per_source_daily", "purchases_per_page_daily", "daily_active_users")
VIEWS = ("stg_shop__events+", "stg_shop__live_counts+", "stg_bronze__records+")
TESTS = (
    "assert_bronze_is_silver_and_repeats_and_dead_letters",
    "assert_the_causes_of_a_difference_between_live_and_batch_add_up",
)


def land(warehouse, records, batch, streams=("user_events",)):
    """One batch of the ingester, hours after the one before: longer than the watermark looks back."""
    arrived = NOON + timedelta(hours=7 * batch)
    for stream in streams:
        warehouse.append(f"bronze.{stream}", [record.row(arrived) for record in records])


def fold_live(warehouse, records):
    for table, rows in live_rows(records).items():
        warehouse.append(f"gold.{table}", rows)


def marts(warehouse):
    """Rows of the daily marts, without updated_at."""
    return {
        "conversion_rate_daily": {row[:4] for row in gold(warehouse, "conversion_rate_daily")},
        "events_per_source_daily": {row[:3] for row in gold(warehouse, "events_per_source_daily")},
        "purchases_per_page_daily": {row[:3] for row in gold(warehouse, "purchases_per_page_daily")},
        "daily_active_users": {row[:2] for row in gold(warehouse, "daily_active_users")},
    }


def gold(warehouse, table):
    return [tuple(row) for row in warehouse.query(f"select * from {{prefix}}gold.{table}")]


def expected_marts(shop):
    conversion = shop.conversion()
    return {
        "conversion_rate_daily": conversion,
        "events_per_source_daily": shop.per_day("source"),
        "purchases_per_page_daily": shop.per_day("page", "purchase"),
        "daily_active_users": {(day, users) for day, _, _, users in conversion},
    }


def run_in_cuts(warehouse, seed, count, cuts):
    """Lands `count` random arrivals in `cuts` batches, with a run after each; returns the records."""
    chance = random.Random(seed)
    records = arrivals(chance, count)
    ends = sorted({*chance.sample(range(1, count), cuts - 1), count})
    warehouse.dbt("run", "--select", *VIEWS)
    for batch, (first, last) in enumerate(zip([0, *ends], ends, strict=False)):
        land(warehouse, records[first:last], batch)
        for stream in ("raw_events", "orders_events"):
            land(warehouse, chance.sample(records[first:last], (last - first) // 3), batch, [stream])
        warehouse.dbt("run", "--select", *TABLES)
    return records


def check_the_shop(warehouse, records, seed):
    """Equal to a plain loop, to a full refresh, and to itself after a run with nothing new."""
    fold_live(warehouse, random.Random(seed).choice([records, records[: len(records) // 2]]))
    assert marts(warehouse) == expected_marts(Shop.of(records)), f"seed {seed}"
    before = warehouse.snapshot_ids()
    warehouse.dbt("run", "--select", *TABLES)
    assert warehouse.snapshot_ids() == before

    warehouse.dbt("run", "--select", "+order_events")
    warehouse.dbt("test", "--select", *TESTS)
    cut = {table: warehouse.rows(table) for table in TABLES}
    warehouse.dbt("run", "--select", *TABLES, "--full-refresh")
    for table in TABLES:
        assert cut[table] == warehouse.rows(table), f"{table}: seed {seed}"
    assert all(cut.values())


def test_any_cut_of_the_arrivals_equals_a_full_refresh_and_a_plain_loop(warehouse):
    check_the_shop(warehouse, run_in_cuts(warehouse, seed=1, count=300, cuts=3), seed=1)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 120))
def test_any_cut_of_ten_thousand_arrivals_equals_a_full_refresh(warehouse, seed):
    check_the_shop(warehouse, run_in_cuts(warehouse, seed, count=10_000, cuts=8), seed)


def planted(tmp_path):
    """This project with days built again only from the newest day on, as if events came in order."""
    shutil.copytree(DBT_PROJECT, tmp_path / "planted", ignore=shutil.ignore_patterns("target", "logs"))
    macro = tmp_path / "planted" / "macros" / "touched_days.sql"
    sound = "arrived_at\n        ~ ' >= (select coalesce(max(updated_at)"
    assert sound in macro.read_text()
    macro.write_text(macro.read_text().replace(sound, "'event_time'\n        ~ ' >= (select coalesce(max(event_date)"))
    return tmp_path / "planted"


def test_an_event_of_a_day_long_ago_corrects_it_and_a_watermark_on_event_time_would_not(warehouse, tmp_path):
    """The earlier record of an event arrives last and is of another page: the event leaves the page it counted on."""
    purchase, day = {"event_id": "a", "event_type": "purchase"}, timedelta(days=1)
    records = [
        UserEvent(5, happened=NOON - 9 * day, **purchase),
        UserEvent(6, event_id="b", happened=NOON + day, user_id=2),
        UserEvent(0, 1, happened=NOON - 9 * day, sent=NOON - timedelta(seconds=1), page="/cart", **purchase),
        UserEvent(1, 1, event_id="c", happened=NOON - 9 * day, user_id=3),
    ]
    models = ("int_user_events_validated", "shop_events", *TABLES[:4])
    land(warehouse, records[:2], batch=0)
    warehouse.dbt("run", "--select", "stg_shop__events", *models, *DAILY)
    land(warehouse, records[2:3], batch=1)
    warehouse.dbt("run", "--select", *models)
    assert marts(warehouse) == expected_marts(Shop.of(records[:3]))
    assert {row[:2] for row in gold(warehouse, "purchases_per_page_daily")} == {(date(2026, 1, 1), "/cart")}

    warehouse.project, warehouse.manifest = planted(tmp_path), None
    land(warehouse, records[3:], batch=2)
    warehouse.dbt("run", "--select", *models)
    assert len(warehouse.rows("user_events")) == 3
    assert marts(warehouse) == expected_marts(Shop.of(records[:3])) != expected_marts(Shop.of(records))


def test_a_difference_between_live_and_batch_has_its_causes_and_a_wrong_live_number_is_red(warehouse):
    """Live has absorbed more of one partition than silver, and less of the other."""
    login = {"event_type": "login", "happened": NOON}
    in_both = [
        UserEvent(0, 0, event_id="a", **login),
        UserEvent(1, 0, event_id="a", **login),
        UserEvent(2, 0, event_id="b", source="fridge", **login),
        UserEvent(3, 0, event_id="c", page=None, **login),
    ]
    in_silver = [UserEvent(0, 1, event_id="d", **login), UserEvent(1, 1, event_id="a", **login)]
    in_live = [UserEvent(4, 0, event_id="e", **login), UserEvent(5, 0, error="bad_json")]
    in_neither = [UserEvent(6, 0, event_id="f", **login)]
    land(warehouse, in_both + in_silver, batch=0)
    warehouse.dbt("run", "--select", *VIEWS, "+order_events")
    land(warehouse, in_live + in_neither, batch=1)
    fold_live(warehouse, in_both + in_live)

    day = NOON.date()
    assert sorted(gold(warehouse, "speed_vs_batch")) == [
        # live, batch, difference: duplicates, rejected, not yet in silver, not yet in live
        ("events_per_minute", "login", day, NOON, 5, 2, 3, 1, 2, 1, -1),
        ("logins_per_source", "unknown", day, NOON, 1, 0, 1, 0, 1, 0, 0),
        ("logins_per_source", "web", day, NOON, 4, 2, 2, 1, 1, 1, -1),
    ]
    assert live_counts(in_both + in_live)["events_per_minute", "login", NOON][0] == 5
    letters = warehouse.query("select reason, rejected_by, kafka_offset, event_id from {prefix}silver.dead_letters")
    assert sorted(letters) == [["page_invalid", "validation", 3, "c"], ["source_unknown", "validation", 2, "b"]]
    warehouse.dbt("test", "--select", *TESTS)

    warehouse.query("update {prefix}gold.events_per_minute set event_count = event_count + 1")
    warehouse.query("delete from {prefix}silver.user_event_records where kafka_partition = 0 and kafka_offset = 1")
    result = warehouse.dbt("test", "--select", *TESTS, ok=False)
    assert {run.node.name for run in result.result if run.status == "fail"} == set(TESTS)
