"""The bronze stream of one dataset: Kafka into bronze by foreachBatch, from the fence, published by fast-forward.

A start reads the fence from bronze and opens a fresh checkpoint at fence + 1: no checkpoint is ever reused, so none can
be lost, old or too new.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from ingest.bronze import to_bronze
from ingest.fence import Offsets
from ingest.metrics import tell
from ingest.publish import Publisher
from ingest.topics import DecisionNeeded, Topic

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming import StreamingQuery

    from ingest.run import DatasetRun

log = structlog.get_logger()
# Fewer, larger answers of the broker: its defaults (500 records, 1 MB) cost twice the CPU a record, on both sides.
FETCHING = {"kafka.max.poll.records": "5000", "kafka.max.partition.fetch.bytes": str(8 << 20)}
FEW = 50_000  # records


@dataclass(frozen=True)
class Pace:
    """How fast: seconds between triggers, at most how many offsets a bronze batch and rows a gold
    merge; `once` drains what is there and ends."""

    trigger_seconds: float = 2.0
    max_offsets: int = 500_000
    max_gold_rows: int = 1_000_000
    once: bool = False


@dataclass
class Progress:
    """What this process has done to one bronze."""

    batches: int = 0
    rows: int = 0
    seconds: list[float] = field(default_factory=list)


class BronzeStream:
    """One run of the stream, from a known snapshot and its fence. A new run is a new object."""

    def __init__(self, run: DatasetRun, publisher: Publisher, start: Offsets, epoch: int, topic: Topic) -> None:
        self.spark, self.settings, self.dataset, self.pace = run.spark, run.settings, run.dataset, run.pace
        self.run, self.publisher, self.epoch, self.topic = run, publisher, epoch, topic
        self.next_offsets = dict(start)
        self.batch_due = 0
        self.failure: Exception | None = None
        self.checkpoint = run.settings.home / "checkpoints" / run.dataset.name / uuid.uuid4().hex[:12]

    def fence(self) -> Offsets:
        """The highest offsets published, as far as this run knows."""
        return {partition: offset - 1 for partition, offset in self.next_offsets.items() if offset > 0}

    def start(self) -> StreamingQuery:
        """Open the checkpoint and start reading at the next offsets."""
        forget(self.checkpoint.parent, self.settings.keep_checkpoints - 1)
        records = (
            self.spark.readStream.format("kafka")
            .option("kafka.bootstrap.servers", self.settings.kafka_bootstrap_servers)
            .option("subscribe", self.dataset.topic)
            .option("startingOffsets", json.dumps({self.dataset.topic: _text_keys(self.next_offsets)}))
            .option("maxOffsetsPerTrigger", self.pace.max_offsets)
            .option("failOnDataLoss", "true")
            .option("includeHeaders", "true")
            .option("kafka.isolation.level", "read_committed")
            .options(**FETCHING)
            .load()
        )
        trigger = (
            {"availableNow": True} if self.pace.once else {"processingTime": f"{self.pace.trigger_seconds} seconds"}
        )
        return (
            records.writeStream.queryName(f"bronze {self.dataset.name} {self.checkpoint.name}")
            .option("checkpointLocation", str(self.checkpoint))
            .foreachBatch(self._batch)
            .trigger(**trigger)
            .start()
        )

    def _batch(self, records: DataFrame, batch_id: int) -> None:
        if self.run.stop.is_set():
            return  # asked to stop: the next start reads these records again, from the fence
        structlog.contextvars.bind_contextvars(dataset=self.dataset.name, batch=batch_id)  # of this thread's log lines
        try:
            self._append(records, batch_id)
        except Exception as error:
            self.failure = error  # kept with its type; Spark hands on a text
            raise

    def _append(self, records: DataFrame, batch_id: int) -> None:
        """Append one batch: the range must begin where the last one ended, and main must be where we left it."""
        began = time.monotonic()
        end = self._planned_end(batch_id)
        count = sum(end.values()) - sum(self.next_offsets.get(p, 0) for p in end)
        # Each task opens a file an hour it meets; for few records that costs more than reading them one by one.
        few = records.coalesce(1) if count <= FEW else records
        rows = to_bronze(few, self.dataset, self.epoch)
        # Nothing is shuffled: each task writes what it read.
        snapshot = self.publisher.publish(lambda branch: self._write(rows, branch), "bronze", appends=True)
        moved = {p: [self.next_offsets.get(p, 0), last] for p, last in end.items() if last != self.next_offsets.get(p)}
        self.next_offsets = end
        tell.bronze_is_at(self.dataset.bronze.identifier, end, snapshot)
        self.batch_due += 1
        seconds = time.monotonic() - began
        self.run.outcome.bronze.batches += 1
        self.run.outcome.bronze.rows += count
        self.run.outcome.bronze.seconds.append(seconds)
        log.info(
            "bronze",
            dataset=self.dataset.name,
            records=count,
            offsets=moved,
            seconds=round(seconds, 2),
            snapshot=snapshot,
            batch=batch_id,
        )
        self.run.followers.wake()
        if count <= FEW and not self.pace.once:
            self.run.followers.wait()

    def _write(self, rows: DataFrame, branch: str) -> None:
        rows.writeTo(branch).append()
        # Offsets of a recreated topic look like ours: what was read counts only if the topic is still the same one.
        now = self.run.broker.topic_id(self.dataset.topic)
        if now != self.topic.topic_id:
            raise DecisionNeeded(
                f"topic {self.dataset.topic} was recreated while it was read (its id is {now}, was "
                f"{self.topic.topic_id}); "
                f"to go on with the new topic as a new epoch: lake dataset new-epoch {self.dataset.name}"
            )

    def _planned_end(self, batch_id: int) -> Offsets:
        """The batch's end offsets, from the offset log that Spark wrote before it planned the batch.

        Batches of one checkpoint follow each other, the first begins at `startingOffsets`: so what is checked is that
        we are asked for the batch after the one we published, and no other.
        """
        if batch_id != self.batch_due:
            raise RuntimeError(f"batch {batch_id} of {self.dataset.name} came where {self.batch_due} was due")
        lines = (self.checkpoint / "offsets" / str(batch_id)).read_text().splitlines()
        offsets = json.loads(lines[-1])[self.dataset.topic]
        return {int(partition): offset for partition, offset in offsets.items()}


def forget(checkpoints: Path, keep: int) -> None:
    """Delete all checkpoints of a dataset but the last `keep`, in which a person sees what ended runs had planned."""
    found = list(checkpoints.iterdir()) if checkpoints.is_dir() else []
    for old in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[keep:]:
        shutil.rmtree(old, ignore_errors=True)


def _text_keys(offsets: Offsets) -> dict[str, int]:
    return {str(partition): offset for partition, offset in offsets.items()}
