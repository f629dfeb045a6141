"""Every case of the schema contract: what was known, what is seen, and what that is. docs/schema.md shows this list."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

Make = Callable[[int], str]
BODIES = 200


@dataclass(frozen=True)
class Case:
    """`known` and `seen` are a body's text, or make the body of a number; `found` is each change as `kind path`."""

    name: str
    known: str | Make
    seen: str | Make
    found: tuple[str, ...] = ()
    verdict: str = "evolve"
    shown: tuple[str, str] | None = None

    def bodies(self, which: str | Make) -> list[str]:
        return [which if isinstance(which, str) else which(number) for number in range(BODIES)]

    def row(self) -> str:
        """The case's line of docs/schema.md."""
        known, seen = self.shown or (self.known, self.seen)
        what = ", ".join(self.found) or "none"
        does = {"block": "blocks", "evolve": "new version" if self.found else "goes on"}[self.verdict]
        return f"| {self.name} | {code(known)} | {code(seen)} | {what} | {does} |"


def code(text: str | Make) -> str:
    return f"`{text}`" if text.startswith("{") else text


def some(share: float, odd: str, usual: str) -> Make:
    """`odd` in that share of the bodies, spread evenly."""
    every = round(1 / share)
    return lambda number: odd if number % every == 0 else usual


def after(share: float, late: str, early: str) -> Make:
    """`late` from there on."""
    return lambda number: late if number >= share * BODIES else early


def body(**fields: object) -> str:
    return json.dumps(fields)


A, B = body(id=1, a=1), body(id=1)
MILLI, SECOND, ISO = body(paid_at=1769500000000), body(paid_at=1769500000), body(paid_at="2026-01-27T12:00:00Z")

CASES = [
    # the same
    Case("nothing changed", A, A),
    Case("fields in another order", '{"a": 1, "b": 2}', '{"b": 2, "a": 1}'),
    Case("another value of an enumeration", body(state="PAID"), body(state="REFUNDED")),
    Case("int → long", body(n=7), body(n=5_000_000_000)),
    Case(
        "whole numbers where fractions were, some still are",
        body(n=1.5),
        some(0.5, body(n=2), body(n=1.5)),
        shown=(body(n=1.5), "`n` is 2 or 1.5"),
    ),
    Case("optional → required", some(0.5, B, A), A, shown=("`a` in every second body", A)),
    Case("optional field in no body", some(0.5, B, A), B, shown=("`a` in every second body", B)),
    Case("a nested field in another order", '{"s": {"a": 1, "b": 2}}', '{"s": {"b": 2, "a": 1}}'),
    Case("an array's length", body(l=[1]), body(l=[1, 2, 3])),
    Case("an empty array where elements were", body(l=[1]), body(l=[])),
    Case("a time in another ISO form", ISO, body(paid_at="2026-01-27 13:00:00+01:00")),
    Case("a number that is no time grows", body(total=1_769_500_000), body(total=1_769_500_000_000)),
    Case(
        "a type in less than 5 % of the bodies",
        body(n=1),
        some(0.02, body(n="1"), body(n=1)),
        shown=(body(n=1), "`n` is text in 2 %"),
    ),
    Case("a field in fewer than five bodies", A, some(0.01, body(id=1, a=1, b=2), A), shown=(A, "`b` in 1 %")),
    Case("a field missing in less than 5 %", A, some(0.04, B, A), shown=(A, "`a` missing in 4 %")),
    Case("a null in less than 5 %", A, some(0.04, body(id=1, a=None), A), shown=(A, "`a` null in 4 %")),
    Case(
        "any type where types were mixed already",
        some(0.5, body(v="x"), body(v=1)),
        body(v=True),
        shown=("`v` is text or a number", body(v=True)),
    ),
    # compatible
    Case("new field", B, A, ("added a",)),
    Case("new field in some bodies", B, some(0.1, A, B), ("added a",), shown=(B, "`a` in 10 %")),
    Case("new nested field", body(s={"a": 1}), body(s={"a": 1, "b": 2}), ("added s.b",)),
    Case("new object", B, body(id=1, s={"a": 1}), ("added s",)),
    Case("new field of an array's objects", body(l=[{"a": 1}]), body(l=[{"a": 1, "b": 2}]), ("added l[].b",)),
    Case("long → double", body(n=1), body(n=1.5), ("widened n",)),
    Case("long → double in a nested field", body(s={"n": 1}), body(s={"n": 1.5}), ("widened s.n",)),
    Case("long → double in an array", body(l=[1]), body(l=[1.5]), ("widened l[]",)),
    Case("null only → a type", body(id=1, a=None), A, ("widened a",)),
    Case("null only → an object", body(a=None), body(a={"b": 1}), ("widened a",)),
    Case("empty array → elements", body(l=[]), body(l=["x"]), ("widened l[]",)),
    Case("empty object → fields", body(s={}), body(s={"a": 1}), ("added s.a",)),
    Case("required → optional", A, some(0.5, B, A), ("optional a",), shown=(A, "`a` in every second body")),
    Case(
        "required → null in some",
        A,
        some(0.5, body(id=1, a=None), A),
        ("optional a",),
        shown=(A, "`a` null in every second body"),
    ),
    Case(
        "required → optional in an array's objects",
        body(l=[{"a": 1, "b": 1}]),
        some(0.5, body(l=[{"a": 1}]), body(l=[{"a": 1, "b": 1}])),
        ("optional l[].b",),
        shown=(body(l=[{"a": 1, "b": 1}]), "`l[].b` in every second body"),
    ),
    # breaking
    Case("number → string", body(n=1), body(n="1"), ("retyped n",), "block"),
    Case("string → number", body(n="1"), body(n=1), ("retyped n",), "block"),
    Case(
        "number → string in the midst of a range",
        body(n=1),
        after(0.9, body(n="1"), body(n=1)),
        ("retyped n",),
        "block",
        shown=(body(n=1), "`n` is text in the last 10 %"),
    ),
    Case("number → boolean", body(n=1), body(n=True), ("retyped n",), "block"),
    Case("string → object", body(device="ios"), body(device={"os": "ios"}), ("retyped device",), "block"),
    Case("object → string", body(s={"a": 1}), body(s='{"a": 1}'), ("retyped s",), "block"),
    Case("value → array", body(v=1), body(v=[1]), ("retyped v",), "block"),
    Case("array → value", body(v=[1]), body(v=1), ("retyped v",), "block"),
    Case("number → string in a nested field", body(s={"n": 1}), body(s={"n": "1"}), ("retyped s.n",), "block"),
    Case("number → string in an array", body(l=[1]), body(l=["1"]), ("retyped l[]",), "block"),
    Case("a number beyond 64 bits", body(n=1), body(n=2**70), ("retyped n",), "block"),
    Case("double → long, no fraction left", body(n=1.5), body(n=1), ("narrowed n",), "block"),
    Case("field removed", A, B, ("removed a",), "block"),
    Case(
        "field removed in the midst of a range",
        A,
        after(0.5, B, A),
        ("removed a",),
        "block",
        shown=(A, "`a` in none of the last 100"),
    ),
    Case("field null in every body", A, body(id=1, a=None), ("removed a",), "block"),
    Case("nested field removed", body(s={"a": 1, "b": 1}), body(s={"a": 1}), ("removed s.b",), "block"),
    Case(
        "field of an array's objects removed",
        body(l=[{"a": 1, "b": 1}]),
        body(l=[{"a": 1}]),
        ("removed l[].b",),
        "block",
    ),
    Case("field renamed", body(id=1, amount=5), body(id=1, total=5), ("renamed amount",), "block"),
    Case(
        "field renamed to another type",
        body(id=1, amount=5),
        body(id=1, total="5"),
        ("removed amount", "added total"),
        "block",
    ),
    Case("another case of letters", body(userId=1), body(userid=1), ("case userId",), "block"),
    Case(
        "another case of letters beside the known", body(userId=1), body(userId=1, userid=2), ("case userId",), "block"
    ),
    Case("seconds → milliseconds", SECOND, MILLI, ("unit paid_at",), "block"),
    Case("milliseconds → seconds", MILLI, SECOND, ("unit paid_at",), "block"),
    Case("seconds → ISO text", SECOND, ISO, ("retyped paid_at",), "block"),
]


@dataclass(frozen=True)
class Ruled:
    """What becomes of one body under a policy: `row`, its columns in a typed gold, or the reason of a dead letter."""

    name: str
    policy: dict
    known: str
    seen: str
    row: dict | str

    def line(self) -> str:
        """The case's line of docs/schema.md."""
        policy = ", ".join(f"{path}: {said}" for path, said in self.policy.items())
        shown = f"dead letter, `{self.row}`" if isinstance(self.row, str) else f"row {code(json.dumps(self.row))}"
        return f"| {self.name} | `{policy}` | {code(self.known)} | {code(self.seen)} | {shown} |"


N, S, L = body(n=1, a=1), body(s={"n": 1}, a=1), body(l=[1], a=1)

RULED = [
    Ruled("number → string, where nothing is said", {}, N, '{"n": "x", "a": 2}', "untyped: n"),
    Ruled("number → string", {"n": "freeze"}, N, '{"n": "x", "a": 2}', {"n": None, "a": 2}),
    Ruled("number → string", {"n": "quarantine"}, N, '{"n": "x", "a": 2}', "quarantined: n"),
    Ruled("number → string of digits", {"n": "freeze"}, N, '{"n": "5", "a": 2}', {"n": None, "a": 2}),
    Ruled("long → double", {"n": "freeze"}, N, '{"n": 1.5, "a": 2}', {"n": None, "a": 2}),
    Ruled("long → double", {"n": "quarantine"}, N, '{"n": 1.5, "a": 2}', "quarantined: n"),
    Ruled("a number beyond 64 bits", {"n": "freeze"}, N, '{"n": 1180591620717411303424, "a": 2}', {"n": None, "a": 2}),
    Ruled("of the known type", {"n": "freeze"}, N, '{"n": 5, "a": 2}', {"n": 5, "a": 2}),
    Ruled("of the known type", {"n": "quarantine"}, N, '{"n": 5, "a": 2}', {"n": 5, "a": 2}),
    Ruled("field removed", {"n": "freeze"}, N, '{"a": 2}', {"n": None, "a": 2}),
    Ruled("field removed", {"n": "quarantine"}, N, '{"a": 2}', {"n": None, "a": 2}),
    Ruled("new field", {"b": "freeze"}, N, '{"n": 5, "a": 2, "b": 3}', {"n": 5, "a": 2}),
    Ruled("new field", {"b": "quarantine"}, N, '{"n": 5, "a": 2, "b": 3}', {"n": 5, "a": 2}),
    Ruled("another field's type", {"n": "freeze"}, N, '{"n": 5, "a": "x"}', "untyped: a"),
    Ruled("each field's type", {"default": "freeze"}, N, '{"n": "x", "a": "x"}', {"n": None, "a": None}),
    Ruled("each field's type", {"default": "quarantine"}, N, '{"n": "x", "a": "x"}', "quarantined: n"),
    Ruled("object → string", {"s": "freeze"}, S, '{"s": "x", "a": 2}', {"s": None, "a": 2}),
    Ruled("nested number → string", {"s": "freeze"}, S, '{"s": {"n": "x"}, "a": 2}', {"s": None, "a": 2}),
    Ruled("nested number → string", {"s.n": "freeze"}, S, '{"s": {"n": "x"}, "a": 2}', {"s": None, "a": 2}),
    Ruled("nested number → string", {"s.n": "quarantine"}, S, '{"s": {"n": "x"}, "a": 2}', "quarantined: s"),
    Ruled(
        "nested number → string, in what is frozen else", {"s": "freeze", "s.n": "quarantine"}, S,
        '{"s": {"n": "x"}, "a": 2}', "quarantined: s",
    ),
    Ruled("number → string in an array", {"l[]": "freeze"}, L, '{"l": [1, "x"], "a": 2}', {"l": None, "a": 2}),
    Ruled("number → string in an array", {"l": "quarantine"}, L, '{"l": [1, "x"], "a": 2}', "quarantined: l"),
]  # fmt: skip
