"""A session: what one user does from coming to leaving. No session id is sent; time alone says which events belong."""

from __future__ import annotations

from random import Random
from typing import Any

from ingest.generators.crowd import Crowd
from ingest.generators.lives import Life
from ingest.generators.records import Record


class Session(Life):
    """The steps of `user`, on average `wait` records apart. `second` is the stream's ticks of event time in one."""

    __slots__ = ("_crowd", "_second", "_sent_at", "_wait", "user")

    def __init__(self, steps: list[Any], user: int, crowd: Crowd, wait: float, second: int) -> None:
        super().__init__(steps)
        self.user = user
        self._crowd, self._wait, self._second, self._sent_at = crowd, wait, second, 0

    def take_step(self, rng: Random, timestamp: int, late: bool) -> Record:
        if self.swapped == 1:
            # It was overtaken on the way: it comes after the other event, and happened before it.
            timestamp = self._sent_at - self._second
        self._sent_at = timestamp
        return super().take_step(rng, timestamp, late)

    def due(self, index: int, rng: Random) -> int | None:
        if not self.steps:
            self._crowd.leave(self.user, index)
            return None
        return index + 1 + int(rng.expovariate(1 / self._wait))
