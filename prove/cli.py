"""`lake prove`: the equalities that the rest relies on, shown on what the lakehouse holds now.

Each prints its evidence: of every subject the cut, and rows and hash of both sides. Exits 0 when all are equal, 1 when
one is not or there is nothing to prove, 5 when an engine can't be reached. Heavy imports wait until a command runs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from prove.evidence import Evidence
from stack.faults import DIFFERENT
from stack.settings import settings

app = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="How many random ways to try.")]
FirstSeed = Annotated[
    int | None, typer.Option("--first-seed", help="To repeat a run: the seeds from this one on. Default: random.")
]


@app.command()
def replay(
    seeds: Annotated[int, typer.Option("--seeds", min=0, help="Fold again in this many random sets of cuts.")] = 0,
    first_seed: FirstSeed = None,
    as_json: Json = False,
) -> None:
    """Every live gold equals its replay: bronze folded again up to the cut of one snapshot."""
    from ingest.command import datasets, spark_for
    from prove.replay import prove_replay

    with spark_for("lake prove replay") as spark:
        found = prove_replay(spark, datasets(None), _seeds(seeds, first_seed), _say)
    _conclude("replay", found, ("live", "replayed"), as_json)


@app.command()
def incremental(
    seeds: Seeds = 1,
    first_seed: FirstSeed = None,
    cuts: Annotated[int, typer.Option(min=2, help="Batches in which bronze arrives, an epoch.")] = 4,
    select: Annotated[list[str] | None, typer.Option(help="An incremental model; repeatable. Default: all.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the schemas with both sides' tables.")] = False,
    as_json: Json = False,
) -> None:
    """Every incremental dbt model equals its full refresh, however bronze arrives: on copies, which are dropped."""
    from prove.incremental import prove_incremental

    chosen = _seeds(seeds, first_seed)
    found = prove_incremental(settings(), chosen, cuts, select or (), report=_say, keep=keep)
    _conclude("incremental", found, ("in cuts", "at once"), as_json)


@app.command()
def history(
    seeds: Seeds = 1,
    first_seed: FirstSeed = None,
    cuts: Annotated[int, typer.Option(min=2, help="Batches in which the changes arrive.")] = 4,
    as_json: Json = False,
) -> None:
    """The dimensions' history equals that rebuilt from their bronze, however the changes arrive."""
    from prove.history import prove_history

    found = prove_history(settings(), _seeds(seeds, first_seed), cuts, report=_say)
    _conclude("history", found, ("kept", "rebuilt"), as_json)


@app.command()
def parity(
    seeds: Seeds = 1,
    first_seed: FirstSeed = None,
    cuts: Annotated[int, typer.Option(min=1, help="Batches in which bronze arrives, an epoch.")] = 2,
    select: Annotated[list[str] | None, typer.Option(help="As dbt's --select; repeatable. Default: all.")] = None,
    as_json: Json = False,
) -> None:
    """Every dbt model and snapshot has the same rows on Trino and on Spark: on copies, which are dropped."""
    from prove.parity import prove_parity

    found = prove_parity(settings(), _seeds(seeds, first_seed), cuts, select or (), report=_say)
    _conclude("parity", found, ("Trino", "Spark"), as_json)


def _seeds(count: int, first: int | None) -> list[int]:
    if not count:
        return []
    first = random.SystemRandom().randrange(1_000_000) if first is None else first
    _say(f"seeds {first} to {first + count - 1}; the same again: --seeds {count} --first-seed {first}")
    return list(range(first, first + count))


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _conclude(proof: str, found: Sequence[Evidence], sides: tuple[str, str], as_json: bool) -> NoReturn:
    from rich.console import Console

    from prove import show
    from stack.faults import Fault

    if not found:
        raise Fault(f"Nothing to prove by `lake prove {proof}` yet", "lake ingest --once, then dbt build")
    if as_json:
        typer.echo(show.as_json(proof, found))
    else:
        show.show(found, sides, Console())
    raise typer.Exit(0 if all(one.is_equal for one in found) else DIFFERENT)
