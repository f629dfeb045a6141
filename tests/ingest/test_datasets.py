"""If these fail, a dataset's file is misread, or a mistake in it shows only once the stream runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ingest.datasets import UnknownDataset, load, load_all
from ingest.fold import FOLDER
from stack.settings import PROJECT

ORDERS = PROJECT / "ingest" / "datasets" / "orders.yml"


def test_every_dataset_loads_and_every_gold_has_its_sql() -> None:
    for dataset in load_all(ORDERS.parent):
        for gold in dataset.golds:
            assert (FOLDER / gold.sql_file).is_file()
            assert set(gold.key) <= {column.name for column in gold.columns}
            assert {"topic_epoch", "absorbed", "updated_at"} <= {column.name for column in gold.columns}


def test_an_unknown_dataset_names_the_known_ones() -> None:
    with pytest.raises(UnknownDataset, match="known: content_events, orders, user_events"):
        load("nothing", ORDERS.parent)


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "append"},  # golds need upsert
        {"colour": "red"},
        {"topic": "a topic"},
        {"event_time": {"field": "t", "unit": "minutes"}},
        {"partitions": 0},
        {"golds": [{"table": "t", "key": ["a", "b"], "columns": [{"name": "a", "type": "int", "description": "-"}]}]},
    ],
)
def test_a_mistake_in_the_file_is_said(tmp_path: Path, change: dict) -> None:
    (tmp_path / "orders.yml").write_text(yaml.safe_dump(yaml.safe_load(ORDERS.read_text()) | change))
    with pytest.raises(ValueError, match=r"orders\.yml is not a valid dataset"):
        load("orders", tmp_path)
