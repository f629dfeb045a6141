"""The options of `lake produce`: one place for what each means, whatever is produced."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer


def _share(what: str) -> Any:
    return typer.Option(min=0, max=1, help=f"Share of the records that {what}, 0 to 1.")


Rate = Annotated[
    float | None,
    typer.Option(min=0, help="Records a second in all; 0, the default with a count, is as fast as it goes."),
]
Count = Annotated[
    int | None, typer.Option(min=0, help="Records to send; 0, the default, is until Ctrl-C.", show_default=False)
]
Seed = Annotated[
    int | None, typer.Option(min=0, help="Same seed, same events; by default a new one.", show_default=False)
]
Start = Annotated[
    str | None, typer.Option(help="Event time of the first record, ISO-8601 or epoch seconds; by default now - span.")
]
Span = Annotated[str, typer.Option(help="Event time covered by COUNT records: 90s, 30m, 6h, 2d.")]
Duplicates = Annotated[float, _share("repeat an earlier one, byte for byte")]
Late = Annotated[float, _share("happened 1 to 24 hours before")]
OutOfOrder = Annotated[float, _share("change places with the next of their order or session")]
Illegal = Annotated[float, _share("are no legal event of their order, or of no known type (orders only)")]
Malformed = Annotated[float, _share("are malformed, of any kind in `kinds`")]
Clean = Annotated[bool, typer.Option("--clean", help="No faults at all: sets the five shares to 0.")]
Corpus = Annotated[
    bool, typer.Option("--corpus", help="First one record of every malformed kind; alone, nothing else.")
]
MalformedKinds = Annotated[str, typer.Option(help="Only these malformed kinds, separated by commas (see `kinds`).")]
Drift = Annotated[
    str, typer.Option(help="How the events differ from those of before: kinds separated by commas (see `drifts`).")
]
Topic = Annotated[str, typer.Option(help="Topic to send to; created if it is missing.")]
Partitions = Annotated[int, typer.Option(min=1, help="Partitions of a topic created.")]
Processes = Annotated[
    int | None, typer.Option(min=1, help="Producing processes; by default what the rate needs.", show_default=False)
]
Oracle = Annotated[
    Path | None, typer.Option(help="Write a JSON line per acknowledged record to this file.", show_default=False)
]


def names_in(text: str) -> tuple[str, ...]:
    """The names in a list that is separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def parse_span(text: str) -> int:
    """Seconds of `90s`, `30m`, `6h` or `2d`; a bare number is seconds. ValueError for anything else."""
    match = re.fullmatch(r"(\d+)([smhd]?)", text.strip())
    if not match:
        raise ValueError(f"--span is a number with s, m, h or d, such as 6h; not {text!r}.")
    return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def parse_start(text: str) -> int:
    """Epoch seconds of an ISO-8601 time (UTC when it names no zone) or of epoch seconds; ValueError otherwise."""
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--start is a time such as 2026-01-27T10:00:00Z, or epoch seconds; not {text!r}.") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
