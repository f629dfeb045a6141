"""If this fails, some content stops the stream, is lost on the way, or is told differently by gold and by verify."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ingest.generators.malformed import catalogue
from tests.ingest.faults.case import Case

pytestmark = pytest.mark.integration


def test_every_malformed_kind_is_a_row_and_the_stream_goes_on(another_case: Callable[..., Case]) -> None:
    case = another_case(planned=300, corpus=True)
    case.produce(case.stream.total)
    case.drain()
    case.verified()
    sent = {(one["kafka_partition"], one["kafka_offset"]): one["kind"] for one in case.sent}
    rows = case.query("select kafka_partition, kafka_offset, error from {bronze}")
    found = {sent[partition, offset]: error for partition, offset, error in rows}
    assert {name: found[f"malformed:{name}"] for name in catalogue()} == {
        kind.name: kind.error for kind in catalogue().values()
    }
