"""The final settlement of a market as people write it."""

from typing import Any, Literal

from seawall.models.exact import Duration, Model

__all__ = ["Average", "AveragePrice", "Settlement"]


class Average(Model):
    """The index over a time."""

    window: Duration
    """How long before the settlement."""


class AveragePrice(Model):
    """The average of the index over the time before the settlement."""

    average: Average
    """Over which time."""


class Settlement(Model):
    """How a market is settled for good."""

    price: Literal["index", "mark"] | AveragePrice
    """The price at which every position is closed."""
    reduce_only: Duration = 0
    """How long before it only orders that make positions smaller are admitted."""
    notice: Duration | None = None
    """The time from a loss that nobody carried to the settlement that it leads to; absent for none."""

    def config(self) -> dict[str, Any]:
        """Return what the core reads."""
        price = self.price
        return {
            "price": {"average": {"window_ns": price.average.window}} if isinstance(price, AveragePrice) else price,
            "reduce_only_ns": self.reduce_only,
            "notice_ns": self.notice,
        }
