"""`lake maintain`: files packed, snapshots expired, orphans removed, by each table's own policy.

Heavy imports wait until the command runs.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from stack.faults import USAGE, Fault
from stack.settings import settings


def maintain(
    tables: Annotated[list[str] | None, typer.Argument(help="Such as bronze.orders_events.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every table that has a policy.")] = False,
    orphans: Annotated[bool, typer.Option("--orphans", help="Remove files of no snapshot, too: once a day.")] = False,
    leftovers: Annotated[
        bool, typer.Option("--leftovers", help="Not tables: checkpoints, Spark's folders, logs that nobody needs.")
    ] = False,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait for a live gold's writer.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Pack small files, expire old snapshots, and say what that came to. At any time, beside readers and the ingester.

    dbt's own tables: not while dbt writes them. A live gold is rewritten by its ingester, where one runs. With
    --leftovers what a home gathers beside its tables, older than LAKE_KEEP_DAYS and in nobody's use.
    """
    from maintenance.requests import ask
    from maintenance.tables import keep_up
    from stack.warehouse import Warehouse

    if bool(tables) + everything + leftovers != 1 or (leftovers and orphans):
        raise Fault("Name tables, or say --all, or --leftovers alone.", "lake maintain --all", USAGE)
    if leftovers:
        from maintenance.leftovers import clear

        cleared = list(clear(settings()))
        shown = (f"{one.what}: {one.before} → {one.after}, {one.mb} MB removed ({one.folder})" for one in cleared)
        typer.echo(json.dumps([asdict(one) for one in cleared]) if as_json else "\n".join(shown))
        return
    done, query = [], Warehouse(settings()).rows
    there = {f"{schema}.{name}" for schema, name in query(_THERE)}
    for kept in _chosen(tables):
        if kept.table in there:
            done.append(keep_up(query, kept, orphans, lambda table: ask(settings(), table, patience)))
            if not as_json:
                _say(done[-1])
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in done]))


_THERE = """
select table_schema, table_name from information_schema.tables
where table_type = 'BASE TABLE' and table_schema <> 'information_schema'
"""


def _chosen(tables: list[str] | None) -> list:
    """The policies of the tables named, all of them where none is."""
    from maintenance.policy import models, streams
    from stack.dbt import Dbt

    known = list(streams(settings()))
    if not tables or set(tables) - {kept.table for kept in known}:  # dbt takes seconds to say what it keeps
        known += models(Dbt(settings(), settings().home / "maintenance"))
    if unknown := set(tables or ()) - {kept.table for kept in known}:
        raise Fault(f"No policy for {', '.join(sorted(unknown))}.", "lake maintain --all --json names those", USAGE)
    return [kept for kept in known if not tables or kept.table in tables]


def _say(one) -> None:
    before, after = one.before, one.after
    typer.echo(
        f"{one.table}: files {before.data_files} → {after.data_files}, delete files {before.delete_files} → "
        f"{after.delete_files}, snapshots {before.snapshots} → {after.snapshots}, metadata {before.metadata_files} → "
        f"{after.metadata_files}, {after.mb} MB ({one.seconds} s, by {one.by})"
    )
