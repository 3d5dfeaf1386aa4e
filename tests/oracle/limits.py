"""What the waterfall does at most in a period, and the withdrawal gate: docs/mechanics.md, 8.7 and 8.8."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final

from .phases import PHASE_NAMES

if TYPE_CHECKING:
    from .venue import Market, OracleVenue

LIMIT_REACHED: Final = 546
WITHDRAWALS_GATED: Final = 545

# What was reached.
OF_POSITION: Final = 1
OF_NOTIONAL: Final = 2
OF_FUND_LOSS: Final = 3
OF_ROUNDS: Final = 4
OF_ADL_ROUNDS: Final = 5
OF_COOLDOWN: Final = 6

PPM: Final = 1_000_000
NOTHING: Final = dict.fromkeys(("position", "account_notional", "account_fund_loss", "rounds", "adl_rounds"))


class Period:
    """What has happened in the present period, and what may still happen."""

    def __init__(self, rules: dict[str, Any] | None) -> None:
        self.rules: dict[str, Any] = {"period_ns": 0, **NOTHING} if rules is None else rules
        self.number = 0
        self.begin()

    def begin(self) -> None:
        """Count anew."""
        self.rounds = self.adl_rounds = 0
        self.sizes: dict[tuple[int, int], int] = {}
        """Positions by account and market as they were when a slice first came to them."""
        self.closed: list[tuple[int, int, int, int]] = []
        """Account, market, lots and their notional, of everything that was closed."""
        self.paid: list[tuple[int, int]] = []
        """What funds paid, and for whom."""

    def begin_step(self, now: int) -> None:
        """Begin step 8, which is a period by itself where periods have no length."""
        length = self.rules["period_ns"]
        if length == 0:
            self.begin()
        elif now // length != self.number:
            self.number = now // length
            self.begin()

    def takes_round(self) -> bool:
        """Count a round, unless there were as many as there may be."""
        most: int | None = self.rules["rounds"]
        if most is not None and self.rounds >= most:
            return False
        self.rounds += 1
        return True

    def takes_adl_round(self) -> bool:
        """Count a round of deleveraging, unless there were as many as there may be."""
        most: int | None = self.rules["adl_rounds"]
        if most is not None and self.adl_rounds >= most:
            return False
        self.adl_rounds += 1
        return True

    def holds_in(self, phase: int) -> bool:
        """Tell whether the limits of a position and of an account hold in a market that is in a phase."""
        named = self.rules.get("phases")
        return named is None or PHASE_NAMES[phase] in named

    def count(self, account: int, market: Market, lots: int, notional: int) -> None:
        """Count what was closed of a position."""
        if self.holds_in(market.phase):
            # Of a position that no slice came to there is no q0 to hold it against.
            since = (account, market.number) in self.sizes
            self.closed.append((account, market.number, lots if since else 0, notional))

    def room(self, account: int, at: Market, size: int, value: Fraction) -> tuple[int, int] | None:
        """Return how many lots of a position a slice may have, and which limit says so; None without a limit."""
        if not self.holds_in(at.phase):
            return None
        market = at.number
        size = self.sizes.setdefault((account, market), size)
        rooms: list[tuple[int, int]] = []
        rule, notional = self.rules["position"], self.rules["account_notional"]
        if rule is not None:
            most = max(ceil(Fraction(size * rule["share_ppm"], PPM)), floor(rule["notional_min"] / value))
            lots = sum(k for a, m, k, _ in self.closed if (a, m) == (account, market))
            rooms.append((max(0, most - lots), OF_POSITION))
        if notional is not None:
            closed = sum(worth for a, _, _, worth in self.closed if a == account)
            rooms.append((max(0, floor((notional - closed) / value)), OF_NOTIONAL))
        return min(rooms) if rooms else None

    def left_for(self, account: int) -> int | None:
        """Return what funds may still pay for an account, None for any amount."""
        most: int | None = self.rules["account_fund_loss"]
        return None if most is None else most - sum(amount for a, amount in self.paid if a == account)


class Gate:
    """The withdrawal gate."""

    def __init__(self, venue: OracleVenue) -> None:
        self.venue = venue
        self.rules: dict[str, Any] | None = venue.config.get("withdrawal_gate")
        self.until = 0

    def close(self, account: int) -> None:
        """Close the gate, or keep it closed for longer, because of an account."""
        if self.rules is None:
            return
        until = self.venue.now + self.rules["duration_ns"]
        if until > self.until:
            self.until = until
            self.venue.emit(WITHDRAWALS_GATED, account=account, amount=until)

    def look_at_equity(self, account: int) -> None:
        """Close the gate if that is what an account below zero does."""
        if self.rules is not None and self.rules["trigger"] == "negative_equity" and self.venue.equity(account) < 0:
            self.close(account)
