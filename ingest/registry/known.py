"""The datasets in effect, typed: what `lake ingest` and every other command on datasets begins with."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from pydantic import ValidationError

from ingest.datasets import Dataset, UnknownDataset, load, load_all
from stack import registered
from stack.registered import Documents, RegistryDown
from stack.settings import Settings


def datasets_in_effect(settings: Settings, names: Iterable[str] | None = None) -> tuple[list[Dataset], Documents]:
    """The datasets named, all by default, and where they are from.

    UnknownDataset, ValueError or Fault where they can't be had; the message is a sentence.
    """
    known = registered.in_effect(settings, ask)
    if known.source == "files":
        return [load(name, settings.datasets) for name in names] if names else load_all(settings.datasets), known
    return chosen(typed(known), names, known, settings), known


def typed(known: Documents) -> list[Dataset]:
    """The documents as datasets. ValueError where one is not valid, naming where it is from; one that the registry
    refuses is left out."""
    datasets = []
    for document in known.documents:
        try:
            datasets.append(Dataset.model_validate(document))
        except ValidationError as error:
            if isinstance(document, dict) and document.get("name") in known.refused:
                continue
            raise ValueError(f"a dataset of the configuration ({known.source}) is not valid: {error}") from error
    return datasets


def chosen(
    datasets: list[Dataset], names: Iterable[str] | None, known: Documents, settings: Settings
) -> list[Dataset]:
    """Those named, in that order; all where none is."""
    by_name = {dataset.name: dataset for dataset in datasets}
    names = list(names or by_name)
    if missing := [name for name in names if name not in by_name]:
        if missing[0] in known.refused:
            raise ValueError(known.refused[missing[0]])
        new = (settings.datasets / f"{missing[0]}.yml").is_file()
        hint = f"; the registry does not know its file yet: lake dataset follow-file {missing[0]}" if new else ""
        raise UnknownDataset(f"no dataset {missing[0]!r}; known: {', '.join(sorted(by_name))}{hint}")
    return [by_name[name] for name in names]


def ask(settings: Settings, etag: str = "") -> Documents | None:
    """The registry's configuration, kept for when it is down; None while it is still that of `etag`.

    RegistryDown where it does not answer, or with what this version can't read.
    """
    known = registered.ask(settings, etag)
    if known is not None:
        try:
            typed(known)
        except ValueError as error:
            raise RegistryDown(str(error)) from error
        remember(settings, known)
    return known


def remember(settings: Settings, known: Documents) -> None:
    """Keep what the registry answered; a disk that refuses is said, and stops nothing."""
    try:
        registered.keep(settings, known)
    except OSError as error:
        # Not by the log: a command that has not set it up would write to its output.
        print(f"the configuration was not kept for when the registry is down: {error}", file=sys.stderr)
