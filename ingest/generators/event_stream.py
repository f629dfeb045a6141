"""A stream of events: many lives under way at once, each taking its steps, plus the faults asked for.

Deterministic: the same stream, share and number of shares yield the same bytes. Only an endless stream dates its
events by the clock; all else about it is drawn from the seed too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count as counting
from random import Random
from typing import ClassVar

from ingest.generators import malformed
from ingest.generators.drift import chosen, drifted
from ingest.generators.faults import USUAL_BUT_LEGAL, Faults, lateness
from ingest.generators.lives import Life, Population
from ingest.generators.records import Record

_REMEMBERED = 1000
_UNPACED = 20_000
"""Records a second that an endless stream is taken to make where nobody limits it."""


@dataclass(frozen=True)
class EventStream:
    """Events from `start` (epoch seconds) over `span` seconds; endless, it ignores `count` and is dated by the clock.

    `corpus` puts one record of each kind of `malformed_kinds` (all when empty) first, beyond `count`. `rate` is what an
    endless stream will be sent at, records a second (0: as fast as it goes), so that its lives take a natural time.
    `drift` names changes of the events (`ingest.generators.drift`). ValueError for faults that such events can't have.
    """

    seed: int
    start: int
    span: int
    count: int
    faults: Faults = USUAL_BUT_LEGAL
    corpus: bool = False
    malformed_kinds: tuple[str, ...] = ()
    endless: bool = False
    topic: str = ""
    partitions: int = 1
    rate: float = 0
    drift: tuple[str, ...] = ()

    dataset: ClassVar[str]
    ticks_per_second: ClassVar[int] = 1
    """The unit of event time."""
    topic_config: ClassVar[dict[str, str]] = {}
    """What the topic is created with, beside its partitions."""
    has_illegal_events: ClassVar[bool] = False

    def __post_init__(self) -> None:
        chosen(self.drift)
        if self.faults.illegal and not self.has_illegal_events:
            raise ValueError(f"no event of {self.dataset} is illegal in the state it meets: leave --illegal out.")

    @property
    def total(self) -> int | None:
        corpus = len(malformed.chosen(self.malformed_kinds, self.dataset)) if self.corpus else 0
        return None if self.endless else self.count + corpus

    def population(self, share: int, shares: int) -> Population:
        """Whose events they are."""
        raise NotImplementedError

    def count_of(self, share: int, shares: int) -> int:
        """Records of this share, the corpus aside."""
        return self.count // shares + (share < self.count % shares)

    def load(self, share: int, shares: int) -> float:
        """Records of the share in a second of event time; above 0."""
        if self.endless:
            return (self.rate or _UNPACED) / shares
        return max(self.count_of(share, shares), 1) / max(self.span, 1)

    def records(self, share: int = 0, shares: int = 1) -> Iterator[Record]:
        rng = Random(f"{self.dataset}/{self.seed}/{share}/{shares}")
        population = self.population(share, shares)
        if self.corpus:
            for kind in malformed.chosen(self.malformed_kinds, self.dataset)[share::shares]:
                yield kind.record(population.sound(self.start * self.ticks_per_second, rng))
        events = self._woven(rng, population, self.count_of(share, shares))
        yield from drifted(events, self.dataset, self.drift) if self.drift else events

    def _woven(self, rng: Random, population: Population, count: int) -> Iterator[Record]:
        """`count` records (no end when the stream is endless): due steps of lives under way, new lives, faults."""
        kinds = malformed.chosen(self.malformed_kinds, self.dataset)
        weights = [kind.weight for kind in kinds]
        duplicates, late, illegal, broken, swaps = self.faults.thresholds()
        ticks = self.ticks_per_second
        under_way: list[tuple[int, int, Life]] = []
        past: list[tuple[Record, Life]] = []
        owed_swaps = 0

        for index in counting() if self.endless else range(count):
            if self.endless:
                now = int(time.time() * ticks)
            else:
                now = self.start * ticks + self.span * ticks * (index + 1) // count
            roll = rng.random()
            if roll < duplicates and past:
                yield rng.choice(past)[0]._replace(kind="duplicate")
                continue
            if late <= roll < illegal and past:
                yield rng.choice(past)[1].illegal(rng, now)
                continue
            if illegal <= roll < broken and kinds:
                yield rng.choices(kinds, weights)[0].record(population.sound(now, rng))
                continue
            if broken <= roll < swaps:
                owed_swaps += 1
            is_due = under_way and under_way[0][0] <= index
            life = heappop(under_way)[2] if is_due else population.newcomer(index, rng)
            if owed_swaps and life.can_swap:
                life.swap_next_two()
                owed_swaps -= 1
            is_late = duplicates <= roll < late
            record = life.take_step(rng, now - lateness(rng) * ticks if is_late else now, is_late)
            due = life.due(index, rng)
            if due is not None:
                heappush(under_way, (due, index, life))
            # A ring: beyond the end, a slice assignment appends.
            past[index % _REMEMBERED : index % _REMEMBERED + 1] = [(record, life)]
            yield record
