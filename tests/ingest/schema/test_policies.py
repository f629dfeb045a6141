"""If these fail, a policy of the schema does to a body what its page doesn't say, or the two engines differ in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ingest.datasets import Dataset, Gold
from ingest.fold import sql_of
from ingest.schema.compare import Policy
from ingest.schema.infer import infer
from ingest.schema.typed import bound_to
from ingest.verify import dead_letters
from ingest.verify.warehouse import Warehouse
from stack.settings import PROJECT, Settings
from tests.ingest.schema import devices
from tests.ingest.schema.cases import BODIES, RULED, Ruled

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ARRIVED = """
    entity_key string, event_id string, event_type string, event_time timestamp, topic_epoch int, kafka_partition int,
    kafka_offset bigint, ingested_at timestamp, error string, body string
"""


def test_the_page_s_list_is_this_one() -> None:
    lines = (PROJECT / "docs" / "schema.md").read_text().splitlines()
    shown = [line for line in lines if line.startswith("| ") and (" | dead letter, `" in line or " | row `" in line)]
    assert shown == [case.line() for case in RULED]


def ruled(case: Ruled) -> tuple[Dataset, Gold]:
    """A dataset with the case's policy, and its typed gold by the version that the known bodies make."""
    fields = {path: said for path, said in case.policy.items() if path != "default"}
    policy = Policy(default=case.policy.get("default", "evolve"), fields=fields)
    dataset = devices.dataset("ruled").model_copy(update={"policy": policy})
    return dataset, bound_to(dataset.golds[0], infer([case.known] * BODIES), 1, policy)


def folded(spark: SparkSession, case: Ruled) -> dict | None:
    """The body's columns in the gold, as the fold reads it; None where the row stays as it was."""
    _, gold = ruled(case)
    rows = [("k", name, None, None, 1, 0, offset, None, None, body) for offset, (name, body) in enumerate(
        [("before", case.known), ("it", case.seen)]
    )]  # fmt: skip
    events = spark.createDataFrame(rows, ARRIVED).selectExpr("*", "struct(topic_epoch, kafka_offset) as event_order")
    state = spark.createDataFrame([], ", ".join(f"`{column.name}` {column.type}" for column in gold.columns))
    (row,) = _json(spark.sql(sql_of(gold), events=events, state=state))
    assert row["kafka_offset"] == 1 or row["event_id"] == "before"
    names = list(json.loads(case.known))
    return {name: row.get(name) for name in names} if row["event_id"] == "it" else None


def _json(rows: DataFrame) -> list[dict]:
    return [json.loads(row) for row in rows.toJSON().collect()]


@pytest.mark.integration
@pytest.mark.parametrize("cases", [RULED[1:3], pytest.param(RULED, marks=pytest.mark.full)], ids=["two", "all"])
def test_in_the_fold(spark: SparkSession, cases: list[Ruled]) -> None:
    for case in cases:
        expected = None if isinstance(case.row, str) else case.row
        assert folded(spark, case) == expected, case


@pytest.mark.integration
def test_among_the_dead_letters(lake_stack: Settings) -> None:
    asked = []
    for number, case in enumerate(RULED):
        dataset, gold = ruled(case)
        one = "cast(null as varchar)"
        columns = {
            "topic": "'t'", "topic_epoch": "1", "kafka_partition": "0", "kafka_offset": "1", "kafka_timestamp": "now()",
            "entity_key": "'k'", "error": one, "body": f"'{case.seen}'", "body_bytes": one, "ingested_at": "now()",
        }  # fmt: skip
        bronze = f"(select {', '.join(f'{value} as {name}' for name, value in columns.items())}) as bronze"
        query = dead_letters.query(dataset, gold).replace(f"lake.{dataset.bronze.identifier}", bronze)
        asked.append(f"select {number}, reason from ({query})")
    found = dict(Warehouse(lake_stack).rows(" union all ".join(asked)))
    expected = {number: case.row for number, case in enumerate(RULED) if isinstance(case.row, str)}
    assert found == expected
