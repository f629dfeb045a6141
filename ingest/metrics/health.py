"""Whether a dataset does its work, what it is doing, and what keeps it from it: sentences for the person called."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ingest.metrics.meter import PATIENCE_SECONDS, Meter
from ingest.metrics.meters import BREAKING_SCHEMA_CHANGE

PHASES = ("starting", "standing_by", "running", "retrying", "blocked", "stopped", "ended")


@dataclass(frozen=True)
class Health:
    """A dataset's phase, and what is wrong. One that stands by, starts or has drained is well."""

    phase: str
    reasons: list[str]

    @property
    def ok(self) -> bool:
        return not self.reasons


def health_of(meter: Meter, broker_silent_since: float | None = None) -> Health:
    """The health of one dataset; `broker_silent_since` is the monotonic time of Kafka's first unanswered look."""
    run, troubles = meter.run, meter.current_troubles()
    is_blocked = any(
        sample.labels["dataset"] == meter.name and sample.value == 1
        for family in BREAKING_SCHEMA_CHANGE.collect()
        for sample in family.samples
    )
    reasons = [f"{part} stopped: {why}" for part, why in list(meter.stopped.items())]
    if is_blocked:
        reasons.append("its golds are BLOCKED: a change of its schema waits for a decision")
    if run.lease is not None and run.lease.lost.is_set() and not meter.stopped:
        reasons.append("its lease is lost: another ingester took over")
    for part, trouble in troubles.items():
        if part not in meter.stopped and trouble.last - trouble.since >= PATIENCE_SECONDS:
            reasons.append(f"{part} has failed for {trouble.last - trouble.since:.0f} s: {trouble.why}")
    if broker_silent_since is not None and (silent := time.monotonic() - broker_silent_since) >= PATIENCE_SECONDS:
        reasons.append(f"Kafka has not answered for {silent:.0f} s")
    return Health(_phase(meter, is_blocked, bool(troubles)), reasons)


def _phase(meter: Meter, is_blocked: bool, is_failing: bool) -> str:
    run = meter.run
    if meter.stopped:
        return "stopped"
    if is_blocked:
        return "blocked"
    if run.ident is not None and not run.is_alive():
        return "ended"
    if is_failing:
        return "retrying"
    if run.lease is None:
        return "standing_by" if meter.standing_by else "starting"
    return "running" if meter.bronze in meter.next_offsets else "starting"
