"""If these fail, an ingester does not get over by itself what passes by itself, or gets over it inexactly.

One ingester lives through all of it, as it would in service; a test that finds it ended starts it again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from kafka.admin import KafkaAdminClient, NewPartitions

from stack.engine import Engine
from stack.kafka import ENGINE as KAFKA
from stack.postgres import ENGINE as POSTGRES
from stack.settings import Settings
from stack.supervision import states
from stack.up import wait_until_ready
from tests.ingest.faults.case import Case
from tests.ingest.faults.ingester import Ingester

pytestmark = pytest.mark.integration


class Service:
    """A dataset and the ingester that keeps it current."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.ingester: Ingester | None = None

    def run(self) -> None:
        if self.ingester is None or self.ingester.process.poll() is not None:
            self.ingester = self.case.ingest()
            self.ingester.says('"bronze starts"')

    def lives_through(self, fault: Callable[[], object]) -> None:
        """Records on their way at the fault, and those after it, end up exactly once; those before were judged."""
        self.run()
        self.case.produce(300)
        fault()
        self.case.produce(200)
        self.case.becomes_exact(self.ingester)


@pytest.fixture(scope="module")
def service(lake_stack: Settings, datasets: Path) -> Iterator[Service]:
    case = Case(lake_stack, datasets, planned=12_000)
    case.produce(500)
    service = Service(case)
    service.run()
    case.becomes_exact(service.ingester)
    yield service
    case.close()


def roll_back(case: Case, snapshot: int) -> None:
    case.query(f"alter table {{bronze}} execute rollback_to_snapshot({snapshot})")


def killed(stack: Settings, engine: Engine) -> None:
    """kill -9 of an engine's process; its supervisor brings it back."""
    before = states(stack)[engine.name]["pid"]
    psutil.Process(before).kill()
    while states(stack)[engine.name]["pid"] in (0, before):
        time.sleep(0.1)
    wait_until_ready(stack, engine)


def test_checkpoint_deleted_under_it(service: Service) -> None:
    def delete() -> None:
        gone = (service.case.home / "checkpoints").rename(service.case.home / "gone")  # in one step: Spark is writing
        shutil.rmtree(gone)

    service.lives_through(delete)


def test_bronze_rolled_back_under_it_and_then_restored(service: Service) -> None:
    case = service.case
    service.lives_through(lambda: roll_back(case, case.snapshots(case.bronze)[-2]))
    newest = case.snapshots(case.bronze)[-1]
    service.lives_through(lambda: roll_back(case, newest))


def test_snapshots_expired_under_it(service: Service) -> None:
    def expire() -> None:
        for table in ("{bronze}", "{gold}"):
            service.case.query(f"alter table {table} execute expire_snapshots(retention_threshold => '0s')")

    service.lives_through(expire)


def test_partitions_added_under_it_orders_go_on_in_two_partitions(service: Service) -> None:
    def add() -> None:
        admin = KafkaAdminClient(bootstrap_servers=service.case.stack.kafka_bootstrap_servers)
        admin.create_partitions({service.case.topic: NewPartitions(total_count=6)})
        admin.close()

    service.lives_through(add)
    moved = service.case.query("select count_if(cardinality(absorbed) > 1) from {gold}")
    assert moved[0][0] > 0, "no order went on in another partition: nothing was tested"


def test_kafka_killed_and_started_again_under_it(service: Service) -> None:
    service.lives_through(lambda: killed(service.case.stack, KAFKA))


def test_postgres_killed_and_started_again_under_it_and_no_query_of_trino_fails(service: Service) -> None:
    """Those queries too whose catalog connection the restart has cut."""

    def four_at_once() -> None:
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(service.case.query, ["select count(*) from {bronze}"] * 8))

    def kill() -> None:
        four_at_once()  # so that Trino's pool of catalog connections is full
        killed(service.case.stack, POSTGRES)
        four_at_once()

    service.lives_through(kill)


def test_a_disk_that_refuses_every_write_and_then_takes_them_again(service: Service) -> None:
    """The kernel refuses them to Spark's half as it would on a full disk; root has no way round it."""

    def refuse() -> None:
        java = service.ingester.jvm
        before = len(service.ingester.said())
        limits = [half.rlimit(psutil.RLIMIT_FSIZE) for half in java]
        for half, (_, hard) in zip(java, limits, strict=True):
            half.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
        try:
            service.case.produce(100)
            service.ingester.until(lambda: '"starts again"' in service.ingester.said()[before:], "a batch to fail")
            service.case.judge_so_far()
        finally:
            for half, limit in zip(java, limits, strict=True):
                half.rlimit(psutil.RLIMIT_FSIZE, limit)

    service.run()
    service.lives_through(refuse)


def test_a_second_ingester_names_the_first_and_exits_3(service: Service) -> None:
    service.run()
    second = service.case.ingest()
    second.ends(3, saying=f"lake ingest pid {service.ingester.process.pid}")
    service.case.produce(100)
    service.case.becomes_exact(service.ingester)
