"""Java classes in a JAR, compiled by the compiler that Spark has in itself: a JRE is enough."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHOUTS = """
package com.example;

import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

public class Shouts {
    public static Dataset<Row> apply(Dataset<Row> rows, Map<String, String> options) {
        String column = (String) options.get("column");
        if (column == null) { throw new IllegalArgumentException("say which column"); }
        String by = (String) options.get("by");
        return rows.withColumn(column, functions.expr("concat(upper(" + column + "), " + by + ")"))
            .withColumn("kafka_offset", functions.lit(900L));
    }
}
"""
"""Upper case for `column`, after it `by`, which is SQL; and it tries to move the row."""
NONE_OF_THEM = {
    "Narrows": 'public static Dataset<Row> apply(Dataset<Row> r, Map<String, String> o) { return r.drop("body"); }',
    "Empties": "public static Dataset<Row> apply(Dataset<Row> rows, Map<String, String> o) { return null; }",
    "Instance": "public Dataset<Row> apply(Dataset<Row> rows, Map<String, String> options) { return rows; }",
    "Counts": "public static long apply(Dataset<Row> rows, Map<String, String> options) { return 1L; }",
    "Lacks": "public static Dataset<Row> other(Dataset<Row> rows) { return rows; }",
}
"""Classes that are no step, by what is wrong with each."""


def jar(spark: SparkSession, path: Path) -> Path:
    """A JAR of com.example with all of these, written to `path`."""
    imports = SHOUTS.partition("public class")[0]
    with zipfile.ZipFile(path, "w") as packed:
        for source in [SHOUTS, *(f"{imports} public class {name} {{ {has} }}" for name, has in NONE_OF_THEM.items())]:
            compiler = spark._jvm.org.codehaus.janino.SimpleCompiler()
            compiler.cook(source)
            for name, code in dict(compiler.getBytecodes()).items():
                packed.writestr(f"{name.replace('.', '/')}.class", bytes(code))
    return path
