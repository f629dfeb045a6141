"""The datasets in effect, typed: what `lake ingest` and every other command on datasets begins with."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace

from pydantic import ValidationError

from ingest.datasets import Dataset, UnknownDataset, load, load_all
from stack import registered
from stack.registered import Documents, RegistryDown
from stack.settings import NO_REGISTRY, Settings


def datasets_in_effect(settings: Settings, names: Iterable[str] | None = None) -> tuple[list[Dataset], Documents]:
    """The datasets named, all by default, and where they are from.

    UnknownDataset, ValueError or Fault where they can't be had; the message is a sentence.
    """
    known = Documents([])
    if settings.registry_url != NO_REGISTRY:
        try:
            datasets, etag = ask(settings)
            return chosen(datasets, names, settings), Documents([], "registry", etag)
        except RegistryDown as error:
            known = replace(registered.last_known(settings) or known, said=str(error))
    if known.source == "files":
        return [load(name, settings.datasets) for name in names] if names else load_all(settings.datasets), known
    return chosen(typed(known), names, settings), known


def typed(known: Documents) -> list[Dataset]:
    """The documents as datasets. ValueError where one is not valid, naming where it is from."""
    try:
        return [Dataset.model_validate(document) for document in known.documents]
    except ValidationError as error:
        raise ValueError(f"a dataset of the configuration ({known.source}) is not valid: {error}") from error


def chosen(datasets: list[Dataset], names: Iterable[str] | None, settings: Settings) -> list[Dataset]:
    """Those named, in that order; all where none is."""
    by_name = {dataset.name: dataset for dataset in datasets}
    names = list(names or by_name)
    if missing := [name for name in names if name not in by_name]:
        new = (settings.datasets / f"{missing[0]}.yml").is_file()
        hint = f"; the registry does not know its file yet: lake dataset follow-file {missing[0]}" if new else ""
        raise UnknownDataset(f"no dataset {missing[0]!r}; known: {', '.join(sorted(by_name))}{hint}")
    return [by_name[name] for name in names]


def ask(settings: Settings, etag: str = "") -> tuple[list[Dataset] | None, str]:
    """The registry's datasets and their ETag, kept for when it is down; None while they are still `etag`'s.

    RegistryDown where it does not answer, or with what this version can't read.
    """
    known = registered.ask(settings, etag)
    if known is None:
        return None, etag
    try:
        datasets = typed(known)
    except ValueError as error:
        raise RegistryDown(str(error)) from error
    remember(settings, known)
    return datasets, known.etag


def remember(settings: Settings, known: Documents) -> None:
    """Keep what the registry answered; a disk that refuses is said, and stops nothing."""
    try:
        registered.keep(settings, known)
    except OSError as error:
        # Not by the log: a command that has not set it up would write to its output.
        print(f"the configuration was not kept for when the registry is down: {error}", file=sys.stderr)
