"""A live gold's files are rewritten by its own writer: here it is asked to, and looked whether it has.

A request is a row in the catalog's database, taken by the ingester between two merges (`ingest/upkeep.py`).
"""

from __future__ import annotations

import time

import psycopg

from stack.faults import UNREACHABLE, Fault
from stack.ingester import WRITER
from stack.settings import Settings

ASK = """
insert into upkeep_requests (table_name, asked_at, done_at) values (%s, clock_timestamp(), null)
on conflict (table_name) do update set asked_at = excluded.asked_at, done_at = null
returning asked_at
"""
ANSWERED = "select done_at is not null from upkeep_requests where table_name = %s"


def ask(settings: Settings, table: str, patience: float) -> bool:
    """Ask for `table` (`gold.<name>`) to be rewritten; whether it was within `patience` seconds.

    With no ingester there is nothing to wait for: the first that starts finds the request.
    """
    try:
        url = settings.database_url(settings.catalog_database)
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as catalog:
            catalog.execute(ASK, [table])
            deadline = time.monotonic() + (patience if catalog.execute(WRITER).fetchone() else 0)
            while not (done := catalog.execute(ANSWERED, [table]).fetchone()[0]) and time.monotonic() < deadline:
                time.sleep(0.5)
            return done
    except psycopg.OperationalError as error:
        raise Fault(f"PostgreSQL does not answer: {error}", "lake status", UNREACHABLE) from error
