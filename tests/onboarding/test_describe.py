"""If these fail, a new dataset is written with the wrong fields for id, type, time or key, or columns that mislead."""

from __future__ import annotations

import json

import pytest

from onboarding.describe import NotDescribed, describe
from onboarding.sample import Record
from tests.onboarding.payments import payments


def records(*bodies: object, key: bytes | None = None) -> list[Record]:
    return [Record(key, json.dumps(body).encode()) for body in bodies]


def test_the_fields_of_the_header_are_found_by_what_they_hold() -> None:
    found = describe(payments(200))
    assert (found.event_id, found.event_type) == ("uuid", "kind")
    assert (found.event_time, found.event_time_unit) == ("occurredAt", "iso8601")
    assert (found.key, found.keyed) == ("iban", True)


def test_scalars_are_columns_and_the_rest_stays_in_the_body() -> None:
    found = describe(payments(200))
    assert {one.column: (one.path, one.type) for one in found.columns} == {
        "iban": ("iban", "varchar"),
        "payer_name": ("payer.name", "varchar"),
        "payer_visits": ("payer.visits", "bigint"),
        "amount": ("amount", "double"),
        "is_test": ("isTest", "boolean"),
        "order_value": ("order", "varchar"),  # a word of SQL's
        "note": ("note", "varchar"),
    }
    assert found.left_in_body == ["tags", "ref-no"]


def test_an_id_that_repeats_is_none_and_a_type_of_many_texts_is_none() -> None:
    found = describe(records(*({"id": str(n % 3), "name": f"text {n}"} for n in range(200))))
    assert (found.event_id, found.event_type, found.event_time, found.key, found.keyed) == (None,) * 4 + (False,)


def test_of_two_times_without_a_usual_name_none_is_taken_but_the_one_said() -> None:
    bodies = [{"begin_date": 1_790_000_000 + n, "end_date": 1_790_000_100 + n} for n in range(50)]
    assert describe(records(*bodies)).event_time is None
    said = describe(records(*bodies), event_time="end_date")
    assert (said.event_time, said.event_time_unit) == ("end_date", "seconds")


def test_records_that_are_no_objects_are_passed_over() -> None:
    odd = [Record(b"k", None), Record(None, b"\xff"), Record(None, b"[1]"), Record(None, b'{"a":')]
    assert [one.path for one in describe(odd + records(*[{"a": 1}] * 30)).columns] == ["a"]
    with pytest.raises(NotDescribed, match="no record of the sample is a JSON object"):
        describe(odd)


@pytest.mark.parametrize(
    ("said", "message"),
    [({"key": "nobody"}, "no field 'nobody' for key"), ({"event_time": "iban"}, "'iban' holds no times")],
)
def test_a_field_that_is_said_must_be_there(said: dict, message: str) -> None:
    with pytest.raises(NotDescribed, match=message):
        describe(payments(50), **said)


def test_names_that_meet_after_translation_stay_apart() -> None:
    found = describe(records(*[{"aB": 1, "a_b": 2, "A.b": 3, "topic": "t"}] * 30))
    assert [one.column for one in found.columns] == ["a_b", "a_b_value", "topic_value"]
    assert found.left_in_body == ["A.b"]
