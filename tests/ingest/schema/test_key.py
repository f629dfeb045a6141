"""If these fail, a live gold gets another key without anybody's word, or waits for a word that was given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.metrics.meters import BREAKING_SCHEMA_CHANGE
from ingest.schema import check as module
from ingest.schema.check import SchemaBlocked, SchemaCheck
from ingest.schema.model import Schema
from ingest.schema.version import Version, waiting
from tests.ingest.schema import devices

DATASET = devices.dataset("keyed")
TABLE = DATASET.bronze.table


class Versions:
    """Stands in for the table of versions: what the check records, and what a person makes of it."""

    INGESTER = "lake ingest"

    def __init__(self) -> None:
        self.known: list[Version] = []

    def versions(self, table: str) -> list[Version]:
        return self.known

    def record(self, table: str, schema: Schema, status: Any, changes: Any, since: Any, based_on: Any, who: str) -> Any:
        self.known.append(
            Version(
                table=table, number=len(self.known) + 1, status=status, schema=schema, changes=list(changes),
                since=since, recorded_at=datetime.now(UTC), recorded_by=who,
            )
        )  # fmt: skip
        return self.known[-1]

    def decide(self, status: str, decision: str) -> None:
        """On the version that waits."""
        number = waiting(self.known).number
        before = {"ACTIVE": "RETIRED"} if status == "ACTIVE" else {}
        self.known = [
            one.model_copy(
                update={"status": status, "decision": decision}
                if one.number == number
                else {"status": before.get(one.status, one.status)}
            )
            for one in self.known
        ]


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> Versions:
    made = Versions()
    made.record(TABLE, Schema(), "ACTIVE", [], {}, None, "")
    monkeypatch.setattr(module, "store", made)
    return made


def is_blocked(check: SchemaCheck, was: str, now: str) -> bool:
    try:
        check.pass_key(was, now)
    except SchemaBlocked as blocked:
        assert "lake schema accept keyed" in str(blocked)
        return True
    return False


def test_it_waits_for_a_person_and_goes_on_when_it_is_accepted(versions: Versions) -> None:
    check = SchemaCheck(DATASET)
    for _look in range(3):
        assert is_blocked(check, "device_id", "serial")
    assert is_blocked(SchemaCheck(DATASET), "device_id", "serial")  # a restart
    assert [one.status for one in versions.known] == ["ACTIVE", "BLOCKED"]
    assert [str(change) for change in waiting(versions.known).changes] == [
        "device_id: golds had a row for each, and are to have one for each serial"
    ]
    assert BREAKING_SCHEMA_CHANGE.labels("keyed")._value.get() == 1
    versions.decide("ACTIVE", "accepted")
    assert not is_blocked(check, "device_id", "serial")
    assert is_blocked(check, "serial", "device_id")  # back again is another change
    versions.decide("ACTIVE", "accepted")
    assert not is_blocked(check, "serial", "device_id")
    assert is_blocked(check, "device_id", "serial")


def test_what_was_refused_is_asked_again_as_long_as_the_key_is_that(versions: Versions) -> None:
    check = SchemaCheck(DATASET)
    assert is_blocked(check, "device_id", "serial")
    versions.decide("RETIRED", "refused")
    assert is_blocked(check, "device_id", "serial")
    assert [one.status for one in versions.known] == ["ACTIVE", "RETIRED", "BLOCKED"]


def test_before_there_is_a_version_there_is_nothing_to_decide(versions: Versions) -> None:
    versions.known = []
    assert not is_blocked(SchemaCheck(DATASET), "device_id", "serial")
