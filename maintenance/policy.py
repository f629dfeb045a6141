"""Which tables are kept up, and how: declared where the table is, in the dataset's configuration and in dbt's
`+meta`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from stack import registered
from stack.dbt import Dbt
from stack.settings import Settings

KEPT_BY_DBT = ("incremental", "snapshot")


class Upkeep(BaseModel):
    """File size to pack small files to, hours that snapshots are kept for readers and roll-backs, and how many earlier
    versions of the table's metadata file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file_mb: int = Field(128, ge=1)
    keep_hours: int = Field(3, ge=1)
    keep_metadata: int = Field(20, ge=1)


@dataclass(frozen=True)
class Kept:
    """A table `<schema>.<name>`: bronze is packed in partitions that are over (hours or days), a gold by its writer,
    dbt's as a whole."""

    table: str
    kind: Literal["bronze", "gold", "dbt"]
    upkeep: Upkeep
    partition_by: Literal["hour", "day"] = "hour"


def streams(settings: Settings) -> Iterator[Kept]:
    """Bronze and live golds of each dataset, by its own `upkeep`."""
    for said in registered.documents(settings).documents:
        upkeep = Upkeep(**said.get("upkeep", {}))
        bronze = said["bronze"]
        yield Kept(f"bronze.{bronze['table']}", "bronze", upkeep, bronze.get("partition_by", "hour"))
        for gold in said.get("golds", []):
            yield Kept(f"gold.{gold['table']}", "gold", upkeep)


def models(dbt: Dbt) -> Iterator[Kept]:
    """Tables that dbt keeps in Iceberg, by `meta: upkeep:` of the model, and sources that have one: feeds."""
    for node in dbt.manifest.nodes.values():
        if node.config.materialized in KEPT_BY_DBT and node.database != "serving":
            yield Kept(f"{node.schema}.{node.alias}", "dbt", Upkeep(**node.config.meta.get("upkeep", {})))
    for source in dbt.manifest.sources.values():
        if said := source.config.meta.get("upkeep"):
            yield Kept(f"{source.schema}.{source.identifier}", "dbt", Upkeep(**said))
