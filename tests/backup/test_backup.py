"""If these fail, a backup lacks what it promises and says nothing, or a restore lays down half a lake or over another.

Tables are PyIceberg's own, in a catalog of SQLite; PostgreSQL's part is rehearsed by `test_rehearsal.py`.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from backup import databases, restore, warehouse
from backup.disk import on_disk
from backup.manifest import FORMAT, MANIFEST, SUMS, Manifest, Property, Server, Table, read, write, write_sums
from backup.warehouse import Backup, Catalog
from stack.faults import Fault
from stack.settings import Settings

ROWS = pa.table({"number": [1, 2, 3]})
Lake = Callable[..., subprocess.CompletedProcess]


class Lakehouse:
    """A warehouse of two tables, whose catalog is read as PostgreSQL's is."""

    def __init__(self, folder: Path) -> None:
        self.root, self.warehouse = folder / "warehouse", f"file://{folder}/warehouse"
        self.catalog = SqlCatalog("lake", uri=f"sqlite:///{folder}/catalog.db", warehouse=self.warehouse)
        self.catalog.create_namespace("bronze")
        for name in ("events", "other"):
            self.catalog.create_table(f"bronze.{name}", ROWS.schema).append(ROWS)

    def commit(self) -> None:
        self.catalog.load_table("bronze.events").append(ROWS)

    def read(self) -> Catalog:
        names = sorted(self.catalog.list_tables("bronze"))
        tables = [
            Table(namespace="bronze", name=name, kind="TABLE", metadata_location=self.location(name))
            for _, name in names
        ]
        return Catalog([Property(namespace="bronze", key="exists", value="true")], tables)

    def location(self, name: str) -> str:
        return self.catalog.load_table(f"bronze.{name}").metadata_location

    def file(self, pattern: str) -> Path:
        return next(self.root.rglob(pattern))


@pytest.fixture
def lakehouse(tmp_path: Path) -> Lakehouse:
    return Lakehouse(tmp_path)


def quietly(_: str) -> None:
    """Nobody reads the progress."""


def finish(lakehouse: Lakehouse, folder: Path) -> Manifest:
    """The rest of a backup of the warehouse, with a PostgreSQL that is a line of text."""
    backup = Backup(lakehouse.warehouse, folder)
    taken = backup.take(lakehouse.read, quietly)
    archive = folder / databases.ARCHIVE
    archive.parent.mkdir()
    archive.write_text("a cluster")
    sums = {f"warehouse/{path}": copied.digest for path, copied in backup.copied.items()}
    sums[databases.ARCHIVE] = hashlib.sha256(b"a cluster").hexdigest()
    now = datetime.now(UTC)
    manifest = Manifest(
        began_at=now, ended_at=now, warehouse=lakehouse.warehouse, server=Server.of(Settings(), 18),
        namespaces=taken.namespaces, tables=taken.tables, files=len(sums), bytes=1, sums=write_sums(folder, sums),
    )  # fmt: skip
    write(folder, manifest)
    return manifest


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup to be copied and spoilt."""
    folder = tmp_path_factory.mktemp("finished")
    finish(Lakehouse(folder), folder / "backup")
    return folder / "backup"


def rows_in(folder: Path, lakehouse: Lakehouse, backup: Backup, name: str) -> int:
    """Rows of a table when the warehouse is the backup's copy alone."""
    lakehouse.root.rename(lakehouse.root.with_name("gone"))
    (folder / "warehouse").rename(lakehouse.root)
    return lakehouse.catalog.load_table(f"bronze.{name}").scan().to_arrow().num_rows


def test_a_backup_holds_what_every_snapshot_is_made_of_and_nothing_else(lakehouse: Lakehouse, tmp_path: Path) -> None:
    lakehouse.commit()
    (lakehouse.root / "bronze" / "events" / "data" / "orphan.parquet").write_text("of no snapshot")
    backup = Backup(lakehouse.warehouse, tmp_path / "backup")
    taken = backup.take(lakehouse.read, quietly)
    assert {str(table): table.records for table in taken.tables} == {"bronze.events": 6, "bronze.other": 3}
    events = lakehouse.catalog.load_table("bronze.events")
    assert taken.tables[0].snapshot_id == events.current_snapshot().snapshot_id
    assert "orphan" not in " ".join(backup.copied)
    assert rows_in(tmp_path / "backup", lakehouse, backup, "events") == 6
    first = events.snapshots()[0].snapshot_id
    assert events.scan(snapshot_id=first).to_arrow().num_rows == 3, "a roll-back needs it"


def test_commits_under_way_are_left_out_and_what_they_were_made_from_stays_whole(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    backup = Backup(lakehouse.warehouse, tmp_path / "backup")
    taken = backup.take(lakehouse.read, lambda _: lakehouse.commit())  # one at each table that is copied
    [events, _] = taken.tables
    assert (events.records, lakehouse.catalog.load_table("bronze.events").scan().count()) == (3, 9)
    backup.check(taken)


@pytest.mark.parametrize("pattern", ["*.parquet", "snap-*.avro", "*-m0.avro", "00001-*.metadata.json"])
def test_a_file_removed_while_it_is_copied_makes_it_read_the_catalog_again(
    pattern: str, lakehouse: Lakehouse, tmp_path: Path
) -> None:
    reads = []

    def read() -> Catalog:
        found = lakehouse.read()
        reads.append(found)
        if len(reads) == 1:  # then upkeep comes, or somebody drops the table
            lakehouse.catalog.drop_table("bronze.events")
            next((lakehouse.root / "bronze" / "events").rglob(pattern)).unlink()
        return found

    backup = Backup(lakehouse.warehouse, tmp_path / "backup")
    taken = backup.take(read, quietly)
    assert (len(reads), [str(table) for table in taken.tables]) == (2, ["bronze.other"])
    kept = [path for path in (tmp_path / "backup").rglob("*") if path.is_file()]
    assert kept and not any("events" in str(path) for path in kept), "of a table that the backup doesn't have"


def test_files_that_stay_away_fail_it_by_name(lakehouse: Lakehouse, tmp_path: Path) -> None:
    gone = lakehouse.file("*.parquet")
    gone.unlink()
    with pytest.raises(Fault, match=gone.name):
        Backup(lakehouse.warehouse, tmp_path / "backup").take(lakehouse.read, quietly)


def test_a_copy_that_is_skipped_or_cut_short_is_seen_by_the_check(
    lakehouse: Lakehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bugs planted in the copying, which is not asked whether it worked."""
    copy = warehouse.copy

    def skip(source: Path, target: Path) -> tuple[int, str]:
        size, digest = copy(source, target)
        if target.suffix == ".parquet":
            target.unlink()
        return size, digest

    def cut_short(source: Path, target: Path) -> tuple[int, str]:
        size, digest = copy(source, target)
        if target.suffix == ".parquet":
            target.write_bytes(target.read_bytes()[:-1])
        return size, digest

    for number, bug in enumerate((skip, cut_short)):
        monkeypatch.setattr(warehouse, "copy", bug)
        with pytest.raises(Fault, match=r"lacks .*\.parquet, which bronze.* is made of"):
            Backup(lakehouse.warehouse, tmp_path / str(number)).take(lakehouse.read, quietly)


def test_a_catalog_read_after_the_copy_is_seen_by_the_check(lakehouse: Lakehouse, tmp_path: Path) -> None:
    """The order turned round: what was committed between the copy and the catalog is in no file of the backup."""
    backup = Backup(lakehouse.warehouse, tmp_path / "backup")
    backup.take(lakehouse.read, quietly)
    lakehouse.commit()
    with pytest.raises(Fault, match=r"lacks .*metadata\.json, which bronze\.events is made of"):
        backup.check(lakehouse.read())


def test_a_file_that_is_not_as_long_as_its_metadata_says_is_named(lakehouse: Lakehouse, tmp_path: Path) -> None:
    damaged = lakehouse.file("*.parquet")
    damaged.write_bytes(damaged.read_bytes() + b"more")
    with pytest.raises(Fault, match=rf"{damaged.name} has \d+ bytes, and the metadata of bronze"):
        Backup(lakehouse.warehouse, tmp_path / "backup").take(lakehouse.read, quietly)


@pytest.mark.parametrize("pattern", ["*.metadata.json", "snap-*.avro", "*-m0.avro"])
def test_metadata_that_can_t_be_read_is_a_sentence(pattern: str, lakehouse: Lakehouse, tmp_path: Path) -> None:
    read = lakehouse.read()
    newest = on_disk(lakehouse.location("events"))
    damaged = newest if pattern.endswith("json") else next((lakehouse.root / "bronze" / "events").rglob(pattern))
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    with pytest.raises(Fault, match=r"metadata of bronze\.events can't be read"):
        Backup(lakehouse.warehouse, tmp_path / "backup").take(lambda: read, quietly)


def test_a_table_outside_the_warehouse_is_refused_and_a_bucket_too(lakehouse: Lakehouse, tmp_path: Path) -> None:
    elsewhere = f"file://{tmp_path}/elsewhere"
    lakehouse.catalog.create_table("bronze.stray", ROWS.schema, location=elsewhere)
    with pytest.raises(Fault, match="outside the warehouse"):
        Backup(lakehouse.warehouse, tmp_path / "backup").take(lakehouse.read, quietly)
    with pytest.raises(Fault, match="no folder of this machine"):
        Backup("s3://lake/warehouse", tmp_path / "backup")


def remove(path: Path) -> None:
    path.unlink()


def spoil(path: Path) -> None:
    path.write_bytes(b"!" + path.read_bytes()[1:])


DAMAGE = {
    "no manifest": (MANIFEST, remove, "half of one"),
    "a manifest that is cut short": (MANIFEST, lambda path: path.write_text(path.read_text()[:-40]), "is damaged"),
    "of another format": (
        MANIFEST, lambda path: path.write_text(path.read_text().replace(f'"format": {FORMAT}', '"format": 99')),
        "format 99",
    ),
    "sums that were changed": (SUMS, spoil, "is not the one that"),
    "a data file is gone": ("warehouse/**/*.parquet", remove, "lacks 1 of"),
    "a data file has another byte": ("warehouse/**/*.parquet", spoil, "its sum is another"),
    "PostgreSQL is gone": (databases.ARCHIVE, remove, "lacks 1 of"),
    "PostgreSQL has another byte": (databases.ARCHIVE, spoil, "its sum is another"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_backup_is_refused_and_leaves_no_trace(
    what: str, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pattern, damage, said = DAMAGE[what]
    folder = shutil.copytree(finished, tmp_path / "backup")
    read(folder)
    damage(next(folder.glob(pattern)))
    monkeypatch.setattr(restore, "check_settings", lambda *_: None)
    empty = Settings(home=tmp_path / "empty")
    with pytest.raises(Fault, match=said) as refusal:
        restore.restore(empty, folder, quietly)
    assert refusal.value.code == 1
    assert not [path for path in empty.home.rglob("*") if path.name != ".lock" and path.is_file()]


def test_a_restore_overwrites_nothing(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "check_settings", lambda *_: None)
    for number, there in enumerate(("data/postgres/PG_VERSION", "warehouse/bronze/file")):
        home = tmp_path / str(number)
        (home / there).parent.mkdir(parents=True)
        (home / there).write_text("18")
        with pytest.raises(Fault, match=r"holds data.*\n.*lake reset") as refusal:
            restore.restore(Settings(home=home), finished, quietly)
        assert (refusal.value.code, (home / there).read_text()) == (2, "18")


def test_a_stack_that_could_not_read_the_backup_is_refused(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "installed_major", lambda _: 18)
    manifest, _ = read(finished)
    fitting = Settings(warehouse=manifest.warehouse)
    restore.check_settings(fitting, manifest)
    for other, said in {
        "warehouse": f"LAKE_WAREHOUSE={manifest.warehouse}",
        "database_user": "LAKE_DATABASE_USER=lake",
        "catalog_database": "LAKE_CATALOG_DATABASE=lake_catalog",
    }.items():
        with pytest.raises(Fault, match=said):
            restore.check_settings(Settings(**{"warehouse": manifest.warehouse, other: "file:///other"}), manifest)
    older = manifest.model_copy(update={"server": manifest.server.model_copy(update={"major": 17})})
    with pytest.raises(Fault, match="PostgreSQL 17"):
        restore.check_settings(fitting, older)


def test_the_catalog_s_rows_are_put_whatever_is_in_a_name() -> None:
    now = datetime.now(UTC)
    manifest = Manifest(
        began_at=now, ended_at=now, warehouse="file:///w", server=Server.of(Settings(), 18), files=0, bytes=0, sums="",
        namespaces=[Property(namespace="bronze", key="comment", value="it's; a \\")],
        tables=[Table(namespace="a'b", name="t", kind="VIEW", metadata_location="file:///w/m.json")],
    )  # fmt: skip
    said = databases.statements(manifest)
    assert (said[0], said[-1]) == ("begin", "commit")
    assert "'a''b', 't', 'file:///w/m.json', 'VIEW'" in said[2]
    assert said[4].endswith("('lake', 'bronze', 'comment',  E'it''s; a \\\\')")


def test_mistakes_are_a_sentence_and_an_exit_code(run_lake: Lake, tmp_path: Path) -> None:
    home = {"LAKE_HOME": str(tmp_path / "home"), "LAKE_POSTGRES_PORT": "1"}
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("of a person's")
    for arguments, code, said in (
        (("backup", str(tmp_path / "full")), 2, "is not empty"),
        (("backup", str(tmp_path / "new")), 5, "PostgreSQL does not answer"),
    ):
        done = run_lake(*arguments, environment=home, check=False)
        assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (code, True, False)
    assert not (tmp_path / "new").exists()
