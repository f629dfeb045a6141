"""What upkeep costs: the packing of bronze beside PyArrow on the same files, and what bronze's batches feel of it."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlparse

import pyarrow.dataset
import pyarrow.parquet

from bench.stack import lake
from ingest.verify.warehouse import Warehouse
from prove.soak import child
from prove.soak_report import span
from stack.settings import CATALOG, LAKE, Settings

TABLE = "bronze.orders_events"
GOLD = "gold.orders_current"
BATCH = 20_000  # events: what a live stream commits at a time, so what there is to pack
WARM_UP_SECONDS = 90
MOST_EVENTS = 600_000  # to be packed: a minute's work


def measure(settings: Settings, events: int, rate: int, seconds: int) -> dict[str, object]:
    """Megabytes/s of both, and p50 and p99 of a bronze batch at `rate` events/s, alone and while upkeep goes on."""
    return {"packing": packing(settings, events), "batches": batches(settings, rate, seconds)}


def packing(settings: Settings, events: int) -> dict[str, object]:
    """`lake maintain` on a bronze of many small files; then PyArrow reads those and writes one a partition."""
    warehouse = Warehouse(settings)
    lake("produce", "orders", "--count", str(events), "--seed", "9", "--span", "24h")
    lake("ingest", "orders", "--once", "--max-offsets", str(BATCH))
    small = _files(warehouse)
    began = time.monotonic()
    lake("maintain", TABLE)
    maintained = time.monotonic() - began
    [[packed]] = warehouse.rows(
        f"select sum(date_diff('millisecond', created, \"end\")) / 1e3 from system.runtime.queries"
        f" where query like 'alter table {TABLE} execute optimize(%' and state = 'FINISHED'"
    )
    gone = {path: small[path] for path in small.keys() - _files(warehouse).keys()}
    megabytes = sum(gone.values()) / 1e6
    plain = _rewritten(gone, settings.data / "bench" / "plain")
    return {
        "events": events,
        "files": len(gone),
        "megabytes": round(megabytes, 1),
        "maintain_seconds": round(maintained, 1),
        "packing_seconds": round(float(packed), 1),
        "plain_seconds": round(plain, 1),
        "packing_mb_per_second": round(megabytes / float(packed), 1),
        "plain_mb_per_second": round(megabytes / plain, 1),
        "ratio": round(plain / float(packed), 2),
    }


def _files(warehouse: Warehouse) -> dict[str, int]:
    """Path and bytes of every data file of the table."""
    schema, name = TABLE.split(".")
    listed = f'select file_path, file_size_in_bytes from {CATALOG}.{schema}."{name}$files" where content = 0'
    return dict(warehouse.rows(listed))


def _rewritten(files: dict[str, int], folder: Path) -> float:
    """Seconds that PyArrow takes to read the files of each partition and write them as one, compressed as ours are."""
    by_partition = defaultdict(list)
    for path in files:
        local = Path(urlparse(path).path)
        by_partition[local.parent].append(local)
    folder.mkdir(parents=True)
    began = time.monotonic()
    for number, listed in enumerate(by_partition.values()):
        rows = pyarrow.dataset.dataset(listed, format="parquet").to_table()
        pyarrow.parquet.write_table(rows, folder / f"{number}.parquet", compression="zstd", compression_level=1)
    seconds = time.monotonic() - began
    shutil.rmtree(folder)
    return seconds


def batches(settings: Settings, rate: int, seconds: int) -> dict[str, object]:
    """Seconds of bronze batches on a running ingester: first alone, then beside `lake maintain` again and again."""
    log = settings.logs / "bench-ingest.log"
    stop = threading.Event()

    def upkeep() -> None:
        while not stop.is_set():
            subprocess.run([*LAKE, "maintain", TABLE, GOLD], check=True, stdout=sys.stderr)

    sent = settings.logs / "bench-produce.log"
    with child(log, "ingest", "orders"), child(sent, "produce", "orders", "--rate", str(rate)):
        time.sleep(WARM_UP_SECONDS)
        began = time.time()
        time.sleep(seconds)
        middle = time.time()
        thread = threading.Thread(target=upkeep)
        thread.start()
        time.sleep(seconds)
        end = time.time()
        stop.set()
        thread.join()
    said = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    ended = [(span(one)[1].timestamp(), one["seconds"]) for one in said if one["event"] == "bronze"]
    alone = _said([took for at, took in ended if began < at <= middle])
    beside = _said([took for at, took in ended if middle < at <= end])
    ratio = round(beside["p99"] / alone["p99"], 2)
    return {"offered_per_second": rate, "seconds": seconds, "alone": alone, "beside_upkeep": beside, "ratio_p99": ratio}


def _said(taken: list[float]) -> dict[str, float]:
    if len(taken) < 2:
        raise RuntimeError(f"{len(taken)} batches are too few to compare: measure for more --seconds")
    cut = statistics.quantiles(taken, n=100, method="inclusive")
    return {"batches": len(taken), "p50": round(cut[49], 2), "p99": round(cut[98], 2)}
