"""Bronze once more, in a schema of its own, arriving as it might have arrived: in random cuts, partitions apart.

Records of a Kafka partition keep their order, since Kafka keeps it; a partition may be far behind another, or come all
at once. Rows of a table that is no stream arrive in any order. `ingested_at` is the cut's, as a batch's would be.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.verify.warehouse import Warehouse, pinned
from prove.typed_hash import row_hash
from stack.settings import CATALOG

PLACE = ("topic_epoch", "kafka_partition", "kafka_offset")
Fence = dict[tuple[int, int], tuple[int, int]]
"""Per topic epoch and Kafka partition, the lowest and highest offset."""


@dataclass(frozen=True)
class Origin:
    """A table of bronze at a snapshot, which all of its copies are made from."""

    identifier: str
    snapshot: int | None
    columns: dict[str, str]
    rows: int
    fence: Fence
    first_arrival: str | None

    @property
    def name(self) -> str:
        return self.identifier.split(".")[1]

    def cuts(self, chance: random.Random, count: int) -> list[str]:
        """Conditions, one a cut, of which each row meets exactly one."""
        if self.fence:
            return kafka_cuts(self.fence, chance, count)
        salted = f"mod(bitwise_xor({row_hash(self.columns)}, {chance.getrandbits(62)}), {max(count, 1) * 1009})"
        return [f"mod(abs({salted}), {count}) = {number}" for number in range(count)]

    def create(self, warehouse: Warehouse, schema: str) -> None:
        """An empty copy."""
        name = f"{CATALOG}.{schema}.{self.name}"
        warehouse.rows(f"drop table if exists {name}")
        warehouse.rows(f"create table {name} as select * from {pinned(self.identifier, self.snapshot)} with no data")

    def arrive(self, warehouse: Warehouse, schema: str, condition: str, number: int) -> None:
        """The rows of one cut, as batch `number`."""
        if not self.rows:
            return
        arrived = f"date_add('second', {number}, timestamp '{self.first_arrival}')"
        listed = ", ".join(arrived if name == "ingested_at" else f'"{name}"' for name in self.columns)
        warehouse.rows(
            f"insert into {CATALOG}.{schema}.{self.name} select {listed}"
            f" from {pinned(self.identifier, self.snapshot)} where {condition}"
        )


def origin(warehouse: Warehouse, identifier: str) -> Origin:
    """The table now; TableAbsent where there is none."""
    snapshot = warehouse.snapshot(identifier)
    at = pinned(identifier, snapshot)
    columns = warehouse.columns(f"select * from {at}")
    [[rows]] = warehouse.rows(f"select count(*) from {at}")
    fence = {}
    if set(PLACE) <= set(columns):
        for epoch, partition, low, high in warehouse.rows(
            f"select topic_epoch, kafka_partition, min(kafka_offset), max(kafka_offset) from {at} group by 1, 2"
        ):
            fence[epoch, partition] = low, high
    first = None
    if "ingested_at" in columns:
        [[first]] = warehouse.rows(f"select cast(min(ingested_at) as varchar) from {at}")
    return Origin(identifier, snapshot, columns, rows, fence, first)


def arriving(
    warehouse: Warehouse, schema: str, origins: Iterable[Origin], chance: random.Random, cuts: int
) -> Iterator[tuple[int, int]]:
    """Make empty copies of the origins, then let them arrive cut by cut; after each its number, from 1, and how many
    there are."""
    conditions = [(one, one.cuts(chance, cuts)) for one in origins]
    for one, _ in conditions:
        one.create(warehouse, schema)
    batches = max(len(of) for _, of in conditions)
    for number in range(batches):
        for one, of in conditions:
            if number < len(of):
                one.arrive(warehouse, schema, of[number], number)
        yield number + 1, batches


def drop_schemas(warehouse: Warehouse, prefix: str, but: Iterable[str] = ()) -> None:
    """Drop every schema whose name begins with `prefix`, with what is in it, those in `but` aside."""
    for [name] in warehouse.rows(f"show schemas from {CATALOG}"):
        if name.startswith(prefix) and name not in but:
            warehouse.rows(f"drop schema {CATALOG}.{name} cascade")


def kafka_cuts(fence: Fence, chance: random.Random, count: int) -> list[str]:
    """`count` ranges an epoch, one epoch after the other, each partition cut at places of its own."""
    conditions = []
    for epoch in sorted({epoch for epoch, _ in fence}):
        held = {partition: span for (of, partition), span in sorted(fence.items()) if of == epoch}
        ends = {partition: _ends(low, high, chance, count) for partition, (low, high) in held.items()}
        for number in range(count):
            parts = [
                f"(kafka_partition = {p} and kafka_offset > {of[number]} and kafka_offset <= {of[number + 1]})"
                for p, of in ends.items()
            ]
            conditions.append(f"topic_epoch = {epoch} and ({' or '.join(parts)})")
    return conditions


def _ends(low: int, high: int, chance: random.Random, count: int) -> list[int]:
    """Where the cuts of a partition begin and end; one in five is all first, or all last."""
    before = low - 1
    fate = chance.random()
    places = (
        [high] * (count - 1)
        if fate < 0.1
        else [before] * (count - 1)
        if fate < 0.2
        else sorted(chance.randint(before, high) for _ in range(count - 1))
    )
    return [before, *places, high]
