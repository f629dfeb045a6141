"""A column of a gold table added or dropped in the Iceberg catalog, before the configuration with it is kept.

Repeatable: where the service was killed between the two, the same request goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ingest.registry.bodies import AddColumn, DropColumn
from ingest.registry.edits import State
from ingest.registry.problems import FieldError, Problem
from stack.settings import Settings

if TYPE_CHECKING:
    from pyiceberg.types import IcebergType


def changer(settings: Settings, table: str, body: AddColumn | DropColumn) -> Callable[[State, State], None]:
    """What carries the change to gold.`table`. Problem where the catalog refuses, or does not answer."""

    def change(_before: State, _after: State) -> None:
        from pyiceberg.exceptions import NoSuchTableError, RESTError, ValidationError
        from requests.exceptions import RequestException
        from sqlalchemy.exc import SQLAlchemyError

        from ingest.catalog import catalog

        try:
            found = catalog(settings).load_table(f"gold.{table}")
            names = {field.name for field in found.schema().fields}
            with found.update_schema() as update:
                if isinstance(body, DropColumn):
                    if body.column in names:
                        update.delete_column(body.column)
                elif body.column.name not in names:
                    update.add_column(body.column.name, iceberg_type(body.column.type), body.column.description)
        except NoSuchTableError:
            return  # the ingester makes it, with the columns of its configuration
        except (RESTError, RequestException, SQLAlchemyError, OSError, ValidationError) as error:
            raise Problem(503, "no-catalog", f"The Iceberg catalog did not take it: {error}") from error

    return change


def iceberg_type(spark_type: str) -> IcebergType:
    """Iceberg's type of a plain Spark SQL type. Problem 422 for another."""
    from pyiceberg.types import (
        BinaryType,
        BooleanType,
        DateType,
        DecimalType,
        DoubleType,
        FloatType,
        IntegerType,
        LongType,
        StringType,
        TimestampType,
        TimestamptzType,
    )  # fmt: skip

    plain = {
        "string": StringType(), "boolean": BooleanType(), "int": IntegerType(), "integer": IntegerType(),
        "bigint": LongType(), "long": LongType(), "float": FloatType(), "double": DoubleType(), "date": DateType(),
        "timestamp": TimestamptzType(), "timestamp_ntz": TimestampType(), "binary": BinaryType(),
    }  # fmt: skip
    text = spark_type.strip().lower()
    if found := re.fullmatch(r"decimal\((\d+), ?(\d+)\)", text):
        return DecimalType(int(found[1]), int(found[2]))
    if text not in plain:
        fields = [FieldError(field="column.type", said=f"choose from {', '.join(plain)}, decimal(p,s)")]
        raise Problem(422, "invalid", f"{spark_type} is no plain type: {fields[0].said}", fields)
    return plain[text]
