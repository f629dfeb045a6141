"""The table of docs/figures.md, from bench/results.json."""

from __future__ import annotations

import statistics
from typing import Any


def render(results: dict[str, Any]) -> str:
    """Markdown: one row a figure, what it is compared with, and what was asked for."""
    rows = [("what", "measured", "compared with")]
    if drain := results.get("drain"):
        of = drain["median"]
        raw, parsed, naive = of["kafka_to_noop"], of["header_parse_to_noop"], of["naive_bronze_and_gold"]
        rows += [
            ("Kafka to nowhere", f"{raw:,} events/s", ""),
            ("header parsed to nowhere", f"{parsed:,} events/s", f"{parsed / raw:.2f} x raw"),
            (
                "into bronze",
                f"{of['bronze']:,} events/s",
                f"{of['bronze'] / raw:.2f} x raw, {of['bronze'] / parsed:.2f} x header parse",
            ),
            (
                "into bronze and live gold",
                f"{of['bronze_and_gold']:,} events/s",
                f"{of['bronze_and_gold'] / naive:.2f} x naive ({naive:,} events/s)",
            ),
        ]
    if schema := results.get("schema"):
        of = schema["median"]
        rows.append(
            (
                "the same with a topic of its own, each range's schema checked",
                f"{of['checked']:,} events/s",
                f"{schema['ratio']} x unchecked ({of['unchecked']:,} events/s)",
            )
        )
    if fresh := results.get("freshness"):
        for name in ("bronze", "gold"):
            rows.append(
                (
                    f"produced to visible in {name} at {fresh['offered_per_second']:,} events/s",
                    f"p50 {fresh[name]['p50']} s, p95 {fresh[name]['p95']} s",
                    f"{fresh[name]['probes']} probes, greatest {fresh[name]['max']} s",
                )
            )
    if fresh := results.get("streams_freshness"):
        for stream in (name for name, of in fresh.items() if isinstance(of, dict)):
            of = fresh[stream]["gold"]
            rows.append(
                (
                    f"{stream} to gold, every stream running, at {fresh['offered_per_second']:,} events/s in all",
                    f"p50 {of['p50']} s, p95 {of['p95']} s",
                    f"{of['probes']} probes, greatest {of['max']} s",
                )
            )
    if merges := results.get("merges"):
        rows.append(
            (
                f"a gold merge after {merges['merges']} merges",
                f"{merges['last_ten_mean_seconds']} s",
                f"{merges['ratio']} x the first ten, compaction included",
            )
        )
    if ranges := results.get("ranges"):
        for way in ("snapshots", "content"):
            rows.append(
                (
                    f"folding {ranges['events']:,} new events found by {way}, 100 x history",
                    f"{ranges['history_100x'][way]} s",
                    f"{ranges[f'ratio_{way}']} x the time with 1 x history",
                )
            )
    if upkeep := results.get("upkeep"):
        packing, batches = upkeep["packing"], upkeep["batches"]
        rows += [
            (
                f"bronze packed, {packing['files']:,} files of {packing['megabytes']} MB in all",
                f"{packing['packing_mb_per_second']} MB/s",
                f"{packing['ratio']} x the same files rewritten by PyArrow ({packing['plain_mb_per_second']} MB/s)",
            ),
            (
                f"a bronze batch beside upkeep, at {batches['offered_per_second']:,} events/s",
                f"p50 {batches['beside_upkeep']['p50']} s, p99 {batches['beside_upkeep']['p99']} s",
                f"alone p50 {batches['alone']['p50']} s, p99 {batches['alone']['p99']} s: {batches['ratio_p99']} x",
            ),
        ]
    if serving := results.get("serving"):
        for way, name in (("trino", "Trino"), ("postgres", "PostgreSQL")):
            slowest, of = max(
                ((query, of) for query, of in serving[way].items() if query != "all"), key=lambda one: one[1]["p95"]
            )
            rows.append(
                (
                    f"a dashboard query through {name}, {serving['events_per_stream']:,} events of each stream",
                    f"p50 {serving[way]['all']['p50']} ms, p95 {serving[way]['all']['p95']} ms",
                    f"slowest: {slowest}, p95 {of['p95']} ms",
                )
            )
    if dbt := results.get("dbt_history"):
        most, idle = dbt["history_100x"], dbt["nothing_new"]
        rows += [
            (
                f"dbt's incremental models on {dbt['events_per_stream']:,} new events of each stream, 100 x history",
                f"{statistics.median(most['seconds'])} s, {statistics.median(most['bytes_read']) / 1e6:.1f} MB read",
                f"{dbt['ratio_seconds']} x the time, {dbt['ratio_bytes']} x the bytes with 1 x history; "
                f"Trino's heap {dbt['trino_memory']}",
            ),
            (
                "the same with nothing new, 100 x history",
                f"{idle['history_100x']['seconds']} s",
                f"{idle['history_1x']['seconds']} s with 1 x history; "
                f"{sum(of['snapshots'] for of in idle.values())} snapshots made",
            ),
        ]
    if dags := results.get("dags"):
        seconds, cpu = dags["seconds"], dags["cpu_seconds_a_model"]
        rows += [
            (
                f"the daily DAG, {dags['models']} models and tests, {dags['events_per_stream']:,} new events a stream",
                f"{statistics.median(seconds['dag']):.1f} s, {cpu['dag']} CPU s a model",
                f"{dags['ratio_seconds']} x `dbt build` by hand ({statistics.median(seconds['command_line']):.1f} s, "
                f"{cpu['command_line']} CPU s a model)",
            ),
            ("a DAG file parsed", f"{max(dags['parse_seconds'].values())} s", "the slowest of them"),
        ]
    if idle := results.get("idle"):
        for what, unit in (("memory_mb", "MB"), ("cpu_percent_of_a_core", "% of a core")):
            each = ", ".join(f"{name} {of:,}" for name, of in idle[what].items() if name != "all")
            rows.append((f"{what.split('_')[0]} of a stack that waits", f"{idle[what]['all']:,} {unit}", each))
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    machine = results.get("machine", {})
    note = f"{machine.get('cores')} cores, {machine.get('memory_gib')} GiB, {machine.get('at')}."
    return "\n".join([head, "|---|---|---|", *body, "", note])
