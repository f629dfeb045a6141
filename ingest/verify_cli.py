"""`lake verify`: are broker, bronze and gold the same? Exits 0 when all that could be compared is equal, 1 when not (or
no bronze yet), 2 for an unknown dataset, 5 when an engine does not answer.

Heavy imports wait until the command runs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.command import datasets as datasets_named
from ingest.datasets import Dataset
from stack.faults import DIFFERENT, UNREACHABLE
from stack.settings import settings

if TYPE_CHECKING:
    from ingest.verify.report import Report


def verify(
    datasets: Annotated[list[str] | None, typer.Argument(help="Datasets to verify; all when none is named.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout instead of a table.")] = False,
) -> None:
    """Compare the broker's records with bronze, and live gold with a recomputation in SQL, at one cut.

    Works while the stream runs. Exit code 1 on any difference. Golds with transforms, or whose new
    key waits for a person, can't be compared so: then the verdict is `incomplete`, with the commands to run.
    """
    from rich.console import Console

    from ingest.verify.show import show

    report = run(datasets_named(datasets))
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        show(report, Console())
    if report.verdict == "different":
        raise typer.Exit(DIFFERENT)


def run(datasets: list[Dataset]) -> Report:
    """The report on these datasets; typer.Exit after one sentence when there can't be one."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from ingest.verify.broker import BrokerUnreachable, LogMoved
    from ingest.verify.report import Report
    from ingest.verify.run import verify_dataset
    from ingest.verify.warehouse import SnapshotGone, TableAbsent, TrinoUnreachable

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    done = []
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
            for dataset in datasets:
                try:
                    done.append(verify_dataset(dataset, settings(), bars))
                except TableAbsent:
                    name = dataset.bronze.identifier
                    sentence = f"{name} does not exist yet, nothing to verify: run `lake ingest` first."
                    raise _sentence(sentence, DIFFERENT) from None
                except (SnapshotGone, LogMoved) as error:
                    sentence = f"{dataset.name}: every cut taken was gone before it was read ({error}); try again."
                    raise _sentence(sentence, DIFFERENT) from error
    except (TrinoUnreachable, BrokerUnreachable) as error:
        raise _sentence(str(error), UNREACHABLE) from error
    return Report(datasets=done)


def _sentence(text: str, code: int) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(code)
