"""Which files a table is made of, read from its metadata: every snapshot that it still has, not the newest alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pyiceberg.io import FileIO, InputFile, OutputFile
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import read_manifest_list
from pyiceberg.serializers import FromInputFile
from pyiceberg.table.metadata import TableMetadata

from backup.manifest import Table
from stack.faults import Fault


class File(NamedTuple):
    """A file's address as metadata has it, and its size in bytes where metadata says that, too."""

    location: str
    size: int | None = None


class Copies(FileIO):
    """Reads metadata from where the backup has it: `place` says where a location was copied to."""

    def __init__(self, place: Callable[[str], Path]) -> None:
        super().__init__()
        self._place, self._disk = place, PyArrowFileIO()

    def new_input(self, location: str) -> InputFile:
        return self._disk.new_input(str(self._place(location)))

    def new_output(self, location: str) -> OutputFile:
        raise NotImplementedError("a backup is read only")

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise NotImplementedError("a backup is read only")


def metadata(table: Table, copies: Copies) -> TableMetadata:
    return FromInputFile.table_metadata(copies.new_input(table.metadata_location))


def files(table: Table, copies: Copies) -> Iterator[File]:
    """Each file of `table`, some more than once. A file is named before it is opened, so that who copies each as it
    comes has copied what is opened next. Raises Fault where metadata can't be read."""
    try:
        yield from _files(table, copies)
    except OSError:
        raise
    except Exception as error:  # JSON's, Avro's and its codecs' own
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise Fault(f"The metadata of {table} can't be read ({said}).", f"look at {table}, then do it again") from error


def _files(table: Table, copies: Copies) -> Iterator[File]:
    yield File(table.metadata_location)
    if table.kind == "VIEW":
        return
    known = metadata(table, copies)
    for statistics in (*known.statistics, *known.partition_statistics):
        yield File(statistics.statistics_path, statistics.file_size_in_bytes)
    seen: set[str] = set()
    for snapshot in known.snapshots:
        yield File(snapshot.manifest_list)
        for manifest in read_manifest_list(copies.new_input(snapshot.manifest_list)):
            if manifest.manifest_path in seen:
                continue
            seen.add(manifest.manifest_path)
            yield File(manifest.manifest_path, manifest.manifest_length)
            for entry in manifest.fetch_manifest_entry(copies):
                yield File(entry.data_file.file_path, entry.data_file.file_size_in_bytes)
