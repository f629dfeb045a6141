"""If these fail, the death of one half of the ingester, Python or JVM, is a hang or costs records."""

from __future__ import annotations

import signal

import psutil
import pytest

from tests.ingest.faults.case import Case

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("point", ["before_bronze_commit", pytest.param("before_gold_commit", marks=pytest.mark.full)])
def test_python_killed_takes_the_jvm_with_it_and_a_restart_is_exact(case: Case, point: str) -> None:
    case.produce(1_200)
    ingester = case.ingest("--once", hold=f"{point}:2")
    ingester.reaches(point)
    jvm = ingester.jvm
    assert jvm
    ingester.process.kill()
    _, alive = psutil.wait_procs(jvm, timeout=60)
    assert not alive, "the JVM lives on without its Python half"
    case.drain()
    case.judge()


def test_jvm_killed_ends_python_with_a_sentence_and_a_restart_is_exact(case: Case) -> None:
    case.produce(1_200)
    ingester = case.ingest()
    ingester.says('"gold"')
    for half in ingester.jvm:
        half.kill()
    ingester.ends(5, saying="JVM")
    case.drain()
    case.judge()


def test_sigterm_ends_the_batch_under_way_and_exits_0(case: Case) -> None:
    case.produce(1_200)
    ingester = case.ingest(hold="before_bronze_commit:2")
    ingester.reaches("before_bronze_commit")
    ingester.process.send_signal(signal.SIGTERM)
    ingester.let_go("before_bronze_commit")
    ingester.ends(0)
    assert 400 < case.query("select count(*) from {bronze}")[0][0] <= 800, "the batch under way was not finished"
    case.drain()
    case.judge()
