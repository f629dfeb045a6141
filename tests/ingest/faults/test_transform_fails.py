"""If this fails, a transform that fails holds bronze, or the gold goes on over the record it failed on."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.ingest.faults.case import Case

pytestmark = pytest.mark.integration
FAILS = {"set": {"body": "if(kafka_partition = 1 and kafka_offset = 60, raise_error('no such key'), body)"}}


@pytest.mark.full
def test_a_transform_that_fails_stops_its_gold_at_the_record_and_never_bronze(
    another_case: Callable[..., Case],
) -> None:
    case = another_case(transforms=[FAILS])
    case.produce(600)
    ingester = case.ingest()
    ingester.says('"dataset stopped"')
    assert f"transform 1 (set) of {case.name} fails at topic {case.topic} partition 1 offset 60" in ingester.said()
    case.produce(200)
    ingester.until(lambda: case.query("select count(*) from {bronze}") == [[800]], "bronze going on")
    assert case.query("select count(*) from {gold} where element_at(absorbed, 1) >= 60") == [[0]]
    ingester.process.send_signal(signal.SIGTERM)
    ingester.ends(4, saying="no such key")
    case.declare()
    case.drain()
    case.judge()
