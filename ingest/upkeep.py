"""What `lake maintain` asks of a live gold's writer: to rewrite the table's files, between two merges.

A request is a row in the catalog's database. It may be lost with that database's answer: then it is asked again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
import structlog

from stack.settings import Settings

log = structlog.get_logger()
LOOK_SECONDS = 5.0
ASKED = "select asked_at from upkeep_requests where table_name = %s and done_at is null"
DONE = "update upkeep_requests set done_at = clock_timestamp() where table_name = %s and asked_at = %s"


class Requests:
    """The requests for one gold; asked of PostgreSQL every few seconds at most."""

    def __init__(self, settings: Settings, table: str) -> None:
        self._url, self._table = settings.database_url(settings.catalog_database), table
        self._looked = time.monotonic()

    def answer(self, rewrite: Callable[[], None]) -> None:
        """Do `rewrite` where it was asked for. PostgreSQL's failures are a warning: upkeep never stops a stream."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        try:
            with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as catalog:
                if found := catalog.execute(ASKED, [self._table]).fetchone():
                    rewrite()
                    catalog.execute(DONE, [self._table, found[0]])
        except psycopg.Error as error:
            log.warning("upkeep request not read", table=self._table, cause=str(error).splitlines()[0])
