"""If these fail, Airflow's picture of the work is not dbt's: a test that nobody runs, a model run twice, a silent DAG.

What each task would run is asked of dbt itself, with the task's own selection.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from typing import Any

import pytest
from dbt.compilation import Linker
from dbt.graph import Graph, ResourceTypeSelector, parse_difference
from dbt.node_types import NodeType

from stack.airflow_config import environment, program
from stack.dbt import Dbt
from stack.settings import PROJECT, Settings
from tests.dags.conftest import render

FILES = sorted((PROJECT / "dags").glob("*.py"))
TESTS = (NodeType.Test, NodeType.Unit)


@pytest.fixture(scope="module")
def dbt(parsed: Settings) -> Dbt:
    return Dbt(parsed, parsed.home / "ls")


@pytest.fixture(scope="module")
def nodes(dbt: Dbt) -> set[str]:
    """Everything of dbt's project that a task may stand for."""
    return {*dbt.manifest.nodes, *dbt.manifest.unit_tests, *dbt.manifest.sources}


def selected(dbt: Dbt, task: dict[str, Any], *types: NodeType) -> set[str]:
    """Unique ids of what dbt takes for this task, of these types: its own selection, without its command's start."""
    assert task["indirect_selection"] in (None, "eager")
    linker = Linker()
    linker.link_graph(dbt.manifest)
    choice = parse_difference(*((task[name] or "").split() or None for name in ("select", "exclude")))
    return ResourceTypeSelector(
        graph=Graph(linker.graph), manifest=dbt.manifest, previous_state=None, resource_types=list(types)
    ).get_selected(choice)


def runs(dbt: Dbt, task: dict[str, Any]) -> list[str]:
    """The nodes that a task which is a dbt of its own runs."""
    match task["base_cmd"]:
        case ["test"]:
            return list(selected(dbt, task, *TESTS))
        case ["run"] | ["snapshot"]:  # by its full name, which needs no dbt to be understood
            return [id_ for id_, node in dbt.manifest.nodes.items() if task["select"] == f"fqn:{'.'.join(node.fqn)}"]
        case ["source", "freshness"]:
            return [task["node"]]
        case ["build"]:
            return list(selected(dbt, task, NodeType.Model, NodeType.Snapshot, *TESTS))
    return []


def tasks_of(rendered: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{dag}.{id_}": task for dag, said in rendered["dags"].items() for id_, task in said["tasks"].items()}


def test_every_file_imports_and_is_a_declaration(rendered: dict[str, Any]) -> None:
    assert rendered["errors"] == {}
    assert {dag["file"] for dag in rendered["dags"].values()} == {path.name for path in FILES}
    for path in FILES:
        assert len(path.read_text().splitlines()) <= 80, path
        assert not path.name.startswith(("dbt_", "__init__"))


def test_every_dag_says_what_it_is_for_whose_it_is_and_tells_when_it_fails(rendered: dict[str, Any]) -> None:
    for id_, dag in rendered["dags"].items():
        assert (dag["doc"] and "**When" in dag["doc"]) or "Trigger it" in dag["doc"], id_
        assert "lakehouse" in dag["tags"] and (dag["runs"], dag["catchup"]) == (1, False), id_
        for name, task in dag["tasks"].items():
            assert task["owner"] not in ("airflow", ""), f"{id_}.{name}"
            assert "task_failed" in task["tells"] or task["kind"] == "EmptyOperator", f"{id_}.{name}"


def test_each_node_of_dbt_is_run_by_exactly_one_task(rendered: dict[str, Any], dbt: Dbt, nodes: set[str]) -> None:
    tasks = tasks_of(rendered)
    if rendered["mode"] == "watcher":  # the builds run everything; sources' freshness is asked before each
        done = [id_ for task in tasks.values() if "Producer" in task["kind"] for id_ in runs(dbt, task)]
        done += [task["node"] for task in tasks.values() if task["kind"] == "DbtSourceWatcherOperator"]
    else:
        done = [id_ for task in tasks.values() for id_ in runs(dbt, task)]
    assert [id_ for id_, count in Counter(done).items() if count > 1] == []
    assert nodes - set(done) == set()
    assert set(done) - nodes == set()


def test_each_node_is_in_sight(rendered: dict[str, Any], dbt: Dbt) -> None:
    """A model, snapshot or source is a task of its own, a data test is in exactly one."""
    tasks = tasks_of(rendered)
    shown = Counter(task["node"] for task in tasks.values() if task["node"] and "Test" not in task["kind"])
    assert set(shown.values()) == {1}
    assert set(shown) == {id_ for id_ in [*dbt.manifest.nodes, *dbt.manifest.sources] if not id_.startswith("test.")}
    if rendered["mode"] == "watcher":
        for dag in rendered["dags"].values():
            [watched] = [t["tests_per_model"] for t in dag["tasks"].values() if t["tests_per_model"]] or [{}]
            watching = [task["node"] for task in dag["tasks"].values() if task["kind"] == "DbtTestWatcherOperator"]
            assert set(watching) <= set(watched), "a task that watches no test is green whatever happens"
            assert len(watching) == len(set(watching))


def test_the_last_task_asks_for_all_that_dbt_should_run(rendered: dict[str, Any], nodes: set[str]) -> None:
    wanted = [id_ for task in tasks_of(rendered).values() for id_ in task["wanted"] or ()]
    assert sorted(wanted) == sorted(id_ for id_ in nodes if not id_.startswith("source."))


def test_what_a_node_is_made_from_is_upstream_of_it(rendered: dict[str, Any], dbt: Dbt) -> None:
    for name, dag in rendered["dags"].items():
        of = {task["node"]: id_ for id_, task in dag["tasks"].items() if task["node"] and "Test" not in task["kind"]}
        for node, id_ in of.items():
            for parent in dbt.manifest.nodes[node].depends_on.nodes if node in dbt.manifest.nodes else ():
                if parent in of:
                    assert of[parent] in _ancestors(dag["tasks"], id_), f"{name}: {node} does not wait for {parent}"


def _ancestors(tasks: dict[str, Any], id_: str) -> set[str]:
    found, todo = set(), [id_]
    while todo:
        for up in tasks[todo.pop()]["upstream"]:
            if up not in found:
                found.add(up)
                todo.append(up)
    return found


@pytest.mark.parametrize("every", [pytest.param("1", marks=pytest.mark.full), "12"])
@pytest.mark.parametrize("way", ["local", "watcher"])
def test_a_task_is_the_same_where_its_process_reads_only_its_own_part(parsed: Settings, way: str, every: str) -> None:
    """A process that runs a task leaves out the nodes beside it; its upstream is then the scheduler's to know."""
    found = render(parsed.model_copy(update={"dbt_tasks": way}), PROJECT / "dags", every)
    whole = tasks_of(found)
    assert len(found["alone"]) >= len(whole) / int(every)
    for id_, alone in found["alone"].items():
        assert as_run(alone) == as_run(whole[id_]), id_


def as_run(task: dict[str, Any]) -> dict[str, Any]:
    """What of a task counts where it runs; of a selection, the order of its words does not."""
    said = {name: value for name, value in task.items() if name not in ("upstream", "wanted", "tests_per_model")}
    return said | {name: sorted((task[name] or "").split()) for name in ("select", "exclude")}


WAITS = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowException
from orchestration import watching
tasks = DagBag(sys.argv[1]).dags["lakehouse_bronze_to_gold"].tasks
print("pass", json.dumps([t.extra_context["dbt_node_config"]["unique_id"] for t in tasks if watching._is_unasked(t)]))
for state in ("running", "failed", "success"):
    try:
        print("word", state, watching._no_word_of_it(lambda *_: False, state, 1, {}))
    except AirflowException as error:
        print("word", state, error)
"""


def test_a_watching_task_waits_for_what_a_build_says_and_no_longer(parsed: Settings, dbt: Dbt) -> None:
    """Of a source without a freshness no build says a word, and one that has ended says no more."""
    command = [program(parsed).parent / "python", "-c", WAITS, PROJECT / "dags" / "lakehouse_bronze_to_gold.py"]
    done = subprocess.run(command, env=environment(parsed), capture_output=True, text=True, cwd=parsed.home)
    said = [line.partition(" ") for line in done.stdout.splitlines()]
    [passing] = [json.loads(rest) for word, _, rest in said if word == "pass"]
    unasked = {id_ for id_, source in dbt.manifest.sources.items() if source.source_name == "live_gold"}
    assert set(passing) == unasked and len(unasked) == len(passing) == 5, done.stderr[-2000:]
    assert [rest for word, _, rest in said if word == "word"] == [
        "running False", "failed False", "success dbt's build has ended well and said nothing of this node",
    ]  # fmt: skip


WEEK_OF_THE_CHANGE = """
import pendulum
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable
from orchestration.declare import at
import sys; sys.path.insert(0, sys.argv[1])
from lakehouse_bronze_to_gold import BEGIN, IN_TIME
said = at(BEGIN)
timetable = CronTriggerTimetable(said.expression, timezone=said.timezone)
for begin in ("2026-03-27", "2026-10-23"):
    last = None
    first = pendulum.parse(begin, tz="Europe/Amsterdam")
    for _ in range(4):
        restriction = TimeRestriction(earliest=first, latest=None, catchup=True)
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        last = info.data_interval
        print("due", (info.run_after + IN_TIME).in_timezone("Europe/Amsterdam").format("YYYY-MM-DD HH:mm"))
"""


def test_the_deadline_is_nine_o_clock_on_the_days_that_clocks_are_changed(parsed: Settings) -> None:
    amsterdam = parsed.model_copy(update={"schedule_timezone": "Europe/Amsterdam"})
    command = [program(parsed).parent / "python", "-c", WEEK_OF_THE_CHANGE, PROJECT / "dags"]
    done = subprocess.run(command, env=environment(amsterdam), capture_output=True, text=True, cwd=parsed.home)
    due = [line.removeprefix("due ") for line in done.stdout.splitlines() if line.startswith("due ")]
    days = [f"2026-03-{day}" for day in (27, 28, 29, 30)] + [f"2026-10-{day}" for day in (23, 24, 25, 26)]
    assert due == [f"{day} 09:00" for day in days], done.stderr[-2000:]


ONCE_A_DAY = """
import sys; sys.path.insert(0, sys.argv[1])
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from jinja2 import Environment
from maintenance_hourly import DAILY
from stack.settings import settings
import pendulum
dag = SimpleNamespace(timezone=pendulum.timezone(settings().schedule_timezone))
for begin in ("2026-01-15", "2026-07-15"):
    for hour in range(24):
        run = SimpleNamespace(run_after=datetime.fromisoformat(begin).replace(hour=hour, minute=15, tzinfo=UTC))
        if Environment().from_string(DAILY).render(dag=dag, dag_run=run) == "True":
            print("daily", run.run_after.isoformat())
"""


def test_the_daily_upkeep_is_at_three_o_clock_of_the_zone(parsed: Settings) -> None:
    """By a plain datetime, which is what a task is given."""
    amsterdam = parsed.model_copy(update={"schedule_timezone": "Europe/Amsterdam"})
    command = [program(parsed).parent / "python", "-c", ONCE_A_DAY, PROJECT / "dags"]
    done = subprocess.run(command, env=environment(amsterdam), capture_output=True, text=True, cwd=parsed.home)
    daily = [line.removeprefix("daily ") for line in done.stdout.splitlines() if line.startswith("daily ")]
    assert daily == ["2026-01-15T02:15:00+00:00", "2026-07-15T01:15:00+00:00"], done.stderr[-2000:]
