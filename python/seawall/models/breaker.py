"""Breakers as people write them: reference and width, test, action, exit, re-arm, scope."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from seawall.models.exact import Duration, Exact, Model, NonNegative, Positive, ppb, ppm, whole

__all__ = ["Breaker"]

Prices = Literal["trade", "mark"]
"""Prices that a reference is made of: trades in the book, or marks."""


Amount: TypeAlias = Callable[[Decimal, str], int]
"""An amount in minor units of the valuation asset; ValueError if it is not whole."""


@dataclass(frozen=True)
class Units:
    """How the markets of a rule count prices."""

    ticks: Callable[[Decimal, str], int]
    """A price, or a distance, in ticks; ValueError if it is not whole in every market of the rule."""


class SetReference(Model):
    """A price that is told by a command: the close or settlement of the day before."""

    type: Literal["set"]
    """The type of the reference."""
    price: Positive | None = None
    """The price until it is told; absent for none, and the rule rests."""


class PlainReference(Model):
    """The last auction, the mark, the index, the touch (best ask above, best bid below) or its middle."""

    type: Literal["auction", "mark", "index", "touch", "mid"]
    """The type of the reference."""


class LastReference(Model):
    """The last price as of the start of the step."""

    type: Literal["last"]
    """The type of the reference."""
    prices: Prices = "trade"
    """Of what."""


class AgedReference(Model):
    """The last price that is at least so old."""

    type: Literal["aged"]
    """The type of the reference."""
    prices: Prices = "trade"
    """Of what."""
    age: Duration
    """The age."""
    or_first: bool = False
    """As long as there is none that old, the first one is taken."""


class MeanReference(Model):
    """The mean of the trades of a while, which replaces the reference if it differs enough and that is old enough."""

    type: Literal["mean"]
    """The type of the reference."""
    window: Duration
    """Length of the window."""
    hysteresis: NonNegative = Decimal(0)
    """Least difference as a share of the reference."""
    life: Duration = 0
    """Least age of the reference."""


class WindowReference(Model):
    """The lowest price of a while for the upper bound, the highest for the lower."""

    type: Literal["window"]
    """The type of the reference."""
    prices: Prices = "trade"
    """Of what."""
    window: Duration
    """Length of the window."""


class SlewedReference(Model):
    """The index, followed by no more than a share of itself at each new one."""

    type: Literal["slewed"]
    """The type of the reference."""
    most: Positive
    """The share."""


class AveragedReference(Model):
    """The index with the mean premium of the middle of the book in a while, or the standard deviation of marks."""

    type: Literal["index_premium", "deviation"]
    """The type of the reference; a deviation serves widths only."""
    window: Duration
    """Length of the window."""


Reference = Annotated[
    SetReference
    | PlainReference
    | LastReference
    | AgedReference
    | MeanReference
    | WindowReference
    | SlewedReference
    | AveragedReference,
    Field(discriminator="type"),
]
"""What a range is measured from."""


def _reference(of: Any, units: Units, at: str) -> dict[str, Any]:  # noqa: ANN401 - one of the references
    out: dict[str, Any] = {"type": of.type}
    if isinstance(of, SetReference):
        out["price"] = None if of.price is None else units.ticks(of.price, f"{at}.price")
    for name in ("prices", "or_first"):
        if hasattr(of, name):
            out[name] = getattr(of, name)
    for name in ("window", "age", "life"):
        if hasattr(of, name):
            out[f"{name}_ns"] = getattr(of, name)
    for name in ("hysteresis", "most"):
        if hasattr(of, name):
            out[f"{name}_ppm"] = ppm(getattr(of, name), f"{at}.{name}")
    return out


class InfiniteWidth(Model):
    """Any distance."""

    type: Literal["infinite"]
    """The type of the width."""

    def config(self, units: Units, at: str) -> dict[str, Any]:  # noqa: ARG002 - one form for all widths
        """Return what the core reads."""
        return {"type": self.type}


class ShareWidth(Model):
    """A share of a price."""

    type: Literal["share"]
    """The type of the width."""
    share: Positive
    """The share."""
    of: Reference | None = None
    """Of which price; absent for the reference itself."""
    step: Positive | None = None
    """The product is cut down to a multiple of this; absent for exact."""

    def config(self, units: Units, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        return {
            "type": "ppm",
            "ppm": ppm(self.share, f"{at}.share"),
            "of": None if self.of is None else _reference(self.of, units, f"{at}.of"),
            "step": None if self.step is None else units.ticks(self.step, f"{at}.step"),
        }


class AbsoluteWidth(Model):
    """A distance in units of price."""

    type: Literal["absolute"]
    """The type of the width."""
    distance: Positive
    """The distance."""

    def config(self, units: Units, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": "ticks", "ticks": units.ticks(self.distance, f"{at}.distance")}


class TicksWidth(Model):
    """A number of ticks."""

    type: Literal["ticks"]
    """The type of the width."""
    ticks: int = Field(gt=0)
    """The number."""

    def config(self, units: Units, at: str) -> dict[str, Any]:  # noqa: ARG002 - one form for all widths
        """Return what the core reads."""
        return {"type": "ticks", "ticks": self.ticks}


class BySideWidth(Model):
    """Another width for each side."""

    type: Literal["by_side"]
    """The type of the width."""
    up: "Width | None" = None
    """Above the reference; absent for any distance."""
    down: "Width | None" = None
    """Below the reference; absent for any distance."""

    def config(self, units: Units, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        sides = {"up": self.up, "down": self.down}
        return {"type": self.type} | {n: w and w.config(units, f"{at}.{n}") for n, w in sides.items()}


class WidthTier(Model):
    """A row of widths by price."""

    start: NonNegative = Field(alias="from")
    """The lowest price of the row; the first is 0."""
    width: "Width"
    """The width."""


class TieredWidth(Model):
    """By the price: the last row whose ``from`` is not above it."""

    type: Literal["tiers"]
    """The type of the width."""
    by: Reference | None = None
    """Which price; absent for the reference itself."""
    rows: tuple[WidthTier, ...]
    """The rows, by ``from``."""

    def config(self, units: Units, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        rows = [
            {
                "from": units.ticks(row.start, f"{at}.rows[{n}].from"),
                "width": row.width.config(units, f"{at}.rows[{n}].width"),
            }
            for n, row in enumerate(self.rows)
        ]
        by = None if self.by is None else _reference(self.by, units, f"{at}.by")
        return {"type": self.type, "by": by, "rows": rows}


class QuantileWidth(Model):
    """The quantile of the price at a horizon, log-normal with a drift and a volatility per year of 365.25 days."""

    type: Literal["quantile"]
    """The type of the width."""
    drift: Exact = Decimal(0)
    """Drift per year."""
    volatility: Positive
    """Volatility per year."""
    horizon: Duration
    """The horizon."""
    probability: Positive
    """Probability that the price is inside, two-sided."""

    def config(self, units: Units, at: str) -> dict[str, Any]:  # noqa: ARG002 - one form for all widths
        """Return what the core reads."""
        return {
            "type": self.type,
            "drift_ppm": ppm(self.drift, f"{at}.drift"),
            "volatility_ppm": ppm(self.volatility, f"{at}.volatility"),
            "horizon_ns": self.horizon,
            "probability_ppb": ppb(self.probability, f"{at}.probability"),
        }


class Hour(Model):
    """A multiple between two times of the market's day."""

    start: Duration = Field(alias="from")
    """The first time, from the start of the day."""
    until: Duration
    """The first time after it."""
    multiple: Positive
    """The multiple."""


class HoursWidth(Model):
    """A multiple at some times of the day."""

    type: Literal["hours"]
    """The type of the width."""
    of: "Width"
    """Of which width."""
    rows: tuple[Hour, ...]
    """The times; the first row that holds counts."""

    def config(self, units: Units, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        rows = [
            {
                "from_ns": row.start,
                "until_ns": row.until,
                "multiple_ppm": ppm(row.multiple, f"{at}.rows[{n}].multiple"),
            }
            for n, row in enumerate(self.rows)
        ]
        return {"type": self.type, "of": self.of.config(units, f"{at}.of"), "rows": rows}


class LevelsWidth(Model):
    """Shares of the reference below it, by level: for rules by index with a schedule."""

    type: Literal["levels"]
    """The type of the width."""
    shares: tuple[Positive, ...]
    """The shares, rising."""

    def config(self, units: Units, at: str) -> dict[str, Any]:  # noqa: ARG002 - one form for all widths
        """Return what the core reads."""
        return {"type": self.type, "ppm": [ppm(share, f"{at}.shares[{n}]") for n, share in enumerate(self.shares)]}


class CombinedWidth(Model):
    """The least, or the greatest, of some."""

    type: Literal["lesser_of", "greater_of"]
    """The type of the width."""
    of: tuple["Width", ...]
    """Of which."""

    def config(self, units: Units, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type, "of": [w.config(units, f"{at}.of[{n}]") for n, w in enumerate(self.of)]}


Width = Annotated[
    InfiniteWidth
    | ShareWidth
    | AbsoluteWidth
    | TicksWidth
    | BySideWidth
    | TieredWidth
    | QuantileWidth
    | HoursWidth
    | LevelsWidth
    | CombinedWidth,
    Field(discriminator="type"),
]
"""How far a price may go from the reference."""

for _model in (BySideWidth, WidthTier, TieredWidth, HoursWidth, CombinedWidth):
    _model.model_rebuild()


class Range(Model):
    """A reference and a width."""

    reference: Reference
    """What is measured from."""
    width: Width
    """How far a price may go."""
    reach: Reference | None = None
    """A price that the range contains, whatever the width."""

    def config(self, units: Units, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        return {
            "reference": _reference(self.reference, units, f"{at}.reference"),
            "width": self.width.config(units, f"{at}.width"),
            "reach": None if self.reach is None else _reference(self.reach, units, f"{at}.reach"),
        }


class Rounding(Model):
    """How bounds become ticks."""

    type: Literal["inward", "half_up", "half_even"] = "inward"
    """To the ticks that are inside, or to the nearest multiple of the step."""
    step: Positive | None = None
    """The multiple, for the nearest."""

    def config(self, units: Units, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        if (self.type == "inward") != (self.step is None):
            raise ValueError(f"{at}.step: goes with half_up and half_even, and they need it")
        return {"type": self.type} | ({} if self.step is None else {"step": units.ticks(self.step, f"{at}.step")})


class EntryTest(Model):
    """The limit of an order that comes in."""

    type: Literal["entry"]
    """The type of the test."""
    passive: bool = False
    """An order that meets nobody is left alone, wherever its limit is."""

    def config(self, at: str, amount: Amount) -> dict[str, Any]:  # noqa: ARG002 - one form for all tests
        """Return what the core reads."""
        return self.model_dump()


class TradeTest(Model):
    """The price of each level before an order trades at it."""

    type: Literal["trade"]
    """The type of the test."""
    immediate: Literal["trips", "spared"] = "trips"
    """Whether an order that does not rest trips an interruption, or only loses its rest."""
    rest: Literal["cancelled", "rests"] = "cancelled"
    """What is left of a resting order that tripped one."""
    auction: bool = False
    """Whether it is also asked with the price at which an auction would end."""

    def config(self, at: str, amount: Amount) -> dict[str, Any]:  # noqa: ARG002 - one form for all tests
        """Return what the core reads."""
        return self.model_dump()


class PlainTest(Model):
    """A new mark or index, the touch, the time between two commands; or nothing: a command alone makes it act."""

    type: Literal["mark", "index", "quote", "gap", "manual"]
    """The type of the test."""

    def config(self, at: str, amount: Amount) -> dict[str, Any]:  # noqa: ARG002 - one form for all tests
        """Return what the core reads."""
        return self.model_dump()


class CountTest(Model):
    """What liquidations, auto-deleveraging and the fund came to in a while."""

    type: Literal["count"]
    """The type of the test."""
    of: Literal["liquidations", "liquidated", "deleveraged", "fund_paid", "drawdowns"]
    """What is counted: orders, value traded by them, value deleveraged, what the fund paid, drawdowns that began."""
    window: Duration
    """Length of the window."""
    least: Positive
    """It trips at this number, or amount."""

    def config(self, at: str, amount: Amount) -> dict[str, Any]:
        """Return what the core reads."""
        if self.of in {"liquidations", "drawdowns"}:
            least = whole(self.least, Decimal(1), f"{at}.least", "one")
        else:
            least = amount(self.least, f"{at}.least")
        return {"type": self.type, "of": self.of, "window_ns": self.window, "least": least}


class ValueBelow(Model):
    """An amount that the depth is worth at the mark."""

    type: Literal["value"]
    """The type of the least depth."""
    least: Positive
    """It trips below this."""

    def config(self, at: str, amount: Amount) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type, "least": amount(self.least, f"{at}.least")}


class MeanBelow(Model):
    """A share of the mean of the depth at the marks of a while."""

    type: Literal["mean"]
    """The type of the least depth."""
    share: Positive
    """It trips below this share."""
    window: Duration
    """Over how long."""

    def config(self, at: str, amount: Amount) -> dict[str, Any]:  # noqa: ARG002 - one form for both
        """Return what the core reads."""
        return {"type": self.type, "share_ppm": ppm(self.share, f"{at}.share"), "window_ns": self.window}


class DepthTest(Model):
    """What the thinner side of the book shows near the mark, after a new mark."""

    type: Literal["depth"]
    """The type of the test."""
    width: Positive
    """How far from the mark, as a share of it."""
    below: Annotated[ValueBelow | MeanBelow, Field(discriminator="type")]
    """What it trips below."""

    def config(self, at: str, amount: Amount) -> dict[str, Any]:
        """Return what the core reads."""
        below = self.below.config(f"{at}.below", amount)
        return {"type": self.type, "width_ppm": ppm(self.width, f"{at}.width"), "below": below}


class PendingTest(Model):
    """What waits for liquidation against a side of the book, after a new mark."""

    type: Literal["pending"]
    """The type of the test."""
    width: Positive
    """How far from the mark the book is looked at, as a share of it."""
    share: Positive
    """It trips above this share of what the side shows."""

    def config(self, at: str, amount: Amount) -> dict[str, Any]:  # noqa: ARG002 - one form for all tests
        """Return what the core reads."""
        shares = {"width_ppm": ppm(self.width, f"{at}.width"), "share_ppm": ppm(self.share, f"{at}.share")}
        return {"type": self.type, **shares}


class PlainAction(Model):
    """Refuse an order as a whole, limit it to the bound, or stop it at the bound and cancel its rest."""

    type: Literal["reject", "cap", "stop"]
    """The type of the action."""

    def config(self) -> dict[str, Any]:
        """Return what the core reads."""
        return self.model_dump()


PhaseName = Literal["guarded", "cooling_off", "call_auction", "pause", "reduce_only", "close_only", "halted", "closed"]
"""A phase that a breaker may lead into."""


class InterruptAction(Model):
    """The market enters a phase."""

    type: Literal["interrupt"]
    """The type of the action."""
    phase: PhaseName
    """Which."""

    def config(self) -> dict[str, Any]:
        """Return what the core reads."""
        return self.model_dump()


class LimitStateAction(Model):
    """The market enters a limit state; if that lasts, the pause of the exit, or close-only shortly before the close."""

    type: Literal["limit_state"]
    """The type of the action."""
    hold: Duration
    """How long it may last."""
    close: Duration | None = None
    """When the market closes, from the start of its day; absent for never."""
    close_only: Duration = 0
    """With no more than this to the close there is no pause."""

    def config(self) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type, "hold_ns": self.hold, "close_ns": self.close, "close_only_ns": self.close_only}


class LevelRow(Model):
    """What happens when an index reaches a level from a time of the day on."""

    level: int = Field(gt=0)
    """Number of the level, from 1."""
    start: Duration = Field(alias="from")
    """Time since the start of the day."""
    phase: PhaseName | None = None
    """The phase that follows; absent for none."""
    after: Duration | None = None
    """How long it lasts; absent until a command ends it."""
    auction: Duration = 0
    """Length of the auction after it; 0 for none."""


class ScheduleAction(Model):
    """What the row of a day's level says."""

    type: Literal["schedule"]
    """The type of the action."""
    rows: tuple[LevelRow, ...]
    """The rows."""

    def config(self) -> dict[str, Any]:
        """Return what the core reads."""
        names = {"level": "level", "from_ns": "start", "phase": "phase", "after_ns": "after", "auction_ns": "auction"}
        return {"type": self.type, "rows": [{k: getattr(row, n) for k, n in names.items()} for row in self.rows]}


class GapRow(Model):
    """A gap between two commands, and the auction that follows."""

    gap: Duration
    """The least gap."""
    after: Duration
    """Length of the auction."""


class GapsAction(Model):
    """A call auction by the length of the gap."""

    type: Literal["gaps"]
    """The type of the action."""
    rows: tuple[GapRow, ...]
    """The rows, by gap."""

    def config(self) -> dict[str, Any]:
        """Return what the core reads."""
        return {"type": self.type, "rows": [{"gap_ns": row.gap, "after_ns": row.after} for row in self.rows]}


class CollarFlat(Model):
    """The step of a collar for bounds up to a price."""

    step: Positive
    """The step."""
    up_to: Positive
    """The highest bound that has it."""


class Collar(Model):
    """The bound that was hit moves out by a step, and by one more at each extension; the other bound stays."""

    step: Positive
    """The step as a share of the bound that was hit."""
    flat: CollarFlat | None = None
    """Another step for low prices."""
    rounding: Rounding = Rounding()
    """How the moved bound becomes ticks."""

    def config(self, units: Units, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        flat = self.flat and {
            "step": units.ticks(self.flat.step, f"{at}.flat.step"),
            "up_to": units.ticks(self.flat.up_to, f"{at}.flat.up_to"),
        }
        rounding = self.rounding.config(units, f"{at}.rounding")
        return {"step_ppm": ppm(self.step, f"{at}.step"), "flat": flat, "rounding": rounding}


class Extension(Model):
    """How an auction goes on whose price would be outside."""

    after: Duration
    """By how much."""
    most: int | None = Field(default=None, gt=0)
    """How often at most, then it ends at any price; absent for no limit."""
    collar: Collar | None = None
    """What inside is, where that is not the bounds that were left."""
    re_reference: Positive | None = None
    """Each time the reference moves to the edge nearest to the price, in multiples of this; absent for not."""

    def config(self, units: Units, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        tick = self.re_reference
        return {
            "after_ns": self.after,
            "most": self.most,
            "collar": self.collar and self.collar.config(units, f"{at}.collar"),
            "re_reference": None if tick is None else units.ticks(tick, f"{at}.re_reference"),
        }


class MarginMeanwhile(Model):
    """What margin rates of a market are multiplied by while a rule acts there."""

    initial: Positive = Decimal(1)
    """Factor of initial rates; they end at 100 %."""
    maintenance: Positive = Decimal(1)
    """Factor of maintenance rates."""
    leverage_max: int | None = Field(default=None, gt=0, lt=2**16)
    """The leverage that initial rates allow at most, after that; absent for any."""

    def config(self, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        said = {
            "initial_ppm": ppm(self.initial, f"{at}.initial"),
            "maintenance_ppm": ppm(self.maintenance, f"{at}.maintenance"),
        }
        return said if self.leverage_max is None else {**said, "leverage_max": self.leverage_max}


class Meanwhile(Model):
    """What else holds while a rule acts in a market: to the end of the phase, reopening auction included."""

    mark: Literal["follows", "stands", "auction", "auction_and_mark"] = "follows"
    """The mark goes on as ever, or stays; or it is the median of index and price of the auction, and of itself."""
    gates_withdrawals: bool = False
    """Withdrawals and transfers are refused, in the whole venue."""
    liquidation_rounds: int | None = Field(default=None, ge=0, lt=2**32)
    """Rounds of the waterfall in a step, in the whole venue; absent for those of the limits."""

    margin: MarginMeanwhile | None = None
    """What the margin rates of the market are multiplied by; absent for nothing."""

    def config(self, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        said = {
            "mark": self.mark if self.mark != "follows" else None,
            "gates_withdrawals": self.gates_withdrawals or None,
            "liquidation_rounds": self.liquidation_rounds,
            "margin": self.margin and self.margin.config(f"{at}.margin"),
        }
        return _said(said)


class Exit(Model):
    """How an interruption ends."""

    after: Duration | None = None
    """Its length; absent until a command ends it."""
    random: Duration = 0
    """Up to so much is added by the venue's keyed draw."""
    auction: Duration | None = None
    """Length of the auction after a halt or pause; absent for the market's own."""
    extension: Extension | None = None
    """How an auction goes on if its price is outside; absent for not at all."""
    meanwhile: Meanwhile = Meanwhile()
    """What else holds while the rule acts."""

    def config(self, units: Units, at: str) -> dict[str, Any]:
        """Return what the core reads."""
        extension = self.extension and self.extension.config(units, f"{at}.extension")
        meanwhile = self.meanwhile.config(f"{at}.meanwhile") or None
        said = {
            "random_ns": self.random or None,
            "auction_ns": self.auction,
            "extension": extension,
            "meanwhile": meanwhile,
        }
        return {"after_ns": self.after} | _said(said)


class Rearm(Model):
    """How a rule comes back after it acted."""

    restart: bool = False
    """Its references start anew from the price that tripped."""
    cooldown: Duration = 0
    """It does not trip again for so long."""
    per_day: int | None = Field(default=None, gt=0)
    """Trips per day of the market; absent for no limit."""
    auction: bool = False
    """References start anew from the price of the auction that ends the interruption."""

    def config(self) -> dict[str, Any]:
        """Return what the core reads."""
        said = {
            "restart": self.restart or None,
            "cooldown_ns": self.cooldown or None,
            "per_day": self.per_day,
            "auction": self.auction or None,
        }
        return _said(said)


class Breaker(Model):
    """One breaker."""

    name: str
    """Name."""
    enabled: bool = True
    """Whether the rule is given to the venue."""
    active: bool = True
    """Whether it acts from the start; a command can change that."""
    markets: tuple[str, ...]
    """Names of the markets that it watches."""
    interrupts: Literal["own", "venue"] | tuple[str, ...] = "own"
    """The market in which it tripped, every market, or that market and the ones named."""
    exempt: tuple[Literal["liquidation", "reduce_only", "post_only"], ...] = ()
    """Flows that it does not bind."""
    ranges: tuple[Range, ...] = ()
    """References and widths."""
    when: Literal["outside_any", "outside_all"] = "outside_any"
    """Which of several ranges a price has to leave."""
    rounding: Rounding = Rounding()
    """How bounds become ticks."""
    inclusive: bool = True
    """Whether a price at a bound is inside."""
    test: Annotated[
        EntryTest | TradeTest | PlainTest | CountTest | DepthTest | PendingTest, Field(discriminator="type")
    ]
    """Where it is tested."""
    action: Annotated[
        PlainAction | InterruptAction | LimitStateAction | ScheduleAction | GapsAction, Field(discriminator="type")
    ]
    """What it does."""
    exit: Exit | None = None
    """How an interruption ends; absent for a constraint."""
    rearm: Rearm = Rearm()
    """How the rule comes back after it acted."""

    def config(
        self, at: str, ticks: Callable[[str, Decimal, str], int], number: Callable[[str, str], int], amount: Amount
    ) -> dict[str, Any]:
        """Return what the core reads: `ticks` counts a price of a market, `number` finds a market."""

        def same(price: Decimal, field: str) -> int:
            return _same({ticks(name, price, field) for name in self.markets}, field)

        units = Units(same)
        out: dict[str, Any] = {
            "name": self.name,
            "enabled": self.active,
            "markets": [number(name, f"{at}.markets") for name in self.markets],
            "exempt": list(self.exempt),
            "ranges": [one.config(units, f"{at}.ranges[{n}]") for n, one in enumerate(self.ranges)],
            "inclusive": self.inclusive,
            "test": self.test.config(f"{at}.test", amount),
            "action": self.action.config(),
        }
        if self.when != "outside_any":
            out["when"] = self.when
        if self.rounding != Rounding():
            out["rounding"] = self.rounding.config(units, f"{at}.rounding")
        if self.interrupts != "own":
            named = self.interrupts
            group = named if isinstance(named, tuple) else ()
            listed = {"group": [number(name, f"{at}.interrupts") for name in group]}
            out["interrupts"] = named if isinstance(named, str) else listed
        if self.exit is not None:
            out["exit"] = self.exit.config(units, f"{at}.exit")
        if self.rearm != Rearm():
            out["rearm"] = self.rearm.config()
        return out


def _said(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part is not None}


def _same(counts: Iterable[int], field: str) -> int:
    first, *others = counts
    if others:
        raise ValueError(f"{field}: is not the same number of ticks in every market; give each market its own rule")
    return first
