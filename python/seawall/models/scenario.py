"""Scenarios: what people write about a crash day, and its exact conversion into the integers of the world.

The structure is that of rust/sim/src/scenario.rs. Prices, quantities and amounts are decimal strings and become
ticks, lots and minor units of the venue without rounding; ratios, basis points and exponents are real numbers.
"""

import json
from decimal import Decimal
from typing import Any, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from seawall.models.exact import Duration, Exact, Instant, Model, NonNegative, Positive
from seawall.models.venue import VenueProfile

__all__ = [
    "Arbitrage",
    "Bridge",
    "Depth",
    "Exogenous",
    "Fact",
    "Flow",
    "FundShare",
    "Impact",
    "Makers",
    "MarketInputs",
    "Momentum",
    "Noise",
    "Population",
    "PositionEntry",
    "PositionSize",
    "ProfitTaking",
    "Provenance",
    "Published",
    "ScenarioModel",
    "Segment",
    "SourceNote",
    "Switches",
    "Work",
]

DepthPoint: TypeAlias = tuple[float, Positive]
Bar: TypeAlias = tuple[Positive, Positive, Positive, Positive]
LeverageWeight: TypeAlias = tuple[float, float]


class Segment(Model):
    """Consecutive bars of one duration."""

    start: Instant
    """Beginning of the first bar."""
    duration_ns: Duration
    """Length of each bar."""
    source: int = Field(ge=0)
    """Place of the source in `sources`."""
    bars: tuple[Bar, ...]
    """Open, high, low, close of each bar, in the valuation asset."""


class Depth(Model):
    """Cumulative depth by distance from the middle."""

    bids: tuple[DepthPoint, ...]
    """Points of distance in basis points and cumulative notional."""
    asks: tuple[DepthPoint, ...]
    """The same for asks."""


class MarketInputs(Model):
    """Inputs of one market."""

    path: tuple[Segment, ...]
    """Bars of the index proxy, in segments without gaps."""
    lead: str | None = None
    """Market whose finer path says when, inside a bar, this one has its extremes."""
    open_interest: NonNegative
    """Sum of long positions at the start, in units of the underlying."""
    account_weight: float
    """Weight of this market among accounts that hold one market only."""
    depth: Depth
    """The quoted book in normal times."""


class FundShare(Model):
    """Insurance funds at the start."""

    to_open_interest: float
    """Share of the open interest of the markets that a fund stands behind; a venue's backstop has it instead."""


class Bridge(Model):
    """How the path inside a bar is drawn."""

    roughness: float
    """Standard deviation of the noise over a bar, as a share of the bar's range."""
    lead_share: float
    """How much of the lead market's shape a led market follows: 0 none, 1 all."""


class Impact(Model):
    """What liquidations do to the index."""

    cascade_share: float
    """Share of the overshoot that is attributed to forced sales and taken out of the path."""
    overshoot_window_ns: Duration
    """Time within which a fall begins and is taken back to count as overshoot."""
    coefficient: float
    """Response, as a share of the price, to a decayed liquidation volume of the whole open interest."""
    exponent: float
    """Exponent of the response: 1 linear, 0.5 the square-root law."""
    decay_ns: Duration
    """Time in which a past volume's weight falls by the factor e."""
    response_max: float
    """Largest response, as a share of the price."""


class PositionSize(Model):
    """Position sizes: a lognormal body with a Pareto tail, scaled to the open interest."""

    sigma: float
    """Standard deviation of the logarithm in the body."""
    tail_share: float
    """Share of accounts in the tail."""
    tail_alpha: float
    """Tail index: smaller is heavier."""
    share_max: float
    """Largest position as a share of the open interest."""


class PositionEntry(Model):
    """Entry prices relative to the index at the start."""

    spread_bps: float
    """Standard deviation in basis points."""
    shift_bps: float
    """Shift in basis points; positive puts entries above the start."""
    distance_max_bps: float
    """Largest distance from the start in basis points."""


class Population(Model):
    """The leveraged accounts."""

    long_share: float
    """Share of accounts that are long."""
    all_markets_share: float
    """Share of accounts that hold every market of the venue."""
    size: PositionSize
    """Sizes of positions."""
    entry: PositionEntry
    """Entry prices."""
    long_leverage: tuple[LeverageWeight, ...]
    """Effective leverage of longs and its weight."""
    short_leverage: tuple[LeverageWeight, ...]
    """Effective leverage of shorts that are not hedged and its weight."""
    leverage_jitter: float
    """Leverage is drawn between 1 - jitter and 1 times the chosen one."""
    leverage_size_exponent: float
    """Leverage falls with size above the median to this power."""
    hedged_share: float
    """Share of short accounts that are hedges."""
    hedged_size_factor: float
    """Size of a hedge as a multiple of an ordinary draw."""
    hedged_leverage_median: float
    """Median effective leverage of a hedge."""
    hedged_leverage_sigma: float
    """Standard deviation of its logarithm."""


class Makers(Model):
    """The market makers."""

    accounts: int
    """Accounts that quote in every market."""
    levels: int
    """Price levels per side and market, all makers together."""
    capital: Positive
    """Capital of each."""
    inventory_leverage: float
    """Largest inventory of one maker in one market as a multiple of its capital."""
    skew_bps: float
    """Shift of the reservation price at full inventory."""
    half_spread_bps: float
    """Distance of the best quote from the reservation price in normal times."""
    distance_max_bps: float
    """Distance of the farthest quote."""
    depth_factor: float
    """Quoted depth as a multiple of the depth curve."""
    replenish_ns: Duration
    """Time in which depth that was taken comes back by the factor e."""
    stress_halflife_ns: Duration
    """Half-life of the volatility and flow that makers see."""
    volatility_normal_bps: float
    """Normal volatility of the index, basis points per square root of a second."""
    withdrawal_volatility: float
    """Withdrawal by volatility above normal."""
    withdrawal_flow: float
    """Withdrawal by liquidation flow."""
    depth_floor: float
    """Least share of normal depth that stays."""
    spread_volatility: float
    """Half spread as a multiple of the volatility over a second, where that is larger."""


class Noise(Model):
    """Noise traders: immediate-or-cancel orders, side by a fair coin."""

    accounts: int
    """Accounts that take turns."""
    capital: Positive
    """Capital of each."""
    orders_per_second: float
    """Mean number of orders per second and market."""
    size_median: Positive
    """Median notional of an order."""
    size_sigma: float
    """Standard deviation of the logarithm of the size."""


class Momentum(Model):
    """One trend follower."""

    capital: Positive
    """Capital."""
    window_ns: Duration
    """Length of the move that is followed."""
    threshold_bps: float
    """Least size of the move."""
    size: Positive
    """Notional of an order; at most one per market and second."""
    position_max: Positive
    """Largest position, as a notional."""


class Arbitrage(Model):
    """One arbitrageur between the venue and the index."""

    capital: Positive
    """Capital."""
    threshold_bps: float
    """Least distance of the best quote beyond the index at which it is taken."""
    size: Positive
    """Largest notional of an order."""
    position_max: Positive
    """Largest position, as a notional."""


class ProfitTaking(Model):
    """Accounts of the population that close by choice as the price falls, in pairs of a short and a long."""

    share_per_percent: float
    """Share of the open interest at the start that each side closes per cent of new low below the start."""
    delay_ns: Duration
    """Time over which the decision is carried out, by the factor e."""
    limit_bps: float
    """Farthest price from the index that is taken, basis points."""


class Exogenous(Model):
    """A quantity traded evenly over a time."""

    market: str
    """Name of the market."""
    start: Instant
    """Beginning."""
    end: Instant
    """End."""
    qty: Exact
    """Signed quantity in units of the underlying; positive buys."""
    source: int = Field(ge=0)
    """Place of the source in `sources`."""


class Flow(Model):
    """Everybody else who trades."""

    noise: Noise
    """Small orders both ways."""
    momentum: Momentum
    """Orders that follow the last move."""
    arbitrage: Arbitrage
    """Orders that tie the venue's price to the index."""
    profit_taking: ProfitTaking
    """Holders who take profits and cut losses."""
    exogenous_capital: Positive
    """Capital of the account that sends the exogenous flow."""
    exogenous: tuple[Exogenous, ...] = ()
    """Flow given from outside."""


class Work(Model):
    """Bounds of work."""

    pulses_per_step_max: int
    """Most Pulse commands in one step."""


class Switches(Model):
    """What is switched on."""

    liquidations: bool = True
    """The venue liquidates."""
    impact: bool = True
    """Liquidations move the index."""
    makers: bool = True
    """Makers quote."""
    maker_withdrawal: bool = True
    """Makers withdraw under stress."""
    noise: bool = True
    """Noise traders trade."""
    momentum: bool = True
    """The trend follower trades."""
    arbitrage: bool = True
    """The arbitrageur trades."""
    profit_taking: bool = True
    """Holders take profits and cut losses."""
    exogenous: bool = True
    """Exogenous flow is sent."""


class SourceNote(Model):
    """One source of figures."""

    name: str
    """Where the figures come from."""
    note: str = ""
    """What was taken and how."""


class Provenance(Model):
    """Where a figure of the file comes from."""

    path: str
    """Path of the figure in the file."""
    kind: Literal["input", "calibrated"]
    """A recorded figure, or one chosen so that the replay resembles the record."""
    reason: str
    """Why it has this value."""
    source: int | None = None
    """Place of the source in `sources`; absent where there is none."""


class Fact(Model):
    """Which recorded fact a published figure is, in the words of the conformance vectors (`event.fact`)."""

    event: str
    """The event, for example "2025-10-10 hyperliquid"."""
    measure: str
    """What was measured."""
    market: str | None = None
    """The market; absent for all."""
    burst_rank: int | None = None
    """k-th largest one-instant burst; absent for the whole event."""


class Published(Model):
    """One published figure of the event: a row of the scorecard."""

    metric: str
    """Name of a measure of the run (`seawall.run.Run.measures`), or of what it would be if there is none."""
    value: Exact | None = None
    """The published value."""
    at: Instant | None = None
    """The published time, for a metric that is a time."""
    kind: Literal["input", "calibrated", "predicted"]
    """Whether the replay was given it, was fitted to it, or predicts it."""
    source: str
    """Who published it."""
    note: str = ""
    """What to know about it."""
    fact: Fact | None = None
    """The recorded fact that it is, if it is one."""

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if (self.value is None) == (self.at is None):
            raise ValueError(f"{self.metric}: give either value or at")
        return self


class ScenarioModel(Model):
    """A scenario as people write it.

    Examples
    --------
    >>> from seawall.models import load_scenario
    >>> scenario, profile = load_scenario("calm", set=["switches.noise=false"])
    >>> scenario.switches.noise
    False
    """

    schema_version: Literal[1]
    """Version of this form."""
    name: str
    """Name."""
    title: str = ""
    """One line for people."""
    description: str = ""
    """What to know about the scenario."""
    venue: str
    """Name or path of the venue profile."""
    start: Instant
    """First moment."""
    end: Instant
    """Last moment; a whole number of steps after the start."""
    step_ns: Duration
    """Length of a step: 1 ms to 1 s."""
    markets: dict[str, MarketInputs]
    """What is known of each market, by the venue's name for it."""
    fund: FundShare
    """The insurance funds."""
    bridge: Bridge
    """How the path between bars is drawn."""
    impact: Impact
    """What liquidations do to the index."""
    population: Population
    """The leveraged accounts."""
    makers: Makers
    """The market makers."""
    flow: Flow
    """Everybody else who trades."""
    work: Work
    """Bounds of work."""
    switches: Switches = Switches()
    """What is switched on."""
    sources: tuple[SourceNote, ...] = ()
    """Sources, numbered from 0."""
    provenance: tuple[Provenance, ...] = ()
    """Which figures are inputs and which are calibrated."""
    published: tuple[Published, ...] = ()
    """The scorecard."""

    def config(self, profile: VenueProfile) -> dict[str, Any]:
        """Return the scenario that the world reads: integers in the units of a venue.

        Parameters
        ----------
        profile
            The venue whose ticks, lots and minor units count.

        Raises
        ------
        ValueError
            If a market is not one of the venue's, or a value is not whole; names field, value and remedy.
        """
        names = {market.name for market in profile.markets}
        if names != set(self.markets):
            raise ValueError(
                f"markets: {', '.join(sorted(self.markets))}, but venue {profile.name} has {', '.join(sorted(names))}; "
                "give one table per market of the venue"
            )

        def amount(value: Decimal, field: str) -> int:
            return profile.amount(value, field)

        def amounts(model: Model, at: str, *fields: str) -> dict[str, Any]:
            values = model.model_dump()
            return values | {field: amount(values[field], f"{at}.{field}") for field in fields}

        flow = self.flow
        out = self.model_dump(
            exclude={"venue", "title", "description", "sources", "provenance", "published", "markets", "makers", "flow"}
        )
        out["markets"] = {name: self._market(name, profile) for name in self.markets}
        out["makers"] = amounts(self.makers, "makers", "capital")
        out["flow"] = {
            "noise": amounts(flow.noise, "flow.noise", "capital", "size_median"),
            "momentum": amounts(flow.momentum, "flow.momentum", "capital", "size", "position_max"),
            "arbitrage": amounts(flow.arbitrage, "flow.arbitrage", "capital", "size", "position_max"),
            "profit_taking": flow.profit_taking.model_dump(),
            "exogenous_capital": amount(flow.exogenous_capital, "flow.exogenous_capital"),
            "exogenous": [
                order.model_dump()
                | {"qty": profile.market(order.market).lots(order.qty, f"flow.exogenous[{number}].qty")}
                for number, order in enumerate(flow.exogenous)
            ],
        }
        return out

    def to_json(self, profile: VenueProfile) -> str:
        """Return the scenario as the JSON text that the world reads."""
        return json.dumps(self.config(profile))

    def _market(self, name: str, profile: VenueProfile) -> dict[str, Any]:
        inputs, market, at = self.markets[name], profile.market(name), f"markets.{name}"

        def points(side: str) -> list[tuple[float, int]]:
            curve: tuple[DepthPoint, ...] = getattr(inputs.depth, side)
            return [
                (distance, profile.amount(notional, f"{at}.depth.{side}[{number}]"))
                for number, (distance, notional) in enumerate(curve)
            ]

        return {
            "path": [
                {
                    "start": segment.start,
                    "duration_ns": segment.duration_ns,
                    "source": segment.source,
                    "bars": [
                        [market.ticks(price, f"path[{place}].bars[{number}]") for price in bar]
                        for number, bar in enumerate(segment.bars)
                    ],
                }
                for place, segment in enumerate(inputs.path)
            ],
            "lead": inputs.lead,
            "open_interest": market.lots(inputs.open_interest, "open_interest"),
            "account_weight": inputs.account_weight,
            "depth": {"bids": points("bids"), "asks": points("asks")},
        }
