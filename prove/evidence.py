"""What a proof shows of one subject: two sides that must be equal, each by its rows and a hash of their values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """`subject` as of `cut`. The hashes don't depend on the order of rows."""

    subject: str
    cut: str
    rows_left: int
    rows_right: int
    hash_left: str
    hash_right: str

    @property
    def is_equal(self) -> bool:
        return (self.rows_left, self.hash_left) == (self.rows_right, self.hash_right)
