"""The versions of each bronze table's schema: at most one is ACTIVE, at most one BLOCKED.

A change is made against the version that its maker has seen: where it no longer holds, StaleVersion, and nothing
is changed.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from ingest.schema.compare import Change
from ingest.schema.database import VERSIONS, change, one, read, reading, transaction
from ingest.schema.model import Schema
from ingest.schema.version import StaleVersion, Status, Version, holding, waiting

INGESTER = "lake ingest"


def versions(table: str) -> list[Version]:
    """Every version of the schema of `bronze.<table>`, oldest first."""
    with reading() as connection:
        return read(connection, table)


def active(table: str) -> Version | None:
    """The version that holds; None where there is none yet."""
    return holding(versions(table))


def record(
    table: str,
    schema: Schema,
    status: Status,
    changes: Sequence[Change] = (),
    since: dict[str, Any] | None = None,
    based_on: int | None = None,
    who: str | None = None,
) -> Version:
    """A new version, made from `based_on`, which holds. An ACTIVE one retires that; a BLOCKED one is superseded."""
    with transaction() as connection:
        known = read(connection, table)
        held = holding(known)
        if (held.number if held else None) != based_on:
            raise StaleVersion(f"{table}: version {based_on} does not hold any more: lake schema show")
        if (blocked := waiting(known)) and status in ("ACTIVE", "BLOCKED"):
            _decide(connection, blocked, "RETIRED", "superseded", INGESTER)
        if status == "ACTIVE" and held:
            change(connection, held, status="RETIRED")
        number = max((version.number for version in known), default=0) + 1
        connection.execute(
            VERSIONS.insert().values(
                table=table, number=number, status=status, schema=schema.model_dump(mode="json"),
                changes=[one.model_dump(mode="json") for one in changes], since=since or {},
                recorded_at=datetime.now(UTC), recorded_by=who or getpass.getuser(),
            )
        )  # fmt: skip
        return one(connection, table, number)


def activate(table: str, version: int) -> Version:
    """The INITIAL version becomes ACTIVE: a range was checked against it."""
    return _from(table, version, "INITIAL", None, INGESTER)


def accept(table: str, version: int, who: str) -> Version:
    """The BLOCKED version becomes ACTIVE: what it changes is right."""
    return _from(table, version, "BLOCKED", "accepted", who)


def rollback(table: str, to: int, who: str) -> Version:
    """The version `to` holds again. What later ones changed is refused: it stops no gold, and no version takes it."""
    with transaction() as connection:
        known = read(connection, table)
        target, blocked = one(connection, table, to), waiting(known)
        if target.status == "BLOCKED":
            raise StaleVersion(f"{table}: version {to} is BLOCKED: accept it, or roll back to one that held")
        if target.status == "ACTIVE" and blocked is None:
            raise StaleVersion(f"{table}: version {to} is ACTIVE and none is BLOCKED: nothing to roll back")
        for version in known:
            if version.number > to:
                _decide(connection, version, "RETIRED", "refused", who)
        return _activate(connection, target, "accepted" if target.status == "RETIRED" else target.decision, who)


def _from(table: str, number: int, status: Status, decision: str | None, who: str) -> Version:
    with transaction() as connection:
        target = one(connection, table, number)
        if target.status != status:
            raise StaleVersion(f"{table}: version {number} is {target.status}, not {status}: lake schema show")
        return _activate(connection, target, decision, who)


def _activate(connection: Connection, target: Version, decision: str | None, who: str) -> Version:
    for version in read(connection, target.table):
        if version.number != target.number and version.status in ("ACTIVE", "INITIAL"):
            change(connection, version, status="RETIRED")
    _decide(connection, target, "ACTIVE", decision, who)
    return one(connection, target.table, target.number)


def _decide(connection: Connection, version: Version, status: Status, decision: str | None, who: str) -> None:
    change(connection, version, status=status, decision=decision, decided_at=datetime.now(UTC), decided_by=who)
