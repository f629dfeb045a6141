"""What the registry is told and what it answers, as the OpenAPI page shows it. Unknown fields are refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from ingest.datasets import Bronze, Column, Dataset, EventTime, Key, Name
from ingest.registry.changes import FieldChange
from ingest.registry.topics import Topic

SHORT = {
    "name": "returns", "kafkaTopic": "returns", "mode": "append", "pkFields": ["id"], "partitionKeys": ["date"],
    "transforms": [],
}  # fmt: skip


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Registration(_Body):
    """A dataset in short: its bronze table is `<name>_events`, and it has no gold yet.

    `eventTime`: where the body says when it happened; `event_timestamp` in seconds unless given.
    """

    model_config = ConfigDict(json_schema_extra={"example": SHORT})

    name: Name
    kafkaTopic: str
    partitions: Annotated[int, Field(ge=1)] = 1
    mode: Literal["append", "upsert"] = "append"
    pkFields: Annotated[list[str], Field(max_length=1)] = []
    partitionKeys: Annotated[list[Literal["date", "hour"]], Field(max_length=1)] = []
    transforms: list[Any] = []
    eventTime: EventTime = EventTime(field="event_timestamp", unit="seconds")

    def dataset(self) -> Dataset:
        """The dataset in full. ValidationError where it would not be one."""
        table = self.name if self.name.endswith("events") else f"{self.name}_events"
        document = {
            "name": self.name, "topic": self.kafkaTopic, "partitions": self.partitions, "mode": self.mode,
            "event_time": self.eventTime.model_dump(),
            "key": Key(field=self.pkFields[0] if self.pkFields else None, required=bool(self.pkFields)).model_dump(),
            "bronze": Bronze(table=table, partition_by="day" if "date" in self.partitionKeys else "hour").model_dump(),
        }  # fmt: skip
        return Dataset.model_validate(document | ({"transforms": self.transforms} if self.transforms else {}))


def _which(body: Any) -> str:
    is_short = isinstance(body, Registration) or (isinstance(body, dict) and "kafkaTopic" in body)
    return "registration" if is_short else "dataset"


NewDataset = Annotated[
    Annotated[Registration, Tag("registration")] | Annotated[Dataset, Tag("dataset")], Discriminator(_which)
]


class AddColumn(_Body):
    """A column more of a typed gold: the field of that name, from the bodies that have it."""

    table: str
    action: Literal["add_column"]
    column: Column


class DropColumn(_Body):
    """A column less of a typed gold: its field is left out from then on, and stays in bronze."""

    table: str
    action: Literal["drop_column"]
    column: Name


class Accept(_Body):
    """The blocked version that is right."""

    version: int


class Rollback(_Body):
    """The version that shall hold again."""

    to: int


class SwitchUpsert(_Body):
    """Whether the dataset's live golds are kept current. Switched off they keep their tables, and catch up later."""

    table: str
    action: Literal["enable_upsert", "disable_upsert"]


class ChangeKey(_Body):
    """Which body field must equal the record's key. Records that are in bronze stay judged by the key of their time.

    Typed golds stop (a BLOCKED version of the schema) until it is accepted, and are rebuilt then.
    """

    table: str
    action: Literal["change_key"]
    key: Key


Ddl = Annotated[AddColumn | DropColumn, Field(discriminator="action")]
Dml = Annotated[SwitchUpsert | ChangeKey, Field(discriminator="action")]


class Entry(BaseModel):
    """A dataset as it is registered. `etag` is what If-Match of a change must say."""

    name: str
    version: int
    etag: str
    changed_at: datetime
    changed_by: str
    golds_switched_off: list[str] = []
    config: Dataset


class Refused(BaseModel):
    """A dataset whose registered document this version's rules refuse, and why."""

    name: str
    etag: str
    said: str


class Entries(BaseModel):
    """Every dataset that is ingested, by name; and those of which the ingester keeps what it knew before."""

    datasets: list[Entry]
    refused: list[Refused] = []


class Config(Entry):
    """The dataset that a table belongs to, and what the table is of it."""

    table: str
    layer: Literal["bronze", "gold"]


class Changed(BaseModel):
    """What a change did, or would do with `dry_run`. Nothing to change is a success without changes."""

    dataset: str
    dry_run: bool
    version: int
    etag: str
    changes: list[FieldChange]


class Added(Changed):
    """What a registration did, or would do: `topic.created` where there was none of that name; the files written."""

    topic: Topic
    files: list[str] = []


class Drift(BaseModel):
    """Where the registry is not what its reviewed file says, and what to do about it."""

    dataset: str
    said: str
    changes: list[FieldChange] = []


class Drifts(BaseModel):
    """All drift; none where files and registry are the same."""

    drift: list[Drift]


class AuditEntry(BaseModel):
    """One change: who made it, when, and the configuration before and after."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    who: str
    action: str
    dataset: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditEntries(BaseModel):
    """Changes, newest first."""

    audit: list[AuditEntry]


class Health(BaseModel):
    """The service answers, and so does its database."""

    status: Literal["ok"] = "ok"
    datasets: int
    drifting: int
    refused: list[Refused] = []
