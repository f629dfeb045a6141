"""The ingester as a process of the stack: `lake ingest`, kept alive, where `lake up --with ingest` asked for it.

It waits as a standby while another one writes, so that starting it is safe beside one started by hand.
"""

from __future__ import annotations

from stack import postgres
from stack.airflow_config import lake_variables
from stack.engine import Engine
from stack.settings import LAKE, Settings

WRITER = "select 1 from pg_stat_activity where application_name like 'lake ingest pid %' limit 1"
"""A row where an ingester has a session of its own in the catalog's database."""


def prepare(settings: Settings) -> None:
    (settings.data / "ingest").mkdir(parents=True, exist_ok=True)


def ready(settings: Settings) -> None:
    """Raise while no ingester has a session of its own in PostgreSQL, by which it holds its right to write."""
    with postgres.connection(settings, settings.catalog_database) as catalog:
        if not catalog.execute(WRITER).fetchone():
            raise LookupError("no ingester holds the right to write")


def about(settings: Settings) -> str:
    """What its /health says, or why that can't be asked; nothing where it is off."""
    if settings.metrics_port in ("off", 0):
        return ""
    import httpx

    url = f"http://{settings.host}:{settings.metrics_port}/health"
    try:
        found = httpx.get(url, timeout=2, trust_env=False).json()
    except (httpx.HTTPError, ValueError) as error:
        return f"{url} does not answer: {error or type(error).__name__}"
    said = (f"{one['dataset']} {'; '.join(one['reasons']) or one['phase']}" for one in found["datasets"])
    return f"{'healthy' if found['healthy'] else 'NOT HEALTHY'} ({', '.join(said)})"


ENGINE = Engine(
    name="ingest",
    ports=(),
    command=lambda s: [*LAKE, "ingest", "--wait"],
    environment=lambda s: lake_variables(s) | {"LAKE_INGEST_OF": str(s.home)},
    prepare=prepare,
    ready=ready,
    about=about,
    mark=lambda s: f"LAKE_INGEST_OF={s.home}",
    endpoint=lambda s: ("", ""),
    after=("postgres", "kafka"),
    is_awaited=False,
    stop_seconds=90,  # a batch under way ends first
)
