"""Which users and videos there are: the ids that event streams draw from and that the dimensions describe.

Users are numbered in the order in which they signed up. A few events are about ids beyond: members that the
dimensions don't know, or not yet.
"""

from __future__ import annotations

USERS = 10_000
VIDEOS = 1_000
UNKNOWN_SHARE = 0.01
"""Share of what users do that is done by, or to, a member beyond the known ones."""

_GOLDEN, _BITS = 2654435761, 32


def is_active(user_id: int) -> bool:
    """Whether the user is one of the fifth who make four fifths of the events, spread evenly over the ids."""
    return user_id * _GOLDEN % (1 << _BITS) < (1 << _BITS) // 5


def video_id(number: int) -> str:
    """The key of the video with this number, 1 to `VIDEOS` for those known."""
    return f"vid-{number:04d}"


def video_seconds(number: int) -> int:
    """How long the video with this number is: 15 seconds to 5 minutes."""
    return 15 + number * 7919 % 286
