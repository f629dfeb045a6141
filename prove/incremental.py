"""Incremental equals full refresh: every incremental model, run after each of the random cuts in which bronze arrives,
against the same models built at once.

Works on copies, in schemas of a prefix of its own; what the stack's readers see is only read.
"""

from __future__ import annotations

import os
import random
import tempfile
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ingest.verify.warehouse import TableAbsent, TrinoUnreachable, Warehouse, pinned
from prove.arrivals import Origin, arriving, drop_schemas, origin
from prove.evidence import Evidence
from prove.models import incremental_models, relation_of
from prove.typed_hash import hashed
from stack.dbt import Dbt, sources_of
from stack.faults import UNREACHABLE, Fault
from stack.settings import CATALOG, PROJECT, Settings

Report = Callable[[str], None]
BUILD = ("build", "--exclude-resource-type", "test", "unit_test")
BRONZE, LIVE = "LAKE_BRONZE_SCHEMA", "LAKE_LIVE_GOLD_SCHEMA"
DEFAULTS = {BRONZE: "bronze", LIVE: "gold"}


def prove_incremental(
    settings: Settings,
    seeds: Sequence[int],
    cuts: int = 4,
    select: Sequence[str] = (),
    project: Path = PROJECT / "dbt_project",
    report: Report = lambda line: None,
    keep: bool = False,
) -> list[Evidence]:
    """Evidence for every incremental model (default) or those named, and each seed; ends with a seed that differs."""
    warehouse, prefix = Warehouse(settings), f"prove{uuid.uuid4().hex[:8]}_"
    schemas = {BRONZE: f"{prefix}bronze", LIVE: f"{prefix}live_gold"}
    with tempfile.TemporaryDirectory(prefix="lake-prove-") as folder:
        cut, whole = (
            Dbt(settings, Path(folder, side), schemas | {"LAKE_SCHEMA_PREFIX": f"{prefix}{side}_"}, "ci", project)
            for side in ("cut", "whole")
        )
        try:
            warehouse.rows("select 1")  # before the seconds that parsing takes
            return _prove(warehouse, schemas, cut, whole, (seeds, cuts, select), report)
        except TrinoUnreachable as error:
            raise Fault(str(error), "lake status", UNREACHABLE) from error
        finally:
            if keep:
                report(f"kept: the schemas {prefix}…")
            else:
                with suppress(TrinoUnreachable):
                    drop_schemas(warehouse, prefix)


def _prove(
    warehouse: Warehouse,
    schemas: dict[str, str],
    cut: Dbt,
    whole: Dbt,
    asked: tuple[Sequence[int], int, Sequence[str]],
    report: Report,
) -> list[Evidence]:
    seeds, cuts, select = asked
    models = incremental_models(cut.manifest, select)
    sources = {id_: sources_of(cut.manifest, id_) for id_ in models}
    wanted = {source.unique_id: source for found in sources.values() for source in found}
    origins, absent = _origins(warehouse, wanted.values(), schemas)
    for id_ in [id_ for id_, found in sources.items() if any(one.unique_id in absent for one in found)]:
        lacking = ", ".join(absent[one.unique_id] for one in sources[id_] if one.unique_id in absent)
        report(f"{models.pop(id_).name} left out: there is no {lacking} yet")
    if not models or not any(one.rows for one in origins.values()):
        raise Fault("Nothing to prove: bronze has no rows for these models", "lake ingest --once")
    for schema in schemas.values():
        warehouse.rows(f"create schema if not exists {CATALOG}.{schema}")
    _copy_live(warehouse, wanted.values(), schemas)
    chosen = ("--select", *(f"+{node.name}" for node in models.values()))
    found: list[Evidence] = []
    for seed in seeds:
        batches = _arrive(warehouse, schemas[BRONZE], cut, whole, chosen, (seed, cuts, origins.values()), report)
        for id_ in models:
            names = ", ".join(_at(origins[source.unique_id]) for source in sources[id_] if source.unique_id in origins)
            left, right = (hashed(warehouse, relation_of(side.manifest, id_)) for side in (cut, whole))
            subject = relation_of(cut.manifest, id_).removeprefix(f"{CATALOG}.{cut.environment['LAKE_SCHEMA_PREFIX']}")
            said = f"seed {seed}, {batches} cuts of {names}"
            found.append(Evidence(subject, said, left[0], right[0], left[1], right[1]))
        if not all(one.is_equal for one in found):
            break
    return found


def _arrive(
    warehouse: Warehouse,
    bronze: str,
    cut: Dbt,
    whole: Dbt,
    chosen: Sequence[str],
    how: tuple[int, int, Iterable[Origin]],
    report: Report,
) -> int:
    """Fill bronze by one seed, with dbt on the one side after each cut and on the other at the end; number of cuts."""
    seed, cuts, origins = how
    for side in (cut, whole):
        drop_schemas(warehouse, side.environment["LAKE_SCHEMA_PREFIX"])
    batches = 0
    for number, batches in arriving(warehouse, bronze, origins, random.Random(seed), cuts):
        report(f"seed {seed}: dbt after cut {number} of {batches}")
        cut.run(*BUILD, *chosen)
    report(f"seed {seed}: dbt, all at once")
    whole.run(*BUILD, "--full-refresh", *chosen)
    return batches


def _origins(
    warehouse: Warehouse, sources: Iterable[Any], schemas: dict[str, str]
) -> tuple[dict[str, Origin], dict[str, str]]:
    """The tables of bronze by source, and the names of those that aren't there."""
    found, absent = {}, {}
    for source in sources:
        if source.schema == schemas[BRONZE]:
            identifier = f"{os.environ.get(BRONZE, DEFAULTS[BRONZE])}.{source.identifier}"
            try:
                found[source.unique_id] = origin(warehouse, identifier)
            except TableAbsent:
                absent[source.unique_id] = identifier
    return found, absent


def _copy_live(warehouse: Warehouse, sources: Iterable[Any], schemas: dict[str, str]) -> None:
    """Live tables that a model reads, as they are now: the stream goes on while this runs."""
    for source in sources:
        if source.schema == schemas[LIVE]:
            identifier = f"{os.environ.get(LIVE, DEFAULTS[LIVE])}.{source.identifier}"
            at = pinned(identifier, warehouse.snapshot(identifier))
            warehouse.rows(f"create table {CATALOG}.{schemas[LIVE]}.{source.identifier} as select * from {at}")


def _at(one: Origin) -> str:
    return f"{one.name}@{one.snapshot}"
