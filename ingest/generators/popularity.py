"""Which video is met next: few are met all the time, most hardly ever, and now and then one of those goes viral."""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate
from random import Random
from typing import NamedTuple

from ingest.generators.members import UNKNOWN_SHARE, VIDEOS

_EXPONENT = 1.0
"""Of the power law: the video at rank r is met in proportion to r ** -_EXPONENT."""
_WAVE = 1800.0
"""Seconds in which one video goes viral and is forgotten again, or a quarter of the span where that is less."""
_RISE = 0.3
"""The part of a wave in which it rises."""
_STRANGERS = VIDEOS // 20


class Wave(NamedTuple):
    """One video's rise and fall, in seconds from the stream's start. At its `peak`, that share of what is met."""

    video: int
    begin: float
    length: float
    peak: float

    def share_at(self, seconds: float) -> float:
        """Share of what is met at this time."""
        part = (seconds - self.begin) / self.length
        if not 0 <= part < 1:
            return 0.0
        return self.peak * (part / _RISE if part < _RISE else (1 - part) / (1 - _RISE))


class Popularity:
    """The videos whose number is `share` + 1 modulo `shares`; the ranks are the same in all shares of a seed.

    `load` is the share's records a second, `span` the seconds of event time it covers.
    """

    def __init__(self, seed: int, share: int, shares: int, load: float, span: float) -> None:
        ranked = list(range(1, VIDEOS + 1))
        Random(f"ranks/{seed}").shuffle(ranked)
        weights = {video: rank**-_EXPONENT for rank, video in enumerate(ranked, 1)}
        self._videos = [video for video in ranked if video % shares == (share + 1) % shares]
        self._cumulated = list(accumulate(weights[video] for video in self._videos))
        beyond = range(VIDEOS + 1, VIDEOS + max(_STRANGERS, shares) + 1)
        self._strangers = [video for video in beyond if video % shares == (share + 1) % shares]
        self._name = f"{seed}/{share}/{shares}"
        self._load, self._slot = load, min(_WAVE, max(span, 1) / 4)
        self._wave_of: tuple[int, Wave] = (-1, Wave(0, 0, 1, 0))

    def meet(self, index: int, rng: Random) -> tuple[int, bool]:
        """The number of a video met with the record `index`, and whether it was met because it is going viral."""
        seconds = index / self._load
        wave = self.wave_at(seconds)
        if rng.random() < wave.share_at(seconds):
            return wave.video, True
        if rng.random() < UNKNOWN_SHARE:
            return rng.choice(self._strangers), False
        return self._videos[bisect(self._cumulated, rng.random() * self._cumulated[-1])], False

    def wave_at(self, seconds: float) -> Wave:
        """The wave that comes in this time."""
        number = int(seconds / self._slot)
        if self._wave_of[0] != number:
            rng = Random(f"wave/{self._name}/{number}")
            length = self._slot * rng.uniform(0.5, 0.9)
            begin = number * self._slot + rng.random() * (self._slot - length)
            unpopular = self._videos[len(self._videos) // 5 :]
            self._wave_of = number, Wave(rng.choice(unpopular), begin, length, rng.uniform(0.1, 0.4))
        return self._wave_of[1]
