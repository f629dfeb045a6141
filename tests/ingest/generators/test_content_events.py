"""If these fail, sessions and virality are computed from events that no real audience would send."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from ingest.generators.content_events import ContentStream
from ingest.generators.faults import NO_FAULTS
from ingest.generators.members import USERS, VIDEOS, video_id, video_seconds
from ingest.generators.popularity import Popularity

START, SPAN = 1_769_500_000, 6 * 3600
HALF_AN_HOUR = 30 * 60 * 1000


def sent(count=20_000, span=SPAN, share=0, shares=1):
    stream = ContentStream(seed=7, start=START, span=span, count=count, faults=NO_FAULTS)
    return [(record, json.loads(record.value)) for record in stream.records(share, shares)]


@pytest.fixture(scope="module")
def usual():
    return sent()


def gaps(events):
    """Milliseconds between a user's event and their next one."""
    times = defaultdict(list)
    for _, event in events:
        times[event["user_id"]].append(event["event_timestamp"])
    return [later - earlier for of_user in times.values() for earlier, later in pairwise(of_user)]


def test_an_event_is_what_the_contract_says(usual):
    for record, event in usual:
        assert list(event) == ["event_id", "event_timestamp", "event_type", "video_id", "user_id", "payload"]
        assert record.event_id == event["event_id"] and record.key == event["video_id"].encode()
        assert isinstance(event["event_timestamp"], int) and isinstance(event["user_id"], int)
        assert isinstance(event["payload"], dict) and "device" in event["payload"]


def test_impressions_outnumber_plays_and_plays_what_follows(usual):
    types = Counter(event["event_type"] for _, event in usual)
    assert list(dict(types.most_common(4))) == ["impression", "play", "skip", "finish"]
    assert types["finish"] > types["like"] > types["share"] > 100


def test_a_video_is_played_only_after_it_was_shown(usual):
    shown, played = set(), set()
    for _, event in usual:
        met = event["user_id"], event["video_id"]
        assert met in shown or event["event_type"] == "impression"
        assert met in played or event["event_type"] not in ("like", "share", "finish")
        (shown if event["event_type"] == "impression" else played).add(met)


@pytest.mark.parametrize("per_second", [0.1, 1, 20, 200])
def test_sessions_are_bursts_more_than_half_an_hour_apart(per_second):
    found = gaps(sent(10_000, int(10_000 / per_second)))
    assert not [gap for gap in found if 10 * 60 * 1000 < gap <= HALF_AN_HOUR]
    if per_second <= 1:
        assert sum(gap > HALF_AN_HOUR for gap in found) > 50, "users come back"


def test_a_session_takes_minutes_and_users_are_known_at_a_hundred_times_the_usual_load(usual):
    for events in (usual, sent(30_000, 300)):
        first, last = {}, {}
        for _, event in events:
            first.setdefault(event["user_id"], event["event_timestamp"])
            last[event["user_id"]] = event["event_timestamp"]
        once = sorted(last[user] - first[user] for user in last if last[user] - first[user] < HALF_AN_HOUR)
        assert 10_000 < once[len(once) // 2] < 600_000
        assert sum(event["user_id"] > USERS for _, event in events) / len(events) < 0.03


def test_users_and_videos_of_two_shares_are_others_so_that_sessions_stay_whole():
    shares = [sent(5000, share=share, shares=3) for share in range(3)]
    for field in ("user_id", "video_id"):
        met = [{event[field] for _, event in events} for events in shares]
        assert not met[0] & met[1] and not met[1] & met[2] and not met[0] & met[2]


def test_popularity_is_a_power_law(usual):
    videos = Counter(event["video_id"] for _, event in usual)
    ranked = [count for _, count in videos.most_common()]
    assert sum(ranked[:100]) > 0.6 * len(usual), "a tenth of the videos make most events"
    assert len(videos) > 0.8 * VIDEOS, "and most videos are met"
    assert 5 < ranked[0] / ranked[9] < 20


def test_ranks_are_no_matter_of_ids_and_differ_by_seed():
    def top(seed):
        popularity = Popularity(seed, 0, 1, load=1, span=SPAN)
        return popularity._videos[:20]

    assert top(1) != top(2) and max(top(1)) > 20


def test_videos_go_viral_for_a_while(usual):
    """In most half hours some video has ten times its usual share, and another one in the next."""
    usually = Counter(event["video_id"] for _, event in usual)
    viral = []
    for slot in range(12):
        events = usual[slot * len(usual) // 12 : (slot + 1) * len(usual) // 12]
        now = Counter(event["video_id"] for _, event in events)
        viral.append({video for video, count in now.items() if count > 60 and count > 0.6 * usually[video]})
    assert sum(bool(videos) for videos in viral) >= 8
    assert len(set().union(*viral)) >= 8


def test_a_wave_rises_and_falls_and_moves_people():
    popularity = Popularity(7, 0, 1, load=1, span=SPAN)
    wave = popularity.wave_at(0)
    shares = [wave.share_at(wave.begin + wave.length * part) for part in (-0.1, 0.1, 0.3, 0.7, 1.1)]
    assert shares[0] == shares[4] == 0 and 0 < shares[1] < shares[2] == pytest.approx(wave.peak) and shares[3] > 0
    assert popularity.wave_at(SPAN / 2) != wave == popularity.wave_at(1)


def test_the_payload_drifts(usual):
    def seen(events):
        payloads = [event["payload"] for _, event in events]
        return {(name, type(value).__name__) for payload in payloads for name, value in payload.items()}

    quarter = len(usual) // 4
    first, *_, last = (usual[n * quarter : (n + 1) * quarter] for n in range(4))
    assert seen(first) == {("device", "str"), ("app_version", "str"), ("watch_ms", "int")}
    assert seen(last) >= {("watch_ms", "str"), ("device", "dict"), ("playback", "dict"), ("experiments", "list")}
    assert ("network", "str") in seen(usual[quarter : 2 * quarter])
    assert ("watch_ms", "int") in seen(usual[2 * quarter : 3 * quarter]), "old releases linger"
    newest = [event["payload"] for _, event in last if event["payload"]["app_version"].startswith("6.0")]
    assert len(newest) > 0.5 * len(last) and not any("network" in payload for payload in newest)


def test_nobody_watches_longer_than_the_video(usual):
    for _, event in usual:
        watched = event["payload"].get("watch_ms")
        if watched is not None:
            number = int(event["video_id"].removeprefix("vid-"))
            assert 0 <= int(watched) <= 1000 * video_seconds(number)
            assert event["event_type"] != "finish" or int(watched) == 1000 * video_seconds(number)
        assert (watched is None) <= (event["event_type"] in ("impression", "skip"))


def test_a_few_events_are_of_members_that_no_dimension_knows(usual):
    known = {video_id(number) for number in range(1, VIDEOS + 1)}
    assert 0 < sum(event["video_id"] not in known for _, event in usual) / len(usual) < 0.02
    assert 0 < sum(event["user_id"] > USERS for _, event in usual) / len(usual) < 0.03
