"""What may happen to a dataset: a checkpoint lost, tables rolled back, snapshots expired, its topic made anew."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kafka.admin import KafkaAdminClient

from tests.ingest.faults.case import Case


def checkpoint_deleted(case: Case) -> None:
    shutil.rmtree(case.home / "checkpoints")


def bronze_rolled_back(case: Case) -> None:
    roll_back(case, case.snapshots(case.bronze)[-3])


def bronze_rolled_back_to_nothing(case: Case) -> None:
    roll_back(case, case.snapshots(case.bronze)[0])


def bronze_rolled_back_to_its_first_batch(case: Case) -> None:
    roll_back(case, case.snapshots(case.bronze)[1])


def gold_rolled_back(case: Case) -> None:
    case.query(f"alter table {{gold}} execute rollback_to_snapshot({case.snapshots(case.gold)[-2]})")


def bronze_expired(case: Case) -> None:
    case.query("alter table {bronze} execute expire_snapshots(retention_threshold => '0s')")


def gold_expired(case: Case) -> None:
    case.query("alter table {gold} execute expire_snapshots(retention_threshold => '0s')")


def roll_back(case: Case, snapshot: int) -> None:
    case.query(f"alter table {{bronze}} execute rollback_to_snapshot({snapshot})")


@contextmanager
def admin_of(case: Case) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(bootstrap_servers=case.stack.kafka_bootstrap_servers)
    yield admin
    admin.close()


def recreate_topic(case: Case, records: int) -> int:
    """Delete the topic, make it again with so many records; how many records of the old one there were."""
    old = len(case.sent)
    with admin_of(case) as admin:
        admin.delete_topics([case.topic])
        while case.topic in admin.list_topics():
            time.sleep(0.1)
    case.epoch += 1
    case.produce(records)
    return old
