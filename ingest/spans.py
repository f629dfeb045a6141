"""Between which keys lies what a merge meets: some spans, so that one old key among new ones doesn't make it read
everything from the one to the others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

MOST = 8
"""Spans. Each is planned with, and a row that is read is compared with each until one has it."""


class Span(NamedTuple):
    """The least and the greatest of some keys, in the order of their UTF-8 bytes: of Spark, Iceberg and Parquet."""

    lowest: str
    highest: str


def spans(keys: Iterable[str], most: int = MOST) -> list[Span]:
    """`keys` in at most `most` spans, each of those that begin alike: with as many characters as allow no more spans.

    Keys that rise with time are few spans, of the days or thousands they are of; random ones are one.
    """
    ordered = sorted(set(keys))
    longest = max(map(len, ordered), default=0)
    length = bisect_right(range(longest + 1), most, key=lambda of: len({key[:of] for key in ordered})) - 1
    lowest = {key[:length]: key for key in reversed(ordered)}
    highest = {key[:length]: key for key in ordered}
    return [Span(lowest[begin], highest[begin]) for begin in highest]
