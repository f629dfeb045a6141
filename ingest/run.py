"""`lake ingest`: every dataset's bronze stream and live golds in one Spark driver, each dataset on its own.

What may pass by itself (a broker or database that restarts, a commit refused) is tried again from the fences; what
only a person can decide stops that dataset loudly and no other.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
import tenacity
from pyspark.errors import AnalysisException, StreamingQueryException

from ingest import decisions
from ingest.cores import share_the_cores, turn
from ingest.datasets import Dataset, Gold
from ingest.fence import BronzeRewritten
from ingest.followers import Followers
from ingest.lease import Lease, LeaseHeld
from ingest.live import LiveGold, SchemaEvolved
from ingest.live import Progress as GoldProgress
from ingest.metrics import tell
from ingest.publish import Publisher, drop_left_branches, load
from ingest.reason import reason
from ingest.rebuild import assure
from ingest.replay import publish_rebuilt
from ingest.schema.check import SchemaBlocked, SchemaCheck
from ingest.schema.typed import bound
from ingest.stream import BronzeStream, Pace
from ingest.stream import Progress as BronzeProgress
from ingest.tables import create_bronze, current_epoch
from ingest.topics import Broker, DecisionNeeded, starting_offsets
from ingest.upkeep import Requests
from stack.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming import StreamingQuery

log = structlog.get_logger()
FINAL = (DecisionNeeded, LeaseHeld)
BUGS = (AttributeError, TypeError, NameError, KeyError, AnalysisException)  # the same again next time
ONCE_ATTEMPTS = 14  # about a minute and a half of growing pauses
IDLE_SECONDS = 0.5
DECISION_SECONDS = 3.0  # between two looks whether a person has decided on a schema
STOP_SECONDS = 60  # how long a batch under way may take to end


@dataclass
class Outcome:
    """What a dataset's run did, and what stopped it: None when it was asked to stop or had drained."""

    bronze: BronzeProgress = field(default_factory=BronzeProgress)
    golds: dict[str, GoldProgress] = field(default_factory=dict)
    failure: BaseException | None = None


class DatasetRun(threading.Thread):
    """One dataset from its topic to its golds, until `stop` is set or, with `pace.once`, until all is drained."""

    def __init__(
        self, spark: SparkSession, settings: Settings, dataset: Dataset, pace: Pace, stop: threading.Event, wait: bool
    ) -> None:
        super().__init__(name=f"dataset {dataset.name}", daemon=True)
        self.spark, self.settings, self.dataset, self.pace, self.wait, self.stop = (
            spark, settings, dataset, pace, wait, stop,
        )  # fmt: skip
        self.outcome = Outcome()
        self.writer = uuid.uuid4().hex[:12]
        self.broker = Broker(settings.kafka_bootstrap_servers)
        self.lease: Lease | None = None
        self._check = SchemaCheck(dataset) if dataset.policy.check else None
        self._worked: set[str] = set()  # parts that have done something since they failed last
        self._bronze_done = threading.Event()
        self.followers = Followers(gold.table for gold in dataset.golds)
        tell.begins(self)

    def run(self) -> None:
        share_the_cores(self.spark, self.dataset.bronze.identifier)
        structlog.contextvars.bind_contextvars(dataset=self.dataset.name)
        try:
            if not self._persist("lease", self._become_writer):
                return
            golds = [
                threading.Thread(target=self._run_gold, args=(gold,), name=gold.table, daemon=True)
                for gold in self.dataset.golds
            ]
            for thread in golds:
                thread.start()
            try:
                self._persist("bronze", self._run_bronze)
            finally:
                self._bronze_done.set()
                self.followers.wake()
                for thread in golds:
                    thread.join()
        except Exception as error:
            self._fail(error, "bronze")
        finally:
            if self.lease is not None:
                self.lease.release()
            self.broker.close()

    def _persist(self, what: str, act: Callable[[], bool | None]) -> bool | None:
        """Run `act` until it succeeds, with growing pauses; a run asked to stop, and what is final, end it.

        What it did before it failed was a success, too: the next failure is a first one again.
        """

        def count_anew(state: tenacity.RetryCallState) -> None:
            if what in self._worked:
                self._worked.discard(what)
                state.attempt_number = 1

        stop = tenacity.stop_when_event_set(self.stop)
        if self.pace.once:
            stop = tenacity.stop_any(stop, tenacity.stop_after_attempt(ONCE_ATTEMPTS))
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: not isinstance(error, FINAL + BUGS) and not self._lost),
            wait=tenacity.wait_exponential(multiplier=0.5, max=10),
            sleep=tenacity.sleep_using_event(self.stop),
            stop=stop,
            after=count_anew,  # comes before both the pause and the end are looked up
            before_sleep=lambda state: log.warning(
                "starts again", dataset=self.dataset.name, part=what, attempt=state.attempt_number,
                cause=reason(state.outcome.exception()),
            ),
            reraise=True,
        )(tell.counting(self.dataset.bronze.identifier, what, act))  # fmt: skip

    @property
    def _lost(self) -> bool:
        return self.lease is not None and self.lease.lost.is_set()

    def _fail(self, error: Exception, part: str) -> None:
        """Remember what ended the dataset and say it once."""
        if self.stop.is_set() and not isinstance(error, FINAL):
            return
        if self._lost:
            error = LeaseHeld(f"another ingester took over {self.dataset.name}")
        tell.stopped(self.dataset.bronze.identifier, part, reason(error))
        if self.outcome.failure is None:
            self.outcome.failure = error
            log.error("dataset stopped", dataset=self.dataset.name, reason=reason(error))

    def _become_writer(self) -> bool:
        """Create what isn't there and take the lease; False when the run was stopped before."""
        bronze = self.dataset.bronze.identifier
        create_bronze(self.spark, self.dataset, self.broker.topic_id(self.dataset.topic))
        if self.lease is None:  # else it is ours since the attempt before
            lease = Lease(self.spark, self.settings, bronze, load(self.spark, bronze).uuid().toString())
            if not lease.acquire(self.wait, self.stop):
                return False
            self.lease = lease
        drop_left_branches(self.spark, bronze)
        return True

    def _run_bronze(self) -> None:
        """One run of the stream from bronze's own fence; everything that is remembered is read anew."""
        self.lease.assure()
        bronze = self.dataset.bronze.identifier
        publisher = Publisher(self.spark, bronze, self.writer)
        epoch = current_epoch(self.spark, bronze, publisher.base)
        topic = self.broker.topic(self.dataset.topic)
        gaps = decisions.accepted_gaps(self.spark, self.dataset.name, epoch.number)
        start = starting_offsets(self.dataset.name, topic, epoch.topic_id, epoch.fence, gaps)
        tell.bronze_starts(bronze, epoch.number, start, publisher.base)
        log.info("bronze starts", dataset=self.dataset.name, epoch=epoch.number, offsets=start)
        stream = BronzeStream(self, publisher, start, epoch.number, topic)
        query = stream.start()
        while query.isActive and not self.stop.is_set() and not self._lost:
            with suppress(StreamingQueryException):  # what failed is looked at below, with its type
                query.awaitTermination(IDLE_SECONDS)
        if query.isActive:
            stop_gently(query)
        failure = stream.failure or query.exception()
        if failure is not None and query.lastProgress is not None:
            self._worked.add("bronze")  # a trigger has ended well, perhaps without records
        if failure is not None and not self.stop.is_set():
            # Spark's own reading failed, perhaps for what a person must decide: the topic tells.
            starting_offsets(
                self.dataset.name, self.broker.topic(self.dataset.topic), topic.topic_id, stream.fence(), gaps
            )
            raise failure
        if self._lost:
            raise LeaseHeld(f"another ingester took over {self.dataset.name}")
        publisher.drop_branch()

    def _run_gold(self, gold: Gold) -> None:
        """Keep one gold current; its failures don't hold bronze."""
        share_the_cores(self.spark, gold.identifier)
        structlog.contextvars.bind_contextvars(dataset=self.dataset.name)
        try:
            self._persist(gold.table, lambda: self._keep_gold(gold))
        except Exception as error:
            self._fail(error, gold.table)

    def _keep_gold(self, gold: Gold) -> None:
        try:
            self._follow_bronze(gold)
        finally:
            self.followers.falls_behind(gold.table)

    def _follow_bronze(self, gold: Gold) -> None:
        self.lease.assure()
        live = self._live(gold)
        drop_left_branches(self.spark, gold.identifier)
        rebuild = "its fold has changed" if live.is_of_another_fold else None
        requests = Requests(self.settings, gold.identifier)
        while not self.stop.is_set() and not self._lost:
            requests.answer(live.compact)
            self.followers.looks(gold.table)
            is_last = self._bronze_done.is_set()
            self.lease.assure()
            try:
                if rebuild is not None:
                    self.followers.falls_behind(gold.table)
                    assure(live)
                    log.warning("rebuilding from bronze", table=gold.table, cause=rebuild)
                    publish_rebuilt(live)
                    rebuild = None
                has_advanced = live.is_behind()
                if has_advanced:
                    with turn(self.spark):
                        has_advanced = live.step()
                self._worked.add(gold.table)
            except SchemaEvolved as error:
                live, rebuild = self._live(gold), str(error)
                continue
            except SchemaBlocked:
                if self.pace.once or is_last:
                    raise
                self.followers.falls_behind(gold.table)
                self.stop.wait(DECISION_SECONDS)
                if rebuild is not None:
                    live = self._live(gold)  # by the version that a decision has made
                continue
            except BronzeRewritten as error:
                rebuild = str(error)
                continue
            if not has_advanced:
                if is_last and not live.is_behind():
                    break
                self.followers.rests(gold.table)
                if live.is_to_compact(at_rest=True):
                    with turn(self.spark):
                        live.compact()  # beside bronze's next batch, which waits for no row of it
                else:
                    self.followers.sleeps(gold.table, IDLE_SECONDS)
        if not self._lost:
            live.publisher.drop_branch()

    def _live(self, gold: Gold) -> LiveGold:
        """The gold as its table must be now; a typed one has the columns of the schema's version that holds."""
        now = bound(self.dataset, gold)
        live = LiveGold(self.spark, self.dataset, now, self.writer, self.pace.max_gold_rows, self._check)
        live.progress = self.outcome.golds.setdefault(gold.table, live.progress)
        return live


def stop_gently(query: StreamingQuery) -> None:
    """Let the batch under way end, then stop the query."""
    for _ in range(int(STOP_SECONDS / 0.1)):
        if not query.status["isTriggerActive"]:
            break
        query.awaitTermination(0.1)
    query.stop()
