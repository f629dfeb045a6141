"""The same rows on both engines: every dbt model and snapshot, built by Trino and by Spark from the same bronze.

Bronze is copied at one snapshot a table and arrives in cuts, so that what runs incrementally is compared, too. Trino
reads both sides; a value is compared as what it is, whatever width an engine gives its numbers and texts.
"""

from __future__ import annotations

import os
import random
import tempfile
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.verify.warehouse import TableAbsent, TrinoUnreachable, Warehouse, pinned
from prove.arrivals import Origin, arriving, drop_schemas, origin
from prove.evidence import Evidence
from prove.left_out import left_out
from prove.spark_side import SparkSide
from prove.typed_hash import canonical, hashed
from stack.dbt import Dbt
from stack.faults import UNREACHABLE, Fault
from stack.settings import CATALOG, PROJECT, Settings

Report = Callable[[str], None]
BUILD = ("build", "--exclude-resource-type", "test", "unit_test")
KEPT = ("incremental", "snapshot")
LAYERS = {"LAKE_BRONZE_SCHEMA": "bronze", "LAKE_LIVE_GOLD_SCHEMA": "gold"}


def prove_parity(
    settings: Settings,
    seeds: Sequence[int] = (0,),
    cuts: int = 2,
    select: Sequence[str] = (),
    project: Path = PROJECT / "dbt_project",
    report: Report = lambda line: None,
) -> list[Evidence]:
    """Evidence for every model that Spark has (default) or those that dbt's `--select` chooses, of each seed's cuts."""
    warehouse, prefix = Warehouse(settings), f"parity{uuid.uuid4().hex[:8]}_"
    schemas = {name: f"{prefix}{layer}_copied" for name, layer in LAYERS.items()}
    environment = schemas | {"LAKE_SCHEMA_PREFIX": prefix}
    with tempfile.TemporaryDirectory(prefix="lake-prove-") as folder:
        trino = Dbt(settings, Path(folder, "trino"), environment, "ci", project)
        spark = SparkSide(settings, Path(folder, "spark"), environment, project)
        try:
            on_spark = spark.ids()  # it is parsed there while it is parsed here
            origins, absent = _copied(warehouse, trino.manifest.sources, trino.environment)
            without = left_out(trino.manifest, on_spark.result(), absent, report)
            proof = Proof(warehouse, trino, spark, origins, cuts, select, without, report)
            return [one for seed in seeds for one in proof.of(seed)]
        except TrinoUnreachable as error:
            raise Fault(str(error), "lake status", UNREACHABLE) from error
        finally:
            with suppress(TrinoUnreachable, BrokenProcessPool):
                cleared(warehouse, spark, prefix)
            spark.close()


@dataclass
class Proof:
    """Both engines over the same copies."""

    warehouse: Warehouse
    trino: Dbt
    spark: SparkSide
    origins: list[Origin]
    cuts: int
    select: Sequence[str]
    without: Sequence[str]
    report: Report

    def of(self, seed: int) -> list[Evidence]:
        """Bronze arrives by the cuts of `seed`, and both engines build from it after each."""
        bronze, prefix = self.trino.environment["LAKE_BRONZE_SCHEMA"], self.trino.environment["LAKE_SCHEMA_PREFIX"]
        cleared(self.warehouse, self.spark, prefix, self.trino.environment.values())
        as_of = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
        batches, built = 0, []
        for number, batches in arriving(self.warehouse, bronze, self.origins, random.Random(seed), self.cuts):
            self.report(f"seed {seed}: dbt on Trino and Spark, after cut {number} of {batches}")
            arguments = [*BUILD, *self.chosen(views=not built), "--vars", f"{{as_of: '{as_of}'}}"]
            on_spark = self.spark.run(*arguments)
            self.trino.run(*arguments)
            ran = on_spark.result()
            built = built or ran
        right = self.spark.readable(built, f"{prefix}spark_views")
        cut = f"seed {seed}, {batches} cuts, as of {as_of}"

        def compared(id_: str) -> Evidence:
            return _compared(self.warehouse, self.trino.manifest.nodes[id_], right[id_], cut)

        with ThreadPoolExecutor(4) as pool:  # small queries, of which Trino plans one while it answers another
            return list(pool.map(compared, sorted(right)))

    def chosen(self, views: bool) -> list[str]:
        """What dbt is to build: all of it, or without `views`, which are the same after each cut, what keeps rows."""
        asked = [part for one in self.select for part in one.split()] or ["fqn:*"]
        kept = [f"{one},config.materialized:{kind}" for one in asked for kind in KEPT]
        return ["--select", *(asked if views else kept), *(["--exclude", *self.without] if self.without else [])]


def _copied(
    warehouse: Warehouse, sources: dict[str, Any], environment: dict[str, str]
) -> tuple[list[Origin], list[str]]:
    """Live golds copied; bronze as it is to arrive, and the ids of sources that have no table yet."""
    found, absent = [], []
    for id_, source in sources.items():
        [variable] = [name for name, schema in environment.items() if schema == source.schema]
        identifier = f"{os.environ.get(variable, LAYERS[variable])}.{source.identifier}"
        warehouse.rows(f"create schema if not exists {CATALOG}.{source.schema}")
        try:
            if variable == "LAKE_BRONZE_SCHEMA":
                found.append(origin(warehouse, identifier))
            else:
                at = pinned(identifier, warehouse.snapshot(identifier))
                warehouse.rows(f"create table {CATALOG}.{source.schema}.{source.identifier} as select * from {at}")
        except TableAbsent:
            absent.append(id_)
    if not sum(one.rows for one in found):
        raise Fault("Nothing to prove: bronze has no rows", "lake ingest --once")
    return found, absent


def cleared(warehouse: Warehouse, spark: SparkSide, prefix: str, but: Iterable[str] = ()) -> None:
    """No schema of the prefix is left, those in `but` aside; Spark drops its own views."""
    schemas = [name for [name] in warehouse.rows(f"show schemas from {CATALOG}")]
    spark.drop_views([name for name in schemas if name.startswith(f"{prefix}spark_")])
    drop_schemas(warehouse, prefix, but)


def _compared(warehouse: Warehouse, node: Any, right: str, cut: str) -> Evidence:
    left = f"{CATALOG}.{node.schema}.{node.alias}"
    rows_left, hash_left = hashed(warehouse, canonical(warehouse, left))
    rows_right, hash_right = hashed(warehouse, canonical(warehouse, right))
    return Evidence(node.name, cut, rows_left, rows_right, hash_left, hash_right)
