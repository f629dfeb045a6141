"""The feed of videos: what they are, whose, and whether they may be shown.

`category`, `creator` and `status` change (type 2); `title` is corrected (type 1); `duration_seconds` stays. `video_id`
is the key that events have.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from random import Random
from typing import NamedTuple

from ingest.generators.dimensions import Dimension, Operation, feeds
from ingest.generators.members import VIDEOS, video_id, video_seconds

_CATEGORIES = ("comedy", "cooking", "music", "news", "science", "sports", "travel")
_CREATORS = 120
_CHANGES, _CHANGE_WEIGHTS = ("status", "category", "creator", "nothing", "title", "delete"), (40, 60, 65, 73, 94, 100)
_SUBJECTS = ("Pasta", "The moon", "Tiny houses", "Marathon day", "A capella", "Ümlauts", "Night trains", "Chess")
_TURNS = ("in ten minutes", "explained", "gone wrong", "for beginners", "– part 2", "you've never seen")


class VideoChange(NamedTuple):
    """One change of a video, and everything as it was after it. A deleted video's row is what it was before."""

    video_id: str
    title: str
    category: str
    creator: str
    duration_seconds: int
    status: str
    """`published`, `private` or `banned`."""
    published_date: date
    operation: Operation
    changed_at: datetime
    change_id: str
    feed_date: date


def video_feeds(seed: int, first_day: date) -> Iterator[list[VideoChange]]:
    """The full load of 1,000 videos, then each day's feed: about 20 changes and a new video. See `feeds`."""
    return feeds(_VIDEOS, seed, first_day)


def _born(number: int, moment: datetime, rng: Random) -> VideoChange:
    return VideoChange(
        video_id=video_id(number),
        title=_title(rng),
        category=rng.choice(_CATEGORIES),
        creator=_creator(rng),
        duration_seconds=video_seconds(number),
        status="published",
        published_date=moment.date(),
        operation="insert",
        changed_at=moment,
        change_id="",
        feed_date=moment.date(),
    )


def _changed(row: VideoChange, rng: Random) -> tuple[Operation, VideoChange]:
    what = rng.choices(_CHANGES, cum_weights=_CHANGE_WEIGHTS)[0]
    if what == "delete":
        return "delete", row
    if what == "title":
        return "correction", row._replace(title=_title(rng))
    after = {
        "status": lambda: {"status": rng.choice(("banned", "private")) if row.status == "published" else "published"},
        "category": lambda: {"category": rng.choice(_CATEGORIES)},
        "creator": lambda: {"creator": _creator(rng)},
        "nothing": lambda: {},  # whoever sends the feed saw a change in a field we don't get
    }[what]()
    return "update", row._replace(**after)


def _title(rng: Random) -> str:
    return f"{rng.choice(_SUBJECTS)} {rng.choice(_TURNS)}"


def _creator(rng: Random) -> str:
    return f"creator-{1 + int(_CREATORS * rng.random() ** 2):03d}"


_VIDEOS = Dimension("video", VIDEOS, newcomers=1, changes=20, born=_born, changed=_changed)
