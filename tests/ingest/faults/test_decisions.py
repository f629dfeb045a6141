"""If these fail, a recreated topic or expired records pass in silence, or the stream can't go on once it is decided."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kafka import TopicPartition

from tests.ingest.faults.case import Case
from tests.ingest.faults.lanes import side_by_side
from tests.ingest.faults.mishaps import admin_of, recreate_topic

pytestmark = pytest.mark.integration


def decide_on_new_topic(case: Case, old: int) -> None:
    """Nothing of the new topic came in; a new epoch lets it in, and gold goes on from the old one."""
    assert case.query("select count(*), max(topic_epoch) from {bronze}") == [[old, 1]]
    case.lake("dataset", "new-epoch", case.name, "--reason", "recreated in a test").ends(0)
    case.drain()
    assert case.query("select max(topic_epoch) from {gold}") == [[2]]
    case.judge()


def recreated_under_a_running_ingester(case: Case, records: int) -> None:
    case.produce(600)
    ingester = case.ingest()
    case.becomes_exact(ingester)
    old = recreate_topic(case, records)
    ingester.ends(4, saying=f"lake dataset new-epoch {case.name}")
    decide_on_new_topic(case, old)


def expired_unread(case: Case) -> None:
    case.produce(600)
    case.drain()
    fence = dict(map(tuple, case.query("select kafka_partition, max(kafka_offset) from {bronze} group by 1")))
    case.produce(400)
    gone = range(fence[1] + 1, fence[1] + 31)
    with admin_of(case) as admin:
        admin.delete_records({TopicPartition(case.topic, 1): gone.stop})
    case.ingest("--once").ends(4, saying=f"lake dataset accept-gap {case.name}")
    assert case.query("select count(*) from {bronze}") == [[600]], "it read on over the gap"
    case.lake("dataset", "accept-gap", case.name, "--reason", "expired in a test").ends(0)
    case.sent = [s for s in case.sent if s["kafka_partition"] != 1 or s["kafka_offset"] not in gone]
    case.drain()
    case.judge()


@pytest.mark.timeout(1800)  # four starts of Spark one after the other, on a busy machine a minute each
def test_a_topic_recreated_and_records_expired_unread_stop_it_until_a_person_decides(
    another_case: Callable[..., Case],
) -> None:
    """Two datasets: the one under a running ingester, the other while it is stopped."""
    recreated, expired = another_case(), another_case()
    side_by_side(lambda: recreated_under_a_running_ingester(recreated, 900), lambda: expired_unread(expired))


@pytest.mark.full
def test_recreated_shorter_under_a_running_ingester(case: Case) -> None:
    recreated_under_a_running_ingester(case, records=100)


@pytest.mark.full
@pytest.mark.parametrize("records", [900, 100], ids=["longer", "shorter"])
def test_topic_recreated_while_stopped_is_not_read_until_a_person_decides(case: Case, records: int) -> None:
    case.produce(600)
    case.drain()
    old = recreate_topic(case, records)
    for _ in range(2):
        case.ingest("--once").ends(4, saying=f"lake dataset new-epoch {case.name}")
    decide_on_new_topic(case, old)
