"""If these fail, sessions, conversion and daily users are computed from events that no real shop would send."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from ingest.generators.faults import NO_FAULTS
from ingest.generators.iso_times import MOBILE, WEB
from ingest.generators.members import USERS, is_active
from ingest.generators.user_events import UserStream

START, SPAN = 1_769_500_000, 6 * 3600


def sent(count=20_000, span=SPAN, share=0, shares=1, **more):
    records = UserStream(seed=7, start=START, span=span, count=count, faults=NO_FAULTS, **more).records(share, shares)
    return [(record, json.loads(record.value)) for record in records]


@pytest.fixture(scope="module")
def usual():
    return sent()


def test_an_event_is_what_the_contract_says(usual):
    for record, event in usual:
        assert list(event) == ["event_id", "user_id", "event_type", "page", "timestamp", "source"]
        assert record.event_id == event["event_id"]
        assert isinstance(event["user_id"], int) and event["user_id"] > 0
        assert record.key in (None, str(event["user_id"]).encode())
        assert event["page"].startswith("/") and event["source"] in ("web", "mobile")


def test_the_topic_keeps_a_day():
    stream = UserStream(7, START, SPAN, 1)
    assert (stream.topic, stream.partitions, stream.topic_config) == ("user-events", 3, {"retention.ms": "86400000"})


def test_few_records_have_no_key(usual):
    assert 0.003 < sum(record.key is None for record, _ in usual) / len(usual) < 0.03


@pytest.mark.parametrize("per_second", [0.01, 1, 5000])
def test_clicks_outnumber_logins_and_logins_purchases_at_any_load(per_second):
    types = Counter(event["event_type"] for _, event in sent(5000, int(5000 / per_second)))
    assert set(types) == {"login", "click", "purchase", "logout"}
    assert types["click"] > 3 * types["login"]
    assert types["login"] > 2 * types["purchase"] > 100


@pytest.mark.parametrize("shares", [1, 5])
def test_four_fifths_of_the_events_are_those_of_a_fifth_of_the_users(shares):
    active = sum(is_active(user) for user in range(1, USERS + 1)) / USERS
    assert 0.19 < active < 0.21
    events = [event for share in range(shares) for _, event in sent(10_000, share=share, shares=shares)]
    assert abs(sum(is_active(event["user_id"]) for event in events) / len(events) - 0.8) < 0.04


def test_the_user_base_grows(usual):
    def newest(events):
        return max(event["user_id"] for _, event in events if event["user_id"] <= USERS)

    quarter = len(usual) // 4
    assert newest(usual[:quarter]) < 0.65 * USERS
    assert newest(usual[-quarter:]) > 0.95 * USERS
    cumulated = [len({event["user_id"] for _, event in usual[: quarter * n]}) for n in (1, 2, 3, 4)]
    assert all(later > 1.15 * earlier for earlier, later in pairwise(cumulated))


def test_a_few_events_are_of_users_that_no_dimension_knows(usual):
    unknown = sum(event["user_id"] > USERS for _, event in usual) / len(usual)
    assert 0 < unknown < 0.02
    busy = sent(20_000, span=4)
    assert sum(event["user_id"] > USERS for _, event in busy) / len(busy) < 0.02, "nobody is free to come"


def test_a_session_is_a_login_clicks_perhaps_purchases_and_perhaps_a_logout(usual):
    by_user = defaultdict(str)
    for _, event in usual:
        by_user[event["user_id"]] += {"login": "i", "click": "c", "purchase": "p", "logout": "o"}[event["event_type"]]
    for sequence in by_user.values():
        assert re.fullmatch(r"(ic[cp]*o?)+", sequence) or re.fullmatch(r"(ic[cp]*o?)*i", sequence), sequence
    assert sum("p" in sequence for sequence in by_user.values()) > 100


def test_times_are_iso_8601_in_many_legal_forms(usual):
    shapes = {re.sub(r"\d", "9", event["timestamp"]) for _, event in usual}
    assert {
        "9999-99-99T99:99:99Z",
        "9999-99-99T99:99:99.999Z",
        "9999-99-99T99:99:99.999999Z",
        "9999-99-99T99:99:99.999+99:99",
        "9999-99-99T99:99:99.999-99:99",
        "9999-99-99T99:99:99.999999+99:99",
    } <= shapes


@pytest.mark.parametrize("form", dict.fromkeys(WEB + MOBILE), ids=str)
def test_every_form_says_the_same_time(form):
    moment = datetime(2026, 1, 27, 23, 59, 59, 987_654, UTC)
    digits = {"seconds": 0, "milliseconds": 987_000, "microseconds": 987_654}[form.digits]
    written = form.written(int(moment.timestamp()) * 1_000_000 + moment.microsecond)
    assert datetime.fromisoformat(written) == moment.replace(microsecond=digits)
    assert written.endswith("Z") == form.writes_z
