"""What a verification found, as one document; `equal` only when everything was compared and nothing differs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, computed_field

Verdict = Literal["equal", "different"]
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
    problems: list[str] = []
    examples: list[RowFault] = []

    @computed_field
    @property
    def verdict(self) -> Verdict:
        differs = self.missing or self.extra or self.differing or self.doubled or self.problems
        return "different" if differs else "equal"


class DatasetReport(BaseModel):
    """One dataset at one cut."""

    dataset: str
    bronze: BronzeReport
    golds: list[GoldReport] = []
    seconds: float = 0

    @computed_field
    @property
    def verdict(self) -> Verdict:
        return "equal" if all(part.verdict == "equal" for part in [self.bronze, *self.golds]) else "different"


class Report(BaseModel):
    """What `lake verify --json` prints."""

    datasets: list[DatasetReport]

    @computed_field
    @property
    def verdict(self) -> Verdict:
        return "equal" if all(dataset.verdict == "equal" for dataset in self.datasets) else "different"
