"""If these fail, a soak that lost a row, stopped a stream or showed a reader half a table is reported as a good one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ingest.lag_cli import Lag
from prove.soak_readers import Reader, is_partial
from prove.soak_report import Batches, Run, Sample, Soaked

UPKEEP = {"table": "gold.a", "by": "its writer", "seconds": 1.0}
PACKED = {"data_files": 4, "delete_files": 1, "mb": 1.0, "snapshots": 9, "metadata_files": 21}


def kept_up(**after: int) -> Run:
    return Run("lake maintain", 0, 1.0, json.dumps([UPKEEP | {"before": PACKED, "after": PACKED | after}]), "")


def sample(at: int, waiting: int = 10, memory: int = 100) -> Sample:
    return Sample(at, {"orders": Lag("orders", waiting, 1000)}, {"trino": memory})


def reader(*wrong: str) -> Reader:
    one = Reader("Trino", lambda table: 1, ["gold.a"], frozenset(), threading.Event())
    one.wrong += wrong
    return one


BUILT = Run("dbt build", 0, 9.0, "", "")
GOOD = Soaked(
    minutes=6.0,
    rate=10.0,
    samples=[sample(at) for at in range(9)],
    ingester=0,
    drained=True,
    batches=Batches([0.5, 0.7], [0.9], [1.0], [], ["publish is tried again: no answer"]),
    builds=[BUILT],
    upkeep=[kept_up()],
    readers=[reader()],
    verified=Run("lake verify", 0, 1.0, "{}", ""),
)


def test_a_soak_without_a_fault_is_good() -> None:
    assert list(GOOD.failures()) == [] and GOOD.as_json()["ok"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"ingester": 4}, "the ingester ended with 4"),
        ({"batches": Batches([], [], [], ["dataset stopped: X"], [])}, "dataset stopped: X"),
        ({"drained": False}, "does not have every record"),
        ({"verified": Run("lake verify", 1, 1.0, "", "")}, "lost or doubled"),
        ({"verified": Run("lake verify", 5, 1.0, "", "no Trino")}, "lake verify exited 5: no Trino"),
        ({"builds": [BUILT, replace(BUILT, code=1, said="a test is red")]}, "dbt build exited 1: a test is red"),
        ({"builds": []}, "dbt built nothing"),
        ({"upkeep": [Run("lake maintain", 5, 1.0, "", "no Trino")]}, "lake maintain exited 5: no Trino"),
        ({"upkeep": []}, "nothing was kept up"),
        ({"upkeep": [kept_up(delete_files=140)]}, "gold.a was left with 144 files"),
        ({"readers": [reader("gold.a: 3 rows after 7")]}, "a reader of Trino saw gold.a: 3 rows after 7"),
        ({"samples": [sample(0), sample(1, waiting=1001)]}, "1,001 records waited, at most 1,000 may"),
        ({"samples": [sample(at, memory=100 + 20 * at) for at in range(9)]}, "the memory of trino grew to 1.33"),
    ],
)
def test_each_fault_is_a_sentence_and_the_soak_is_not_good(fault: dict, said: str) -> None:
    found = replace(GOOD, **fault).as_json()
    assert not found["ok"]
    assert any(said in failure for failure in found["failures"]), found["failures"]


def test_memory_is_not_judged_where_a_jvm_is_still_filling_its_heap() -> None:
    growing = [sample(at, memory=100 + 20 * at) for at in range(9)]
    assert replace(GOOD, minutes=2.0, samples=growing).as_json()["ok"]


def test_a_reader_tells_an_error_an_empty_table_and_half_of_one_from_a_whole() -> None:
    answers = iter([100, 95, RuntimeError("cut\noff"), 95, 40, 96, 0])
    stop = threading.Event()

    def count(_table: str) -> int:
        answer = next(answers, None)
        if answer is None:
            stop.set()
            return 96
        if isinstance(answer, Exception):
            raise answer
        return answer

    one = Reader("Trino", count, ["gold.mart"], frozenset(), stop, every=0)
    one.run()
    assert one.wrong == ["gold.mart: cut", "gold.mart: 40 rows after 95", "gold.mart: 0 rows after 96"]
    assert is_partial(100, 99, is_growing=True) and not is_partial(100, 100, is_growing=True)


def test_a_bronze_batch_beside_the_packing_of_a_gold_is_counted_apart(tmp_path) -> None:
    def line(event: str, ended: int, seconds: float, **more: object) -> str:
        return json.dumps(
            {"event": event, "level": "info", "timestamp": f"2026-01-01T00:00:{ended:02}Z", "seconds": seconds, **more}
        )

    log = tmp_path / "ingest.log"
    log.write_text(
        "\n".join(
            [
                "a line of the JVM",
                line("bronze", 10, 2.0),
                line("gold compacted", 20, 5.0),
                line("bronze", 16, 2.0),
                line("bronze", 23, 1.0),
                line("gold", 24, 3.0),
                line("starts again", 25, 0.0, level="warning", cause="Broker"),
                line("dataset stopped", 26, 0.0, level="error", reason="recreated"),
            ]
        )
    )
    troubles, retried = ["dataset stopped: recreated"], ["starts again: Broker"]
    assert Batches.of(log) == Batches([2.0, 1.0], [2.0], [3.0], troubles, retried)


AT_WORK = """
import sys, time
from pathlib import Path
from prove import soak, soak_cli

def at_work(*_):
    with soak.child(Path("said"), "-c", "import time; time.sleep(60)") as ingester:
        print(ingester.pid, flush=True)
        time.sleep(60)

soak.LAKE, soak.soak = (sys.executable,), at_work
soak_cli.soak()
"""


def test_a_soak_that_is_ended_leaves_no_ingester_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", AT_WORK]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as soak:
        ingester = psutil.Process(int(soak.stdout.readline()))
        soak.terminate()
        soak.wait(30)
    assert not ingester.is_running()


@pytest.mark.integration
@pytest.mark.full  # half a minute of it takes four on two cores: starts, the first build, the drain
@pytest.mark.timeout(9000)
@pytest.mark.parametrize("minutes", ["0.5", "60"])
def test_ingest_dbt_upkeep_and_readers_at_once_fail_nothing_and_lose_nothing(lake_stack, run_lake, minutes) -> None:
    """On the stack that the other tests use, too: what they have left is read, kept up and verified with the rest."""
    done = run_lake("soak", "--minutes", minutes, "--rate", "200", "--json", check=False)
    found = json.loads(done.stdout)
    assert found["failures"] == []
    assert done.returncode == 0
    assert min(of["count"] for of in found["readers"].values()) >= 5
