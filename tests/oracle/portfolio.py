"""Portfolio margin: docs/mechanics.md, 3.1. Risk is a fraction; it is rounded once, where a requirement is."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .venue import Account, Market, OracleVenue

PPM: Final = 1_000_000
MARGIN_MODE_SET: Final = 505

Places = dict[int, tuple[int, ...]]
"""Where the position of each market may stand, in lots."""


class Group:
    """A group of markets whose positions have one requirement."""

    def __init__(self, venue: OracleVenue, rules: dict[str, Any]) -> None:
        self.venue = venue
        self.markets = [venue.markets[number] for number in rules["markets"]]
        names = ("net_ppm", "hedged_ppm", "contract_ppm", "maintenance_ppm")
        self.net, self.hedged, self.contract, self.share = (Fraction(rules[name], PPM) for name in names)
        self.scenarios = [
            (Fraction(row["weight_ppm"], PPM), [Fraction(move, PPM) for move in row["moves_ppm"]])
            for row in rules["scenarios"]
        ]

    def sums(self) -> list[list[tuple[Fraction, Fraction]]]:
        """Return what a signed value and its size add to each sum, market by market.

        The sums are those of the scenarios, of both signs of the net value, and of the contract charge alone.
        """
        count, half = len(self.markets), self.hedged / 2
        every = [[(-weight * move, self.contract) for move in moves] for weight, moves in self.scenarios]
        every += [[(sign * (self.net - half), half + self.contract)] * count for sign in (1, -1)]
        return [*every, [(Fraction(0), self.contract)] * count]

    def parts(self, places: Places, per: list[tuple[Fraction, Fraction]]) -> list[Fraction]:
        """Return what each market adds to a sum, where its position stands at the worse of its places."""
        found = []
        for market, (signed, sized) in zip(self.markets, per, strict=True):
            values = [market.contract.value(lots, market.mark) if lots else 0 for lots in places[market.number]]
            found.append(max(signed * value + sized * abs(value) for value in values))
        return found

    def risk(self, places: Places) -> Fraction:
        """Return the risk of positions at the worst of their places."""
        return max(sum(self.parts(places, per), Fraction(0)) for per in self.sums())

    def held(self, account: Account) -> Places:
        """Return positions as they stand."""
        return {market.number: (account.positions[market.number].base,) for market in self.markets}

    def reachable(self, account: Account) -> Places:
        """Return where fills of open orders could lead."""
        places: Places = {}
        for market in self.markets:
            base = account.positions[market.number].base
            buys, sells = (side[market.number] for side in account.open)
            places[market.number] = (base + buys, base - sells)
        return places

    @staticmethod
    def rounded(places: Places, requirement: Fraction) -> int:
        """Return a requirement in money: at least 1 where a position is not flat."""
        is_flat = not any(lots for stands in places.values() for lots in stands)
        return ceil(requirement) if is_flat else max(1, ceil(requirement))

    def initial(self, account: Account, *, with_orders: bool = True) -> int:
        """Return IM of the group."""
        places = self.reachable(account) if with_orders else self.held(account)
        return self.rounded(places, self.risk(places))

    def maintenance(self, account: Account) -> int:
        """Return MM of the group."""
        places = self.held(account)
        return self.rounded(places, self.risk(places) * self.share)

    def call(self, account: Account, call_ppm: int) -> int:
        """Return C of the group."""
        if call_ppm == 0:
            return 0
        places = self.held(account)
        return self.rounded(places, self.risk(places) * self.share * Fraction(call_ppm, PPM))

    def part_of(self, account: Account, market: Market) -> int:
        """Return the part of MM that is a position's: parts are in proportion to sizes and sum to it."""
        sizes = [each.size(account.positions[each.number].base) for each in self.markets]
        place, maintenance = self.markets.index(market), self.maintenance(account)
        if sizes[place] == 0:
            return 0
        before, after = (int(maintenance * sum(sizes[:j]) // sum(sizes)) for j in (place, place + 1))
        return after - before

    def added(self, account: Account, market: Market, base: int | None = None) -> Fraction:
        """Return what a position adds to the worst sum, the first of equal ones; with another size if it is given."""
        places = self.held(account)
        if base is not None:
            places[market.number] = (base,)
        parts = [self.parts(places, per) for per in self.sums()]
        worst = max(parts, key=lambda each: sum(each, Fraction(0)))
        return worst[self.markets.index(market)]

    def closes_by(self, account: Account, market: Market) -> int:
        """Return what positions are compared by when one is chosen to be closed."""
        return floor(self.added(account, market))

    def rate(self, account: Account, market: Market, base: int) -> int:
        """Return the rate of a position in the worst sum, in ppm."""
        return max(0, ceil(self.added(account, market, base) / market.size(base) * self.share * PPM))
