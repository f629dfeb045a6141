"""`lake verify` on engines: if these fail it calls a wrong lake right, or a right one wrong."""
from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration


def test_a_right_world_is_equal(world) -> None:
    report = world.verify()
    assert report.verdict == "equal", report.model_dump_json(indent=1)
    print(report.model_dump_json(indent=1))
