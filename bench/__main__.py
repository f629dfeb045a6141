"""`make bench`: measure, print the table, and keep the figures in bench/results.json, for docs/figures.md."""

from __future__ import annotations

import json
import os
import platform
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psutil
import typer

RESULTS = Path(__file__).with_name("results.json")
PARTS = (
    "drain", "schema", "freshness", "streams_freshness", "merges", "ranges", "upkeep", "serving", "dbt_history", "dags",
    "idle",
)  # fmt: skip


def main(
    parts: Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(PARTS)}; default all.")] = None,
    events: Annotated[int, typer.Option(help="Events in the preloaded topic.")] = 4_000_000,
    rounds: Annotated[int, typer.Option(help="Counted rounds of each way.")] = 2,
    max_offsets: Annotated[int, typer.Option(help="Most events in a batch.")] = 500_000,
    rate: Annotated[int, typer.Option(help="Events/s offered while freshness is probed.")] = 5_000,
    seconds: Annotated[int, typer.Option(help="How long freshness is probed.")] = 120,
    asked: Annotated[int, typer.Option(min=2, help="How often each dashboard query is asked.")] = 100,
    served_events: Annotated[int, typer.Option(help="Events of each stream that dashboards ask about.")] = 200_000,
    new_events: Annotated[int, typer.Option(help="New events of each stream, a run of dbt.")] = 5_000,
    results_file: Annotated[Path, typer.Option("--results", help="The file to keep the figures in.")] = RESULTS,
) -> None:
    """Measure on a stack of its own; a quiet machine gives figures worth keeping."""
    from bench import dags, dbt_history, drain, freshness, idle, merges, ranges, schema, serving, upkeep
    from bench.stack import STREAMS, running
    from bench.table import render
    from ingest.logs import configure
    from ingest.spark import session

    configure()
    chosen = parts or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        raise typer.BadParameter(f"no part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    offered = {"offered_per_second": rate, "seconds": seconds}
    results = json.loads(results_file.read_text()) if results_file.exists() else {}

    def keep(part: str, found: dict[str, object]) -> None:
        """Into the file at once: a later part that fails takes no earlier one with it."""
        results[part] = found
        results_file.write_text(json.dumps(results, indent=2) + "\n")

    with running() as settings:
        keep("machine", machine())
        if "freshness" in chosen:
            keep("freshness", offered | freshness.measure(settings, rate, seconds, ["orders"])["orders"])
        if "streams_freshness" in chosen:
            keep("streams_freshness", offered | freshness.measure(settings, rate, seconds, STREAMS, ["gold"]))
        if {"drain", "schema", "merges", "ranges"} & set(chosen):
            spark = session(settings, "bench")
            spark.sparkContext.setLogLevel("ERROR")
            if "drain" in chosen:
                rates = drain.measure(spark, settings, events, rounds, max_offsets)
                found = {
                    "events": events,
                    "max_offsets": max_offsets,
                    "rounds": rounds,
                    "warm_up_rounds": drain.WARM_UP_ROUNDS,
                    "events_per_second": {name: [round(rate) for rate in of] for name, of in rates.items()},
                    "median": {name: round(statistics.median(of)) for name, of in rates.items()},
                }
                keep("drain", found)
            if "schema" in chosen:
                keep("schema", schema.measure(spark, settings, events, rounds, max_offsets))
            if "merges" in chosen:
                keep("merges", merges.measure(spark))
            if "ranges" in chosen:
                keep("ranges", ranges.measure(spark))
            spark.stop()
        if "upkeep" in chosen:
            keep("upkeep", upkeep.measure(settings, min(events, upkeep.MOST_EVENTS), rate, seconds))
        if "serving" in chosen:
            keep("serving", serving.measure(settings, served_events, asked))
        if "dags" in chosen:
            keep("dags", dags.measure(settings, 10 * new_events, new_events, rounds))
        if "idle" in chosen:
            keep("idle", idle.measure(settings))
    if "dbt_history" in chosen:
        with running(trino_memory="3G") as settings:  # a hundred days are built at once
            keep("machine", machine())
            keep("dbt_history", dbt_history.measure(settings, new_events, rounds))
    print(render(results))


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    import pyspark

    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "spark": pyspark.__version__,
    }


if __name__ == "__main__":
    typer.run(main)
