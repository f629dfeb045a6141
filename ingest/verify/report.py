"""What a verification found, as one document; `equal` only when everything was compared and nothing differs.

`incomplete`: what was compared is equal, and not all could be.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, computed_field

Verdict = Literal["equal", "different", "not compared", "incomplete"]
EXAMPLES = 10
"""At most so many faults are listed of a table; the counts are of all."""


class RecordFault(BaseModel):
    """One record that bronze does not hold as the broker has it."""

    epoch: int
    partition: int
    offset: int
    kind: str
    parts: list[str] = []
    copies: int = 1


class BronzeReport(BaseModel):
    """The broker's records against bronze's rows, up to bronze's fence."""

    table: str
    snapshot: int | None
    topic: str
    topic_epoch: int
    fence: dict[int, int] = Field({}, description="highest offset by partition, in the current epoch")
    broker_records: int = 0
    broker_hash: str = ""
    compared_rows: int = 0
    compared_hash: str = ""
    missing: int = 0
    extra: int = 0
    changed: int = 0
    doubled: int = 0
    expired_rows: int = Field(0, description="rows whose records the broker has expired: not checked")
    compacted_rows: int = Field(0, description="rows whose records the broker has compacted away: not checked")
    earlier_epoch_rows: int = Field(0, description="rows of topics the broker no longer has: not checked")
    accepted_missing: int = Field(0, description="records in the broker, not in bronze, in gaps a person accepted")
    accepted_gaps: list[str] = []
    problems: list[str] = []
    examples: list[RecordFault] = []

    @computed_field
    @property
    def verdict(self) -> Verdict:
        differs = self.missing or self.extra or self.changed or self.doubled or self.problems
        return "different" if differs else "equal"


class RowFault(BaseModel):
    """One cell of gold that is not what its events say; `column` is `*` where the whole row is missing or extra."""

    key: str
    column: str
    live: object = None
    recomputed: object = None


class GoldReport(BaseModel):
    """A live gold table against its recomputation from bronze, up to what gold says it has absorbed."""

    table: str
    snapshot: int | None = None
    topic_epoch: int = 0
    absorbed: dict[int, int] = Field({}, description="highest offset absorbed by partition, in the current epoch")
    pending_rows: int = Field(0, description="readable bronze rows above its fence: to be absorbed, or of no row")
    live_rows: int = 0
    live_hash: str = ""
    recomputed_rows: int = 0
    recomputed_hash: str = ""
    missing: int = 0
    extra: int = 0
    differing: int = 0
    doubled: int = 0
    not_compared: str = Field("", description="why it could not be, though nothing is wrong with it")
    compared_by: str = Field("", description="the command that compares one that was not")
    problems: list[str] = []
    examples: list[RowFault] = []

    @computed_field
    @property
    def verdict(self) -> Verdict:
        differs = self.missing or self.extra or self.differing or self.doubled or self.problems
        return "different" if differs else "not compared" if self.not_compared else "equal"


class DatasetReport(BaseModel):
    """One dataset at one cut."""

    dataset: str
    bronze: BronzeReport
    golds: list[GoldReport] = []
    seconds: float = 0

    @computed_field
    @property
    def verdict(self) -> Verdict:
        return together([self.bronze.verdict, *(gold.verdict for gold in self.golds)])


class Report(BaseModel):
    """What `lake verify --json` prints."""

    datasets: list[DatasetReport]

    @computed_field
    @property
    def verdict(self) -> Verdict:
        return together([dataset.verdict for dataset in self.datasets])

    @computed_field
    @property
    def not_compared(self) -> list[str]:
        """Of each gold that was not compared, the command that does."""
        return [gold.compared_by for dataset in self.datasets for gold in dataset.golds if gold.not_compared]


def together(verdicts: list[Verdict]) -> Verdict:
    """Of parts, the verdict on all of them."""
    if "different" in verdicts:
        return "different"
    return "equal" if set(verdicts) <= {"equal"} else "incomplete"
