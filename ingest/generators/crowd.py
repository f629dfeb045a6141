"""Who comes next: the users of one share, active ones more often, each with one session at a time and a rest after it.

The user base grows: at first half of the users are there, at the end of the span all are. The longer an active user has
been there, the more often they come, so that some come again within hours, however few sessions there are.
"""

from __future__ import annotations

from math import ceil, inf
from random import Random

from ingest.generators.members import UNKNOWN_SHARE, USERS, is_active

ACTIVE_SHARE = 0.8
"""Share of the sessions that active users make."""
_FIRST = 0.5
_AT_ONCE = 0.5
"""Share of the active users who may be in a session or resting, so that the next one is found soon."""
_LOYALTY = 4
"""How unequal active users are: the first tenth of them makes 0.1 ** (1 / 4), more than half of their sessions."""
_STRANGERS = USERS // 20
_TRIES = 20


def capacity(cycle: float) -> float:
    """Sessions a second that all users can begin when a session and the rest after it take `cycle` seconds."""
    return _AT_ONCE * _FIRST * USERS / 5 / ACTIVE_SHARE / cycle


class Crowd:
    """The users whose id is `share` + 1 modulo `shares`. `rest` and `growth` are counted in records of the share."""

    def __init__(self, share: int, shares: int, rest: float, growth: float) -> None:
        known = range(share + 1, USERS + 1, shares)
        self._active = [user for user in known if is_active(user)]
        self._others = [user for user in known if not is_active(user)]
        self._next_guest, self._shares = share + 1 + len(known) * shares, shares
        self._strangers = list(range(self._next_guest, USERS + _STRANGERS + 1, shares))
        self._next_guest += len(self._strangers) * shares
        self._rest, self._growth = ceil(rest), max(growth, 1)
        self._free_from: dict[int, float] = {}

    def enter(self, index: int, rng: Random) -> int:
        """A user who is neither in a session nor resting, and now is in one. An unknown one where nobody is found."""
        users, there, loyalty = self._some(index, rng)
        for _ in range(_TRIES if there else 0):
            user = users[int(rng.random() ** loyalty * there)]
            if self._free_from.get(user, 0) <= index:
                self._free_from[user] = inf
                return user
        self._next_guest += self._shares
        return self._next_guest - self._shares

    def leave(self, user: int, index: int) -> None:
        """The user's session has ended with the record `index`."""
        self._free_from[user] = index + 1 + self._rest

    def anyone(self, index: int, rng: Random) -> int:
        """Some user, whatever they are doing."""
        users, there, _ = self._some(index, rng)
        return users[int(rng.random() * there)] if there else self._next_guest

    def _some(self, index: int, rng: Random) -> tuple[list[int], int, int]:
        """Active users, the others or strangers, how many of the list are there by now, and the pull of the first."""
        if rng.random() < UNKNOWN_SHARE:
            return self._strangers, len(self._strangers), 1
        users, loyalty = (self._active, _LOYALTY) if rng.random() < ACTIVE_SHARE else (self._others, 1)
        return users, ceil(len(users) * min(1.0, _FIRST + (1 - _FIRST) * index / self._growth)), loyalty
