"""If these fail, a damaged or half unpacked engine could be taken for a whole one."""
from __future__ import annotations

import io
import tarfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from stack import downloads
from stack.settings import Settings


@pytest.fixture
def quiet() -> Console:
    return Console(file=io.StringIO())


def tarball(path: Path) -> Path:
    """A server tarball in small: a jar of a kept plugin is a hard link to one of a plugin that is not."""
    with tarfile.open(path, "w:gz") as archive:
        top = tarfile.TarInfo("trino-server-1")
        top.type = tarfile.DIRTYPE
        archive.addfile(top)
        for name in ("plugin/hive/shared.jar", "plugin/hive/own.jar", "lib/main.jar"):
            member = tarfile.TarInfo(f"trino-server-1/{name}")
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
        link = tarfile.TarInfo("trino-server-1/plugin/iceberg/shared.jar")
        link.type, link.linkname = tarfile.LNKTYPE, "trino-server-1/plugin/hive/shared.jar"
        archive.addfile(link)
    return path


def test_only_the_parts_in_use_are_unpacked_and_links_into_others_followed(tmp_path: Path, quiet: Console) -> None:
    downloads.unpack_trino(Settings(home=tmp_path, downloads=tmp_path), tarball(tmp_path / "t.tar.gz"), quiet)
    unpacked = tmp_path / "trino"
    assert sorted(str(path.relative_to(unpacked)) for path in unpacked.rglob("*.jar")) == [
        "lib/main.jar",
        "plugin/iceberg/shared.jar",
    ]
    assert (unpacked / "plugin/iceberg/shared.jar").read_text() == "plugin/hive/shared.jar"


def test_an_interrupted_unpacking_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    def interrupted(partial: Path) -> None:
        (partial / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        downloads.place(Settings(home=tmp_path, downloads=tmp_path), "trino", interrupted)
    assert not (tmp_path / "trino").exists()


def test_a_changed_and_a_missing_file_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, downloads=tmp_path)
    monkeypatch.setattr(downloads, "expected", lambda _folders: {})
    for name in ("postgres", "trino"):
        downloads.place(settings, name, lambda partial: [(partial / file).write_text(file) for file in ("a", "b")])
    assert downloads.damaged(settings) == []
    (tmp_path / "postgres" / "a").write_text("A")
    (tmp_path / "trino" / "b").unlink()
    assert downloads.damaged(settings) == ["postgres/a", "trino/b"]


def test_every_version_of_the_pom_is_pinned_by_a_checksum() -> None:
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    pom = ElementTree.parse(downloads.POM).getroot()
    properties = {one.tag.split("}")[1]: one.text for one in pom.find("m:properties", space)}
    pinned = downloads.sums(downloads.SUMS.read_text())
    found = [*pom.iterfind("m:dependencies/m:dependency", space), *pom.iter(f"{{{space['m']}}}artifactItem")]
    assert len(found) >= 10
    for artifact in found:
        name, version = (artifact.find(f"m:{field}", space).text for field in ("artifactId", "version"))
        for key, value in properties.items():
            name, version = name.replace(f"${{{key}}}", value), version.replace(f"${{{key}}}", value)
        classifier = artifact.findtext("m:classifier", "", space)
        whole = "-".join(filter(None, (name, version, classifier)))
        assert any(Path(path).name.startswith(f"{whole}.") for path in pinned), whole
    assert all(len(digest) == 64 for digest in pinned.values())


def test_other_platforms_files_are_not_expected_here() -> None:
    packed = [path for path in downloads.expected() if path.startswith("packed/embedded-postgres")]
    assert len(packed) == 1
    assert downloads.postgres_platform() in packed[0]


def test_a_parts_files_are_not_expected_where_the_part_is_not_asked_for() -> None:
    folders = {path.split("/")[0] for path in downloads.sums(downloads.SUMS.read_text())}
    of_parts = {folder for part in downloads.PARTS.values() for folder in part}
    assert folders == {*downloads.FOLDERS, *of_parts}
    assert not {path.split("/")[0] for path in downloads.expected()} & of_parts
    assert {path.split("/")[0] for path in downloads.expected(downloads.PARTS["s3"])} == {"s3", "aws"}
