"""`lake replay`: a live gold rebuilt from bronze, and compared with what was streamed."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ingest.command import Json, datasets, fail, spark_for
from ingest.datasets import Dataset, Gold
from stack.faults import DIFFERENT, UNREACHABLE, USAGE

MOST_ROWS = 10_000_000
"""Bronze rows that are folded without being asked for twice."""


def _gold(table: str) -> tuple[Dataset, Gold]:
    found = {gold.table: (dataset, gold) for dataset in datasets(None) for gold in dataset.golds}
    if table not in found:
        fail(f"no live gold table {table!r}; known: {', '.join(sorted(found))}", USAGE)
    return found[table]


def replay(
    table: Annotated[str, typer.Argument(help="A live gold table, such as orders_current.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare with live at one snapshot; exit 1 if not equal.")
    ] = False,
    snapshot: Annotated[
        int | None, typer.Option(help="Live snapshot to compare with; default: its current one.")
    ] = None,
    start: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="P:OFFSET,…", help="Fold what lies above these offsets; repeatable."),
    ] = None,
    end: Annotated[
        list[str] | None, typer.Option("--to", metavar="P:OFFSET,…", help="Fold up to these offsets; repeatable.")
    ] = None,
    epoch: Annotated[int, typer.Option(help="Topic epoch of --from and --to.")] = 1,
    all_: Annotated[bool, typer.Option("--all", help="All of bronze: neither --from nor --to.")] = False,
    only_plan: Annotated[bool, typer.Option("--plan", help="Say what would be folded, and end.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help=f"Even if it is more than {MOST_ROWS:,} rows.")] = False,
    max_rows: Annotated[int, typer.Option(min=1, help="Most bronze rows in one merge.")] = 1_000_000,
    as_json: Json = False,
) -> None:
    """Rebuild a live gold from bronze, by the live fold, into the shadow table gold.<TABLE>__shadow.

    Says first what it will fold. The shadow is made anew each time, and live is only read: safe to repeat.
    """
    from ingest.fence import GoldFence
    from ingest.replay import as_made, build_shadow, compare, hashed, parse_offsets, shadow_of

    dataset, gold = _gold(table)
    try:
        bounds = [GoldFence(epoch, said) if (said := parse_offsets(texts or [])) else None for texts in (start, end)]
    except ValueError as error:
        fail(str(error), USAGE)
    if verify and any(bounds):
        fail("--verify compares whole tables at live's own cut: leave out --from and --to", USAGE)
    if not (verify or any(bounds) or all_ or only_plan):
        fail("that is all of bronze: bound it by --from and --to, or say --all; --plan shows the offsets", USAGE)

    def report(cut: object) -> None:
        typer.echo(f"folded {cut.upto} of epoch {cut.epoch}", err=True)

    with spark_for("lake replay") as spark:
        from ingest.fence import read_gold_fence
        from ingest.publish import current_snapshot
        from ingest.replay_plan import outside, plan
        from ingest.tables import exists

        if not exists(spark, gold.identifier):
            fail(f"there is no {gold.identifier} yet; run: lake ingest --once", UNREACHABLE)
        gold = as_made(spark, dataset, gold)
        if any(bounds):
            held = plan(spark, dataset.bronze.identifier, shadow_of(gold), None, None).parts
            if said := outside(held, *bounds):
                fail(said, USAGE)
        if verify:
            snapshot = snapshot or current_snapshot(spark, gold.identifier)
            bounds[1] = read_gold_fence(spark, gold.identifier, snapshot)
        planned = plan(spark, dataset.bronze.identifier, shadow_of(gold), *bounds)
        if only_plan:
            typer.echo(json.dumps(planned.as_json()) if as_json else "\n".join(planned.lines()))
            return
        typer.echo("\n".join(planned.lines()), err=True)
        if planned.rows > MOST_ROWS and not yes:
            fail(f"{planned.rows:,} rows are more than {MOST_ROWS:,}: bound the range, or say --yes", USAGE)
        if not verify:
            build_shadow(spark, dataset, gold, start=bounds[0], end=bounds[1], max_rows=max_rows, report=report)
            rows, digest = hashed(spark.table(f"lake.{shadow_of(gold)}"))
            said = {"table": shadow_of(gold), "rows": rows, "hash": digest}
            typer.echo(json.dumps(said) if as_json else f"{shadow_of(gold)}: {rows:,} rows, hash {digest}")
            return
        found = compare(spark, dataset, gold, snapshot, max_rows, report)
    said = {
        "table": gold.identifier,
        "snapshot": found.snapshot,
        "cut": {"topic_epoch": found.fence.epoch, "absorbed": found.fence.absorbed},
        "live": {"rows": found.live_rows, "hash": found.live_hash},
        "shadow": {"rows": found.shadow_rows, "hash": found.shadow_hash},
        "equal": found.is_equal,
    }
    if as_json:
        typer.echo(json.dumps(said))
    else:
        typer.echo(f"cut: snapshot {found.snapshot}, epoch {found.fence.epoch}, offsets {found.fence.absorbed}")
        typer.echo(f"live:   {found.live_rows:,} rows, hash {found.live_hash}")
        typer.echo(f"shadow: {found.shadow_rows:,} rows, hash {found.shadow_hash}")
        typer.echo("equal" if found.is_equal else "DIFFERENT")
    raise typer.Exit(0 if found.is_equal else DIFFERENT)
