"""The files of a new dataset, as a person would have written them, and the two lines that existing ones gain.

Nothing that is there is overwritten; either all of it is written or nothing.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ingest.schema.typed import column_of
from onboarding.describe import Column, Described

TEMPLATES = Path(__file__).parent / "templates"


class InTheWay(FileExistsError):
    """A file or name that the new dataset needs is taken; the message names it."""


def names(name: str) -> dict[str, str]:
    """Bronze and silver table, staging view, mart and typed live gold of a dataset."""
    table = name if name.endswith("_events") else f"{name}_events"
    return {"name": name, "table": table, "staging": f"stg_{name}__events", "mart": f"{name}_daily"}


def files(
    name: str, topic: str, partitions: int, described: Described, datasets: Path, project: Path
) -> dict[Path, str]:
    """Path and text of everything that is new, and of the files that gain a line. Raises InTheWay."""
    said = names(name) | {
        "topic": topic,
        "partitions": partitions,
        "partition_by": "day",
        "description": f"Added from a sample of the topic {topic}; what was guessed is yours to change.",
        "live": f"{name}_current" if described.key and described.keyed else None,
        "live_key": column_of(described.key or ""),
        "fields": described.columns,
        "example": {"body": _quoted(json.dumps(described.example)), "typed": _typed(described)},
        **{field: getattr(described, field) for field in ("event_id", "event_type", "event_time", "event_time_unit")},
        "key": described.key,
        "keyed": described.keyed,
    }
    models = project / "models"
    where = {
        datasets / f"{name}.yml": "dataset.yml",
        models / "staging" / f"_{name}__sources.yml": "sources.yml",
        models / "staging" / f"_{name}__models.yml": "staging.yml",
        models / "staging" / f"{said['staging']}.sql": "staging.sql",
        models / "intermediate" / f"_{name}__models.yml": "silver.yml",
        models / "intermediate" / f"{said['table']}.sql": "silver.sql",
        models / "marts" / f"_{name}__models.yml": "mart.yml",
        models / "marts" / f"{said['mart']}.sql": "mart.sql",
    }
    if taken := [path for path in where if path.exists()]:
        raise InTheWay(f"{taken[0]} is there already; choose another name, or change that file")
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, variable_start_string="<<", variable_end_string=">>", block_start_string="<%",
        block_end_string="%>", comment_start_string="<#", comment_end_string="#>",
    )  # fmt: skip
    found = {path: jinja.get_template(template).render(said) for path, template in where.items()}
    return found | _listed(models / "staging", name, str(said["table"]))


def write(found: dict[Path, str]) -> None:
    """Write all of them, or leave all as they were and raise OSError."""
    before = {path: path.read_text() if path.exists() else None for path in found}
    try:
        for path, text in found.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    except OSError:
        for path, text in before.items():
            with suppress(OSError):  # what could not be written can't be put back, and needs not be
                path.unlink(missing_ok=True) if text is None else path.write_text(text)
        raise


def _listed(staging: Path, name: str, table: str) -> dict[Path, str]:
    """The view of all streams' records, and its test, with the new one: its dead letters are where the others' are."""
    view, test = staging / "stg_bronze__records.sql", staging / "_shop__models.yml"
    head, tables, rest = view.read_text().partition("{% set tables = {\n")
    listed = test.read_text()
    accepted, given = "values: [orders, content_events, user_events", "    model: stg_bronze__records\n    given:\n"
    if not tables or accepted not in listed or given not in listed:
        raise InTheWay(f"{view} or {test.name} no longer lists the streams as expected; add {name} there by hand")
    no_rows = f"      - input: source('bronze', '{table}')\n        rows: []\n"
    return {
        view: f"{head}{tables}    '{name}': '{table}',\n{rest}",
        test: listed.replace(accepted, f"{accepted}, {name}").replace(given, given + no_rows),
    }


def _typed(described: Described) -> list[str]:
    """`column: value` of the example's scalars, as staging reads them."""
    return [f"{one.column}: {_value(one, described.example)}" for one in described.columns]


def _value(column: Column, body: Any) -> str:
    for name in column.path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    if body is None or isinstance(body, (dict, list)):
        return "null"
    text = body if isinstance(body, str) else json.dumps(body)
    if column.type == "boolean":
        return text if text in ("true", "false") else "null"
    if column.type == "varchar":
        return json.dumps(text)
    try:
        return str(int(text)) if column.type == "bigint" else repr(float(text))
    except ValueError:
        return "null"


def _quoted(text: str) -> str:
    """A YAML string in single quotes."""
    return "'" + text.replace("'", "''") + "'"
