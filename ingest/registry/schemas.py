"""Versions of a stream's schema over HTTP: what there is, and a person's decision about one that is blocked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel

from ingest.registry.bodies import Accept, Rollback
from ingest.registry.changes import FieldChange
from ingest.registry.etags import IfMatch, Seen, matches
from ingest.registry.problems import Problem
from ingest.registry.routes import REFUSALS, DryRun, Table, examples, store_of
from ingest.registry.store import Asked
from ingest.registry.tables import digest
from ingest.registry.tokens import Reader, Writer
from ingest.schema import store
from ingest.schema.version import NoSuchVersion, StaleVersion, Version, holding, waiting

router = APIRouter(prefix="/schemas/{table}", responses=REFUSALS)
Statuses = dict[int, str]


class Versions(BaseModel):
    """The history of a bronze table's schema, oldest version first; which holds, and which waits for a decision."""

    table: str
    active: int | None
    blocked: int | None
    versions: list[Version]


class Decided(BaseModel):
    """What a decision did, or would do with `dry_run`: the status of each version that it changes."""

    table: str
    dry_run: bool
    etag: str
    changes: list[FieldChange]


@router.get("")
def history(request: Request, who: Reader, table: Table, seen: Annotated[Seen, Depends()]) -> Versions:
    """Every version of the schema of a table's stream, with its fields and what it changed."""
    bronze = bronze_of(request, table)[1]
    known = store.versions(bronze)
    seen.compared(_etag(_statuses(known)))
    held, blocked = holding(known), waiting(known)
    return Versions(table=bronze, active=held and held.number, blocked=blocked and blocked.number, versions=known)


@router.post("/accept")
def accept(
    request: Request,
    response: Response,
    who: Writer,
    table: Table,
    body: Annotated[Accept, Body(openapi_examples=examples({"accept": {"version": 2}}))],
    dry_run: DryRun = False,
    if_match: IfMatch = None,
) -> Decided:
    """The blocked version is right: its golds go on with it."""

    def planned(statuses: Statuses) -> Statuses:
        if _known(statuses, body.version) != "BLOCKED":
            raise StaleVersion(f"version {body.version} is {statuses[body.version]}, not BLOCKED")
        return with_active(statuses, body.version)

    def decide(bronze: str) -> None:
        store.accept(bronze, body.version, who.name)

    asked = Asked(who.name, "accept_schema", if_match, dry_run)
    return decided(request, response, table, asked, planned, decide)


@router.post("/rollback")
def rollback(
    request: Request,
    response: Response,
    who: Writer,
    table: Table,
    body: Annotated[Rollback, Body(openapi_examples=examples({"rollback": {"to": 1}}))],
    dry_run: DryRun = False,
    if_match: IfMatch = None,
) -> Decided:
    """That version holds again: what later ones changed is refused, and rows that show it are odd rows."""

    def planned(statuses: Statuses) -> Statuses:
        if _known(statuses, body.to) == "BLOCKED" or (
            statuses[body.to] == "ACTIVE" and "BLOCKED" not in statuses.values()
        ):
            raise StaleVersion(f"version {body.to} is {statuses[body.to]}: nothing to roll back to it")
        later = {number: "RETIRED" if number > body.to else status for number, status in statuses.items()}
        return with_active(later, body.to)

    def decide(bronze: str) -> None:
        store.rollback(bronze, body.to, who.name)

    asked = Asked(who.name, "rollback_schema", if_match, dry_run)
    return decided(request, response, table, asked, planned, decide)


def decided(
    request: Request,
    response: Response,
    table: str,
    asked: Asked,
    planned: Callable[[Statuses], Statuses],
    decide: Callable[[str], None],
) -> Decided:
    """Decide against the versions that were seen. A decision made by another meanwhile is the store's to refuse."""
    dataset, bronze = bronze_of(request, table)
    before = _statuses(store.versions(bronze))
    matches(_etag(before), asked.etags, f"the schema of {bronze}", "GET /schemas")
    with _refusals():
        after = planned(before)
        if not asked.dry_run:
            decide(bronze)
            after = _statuses(store.versions(bronze))
            store_of(request).remember(asked, dataset, _document(before), _document(after))
    response.headers["ETag"] = etag = _etag(after)
    found = [
        FieldChange(field=f"version {one}", before=before.get(one), after=status)
        for one, status in after.items()
        if before.get(one) != status
    ]
    return Decided(table=bronze, dry_run=asked.dry_run, etag=etag, changes=found)


def _known(statuses: Statuses, number: int) -> str:
    """The status of a version that must be there."""
    if number not in statuses:
        raise NoSuchVersion(f"there is no schema version {number}")
    return statuses[number]


def bronze_of(request: Request, table: str) -> tuple[str, str]:
    """The table's dataset, and that dataset's bronze table."""
    row, _name, _layer = store_of(request).of_table(table)
    return row.name, row.document["bronze"]["table"]


def _statuses(known: list[Version]) -> Statuses:
    return {version.number: version.status for version in known}


def with_active(statuses: Statuses, number: int) -> Statuses:
    ended = {one: "RETIRED" if status in ("ACTIVE", "INITIAL") else status for one, status in statuses.items()}
    return ended | {number: "ACTIVE"}


def _etag(statuses: Statuses) -> str:
    return f'"{digest(_document(statuses))}"'


def _document(statuses: Statuses) -> dict[str, Any]:
    return {str(number): status for number, status in statuses.items()}


@contextmanager
def _refusals() -> Iterator[None]:
    """The store's refusals as problems."""
    try:
        yield
    except NoSuchVersion as error:
        raise Problem(404, "no-such-version", f"{error}.") from error
    except StaleVersion as error:
        raise Problem(409, "stale-version", f"{error}.") from error
