"""What a change makes of a dataset: pure functions, which refuse what the stream could not follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ingest.datasets import Dataset, Gold
from ingest.registry.bodies import ChangeKey, SwitchUpsert
from ingest.registry.problems import FieldError, Problem, invalid_dataset

FOLDS = Path(__file__).parent.parent / "gold"


@dataclass(frozen=True)
class State:
    """A dataset, and its golds where they are switched off."""

    dataset: Dataset
    golds_aside: tuple[Gold, ...] = ()


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
    """Refused where a gold's SQL makes rows by the key there is. A typed gold is rebuilt by the new one, once a person
    has accepted the version of the schema that the ingester blocks for it."""

    def edit(state: State) -> State:
        was, key = state.dataset.key, body.key

        def keyed(gold: Gold) -> Gold:
            if key.field == was.field or was.field not in gold.key:
                return gold
            if not gold.typed or key.field is None:
                raise edit_the_files(gold, f"its rows are one {was.field} each")
            if gold.buckets:
                detail = f"{gold.table} is partitioned by its key: give the gold another table, in its file."
                raise Problem(409, "key-partitions", detail, [FieldError(field="table", said="has buckets")])
            return gold.model_copy(update={"key": [key.field]})

        golds = [keyed(gold).model_dump() for gold in state.dataset.golds]
        aside = tuple(keyed(gold) for gold in state.golds_aside)
        return State(_changed(state, key=key.model_dump(), golds=golds), aside)

    return edit


def edit_the_files(gold: Gold, why: str) -> Problem:
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
