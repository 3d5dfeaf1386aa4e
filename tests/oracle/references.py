"""Prices that breakers measure from, and how far from them: docs/mechanics.md, 9.1 and 9.2, in exact fractions.

What the page cuts to 2^-40 ticks where a numerator would leave 127 bits is not cut here: small worlds do not get there.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil, floor, isqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from .orders import BUY, MILLION, SELL

if TYPE_CHECKING:
    from collections.abc import Callable

    from .orders import Config
    from .venue import Market

UPPER: Final = BUY
"""The side of the upper bound, which buys meet."""
LOWER: Final = SELL
FINE: Final = 10**18
YEAR_NS: Final = 31_557_600 * 10**9
EXPONENT_MAX: Final = Decimal("6.9")
NEED_PRICES: Final = ("last", "aged", "window")
LONG_AGO: Final = -(2**63)
STARTS_ANEW: Final = (*NEED_PRICES, "mean", "slewed")


class NoPriceError(Exception):
    """A reference that bounds are made from has no price."""


def mean_of(prices: list[int] | list[Fraction]) -> Fraction:
    """Return the mean of some prices."""
    return sum((Fraction(price) for price in prices), Fraction(0)) / len(prices)


class Reference:
    """A reference of one rule in one market, with all that it has seen."""

    def __init__(self, market: Market, config: Config) -> None:
        self.market, self.config = market, config
        self.kind: str = config["type"]
        self.told: int | None = config.get("price")
        watched: dict[str, str] = {"mean": "trade", "deviation": "mark"}
        self.prices: str = config.get("prices") or watched.get(self.kind, "")
        self.window_ns: int = config.get("window_ns", 0)
        self.seen: list[tuple[int, Fraction]] = []
        """Times and prices; of an index premium, what the middle of the book was above the index."""
        self.standing: Fraction | None = None
        """The price of a mean or a slewed index."""
        self.since = 0
        """When a mean took its price."""

    def last_ones(self, now: int) -> list[Fraction]:
        """Return what was seen in the window."""
        return [price for time, price in self.seen if time > now - self.window_ns]

    def needed(self, side: int, now: int) -> Fraction:
        """Return the price for the upper or the lower bound, which is needed."""
        price = self.price(side, now)
        if price is None:
            raise NoPriceError
        return price

    def price(self, side: int, now: int) -> Fraction | None:  # noqa: PLR0911 - a row of the page each
        """Return the price for the upper or the lower bound, None if there is none."""
        market = self.market
        if self.kind in ("mark", "index", "auction", "set"):
            found = {"mark": market.mark, "index": market.index, "auction": market.last_auction, "set": self.told}
            return Fraction(found[self.kind] or 0) or None
        if self.kind in ("touch", "mid"):
            touch = market.touch()
            if touch is None:
                return None
            bid, ask = touch
            return Fraction(bid + ask, 2) if self.kind == "mid" else Fraction(ask if side == UPPER else bid)
        if self.kind in ("mean", "slewed"):
            return self.standing
        if self.kind == "index_premium":
            above = self.last_ones(now)
            return None if market.index == 0 else market.index + (mean_of(above) if above else Fraction(0))
        if self.kind == "deviation":
            return self.deviation(now)
        return self.of_seen(side, now)

    def of_seen(self, side: int, now: int) -> Fraction | None:
        """Return the price of a reference that is one of those seen."""
        if not self.seen:
            return None
        if self.kind == "last":
            return self.seen[-1][1]
        if self.kind == "aged":
            old = [price for time, price in self.seen if time <= now - self.config["age_ns"]]
            if old:
                return old[-1]
            return self.seen[0][1] if self.config.get("or_first", False) else None
        older = [price for time, price in self.seen if time <= now - self.window_ns]
        prices = older[-1:] + self.last_ones(now)
        return min(prices) if side == UPPER else max(prices)

    def deviation(self, now: int) -> Fraction | None:
        """Return the population standard deviation of the marks of the window."""
        marks = self.last_ones(now)
        if not marks:
            return None
        mean = mean_of(marks)
        variance = mean_of([(mark - mean) ** 2 for mark in marks])
        return Fraction(isqrt(floor(variance * MILLION**2)), MILLION)

    def observe(self, prices: list[int], now: int) -> None:
        """Take the trades or marks of a step, whichever it watches."""
        if not prices:
            return
        taken = prices[-1:] if self.kind in ("last", "aged") else prices
        self.seen += [(now, Fraction(price)) for price in taken]
        if self.kind == "mean":
            mean, hysteresis = mean_of(self.last_ones(now)), Fraction(self.config.get("hysteresis_ppm", 0), MILLION)
            standing = self.standing
            is_old = now - self.since >= self.config.get("life_ns", 0)
            if standing is None or (is_old and abs(mean - standing) >= standing * hysteresis):
                self.standing, self.since = mean, now

    def take_index(self, index: int) -> None:
        """Take a new index."""
        if self.kind == "slewed":
            standing = self.standing
            if standing is None:
                self.standing = Fraction(index)
                return
            most = max(1, floor(standing * self.config["most_ppm"] / MILLION))
            self.standing = max(standing - most, min(standing + most, Fraction(index)))

    def start_anew(self, price: int, now: int) -> None:
        """Forget all but a price, as if it had been seen long ago."""
        if self.kind not in STARTS_ANEW:
            return
        self.seen = [] if self.kind == "mean" else [(LONG_AGO, Fraction(price))]
        self.standing, self.since = Fraction(price), now


def quantile_factor(config: Config, sign: int) -> Fraction:
    """Return f of a width by quantile, for the upper or the lower bound."""
    with localcontext() as context:
        context.prec = 60
        drift, volatility = (Decimal(config[name]) / MILLION for name in ("drift_ppm", "volatility_ppm"))
        years = Decimal(config["horizon_ns"]) / YEAR_NS
        z = normal_quantile(Decimal(config["probability_ppb"]) / 10**9)
        exponent = (drift - volatility**2 / 2) * years + sign * volatility * years.sqrt() * z
        exponent = max(-EXPONENT_MAX, min(EXPONENT_MAX, exponent))
        return Fraction(floor(exponent.exp() * FINE), FINE)


def normal_quantile(probability: Decimal) -> Decimal:
    """Return z for which a standard normal number is within +-z with a probability."""
    pi = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
    z = Decimal(NormalDist().inv_cdf((1 + float(probability)) / 2))
    for _ in range(5):
        # erf(z / sqrt 2) as a power series, and a step of Newton's.
        term = total = z
        n = 0
        while abs(term) > Decimal(10) ** -58:
            n += 1
            term = -term * z**2 / (2 * n)
            total += term / (2 * n + 1)
        within = total * (2 / pi).sqrt()
        z -= (within - probability) / ((2 / pi).sqrt() * (-(z**2) / 2).exp())
    return z


class Width:
    """How far a bound is from its reference."""

    def __init__(self, config: Config, make: Callable[[Config], Reference]) -> None:
        self.config = config
        self.kind: str = config["type"]
        self.ppm: int = config["ppm"] if self.kind == "ppm" else 0
        self.other = next((make(config[name]) for name in ("of", "by") if self.names_reference(name)), None)
        parts = {"by_side": (config.get("up"), config.get("down")), "hours": (config.get("of"),)}
        parts["tiers"] = tuple(row["width"] for row in config.get("rows", ()) if self.kind == "tiers")
        parts["lesser_of"] = parts["greater_of"] = tuple(config.get("of") or ()) if self.kind.endswith("_of") else ()
        self.parts = [None if part is None else Width(part, make) for part in parts.get(self.kind, ())]

    def names_reference(self, name: str) -> bool:
        """Tell whether it is measured by a reference of its own."""
        return (self.kind, name) in (("ppm", "of"), ("tiers", "by")) and self.config.get(name) is not None

    def distance(  # noqa: PLR0911 - a row of the page each
        self, reference: Fraction, side: int, now: int, market: Market
    ) -> Fraction | None:
        """Return the distance on a side, None for any."""
        config = self.config
        measured = reference if self.other is None else self.other.needed(side, now)
        if self.kind == "infinite":
            return None
        if self.kind == "ppm":
            width, step = measured * self.ppm / MILLION, config.get("step")
            return width if step is None else Fraction(width // step * step)
        if self.kind == "ticks":
            return Fraction(config["ticks"])
        if self.kind == "quantile":
            factor = quantile_factor(config, 1 if side == UPPER else -1)
            return reference * (factor - 1 if side == UPPER else 1 - factor)
        if self.kind == "levels":
            return None if side == UPPER else reference * config["ppm"][0] / MILLION
        if self.kind == "by_side":
            part = self.parts[side]
        elif self.kind == "tiers":
            rows = zip(config["rows"], self.parts, strict=True)
            part = [part for row, part in rows if row["from"] <= measured][-1]
        elif self.kind == "hours":
            part = self.parts[0]
        else:
            every = [part.distance(reference, side, now, market) for part in self.parts if part is not None]
            finite = [each for each in every if each is not None]
            if self.kind == "lesser_of":
                return min(finite, default=None)
            return max(finite) if len(finite) == len(every) else None
        distance = None if part is None else part.distance(reference, side, now, market)
        if self.kind == "hours" and distance is not None:
            time = market.time_of_day(now)
            rows_now = [row for row in config["rows"] if row["from_ns"] <= time < row["until_ns"]]
            return distance * rows_now[0]["multiple_ppm"] / MILLION if rows_now else distance
        return distance


def rounded(bound: Fraction, rounding: Config) -> Fraction:
    """Return a bound after `rounding`."""
    if rounding["type"] == "inward":
        return bound
    steps = bound / rounding["step"]
    # Python rounds halves to the even one.
    whole = floor(steps + Fraction(1, 2)) if rounding["type"] == "half_up" else round(steps)
    return Fraction(whole * rounding["step"])


class Range:
    """A reference with its width."""

    def __init__(self, config: Config, make: Callable[[Config], Reference]) -> None:
        self.reference = make(config["reference"])
        self.width = Width(config["width"], make)
        self.reach = None if config.get("reach") is None else make(config["reach"])

    def bound(self, side: int, now: int, market: Market) -> Fraction | None:
        """Return the exact bound of a side, None without one."""
        reference = self.reference.needed(side, now)
        reach = None if self.reach is None else self.reach.needed(side, now)
        distance = self.width.distance(reference, side, now, market)
        if distance is None:
            return None
        bound = reference + distance if side == UPPER else reference - distance
        return bound if reach is None else max(bound, reach) if side == UPPER else min(bound, reach)


Ends = tuple[int | None, int | None]
"""The lowest and the highest price inside, None where there is no bound."""


@dataclass(frozen=True)
class Look:
    """A rule's ranges as they stand at one moment."""

    ranges: list[Ends]
    all_of_them: bool
    exact: tuple[Fraction, Fraction]
    """The reference of the first range, of the upper and of the lower bound."""

    @property
    def references(self) -> tuple[int, int]:
        """The same, down to a tick."""
        return floor(self.exact[0]), floor(self.exact[1])

    def left(self, price: int) -> list[bool]:
        """Return of each range that a price is outside of whether it is below."""
        left = [
            low is not None and price < low
            for low, high in self.ranges
            if (low is not None and price < low) or (high is not None and price > high)
        ]
        return left if not self.all_of_them or len(left) == len(self.ranges) else []

    def is_outside(self, price: int) -> bool:
        """Tell whether a price is outside of the rule."""
        return bool(self.left(price))

    @property
    def bounds(self) -> Ends:
        """The bounds of the rule."""
        lows, highs = ([ends[i] for ends in self.ranges] for i in (0, 1))
        finite_lows, finite_highs = ([each for each in side if each is not None] for side in (lows, highs))
        if not self.all_of_them:
            return max(finite_lows, default=None), min(finite_highs, default=None)
        low = min(finite_lows) if len(finite_lows) == len(lows) else None
        return low, max(finite_highs) if len(finite_highs) == len(highs) else None

    def shown_end(self, side: int) -> int:
        """Return the end that OrderBounded shows of a side."""
        end = self.bounds[1 - side]
        if end is None:
            end = next(ends[1 - side] for ends in self.ranges if ends[1 - side] is not None)
        assert end is not None
        return end


def inside_ends(bounds: Ends | tuple[Fraction | None, Fraction | None], *, inclusive: bool) -> Ends:
    """Return the lowest and the highest whole price inside exact bounds."""
    low, high = bounds
    lowest = None if low is None else max(1, ceil(low) if inclusive else floor(low) + 1)
    highest = None if high is None else floor(high) if inclusive else ceil(high) - 1
    return lowest, highest
