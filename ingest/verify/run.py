"""One verification from end to end: take a cut, compare broker with bronze, compare gold with its recomputation.

A snapshot that is expired, or a log that is cut off, while it is being read is no difference: a new cut is taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.progress import Progress
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from ingest.datasets import Dataset, Gold
from ingest.verify import broker, bronze
from ingest.verify.blocks import Fault, Range, Sum, differing, faults
from ingest.verify.broker import LogMoved, Topic
from ingest.verify.cut import Cut, take
from ingest.verify.recompute import verify_gold
from ingest.verify.report import EXAMPLES, BronzeReport, DatasetReport, GoldReport, RecordFault
from ingest.verify.typed import as_made, former_key
from ingest.verify.warehouse import SnapshotGone, Warehouse
from stack.settings import Settings

ATTEMPTS = 5


def verify_dataset(dataset: Dataset, settings: Settings, progress: Progress) -> DatasetReport:
    """The report on one dataset. Raises TableAbsent without a bronze, *Unreachable, or after 5 cuts SnapshotGone."""
    warehouse = Warehouse(settings)

    def say(state: RetryCallState) -> None:
        progress.console.print(f"{dataset.name}: {state.outcome.exception()}; taking another cut")

    for attempt in Retrying(
        retry=retry_if_exception_type((SnapshotGone, LogMoved)),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_fixed(1),
        before_sleep=say,
        reraise=True,
    ):
        with attempt:
            return _verify_at(take(warehouse, dataset), dataset, warehouse, settings, progress)
    raise AssertionError("unreachable: reraise is set")


def _verify_at(
    cut: Cut, dataset: Dataset, warehouse: Warehouse, settings: Settings, progress: Progress
) -> DatasetReport:
    started = time.monotonic()
    golds = []
    for gold in (as_made(dataset, gold, warehouse) for gold in dataset.golds):
        if said := _not_comparable(dataset, gold, warehouse):
            why, by = said
            at = cut.golds.get(gold.identifier)
            golds.append(GoldReport(table=gold.identifier, snapshot=at, not_compared=why, compared_by=by))
            continue
        task = progress.add_task(f"{gold.identifier} recomputed", total=1.0)
        golds.append(verify_gold(warehouse, cut, dataset, gold, lambda share, task=task: progress.advance(task, share)))
        progress.remove_task(task)
    compared = verify_bronze(cut, dataset, warehouse, settings.kafka_bootstrap_servers, progress)
    seconds = round(time.monotonic() - started, 2)
    return DatasetReport(dataset=dataset.name, bronze=compared, golds=golds, seconds=seconds)


def _not_comparable(dataset: Dataset, gold: Gold, warehouse: Warehouse) -> tuple[str, str] | None:
    """Why a gold can't be recomputed, and what to run instead."""
    if dataset.transforms:  # Spark's expressions and functions, which Trino doesn't have
        return "its dataset has transforms, which only Spark does", f"lake replay {gold.table} --verify"
    if key := former_key(gold, warehouse):
        said = f"its rows are one {key} each until a person accepts that the key is {gold.key[0]}"
        return said, f"lake schema accept {dataset.name}"
    return None


def verify_bronze(cut: Cut, dataset: Dataset, warehouse: Warehouse, servers: str, progress: Progress) -> BronzeReport:
    """Broker against bronze, from the log's start (or the table's) to the fence."""
    report = BronzeReport(
        table=cut.bronze,
        snapshot=cut.bronze_snapshot,
        topic=dataset.topic,
        topic_epoch=cut.epoch,
        fence=cut.fence,
        earlier_epoch_rows=cut.earlier_rows,
        accepted_gaps=[f"{gap.partition}: {gap.start}–{gap.stop - 1}" for gap in cut.accepted],
    )
    if later := sorted({epoch for epoch, _ in cut.held if epoch > cut.epoch}):
        report.problems.append(f"rows of epoch {later} in a table that says its epoch is {cut.epoch}")
    topic = broker.describe(servers, dataset.topic)
    ranges = []
    if problem := _another_topic(cut, dataset, topic):
        report.problems.append(problem)
    elif topic:
        ranges = [Range(p, topic.begin[p], top + 1) for p, top in cut.fence.items() if topic.begin[p] <= top]
    if ranges and topic:
        _compare_records(cut, topic, ranges, warehouse, servers, progress, report)
    report.expired_rows, doubles = bronze.unchecked(warehouse, cut, ranges)
    if doubles:
        report.doubled += doubles
        for epoch, partition, offset, copies in bronze.doubled(warehouse, cut, ranges, EXAMPLES):
            fault = RecordFault(epoch=epoch, partition=partition, offset=offset, kind="doubled", copies=copies)
            report.examples.append(fault)
    return report


def _another_topic(cut: Cut, dataset: Dataset, topic: Topic | None) -> str | None:
    """Why the broker's records are not those that bronze was filled from, None when they are."""
    if topic is None:
        return f"the broker has no topic {dataset.topic}" if cut.fence else None
    if cut.topic_id and cut.topic_id != topic.topic_id:
        return f"topic {topic.name} was recreated: it is {topic.topic_id} now, bronze holds {cut.topic_id}"
    short = {p: (topic.end.get(p, 0), top) for p, top in cut.fence.items() if topic.end.get(p, 0) <= top}
    for partition, (end, top) in short.items():
        return f"{topic.name}/{partition} ends at offset {end} at the broker, but bronze holds {top}"
    return None


def _compare_records(
    cut: Cut,
    topic: Topic,
    ranges: list[Range],
    warehouse: Warehouse,
    servers: str,
    progress: Progress,
    report: BronzeReport,
) -> None:
    task = progress.add_task(f"{topic.name} read from the broker", total=sum(map(len, ranges)))
    of_bronze = bronze.blocks(warehouse, cut, ranges)
    of_broker = broker.blocks(servers, topic.name, ranges, _advancing(progress, task))
    progress.remove_task(task)
    sent, held = sum(of_broker.values(), Sum()), sum(of_bronze.values(), Sum())
    report.broker_records, report.broker_hash = sent.count, sent.evidence
    report.compared_rows, report.compared_hash = held.count, held.evidence
    for what in differing(of_broker, of_bronze, ranges):
        rows = bronze.fingerprints(warehouse, cut, what)
        records = dict(broker.fingerprints(servers, topic.name, what))
        for fault in faults(what.partition, records, rows):
            _count(fault, topic, cut, report)


def _count(fault: Fault, topic: Topic, cut: Cut, report: BronzeReport) -> None:
    if fault.kind == "missing" and any((fault.partition, fault.offset) in gap for gap in cut.accepted):
        report.accepted_missing += 1
        return
    if fault.kind == "extra" and topic.is_compacted and fault.copies == 1:
        report.compacted_rows += 1
        return
    amount = fault.copies - 1 if fault.kind == "doubled" else 1
    setattr(report, fault.kind, getattr(report, fault.kind) + amount)
    if len(report.examples) < EXAMPLES:
        report.examples.append(
            RecordFault(
                epoch=cut.epoch,
                partition=fault.partition,
                offset=fault.offset,
                kind=fault.kind,
                parts=list(fault.parts),
                copies=fault.copies,
            )
        )


def _advancing(progress: Progress, task: int) -> Callable[[int], None]:
    return lambda offsets: progress.advance(task, offsets)
