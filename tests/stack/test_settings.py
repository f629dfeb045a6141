"""If these fail, two stacks on one machine share a folder or a port."""
from __future__ import annotations

from pathlib import Path

import pytest

from stack.settings import Settings


def test_everything_follows_the_home_and_the_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAKE_DOWNLOADS", raising=False)
    settings = Settings(home=tmp_path, kafka_port=1, postgres_port=2)
    assert settings.warehouse == f"file://{tmp_path}/warehouse"
    assert settings.downloads == tmp_path / "engines"
    assert settings.kafka_bootstrap_servers == "127.0.0.1:1"
    assert settings.catalog_jdbc_url == "jdbc:postgresql://127.0.0.1:2/lake_catalog"
    for folder in (settings.data, settings.logs, settings.run):
        assert folder.is_relative_to(tmp_path)


def test_an_empty_variable_is_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_TRINO_PORT", "")
    assert Settings().trino_port == 8080
