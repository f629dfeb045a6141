"""If these fail, columns of a typed gold are not what an analyst expects, or take the place of its own."""

from __future__ import annotations

import json

import pytest

from ingest.datasets import Gold
from ingest.schema.infer import infer
from ingest.schema.typed import bound_to, column_of, fold_sql

GOLD = Gold(table="latest_of_it", typed=True, key=["id"])


@pytest.mark.parametrize(
    ("field", "column"),
    [("userId", "user_id"), ("total", "total"), ("Total amount (€)", "total_amount"), ("2nd", "field_2nd"), ("€", "")],
)
def test_a_field_s_column_is_in_lower_case_with_underscores(field: str, column: str) -> None:
    assert column_of(field) == column


def test_a_field_takes_no_column_that_every_typed_gold_has() -> None:
    body = {"id": 5, "kafka_offset": "x", "event_time": 3, "userId": 1, "user_id": "second", "a{b'c": {"x": 1}}
    gold = bound_to(GOLD, infer([json.dumps(body)] * 5), 2)
    columns = {column.name: column.type for column in gold.columns}
    assert (columns["id"], columns["kafka_offset"], columns["event_time"]) == ("string", "bigint", "timestamp")
    assert columns["user_id"] == "bigint" and columns["a_b_c"] == "struct<`x`: bigint>"
    assert gold.version == 2 and GOLD.version == 0
    assert (
        fold_sql(gold, "${types}").format() == "'`userId` bigint, `a{b\\'c` struct<`x`: bigint>, __unreadable string'"
    )


@pytest.mark.parametrize(
    "more", [{"sql": "other"}, {"ordered": False}, {"columns": [{"name": "a", "type": "int", "description": "-"}]}]
)
def test_a_typed_gold_lists_nothing_that_the_schema_says(more: dict) -> None:
    with pytest.raises(ValueError, match="from the schema"):
        Gold.model_validate({"table": "t", "typed": True, "key": ["id"], **more})
