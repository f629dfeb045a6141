"""How old the data is that readers of PostgreSQL see: from when its last refresh began to read the lake."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql

from stack.settings import PROJECT, Settings

OLDEST = 30.0
MODELS = PROJECT / "dbt_project" / "models" / "serving" / "realtime"


@dataclass(frozen=True)
class Age:
    """One table of `realtime`: seconds since its refresh read the lake (None: there was none), its newest arrival."""

    table: str
    seconds: float | None = None
    newest_data_at: datetime | None = None

    def is_fresh(self, oldest: float = OLDEST) -> bool:
        return self.seconds is not None and self.seconds <= oldest

    def __str__(self) -> str:
        if self.seconds is None:
            return f"{self.table} was never refreshed"
        return f"{self.table} is {self.seconds:.0f} s old, its newest data of {self.newest_data_at}"


def schema() -> str:
    """The schema's name, as generate_schema_name makes it."""
    prefix = "" if os.environ.get("LAKE_DBT_TARGET") == "prod" else os.environ.get("LAKE_SCHEMA_PREFIX", "")
    return f"{prefix}realtime"


def expected() -> list[str]:
    """The tables there should be: dbt's models, without the seconds it takes to ask dbt."""
    return sorted(path.stem.split("__", 1)[1] for path in Path(MODELS).glob("*.sql"))


def ages(settings: Settings) -> list[Age]:
    """The age of every table there should be. Raises psycopg.OperationalError where PostgreSQL is not reached."""
    query = sql.SQL("select table_name, extract(epoch from now() - refreshed_at), newest_data_at from {}")
    table = sql.Identifier(schema(), "refreshed_at")
    url = settings.database_url(settings.serving_database)
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        try:
            found = connection.execute(query.format(table)).fetchall()
        except psycopg.errors.UndefinedTable:
            found = []
    known = {name: Age(name, float(seconds), newest) for name, seconds, newest in found}
    return [known.get(name, Age(name)) for name in expected()]
