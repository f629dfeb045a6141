"""The order state machine as the producer lives it, and one order's events as JSON.

An order knows the state that a reader who judges legality in sending order has of it (`seen`), so a transition drawn
as illegal really is.
"""

from __future__ import annotations

from itertools import accumulate
from random import Random

from ingest.generators.catalogue import PRODUCTS, money
from ingest.generators.lives import Life
from ingest.generators.records import Record, uuid4

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


class Order(Life):
    """One order: its fixed content, the events still to come, and the state its readers see.

    `life` is how many records of the stream it may take from its creation to its return.
    """

    __slots__ = ("_content", "_life", "headers", "key", "order_id", "seen")

    def __init__(self, order_id: str, rng: Random, life: float = 20_000) -> None:
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
        super().__init__(["ORDER_CREATED", *rng.choices(_PATHS, cum_weights=_PATH_WEIGHTS)[0]])
        self.seen: str | None = None
        self._life = life
        self._content = (
            f'"order_id":"{order_id}","user_id":"u-{user}","total_amount":{money(cents)},"currency":"{currency}",'
            f'"payment_method":"{payment}","items":[{",".join(items)}],"current_status":"'
        )

    def due(self, index: int, rng: Random) -> int | None:
        if not self.steps:
            return None
        return index + 1 + int(rng.expovariate(1 / (self._life * WAITS[self.steps[0]])))

    def illegal(self, rng: Random, timestamp: int) -> Record:
        """An event of a type that no reader may apply now, sometimes one that nobody knows."""
        not_now = [t for t in EVENT_TYPES if (self.seen, t) not in LEGAL] + [rng.choice(UNKNOWN_TYPES)]
        return self.event(rng.choice(not_now), rng, timestamp, "illegal")

    def event(self, event_type: str, rng: Random, timestamp: int, kind: str) -> Record:
        """An event of this type about this order, legal or not. `timestamp` is in epoch seconds."""
        self.seen = LEGAL.get((self.seen, event_type), self.seen)
        event_id = uuid4(rng)
        value = (
            f'{{"event_id":"{event_id}","event_type":"{event_type}","event_timestamp":{timestamp},'
            f'{self._content}{event_type[6:]}"}}'
        )
        return Record(self.key, value.encode(), kind, event_id, self.headers)
