"""Trino: coordinator and worker in one, configured by the files in `trino/` that a container mounts too.

Those files read their ports, addresses and logins from `environment()`. Nothing is copied or rendered here, but for a
REST catalog that wants a login: a property that is there may not be empty.
"""
from __future__ import annotations

import shlex
from pathlib import Path

from stack.engine import Engine
from stack.java import trino_java
from stack.postgres import NAMESPACES
from stack.settings import CATALOG, PROJECT, Settings

ETC = PROJECT / "trino"


def environment(settings: Settings) -> dict[str, str]:
    """What `${ENV:…}` in `trino/` stands for."""
    return {
        "LAKE_TRINO_PORT": str(settings.trino_port),
        "LAKE_CATALOG_JDBC_URL": settings.catalog_jdbc_url,
        "LAKE_CATALOG_URI": settings.catalog_uri,
        "LAKE_CATALOG_WAREHOUSE": settings.catalog_warehouse or settings.warehouse,
        "LAKE_SERVING_JDBC_URL": settings.serving_jdbc_url,
        "LAKE_DATABASE_USER": settings.database_user,
        "LAKE_DATABASE_PASSWORD": settings.database_password,
        "LAKE_WAREHOUSE": settings.warehouse,
        "LAKE_S3_ENDPOINT": settings.s3_endpoint,
        "LAKE_S3_REGION": settings.s3_region,
        "LAKE_S3_ACCESS_KEY": settings.s3_access_key,
        "LAKE_S3_SECRET_KEY": settings.s3_secret_key,
        **{_variable(name): value for name, value in settings.catalog_login.items()},
    }


def _variable(name: str) -> str:
    """The variable that has a part of the catalog's login."""
    return f"LAKE_CATALOG_LOGIN_{name.replace('-', '_').upper()}"


def catalogs(settings: Settings) -> Path:
    """The folder of the catalogs' files."""
    if settings.catalog_login:
        return settings.run / "trino"
    return ETC / ("catalog_rest" if settings.catalog_uri else "catalog")


def render(settings: Settings) -> None:
    """Write the catalogs' files with a login, which they read from the environment."""
    names = {name: name.removeprefix("oauth2-") for name in settings.catalog_login}
    login = [f"iceberg.rest-catalog.oauth2.{names[name]}=${{ENV:{_variable(name)}}}" for name in names]
    catalogs(settings).mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in (ETC / "catalog_rest").iterdir():
        said = file.read_text()
        if file.name == f"{CATALOG}.properties":
            said += "\n".join(["\niceberg.rest-catalog.security=OAUTH2", *login, ""])
        (catalogs(settings) / file.name).write_text(said)


def lines(path: Path) -> list[str]:
    """The lines of a configuration file that say something."""
    said = (line.strip() for line in path.read_text().splitlines())
    return [line for line in said if line and not line.startswith("#")]


def mark(settings: Settings) -> str:
    return f"-Dnode.data-dir={settings.data}/trino"


def command(settings: Settings) -> list[str]:
    """The server, as Trino's own launcher would start it; a later -Xmx or -D wins over the file's."""
    home = settings.downloads / "trino"
    return [
        str(trino_java()),
        *lines(ETC / "jvm.config"),
        f"-Xmx{settings.trino_memory}",
        f"-XX:HeapDumpPath={settings.logs}",
        *shlex.split(settings.jvm_options),
        *(f"-D{line}" for line in lines(ETC / "node.properties")),
        mark(settings),
        f"-Dspiller-spill-path={settings.data}/trino/spill",
        f"-Dnode.bind-ip={settings.host}",
        f"-Dnode.internal-address={settings.host}",
        f"-Dconfig={ETC}/config.properties",
        f"-Dcatalog.config-dir={catalogs(settings)}",
        f"-Dlog.levels-file={ETC}/log.properties",
        f"-Dplugin.dir={home}/plugin",
        "-cp",
        f"{home}/lib/*",
        "io.trino.server.TrinoServer",
    ]


def prepare(settings: Settings) -> None:
    (settings.data / "trino").mkdir(parents=True, exist_ok=True)
    if settings.catalog_login:
        render(settings)
    if settings.warehouse.startswith("file://"):
        Path(settings.warehouse.removeprefix("file://")).mkdir(parents=True, exist_ok=True)


def ready(settings: Settings) -> None:
    """The lake's catalog answers, and a catalog's files can be read: `/v1/info` says so seconds too early."""
    execute(settings, f"select count(*) from {CATALOG}.information_schema.schemata")
    # What metadata comes from is known at once, who may read a catalog's splits up to five seconds later (#12706 of
    # trinodb/trino). For all catalogs at once, so one that has a split without a table tells of the others.
    execute(settings, "select * from table(serving.system.query(query => 'select 1 as answer'))")


def settle(settings: Settings) -> None:
    """Make a REST catalog's namespaces; the JDBC catalog's are rows that PostgreSQL has been given."""
    for namespace in NAMESPACES if settings.catalog_uri else ():
        execute(settings, f"create schema if not exists {CATALOG}.{namespace}")


def execute(settings: Settings, sql: str) -> None:
    import trino

    with trino.dbapi.connect(
        host=settings.host, port=settings.trino_port, user="lake", catalog=CATALOG, request_timeout=10, max_attempts=1
    ) as client:
        cursor = client.cursor()
        cursor.execute(sql)
        cursor.fetchall()


ENGINE = Engine(
    name="trino",
    ports=("trino_port",),
    prepare=prepare,
    command=command,
    environment=environment,
    ready=ready,
    settle=settle,
    mark=mark,
    endpoint=lambda s: (f"http://{s.host}:{s.trino_port}", "any name, no password"),
    after=("postgres",),
)
