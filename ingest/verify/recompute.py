"""Gold's side: a live table against a recomputation from bronze, both on Trino, at the cut.

Only events at or below gold's own fence are counted, so a gold that is behind bronze is not wrong. The fence is gold's
content: a row that was removed together with the fence it alone held is pending, not missing, as the ingester sees it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from string import Template

from trino.exceptions import TrinoUserError

from ingest.datasets import Dataset, Gold
from ingest.verify.cut import Cut
from ingest.verify.report import EXAMPLES, GoldReport, RowFault
from ingest.verify.typed import comparable, recomputation
from ingest.verify.warehouse import Warehouse, pinned

FOLDER = Path(__file__).parent
SLICE_ROWS = 1_000_000
"""Events recomputed in one query, so that it fits into a Trino of 1 GB."""


def verify_gold(
    warehouse: Warehouse, cut: Cut, dataset: Dataset, gold: Gold, advance: Callable[[float], None]
) -> GoldReport:
    """Compare one gold at the cut; `advance` hears of the share of the work done since it was last called."""
    if gold.identifier not in cut.golds:
        return GoldReport(table=gold.identifier, problems=[f"{gold.identifier} does not exist yet"])
    report = GoldReport(table=gold.identifier, snapshot=cut.golds[gold.identifier])
    path = FOLDER / "gold" / gold.sql_file
    if not gold.typed and not path.is_file():
        report.problems.append(f"no recomputation is written for it: ingest/verify/gold/{path.name}")
        return report
    report.topic_epoch, report.absorbed = _fence(warehouse, gold, report.snapshot)
    if ahead := {p: o for p, o in report.absorbed.items() if o > _held(cut, report.topic_epoch, p)}:
        report.problems.append(f"it has absorbed offsets that bronze does not hold: {ahead}")
    absorbed = _absorbed(report.topic_epoch, report.absorbed)
    [[events, report.pending_rows]] = warehouse.rows(
        f"select count_if({absorbed}), count_if(not ({absorbed})) from {cut.bronze_rows} where error is null"
    )
    sql = recomputation(dataset, gold) if gold.typed else path.read_text()
    # A row that takes from many keys is no share of them: its SQL asks for no slice and sums up early instead.
    slices = max(1, -(-events // SLICE_ROWS)) if "${slice}" in sql else 1
    try:
        for number in range(slices):
            _compare(warehouse, report, gold, sql, f"{cut.bronze_rows} where {absorbed}", (number, slices))
            advance(1 / slices)
    except TrinoUserError as error:
        report.problems.append(f"it cannot be compared: {error.message}")
    return report


def _compare(
    warehouse: Warehouse, report: GoldReport, gold: Gold, sql: str, events: str, slice_: tuple[int, int]
) -> None:
    live = pinned(gold.identifier, report.snapshot)
    if gold.typed:
        live = comparable(gold, live)
    columns = warehouse.columns(f"select * from {live}")
    number, slices = slice_

    def share_of(column: str) -> str:
        return f"mod(crc32(to_utf8({column})), {slices}) = {number}" if slices > 1 else "true"

    recomputed = Template(sql).substitute(
        gold.parameters, events=f"(select * from {events})", slice=share_of("entity_key")
    )
    if gold.typed:
        recomputed = f"select * from {comparable(gold, f'({recomputed})')}"
    keys = gold.key
    query = Template((FOLDER / "compare.sql").read_text()).substitute(
        live=live,
        live_slice=share_of(keys[0]),
        recomputed=recomputed,
        keys=", ".join(keys),
        as_text=_as_text(columns),
        joined_key=" || ' ' || ".join(f"cast(coalesce(live.{k}, recomputed.{k}) as varchar)" for k in keys),
        on=" and ".join(f"live.{k} = recomputed.{k}" for k in keys),
        examples=EXAMPLES,
    )
    [row] = warehouse.rows(query)
    report.live_rows += row[0]
    report.recomputed_rows += row[1]
    report.missing += row[2]
    report.extra += row[3]
    report.differing += row[4]
    report.doubled += row[5]
    report.live_hash = _summed(report.live_hash, row[6])
    report.recomputed_hash = _summed(report.recomputed_hash, row[7])
    for example in row[8] or []:
        report.examples += row_faults(*example)
    del report.examples[EXAMPLES:]


def row_faults(key: str, live: str | None, recomputed: str | None, copy: int) -> list[RowFault]:
    """The cells in which a live row differs from its recomputation, both as JSON text; None where there is no row."""
    if live is None:
        return [RowFault(key=key, column="*", live="no row", recomputed=json.loads(recomputed or "null"))]
    if recomputed is None:
        return [RowFault(key=key, column="*", live=json.loads(live), recomputed="no row")]
    is_, should_be = json.loads(live), json.loads(recomputed)
    found = [
        RowFault(key=key, column=column, live=is_[column], recomputed=should_be[column])
        for column in is_
        if is_[column] != should_be[column]
    ]
    if copy > 1:
        found.append(RowFault(key=key, column="*", live=f"row number {copy} of this key", recomputed="one row"))
    return found


def _as_text(columns: dict[str, str]) -> str:
    """A row as JSON text that equal rows share: times as text in UTC, arrays of text sorted, maps by key."""
    fields, types = [], []
    for column, type_ in columns.items():
        name = f'"{column}"'  # which may be a word of SQL's
        if type_.startswith("timestamp"):
            fields.append(f"cast(at_timezone({name}, 'UTC') as varchar)")
            types.append(f"{name} varchar")
        elif type_ == "array(varchar)":
            fields.append(f"array_sort({name})")
            types.append(f"{name} {type_}")
        else:
            fields.append(name)
            types.append(f"{name} {type_}")
    return f"json_format(cast(cast(row({', '.join(fields)}) as row({', '.join(types)})) as json))"


def _fence(warehouse: Warehouse, gold: Gold, snapshot: int | None) -> tuple[int, dict[int, int]]:
    """The greatest epoch of gold's rows, and per partition the highest offset absorbed in it."""
    rows = warehouse.rows(
        "select topic_epoch, place.partition, max(place.position)"
        f" from {pinned(gold.identifier, snapshot)} cross join unnest(absorbed) as place(partition, position)"
        " group by 1, 2 order by 1, 2"
    )
    epoch = max((row[0] for row in rows), default=0)
    return epoch, {partition: position for of, partition, position in rows if of == epoch}


def _absorbed(epoch: int, fence: dict[int, int]) -> str:
    """Which bronze rows gold has absorbed, as a condition: earlier epochs in full."""
    of_epoch = [f"(kafka_partition = {p} and kafka_offset <= {offset})" for p, offset in fence.items()]
    return f"(topic_epoch < {epoch} or (topic_epoch = {epoch} and ({' or '.join(of_epoch) or 'false'})))"


def _held(cut: Cut, epoch: int, partition: int) -> int:
    held = cut.held.get((epoch, partition))
    return held.highest if held else -1


def _summed(so_far: str, amount: int) -> str:
    return f"{(int(so_far or '0', 16) + int(amount)) % (1 << 64):016x}"
