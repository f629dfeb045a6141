"""`lake verify` where there is nothing to compare: a sentence and an exit code, never a traceback."""
from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from ingest import verify_cli
from stack.settings import Settings

app = typer.Typer()
app.command()(verify_cli.verify)


def test_an_unknown_dataset_names_the_known() -> None:
    answer = CliRunner().invoke(app, ["nonsense"])
    assert answer.exit_code == 2
    assert "orders" in answer.stderr


def test_no_engine_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_cli, "settings", lambda: Settings(trino_port=1, kafka_port=1))
    answer = CliRunner().invoke(app, ["orders"])
    assert answer.exit_code == 5
    assert "Trino at 127.0.0.1:1 does not answer" in answer.stderr
    others = [line for line in answer.stderr.strip().splitlines() if not line.startswith("the dataset registry at")]
    assert len(others) == 1
