"""The same rows on both engines: every dbt model and snapshot, built by Trino and by Spark from the same bronze.

Bronze is copied at one snapshot a table and arrives in cuts, so that what runs incrementally is compared, too. Trino
reads both sides; a value is compared as what it is, whatever width an engine gives its numbers and texts.
"""

from __future__ import annotations

import os
import random
import re
import tempfile
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.verify.warehouse import TableAbsent, TrinoUnreachable, Warehouse, pinned
from prove.arrivals import Origin, arriving, drop_schemas, origin
from prove.evidence import Evidence
from prove.spark_side import SparkSide
from prove.typed_hash import hashed
from stack.dbt import Dbt
from stack.faults import UNREACHABLE, Fault
from stack.settings import CATALOG, PROJECT, Settings

Report = Callable[[str], None]
BUILD = ("build", "--exclude-resource-type", "test", "unit_test")
LAYERS = {"LAKE_BRONZE_SCHEMA": "bronze", "LAKE_LIVE_GOLD_SCHEMA": "gold"}
WIDTHS = (
    (r"\b(tinyint|smallint|integer)\b", "bigint"),
    (r"\breal\b", "double"),
    (r"\b(var)?char\(\d+\)", "varchar"),
    (r"\bdecimal\(\d+, ?(\d+)\)", r"decimal(38,\1)"),
    (r"\btimestamp\(\d+\)", "timestamp(6)"),
)
OWN = {"dbt_scd_id"}
"""What each engine makes of its own text of a timestamp: dbt's name for a row of a snapshot."""


def prove_parity(
    settings: Settings,
    seeds: Sequence[int] = (0,),
    cuts: int = 2,
    select: Sequence[str] = (),
    project: Path = PROJECT / "dbt_project",
    report: Report = lambda line: None,
) -> list[Evidence]:
    """Evidence for every model that Spark has (default) or those that dbt's `--select` chooses, of each seed's cuts."""
    asked = ["--select", *select] if select else []
    warehouse, prefix = Warehouse(settings), f"parity{uuid.uuid4().hex[:8]}_"
    schemas = {name: f"{prefix}{layer}_copied" for name, layer in LAYERS.items()}
    environment = schemas | {"LAKE_SCHEMA_PREFIX": prefix}
    with tempfile.TemporaryDirectory(prefix="lake-prove-") as folder:
        trino = Dbt(settings, Path(folder, "trino"), environment, "ci", project)
        spark = SparkSide(settings, Path(folder, "spark"), environment, project)
        try:
            origins = _copied(warehouse, trino.manifest.sources.values(), trino.environment)
            proof = Proof(warehouse, trino, spark, origins, cuts, asked, report)
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
    select: list[str]
    report: Report

    def of(self, seed: int) -> list[Evidence]:
        """Bronze arrives by the cuts of `seed`, and both engines build from it after each."""
        bronze, prefix = self.trino.environment["LAKE_BRONZE_SCHEMA"], self.trino.environment["LAKE_SCHEMA_PREFIX"]
        cleared(self.warehouse, self.spark, prefix, self.trino.environment.values())
        as_of = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
        arguments = [*BUILD, *self.select, "--vars", f"{{as_of: '{as_of}'}}"]
        batches, built = 0, []
        for number, batches in arriving(self.warehouse, bronze, self.origins, random.Random(seed), self.cuts):
            self.report(f"seed {seed}: dbt on Trino and Spark, after cut {number} of {batches}")
            self.trino.run(*arguments)
            built = self.spark.run(*arguments)
        right = self.spark.readable(built, f"{prefix}spark_views")
        cut = f"seed {seed}, {batches} cuts, as of {as_of}"
        return [_compared(self.warehouse, self.trino.manifest.nodes[id_], right[id_], cut) for id_ in sorted(right)]


def _copied(warehouse: Warehouse, sources: Iterable[Any], environment: dict[str, str]) -> list[Origin]:
    """Live golds copied, and bronze as it is to arrive; a source that is not there yet is one that nothing reads."""
    found = []
    for source in sources:
        [variable] = [name for name, schema in environment.items() if schema == source.schema]
        identifier = f"{os.environ.get(variable, LAYERS[variable])}.{source.identifier}"
        warehouse.rows(f"create schema if not exists {CATALOG}.{source.schema}")
        with suppress(TableAbsent):
            if variable == "LAKE_BRONZE_SCHEMA":
                found.append(origin(warehouse, identifier))
            else:
                at = pinned(identifier, warehouse.snapshot(identifier))
                warehouse.rows(f"create table {CATALOG}.{source.schema}.{source.identifier} as select * from {at}")
    if not sum(one.rows for one in found):
        raise Fault("Nothing to prove: bronze has no rows", "lake ingest --once")
    return found


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


def canonical(warehouse: Warehouse, relation: str) -> str:
    """The relation with every value in the widest type of its kind, as it is written after `from`."""
    columns = warehouse.columns(f"select * from {relation}")
    cast = (f'cast("{name}" as {widest(type_)}) as "{name}"' for name, type_ in columns.items() if name not in OWN)
    return f"(select {', '.join(cast)} from {relation})"


def widest(type_: str) -> str:
    """A type of Trino without the width that an engine chose: times in µs, decimals by their scale."""
    for narrow, wide in WIDTHS:
        type_ = re.sub(narrow, wide, type_)
    return type_
