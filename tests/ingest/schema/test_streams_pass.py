"""If these fail, the faults that every producer has (malformed, late, drifting records) stop a live gold."""

from __future__ import annotations

import itertools
import random
from collections import deque

import pytest

from ingest.datasets import load
from ingest.generators.event_stream import EventStream
from ingest.generators.faults import Faults
from ingest.generators.malformed import catalogue
from ingest.produce_cli import STREAMS
from ingest.schema.compare import changes, verdict
from ingest.schema.evolve import evolved
from ingest.schema.infer import infer
from ingest.schema.model import ENOUGH

FAULTS = Faults(duplicates=0.05, late=0.05, out_of_order=0.05, illegal=0.05, malformed=0.05)


def readable(kind: type[EventStream], seed: int, **how: object) -> list[str]:
    """Bodies of a stream, less those whose header can't be read: as bronze has them."""
    errors = {f"malformed:{one.name}": one.error for one in catalogue(kind.dataset).values()}
    faults = (
        FAULTS if kind.has_illegal_events else Faults(*(FAULTS.duplicates, FAULTS.late, FAULTS.out_of_order, 0, 0.05))
    )
    records = kind(seed=seed, start=1_769_500_000, span=7200, faults=faults, **how).records()
    return [one.value.decode() for one in records if one.value and errors.get(one.kind) is None]


@pytest.mark.parametrize("corpus", [False, True], ids=["sound first", "every malformed kind first"])
@pytest.mark.parametrize("kind", STREAMS.values(), ids=STREAMS)
def test_no_stream_is_stopped_by_the_faults_it_always_has(kind: type[EventStream], corpus: bool) -> None:
    policy, chance = load(kind.dataset).policy, random.Random(3)
    bodies = iter(readable(kind, 3, count=6_000, corpus=corpus))
    known, newest = infer(itertools.islice(bodies, 120 if corpus else 3)), deque(maxlen=ENOUGH)
    while range_ := list(itertools.islice(bodies, chance.choice([1, 5, 40, 150, 1_000]))):
        seen = infer([*newest, *range_] if len(range_) < ENOUGH else range_)
        newest.extend(range_)
        found = changes(known, seen)
        assert verdict(found, policy) == "evolve", [str(change) for change in found]
        known = evolved(known, seen, found)
    print(known.ddl())
