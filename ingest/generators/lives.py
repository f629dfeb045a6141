"""What a stream is woven of: lives that send one event after the other, and the population they come from.

A new stream is one of each. When events are sent, and what goes wrong with them, is `event_stream`'s business.
"""

from __future__ import annotations

from random import Random
from typing import Any, Protocol

from ingest.generators.records import Record


class Life:
    """Something that sends events, one step after the other: an order, a session."""

    __slots__ = ("steps", "swapped")

    def __init__(self, steps: list[Any]) -> None:
        self.steps = steps
        """The events still to come, the next one first."""
        self.swapped = 0
        """How many of the next events are out of order."""

    @property
    def can_swap(self) -> bool:
        return len(self.steps) > 1 and not self.swapped

    def swap_next_two(self) -> None:
        """Let the next two events be sent in the wrong order. Only where it `can_swap`."""
        self.steps[0], self.steps[1] = self.steps[1], self.steps[0]
        self.swapped = 2

    def take_step(self, rng: Random, timestamp: int, late: bool) -> Record:
        """The next event, dated `timestamp` in the stream's unit of time."""
        kind = "late" if late else "event"
        if self.swapped:
            self.swapped -= 1
            kind = "out_of_order"
        return self.event(self.steps.pop(0), rng, timestamp, kind)

    def event(self, step: Any, rng: Random, timestamp: int, kind: str) -> Record:
        """The event that this step is."""
        raise NotImplementedError

    def due(self, index: int, rng: Random) -> int | None:
        """The record of the stream, counted from 0, that may be the next step; None when this life is over.

        Called after each step, which was the record `index`.
        """
        raise NotImplementedError

    def illegal(self, rng: Random, timestamp: int) -> Record:
        """An event that no reader may apply now; only for streams that have such a thing."""
        raise NotImplementedError


class Population(Protocol):
    """Where the lives of one share come from. No key of its records occurs in another share."""

    def newcomer(self, index: int, rng: Random) -> Life:
        """A life that begins with the record `index`, because no life under way is due."""
        ...

    def sound(self, timestamp: int, rng: Random) -> Record:
        """An event with a key, of no life under way: what a malformed record is made from."""
        ...
