"""The dataset registry as a process of the stack: `lake registry`.

It waits for nobody, since it answers before PostgreSQL does, and is ready when it has taken the files over.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from stack.airflow_config import lake_variables
from stack.engine import Engine
from stack.registered import get, holders
from stack.settings import LAKE, NO_REGISTRY, Settings


def url(settings: Settings) -> str:
    return f"http://{settings.host}:{settings.registry_port}"


def mark(settings: Settings) -> str:
    return f"--of={settings.data}/registry"


def prepare(settings: Settings) -> None:
    holders(settings.registry_tokens)
    (settings.data / "registry").mkdir(parents=True, exist_ok=True)


def health(settings: Settings) -> dict[str, Any]:
    """What it says of itself. Raises while it does not answer, or has not taken the files over."""
    with urllib.request.urlopen(f"{url(settings)}/health", timeout=5) as answer:
        return json.load(answer)


def ready(settings: Settings) -> None:
    health(settings)


def about(settings: Settings) -> str:
    """How many datasets there are, and which differ from their files."""
    if settings.registry_url == NO_REGISTRY:
        return f"not followed: the files of {settings.datasets} hold"
    datasets = health(settings)["datasets"]
    drift = get(settings, "/drift")[0]["drift"]
    said = "; ".join(f"DRIFT {one['dataset']}: {one['said']}" for one in drift)
    return f"{datasets} datasets, {said or 'as their files say'}"


def logins(settings: Settings) -> str:
    return "tokens " + ", ".join(f"{one.name} ({one.role}): {one.token}" for one in holders(settings.registry_tokens))


ENGINE = Engine(
    name="registry",
    ports=("registry_port",),
    command=lambda s: [*LAKE, "registry", mark(s)],
    environment=lake_variables,
    prepare=prepare,
    ready=ready,
    about=about,
    mark=mark,
    endpoint=lambda s: (f"{url(s)}/docs", logins(s)),
)
