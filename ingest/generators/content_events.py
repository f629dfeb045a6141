"""The content events stream: what viewers do with videos. Their sessions lie more than 30 minutes apart.

Where more is asked for than 10,000 people watch at their leisure, sessions get longer and never closer, so that the
sessions an analyst finds are the ones that were.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import ClassVar, NamedTuple

from ingest.generators.crowd import Crowd, capacity
from ingest.generators.event_stream import EventStream
from ingest.generators.members import video_id, video_seconds
from ingest.generators.payload import Client
from ingest.generators.popularity import Popularity
from ingest.generators.records import Record, uuid4
from ingest.generators.sessions import Session

_MILLISECONDS = 1000
_GAP, _REST, _VIDEOS = 6, 31 * 60, 8
"""Seconds between two events of a session and between two sessions of a user (at least), videos met in a session."""
_LONGEST = 600
"""Seconds that a session may take on average, however many events it is made to have."""

# What can happen between a viewer and a video, with its share of the times they meet: usually, and on a viral wave.
_WAYS = {
    ("impression",): (0.40, 0.20),
    ("impression", "skip"): (0.10, 0.05),
    ("impression", "play"): (0.05, 0.05),
    ("impression", "play", "skip"): (0.22, 0.10),
    ("impression", "play", "finish"): (0.13, 0.15),
    ("impression", "play", "like", "finish"): (0.06, 0.20),
    ("impression", "play", "share", "finish"): (0.02, 0.10),
    ("impression", "play", "like", "share", "finish"): (0.02, 0.15),
}
_WAY_LIST = tuple(_WAYS)
_WAY_WEIGHTS = tuple(tuple(accumulate(weights)) for weights in zip(*_WAYS.values(), strict=True))
_EVENTS_OF_A_VIDEO = sum(len(way) * usually for way, (usually, _) in _WAYS.items())


class Step(NamedTuple):
    """One event to come; `watch_ms` is None where the video was not played."""

    event_type: str
    video: int
    watch_ms: int | None


@dataclass(frozen=True)
class ContentStream(EventStream):
    """Content events, key `video_id`, dated in epoch milliseconds.

    A viewer of one share meets the videos of that share only: so both a video's events and a user's come from one.
    """

    topic: str = "content_events"
    partitions: int = 4

    dataset: ClassVar[str] = "content_events"
    ticks_per_second: ClassVar[int] = _MILLISECONDS

    def population(self, share: int, shares: int) -> Viewers:
        load = self.load(share, shares)
        leisure = _VIDEOS * _EVENTS_OF_A_VIDEO * capacity(_LONGEST + _REST)
        stretch = max(1.0, load * shares / leisure)
        gap = min(_GAP, _LONGEST / (_VIDEOS * _EVENTS_OF_A_VIDEO * stretch))
        records = self.span * load
        crowd = Crowd(share, shares, rest=_REST * load, growth=records)
        popularity = Popularity(self.seed, share, shares, load, self.span)
        return Viewers(crowd, popularity, _VIDEOS * stretch, wait=gap * load, records=records)


class Viewers:
    """The sessions of one share, of about `videos` each, an event every `wait` records, over `records` in all."""

    def __init__(self, crowd: Crowd, popularity: Popularity, videos: float, wait: float, records: float) -> None:
        self.crowd, self.popularity, self.videos, self.wait, self._records = crowd, popularity, videos, wait, records

    def newcomer(self, index: int, rng: Random) -> Viewing:
        return Viewing(self, self.crowd.enter(index, rng), Client(index / self._records, rng), index, rng)

    def sound(self, timestamp: int, rng: Random) -> Record:
        video, _ = self.popularity.meet(0, rng)
        viewing = Viewing(self, self.crowd.anyone(0, rng), Client(0, rng), 0, rng)
        return viewing.event(Step("impression", video, None), rng, timestamp, "event")


class Viewing(Session):
    """One session: a viewer with one client meets one video after the other."""

    __slots__ = ("_client", "_popularity", "_videos_left")

    def __init__(self, viewers: Viewers, user: int, client: Client, index: int, rng: Random) -> None:
        super().__init__([], user, viewers.crowd, viewers.wait, second=_MILLISECONDS)
        self._client, self._popularity = client, viewers.popularity
        self._videos_left = 1 + int(rng.expovariate(1 / viewers.videos))
        self._look_ahead(index, rng)

    def due(self, index: int, rng: Random) -> int | None:
        self._look_ahead(index, rng)
        return super().due(index, rng)

    def _look_ahead(self, index: int, rng: Random) -> None:
        """Meet the next videos, so that the next two events are known as long as there are any."""
        while self._videos_left and len(self.steps) < 2:
            self._videos_left -= 1
            video, is_viral = self._popularity.meet(index, rng)
            length = video_seconds(video) * 1000
            watched = int(length * rng.random())
            watch = {"impression": None, "play": 0, "finish": length, "skip": watched}
            way = rng.choices(_WAY_LIST, cum_weights=_WAY_WEIGHTS[is_viral])[0]
            self.steps += [Step(event_type, video, watch.get(event_type, watched)) for event_type in way]

    def event(self, step: Step, rng: Random, timestamp: int, kind: str) -> Record:
        event_id, video = uuid4(rng), video_id(step.video)
        value = (
            f'{{"event_id":"{event_id}","event_timestamp":{timestamp},"event_type":"{step.event_type}",'
            f'"video_id":"{video}","user_id":{self.user},"payload":{self._client.payload(step.watch_ms)}}}'
        )
        return Record(video.encode(), value.encode(), kind, event_id)
