"""The order lifecycle once more, one event after the other in plain Python: what gold must hold after any fault.

Shares no code with the fold or with `lake verify`. Bodies are read here, their readability is taken from bronze.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

LEGAL = {
    (None, "ORDER_CREATED"): "CREATED",
    ("CREATED", "ORDER_PAID"): "PAID",
    ("PAID", "ORDER_SHIPPED"): "SHIPPED",
    ("SHIPPED", "ORDER_RETURNED"): "RETURNED",
    ("CREATED", "ORDER_CANCELLED"): "CANCELLED",
    ("PAID", "ORDER_CANCELLED"): "CANCELLED",
}
COPIED = ("user_id", "total_amount", "currency", "payment_method")
Row = dict[str, Any]


def folded(bronze: list[Row]) -> dict[str, Row]:
    """Gold by order, of bronze rows with `topic_epoch, kafka_partition, kafka_offset, kafka_timestamp, …, error`."""
    events: dict[str, list[Row]] = defaultdict(list)
    for row in bronze:
        if row["error"] is None:
            events[row["entity_key"]].append(row)
    return {order: _life(order, rows) for order, rows in events.items()}


def _life(order: str, rows: list[Row]) -> Row:
    places = defaultdict(set)
    for row in rows:
        places[row["topic_epoch"]].add(row["kafka_partition"])

    def position(row: Row) -> tuple:
        epoch = row["topic_epoch"]
        by_clock = (row["kafka_timestamp"], row["kafka_partition"]) if len(places[epoch]) > 1 else ()
        return (epoch, *by_clock, row["kafka_offset"])

    gold: Row = dict.fromkeys(
        ("current_status", "status_changed_at", *COPIED, "items", "last_event_id", "kafka_partition", "kafka_offset")
    )
    gold |= {"order_id": order, "rejected_events": 0, "last_rejected_type": None, "last_rejected_offset": None}
    seen: set[str] = set()
    for row in sorted(rows, key=position):
        body = json.loads(row["body"], parse_float=Decimal)
        if body["event_id"] in seen:
            continue
        seen.add(body["event_id"])
        status = LEGAL.get((gold["current_status"], body["event_type"]))
        if status is None:
            gold["rejected_events"] += 1
            gold |= {"last_rejected_type": body["event_type"], "last_rejected_offset": row["kafka_offset"]}
        else:
            gold |= {"current_status": status, **_applied(body, row)}
    last = max(places)
    absorbed = {p: max(_offsets(rows, last, p)) for p in places[last]}
    return gold | {"topic_epoch": last, "absorbed": absorbed, "seen_event_ids": sorted(seen)}


def _applied(body: Row, row: Row) -> Row:
    return {
        **{name: body[name] for name in COPIED},
        "total_amount": Decimal(body["total_amount"]),
        "status_changed_at": datetime.fromtimestamp(body["event_timestamp"], UTC),
        "items": [(i["sku"], i["quantity"], Decimal(i["unit_price"]), i["category"]) for i in body["items"]],
        "last_event_id": body["event_id"],
        "kafka_partition": row["kafka_partition"],
        "kafka_offset": row["kafka_offset"],
    }


def _offsets(rows: list[Row], epoch: int, partition: int) -> list[int]:
    return [r["kafka_offset"] for r in rows if (r["topic_epoch"], r["kafka_partition"]) == (epoch, partition)]
