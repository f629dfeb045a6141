"""The dataset registry's reviewed default: one YAML a dataset, read into typed models.

Adding a stream is adding a file here (and one SQL file a gold table), never Python.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from ingest.schema.compare import Policy
from ingest.schema.model import Schema
from stack.settings import settings

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Key(_Model):
    """The body field that must equal the record's key; `required` makes a null key an error."""

    field: str | None = None
    required: bool = True


class EventTime(_Model):
    """The body field that holds the event's time, and its unit."""

    field: str
    unit: Literal["seconds", "milliseconds", "iso8601"]


class Bronze(_Model):
    """The append-only table of a dataset, partitioned by `partition_by` of `partition_time`."""

    table: Name
    partition_by: Literal["hour", "day"] = "hour"

    @property
    def identifier(self) -> str:
        return f"bronze.{self.table}"


class Column(_Model):
    """A column of a gold table: Spark SQL type, and what it says."""

    name: Name
    type: str
    description: str


class Gold(_Model):
    """A live table folded from bronze by `ingest/gold/<sql>.sql`; `sql` is the table's name unless given.

    `typed`: the last event of each key, its columns those of the schema's version: neither columns nor SQL are given.

    `buckets`: of its first key column, 0 for an unpartitioned table. `ordered`: whether the order of a key's events
    matters, so that a key whose events lie in two Kafka partitions is recomputed from all of them; the table's key is
    then the record's. `compact_every`: merges between two rewrites of its files. `parameters`: whole numbers that the
    SQL takes as `{name}`, and its recomputation as `${name}`. `traced_by`: for `lake trace`, what each key column is of
    a bronze row, in Trino's SQL, and null where the row doesn't count; the record's key unless given.
    """

    table: Name
    sql: Name | None = None
    typed: bool = False
    key: Annotated[list[str], Field(min_length=1)]
    buckets: Annotated[int, Field(ge=0, le=1024)] = 0
    ordered: bool = True
    compact_every: Annotated[int, Field(ge=1)] = 16
    parameters: dict[Name, int] = {}
    traced_by: dict[Name, str] = {}
    columns: list[Column] = []
    _version: tuple[int, Schema, Schema] = PrivateAttr((0, Schema(), Schema()))

    @model_validator(mode="after")
    def _typed_or_with_columns(self) -> Gold:
        if self.typed and (self.columns or self.sql or not self.ordered):
            raise ValueError(
                "a typed gold takes its columns and its SQL from the schema: leave out columns, sql, ordered"
            )
        if not self.typed and not self.columns:
            raise ValueError("a gold lists its columns, or is typed: true")
        return self

    @model_validator(mode="after")
    def _order_needs_the_record_s_key(self) -> Gold:
        if self.ordered and len(self.key) > 1:
            raise ValueError("only a gold with ordered: false may have a key of several columns")
        return self

    @model_validator(mode="after")
    def _traced_by_its_key(self) -> Gold:
        if set(self.traced_by) != set(self.key) and (self.traced_by or len(self.key) > 1):
            raise ValueError(f"traced_by says what {', '.join(self.key)} is of a bronze row, no more and no less")
        return self

    @property
    def identifier(self) -> str:
        return f"gold.{self.table}"

    @property
    def sql_file(self) -> str:
        return "latest.sql" if self.typed else f"{self.sql or self.table}.sql"

    @property
    def version(self) -> int:
        """Of a typed gold, the version of the schema that its columns are of; 0 where there is none yet."""
        return self._version[0]

    @property
    def body(self) -> Schema:
        """Of a typed gold, that version's schema."""
        return self._version[1]

    @property
    def needed(self) -> Schema:
        """Of a typed gold, the types that a body must be of to reach it: what is frozen is text, which anything is."""
        return self._version[2]

    def with_version(self, number: int, schema: Schema, needed: Schema) -> Gold:
        """The same gold, of that version of the schema."""
        self_ = self.model_copy()
        self_._version = number, schema, needed
        return self_


class Upkeep(_Model):
    """What `lake maintain` does to a dataset's tables: pack files smaller than this, keep snapshots this long, and this
    many earlier metadata files."""

    file_mb: Annotated[int, Field(ge=1)] = 128
    keep_hours: Annotated[int, Field(ge=1)] = 3
    keep_metadata: Annotated[int, Field(ge=1)] = 20


# One step by its name: a text, or what it takes by name.
Transform = Annotated[dict[Name, str | dict[str, Any]], Field(min_length=1, max_length=1)]


class Dataset(_Model):
    """One topic, its bronze, and the golds folded from it. `max_lag`: records that may wait, for `lake lag`.

    `event_id`, `event_type` and `event_time` are the body's fields that the header's columns are read from; null where
    bodies have none: then a record without one is no error.
    `transforms`: what is done to the readable rows before a fold, in this order.
    `schema` (here `policy`): whether changes of the bodies are looked for, and what is done about them.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: Name
    topic: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]
    partitions: Annotated[int, Field(ge=1)] = 1
    mode: Literal["append", "upsert"] = "append"
    key: Key = Key()
    event_id: str | None = "event_id"
    event_type: str | None = "event_type"
    event_time: EventTime | None
    on_tombstone: Literal["ignore", "delete"] = "ignore"
    bronze: Bronze
    golds: list[Gold] = []
    upkeep: Upkeep = Upkeep()
    max_lag: Annotated[int, Field(ge=0)] = 100_000
    transforms: list[Transform] = []
    policy: Policy = Field(Policy(), alias="schema")

    @model_validator(mode="after")
    def _golds_need_upsert(self) -> Dataset:
        if self.golds and self.mode != "upsert":
            raise ValueError("golds are folded only when mode is upsert")
        if any(gold.typed for gold in self.golds) and not self.policy.check:
            raise ValueError("a typed gold needs the schema to be checked")
        return self


class UnknownDataset(LookupError):
    """A dataset that has no YAML file; the message names those that do."""


def load(name: str, folder: Path | None = None) -> Dataset:
    """The dataset `name`; UnknownDataset when there is no such file, ValueError when the file is not valid."""
    folder = folder or settings().datasets
    path = folder / f"{name}.yml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yml")))
        raise UnknownDataset(f"no dataset {name!r}; known: {known}")
    try:
        return Dataset.model_validate(yaml.safe_load(path.read_text()))
    except (ValidationError, yaml.YAMLError) as error:
        raise ValueError(f"{path.name} is not a valid dataset: {error}") from error


def load_all(folder: Path | None = None) -> list[Dataset]:
    """Every dataset of the folder, by name."""
    folder = folder or settings().datasets
    return [load(path.stem, folder) for path in sorted(folder.glob("*.yml"))]
