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

from seawall.models.adl import Adl, AdlLights, Hedge, NoRisk, PowerRisk, ThresholdRisk
from seawall.models.auction import Auction, BoundedPressure, Collar
from seawall.models.breaker import Breaker
from seawall.models.exact import Count, Duration, Exact, Model, NonNegative, Positive, ppb, ppm, whole
from seawall.models.levels import CloseOut, Levels
from seawall.models.limits import BlockLimits, WithdrawalGate
from seawall.models.portfolio import Portfolio, PriceScenario
from seawall.models.prices import Funding, Index, IndexSource, Mark, MeanRule, MedianRule, Votes
from seawall.models.provenance import CalendarDay, Gap, Origin, Source, check_origins
from seawall.models.settlement import Settlement
from seawall.models.waterfall import (
    Assignment,
    BankruptcyLimit,
    FeeRule,
    FlatFee,
    Fund,
    LastResort,
    Limit,
    Policy,
    SharePolicy,
    last_resort_config,
)

__all__ = [
    "Adl",
    "AdlLights",
    "Asset",
    "Auction",
    "BoundedPressure",
    "Breaker",
    "CloseOut",
    "Collar",
    "Collateral",
    "Day",
    "DenseIds",
    "DenseRange",
    "Entry",
    "Fees",
    "Fund",
    "Funding",
    "Gap",
    "Hedge",
    "Index",
    "IndexSource",
    "Lead",
    "Levels",
    "Limits",
    "LinearSize",
    "Liquidation",
    "Margin",
    "Mark",
    "Market",
    "MeanRule",
    "MedianRule",
    "NoRisk",
    "OpenInterestScale",
    "Origin",
    "Portfolio",
    "PowerRisk",
    "PriceScenario",
    "PriceTime",
    "ProRata",
    "Redemption",
    "RootSize",
    "Source",
    "ThresholdRisk",
    "Tier",
    "VenueProfile",
    "Votes",
]

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


class Redemption(Model):
    """What the issuer of an asset pays for one unit of it."""

    value: Positive
    """In the valuation asset, or in units of the market's underlying."""
    market: str | None = None
    """Name of the market whose index the value follows; absent if it is fixed."""


class Collateral(Model):
    """How an asset other than the first counts as collateral."""

    market: str
    """Name of the market whose index or mark prices the asset."""
    weight: NonNegative
    """Share of the value that counts."""
    price: Literal["index", "mark", "redemption"] = "index"
    """The market's index; its mark, which the venue's own book may move; or the redemption value alone."""
    price_floor: Positive | None = None
    """Least price that is used; absent for none."""
    redemption: Redemption | None = None
    """Redemption value: the larger of the two counts; absent for none."""
    cap: Positive | None = None
    """Largest balance that counts, in whole units of the asset; absent for no limit."""
    size_discount: NonNegative | None = None
    """The weight is at most 1.1 / (1 + this x the square root of the balance in whole units); absent for none."""
    deposit_scale_start: Positive | None = None
    """Value of all deposits, in the valuation asset, from which the weight for initial margin falls."""


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


class OpenInterestScale(Model):
    """The initial rate grows with open interest, counted as notional in the valuation asset."""

    lower: NonNegative
    """Up to here it stays."""
    upper: Positive
    """From here on it is 1."""


class RootSize(Model):
    """Rates are at least 0.8 of the first tier's, plus a factor times the square root of the size."""

    type: Literal["root"]
    """The type of the rule."""
    initial: NonNegative
    """Factor of the initial rate, the size in units of the underlying."""
    maintenance: NonNegative
    """Factor of the maintenance rate."""


class LinearSize(Model):
    """Rates are at least the first tier's, plus a slope times the size."""

    type: Literal["linear"]
    """The type of the rule."""
    initial: NonNegative
    """Slope of the initial rate, per unit of the underlying."""
    maintenance: NonNegative
    """Slope of the maintenance rate."""


class Margin(Model):
    """Margin rules beside the tiers: rates that a requirement does not fall below."""

    open_interest: OpenInterestScale | None = None
    """The initial rate grows with open interest; absent for none."""
    size: Annotated[RootSize | LinearSize, Field(discriminator="type")] | None = None
    """Rates grow with the size of the position; absent for none."""
    account_leverage: bool = False
    """Accounts may set a leverage of their own, which raises their initial rate."""
    multipliers: bool = False
    """The rates of the tiers may be multiplied while the venue runs."""


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
    policy: Policy = SharePolicy()
    """The size of a slice."""
    limit: Limit = BankruptcyLimit()
    """The limit of the order."""
    fee_rule: FeeRule = FlatFee()
    """Who is paid out of what the book filled."""
    takeover: Literal["bankruptcy", "mark"] = "bankruptcy"
    """The price at which the backstop takes over; at the mark the fund pays the difference."""
    assignment: Assignment | None = None
    """How volunteers take over; absent for none."""


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


class Linear(Model):
    """A lot is worth the price times its size."""

    type: Literal["linear"] = "linear"
    """Which contract."""


class Inverse(Model):
    """A lot is a fixed amount of the currency of the price, paid in the valuation asset, a coin: face over price."""

    type: Literal["inverse"]
    """Which contract."""
    price_min: Positive
    """Lowest price: it bounds what a lot is worth."""
    scale: Annotated[int, Field(ge=1)] | None = None
    """Parts of a minor unit in which entry costs are kept; absent for the least power of ten that is fine enough."""


class Quanto(Model):
    """A lot is worth the price times a multiplier, paid in the valuation asset whatever the currency of the price."""

    type: Literal["quanto"]
    """Which contract."""
    multiplier: Positive
    """Valuation asset per unit of price and unit of the underlying."""


class Market(Model):
    """One market, settled in the valuation asset."""

    name: str
    """Name."""
    tick_size: Positive
    """Price of one tick, in the valuation asset per unit of the underlying."""
    lot_size: Positive
    """Size of one lot, in units of the underlying; of an inverse contract its face, in the currency of the price."""
    contract: Annotated[Linear | Inverse | Quanto, Field(discriminator="type")] = Linear()
    """What a lot is worth at a price."""
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
    margin: Margin = Margin()
    """Margin rules beside the tiers."""
    settlement: Settlement | None = None
    """How the market is settled for good; absent if it is not."""
    auction: Auction = Auction()
    """How auctions find their price and what takes part in them."""

    def ticks(self, price: Decimal | str | int, field: str = "price") -> int:
        """Return a price in ticks; ValueError if it is not on a tick."""
        return whole(Decimal(price), self.tick_size, f"{self.name}: {field}", "tick")

    def lots(self, qty: Decimal | str | int, field: str = "qty") -> int:
        """Return a quantity in lots; ValueError if it is not whole lots."""
        return whole(Decimal(qty), self.lot_size, f"{self.name}: {field}", "lot")

    def price(self, ticks: int) -> Decimal:
        """Return a price in ticks as a decimal number."""
        return self.tick_size * ticks


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
    date: CalendarDay | None = None
    """The day on which the venue that is described was known to be so; absent for a venue that is not described."""
    sources: dict[str, Source] = Field(default_factory=dict)
    """Texts that parameters come from, by name."""
    origins: tuple[Origin, ...] = ()
    """Where each parameter comes from; with a date, none is without."""
    gaps: tuple[Gap, ...] = ()
    """What the venue does and the profile does not."""
    venue: int = Field(default=0, ge=0, le=65_535)
    """The number in every event."""
    seed: int = Field(default=0, ge=0, le=2**64 - 1)
    """Seed of the venue's own keyed draws."""
    margin_call: NonNegative = Decimal(0)
    """Call requirement as a multiple of maintenance; 0 for no margin calls."""
    margin_call_grace: Duration = 0
    """How long a called account has until it is liquidated for its call; 0 for as long as maintenance is covered."""
    levels: Levels = Levels()
    """Levels of margin beside initial and maintenance."""
    backstop: Count | None = None
    """Account that takes positions over at the bankruptcy price; absent for none."""
    last_resort: LastResort
    """What happens to a loss that the fund cannot pay."""
    liquidation_exit: Positive = Decimal(1)
    """An account leaves liquidation once its equity reaches this multiple of maintenance."""
    withdrawal_notional: NonNegative = Decimal(0)
    """A withdrawal leaves at least this share of the open notional."""
    block_limits: BlockLimits | None = None
    """What liquidations do at most in a period; absent for no limits."""
    withdrawal_gate: WithdrawalGate | None = None
    """When withdrawals and transfers are refused; absent for never."""
    claims: bool = False
    """Whether what others paid for a debtor is claimed back from its later deposits."""
    limits: Limits = Limits()
    """Bounds of size and of work."""
    assets: tuple[Asset, ...]
    """Assets; the first is the valuation asset."""
    funds: tuple[Fund, ...]
    """Insurance funds."""
    markets: tuple[Market, ...]
    """Markets."""
    portfolios: tuple[Portfolio, ...] = ()
    """Groups of markets that accounts with portfolio margin hold as one."""
    breakers: tuple[Breaker, ...] = ()
    """Breaker rules, in order of precedence."""

    @model_validator(mode="after")
    def _converts(self) -> Self:
        for field, items in (("assets", self.assets), ("funds", self.funds), ("markets", self.markets)):
            if not items:
                raise ValueError(f"{field}: is empty; give at least one")
        self.config()
        check_origins(self, self.sources, self.origins, self.date)
        for number, gap in enumerate(self.gaps):
            if gap.source is not None and gap.source not in self.sources:
                known = ", ".join(self.sources) or "none"
                raise ValueError(f"gaps[{number}].source: {gap.source!r} is not there; known: {known}")
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
            "margin_call_ppm": ppm(self.margin_call, "margin_call"),
            "backstop": self.backstop,
            "last_resort": last_resort_config(self.last_resort, self.amount),
            **self._levels(),
            **({"claims": True} if self.claims else {}),
            **({} if self.block_limits is None else {"block_limits": self.block_limits.config(self.amount)}),
            **({} if self.withdrawal_gate is None else {"withdrawal_gate": self.withdrawal_gate.config()}),
            "limits": self.limits.model_dump(),
            "assets": [self._asset(number, asset) for number, asset in enumerate(self.assets)],
            "funds": [fund.config(self.amount) for fund in self.funds],
            "markets": [self._market(market) for market in self.markets],
            **({"portfolios": [p.config(self.market_id) for p in self.portfolios]} if self.portfolios else {}),
            "breakers": [self._breaker(breaker) for breaker in self.breakers if breaker.enabled],
        }

    def _levels(self) -> dict[str, Any]:
        # Left out at their defaults, as in the canonical text of the core.
        exit_, withdrawal = self.liquidation_exit, self.withdrawal_notional
        out: dict[str, Any] = {} if exit_ == 1 else {"liquidation_exit_ppm": ppm(exit_, "liquidation_exit")}
        if self.margin_call_grace:
            out["margin_call_grace_ns"] = self.margin_call_grace
        if self.levels != Levels():
            out["levels"] = self.levels.config()
        return out | ({"withdrawal_notional_ppm": ppm(withdrawal, "withdrawal_notional")} if withdrawal else {})

    def to_json(self) -> str:
        """Return the configuration as the JSON text that the core reads."""
        return json.dumps(self.config())

    def _asset(self, number: int, asset: Asset) -> dict[str, Any]:
        return {
            "name": asset.name,
            "decimals": asset.decimals,
            "deposits_max": self.amount(asset.deposits_max, f"assets.{asset.name}.deposits_max", number),
            "collateral": None if asset.collateral is None else self._collateral(number, asset, asset.collateral),
        }

    def _collateral(self, number: int, asset: Asset, rules: Collateral) -> dict[str, Any]:
        at = f"assets.{asset.name}.collateral"
        # Minor units of asset 0 per minor unit of this asset.
        minor = Fraction(10) ** (self.assets[0].decimals - asset.decimals)

        def value(of: Fraction, field: str) -> dict[str, int]:
            if max(of.numerator, of.denominator) >= 2**63:
                raise ValueError(f"{field} makes a value that does not fit in 64 bits; use fewer decimals")
            return {"value_num": of.numerator, "value_den": of.denominator}

        def per_tick(name: str, field: str) -> tuple[int, Fraction]:
            market = self.market_id(name, field)
            return market, Fraction(self.markets[market].tick_size) * minor

        market, tick = per_tick(rules.market, f"{at}.market")
        told = f"assets.{asset.name}.decimals: {asset.decimals} and tick_size {self.markets[market].tick_size} of "
        out: dict[str, Any] = {
            "market": market,
            **value(tick, told + rules.market),
            "weight_ppm": ppm(rules.weight, f"{at}.weight"),
        }
        if rules.price != "index":
            out["price"] = rules.price
        if rules.price_floor is not None:
            out["price_floor"] = self.markets[market].ticks(rules.price_floor, f"{at}.price_floor")
        if (redeemed := rules.redemption) is not None:
            field = f"{at}.redemption"
            follows, unit = (None, minor) if redeemed.market is None else per_tick(redeemed.market, f"{field}.market")
            out["redemption"] = {
                "market": follows,
                **value(Fraction(redeemed.value) * unit, f"{field}.value: {redeemed.value}"),
            }
        if rules.cap is not None:
            out["cap"] = self.amount(rules.cap, f"{at}.cap", number)
        if rules.size_discount is not None:
            factor = ppb(rules.size_discount, f"{at}.size_discount")
            out["size_discount"] = {"factor_ppb": factor, "unit": 10**asset.decimals}
        if rules.deposit_scale_start is not None:
            out["deposit_scale_start"] = self.amount(rules.deposit_scale_start, f"{at}.deposit_scale_start")
        return out

    def _contract(self, market: Market) -> dict[str, Any]:
        """Return what says a lot's worth: a tick value, or a contract."""
        at, rule = f"markets.{market.name}", market.contract
        tick, lot = Fraction(market.tick_size), Fraction(market.lot_size)
        one, coin = 10 ** self.assets[0].decimals, self.assets[0].name
        if isinstance(rule, Quanto):
            worth = tick * lot * Fraction(rule.multiplier) * one
            return {"contract": {"type": "quanto", "multiplier": worth.numerator, "scale": worth.denominator}}
        inverse = isinstance(rule, Inverse)
        worth = (lot / tick if inverse else tick * lot) * one
        told = f"lot_size {market.lot_size} over it" if inverse else f"x lot_size {market.lot_size}"
        if worth.denominator != 1:
            raise ValueError(
                f"{at}.tick_size: {market.tick_size} {told} is not whole minor units; "
                f"make one of them larger, or give {coin} more decimals"
            )
        if worth >= 2**63:
            raise ValueError(
                f"{at}.tick_size: {market.tick_size} {told} is more minor units than fit in "
                "64 bits; make one of them smaller"
            )
        if not isinstance(rule, Inverse):
            return {"tick_value": int(worth)}
        least = market.ticks(rule.price_min, f"{at}.contract.price_min")
        scale = rule.scale
        if scale is None:
            # A part is at most a millionth of a lot at the highest price.
            fine = Fraction(10**6 * market.ticks(market.price_max, f"{at}.price_max")) / worth
            scale = next(10**k for k in range(40) if 10**k >= fine)
        return {"contract": {"type": "inverse", "face": int(worth), "scale": scale, "price_min": least}}

    def _market(self, market: Market) -> dict[str, Any]:
        at = f"markets.{market.name}"

        def lots(value: Decimal, field: str) -> int:
            return whole(value, market.lot_size, f"{at}.{field}", "lot")

        def amount(value: Decimal, field: str) -> int:
            return self.amount(value, f"{at}.{field}")

        rules = market.liquidation
        return {
            "name": market.name,
            **self._contract(market),
            "price_max": whole(market.price_max, market.tick_size, f"{at}.price_max", "tick"),
            "order_qty_max": lots(market.order_qty_max, "order_qty_max"),
            "position_max": lots(market.position_max, "position_max"),
            "open_interest_max": lots(market.open_interest_max, "open_interest_max"),
            "fees": {
                "maker_ppm": ppm(market.fees.maker, f"{at}.fees.maker"),
                "taker_ppm": ppm(market.fees.taker, f"{at}.fees.taker"),
            },
            "tiers": [
                {
                    "lower": amount(tier.lower, f"tiers[{number}].lower"),
                    "initial_ppm": ppm(tier.initial, f"{at}.tiers[{number}].initial"),
                    "maintenance_ppm": ppm(tier.maintenance, f"{at}.tiers[{number}].maintenance"),
                }
                for number, tier in enumerate(market.tiers)
            ],
            **({} if market.index is None else {"index": market.index.config(f"{at}.index")}),
            "mark": market.mark.config(f"{at}.mark"),
            "funding": market.funding and market.funding.config(f"{at}.funding", market.tick_size, market.lot_size),
            "fund": _position([fund.name for fund in self.funds], market.fund, f"{at}.fund"),
            "phase": market.phase,
            "reopen_auction_ns": market.reopen_auction,
            "liquidation": {
                "enabled": rules.enabled,
                "slice_ppm": ppm(rules.slice, f"{at}.liquidation.slice"),
                "slice_qty_min": lots(rules.slice_qty_min, "liquidation.slice_qty_min"),
                "full_below": amount(rules.full_below, "liquidation.full_below"),
                "fee_ppm": ppm(rules.fee, f"{at}.liquidation.fee"),
                "fund_limit_ppm": ppm(rules.fund_limit, f"{at}.liquidation.fund_limit"),
                **self._liquidation_choices(rules, f"{at}.liquidation", lots),
            },
            "adl": market.adl.config(f"{at}.adl", self.market_id),
            "cleared": market.cleared,
            "client_ids": market.client_ids if isinstance(market.client_ids, str) else market.client_ids.model_dump(),
            "allocation": self._allocation(market),
            "day": {"start_ns": market.day.start, "length_ns": market.day.length},
            "entry": self._entry(market),
            **({} if market.margin == Margin() else {"margin": self._margin(market)}),
            **({} if market.settlement is None else {"settlement": market.settlement.config()}),
            **(
                {} if market.auction == Auction() else {"auction": market.auction.config(f"{at}.auction", market.ticks)}
            ),
        }

    def _margin(self, market: Market) -> dict[str, Any]:
        at, rules = f"markets.{market.name}.margin", market.margin
        scale, size = rules.open_interest, rules.size
        return {
            "open_interest": scale
            and {
                "lower": self.amount(scale.lower, f"{at}.open_interest.lower"),
                "upper": self.amount(scale.upper, f"{at}.open_interest.upper"),
            },
            "size": size
            and {
                "type": size.type,
                "initial_ppb": ppb(size.initial, f"{at}.size.initial"),
                "maintenance_ppb": ppb(size.maintenance, f"{at}.size.maintenance"),
                "unit": whole(Decimal(1), market.lot_size, f"{at}.size: one unit of the underlying", "lot"),
            },
            "account_leverage": rules.account_leverage,
            **({"multipliers": True} if rules.multipliers else {}),
        }

    def _liquidation_choices(self, rules: Liquidation, at: str, lots: Callable[[Decimal, str], int]) -> dict[str, Any]:
        """Return the choices that are not the default ones."""
        choices: dict[str, Any] = {
            "policy": rules.policy.config(f"{at}.policy", lots, self.amount),
            "limit": rules.limit.config(f"{at}.limit"),
            "fee_rule": rules.fee_rule.config(f"{at}.fee_rule"),
            "takeover": rules.takeover,
            "assignment": rules.assignment and rules.assignment.model_dump(),
        }
        return {
            name: choices[name] for name in choices if getattr(rules, name) != Liquidation.model_fields[name].default
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
                {"account": lead.account, "share_ppm": ppm(lead.share, f"{at}.lead[{number}].share")}
                for number, lead in enumerate(rules.lead)
            ],
            "fifo_ppm": ppm(rules.fifo, f"{at}.fifo"),
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
        def ticks(name: str, price: Decimal, field: str) -> int:
            return whole(price, self.market(name).tick_size, field, "tick")

        return breaker.config(f"breakers.{breaker.name}", ticks, self.market_id, self.amount)


def _position(names: list[str], name: str, field: str) -> int:
    if name not in names:
        raise ValueError(f"{field}: {name!r} is not there; known: {', '.join(names)}")
    return names.index(name)
