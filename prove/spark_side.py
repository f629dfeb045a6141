"""dbt on Spark, in a process of its own: dbt's session takes whatever Spark there is, and that must not be another's.

What Spark's views hold is copied into tables, since no other engine can read a Spark view.
"""

from __future__ import annotations

from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.spark import MissingJars, write_conf
from stack.dbt import Dbt
from stack.faults import UNREACHABLE, Fault
from stack.settings import CATALOG, Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_dbt: Dbt
"""In the child: the project as parsed there."""


class SparkSide:
    """The project on Spark. `folder` takes target and logs, `environment` is added to the process's own."""

    def __init__(self, settings: Settings, folder: Path, environment: dict[str, str], project: Path) -> None:
        try:
            environment = environment | {"SPARK_CONF_DIR": str(write_conf(settings))}
        except MissingJars as error:
            raise Fault(str(error), "make setup", UNREACHABLE) from None
        self._child = ProcessPoolExecutor(1, get_context("spawn"), _open, (settings, folder, environment, project))

    def ids(self) -> Future[list[str]]:
        """Ids of all nodes that the project has on Spark."""
        return self._child.submit(_ids)

    def run(self, *arguments: str) -> Future[list[str]]:
        """Ids of the nodes that `dbt <arguments>` ran; Fault where one failed."""
        return self._child.submit(_run, arguments)

    def readable(self, ids: list[str], schema: str) -> dict[str, str]:
        """A table for each of the nodes: its own, or a copy in `schema` of what the view holds."""
        return self._child.submit(_readable, ids, schema).result()

    def drop_views(self, schemas: list[str]) -> None:
        """Drop every view of the schemas."""
        self._child.submit(_drop_views, schemas).result()

    def close(self) -> None:
        """End Spark."""
        self._child.shutdown()


def _open(settings: Settings, folder: Path, environment: dict[str, str], project: Path) -> None:
    global _dbt
    _dbt = Dbt(settings, folder, environment, "spark", project)


def _ids() -> list[str]:
    return list(_dbt.manifest.nodes)


def _run(arguments: tuple[str, ...]) -> list[str]:
    return [one.node.unique_id for one in _dbt.run(*arguments)]


def _readable(ids: list[str], schema: str) -> dict[str, str]:
    spark, found = _session(), {}
    spark.sql(f"create schema if not exists {CATALOG}.{schema}")
    for id_ in ids:
        node: Any = _dbt.manifest.nodes[id_]
        found[id_] = f"{CATALOG}.{node.schema}.{node.alias}"
        if node.config.materialized == "view":
            view, found[id_] = found[id_], f"{CATALOG}.{schema}.{node.alias}"
            spark.sql(f"create or replace table {found[id_]} using iceberg as select * from {view}")
    return found


def _drop_views(schemas: list[str]) -> None:
    for schema in schemas:
        # the session's own temporary views are listed with any schema's
        for row in _session().sql(f"show views in {CATALOG}.{schema}").where("not isTemporary").collect():
            _session().sql(f"drop view {CATALOG}.{schema}.{row.viewName}")


def _session() -> SparkSession:
    from pyspark.sql import SparkSession

    return SparkSession.builder.getOrCreate()
