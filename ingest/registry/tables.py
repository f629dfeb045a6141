"""The registry's tables, in a database of its own in the stack's PostgreSQL."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Engine, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from stack.settings import Settings

Document = dict[str, Any]


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """What the service makes at its start where it is missing."""

    type_annotation_map = {  # noqa: RUF012
        Document: JSON(none_as_null=True), list[Any]: JSON(none_as_null=True), datetime: DateTime(timezone=True),
    }  # fmt: skip


class Registered(Base):
    """One dataset: its configuration, that of its file when it was last taken over, and golds that are switched off.

    A row stays when its dataset is removed, so that its version never comes again.
    """

    __tablename__ = "datasets"

    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    document: Mapped[Document]
    seed: Mapped[Document | None]
    golds_aside: Mapped[list[Any] | None]
    is_removed: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    changed_by: Mapped[str]

    @property
    def etag(self) -> str:
        """Of this very state: the version alone would come again in a database made anew."""
        return f'"{self.version}-{digest([self.document, self.is_removed])}"'

    @property
    def tables(self) -> dict[str, str]:
        """Its tables' names, each with its layer: as the document says, also where that is refused."""
        if self.is_removed:
            return {}
        golds = [*self.document.get("golds", []), *(self.golds_aside or [])]
        return {self.document["bronze"]["table"]: "bronze"} | {gold["table"]: "gold" for gold in golds}

    @property
    def is_by_hand(self) -> bool:
        """Whether it was changed in the registry since its file was taken over."""
        return self.is_removed or self.document != self.seed


class Audited(Base):
    """Who changed what, and when: the configuration before and after, null where there was or is none."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    who: Mapped[str]
    action: Mapped[str]
    dataset: Mapped[str] = mapped_column(String(63), index=True)
    before: Mapped[Document | None]
    after: Mapped[Document | None]


def digest(what: Any) -> str:
    """The same for the same JSON, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]


def engine_of(settings: Settings) -> Engine:
    """Connections to the registry's database, looked at before use, so that PostgreSQL may restart."""
    url = settings.database_url(settings.registry_database, "postgresql+psycopg")
    return create_engine(url, pool_pre_ping=True, pool_size=4, connect_args={"connect_timeout": 3})
