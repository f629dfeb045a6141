"""What a change makes of a dataset: pure functions, which refuse what the stream could not follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ingest.datasets import Dataset, Gold
from ingest.registry.bodies import AddColumn, ChangeKey, DropColumn, SwitchUpsert
from ingest.registry.problems import FieldError, Problem, invalid_dataset

FOLDS = Path(__file__).parent.parent / "gold"
OURS = ("topic_epoch", "absorbed", "updated_at")  # columns that every fold keeps its place by


@dataclass(frozen=True)
class State:
    """A dataset, and its golds where they are switched off. None: it is not there, or was removed."""

    dataset: Dataset | None
    golds_aside: tuple[Gold, ...] = ()

    @property
    def tables(self) -> dict[str, str]:
        """Its tables' names, each with its layer."""
        if self.dataset is None:
            return {}
        golds = [*self.dataset.golds, *self.golds_aside]
        return {self.dataset.bronze.table: "bronze"} | {gold.table: "gold" for gold in golds}

    def removed(self) -> State:
        return State(None)


Edit = Callable[[State], State]


def has_sql(gold: Gold) -> bool:
    return (FOLDS / gold.sql_file).is_file()


def check(dataset: Dataset) -> Dataset:
    """The dataset itself. Problem where a gold could not be folded, or a table comes twice."""
    for gold in dataset.golds:
        if not has_sql(gold):
            said = f"there is no ingest/gold/{gold.sql_file}"
            fields = [FieldError(field="golds", said=said)]
            raise Problem(422, "no-fold", f"{gold.table} needs its SQL first: {said}", fields)
    if len({gold.table for gold in dataset.golds}) < len(dataset.golds):
        raise Problem(422, "invalid", "Two golds have one table.", [FieldError(field="golds", said="a table twice")])
    return dataset


def switch_upsert(body: SwitchUpsert) -> Edit:
    def edit(state: State) -> State:
        if body.action == "disable_upsert":
            return State(_changed(state, mode="append", golds=[]), (*state.golds_aside, *state.dataset.golds))
        golds = [*state.dataset.golds, *state.golds_aside]
        return State(_changed(state, mode="upsert", golds=[gold.model_dump() for gold in golds]))

    return edit


def change_key(body: ChangeKey) -> Edit:
    """Refused where a gold's SQL makes rows by the key there is."""

    def edit(state: State) -> State:
        was, key = state.dataset.key, body.key
        for gold in (*state.dataset.golds, *state.golds_aside):
            if key.field != was.field and was.field in gold.key and has_sql(gold):
                raise _edit_the_files(gold, f"its rows are one {was.field} each")
        return replace(state, dataset=_changed(state, key=key.model_dump()))

    return edit


def change_columns(body: AddColumn | DropColumn) -> Edit:
    """Refused for bronze, whose header is fixed, and where a gold's SQL says which columns there are."""

    def edit(state: State) -> State:
        layer = state.tables.get(body.table.rpartition(".")[2])
        if layer == "bronze":
            detail = "Every bronze table has the same header and the body as it came: read the field from `body`."
            raise Problem(422, "bronze-is-fixed", detail, [FieldError(field="table", said="is a bronze table")])
        golds = [_with_columns(gold, body) if gold.table == body.table.rpartition(".")[2] else gold
                 for gold in state.dataset.golds]  # fmt: skip
        if golds == state.dataset.golds:
            raise Problem(409, "switched-off", f"{body.table} is switched off: enable_upsert first.")
        return replace(state, dataset=_changed(state, golds=[gold.model_dump() for gold in golds]))

    return edit


def _with_columns(gold: Gold, body: AddColumn | DropColumn) -> Gold:
    if has_sql(gold):
        raise _edit_the_files(gold, "its SQL says which columns it has")
    there = {column.name for column in gold.columns}
    if isinstance(body, AddColumn):
        if body.column.name in there:
            raise Problem(409, "column-exists", f"{gold.table} has a column {body.column.name} already.")
        return gold.model_copy(update={"columns": [*gold.columns, body.column]})
    if body.column not in there:
        raise Problem(404, "no-such-column", f"{gold.table} has no column {body.column}.")
    if body.column in (*gold.key, *OURS):
        raise Problem(409, "column-needed", f"{gold.table} is kept by its column {body.column}.")
    return gold.model_copy(update={"columns": [one for one in gold.columns if one.name != body.column]})


def _edit_the_files(gold: Gold, why: str) -> Problem:
    detail = (
        f"{gold.table} is folded by ingest/gold/{gold.sql_file}: {why}. Edit that file and the columns or key in the "
        "dataset's YAML together, so that both are reviewed; the ingester then rebuilds the table from bronze."
    )
    return Problem(409, "edit-the-sql", detail, [FieldError(field="table", said=f"has ingest/gold/{gold.sql_file}")])


def _changed(state: State, **fields: Any) -> Dataset:
    """The dataset with other values, validated anew."""
    try:
        return Dataset.model_validate({**state.dataset.model_dump(), **fields})
    except ValidationError as error:
        raise invalid_dataset(error) from error
