"""If these fail, a proof that found a difference exits 0, or a person can't tell what was proven."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from prove import incremental
from prove.evidence import Evidence
from stack.cli import app
from stack.settings import Settings

EQUAL = Evidence("silver.order_events", "seed 7, 4 cuts of orders_events@11", 3, 3, "ab", "ab")
OTHER = Evidence("silver.order_items", "seed 7, 4 cuts of orders_events@11", 3, 3, "ab", "ac")


def answer(monkeypatch: pytest.MonkeyPatch, found: list[Evidence], *arguments: str):
    monkeypatch.setattr(incremental, "prove_incremental", lambda *_, **__: found)
    return CliRunner().invoke(app, ["prove", "incremental", "--seeds", "2", "--first-seed", "7", *arguments])


def test_rows_and_hash_of_both_sides_are_shown_and_equal_exits_0(monkeypatch: pytest.MonkeyPatch) -> None:
    said = answer(monkeypatch, [EQUAL])
    assert said.exit_code == 0
    assert "1 equal" in said.stdout
    assert "seeds 7 to 8; the same again: --seeds 2 --first-seed 7" in said.stderr


def test_one_difference_exits_1_and_shows_both_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    said = answer(monkeypatch, [EQUAL, OTHER])
    assert said.exit_code == 1
    assert "ab ≠ ac" in " ".join(said.stdout.split())
    assert "1 of 2 DIFFERENT" in said.stdout


def test_json_is_one_document_with_every_field(monkeypatch: pytest.MonkeyPatch) -> None:
    said = answer(monkeypatch, [OTHER], "--json")
    assert said.exit_code == 1
    [evidence] = json.loads(said.stdout)["evidence"]
    assert evidence == {
        "subject": "silver.order_items", "cut": "seed 7, 4 cuts of orders_events@11", "rows_left": 3, "rows_right": 3,
        "hash_left": "ab", "hash_right": "ac", "equal": False,
    }  # fmt: skip
    assert json.loads(said.stdout)["equal"] is False


def test_nothing_to_prove_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    said = answer(monkeypatch, [])
    assert said.exit_code == 1
    assert "Nothing to prove" in said.stderr


def test_a_stack_that_is_down_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prove.cli.settings", lambda: Settings(trino_port=1))
    said = CliRunner().invoke(app, ["prove", "incremental"])
    assert said.exit_code == 5
    assert "Trino at 127.0.0.1:1 does not answer" in said.stderr


@pytest.mark.parametrize(("days", "code"), [(("2026-01-02", "2026-01-01"), 2), (("2026-01-01", "2026-03-01"), 2)])
def test_a_backfill_of_no_days_or_of_too_many_is_refused(days: tuple[str, str], code: int) -> None:
    said = CliRunner().invoke(app, ["backfill", "--from", days[0], "--to", days[1]])
    assert said.exit_code == code
    assert "Traceback" not in said.stderr


def test_a_replay_of_everything_must_be_asked_for() -> None:
    said = CliRunner().invoke(app, ["replay", "orders_current"])
    assert said.exit_code == 2
    assert "--all" in said.stderr and "--plan" in said.stderr
