"""The venue once more, in plain Python, written from ``docs/mechanics.md`` and from nothing else.

Everything here is a whole number, every list is short, and every account is looked at whenever the page
says that it counts. Slow and clear is the point: where this file and the core differ, one of them has
misread the page. The sections follow the order of the page; what concerns one order alone is in ``orders.py``.
"""

from __future__ import annotations

from bisect import insort
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

from . import adl, margin, settlement
from .auction import Auction, Offer
from .breakers import AS_CONFIGURED, Breakers
from .contract import Contract
from .depths import ask_depths
from .funds import Funds
from .levels import Levels
from .limits import LIMIT_REACHED, OF_ROUNDS, Gate, Period
from .margin import rate_table, requirement, tier_of
from .orders import (
    ACCOUNTS_OWN,
    BUY,
    CANCEL_BOTH,
    CANCEL_NEWEST,
    CANCEL_OLDEST,
    DAY,
    DECREMENT,
    FILL_OR_KILL,
    LAST_TRADE,
    LIMIT,
    MILLION,
    MODE_BITS,
    MODE_SHIFT,
    NO_PREVENTION,
    POST_ONLY,
    QUOTE_FLAGS,
    SELL,
    SLIDE,
    SLOT_BITS,
    THE_INDEX,
    THE_MARK,
    TRAILING,
    WAITS,
    Config,
    Gathered,
    Order,
    Record,
    Terms,
    ceil_div,
    direction,
    do_not_go,
    inside,
    inward_bound,
    is_bad_mode,
    is_bad_place,
    is_bad_term,
    priority_of,
    share_out,
)
from .phases import (
    CALL_AUCTION,
    CLOSE_ONLY,
    CLOSED,
    CONTINUOUS,
    COOLING_OFF,
    GUARDED,
    HALTED,
    PAUSE,
    PHASE_NAMES,
    PHASES,
    REDUCE_ONLY_PHASE,
    SETTLEMENT,
)
from .plan import NO_PLAN_AWAITED, PLAN_NOT_CANDIDATE, Plans
from .portfolio import MARGIN_MODE_SET, Group
from .prices import STALE, Funding, Mark, Settlement, Sources, View
from .settlement import FinalSettlement
from .waterfall import VOLUNTEER_SET, Waterfall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .breakers import Acting, Breaker
    from .plan import Request

Holder = tuple[str] | tuple[str, int] | tuple[str, int, int]

BILLION: Final = 1_000_000_000
NO_MARKET: Final = 65535
EVERY_ACCOUNT: Final = 4294967295
GROUP_MAX: Final = 4294967295
I64_MAX: Final = (1 << 63) - 1

FIELDS: Final = (
    "kind",
    "flags",
    "venue",
    "market",
    "at",
    "seq",
    "source",
    "side",
    "code",
    "account",
    "order",
    "price",
    "qty",
    "amount",
)


def trunc_div(a: int, b: int) -> int:
    """Return a / b, rounded towards zero (b positive)."""
    return a // b if a >= 0 else -(-a // b)


def clamp(x: int, low: int, high: int) -> int:
    """Return x limited to [low, high]."""
    return max(low, min(high, x))


def sign(x: int) -> int:
    """Return +1, 0 or -1."""
    return (x > 0) - (x < 0)


# ---------------------------------------------------------------------------------------------------------
# 1. Records
# ---------------------------------------------------------------------------------------------------------

PLACE: Final = 1
CANCEL: Final = 2
REPLACE: Final = 3
CANCEL_ALL: Final = 4
BLOCK: Final = 5
TERM: Final = 6
QUOTE: Final = 7
OPEN_ACCOUNT: Final = 10
DEPOSIT: Final = 11
WITHDRAW: Final = 12
FUND_DEPOSIT: Final = 13
SET_LEVERAGE: Final = 14
TRANSFER: Final = 15
SET_MULTIPLIER: Final = 16
SET_MARGIN_MODE: Final = 17
INDEX: Final = 20
SET_PHASE: Final = 21
PULSE: Final = 22
SOURCE: Final = 23
VOLUNTEER: Final = 24
SETTLE: Final = 25
SET_RULE: Final = 30
INTERRUPT: Final = 31
PLAN_BEGIN: Final = 40
PLAN_ROW: Final = 41
PLAN_COMMIT: Final = 42
WHILE_A_PLAN_IS_AWAITED: Final = (PLAN_BEGIN, PLAN_ROW, PLAN_COMMIT, CANCEL, CANCEL_ALL, PULSE)

REJECTED: Final = 100
ACCOUNT_OPENED: Final = 101
DEPOSITED: Final = 102
WITHDRAWN: Final = 103
FUND_DEPOSITED: Final = 104
LEVERAGE_SET: Final = 105
TRANSFERRED: Final = 106
PHASE_CHANGED: Final = 110
BREAKER_TRIPPED: Final = 111
ORDER_BOUNDED: Final = 112
RULE_SET: Final = 113
ACCEPTED: Final = 200
TRIGGERED: Final = 201
CANCELLED: Final = 202
REPLACED: Final = 203
SHOWN: Final = 204
ARMED: Final = 205
FILL: Final = 210
MARKED: Final = 400
INDEX_STATE: Final = 401
FUNDING_SETTLED: Final = 410
FUNDING_PAID: Final = 411
MULTIPLIER_SET: Final = 504
SOCIALISED: Final = 540

# Flags of a Cancel or a Replace, and of a CancelAll.
INTERRUPTIONS: Final = (
    GUARDED,
    COOLING_OFF,
    CALL_AUCTION,
    PAUSE,
    REDUCE_ONLY_PHASE,
    CLOSE_ONLY,
    HALTED,
    CLOSED,
)
"""Phases that an Interrupt may ask for."""
BY_CLIENT_ID: Final = 1
ONE_SIDE: Final = 1
ONE_SESSION: Final = 2

KEPT: Final = 1
"""Flag of a Replaced: priority was kept."""

# Flags of a Fill.
TAKER: Final = 1
LIQUIDATION: Final = 2
AUCTION: Final = 4
BLOCK_TRADE: Final = 8

# Reasons of a Cancelled.
BY_USER: Final = 1
REST: Final = 2
BY_LIQUIDATION: Final = 3
BY_BREAKER: Final = 4
EXPIRED: Final = 5
BY_REDUCE_ONLY: Final = 6
SELF_TRADE: Final = 7
REFUSED_WHEN_FIRED: Final = 8
BY_OTHER_LEG: Final = 9
REQUOTED: Final = 10
BY_OPERATOR: Final = 11
BY_MARGIN: Final = 13
LEG_NOTES: Final = {
    EXPIRED: "expiry",
    BY_REDUCE_ONLY: "reduce_only",
    SELF_TRADE: "self_trade",
    REQUOTED: "requote",
}


# ---------------------------------------------------------------------------------------------------------
# 2. State
# ---------------------------------------------------------------------------------------------------------


class Position(NamedTuple):
    """Signed lots and the signed money paid for them."""

    base: int
    cost: int


class Trade(NamedTuple):
    """What a trade makes of a position."""

    position: Position
    profit: int
    """Whole minor units that are realised."""
    rest: int
    """Parts of one that are realised as well."""

    def settled(self) -> tuple[Position, int]:
        """Return the position with the rest in its cost, and the rest of a flat one, which nobody has."""
        base, cost = self.position
        return (Position(0, 0), self.rest) if base == 0 else (Position(base, cost - self.rest), 0)


def traded(position: Position, d: int, value: int, scale: int) -> Trade:
    """Return what a trade of d signed lots makes of a position.

    Parameters
    ----------
    value
        What a long lot is worth at the price, in parts.
    scale
        Parts of a minor unit.
    """
    base, cost = position
    profit = rest = 0
    if base != 0 and sign(base) != sign(d):
        b = sign(base)
        k = min(abs(d), abs(base))
        released = cost if k == abs(base) else trunc_div(cost * k, abs(base))
        profit, rest = divmod(b * k * value - released, scale)
        base -= b * k
        cost -= released
        d += b * k
    return Trade(Position(base + d, cost + d * value), profit, rest)


@dataclass(slots=True)
class Account:
    """One account; its balances are in the ledger."""

    number: int
    positions: list[Position]
    open: list[list[int]]
    """Resting quantity by side, then by market; not of reduce-only orders."""
    group: int = 0
    mode: int = ACCOUNTS_OWN
    """Self-trade mode of orders that have none of their own."""
    called: bool = False
    in_liquidation: bool = False
    in_groups: bool = False
    """Whether it is margined in groups of markets."""


# Timers, in the order in which those of one time and market run.
EXPIRY_TIMER: Final = 0
PHASE_TIMER: Final = 1
FUNDING_TIMER: Final = 2
SOURCE_TIMER: Final = 3
SETTLEMENT_TIMER: Final = 4
DEADLINE_TIMER: Final = 5
"""Deadlines of calls; they come after those of every market, and are of none."""

# What a market has where its configuration is silent.
DEFAULT_ENTRY: Final[Config] = {
    "price_step": 1,
    "qty_step": 1,
    "qty_min": 1,
    "notional_min": 0,
    "notional_max": None,
    "open_orders_max": None,
}
DEFAULT_DAY: Final = {"start_ns": 0, "length_ns": 86_400_000_000_000}
DEFAULT_TRIGGERS_PER_STEP: Final = 16


class Market:
    """One market: its rules from the configuration, and its state."""

    def __init__(self, number: int, config: Config) -> None:
        self.number = number
        self.contract = Contract(config)
        self.price_min = self.contract.price_min
        self.price_max = self.contract.price_max
        self.rests = 0
        """Parts of minor units that flat positions have left in Clearing."""
        self.order_qty_max: int = config["order_qty_max"]
        self.position_max: int = config["position_max"]
        self.open_interest_max: int = config["open_interest_max"]
        self.maker_ppm: int = config["fees"]["maker_ppm"]
        self.taker_ppm: int = config["fees"]["taker_ppm"]
        self.tiers: list[dict[str, int]] = config["tiers"]
        """Rates as they are configured."""
        self.take_rates(self.tiers)
        self.marking = Mark(config["mark"])
        self.sources = Sources(config.get("index"), config["mark"])
        self.margin: Config = margin.NONE | config.get("margin", {})
        self.own_rates: dict[int, int] = {}
        """Initial rates that accounts chose for themselves."""
        self.reopen_auction_ns: int = config["reopen_auction_ns"]
        self.take_waterfall(config)
        self.cleared: bool = config.get("cleared", True)
        self.client_ids: str | Config = config.get("client_ids", "none")
        self.allocation: Config = config.get("allocation", {"type": "price_time"})
        self.day: dict[str, int] = config.get("day", DEFAULT_DAY)
        self.entry: Config = config.get("entry", DEFAULT_ENTRY)
        self.funding: Funding | None = None
        if config["funding"] is not None:
            self.funding = Funding(config["funding"], config["tiers"][0])
        self.take_state_of_breakers()
        self.phase: int = PHASE_NAMES.index(config["phase"])
        self.phase_end = 0
        self.index = self.mark = self.last = 0
        self.book: list[list[Order]] = [[], []]
        """Buys and sells, each in priority order."""
        self.unpriced: list[list[Order]] = [[], []]
        """Market orders of a call, longest resting first."""
        self.touch_before: tuple[int, int] | None = None
        """Best bid and ask as they stood when the market last went from trading to a phase that does not match."""
        self.indicated: tuple[int, int, int, int] | None = None
        """What the auction was said to do, since the phase was entered."""
        self.top: list[Order | None] = [None, None]
        """The top order of each side."""
        self.waiting: list[Order] = []
        """Orders with a trigger that have not been sent yet."""
        self.unobserved: list[int] = []
        """Trade prices that waiting orders have not observed."""
        self.has_new_mark = False
        """Whether they have not observed the mark and the index."""
        self.final = FinalSettlement(config.get("settlement"))

    def take_state_of_breakers(self) -> None:
        """Begin without a rule that acts."""
        self.acting: Acting | None = None
        """The rule that acts, if a breaker put the market in its phase."""
        self.multiplied_by = AS_CONFIGURED
        """What breakers make of its rates."""
        self.last_auction = 0
        """The price of the last auction that traded."""
        self.touch_met: tuple[tuple[int, int] | None] | None = None
        """While an order is matched: best bid and ask as they stood when it began, if both were there."""

    def take_waterfall(self, config: Config) -> None:
        """Take the terms of auctions, liquidation and deleveraging."""
        self.auction_rules: Config = config.get("auction") or {}
        self.liquidation: Config = config["liquidation"]
        self.adl: Config = config["adl"]
        self.fund: int = config["fund"]
        self.volunteers: dict[int, int] = {}
        """Lots that volunteers still take, in the order of joining."""
        self.deleveraged = adl.History()
        self.rankings: dict[int, list[int]] = {}
        """ADL rankings by the sign of the position that is closed against them."""

    def take_rates(self, tiers: list[dict[str, int]]) -> None:
        """Go by tiers from now on."""
        self.initial_rates = rate_table(tiers, "initial_ppm")
        self.maintenance_rates = rate_table(tiers, "maintenance_ppm")

    def notional(self, lots: int) -> int:
        """Return N of lots without a side, at the mark."""
        return self.contract.notional(lots, self.mark)

    def size(self, base: int) -> int:
        """Return N of a position, at the mark."""
        return self.contract.position_notional(base, self.mark)

    def profit(self, position: Position) -> int:
        """Return the profit of a position at the mark; there is none before the first mark, nor a position."""
        value = self.contract.value(position.base, self.mark) if position.base else 0
        return value - self.contract.paid(position.cost)

    def lot_value(self) -> Fraction:
        """Return what a lot is worth at the mark, exactly."""
        return self.contract.worth(1, self.mark)

    def owed(self, lots: int, start: int, end: int) -> int:
        """Return what signed lots gain from one price to another, in parts, 0 if they lose."""
        return max(0, lots * self.contract.gain(start, end))

    @property
    def is_pro_rata(self) -> bool:
        """Tell whether lots are shared out at a price."""
        return bool(self.allocation["type"] == "pro_rata")

    @property
    def dense_ids(self) -> int | None:
        """Return the greatest client id of a market with one sequence of them, None for other markets."""
        return None if isinstance(self.client_ids, str) else self.client_ids["dense"]["max"]

    def resting(self) -> list[Order]:
        """Return what rests, buys before sells, each in priority order."""
        return [*self.book[BUY], *self.book[SELL]]

    def open_orders(self) -> list[Order]:
        """Return what rests and what waits."""
        return [*self.resting(), *self.unpriced[BUY], *self.unpriced[SELL], *self.waiting]

    def find(self, number: int) -> Order | None:
        """Return the open order with an acceptance number."""
        return next((order for order in self.open_orders() if order.number == number), None)

    def shown(self, side: int) -> list[Order]:
        """Return the orders of a side that are not hidden."""
        return [order for order in self.book[side] if not order.hidden]

    def parts(self, side: int) -> list[list[Order]]:
        """Return a side in the order of matching: price by price, the shown orders before the hidden ones."""
        parts: list[list[Order]] = []
        for order in self.book[side]:
            if parts and (parts[-1][0].price, parts[-1][0].hidden) == (order.price, order.hidden):
                parts[-1].append(order)
            else:
                parts.append([order])
        return parts

    def day_end(self, now: int) -> int:
        """Return when a day order that comes now expires."""
        start, length = self.day["start_ns"], self.day["length_ns"]
        return start + ((now - start) // length + 1) * length

    def day_of(self, time: int) -> int:
        """Return the number of the day of a time."""
        return (time - self.day["start_ns"]) // self.day["length_ns"]

    def time_of_day(self, time: int) -> int:
        """Return how long the day of a time has lasted."""
        return (time - self.day["start_ns"]) % self.day["length_ns"]

    def nearest(self, price: int) -> int:
        """Return the price of the market that is nearest."""
        return clamp(price, self.price_min, self.price_max)

    def touch(self) -> tuple[int, int] | None:
        """Return best bid and ask, None without both: of an order that is matched as they stood when it began."""
        if self.touch_met is not None:
            return self.touch_met[0]
        buys, sells = self.shown(BUY), self.shown(SELL)
        return (buys[0].price, sells[0].price) if buys and sells else None

    def watched(self, what: int) -> int:
        """Return a price that orders can watch as it stands, 0 if there is none."""
        return {LAST_TRADE: self.last, THE_MARK: self.mark, THE_INDEX: self.index}[what]


# ---------------------------------------------------------------------------------------------------------
# 5. Admission: the table of phases and the reject codes (here because the venue below uses them)
# ---------------------------------------------------------------------------------------------------------


def admits(phase: int, order: Order) -> bool:
    """Tell whether a phase admits an order that comes in."""
    place = PHASES[phase].place
    if place == "rest":
        return order.code == LIMIT
    if place == "reducing":
        return order.code != LIMIT or order.reduce_only
    if place == "closing":
        return order.code != LIMIT
    if place == "providing":
        return order.code != LIMIT or order.reduce_only or order.post_only
    return place == "all"


TIME_BACKWARDS: Final = 101
TIMERS_PENDING: Final = 102
UNKNOWN_COMMAND: Final = 103
UNKNOWN_MARKET: Final = 201
UNKNOWN_ACCOUNT: Final = 202
BAD_FIELD: Final = 203
PHASE_REFUSES: Final = 204
NO_MARK: Final = 205
QTY_OUT_OF_RANGE: Final = 206
PRICE_OUT_OF_RANGE: Final = 207
IN_LIQUIDATION: Final = 208
NOT_REDUCING: Final = 209
BOOK_FULL: Final = 210
BAND_REFUSES: Final = 211
WOULD_TAKE: Final = 212
NOT_FILLABLE: Final = 213
UNKNOWN_ORDER: Final = 214
NOT_YOUR_ORDER: Final = 215
UNKNOWN_ASSET: Final = 216
UNKNOWN_FUND: Final = 217
PRICE_OFF_STEP: Final = 218
QTY_OFF_STEP: Final = 219
NOTIONAL_OUT_OF_RANGE: Final = 220
OPEN_ORDERS_LIMIT: Final = 221
DUPLICATE_CLIENT_ID: Final = 222
TRIGGER_BEYOND: Final = 223
EXPIRY_PAST: Final = 224
SOURCE_CROSSED: Final = 225
SOURCE_STALE: Final = 226
WITHDRAWALS_GATED: Final = 227
UNKNOWN_RULE: Final = 235
AWAITING_PLAN: Final = 250
POSITION_LIMIT: Final = 301
OPEN_INTEREST_LIMIT: Final = 302
MARGIN_SHORT: Final = 303
BALANCE_SHORT: Final = 304
AMOUNT_OUT_OF_RANGE: Final = 305
ACCOUNTS_FULL: Final = 306
MULTIPLIER_REFUSED: Final = 307


class RefusedError(Exception):
    """A command is refused; nothing has been changed yet."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def refuse_if(condition: bool, code: int) -> None:
    """Refuse the command in hand with a code if a condition holds."""
    if condition:
        raise RefusedError(code)


@dataclass(slots=True)
class Incoming:
    """An order on its way through the opposite side, and what it has met."""

    order: Order
    limit: int | None
    """Price that it does not go beyond, None for no limit."""
    rate_ppm: int
    flags: int = 0
    """Flags of its fills."""
    backed_at: int | None = None
    """The bankruptcy price if the market's fund pays for what is worse than it."""
    filled: int = 0
    value: int = 0
    """What a long position of what was filled was worth at the prices of the fills, in parts."""
    cost: int = 0
    """What the fills cost the fund, in parts."""
    tripped: bool = False
    rests: bool = False
    """Whether a rule that tripped lets it rest."""
    prevented: bool = False
    """Whether it has met an order of its own party."""
    shared_at: int = 0
    """The price that was shared out last; only for the notes."""

    def side_sign(self) -> int:
        """Return the sign of the position that it closes."""
        return -direction(self.order.side)

    @property
    def is_liquidation(self) -> bool:
        """Tell whether it is a liquidation order: no prevention of self-trades, some breakers exempt."""
        return bool(self.flags & LIQUIDATION)


@dataclass(slots=True)
class Fired:
    """A waiting order in the queue, and the observed price that fired it."""

    market: Market
    order: Order
    price: int


def user(account: int, asset: int) -> Holder:
    """Name the ledger's place for an account's balance."""
    return ("user", account, asset)


def asset_of(holder: Holder) -> int:
    """Return the asset that a place of the ledger is in."""
    if holder[0] in ("external", "treasury", "user"):
        asset = holder[-1]
        assert isinstance(asset, int)
        return asset
    return 0


FEES: Final[Holder] = ("fees",)
SHORTFALL: Final[Holder] = ("shortfall",)


class OracleVenue:
    """The venue of ``docs/mechanics.md``.

    Parameters
    ----------
    config
        The JSON object of section 12, taken to be valid.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.id: int = config["venue"]
        self.limits: dict[str, int] = config["limits"]
        self.assets: list[Config] = config["assets"]
        self.fund_count = len(config["funds"])
        self.triggers_per_step: int = self.limits.get("triggers_per_step", DEFAULT_TRIGGERS_PER_STEP)
        self.call_ppm: int = config["margin_call_ppm"]
        self.backstop: int | None = config["backstop"]
        self.markets = [Market(i, m) for i, m in enumerate(config["markets"])]
        self.auctions = [Auction(self, market) for market in self.markets]
        self.groups = [Group(self, rules) for rules in config.get("portfolios", [])]
        self.offers: list[Offer] = []
        """What accounts in liquidation offer in the uncross that is under way."""

        self.now = 0
        self.event_count = 0
        self.accepted_count = 0
        self.arrival_count = 0
        self.accounts: list[Account] = []
        self.ledger: dict[Holder, int] = {}
        self.queue: list[int] = []
        self.parked: list[int] = []
        self.funds = Funds(self)
        self.waterfall = Waterfall(self)
        self.period = Period(config.get("block_limits"))
        self.gate = Gate(self)
        self.levels = Levels(self)
        self.plans = Plans(self)
        self.breakers = Breakers(self)
        self.settlement: Settlement | None = None
        self.timers_pending = False
        self.terms = Gathered()
        self.fired: list[Fired] = []

        # What belongs to one step.
        self.command: Record = dict.fromkeys(FIELDS, 0)
        self.events: list[Record] = []
        self.touched: set[int] = set()
        self.step_trades: list[tuple[int, int]] = []
        self.step_marks: list[tuple[int, int]] = []
        self.taken_terms = Gathered()

        self.notes: set[str] = set()
        """What happened that events do not show, for those who count what is reached."""
        self.clients_seen: set[tuple[int, int, int]] = set()
        self.uncrossing = False
        """Whether an auction is under way; its meetings are one trade."""
        self.step_uncrossed = 0
        """The price at which the auction under way has traded, 0 while it has not."""

    # -----------------------------------------------------------------------------------------------------
    # Read access, for generators of commands
    # -----------------------------------------------------------------------------------------------------

    def marks(self) -> list[int]:
        """Return the mark of every market, 0 where there is none yet."""
        return [market.mark for market in self.markets]

    def indexes(self) -> list[int]:
        """Return the index of every market, 0 where there is none yet."""
        return [market.index for market in self.markets]

    def phases(self) -> list[int]:
        """Return the phase of every market."""
        return [market.phase for market in self.markets]

    def positions(self, number: int) -> list[Position]:
        """Return an account's position in every market."""
        return self.accounts[number].positions

    def balances(self, number: int) -> list[int]:
        """Return an account's balance of every asset."""
        return [self.balance(user(number, asset)) for asset in range(len(self.assets))]

    def fund(self, number: int) -> int:
        """Return what a fund holds."""
        return self.balance(("fund", number))

    def queue_length(self) -> int:
        """Return how many accounts wait for a round."""
        return len(self.queue)

    def resting(self, market: int) -> list[Order]:
        """Return the resting orders of a market, buys before sells, each in priority order."""
        return self.markets[market].resting()

    def note(self, name: str) -> None:
        """Note a state that events do not show."""
        self.notes.add(name)

    # -----------------------------------------------------------------------------------------------------
    # 1. Records
    # -----------------------------------------------------------------------------------------------------

    def emit(
        self,
        kind: int,
        *,
        market: int = NO_MARKET,
        account: int = 0,
        order: int = 0,
        side: int = 0,
        code: int = 0,
        flags: int = 0,
        price: int = 0,
        qty: int = 0,
        amount: int = 0,
    ) -> None:
        """Report an event."""
        self.event_count += 1
        self.events.append(
            {
                "kind": kind,
                "flags": flags,
                "venue": self.id,
                "market": market,
                "at": self.now,
                "seq": self.event_count,
                "source": self.command["source"],
                "side": side,
                "code": code,
                "account": account,
                "order": order,
                "price": price,
                "qty": qty,
                "amount": amount,
            }
        )

    def emit_rejected(self, code: int) -> None:
        """Report that the command in hand is refused."""
        command = self.command
        self.emit(
            REJECTED,
            flags=command["kind"],
            code=code,
            market=command["market"],
            account=command["account"],
            order=command["order"],
            side=command["side"],
            price=command["price"],
            qty=command["qty"],
            amount=command["amount"],
        )

    # -----------------------------------------------------------------------------------------------------
    # 2. State: the ledger and a trade
    # -----------------------------------------------------------------------------------------------------

    def balance(self, holder: Holder) -> int:
        """Return what a place of the ledger holds."""
        return self.ledger.get(holder, 0)

    def transfer(self, source: Holder, target: Holder, amount: int) -> None:
        """Move money; a negative amount moves the other way."""
        assert asset_of(source) == asset_of(target), "a transfer stays in one asset"
        self.ledger[source] = self.balance(source) - amount
        self.ledger[target] = self.balance(target) + amount

    def trade(self, number: int, market: Market, d: int, price: int) -> None:
        """Change a position by d signed lots at a price."""
        contract, held = market.contract, self.accounts[number].positions[market.number]
        self.realise(number, market, traded(held, d, contract.lot(price), contract.scale))

    def realise(self, number: int, market: Market, trade: Trade) -> None:
        """Take what a trade makes of a position, and move its profit."""
        m = market.number
        self.accounts[number].positions[m], left = trade.settled()
        self.transfer(("clearing", m), user(number, 0), trade.profit)
        market.rests += left
        if left > 0:
            self.note("rest_left")
        if market.rests >= market.contract.scale:
            market.rests -= market.contract.scale
            self.transfer(("clearing", m), ("rounding", m), 1)
            self.note("rest_rounded")
        self.touched.add(number)

    # -----------------------------------------------------------------------------------------------------
    # 3. Margin
    # -----------------------------------------------------------------------------------------------------

    def collateral(self, asset: int) -> margin.Collateral:
        """Return what an asset other than 0 counts for."""

        def price(source: str, market: int) -> int:
            each = self.markets[market]
            return each.index if source == "index" else each.mark

        return margin.Collateral(self.assets[asset]["collateral"], price)

    def equity(self, number: int, *, initial: bool = False) -> int:
        """Return E of an account, or what of it counts where initial margin is asked for."""
        total = self.balance(user(number, 0))
        for asset in range(1, len(self.assets)):
            held, rules = self.balance(user(number, asset)), self.collateral(asset)
            deposits = -self.balance(("external", asset))
            total += rules.initial_value(held, deposits) if initial else rules.value(held)
        positions = self.accounts[number].positions
        return total + sum(market.profit(held) for market, held in zip(self.markets, positions, strict=True))

    def group_of(self, number: int, market: Market) -> Group | None:
        """Return the group in which an account's position in a market is margined."""
        if not self.accounts[number].in_groups:
            return None
        return next((group for group in self.groups if market in group.markets), None)

    def groups_of(self, number: int) -> list[Group]:
        """Return the groups in which an account is margined."""
        return self.groups if self.accounts[number].in_groups else []

    def size_rate(self, market: Market, lots: int) -> int:
        """Return the maintenance rate of a size, 0 without a rule."""
        rule = market.margin["size"]
        if rule is None:
            return 0
        base = market.maintenance_rates[0].rate
        return min(margin.rate_by_size(rule, "maintenance", base, lots), margin.size_max(self.call_ppm))

    def maintenance_of(self, number: int, market: Market) -> int:
        """Return the maintenance margin of one position."""
        group = self.group_of(number, market)
        if group is not None:
            return group.part_of(self.accounts[number], market)
        base = self.accounts[number].positions[market.number].base
        lots, notional = abs(base), market.size(base)
        by_size = ceil_div(notional * self.size_rate(market, lots), MILLION)
        return max(requirement(market.maintenance_rates, notional), by_size) if lots else 0

    def maintenance(self, number: int) -> int:
        """Return MM of an account."""
        return sum(self.maintenance_of(number, market) for market in self.markets)

    def has_recovered(self, number: int) -> bool:
        """Tell whether an account in liquidation may leave it."""
        exit_ppm: int = self.config.get("liquidation_exit_ppm", MILLION)
        is_out = self.equity(number) * MILLION >= self.maintenance(number) * exit_ppm
        return is_out and self.levels.covers_call(number)

    def call_requirement(self, number: int) -> int:
        """Return C of an account, 0 if there are no calls."""
        account = self.accounts[number]
        total = sum(group.call(account, self.call_ppm) for group in self.groups_of(number))
        for market in self.markets:
            base = account.positions[market.number].base
            lots, notional = abs(base), market.size(base)
            if lots != 0 and self.group_of(number, market) is None:
                tier = tier_of(market.maintenance_rates, notional)
                exact = max(notional * tier.rate - MILLION * tier.deduction, notional * self.size_rate(market, lots))
                total += ceil_div(exact * self.call_ppm, MILLION * MILLION)
        return total

    def exposure(self, number: int, market: Market) -> int:
        """Return the lots that initial margin is taken for in a market."""
        account, m = self.accounts[number], market.number
        base = account.positions[m].base
        return max(base + account.open[BUY][m], account.open[SELL][m] - base, 0)

    def initial_of(self, market: Market, lots: int, own: int, interest: int | None = None) -> int:
        """Return the initial margin of some lots in a market at an account's own rate."""
        base, rates = market.initial_rates[0].rate, [own]
        if interest is None:
            interest = self.open_interest(market)
        if market.margin["open_interest"] is not None:
            rates.append(margin.rate_by_interest(market.margin["open_interest"], base, market.notional(interest)))
        if market.margin["size"] is not None:
            rates.append(margin.rate_by_size(market.margin["size"], "initial", base, lots))
        notional = market.notional(lots)
        floor_ = ceil_div(notional * min(MILLION, max(rates)), MILLION)
        return max(requirement(market.initial_rates, notional), floor_)

    def initial(self, number: int, interests: dict[int, int] | None = None) -> int:
        """Return IM of an account, at another open interest if wanted."""
        total = sum(group.initial(self.accounts[number]) for group in self.groups_of(number))
        for market in self.markets:
            if self.group_of(number, market) is None:
                own, lots = market.own_rates.get(number, 0), self.exposure(number, market)
                total += self.initial_of(market, lots, own, None if interests is None else interests[market.number])
        return total

    def after_trade(self, number: int, market: Market, d: int, price: int) -> tuple[int, int]:
        """Return what E and IM of an account would be after a trade of d signed lots, open interest as it stands."""
        interests = {each.number: self.open_interest(each) for each in self.markets}
        with self.as_if_traded(number, market, d, price) as profit:
            return self.equity(number, initial=True) + profit, self.initial(number, interests=interests)

    @contextmanager
    def as_if_traded(self, number: int, market: Market, d: int, price: int) -> Iterator[int]:
        """Let a position be for a while as it would be after a trade; its profit is not in the balance."""
        positions, contract = self.accounts[number].positions, market.contract
        before = positions[market.number]
        trade = traded(before, d, contract.lot(price), contract.scale)
        positions[market.number], _ = trade.settled()
        try:
            yield trade.profit
        finally:
            positions[market.number] = before

    def check_order(
        self, number: int, market: Market, side: int, *, price: int | None, qty: int, gone: int = 0
    ) -> None:
        """Refuse an order that a position, open-interest or margin limit does not bear.

        Parameters
        ----------
        price
            The limit, None for a market order.
        gone
            Quantity of the order that it replaces, which no longer counts.
        """
        account, m = self.accounts[number], market.number
        base = account.positions[m].base
        buys, sells = account.open[BUY][m], account.open[SELL][m]
        if side == BUY:
            buys -= gone
        else:
            sells -= gone
        before = max(base + buys, sells - base, 0)
        if side == BUY:
            buys += qty
            refuse_if(base + buys > market.position_max, POSITION_LIMIT)
        else:
            sells += qty
            refuse_if(sells - base > market.position_max, POSITION_LIMIT)
        after = max(base + buys, sells - base, 0)
        grows = after > before
        refuse_if(grows and self.open_interest(market) + qty > market.open_interest_max, OPEN_INTEREST_LIMIT)

        standing = account.open[side][m]
        account.open[side][m] = standing - gone
        least = self.initial(number)
        account.open[side][m] = standing - gone + qty
        initial = self.initial(number)
        account.open[side][m] = standing
        if self.group_of(number, market) is not None:
            self.note("order_in_group")
        if initial <= least:
            return
        open_loss = 0
        if price is not None:
            open_loss = market.contract.up(market.owed(direction(side) * qty, market.mark, price))
        worth = market.contract.worth(qty, market.mark if price is None else price)
        fee = max(0, ceil(worth * market.taker_ppm / MILLION))
        refuse_if(self.equity(number, initial=True) < initial + open_loss + fee, MARGIN_SHORT)

    # -----------------------------------------------------------------------------------------------------
    # 4. One step
    # -----------------------------------------------------------------------------------------------------

    def apply(self, record: Record) -> list[Record]:
        """Take one command through one step and return its events."""
        self.command = record
        self.events = []
        self.step_trades = []
        self.step_marks = []
        self.breakers.begin_step()
        if record["kind"] != TERM:
            self.taken_terms, self.terms = self.terms, Gathered()
            if self.taken_terms.records and record["kind"] != PLACE:
                self.note("terms_taken_away")
        left = [len(market.unobserved) for market in self.markets]
        accepted = self.step()
        if accepted and any(left):
            self.note("prices_observed_late")
        if record["kind"] == TERM and not accepted:
            self.terms.broken = True
        return self.events

    def step(self) -> bool:
        """Go through one step; tell whether the command was accepted."""
        kind = self.command["kind"]
        if kind not in HANDLERS:
            self.emit_rejected(UNKNOWN_COMMAND)
            return False
        if self.command["at"] < self.now:
            self.emit_rejected(TIME_BACKWARDS)
            return False
        self.now = self.command["at"]
        self.run_timers()
        self.breakers.look_at_gap()

        accepted = True
        try:
            refuse_if(self.timers_pending and kind != PULSE, TIMERS_PENDING)
            waits = self.plans.awaited is not None
            refuse_if(waits and kind not in WHILE_A_PLAN_IS_AWAITED, AWAITING_PLAN)
            HANDLERS[kind](self)
        except RefusedError as refused:
            accepted = False
            self.emit_rejected(refused.code)

        goes_on = accepted and not self.timers_pending and self.plans.awaited is None
        if goes_on and kind != PLAN_COMMIT:
            self.run_triggers()
        marked = bool(self.step_marks)
        self.breakers.set_margins()
        self.health(everyone=marked)
        ask_depths(self)
        resolves = goes_on and (marked or kind == PULSE)
        if resolves:
            self.resolve()
            self.health(everyone=False)
        self.indicate(kind)
        self.breakers.observe(self.step_trades, self.step_marks)
        self.breakers.count()
        self.audit()
        self.breakers.look_at_touches()
        return accepted

    # Step 1: time.

    def run_timers(self) -> None:
        """Run due timers until none is left or the budget for funding is used up."""
        budget = self.limits["funding_accounts_per_step"]
        while True:
            budget = self.go_on_settling(budget)
            timers = self.due_timers()
            self.timers_pending = self.is_settling() or (
                bool(timers) and budget == 0 and self.takes_accounts(min(timers))
            )
            if self.timers_pending or not timers:
                return
            budget -= self.takes_accounts(min(timers))
            self.run_timer(min(timers), timers)

    def takes_accounts(self, timer: tuple[int, int, int]) -> bool:
        """Tell whether a timer begins to look at accounts."""
        _, m, what = timer
        return what == FUNDING_TIMER or (what == SETTLEMENT_TIMER and self.markets[m].final.reduces)

    def is_settling(self) -> bool:
        """Tell whether funding or a market is being settled."""
        return self.settlement is not None or any(market.final.is_going_on for market in self.markets)

    def go_on_settling(self, budget: int) -> int:
        """Go on with the settlement of funding or of a market; return what is left of the number of accounts."""
        if self.settlement is not None:
            budget = self.settle_funding(self.settlement, budget)
        for market in self.markets:
            if market.final.is_going_on:
                budget = settlement.go_on(self, market, budget)
        return budget

    def run_timer(self, timer: tuple[int, int, int], timers: list[tuple[int, int, int]]) -> None:
        """Run the first of the due timers."""
        due, m, what = timer
        if what == DEADLINE_TIMER:
            self.levels.end(due)
            return
        market = self.markets[m]
        if what == FUNDING_TIMER:
            self.start_funding(market)
        elif what == SETTLEMENT_TIMER and market.final.reduces:
            settlement.begin(self, market)
        elif what == SETTLEMENT_TIMER:
            settlement.reduce_only(self, market)
        elif what == PHASE_TIMER:
            self.end_phase(market)
        elif what == SOURCE_TIMER:
            self.expire_sources(market, due)
        else:
            for other, _, beside in timers:
                if other == due and beside in (FUNDING_TIMER, PHASE_TIMER):
                    self.note("expiry_with_funding" if beside == FUNDING_TIMER else "expiry_with_phase")
            self.expire(market, due)

    def due_timers(self) -> list[tuple[int, int, int]]:
        """Return the due timers as (due time, market, what it is)."""
        timers = []
        for market in self.markets:
            expiries = {order.expiry for order in market.open_orders() if 0 < order.expiry <= self.now}
            timers += [(expiry, market.number, EXPIRY_TIMER) for expiry in expiries]
            if 0 < market.phase_end <= self.now and market.phase not in (CONTINUOUS, CLOSED, SETTLEMENT):
                timers.append((market.phase_end, market.number, PHASE_TIMER))
            timers += [(time, market.number, SETTLEMENT_TIMER) for time in market.final.due() if time <= self.now]
            has_funding = market.funding is not None and market.index > 0 and not market.final.has_begun
            if market.funding is not None and has_funding and market.funding.due <= self.now:
                timers.append((market.funding.due, market.number, FUNDING_TIMER))
            ends = {source.end() for source in market.sources.all if source.live}
            timers += [(end, market.number, SOURCE_TIMER) for end in ends if end <= self.now]
        timers += [(due, NO_MARKET, DEADLINE_TIMER) for due in self.levels.due()]
        return timers

    def expire(self, market: Market, due: int) -> None:
        """Cancel every order of a market that expires at a time."""
        for order in sorted(market.open_orders(), key=lambda o: o.number):
            if order.expiry == due and order.qty > 0:
                if order.flags & DAY:
                    self.note("expired_day")
                if order in market.waiting:
                    self.note("expired_waiting")
                self.cancel_order(market, order, EXPIRED)

    def end_phase(self, market: Market) -> None:
        """Lead a market out of a phase whose end is due."""
        due = market.phase_end
        if self.breakers.extend(market, due) or self.breakers.end_limit_state(market, due):
            return
        if self.collects_orders(market) and self.auctions[market.number].is_outside():
            self.note("call_goes_on")
            self.enter_phase(market, market.phase, 0, acting=market.acting)
        elif market.final.reduces:
            self.enter_phase(market, REDUCE_ONLY_PHASE, 0)
        elif market.phase in (HALTED, PAUSE) and self.breakers.reopening_ns(market) > 0:
            end = due + self.breakers.reopening_ns(market)
            self.enter_phase(market, CALL_AUCTION, end, acting=market.acting)
        elif market.phase == CLOSE_ONLY:
            self.enter_phase(market, CLOSED, 0)
        else:
            self.enter_phase(market, CONTINUOUS, 0)

    def enter_phase(self, market: Market, phase: int, end: int, *, acting: Acting | None = None) -> None:
        """Change the phase of a market, for a rule if one acts; the book is uncrossed first if matching begins."""
        old, acted = market.phase, market.acting
        if PHASES[old].matches and not PHASES[phase].matches:
            buys, sells = market.shown(BUY), market.shown(SELL)
            market.touch_before = (buys[0].price, sells[0].price) if buys and sells else None
        uncrosses = PHASES[phase].matches and not PHASES[old].matches
        if uncrosses:
            self.step_uncrossed = 0
            self.uncross(market)
            if self.step_uncrossed > 0:
                self.breakers.auction_ended(market, acted, self.step_uncrossed)
        market.phase, market.acting = phase, acting
        market.phase_end = end
        market.indicated = None
        self.emit(PHASE_CHANGED, market=market.number, code=phase, flags=old, amount=end)
        if uncrosses:
            self.settle_offers()

    # Step 6a: triggers.

    def run_triggers(self) -> None:
        """Let waiting orders observe what is new, and send those that have fired."""
        for market in self.markets:
            self.observe_prices(market)
        for _ in range(self.triggers_per_step):
            sendable = [fired for fired in self.fired if self.can_be_sent(fired)]
            if not sendable:
                break
            before = len(self.fired)
            self.send(sendable[0])
            self.observe_prices(sendable[0].market)
            if len(self.fired) >= before:
                self.note("trigger_cascade")
        for fired in self.fired:
            self.note("trigger_left_over" if self.can_be_sent(fired) else "trigger_held_by_phase")

    def can_be_sent(self, fired: Fired) -> bool:
        """Tell whether the phase of its market takes a fired order."""
        phase = fired.market.phase
        return PHASES[phase].matches and admits(phase, fired.order)

    # Step 7: health.

    def health(self, *, everyone: bool) -> None:
        """Look at every account touched since the last pass, and at the others if a mark has changed."""
        touched, self.touched = self.touched, set()
        cleared: list[int] = []
        calls: list[int] = []
        started: list[int] = []
        for account in self.accounts:
            number = account.number
            if account.in_liquidation or not (everyone or number in touched):
                continue
            equity, call = self.equity(number), self.call_requirement(number)
            if account.called and number in touched and equity >= call:
                account.called = False
                cleared.append(number)
            if equity < self.maintenance(number) and self.can_be_liquidated(number):
                account.in_liquidation = True
                account.called = account.called or self.call_ppm > 0
                started.append(number)
            elif not account.called and call > 0 and equity < call:
                account.called = True
                calls.append(number)

        for number in cleared:
            self.levels.clear(number)
        for number in sorted(calls, key=self.how_bad):
            self.levels.call(number)
        for number in sorted(started, key=self.how_bad):
            self.levels.start(number)

    def can_be_liquidated(self, number: int) -> bool:
        """Tell whether an account has no position, or one in a market with liquidation enabled."""
        positions = self.accounts[number].positions
        return self.is_flat(number) or any(
            market.liquidation["enabled"] and positions[market.number].base != 0 for market in self.markets
        )

    def how_bad(self, number: int) -> tuple[bool, Fraction, int]:
        """Return a key that sorts the worst account first."""
        maintenance = self.maintenance(number)
        if maintenance == 0:
            return False, Fraction(0), number
        return True, Fraction(self.equity(number), maintenance), number

    # Step 8: resolve.

    def resolve(self) -> None:
        """Give the head of the queue a round, up to the limit of rounds."""
        self.period.begin_step(self.now)
        for _ in range(self.breakers.rounds(self.limits["liquidation_rounds_per_step"])):
            if not self.queue:
                return
            if not self.period.takes_round():
                self.emit(LIMIT_REACHED, account=self.queue[0], code=OF_ROUNDS)
                return
            number = self.queue.pop(0)
            self.waterfall.round(number)
            if self.plans.awaited is not None:
                return
            if self.accounts[number].in_liquidation:
                self.gate.look_at_equity(number)

    def indicate(self, kind: int) -> None:
        """Tell what auctions would do."""
        for market, auction in zip(self.markets, self.auctions, strict=True):
            when = auction.rules["indicative"]
            if self.collects_orders(market) and (
                when == "command" or (when == "pulse" and kind in (INDEX, SOURCE, PULSE))
            ):
                auction.indicate()

    # Step 10: audit.

    def audit(self) -> None:
        """Assert what is true after every step."""
        sums = [0] * len(self.assets)
        for holder, amount in self.ledger.items():
            sums[asset_of(holder)] += amount
        assert not any(sums), f"balances do not sum to zero: {sums}"
        assert all(self.fund(f) >= 0 for f in range(self.fund_count)), "a fund is negative"
        assert self.balance(SHORTFALL) <= 0, "Shortfall is positive"
        for market in self.markets:
            m = market.number
            held = [account.positions[m] for account in self.accounts]
            assert sum(p.base for p in held) == 0, "positions do not sum to zero"
            clearing = market.contract.scale * self.balance(("clearing", m)) + sum(p.cost for p in held)
            assert clearing == market.rests, "Clearing is off"
            assert 0 <= market.rests < market.contract.scale, "rests make a minor unit"
            if self.settlement is None:
                assert self.balance(("funding", m)) >= 0, "Funding is negative"
            resting = [[0] * len(self.accounts), [0] * len(self.accounts)]
            for order in [*market.resting(), *market.unpriced[BUY], *market.unpriced[SELL]]:
                if market.cleared and not order.reduce_only:
                    resting[order.side][order.account] += order.qty
            for side in (BUY, SELL):
                lots = [account.open[side][m] for account in self.accounts]
                assert lots == resting[side], "open quantity is off"
            self.audit_orders(market)
        waiting = [order for market in self.markets for order in market.waiting]
        queued = [fired.order for fired in self.fired]
        assert all(queued.count(order) == 1 and order in waiting for order in queued), "a fired order does not wait"

    def audit_orders(self, market: Market) -> None:
        """Assert what is true of a market's orders."""
        orders = market.open_orders()
        numbers = [order.number for order in orders]
        assert len(set(numbers)) == len(numbers), "an order is in two places"
        assert len(orders) <= self.limits["orders_max"], "the book is more than full"
        for side in (BUY, SELL):
            assert all(order.side == side and order.code == LIMIT for order in market.book[side]), "what rests is odd"
            assert market.book[side] == sorted(market.book[side], key=priority_of), "the book is out of order"
            top = market.top[side]
            assert top is None or (top in market.book[side] and not top.hidden), "the top order is none"
        assert all(order.trigger is not None for order in market.waiting), "an order waits for nothing"
        resting = [order for order in orders if order not in market.waiting]
        assert all(order.counted == (market.cleared and not order.reduce_only) for order in resting)
        for order in orders:
            assert order.account < len(self.accounts), "an order has no account"
            assert 0 <= order.behind < order.qty, "an order shows nothing"
            if order in market.waiting or order.hidden or order.terms.display == 0:
                assert order.behind == 0, "lots are behind nothing"
            else:
                assert order.lots <= order.terms.display, "an iceberg shows too much"
            if not self.timers_pending:
                assert order.expiry == 0 or order.expiry > self.now, "an order has outlived itself"
            leg = order.leg
            if leg is not None:
                assert leg.leg is order, "legs do not point at each other"
                assert leg in orders, "a leg is in no book"
                assert leg.account == order.account, "a leg is someone else's"
        most = market.entry["open_orders_max"]
        owners = [order.account for order in orders]
        assert most is None or all(owners.count(owner) <= most for owner in owners), "an account has too many orders"
        # Where ids are dense there is one sequence for all accounts.
        owner = 0 if market.dense_ids is not None else 1
        kept = market.client_ids != "none"
        named = [(owner * order.account, order.client) for order in orders if order.client != 0 and kept]
        assert len(set(named)) == len(named), "two orders have one client id"
        quoted = [(order.account, order.quote, order.side) for order in market.resting() if order.quote is not None]
        assert len(set(quoted)) == len(quoted), "a quote has two orders on a side"
        if PHASES[market.phase].matches and market.book[BUY] and market.book[SELL]:
            assert market.book[BUY][0].price < market.book[SELL][0].price, "the book is crossed"

    # -----------------------------------------------------------------------------------------------------
    # 5. Admission
    # -----------------------------------------------------------------------------------------------------

    def market_named(self) -> Market:
        """Return the market of the command."""
        refuse_if(self.command["market"] >= len(self.markets), UNKNOWN_MARKET)
        return self.markets[self.command["market"]]

    def account_named(self, number: int) -> Account:
        """Return the account with a number."""
        refuse_if(number >= len(self.accounts), UNKNOWN_ACCOUNT)
        return self.accounts[number]

    def open_interest(self, market: Market) -> int:
        """Return the sum of the long positions."""
        return sum(max(0, account.positions[market.number].base) for account in self.accounts)

    def best_opposite(self, market: Market, side: int) -> int | None:
        """Return the best price that an order of a side could meet, hidden orders included."""
        opposite = market.book[1 - side]
        return opposite[0].price if opposite else None

    def would_take(self, market: Market, side: int, limit: int) -> bool:
        """Tell whether an order would meet the opposite side at once."""
        best = self.best_opposite(market, side)
        return PHASES[market.phase].matches and best is not None and inside(side, limit, best)

    def place(self) -> None:
        """Take a Place."""
        command = self.command
        market = self.market_named()
        account = self.account_named(command["account"])
        given = self.taken_terms
        if given.broken:
            self.note("terms_broken")
        refuse_if(given.broken, BAD_FIELD)
        named = (market.number, account.number)
        refuse_if(any((term["market"], term["account"]) != named for term in given.records), BAD_FIELD)
        terms = Terms.of(given.records)
        refuse_if(is_bad_place(command, terms) or do_not_go(terms, command), BAD_FIELD)
        dense = market.dense_ids
        refuse_if(dense is not None and command["order"] > dense, BAD_FIELD)
        order = Order(
            number=0,
            account=account.number,
            side=command["side"],
            price=command["price"],
            qty=command["qty"],
            code=command["code"],
            flags=command["flags"],
            terms=terms,
            client=command["order"],
            session=command["amount"],
            expiry=market.day_end(self.now) if command["flags"] & DAY else terms.expiry,
        )
        is_admitted = admits(market.phase, order) or self.may_wait(market, order) or self.joins_call(market, order)
        refuse_if(not is_admitted, PHASE_REFUSES)
        self.place_order(market, order)

    def may_wait(self, market: Market, order: Order) -> bool:
        """Tell whether an order waits and its phase places anything."""
        return order.trigger is not None and PHASES[market.phase].place != "none"

    def joins_call(self, market: Market, order: Order) -> bool:
        """Tell whether an order is a market order that takes part in the call of its market."""
        return self.collects_orders(market) and self.auctions[market.number].admits(order)

    def place_order(self, market: Market, order: Order) -> None:
        """Take a new order from NoMark on: a Place, or a side of a Quote, whose phase was asked."""
        account = self.accounts[order.account]
        lasts = order.code == LIMIT or order.trigger is not None or self.joins_call(market, order)
        refuse_if(market.cleared and market.index == 0, NO_MARK)
        price = None if order.is_market else order.price
        self.check_numbers(market, price, order.qty, reduce_only=order.reduce_only)
        if market.mark == 0:
            self.note("uncleared_without_mark")
        refuse_if(order.expiry != 0 and order.expiry <= self.now, EXPIRY_PAST)
        refuse_if(market.cleared and account.in_liquidation, IN_LIQUIDATION)
        refuse_if(bool(order.client) and self.named_by_client(market, order) is not None, DUPLICATE_CLIENT_ID)
        leg = self.leg_named(market, order)
        refuse_if(self.is_beyond_trigger(market, order), TRIGGER_BEYOND)
        mine = [other for other in market.open_orders() if other.account == order.account]
        most: int | None = market.entry["open_orders_max"]
        refuse_if(lasts and most is not None and len(mine) >= most, OPEN_ORDERS_LIMIT)
        refuse_if(lasts and len(market.open_orders()) >= self.limits["orders_max"], BOOK_FULL)
        if order.trigger is not None:
            self.accept(market, order, leg)
            self.arm(market, order)
            return
        price, limit = self.check_entering(market, order, price=order.price, qty=order.qty)
        order.price = price
        self.accept(market, order, leg)
        self.bring_in_needed(market, order, limit)

    def check_numbers(self, market: Market, price: int | None, qty: int, *, reduce_only: bool) -> None:
        """Refuse numbers that the market does not take; the price of a market order is None."""
        entry = market.entry
        refuse_if(not entry["qty_min"] <= qty <= market.order_qty_max, QTY_OUT_OF_RANGE)
        refuse_if(qty % entry["qty_step"] != 0, QTY_OFF_STEP)
        if price is not None:
            refuse_if(not market.price_min <= price <= market.price_max, PRICE_OUT_OF_RANGE)
            refuse_if(price % entry["price_step"] != 0, PRICE_OFF_STEP)
        elif market.mark == 0:
            return
        notional = market.contract.notional(qty, market.mark if price is None else price)
        least, most = entry["notional_min"], entry["notional_max"]
        refuse_if(notional < least and not reduce_only, NOTIONAL_OUT_OF_RANGE)
        refuse_if(most is not None and notional > most, NOTIONAL_OUT_OF_RANGE)

    def named_by_client(self, market: Market, order: Order) -> Order | None:
        """Return the open order that has the client id of a new one."""
        return self.with_client_id(market, order.account, order.client)

    def with_client_id(self, market: Market, number: int, client: int) -> Order | None:
        """Return the open order that an account's client id names, None also for the id 0, which is none."""
        if market.client_ids == "none":
            return None
        for order in market.open_orders():
            same_sequence = market.dense_ids is not None or order.account == number
            if client != 0 and order.client == client and same_sequence:
                return order
        return None

    def leg_named(self, market: Market, order: Order) -> Order | None:
        """Return the order that a new one is to be tied to, None if none is named."""
        if order.terms.other_leg == 0:
            return None
        leg = market.find(order.terms.other_leg)
        if leg is None:
            raise RefusedError(UNKNOWN_ORDER)
        refuse_if(leg.account != order.account, NOT_YOUR_ORDER)
        refuse_if(leg.leg is not None, BAD_FIELD)
        return leg

    def is_beyond_trigger(self, market: Market, order: Order) -> bool:
        """Tell whether the watched price as it stands would fire a new order."""
        if order.trigger is None:
            return False
        standing = market.watched(order.trigger.watched)
        return standing > 0 and order.would_fire(standing)

    def check_entering(
        self, market: Market, order: Order, *, price: int, qty: int, replaced: bool = False
    ) -> tuple[int, int | None]:
        """Refuse an order that may not enter the book as it is now: a new one, a fired one, a replaced one.

        Returns
        -------
        Its price after a cap or slide, and the price that it does not go beyond.
        """
        account, side = self.accounts[order.account], order.side
        place = PHASES[market.phase].place
        adds = order.code == LIMIT and order.post_only
        if order.reduce_only or place in ("reducing", "closing") or (place == "providing" and not adds):
            base = account.positions[market.number].base
            refuse_if(sign(base) != -direction(side) or qty > abs(base), NOT_REDUCING)
        limit: int | None
        came = (price, qty)
        bounded: Record | None = None
        joins = self.joins_call(market, order)
        if joins:
            limit = None
        elif order.is_market:
            limit = self.market_limit(market, order)
        else:
            price, bounded, refused = self.breakers.bounded(market, order, price, liquidation=False)
            if refused:
                assert bounded is not None
                self.emit(ORDER_BOUNDED, **bounded)
                raise RefusedError(BAND_REFUSES)
            if order.post_only and self.would_take(market, side, price):
                price = self.slid(market, order)
                self.note("slid_when_replaced" if replaced else "fired_slid" if order.number > 0 else "slid")
            limit = price
        if order.needed > 0 and not replaced:
            name = "fok" if order.code == FILL_OR_KILL else "minimum"
            enough = self.certain_lots(market, order, limit) >= order.needed
            self.note(f"{name}_filled" if enough else f"{name}_refused")
            refuse_if(not enough, NOT_FILLABLE)
        outside = None if joins else self.breakers.refused_whole(market, order, came, limit)
        if outside is not None:
            self.note("rule_refused_whole")
            self.emit(ORDER_BOUNDED, **outside)
            raise RefusedError(BAND_REFUSES)
        if market.cleared and not ((order.code == LIMIT or joins) and order.reduce_only):
            self.check_order(
                order.account,
                market,
                side,
                price=None if order.is_market else price,
                qty=qty,
                gone=order.qty if replaced else 0,
            )
        if bounded is not None:
            self.emit(ORDER_BOUNDED, **bounded)
        return price, limit

    def market_limit(self, market: Market, order: Order) -> int | None:
        """Return how far a market order may go by its protection and by the bands, None for no limit."""
        side, terms = order.side, order.terms
        limit = self.breakers.market_limit(market, order)
        best = self.best_opposite(market, side)
        if best is None or not terms.protects:
            return limit
        if terms.protection_ticks > 0:
            protected = best + direction(side) * terms.protection_ticks
        else:
            protected = inward_bound(best, terms.protection_ppm, side)
        protected = max(market.price_min, protected)
        if limit is None:
            return protected
        return min(limit, protected) if side == BUY else max(limit, protected)

    def slid(self, market: Market, order: Order) -> int:
        """Return the price that a post-only order slides to, or refuse it."""
        best = self.best_opposite(market, order.side)
        assert best is not None, "there is something that it would take"
        price = best - direction(order.side)
        refuse_if(not order.flags & SLIDE, WOULD_TAKE)
        if not market.price_min <= price <= market.price_max:
            self.note("slid_nowhere")
            raise RefusedError(WOULD_TAKE)
        return price

    def accept(self, market: Market, order: Order, leg: Order | None) -> None:
        """Give a new order its number, tie it to its other leg and report it."""
        self.accepted_count += 1
        order.number = self.accepted_count
        if order.terms != Terms():
            self.note("terms_used")
        if order.client != 0:
            name = (market.number, -1 if market.dense_ids is not None else order.account, order.client)
            if name in self.clients_seen:
                self.note("client_id_reused")
            self.clients_seen.add(name)
        if leg is not None:
            order.leg, leg.leg = leg, order
        self.emit_accepted(market, order, waits=order.trigger is not None)

    def emit_accepted(self, market: Market, order: Order, *, waits: bool = False) -> None:
        """Report that an order is accepted: to wait for its trigger, or to enter the book."""
        self.emit(
            ACCEPTED,
            account=order.account,
            market=market.number,
            order=order.id,
            side=order.side,
            code=order.code,
            flags=order.flags | (WAITS if waits else 0),
            price=order.price,
            qty=order.qty,
            amount=order.client,
        )

    def bring_in_needed(self, market: Market, order: Order, limit: int | None) -> None:
        """Let an order enter the book, and assert that what was counted for it is filled."""
        needed = order.needed
        incoming = self.bring_in(market, order, limit)
        # An iceberg is counted whole, though an own order may stand before what it shows next.
        assert incoming.filled >= needed or incoming.prevented, "what was counted is not filled"

    def bring_in(self, market: Market, order: Order, limit: int | None) -> Incoming:
        """Let an order that nothing refuses enter the book."""
        joins = self.joins_call(market, order)
        order.counted = market.cleared and (order.code == LIMIT or joins) and not order.reduce_only
        if order.counted:
            self.accounts[order.account].open[order.side][market.number] += order.qty
        if joins:
            market.unpriced[order.side].append(order)
            self.note("market_order_joins")
            return Incoming(order, limit, 0)
        return self.take_in(market, order, limit)

    def term(self) -> None:
        """Take a Term."""
        market = self.market_named()
        self.account_named(self.command["account"])
        refuse_if(is_bad_term(self.command, self.terms.records, market.price_max), BAD_FIELD)
        self.terms.records.append(self.command)

    def quote(self) -> None:
        """Take a Quote."""
        command = self.command
        market = self.market_named()
        account = self.account_named(command["account"])
        flags = command["flags"]
        bid, bid_lots, ask, ask_lots = command["price"], command["qty"], command["amount"], command["order"]
        refuse_if(bool(flags & ~QUOTE_FLAGS) or is_bad_mode(flags), BAD_FIELD)
        refuse_if(bool(flags & SLIDE) and not flags & POST_ONLY, BAD_FIELD)
        refuse_if(bid_lots < 0 or ask_lots > I64_MAX, BAD_FIELD)
        refuse_if(bid_lots > 0 and ask_lots > 0 and bid >= ask, BAD_FIELD)
        place = PHASES[market.phase].place
        refuse_if(place not in ("all", "rest") and not (place == "providing" and flags & POST_ONLY), PHASE_REFUSES)
        refuse_if(market.cleared and account.in_liquidation, IN_LIQUIDATION)
        self.requote(market, account.number, ((bid, bid_lots), (ask, ask_lots)))

    def order_named(self, market: Market, account: Account) -> Order:
        """Return the open order that the command names."""
        order = self.find_named(market, account)
        if order is None or order.is_offer:
            raise RefusedError(UNKNOWN_ORDER)
        refuse_if(order.account != account.number, NOT_YOUR_ORDER)
        return order

    def find_named(self, market: Market, account: Account) -> Order | None:
        """Return the open order that the command names by its id or by a client id, whosever it is."""
        if self.command["flags"] & BY_CLIENT_ID:
            return self.with_client_id(market, account.number, self.command["order"])
        return market.find(self.command["order"] >> SLOT_BITS)

    def refuse_bad_name(self, market: Market) -> None:
        """Refuse a Cancel or Replace whose flags are wrong, or that gives a client id where there are none."""
        flags = self.command["flags"]
        refuse_if(flags not in (0, BY_CLIENT_ID), BAD_FIELD)
        refuse_if(flags == BY_CLIENT_ID and market.client_ids == "none", BAD_FIELD)

    def cancel(self) -> None:
        """Take a Cancel."""
        market = self.market_named()
        account = self.account_named(self.command["account"])
        self.refuse_bad_name(market)
        order = self.order_named(market, account)
        if any(fired.order is order for fired in self.fired):
            self.note("cancelled_when_fired")
        if self.command["flags"] & BY_CLIENT_ID:
            self.note("cancel_by_client_id")
        self.cancel_order(market, order, BY_USER)

    def replace(self) -> None:
        """Take a Replace."""
        market = self.market_named()
        account = self.account_named(self.command["account"])
        price, qty = self.command["price"], self.command["qty"]
        row = PHASES[market.phase]
        self.refuse_bad_name(market)
        refuse_if(row.replace == "no", PHASE_REFUSES)
        refuse_if(market.cleared and market.index == 0, NO_MARK)
        found = self.find_named(market, account)
        self.check_numbers(market, price, qty, reduce_only=found is not None and found.reduce_only)
        rests = market.resting()
        refuse_if(found is not None and found not in rests, UNKNOWN_ORDER)
        order = self.order_named(market, account)
        refuse_if(market.cleared and account.in_liquidation, IN_LIQUIDATION)
        if price == order.price and qty <= order.qty:
            self.decrease(market, order, qty)
        else:
            refuse_if(row.replace == "decrease", PHASE_REFUSES)
            price, limit = self.check_entering(market, order, price=price, qty=qty, replaced=True)
            self.take_out(market, order)
            order.price, order.qty = price, qty
            self.emit_replaced(market, order)
            self.bring_in(market, order, limit)
        if self.command["flags"] & BY_CLIENT_ID:
            self.note("replace_by_client_id")

    def decrease(self, market: Market, order: Order, qty: int) -> None:
        """Lower the open quantity of a resting order in its place."""
        self.lose(market, order, order.qty - qty)
        self.emit_replaced(market, order, flags=KEPT)

    def cancel_all(self) -> None:
        """Take a CancelAll."""
        command = self.command
        flags = command["flags"]
        markets = self.markets if command["market"] == NO_MARKET else [self.market_named()]
        everyone = command["account"] == EVERY_ACCOUNT
        if not everyone:
            self.account_named(command["account"])
        refuse_if(flags > ONE_SIDE | ONE_SESSION, BAD_FIELD)
        refuse_if(bool(flags & ONE_SIDE) and command["side"] > SELL, BAD_FIELD)
        for market in markets:
            orders = [
                order
                for order in market.open_orders()
                if not order.is_offer
                and (everyone or order.account == command["account"])
                and (not flags & ONE_SIDE or order.side == command["side"])
                and (not flags & ONE_SESSION or order.session == command["amount"])
            ]
            if orders:
                names = ((everyone, "operator_cancel"), (flags & ONE_SIDE, "side_cancel"))
                self.notes |= {name for flag, name in (*names, (flags & ONE_SESSION, "session_cancel")) if flag}
            self.cancel_orders(market, orders, BY_OPERATOR if everyone else BY_USER)

    def cancel_orders(self, market: Market, orders: list[Order], reason: int) -> None:
        """Cancel orders of a market, the highest acceptance number first."""
        for order in sorted(orders, key=lambda o: o.number, reverse=True):
            # It may be gone already, as the other leg of one of the others.
            if order.qty > 0:
                self.cancel_order(market, order, reason)

    def block(self) -> None:
        """Take a Block."""
        command = self.command
        market = self.market_named()
        buyer = self.account_named(command["account"])
        seller = self.account_named(command["order"])
        price, qty, m = command["price"], command["qty"], market.number
        refuse_if(buyer is seller, BAD_FIELD)
        refuse_if(not PHASES[market.phase].block or not market.cleared, PHASE_REFUSES)
        refuse_if(market.index == 0, NO_MARK)
        refuse_if(not 1 <= qty <= market.position_max, QTY_OUT_OF_RANGE)
        refuse_if(not market.price_min <= price <= market.price_max, PRICE_OUT_OF_RANGE)
        refuse_if(buyer.in_liquidation or seller.in_liquidation, IN_LIQUIDATION)
        bought, sold = buyer.positions[m].base, seller.positions[m].base
        refuse_if(bought + buyer.open[BUY][m] + qty > market.position_max, POSITION_LIMIT)
        refuse_if(seller.open[SELL][m] - sold + qty > market.position_max, POSITION_LIMIT)
        interest = self.open_interest(market) - max(0, bought) - max(0, sold)
        interest += max(0, bought + qty) + max(0, sold - qty)
        refuse_if(interest > market.open_interest_max, OPEN_INTEREST_LIMIT)
        for account, d in ((buyer, qty), (seller, -qty)):
            equity, initial = self.after_trade(account.number, market, d, price)
            refuse_if(initial > self.initial(account.number) and equity < initial, MARGIN_SHORT)

        for account, side in ((buyer, BUY), (seller, SELL)):
            self.trade(account.number, market, direction(side) * qty, price)
            self.emit(FILL, account=account.number, market=m, side=side, price=price, qty=qty, flags=BLOCK_TRADE)

    def open_account(self) -> None:
        """Take an OpenAccount."""
        group, mode = self.command["order"], self.command["code"]
        refuse_if(mode > DECREMENT or group > GROUP_MAX, BAD_FIELD)
        refuse_if(len(self.accounts) >= self.limits["accounts_max"], ACCOUNTS_FULL)
        number, markets = len(self.accounts), len(self.markets)
        open_lots = [[0] * markets, [0] * markets]
        self.accounts.append(Account(number, [Position(0, 0)] * markets, open_lots, group=group, mode=mode))
        self.emit(ACCOUNT_OPENED, account=number)

    def refuse_deposit(self, asset: int, amount: int) -> None:
        """Refuse an amount that is none, or that takes the deposits of an asset past their limit."""
        deposited = -self.balance(("external", asset))
        refuse_if(amount < 1 or deposited + amount > self.assets[asset]["deposits_max"], AMOUNT_OUT_OF_RANGE)

    def deposit(self) -> None:
        """Take a Deposit."""
        account = self.account_named(self.command["account"])
        asset, amount = self.command["code"], self.command["amount"]
        refuse_if(asset >= len(self.assets), UNKNOWN_ASSET)
        self.refuse_deposit(asset, amount)
        self.transfer(("external", asset), user(account.number, asset), amount)
        self.touched.add(account.number)
        self.emit(DEPOSITED, account=account.number, code=asset, amount=amount)
        if asset == 0:
            self.funds.repay(account.number, amount)

    def refuse_leaving(self, account: Account, asset: int, amount: int) -> None:
        """Refuse an amount that may not leave an account."""
        refuse_if(amount < 1, AMOUNT_OUT_OF_RANGE)
        refuse_if(account.in_liquidation, IN_LIQUIDATION)
        refuse_if(self.now < self.gate.until or self.breakers.gates_withdrawals(), WITHDRAWALS_GATED)
        balance = self.balance(user(account.number, asset))
        refuse_if(amount > balance, BALANCE_SHORT)
        lost = amount
        if asset != 0:
            rules, deposits = self.collateral(asset), -self.balance(("external", asset))
            lost = rules.initial_value(balance, deposits) - rules.initial_value(balance - amount, deposits)
        notional = sum(market.size(account.positions[market.number].base) for market in self.markets)
        share = ceil_div(notional * self.config.get("withdrawal_notional_ppm", 0), MILLION)
        least = max(self.initial(account.number), share)
        refuse_if(self.equity(account.number, initial=True) - lost < least, MARGIN_SHORT)

    def withdraw(self) -> None:
        """Take a Withdraw."""
        account = self.account_named(self.command["account"])
        asset, amount = self.command["code"], self.command["amount"]
        refuse_if(asset >= len(self.assets), UNKNOWN_ASSET)
        self.refuse_leaving(account, asset, amount)
        behind = self.waterfall.left_behind(amount) if asset == 0 else 0
        if behind > 0:
            self.transfer(user(account.number, 0), SHORTFALL, behind)
            self.emit(SOCIALISED, account=account.number, amount=behind)
        amount -= behind
        self.transfer(user(account.number, asset), ("external", asset), amount)
        self.touched.add(account.number)
        self.emit(WITHDRAWN, account=account.number, code=asset, amount=amount)

    def take_transfer(self) -> None:
        """Take a Transfer."""
        account = self.account_named(self.command["account"])
        to = self.account_named(self.command["order"])
        asset, amount = self.command["code"], self.command["amount"]
        refuse_if(asset >= len(self.assets), UNKNOWN_ASSET)
        refuse_if(account is to or account.group == 0 or account.group != to.group, BAD_FIELD)
        self.refuse_leaving(account, asset, amount)
        self.transfer(user(account.number, asset), user(to.number, asset), amount)
        self.touched.update((account.number, to.number))
        self.emit(TRANSFERRED, account=account.number, order=to.number, code=asset, amount=amount)

    def set_leverage(self) -> None:
        """Take a SetLeverage."""
        market = self.market_named()
        account = self.account_named(self.command["account"])
        leverage = self.command["amount"]
        refuse_if(not market.margin["account_leverage"] or leverage < 0, BAD_FIELD)
        own = ceil_div(MILLION, leverage) if leverage else 0
        refuse_if(leverage > 0 and own < market.initial_rates[0].rate, BAD_FIELD)
        number, old = account.number, market.own_rates.get(account.number, 0)
        before = self.initial(number)
        market.own_rates[number] = own
        need = self.initial(number)
        if need > before and self.equity(number, initial=True) < need:
            market.own_rates[number] = old
            raise RefusedError(MARGIN_SHORT)
        self.emit(LEVERAGE_SET, account=account.number, market=market.number, amount=leverage)

    def set_multiplier(self) -> None:
        """Take a SetMultiplier."""
        market = self.market_named()
        of_initial, of_maintenance = self.command["qty"], self.command["amount"]
        refuse_if(not market.margin["multipliers"], BAD_FIELD)
        tiers = margin.multiplied(market.tiers, of_initial, of_maintenance)
        refuse_if(tiers is None or not margin.are_tiers(tiers, self.call_ppm), MULTIPLIER_REFUSED)
        assert tiers is not None
        market.take_rates(tiers)
        self.touched.update(a.number for a in self.accounts if a.positions[market.number].base != 0)
        self.emit(MULTIPLIER_SET, market=market.number, qty=of_initial, amount=of_maintenance)

    def set_margin_mode(self) -> None:
        """Take a SetMarginMode."""
        account, mode = self.account_named(self.command["account"]), self.command["code"]
        number = account.number
        refuse_if(mode > 1 or not self.groups, BAD_FIELD)
        refuse_if(account.in_liquidation, IN_LIQUIDATION)
        before, was = self.initial(number), account.in_groups
        account.in_groups = mode == 1
        need = self.initial(number)
        carries = self.equity(number, initial=True) >= need
        eases = need <= before and self.equity(number) >= self.maintenance(number)
        if not (carries or eases):
            account.in_groups = was
            raise RefusedError(MARGIN_SHORT)
        self.touched.add(number)
        self.emit(MARGIN_MODE_SET, account=number, code=mode)

    def fund_deposit(self) -> None:
        """Take a FundDeposit."""
        fund, amount = self.command["code"], self.command["amount"]
        refuse_if(fund >= self.fund_count, UNKNOWN_FUND)
        self.refuse_deposit(0, amount)
        self.transfer(("external", 0), ("fund", fund), amount)
        self.emit(FUND_DEPOSITED, code=fund, amount=amount)
        self.funds.changed(fund)

    def set_phase(self) -> None:
        """Take a SetPhase."""
        market = self.market_named()
        phase, end = self.command["code"], self.command["amount"]
        refuse_if(market.final.has_begun, PHASE_REFUSES)
        refuse_if(phase > SETTLEMENT or (end != 0 and end <= self.now), BAD_FIELD)
        self.enter_phase(market, phase, end)

    def rules_named(self, market: int) -> list[Breaker]:
        """Return the rule of the command in the markets that are meant."""
        rules = self.breakers.meant(market, self.command["code"])
        refuse_if(not rules, UNKNOWN_RULE)
        return rules

    def set_rule(self) -> None:
        """Take a SetRule."""
        command, market = self.command, self.command["market"]
        if market != NO_MARKET:
            self.market_named()
        rules, what, value = self.rules_named(market), command["flags"], command["amount"]
        refuse_if(self.breakers.is_bad_change(rules, what, value), BAD_FIELD)
        self.breakers.change(rules, what, value)
        self.note(f"rule_set_{('enabled', 'width', 'price')[what]}")
        self.emit(RULE_SET, market=market, code=command["code"], flags=what, amount=value)

    def interrupt(self) -> None:
        """Take an Interrupt."""
        command = self.command
        (rule,) = self.rules_named(self.market_named().number)
        end = command["amount"]
        refuse_if(command["side"] > SELL or command["flags"] not in INTERRUPTIONS, BAD_FIELD)
        refuse_if(end != 0 and end <= self.now, BAD_FIELD)
        self.breakers.trip_by_command(rule, command)

    def settle_for_good(self) -> None:
        """Take a Settle."""
        market, time = self.market_named(), self.command["amount"]
        final = market.final
        refuse_if(final.rules is None, BAD_FIELD)
        refuse_if(final.has_begun, PHASE_REFUSES)
        refuse_if(final.time == 0 if time == 0 else time <= self.now, BAD_FIELD)
        refuse_if(market.index == 0, NO_MARK)
        settlement.plan(self, market, time)

    def enter_reduce_only(self, market: Market) -> None:
        """Let orders only reduce positions, without end."""
        if market.phase not in (HALTED, PAUSE, CLOSED, SETTLEMENT):
            self.enter_phase(market, REDUCE_ONLY_PHASE, 0)

    def enter_settlement(self, market: Market) -> None:
        """Let a market be settled."""
        self.enter_phase(market, SETTLEMENT, 0)

    def close_for_good(self, market: Market) -> None:
        """Close a market that has been settled."""
        self.enter_phase(market, CLOSED, 0)

    def volunteer(self) -> None:
        """Take a Volunteer."""
        market = self.market_named()
        account, lots = self.account_named(self.command["account"]), self.command["qty"]
        refuse_if(market.liquidation.get("assignment") is None or not market.cleared, BAD_FIELD)
        refuse_if(not 0 <= lots <= market.position_max, QTY_OUT_OF_RANGE)
        market.volunteers[account.number] = lots
        if lots == 0:
            del market.volunteers[account.number]
        self.emit(VOLUNTEER_SET, account=account.number, market=market.number, qty=lots)

    def request_named(self) -> Request:
        """Return the request for a plan that the command names."""
        market, request = self.market_named(), self.plans.awaited
        if request is None or not request.names(market.number, self.command["order"]):
            raise RefusedError(NO_PLAN_AWAITED)
        return request

    def plan_begin(self) -> None:
        """Take a PlanBegin."""
        request = self.request_named()
        request.rows, request.broken = [], False

    def plan_row(self) -> None:
        """Take a PlanRow."""
        request, winner = self.request_named(), self.command["account"]
        if request.rows is None:
            raise RefusedError(BAD_FIELD)
        fault = UNKNOWN_ACCOUNT if winner >= len(self.accounts) else PLAN_NOT_CANDIDATE
        if fault == UNKNOWN_ACCOUNT or len(request.rows) >= len(self.accounts):
            request.broken = True
            raise RefusedError(fault)
        request.rows.append((winner, self.command["qty"]))

    def plan_commit(self) -> None:
        """Take a PlanCommit."""
        self.market_named()
        code = self.command["code"]
        refuse_if(code > 1, BAD_FIELD)
        request = self.request_named()
        fault = request.fault(self) if code == 0 else None
        if fault is not None:
            raise RefusedError(fault)
        self.plans.commit(by_plan=code == 0)

    def pulse(self) -> None:
        """Take a Pulse: it asks for nothing of its own."""

    # -----------------------------------------------------------------------------------------------------
    # 6. Match and settle
    # -----------------------------------------------------------------------------------------------------

    def emit_cancelled(self, market: Market, order: Order, reason: int, *, lots: int, amount: int = 0) -> None:
        """Report that some open lots of an order are gone."""
        self.emit(
            CANCELLED,
            account=order.account,
            market=market.number,
            order=order.id,
            side=order.side,
            price=order.price,
            qty=lots,
            code=reason,
            amount=amount,
        )

    def emit_replaced(self, market: Market, order: Order, *, flags: int = 0) -> None:
        """Report a replaced order."""
        self.emit(
            REPLACED,
            account=order.account,
            market=market.number,
            order=order.id,
            side=order.side,
            price=order.price,
            qty=order.qty,
            flags=flags,
        )

    def emit_shown(self, market: Market, order: Order) -> None:
        """Report what an iceberg shows now."""
        self.emit(
            SHOWN,
            account=order.account,
            market=market.number,
            order=order.id,
            side=order.side,
            price=order.price,
            qty=order.lots,
            amount=order.behind,
        )

    def lose(self, market: Market, order: Order, lots: int) -> None:
        """Take open lots of an order away without a trade, those behind first."""
        order.behind -= min(order.behind, lots)
        order.qty -= lots
        if order.counted:
            self.accounts[order.account].open[order.side][market.number] -= lots

    def take_out(self, market: Market, order: Order) -> None:
        """Take all of an order away, from wherever it is."""
        self.lose(market, order, order.qty)
        self.drop(market, order)

    def drop(self, market: Market, order: Order) -> None:
        """Forget an order that has nothing open."""
        assert order.qty == 0, "an order with open lots is not forgotten"
        if order in market.waiting:
            market.waiting.remove(order)
            self.fired = [fired for fired in self.fired if fired.order is not order]
        elif order in market.unpriced[order.side]:
            market.unpriced[order.side].remove(order)
        elif order in market.book[order.side]:
            market.book[order.side].remove(order)
            self.lose_place(market, order)

    def lose_place(self, market: Market, order: Order) -> None:
        """Note that an order has lost its place."""
        if market.top[order.side] is order:
            market.top[order.side] = None

    def cancel_order(
        self, market: Market, order: Order, reason: int, *, lots: int | None = None, amount: int = 0
    ) -> None:
        """Cancel open lots of an order, all if it is not said how many; all of it takes its other leg along."""
        lots = order.qty if lots is None else lots
        self.emit_cancelled(market, order, reason, lots=lots, amount=amount)
        self.lose(market, order, lots)
        if order.qty == 0:
            self.drop(market, order)
            self.note_leg(order, LEG_NOTES.get(reason, "cancel"))
            self.cancel_leg(market, order)

    def note_leg(self, order: Order, why: str) -> None:
        """Note why another leg is about to be cancelled."""
        if order.leg is not None:
            self.note(f"leg_by_{why}")
            if self.uncrossing:
                self.note("leg_in_auction")

    def cancel_leg(self, market: Market, order: Order) -> None:
        """Untie an order and cancel what is left of its other leg."""
        leg, order.leg = order.leg, None
        if leg is not None:
            leg.leg = None
            if leg.qty > 0:
                self.cancel_order(market, leg, BY_OTHER_LEG)

    def take_in(self, market: Market, order: Order, limit: int | None) -> Incoming:
        """Match an incoming order as far as it goes; the rest rests or is cancelled."""
        taker_ppm = market.taker_ppm if market.cleared else 0
        incoming = Incoming(order, limit, taker_ppm, TAKER)
        if PHASES[market.phase].matches:
            self.match(market, incoming)
        assert incoming.filled == 0 or not order.post_only, "a post-only order took"
        may_rest = not incoming.tripped or (incoming.rests and PHASES[market.phase].place == "rest")
        if order.qty > 0 and order.code == LIMIT and may_rest:
            if incoming.tripped:
                self.note("tripping_order_rests")
            self.rest(market, order)
        elif order.qty > 0:
            self.note_limit(market, order, limit)
            self.cancel_order(market, order, BY_BREAKER if incoming.tripped else REST)
        return incoming

    def note_limit(self, market: Market, order: Order, limit: int | None) -> None:
        """Note that a protection has stopped a market order."""
        best = self.best_opposite(market, order.side)
        if order.terms.protects and best is not None and not inside(order.side, limit, best):
            self.note("protection_ticks" if order.terms.protection_ticks else "protection_ppm")

    def rest(self, market: Market, order: Order) -> None:
        """Let what is left of an order rest."""
        self.arrival_count += 1
        order.arrival = self.arrival_count
        self.take_top(market, order)
        insort(market.book[order.side], order, key=priority_of)
        if order.terms.display > 0:
            order.behind = order.qty - min(order.terms.display, order.qty)
            self.emit_shown(market, order)
            self.note("iceberg_rests")
        if order.reduce_only:
            self.note("reduce_only_rests")
        if order.trigger is not None:
            self.note("fired_rests")

    def take_top(self, market: Market, order: Order) -> None:
        """Let an order that comes to rest be the top order, if it is better than all that are shown."""
        b = direction(order.side)
        if not order.hidden and all(b * (order.price - other.price) > 0 for other in market.shown(order.side)):
            market.top[order.side] = order

    def settle(self, market: Market, order: Order, price: int, qty: int, rate_ppm: int) -> int:
        """Settle one side of a fill and return its fee."""
        fee = 0
        if market.cleared:
            self.trade(order.account, market, direction(order.side) * qty, price)
            fee = ceil(market.contract.worth(qty, price) * rate_ppm / MILLION)
            self.transfer(user(order.account, 0), FEES, fee)
        order.qty -= qty
        if order.counted:
            self.accounts[order.account].open[order.side][market.number] -= qty
        return fee

    def emit_fill(self, market: Market, order: Order, price: int, qty: int, *, fee: int, flags: int) -> None:
        """Report one side of a fill."""
        self.emit(
            FILL,
            account=order.account,
            market=market.number,
            order=order.id,
            side=order.side,
            price=price,
            qty=qty,
            amount=fee,
            flags=flags,
        )

    def meet(
        self,
        market: Market,
        first: tuple[Order, int, int],
        second: tuple[Order, int, int],
        price: int,
        qty: int,
    ) -> None:
        """Settle a meeting of two orders, each given with its fee rate and flags, and report it."""
        fees = [self.settle(market, order, price, qty, rate) for order, rate, _ in (first, second)]
        for (order, _, flags), fee in zip((first, second), fees, strict=True):
            self.emit_fill(market, order, price, qty, fee=fee, flags=flags)
        market.last = price
        if not self.uncrossing:
            self.step_trades.append((market.number, price))
        orders = (first[0], second[0])
        where = "_in_auction" if self.uncrossing else ""
        for order in orders:
            if order.hidden:
                self.note(f"hidden_filled{where}")
            if order.qty == 0:
                self.drop(market, order)
            elif order.lots == 0:
                self.show_next_peak(market, order)
        # Both have traded, so what is left of either's other leg goes, even where they are each other's.
        legs = [order.leg for order in orders]
        for order, leg in zip(orders, legs, strict=True):
            self.note_leg(order, "fill")
            order.leg = None
            if leg is not None:
                leg.leg = None
                if leg.qty > 0:
                    if leg in orders:
                        self.note("leg_of_incoming")
                    self.cancel_order(market, leg, BY_OTHER_LEG)

    def show_next_peak(self, market: Market, order: Order) -> None:
        """Let an iceberg whose shown lots are filled show more, behind its level."""
        order.behind -= min(order.terms.display, order.behind)
        market.book[order.side].remove(order)
        self.lose_place(market, order)
        self.arrival_count += 1
        order.arrival = self.arrival_count
        insort(market.book[order.side], order, key=priority_of)
        self.emit_shown(market, order)
        self.note("iceberg_refreshed_in_auction" if self.uncrossing else "iceberg_refreshed")

    def match(self, market: Market, incoming: Incoming) -> None:
        """Let an incoming order meet the opposite side."""
        touch = market.touch()
        market.touch_met = (touch,)
        self.match_levels(market, incoming)
        market.touch_met = None

    def match_levels(self, market: Market, incoming: Incoming) -> None:
        """Meet level after level."""
        taker = incoming.order
        asked = 0
        while taker.qty > 0:
            parts = market.parts(1 - taker.side)
            if not parts or not inside(taker.side, incoming.limit, parts[0][0].price):
                return
            part = parts[0]
            price = part[0].price
            if price != asked:
                asked = price
                if self.breakers.ask_trade(market, incoming, price):
                    incoming.tripped = True
                    return
            lots = min(taker.qty, self.payable(market, incoming, price))
            if not market.is_pro_rata:
                del part[1:]
            if self.prevent_self_trades(market, incoming, part) or self.drop_uncarried(market, part[0], price):
                continue
            if lots == 0:
                return
            plan = self.planned(market, part, lots)
            if market.is_pro_rata:
                self.note_plan(incoming, plan)
            for resting, planned in plan:
                # The meetings before may have taken it along, as an other leg.
                if resting.qty > 0:
                    self.meet_resting(market, incoming, resting, planned)

    def payable(self, market: Market, incoming: Incoming, price: int) -> int:
        """Return for how many lots at a price the fund that backs an order can pay, all of it if none does."""
        per_lot = self.fund_cost(market, incoming, price)
        if per_lot == 0:
            return incoming.order.qty
        budget = self.funds.budget_for(incoming.order.account, market)
        return market.contract.lots_for(budget, per_lot, incoming.cost)

    def fund_cost(self, market: Market, incoming: Incoming, price: int) -> int:
        """Return what a lot at a price costs the fund, in parts."""
        if incoming.backed_at is None:
            return 0
        # A sell below the bankruptcy price, or a buy above it, is what the fund pays for.
        return market.owed(direction(incoming.order.side), incoming.backed_at, price)

    def meet_resting(self, market: Market, incoming: Incoming, resting: Order, planned: int) -> None:
        """Let an incoming order meet a resting one for the lots that were planned, if they are still there."""
        taker = incoming.order
        if incoming.is_liquidation:
            odd = ((resting.reduce_only, "reduce_only"), (resting.hidden, "hidden"), (resting.behind, "iceberg"))
            self.notes |= {f"liquidation_meets_{name}" for is_odd, name in odd if is_odd}
        self.cut_to_reduce(market, resting)
        qty = min(planned, resting.lots, taker.qty)
        if qty == 0:
            return
        price = resting.price
        incoming.filled += qty
        incoming.value += market.contract.lot(price) * qty
        incoming.cost += self.fund_cost(market, incoming, price) * qty
        maker_ppm = market.maker_ppm if market.cleared else 0
        self.meet(market, (resting, maker_ppm, 0), (taker, incoming.rate_ppm, incoming.flags), price, qty)
        market.unobserved.append(price)

    # 6.2 Allocation at a price.

    def planned(self, market: Market, part: list[Order], lots: int) -> list[tuple[Order, int]]:
        """Return the orders of a part of a level that some lots meet, in order, with how many each is to have."""
        if not market.is_pro_rata:
            return [(part[0], min(lots, part[0].lots))]
        if lots >= sum(order.lots for order in part):
            self.note("pro_rata_all_filled")
            return [(order, order.lots) for order in part]
        given, steps = share_out(lots, part, market.top[part[0].side], market.allocation)
        where = "hidden" if part[0].hidden else "shown"
        self.notes |= {f"pro_rata_{step}" for step in (*steps, where)}
        return [(order, k) for order, k in zip(part, given, strict=True) if k > 0]

    def note_plan(self, incoming: Incoming, plan: list[tuple[Order, int]]) -> None:
        """Note that a price is shared out for a liquidation order, or once more."""
        price = plan[0][0].price
        if incoming.is_liquidation and len(plan) > 1:
            self.note("pro_rata_liquidation")
        if price == incoming.shared_at:
            self.note("pro_rata_again")
        incoming.shared_at = price

    # 6.3 Orders that are not what they show.

    def cut_to_reduce(self, market: Market, order: Order) -> None:
        """Cancel the lots of a reduce-only order that would not reduce the position, before it meets another."""
        if not order.reduce_only:
            return
        base = self.accounts[order.account].positions[market.number].base
        reducible = abs(base) if sign(base) == -direction(order.side) else 0
        if reducible < order.qty:
            if self.uncrossing:
                self.note("reduce_only_in_auction")
            self.cancel_order(market, order, BY_REDUCE_ONLY, lots=order.qty - reducible)

    def certain_lots(self, market: Market, order: Order, limit: int | None) -> int:
        """Return how many lots of an order would be filled now for certain; nothing is changed."""
        if not PHASES[market.phase].matches:
            return 0
        mode = self.mode_of(order)
        named = market.find(order.terms.other_leg) if order.terms.other_leg else None
        lots = 0
        first = FirstOrders(self, market, order)
        for part in market.parts(1 - order.side):
            price = part[0].price
            if not inside(order.side, limit, price):
                break
            if any(self.breakers.acting_on(market, price, order=order, liquidation=False)):
                break
            own = [] if mode == NO_PREVENTION else [o for o in part if self.is_one_party(o, order)]
            if own and mode != CANCEL_OLDEST:
                before = [] if market.is_pro_rata else part[: part.index(own[0])]
                return lots + sum(min(o.qty - o.behind, first.certain(o, named)) for o in before)
            lots += sum(first.certain(o, named) for o in part if o not in own)
        return lots

    # 6.4 Self-trade prevention.

    def mode_of(self, order: Order) -> int:
        """Return the mode that counts when an order comes in."""
        mode = (order.flags & MODE_BITS) >> MODE_SHIFT
        if mode == ACCOUNTS_OWN:
            mode = self.accounts[order.account].mode
        return mode or NO_PREVENTION

    def is_one_party(self, a: Order, b: Order) -> bool:
        """Tell whether two orders are of one account or of one group."""
        group = self.accounts[a.account].group
        return a.account == b.account or (group != 0 and group == self.accounts[b.account].group)

    def prevent_self_trades(self, market: Market, incoming: Incoming, part: list[Order]) -> bool:
        """Deal with the orders of a part that are of the incoming order's party; tell whether there were any."""
        taker = incoming.order
        own = [order for order in part if self.is_one_party(order, taker)]
        mode = self.mode_of(taker)
        if not own or incoming.is_liquidation or mode == NO_PREVENTION:
            if own and not incoming.is_liquidation:
                self.note("self_trade")
            return False
        incoming.prevented = True
        for resting in own:
            if taker.qty > 0 and resting.qty > 0:
                self.note_self_trade(taker, resting, mode)
                if market.is_pro_rata:
                    self.note("pro_rata_own_order")
                self.prevent_self_trade(market, taker, resting, mode)
        return True

    def prevent_self_trade(self, market: Market, taker: Order, resting: Order, mode: int) -> None:
        """Deal with one own order that an incoming order is about to meet."""
        if mode == CANCEL_NEWEST:
            self.cancel_order(market, taker, SELF_TRADE)
        elif mode == CANCEL_OLDEST:
            self.cancel_order(market, resting, SELF_TRADE)
        elif mode == CANCEL_BOTH:
            self.cancel_order(market, resting, SELF_TRADE)
            if taker.qty > 0:
                self.cancel_order(market, taker, SELF_TRADE)
        else:
            lots = min(taker.qty, resting.qty)
            self.cancel_order(market, resting, SELF_TRADE, lots=lots)
            if taker.qty > 0:
                self.cancel_order(market, taker, SELF_TRADE, lots=lots)

    def note_self_trade(self, taker: Order, resting: Order, mode: int) -> None:
        """Note how a self-trade is prevented."""
        names = {CANCEL_NEWEST: "newest", CANCEL_OLDEST: "oldest", CANCEL_BOTH: "both", DECREMENT: "decrement"}
        self.note(f"self_trade_{names[mode]}")
        if mode == DECREMENT and taker.qty != resting.qty:
            self.note("self_trade_decrement_part")
        if taker.account != resting.account:
            self.note("self_trade_group")
        if not taker.flags & MODE_BITS:
            self.note("self_trade_accounts_mode")

    # 6.5 Waiting orders.

    def arm(self, market: Market, order: Order) -> None:
        """Let an accepted order wait for its trigger."""
        trigger = order.trigger
        assert trigger is not None, "an order with a trigger waits"
        if trigger.kind == TRAILING:
            order.best = market.watched(trigger.watched) or None
        order.blind_to = len(market.unobserved)
        if order.blind_to > 0:
            self.note("armed_after_prices")
        market.waiting.append(order)
        self.emit(
            ARMED,
            account=order.account,
            market=market.number,
            order=order.id,
            side=order.side,
            code=trigger.kind,
            flags=trigger.watched,
            price=trigger.price,
        )

    def observe_prices(self, market: Market) -> None:
        """Let waiting orders of a market observe the prices that are new; those that fire join the queue."""
        prices = [(LAST_TRADE, price) for price in market.unobserved]
        if market.has_new_mark:
            prices += [(THE_MARK, market.mark), (THE_INDEX, market.index)]
        for i, (what, price) in enumerate(prices):
            for order in sorted(market.waiting, key=lambda o: o.number):
                assert order.trigger is not None, "what waits has a trigger"
                is_queued = any(fired.order is order for fired in self.fired)
                if order.trigger.watched != what or i < order.blind_to or is_queued:
                    continue
                if order.would_fire(price):
                    self.fired.append(Fired(market, order, price))
                else:
                    order.follow(price)
        for order in market.waiting:
            order.blind_to = 0
        market.unobserved = []
        market.has_new_mark = False

    def send(self, fired: Fired) -> None:
        """Send an order of the queue."""
        market, order = fired.market, fired.order
        self.fired.remove(fired)
        market.waiting.remove(order)
        if order.moved:
            self.note("trailing_moved_then_fired")
        self.emit(
            TRIGGERED,
            account=order.account,
            market=market.number,
            order=order.id,
            side=order.side,
            price=fired.price,
        )
        self.note_leg(order, "fire")
        self.cancel_leg(market, order)
        try:
            price, limit = self.check_entering(market, order, price=order.price, qty=order.qty)
        except RefusedError as refused:
            self.cancel_order(market, order, REFUSED_WHEN_FIRED, amount=refused.code)
            return
        order.price = price
        self.emit_accepted(market, order)
        self.bring_in_needed(market, order, limit)

    # 6.7 Quotes.

    def requote(self, market: Market, number: int, wanted: tuple[tuple[int, int], tuple[int, int]]) -> None:
        """Set both sides of a quote to prices and lots."""
        kept = [self.keep_quoted(market, number, side, *wanted[side]) for side in (BUY, SELL)]
        for side in (BUY, SELL):
            price, qty = wanted[side]
            if qty > 0 and not kept[side]:
                order = Order(
                    number=0,
                    account=number,
                    side=side,
                    price=price,
                    qty=qty,
                    code=LIMIT,
                    flags=self.command["flags"],
                    quote=self.command["code"],
                )
                self.place_quoted(market, order)

    def keep_quoted(self, market: Market, number: int, side: int, price: int, qty: int) -> bool:
        """Keep or cancel the order that a quote left resting on a side; tell whether it stays."""
        mine = [o for o in market.book[side] if (o.account, o.quote) == (number, self.command["code"])]
        for order in mine:
            if price == order.price and qty == order.qty:
                self.note("quote_kept")
                return True
            if price == order.price and 0 < qty < order.qty:
                self.note("quote_decreased")
                self.decrease(market, order, qty)
                return True
            self.cancel_order(market, order, REQUOTED)
        return False

    def place_quoted(self, market: Market, order: Order) -> None:
        """Place a side of a quote; what refuses it leaves the side empty."""
        try:
            refuse_if(not admits(market.phase, order), PHASE_REFUSES)
            self.place_order(market, order)
        except RefusedError as refused:
            self.note("quote_side_refused")
            self.emit(
                REJECTED,
                flags=QUOTE,
                code=refused.code,
                market=market.number,
                account=order.account,
                side=order.side,
                price=order.price,
                qty=order.qty,
            )

    # 6.8 Auctions.

    def uncross(self, market: Market) -> None:
        """Uncross a book, again if orders fell away and left it crossed."""
        self.offers = [self.waterfall.looked_at(market, order) for order in market.resting() if order.is_offer]
        self.uncrossing = True
        self.auctions[market.number].uncross()
        self.uncrossing = False

    def meet_in_auction(self, market: Market, buy: Order, sell: Order, price: int, qty: int) -> None:
        """Let two orders meet at the price of an auction."""
        rate = market.maker_ppm if market.cleared else 0
        sides = [(o, 0, AUCTION | LIQUIDATION) if o.is_offer else (o, rate, AUCTION) for o in (buy, sell)]
        for offer in self.offers:
            if offer.order in (buy, sell):
                offer.filled += qty
                offer.value += market.contract.lot(price) * qty
                self.note("offer_filled")
        self.meet(market, sides[0], sides[1], price, qty)

    def settle_offers(self) -> None:
        """Take the fees of what was offered in a call, and let the accounts have their next round."""
        offers, self.offers = self.offers, []
        for offer in sorted(offers, key=lambda each: each.order.account):
            self.waterfall.settle_offer(offer)

    def drop_uncarried(self, market: Market, order: Order, price: int) -> bool:
        """Cancel an order whose account does not carry what it shows at a price; tell whether it was."""
        dropped = order.qty > 0 and not self.levels.carries(market, order, price)
        if dropped:
            self.cancel_order(market, order, BY_MARGIN)
        return dropped

    # -----------------------------------------------------------------------------------------------------
    # 7. Index, mark, funding
    # -----------------------------------------------------------------------------------------------------

    def take_index(self) -> None:
        """Take an Index."""
        market = self.market_named()
        index = self.command["price"]
        refuse_if(not PHASES[market.phase].new_index, PHASE_REFUSES)
        refuse_if(market.sources.makes_index, BAD_FIELD)
        refuse_if(not market.price_min <= index <= market.price_max, PRICE_OUT_OF_RANGE)
        self.new_index(market, index)

    def take_source(self) -> None:
        """Take a Source."""
        market = self.market_named()
        number, bid, ask = self.command["code"], self.command["price"], self.command["qty"]
        observed = self.command["amount"] or self.now
        refuse_if(not PHASES[market.phase].new_index, PHASE_REFUSES)
        refuse_if(number >= len(market.sources.all) or not 0 <= observed <= self.now, BAD_FIELD)
        low, high = market.price_min, market.price_max
        refuse_if(not all(low <= price <= high for price in (bid, ask or bid)), PRICE_OUT_OF_RANGE)
        refuse_if(0 < ask < bid, SOURCE_CROSSED)
        source = market.sources.all[number]
        refuse_if(observed + source.stale_ns <= self.now, SOURCE_STALE)
        refuse_if(source.observed is not None and observed < source.observed, SOURCE_STALE)
        before = market.sources.state()
        source.price, source.observed, source.live = Fraction(bid + (ask or bid), 2), observed, True
        self.emit_index_state(market, before)
        if not market.sources.makes_index:
            if market.index > 0:
                self.new_index(market, market.index)
        elif market.sources.state() != STALE:
            self.new_index(market, market.sources.index())
        if market.mark == 0:
            self.note("source_without_mark")

    def expire_sources(self, market: Market, due: int) -> None:
        """Let the prices of sources grow stale."""
        before = market.sources.state()
        for source in market.sources.all:
            if source.live and source.end() <= due:
                source.live = False
        self.emit_index_state(market, before)

    def emit_index_state(self, market: Market, before: int) -> None:
        """Tell of another state of the index."""
        state = market.sources.state()
        if state != before:
            count = market.sources.live_count()
            self.emit(INDEX_STATE, market=market.number, code=state, flags=before, qty=count)

    def may_close(self, market: Market) -> bool:
        """Tell whether the index lets positions be liquidated and deleveraged."""
        if market.sources.liquidates_stale or market.sources.state() != STALE:
            return True
        self.note("stale_index_spares")
        return False

    def new_index(self, market: Market, index: int) -> None:
        """Take an index that was told or made, and make the mark."""
        assert not market.sources.makes_index or market.sources.state() != STALE, "a stale index does not move"
        self.queue += self.parked
        self.parked = []
        funding = market.funding
        if market.index == 0 and funding is not None:
            # Funding times at or before the first index are passed over.
            while funding.due <= self.now:
                funding.due += funding.interval_ns
        looks = self.breakers.looks_at_index(market)
        would = self.auctions[market.number].would() if self.collects_orders(market) else None
        self.breakers.sample_premiums(market, index)
        self.breakers.take_index(market, index)
        market.index = index
        market.final.indices.append((self.now, index))
        buys, sells = market.shown(BUY), market.shown(SELL)
        view = View(
            index=index,
            bid=buys[0].price if buys else None,
            ask=sells[0].price if sells else None,
            last=market.last or None,
            external=market.sources.external(),
            left=0 if funding is None else min(funding.due - self.now, funding.interval_ns),
            rate=None if funding is None else funding.last_rate,
            rate_period=1 if funding is None else funding.rate_period,
        )
        market.marking.sample(view, self.now)
        if funding is not None:
            funding.take(premium(market, funding.impact_qty), self.now)
        mark = clamp(market.marking.price(view, market.mark), market.price_min, market.price_max)
        by_rule = self.breakers.mark_by_auction(market, index, would)
        if by_rule is not None:
            mark = clamp(market.marking.limited(index, by_rule, market.mark), market.price_min, market.price_max)
        if self.breakers.mark_stands(market):
            self.note("mark_stands")
            mark = market.mark
            self.breakers.ask_index(market, looks, index, None)
        else:
            self.breakers.ask_index(market, looks, index, mark)
        market.mark = mark
        market.rankings = {}
        self.step_marks.append((market.number, mark))
        market.has_new_mark = True
        self.emit(MARKED, market=market.number, price=mark, amount=index)

    def start_funding(self, market: Market) -> None:
        """Fix the rate of a funding time that is due, and begin to settle it."""
        funding = market.funding
        assert funding is not None
        held = sum(max(0, self.balance(user(account.number, 0))) for account in self.accounts)
        rate = funding.begin(held)
        price = market.index if funding.by_index else market.mark
        units = funding.index_units(rate, price)
        self.emit(FUNDING_SETTLED, market=market.number, price=price, qty=units, amount=rate)
        self.settlement = Settlement(market.number, rate, price)

    def settle_funding(self, settlement: Settlement, budget: int) -> int:
        """Go on with a settlement, and return what is left of the number of accounts to examine."""
        market = self.markets[settlement.market]
        funding = market.funding
        assert funding is not None
        passes = (False, True) if funding.is_capped else (False,)
        for receiving in passes:
            if settlement.receiving != receiving:
                continue
            while settlement.next_account < len(self.accounts):
                if budget == 0:
                    return 0
                budget -= 1
                self.pay_funding(settlement, market, funding, settlement.next_account)
                settlement.next_account += 1
            if receiving != passes[-1]:
                settlement.receiving, settlement.next_account = True, 0
                if budget == 0:
                    return 0
        self.settlement = None
        return budget

    def pay_funding(self, settlement: Settlement, market: Market, funding: Funding, number: int) -> None:
        """Let an account pay or receive what this pass is about."""
        base = self.accounts[number].positions[market.number].base
        worth = Fraction(base * abs(market.contract.lot(settlement.price)), market.contract.scale)
        per_tick = Fraction(base * market.contract.per_tick, market.contract.scale)
        paid = funding.owed(worth, per_tick, settlement.rate, settlement.price)
        if funding.is_capped and not settlement.receiving:
            affordable = max(0, self.equity(number))
            if paid > affordable:
                self.note("funding_capped")
            paid = clamp(paid, 0, affordable)
            settlement.collected += paid
        elif funding.is_capped:
            share = settlement.collected * abs(base) // max(1, self.open_interest(market))
            if 0 <= share < -paid:
                self.note("funding_shared")
            paid = min(0, max(paid, -share))
        if paid != 0:
            self.transfer(user(number, 0), ("funding", market.number), paid)
            self.touched.add(number)
            self.emit(FUNDING_PAID, account=number, market=market.number, qty=base, amount=paid)

    # -----------------------------------------------------------------------------------------------------
    # 8. The waterfall is in waterfall.py, its funds in funds.py; here is what they ask
    # -----------------------------------------------------------------------------------------------------

    def is_flat(self, number: int) -> bool:
        """Tell whether an account has no position."""
        return all(position.base == 0 for position in self.accounts[number].positions)

    def profit(self, number: int, market: Market) -> int:
        """Return the profit u of a position at the mark."""
        return market.profit(self.accounts[number].positions[market.number])

    def admits_liquidation(self, market: Market) -> bool:
        """Tell whether the phase of a market lets positions be liquidated."""
        return PHASES[market.phase].liquidation

    def collects_orders(self, market: Market) -> bool:
        """Tell whether the phase of a market collects orders for an auction."""
        return PHASES[market.phase].place == "rest"

    def admits_adl(self, market: Market) -> bool:
        """Tell whether the phase of a market lets positions be deleveraged."""
        return PHASES[market.phase].adl


class FirstOrders:
    """What is certain of the orders that an incoming one meets, where a fill level may take some of them away."""

    def __init__(self, venue: OracleVenue, market: Market, incoming: Order) -> None:
        self.venue, self.market, self.incoming = venue, market, incoming
        self.met: set[int] = set()

    def certain(self, order: Order, named: Order | None) -> int:
        """Return how many lots of the next order are certain; none of the one that is named as other leg."""
        levels, is_first = self.venue.levels, order.account not in self.met
        self.met.add(order.account)
        if not is_certain(order) or order is named:
            return 0
        if not levels.asks(self.market, order):
            return order.qty
        if not is_first or order.account == self.incoming.account:
            return 0
        return order.lots if levels.carries(self.market, order, order.price, self.incoming.qty) else 0


def is_certain(order: Order) -> bool:
    """Tell whether a resting order cannot fall away before it is met."""
    return not order.reduce_only and order.leg is None


def premium(market: Market, lots: int) -> int:
    """Return the premium sample of a market, in ppb of its index."""
    worth = market.index * lots
    bid, ask = (taken_for(market.shown(side), lots) for side in (BUY, SELL))
    above = 0 if bid is None else max(0, bid - worth)
    below = 0 if ask is None else max(0, worth - ask)
    return trunc_div(BILLION * (above - below), worth)


def taken_for(side: list[Order], lots: int) -> int | None:
    """Return the sum of price x quantity for shown lots taken from a side, None if it is too thin."""
    total = 0
    for order in side:
        qty = min(order.lots, lots)
        total += order.price * qty
        lots -= qty
    return total if lots == 0 else None


# ---------------------------------------------------------------------------------------------------------
# 10. Shares
# ---------------------------------------------------------------------------------------------------------


def largest_remainder(r: int, weights: list[int], caps: list[int]) -> list[int]:
    """Divide r units in proportion to weights, none above its cap."""
    if sum(caps) < r:
        return list(caps)
    given = [0] * len(weights)
    left = list(range(len(weights)))
    while True:
        total = sum(weights[i] for i in left)
        full = [i for i in left if r * weights[i] >= caps[i] * total]
        if not full:
            break
        for i in full:
            given[i] = caps[i]
            r -= caps[i]
            left.remove(i)
    if not left:
        return given
    rest = r
    for i in left:
        given[i] = r * weights[i] // total
        rest -= given[i]
    by_remainder = sorted(left, key=lambda i: (-(r * weights[i] % total), i))
    for i in by_remainder[:rest]:
        given[i] += 1
    assert all(share <= cap for share, cap in zip(given, caps, strict=True)), "no share above its cap"
    return given


HANDLERS: Final[dict[int, Callable[[OracleVenue], None]]] = {
    PLACE: OracleVenue.place,
    CANCEL: OracleVenue.cancel,
    REPLACE: OracleVenue.replace,
    CANCEL_ALL: OracleVenue.cancel_all,
    BLOCK: OracleVenue.block,
    OPEN_ACCOUNT: OracleVenue.open_account,
    DEPOSIT: OracleVenue.deposit,
    WITHDRAW: OracleVenue.withdraw,
    FUND_DEPOSIT: OracleVenue.fund_deposit,
    SET_LEVERAGE: OracleVenue.set_leverage,
    TRANSFER: OracleVenue.take_transfer,
    SET_MULTIPLIER: OracleVenue.set_multiplier,
    SET_MARGIN_MODE: OracleVenue.set_margin_mode,
    INDEX: OracleVenue.take_index,
    SET_PHASE: OracleVenue.set_phase,
    PULSE: OracleVenue.pulse,
    VOLUNTEER: OracleVenue.volunteer,
    SETTLE: OracleVenue.settle_for_good,
    SET_RULE: OracleVenue.set_rule,
    INTERRUPT: OracleVenue.interrupt,
    TERM: OracleVenue.term,
    QUOTE: OracleVenue.quote,
    SOURCE: OracleVenue.take_source,
    PLAN_BEGIN: OracleVenue.plan_begin,
    PLAN_ROW: OracleVenue.plan_row,
    PLAN_COMMIT: OracleVenue.plan_commit,
}
