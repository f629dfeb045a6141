"""PostgreSQL: the Iceberg catalog's, the serving and the registry's database, over TCP with a password.

PostgreSQL refuses to run as root, so root's stack runs it as `nobody`, which keeps the right to pass root's folders.
"""
from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stack.engine import Engine
from stack.faults import Fault
from stack.settings import CATALOG, Settings

if TYPE_CHECKING:
    import psycopg

NAMESPACES = ("bronze", "silver", "gold", "ops")
NOBODY = 65534
# As nobody, but able to walk into a home below /root: the capability passes exec by being ambient. The secure bit keeps
# access() from dropping it, by which PostgreSQL looks for its own programs.
AS_NOBODY = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--securebits=+no_setuid_fixup",
    "--inh-caps=-all,+dac_override,+dac_read_search",
    "--ambient-caps=+dac_override,+dac_read_search",
    "--",
)

CONFIGURATION = """\
data_directory = '{s.data}/postgres'
ident_file = '{s.data}/postgres/pg_ident.conf'
hba_file = '{s.run}/pg_hba.conf'
external_pid_file = '{s.run}/postgres.pid'
listen_addresses = '{s.host}'
port = {s.postgres_port}
unix_socket_directories = ''
max_connections = 200
shared_buffers = 128MB
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
"""

ADMISSION = """\
host all all samehost scram-sha-256
"""

# As Iceberg's JdbcCatalog (schema V1) makes them, so that the first engine to come need not be Spark.
CATALOG_TABLES = """
create table if not exists iceberg_tables (
    catalog_name varchar(255) not null,
    table_namespace varchar(255) not null,
    table_name varchar(255) not null,
    metadata_location varchar(1000),
    previous_metadata_location varchar(1000),
    iceberg_type varchar(5),
    primary key (catalog_name, table_namespace, table_name)
);
create table if not exists iceberg_namespace_properties (
    catalog_name varchar(255) not null,
    namespace varchar(255) not null,
    property_key varchar(255) not null,
    property_value varchar(1000),
    primary key (catalog_name, namespace, property_key)
);
"""
# What `lake maintain` asks of the ingester: maintenance/requests.py, ingest/upkeep.py.
UPKEEP_REQUESTS = """
create table if not exists upkeep_requests (
    table_name varchar(255) primary key,
    asked_at timestamptz not null,
    done_at timestamptz
)
"""


def unprivileged(command: list[str]) -> list[str]:
    """`command`, run as nobody when this is root."""
    if os.geteuid() != 0:
        return command
    if not shutil.which("setpriv"):
        raise Fault("PostgreSQL can't run as root and `setpriv` is missing.", "apt-get install util-linux")
    return [*AS_NOBODY, *command]


def binary(settings: Settings, name: str) -> str:
    return str(settings.downloads / "postgres" / "bin" / name)


def prepare(settings: Settings) -> None:
    """Write the configuration; make the cluster the first time."""
    (settings.run / "postgresql.conf").write_text(CONFIGURATION.format(s=settings))
    (settings.run / "pg_hba.conf").write_text(ADMISSION)
    data = settings.data / "postgres"
    if (data / "PG_VERSION").exists():
        return
    shutil.rmtree(data, ignore_errors=True)  # what an interrupted initdb left
    data.mkdir(parents=True, mode=0o700)
    if os.geteuid() == 0:
        os.chown(data, NOBODY, NOBODY)
    password = settings.run / "postgres.password"
    password.touch(mode=0o600)
    password.write_text(settings.database_password)
    initdb = [
        binary(settings, "initdb"), "-D", str(data), "-U", settings.database_user, f"--pwfile={password}",
        "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
    ]  # fmt: skip
    try:
        done = subprocess.run(unprivileged(initdb), capture_output=True, text=True, cwd="/")
    finally:
        password.unlink()
    if done.returncode:
        raise Fault(f"PostgreSQL's folder {data} could not be made: {done.stderr.strip()[-500:]}")


@contextmanager
def connection(settings: Settings, database: str) -> Iterator[psycopg.Connection]:
    """An autocommit connection to `database`, closed at the end."""
    import psycopg

    with psycopg.connect(settings.database_url(database), autocommit=True, connect_timeout=5) as open_connection:
        yield open_connection


def ready(settings: Settings) -> None:
    with connection(settings, "postgres") as database:
        database.execute("select 1")


def settle(settings: Settings) -> None:
    """Make the databases, the catalog's tables and its namespaces where they are missing.

    A REST catalog is told of its namespaces by Trino, when that has started.
    """
    from psycopg import sql

    with connection(settings, "postgres") as server:
        for name in (settings.catalog_database, settings.serving_database, settings.registry_database):
            if not server.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
                server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    with connection(settings, settings.catalog_database) as catalog:
        catalog.execute(CATALOG_TABLES)
        catalog.execute(UPKEEP_REQUESTS)
        for namespace in () if settings.catalog_uri else NAMESPACES:
            catalog.execute(
                "insert into iceberg_namespace_properties values (%s, %s, 'exists', 'true') on conflict do nothing",
                [CATALOG, namespace],
            )
    grant_reading(settings)


def grant_reading(settings: Settings) -> None:
    """The role for dashboards: it reads whatever is made in the serving database from then on, and nothing else."""
    from psycopg import sql

    reader = sql.Identifier(settings.reader_user)
    with connection(settings, settings.serving_database) as serving:
        if not serving.execute("select 1 from pg_roles where rolname = %s", [settings.reader_user]).fetchone():
            serving.execute(sql.SQL("create role {} login").format(reader))
        password = sql.SQL("alter role {} password {}").format(reader, sql.Literal(settings.reader_password))
        serving.execute(password)
        for what in ("usage on schemas", "select on tables"):
            serving.execute(sql.SQL("alter default privileges grant {} to {}").format(sql.SQL(what), reader))


ENGINE = Engine(
    name="postgres",
    ports=("postgres_port",),
    prepare=prepare,
    command=lambda s: unprivileged([binary(s, "postgres"), f"--config-file={s.run}/postgresql.conf"]),
    ready=ready,
    settle=settle,
    mark=lambda s: f"--config-file={s.run}/postgresql.conf",
    endpoint=lambda s: (
        f"{s.host}:{s.postgres_port} ({s.catalog_database}, {s.serving_database}, {s.registry_database})",
        f"{s.database_user} / {s.database_password}, to read only: {s.reader_user} / {s.reader_password}",
    ),
    stop_signal="INT",  # PostgreSQL's fast shutdown: sessions end, nothing is recovered at the next start
)
