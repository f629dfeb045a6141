"""Trino as `lake verify` needs it: rows of a query, a table's snapshot and properties, errors as sentences."""

from __future__ import annotations

from typing import Any

from requests.exceptions import RequestException
from trino.exceptions import DatabaseError, HttpError, TrinoConnectionError, TrinoQueryError, TrinoUserError

import trino
from stack.settings import CATALOG, Settings

# What Trino says when a snapshot that was there a moment ago has been expired, or its files are gone.
_GONE_NAMES = {
    "ICEBERG_CANNOT_OPEN_SPLIT",
    "ICEBERG_MISSING_DATA",
    "ICEBERG_MISSING_METADATA",
    "ICEBERG_INVALID_METADATA",
    "ICEBERG_FILESYSTEM_ERROR",
    "NOT_FOUND",
}
_ABSENT_NAMES = {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"}


class TrinoUnreachable(ConnectionError):
    """Trino, or the catalog behind it, does not answer; the message is for the person."""


class TableAbsent(LookupError):
    """The catalog has no such table."""


class SnapshotGone(RuntimeError):
    """A pinned snapshot was expired while it was being read: take another cut."""


class Warehouse:
    """The tables of one stack, read through its Trino."""

    def __init__(self, settings: Settings) -> None:
        self._address = f"{settings.trino_host}:{settings.trino_port}"
        self._connection = trino.dbapi.connect(
            host=settings.trino_host,
            port=settings.trino_port,
            user="lake",
            catalog=CATALOG,
            source="lake verify",
            timezone="UTC",
            request_timeout=60,
        )

    def rows(self, sql: str) -> list[list[Any]]:
        """All rows of a query."""
        return self._answer(sql)[0]

    def columns(self, query: str) -> dict[str, str]:
        """Names and Trino types of a query's columns."""
        _, description = self._answer(f"select * from ({query}) limit 0")
        return {column.name: column.type_code for column in description}

    def _answer(self, sql: str) -> tuple[list[list[Any]], list[Any]]:
        try:
            cursor = self._connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall(), cursor.description
        except TrinoUserError as error:
            if error.error_name in _ABSENT_NAMES:
                raise TableAbsent(error.message) from error
            if "snapshot ID does not exist" in error.message:
                raise SnapshotGone(error.message) from error
            raise
        except TrinoQueryError as error:
            if error.error_name in _GONE_NAMES:
                raise SnapshotGone(error.message) from error
            raise TrinoUnreachable(f"Trino at {self._address} could not answer: {error.message}") from error
        except (TrinoConnectionError, HttpError, DatabaseError, RequestException) as error:
            raise TrinoUnreachable(f"Trino at {self._address} does not answer; is the stack up?") from error

    def snapshot(self, identifier: str) -> int | None:
        """Snapshot id of `<namespace>.<table>` now, None before its first commit; TableAbsent when there is none."""
        namespace, table = identifier.split(".")
        rows = self.rows(f"select snapshot_id from {CATALOG}.{namespace}.\"{table}$refs\" where name = 'main'")
        return rows[0][0] if rows else None

    def properties(self, identifier: str) -> dict[str, str]:
        """Iceberg's table properties."""
        namespace, table = identifier.split(".")
        return dict(self.rows(f'select key, value from {CATALOG}.{namespace}."{table}$properties"'))


def pinned(identifier: str, snapshot: int | None) -> str:
    """A table at a snapshot, as it is written after `from`; a table without snapshots is empty."""
    if snapshot is None:
        return f"{CATALOG}.{identifier}"
    return f"{CATALOG}.{identifier} for version as of {snapshot}"
