"""Columns of a typed gold, added and dropped by a version of its schema; the table's one writer, the ingester, rebuilds
it by that version before the next rows. A gold with SQL of its own has the columns that its SQL yields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from ingest.datasets import Gold
from ingest.registry.bodies import AddColumn, Ddl
from ingest.registry.changes import FieldChange
from ingest.registry.edits import edit_the_files
from ingest.registry.etags import IfMatch
from ingest.registry.problems import FieldError, Problem
from ingest.registry.routes import REFUSALS, DryRun, examples, store_of
from ingest.registry.schemas import Decided, Statuses, bronze_of, decided, with_active
from ingest.registry.store import Asked, state_of
from ingest.registry.tokens import Writer
from ingest.schema import store
from ingest.schema.compare import Change
from ingest.schema.model import Field, Schema
from ingest.schema.typed import bound_to, taken
from ingest.schema.version import StaleVersion, Version, holding, waiting

router = APIRouter(responses=REFUSALS)
TYPES = {"string": "string", "bigint": "long", "double": "double", "boolean": "boolean"}
COLUMN = {"name": "coupon", "type": "string", "description": "What was taken off the price"}
DDL = {
    "add_column": {"table": "orders_current", "action": "add_column", "column": COLUMN},
    "drop_column": {"table": "orders_current", "action": "drop_column", "column": "coupon"},
}


@dataclass(frozen=True)
class Plan:
    """The version that has the change, and what is refused from then on, where a field is dropped."""

    held: Version
    body: Schema
    change: Change
    refused: Schema | None = None

    def statuses(self, before: Statuses) -> Statuses:
        number = max(before) + 1
        refused = {} if self.refused is None else {number + 1: "RETIRED"}
        return with_active(before, number) | refused

    def carry_out(self, table: str, who: str) -> None:
        """Make the versions. StaleVersion where another was faster."""
        made = store.record(table, self.body, "ACTIVE", [self.change], based_on=self.held.number, who=who)
        if self.refused is not None:  # else the next body that has the field would bring it back
            added = Change(kind="added", path=self.change.path, now=self.change.was, place=self.change.place)
            store.record(table, self.refused, "BLOCKED", [added], based_on=made.number, who=who)
            store.rollback(table, made.number, who)


@router.post("/ddl")
def ddl(
    request: Request,
    response: Response,
    who: Writer,
    body: Annotated[Ddl, Body(openapi_examples=examples(DDL))],
    dry_run: DryRun = False,
    if_match: IfMatch = None,
) -> Decided:
    """Add or drop a column of a typed gold: a version of its schema more. If-Match is the ETag of GET /schemas."""
    gold = _typed(request, body.table)
    known = store.versions(bronze_of(request, body.table)[1])
    asked = Asked(who.name, body.action, if_match, dry_run)
    plan: list[Plan] = []

    def planned(statuses: Statuses) -> Statuses:
        if waiting(known) is not None:
            raise StaleVersion("a version of the schema is BLOCKED: accept it or roll it back first")
        held = holding(known)
        if held is None:
            raise StaleVersion("there is no version of the schema yet: it is inferred from the first events")
        plan.append(_planned(gold, held, body))
        return plan[0].statuses(statuses)

    def decide(bronze: str) -> None:
        plan[0].carry_out(bronze, who.name)

    answer = decided(request, response, body.table, asked, planned, decide)
    before, after = (_columns(gold, schema) for schema in (plan[0].held.body, plan[0].body))
    changed = [
        FieldChange(field=f"{gold.table}.{name}", before=before.get(name), after=after.get(name))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]
    return answer.model_copy(update={"changes": changed + answer.changes})


def _typed(request: Request, table: str) -> Gold:
    """The typed gold of that name. Problem where the table is another one."""
    row, name, layer = store_of(request).of_table(table)
    if layer == "bronze":
        detail = "Every bronze table has the same header and the body as it came: read the field from `body`."
        raise Problem(422, "bronze-is-fixed", detail, [FieldError(field="table", said="is a bronze table")])
    state = state_of(row)
    (gold,) = (gold for gold in (*state.dataset.golds, *state.golds_aside) if gold.table == name)
    if not gold.typed:
        raise edit_the_files(gold, "its SQL says which columns it has")
    return gold


def _planned(gold: Gold, held: Version, body: Ddl) -> Plan:
    schema = held.body.model_copy(deep=True)
    there = _columns(gold, schema)
    if isinstance(body, AddColumn):
        name, type_ = body.column.name, TYPES.get(body.column.type)
        if name in there:
            raise Problem(409, "column-exists", f"{gold.table} has a column {name} already.")
        if type_ is None:
            fields = [FieldError(field="column.type", said=f"choose from {', '.join(TYPES)}")]
            raise Problem(422, "invalid", f"A body's field is no {body.column.type}: {fields[0].said}.", fields)
        schema.fields[name] = Field(types=[type_])
        return Plan(held, schema, Change(kind="added", path=name, now=body.column.type, place=(name,)))
    if body.column not in there:
        raise Problem(404, "no-such-column", f"{gold.table} has no column {body.column}.")
    if body.column not in taken(gold, schema):
        raise Problem(409, "column-needed", f"Every typed gold has its column {body.column}.")
    source, field = taken(gold, schema)[body.column]
    del schema.fields[source]
    return Plan(held, schema, Change(kind="removed", path=source, was=field.ddl() or "", place=(source,)), held.body)


def _columns(gold: Gold, schema: Schema) -> dict[str, str]:
    return {column.name: column.type for column in bound_to(gold, schema, 0).columns}
