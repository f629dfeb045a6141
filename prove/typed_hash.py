"""Rows of a Trino table as one number that doesn't depend on their order, and changes with any value or type."""

from __future__ import annotations

from ingest.verify.warehouse import Warehouse

COMPLEX = ("array", "map", "row")


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
