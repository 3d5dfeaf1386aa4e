"""Venue profiles: what people write about a venue, and its exact conversion into the core's integers.

Prices, quantities and amounts are decimal strings in the units that people use; the conversion into ticks, lots
and minor units (docs/mechanics.md section 12) is exact or refused. Whether the result is a valid venue is decided
by the core.
"""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from seawall.models.exact import Count, Duration, Exact, Instant, Model, NonNegative, Positive, whole

__all__ = [
    "Adl",
    "Asset",
    "BandRule",
    "Breaker",
    "Collateral",
    "Day",
    "DenseIds",
    "DenseRange",
    "Entry",
    "Fees",
    "Fund",
    "Funding",
    "Index",
    "IndexSource",
    "Lead",
    "Limits",
    "Liquidation",
    "Mark",
    "Market",
    "MeanRule",
    "MedianRule",
    "MoveRule",
    "PriceTime",
    "ProRata",
    "Tier",
    "VenueProfile",
    "Votes",
]

_MILLIONTH = Decimal("0.000001")
_BILLIONTH = Decimal("0.000000001")

PhaseName = Literal[
    "pre_open",
    "continuous",
    "limit_state",
    "straddle",
    "guarded",
    "cooling_off",
    "call_auction",
    "pause",
    "reduce_only",
    "close_only",
    "halted",
    "closed",
    "settlement",
]


def _ppm(value: Decimal, field: str) -> int:
    return whole(value, _MILLIONTH, field, "step")


def _ppb(value: Decimal, field: str) -> int:
    return whole(value, _BILLIONTH, field, "step")


class Limits(Model):
    """Bounds of size and of work per step."""

    accounts_max: Count = 2_000_000
    """Accounts."""
    orders_max: Count = 1_000_000
    """Resting orders per market."""
    liquidation_rounds_per_step: Count = 64
    """Rounds of the liquidation waterfall in one step."""
    triggers_per_step: Count = 16
    """Fired orders sent to the book in one step."""
    funding_accounts_per_step: Count = 100_000
    """Accounts looked at for funding in one step."""
    adl_closes_per_round: Count = 10_000
    """Ranked accounts looked at in one round of auto-deleveraging."""
    adl_rank_max: Count = 100_000
    """Accounts that a ranking keeps."""


class Collateral(Model):
    """How an asset other than the first counts as collateral."""

    market: str
    """Name of the market whose index prices the asset."""
    weight: NonNegative
    """Share of the value that counts."""


class Asset(Model):
    """One asset; the first of a venue is the valuation asset."""

    name: str
    """Name."""
    decimals: int = Field(ge=0, le=18)
    """Decimals of the minor unit."""
    deposits_max: Positive
    """Largest sum of deposits, in whole units of the asset."""
    collateral: Collateral | None = None
    """How it counts as collateral; absent for the valuation asset."""


class Fund(Model):
    """One insurance fund, in the valuation asset."""

    name: str
    """Name."""


class Fees(Model):
    """Trading fees as shares of the notional; negative is a rebate."""

    maker: Exact
    """Of the resting side."""
    taker: Exact
    """Of the incoming side."""


class Tier(Model):
    """Margin rates from a notional upwards."""

    lower: NonNegative
    """Lowest notional of the tier, in the valuation asset."""
    initial: Positive
    """Initial margin rate."""
    maintenance: Positive
    """Maintenance margin rate."""


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
    """Time between settlements."""
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


class Liquidation(Model):
    """How positions are liquidated."""

    enabled: bool = True
    """Whether accounts are liquidated; without it an endangered account keeps its position."""
    slice: Positive
    """Share of the position that one slice closes."""
    slice_qty_min: Positive
    """Least slice."""
    full_below: NonNegative
    """Notional, in the valuation asset, up to which a position is closed whole."""
    fee: NonNegative
    """Fee on what the book took, as a share of the notional; limited to the surplus over bankruptcy."""
    fund_limit: NonNegative
    """How far from the mark the fund backs a sale, as a share of the mark."""


class Adl(Model):
    """Auto-deleveraging (ADL)."""

    enabled: bool = True
    """Whether it is used."""
    method: Literal["queue", "pro_rata"]
    """Highest profit ratio x leverage first, or everyone in profit by lots."""
    price: Literal["bankruptcy", "mark"]
    """The price at which winners are closed."""
    band: NonNegative | None = None
    """Band of that price around the mark; absent for none."""


class DenseRange(Model):
    """A range of client ids."""

    max: int = Field(ge=1, le=4_294_967_295)
    """The highest id."""


class DenseIds(Model):
    """Client ids that number the open orders of a market: one sequence for all accounts."""

    dense: DenseRange
    """From 1 up."""


def _client_ids(value: object) -> str:
    return "range" if isinstance(value, Mapping | DenseIds) else "name"


ClientIds = Annotated[
    Annotated[Literal["none", "hashed"], Tag("name")] | Annotated[DenseIds, Tag("range")],
    Discriminator(_client_ids),
]
"""How clients name their orders."""


class PriceTime(Model):
    """At a price, the order that has rested longest comes first."""

    type: Literal["price_time"] = "price_time"
    """The type of the allocation."""


class Lead(Model):
    """A lead market maker."""

    account: Count
    """Number of the account."""
    share: Positive
    """Share of an incoming order that its orders get before the others."""


class ProRata(Model):
    """At a price, orders are filled in proportion, after the steps that are set here."""

    type: Literal["pro_rata"]
    """The type of the allocation."""
    top_order: bool = False
    """The order that set the best price comes first."""
    lead: tuple[Lead, ...] = ()
    """Lead market makers, in order."""
    fifo: NonNegative = Decimal(0)
    """Share that goes longest resting first."""
    minimum: Positive | None = None
    """Least share of an order, in units of the underlying; less is nothing. One lot if absent."""


class Day(Model):
    """The trading day, at whose end day orders expire."""

    start: Duration = 0
    """When it begins, after midnight UTC."""
    length: Duration = 86_400 * 10**9
    """How long it is."""


class Entry(Model):
    """Limits of what may enter the book."""

    price_step: Positive | None = None
    """Prices are multiples of it; one tick if absent."""
    qty_step: Positive | None = None
    """Quantities are multiples of it; one lot if absent."""
    qty_min: Positive | None = None
    """Least quantity; one lot if absent."""
    notional_min: NonNegative = Decimal(0)
    """Least notional, in the valuation asset; not asked of reduce-only orders."""
    notional_max: Positive | None = None
    """Greatest notional; absent for none."""
    open_orders_max: int | None = Field(default=None, ge=1, le=4_294_967_295)
    """Resting and waiting orders of one account; absent for no limit."""


class Market(Model):
    """One market, settled in the valuation asset."""

    name: str
    """Name."""
    tick_size: Positive
    """Price of one tick, in the valuation asset per unit of the underlying."""
    lot_size: Positive
    """Size of one lot, in units of the underlying."""
    price_max: Positive
    """Highest price."""
    order_qty_max: Positive
    """Largest order."""
    position_max: Positive
    """Largest position, open orders counted."""
    open_interest_max: Positive
    """Largest sum of long positions."""
    fees: Fees
    """Trading fees."""
    tiers: tuple[Tier, ...]
    """Margin tiers by notional, the first from 0."""
    index: Index | None = None
    """Sources that make the index; absent if the Index command brings it."""
    mark: Mark
    """How the mark is made."""
    funding: Funding | None = None
    """Funding; absent for none."""
    fund: str
    """Name of the insurance fund that stands behind the market."""
    phase: PhaseName = "continuous"
    """First phase."""
    reopen_auction: Duration = 0
    """Length of the auction after a halt or pause; 0 for none."""
    liquidation: Liquidation
    """Liquidation policy."""
    adl: Adl
    """Auto-deleveraging policy."""
    cleared: bool = True
    """Whether trades move positions and money; without it the market matches and reports, and nothing else."""
    client_ids: ClientIds = "none"
    """How clients name their orders: not at all, by numbers of their own, or densely from 1 up."""
    allocation: Annotated[PriceTime | ProRata, Field(discriminator="type")] = PriceTime()
    """Who is filled first at a price."""
    day: Day = Day()
    """The trading day."""
    entry: Entry = Entry()
    """Limits of what may enter the book."""

    def ticks(self, price: Decimal | str | int, field: str = "price") -> int:
        """Return a price in ticks; ValueError if it is not on a tick."""
        return whole(Decimal(price), self.tick_size, f"{self.name}: {field}", "tick")

    def lots(self, qty: Decimal | str | int, field: str = "qty") -> int:
        """Return a quantity in lots; ValueError if it is not whole lots."""
        return whole(Decimal(qty), self.lot_size, f"{self.name}: {field}", "lot")

    def price(self, ticks: int) -> Decimal:
        """Return a price in ticks as a decimal number."""
        return self.tick_size * ticks


class BandRule(Model):
    """A constraint: no trade of an incoming order outside a band around the mark."""

    type: Literal["band"]
    """The type of the rule."""
    width: Positive | Literal["infinite"]
    """Half width as a share of the mark, or infinite."""
    action: Literal["cap", "reject"]
    """Whether an order beyond the band is limited to it or refused."""
    exempt_liquidations: bool = False
    """Liquidation orders are not bound."""


class MoveRule(Model):
    """An interruption: a move of at least a width within a window changes the phase for a while."""

    type: Literal["move"]
    """The type of the rule."""
    width: Positive
    """Size of the move as a share of the reference."""
    window: Duration
    """Length of the window."""
    source: Literal["trade", "mark"]
    """Which prices are watched."""
    phase: Literal["halted", "pause", "call_auction", "reduce_only"]
    """The phase that follows."""
    duration: Duration
    """How long it lasts."""
    exempt_liquidations: bool = False
    """Liquidation orders are not asked about."""


class Breaker(Model):
    """One breaker rule."""

    name: str
    """Name."""
    enabled: bool = True
    """Whether the rule is given to the venue."""
    markets: tuple[str, ...]
    """Names of the markets that it watches."""
    rule: Annotated[BandRule | MoveRule, Field(discriminator="type")]
    """What it does."""


class VenueProfile(Model):
    """A whole venue as people write it.

    Examples
    --------
    >>> from seawall.models import load_profile
    >>> profile = load_profile("reference", set=["markets.BTC.fees.taker=0.0004"])
    >>> profile.config()["markets"][0]["fees"]["taker_ppm"]
    400
    """

    schema_version: Literal[1]
    """Version of this form."""
    name: str
    """Name."""
    description: str = ""
    """One line for people; the venue does not read it."""
    venue: int = Field(default=0, ge=0, le=65_535)
    """The number in every event."""
    seed: int = Field(default=0, ge=0, le=2**64 - 1)
    """Seed of the venue's own keyed draws."""
    margin_call: NonNegative = Decimal(0)
    """Call requirement as a multiple of maintenance; 0 for no margin calls."""
    backstop: Count | None = None
    """Account that takes positions over at the bankruptcy price; absent for none."""
    last_resort: Literal["remainder", "socialise"]
    """What happens to a loss that the fund cannot pay."""
    limits: Limits = Limits()
    """Bounds of size and of work."""
    assets: tuple[Asset, ...]
    """Assets; the first is the valuation asset."""
    funds: tuple[Fund, ...]
    """Insurance funds."""
    markets: tuple[Market, ...]
    """Markets."""
    breakers: tuple[Breaker, ...] = ()
    """Breaker rules, in order of precedence."""

    @model_validator(mode="after")
    def _converts(self) -> Self:
        for field, items in (("assets", self.assets), ("funds", self.funds), ("markets", self.markets)):
            if not items:
                raise ValueError(f"{field}: is empty; give at least one")
        self.config()
        return self

    def market(self, name: str) -> Market:
        """Return a market by name; ValueError if there is none."""
        return self.markets[self.market_id(name, "market")]

    def market_id(self, name: str, field: str = "market") -> int:
        """Return the number of a market; ValueError if there is none."""
        return _position([m.name for m in self.markets], name, field)

    def amount(self, value: Decimal | str | int, field: str = "amount", asset: int = 0) -> int:
        """Return an amount in minor units of an asset; ValueError if it is not whole."""
        unit = Fraction(1, 10 ** self.assets[asset].decimals)
        return whole(Decimal(value), unit, field, "minor unit")

    def config(self) -> dict[str, Any]:
        """Return the configuration that the core reads: integers only (docs/mechanics.md section 12).

        Raises
        ------
        ValueError
            If a value is not whole in the units of its field; names field, value and remedy.
        """
        return {
            "schema_version": self.schema_version,
            "name": self.name,
            "venue": self.venue,
            "seed": self.seed,
            "margin_call_ppm": _ppm(self.margin_call, "margin_call"),
            "backstop": self.backstop,
            "last_resort": self.last_resort,
            "limits": self.limits.model_dump(),
            "assets": [self._asset(number, asset) for number, asset in enumerate(self.assets)],
            "funds": [{"name": fund.name} for fund in self.funds],
            "markets": [self._market(market) for market in self.markets],
            "breakers": [self._breaker(breaker) for breaker in self.breakers if breaker.enabled],
        }

    def to_json(self) -> str:
        """Return the configuration as the JSON text that the core reads."""
        return json.dumps(self.config())

    def _asset(self, number: int, asset: Asset) -> dict[str, Any]:
        collateral = None
        if asset.collateral is not None:
            field = f"assets.{asset.name}.collateral"
            market = self.market_id(asset.collateral.market, f"{field}.market")
            # Minor units of asset 0 per minor unit of this asset and tick of its market.
            value = Fraction(self.markets[market].tick_size) * Fraction(10) ** (
                self.assets[0].decimals - asset.decimals
            )
            if max(value.numerator, value.denominator) >= 2**63:
                raise ValueError(
                    f"assets.{asset.name}.decimals: {asset.decimals} and tick_size {self.markets[market].tick_size} of "
                    f"{asset.collateral.market} make a value that does not fit in 64 bits; use fewer decimals"
                )
            collateral = {
                "market": market,
                "value_num": value.numerator,
                "value_den": value.denominator,
                "weight_ppm": _ppm(asset.collateral.weight, f"{field}.weight"),
            }
        return {
            "name": asset.name,
            "decimals": asset.decimals,
            "deposits_max": self.amount(asset.deposits_max, f"assets.{asset.name}.deposits_max", number),
            "collateral": collateral,
        }

    def _market(self, market: Market) -> dict[str, Any]:
        at = f"markets.{market.name}"
        minor = Fraction(1, 10 ** self.assets[0].decimals)
        tick_value = Fraction(market.tick_size) * Fraction(market.lot_size)
        if (tick_value / minor).denominator != 1:
            raise ValueError(
                f"{at}.tick_size: {market.tick_size} x lot_size {market.lot_size} is not whole minor units; "
                f"make one of them larger, or give {self.assets[0].name} more decimals"
            )

        if tick_value / minor >= 2**63:
            raise ValueError(
                f"{at}.tick_size: {market.tick_size} x lot_size {market.lot_size} is more minor units than fit in "
                "64 bits; make one of them smaller"
            )

        def lots(value: Decimal, field: str) -> int:
            return whole(value, market.lot_size, f"{at}.{field}", "lot")

        def amount(value: Decimal, field: str) -> int:
            return self.amount(value, f"{at}.{field}")

        rules = market.liquidation
        return {
            "name": market.name,
            "tick_value": int(tick_value / minor),
            "price_max": whole(market.price_max, market.tick_size, f"{at}.price_max", "tick"),
            "order_qty_max": lots(market.order_qty_max, "order_qty_max"),
            "position_max": lots(market.position_max, "position_max"),
            "open_interest_max": lots(market.open_interest_max, "open_interest_max"),
            "fees": {
                "maker_ppm": _ppm(market.fees.maker, f"{at}.fees.maker"),
                "taker_ppm": _ppm(market.fees.taker, f"{at}.fees.taker"),
            },
            "tiers": [
                {
                    "lower": amount(tier.lower, f"tiers[{number}].lower"),
                    "initial_ppm": _ppm(tier.initial, f"{at}.tiers[{number}].initial"),
                    "maintenance_ppm": _ppm(tier.maintenance, f"{at}.tiers[{number}].maintenance"),
                }
                for number, tier in enumerate(market.tiers)
            ],
            **self._index(market),
            "mark": self._mark(market),
            "funding": market.funding and self._funding(market, market.funding),
            "fund": _position([fund.name for fund in self.funds], market.fund, f"{at}.fund"),
            "phase": market.phase,
            "reopen_auction_ns": market.reopen_auction,
            "liquidation": {
                "enabled": rules.enabled,
                "slice_ppm": _ppm(rules.slice, f"{at}.liquidation.slice"),
                "slice_qty_min": lots(rules.slice_qty_min, "liquidation.slice_qty_min"),
                "full_below": amount(rules.full_below, "liquidation.full_below"),
                "fee_ppm": _ppm(rules.fee, f"{at}.liquidation.fee"),
                "fund_limit_ppm": _ppm(rules.fund_limit, f"{at}.liquidation.fund_limit"),
            },
            "adl": {
                "enabled": market.adl.enabled,
                "method": market.adl.method,
                "price": market.adl.price,
                "band_ppm": None if market.adl.band is None else _ppm(market.adl.band, f"{at}.adl.band"),
            },
            "cleared": market.cleared,
            "client_ids": market.client_ids if isinstance(market.client_ids, str) else market.client_ids.model_dump(),
            "allocation": self._allocation(market),
            "day": {"start_ns": market.day.start, "length_ns": market.day.length},
            "entry": self._entry(market),
        }

    def _index(self, market: Market) -> dict[str, Any]:
        at, index = f"markets.{market.name}.index", market.index
        if index is None:
            return {}
        rule: Any = "median"
        if isinstance(index.rule, MeanRule):
            rule = {"mean": {"outlier_ppm": _ppm(index.rule.outlier, f"{at}.rule.outlier")}}
        return {
            "index": {
                "rule": rule,
                "sources_min": index.sources_min,
                "liquidates_stale": index.liquidates_stale,
                "sources": _sources(index.sources),
            }
        }

    def _mark(self, market: Market) -> dict[str, Any]:
        at, mark = f"markets.{market.name}.mark", market.mark
        given = {
            "inputs": list(mark.inputs) or None,
            "fallback": mark.fallback,
            "basis_decay_ppb": _given(mark.basis_decay, _ppb, f"{at}.basis_decay"),
            "touch_decay_ppb": _given(mark.touch_decay, _ppb, f"{at}.touch_decay"),
            "index_band_ppm": _given(mark.index_band, _ppm, f"{at}.index_band"),
            "slew_ppm": _given(mark.slew, _ppm, f"{at}.slew"),
            "sources": _sources(mark.sources) or None,
        }
        return {"method": mark.method, "basis_samples": mark.basis_samples, **_without_none(given)}

    def _funding(self, market: Market, funding: Funding) -> dict[str, Any]:
        at, votes = f"markets.{market.name}.funding", funding.votes
        accrual = None
        if funding.accrual is not None:
            unit = Fraction(funding.accrual) / Fraction(market.tick_size)
            accrual = {"units": unit.denominator, "ticks": unit.numerator}
        given = {
            "rate_period_ns": funding.rate_period,
            "cap_margin_multiple": funding.cap_margin_multiple,
            "votes": votes
            and {"period_ns": votes.period, "votes_min": votes.votes_min, "samples_min": votes.samples_min},
            "price": None if funding.price == "mark" else funding.price,
            "accrual": accrual,
            "payers": None if funding.payers == "full" else funding.payers,
        }
        return {
            "first_ns": funding.first,
            "interval_ns": funding.interval,
            "interest_ppb": _ppb(funding.interest, f"{at}.interest"),
            "clamp_ppb": _ppb(funding.clamp, f"{at}.clamp"),
            "cap_ppb": _ppb(funding.cap, f"{at}.cap"),
            "impact_qty": whole(funding.impact_qty, market.lot_size, f"{at}.impact_qty", "lot"),
            **_without_none(given),
        }

    def _allocation(self, market: Market) -> dict[str, Any]:
        at, rules = f"markets.{market.name}.allocation", market.allocation
        if isinstance(rules, PriceTime):
            return {"type": "price_time"}
        least = rules.minimum
        return {
            "type": "pro_rata",
            "top_order": rules.top_order,
            "lead": [
                {"account": lead.account, "share_ppm": _ppm(lead.share, f"{at}.lead[{number}].share")}
                for number, lead in enumerate(rules.lead)
            ],
            "fifo_ppm": _ppm(rules.fifo, f"{at}.fifo"),
            "minimum": 1 if least is None else whole(least, market.lot_size, f"{at}.minimum", "lot"),
        }

    def _entry(self, market: Market) -> dict[str, Any]:
        at, rules = f"markets.{market.name}.entry", market.entry

        def units(value: Decimal | None, unit: Decimal, field: str, name: str) -> int:
            return 1 if value is None else whole(value, unit, f"{at}.{field}", name)

        most = rules.notional_max
        return {
            "price_step": units(rules.price_step, market.tick_size, "price_step", "tick"),
            "qty_step": units(rules.qty_step, market.lot_size, "qty_step", "lot"),
            "qty_min": units(rules.qty_min, market.lot_size, "qty_min", "lot"),
            "notional_min": self.amount(rules.notional_min, f"{at}.notional_min"),
            "notional_max": None if most is None else self.amount(most, f"{at}.notional_max"),
            "open_orders_max": rules.open_orders_max,
        }

    def _breaker(self, breaker: Breaker) -> dict[str, Any]:
        at = f"breakers.{breaker.name}"
        rule = breaker.rule
        out: dict[str, Any]
        if isinstance(rule, BandRule):
            width = None if rule.width == "infinite" else _ppm(rule.width, f"{at}.rule.width")
            out = {"type": "band", "width_ppm": width, "action": rule.action}
        else:
            out = {
                "type": "move",
                "width_ppm": _ppm(rule.width, f"{at}.rule.width"),
                "window_ns": rule.window,
                "source": rule.source,
                "phase": rule.phase,
                "duration_ns": rule.duration,
            }
        out["exempt_liquidations"] = rule.exempt_liquidations
        return {
            "name": breaker.name,
            "markets": [self.market_id(name, f"{at}.markets") for name in breaker.markets],
            "rule": out,
        }


def _sources(sources: tuple[IndexSource, ...]) -> list[dict[str, Any]]:
    return [{"name": source.name, "weight": source.weight, "stale_ns": source.stale} for source in sources]


def _given(value: Decimal | None, units: Callable[[Decimal, str], int], field: str) -> int | None:
    return None if value is None else units(value, field)


def _without_none(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None}


def _position(names: list[str], name: str, field: str) -> int:
    if name not in names:
        raise ValueError(f"{field}: {name!r} is not there; known: {', '.join(names)}")
    return names.index(name)
