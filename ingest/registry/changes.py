"""What changes from one configuration to another, field by field."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class FieldChange(BaseModel):
    """One field: its path, and its value before and after; null where there was or is none."""

    field: str
    before: Any = None
    after: Any = None


def changes(before: Any, after: Any, path: str = "") -> list[FieldChange]:
    """The fields that differ; entries of a list are told apart by their name, or table."""
    if before == after:
        return []
    if isinstance(before, list) and isinstance(after, list):
        named = [_by_name(before), _by_name(after)]
        if None not in named and list(named[0]) != list(named[1]) and set(named[0]) == set(named[1]):
            return [FieldChange(field=path, before=list(named[0]), after=list(named[1]))]  # another order
        before, after = named if None not in named else (before, after)
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for name in [*before, *(name for name in after if name not in before)]:
            found += changes(before.get(name), after.get(name), f"{path}.{name}" if path else name)
        return found
    return [FieldChange(field=path, before=before, after=after)]


def _by_name(entries: list[Any]) -> dict[str, Any] | None:
    """The entries by what names them; None where they are no such entries."""
    if not all(isinstance(one, dict) and ("name" in one or "table" in one) for one in entries):
        return None
    return {one.get("name") or one["table"]: one for one in entries}
