"""If these fail, a scraper is answered in a form it can't read, or the page of metrics names others than there are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingest.metrics import server, tell
from ingest.metrics.board import BOARD
from ingest.metrics.meters import METERS
from stack.settings import PROJECT
from tests.ingest.metrics.test_meter import BRONZE, Run, snapshot

PROMETHEUS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
OLD_PROMETHEUS = "text/plain;version=0.0.4;q=1,*/*;q=0.1"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SHAPE = ["pipeline", "phase", "timestamp", "records_ingested", "lag_seconds", "last_commit"]
Get = Callable[..., httpx.Response]
PAGE = (PROJECT / "docs" / "metrics.md").read_text()


@pytest.fixture
def get() -> Iterator[Get]:
    """`get(path, accept)` of the app, with one dataset behind it."""
    BOARD.clear()
    run = Run()
    tell.begins(run)
    run.start()
    tell.bronze_starts(BRONZE, 1, {0: 0}, 1)
    BOARD.of(BRONZE).looked({0: 0}, {0: 5})
    tell.committed(BRONZE, snapshot(3))
    tell.bronze_is_at(BRONZE, {0: 3}, 2)
    transport = httpx.ASGITransport(server.app())

    async def ask(path: str, accept: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://lake") as client:
            return await client.get(path, headers={"Accept": accept})

    yield lambda path, accept="*/*": asyncio.run(ask(path, accept))
    run.let_go.set()
    BOARD.clear()


@pytest.mark.parametrize(
    ("accept", "text"),
    [
        (PROMETHEUS, True),
        (OLD_PROMETHEUS, True),
        ("text/plain", True),
        ("application/json", False),
        ("application/json, text/plain, */*", False),
        ("text/plain;q=0.4, application/json;q=0.9", False),
        ("*/*", False),
        (BROWSER, False),
        ("", False),
        ("text/plain;q=x", False),
    ],
)
def test_json_unless_text_is_preferred(get: Get, accept: str, text: bool) -> None:
    said = get("/metrics", accept)
    assert said.headers["content-type"].startswith("application/json") is not text
    assert said.headers["vary"] == "Accept"


def test_json_and_text_say_the_same(get: Get) -> None:
    (one,) = get("/metrics").json()
    assert list(one)[: len(SHAPE)] == SHAPE
    assert (one["pipeline"], one["phase"], one["records_ingested"], one["lag_records"]) == ("orders", "running", 3, 2)
    tables = one["tables"].values()
    assert [of["lag_records"] for of in tables] == [2, None], "where the gold is, isn't known yet"
    assert one["lag_seconds"] == max(of["lag_seconds"] or 0 for of in tables)
    assert get("/metrics/orders").json()["pipeline"] == "orders"
    assert get("/metrics/nothing").status_code == 404
    text = get("/metrics", "text/plain").text
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["lake_lag_records", "0", "bronze.orders_events", "orders"] == 2
    assert samples["lake_log_end_offset", "0", "orders"] == 5
    assert samples["lake_dataset_phase", "orders", "running"] == 1


def test_health_is_503_with_the_reasons_of_the_dataset_that_stopped(get: Get) -> None:
    assert (get("/health").status_code, get("/health").json()["healthy"]) == (200, True)
    tell.stopped(BRONZE, "bronze", "topic orders was recreated")
    said = get("/health")
    assert said.status_code == 503
    assert said.json()["datasets"] == [
        {
            "dataset": "orders",
            "phase": "stopped",
            "healthy": False,
            "reasons": ["bronze stopped: topic orders was recreated"],
        }
    ]


def test_an_ingester_without_a_dataset_yet_is_well(get: Get) -> None:
    BOARD.clear()
    assert get("/health").json() == {"healthy": True, "datasets": []}
    assert get("/metrics").json() == []


def exported() -> dict[str, tuple[str, str]]:
    """By the name that a query uses: type and labels, `le` aside."""
    from ingest.metrics import meters
    from ingest.metrics.board import GAUGES

    declared = [one for one in vars(meters).values() if hasattr(one, "_labelnames")]
    labels = {one._name: ", ".join(one._labelnames) for one in declared}
    labels |= {name: ", ".join(of) for name, (_, of) in GAUGES.items()}
    return {
        family.name + ("_total" if family.type == "counter" else ""): (family.type, labels[family.name])
        for family in METERS.collect()
    }


def test_the_page_lists_every_metric_with_its_type_and_labels_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", PAGE, re.MULTILINE)
    assert {name: (kind, labels.replace("`", "").strip(" –")) for name, kind, labels in rows} == exported()
