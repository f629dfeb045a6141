"""If these fail, upkeep rewrites what its writer is writing, or expires what a reader still needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from ingest.datasets import Upkeep as DatasetUpkeep
from maintenance.policy import Kept, Upkeep, models, streams
from maintenance.tables import metadata_kept, statements
from stack.settings import Settings

NOW = datetime(2026, 3, 29, 1, 59, tzinfo=UTC)


def said(kind: str, *, orphans: bool = False, partition_by: str = "hour", now: datetime = NOW) -> list[str]:
    kept = Kept("bronze.t", kind, Upkeep(file_mb=64, keep_hours=2), partition_by)
    return statements(kept, now, orphans, metadata_kept(kept.upkeep))


@pytest.mark.parametrize(
    ("partition_by", "hours_later", "before"),
    [
        ("hour", 0, "2026-03-29 00"), ("hour", 1, "2026-03-29 01"),
        ("day", -1, "2026-03-28 00"), ("day", 1, "2026-03-29 00"),
    ],
)  # fmt: skip
def test_bronze_is_packed_only_in_partitions_that_are_over(partition_by: str, hours_later: int, before: str) -> None:
    """For an hour: whatever was under way when it ended has been written by then."""
    now = NOW + timedelta(hours=hours_later)
    assert said("bronze", partition_by=partition_by, now=now)[0] == (
        "alter table bronze.t execute optimize(file_size_threshold => '64MB') "
        f"where partition_time < timestamp '{before}:00:00 UTC'"
    )


def test_a_live_gold_is_never_rewritten_from_here() -> None:
    assert said("gold") == ["alter table bronze.t execute expire_snapshots(retention_threshold => '2h')"]


def test_orphans_are_removed_only_when_asked_and_when_no_work_can_be_that_old() -> None:
    assert not any("orphan" in one for one in said("dbt"))
    assert said("dbt", orphans=True)[-1].endswith("remove_orphan_files(retention_threshold => '3d')")


def test_every_dataset_s_tables_are_kept_up_as_its_file_says(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(
        "{bronze: {table: a_events}, golds: [{table: a_now}], upkeep: {file_mb: 7, keep_hours: 9}}"
    )
    kept = list(streams(Settings(home=tmp_path, datasets=tmp_path)))
    assert [(one.table, one.kind) for one in kept] == [("bronze.a_events", "bronze"), ("gold.a_now", "gold")]
    assert {one.upkeep for one in kept} == {Upkeep(file_mb=7, keep_hours=9)}


def test_a_feed_is_kept_up_where_its_source_says_so_and_no_other_source() -> None:
    def source(meta: dict) -> SimpleNamespace:
        return SimpleNamespace(schema="bronze", identifier="changes", config=SimpleNamespace(meta=meta))

    sources = {"a": source({"upkeep": {"keep_metadata": 5}}), "b": source({})}
    kept = list(models(SimpleNamespace(manifest=SimpleNamespace(nodes={}, sources=sources))))
    assert kept == [Kept("bronze.changes", "dbt", Upkeep(keep_metadata=5))]


def test_a_table_that_lacks_the_property_is_given_it() -> None:
    kept = Kept("silver.t", "dbt", Upkeep(keep_metadata=5))
    for properties in ({}, metadata_kept(Upkeep(keep_metadata=20))):
        first = statements(kept, NOW, False, properties)[0]
        assert "set properties extra_properties" in first and "'write.metadata.previous-versions-max', '5'" in first


def test_the_registry_and_upkeep_read_the_same_words() -> None:
    assert DatasetUpkeep().model_dump() == Upkeep().model_dump()
    for model in (Upkeep, DatasetUpkeep):
        with pytest.raises(ValidationError):
            model(keep_hours=0)
