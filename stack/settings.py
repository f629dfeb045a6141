"""Where everything is: the state folder, ports, logins and engine addresses.

The only module that every room may import. Each field is an environment variable with the prefix `LAKE_`
(`LAKE_HOME`, `LAKE_TRINO_PORT`, …), so a second stack runs beside the first by moving the folder and the ports.
"""
from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, computed_field
from pydantic_settings import BaseSettings, SettingsConfigDict

from stack import storage
from stack.faults import USAGE, Fault

PROJECT = Path(__file__).resolve().parent.parent
CATALOG = "lake"
DATASETS = PROJECT / "ingest" / "datasets"
NO_REGISTRY = "none"
# The `lake` command as a process of its own, by this Python, wherever the PATH leads.
LAKE = (sys.executable, "-c", "from stack.cli import app; app()")


class Settings(BaseSettings):
    """Settings of one stack. Paths are absolute, ports are TCP on `host`."""

    model_config = SettingsConfigDict(env_prefix="LAKE_", env_ignore_empty=True)

    home: Path = Field(PROJECT / ".lake", description="state folder: data, logs, downloads' links, sockets")
    downloads: Path | None = Field(None, description="engines as downloaded and unpacked; default <home>/engines")
    datasets: Path = Field(DATASETS, description="folder of the dataset YAML files")
    host: str = Field("127.0.0.1", description="address every engine binds and is reached at")

    kafka_port: int = 9092
    kafka_controller_port: int = 9093
    postgres_port: int = 5432
    trino_port: int = 8080
    airflow_port: int = 8081
    spark_ui_port: int = 4040
    s3_port: int = Field(9000, description="of the stack's own S3 server, where lake up --with s3 asked for one")
    registry_port: int = Field(8000, description="of the dataset registry")
    rest_port: int = Field(8181, description="of its own Iceberg REST catalog, where lake up --with rest did")
    metrics_port: int | Literal["off"] = Field(9108, description="the ingester's /metrics and /health; 0: any free one")
    refresh_health_port: int | Literal["off"] = Field(9109, description="the refresher's /health; 0: any free one")

    kafka_bootstrap_servers: str = Field("", description="default <host>:<kafka_port>")
    postgres_host: str = Field("", description="where PostgreSQL is reached, if it is not <host>")
    trino_host: str = Field("", description="where Trino is reached, if it is not <host>")
    catalog_database: str = "lake_catalog"
    serving_database: str = "serving"
    registry_database: str = "registry"
    database_user: str = "lake"
    database_password: str = "lake"
    reader_user: str = Field("reader", description="who dashboards are, in the serving database; may only read")
    reader_password: str = "reader"
    registry_url: str = Field(
        "", description="of the registry that is followed; none: the files alone, as with a LAKE_DATASETS of your own"
    )
    registry_tokens: str = Field(
        "admin:write:lake-write,reader:read:lake-read", description="who may do what there: name:read|write:token, …"
    )
    warehouse: str = Field("", description="file:// or s3:// URI; default <home>/warehouse, or a bucket of the own S3")
    catalog_uri: str = Field("", description="of an Iceberg REST catalog; default the own one, or JDBC in PostgreSQL")

    catalog_warehouse: str = Field("", description="its name in that catalog, where a warehouse goes by one")
    catalog_credential: str = Field("", repr=False, description="client id:secret that the catalog's OAuth2 takes")
    catalog_token: str = Field("", repr=False, description="or a token that somebody else has got")
    catalog_scope: str = Field("", description="asked for with the credential; default the engines': catalog")
    catalog_oauth2_uri: str = Field("", description="where tokens are had, if not from the catalog itself")

    keep_checkpoints: int = Field(3, ge=1, description="of a dataset, the running one among them; none is ever reused")
    keep_days: int = Field(14, ge=1, description="that Airflow's logs stay, and what killed processes left")

    spark_master: str = Field("local[4]", description="two tasks a core of a small machine: some wait for Kafka")
    spark_driver_memory: str = "4g"
    spark_shuffle_partitions: int = Field(2, ge=1, description="of a merge: the executors' cores, in a cluster")
    spark_jars: str = Field("", description="paths of JARs for transforms, separated by commas")
    trino_memory: str = "1G"
    kafka_memory: str = "384m"

    airflow_database: str = "airflow"
    airflow_database_user: str = "airflow"
    airflow_database_password: str = "airflow"
    airflow_user: str = Field("admin", description="who logs in to Airflow")
    airflow_password: str = "admin"
    airflow_secret: str = Field("airflow", description="what Airflow's tokens and kept passwords are signed with")
    airflow_parallelism: int = Field(4, description="tasks at a time; one of them may hold a Spark")
    dbt_tasks: Literal["local", "watcher"] = Field("watcher", description="tasks that watch one dbt, or a dbt a task")
    task_retries: int = Field(2, ge=0, description="tries of a task of Airflow's after the first")
    task_retry_seconds: int = Field(30, ge=0, description="between two tries of a task of Airflow's")
    schedule_timezone: str = Field("UTC", description="of the hours in dags/, such as Europe/Amsterdam")
    failure_webhook: str = Field("", description="URL that is told of a failed task, as JSON; none by default")

    java_home: Path | None = Field(None, description="Java 17 for Kafka and Spark; else JAVA_HOME, PATH, /usr/lib/jvm")
    jvm_options: str = Field("", description="flags added to Kafka's and Trino's, as a shell would split them")
    start_timeout: int = Field(300, description="seconds an engine may take until it answers")

    s3_endpoint: str = Field("", description="of an s3:// warehouse, as the next three; default <host>:<s3_port>")
    s3_region: str = "us-east-1"
    s3_access_key: str = "lake"
    s3_secret_key: str = "lakelake"

    def model_post_init(self, _context: object) -> None:
        self.home = self.home.expanduser().resolve()
        self.downloads = (self.downloads or self.home / "engines").expanduser().resolve()
        self.kafka_bootstrap_servers = self.kafka_bootstrap_servers or f"{self.host}:{self.kafka_port}"
        self.postgres_host = self.postgres_host or self.host
        self.trino_host = self.trino_host or self.host
        if not self.registry_url:
            follows = self.datasets.expanduser().resolve() == DATASETS
            self.registry_url = f"http://{self.host}:{self.registry_port}" if follows else NO_REGISTRY
        self.s3_endpoint = self.s3_endpoint or f"http://{self.host}:{self.s3_port}"
        kept = storage.of_home(self.home)
        own = kept.parts if kept else ()
        warehouse = "s3://lake/warehouse" if "s3" in own else f"file://{self.home}/warehouse"
        self.warehouse = (self.warehouse or warehouse).rstrip("/")
        if "rest" in own:
            self.catalog_uri = self.catalog_uri or f"http://{self.host}:{self.rest_port}"

    @property
    def catalog_login(self) -> dict[str, str]:
        """What a REST catalog that wants a login is told, by the names that Iceberg's clients share; empty without."""
        if not (self.catalog_credential or self.catalog_token):
            return {}
        said = {
            "credential": self.catalog_credential,
            "token": self.catalog_token,
            "scope": self.catalog_scope if self.catalog_credential else "",
            "oauth2-server-uri": self.catalog_oauth2_uri,
        }
        return {name: value for name, value in said.items() if value}

    @property
    def data(self) -> Path:
        """What the engines keep: one folder an engine."""
        return self.home / "data"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.home / "logs"

    @property
    def run(self) -> Path:
        """Rendered configuration and pid files; made anew by every `lake up`."""
        return self.home / "run"

    @computed_field
    @property
    def catalog_jdbc_url(self) -> str:
        return f"jdbc:postgresql://{self.postgres_host}:{self.postgres_port}/{self.catalog_database}"

    @property
    def serving_jdbc_url(self) -> str:
        return f"jdbc:postgresql://{self.postgres_host}:{self.postgres_port}/{self.serving_database}"

    def database_url(self, database: str, driver: str = "postgresql") -> str:
        """SQLAlchemy or libpq URL of a database in the stack's PostgreSQL."""
        return (
            f"{driver}://{self.database_user}:{self.database_password}"
            f"@{self.postgres_host}:{self.postgres_port}/{database}"
        )


@lru_cache
def settings() -> Settings:
    """The settings of this process, read from the environment once. Raises Fault where its home is of another kind."""
    found = Settings()
    storage.hold_to(found)
    if found.catalog_login and not found.catalog_uri:
        sentence = "LAKE_CATALOG_CREDENTIAL and LAKE_CATALOG_TOKEN are for a REST catalog, and there is none."
        raise Fault(sentence, "set LAKE_CATALOG_URI, or unset them", USAGE)
    return found
