"""If these fail, histories of users and videos are tested by feeds that are tamer, or other, than those that come."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import islice, pairwise

import pytest

from ingest.generators.content_events import ContentStream
from ingest.generators.dimension_users import UserChange, user_feeds
from ingest.generators.dimension_videos import VideoChange, video_feeds
from ingest.generators.faults import NO_FAULTS
from ingest.generators.members import USERS, VIDEOS, video_id, video_seconds
from ingest.generators.user_events import UserStream

FIRST_DAY = date(2026, 1, 26)
DAYS = 40
PROVENANCE = {"operation", "changed_at", "change_id", "feed_date"}
TYPE_1 = {UserChange: {"name"}, VideoChange: {"title"}}
TYPE_2 = {UserChange: {"country", "plan", "status", "email"}, VideoChange: {"category", "creator", "status"}}

each = pytest.mark.parametrize("kind", [user_feeds, video_feeds])


@cache
def feeds(kind, days=DAYS, seed=7):
    return list(islice(kind(seed, FIRST_DAY), days + 1))


def truth(kind, **more):
    """Of each member all changes that arrived, once each, in the order in which they were made."""
    changes = defaultdict(dict)
    for feed in feeds(kind, **more):
        for row in feed:
            changes[row[0]][row.change_id] = row
    return {
        member: sorted(of.values(), key=lambda row: (row.changed_at, row.change_id)) for member, of in changes.items()
    }


@each
def test_the_same_seed_gives_the_same_rows_however_far_one_reads(kind):
    assert feeds(kind)[:4] == feeds(kind, 3)
    assert feeds(kind, 3) != feeds(kind, 3, seed=8)


@each
def test_the_first_load_has_everybody_once_in_the_order_in_which_they_joined(kind):
    first = feeds(kind, 0)[0]
    assert {row.operation for row in first} == {"insert"} and {row.feed_date for row in first} == {FIRST_DAY}
    assert first == sorted(first, key=lambda row: row.changed_at)
    assert first[0].changed_at < first[-1].changed_at < datetime(2026, 1, 27, tzinfo=UTC)
    months = Counter(row.changed_at.strftime("%Y-%m") for row in first)
    assert len(months) >= 12, "cohorts of many months"


def test_ids_are_those_of_the_events():
    users = {row.user_id for row in feeds(user_feeds, 0)[0]}
    videos = {row.video_id: row for row in feeds(video_feeds, 0)[0]}
    assert users == set(range(1, USERS + 1)) and set(videos) == {video_id(n) for n in range(1, VIDEOS + 1)}
    events = [
        json.loads(record.value)
        for stream in (ContentStream, UserStream)
        for record in stream(7, 1_769_500_000, 6 * 3600, 10_000, NO_FAULTS).records()
    ]
    of_users = [event["user_id"] in users for event in events]
    of_videos = [event["video_id"] in videos for event in events if "video_id" in event]
    assert 0.95 < sum(of_users) / len(of_users) < 1
    assert 0.95 < sum(of_videos) / len(of_videos) < 1
    assert all(row.duration_seconds == video_seconds(int(key[4:])) for key, row in videos.items())


@each
def test_newcomers_have_the_next_ids_so_that_some_unknown_members_become_known(kind):
    rows = [row for feed in feeds(kind)[1:] for row in feed if row.change_id.endswith("-000001")]
    numbers = {int(row.change_id.split("-")[1]) for row in rows}
    known = {user_feeds: USERS, video_feeds: VIDEOS}[kind]
    assert min(numbers) == known + 1 and len(numbers) >= DAYS * 0.9
    assert all(row.operation == "insert" for row in rows)


@each
def test_change_ids_are_unique_and_a_repeat_is_the_same_but_for_its_feed(kind):
    rows = [row for feed in feeds(kind)[1:] for row in feed]
    found = defaultdict(list)
    for row in rows:
        found[row.change_id].append(row)
    repeated = [same for same in found.values() if len(same) > 1]
    assert all(len({row._replace(feed_date=FIRST_DAY) for row in same}) == 1 for same in repeated)
    in_one_feed = sum(len({row.feed_date for row in same}) == 1 for same in repeated)
    assert 0.01 < in_one_feed / len(rows) < 0.06, "repeats in one feed"
    assert 0.005 < (len(repeated) - in_one_feed) / len(rows) < 0.05, "repeats in the next one"


@each
def test_some_changes_are_days_late_and_none_is_early(kind):
    days = Counter((row.feed_date - row.changed_at.date()).days for feed in feeds(kind)[1:] for row in feed)
    assert set(days) <= {0, 1, 2, 3, 4, 5} and {0, 1, 2, 3} <= set(days)
    assert days[0] > 0.85 * days.total()


@each
def test_a_feed_is_not_in_the_order_of_the_changes_not_even_of_one_member(kind):
    out_of_order = of_one_member = 0
    for feed in feeds(kind)[1:]:
        out_of_order += any(later.changed_at < earlier.changed_at for earlier, later in pairwise(feed))
        newest = {}
        for row in feed:
            of_one_member += row.change_id < newest.get(row[0], "")
            newest[row[0]] = max(newest.get(row[0], ""), row.change_id)
    assert out_of_order > 0.9 * DAYS and of_one_member > 5


@each
def test_some_members_change_several_times_a_day_or_at_once(kind):
    a_day, at_once = Counter(), 0
    for changes in truth(kind).values():
        a_day.update(Counter(row.changed_at.date() for row in changes).values())
        at_once += sum(earlier.changed_at == later.changed_at for earlier, later in pairwise(changes))
    assert a_day[2] > 20 and a_day[3] > 0 and at_once > 5


@each
def test_time_and_id_order_the_changes_as_they_were_made(kind):
    arrived = truth(kind)
    for changes in arrived.values():
        numbers = [int(row.change_id.rsplit("-")[-1]) for row in changes]
        assert numbers == sorted(numbers) and len(set(numbers)) == len(numbers)
    settled = FIRST_DAY + timedelta(days=DAYS - 3)
    whole = [[row for row in changes if row.changed_at.date() <= settled] for changes in arrived.values()]
    assert all(int(row.change_id[-6:]) == number for rows in whole for number, row in enumerate(rows, 1)), (
        "none is lost"
    )


@each
def test_an_operation_changes_what_it_may(kind):
    row_type = {user_feeds: UserChange, video_feeds: VideoChange}[kind]
    moved, operations = Counter(), Counter()
    for changes in truth(kind, days=120).values():
        for before, after in pairwise(changes):
            if int(after.change_id[-6:]) != int(before.change_id[-6:]) + 1:
                continue  # one between them is still to come
            changed = {f for f in after._fields if getattr(before, f) != getattr(after, f)} - PROVENANCE
            allowed = {"update": TYPE_2[row_type], "correction": TYPE_1[row_type], "delete": set()}
            allowed["insert"] = TYPE_1[row_type] | TYPE_2[row_type]
            assert changed <= allowed[after.operation]
            assert (after.operation == "insert") == (before.operation == "delete"), "a deleted one comes back first"
            operations[after.operation] += 1
            moved.update(changed or {f"nothing by {after.operation}"})
    assert all(operations[name] > 5 for name in ("update", "correction", "delete", "insert"))
    assert all(moved[name] > 5 for name in TYPE_1[row_type] | TYPE_2[row_type] | {"nothing by update"})
