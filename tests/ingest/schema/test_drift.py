"""If these fail, `lake produce --drift` shows another change than it says, or a stream whose header has changed
vanishes from its gold without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest import produce_cli
from ingest.bronze import to_bronze
from ingest.datasets import load
from ingest.generators.drift import DRIFTS, Drift
from ingest.generators.event_stream import EventStream
from ingest.generators.faults import NO_FAULTS
from ingest.metrics.meters import DEAD_LETTER_RATIO
from ingest.schema.check import SchemaBlocked, SchemaCheck, unread
from ingest.schema.compare import changes, verdict
from ingest.schema.infer import infer
from ingest.schema.model import ENOUGH
from ingest.schema.sample import Sampled
from ingest.schema.version import waiting
from tests.ingest.landing import START, kafka_records
from tests.ingest.schema.test_key import Versions

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

STREAMS = pytest.mark.parametrize("kind", produce_cli.STREAMS.values(), ids=produce_cli.STREAMS)
ORDERS = load("orders")
BODY = '{"order_id": "a", "total_amount": 1.5}'
LOST = "can't be read in most records, which are dead letters"


def stream(kind: type[EventStream], *drift: str) -> EventStream:
    return kind(seed=3, start=int(START.timestamp()) - 7200, span=7200, count=800, faults=NO_FAULTS, drift=drift)


def bodies(kind: type[EventStream], *drift: str) -> list[str]:
    return [record.value.decode() for record in stream(kind, *drift).records()]


@STREAMS
@pytest.mark.parametrize("drift", [one for one in DRIFTS.values() if one.found != "header"], ids=lambda one: one.name)
def test_the_check_finds_what_a_drift_says(kind: type[EventStream], drift: Drift) -> None:
    known, policy = infer(bodies(kind)), load(kind.dataset).policy
    found = changes(known, infer(bodies(kind, drift.name)))
    assert {change.kind for change in found} == {drift.found}, [str(change) for change in found]
    if not policy.fields:  # a stream whose payload is known to drift takes more
        assert (verdict(found, policy) == "block") == drift.stops


@pytest.mark.integration
@STREAMS
@pytest.mark.parametrize("drift", [one for one in DRIFTS.values() if one.found == "header"], ids=lambda one: one.name)
def test_a_header_that_most_records_lack_is_a_change(
    spark: SparkSession, kind: type[EventStream], drift: Drift
) -> None:
    dataset = load(kind.dataset)
    for drifts, found in (((), []), ((drift.name,), [drift.found])):
        sent = kafka_records(spark, [(one.key, one.value) for one in stream(kind, *drifts).records()])
        rows = to_bronze(sent, dataset, 1).select("error").collect()
        assert [change.kind for change in unread(dataset, [row.error or "" for row in rows])] == found


@pytest.mark.parametrize(
    ("errors", "says"),
    [
        (["key_mismatch"] * 4, ""),
        (["bad_json"] * 100, ""),
        (["key_mismatch"] * 5, f"order_id: {LOST} (key_mismatch)"),
        (["key_mismatch"] * 50 + [""] * 50, ""),
        (["key_mismatch"] * 51 + [""] * 49, f"order_id: {LOST} (key_mismatch)"),
        (["event_time_range"] * 60 + ["key_mismatch"] * 40,
         f"event_timestamp: {LOST} (event_time_range)"),
    ],
)  # fmt: skip
def test_more_than_half_is_most(errors: list[str], says: str) -> None:
    assert "".join(map(str, unread(ORDERS, errors))) == says


def rows(errors: list[str], first: int = 0) -> list[Sampled]:
    return [Sampled(1, offset, 0, offset, "" if error else BODY, error) for offset, error in enumerate(errors, first)]


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> Versions:
    made = Versions()
    monkeypatch.setattr("ingest.schema.check.store", made)
    return made


def is_stopped(check: SchemaCheck, range_: int, errors: list[str]) -> bool:
    try:
        check.pass_(range_, lambda: rows(errors, range_ * 1_000))
    except SchemaBlocked as blocked:
        assert f"order_id: {LOST}" in str(blocked)
        return True
    return False


def test_a_gold_waits_for_a_person_and_goes_on_once_it_is_decided(versions: Versions) -> None:
    check = SchemaCheck(ORDERS)
    versions.record(ORDERS.bronze.table, infer([BODY]), "ACTIVE", [], {}, None, "")
    assert not is_stopped(check, 1, [""] * ENOUGH)
    assert not is_stopped(check, 2, ["key_mismatch"] * 10)  # ten of the newest hundred
    assert is_stopped(check, 3, ["key_mismatch"] * ENOUGH)
    assert waiting(versions.known).changes[0].kind == "header"
    assert is_stopped(check, 3, ["key_mismatch"] * ENOUGH)
    versions.decide("ACTIVE", "accepted")
    assert not is_stopped(check, 3, ["key_mismatch"] * ENOUGH)
    assert not is_stopped(check, 4, ["key_mismatch"] * ENOUGH)


def test_how_many_are_dead_letters_is_told(versions: Versions) -> None:
    check = SchemaCheck(ORDERS)
    versions.record(ORDERS.bronze.table, infer([BODY]), "ACTIVE", [], {}, None, "")
    for range_, (errors, ratio) in enumerate([([""] * 96 + ["bad_json"] * 4, 0.04), (["bad_json"] * 6, 0.1)]):
        assert not is_stopped(check, range_, errors)
        assert DEAD_LETTER_RATIO.labels("orders")._value.get() == ratio


def test_a_topic_of_which_nothing_was_ever_read_has_no_schema_to_break(versions: Versions) -> None:
    assert not is_stopped(SchemaCheck(ORDERS), 1, ["key_mismatch"] * ENOUGH)
    assert versions.known == []
