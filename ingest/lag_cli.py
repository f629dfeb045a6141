"""`lake lag`: how many records each topic holds that bronze does not. Looks only.

Of the topic's last epoch, since bronze's offsets of an earlier one say nothing about today's. Reads three columns of
bronze, all of its rows.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.command import Json, datasets, fail
from stack.faults import DIFFERENT, UNREACHABLE
from stack.settings import CATALOG, settings

if TYPE_CHECKING:
    from ingest.datasets import Dataset
    from ingest.topics import Broker
    from ingest.verify.warehouse import Warehouse

HELD = """
select kafka_partition, max(kafka_offset) from {catalog}.{table}
where topic_epoch = (select max(topic_epoch) from {catalog}.{table}) group by kafka_partition
"""


@dataclass(frozen=True)
class Lag:
    """Records of a dataset's topic that bronze lacks, and how many it may lack."""

    dataset: str
    records: int
    most: int

    @property
    def is_too_far_behind(self) -> bool:
        return self.records > self.most


def lag(
    names: Annotated[list[str] | None, typer.Argument(metavar="[DATASET]...", help="Default: all.")] = None,
    as_json: Json = False,
) -> None:
    """How many records are waiting in Kafka, by dataset. Exit 1 where more than its `max_lag` are."""
    from ingest.topics import Broker, TopicUnavailable
    from ingest.verify.warehouse import TrinoUnreachable, Warehouse

    chosen = datasets(names)
    broker, warehouse = Broker(settings().kafka_bootstrap_servers), Warehouse(settings())
    try:
        found = [lag_of(broker, warehouse, dataset) for dataset in chosen]
    except (TopicUnavailable, TrinoUnreachable) as error:
        fail(str(error), UNREACHABLE)
    finally:
        broker.close()
    if as_json:
        typer.echo(json.dumps([asdict(one) | {"ok": not one.is_too_far_behind} for one in found]))
    else:
        for one in found:
            verdict = "BEHIND" if one.is_too_far_behind else "ok"
            typer.echo(f"{verdict:6}  {one.dataset}: {one.records:,} records wait, at most {one.most:,} may")
    if any(one.is_too_far_behind for one in found):
        raise typer.Exit(DIFFERENT)


def lag_of(broker: Broker, warehouse: Warehouse, dataset: Dataset) -> Lag:
    """The lag of one dataset now."""
    from ingest.verify.warehouse import TableAbsent

    topic = broker.topic(dataset.topic)
    try:
        held = dict(warehouse.rows(HELD.format(catalog=CATALOG, table=dataset.bronze.identifier)))
    except TableAbsent:
        held = {}
    return Lag(dataset.name, waiting(topic.begin, topic.end, held), dataset.max_lag)


def waiting(begin: dict[int, int], end: dict[int, int], held: dict[int, int]) -> int:
    """Records between what is held (highest offset by partition) and the end (the next offset to be written)."""
    return sum(max(0, last - max(held.get(number, -1) + 1, begin[number])) for number, last in end.items())
