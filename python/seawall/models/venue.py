"""Venue profiles: what people write about a venue, and its exact conversion into the core's integers.

Prices, quantities and amounts are decimal strings in the units that people use; the conversion into ticks, lots
and minor units (docs/mechanics.md section 12) is exact or refused. Whether the result is a valid venue is decided
by the core.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from seawall.models.exact import Count, Duration, Exact, Instant, Model, NonNegative, Positive, whole

__all__ = [
    "Adl",
    "AdlLights",
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
    "Hedge",
    "Lead",
    "Limits",
    "Liquidation",
    "Mark",
    "Market",
    "MoveRule",
    "NoRisk",
    "PowerRisk",
    "PriceTime",
    "ProRata",
    "ThresholdRisk",
    "Tier",
    "VenueProfile",
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


class Mark(Model):
    """How the mark is made."""

    method: Literal["index", "last", "median"]
    """The index; the last trade; the median of index, index + averaged basis and last trade."""
    basis_samples: Count = 30
    """Samples in the averaged basis."""


class Funding(Model):
    """Funding: premium with clamp; rates per interval."""

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
        "queue", "pro_rata", "webster", "min_max", "hedge_aware", "offset", "haircut_queue", "haircut_pro_rata"
    ]
    """By score, or everyone by weight; unhedged lots first; at the bankrupt account's own quotes; or money instead."""
    price: Literal["bankruptcy", "mark", "index"]
    """The price at which winners are closed."""
    band: NonNegative | None = None
    """Band of that price around the mark; absent for none."""
    trigger: Literal["insolvent", "unfilled"] = "insolvent"
    """Only where nothing of the account is left behind the position, or whenever lots are left."""
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
    """The indicator lights."""


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

        funding = market.funding and {
            "first_ns": market.funding.first,
            "interval_ns": market.funding.interval,
            "interest_ppb": _ppb(market.funding.interest, f"{at}.funding.interest"),
            "clamp_ppb": _ppb(market.funding.clamp, f"{at}.funding.clamp"),
            "cap_ppb": _ppb(market.funding.cap, f"{at}.funding.cap"),
            "impact_qty": lots(market.funding.impact_qty, "funding.impact_qty"),
        }
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
            "mark": market.mark.model_dump(),
            "funding": funding,
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
            "adl": self._adl(market),
            "cleared": market.cleared,
            "client_ids": market.client_ids if isinstance(market.client_ids, str) else market.client_ids.model_dump(),
            "allocation": self._allocation(market),
            "day": {"start_ns": market.day.start, "length_ns": market.day.length},
            "entry": self._entry(market),
        }

    def _adl(self, market: Market) -> dict[str, Any]:
        at, rules = f"markets.{market.name}.adl", market.adl

        def share(value: Decimal | None, field: str) -> int | None:
            return None if value is None else _ppm(value, f"{at}.{field}")

        risk: dict[str, Any] = rules.risk.model_dump()
        if isinstance(rules.risk, ThresholdRisk):
            risk = {"type": "threshold", "above_ppm": _ppm(rules.risk.above, f"{at}.risk.above")}
        hedges = [
            {
                "market": self.market_id(hedge.market, f"{at}.hedges[{number}].market"),
                "lots_ppm": _ppm(hedge.lots, f"{at}.hedges[{number}].lots"),
            }
            for number, hedge in enumerate(rules.hedges)
        ]
        further = {
            "trigger": ("trigger", rules.trigger),
            "eligible": ("eligible", rules.eligible),
            "score": ("score", rules.score),
            "weight": ("weight", rules.weight),
            "fraction": ("fraction_ppm", share(rules.fraction, "fraction")),
            "correction_floor": ("correction_floor_ppm", share(rules.correction_floor, "correction_floor")),
            "hedges": ("hedges", hedges),
            "risk": ("risk", risk),
            "lights": ("lights", rules.lights.model_dump()),
        }
        # The core's text leaves out what is as by default.
        said = [name for name in further if getattr(rules, name) != Adl.model_fields[name].default]
        return {
            "enabled": rules.enabled,
            "method": rules.method,
            "price": rules.price,
            "band_ppm": share(rules.band, "band"),
            **dict(further[name] for name in said),
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


def _position(names: list[str], name: str, field: str) -> int:
    if name not in names:
        raise ValueError(f"{field}: {name!r} is not there; known: {', '.join(names)}")
    return names.index(name)
