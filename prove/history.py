"""History kept equals history rebuilt, however the changes of users and videos arrive.

Works on copies of bronze: in random cuts that leave nothing of the order in which the changes were landed, some of them
again and again, with dbt's snapshots after each cut. What stands then must be what the same snapshots make of all at
once, and what they make of the feeds as they were landed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from ingest.verify.warehouse import TrinoUnreachable, Warehouse
from prove.evidence import Evidence
from prove.history_copies import HISTORIES, Copies, Hashed, History, copies_of, landed_and_kept
from stack.faults import UNREACHABLE, Fault
from stack.settings import PROJECT, Settings

_AGAIN = 50
"""Of a thousand changes that have arrived, how many come again with a later cut."""


def prove_history(
    settings: Settings,
    seeds: Sequence[int],
    cuts: int = 4,
    project: Path = PROJECT / "dbt_project",
    report: Callable[[str], None] = lambda line: None,
) -> list[Evidence]:
    """Evidence for both dimensions: the history that the lakehouse keeps, if it does, and each seed's; ends with a seed
    that differs."""
    warehouse = Warehouse(settings)
    try:
        landed, kept = landed_and_kept(warehouse, report)
        with copies_of(warehouse, settings, landed, project) as copies:
            return list(_evidence(copies, kept, seeds, cuts, report))
    except TrinoUnreachable as error:
        raise Fault(str(error), "lake status", UNREACHABLE) from error


def _evidence(
    copies: Copies, kept: dict[History, Hashed], seeds: Sequence[int], cuts: int, report: Callable[[str], None]
) -> Iterator[Evidence]:
    report("dbt over the feeds as they were landed")
    copies.empty()
    for history in HISTORIES:
        copies.arrive(history)
    copies.build()
    as_landed = {history: copies.history_but_arrivals(history) for history in HISTORIES}
    for history, found in kept.items():
        said = f"as kept by the lakehouse, against {history.feeds}"
        yield _compared(history, said, found, copies.history(history))
    for seed in seeds:
        found = list(_of_seed(copies, as_landed, seed, cuts, report))
        yield from found
        if not all(one.is_equal for one in found):
            return


def _of_seed(
    copies: Copies, as_landed: dict[History, Hashed], seed: int, cuts: int, report: Callable[[str], None]
) -> Iterator[Evidence]:
    copies.empty()
    for number, conditions in enumerate(zip(*_cuts(seed, cuts), strict=True)):
        report(f"seed {seed}: dbt after cut {number + 1} of {cuts}")
        for history, condition in zip(HISTORIES, conditions, strict=True):
            copies.arrive(history, condition, f"timestamp '2026-01-01 00:00:{number:02d}.000000 UTC'")
        copies.snapshot()
    kept = {history: (copies.history(history), copies.history_but_arrivals(history)) for history in HISTORIES}
    report(f"seed {seed}: dbt, rebuilt")
    copies.forget()
    copies.snapshot()
    for history, (whole, but_arrivals) in kept.items():
        said = f"seed {seed}, {cuts} cuts of {history.feeds}"
        yield _compared(history, said, whole, copies.history(history))
        yield _compared(history, f"{said}, against the order as landed", but_arrivals, as_landed[history])


def _compared(history: History, said: str, left: Hashed, right: Hashed) -> Evidence:
    return Evidence(history.dimension, said, left[0], right[0], left[1], right[1])


def _cuts(seed: int, count: int) -> list[list[str]]:
    """For each history a condition a cut. Every change is in one cut, whatever its place in the feeds, and in some of
    the later ones again."""
    chance, found = random.Random(seed), []
    for _ in HISTORIES:
        ends = [0, *sorted(chance.sample(range(1, 1000), count - 1)), 1000]
        place = _drawn(chance)
        found.append(
            [
                f"({place} >= {first} and {place} < {last}) or ({place} < {first} and {_drawn(chance)} < {_AGAIN})"
                for first, last in pairwise(ends)
            ]
        )
    return found


def _drawn(chance: random.Random) -> str:
    """A number from 0 to 999, at random for each row of the feeds, as SQL."""
    salted = f"cast(feed_date as varchar) || '/' || cast(feed_row as varchar) || '/{chance.getrandbits(62)}'"
    return f"mod(bitwise_and(from_big_endian_64(xxhash64(to_utf8({salted}))), {2**63 - 1}), 1000)"
