"""Index, mark and funding as people write them.

Each model converts itself into the core's integers (docs/mechanics.md section 12); what is left at its default is
left out there.
"""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator

from seawall.models.exact import Count, Duration, Exact, Instant, Model, NonNegative, Positive, ppb, ppm, whole

__all__ = ["Funding", "Index", "IndexSource", "Mark", "MarkInput", "MeanRule", "MedianRule", "Votes"]


MILLISECOND: Final = 1_000_000
"""In nanoseconds."""


class IndexSource(Model):
    """A place whose price the venue is told."""

    name: str
    """Name."""
    weight: int = Field(ge=1, le=1_000_000)
    """Weight; its share is the weight by the sum of the weights."""
    stale: Duration
    """Age at which a price is stale."""


class MedianRule(Model):
    """The median by weight."""

    type: Literal["median"]
    """The type of the rule."""


class MeanRule(Model):
    """The mean by weight, without one outlier; the median if there are more."""

    type: Literal["mean"]
    """The type of the rule."""
    outlier: Positive
    """A price further than this from the plain median, as a share of it, is an outlier."""


class Index(Model):
    """An index made from the prices of several sources."""

    rule: Annotated[MedianRule | MeanRule, Field(discriminator="type")]
    """How the prices are combined."""
    sources_min: int = Field(ge=1)
    """Live sources without which the index is stale."""
    liquidates_stale: bool = False
    """Whether positions are liquidated and deleveraged while the index is stale."""
    sources: tuple[IndexSource, ...]
    """The sources, numbered from 0."""

    def config(self, at: str) -> dict[str, Any]:
        """Return the core's form."""
        rule: Any = "median"
        if isinstance(self.rule, MeanRule):
            rule = {"mean": {"outlier_ppm": ppm(self.rule.outlier, f"{at}.rule.outlier")}}
        return {
            "rule": rule,
            "sources_min": self.sources_min,
            "liquidates_stale": self.liquidates_stale,
            "sources": _sources(self.sources),
        }


MarkInput = Literal["index", "last", "basis", "basis_ema", "funding", "touch", "touch_ema", "external"]
"""Prices that a mark can be the median of."""


class Mark(Model):
    """How the mark is made."""

    method: Literal["index", "last", "median"]
    """The index; the last trade; the median of the inputs."""
    basis_samples: Count = 30
    """Samples in the averaged basis."""
    inputs: tuple[MarkInput, ...] = ()
    """What the median is of; index, averaged basis and last trade if absent."""
    fallback: MarkInput | None = None
    """An input that joins if exactly two of the others have a price."""
    basis_decay: NonNegative | None = None
    """What one second leaves of the weights in the basis's exponential average, in steps of 1e-9."""
    touch_decay: NonNegative | None = None
    """What one second leaves of the weights in the touch's exponential average."""
    index_band: Positive | None = None
    """How far from the index the mark may be, as a share of it; absent for no limit."""
    slew: Positive | None = None
    """How far from the mark before it the mark may be, as a share of it; absent for no limit."""
    sources: tuple[IndexSource, ...] = ()
    """Sources of the external price, numbered after those of the index."""

    def config(self, at: str) -> dict[str, Any]:
        """Return the core's form."""
        given = {
            "inputs": list(self.inputs) or None,
            "fallback": self.fallback,
            "basis_decay_ppb": _given(self.basis_decay, ppb, f"{at}.basis_decay"),
            "touch_decay_ppb": _given(self.touch_decay, ppb, f"{at}.touch_decay"),
            "index_band_ppm": _given(self.index_band, ppm, f"{at}.index_band"),
            "slew_ppm": _given(self.slew, ppm, f"{at}.slew"),
            "sources": _sources(self.sources) or None,
        }
        return {"method": self.method, "basis_samples": self.basis_samples, **_without_none(given)}


class Votes(Model):
    """Premium sampling in two steps: a median of votes in each period, a mean of those."""

    period: Duration
    """Length of a period of votes."""
    votes_min: int = Field(ge=1, le=4096)
    """Votes to which zeros fill a period up."""
    samples_min: int = Field(ge=1, le=1_000_000)
    """Samples to which zeros fill an interval up."""


class Funding(Model):
    """Funding: premium with clamp; rates per interval, or per rate period."""

    first: Instant
    """First settlement."""
    interval: Duration
    """Time between settlements; at least a millisecond."""
    interest: Exact
    """Interest."""
    clamp: NonNegative
    """Clamp of interest less premium."""
    cap: NonNegative
    """Cap of the rate."""
    impact_qty: Positive
    """Quantity of the impact prices."""
    rate_period: Duration | None = None
    """The time that rates are for; the interval if absent."""
    cap_margin_multiple: int | None = Field(default=None, ge=1, le=1000)
    """A second cap: so many times initial less maintenance margin of the first tier."""
    votes: Votes | None = None
    """How votes become premium samples; if absent, each index takes one."""
    price: Literal["mark", "index"] = "mark"
    """The price of the notional."""
    accrual: Positive | None = None
    """The unit of the funding index, as a price: payments go by whole units of it. By the exact rate if absent."""
    payers: Literal["full", "capped"] = "full"
    """Whether an account pays all that it owes, or its equity at most; then receivers share what came in."""

    @field_validator("interval")
    @classmethod
    def _is_payable(cls, interval: int) -> int:
        # Settlements that come due faster than they are paid would keep every other command out for ever.
        if interval < MILLISECOND:
            message = f"{interval}ns is too short: settlements would never end; give at least 1ms"
            raise ValueError(message)
        return interval

    def config(self, at: str, tick_size: Decimal, lot_size: Decimal) -> dict[str, Any]:
        """Return the core's form."""
        votes, accrual = self.votes, None
        if self.accrual is not None:
            unit = Fraction(self.accrual) / Fraction(tick_size)
            accrual = {"units": unit.denominator, "ticks": unit.numerator}
        given = {
            "rate_period_ns": self.rate_period,
            "cap_margin_multiple": self.cap_margin_multiple,
            "votes": votes
            and {"period_ns": votes.period, "votes_min": votes.votes_min, "samples_min": votes.samples_min},
            "price": None if self.price == "mark" else self.price,
            "accrual": accrual,
            "payers": None if self.payers == "full" else self.payers,
        }
        return {
            "first_ns": self.first,
            "interval_ns": self.interval,
            "interest_ppb": ppb(self.interest, f"{at}.interest"),
            "clamp_ppb": ppb(self.clamp, f"{at}.clamp"),
            "cap_ppb": ppb(self.cap, f"{at}.cap"),
            "impact_qty": whole(self.impact_qty, lot_size, f"{at}.impact_qty", "lot"),
            **_without_none(given),
        }


def _sources(sources: tuple[IndexSource, ...]) -> list[dict[str, Any]]:
    return [{"name": source.name, "weight": source.weight, "stale_ns": source.stale} for source in sources]


def _given(value: Decimal | None, units: Callable[[Decimal, str], int], field: str) -> int | None:
    return None if value is None else units(value, field)


def _without_none(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None}
