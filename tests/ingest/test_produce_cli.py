"""If these fail, a person's command line is not understood, or not refused where it should be."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from ingest import produce_cli
from ingest.generators import broker
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

    monkeypatch.setattr(produce_cli, "send", send)
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
        (("--drift", "nonsense"), "there is no drift nonsense"),
        (("--late", "0.9", "--illegal", "0.9"), "together not above 1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(lake, arguments, sentence):
    result = lake("orders", *arguments)
    assert result.exit_code == 2 and sentence in result.output and not lake.sent


def test_refused_records_make_the_command_fail(lake, monkeypatch):
    tally = Tally(seconds=1.0)
    tally.refuse("event", "MessageSizeTooLargeError")
    monkeypatch.setattr(produce_cli, "send", lambda *_: (tally, False))
    result = lake("orders", "--count", "1")
    assert result.exit_code == 1 and "1 records could not be sent: 1 event (MessageSizeTooLargeError)." in result.output


def test_the_summary_is_a_line_or_json(lake):
    line = lake("orders", "--count", "1", "--seed", "7").output
    assert line == "Sent 1 records to orders in 1.0 s (1/s), seed 7, processes 1: 1 event\n"
    summary = json.loads(lake("orders", "--count", "1", "--seed", "7", "--json").output)
    assert summary["seed"] == 7 and summary["partitions"]["0"] == {"count": 1, "first_offset": 0, "last_offset": 0}


@pytest.mark.parametrize("dataset", list(produce_cli.STREAMS))
def test_kinds_are_listed(lake, dataset):
    rows = json.loads(lake("kinds", dataset, "--json").output)
    assert {"kind": "null_value", "error": "null_value", "ambiguous": False} in rows
    assert "null_value" in lake("kinds", dataset).output


def test_the_kinds_of_orders_are_those_without_a_name(lake):
    assert lake("kinds", "--json").output == lake("kinds", "orders", "--json").output
    result = lake("kinds", "nonsense")
    assert result.exit_code == 2 and "known: orders, content_events, user_events" in result.output


@pytest.mark.parametrize(
    "dataset, topic, partitions",
    [("orders", "orders", 4), ("content_events", "content_events", 4), ("user_events", "user-events", 3)],
)
def test_every_dataset_has_the_same_options(lake, dataset, topic, partitions):
    arguments = (
        "--count",
        "50",
        "--seed",
        "7",
        "--span",
        "2d",
        "--late",
        "0.5",
        "--malformed-kinds",
        "bom",
        "--corpus",
    )
    assert lake(dataset, *arguments, "--processes", "2").exit_code == 0
    ((stream, _, processes),) = lake.sent
    assert (stream.dataset, stream.topic, stream.partitions, processes) == (dataset, topic, partitions, 2)
    assert (stream.count, stream.seed, stream.span, stream.faults.late) == (50, 7, 2 * 86400, 0.5)
    assert sum(1 for _ in stream.records()) == stream.total == 51


def test_an_endless_stream_knows_its_rate(lake):
    lake("content_events", "--rate", "250")
    assert lake.sent[0][0].rate == 250


@pytest.mark.parametrize("dataset", ["content_events", "user_events"])
def test_illegal_events_are_for_orders(lake, dataset):
    result = lake(dataset, "--count", "1", "--illegal", "0.1")
    assert result.exit_code == 2 and f"no event of {dataset} is illegal in the state it meets" in result.output
    assert not lake.sent


def test_a_topic_is_created_as_its_dataset_wants_it(monkeypatch):
    created = {}

    class Admin:
        def __init__(self, **_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def create_topics(self, topics, **_):
            created.update(topics)

        def describe_configs(self, *_, **__):
            return {"topic": {"user-events": {"max.message.bytes": {"value": "1000"}}}}

    monkeypatch.setattr(broker, "KafkaAdminClient", Admin)
    monkeypatch.setattr(broker, "_knock", lambda _: None)
    stream = produce_cli.STREAMS["user_events"]
    assert broker.ensure_topic("nowhere:1", stream.topic, stream.partitions, stream.topic_config) == (3, 1000)
    assert created == {"user-events": {"num_partitions": 3, "configs": {"retention.ms": "86400000"}}}
