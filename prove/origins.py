"""From a table to the Kafka records of its rows, as SQL: what each table says of them, and how that is followed.

A live gold says it by its key and `absorbed`; a silver row carries topic, partition and offset; feeds of dimensions are
an origin themselves, no Kafka record holds them. Any other model names in `meta: trace:` the table its rows are made of
(`through`) and which of its rows (`by`: columns of the same name, or a condition on `this` and `through`; then also the
`key` by which a row is asked for).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ingest.datasets import Dataset, Gold
from prove.feeds import PLACE as FEED_PLACE
from stack.dbt import Dbt
from stack.faults import USAGE, Fault
from stack.settings import CATALOG

PLACE = ("topic_epoch", "kafka_partition", "kafka_offset")
FEEDS = "dimensions"
"""The dbt source whose tables are landed from feeds."""


@dataclass(frozen=True)
class Trace:
    """A model's `meta: trace:`."""

    through: str
    by: str | list[str]
    key: list[str]

    @property
    def condition(self) -> str:
        if isinstance(self.by, str):
            return self.by
        return " and ".join(f"this.{column} is not distinct from through.{column}" for column in self.by)


@dataclass(frozen=True)
class Traced:
    """A table that can be asked for. `identifier` is `<schema>.<table>`; `key` may be empty."""

    name: str
    identifier: str
    key: list[str]
    trace: Trace | None = None
    live: tuple[Dataset, Gold] | None = None
    is_feed: bool = False


@dataclass
class Lineage:
    """Every table that can be traced; the dbt project is parsed only if a name is no live gold's."""

    datasets: Sequence[Dataset]
    dbt: Dbt
    bronze: str = field(default_factory=lambda: os.environ.get("LAKE_BRONZE_SCHEMA", "bronze"))
    live: str = field(default_factory=lambda: os.environ.get("LAKE_LIVE_GOLD_SCHEMA", "gold"))

    def table(self, name: str) -> Traced:
        """The table of this name, with or without its schema; Fault for an unknown one."""
        short = name.rsplit(".", 1)[-1]
        found = self._live.get(short) or self._models.get(short) or self._feeds.get(short)
        if found is None or name not in (short, found.identifier):
            known = ", ".join(sorted([*self._live, *self._models, *self._feeds]))
            raise Fault(f"There is no table {name!r} that a row could be traced from", f"one of: {known}", USAGE)
        return found

    @cached_property
    def _live(self) -> dict[str, Traced]:
        return {
            gold.table: Traced(gold.table, f"{self.live}.{gold.table}", gold.key, live=(dataset, gold))
            for dataset in self.datasets
            for gold in dataset.golds
        }

    @cached_property
    def _models(self) -> dict[str, Traced]:
        nodes = self.dbt.manifest.nodes.values()
        return {node.name: _model(node) for node in nodes if node.resource_type == "model"}

    @cached_property
    def _feeds(self) -> dict[str, Traced]:
        sources = [source for source in self.dbt.manifest.sources.values() if source.source_name == FEEDS]
        return {
            source.name: Traced(source.name, f"{source.schema}.{source.identifier}", list(FEED_PLACE), is_feed=True)
            for source in sources
        }

    def places(self, table: Traced, rows: str) -> str:
        """SQL for (topic, *PLACE) of the records that `rows`, a query of rows of the table, came from; where the origin
        is a feed, for the feed's rows."""
        if table.live:
            return self._absorbed(*table.live, rows)
        if table.trace:
            through = self.table(table.trace.through)
            return self.places(
                through,
                f"select through.* from {CATALOG}.{through.identifier} as through"
                f" inner join ({rows}) as this on {table.trace.condition}",
            )
        return f"select distinct {'*' if table.is_feed else ', '.join(('topic', *PLACE))} from ({rows})"

    def _absorbed(self, dataset: Dataset, gold: Gold, rows: str) -> str:
        said = gold.traced_by or {gold.key[0]: "entity_key"}
        listed = ", ".join(f"{sql} as traced_{column}" for column, sql in said.items())
        on = " and ".join(f"record.traced_{column} = held.{column}" for column in said)
        return (
            f"select distinct record.topic, {', '.join(f'record.{column}' for column in PLACE)}"
            f" from (select *, {listed} from {self.bronze_of(dataset)} where error is null"
            " or error = 'null_value') as record"
            f" inner join ({rows}) as held on {on} and (record.topic_epoch < held.topic_epoch"
            " or record.topic_epoch = held.topic_epoch"
            " and record.kafka_offset <= element_at(held.absorbed, record.kafka_partition))"
        )

    def bronze_of(self, dataset: Dataset) -> str:
        """The dataset's bronze, as it is written after `from`."""
        return f"{CATALOG}.{self.bronze}.{dataset.bronze.table}"


def _model(node: Any) -> Traced:
    said = node.config.meta.get("trace") or {}
    unique = node.config.unique_key or []
    unique = [unique] if isinstance(unique, str) else unique
    by = said.get("by", [])
    key = said.get("key") or (by if isinstance(by, list) and by else [name for name in unique if name not in PLACE])
    trace = Trace(said["through"], by, key) if said else None
    return Traced(node.name, f"{node.schema}.{node.alias}", key, trace)
