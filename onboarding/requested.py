"""The files of a dataset that is registered over HTTP: the same as `lake dataset add` writes, or a problem document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ingest.datasets import Dataset
from ingest.registry.bodies import Registration
from ingest.registry.problems import FieldError, Problem, invalid_dataset
from ingest.topics import TopicAbsent, TopicUnavailable
from onboarding.addition import Addition, TooFewRecords, addition
from onboarding.describe import NotDescribed
from onboarding.files import InTheWay, write
from stack.settings import PROJECT, Settings


@dataclass(frozen=True)
class Requested:
    """`dataset` is what its file will say."""

    dataset: Dataset
    addition: Addition

    def write(self, dry_run: bool) -> list[str]:
        """Write them; their paths. Problem where one is there by now, or a folder takes none."""
        try:
            found = self.addition.files()
            if not dry_run:
                write(found)
        except OSError as error:
            raise _refused(error) from error
        return [str(path) for path in found]


def requested(settings: Settings, body: Registration | Dataset, project: Path = PROJECT / "dbt_project") -> Requested:
    """What the body asks for; what it leaves out is read off the topic's records. Problem where they don't say it."""
    if not isinstance(body, Registration):
        raise Problem(422, "invalid", "Files are written for a registration in short: their dataset is in its file.")
    key = body.pkFields[0] if body.pkFields else None
    event_time = body.eventTime.field if "eventTime" in body.model_fields_set else None
    servers = settings.kafka_bootstrap_servers
    later = f"register it without files, and run lake dataset add {body.name} later"
    try:
        found = addition(
            servers, body.name, body.kafkaTopic, settings.datasets, project, key=key, event_time=event_time
        )
        dataset = found.dataset()
    except ValidationError as error:
        raise invalid_dataset(error) from error
    except (TopicAbsent, TooFewRecords) as error:
        raise Problem(409, "too-few-records", f"{error}, and ask again. Or {later}.") from error
    except TopicUnavailable as error:
        raise Problem(503, "no-broker", f"{error}: nothing was registered.") from error
    except NotDescribed as error:
        raise Problem(422, "not-in-the-records", f"{error}.") from error
    except OSError as error:
        raise _refused(error) from error
    _agree(body, dataset)
    return Requested(dataset, found)


def _refused(error: OSError) -> Problem:
    """Of a file that is there already, or of a folder that is not, or takes none."""
    if isinstance(error, InTheWay):
        return Problem(409, "file-exists", f"{error}. Nothing was registered.")
    later = "register it without files, and run lake dataset add where the project is"
    return Problem(409, "files-refused", f"The files can't be written ({error}); {later}.")


def _agree(body: Registration, dataset: Dataset) -> None:
    """Problem where the body says what its files would not."""
    would: dict[str, Any] = {
        "mode": dataset.mode,
        "partitionKeys": ["date"] if dataset.bronze.partition_by == "day" else ["hour"],
        "transforms": [],
        "eventTime": dataset.event_time,
    }
    wrong = [
        FieldError(field=name, said=f"the files would say {value}: leave it out, and change the file afterwards")
        for name, value in would.items()
        if name in body.model_fields_set and getattr(body, name) != value
    ]
    if wrong:
        listed = "; ".join(f"{one.field}: {one.said}" for one in wrong)
        raise Problem(422, "not-in-the-files", f"The files say what the topic's records show. {listed}.", wrong)
