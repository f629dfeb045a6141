"""`lake dimensions`: feeds of users and videos into bronze. Exits 2 for what can't be asked, 3 where another loader was
faster, 5 where the catalog does not answer."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from ingest.command import Json, fail
from stack.faults import HELD, UNREACHABLE, USAGE
from stack.settings import settings

app = typer.Typer(no_args_is_help=True)


@app.callback()
def dimensions() -> None:
    """Feeds of users and videos."""


@app.command()
def load(
    names: Annotated[list[str] | None, typer.Argument(metavar="[users|videos]...", help="Default: both.")] = None,
    days: Annotated[
        int | None,
        typer.Option(min=0, help="Daily feeds after the first load; by default up to today.", show_default=False),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of whom there is nothing yet; 7 by default.", show_default=False)
    ] = None,
    first_day: Annotated[
        str | None,
        typer.Option(help="Day of the first load, YYYY-MM-DD; by default DAYS ago, or 30.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Land the first full load and the feed of each day since; a feed that is there is left out.

    A table goes on with the seed and the first day that it began with.
    """
    from pyiceberg.exceptions import CommitFailedException
    from requests.exceptions import ConnectionError as NoCatalog
    from sqlalchemy.exc import OperationalError

    from ingest import dimensions
    from ingest.catalog import catalog

    chosen = names or list(dimensions.DIMENSIONS)
    if unknown := [name for name in chosen if name not in dimensions.DIMENSIONS]:
        fail(f"No dimension {unknown[0]!r}; there are {', '.join(dimensions.DIMENSIONS)}.", USAGE)
    begin = _day(first_day)
    done = []
    for dimension in map(dimensions.DIMENSIONS.__getitem__, chosen):
        try:
            table = dimensions.open_table(catalog(settings()), dimension)
            done.append(dimensions.load(table, dimension, seed, begin, days, datetime.now(UTC).date()))
        except dimensions.OtherFeeds as error:
            fail(str(error), USAGE)
        except CommitFailedException:
            fail(f"bronze.{dimension.table}: somebody else has just committed; nothing was added, load again.", HELD)
        except OperationalError:
            fail(f"PostgreSQL on port {settings().postgres_port} does not answer: lake up", UNREACHABLE)
        except NoCatalog:
            fail(f"The catalog at {settings().catalog_uri} does not answer: lake up", UNREACHABLE)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in done], default=str))
        return
    for one in done:
        typer.echo(
            f"{one.table}: {one.rows:,} rows of {one.feeds} feeds landed, {one.feeds_skipped} feeds were there "
            f"({one.first_day} to {one.last_day}, seed {one.seed})"
        )


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        fail(f"--first-day is a day such as 2026-01-27, not {text!r}.", USAGE)
