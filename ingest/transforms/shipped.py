"""The transforms that come with it. Each takes the readable rows and what the YAML says, and returns rows alike.

`filter` and `set` are SQL expressions over the columns of bronze, `java` is a method in a JAR; the others change fields
at the top of the JSON body, and only the bodies that have them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from ingest.transforms.jar import java

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def filter_(rows: DataFrame, where: str) -> DataFrame:
    """Rows for which the condition is true."""
    return rows.where(where)


def set_(rows: DataFrame, **columns: str) -> DataFrame:
    """Columns of bronze replaced, each by an expression over the row as it was."""
    return rows.withColumns({name: F.expr(expression) for name, expression in columns.items()})


def mask(rows: DataFrame, fields: list[str], by: str = "***") -> DataFrame:
    """The fields' values replaced by one text."""
    return _with_fields(rows, dict.fromkeys(fields, lambda _value: _variant(F.lit(by))))


def cast(rows: DataFrame, **types: str) -> DataFrame:
    """Fields as another type, such as `amount: decimal(18,2)`. A value that is none fails."""
    return _with_fields(rows, {field: _as_type(type_) for field, type_ in types.items()})


def decrypt(rows: DataFrame, fields: list[str], key: str) -> DataFrame:
    """Fields that are base64 of AES-GCM (nonce first), decrypted. `key` names the variable that has it in hex."""
    secret = os.environ.get(key)
    if not secret:
        raise ValueError(f"the variable {key}, which is to hold the key in hex, is not set")

    def plain(value: Column) -> Column:
        cipher = F.unbase64(F.variant_get(value, "$", "string"))
        return _variant(F.aes_decrypt(cipher, F.lit(bytes.fromhex(secret))).cast("string"))

    return _with_fields(rows, dict.fromkeys(fields, plain))


def _as_type(type_: str) -> Callable[[Column], Column]:
    return lambda value: _variant(F.variant_get(value, "$", type_))


def _variant(value: Column) -> Column:
    return value.cast("variant")


def _with_fields(rows: DataFrame, changes: dict[str, Callable[[Column], Column]]) -> DataFrame:
    """Bodies with fields changed, where they are; the other fields keep their values."""

    def changed(field: Column, value: Column) -> Column:
        chosen = value
        for name, change in changes.items():
            chosen = F.when(field == name, change(value)).otherwise(chosen)
        return chosen

    fields = F.parse_json("body").cast("map<string, variant>")
    has_one = F.arrays_overlap(F.map_keys(fields), F.array(*map(F.lit, changes)))
    body = F.to_json(F.to_variant_object(F.transform_values(fields, changed)))
    return rows.withColumn("body", F.when(has_one, body).otherwise(F.col("body")))


SHIPPED: dict[str, Callable[..., DataFrame]] = {
    "filter": filter_,
    "set": set_,
    "mask": mask,
    "cast": cast,
    "decrypt": decrypt,
    "java": java,
}
