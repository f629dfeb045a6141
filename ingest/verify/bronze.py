"""Bronze's side: the same sums, fingerprints and doubles as of the broker's records, by SQL on Trino at the cut."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.verify.blocks import BLOCK, Blocks, Range, Sum
from ingest.verify.cut import Cut
from ingest.verify.fingerprint import FINGERPRINT_SQL, HASH_SQL
from ingest.verify.warehouse import Warehouse

Doubled = tuple[int, int, int, int]
"""Epoch, partition, offset, copies."""


def blocks(warehouse: Warehouse, cut: Cut, ranges: Sequence[Range]) -> Blocks:
    """Sums per block of bronze's rows of the current epoch in the ranges."""
    rows = warehouse.rows(
        f"""
        select kafka_partition, kafka_offset / {BLOCK}, count(*), sum(cast({HASH_SQL} as decimal(38, 0)))
        from {cut.bronze_rows}
        where {_within(cut, ranges)}
        group by 1, 2
        """
    )
    return {(partition, block): Sum(count, int(total)) for partition, block, count, total in rows}


def fingerprints(warehouse: Warehouse, cut: Cut, what: Range) -> dict[int, list[bytes]]:
    """Fingerprints by offset of one range: more than one where a row is doubled."""
    found: dict[int, list[bytes]] = {}
    for offset, fingerprint in warehouse.rows(
        f"select kafka_offset, {FINGERPRINT_SQL} from {cut.bronze_rows} where {_within(cut, [what])}"
    ):
        found.setdefault(offset, []).append(fingerprint)
    return found


def unchecked(warehouse: Warehouse, cut: Cut, ranges: Sequence[Range]) -> tuple[int, int]:
    """Rows of the current epoch outside the ranges, and how many rows outside them (of any epoch) are doubles.

    64 offsets share one group, a bit each, so that it takes little memory however long the history.
    """
    bit = "bitwise_left_shift(bigint '1', cast(kafka_offset % 64 as integer))"
    [[rows, doubles]] = warehouse.rows(
        f"""
        select coalesce(sum(copies) filter (where topic_epoch = {cut.epoch}), 0), coalesce(sum(copies - places), 0)
        from (
            select
                topic_epoch,
                count(*) as copies,
                bit_count(bitwise_or_agg({bit}), 64) as places
            from {cut.bronze_rows}
            where not ({_within(cut, ranges)})
            group by topic_epoch, kafka_partition, kafka_offset / 64
        )
        """
    )
    return rows, doubles


def doubled(warehouse: Warehouse, cut: Cut, ranges: Sequence[Range], limit: int) -> list[Doubled]:
    """The first offsets outside the ranges that have several rows."""
    return [
        tuple(row)
        for row in warehouse.rows(
            f"""
            select topic_epoch, kafka_partition, kafka_offset, count(*)
            from {cut.bronze_rows}
            where not ({_within(cut, ranges)})
            group by 1, 2, 3
            having count(*) > 1
            order by 1, 2, 3
            limit {limit}
            """
        )
    ]


def _within(cut: Cut, ranges: Sequence[Range]) -> str:
    places = [
        f"(kafka_partition = {what.partition} and kafka_offset >= {what.start} and kafka_offset < {what.stop})"
        for what in ranges
    ]
    return f"topic_epoch = {cut.epoch} and ({' or '.join(places) or 'false'})"
