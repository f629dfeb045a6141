"""The refresher as a process of the stack: `lake refresh`, kept alive, where `lake up --with refresh` asked for it.

Its answer is what its readers have: the age of the tables in PostgreSQL.
"""
from __future__ import annotations

import os

from stack.engine import Engine
from stack.settings import LAKE, Settings

SHARED = (
    "home", "host", "postgres_host", "postgres_port", "trino_host", "trino_port", "database_user", "database_password",
    "serving_database", "refresh_health_port",
)  # fmt: skip
ANALYSTS = ("LAKE_SCHEMA_PREFIX", "LAKE_DBT_TARGET", "LAKE_REFRESH_EVERY")


def mark(settings: Settings) -> str:
    return f"--target-path={settings.data}/refresh"


def environment(settings: Settings) -> dict[str, str]:
    """Those of `lake up`, also when supervisord starts it again."""
    ours = {f"LAKE_{name.upper()}": str(getattr(settings, name)) for name in SHARED}
    return ours | {name: os.environ[name] for name in ANALYSTS if os.environ.get(name)}


def prepare(settings: Settings) -> None:
    (settings.data / "refresh").mkdir(parents=True, exist_ok=True)


def ready(settings: Settings) -> None:
    """Raise where a table is too old or missing."""
    from serving.age import ages

    if old := [str(age) for age in ages(settings) if not age.is_fresh()]:
        raise LookupError("; ".join(old))


def about(settings: Settings) -> str:
    """How old the oldest table is."""
    from serving.age import ages

    return str(max(ages(settings), key=lambda age: float("inf") if age.seconds is None else age.seconds))


ENGINE = Engine(
    name="refresh",
    ports=(),
    command=lambda s: [*LAKE, "refresh", mark(s)],
    environment=environment,
    prepare=prepare,
    ready=ready,
    about=about,
    mark=mark,
    endpoint=lambda s: (f"{s.host}:{s.postgres_port}/{s.serving_database}, schema realtime", ""),
    after=("postgres", "trino"),
    is_awaited=False,
    stop_seconds=60,  # a refresh under way ends first
)
