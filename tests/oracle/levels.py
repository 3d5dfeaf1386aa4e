"""Levels of margin beside initial and maintenance: docs/mechanics.md, 3 (calls with a deadline, levels) and 6.3."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .orders import Order
    from .venue import Market, OracleVenue

MARGIN_CALLED: Final = 500
MARGIN_CALL_CLEARED: Final = 501
MARGIN_CALL_DUE: Final = 502
LEVEL_REACHED: Final = 503
LIQUIDATION_STARTED: Final = 510
FOR_CALL: Final = 1
"""Flag of a LiquidationStarted: the deadline of a call has passed."""

CLOSE_OUT: Final = 1
BACKSTOP: Final = 2


class Levels:
    """The levels of a venue and the deadlines of its calls."""

    def __init__(self, venue: OracleVenue) -> None:
        self.venue = venue
        rules: dict[str, Any] = venue.config.get("levels", {})
        self.fill: dict[str, int] | None = rules.get("fill")
        self.close_out: dict[str, Any] | None = rules.get("close_out")
        self.backstop: dict[str, int] | None = rules.get("backstop")
        self.grace_ns: int = venue.config.get("margin_call_grace_ns", 0)
        self.deadlines: dict[int, int] = {}

    # Calls with a deadline.

    def call(self, number: int) -> None:
        """Report that an account is called, and until when it has time."""
        venue = self.venue
        equity, needed = venue.equity(number), venue.call_requirement(number)
        venue.emit(MARGIN_CALLED, account=number, amount=equity, qty=needed)
        if self.grace_ns > 0:
            self.deadlines[number] = venue.now + self.grace_ns
            venue.emit(MARGIN_CALL_DUE, account=number, qty=needed - equity, amount=self.deadlines[number])

    def clear(self, number: int) -> None:
        """Report that a call is cleared."""
        self.deadlines.pop(number, None)
        self.venue.emit(MARGIN_CALL_CLEARED, account=number, amount=self.venue.equity(number))

    def start(self, number: int, flags: int = 0) -> None:
        """Report that an account is liquidated, and let it join the queue."""
        venue = self.venue
        self.deadlines.pop(number, None)
        equity, maintenance = venue.equity(number), venue.maintenance(number)
        venue.emit(LIQUIDATION_STARTED, account=number, amount=equity, qty=maintenance, flags=flags)
        venue.gate.look_at_equity(number)
        venue.queue.append(number)

    def due(self) -> list[int]:
        """Return the deadlines that have come."""
        return sorted({time for time in self.deadlines.values() if time <= self.venue.now})

    def end(self, due: int) -> None:
        """Let the deadline of the calls of one time pass."""
        venue = self.venue
        called = sorted(number for number, time in self.deadlines.items() if time == due)
        cured = [number for number in called if venue.equity(number) >= venue.call_requirement(number)]
        for number in cured:
            venue.accounts[number].called = False
            self.clear(number)
            venue.note("call_cured_at_deadline")
        for number in sorted(set(called) - set(cured), key=venue.how_bad):
            if venue.can_be_liquidated(number):
                venue.accounts[number].in_liquidation = True
                self.start(number, FOR_CALL)
            else:
                self.call(number)
                venue.note("called_anew")

    def covers_call(self, number: int) -> bool:
        """Tell whether an account covers what a call asks for, where calls have deadlines."""
        return self.grace_ns == 0 or self.venue.equity(number) >= self.venue.call_requirement(number)

    # Close-out and backstop.

    def is_below(self, equity: int, maintenance: int, level: int) -> bool:
        """Tell whether an account is below a level."""
        rule = self.backstop if level == BACKSTOP else self.close_out and self.close_out["below"]
        return rule is not None and equity * rule["den"] < maintenance * rule["num"]

    @property
    def has_book(self) -> bool:
        """Tell whether the book is asked below the close-out level."""
        return self.close_out is None or bool(self.close_out["book"])

    def report(self, number: int, level: int, equity: int, maintenance: int) -> None:
        """Report that an account is below a level."""
        self.venue.emit(LEVEL_REACHED, account=number, code=level, amount=equity, qty=maintenance)

    # The fill level.

    def asks(self, market: Market, order: Order) -> bool:
        """Tell whether a resting order is asked what its account carries."""
        return self.fill is not None and market.cleared and not market.is_pro_rata and not order.reduce_only

    def carries(self, market: Market, order: Order, price: int, more_interest: int = 0) -> bool:
        """Tell whether the account of a resting order carries what it shows at a price."""
        venue, number = self.venue, order.account
        if not self.asks(market, order):
            return True
        assert self.fill is not None
        base = venue.accounts[number].positions[market.number].base
        d = order.lots if order.side == 0 else -order.lots
        if abs(base + d) <= abs(base):
            return True
        interests = {each.number: venue.open_interest(each) for each in venue.markets}
        interests[market.number] += more_interest
        fee = ceil(market.contract.worth(order.lots, price) * market.maker_ppm / 1_000_000)
        share = Fraction(self.fill["num"], self.fill["den"])
        with venue.as_if_traded(number, market, d, price) as profit:
            equity = venue.equity(number, initial=True) + profit - fee
            account = venue.accounts[number]
            needed = sum(
                group.maintenance(account)
                + ceil(max(0, group.initial(account, with_orders=False) - group.maintenance(account)) * share)
                for group in venue.groups_of(number)
            )
            for each in venue.markets:
                if venue.group_of(number, each) is not None:
                    continue
                size = abs(venue.accounts[number].positions[each.number].base)
                own = each.own_rates.get(number, 0)
                initial = venue.initial_of(each, size, own, interests[each.number]) if size else 0
                maintenance = venue.maintenance_of(number, each)
                needed += maintenance + ceil(max(0, initial - maintenance) * share)
        return equity >= needed
