"""What a lot is worth: docs/mechanics.md, 2.1. Values are counted in parts, ``scale`` of which are a minor unit."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Any


class Contract:
    """The contract of a market."""

    def __init__(self, market: dict[str, Any]) -> None:
        rules: dict[str, Any] = market.get("contract", {"type": "linear"})
        self.type: str = rules["type"]
        self.scale: int = rules.get("scale", 1)
        self.price_min: int = rules.get("price_min", 1)
        self.price_max: int = market["price_max"]
        self.face: int = rules.get("face", 0)
        self.per_tick: int = rules.get("multiplier", market.get("tick_value", 0))
        """Parts that a lot gains with a tick; not of an inverse contract."""

    @property
    def is_inverse(self) -> bool:
        """Tell whether a lot is worth less at a higher price."""
        return self.type == "inverse"

    def lot(self, price: int) -> int:
        """Return v: the signed value of a long lot at a price, in parts."""
        return -floor(Fraction(self.face * self.scale, price)) if self.is_inverse else price * self.per_tick

    def worth(self, lots: int, price: int) -> Fraction:
        """Return what lots without a side are worth at a price, exactly."""
        return Fraction(lots * abs(self.lot(price)), self.scale)

    def value(self, lots: int, price: int) -> int:
        """Return V: the value of signed lots in minor units."""
        return floor(Fraction(lots * self.lot(price), self.scale))

    def position_notional(self, base: int, price: int) -> int:
        """Return N of a position, 0 of none."""
        return max(1, abs(self.value(base, price))) if base and price else 0

    def notional(self, lots: int, price: int) -> int:
        """Return N of lots without a side."""
        return ceil(self.worth(lots, price)) if lots and price else 0

    def paid(self, cost: int) -> int:
        """Return an entry cost in minor units, up."""
        return ceil(Fraction(cost, self.scale))

    def gain(self, start: int, end: int) -> int:
        """Return what a long lot gains from one price to another, in parts."""
        return self.lot(end) - self.lot(start)

    def lots_for(self, budget: int, per_lot: int, spent: int = 0) -> int:
        """Return for how many lots a budget pays so many parts each, after parts that are spent."""
        return floor(Fraction(budget * self.scale - spent, per_lot))

    def up(self, parts: int) -> int:
        """Return parts as money, up: what a fund pays."""
        return ceil(Fraction(parts, self.scale))

    def down(self, parts: int) -> int:
        """Return parts as money, down: what a winner gives up."""
        return floor(Fraction(parts, self.scale))

    def price_of_loss(self, mark: int, base: int, most: int) -> int:
        """Return the price at which a position has lost at most so much against the mark."""
        b, size = (1 if base > 0 else -1), abs(base)
        per_lot = floor(Fraction(most * self.scale, size))
        if not self.is_inverse:
            return mark - b * floor(Fraction(most * self.scale, size * self.per_tick))
        owed = floor(Fraction(self.face * self.scale, mark)) + b * per_lot
        if b > 0:
            return self.price_max if owed < 0 else floor(Fraction(self.face * self.scale, owed + 1)) + 1
        return self.price_max if owed <= 0 else floor(Fraction(self.face * self.scale, owed))

    def limited(self, price: int) -> int:
        """Return a price limited to those of the market."""
        return max(self.price_min, min(self.price_max, price))
