"""Trino as a `lake` command needs it: rows, columns, the snapshot a table is at; errors as a person reads them."""

from __future__ import annotations

from typing import Any

from requests.exceptions import RequestException
from trino.exceptions import Error, HttpError, TrinoConnectionError

import trino
from stack.faults import UNREACHABLE, Fault
from stack.settings import CATALOG, Settings


class Warehouse:
    """The tables of one stack. Tables are named `<schema>.<table>`."""

    def __init__(self, settings: Settings) -> None:
        self._address = f"{settings.trino_host}:{settings.trino_port}"
        self._connection = trino.dbapi.connect(
            host=settings.trino_host, port=settings.trino_port, user="lake", catalog=CATALOG, source="lake",
            timezone="UTC", request_timeout=60,
        )  # fmt: skip

    def rows(self, sql: str) -> list[list[Any]]:
        """All rows of a query. Fault where Trino does not answer, or refuses."""
        try:
            return self._connection.cursor().execute(sql).fetchall()
        except (TrinoConnectionError, HttpError, RequestException) as error:
            raise Fault(f"Trino at {self._address} does not answer", "lake status", UNREACHABLE) from error
        except Error as error:  # an internal error of Trino's is no DatabaseError
            raise Fault(f"Trino at {self._address}: {error}") from error

    def columns(self, table: str) -> set[str]:
        """Names of its columns; none where there is no such table."""
        schema, name = table.split(".")
        listed = f"select column_name from {CATALOG}.information_schema.columns"
        return {row[0] for row in self.rows(f"{listed} where table_schema = '{schema}' and table_name = '{name}'")}

    def snapshot(self, table: str) -> int | None:
        """Snapshot id now, None before the first commit."""
        schema, name = table.split(".")
        found = self.rows(f"select snapshot_id from {CATALOG}.{schema}.\"{name}$refs\" where name = 'main'")
        return found[0][0] if found else None
