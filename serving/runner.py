"""dbt in this process: the project is parsed once, so that a run costs its queries and little more.

What goes wrong in a run is told as the causes of its tables, never raised: the next run may go well.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stack.dbt import Dbt
from stack.settings import PROJECT, Settings

DBT_PROJECT = PROJECT / "dbt_project"
SCHEMA = "realtime"


class Runner:
    """The models of `realtime`, run as often as asked. `tables` has a model's name by its table's."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Fault where dbt can't read its project."""
        self._dbt = Dbt(settings, folder, project=DBT_PROJECT)
        self.tables = {
            node.alias: node.name
            for node in self._dbt.manifest.nodes.values()
            if node.resource_type == "model" and node.fqn[1:3] == ["serving", SCHEMA]
        }

    def run(self, tables: Sequence[str], whole: bool) -> dict[str, str | None]:
        """Refresh these tables, from all of the lake's rows or those that arrived since. By table, why it failed."""
        chosen = ["--select", *(self.tables[table] for table in tables)]
        # Without its files and with a look at the schemas concerned only, a run that finds nothing new is cheap.
        options = ["--cache-selected-only", "--no-write-json", "--log-level-file", "none", "--quiet"]
        try:
            done = self._dbt.invoke("run", *chosen, *options, *(["--full-refresh"] if whole else []))
        except Exception as error:
            return dict.fromkeys(tables, _sentence(error))
        if not done.result:
            return dict.fromkeys(tables, _sentence(done.exception or "dbt ran nothing"))
        ended = {one.node.alias: None if one.status == "success" else _sentence(one.message) for one in done.result}
        return {table: ended.get(table, "dbt skipped it") for table in tables}


def _sentence(cause: object) -> str:
    """A cause on one line, without what dbt wraps around it."""
    said = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return " ".join(line for line in said if not line.startswith("compiled code at"))[:500] or type(cause).__name__
