"""Commits that a stale writer cannot make: write to a branch cut from a known snapshot, then fast-forward main to it.

`fast_forward` fails when main is no longer the snapshot that the write was computed from, whoever moved it and however
long the writer slept. An advisory lock only chooses a writer; this is what refuses the wrong one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from py4j.protocol import Py4JJavaError

from ingest import faults
from ingest.metrics import tell
from stack.settings import CATALOG

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = structlog.get_logger()
MAIN = "main"
BRANCH_PREFIX = "ingest_"
RETRY_SECONDS = 60
REFS_ATTEMPTS = 5
REWRITES = 5  # of main, that one publication goes on from


class MainMoved(RuntimeError):
    """Another commit is on the table's main branch: what was computed from the snapshot before it must not be kept."""


def load(spark: SparkSession, identifier: str) -> Any:
    """Iceberg's Java `Table` of `<namespace>.<table>`, read anew."""
    return spark._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(
        spark._jsparkSession, f"{CATALOG}.{identifier}"
    )


def current_snapshot(spark: SparkSession, identifier: str) -> int:
    """Snapshot id of main. Tables of ours always have one: they are created with an empty commit."""
    return load(spark, identifier).currentSnapshot().snapshotId()


def only_rewritten(table: Any, since: int) -> bool:
    """Whether every snapshot of main after `since` only rewrote files (compaction), so that the rows are the same."""
    snapshot = table.currentSnapshot()
    while snapshot is not None and snapshot.snapshotId() != since:
        if snapshot.operation() != "replace" or snapshot.parentId() is None:
            return False
        snapshot = table.snapshot(snapshot.parentId())
    return snapshot is not None


class Publisher:
    """One writer's way to publish to one table, over a branch of its own; `branch` is the one in use."""

    def __init__(self, spark: SparkSession, identifier: str, writer: str) -> None:
        self.spark = spark
        self.identifier = identifier
        self.branches = f"{BRANCH_PREFIX}{writer}", f"{BRANCH_PREFIX}{writer}_anew"
        self.branch = self.branches[0]
        self.base = current_snapshot(spark, identifier)

    def publish(self, write: Callable[[str], None], point: str, appends: bool = False) -> int:
        """Run `write(<identifier of the branch>)` and make its commit main's; the new snapshot id.

        `write` makes one commit, or none. Raises MainMoved when main is not `self.base` any more; where it only
        `appends`, a main that was compacted meanwhile is as good. `point` names the table's side in fault injection.
        """
        with tell.phase(self.identifier, "branch"):
            self._branch_off(appends)
        with tell.phase(self.identifier, "write"):
            write(f"{CATALOG}.{self.identifier}.branch_{self.branch}")
        faults.reach(f"before_{point}_commit")
        head = self._head()
        if head != self.base:
            with tell.phase(self.identifier, "publish"):
                self.base = self._made_main(head, REWRITES if appends else 0)
        faults.reach(f"after_{point}_commit")
        return self.base

    def _branch_off(self, appends: bool) -> None:
        """The branch, at the base."""

        def at_base(table: Any) -> Any | None:
            if appends and only_rewritten(table, self.base):
                self.base = table.currentSnapshot().snapshotId()
            if table.currentSnapshot().snapshotId() != self.base:
                raise MainMoved(f"{self.identifier} moved from snapshot {self.base}")
            ref = table.refs().get(self.branch)
            if ref is None:
                return table.manageSnapshots().createBranch(self.branch, self.base)
            if ref.snapshotId() != self.base:
                return table.manageSnapshots().replaceBranch(self.branch, self.base)
            return None

        change_refs(self.spark, self.identifier, at_base)

    def _head(self) -> int:
        """The branch's snapshot, which must be the one commit made from the base."""
        table = load(self.spark, self.identifier)
        ref = table.refs().get(self.branch)
        if ref is None:
            raise MainMoved(f"branch {self.branch} of {self.identifier} was removed by the writer that took over")
        head = ref.snapshotId()
        # A removed branch is made anew from today's main by a late commit: its parent tells.
        if head != self.base and table.snapshot(head).parentId() != self.base:
            raise MainMoved(f"{self.identifier} was written from another snapshot than {self.base}")
        return head

    def _made_main(self, head: int, rewrites: int) -> int:
        """Main's snapshot with what `head` has; main may be rewritten so often meanwhile."""
        for _ in range(rewrites):
            try:
                self._fast_forward(head)
                return head
            except MainMoved:
                head = self._appended_anew(head)
        self._fast_forward(head)
        return head

    def _appended_anew(self, head: int) -> int:
        """The files that `head` added, on main as it is now: none is written again. The branch's new snapshot.

        It is another branch's: files that no branch has are garbage to whoever expires snapshots in that moment.
        """
        table = load(self.spark, self.identifier)
        files = list(table.snapshot(head).addedDataFiles(table.io()).iterator())
        left, self.branch = self.branch, next(name for name in self.branches if name != self.branch)
        self._branch_off(appends=True)
        append = load(self.spark, self.identifier).newAppend().toBranch(self.branch)
        for file in files:
            append.appendFile(file)
        # As a cherry-pick says it: expiring `head`, no ancestor of main, Iceberg 1.9 would remove what it added.
        append.set("source-snapshot-id", str(head)).commit()
        anew = self._head()
        remove_branch(self.spark, self.identifier, left)
        log.info("appended anew", table=self.identifier, snapshot=anew, cause="main was rewritten meanwhile")
        return anew

    def _fast_forward(self, head: int) -> None:
        """Move main to `head`. An error is no answer, the commit may have succeeded: look, then decide."""
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            failure: Exception | None = None
            try:
                table = load(self.spark, self.identifier)
                # A main rolled back since would be restored: the head descends from it, so Iceberg sees no harm.
                if table.currentSnapshot().snapshotId() == self.base:
                    table.manageSnapshots().fastForwardBranch(MAIN, self.branch).commit()
            except Py4JJavaError as error:
                failure = error
            try:
                table = load(self.spark, self.identifier)
                main = table.currentSnapshot().snapshotId()
                if main == head or is_ancestor(table, head):
                    tell.committed(self.identifier, table.snapshot(head))
                    return
                if main != self.base:
                    raise MainMoved(f"{self.identifier} moved from snapshot {self.base} to {main}")
            except Py4JJavaError as error:
                failure = error
            if time.monotonic() > deadline:
                raise TimeoutError(f"could not publish snapshot {head} of {self.identifier}") from failure
            tell.failed(self.identifier, "publish", failure or TimeoutError("no answer"))
            log.warning("publish is tried again", table=self.identifier, snapshot=head, cause=_first_line(failure))
            time.sleep(0.5)

    def drop_branch(self) -> None:
        """Remove what this writer branched off, as a writer that ends in peace does."""
        for name in self.branches:
            remove_branch(self.spark, self.identifier, name)


def change_refs(spark: SparkSession, identifier: str, change: Callable[[Any], Any | None]) -> None:
    """Commit the update of branches that `change(table)` makes, None where there is nothing to do.

    Upkeep commits to the table, too: what it changed meanwhile is no reason to fail, the update is made anew.
    """
    for attempt in range(REFS_ATTEMPTS):
        update = change(load(spark, identifier))
        if update is None:
            return
        try:
            update.commit()
            return
        except Py4JJavaError as error:
            if "CommitFailedException" not in _first_line(error) or attempt == REFS_ATTEMPTS - 1:
                raise


def remove_branch(spark: SparkSession, identifier: str, name: str) -> None:
    """Remove the branch where it is there."""

    def without(table: Any) -> Any | None:
        return None if table.refs().get(name) is None else table.manageSnapshots().removeBranch(name)

    change_refs(spark, identifier, without)


def is_ancestor(table: Any, snapshot_id: int) -> bool:
    """Whether `snapshot_id` is main's current snapshot or one of its known ancestors."""
    snapshot = table.currentSnapshot()
    while snapshot is not None:
        if snapshot.snapshotId() == snapshot_id:
            return True
        parent = snapshot.parentId()
        snapshot = table.snapshot(parent) if parent is not None else None
    return False


def drop_left_branches(spark: SparkSession, identifier: str) -> None:
    """Remove the branches of writers that are gone. Only the holder of the table's lock may call it."""
    table = load(spark, identifier)
    for name in list(table.refs().keySet()):
        if name.startswith(BRANCH_PREFIX):
            remove_branch(spark, identifier, name)


def _first_line(error: Exception | None) -> str:
    return str(getattr(error, "java_exception", error) or "no answer").splitlines()[0]
