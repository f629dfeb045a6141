"""The feed of users: who they are, where they live and what they pay for.

`country`, `plan`, `status` and `email` change (type 2); `name` is corrected (type 1). `user_id` is the id that
events have.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from random import Random
from typing import NamedTuple

from ingest.generators.dimensions import Dimension, Operation, feeds
from ingest.generators.members import USERS

# Cumulative weights.
_COUNTRIES, _COUNTRY_WEIGHTS = ("US", "DE", "BR", "IN", "FR", "GB", "JP", "NG"), (30, 45, 58, 70, 80, 89, 96, 100)
_PLANS, _PLAN_WEIGHTS = ("free", "plus", "family"), (70, 92, 100)
_CHANGES, _CHANGE_WEIGHTS = ("country", "plan", "status", "email", "nothing", "name", "delete"), (
    35, 58, 66, 73, 80, 94, 100,
)  # fmt: skip
_FIRST = ("Ada", "Björn", "Chloé", "Dmitri", "Emeka", "Fatima", "Grace", "Hiro", "Inês", "João", "Kemal", "Lena")
_LAST = ("Adeyemi", "Baker", "Costa", "Dubois", "Evans", "Fischer", "García", "Haddad", "Ito", "Jansen", "O'Neill")


class UserChange(NamedTuple):
    """One change of a user, and everything as it was after it. A deleted user's row is what it was before."""

    user_id: int
    name: str
    email: str
    country: str
    """ISO 3166, two letters."""
    plan: str
    """`free`, `plus` or `family`."""
    status: str
    """`active` or `suspended`."""
    signup_date: date
    operation: Operation
    changed_at: datetime
    change_id: str
    feed_date: date


def user_feeds(seed: int, first_day: date) -> Iterator[list[UserChange]]:
    """The full load of 10,000 users, then each day's feed: about 100 changes and 5 new users. See `feeds`."""
    return feeds(_USERS, seed, first_day)


def _born(number: int, moment: datetime, rng: Random) -> UserChange:
    return UserChange(
        user_id=number,
        name=_name(rng),
        email=f"user{number}@example.com",
        country=_drawn(_COUNTRIES, _COUNTRY_WEIGHTS, rng),
        plan=_drawn(_PLANS, _PLAN_WEIGHTS, rng),
        status="active",
        signup_date=moment.date(),
        operation="insert",
        changed_at=moment,
        change_id="",
        feed_date=moment.date(),
    )


def _changed(row: UserChange, rng: Random) -> tuple[Operation, UserChange]:
    what = _drawn(_CHANGES, _CHANGE_WEIGHTS, rng)
    if what == "delete":
        return "delete", row
    if what == "name":
        return "correction", row._replace(name=_name(rng))
    after = {
        "country": lambda: {"country": _drawn(_COUNTRIES, _COUNTRY_WEIGHTS, rng)},
        "plan": lambda: {"plan": _drawn(_PLANS, _PLAN_WEIGHTS, rng)},
        "status": lambda: {"status": "active" if row.status == "suspended" else "suspended"},
        "email": lambda: {"email": f"user{row.user_id}+{rng.randrange(1000)}@example.com"},
        "nothing": lambda: {},  # whoever sends the feed saw a change in a field we don't get
    }[what]()
    return "update", row._replace(**after)


def _name(rng: Random) -> str:
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def _drawn(values: tuple[str, ...], weights: tuple[int, ...], rng: Random) -> str:
    return rng.choices(values, cum_weights=weights)[0]


_USERS = Dimension("user", USERS, newcomers=5, changes=100, born=_born, changed=_changed)
