"""What every generator yields: Kafka records before they are sent, and streams of them.

A stream can be cut into shares, one per process; a key never occurs in two shares, so the order of a key's records
is the order in which its share yields them.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple, Protocol


class Record(NamedTuple):
    """One Kafka record to send. `kind` says why it exists: `event`, `duplicate`, `late`, `malformed:<kind>`, …"""

    key: bytes | None
    value: bytes | None
    kind: str
    event_id: str | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Stream(Protocol):
    """Something to send to one topic. Must be picklable: a share may be generated in another process."""

    topic: str
    partitions: int
    total: int | None
    """Records of all shares together; None when the stream has no end."""

    def records(self, share: int = 0, shares: int = 1) -> Iterator[Record]:
        """The records of one share, the same for the same stream, share and number of shares."""
        ...


def uuid4(rng: Random) -> str:
    """A version 4 UUID drawn from `rng`."""
    bits = rng.getrandbits(128) & ~(0xF << 76) & ~(0x3 << 62) | (0x4 << 76) | (0x2 << 62)
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
