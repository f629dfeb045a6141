"""What the dbt project has, as its manifest says: no model is named in Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stack.faults import USAGE, Fault
from stack.settings import CATALOG

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


def incremental_models(manifest: Manifest, names: Sequence[str] = ()) -> dict[str, Any]:
    """The incremental models by id, whichever the project has; Fault for a name that is none of them."""
    known = {
        id_: node
        for id_, node in manifest.nodes.items()
        if node.resource_type == "model" and node.config.materialized == "incremental" and node.database == CATALOG
    }
    by_name = {node.name: id_ for id_, node in known.items()}
    if unknown := sorted(set(names) - set(by_name)):
        raise Fault(f"no incremental model {', '.join(unknown)}", f"one of: {', '.join(sorted(by_name))}", USAGE)
    return {by_name[name]: known[by_name[name]] for name in names} if names else known


def relation_of(manifest: Manifest, id_: str) -> str:
    """The model's table, as it is written after `from`."""
    node = manifest.nodes[id_]
    return f"{CATALOG}.{node.schema}.{node.alias}"
