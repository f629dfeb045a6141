"""All databases of the stack's PostgreSQL at once, with roles and passwords: the server's own base backup.

It streams its folder and the log that makes it consistent. The catalog's rows are the manifest's, read afterwards: what
serves the lake may be older than the lake, never newer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from backup.manifest import Manifest, Property, Table
from backup.warehouse import Catalog
from stack import postgres
from stack.faults import UNREACHABLE, Fault
from stack.settings import CATALOG, Settings

ARCHIVE = "postgres/base.tar"
# WAL true: with what was written meanwhile, so that the archive needs nothing else. The server checks its pages' sums.
BASE_BACKUP = b"BASE_BACKUP (LABEL 'lake backup', WAL true, CHECKPOINT 'fast', MANIFEST 'no')"
NAMESPACE_COLUMNS = ("catalog_name", "namespace", "property_key", "property_value")
NAMESPACES = "select namespace, property_key, property_value from iceberg_namespace_properties where catalog_name = %s"
TABLE_COLUMNS = ("catalog_name", "table_namespace", "table_name", "metadata_location", "iceberg_type")
TABLES = """
select table_namespace, table_name, coalesce(iceberg_type, 'TABLE'), metadata_location
from iceberg_tables where catalog_name = %s order by 1, 2
"""


def catalog(settings: Settings) -> Catalog:
    """What the catalog holds at one moment."""
    with postgres.connection(settings, settings.catalog_database) as database, database.transaction():
        database.execute("set transaction isolation level repeatable read")
        namespaces = database.execute(NAMESPACES, [CATALOG]).fetchall()
        tables = database.execute(TABLES, [CATALOG]).fetchall()
    return Catalog(
        [Property(namespace=namespace, key=key, value=value) for namespace, key, value in namespaces],
        [Table(namespace=one, name=name, kind=kind, metadata_location=at) for one, name, kind, at in tables],
    )


def major(settings: Settings) -> int:
    """PostgreSQL's major version, of which its folder's format is."""
    with postgres.connection(settings, "postgres") as server:
        return server.info.server_version // 10000


def base_backup(settings: Settings, archive: Path) -> None:
    """Write the server's base backup to `archive`, a tar. Raises Fault where it is refused."""
    from psycopg import pq

    # Not `replication=true`, for which pg_hba.conf would need a line of its own.
    url = f"{settings.database_url('postgres')}?replication=database&connect_timeout=5"
    server = pq.PGconn.connect(url.encode())
    try:
        if server.status != pq.ConnStatus.OK:
            raise Fault(f"PostgreSQL does not answer: {_said(server)}", "lake status", UNREACHABLE)
        archive.parent.mkdir(parents=True, exist_ok=True)
        server.send_query(BASE_BACKUP)
        with archive.open("wb") as file:
            while (result := server.get_result()) is not None:
                if result.status == pq.ExecStatus.COPY_OUT:
                    _receive(server, file)
                elif result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
                    raise Fault(f"PostgreSQL made no base backup: {_said(result)}", f"see {settings.logs}/postgres.log")
    finally:
        server.finish()


def _receive(server, file: IO[bytes]) -> None:
    """The messages of the stream: `d` is a piece of the archive, `n` its name, `p` how far it is."""
    archives = 0
    while (received := server.get_copy_data(0))[0] > 0:  # raises OperationalError where the server is gone
        kind, content = bytes(received[1][:1]), received[1][1:]
        archives += kind == b"n"
        if archives > 1:
            raise Fault("PostgreSQL has tablespaces outside its folder, which are not copied.", "drop them")
        if kind == b"d":
            file.write(content)


def _said(what) -> str:
    return what.error_message.decode(errors="replace").strip().replace("\n", " ")


def unpack(archive: Path, folder: Path) -> None:
    """PostgreSQL's folder, as the user that it runs as may have it."""
    folder.mkdir(parents=True, mode=0o700)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    if os.geteuid() == 0:
        for place, _folders, files in os.walk(folder):
            for path in (place, *(os.path.join(place, name) for name in files)):
                shutil.chown(path, postgres.NOBODY, postgres.NOBODY)


def put_catalog(settings: Settings, folder: Path, manifest: Manifest) -> None:
    """Recover the PostgreSQL in `folder`, which does not run, and give its catalog the manifest's rows.

    By PostgreSQL's single-user mode: it needs no port, and has ended when this returns.
    """
    single = [postgres.binary(settings, "postgres"), "--single", "-j", "-D", str(folder), "-c", "exit_on_error=on"]
    done = subprocess.run(
        postgres.unprivileged([*single, settings.catalog_database]),
        input="".join(f"{statement};\n\n" for statement in statements(manifest)),
        capture_output=True, text=True, cwd="/",
    )  # fmt: skip
    if done.returncode:
        raise Fault(f"PostgreSQL did not take the catalog: {done.stderr.strip()[-500:]}", "choose another backup")


def statements(manifest: Manifest) -> list[str]:
    """SQL that makes the catalog's rows the manifest's."""
    tables = [(CATALOG, table.namespace, table.name, table.metadata_location, table.kind) for table in manifest.tables]
    namespaces = [(CATALOG, one.namespace, one.key, one.value) for one in manifest.namespaces]
    said = ["begin", *_replaced("iceberg_tables", TABLE_COLUMNS, tables)]
    return [*said, *_replaced("iceberg_namespace_properties", NAMESPACE_COLUMNS, namespaces), "commit"]


def _replaced(name: str, columns: Sequence[str], rows: Iterable[Sequence]) -> Iterator[str]:
    from psycopg import sql

    into, named = sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
    yield sql.SQL("delete from {} where catalog_name = {}").format(into, CATALOG).as_string()
    for row in rows:
        values = sql.SQL(", ").join(map(sql.Literal, row))
        yield sql.SQL("insert into {} ({}) values ({})").format(into, named, values).as_string()
