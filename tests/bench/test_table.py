"""If these fail, the figures of docs/figures.md are not what was measured, or a part was measured for nothing."""

from __future__ import annotations

import json

from bench.__main__ import RESULTS
from bench.queries import in_bytes
from bench.table import render
from stack.settings import PROJECT

AGES = {"probes": 120, "p50": 3.1, "p95": 5.2, "max": 6.3}
MADE_UP = {
    "streams_freshness": {"offered_per_second": 5000, "seconds": 120, "orders": {"gold": AGES}},
    "dbt_history": {
        "events_per_stream": 2000,
        "trino_memory": "3G",
        "history_1x": {"seconds": [10.0, 12.0, 11.0], "bytes_read": [900_000, 1_000_000, 1_100_000]},
        "history_100x": {"seconds": [11.0, 12.0, 13.0], "bytes_read": [1_100_000, 1_200_000, 1_300_000]},
        "ratio_seconds": 1.09,
        "ratio_bytes": 1.2,
        "nothing_new": {
            "history_1x": {"seconds": 7.5, "snapshots": 0},
            "history_100x": {"seconds": 7.7, "snapshots": 0},
        },
    },
    "idle": {
        "memory_mb": {"kafka": 400, "trino": 1100, "all": 1500},
        "cpu_percent_of_a_core": {"kafka": 1.5, "trino": 2.0, "all": 3.5},
    },
}


def test_the_page_shows_the_figures_of_the_last_run() -> None:
    assert render(json.loads(RESULTS.read_text())) in (PROJECT / "docs" / "figures.md").read_text()


def test_each_figure_is_shown_beside_what_it_is_compared_with() -> None:
    table = render(MADE_UP)
    for said in (
        "| orders to gold, every stream running, at 5,000 events/s in all | p50 3.1 s, p95 5.2 s | 120 probes",
        "| 12.0 s, 1.2 MB read | 1.09 x the time, 1.2 x the bytes with 1 x history; Trino's heap 3G |",
        "| the same with nothing new, 100 x history | 7.7 s | 7.5 s with 1 x history; 0 snapshots made |",
        "| memory of a stack that waits | 1,500 MB | kafka 400, trino 1,100 |",
        "| cpu of a stack that waits | 3.5 % of a core | kafka 1.5, trino 2.0 |",
    ):
        assert said in table


def test_the_sizes_that_trino_writes_are_read() -> None:
    assert [in_bytes(size) for size in ("0B", "12.5kB", "1.25MB", "2GB")] == [0, 12800, 1310720, 2 << 30]
