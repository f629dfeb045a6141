"""The count of what was sent: by kind and by partition, mergeable over processes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Extent:
    """What one partition got from us. Other producers' records may lie between the two offsets."""

    count: int
    first_offset: int
    last_offset: int


@dataclass
class Tally:
    """Records the broker acknowledged, and those it refused (by kind and reason)."""

    sent: int = 0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    partitions: dict[int, Extent] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    def count(self, kind: str, partition: int, offset: int) -> None:
        self.sent += 1
        self.kinds[kind] += 1
        extent = self.partitions.get(partition)
        if extent is None:
            self.partitions[partition] = Extent(1, offset, offset)
            return
        extent.count += 1
        extent.first_offset = min(extent.first_offset, offset)
        extent.last_offset = max(extent.last_offset, offset)

    def refuse(self, kind: str, reason: str) -> None:
        self.refused[f"{kind} ({reason})"] += 1

    def add(self, other: Tally) -> None:
        """Take in another process' tally; seconds are those of the slowest."""
        self.sent += other.sent
        self.seconds = max(self.seconds, other.seconds)
        self.kinds += other.kinds
        self.refused += other.refused
        for partition, extent in other.partitions.items():
            mine = self.partitions.setdefault(partition, Extent(0, extent.first_offset, extent.last_offset))
            mine.count += extent.count
            mine.first_offset = min(mine.first_offset, extent.first_offset)
            mine.last_offset = max(mine.last_offset, extent.last_offset)

    @property
    def rate(self) -> float:
        return self.sent / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, object]:
        return {
            "sent": self.sent,
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate, 1),
            "kinds": dict(sorted(self.kinds.items())),
            "partitions": {str(number): vars(extent) for number, extent in sorted(self.partitions.items())},
            "refused": dict(sorted(self.refused.items())),
        }
