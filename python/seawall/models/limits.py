"""What liquidations do at most in a period, and when money has to stay, as people write it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

from seawall.models.exact import Count, Duration, Model, NonNegative, Positive, ppm

__all__ = ["BlockLimits", "PositionBlock", "WithdrawalGate"]


LiquidatingPhase = Literal[
    "continuous", "limit_state", "straddle", "guarded", "cooling_off", "reduce_only", "close_only"
]
"""A phase in which accounts are liquidated."""


class PositionBlock(Model):
    """The most of one position that is closed in a period: the larger of both."""

    share: Positive
    """A share of it."""
    notional_min: NonNegative
    """A notional, in the valuation asset."""


class BlockLimits(Model):
    """The most that liquidations do in a period."""

    period: Duration = 0
    """Length of a period; 0 for each step by itself."""
    position: PositionBlock | None = None
    """Of one position; absent for no limit."""
    account_notional: Positive | None = None
    """Notional of one account, in the valuation asset; absent for no limit."""
    account_fund_loss: Positive | None = None
    """What the funds pay for one account; absent for no limit."""
    rounds: Count | None = None
    """Rounds of the waterfall; absent for no limit."""
    adl_rounds: Count | None = None
    """Rounds of auto-deleveraging; absent for no limit."""
    phases: tuple[LiquidatingPhase, ...] | None = None
    """Phases in which a market has the limits of a position and of an account's notional; absent for every phase."""

    def config(self, amount: Callable[[Decimal, str], int]) -> dict[str, Any]:
        """Return what the core reads."""

        def money(value: Decimal | None, name: str) -> int | None:
            return None if value is None else amount(value, f"block_limits.{name}")

        position = self.position
        out = {
            "period_ns": self.period,
            "position": position
            and {
                "share_ppm": ppm(position.share, "block_limits.position.share"),
                "notional_min": amount(position.notional_min, "block_limits.position.notional_min"),
            },
            "account_notional": money(self.account_notional, "account_notional"),
            "account_fund_loss": money(self.account_fund_loss, "account_fund_loss"),
            "rounds": self.rounds,
            "adl_rounds": self.adl_rounds,
        }
        return out if self.phases is None else out | {"phases": list(self.phases)}


class WithdrawalGate(Model):
    """When withdrawals and transfers are refused."""

    duration: Duration
    """For how long."""
    trigger: Literal["negative_equity", "uncovered_loss"]
    """After an account in liquidation was seen below zero, or after a loss that nobody carried."""

    def config(self) -> dict[str, Any]:
        """Return what the core reads."""
        return {"duration_ns": self.duration, "trigger": self.trigger}
