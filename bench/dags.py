"""What Airflow adds: the daily DAG beside `dbt build` of the same models on the command line.

They take turns, each on new events of every stream; Airflow's processes wait beside the command line, too.
A DAG's time is from when it was asked for to the end of the task that looks whether all of dbt has run.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bench.airflow_api import Airflow
from bench.stack import STREAMS, built, cpu_seconds, lake
from stack import supervision
from stack.settings import PROJECT, Settings

DAG = "lakehouse_bronze_to_gold"
LEFT_OUT = "+path:models/dimensions"  # of the DAG, too: `dimensions_daily` has those


def measure(settings: Settings, history: int, events: int, rounds: int) -> dict[str, object]:
    """Seconds and CPU seconds a model of both, with `history` events of each stream and `events` new ones a run."""
    built(settings, history)
    lake("up", "--with", "airflow")
    airflow = Airflow(settings)
    airflow.wait_for_dag(DAG)
    runs: dict[str, list[tuple[float, float]]] = {"dag": [], "command_line": []}
    first = airflow.unpause(DAG)  # is a run of its own: the warm-up
    _ended(airflow, first)
    ways: dict[str, Callable[[], float]] = {
        "command_line": lambda: _command_line(settings),
        "dag": lambda: _ended(airflow, airflow.trigger(DAG)),
    }
    for number in range(rounds + 1):
        for way, run in ways.items():
            if not number and way == "dag":
                continue  # warm by now
            _arrive(events, number)
            before = _cpu(settings)
            seconds = run()
            cpu = _cpu(settings) - before
            print(f"round {number or 'warm-up'}: {way} {seconds:.0f} s, {cpu:.0f} CPU s", flush=True)
            if number:
                runs[way].append((seconds, cpu))
    models = _models(settings)
    seconds = {way: [round(one[0], 1) for one in of] for way, of in runs.items()}
    return {
        "events_per_stream": events,
        "history_per_stream": history,
        "rounds": rounds,
        "models": models,
        "seconds": seconds,
        "ratio_seconds": round(statistics.median(seconds["dag"]) / statistics.median(seconds["command_line"]), 2),
        "cpu_seconds_a_model": {
            way: round(statistics.median(cpu for _, cpu in of) / models, 2) for way, of in runs.items()
        },
        "parse_seconds": _parse_seconds(airflow),
    }


def _arrive(events: int, number: int) -> None:
    """New events of each stream, landed."""
    for stream in STREAMS:
        lake("produce", stream, "--count", str(events), "--seed", str(100 + number))
    lake("ingest", *STREAMS, "--once")


def _command_line(settings: Settings) -> float:
    began = time.monotonic()
    paths = ["--target-path", str(_target(settings)), "--log-path", str(settings.logs)]
    subprocess.run(
        [Path(sys.executable).with_name("dbt"), "build", "--exclude", LEFT_OUT, *paths],
        cwd=PROJECT / "dbt_project", stdout=sys.stderr, check=True,
    )  # fmt: skip
    return time.monotonic() - began


def _ended(airflow: Airflow, run: str) -> float:
    """Seconds from queued to the end of `all_ran`. Raises where the run is not green."""
    if (state := airflow.wait(DAG, run, 1800, every=5)) != "success":
        raise RuntimeError(f"{DAG} ended {state}: {airflow.tasks(DAG, run)}")
    queued = airflow.run(DAG, run)["queued_at"]
    return (_at(airflow.task(DAG, run, "all_ran")["end_date"]) - _at(queued)).total_seconds()


def _at(said: str) -> datetime:
    return datetime.fromisoformat(said)


def _cpu(settings: Settings) -> float:
    """CPU seconds of every process of the stack and of what this process has run, until now."""
    import resource

    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    running = [state["pid"] for state in supervision.states(settings).values() if state["pid"]]
    return sum(map(cpu_seconds, running)) + ours.ru_utime + ours.ru_stime


def _models(settings: Settings) -> int:
    """How many models the last run on the command line has built."""
    results = json.loads((_target(settings) / "run_results.json").read_text())["results"]
    return sum(one["unique_id"].startswith("model.") for one in results)


def _target(settings: Settings) -> Path:
    return settings.data / "bench" / "target"


def _parse_seconds(airflow: Airflow) -> dict[str, float]:
    """By DAG, how long the DAG processor took for its file the last time."""
    listed = airflow.call("GET", "/api/v2/dags")["dags"]
    return {one["dag_id"]: round(one["last_parse_duration"], 2) for one in listed}
