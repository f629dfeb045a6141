"""The records that a typed gold does not take, as a view on bronze: with the reason, the coordinates and the body.

Each bronze row is typed or here, and never both; after a new version of the schema the view is made anew.
"""

from __future__ import annotations

from ingest.datasets import Dataset, Gold
from ingest.schema.compare import dotted
from ingest.schema.typed import taken
from ingest.verify.typed import fits, member, text
from ingest.verify.warehouse import Warehouse
from stack.settings import CATALOG


def view_of(gold: Gold) -> str:
    return f"{gold.identifier}_dead_letters"


def make(dataset: Dataset, gold: Gold, warehouse: Warehouse) -> dict[str, int]:
    """Make or renew the view of a typed gold that was bound to its version; how many rows it has, by reason."""
    warehouse.rows(f"create or replace view {CATALOG}.{view_of(gold)} as {query(dataset, gold)}")
    counted = f"select reason, count(*) from {CATALOG}.{view_of(gold)} group by 1 order by 2 desc, 1"
    return {reason: number for reason, number in warehouse.rows(counted)}


def query(dataset: Dataset, gold: Gold) -> str:
    """Its SQL. The reason is bronze's error, key_null, or the first field not of the version's type: untyped, or
    quarantined where the policy says so."""
    tombstones = "error = 'null_value' and entity_key is not null" if dataset.on_tombstone == "delete" else "false"
    untyped = "\n".join(
        f"        when not ({fits(member('body', source), field)}) then {text(_reason(dataset, source))}"
        for source, field in taken(gold, gold.needed).values()
    ).replace("$$", "$")
    return f"""
select
    topic,
    topic_epoch,
    kafka_partition,
    kafka_offset,
    kafka_timestamp,
    entity_key,
    reason,
    body,
    body_bytes,
    ingested_at
from (
    select
        *,
        case
        when {tombstones} then null
        when error is not null then error
        when entity_key is null then 'key_null'
{untyped}
        end as reason
    from {CATALOG}.{dataset.bronze.identifier}
)
where reason is not null
"""


def _reason(dataset: Dataset, source: str) -> str:
    return f"{'quarantined' if dataset.policy.quarantines(dotted((source,))) else 'untyped'}: {source}"
