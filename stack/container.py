"""What `docker-compose.yml` asks of the project's image, beside `lake` and `dbt`: `python -m stack.container <what>`.

`setup` makes what `lake up` makes here: databases, catalog tables, namespaces, and the warehouse's bucket. Repeatable.
`flowing` exits 0 once the ingester has made its gold tables: the health of a container that serves no port.
`registered` exits 0 while the dataset registry answers in its own container.
`airflow` prepares Airflow as `lake up --with airflow` does, and becomes it; `scheduling` exits 0 while it schedules.
"""
from __future__ import annotations

import os
import sys

from stack import airflow, postgres, registry, s3
from stack.airflow_config import environment, program
from stack.settings import Settings, settings


def setup(settings: Settings) -> None:
    postgres.settle(settings)
    if s3.bucket(settings):
        s3.settle(settings)


def is_flowing(settings: Settings) -> bool:
    query = "select 1 from iceberg_tables where table_namespace = 'gold' limit 1"
    with postgres.connection(settings, settings.catalog_database) as catalog:
        return catalog.execute(query).fetchone() is not None


def is_registering(settings: Settings) -> bool:
    try:
        registry.ready(settings)
    except OSError:
        return False
    return True


def become_airflow(settings: Settings) -> None:
    """Airflow's four processes under one, on every address: a published port is forwarded to the container's own."""
    airflow.make(settings)
    variables = environment(settings) | {"AIRFLOW__API__HOST": "0.0.0.0"}
    os.execve(program(settings), ["airflow", "standalone"], variables)


def is_scheduling(settings: Settings) -> bool:
    try:
        airflow.ready(settings, "scheduler")
    except OSError:
        return False
    return True


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["setup"]:
            setup(settings())
        case ["flowing"]:
            sys.exit(0 if is_flowing(settings()) else 1)
        case ["registered"]:
            sys.exit(0 if is_registering(settings()) else 1)
        case ["airflow"]:
            become_airflow(settings())
        case ["scheduling"]:
            sys.exit(0 if is_scheduling(settings()) else 1)
        case _:
            sys.exit(__doc__)
