"""Insurance funds and claims of the oracle: docs/mechanics.md section 8, from the page and in the plainest way.

Every value that a fund or a market ever had is kept with its time; highest values are looked for in that list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .limits import LIMIT_REACHED, OF_FUND_LOSS

if TYPE_CHECKING:
    from .venue import Holder, Market, OracleVenue

FUND_PAID: Final = 520
FUND_RECEIVED: Final = 521
FUND_CAPPED: Final = 523
DRAWDOWN_CHANGED: Final = 524
CLAIM_PAID: Final = 543

OF_SHORTFALL: Final = 0
OF_FUND: Final = 1
OF_FEES: Final = 2
OF_ACCOUNT: Final = 3

PPM: Final = 1_000_000
EIGHTHS: Final = 8


class History:
    """A value over time, 0 at first."""

    def __init__(self) -> None:
        self.values: list[tuple[int, int]] = []

    def now(self) -> int:
        """Return the value as it stands."""
        return self.values[-1][1] if self.values else 0

    def highest(self, now: int, window_ns: int) -> int:
        """Return the highest value over the present eighth of the window and the seven before it."""
        first = EIGHTHS * now // window_ns - (EIGHTHS - 1)
        before = [value for time, value in self.values if EIGHTHS * time // window_ns < first]
        since = [value for time, value in self.values if EIGHTHS * time // window_ns >= first]
        return max([before[-1] if before else 0, *since])


@dataclass(slots=True)
class Claim:
    """What a debtor owes for what others paid."""

    debtor: int
    code: int
    number: int
    amount: int


class Funds:
    """The funds of a venue and who claims what."""

    def __init__(self, venue: OracleVenue) -> None:
        self.venue = venue
        rules: list[dict[str, Any]] = venue.config["funds"]
        self.rules = [{"cap": None, "paid_max": None, "drawdown": None} | rule for rule in rules]
        self.held = [History() for _ in rules]
        self.brought = [History() for _ in venue.config["markets"]]
        """What each market has brought its fund."""
        self.on = [False for _ in venue.config["markets"]]
        """Whether its drawdown trigger is on."""
        self.claims: list[Claim] = []

    # Money.

    def balance(self, market: Market) -> int:
        """Return what the fund of a market holds."""
        return self.venue.fund(market.fund)

    def pay(self, number: int, market: Market, amount: int) -> None:
        """Move money from a market's fund to an account and report it, if there is any."""
        if amount > 0:
            self.venue.transfer(("fund", market.fund), ("user", number, 0), amount)
            self.venue.emit(FUND_PAID, account=number, market=market.number, code=market.fund, amount=amount)
            period = self.venue.period
            period.paid.append((number, amount))
            if period.left_for(number) == 0:
                self.venue.emit(LIMIT_REACHED, account=number, market=market.number, code=OF_FUND_LOSS)
            self.moved(market, -amount)

    def receive(self, number: int, market: Market, amount: int) -> None:
        """Move money from an account to a market's fund and report it, if there is any."""
        if amount > 0:
            self.venue.transfer(("user", number, 0), ("fund", market.fund), amount)
            self.venue.emit(FUND_RECEIVED, account=number, market=market.number, code=market.fund, amount=amount)
            self.moved(market, amount)

    def moved(self, market: Market, amount: int) -> None:
        """Note what a market brought, and look at its trigger."""
        brought = self.brought[market.number]
        brought.values.append((self.venue.now, brought.now() + amount))
        self.changed(market.fund)
        self.look(market)

    def changed(self, fund: int) -> None:
        """Note the balance of a fund, once what is above its cap is gone."""
        cap = self.rules[fund]["cap"]
        over = 0 if cap is None else self.venue.fund(fund) - cap
        if over > 0:
            self.venue.transfer(("fund", fund), ("fees",), over)
            self.venue.emit(FUND_CAPPED, code=fund, amount=over)
        self.held[fund].values.append((self.venue.now, self.venue.fund(fund)))

    # Drawdown.

    def peak(self, market: Market) -> int:
        """Return the highest balance of a market's fund."""
        return self.held[market.fund].highest(self.venue.now, self.rules[market.fund]["drawdown"]["window_ns"])

    def loss(self, market: Market) -> int:
        """Return by how much less a market has brought its fund than it once had."""
        brought = self.brought[market.number]
        return brought.highest(self.venue.now, self.rules[market.fund]["drawdown"]["window_ns"]) - brought.now()

    def is_on_at(self, market: Market, loss: int) -> bool:
        """Tell whether the trigger would be on at a loss."""
        terms: dict[str, int] = self.rules[market.fund]["drawdown"]
        if loss == 0:
            return self.on[market.number] and terms["stop_ppm"] == 0
        fallen = -loss * PPM
        peak = self.peak(market)
        if self.on[market.number]:
            return fallen <= -terms["stop_ppm"] * peak
        line = -terms["trigger_ppm"] * peak
        return fallen < line or (bool(terms["inclusive"]) and fallen == line)

    def look(self, market: Market) -> None:
        """Turn the trigger of a market on or off."""
        if self.rules[market.fund]["drawdown"] is None:
            return
        on = self.is_on_at(market, self.loss(market))
        if on != self.on[market.number]:
            self.on[market.number] = on
            self.venue.emit(
                DRAWDOWN_CHANGED,
                market=market.number,
                code=market.fund,
                flags=1 if on else 0,
                qty=self.peak(market),
                amount=self.loss(market),
            )

    def is_on(self, market: Market) -> bool:
        """Look at the trigger of a market, and tell whether it is on."""
        self.look(market)
        return self.on[market.number]

    def budget_for(self, number: int, market: Market) -> int:
        """Return what the fund of a market may pay for an account."""
        left = self.venue.period.left_for(number)
        return self.budget(market) if left is None else min(left, self.budget(market))

    def budget(self, market: Market) -> int:
        """Return what the fund of a market may pay for it."""
        balance, terms = self.balance(market), self.rules[market.fund]["drawdown"]
        if terms is None:
            return balance
        loss = self.loss(market)
        borne = loss + balance
        if self.is_on_at(market, borne):
            borne = min(borne, self.peak(market) * terms["trigger_ppm"] // PPM)
        return max(0, borne - loss)

    # Claims.

    def claim(self, debtor: int, code: int, number: int, amount: int, owed: int) -> None:
        """Note that somebody paid for a debtor who still owed so much before."""
        amount = min(amount, owed)
        if amount > 0 and self.venue.config.get("claims", False):
            self.claims.append(Claim(debtor, code, number, amount))

    def repay(self, debtor: int, deposit: int) -> None:
        """Pay the claims on an account out of a deposit, the oldest first."""
        venue = self.venue
        for claim in [claim for claim in self.claims if claim.debtor == debtor]:
            if deposit == 0:
                return
            to: Holder = ("shortfall",)
            if claim.code == OF_SHORTFALL:
                claim.amount = min(claim.amount, -venue.balance(to))
            elif claim.code == OF_FUND:
                to = ("fund", claim.number)
            elif claim.code == OF_FEES:
                to = ("fees",)
            else:
                to = ("user", claim.number, 0)
            paid = min(claim.amount, deposit)
            if paid > 0:
                venue.transfer(("user", debtor, 0), to, paid)
                venue.emit(CLAIM_PAID, account=debtor, code=claim.code, order=claim.number, amount=paid)
                if claim.code == OF_FUND:
                    self.changed(claim.number)
                if claim.code == OF_ACCOUNT:
                    venue.touched.add(claim.number)
            claim.amount -= paid
            deposit -= paid
            if claim.amount == 0:
                self.claims.remove(claim)
