"""If these fail, the judgement of this folder would not notice a broken ingester: each plants a bug it must see."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from postgres_proxy import PostgresProxy

from tests.ingest.faults.case import Case

pytestmark = pytest.mark.integration

LATEST_WINS = """
import ingest.fold
lifecycle = ingest.fold.sql_of
def latest_wins(gold):
    text = lifecycle(gold)
    start, end = text.index("when concat("), text.index(") then named_struct(")
    return text[:start] + "when event.event_type in ('ORDER_CREATED', 'ORDER_PAID', 'ORDER_SHIPPED', " \
        "'ORDER_RETURNED', 'ORDER_CANCELLED'" + text[end:]
ingest.fold.sql_of = latest_wins
"""
FENCE_OFF = """
import ingest.run
ingest.run.starting_offsets = lambda dataset, topic, *_: dict(topic.begin)
"""
STRAIGHT_TO_MAIN = """
from ingest.publish import Publisher, current_snapshot
def publish(self, write, point):
    from ingest import faults
    faults.reach(f"before_{point}_commit")
    write(f"lake.{self.identifier}")
    self.base = current_snapshot(self.spark, self.identifier)
    return self.base
Publisher.publish = publish
"""
AN_ERROR_IS_A_REFUSAL = """
from ingest.publish import Publisher, current_snapshot
def publish(self, write, point):
    try:
        write(f"lake.{self.identifier}")
    except Exception:
        write(f"lake.{self.identifier}")
    self.base = current_snapshot(self.spark, self.identifier)
    return self.base
Publisher.publish = publish
"""


@pytest.mark.full
def test_latest_wins_instead_of_the_lifecycle_and_then_a_fence_that_is_off_are_seen(case: Case) -> None:
    case.produce(800)
    case.ingest("--once", patch=LATEST_WINS).ends(0)
    found = case.differences()
    assert found and all(difference.startswith("gold of ") for difference in found)
    for judge in (case.judge, case.judge_so_far, case.verified):
        with pytest.raises(AssertionError):
            judge()

    case.produce(100)
    case.ingest("--once", patch=FENCE_OFF).ends(0)
    assert "bronze has too many 800" in case.differences()[0]
    with pytest.raises(AssertionError, match="bronze has too many 800"):
        case.judge_so_far()


@pytest.mark.full
def test_a_publisher_that_appends_straight_to_main_is_seen(another_case: Callable[..., Case]) -> None:
    """The zombie's test, with the commit that refuses zombies taken away."""
    case = another_case()
    case.produce(1_200)
    zombie = case.ingest(hold="before_bronze_commit:2", patch=STRAIGHT_TO_MAIN)
    zombie.reaches("before_bronze_commit")
    zombie.send(signal.SIGSTOP)
    standby = case.ingest("--wait")
    case.becomes_exact(standby)
    zombie.let_go("before_bronze_commit")
    zombie.send(signal.SIGCONT)
    zombie.process.wait(300)
    assert case.differences()[0].startswith("bronze has too many ")


@pytest.mark.full
def test_a_writer_that_takes_a_lost_answer_for_a_refusal_is_seen(case: Case) -> None:
    if case.stack.catalog_uri:
        pytest.skip("commits go to the REST catalog here, in front of which there is no proxy")
    proxy = PostgresProxy(case.stack.postgres_host, case.stack.postgres_port)
    proxy.lose("error", case.bronze, after=1)  # after the table's first, empty commit
    case.produce(400)
    behind = {"LAKE_POSTGRES_PORT": str(proxy.port)}
    case.lake("ingest", case.name, "--once", patch=AN_ERROR_IS_A_REFUSAL, variables=behind).ends(0)
    proxy.close()
    assert case.differences()[0].startswith("bronze has too many ")
