"""What the stack looks like from outside: endpoints and logins, and each process's state."""
from __future__ import annotations

from rich.console import Console
from rich.table import Table

from stack.settings import Settings
from stack.up import ENGINES


def print_endpoints(settings: Settings) -> None:
    """Where each engine is reached, and as whom."""
    table = Table("engine", "address", "login (user / password)")
    for engine in ENGINES:
        table.add_row(engine.name, *engine.endpoint(settings))
    table.add_row("warehouse", settings.warehouse, "")
    Console().print(table)
