"""What Airflow reads by this name as it starts: here, only what its tasks would import again, each for itself.

The scheduler forks its workers and the DAG processor its parsers, so both have these from the start; a watching task
took half a second of CPU longer without. Nothing of the project's own: a change of it needs no restart.
"""

from __future__ import annotations

import sys

if {"scheduler", "dag-processor"} & set(sys.argv):
    import airflow.providers.standard.operators.bash
    import airflow.providers.standard.operators.python
    import airflow.sdk.execution_time.task_runner  # noqa: F401
    import cosmos.airflow.task_group
    import cosmos.operators.local
    import cosmos.operators.watcher
    import cosmos.plugin.airflow3  # noqa: F401
    import pydantic_settings  # noqa: F401
    import typer  # noqa: F401

__all__: list[str] = []  # it sets nothing
