"""If these fail, `lake prove incremental` says equal where the cut of the arrivals changes what an analyst sees.

Its verdict on the models of this project is a full test; here it must see a bug that was put into them.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from dbt_warehouse import DBT_PROJECT, Warehouse
from order_records import Record

from prove.incremental import prove_incremental
from stack.faults import Fault
from stack.settings import Settings

pytestmark = pytest.mark.integration
MODELS = ("order_events", "order_lifecycles", "order_items")
TYPES = ("ORDER_CREATED", "ORDER_PAID", "ORDER_SHIPPED", "ORDER_CANCELLED")
BY_EVENT_TIME = """{% macro new_arrivals(events) -%}
    {%- if not (execute and is_incremental()) -%}{{ return(events) }}{%- endif -%}
    (select * from {{ events }} where event_time > (select max(event_time) from {{ this }}))
{%- endmacro %}
"""


def records(count: int) -> list[Record]:
    chance = random.Random(count)
    return [
        Record(f"o{chance.randint(0, count // 5)}", chance.choice(TYPES), number // 2, number % 2, seconds=number)
        for number in range(count)
    ]


@pytest.fixture
def bronze(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Orders in a bronze of the test's own, which is what the proof copies."""
    warehouse.land(records(200))
    monkeypatch.setenv("LAKE_BRONZE_SCHEMA", f"{warehouse.prefix}bronze")
    monkeypatch.setenv("LAKE_LIVE_GOLD_SCHEMA", f"{warehouse.prefix}gold")
    return warehouse


def test_random_cuts_equal_a_full_refresh_and_nothing_is_left_behind(bronze: Warehouse, lake_stack: Settings) -> None:
    found = prove_incremental(lake_stack, [1], 2, MODELS)
    assert {one.subject for one in found} == {f"silver.{model}" for model in MODELS}
    assert all(one.is_equal and one.rows_left for one in found)
    assert [name for [name] in bronze.query("show schemas") if name.startswith("prove")] == []


def test_a_watermark_of_event_time_is_seen(bronze: Warehouse, lake_stack: Settings, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    (project / "macros" / "new_arrivals.sql").write_text(BY_EVENT_TIME)
    [found] = prove_incremental(lake_stack, [1], 2, ["order_events"], project)
    assert not found.is_equal
    assert found.rows_left < found.rows_right


@pytest.mark.full
def test_an_empty_bronze_is_nothing_to_prove(
    warehouse: Warehouse, lake_stack: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_BRONZE_SCHEMA", f"{warehouse.prefix}bronze")
    with pytest.raises(Fault, match="Nothing to prove"):
        prove_incremental(lake_stack, [1], 2, ["order_events"])


@pytest.mark.full
@pytest.mark.timeout(9000)
def test_every_model_and_live_gold_equals_in_twenty_ways(lake_stack: Settings, run_lake: Callable) -> None:
    for stream in ("orders", "content_events", "user_events"):
        run_lake("produce", stream, "--count", "10000")
    run_lake("ingest", "--once")
    for proof in ("incremental", "replay"):
        done = run_lake("prove", proof, "--seeds", "20", "--first-seed", "1", "--json")
        evidence = json.loads(done.stdout)["evidence"]
        assert len(evidence) >= 20 * 3
        assert all(one["equal"] and one["rows_left"] for one in evidence)
