"""What a comparison of two engines can't speak of, by name: models that one of them can't have, or without bronze."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from stack.dbt import sources_of
from stack.settings import CATALOG

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


def left_out(
    manifest: Manifest, on_spark: Collection[str], absent: Collection[str], report: Callable[[str], None]
) -> list[str]:
    """Names of the models and snapshots of Trino's manifest that are not compared, each reported with why.

    `on_spark` are the ids that Spark's manifest has, `absent` the sources that have no table yet.
    """
    why: dict[str, list[str]] = defaultdict(list)
    for id_, node in sorted(manifest.nodes.items()):
        if node.resource_type not in ("model", "snapshot"):
            continue
        lacking = [one.name for one in sources_of(manifest, id_) if one.unique_id in absent]
        if id_ not in on_spark:
            elsewhere = node.database != CATALOG
            why[f"only Trino writes to {node.database}" if elsewhere else "disabled on Spark"].append(node.name)
        elif lacking:
            why[f"bronze has no {', '.join(lacking)} yet"].append(node.name)
    for reason, names in why.items():
        report(f"left out, since {reason}: {', '.join(names)}")
    return [name for names in why.values() for name in names]
