"""What a backfill would rebuild, before it does: which models, from how many records of which days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from stack.dbt import Dbt, sources_of
from stack.faults import USAGE, Fault
from stack.settings import CATALOG

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

    from stack.warehouse import Warehouse

ARRIVALS = ("new_arrivals(", "touched_days(")


@dataclass(frozen=True)
class Part:
    """A model: the records of bronze dated in the days, on how many of them, and rows it holds itself of those days.

    `held` is None for a table whose rows have no event time.
    """

    model: str
    table: str
    bronze: str
    records: int
    days: int
    held: int | None


@dataclass(frozen=True)
class Plan:
    """Days of event time (UTC), both included, and what is rebuilt for them; `left_out` can't be by event time."""

    first: date
    last: date
    parts: list[Part]
    left_out: list[str]

    @property
    def variables(self) -> dict[str, str]:
        """What makes the models take those days for newly arrived."""
        return {"backfill_from": str(self.first), "backfill_to": str(self.last)}

    def as_json(self) -> dict[str, Any]:
        return {"from": str(self.first), "to": str(self.last)} | {
            "models": [asdict(part) for part in self.parts],
            "left_out": self.left_out,
        }

    def lines(self) -> list[str]:
        """For people."""
        days = (self.last - self.first).days + 1
        lines = [f"rebuild {len(self.parts)} models for {self.first} to {self.last}, {days} days of event time"]
        for part in self.parts:
            held = "" if part.held is None else f", {part.held:,} rows of them in {part.table}"
            lines.append(f"  {part.model}: {part.records:,} records of {part.bronze} on {part.days} days{held}")
        return lines + [f"  left out: {name} does not take new arrivals by event time" for name in self.left_out]


def plan(warehouse: Warehouse, dbt: Dbt, first: date, last: date, select: Sequence[str]) -> Plan:
    """The plan for the incremental models that `select` (dbt's selection, default: all) names."""
    manifest = dbt.manifest
    asked = ["--select", *select] if select else []
    names = set(dbt.run("ls", "--resource-type", "model", "--output", "name", *asked))
    chosen = {
        id_: node
        for id_, node in manifest.nodes.items()
        if node.resource_type == "model" and node.name in names and node.config.materialized == "incremental"
    }
    able = [id_ for id_, node in chosen.items() if any(macro in node.raw_code for macro in ARRIVALS)]
    if not able:
        raise Fault("No incremental model that takes new arrivals is selected", "dbt ls --select …", USAGE)
    parts = [_part(warehouse, manifest, id_, first, last) for id_ in able]
    return Plan(first, last, parts, sorted(node.name for id_, node in chosen.items() if id_ not in able))


def _part(warehouse: Warehouse, manifest: Manifest, id_: str, first: date, last: date) -> Part:
    node = manifest.nodes[id_]
    table = f"{node.schema}.{node.alias}"
    columns = warehouse.columns(table)
    if not columns:
        raise Fault(f"{table} is not there yet, so there is nothing to rebuild", f"dbt build --select +{node.name}")
    sources = sorted(f"{source.schema}.{source.identifier}" for source in sources_of(manifest, id_))
    streams = [one for one in sources if "partition_time" in warehouse.columns(one)]
    bronze = _within("partition_time", first, last)  # the event time, or Kafka's timestamp where there is none
    counted = " union all ".join(f"select partition_time from {CATALOG}.{one} where {bronze}" for one in streams)
    [[records, days]] = warehouse.rows(f"select count(*), count(distinct date(partition_time)) from ({counted})")
    held = None
    if "event_time" in columns:
        held_of = _within("coalesce(event_time, kafka_timestamp)", first, last)
        [[held]] = warehouse.rows(f"select count(*) from {CATALOG}.{table} where {held_of}")
    return Part(node.name, table, ", ".join(streams), records, days, held)


def _within(time: str, first: date, last: date) -> str:
    after = last + timedelta(days=1)
    return f"{time} >= timestamp '{first} 00:00 UTC' and {time} < timestamp '{after} 00:00 UTC'"
