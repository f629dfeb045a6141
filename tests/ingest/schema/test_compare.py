"""If these fail, a change upstream breaks a number unseen, or stops a gold that nothing was wrong with."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.schema.compare import Change, Policy, changes, dotted, verdict
from ingest.schema.evolve import evolved
from ingest.schema.infer import infer
from ingest.schema.model import FEW, Field, Schema
from stack.settings import PROJECT
from tests.ingest.schema.cases import CASES, Case

NAMES = st.sampled_from(["a", "b", "at", "a.b", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["x", "2026-01-27T12:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
SAMPLES = st.lists(st.dictionaries(NAMES, VALUES, max_size=4).map(json.dumps), min_size=1, max_size=6).flatmap(
    lambda bodies: st.lists(st.sampled_from(bodies), min_size=1, max_size=150)
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_is_found_and_judged_as_the_contract_says(case: Case) -> None:
    known, seen = infer(case.bodies(case.known)), infer(case.bodies(case.seen))
    found = changes(known, seen)
    assert tuple(f"{change.kind} {change.path}" for change in found) == case.found
    assert verdict(found) == case.verdict
    assert changes(evolved(known, seen, found), seen) == []


def test_the_contract_s_page_is_this_list() -> None:
    page = (PROJECT / "docs" / "schema.md").read_text()
    shown = [
        line
        for line in page.splitlines()
        if line.startswith("| ") and line.endswith(("blocks |", "goes on |", "version |"))
    ]
    assert shown == [case.row() for case in CASES]
    assert len(CASES) >= 30


def plain(field: Field | Schema) -> dict:
    """What was found, less the order of bodies and of fields."""
    found = field.model_dump(exclude={"last", "fields", "element"})
    found["fields"] = {name: plain(inner) for name, inner in sorted(field.fields.items())}
    if isinstance(field, Field) and field.element:
        found["element"] = plain(field.element)
    return found


@given(SAMPLES, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_bodies_changes_no_type(bodies: list[str], chance: random.Random) -> None:
    shuffled = chance.sample(bodies, len(bodies))
    assert plain(infer(bodies)) == plain(infer(shuffled))


@given(SAMPLES)
@settings(max_examples=30, deadline=None)
def test_a_sample_beside_itself_shows_no_change(bodies: list[str]) -> None:
    found = infer(bodies)
    assert not [change for change in changes(found, found) if change.is_breaking]
    assert Schema.model_validate_json(found.model_dump_json()) == found


@given(SAMPLES, SAMPLES)
@settings(max_examples=50, deadline=None)
def test_what_was_taken_is_no_change_any_more(before: list[str], after: list[str]) -> None:
    known, seen = infer(before), infer(after)
    assert changes(evolved(known, seen, changes(known, seen)), seen) == []


def test_the_policy_of_the_longest_path_decides() -> None:
    policy = Policy(
        default="freeze", fields={"payload": "evolve", "payload.device": "block", "items[].sku": "quarantine"}
    )

    def of(path: str, kind: str = "retyped") -> str:
        return policy.of(Change(kind=kind, path=path))

    assert of("payload.watch_ms") == of("payload") == "evolve"
    assert of("payload.device.os") == "block"
    assert of("payloads") == "freeze"
    assert of("items[].sku") == "quarantine"
    assert verdict([], policy) == "evolve"
    assert Policy().of(Change(kind="added", path="a")) == "evolve"
    assert Policy().of(Change(kind="removed", path="a")) == "block"
    assert Policy(default="block").of(Change(kind="added", path="a")) == "block"


def test_a_path_says_which_field() -> None:
    assert dotted(("items", "[]", "sku")) == "items[].sku"
    assert dotted(("a.b", "", "c")) == '"a.b"."".c'


def test_types_are_those_of_both_engines() -> None:
    found = infer(
        [json.dumps({"a": 1, "b": [{"c d": 1.5, "e": None}], "f": None, "g": {}, "A": 2, "t": True, "m": "x"})]
    )
    assert found.ddl() == {"a": "bigint", "b": "array<struct<`c d`: double>>", "t": "boolean", "m": "string"}
    assert found.ddl("trino") == {"a": "bigint", "b": 'array(row("c d" double))', "t": "boolean", "m": "varchar"}


def test_mixed_types_are_text_and_odd_ones_are_not_counted() -> None:
    assert infer(['{"v": 1}', '{"v": "x"}'] * FEW).ddl() == {"v": "string"}
    assert infer(['{"v": 1}'] * 100 + ['{"v": "x"}'] * (FEW - 1)).ddl() == {"v": "bigint"}
    assert infer(['{"v": 1}'] * 500 + ['{"v": 1.5}'] * FEW).ddl() == {"v": "double"}
    assert infer(["no json", "[1]", "{" * 5000]).bodies == 0
