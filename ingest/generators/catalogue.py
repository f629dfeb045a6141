"""What the shop sells: a fixed price list, so that amounts add up and marts by SKU and category have something to say.

Prices are in cents; nothing here is drawn at random.
"""

from __future__ import annotations

from typing import NamedTuple


class Product(NamedTuple):
    """One row of the price list."""

    sku: str
    category: str
    unit_price: int
    """Cents, in whatever currency the order is placed."""


_PRICES = {
    "Electronics": (29900, 129900, 8950, 4999, 1995, 64900),
    "Books": (1250, 1899, 2495, 3900, 899),
    "Clothing": (1999, 4950, 7900, 12900, 2450, 1599),
    "Home": (3499, 899, 15900, 24900, 5450),
    "Toys": (1499, 2999, 4999, 799),
    "Groceries": (349, 199, 1279, 599, 2250, 89),
    "Sports": (5999, 2499, 18900, 1350),
    "Beauty": (1890, 3250, 650, 4400),
}

PRODUCTS: tuple[Product, ...] = tuple(
    Product(f"SKU-{100 * shelf + place}", category, unit_price)
    for shelf, (category, prices) in enumerate(_PRICES.items(), start=1)
    for place, unit_price in enumerate(prices, start=1)
)


def money(cents: int) -> str:
    """An amount with two decimals, as JSON numbers are written in the events."""
    return f"{cents // 100}.{cents % 100:02d}"
