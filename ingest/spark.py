"""The one place where Spark is configured: jars, catalog, time zone, and what makes small batches cheap.

Every session is UTC and never raises on a cast that cannot be made (ANSI off): bronze must take any content.
A Spark that this process does not start, dbt's, gets the same properties as a folder of files.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ingest import class_archive
from stack.java import java_17_home
from stack.settings import CATALOG, Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOG_CONFIG = Path(__file__).with_name("log4j2.properties")
ANSWER_SECONDS = 30  # that the catalog may take
# PostgreSQL's own words for "the server is going down or coming up": the catalog connects anew instead of failing.
RESTARTING = "57P01,57P02,57P03,08001,08003,08006"


class MissingJars(RuntimeError):
    """Jars are not where the settings say; the message names the fix."""


def file_conf(settings: Settings) -> dict[str, str]:
    """How the catalog reaches its files: Iceberg's own S3 client for an s3:// warehouse, else Hadoop's file systems."""
    if not settings.warehouse.startswith("s3://"):
        return {}
    return {
        "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        "client.region": settings.s3_region,
        "s3.endpoint": settings.s3_endpoint,
        "s3.path-style-access": "true",
        "s3.access-key-id": settings.s3_access_key,
        "s3.secret-access-key": settings.s3_secret_key,
    }


def names_conf(settings: Settings) -> dict[str, str]:
    """Where the catalog's names are: a REST catalog's URL, or PostgreSQL."""
    if settings.catalog_uri:
        login = {"rest.auth.type": "oauth2", **settings.catalog_login} if settings.catalog_login else {}
        return {"type": "rest", "uri": settings.catalog_uri, **login}
    return {
        "type": "jdbc",
        "uri": settings.catalog_jdbc_url,
        "jdbc.user": settings.database_user,
        "jdbc.password": settings.database_password,
        "jdbc.schema-version": "V1",
        "retryable_status_codes": RESTARTING,
        # An answer that never comes is an error after a while, and every error is looked into: the commit may have been
        # made. Without, its thread would wait for ever.
        "jdbc.connectTimeout": "10",
        "jdbc.socketTimeout": str(ANSWER_SECONDS),
    }


def catalog_conf(settings: Settings) -> dict[str, str]:
    """Spark properties of the Iceberg catalog `lake`."""
    prefix = f"spark.sql.catalog.{CATALOG}"
    said = {
        **names_conf(settings),
        "warehouse": settings.catalog_warehouse or settings.warehouse,
        **file_conf(settings),
        # Other writers (Trino, maintenance, a person) change tables too: never read a remembered one.
        "cache-enabled": "false",
        # Manifests never change, and each merge reads all of its table's, three times.
        "io.manifest.cache-enabled": "true",
        "io.manifest.cache.max-total-bytes": str(32 << 20),
    }
    return {prefix: "org.apache.iceberg.spark.SparkCatalog", **{f"{prefix}.{name}": said[name] for name in said}}


def own_jars(settings: Settings) -> list[Path]:
    """JARs of whoever runs it, for its transforms, in the order given. Raises MissingJars where one is not there."""
    named = [one.strip() for one in settings.spark_jars.split(",")]
    jars = [Path(one).expanduser().resolve() for one in named if one]
    if missing := [str(jar) for jar in jars if not jar.is_file()]:
        raise MissingJars(f"LAKE_SPARK_JARS names {', '.join(missing)}, which is no file: build it, or take it out")
    return jars


def spark_conf(settings: Settings) -> dict[str, str]:
    """All Spark properties of the ingester."""
    jars = sorted((settings.downloads / "spark").glob("*.jar"))
    file_system = [str(jar) for jar in jars if jar.name.startswith("hadoop-bare-naked-local-fs-")]
    postgresql = [str(jar) for jar in jars if jar.name.startswith("postgresql-")]
    if not file_system or not postgresql:
        raise MissingJars(f"no Spark jars in {settings.downloads / 'spark'}; run: make setup")
    if file_conf(settings):
        s3_client = sorted((settings.downloads / "aws").glob("iceberg-aws-bundle-*.jar"))
        if not s3_client:
            raise MissingJars(f"no S3 client in {settings.downloads / 'aws'}; run: lake fetch --with s3")
        jars += s3_client
    jars += own_jars(settings)
    return {
        "spark.jars": ",".join(str(jar) for jar in jars),
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.defaultCatalog": CATALOG,
        **catalog_conf(settings),
        "spark.sql.session.timeZone": "UTC",
        # As Spark's own, and what a REST catalog calls it: shown on no page of Spark's, and in no log.
        "spark.redaction.regex": "(?i)secret|password|token|access[.]?key|credential",
        "spark.sql.ansi.enabled": "false",
        "spark.sql.mapKeyDedupPolicy": "LAST_WIN",
        # One a core of the smallest machine: three tasks on two cores take as long as four.
        "spark.sql.shuffle.partitions": str(settings.spark_shuffle_partitions),
        # A fold collects what came of very many keys: beyond 128 of them the default gives up hashing and sorts.
        "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "2000000",
        # Three streams and their golds need more than twice the default's 100 classes: what was pushed out is compiled
        # anew for the next batch, which then runs in code that is not warm.
        "spark.sql.codegen.cache.maxEntries": "2000",
        "spark.sql.streaming.stopTimeout": "60s",
        # foreachBatch and the gold threads share two cores: neither waits for the other's whole stage.
        "spark.scheduler.mode": "FAIR",
        "spark.driver.memory": settings.spark_driver_memory,
        "spark.driver.host": settings.host,
        "spark.driver.bindAddress": settings.host,
        "spark.ui.port": str(settings.spark_ui_port),
        "spark.ui.showConsoleProgress": "false",
        # Hadoop's own starts a process to set the mode of each file, four times a file with its checksum's.
        "spark.hadoop.fs.file.impl": "com.globalmentor.apache.hadoop.fs.BareLocalFileSystem",
        # Checkpoints, too: the other manager goes by a class of Hadoop's that starts processes to read a link.
        "spark.sql.streaming.checkpointFileManagerClass": (
            "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
        ),
        # Spark reads spark.jars through the one. The other is looked for once a JVM, by the class loader of whichever
        # thread is first, which need not be the one that has spark.jars (kyuubi#4401).
        "spark.driver.extraClassPath": f"{file_system[0]}:{postgresql[0]}",
        "spark.executor.extraClassPath": file_system[0],
        "spark.local.dir": str(settings.home / "spark"),
        "spark.sql.warehouse.dir": str(settings.home / "spark" / "warehouse"),
        # Throughput counts, pauses of tens of milliseconds don't: the collector that takes the least CPU.
        "spark.driver.extraJavaOptions": (
            "-XX:+UseParallelGC "
            # Half of a young merge's CPU is the compiler's: it begins later, with less.
            "-XX:CompileThresholdScaling=4 "
            f"-Duser.timezone=UTC -Dlog4j2.configurationFile=file:{LOG_CONFIG} {class_archive.flags(settings)}"
        ).rstrip(),
        # Of executors, where spark_master is a cluster: what is in the driver's, but for the file of this machine.
        "spark.executor.extraJavaOptions": "-XX:+UseParallelGC -XX:CompileThresholdScaling=4 -Duser.timezone=UTC",
    }


def session(settings: Settings, name: str, conf: dict[str, str] | None = None) -> SparkSession:
    """This process's Spark on `settings.spark_master`, started if there is none, with `conf` or the usual settings."""
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    os.environ["JAVA_HOME"] = str(java_17_home(settings))
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ.pop("SPARK_HOME", None)  # another Spark on the machine has other jars
    os.environ.setdefault("SPARK_LOCAL_IP", settings.host)  # its UI would listen on every interface
    (settings.home / "spark").mkdir(parents=True, exist_ok=True)
    conf = conf or spark_conf(settings)
    if settings.catalog_login:
        # What a JVM is started with is on its command line, for everybody to see: the login it is told afterwards.
        SparkContext._ensure_initialized(conf=SparkConf(loadDefaults=False).setAll(unsecret(conf).items()))
    builder = SparkSession.builder.master(settings.spark_master).appName(name)
    for key, value in conf.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def unsecret(conf: dict[str, str]) -> dict[str, str]:
    """`conf` without the login of a REST catalog."""
    return {key: value for key, value in conf.items() if not key.endswith((".credential", ".token"))}


def dbt_conf(settings: Settings) -> dict[str, str]:
    """Properties of the session that dbt starts: SQL means what it means on Trino, as far as a setting can say."""
    return {
        **spark_conf(settings),
        "spark.master": settings.spark_master,
        "spark.app.name": "dbt",
        "spark.ui.enabled": "false",
        "spark.sql.legacy.sizeOfNull": "false",  # cardinality(null) is null, not -1
        "spark.sql.parser.escapedStringLiterals": "true",  # a backslash in a literal is a backslash
    }


def write_conf(settings: Settings) -> Path:
    """Write `dbt_conf` where SPARK_CONF_DIR can point, and return that folder. Raises MissingJars."""
    properties = dbt_conf(settings)
    (settings.home / "spark").mkdir(parents=True, exist_ok=True)
    folder = settings.run / "spark"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "spark-defaults.conf"
    file.touch(mode=0o600)  # it holds the catalog's password
    file.write_text("".join(f"{key} {value}\n" for key, value in properties.items()))
    return folder
