"""Named points where a test can hold the ingester, to kill, stop or replace it exactly there.

Nothing happens unless `LAKE_PAUSE_AT` names the point: then the process writes `<LAKE_HOME>/paused/<point>` and waits
until that file is removed.
"""

from __future__ import annotations

import os
import time

from stack.settings import settings

_reached: dict[str, int] = {}


def reach(point: str) -> None:
    """Wait here when `LAKE_PAUSE_AT` is `<point>` or `<point>:<n>`, the n-th time (from 1) the point is reached."""
    wanted, _, count = os.environ.get("LAKE_PAUSE_AT", "").partition(":")
    if wanted != point:
        return
    _reached[point] = _reached.get(point, 0) + 1
    if _reached[point] != int(count or 1):
        return
    marker = settings().home / "paused" / point
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(str(os.getpid()))
    while marker.exists():
        time.sleep(0.05)
