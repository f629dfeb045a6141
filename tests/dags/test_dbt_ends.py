"""If this fails, the dbt of a task that was killed writes on, beside the one that the next try starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from stack.settings import PROJECT

DBT = f"""#!{sys.executable}
import os, pathlib, time
try:
    print(os.getpid(), flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    pathlib.Path("cancelled").touch()
"""
# As Airflow's supervisor starts one: whoever started Airflow may have ignored what Ctrl-C sends.
TASK = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
subprocess.run(sys.argv[1:])
"""


def test_a_dbt_whose_task_is_killed_cancels_its_queries_and_ends(tmp_path: Path) -> None:
    dbt = tmp_path / "dbt"
    dbt.write_text(DBT)
    dbt.chmod(0o755)
    command = [sys.executable, "-c", TASK, str(PROJECT / "orchestration" / "dbt"), "build"]
    environment = os.environ | {"LAKE_BIN": str(tmp_path)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as task:
        build = psutil.Process(int(task.stdout.readline()))
        task.kill()
        build.wait(30)
    assert (tmp_path / "cancelled").exists()
