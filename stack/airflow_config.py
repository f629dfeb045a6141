"""How Airflow is configured, all of it by variables: no airflow.cfg is read, here or in a container.

It lives in an environment of its own; whatever its tasks run, they run by the `lake` and `dbt` of this one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from pathlib import Path

from stack.settings import PROJECT, Settings

DAGS = PROJECT / "dags"
POOL = "tables"  # one slot a dbt task; what must be alone with the tables takes all
MARK = "LAKE_AIRFLOW_OF"  # whose Airflow a process is: they rename themselves, so no argument tells


def home(settings: Settings) -> Path:
    return settings.data / "airflow"


def program(settings: Settings) -> Path:
    return settings.downloads / "airflow" / "bin" / "airflow"


def passwords(settings: Settings) -> Path:
    return home(settings) / "passwords.json"


def dbt_target(settings: Settings) -> Path:
    """dbt's target for Airflow: the manifest that the DAGs are rendered from, and dbt's docs."""
    return home(settings) / "dbt" / "target"


def dbt_manifest(settings: Settings) -> Path:
    return dbt_target(settings) / "manifest.json"


def dbt_tasks_manifest(settings: Settings) -> Path:
    return home(settings) / "dbt" / "tasks.json"


def url(settings: Settings) -> str:
    return f"http://{settings.host}:{settings.airflow_port}"


def secret(settings: Settings, purpose: str) -> bytes:
    """Sixty-four bytes that only those can make who know `airflow_secret`."""
    return hashlib.sha512(f"{purpose} {settings.airflow_secret}".encode()).digest()


def options(settings: Settings) -> dict[str, dict[str, object]]:
    """Airflow's options by section."""
    login = f"{settings.airflow_database_user}:{settings.airflow_database_password}"
    address = f"{settings.postgres_host}:{settings.postgres_port}/{settings.airflow_database}"
    docs = {"dir": str(dbt_target(settings)), "index": "static_index.html", "name": "dbt docs"}
    return {
        "core": {
            "dags_folder": DAGS,
            "executor": "LocalExecutor",
            "parallelism": settings.airflow_parallelism,  # the default would fork 32 workers
            "max_active_tasks_per_dag": settings.airflow_parallelism,
            "max_active_runs_per_dag": 1,
            "load_examples": False,
            "execution_api_server_url": f"{url(settings)}/execution/",
            "simple_auth_manager_users": f"{settings.airflow_user}:admin",
            "simple_auth_manager_passwords_file": passwords(settings),
            "fernet_key": base64.urlsafe_b64encode(secret(settings, "fernet")[:32]).decode(),
        },
        "database": {"sql_alchemy_conn": f"postgresql+psycopg2://{login}@{address}"},
        "api": {"host": settings.host, "port": settings.airflow_port, "base_url": url(settings), "workers": 1},
        "api_auth": {"jwt_secret": secret(settings, "jwt").hex()},
        "dag_processor": {"parsing_processes": 1, "min_file_process_interval": 120},
        # On a busy machine a heartbeat comes late: at the default of 30 s the scheduler then takes itself for dead, and
        # what it runs for orphaned.
        "scheduler": {"scheduler_health_check_threshold": 120, "scheduler_idle_sleep_time": 0.5},
        # Where a task's pipes close a moment before it ends, its slot is free at the next heartbeat only: each third
        # watching task held one for five seconds. As many may fail as took as long before.
        "workers": {"min_heartbeat_interval": 2, "max_failed_heartbeats": 8},
        "triggerer": {"triggerer_health_check_threshold": 120},
        "logging": {"base_log_folder": settings.logs / "airflow"},
        "usage_data_collection": {"enabled": False},
        "cosmos": {
            "enable_telemetry": False,
            "cache_dir": home(settings) / "cosmos",
            "enable_watcher_reliable_retry": False,  # kept at each node for a second try of a build; ours has none
            "dbt_docs_projects": json.dumps({"millrace": docs}),
        },
    }


def lake_variables(settings: Settings) -> dict[str, str]:
    """Every setting of the stack, as a `lake` or dbt process reads it."""
    given = {name: value for name, value in os.environ.items() if name.startswith("LAKE_")}
    return given | {f"LAKE_{name.upper()}": str(value) for name, value in settings if value not in (None, "")}


def environment(settings: Settings) -> dict[str, str]:
    """Airflow's options, and every setting of the stack for what its tasks run."""
    bin_ = str(Path(sys.executable).parent)
    airflow = {
        f"AIRFLOW__{section}__{name}".upper(): str(value)
        for section, said in options(settings).items()
        for name, value in said.items()
    }
    return lake_variables(settings) | airflow | {
        "AIRFLOW_HOME": str(home(settings)),
        "LAKE_BIN": bin_,
        "PATH": f"{bin_}:{os.environ.get('PATH', '/usr/bin:/bin')}:{program(settings).parent}",
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'orchestration' / 'preload'}",
        "PYTHONUNBUFFERED": "1",
        "DO_NOT_TRACK": "1",
        "SPT_NOENV": "1",  # else a process that renames itself overwrites its variables, and the mark among them
        MARK: str(settings.home),
    }  # fmt: skip
