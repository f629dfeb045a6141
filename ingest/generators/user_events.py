"""The user events stream: visits to a shop, from login to logout, with clicks and now and then a purchase between.

Where more is asked for than 10,000 people do at their leisure, visits get faster, so that logins, clicks and purchases
keep their proportions.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from ingest.generators.crowd import Crowd, capacity
from ingest.generators.event_stream import EventStream
from ingest.generators.iso_times import form_of
from ingest.generators.records import Record, uuid4
from ingest.generators.sessions import Session

Step = tuple[str, str]
"""Type of event, and the page it happens on."""

_MICROSECONDS = 1_000_000
_GAP, _REST, _EVENTS = 20, 120, 9
"""Seconds between two events of a visit and between two visits of a user, and events of a visit: natural averages."""
_MOBILE_SHARE = 0.55
_KEYLESS_SHARE = 0.01
"""Share of the visits whose client sends no key."""
_BUYS, _BUYS_AGAIN, _LOGS_OUT = 0.3, 0.05, 0.65

# Cumulative weights.
_PAGES, _PAGE_WEIGHTS = ("/home", "/products", "/search", "/cart", "/account", "/help"), (28, 65, 77, 91, 97, 100)
_BUYING_PAGES, _BUYING_WEIGHTS = ("/checkout", "/cart", "/products"), (60, 90, 100)


@dataclass(frozen=True)
class UserStream(EventStream):
    """User events, key `user_id` as text or none, dated in ISO 8601 of many forms."""

    topic: str = "user-events"
    partitions: int = 3

    dataset: ClassVar[str] = "user_events"
    ticks_per_second: ClassVar[int] = _MICROSECONDS
    topic_config: ClassVar[dict[str, str]] = {"retention.ms": str(24 * 3600 * 1000)}

    def population(self, share: int, shares: int) -> Visitors:
        load = self.load(share, shares)
        leisure = _EVENTS * capacity(_EVENTS * _GAP + _REST)
        hurry = min(1.0, leisure / (load * shares))
        crowd = Crowd(share, shares, rest=_REST * hurry * load, growth=self.span * load)
        return Visitors(crowd, wait=_GAP * hurry * load)


class Visitors:
    """The visits of one share; `wait` is the records between two events of a visit."""

    def __init__(self, crowd: Crowd, wait: float) -> None:
        self._crowd, self._wait = crowd, wait

    def newcomer(self, index: int, rng: Random) -> Visit:
        return Visit(self._crowd.enter(index, rng), rng, self._crowd, self._wait)

    def sound(self, timestamp: int, rng: Random) -> Record:
        visit = Visit(self._crowd.anyone(0, rng), rng, self._crowd, self._wait, can_be_keyless=False)
        return visit.event(("click", "/home"), rng, timestamp, "event")


class Visit(Session):
    """One user's visit from one client, which writes times in its own way."""

    __slots__ = ("_form", "_key", "_source")

    def __init__(self, user: int, rng: Random, crowd: Crowd, wait: float, can_be_keyless: bool = True) -> None:
        super().__init__(_plan(rng), user, crowd, wait, second=_MICROSECONDS)
        self._source = "mobile" if rng.random() < _MOBILE_SHARE else "web"
        self._form = form_of(self._source, rng)
        self._key = None if can_be_keyless and rng.random() < _KEYLESS_SHARE else str(user).encode()

    def event(self, step: Step, rng: Random, timestamp: int, kind: str) -> Record:
        event_id, (event_type, page) = uuid4(rng), step
        value = (
            f'{{"event_id":"{event_id}","user_id":{self.user},"event_type":"{event_type}","page":"{page}",'
            f'"timestamp":"{self._form.written(timestamp)}","source":"{self._source}"}}'
        )
        return Record(self._key, value.encode(), kind, event_id)


def _plan(rng: Random) -> list[Step]:
    """What a visitor will do: log in, click, perhaps buy once or twice, and most of them log out."""
    clicks = 2 + int(rng.expovariate(1 / 5))
    steps = [("click", page) for page in rng.choices(_PAGES, cum_weights=_PAGE_WEIGHTS, k=clicks)]
    if rng.random() < _BUYS:
        for _ in range(1 + (rng.random() < _BUYS_AGAIN)):
            page = rng.choices(_BUYING_PAGES, cum_weights=_BUYING_WEIGHTS)[0]
            steps.insert(rng.randint(1, len(steps)), ("purchase", page))
    logout = [("logout", "/account")] if rng.random() < _LOGS_OUT else []
    return [("login", "/login"), *steps, *logout]
