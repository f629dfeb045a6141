"""If these fail, the death of one half of the ingester, Python or JVM, is a hang or costs records.

Each death by itself; all of them in turn are in `test_killed.py`.
"""

from __future__ import annotations

import pytest

from tests.ingest.faults.case import Case
from tests.ingest.faults.deaths import jvm_killed, python_killed_at, terminated_at

pytestmark = [pytest.mark.integration, pytest.mark.full]


@pytest.mark.parametrize("point", ["before_bronze_commit", "before_gold_commit"])
def test_python_killed_takes_the_jvm_with_it_and_a_restart_is_exact(case: Case, point: str) -> None:
    case.produce(1_200)
    python_killed_at(case, point, batch=2)
    case.drain()
    case.judge()


def test_jvm_killed_ends_python_with_a_sentence_and_a_restart_is_exact(case: Case) -> None:
    case.produce(1_200)
    jvm_killed(case)
    case.drain()
    case.judge()


def test_sigterm_ends_the_batch_under_way_and_exits_0(case: Case) -> None:
    case.produce(1_200)
    terminated_at(case, "before_bronze_commit", batch=2)
    case.drain()
    case.judge()
