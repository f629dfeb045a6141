"""`lake demo`: the whole way once, by the commands a person would type, and what came of it.

Every step is a command of its own that is shown before it runs; the first one that fails ends the demo with its code.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from stack.settings import CATALOG, PROJECT, Settings

STREAMS = ("orders", "content_events", "user_events")
LAYERS = ("bronze", "silver", "gold")
MART = """
select category, currency, order_count, units_sold, revenue from gold.category_sales order by revenue desc limit 10
"""


def steps(count: int) -> list[list[str]]:
    """The commands: start the stack, send `count` events of every stream, load the dimensions, ingest, build, verify,
    replay.
    """
    return [
        ["lake", "up"],
        *(["lake", "produce", stream, "--count", str(count)] for stream in STREAMS),
        ["lake", "dimensions", "load"],
        ["lake", "ingest", "--once"],
        ["dbt", "build", "--project-dir", "dbt_project", "--profiles-dir", "dbt_project"],
        ["lake", "verify"],
        ["lake", "prove", "replay"],
    ]


def run(settings: Settings, count: int) -> None:
    """Run the steps, then show rows per layer and one mart."""
    console = Console()
    todo = steps(count)
    for number, (program, *words) in enumerate(todo, 1):
        said = " ".join([program, *words])
        console.print(f"\n[bold]{number}/{len(todo)}  {said}[/bold]", highlight=False)
        began = time.monotonic()
        command = [str(Path(sys.executable).with_name(program)), *words]
        code = subprocess.run(command, cwd=PROJECT, env={**os.environ, "PYTHONUNBUFFERED": "1"}).returncode
        if code:
            console.print(f"[red]{said} exited {code}[/red]; the logs are in {settings.logs}")
            raise typer.Exit(code)
        console.print(f"[dim]{time.monotonic() - began:.0f} s[/dim]", highlight=False)
    _show(settings, console)


def _show(settings: Settings, console: Console) -> None:
    import trino

    with trino.dbapi.connect(host=settings.host, port=settings.trino_port, user="demo", catalog=CATALOG) as connection:
        cursor = connection.cursor()
        rows = Table("layer", "table", "rows", title="Rows per layer", title_justify="left")
        listed = ", ".join(f"'{layer}'" for layer in LAYERS)
        cursor.execute(
            f"select table_schema, table_name from information_schema.tables where table_schema in ({listed})"
        )
        for schema, table in sorted(cursor.fetchall(), key=lambda pair: (LAYERS.index(pair[0]), pair[1])):
            cursor.execute(f'select count(*) from {schema}."{table}"')
            rows.add_row(schema, table, f"{cursor.fetchone()[0]:,}")
        console.print(rows)
        cursor.execute(MART)
        found = cursor.fetchall()
        mart = Table(*(column.name for column in cursor.description), title="gold.category_sales", title_justify="left")
        for row in found:
            mart.add_row(*(str(cell) for cell in row))
        console.print(mart)
    console.print(
        f"Query it: http://{settings.host}:{settings.trino_port} (any user), catalog {CATALOG}. "
        "Next: lake status, lake produce orders --rate 100, lake ingest; lake prove --help. The end: lake down",
        highlight=False,
    )
