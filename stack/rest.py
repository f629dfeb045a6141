"""An Iceberg REST catalog of the stack's own, to try on one machine what a cluster has: Iceberg's own test server.

It knows no login, so it listens where the stack does, on loopback. Its names are rows of PostgreSQL, apart from JDBC's.
Jetty makes it from `stack/rest.xml`: Iceberg's own main class would listen on every address.
"""
from __future__ import annotations

import importlib.util
import urllib.request
from pathlib import Path

from stack.engine import Engine
from stack.java import java_17_home
from stack.settings import PROJECT, Settings


def environment(settings: Settings) -> dict[str, str]:
    """What `<Env>` in rest.xml stands for."""
    file_io = "aws.s3.S3FileIO" if settings.warehouse.startswith("s3://") else "hadoop.HadoopFileIO"
    return {
        "LAKE_HOST": settings.host,
        "LAKE_REST_PORT": str(settings.rest_port),
        "LAKE_CATALOG_JDBC_URL": settings.catalog_jdbc_url,
        "LAKE_DATABASE_USER": settings.database_user,
        "LAKE_DATABASE_PASSWORD": settings.database_password,
        "LAKE_WAREHOUSE": settings.warehouse,
        "LAKE_FILE_IO": f"org.apache.iceberg.{file_io}",
        "LAKE_S3_ENDPOINT": settings.s3_endpoint,
        "LAKE_S3_REGION": settings.s3_region,
        "LAKE_S3_ACCESS_KEY": settings.s3_access_key,
        "LAKE_S3_SECRET_KEY": settings.s3_secret_key,
    }


def mark(settings: Settings) -> str:
    return f"-Dlake.rest={settings.home}"


def command(settings: Settings) -> list[str]:
    java = str(java_17_home(settings) / "bin" / "java")
    spark = Path(importlib.util.find_spec("pyspark").origin).parent / "jars"
    paths = [f"{settings.downloads}/{folder}/*" for folder in ("rest", "aws")]
    paths += [str(jar) for jar in sorted((settings.downloads / "spark").glob("postgresql-*.jar"))]
    paths += [str(jar) for jar in sorted(spark.glob("hadoop-client-*.jar"))]  # for a warehouse in a folder
    options = ["-Xmx256m", "-XX:+UseSerialGC", mark(settings), "-cp", ":".join(paths)]
    return [java, *options, "org.eclipse.jetty.xml.XmlConfiguration", f"{PROJECT}/stack/rest.xml"]


def prepare(settings: Settings) -> None:
    (settings.data / "rest").mkdir(parents=True, exist_ok=True)


def ready(settings: Settings) -> None:
    """It lists what PostgreSQL has."""
    urllib.request.urlopen(f"{settings.catalog_uri}/v1/namespaces", timeout=10).read()


ENGINE = Engine(
    name="rest",
    ports=("rest_port",),
    prepare=prepare,
    command=command,
    environment=environment,
    ready=ready,
    mark=mark,
    endpoint=lambda s: (s.catalog_uri, "none"),
    after=("postgres",),
)
