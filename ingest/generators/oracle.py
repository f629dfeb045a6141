"""The oracle: one JSON line per acknowledged record, which tests hold against what the tables say.

Lines of one process are in the order of sending; the lines of several processes follow one another.
"""

from __future__ import annotations

import json
from hashlib import sha256

from ingest.generators.records import Record


def oracle_line(topic: str, partition: int, offset: int, record: Record) -> str:
    """Where a record is, and what it was. A key that isn't UTF-8 is given as hex, marked by `key_hex`."""
    line: dict[str, object] = {"topic": topic, "kafka_partition": partition, "kafka_offset": offset}
    try:
        line["key"] = None if record.key is None else record.key.decode()
    except UnicodeDecodeError:
        line["key"] = record.key.hex()
        line["key_hex"] = True
    line["value_sha256"] = None if record.value is None else sha256(record.value).hexdigest()
    line["kind"] = record.kind
    line["event_id"] = record.event_id
    return json.dumps(line) + "\n"
