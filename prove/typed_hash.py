"""Rows of a Trino table as one number that doesn't depend on their order, and changes with any value or type."""

from __future__ import annotations

import re

from ingest.verify.warehouse import Warehouse

COMPLEX = ("array", "map", "row")
WIDTHS = (
    (r"\b(tinyint|smallint|integer)\b", "bigint"),
    (r"\breal\b", "double"),
    (r"\b(var)?char\(\d+\)", "varchar"),
    (r"\bdecimal\(\d+, ?(\d+)\)", r"decimal(38,\1)"),
    (r"\btimestamp\(\d+\)", "timestamp(6)"),
)
OWN = {"dbt_scd_id"}
"""What each engine makes of its own text of a timestamp: dbt's name for a row of a snapshot."""


def row_hash(columns: dict[str, str]) -> str:
    """64 bits of a row as SQL: every column as text, a null apart from any text, names and types included."""
    texts = ", ".join(_text(name, type_) for name, type_ in sorted(columns.items()))
    types = _literal(", ".join(f"{name} {type_}" for name, type_ in sorted(columns.items())))
    return f"from_big_endian_64(xxhash64(to_utf8({types} || json_format(cast(row({texts}) as json)))))"


def hashed(warehouse: Warehouse, relation: str) -> tuple[int, str]:
    """Number of rows and the sum of their hashes, of a relation as it is written after `from`."""
    columns = warehouse.columns(f"select * from {relation}")
    [[count, total]] = warehouse.rows(
        f"select count(*), cast(sum(cast({row_hash(columns)} as decimal(38, 0))) as varchar) from {relation}"
    )
    return count, f"{int(total or 0) % (1 << 64):016x}"


def canonical(warehouse: Warehouse, relation: str) -> str:
    """The relation with every value in the widest type of its kind, as it is written after `from`."""
    columns = warehouse.columns(f"select * from {relation}")
    cast = (f'cast("{name}" as {widest(type_)}) as "{name}"' for name, type_ in columns.items() if name not in OWN)
    return f"(select {', '.join(cast)} from {relation})"


def widest(type_: str) -> str:
    """A type of Trino without the width that an engine chose: times in µs, decimals by their scale."""
    for narrow, wide in WIDTHS:
        type_ = re.sub(narrow, wide, type_)
    return type_


def _text(name: str, type_: str) -> str:
    column = f'"{name}"'
    if type_.endswith("with time zone"):
        return f"cast(at_timezone({column}, 'UTC') as varchar)"
    if type_.startswith(COMPLEX):
        return f"json_format(cast({column} as json))"
    if type_ == "varbinary":
        return f"to_hex({column})"
    return f"cast({column} as varchar)"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
