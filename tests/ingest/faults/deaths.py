"""How an ingester may die: at a named point or at any time, one of its halves or both, or because it is asked to.

Each starts one on the case's dataset, so it recovers from the death before; what it leaves is for the caller to judge.
"""

from __future__ import annotations

import signal
import time
from random import Random

import psutil

from tests.ingest.faults.case import Case


def killed_at(case: Case, point: str, batch: int) -> None:
    """kill -9 of both halves where the point is reached for the `batch`-th time."""
    ingester = case.ingest("--once", hold=f"{point}:{batch}")
    ingester.reaches(point)
    ingester.kill()


def killed_at_random(case: Case, chance: Random, within: float) -> None:
    """kill -9 of both halves, up to `within` seconds after the stream has begun."""
    ingester = case.ingest("--once")
    ingester.says('"bronze starts"')
    time.sleep(chance.uniform(0, within))
    ingester.kill()


def python_killed_at(case: Case, point: str, batch: int) -> None:
    """kill -9 of the Python half, which must take the JVM with it."""
    ingester = case.ingest("--once", hold=f"{point}:{batch}")
    ingester.reaches(point)
    jvm = ingester.jvm
    assert jvm
    ingester.process.kill()
    _, alive = psutil.wait_procs(jvm, timeout=60)
    assert not alive, "the JVM lives on without its Python half"


def jvm_killed(case: Case) -> None:
    """kill -9 of the Java half, which must end the other with a sentence."""
    ingester = case.ingest()
    ingester.says('"gold"')
    for half in ingester.jvm:
        half.kill()
    ingester.ends(5, saying="JVM")


def terminated_at(case: Case, point: str, batch: int) -> None:
    """SIGTERM, upon which the batch under way is finished and no other begun."""
    ingester = case.ingest(hold=f"{point}:{batch}")
    ingester.reaches(point)
    before = rows(case)
    ingester.process.send_signal(signal.SIGTERM)
    ingester.let_go(point)
    ingester.ends(0)
    assert before < rows(case) <= before + 400, "the batch under way was not the last one, or not finished"


def rows(case: Case) -> int:
    return case.query("select count(*) from {bronze}")[0][0]
