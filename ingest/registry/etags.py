"""Conditional requests: a GET whose caller has the state already, a change that was made for another state."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Response

from ingest.registry.problems import Problem

IfMatch = Annotated[str | None, Header(description="The ETag, of GET /config or GET /schemas, of what is to change.")]
IfNoneMatch = Annotated[str | None, Header(description="An ETag seen before: 304 while it is still that.")]


class NotModified(Exception):
    """The caller has the state `etag` already."""

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


class Seen:
    """What a GET's caller says to have seen."""

    def __init__(self, response: Response, if_none_match: IfNoneMatch = None) -> None:
        self._response, self._etags = response, if_none_match

    def compared(self, etag: str) -> None:
        """Tell the caller the state that there is. NotModified where that is what was seen."""
        if named(etag, self._etags):
            raise NotModified(etag)
        self._response.headers["ETag"] = etag


def named(etag: str, etags: str | None) -> bool:
    """Whether a header's list of ETags names this one."""
    return bool({"*", etag} & {one.strip() for one in (etags or "").split(",")})


def matches(etag: str, etags: str | None, what: str, read: str, who: str = "") -> None:
    """Problem unless `etags`, an If-Match as it came, names the state `etag`."""
    if etags is None:
        detail = f"Say which state of {what} is meant to change: If-Match with the ETag of {read}."
        raise Problem(428, "if-match-needed", detail)
    if not named(etag, etags):
        raise Problem(412, "stale", f"{what} was changed meanwhile{who}: look at it again.", headers={"ETag": etag})
