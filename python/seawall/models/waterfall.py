"""Choices of the waterfall as people write them: sizes, limits and fees of liquidations, funds, the last resort.

Each model converts itself into the core's integers (docs/mechanics.md section 12); what is left at its default is
left out there.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from seawall.models.exact import Count, Duration, Model, NonNegative, Positive, ppm

__all__ = [
    "Assignment",
    "BankruptcyLimit",
    "Drawdown",
    "DutchLimit",
    "FeeRule",
    "FillableLimit",
    "FlatFee",
    "Fund",
    "LastResort",
    "Limit",
    "LinearCurve",
    "MarginLeftFee",
    "NoLimit",
    "Policy",
    "PortfolioSharePolicy",
    "RampPolicy",
    "RestorePolicy",
    "SchedulePolicy",
    "SharePolicy",
    "StairstepCurve",
    "TierPolicy",
    "TwoSided",
    "TwoSidedLoss",
    "WholeFee",
]

Convert: TypeAlias = Callable[[Decimal, str], int]
"""Converts a value into units; the text names its field."""


class SharePolicy(Model):
    """A slice is a share of what is left."""

    type: Literal["share"] = "share"
    """The type of the policy."""

    def config(self, _at: str, _lots: Convert, _amount: Convert) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type}


class SchedulePolicy(Model):
    """A slice is a share of what is left in whole lots, up to a most, with a time between slices."""

    type: Literal["schedule"]
    """The type of the policy."""
    lot: Positive | None = None
    """Slices are multiples of it, in units of the underlying; one lot of the market if absent."""
    qty_max: Positive | None = None
    """Largest slice; absent for none."""
    cooldown: Duration = 0
    """Time after a slice that left something."""
    during: Literal["whole", "wait", "wait_then_whole"] = "whole"
    """What is done in that time: close whole positions; wait; wait, and close whole positions then."""

    def config(self, at: str, lots: Convert, _amount: Convert) -> dict[str, Any]:
        """Return what the core reads."""
        return {
            "type": self.type,
            "lot": 1 if self.lot is None else lots(self.lot, f"{at}.lot"),
            "qty_max": None if self.qty_max is None else lots(self.qty_max, f"{at}.qty_max"),
            "cooldown_ns": self.cooldown,
            "during": self.during,
        }


class TierPolicy(Model):
    """A slice leads down to the next tier of margin rates."""

    type: Literal["tier"]
    """The type of the policy."""

    def config(self, _at: str, _lots: Convert, _amount: Convert) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type}


class RestorePolicy(Model):
    """A slice restores maintenance margin."""

    type: Literal["restore"]
    """The type of the policy."""
    buffer: NonNegative
    """Added to the maintenance rate."""

    def config(self, at: str, _lots: Convert, _amount: Convert) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type, "buffer_ppm": ppm(self.buffer, f"{at}.buffer")}


class RampPolicy(Model):
    """A slice restores maintenance margin, as far as time allows."""

    type: Literal["ramp"]
    """The type of the policy."""
    buffer: NonNegative
    """Added to the maintenance rate."""
    duration: Duration
    """Time after which everything may be closed, at most an hour."""
    initial: NonNegative
    """Share that may be closed at once."""
    full_below: NonNegative
    """Shortage, in the valuation asset, below which everything may be closed at once."""

    def config(self, at: str, _lots: Convert, amount: Convert) -> dict[str, Any]:
        """Return what the core reads."""
        return {
            "type": self.type,
            "buffer_ppm": ppm(self.buffer, f"{at}.buffer"),
            "duration_ns": self.duration,
            "initial_ppm": ppm(self.initial, f"{at}.initial"),
            "full_below": amount(self.full_below, f"{at}.full_below"),
        }


class PortfolioSharePolicy(Model):
    """The same share of every position, in steps, until the margin ratio is below a target."""

    type: Literal["portfolio_share"]
    """The type of the policy."""
    step: Positive
    """Step of the share."""
    target: Positive
    """Maintenance margin over equity that is aimed at."""
    penalty: NonNegative
    """Penalty as a share of the maintenance margin that is closed."""

    def config(self, at: str, _lots: Convert, _amount: Convert) -> dict[str, Any]:
        """Return what the core reads."""
        return {
            "type": self.type,
            "step_ppm": ppm(self.step, f"{at}.step"),
            "target_ppm": ppm(self.target, f"{at}.target"),
            "penalty_ppm": ppm(self.penalty, f"{at}.penalty"),
        }


Policy = Annotated[
    SharePolicy | SchedulePolicy | TierPolicy | RestorePolicy | RampPolicy | PortfolioSharePolicy,
    Field(discriminator="type"),
]
"""The size of a slice."""


class BankruptcyLimit(Model):
    """The bankruptcy price."""

    type: Literal["bankruptcy"] = "bankruptcy"
    """The type of the limit."""

    def config(self, _at: str) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type}


class NoLimit(Model):
    """No limit but the bands."""

    type: Literal["none"]
    """The type of the limit."""

    def config(self, _at: str) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type}


class FillableLimit(Model):
    """The mark less a spread that widens as margin is lost."""

    type: Literal["fillable"]
    """The type of the limit."""
    adjustment: Positive
    """Factor of the share of margin that is lost."""
    spread: NonNegative
    """Widest spread as a multiple of the maintenance margin."""

    def config(self, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        return {
            "type": self.type,
            "adjustment_ppm": ppm(self.adjustment, f"{at}.adjustment"),
            "spread_ppm": ppm(self.spread, f"{at}.spread"),
        }


class StairstepCurve(Model):
    """A price that falls by a factor at a time."""

    type: Literal["stairstep"]
    """The type of the curve."""
    factor: Positive
    """What a step leaves of the price."""
    step: Duration
    """Time between steps."""

    def config(self, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type, "factor_ppm": ppm(self.factor, f"{at}.factor"), "step_ns": self.step}


class LinearCurve(Model):
    """A price that falls evenly to zero."""

    type: Literal["linear"]
    """The type of the curve."""
    duration: Duration
    """Time until zero."""

    def config(self, _at: str) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type, "duration_ns": self.duration}


class DutchLimit(Model):
    """A price that falls with time."""

    type: Literal["dutch"]
    """The type of the limit."""
    start: Positive
    """Where it starts, as a multiple of the mark then."""
    curve: Annotated[StairstepCurve | LinearCurve, Field(discriminator="type")]
    """How it falls."""

    def config(self, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        start = ppm(self.start, f"{at}.start")
        return {"type": self.type, "start_ppm": start, "curve": self.curve.config(f"{at}.curve")}


Limit = Annotated[BankruptcyLimit | NoLimit | FillableLimit | DutchLimit, Field(discriminator="type")]
"""The limit of a liquidation order."""


class FlatFee(Model):
    """The fee to the fund, out of what is above the bankruptcy price."""

    type: Literal["flat"] = "flat"
    """The type of the rule."""

    def config(self, _at: str) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type}


class WholeFee(Model):
    """As flat, but nothing for an order that leaves a part of the position."""

    type: Literal["whole"]
    """The type of the rule."""

    def config(self, _at: str) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type}


class MarginLeftFee(Model):
    """To the liquidator a rate, then to the fund 95 % of the margin freed beyond the shortage, at most the fee."""

    type: Literal["margin_left"]
    """The type of the rule."""
    liquidator: Count | None = None
    """Account that is paid; absent for nobody."""
    liquidator_fee: NonNegative
    """Its rate."""

    def config(self, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        rate = ppm(self.liquidator_fee, f"{at}.liquidator_fee")
        return {"type": self.type, "liquidator": self.liquidator, "liquidator_ppm": rate}


FeeRule = Annotated[FlatFee | WholeFee | MarginLeftFee, Field(discriminator="type")]
"""Who is paid out of what the book filled."""


class Assignment(Model):
    """Volunteers take over what the book and the backstop left, each as far as its margin allows."""

    price: Literal["bankruptcy", "mark"]
    """The price; at the mark the fund pays the difference, for as many lots as it can."""
    order: Literal["pro_rata", "queue"]
    """In proportion to what each is ready to take, or in the order of joining."""
    stage: Literal["before_fund", "after_fund"] = "before_fund"
    """Before the fund backs a sale, or after it as the last before winners."""


class Drawdown(Model):
    """When a fund stops to pay for a market."""

    trigger: Positive
    """Loss of the market, as a share of the fund's highest balance, beyond which the fund does not pay."""
    stop: NonNegative
    """Loss below which the trigger is released."""
    inclusive: bool = False
    """Whether a loss of exactly the trigger fires it."""
    window: Duration
    """Time over which highest values count."""

    def config(self, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        return {
            "trigger_ppm": ppm(self.trigger, f"{at}.trigger"),
            "stop_ppm": ppm(self.stop, f"{at}.stop"),
            "inclusive": self.inclusive,
            "window_ns": self.window,
        }


class Fund(Model):
    """One insurance fund, in the valuation asset."""

    name: str
    """Name."""
    cap: Positive | None = None
    """Highest balance; what is above it moves to the fees earned. Absent for none."""
    paid_max: Positive | None = None
    """Most that it pays towards one debt in one round; absent for no limit."""
    drawdown: Drawdown | None = None
    """When it stops to pay for a market; absent for never."""

    def config(self, amount: Convert) -> dict[str, Any]:
        """Return what the core reads."""
        at = f"funds.{self.name}"
        out: dict[str, Any] = {"name": self.name}
        if self.cap is not None:
            out["cap"] = amount(self.cap, f"{at}.cap")
        if self.paid_max is not None:
            out["paid_max"] = amount(self.paid_max, f"{at}.paid_max")
        if self.drawdown is not None:
            out["drawdown"] = self.drawdown.config(f"{at}.drawdown")
        return out


class TwoSidedLoss(Model):
    """How a loss is shared between all positions of a market by lots."""

    rate_step: Positive
    """Step of the charge per lot, in the valuation asset."""
    rounding: Literal["ceil", "floor"]
    """Up: what is collected beyond the loss goes to the fund. Down: what is not collected stays as a shortfall."""
    fee_pool: bool = False
    """Trading fees earned pay first."""


class TwoSided(Model):
    """Every position of the market carries a loss, on both sides."""

    two_sided: TwoSidedLoss
    """How."""


def _last_resort(value: object) -> str:
    return "terms" if isinstance(value, Mapping | TwoSided) else "name"


LastResort = Annotated[
    Annotated[Literal["remainder", "socialise", "socialise_equity", "withdrawal_factor"], Tag("name")]
    | Annotated[TwoSided, Tag("terms")],
    Discriminator(_last_resort),
]
"""What happens to a loss that the fund cannot pay."""


def last_resort_config(rule: LastResort, amount: Convert) -> str | dict[str, Any]:
    """Return what the core reads."""
    if not isinstance(rule, TwoSided):
        return rule
    terms = rule.two_sided
    step = amount(terms.rate_step, "last_resort.two_sided.rate_step")
    return {"two_sided": {"rate_step": step, "rounding": terms.rounding, "fee_pool": terms.fee_pool}}
