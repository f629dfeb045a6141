"""What is asked of the registry over HTTP: datasets, their configuration, changes of it, drift and audit."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import ValidationError

from ingest.registry.bodies import (
    SHORT,
    Added,
    AuditEntries,
    AuditEntry,
    Changed,
    ChangeKey,
    Config,
    Dml,
    Drifts,
    Entries,
    Entry,
    Health,
    NewDataset,
    Registration,
)  # fmt: skip
from ingest.registry.edits import change_key, switch_upsert
from ingest.registry.etags import IfMatch, Seen
from ingest.registry.problems import Problem, ProblemDocument, invalid_dataset
from ingest.registry.seeding import Seeds
from ingest.registry.store import Asked, Store, etag_of, refused, state_of
from ingest.registry.tables import Registered
from ingest.registry.tokens import Reader, Writer

Made = TypeVar("Made", bound=Changed)
DryRun = Annotated[bool, Query(description="Answer what would change, and change nothing.")]
WithFiles = Annotated[bool, Query(description="Write the files of a dataset that its topic has records of, too.")]
Table = Annotated[str, Path(examples=["orders_events"], description="Of bronze or gold.")]
Named = Annotated[str, Path(examples=["orders"], description="Of the dataset.")]
DML = {
    "disable_upsert": {"table": "orders_events", "action": "disable_upsert"},
    "enable_upsert": {"table": "orders_events", "action": "enable_upsert"},
    "change_key": {
        "table": "user_events", "action": "change_key", "key": {"field": "user_id", "required": True},
    },
}  # fmt: skip
REFUSALS = {
    status: {"model": ProblemDocument, "description": said}
    for status, said in {
        401: "no token that is known", 403: "the token may only read", 404: "there is no such thing",
        409: "it can't be done as things are", 412: "changed meanwhile", 422: "the body is not valid",
        428: "If-Match is missing", 503: "PostgreSQL does not answer, or Kafka",
    }.items()
}  # fmt: skip
router = APIRouter(responses=REFUSALS)


def examples(named: dict) -> dict:
    return {name: {"value": value} for name, value in named.items()}


def store_of(request: Request) -> Store:
    return request.app.state.store


def seeds_of(request: Request) -> Seeds:
    return request.app.state.seeds


def answered(response: Response, changed: Made) -> Made:
    response.headers["ETag"] = changed.etag
    return changed


def entry(row: Registered) -> Entry:
    state = state_of(row)
    return Entry(
        name=row.name, version=row.version, etag=row.etag, changed_at=row.changed_at, changed_by=row.changed_by,
        golds_switched_off=[gold.table for gold in state.golds_aside], config=state.dataset,
    )  # fmt: skip


@router.get("/datasets")
def list_datasets(request: Request, who: Reader, seen: Annotated[Seen, Depends()]) -> Entries:
    """Every dataset that is ingested, with its configuration."""
    rows = store_of(request).present()
    seen.compared(etag_of(rows))
    unread = refused(rows)
    names = {one.name for one in unread}
    return Entries(datasets=[entry(row) for row in rows if row.name not in names], refused=unread)


@router.post("/datasets", status_code=201)
def register(
    request: Request,
    response: Response,
    who: Writer,
    body: Annotated[NewDataset, Body(openapi_examples=examples({"short": SHORT}))],
    dry_run: DryRun = False,
    files: WithFiles = False,
) -> Added:
    """A new dataset: in short, or in full as a file of `ingest/datasets/` has it. Its topic is created where there is
    none. A running ingester takes it up.

    With `files` it is what `lake dataset add` makes of the topic's records, its files among it: name and topic are
    enough then, and what else is said must be what the records show."""
    state = request.app.state
    try:
        found = state.files_of(state.settings, body) if files else None
        short = body.dataset() if isinstance(body, Registration) else body
    except ValidationError as error:
        raise invalid_dataset(error) from error
    response.status_code = 200 if dry_run else 201
    asked = Asked(who.name, "register", dry_run=dry_run)
    dataset = found.dataset if found else short
    return answered(response, store_of(request).add(dataset, asked, state.ensure_topic, found))


@router.delete("/datasets/{name}")
def remove(
    request: Request, response: Response, who: Writer, name: Named, dry_run: DryRun = False, if_match: IfMatch = None
) -> Changed:
    """Read its topic no longer. Its tables stay as they are."""
    asked = Asked(who.name, "remove", if_match, dry_run)
    return answered(response, store_of(request).change(name, None, asked))


@router.post("/datasets/{name}/file")
def follow_the_file(
    request: Request, response: Response, who: Writer, name: Named, dry_run: DryRun = False, if_match: IfMatch = None
) -> Changed:
    """Take over what the dataset's YAML file says now, and give up what was changed here."""
    return answered(response, seeds_of(request).follow(name, Asked(who.name, "file", if_match, dry_run)))


@router.get("/config/{table}")
def config(request: Request, who: Reader, table: Table, seen: Annotated[Seen, Depends()]) -> Config:
    """The configuration of the dataset that a bronze or gold table belongs to."""
    row, name, layer = store_of(request).of_table(table)
    seen.compared(row.etag)
    return Config(**dict(entry(row)), table=name, layer=layer)


@router.post("/dml")
def dml(
    request: Request,
    response: Response,
    who: Writer,
    body: Annotated[Dml, Body(openapi_examples=examples(DML))],
    dry_run: DryRun = False,
    if_match: IfMatch = None,
) -> Changed:
    """Switch the live golds of a table's dataset on or off, or change its key."""
    row, _name, _layer = store_of(request).of_table(body.table)
    edit = change_key(body) if isinstance(body, ChangeKey) else switch_upsert(body)
    return answered(response, store_of(request).change(row.name, edit, Asked(who.name, body.action, if_match, dry_run)))


@router.get("/drift")
def drift(request: Request, who: Reader) -> Drifts:
    """Where registry and files differ, and what to do about it."""
    return Drifts(drift=seeds_of(request).drift())


@router.get("/audit")
def audit(
    request: Request,
    who: Reader,
    dataset: str | None = None,
    before: Annotated[int | None, Query(description="Entries older than the one with this id.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AuditEntries:
    """Who changed what, and when; newest first."""
    found = store_of(request).audit(dataset, before, limit)
    return AuditEntries(audit=[AuditEntry.model_validate(one) for one in found])


@router.get("/health", responses={401: {"description": "never: it needs no token"}})
def health(request: Request) -> Health:
    """Whether the service and its database answer, and whether the files have been taken over. No token needed."""
    if not request.app.state.is_seeded.is_set():
        raise Problem(503, "starting", "The files have not been taken over yet: PostgreSQL has not answered.")
    rows = store_of(request).present()
    return Health(datasets=len(rows), drifting=len(seeds_of(request).drift()), refused=refused(rows))
