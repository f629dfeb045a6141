"""The table of versions in the catalog's PostgreSQL. Who changes it does so alone; who reads waits for nobody.

A process that is frozen half way loses its session, so that it holds up no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError

from ingest.schema.version import NoSuchVersion, StaleVersion, Version
from stack.settings import settings

VERSIONS = Table(
    "schema_versions",
    MetaData(),
    Column("table", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("status", String, nullable=False),
    Column("schema", JSON, nullable=False),
    Column("changes", JSON, nullable=False),
    Column("since", JSON, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("recorded_by", String, nullable=False),
    Column("decision", String),
    Column("decided_at", DateTime(timezone=True)),
    Column("decided_by", String),
)
for _status in ("ACTIVE", "BLOCKED"):  # at most one of each a table
    Index(
        f"schema_versions_{_status.lower()}",
        VERSIONS.c.table,
        unique=True,
        postgresql_where=VERSIONS.c.status == _status,
    )
_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtext('schema_versions'))")
_PATIENCE = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=5s"


@contextmanager
def transaction() -> Iterator[Connection]:
    """Committed at the end. Raises StaleVersion where another was faster, OperationalError without PostgreSQL."""
    try:
        with _engine(_url()).begin() as connection:
            connection.execute(_ONE_AT_A_TIME)
            yield connection
    except IntegrityError as error:
        raise StaleVersion("the table's schema versions were changed meanwhile: lake schema show") from error


@contextmanager
def reading() -> Iterator[Connection]:
    """To look only. Raises OperationalError without PostgreSQL."""
    with _engine(_url()).connect() as connection:
        yield connection


def _url() -> str:
    return settings().database_url(settings().catalog_database, "postgresql+psycopg")


@lru_cache
def _engine(url: str) -> Engine:
    """Connections to one database, the table made if it is missing."""
    engine = create_engine(
        url, pool_size=2, pool_pre_ping=True, connect_args={"connect_timeout": 5, "options": _PATIENCE}
    )
    with engine.begin() as connection:
        connection.execute(_ONE_AT_A_TIME)
        VERSIONS.metadata.create_all(connection)
    return engine


def read(connection: Connection, table: str) -> list[Version]:
    """The table's versions, oldest first."""
    rows = connection.execute(select(VERSIONS).where(VERSIONS.c.table == table).order_by(VERSIONS.c.number))
    return [Version.model_validate(dict(row._mapping)) for row in rows]


def one(connection: Connection, table: str, number: int) -> Version:
    """The version of that number, or NoSuchVersion."""
    for version in read(connection, table):
        if version.number == number:
            return version
    raise NoSuchVersion(f"{table} has no schema version {number}")


def change(connection: Connection, version: Version, **values: Any) -> None:
    """Set columns of a version."""
    is_it = (VERSIONS.c.table == version.table) & (VERSIONS.c.number == version.number)
    connection.execute(VERSIONS.update().where(is_it).values(**values))
