"""Spark's classes as a JVM has them in memory once they are read and verified: an archive (JEP 350) that every Spark of
this project maps when it starts. Without it a short Spark spends half of its CPU on them.

It lies beside the packages it is made from, and is for one Java and one class path, both in its name: after a change
another is made, and a JVM that can't use the one it is given starts as it would without.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from stack.java import java_17_home
from stack.locks import locked
from stack.settings import CATALOG, PROJECT, Settings, settings

if TYPE_CHECKING:
    from rich.console import Console


def place(settings: Settings) -> Path:
    """Where the archive is or would be: named by the Java and the jars that it holds for."""
    import pyspark

    jars = [*Path(pyspark.__file__).with_name("jars").iterdir(), *(settings.downloads / "spark").glob("*.jar")]
    held = [(java_17_home(settings) / "release").read_text()]
    held += sorted(f"{jar} {jar.stat().st_size} {jar.stat().st_mtime_ns}" for jar in jars)
    return Path(sys.prefix, f"spark-{hashlib.sha256(repr(held).encode()).hexdigest()[:12]}.jsa")


def flags(settings: Settings) -> str:
    """For a JVM's command line: start from the archive, where there is one."""
    archive = place(settings)
    # A class path with more in front, such as a SPARK_CONF_DIR, is not the archive's: the JVM would warn on stdout.
    quiet = " ".join(f"-Xlog:{tags}=off" for tags in ("cds", "cds+dynamic", "class+path"))
    return f"-XX:SharedArchiveFile={archive} {quiet}" if archive.exists() else ""


def make(settings: Settings, console: Console) -> None:
    """Make the archive where it is missing. One that can't be made is told, and is no error."""
    archive = place(settings)
    if archive.exists():
        return
    try:
        with locked(archive.with_name(".spark-classes.lock")):
            if not archive.exists():
                console.print("archiving Spark's classes, so that it starts in two thirds of the time")
                for other in archive.parent.glob("spark-*.jsa"):
                    other.unlink()
                _make(settings, archive)
    except (OSError, _NotMade) as error:
        console.print(f"no archive of Spark's classes, it starts as it would without: {error}", highlight=False)


class _NotMade(Exception):
    """What the Spark that should have made the archive said last."""


def _make(settings: Settings, archive: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="spark-", dir=archive.parent) as folder:
        made = Path(folder, "made")
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(made)],
            cwd=PROJECT, env={**os.environ, "LAKE_HOME": folder, "LAKE_DOWNLOADS": str(settings.downloads)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode or not made.exists():
            raise _NotMade("".join((done.stderr or done.stdout).strip().splitlines()[-1:]))
        made.rename(archive)


def be_short_lived(settings: Settings, archive: Path) -> None:
    """A Spark that does in small what an ingester does, and leaves its classes in `archive` when it ends."""
    from pyspark.sql import functions as F

    from ingest.spark import session, spark_conf

    conf = spark_conf(settings)
    catalog = f"spark.sql.catalog.{CATALOG}"
    conf = {name: value for name, value in conf.items() if not name.startswith(f"{catalog}.")}
    conf |= {f"{catalog}.type": "hadoop", f"{catalog}.warehouse": f"{settings.home}/warehouse"}
    conf |= {"spark.ui.port": "0"}
    conf["spark.driver.extraJavaOptions"] += f" -XX:TieredStopAtLevel=1 -XX:ArchiveClassesAtExit={archive}"
    spark = session(settings, "classes", conf)
    spark.sql("create table bronze.events (id long, body string, at timestamp) using iceberg partitioned by (days(at))")
    spark.sql("create table gold.current (id long, state string, seen array<int>) using iceberg")

    def land(batch, _number):
        events = batch.selectExpr(
            "value as id", "to_json(struct(value % 7 as id, 'PAID' as state)) as body", "timestamp as at"
        )
        events.writeTo("bronze.events").append()
        read = events.selectExpr("from_json(body, 'id bigint, state string') as body", "at")
        steps = read.selectExpr("body.*", "row_number() over (partition by body.id order by at) as step")
        folded = steps.groupBy("id").agg(F.max("state").alias("state"), F.collect_list("step").alias("seen"))
        folded.createOrReplaceTempView("folded")
        batch.sparkSession.sql("""
            merge into gold.current as old using folded as new on old.id = new.id
            when matched then update set state = new.state, seen = new.seen when not matched then insert *
        """)

    for _ in range(2):
        stream = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 100).load()
        stream = stream.writeStream.foreachBatch(land).option("checkpointLocation", f"{settings.home}/checkpoint")
        stream.trigger(availableNow=True).start().awaitTermination()
    spark.stop()


if __name__ == "__main__":
    be_short_lived(settings(), Path(sys.argv[1]))
