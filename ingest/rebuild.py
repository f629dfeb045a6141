"""What keeps a live gold from being rebuilt by what its dataset says today, until a person has decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingest.fence import Cut, at_snapshot, read_gold_fence
from ingest.fold import has_same_transforms
from ingest.publish import current_snapshot, load
from ingest.schema.sample import sample
from ingest.schema.typed import KEY
from ingest.tables import FOLD, bucketed_by
from ingest.topics import DecisionNeeded

if TYPE_CHECKING:
    from ingest.live import LiveGold

NEWEST = 10_000
"""Offsets of a partition that are looked at, where the transforms are others."""


def assure(live: LiveGold) -> None:
    """Raise DecisionNeeded, or SchemaBlocked, where a rebuild must wait; SchemaEvolved where it needs other columns."""
    table = load(live.spark, live.gold.identifier)
    _assure_key(live, table)
    if live.check is not None and not has_same_transforms(table.properties().get(FOLD) or "", live.definition):
        _assure_bodies(live)


def _assure_key(live: LiveGold, table: Any) -> None:
    """The key of its rows: a typed gold's waits to be accepted, and that of its partitions no rebuild can change."""
    key, by, was = live.gold.key, bucketed_by(table), table.properties().get(KEY)
    if by is not None and by not in key:
        raise DecisionNeeded(
            f"{live.gold.identifier} is partitioned by its key, which was {by} and is to be {key[0]}: put the key back,"
            f" or give the gold a table of another name, in the configuration of {live.dataset.name}"
        )
    if live.check is not None and was is not None and was != key[0]:
        live.check.pass_key(str(was), key[0])


def _assure_bodies(live: LiveGold) -> None:
    """The newest bodies that it has absorbed, as today's transforms leave them: where those are of other types than the
    schema's, a typed gold would take none of them."""
    fence = read_gold_fence(live.spark, live.gold.identifier, live.publisher.base)
    if not fence.absorbed:
        return
    newest = Cut(fence.epoch, {p: high - NEWEST for p, high in fence.absorbed.items()}, fence.absorbed)
    bronze = live.dataset.bronze.identifier
    rows = at_snapshot(live.spark, bronze, current_snapshot(live.spark, bronze)).where(newest.predicate())
    size = sum(min(high, NEWEST) for high in fence.absorbed.values())
    found = live.check.pass_(("transforms", live.definition), lambda: sample(rows, size, live.dataset))
    live.assure_version(found)
