"""dbt's project as Airflow tasks, by Cosmos: each model, snapshot, source and test in sight, nothing twice.

`LAKE_DBT_TASKS` says how they run. local: a dbt a task. watcher: one `dbt build`, and tasks that watch it; a task tried
again runs dbt itself.
"""

from __future__ import annotations

import os
import shlex
from functools import cache
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import Asset, get_parsing_context
from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode, SourceRenderingBehavior
from cosmos.dataset import compute_model_outlet_uris, get_dataset_namespace

from orchestration import coverage, watching
from stack.airflow_config import POOL, dbt_manifest, dbt_target, dbt_tasks_manifest
from stack.settings import PROJECT, settings

PROJECT_FOLDER = PROJECT / "dbt_project"
PROFILE = ProfileConfig(
    profile_name="millrace",
    target_name=os.environ.get("LAKE_DBT_TARGET", "dev"),
    profiles_yml_filepath=PROJECT_FOLDER / "profiles.yml",
)


def dbt_tasks(group_id: str, *, select: list[str] | None = None, exclude: list[str] | None = None) -> DbtTaskGroup:
    """A task group of what dbt selects, and in it a last task that asks whether all of it ran; made inside a DAG."""
    watched = settings().dbt_tasks == "watcher"
    manifest = dbt_manifest(settings()) if watched else dbt_tasks_manifest(settings())
    one = _the_one_to_run(group_id)
    group = DbtTaskGroup(
        group_id=group_id,
        project_config=ProjectConfig(PROJECT_FOLDER, manifest_path=manifest, install_dbt_deps=False),
        profile_config=PROFILE,
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER if watched else ExecutionMode.LOCAL,
            invocation_mode=InvocationMode.SUBPROCESS,
            dbt_executable_path=Path(__file__).with_name("dbt"),
            setup_operator_args=watching.PRODUCER if watched else None,
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            select=[one] if one else select or [],
            exclude=exclude or [],
            source_rendering_behavior=SourceRenderingBehavior.WITH_TESTS_OR_FRESHNESS,
            source_pruning=not one,
            should_detach_multiple_parents_tests=True,
        ),
        operator_args={"pool": POOL, "callback": coverage.keep} | (watching.WATCHERS if watched else {}),
    )
    if watched:
        watching.each_test_by_itself(group)
    return group


def _the_one_to_run(group_id: str) -> str | None:
    """What selects the node whose task this process was started for; None where the whole group is asked for.

    Each task reads its DAG's file anew: the tasks beside its own were most of the CPU that a watching task took.
    """
    group, _, task = (get_parsing_context().task_id or "").partition(".")
    if group != group_id:
        return None
    manifest = coverage.manifest()
    selects = {one["name"]: one["name"] for one in manifest["nodes"].values() if one["resource_type"] != "test"}
    for source in manifest["sources"].values():
        selects[f"{source['source_name']}_{source['name']}"] = f"source:{source['source_name']}.{source['name']}"
    name = task.split(".")[0]  # `<node>.run` where tests stand beside it, else `<node>_run`
    return selects.get(name) or selects.get(name.rpartition("_")[0])


def made_for(folder: str) -> list[str]:
    """What selects the models of a folder, all that they are made from, and the tests that concern nothing else."""
    nodes = coverage.manifest()["nodes"]
    todo = [id_ for id_, node in nodes.items() if node["original_file_path"].startswith(f"{folder}/")]
    within: set[str] = set()
    while todo:
        id_ = todo.pop()
        within.add(id_)
        todo += nodes[id_]["depends_on"]["nodes"] if id_ in nodes else []
    parents = {id_: set(node["depends_on"]["nodes"]) for id_, node in nodes.items() if node["resource_type"] == "test"}
    tests = [nodes[id_]["name"] for id_, of in parents.items() if len(of) > 1 and of <= within]
    return [f"+path:{folder}", *sorted(tests)]


def all_ran(group: DbtTaskGroup) -> PythonOperator:
    """The task that comes last: fails where a node of the group did not run."""
    return PythonOperator(
        task_id="all_ran",
        python_callable=coverage.check,
        op_kwargs={
            "wanted": coverage.nodes_of(set(group.dbt_graph.filtered_nodes)),
            "run_id": "{{ run_id }}",
            "dag_id": "{{ dag.dag_id }}",
        },
        retries=0,
    )


def asset(model: str) -> Asset:
    """What Cosmos says has changed once the model's task has ended well; schedules may wait for it."""
    [[uri]] = [found for id_, found in _uris().items() if id_.split(".")[-1] == model]
    return Asset(uri)


@cache
def _uris() -> dict[str, list[str]]:
    """By model, what Cosmos calls its asset."""
    return compute_model_outlet_uris(dbt_manifest(settings()), get_dataset_namespace(PROFILE))


def dbt_docs() -> BashOperator:
    """The task that makes what Airflow's menu shows as dbt docs."""
    words = ["dbt", "docs", "generate", "--static", "--project-dir", str(PROJECT_FOLDER)]
    words += ["--profiles-dir", str(PROJECT_FOLDER), "--target-path", str(dbt_target(settings()))]
    return BashOperator(task_id="dbt_docs", bash_command=shlex.join(words), append_env=True)
