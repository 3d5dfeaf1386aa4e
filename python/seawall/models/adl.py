"""Auto-deleveraging as people write it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from seawall.models.exact import Duration, Exact, Model, NonNegative, Positive, ppm

__all__ = ["Adl", "AdlLights", "Hedge", "NoRisk", "PowerRisk", "SizeBand", "ThresholdRisk"]


class Hedge(Model):
    """A market whose positions hedge those of another."""

    market: str
    """Name of the other market."""
    lots: Exact = Decimal(1)
    """Lots of this market that one lot of the other stands for."""


class NoRisk(Model):
    """A haircut weighs profits alike."""

    type: Literal["none"] = "none"
    """Which rule."""


class PowerRisk(Model):
    """A haircut weighs profits by a power of leverage: L to the power of 1 + exponent."""

    type: Literal["power"]
    """Which rule."""
    exponent: Literal[1, 2] = 1
    """1 is the linear rule."""


class ThresholdRisk(Model):
    """A haircut weighs profits by leverage L times its excess over a threshold."""

    type: Literal["threshold"]
    """Which rule."""
    above: NonNegative
    """The leverage above which profits count."""


class SizeBand(Model):
    """The most of one account's position that rounds close in a time."""

    share: Positive
    """Share of the position that there was when the time came to it first."""
    window: Duration
    """Length of the time."""


class AdlLights(Model):
    """Indicator lights: how near an account is to the front of the queue."""

    method: Literal["cumulative_quantity", "equal_count"] = "cumulative_quantity"
    """By lots up to and including the account's, or in groups of the same number of accounts."""
    levels: int = Field(default=5, ge=1, le=1000)
    """Number of lights; light 1 goes first."""


class Adl(Model):
    """Auto-deleveraging (ADL)."""

    enabled: bool = True
    """Whether it is used."""
    method: Literal[
        "queue",
        "pro_rata",
        "webster",
        "min_max",
        "hedge_aware",
        "rank_bands",
        "offset",
        "haircut_queue",
        "haircut_pro_rata",
        "external",
    ]
    """By score, or everyone by weight; unhedged lots first; at the bankrupt account's own quotes; or money instead."""
    price: Literal["bankruptcy", "mark", "index"]
    """The price at which winners are closed."""
    band: NonNegative | None = None
    """Band of that price around the mark; absent for none."""
    trigger: Literal["insolvent", "unfilled"] = "insolvent"
    """Only where nothing of the account is left behind the position, or whenever lots are left."""
    fallback: Literal["none", "bankruptcy"] = "none"
    """The price where the fund cannot pay what a lot lacks; with none such lots stay open."""
    eligible: Literal["in_profit", "realising", "anyone"] = "in_profit"
    """Positions with a profit at the mark; of these, those that realise no loss; or all."""
    score: Literal[
        "profit_leverage",
        "profit_margin_ratio",
        "price_ratio_literal",
        "price_ratio_signed",
        "profit",
        "profit_ratio",
        "leverage",
        "notional",
        "equity",
        "random",
    ] = "profit_leverage"
    """Who comes first where there is an order: highest score first."""
    weight: Literal["lots", "profit", "equity", "notional"] = "lots"
    """What lots are shared out in proportion to."""
    fraction: Positive | None = None
    """Most of a position, or of a profit, that one round takes; absent for all."""
    correction_floor: NonNegative | None = None
    """Share of the open notional below which a close may not push the winners' profit; absent for no such check."""
    hedges: tuple[Hedge, ...] = ()
    """Markets whose positions hedge this one."""
    risk: Annotated[NoRisk | PowerRisk | ThresholdRisk, Field(discriminator="type")] = NoRisk()
    """What a haircut weighs profits by."""
    lights: AdlLights = AdlLights()
    """The indicator lights, which are the bands of rank_bands, too."""
    size_band: SizeBand | None = None
    """Most of one account's position that rounds close in a time; absent for no such band."""
    cooldown: Duration = 0
    """Time between two rounds in the market."""
    exempt: tuple[Literal["group", "backstop"], ...] = ()
    """Accounts that are left alone: those of the bankrupt account's group, the backstop."""
    carry: bool = False
    """Fractions of a lot are carried from round to round; pro_rata only."""

    plan_fallback: (
        Literal[
            "queue",
            "pro_rata",
            "webster",
            "min_max",
            "hedge_aware",
            "offset",
            "haircut_queue",
            "haircut_pro_rata",
        ]
        | None
    ) = None
    """With ``external``: the method for when no plan comes that can be used."""

    def config(self, at: str, market_id: Callable[[str, str], int]) -> dict[str, Any]:
        """Return the core's form."""

        def share(value: Decimal | None, field: str) -> int | None:
            return None if value is None else ppm(value, f"{at}.{field}")

        risk: dict[str, Any] = self.risk.model_dump()
        if isinstance(self.risk, ThresholdRisk):
            risk = {"type": "threshold", "above_ppm": ppm(self.risk.above, f"{at}.risk.above")}
        hedges = [
            {
                "market": market_id(hedge.market, f"{at}.hedges[{number}].market"),
                "lots_ppm": ppm(hedge.lots, f"{at}.hedges[{number}].lots"),
            }
            for number, hedge in enumerate(self.hedges)
        ]
        further = {
            "trigger": ("trigger", self.trigger),
            "fallback": ("fallback", self.fallback),
            "eligible": ("eligible", self.eligible),
            "score": ("score", self.score),
            "weight": ("weight", self.weight),
            "fraction": ("fraction_ppm", share(self.fraction, "fraction")),
            "correction_floor": ("correction_floor_ppm", share(self.correction_floor, "correction_floor")),
            "hedges": ("hedges", hedges),
            "risk": ("risk", risk),
            "lights": ("lights", self.lights.model_dump()),
            "plan_fallback": ("plan_fallback", self.plan_fallback),
            "size_band": (
                "size_band",
                self.size_band
                and {
                    "share_ppm": ppm(self.size_band.share, f"{at}.size_band.share"),
                    "window_ns": self.size_band.window,
                },
            ),
            "cooldown": ("cooldown_ns", self.cooldown),
            "exempt": ("exempt", list(self.exempt)),
            "carry": ("carry", self.carry),
        }
        # The core's text leaves out what is as by default.
        said = [name for name in further if getattr(self, name) != type(self).model_fields[name].default]
        return {
            "enabled": self.enabled,
            "method": self.method,
            "price": self.price,
            "band_ppm": share(self.band, "band"),
            **dict(further[name] for name in said),
        }
