"""What a stack costs when nothing happens: memory of each process, and CPU of all over a minute.

Everything that serves is up: the engines, the ingester on every stream, and the refresher of PostgreSQL.
"""

from __future__ import annotations

import time
from contextlib import ExitStack

import tenacity

from bench.stack import built, cpu_seconds, lake_beside
from stack import supervision
from stack.report import resident_mb
from stack.settings import Settings

EVENTS, SETTLE_SECONDS = 20_000, 60


def measure(settings: Settings, seconds: int = 60) -> dict[str, object]:
    """Megabytes resident and per cent of one core, by process."""
    from serving.age import ages

    built(settings, EVENTS)
    with ExitStack() as beside:
        processes = {name: said["pid"] for name, said in supervision.states(settings).items() if said["pid"]}
        for name in ("ingest", "refresh"):
            processes[name] = beside.enter_context(lake_beside(name)).pid
        for attempt in tenacity.Retrying(stop=tenacity.stop_after_delay(180), wait=tenacity.wait_fixed(2)):
            with attempt:
                assert all(age.is_fresh() for age in ages(settings)), "nothing is refreshed"
        time.sleep(SETTLE_SECONDS)
        before, began = {name: cpu_seconds(pid) for name, pid in processes.items()}, time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - began
        cpu = {name: 100 * (cpu_seconds(pid) - before[name]) / passed for name, pid in processes.items()}
        memory = {name: resident_mb(pid) for name, pid in processes.items()}
    return {
        "seconds": seconds,
        "events_per_stream": EVENTS,
        "memory_mb": {**memory, "all": sum(memory.values())},
        "cpu_percent_of_a_core": {
            **{name: round(of, 1) for name, of in cpu.items()},
            "all": round(sum(cpu.values()), 1),
        },
    }
