"""What the ingester's commands share: exit codes, one sentence for a failure, and a Spark session that ends well.

Heavy imports wait until a command runs, so that `--help` is quick.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, NoReturn

import typer

from ingest.datasets import Dataset, UnknownDataset
from ingest.reason import reason
from ingest.registry.known import datasets_in_effect
from stack.faults import UNREACHABLE, USAGE
from stack.registered import Documents
from stack.settings import settings

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def fail(message: str, code: int) -> NoReturn:
    """One sentence to the person, and the exit code."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


@contextmanager
def spark_for(name: str) -> Iterator:
    """A Spark session whose failures are sentences."""
    from py4j.protocol import Py4JError

    from ingest.logs import configure
    from ingest.spark import MissingJars, session
    from ingest.topics import TopicUnavailable

    configure()
    try:
        spark = session(settings(), name)
        try:
            yield spark
        finally:
            with suppress(ConnectionError, Py4JError):  # the JVM may have been ended with us
                spark.stop()
    except MissingJars as error:
        fail(str(error), UNREACHABLE)
    except (Py4JError, TopicUnavailable) as error:
        fail(f"{reason(error)} (is the stack up? lake status)", UNREACHABLE)


def datasets(names: list[str] | None) -> list[Dataset]:
    """The datasets named, all by default, as the registry has them."""
    return in_effect(names)[0]


def in_effect(names: list[str] | None) -> tuple[list[Dataset], Documents]:
    """The datasets named, and where their configuration is from: told where it is not the registry's and should be."""
    try:
        found, known = datasets_in_effect(settings(), names)
    except (UnknownDataset, ValueError) as error:
        fail(str(error), USAGE)
    if known.said:
        holds = "the last known configuration holds" if known.source == "last known" else f"{settings().datasets} holds"
        typer.echo(f"{known.said}: {holds}", err=True)
    for name in {*known.refused} & {*(names or known.refused)}:
        is_known = any(one.name == name for one in found)
        holds = "its last known configuration holds" if is_known else "it is left out"
        typer.echo(f"{known.refused[name]}; {holds}", err=True)
    return found, known
