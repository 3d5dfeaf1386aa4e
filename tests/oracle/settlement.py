"""Final settlement of the oracle: docs/mechanics.md section 8.6, from the page and in the plainest way."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .venue import Market, OracleVenue

SETTLEMENT_PLANNED: Final = 518
SETTLEMENT_STARTED: Final = 519
SETTLED: Final = 544

BY_SETTLEMENT: Final = 12
SELL: Final = 1


class FinalSettlement:
    """The final settlement of one market: its plan, and how far it has come."""

    def __init__(self, rules: dict[str, Any] | None) -> None:
        self.rules = rules
        self.time = 0
        """When it is planned for, 0 for never."""
        self.planned = 0
        """When that was said."""
        self.reduces = False
        """Whether positions may only grow smaller until then."""
        self.price = 0
        self.pointers: list[int] | None = None
        """The account that is looked at for a long and for a short position, once it has begun."""
        self.is_over = False
        self.indices: list[tuple[int, int]] = []
        """Times and values of the index."""

    @property
    def has_begun(self) -> bool:
        """Tell whether it has begun or is over."""
        return self.pointers is not None

    @property
    def is_going_on(self) -> bool:
        """Tell whether it has begun and is not over."""
        return self.has_begun and not self.is_over

    def due(self) -> list[int]:
        """Return the times of its timers."""
        if self.rules is None or self.time == 0 or self.has_begun:
            return []
        return [self.time] if self.reduces else [self.time - self.rules["reduce_only_ns"]]

    def average(self, window_ns: int) -> int:
        """Return the average index over the window that ends at the time of the settlement."""
        start = max(self.time - window_ns, self.planned)
        total = 0
        ends = [time for time, _ in self.indices[1:]] + [self.time]
        for (time, index), end in zip(self.indices, ends, strict=True):
            total += index * max(0, min(end, self.time) - max(time, start))
        return floor(Fraction(total, self.time - start))


def plan(venue: OracleVenue, market: Market, time: int) -> None:
    """Plan the settlement of a market, or drop the plan."""
    final = market.final
    assert final.rules is not None
    final.time, final.planned, final.reduces = time, venue.now, False
    venue.emit(SETTLEMENT_PLANNED, market=market.number, amount=time)
    if time != 0 and time - final.rules["reduce_only_ns"] <= venue.now:
        reduce_only(venue, market)


def reduce_only(venue: OracleVenue, market: Market) -> None:
    """Let positions only grow smaller from now on."""
    market.final.reduces = True
    orders = [order for order in market.open_orders() if not order.reduce_only]
    venue.cancel_orders(market, orders, BY_SETTLEMENT)
    venue.enter_reduce_only(market)


def begin(venue: OracleVenue, market: Market) -> None:
    """Fix the price, and let nobody trade any more."""
    final = market.final
    assert final.rules is not None
    venue.cancel_orders(market, market.open_orders(), BY_SETTLEMENT)
    venue.enter_settlement(market)
    price = final.rules["price"]
    if isinstance(price, dict):
        final.price = final.average(price["average"]["window_ns"])
    else:
        final.price = market.index if price == "index" else market.mark
    final.pointers = [0, 0]
    venue.emit(SETTLEMENT_STARTED, market=market.number, price=final.price, qty=venue.open_interest(market))


def go_on(venue: OracleVenue, market: Market, budget: int) -> int:
    """Close longs against shorts, and return what is left of the number of accounts to examine."""
    final, m = market.final, market.number
    assert final.pointers is not None
    while not final.is_over:
        for which, sign in enumerate((1, -1)):
            while final.pointers[which] < len(venue.accounts):
                if venue.accounts[final.pointers[which]].positions[m].base * sign > 0:
                    break
                if budget == 0:
                    return 0
                budget -= 1
                final.pointers[which] += 1
            if final.pointers[which] == len(venue.accounts):
                final.is_over = True
                break
        if final.is_over:
            venue.close_for_good(market)
            break
        long, short = final.pointers
        lots = min(abs(venue.accounts[number].positions[m].base) for number in (long, short))
        venue.trade(long, market, -lots, final.price)
        venue.trade(short, market, lots, final.price)
        venue.emit(SETTLED, account=long, market=m, order=short, side=SELL, price=final.price, qty=lots)
        for number in (long, short):
            if venue.is_flat(number):
                venue.waterfall.debts[number] = market
    return budget
