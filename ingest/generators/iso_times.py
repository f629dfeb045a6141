"""The legal ways in which clients write a time as ISO 8601: with Z or an offset, in seconds, milli- or microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Literal


@dataclass(frozen=True)
class IsoForm:
    """One client's way. UTC is written as Z when `writes_z`, else as +00:00."""

    digits: Literal["seconds", "milliseconds", "microseconds"]
    zone: timezone = UTC
    writes_z: bool = False

    def written(self, microseconds: int) -> str:
        """Epoch microseconds in this form, cut to its digits."""
        seconds, rest = divmod(microseconds, 1_000_000)
        text = datetime.fromtimestamp(seconds, self.zone).replace(microsecond=rest).isoformat(timespec=self.digits)
        return text[:-6] + "Z" if self.writes_z else text


_ZONES = tuple(timezone(timedelta(minutes=minutes)) for minutes in (330, 60, -480, 0, -210))
WEB = (
    IsoForm("milliseconds", writes_z=True),
    IsoForm("milliseconds", writes_z=True),
    IsoForm("seconds", writes_z=True),
)
MOBILE = (
    *(IsoForm("milliseconds", zone) for zone in _ZONES),
    *(IsoForm("microseconds", zone) for zone in _ZONES),
    IsoForm("microseconds", writes_z=True),
)


def form_of(source: str, rng: Random) -> IsoForm:
    """How a client of this source, `web` or `mobile`, writes its times."""
    return rng.choice(WEB if source == "web" else MOBILE)
