"""What the malformed kinds have to know of each dataset's events: the header's fields, and fields that may be spoilt.

The header's part is what `ingest/datasets` says of the same dataset; a test holds the two to each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Shape:
    """The events of one dataset. `noun` is what a key stands for, with its article."""

    dataset: str
    noun: str
    key_field: str
    time_field: str
    time_unit: Literal["seconds", "milliseconds", "iso8601"]
    unknown_type: str
    other_type: str
    """A known type that the sound event hasn't."""
    text_field: str
    """A field outside the header that may hold any text."""
    number_field: str
    """A field outside the header that may hold any number."""
    number: str
    """What kinds about it are called after."""
    spare_field: str
    """A field outside the header that may be null."""
    key_required: bool = True
    key_is_number: bool = False
    types_are_capitals: bool = False

    @property
    def entity(self) -> str:
        return self.noun.split()[-1]


SHAPES = {
    shape.dataset: shape
    for shape in (
        Shape(
            dataset="orders",
            noun="an order",
            key_field="order_id",
            time_field="event_timestamp",
            time_unit="seconds",
            unknown_type="ORDER_EXPLODED",
            other_type="ORDER_CANCELLED",
            text_field="user_id",
            number_field="total_amount",
            number="amount",
            spare_field="currency",
            types_are_capitals=True,
        ),
        Shape(
            dataset="content_events",
            noun="a video",
            key_field="video_id",
            time_field="event_timestamp",
            time_unit="milliseconds",
            unknown_type="boo",
            other_type="share",
            text_field="user_id",
            number_field="user_id",
            number="number",
            spare_field="payload",
        ),
        Shape(
            dataset="user_events",
            noun="a user",
            key_field="user_id",
            time_field="timestamp",
            time_unit="iso8601",
            unknown_type="teleport",
            other_type="purchase",
            text_field="page",
            number_field="page",
            number="number",
            spare_field="source",
            key_required=False,
            key_is_number=True,
        ),
    )
}
