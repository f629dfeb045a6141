"""Datasets in the database: read, changed by one at a time against the state that was seen, each change audited.

A change is refused before anything is written, so `dry_run` refuses and answers what the change itself would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from ingest.datasets import Dataset, Gold
from ingest.registry.bodies import Added, Changed, Refused
from ingest.registry.changes import changes
from ingest.registry.edits import Edit, State, check
from ingest.registry.etags import matches
from ingest.registry.problems import Problem, invalid
from ingest.registry.tables import Audited, Base, Document, Registered, digest, now
from ingest.registry.topics import Topic

ONE_WRITER = 6_427_133  # PostgreSQL's advisory lock: changes wait for each other, from whichever service they come


@dataclass(frozen=True)
class Asked:
    """Who asks for a change, and how: `etags` is If-Match as it came, `action` what the audit calls it."""

    who: str
    action: str
    etags: str | None = None
    dry_run: bool = False


class Files(Protocol):
    """Files of a new dataset, its YAML and dbt's: `dataset` is what they say."""

    dataset: Dataset

    def write(self, dry_run: bool) -> list[str]:
        """Write them, all or none; their paths. Problem where they can't be."""
        ...


class Store:
    """The datasets of one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    def make_tables(self) -> None:
        Base.metadata.create_all(self.engine)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that no other change runs beside."""
        with self._sessions.begin() as session:
            if self.engine.dialect.name == "postgresql":
                session.execute(select(func.pg_advisory_xact_lock(ONE_WRITER)))
            yield session

    def rows(self, session: Session | None = None) -> list[Registered]:
        """Every dataset there is or was, by name."""
        query = select(Registered).order_by(Registered.name)
        if session is not None:
            return list(session.scalars(query))
        with self._sessions() as own:
            return list(own.scalars(query))

    def present(self) -> list[Registered]:
        return [row for row in self.rows() if not row.is_removed]

    def of_table(self, table: str) -> tuple[Registered, str, str]:
        """The dataset of `table`, the table's bare name, and its layer. Problem 404 where nobody has it."""
        layer, _, name = table.rpartition(".")
        for row in self.present():
            found = row.tables.get(name)
            if found and layer in ("", found):
                return row, name, found
        raise Problem(404, "no-such-table", f"No dataset has a bronze or gold table {table!r}.")

    def audit(self, dataset: str | None, before: int | None, limit: int) -> list[Audited]:
        """Changes, newest first: of one dataset, and older than the entry `before`."""
        query = select(Audited).order_by(Audited.id.desc()).limit(limit)
        query = query.where(Audited.dataset == dataset) if dataset else query
        query = query.where(Audited.id < before) if before else query
        with self._sessions() as session:
            return list(session.scalars(query))

    def remember(self, asked: Asked, dataset: str, before: Document, after: Document) -> None:
        """An entry of the audit for what is kept elsewhere."""
        with self.writing() as session:
            session.add(Audited(who=asked.who, action=asked.action, dataset=dataset, before=before, after=after))

    def add(
        self, dataset: Dataset, asked: Asked, topic: Callable[[str, int, bool], Topic], files: Files | None = None
    ) -> Added:
        """A dataset that is not there yet, or was removed. `topic` makes its topic and `files` its files last: where
        they fail, nothing is registered."""
        with self.writing() as session:
            row = session.get(Registered, dataset.name)
            if row is not None and not row.is_removed:
                raise Problem(409, "exists", f"There is a dataset {dataset.name}: change it by POST /ddl or POST /dml.")
            changed = self.put(session, dataset.name, State(dataset), asked, document_of(dataset) if files else None)
            made = topic(dataset.topic, dataset.partitions, asked.dry_run)
            return Added(**dict(changed), topic=made, files=files.write(asked.dry_run) if files else [])

    def change(self, name: str, edit: Edit | None, asked: Asked) -> Changed:
        """Make `edit` of a dataset that must still be as it was seen; None removes it."""
        with self.writing() as session:
            row = session.get(Registered, name)
            if row is None or row.is_removed:
                raise Problem(404, "no-such-dataset", f"There is no dataset {name!r}.")
            must_match(row, asked.etags)
            return self.put(session, name, edit and edit(state_of(row)), asked)

    def put(
        self, session: Session, name: str, state: State | None, asked: Asked, seed: Document | None = None
    ) -> Changed:
        """Make `state` the dataset's, and remember who did; `seed` is its file, where it comes from there."""
        row = session.get(Registered, name)
        if state is not None:
            check(state.dataset)
        before = None if row is None or row.is_removed else row.document
        after = None if state is None else document_of(state.dataset)
        row = row or Registered(name=name, document=after, seed=None, golds_aside=None, is_removed=True, version=0)
        found = changes(before, after)
        changed = Registered(
            name=name, document=after or row.document, is_removed=after is None, version=row.version + bool(found),
            golds_aside=[gold.model_dump() for gold in state.golds_aside] or None if state else None,
        )  # fmt: skip
        self._own_tables(session, changed)
        if not asked.dry_run:
            if seed is not None:
                row.seed = seed
            if found:
                row.document, row.is_removed, row.version = changed.document, changed.is_removed, changed.version
                row.golds_aside = changed.golds_aside
                row.changed_at, row.changed_by = now(), asked.who
                session.add(Audited(who=asked.who, action=asked.action, dataset=name, before=before, after=after))
            session.add(row)
        return Changed(dataset=name, dry_run=asked.dry_run, version=changed.version, etag=changed.etag, changes=found)

    def _own_tables(self, session: Session, changed: Registered) -> None:
        for other in self.rows(session):
            if other.name == changed.name:
                continue
            if shared := set(other.tables) & set(changed.tables):
                listed = ", ".join(sorted(shared))
                raise Problem(409, "table-taken", f"{listed} is a table of {other.name}: each has one writer.")


def state_of(row: Registered) -> State:
    """What is registered. Problem where today's rules refuse what those of its time took."""
    try:
        aside = tuple(Gold.model_validate(gold) for gold in row.golds_aside or ())
        return State(Dataset.model_validate(row.document), aside)
    except ValidationError as error:
        problem = invalid(error.errors(), f"What is registered of {row.name}")
        fix = f"correct {row.name}.yml and POST /datasets/{row.name}/file, or DELETE /datasets/{row.name}"
        raise Problem(409, "document-refused", f"{problem.detail}: {fix}", problem.errors) from error


def refused(rows: list[Registered]) -> list[Refused]:
    """Those that can't be read, with the reason."""
    found = []
    for row in rows:
        try:
            state_of(row)
        except Problem as problem:
            found.append(Refused(name=row.name, etag=row.etag, said=problem.detail))
    return found


def document_of(dataset: Dataset) -> Document:
    return dataset.model_dump(mode="json")


def etag_of(rows: list[Registered]) -> str:
    """Of all of them together."""
    return f'"{digest([[row.name, row.etag] for row in rows])}"'


def must_match(row: Registered, etags: str | None) -> None:
    """Problem unless If-Match names the state that the dataset is in."""
    who = f" (at {row.changed_at:%Y-%m-%d %H:%M:%S} by {row.changed_by})"
    matches(row.etag, etags, row.name, "GET /config", who)
