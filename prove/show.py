"""Evidence for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from prove.evidence import Evidence


def as_json(proof: str, found: Sequence[Evidence]) -> str:
    """One JSON document."""
    evidence = [asdict(one) | {"equal": one.is_equal} for one in found]
    return json.dumps({"proof": proof, "equal": all(one["equal"] for one in evidence), "evidence": evidence})


def show(found: Sequence[Evidence], sides: tuple[str, str], console: Console) -> None:
    """A line for each subject and cut, then the verdict."""
    table = Table(*("subject", "cut", *(f"rows {side}" for side in sides), "hash", "equal?"))
    for column in table.columns[2:4]:
        column.justify = "right"
    for column in table.columns:
        column.overflow = "fold"
    for one in found:
        hashes = one.hash_left if one.hash_left == one.hash_right else f"{one.hash_left} ≠ {one.hash_right}"
        verdict = "[green]equal[/green]" if one.is_equal else "[bold red]DIFFERENT[/bold red]"
        table.add_row(one.subject, one.cut, f"{one.rows_left:,}", f"{one.rows_right:,}", hashes, verdict)
    console.print(table)
    different = sum(not one.is_equal for one in found)
    console.print(f"[bold red]{different} of {len(found)} DIFFERENT[/bold red]" if different else f"{len(found)} equal")
