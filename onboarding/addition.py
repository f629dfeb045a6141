"""A topic as a new dataset, before anything is written: what its records show, and the files that would say so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from ingest.datasets import Dataset
from onboarding import sample
from onboarding.describe import Described, describe
from onboarding.files import files, names


class TooFewRecords(ValueError):
    """The topic can't show yet what its records are; the message says how many it has."""


@dataclass(frozen=True)
class Addition:
    """The dataset, how many records it was described from, and where its files go."""

    name: str
    topic: str
    records: int
    partitions: int
    described: Described
    datasets: Path
    project: Path

    def files(self) -> dict[Path, str]:
        """Path and text of each, as the folders are now. Raises InTheWay."""
        return files(self.name, self.topic, self.partitions, self.described, self.datasets, self.project)

    def dataset(self) -> Dataset:
        """What its YAML file says. Raises InTheWay."""
        return Dataset.model_validate(yaml.safe_load(self.files()[self.datasets / f"{self.name}.yml"]))


def addition(
    servers: str, name: str, topic: str, datasets: Path, project: Path, records: int = 1000, **said: str | None
) -> Addition:
    """Look at the newest `records`. `said` names the body's fields that a person knows, as describe() takes them.

    Raises ValidationError for a name or topic that is none, TopicUnavailable, TooFewRecords, NotDescribed.
    """
    bronze = {"table": names(name)["table"]}
    Dataset.model_validate({"name": name, "topic": topic, "event_time": None, "bronze": bronze})
    found = sample.sample(servers, topic, records)
    if len(found.records) < sample.FEWEST:
        few = f"topic {topic} has {len(found.records)} records; produce at least {sample.FEWEST} first"
        raise TooFewRecords(few)
    described = describe(found.records, **said)
    return Addition(name, topic, len(found.records), found.partitions, described, datasets, project)
