"""The order state machine as the producer lives it, and one order's events as JSON.

An order knows the state that a reader who judges legality in sending order has of it (`seen`), so a transition drawn
as illegal really is.
"""

from __future__ import annotations

from itertools import accumulate
from random import Random

from ingest.generators.catalogue import PRODUCTS, money
from ingest.generators.records import Record

LEGAL: dict[tuple[str | None, str], str] = {
    (None, "ORDER_CREATED"): "CREATED",
    ("CREATED", "ORDER_PAID"): "PAID",
    ("PAID", "ORDER_SHIPPED"): "SHIPPED",
    ("SHIPPED", "ORDER_RETURNED"): "RETURNED",
    ("CREATED", "ORDER_CANCELLED"): "CANCELLED",
    ("PAID", "ORDER_CANCELLED"): "CANCELLED",
}
EVENT_TYPES = ("ORDER_CREATED", "ORDER_PAID", "ORDER_SHIPPED", "ORDER_CANCELLED", "ORDER_RETURNED")
UNKNOWN_TYPES = ("ORDER_REFUNDED", "ORDER_ARCHIVED")

# The lives an order can lead after it was created, with their share of all orders.
_LIVES = {
    (): 0.05,
    ("ORDER_CANCELLED",): 0.09,
    ("ORDER_PAID",): 0.03,
    ("ORDER_PAID", "ORDER_CANCELLED"): 0.04,
    ("ORDER_PAID", "ORDER_SHIPPED"): 0.74,
    ("ORDER_PAID", "ORDER_SHIPPED", "ORDER_RETURNED"): 0.05,
}
_PATHS = tuple(_LIVES)
_PATH_WEIGHTS = tuple(accumulate(_LIVES.values()))

# How long an event waits for its turn after the one before it, as a part of the time an order takes.
WAITS = {
    "ORDER_CREATED": 0.02,
    "ORDER_PAID": 0.05,
    "ORDER_SHIPPED": 0.30,
    "ORDER_CANCELLED": 0.10,
    "ORDER_RETURNED": 0.50,
}

# Cumulative weights.
_CURRENCIES, _CURRENCY_WEIGHTS = ("USD", "EUR", "GBP", "CAD"), (55, 82, 94, 100)
_PAYMENTS, _PAYMENT_WEIGHTS = ("CREDIT_CARD", "PAYPAL", "BANK_TRANSFER", "GIFT_CARD"), (58, 83, 95, 100)
_ITEM_COUNTS, _ITEM_WEIGHTS = (1, 2, 3, 4), (48, 76, 91, 100)
_QUANTITIES = (1, 1, 1, 1, 2, 2, 3)
_SHARE_WITH_HEADERS = 0.05


def uuid4(rng: Random) -> str:
    """A version 4 UUID drawn from `rng`."""
    bits = rng.getrandbits(128) & ~(0xF << 76) & ~(0x3 << 62) | (0x4 << 76) | (0x2 << 62)
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Order:
    """One order: its fixed content, the events still to come, and the state its readers see."""

    __slots__ = ("_content", "headers", "key", "order_id", "seen", "steps", "swapped")

    def __init__(self, order_id: str, rng: Random) -> None:
        items, cents = [], 0
        for product in rng.sample(PRODUCTS, rng.choices(_ITEM_COUNTS, cum_weights=_ITEM_WEIGHTS)[0]):
            quantity = rng.choice(_QUANTITIES)
            cents += quantity * product.unit_price
            items.append(
                f'{{"sku":"{product.sku}","quantity":{quantity},"unit_price":{money(product.unit_price)},'
                f'"category":"{product.category}"}}'
            )
        # Some users order much more often than others.
        user = 10000 + int(10000 * rng.random() ** 2)
        currency = rng.choices(_CURRENCIES, cum_weights=_CURRENCY_WEIGHTS)[0]
        payment = rng.choices(_PAYMENTS, cum_weights=_PAYMENT_WEIGHTS)[0]
        self.order_id = order_id
        self.key = order_id.encode()
        self.headers = (("channel", rng.choice((b"web", b"app"))),) if rng.random() < _SHARE_WITH_HEADERS else ()
        self.steps = ["ORDER_CREATED", *rng.choices(_PATHS, cum_weights=_PATH_WEIGHTS)[0]]
        self.swapped = 0
        """How many of the next events are out of order."""
        self.seen: str | None = None
        self._content = (
            f'"order_id":"{order_id}","user_id":"u-{user}","total_amount":{money(cents)},"currency":"{currency}",'
            f'"payment_method":"{payment}","items":[{",".join(items)}],"current_status":"'
        )

    def swap_next_two(self) -> None:
        """Let the next two events be sent in the wrong order. Needs two steps to come."""
        self.steps[0], self.steps[1] = self.steps[1], self.steps[0]
        self.swapped = 2

    def take_step(self, rng: Random, timestamp: int, late: bool) -> Record:
        """The next event of the order's life."""
        kind = "late" if late else "event"
        if self.swapped:
            self.swapped -= 1
            kind = "out_of_order"
        return self.event(self.steps.pop(0), rng, timestamp, kind)

    def illegal_type(self, rng: Random) -> str:
        """A type of event that no reader may apply now, sometimes one that nobody knows."""
        return rng.choice([t for t in EVENT_TYPES if (self.seen, t) not in LEGAL] + [rng.choice(UNKNOWN_TYPES)])

    def event(self, event_type: str, rng: Random, timestamp: int, kind: str) -> Record:
        """An event of this type about this order, legal or not. `timestamp` is in epoch seconds."""
        self.seen = LEGAL.get((self.seen, event_type), self.seen)
        event_id = uuid4(rng)
        value = (
            f'{{"event_id":"{event_id}","event_type":"{event_type}","event_timestamp":{timestamp},'
            f'{self._content}{event_type[6:]}"}}'
        )
        return Record(self.key, value.encode(), kind, event_id, self.headers)
