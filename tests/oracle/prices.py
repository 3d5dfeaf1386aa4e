"""Section 7 of ``docs/mechanics.md``: sources, averages, the mark, votes and rates, without the venue around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Final

from .orders import MILLION, ceil_div

if TYPE_CHECKING:
    from .orders import Config

BILLION: Final = 1_000_000_000
UNIT: Final = 10**18
NEVER: Final = (1 << 63) - 1
VOTES_MAX: Final = 4096
HELD_MAX: Final = 1 << 61

# States of an index.
LIVE: Final = 0
DEGRADED: Final = 1
STALE: Final = 2


def clamp(x: int, low: int, high: int) -> int:
    """Return x limited to [low, high]."""
    return max(low, min(high, x))


def truncated(value: Fraction) -> int:
    """Return a number without its fraction."""
    return int(value)


def middle(values: list[Fraction]) -> Fraction:
    """Return the median; of an even number, the mean of the middle two."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def weighted_median(prices: list[tuple[Fraction, int]]) -> Fraction:
    """Return the median of prices with weights."""
    ordered = sorted(prices)
    half = Fraction(sum(weight for _, weight in prices), 2)
    reached = [price for i, (price, _) in enumerate(ordered) if sum(w for _, w in ordered[: i + 1]) >= half]
    passed = [price for i, (price, _) in enumerate(ordered) if sum(w for _, w in ordered[: i + 1]) > half]
    return (reached[0] + passed[0]) / 2


@dataclass(slots=True)
class Source:
    """A place whose price is told."""

    weight: int
    stale_ns: int
    price: Fraction = Fraction(0)
    observed: int | None = None
    live: bool = False

    def end(self) -> int:
        """Return when its price grows stale."""
        assert self.observed is not None
        return min(NEVER, self.observed + self.stale_ns)


def sources_of(rows: list[Config]) -> list[Source]:
    """Return the sources of a configuration."""
    return [Source(row["weight"], row["stale_ns"]) for row in rows]


class Sources:
    """The sources of a market: those of its index and those of its mark."""

    def __init__(self, index: Config | None, mark: Config) -> None:
        self.makes_index = index is not None
        self.rule: str | Config = index["rule"] if index else "median"
        self.least: int = index["sources_min"] if index else 0
        self.liquidates_stale: bool = index["liquidates_stale"] if index else True
        self.of_index = sources_of(index["sources"] if index else [])
        self.of_mark = sources_of(mark.get("sources", []))

    @property
    def all(self) -> list[Source]:
        """Return all, by number."""
        return self.of_index + self.of_mark

    def live_count(self) -> int:
        """Return how many sources of the index are live."""
        return sum(source.live for source in self.of_index)

    def state(self) -> int:
        """Return the state of the index."""
        if self.live_count() == len(self.of_index):
            return LIVE
        return DEGRADED if self.live_count() >= self.least else STALE

    def index(self) -> int:
        """Return the index that the live sources make."""
        live = [(source.price, source.weight) for source in self.of_index if source.live]
        if isinstance(self.rule, str):
            return floor(weighted_median(live))
        median = middle([price for price, _ in live])
        width = Fraction(self.rule["mean"]["outlier_ppm"], MILLION)
        inside = [(price, weight) for price, weight in live if abs(price - median) <= median * width]
        if len(live) - len(inside) > 1:
            return floor(median)
        total = sum((p * w for p, w in inside), Fraction(0))
        return floor(total / sum(w for _, w in inside))

    def external(self) -> int | None:
        """Return the price of the mark's live sources, None without any."""
        live = [(source.price, source.weight) for source in self.of_mark if source.live]
        return floor(weighted_median(live)) if live else None


@dataclass(slots=True)
class Average:
    """An exponential average of numbers in half ticks."""

    decay_ppb: int
    num: int = 0
    den: int = 0
    at: int = 0

    def sample(self, x: int, now: int) -> None:
        """Take a number."""
        t = 1 if self.den == 0 else now - self.at
        left = decayed(self.decay_ppb, t)
        self.num = self.num * left // UNIT + x * t
        self.den = self.den * left // UNIT + t
        self.at = now

    def ticks(self) -> int | None:
        """Return the average in whole ticks, None without a sample."""
        return self.num // (2 * self.den) if self.den else None


def decayed(decay_ppb: int, t: int) -> int:
    """Return what t nanoseconds leave of a weight, in parts of UNIT."""
    second = decay_ppb * BILLION
    left, power = UNIT, second
    whole, part = divmod(t, BILLION)
    for bit in reversed(f"{whole:b}"):
        if bit == "1":
            left = left * power // UNIT
        power = power * power // UNIT
    return left * (UNIT - ceil_div((UNIT - second) * part, BILLION)) // UNIT


@dataclass(slots=True)
class View:
    """What a mark is made from, at one moment."""

    index: int
    bid: int | None
    ask: int | None
    last: int | None
    external: int | None
    left: int
    """Time to the next funding settlement."""
    rate: int | None
    rate_period: int

    def touch(self) -> Fraction | None:
        """Return the median of best bid, best ask and last trade."""
        there = [Fraction(price) for price in (self.bid, self.ask, self.last) if price is not None]
        return middle(there) if there else None


class Mark:
    """The rule of a mark and its averages."""

    def __init__(self, config: Config) -> None:
        self.method: str = config["method"]
        self.inputs: list[str] = config.get("inputs") or ["index", "basis", "last"]
        self.fallback: str | None = config.get("fallback")
        self.basis_samples: int = config["basis_samples"]
        self.index_band: int | None = config.get("index_band_ppm")
        self.slew: int | None = config.get("slew_ppm")
        decays = (config.get(f"{name}_decay_ppb") for name in ("basis", "touch"))
        self.basis_ema, self.touch_ema = (None if decay is None else Average(decay) for decay in decays)
        self.basis: list[int] = []

    def sample(self, view: View, now: int) -> None:
        """Take the samples of an index."""
        if view.bid is not None and view.ask is not None:
            x = view.bid + view.ask - 2 * view.index
            self.basis = [*self.basis, x][-self.basis_samples :]
            if self.basis_ema is not None:
                self.basis_ema.sample(x, now)
        touch = view.touch()
        if self.touch_ema is not None and touch is not None:
            self.touch_ema.sample(int(2 * touch), now)

    def price(self, view: View, before: int) -> int:
        """Return the mark, before it is limited to the prices of the market."""
        if self.method == "index":
            mark = view.index
        elif self.method == "last":
            mark = view.last or view.index
        else:
            mark = self.median(view)
        return self.limited(view.index, mark, before)

    def limited(self, index: int, mark: int, before: int) -> int:
        """Return a mark limited by the band around the index, then by the one before."""
        if self.index_band is not None:
            low = max(1, ceil_div(index * (MILLION - self.index_band), MILLION))
            mark = clamp(mark, low, index * (MILLION + self.index_band) // MILLION)
        if self.slew is not None and before > 0:
            step = max(1, before * self.slew // MILLION)
            mark = clamp(mark, before - step, before + step)
        return mark

    def median(self, view: View) -> int:
        """Return the median of the inputs that have a price."""
        prices = [price for price in (self.input(name, view) for name in self.inputs) if price is not None]
        if len(prices) == 2 and self.fallback is not None:
            joining = self.input(self.fallback, view)
            prices += [] if joining is None else [joining]
        mark = floor(middle([Fraction(price) for price in prices])) if prices else view.index
        assert min(prices, default=mark) <= mark <= max(prices, default=mark), "a median lies between its inputs"
        return mark

    def input(self, name: str, view: View) -> int | None:
        """Return the price of an input, None if it has none."""
        index, touch = view.index, view.touch()
        basis_ema, touch_ema = (ema.ticks() if ema else None for ema in (self.basis_ema, self.touch_ema))
        owed = index * (view.rate or 0) * view.left // (BILLION * view.rate_period)
        prices = {
            "index": index,
            "last": view.last or index,
            "basis": index + (sum(self.basis) // (2 * len(self.basis)) if self.basis else 0),
            "basis_ema": index + (basis_ema or 0),
            "funding": index + owed,
            "touch": None if touch is None else floor(touch),
            "touch_ema": touch_ema,
            "external": view.external,
        }
        return prices[name]


class Funding:
    """The funding rule of a market, its samples and its timer."""

    def __init__(self, terms: Config, first_tier: Config) -> None:
        self.first_ns: int = terms["first_ns"]
        self.due = self.first_ns
        self.interval_ns: int = terms["interval_ns"]
        self.interest: int = terms["interest_ppb"]
        self.clamp: int = terms["clamp_ppb"]
        self.cap: int = terms["cap_ppb"]
        multiple = terms.get("cap_margin_multiple")
        if multiple is not None:
            margins = first_tier["initial_ppm"] - first_tier["maintenance_ppm"]
            self.cap = min(self.cap, multiple * 1000 * margins)
        self.impact_qty: int = terms["impact_qty"]
        self.rate_period: int = terms.get("rate_period_ns") or self.interval_ns
        self.by_index: bool = terms.get("price") == "index"
        self.accrual: Config | None = terms.get("accrual")
        self.is_capped: bool = terms.get("payers") == "capped"
        self.rule: Config | None = terms.get("votes")
        self.samples: list[int] = []
        self.votes: list[int] = []
        self.votes_end = 0
        self.last_rate: int | None = None

    def take(self, premium: int, now: int) -> None:
        """Take a premium as a vote or as a sample."""
        if self.rule is None:
            self.samples.append(premium)
            return
        if now >= self.votes_end:
            self.close_votes()
            period = self.rule["period_ns"]
            passed = max(0, (now - self.first_ns) // period + 1)
            self.votes_end = min(NEVER, self.first_ns + passed * period)
        if len(self.votes) < VOTES_MAX:
            self.votes.append(premium)

    def close_votes(self) -> None:
        """Make the votes so far one sample."""
        if self.rule is not None and self.votes:
            padded = self.votes + [0] * (self.rule["votes_min"] - len(self.votes))
            self.samples.append(truncated(middle([Fraction(vote) for vote in padded])))
            self.votes = []

    def begin(self, held: int) -> int:
        """Return the rate of a settlement, with what users hold together; samples start anew."""
        self.close_votes()
        least = 0 if self.rule is None else self.rule["samples_min"]
        count = max(len(self.samples), least)
        average = truncated(Fraction(sum(self.samples), count)) if count else 0
        rate = average + clamp(self.interest - average, -self.clamp, self.clamp)
        self.samples = []
        self.due = min(NEVER, self.due + self.interval_ns)
        self.last_rate = 0 if held > HELD_MAX else clamp(rate, -self.cap, self.cap)
        return self.last_rate

    def index_units(self, rate: int, price: int) -> int:
        """Return by how many units the funding index moves; 0 without one."""
        if self.accrual is None:
            return 0
        units = Fraction(self.accrual["units"], self.accrual["ticks"])
        return truncated(Fraction(rate, BILLION) * price * units * Fraction(self.interval_ns, self.rate_period))

    def owed(self, worth: Fraction, per_tick: Fraction, rate: int, price: int) -> int:
        """Return what signed lots of a worth owe; with accrual it goes by what they gain with a tick."""
        if self.accrual is None:
            exact = worth * Fraction(rate, BILLION) * Fraction(self.interval_ns, self.rate_period)
        else:
            per_unit = Fraction(self.accrual["ticks"], self.accrual["units"])
            exact = per_tick * self.index_units(rate, price) * per_unit
        return -floor(-exact)


@dataclass(slots=True)
class Settlement:
    """A funding settlement under way: which account is next, and in a capped one who pays or receives now."""

    market: int
    rate: int
    price: int
    next_account: int = 0
    receiving: bool = False
    collected: int = field(default=0)
