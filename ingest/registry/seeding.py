"""The YAML files and the registry: what is taken over at a start, and where they differ.

A file that was changed is taken over as long as nobody changed the dataset here; a file that is gone removes nothing.
"""

from __future__ import annotations

from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from ingest.datasets import Dataset, load
from ingest.registry.bodies import Changed, Drift
from ingest.registry.changes import changes
from ingest.registry.edits import State
from ingest.registry.problems import Problem
from ingest.registry.store import Asked, Store, document_of, must_match, refused
from ingest.registry.tables import Registered

log = structlog.get_logger()


class Seeds:
    """The files of a folder, over the store that they seed."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder

    def take_over(self) -> None:
        """At the service's start: what files say, where the registry was not changed by hand. The rest is drift."""
        with self.store.writing() as session:
            rows = {row.name: row for row in self.store.rows(session)}
            for name in self._names():
                try:
                    with session.begin_nested():
                        self._take(session, name, rows.get(name))
                except (ValueError, Problem) as error:
                    log.error("a file was not taken over", dataset=name, cause=str(error))
        for one in self.drift():
            log.warning("file and registry differ", dataset=one.dataset, said=one.said)

    def _take(self, session: Session, name: str, row: Registered | None) -> None:
        dataset = self._file(name)
        document = document_of(dataset)
        if row is not None and row.seed == document:
            return
        if row is None or not row.is_by_hand or row.document == document:
            self.store.put(session, name, State(dataset), Asked(f"{name}.yml", "seed"), document)

    def follow(self, name: str, asked: Asked) -> Changed:
        """Give up what was changed here, for what the file says. Problem where there is no valid file."""
        if name not in self._names():
            raise Problem(404, "no-such-file", f"There is no {name}.yml in {self.folder}.")
        try:
            dataset = self._file(name)
        except ValueError as error:
            raise Problem(422, "invalid", str(error)) from error
        with self.store.writing() as session:
            row = session.get(Registered, name)
            if row is not None and not row.is_removed:
                must_match(row, asked.etags)
            return self.store.put(session, name, State(dataset), asked, document_of(dataset))

    def drift(self) -> list[Drift]:
        """Every dataset whose file is not what is registered, by name."""
        rows = {row.name: row for row in self.store.rows()}
        found = [self._drift_of(name, rows.get(name)) for name in sorted({*self._names(), *rows})]
        return [one for one in found if one is not None]

    def _drift_of(self, name: str, row: Registered | None) -> Drift | None:
        registered = None if row is None or row.is_removed else row.document
        if registered is not None and (unread := refused([row])):
            return Drift(dataset=name, said=unread[0].said)
        file = self.folder / f"{name}.yml"
        if not file.is_file():
            if registered is None:
                return None
            gone = "its file is gone" if row.seed else "it has no file"
            return Drift(dataset=name, said=f"{gone}: write {file.name}, or DELETE /datasets/{name}")
        try:
            document = document_of(self._file(name))
        except ValueError as error:
            return Drift(dataset=name, said=str(error))
        if document == registered:
            return None
        if row is None or not row.is_by_hand:
            return Drift(
                dataset=name, changes=changes(registered, document),
                said=f"{file.name} has changed: taken over at the next start here, or by POST /datasets/{name}/file",
            )  # fmt: skip
        both = " and so has the file" if document != row.seed else ""
        removed = "was removed" if row.is_removed else "has changed"
        return Drift(
            dataset=name, changes=changes(document, registered),
            said=f"it {removed} in the registry{both}, which holds: edit {file.name}, or POST /datasets/{name}/file",
        )  # fmt: skip

    def _names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.yml"))

    def _file(self, name: str) -> Dataset:
        dataset = load(name, self.folder)
        if dataset.name != name:
            raise ValueError(f"{name}.yml is of a dataset named {dataset.name}: file and dataset have one name")
        return dataset
