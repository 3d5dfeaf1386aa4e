"""How auctions find their price, as people write it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from seawall.models.exact import Model, NonNegative, Positive, ppm

__all__ = ["Auction", "BoundedPressure", "Collar"]

_PLAIN = (
    "preset",
    "candidates",
    "surplus",
    "tie",
    "reference",
    "rounding",
    "market_orders",
    "allocation",
    "liquidations",
    "indicative",
)


class BoundedPressure(Model):
    """Demand over moves the price up from the reference by a share of it at most, supply over down."""

    type: Literal["bounded"]
    """The type of the pressure."""
    limit: Annotated[Positive, Field(le=1)]
    """Share of the reference."""


class Collar(Model):
    """Bounds of an auction's price."""

    around: Literal["reference", "touch"]
    """The reference, or bid and ask as they stood when the market last matched."""
    width: NonNegative
    """Width as a share of the reference, or of the middle of bid and ask."""
    width_min: NonNegative = Decimal(0)
    """Least width, as a price."""
    action: Literal["confine", "refuse"]
    """The price becomes the bound; or there is none, and the call goes on until it is ended by hand."""


class Auction(Model):
    """The auction of a market; what is left out is as the preset says, or as without one."""

    preset: Literal["xetra", "euronext", "asx", "nasdaq", "bnb", "vega", "luld"] | None = None
    """A published rule."""
    candidates: Literal["limits", "grid"] | None = None
    """Prices that are looked at: the limits in the book, or every step from the lowest to the highest of limits and
    reference."""
    surplus: Literal["least", "any"] | None = None
    """Whether the least surplus decides after the greatest volume."""
    pressure: Literal["edge", "none"] | BoundedPressure | None = None
    """What a surplus of one side does: the highest or lowest price, nothing, or a bounded move."""
    tie: Literal["nearest", "clamp", "middle"] | None = None
    """What decides last: the nearest to the reference; the reference brought between the prices where the surplus
    changes its sign; the middle."""
    reference: Literal["mark", "last", "index", "midpoint"] | None = None
    """The reference: the midpoint is that of bid and ask as they stood when the market last matched."""
    rounding: Literal["down", "up"] | None = None
    """To which step a price between two steps goes."""
    collar: Collar | None = None
    """Bounds of the price."""
    market_orders: Literal["refused", "cancelled", "limit"] | None = None
    """Market orders are not admitted to the call; what is left of them is cancelled; or it rests at the price."""
    allocation: Literal["time", "market"] | None = None
    """Who is filled first at the price at which the volume ends: longest resting first, or as the market allocates."""
    liquidations: bool | None = None
    """Accounts in liquidation put their positions into the call."""
    indicative: Literal["never", "pulse", "command"] | None = None
    """When the indicative price is published, if it has changed: never, after each Index, Source and Pulse, or after
    each command."""

    def config(self, at: str, ticks: Callable[[Decimal, str], int]) -> dict[str, Any]:
        """Return the core's form."""
        out: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(self, name)) is not None}
        if isinstance(self.pressure, BoundedPressure):
            out["pressure"] = {"bounded": {"limit_ppm": ppm(self.pressure.limit, f"{at}.pressure.limit")}}
        elif self.pressure is not None:
            out["pressure"] = self.pressure
        if self.collar is not None:
            out["collar"] = {
                "around": self.collar.around,
                "width_ppm": ppm(self.collar.width, f"{at}.collar.width"),
                "width_min": ticks(self.collar.width_min, "auction.collar.width_min"),
                "action": self.collar.action,
            }
        return out
