"""If these fail, a person's command line is not understood, or not refused where it should be."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from ingest import produce_cli
from ingest.generators.tally import Tally


@pytest.fixture
def lake(monkeypatch):
    """Runs `produce`; the streams that would be sent are in `lake.sent`."""

    def run(*arguments):
        return CliRunner().invoke(produce_cli.app, list(arguments))

    run.sent = []

    def send(stream, rate, processes, oracle):
        run.sent.append((stream, rate, processes))
        tally = Tally(seconds=1.0)
        tally.count("event", 0, 0)
        return tally, False

    monkeypatch.setattr(produce_cli, "_send", send)
    return run


def test_a_count_is_sent_as_fast_as_it_goes_and_ends_now(lake, monkeypatch):
    monkeypatch.setattr(produce_cli.time, "time", lambda: 1_769_500_000.9)
    assert lake("orders", "--count", "20000", "--seed", "7").exit_code == 0
    ((stream, rate, processes),) = lake.sent
    assert (stream.count, stream.seed, rate, processes, stream.endless) == (20_000, 7, 0, 1, False)
    assert stream.start + stream.span == 1_769_500_000 and stream.span == 6 * 3600


def test_without_a_count_it_goes_on_gently(lake):
    lake("orders")
    lake("orders", "--count", "0", "--corpus")
    (first, rate, _), (second, _, _) = lake.sent
    assert first.endless and second.endless and second.corpus and rate == 100
    assert first.seed != second.seed


def test_the_corpus_alone_is_all_there_is(lake):
    lake("orders", "--corpus", "--malformed-kinds", "null_key, bom")
    ((stream, _, _),) = lake.sent
    assert stream.total == 2 and not stream.endless


def test_clean_means_no_faults(lake):
    lake("orders", "--count", "10", "--clean", "--late", "0.5")
    ((stream, _, _),) = lake.sent
    assert not any(vars(stream.faults).values())


@pytest.mark.parametrize(
    "text, seconds", [("2026-01-27T10:00:00Z", 1_769_508_000), ("2026-01-27T11:00:00+01:00", 1_769_508_000),
                      ("2026-01-27T10:00:00", 1_769_508_000), ("1769508000", 1_769_508_000)],
)  # fmt: skip
def test_start_is_a_time_or_seconds(lake, text, seconds):
    lake("orders", "--count", "1", "--start", text)
    assert lake.sent[0][0].start == seconds


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("--span", "soon"), "--span is a number"),
        (("--count", "1", "--start", "monday"), "--start is a time"),
        (("--start", "1769500000"), "--start needs a --count"),
        (("--malformed-kinds", "nonsense"), "no malformed kind is called nonsense"),
        (("--late", "0.9", "--illegal", "0.9"), "together not above 1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(lake, arguments, sentence):
    result = lake("orders", *arguments)
    assert result.exit_code == 2 and sentence in result.output and not lake.sent


def test_refused_records_make_the_command_fail(lake, monkeypatch):
    tally = Tally(seconds=1.0)
    tally.refuse("event", "MessageSizeTooLargeError")
    monkeypatch.setattr(produce_cli, "_send", lambda *_: (tally, False))
    result = lake("orders", "--count", "1")
    assert result.exit_code == 1 and "1 records could not be sent: 1 event (MessageSizeTooLargeError)." in result.output


def test_the_summary_is_a_line_or_json(lake):
    line = lake("orders", "--count", "1", "--seed", "7").output
    assert line == "Sent 1 records to orders in 1.0 s (1/s), seed 7, processes 1: 1 event\n"
    summary = json.loads(lake("orders", "--count", "1", "--seed", "7", "--json").output)
    assert summary["seed"] == 7 and summary["partitions"]["0"] == {"count": 1, "first_offset": 0, "last_offset": 0}


def test_kinds_are_listed(lake):
    rows = json.loads(lake("kinds", "--json").output)
    assert {"kind": "null_value", "error": "null_value", "ambiguous": False} in rows
    assert "null_value" in lake("kinds").output
