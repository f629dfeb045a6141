"""A version of a bronze table's schema, and what a list of them says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ingest.schema.compare import Change
from ingest.schema.model import Schema

Status = Literal["INITIAL", "ACTIVE", "BLOCKED", "RETIRED"]


class StaleVersion(RuntimeError):
    """Someone else has changed the table's versions meanwhile, or the version is not of the status that it must be."""


class NoSuchVersion(LookupError):
    """The table has no version of that number."""


class Version(BaseModel):
    """One version. `since`: the topic epoch, and per partition the first offset of the range that showed it.

    `decision` is accepted, refused (its changes go on being let through as odd rows) or superseded; None without one.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)

    table: str
    number: int
    status: Status
    body: Schema = Field(alias="schema")
    changes: list[Change]
    since: dict[str, Any]
    recorded_at: datetime
    recorded_by: str
    decision: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None


def holding(known: Iterable[Version]) -> Version | None:
    """The version that holds: the ACTIVE one, or the INITIAL one until a range has been checked against it."""
    by_status = {one.status: one for one in known}
    return by_status.get("ACTIVE") or by_status.get("INITIAL")


def waiting(known: Iterable[Version]) -> Version | None:
    """The BLOCKED version, which waits for a person."""
    return next((one for one in known if one.status == "BLOCKED"), None)


def refused(known: Iterable[Version]) -> set[tuple[str, str]]:
    """Kind and path of the changes that a person has refused: rows that show them are odd rows."""
    gone = (one for one in known if one.decision == "refused" and one.status == "RETIRED")
    return {(change.kind, change.path) for one in gone for change in one.changes}


def has_accepted(known: Iterable[Version], change: Change) -> bool:
    """Whether the last decision on a change of this kind was a person's yes to this one."""
    decided = [one for one in known if one.decision == "accepted" and change.kind in {of.kind for of in one.changes}]
    return bool(decided) and change in decided[-1].changes
