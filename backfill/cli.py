"""`lake backfill`: days of event time rebuilt in silver and marts, by the models that run every day.

What is dated in those days is taken for newly arrived, beside what really is. Merges write only rows that differ, so a
repeat commits nothing. Heavy imports wait until the command runs.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated

import typer

from stack.faults import USAGE, Fault
from stack.settings import settings

MOST_DAYS = 31


def backfill(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of event time, UTC.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included.")],
    select: Annotated[
        list[str] | None, typer.Option(help="Models, as dbt selects them; repeatable. Default: every incremental one.")
    ] = None,
    only_plan: Annotated[bool, typer.Option("--plan", help="Say what would be rebuilt, and end.")] = False,
    force: Annotated[bool, typer.Option("--force", help=f"Even if it is more than {MOST_DAYS} days.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Rebuild days of event time in dbt's incremental models, and test them.

    Says first what it will do. Not while another dbt run writes the same tables. Safe to repeat: a second time changes
    nothing.
    """
    check(first.date(), last.date(), force)
    from backfill.plan import plan
    from stack.dbt import Dbt
    from stack.warehouse import Warehouse

    warehouse, dbt = Warehouse(settings()), Dbt(settings(), settings().home / "backfill")
    warehouse.rows("select 1")
    planned = plan(warehouse, dbt, first.date(), last.date(), select or ())
    if only_plan:
        typer.echo(json.dumps(planned.as_json()) if as_json else "\n".join(planned.lines()))
        return
    typer.echo("\n".join(planned.lines()), err=True)
    before = {part.table: warehouse.snapshot(part.table) for part in planned.parts}
    chosen = ("--select", *(part.model for part in planned.parts))
    tested = ("--exclude-resource-type", "unit_test", "--indirect-selection", "cautious")
    dbt.run("build", *tested, "--vars", json.dumps(planned.variables), *chosen)
    done = {table: warehouse.snapshot(table) != snapshot for table, snapshot in before.items()}
    if as_json:
        typer.echo(json.dumps({"plan": planned.as_json(), "changed": done}))
        return
    for table, changed in done.items():
        typer.echo(f"{table}: {'changed' if changed else 'was so already'}")


def check(first: date, last: date, force: bool) -> None:
    """Refuse days that end before they begin, and more than a month unless told so."""
    days = (last - first).days + 1
    if days < 1:
        raise Fault(f"--to {last} is before --from {first}", code=USAGE)
    if days > MOST_DAYS and not force:
        raise Fault(f"{days} days are more than {MOST_DAYS}", "take fewer at a time, or say --force", USAGE)
