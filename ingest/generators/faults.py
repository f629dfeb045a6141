"""The faults a stream is asked for, as shares of its records, and how one roll of the dice picks among them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

_HOUR = 3600


@dataclass(frozen=True)
class Faults:
    """Shares of all records, each between 0 and 1, together at most 1; ValueError otherwise."""

    duplicates: float = 0.01
    late: float = 0.01
    out_of_order: float = 0.005
    illegal: float = 0.01
    malformed: float = 0.002

    def __post_init__(self) -> None:
        shares = (self.duplicates, self.late, self.out_of_order, self.illegal, self.malformed)
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError("the shares of faults must not be negative, and together not above 1")

    def thresholds(self) -> tuple[float, float, float, float, float]:
        """Where one roll of the dice falls: duplicate, late, illegal, malformed, swap, one after the other."""
        duplicates = self.duplicates
        late = duplicates + self.late
        illegal = late + self.illegal
        broken = illegal + self.malformed
        # A swap makes two records out of order.
        swaps = broken + self.out_of_order / 2
        return duplicates, late, illegal, broken, swaps


NO_FAULTS = Faults(0, 0, 0, 0, 0)
USUAL = Faults()
USUAL_BUT_LEGAL = Faults(illegal=0)


def lateness(rng: Random) -> int:
    """Seconds between 1 and 24 hours, most of them few: a phone that was offline, seldom one that was lost."""
    return min(int(_HOUR + rng.expovariate(1 / _HOUR)), 24 * _HOUR)
