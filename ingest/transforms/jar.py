"""The step `java`: a public static `Dataset<Row> apply(Dataset<Row>, Map<String, String>)` of a class in a JAR.

It is looked for in the JARs of `LAKE_SPARK_JARS`, which Spark begins with, and in those that its session got since.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame

from ingest.reason import reason

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject
    from pyspark.sql import SparkSession

APPLY = "public static Dataset<Row> apply(Dataset<Row>, Map<String, String>)"


def java(rows: DataFrame, **said: Any) -> DataFrame:
    """Rows as the method of `class` returns them. All else that is said is its map: texts as they are, others as JSON.

    Raises LookupError without the class or the method, ValueError with the cause where the method throws.
    """
    name = said.pop("class", None)
    if not isinstance(name, str):
        raise ValueError("say which class, with its package")
    spark = rows.sparkSession
    method = _method(spark, name)
    options = spark._jvm.java.util.HashMap()
    for option, value in said.items():
        options.put(option, value if isinstance(value, str) else json.dumps(value))
    given = spark.sparkContext._gateway.new_array(spark._jvm.java.lang.Object, 2)
    given[0], given[1] = rows._jdf, options
    try:
        returned = method.invoke(None, given)
    except Exception as error:
        raise ValueError(f"{name} throws {reason(error)}") from error
    if returned is None:
        raise ValueError(f"{name} returns null")
    return DataFrame(returned, spark)


def _method(spark: SparkSession, name: str) -> JavaObject:
    """The class's `apply`. `jarClassLoader` has spark.jars, by its parents, and what SQL's `add jar` added."""
    jvm, loader = spark._jvm, spark._jsparkSession.sharedState().jarClassLoader()
    dataset = loader.loadClass("org.apache.spark.sql.Dataset")
    takes = spark.sparkContext._gateway.new_array(jvm.java.lang.Class, 2)
    takes[0], takes[1] = dataset, loader.loadClass("java.util.Map")
    try:
        method = loader.loadClass(name).getMethod("apply", takes)
    except Py4JJavaError as error:
        if "NoSuchMethod" in str(error.java_exception):
            raise LookupError(f"{name} has no {APPLY}") from error
        raise LookupError(f"no class {name} in the JARs of LAKE_SPARK_JARS ({reason(error)})") from error
    is_static = jvm.java.lang.reflect.Modifier.isStatic(method.getModifiers())
    if not is_static or not dataset.isAssignableFrom(method.getReturnType()):
        raise LookupError(f"{name} has no {APPLY}")
    return method
