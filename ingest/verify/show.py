"""A report for people: one table of what was compared, then what differs, a line each."""

from __future__ import annotations

import json

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingest.verify.report import BronzeReport, DatasetReport, GoldReport, Report


def show(report: Report, console: Console) -> None:
    """Print the report."""
    for dataset in report.datasets:
        table = Table(title=f"{dataset.dataset} · {dataset.seconds:.1f} s", title_justify="left")
        for column in ("compared", "cut", "rows", "against", "hash", "verdict"):
            table.add_column(column, justify="right" if column in ("rows", "against") else "left", overflow="fold")
        _bronze_row(table, dataset.bronze)
        for gold in dataset.golds:
            _gold_row(table, gold)
        console.print(table)
        for line in _lines(dataset):
            console.print(escape(line), soft_wrap=True)
    console.print(f"[bold]{report.verdict}[/bold]{_left_out(report.not_compared)}", soft_wrap=True)


def _left_out(commands: list[str]) -> str:
    """How many golds were not compared, and what compares them."""
    golds = "1 gold was" if len(commands) == 1 else f"{len(commands)} golds were"
    return f": {golds} not compared; run {'; '.join(commands)}" if commands else ""


def _bronze_row(table: Table, bronze: BronzeReport) -> None:
    table.add_row(
        f"{bronze.topic} → {bronze.table}",
        f"epoch {bronze.topic_epoch}, {_offsets(bronze.fence)}",
        f"{bronze.compared_rows:,}",
        f"{bronze.broker_records:,}",
        _hashes(bronze.compared_hash, bronze.broker_hash),
        _verdict(bronze.verdict),
    )


def _gold_row(table: Table, gold: GoldReport) -> None:
    table.add_row(
        f"{gold.table} ↔ SQL",
        f"epoch {gold.topic_epoch}, {_offsets(gold.absorbed)}",
        f"{gold.live_rows:,}",
        f"{gold.recomputed_rows:,}",
        _hashes(gold.live_hash, gold.recomputed_hash),
        _verdict(gold.verdict),
    )


def _lines(dataset: DatasetReport) -> list[str]:
    bronze = dataset.bronze
    lines = [f"{bronze.table}: {problem}" for problem in bronze.problems]
    lines += [f"{bronze.table}: accepted as gone by a person, {gap}" for gap in bronze.accepted_gaps]
    notes = {
        "the broker has expired their records": bronze.expired_rows,
        "the broker has compacted their records away": bronze.compacted_rows,
        "of an earlier epoch, which the broker no longer has": bronze.earlier_epoch_rows,
    }
    lines += [f"{bronze.table}: {rows:,} rows not checked, {why}" for why, rows in notes.items() if rows]
    counts = {kind: getattr(bronze, kind) for kind in ("missing", "extra", "changed", "doubled")}
    lines += _counted(bronze.table, counts)
    for fault in bronze.examples:
        parts = f" in {', '.join(fault.parts)}" if fault.parts else ""
        copies = f", {fault.copies} rows" if fault.copies > 1 else ""
        place = f"epoch {fault.epoch}, partition {fault.partition}, offset {fault.offset}"
        lines.append(f"  {fault.kind}{parts}: {place}{copies}")
    for gold in dataset.golds:
        lines += [f"{gold.table}: not compared: {gold.not_compared}"] if gold.not_compared else []
        lines += [f"{gold.table}: {problem}" for problem in gold.problems]
        if gold.pending_rows:
            lines.append(f"{gold.table}: {gold.pending_rows:,} events of bronze to be absorbed, or of no row of it")
        lines += _counted(gold.table, {k: getattr(gold, k) for k in ("missing", "extra", "differing", "doubled")})
        lines += [
            f"  {fault.key} {fault.column}: is {_short(fault.live)}, must be {_short(fault.recomputed)}"
            for fault in gold.examples
        ]
    return lines


def _counted(table: str, counts: dict[str, int]) -> list[str]:
    found = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
    return [f"{table}: {found}"] if found else []


def _offsets(fence: dict[int, int]) -> str:
    return " ".join(f"{partition}:{offset}" for partition, offset in sorted(fence.items())) or "no offsets"


def _hashes(one: str, other: str) -> str:
    return one if one == other else f"{one} ≠ {other}"


def _verdict(verdict: str) -> str:
    style = {"equal": "green", "different": "bold red"}.get(verdict, "yellow")
    return f"[{style}]{verdict}[/{style}]"


def _short(value: object, limit: int = 160) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[:limit] + "…"
