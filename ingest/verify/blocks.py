"""Comparing millions of records by small sums: per (partition, block of offsets) a count and the sum of the hashes.

Only blocks whose sums differ are listed record by record. A sum, unlike an xor, also sees a record that is there twice,
and the offset is in every hash, so neither a swap nor a loss that a double makes up for goes unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ingest.verify.fingerprint import differing_parts, hash_of

BLOCK = 10_000
"""Offsets per block. The range of a block is [number * BLOCK, (number + 1) * BLOCK)."""

FaultKind = Literal["missing", "extra", "changed", "doubled"]


@dataclass(frozen=True, order=True)
class Range:
    """Offsets of one partition from `start` up to, not including, `stop`."""

    partition: int
    start: int
    stop: int

    def __len__(self) -> int:
        return max(0, self.stop - self.start)

    def __contains__(self, place: tuple[int, int]) -> bool:
        return place[0] == self.partition and self.start <= place[1] < self.stop

    def pieces(self, size: int) -> Iterator[Range]:
        """The range cut at multiples of `size`."""
        start = self.start
        while start < self.stop:
            stop = min(self.stop, (start // size + 1) * size)
            yield Range(self.partition, start, stop)
            start = stop


@dataclass(frozen=True)
class Sum:
    """How many records, and the sum of their signed 64-bit hashes."""

    count: int = 0
    total: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.count + other.count, self.total + other.total)

    @property
    def evidence(self) -> str:
        """The sum as 16 hex digits, for people to compare."""
        return f"{self.total % (1 << 64):016x}"


Blocks = dict[tuple[int, int], Sum]
"""Sums by (partition, block number)."""


@dataclass(frozen=True, order=True)
class Fault:
    """A record that is not in bronze as the broker has it; `parts` says what differs when it is `changed`."""

    partition: int
    offset: int
    kind: FaultKind
    parts: tuple[str, ...] = ()
    copies: int = 1


def summed(partition: int, fingerprints: Iterable[tuple[int, bytes]]) -> Blocks:
    """Sums per block of one partition's (offset, fingerprint)s."""
    counts: dict[int, int] = {}
    totals: dict[int, int] = {}
    for offset, fingerprint in fingerprints:
        block = offset // BLOCK
        counts[block] = counts.get(block, 0) + 1
        totals[block] = totals.get(block, 0) + hash_of(fingerprint)
    return {(partition, block): Sum(count, totals[block]) for block, count in counts.items()}


def added(blocks: Iterable[Blocks]) -> Blocks:
    """Sums of several parts together."""
    result: Blocks = {}
    for part in blocks:
        for place, amount in part.items():
            result[place] = result.get(place, Sum()) + amount
    return result


def differing(broker: Blocks, bronze: Blocks, within: Sequence[Range]) -> list[Range]:
    """The ranges of the blocks whose sums differ, cut to `within`, neighbours joined up to 20 blocks."""
    joined: list[Range] = []
    for partition, block in sorted(broker.keys() | bronze.keys()):
        if broker.get((partition, block)) == bronze.get((partition, block)):
            continue
        for bound in within:
            if bound.partition != partition:
                continue
            start, stop = max(bound.start, block * BLOCK), min(bound.stop, (block + 1) * BLOCK)
            last = joined[-1] if joined else None
            if last and last.partition == partition and last.stop == start and len(last) < 20 * BLOCK:
                joined[-1] = Range(partition, last.start, stop)
            elif start < stop:
                joined.append(Range(partition, start, stop))
    return joined


def faults(partition: int, broker: Mapping[int, bytes], bronze: Mapping[int, Sequence[bytes]]) -> Iterator[Fault]:
    """What differs between fingerprints by offset; bronze may have several rows of an offset."""
    for offset in sorted(broker.keys() | bronze.keys()):
        sent, rows = broker.get(offset), bronze.get(offset, ())
        if sent is None:
            yield Fault(partition, offset, "extra", copies=len(rows))
        elif not rows:
            yield Fault(partition, offset, "missing")
        elif wrong := [row for row in rows if row != sent]:
            yield Fault(partition, offset, "changed", tuple(differing_parts(sent, wrong[0])), len(rows))
        elif len(rows) > 1:
            yield Fault(partition, offset, "doubled", copies=len(rows))
