"""The venue once more, in plain Python, written from ``docs/mechanics.md`` and from nothing else.

Everything here is a whole number, every list is short, and every account is looked at whenever the page
says that it counts. Slow and clear is the point: where this file and the core differ, one of them has
misread the page. The sections follow the order of the page.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, int]
Config = dict[str, Any]
Holder = tuple[str] | tuple[str, int] | tuple[str, int, int]

MILLION: Final = 1_000_000
BILLION: Final = 1_000_000_000
SLOT_BITS: Final = 24
NO_MARKET: Final = 65535
BUY: Final = 0
SELL: Final = 1

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


def ceil_div(a: int, b: int) -> int:
    """Return a / b, rounded up (b positive)."""
    return -(-a // b)


def trunc_div(a: int, b: int) -> int:
    """Return a / b, rounded towards zero (b positive)."""
    return a // b if a >= 0 else -(-a // b)


def clamp(x: int, low: int, high: int) -> int:
    """Return x limited to [low, high]."""
    return max(low, min(high, x))


def sign(x: int) -> int:
    """Return +1, 0 or -1."""
    return (x > 0) - (x < 0)


def direction(side: int) -> int:
    """Return +1 for a buy and -1 for a sell."""
    return 1 if side == BUY else -1


# ---------------------------------------------------------------------------------------------------------
# 1. Records
# ---------------------------------------------------------------------------------------------------------

PLACE: Final = 1
CANCEL: Final = 2
REPLACE: Final = 3
CANCEL_ALL: Final = 4
BLOCK: Final = 5
OPEN_ACCOUNT: Final = 10
DEPOSIT: Final = 11
WITHDRAW: Final = 12
FUND_DEPOSIT: Final = 13
INDEX: Final = 20
SET_PHASE: Final = 21
PULSE: Final = 22

REJECTED: Final = 100
ACCOUNT_OPENED: Final = 101
DEPOSITED: Final = 102
WITHDRAWN: Final = 103
FUND_DEPOSITED: Final = 104
PHASE_CHANGED: Final = 110
BREAKER_TRIPPED: Final = 111
ACCEPTED: Final = 200
CANCELLED: Final = 202
REPLACED: Final = 203
FILL: Final = 210
UNCROSSED: Final = 300
MARKED: Final = 400
FUNDING_SETTLED: Final = 410
FUNDING_PAID: Final = 411
MARGIN_CALLED: Final = 500
MARGIN_CALL_CLEARED: Final = 501
LIQUIDATION_STARTED: Final = 510
LIQUIDATION_ORDER: Final = 511
LIQUIDATION_ENDED: Final = 512
TAKEN_OVER: Final = 513
FUND_PAID: Final = 520
FUND_RECEIVED: Final = 521
COLLATERAL_SOLD: Final = 522
ADL_STARTED: Final = 530
ADL_FILL: Final = 531
ADL_REMAINDER: Final = 532
SOCIALISED: Final = 540
BAD_DEBT: Final = 541

# Types of an order.
GOOD_TILL_CANCELLED: Final = 0
FILL_OR_KILL: Final = 2
MARKET_ORDER: Final = 3

# Flags of a Place.
POST_ONLY: Final = 1
REDUCE_ONLY: Final = 2

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

# Ways in which a liquidation ends.
RECOVERED: Final = 1
CLOSED_OUT: Final = 2
BANKRUPT: Final = 3


# ---------------------------------------------------------------------------------------------------------
# 2. State
# ---------------------------------------------------------------------------------------------------------


class Position(NamedTuple):
    """Signed lots and the signed money paid for them."""

    base: int
    cost: int


def traded(position: Position, d: int, price: int, tick_value: int) -> tuple[Position, int]:
    """Return the position after a trade of d signed lots, and the profit that the trade realised."""
    base, cost = position
    profit = 0
    if base != 0 and sign(base) != sign(d):
        b = sign(base)
        k = min(abs(d), abs(base))
        released = cost if k == abs(base) else trunc_div(cost * k, abs(base))
        profit = b * k * price * tick_value - released
        base -= b * k
        cost -= released
        d += b * k
    return Position(base + d, cost + d * price * tick_value), profit


@dataclass(slots=True)
class Account:
    """One account; its balances are in the ledger."""

    number: int
    positions: list[Position]
    open: list[list[int]]
    """Resting quantity by side, then by market."""
    called: bool = False
    in_liquidation: bool = False


@dataclass(slots=True, eq=False)
class Order:
    """An order, resting or on its way in."""

    number: int
    account: int
    side: int
    price: int
    """The limit as events show it: 0 for a market order."""
    qty: int
    post_only: bool = False
    counted: bool = False
    """Whether its open quantity is part of the account's open buys or sells."""
    arrival: int = 0

    @property
    def id(self) -> int:
        """The order's id in an event; the oracle has no slots."""
        return self.number << SLOT_BITS

    @property
    def priority(self) -> tuple[int, int]:
        """Best price first, then longest resting."""
        return (-direction(self.side) * self.price, self.arrival)


def priority_of(order: Order) -> tuple[int, int]:
    """Return the key that a side of the book is sorted by."""
    return order.priority


@dataclass(slots=True)
class BandRule:
    """A breaker of type band on one market."""

    width_ppm: int | None
    rejects: bool
    exempt_liquidations: bool


@dataclass(slots=True)
class MoveRule:
    """A breaker of type move on one market, with its window."""

    number: int
    width_ppm: int
    window_ns: int
    by_mark: bool
    phase: int
    duration_ns: int
    exempt_liquidations: bool
    seen: list[tuple[int, int]] = field(default_factory=list)
    """Times and prices since the rule last tripped."""
    standing: int | None = None
    """The price that stood before all of them."""

    def reference(self, now: int) -> list[int]:
        """Return the prices to compare with: those of the window and the one standing before them."""
        prices = [price for time, price in self.seen if time > now - self.window_ns]
        older = [price for time, price in self.seen if time <= now - self.window_ns]
        standing = older[-1] if older else self.standing
        return prices if standing is None else [standing, *prices]

    def extreme_left(self, price: int, now: int) -> int | None:
        """Return the extreme of the reference that a would-be price leaves, None if it leaves none."""
        prices = self.reference(now)
        if not prices:
            return None
        high, low = max(prices), min(prices)
        if price * MILLION <= high * (MILLION - self.width_ppm):
            return high
        if price * MILLION >= low * (MILLION + self.width_ppm):
            return low
        return None


@dataclass(slots=True)
class Funding:
    """Funding rule of a market, its samples and its timer."""

    due: int
    interval_ns: int
    interest: int
    clamp: int
    cap: int
    impact_qty: int
    samples: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Settlement:
    """A funding settlement under way: which account is next."""

    market: int
    rate: int
    next_account: int = 0


class Tier(NamedTuple):
    """One row of a rate table."""

    lower: int
    rate: int
    deduction: int


def rate_table(tiers: list[dict[str, int]], rate_name: str) -> list[Tier]:
    """Return the rows of one rate table with their deductions."""
    table: list[Tier] = []
    for row in tiers:
        rate, deduction = row[rate_name], 0
        if table:
            step = row["lower"] * (rate - table[-1].rate)
            assert step % MILLION == 0, "the configuration proves deductions whole"
            deduction = table[-1].deduction + step // MILLION
        table.append(Tier(row["lower"], rate, deduction))
    return table


def tier_of(table: list[Tier], notional: int) -> Tier:
    """Return the row of a rate table that a notional belongs to."""
    return [row for row in table if row.lower <= notional][-1]


def requirement(table: list[Tier], notional: int) -> int:
    """Return the margin that a notional needs by a rate table."""
    tier = tier_of(table, notional)
    return ceil_div(notional * tier.rate, MILLION) - tier.deduction


PHASE_NAMES: Final = (
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
)
PRE_OPEN: Final = 0
CONTINUOUS: Final = 1
CALL_AUCTION: Final = 6
PAUSE: Final = 7
REDUCE_ONLY_PHASE: Final = 8
HALTED: Final = 10
CLOSED: Final = 11
SETTLEMENT: Final = 12


class Market:
    """One market: its rules from the configuration, and its state."""

    def __init__(self, number: int, config: Config, breakers: list[Config]) -> None:
        self.number = number
        self.tick_value: int = config["tick_value"]
        self.price_max: int = config["price_max"]
        self.order_qty_max: int = config["order_qty_max"]
        self.position_max: int = config["position_max"]
        self.open_interest_max: int = config["open_interest_max"]
        self.maker_ppm: int = config["fees"]["maker_ppm"]
        self.taker_ppm: int = config["fees"]["taker_ppm"]
        self.initial_rates = rate_table(config["tiers"], "initial_ppm")
        self.maintenance_rates = rate_table(config["tiers"], "maintenance_ppm")
        self.mark_method: str = config["mark"]["method"]
        self.basis_samples: int = config["mark"]["basis_samples"]
        self.fund: int = config["fund"]
        self.reopen_auction_ns: int = config["reopen_auction_ns"]
        self.liquidation: Config = config["liquidation"]
        self.adl: Config = config["adl"]
        self.funding: Funding | None = None
        if config["funding"] is not None:
            terms = config["funding"]
            self.funding = Funding(
                due=terms["first_ns"],
                interval_ns=terms["interval_ns"],
                interest=terms["interest_ppb"],
                clamp=terms["clamp_ppb"],
                cap=terms["cap_ppb"],
                impact_qty=terms["impact_qty"],
            )
        self.bands: list[BandRule] = []
        self.moves: list[MoveRule] = []
        for rule_number, breaker in enumerate(breakers):
            if number in breaker["markets"]:
                self.add_rule(rule_number, breaker["rule"])

        self.phase: int = PHASE_NAMES.index(config["phase"])
        self.phase_end = 0
        self.index = 0
        self.mark = 0
        self.last = 0
        self.book: list[list[Order]] = [[], []]
        """Buys and sells, each in priority order."""
        self.basis: list[int] = []
        self.rankings: dict[int, list[int]] = {}
        """ADL rankings by the sign of the position that is closed against them."""

    def add_rule(self, number: int, rule: Config) -> None:
        """Bind a breaker of the configuration to this market."""
        if rule["type"] == "band":
            self.bands.append(BandRule(rule["width_ppm"], rule["action"] == "reject", rule["exempt_liquidations"]))
            return
        self.moves.append(
            MoveRule(
                number=number,
                width_ppm=rule["width_ppm"],
                window_ns=rule["window_ns"],
                by_mark=rule["source"] == "mark",
                phase=PHASE_NAMES.index(rule["phase"]),
                duration_ns=rule["duration_ns"],
                exempt_liquidations=rule["exempt_liquidations"],
            )
        )

    def notional(self, lots: int) -> int:
        """Return the value of some lots at the mark."""
        return lots * self.mark * self.tick_value

    def find(self, number: int) -> Order | None:
        """Return the resting order with an acceptance number."""
        for side in self.book:
            for order in side:
                if order.number == number:
                    return order
        return None


def inward_bound(mark: int, width_ppm: int, side: int) -> int:
    """Return how far from the mark an order of a side may reach, rounded inwards."""
    if side == BUY:
        return mark * (MILLION + width_ppm) // MILLION
    return max(1, ceil_div(mark * (MILLION - width_ppm), MILLION))


# ---------------------------------------------------------------------------------------------------------
# 5. Admission: the table of phases and the reject codes (here because the venue below uses them)
# ---------------------------------------------------------------------------------------------------------


class PhaseRow(NamedTuple):
    """What a phase admits; Cancel is admitted by every phase."""

    place: str
    matches: bool
    replace: str
    block: bool
    new_index: bool
    liquidation: bool
    adl: bool


_OPEN = PhaseRow("all", True, "yes", True, True, True, True)
_AUCTION = PhaseRow("rest", False, "yes", False, True, False, False)
_REDUCING = PhaseRow("reducing", True, "decrease", False, True, True, True)
_STOPPED = PhaseRow("none", False, "no", False, True, False, False)
_OVER = PhaseRow("none", False, "no", False, False, False, False)
PHASES: Final = (
    PhaseRow("rest", False, "yes", True, True, False, False),
    _OPEN,
    _OPEN,
    _OPEN,
    _OPEN,
    _OPEN,
    _AUCTION,
    _STOPPED,
    _REDUCING,
    _REDUCING,
    _STOPPED,
    _OVER,
    _OVER,
)

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
POSITION_LIMIT: Final = 301
OPEN_INTEREST_LIMIT: Final = 302
MARGIN_SHORT: Final = 303
BALANCE_SHORT: Final = 304
AMOUNT_OUT_OF_RANGE: Final = 305
ACCOUNTS_FULL: Final = 306


class RefusedError(Exception):
    """A command is refused; nothing has been changed yet."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def refuse_if(condition: bool, code: int) -> None:
    """Refuse the command in hand with a code if a condition holds."""
    if condition:
        raise RefusedError(code)


class Matched(NamedTuple):
    """What an incoming order met."""

    filled: int
    value: int
    """Sum of price x quantity x tick value."""
    cost: int
    """What the fills cost a fund that backs the order."""
    tripped: bool


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
        self.call_ppm: int = config["margin_call_ppm"]
        self.backstop: int | None = config["backstop"]
        self.markets = [Market(i, m, config["breakers"]) for i, m in enumerate(config["markets"])]

        self.now = 0
        self.event_count = 0
        self.accepted_count = 0
        self.arrival_count = 0
        self.accounts: list[Account] = []
        self.ledger: dict[Holder, int] = {}
        self.queue: list[int] = []
        self.parked: list[int] = []
        self.settlement: Settlement | None = None
        self.timers_pending = False

        # What belongs to one step.
        self.command: Record = dict.fromkeys(FIELDS, 0)
        self.events: list[Record] = []
        self.touched: set[int] = set()
        self.step_trades: list[tuple[int, int]] = []
        self.step_marks: list[tuple[int, int]] = []
        self.step_tripped: set[int] = set()

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
        return [order for side in self.markets[market].book for order in side]

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
        positions = self.accounts[number].positions
        positions[market.number], profit = traded(positions[market.number], d, price, market.tick_value)
        self.transfer(("clearing", market.number), user(number, 0), profit)
        self.touched.add(number)

    def pay_from_fund(self, number: int, market: Market, amount: int) -> None:
        """Move money from a market's fund to an account and report it, if there is any."""
        if amount > 0:
            self.transfer(("fund", market.fund), user(number, 0), amount)
            self.emit(FUND_PAID, account=number, market=market.number, code=market.fund, amount=amount)

    def pay_to_fund(self, number: int, market: Market, amount: int) -> None:
        """Move money from an account to a market's fund and report it, if there is any."""
        if amount > 0:
            self.transfer(user(number, 0), ("fund", market.fund), amount)
            self.emit(FUND_RECEIVED, account=number, market=market.number, code=market.fund, amount=amount)

    # -----------------------------------------------------------------------------------------------------
    # 3. Margin
    # -----------------------------------------------------------------------------------------------------

    def unit_value(self, asset: int) -> tuple[int, int]:
        """Return the value of one minor unit of an asset as a fraction, zero while it has none."""
        collateral = self.assets[asset]["collateral"]
        if collateral is None:
            return 0, 1
        index = self.markets[collateral["market"]].index
        top = index * collateral["value_num"] * collateral["weight_ppm"]
        return top, collateral["value_den"] * MILLION

    def value(self, asset: int, quantity: int) -> int:
        """Return the value of a balance of an asset other than 0."""
        top, bottom = self.unit_value(asset)
        return max(0, quantity) * top // bottom

    def equity(self, number: int) -> int:
        """Return E of an account."""
        total = self.balance(user(number, 0))
        for asset in range(1, len(self.assets)):
            total += self.value(asset, self.balance(user(number, asset)))
        for market, (base, cost) in zip(self.markets, self.accounts[number].positions, strict=True):
            total += market.notional(base) - cost
        return total

    def maintenance_of(self, number: int, market: Market) -> int:
        """Return the maintenance margin of one position."""
        base = self.accounts[number].positions[market.number].base
        return requirement(market.maintenance_rates, market.notional(abs(base))) if base else 0

    def maintenance(self, number: int) -> int:
        """Return MM of an account."""
        return sum(self.maintenance_of(number, market) for market in self.markets)

    def call_requirement(self, number: int) -> int:
        """Return C of an account, 0 if there are no calls."""
        total = 0
        for market in self.markets:
            base = self.accounts[number].positions[market.number].base
            if base != 0:
                notional = market.notional(abs(base))
                tier = tier_of(market.maintenance_rates, notional)
                exact = notional * tier.rate - MILLION * tier.deduction
                total += ceil_div(exact * self.call_ppm, MILLION * MILLION)
        return total

    def exposure(self, number: int, market: Market) -> int:
        """Return the lots that initial margin is taken for in a market."""
        account, m = self.accounts[number], market.number
        base = account.positions[m].base
        return max(base + account.open[BUY][m], account.open[SELL][m] - base, 0)

    def initial(self, number: int, instead: dict[int, int] | None = None) -> int:
        """Return IM of an account, with other exposures in some markets if wanted."""
        total = 0
        for market in self.markets:
            if instead is not None and market.number in instead:
                lots = instead[market.number]
            else:
                lots = self.exposure(number, market)
            total += requirement(market.initial_rates, market.notional(lots))
        return total

    def after_trade(self, number: int, market: Market, d: int, price: int) -> tuple[int, int]:
        """Return what E and IM of an account would be after a trade of d signed lots."""
        positions = self.accounts[number].positions
        before = positions[market.number]
        positions[market.number], profit = traded(before, d, price, market.tick_value)
        equity, initial = self.equity(number) + profit, self.initial(number)
        positions[market.number] = before
        return equity, initial

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

        initial = self.initial(number, {m: after})
        if initial <= self.initial(number, {m: before}):
            return
        open_loss = 0
        if price is not None:
            open_loss = max(0, direction(side) * (price - market.mark)) * qty * market.tick_value
        notional = (market.mark if price is None else price) * qty * market.tick_value
        fee = max(0, ceil_div(notional * market.taker_ppm, MILLION))
        refuse_if(self.equity(number) < initial + open_loss + fee, MARGIN_SHORT)

    # -----------------------------------------------------------------------------------------------------
    # 4. One step
    # -----------------------------------------------------------------------------------------------------

    def apply(self, record: Record) -> list[Record]:
        """Take one command through one step and return its events."""
        self.command = record
        self.events = []
        self.step_trades = []
        self.step_marks = []
        self.step_tripped = set()
        kind = record["kind"]
        if kind not in HANDLERS:
            self.emit_rejected(UNKNOWN_COMMAND)
            return self.events
        if record["at"] < self.now:
            self.emit_rejected(TIME_BACKWARDS)
            return self.events
        self.now = record["at"]
        self.run_timers()

        accepted = True
        try:
            refuse_if(self.timers_pending and kind != PULSE, TIMERS_PENDING)
            HANDLERS[kind](self)
        except RefusedError as refused:
            accepted = False
            self.emit_rejected(refused.code)

        self.health(everyone=accepted and kind == INDEX)
        if accepted and kind in (INDEX, PULSE) and not self.timers_pending:
            self.resolve()
            self.health(everyone=False)
        self.observe()
        self.audit()
        return self.events

    # Step 1: time.

    def run_timers(self) -> None:
        """Run due timers until none is left or the budget for funding is used up."""
        budget = self.limits["funding_accounts_per_step"]
        while True:
            if self.settlement is not None:
                budget = self.settle_funding(self.settlement, budget)
                if self.settlement is not None:
                    self.timers_pending = True
                    return
            timers = self.due_timers()
            if not timers:
                self.timers_pending = False
                return
            _, m, is_funding = min(timers)
            if is_funding and budget == 0:
                self.timers_pending = True
                return
            if is_funding:
                budget -= 1
                self.start_funding(self.markets[m])
            else:
                self.end_phase(self.markets[m])

    def due_timers(self) -> list[tuple[int, int, bool]]:
        """Return the due timers as (due time, market, whether it is funding)."""
        timers = []
        for market in self.markets:
            if 0 < market.phase_end <= self.now and market.phase not in (CONTINUOUS, CLOSED, SETTLEMENT):
                timers.append((market.phase_end, market.number, False))
            if market.funding is not None and market.index > 0 and market.funding.due <= self.now:
                timers.append((market.funding.due, market.number, True))
        return timers

    def end_phase(self, market: Market) -> None:
        """Lead a market out of a phase whose end is due."""
        due = market.phase_end
        if market.phase in (HALTED, PAUSE) and market.reopen_auction_ns > 0:
            self.enter_phase(market, CALL_AUCTION, due + market.reopen_auction_ns)
        else:
            self.enter_phase(market, CONTINUOUS, 0)

    def enter_phase(self, market: Market, phase: int, end: int) -> None:
        """Change the phase of a market; the book is uncrossed first if matching begins."""
        old = market.phase
        if PHASES[phase].matches and not PHASES[old].matches:
            self.uncross(market)
        market.phase = phase
        market.phase_end = end
        self.emit(PHASE_CHANGED, market=market.number, code=phase, flags=old, amount=end)

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
            self.emit(MARGIN_CALL_CLEARED, account=number, amount=self.equity(number))
        for number in sorted(calls, key=self.how_bad):
            equity, call = self.equity(number), self.call_requirement(number)
            self.emit(MARGIN_CALLED, account=number, amount=equity, qty=call)
        for number in sorted(started, key=self.how_bad):
            equity, maintenance = self.equity(number), self.maintenance(number)
            self.emit(LIQUIDATION_STARTED, account=number, amount=equity, qty=maintenance)
            self.queue.append(number)

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
        for _ in range(self.limits["liquidation_rounds_per_step"]):
            if not self.queue:
                return
            self.liquidation_round(self.queue.pop(0))

    # Step 9: observe.

    def observe(self) -> None:
        """Let the breaker windows record the step's trades and marks."""
        for by_mark, prices in ((False, self.step_trades), (True, self.step_marks)):
            for m, price in prices:
                if m not in self.step_tripped:
                    for rule in self.markets[m].moves:
                        if rule.by_mark == by_mark:
                            rule.seen.append((self.now, price))

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
            assert self.balance(("clearing", m)) == -sum(p.cost for p in held), "Clearing is off"
            if self.settlement is None:
                assert self.balance(("funding", m)) >= 0, "Funding is negative"
            for account in self.accounts:
                for side in (BUY, SELL):
                    resting = sum(o.qty for o in market.book[side] if o.account == account.number)
                    assert account.open[side][m] == resting, "open quantity is off"
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

    def banded(self, market: Market, side: int, price: int) -> int:
        """Return a limit price after the bands, or refuse it."""
        limit = price
        for rule in market.bands:
            if rule.width_ppm is not None:
                bound = inward_bound(market.mark, rule.width_ppm, side)
                outside = direction(side) * (price - bound) > 0
                refuse_if(outside and rule.rejects, BAND_REFUSES)
                limit = min(limit, bound) if side == BUY else max(limit, bound)
        return limit

    def tightest_bound(self, market: Market, side: int, *, liquidation: bool) -> int | None:
        """Return the tightest bound of the bands, None if there is none."""
        bounds = [
            inward_bound(market.mark, rule.width_ppm, side)
            for rule in market.bands
            if rule.width_ppm is not None and not (liquidation and rule.exempt_liquidations)
        ]
        if not bounds:
            return None
        return min(bounds) if side == BUY else max(bounds)

    def would_take(self, market: Market, side: int, limit: int) -> bool:
        """Tell whether an order would meet the opposite side at once."""
        opposite = market.book[1 - side]
        return PHASES[market.phase].matches and bool(opposite) and inside(side, limit, opposite[0].price)

    def fillable(self, market: Market, side: int, limit: int, qty: int) -> bool:
        """Tell whether a quantity could be filled now; nothing trips."""
        for resting in market.book[1 - side]:
            if not inside(side, limit, resting.price):
                return False
            if self.tripping_rule(market, resting.price, by_mark=False, liquidation=False) is not None:
                return False
            qty -= resting.qty
            if qty <= 0:
                return True
        return False

    def place(self) -> None:
        """Take a Place."""
        command = self.command
        market = self.market_named()
        account = self.account_named(command["account"])
        side, code, flags = command["side"], command["code"], command["flags"]
        price, qty = command["price"], command["qty"]
        post_only, reduce_only = bool(flags & POST_ONLY), bool(flags & REDUCE_ONLY)
        is_market = code == MARKET_ORDER
        row = PHASES[market.phase]

        refuse_if(side > SELL or code > MARKET_ORDER or flags > POST_ONLY | REDUCE_ONLY, BAD_FIELD)
        refuse_if(post_only and code != GOOD_TILL_CANCELLED, BAD_FIELD)
        refuse_if(reduce_only and code == GOOD_TILL_CANCELLED, BAD_FIELD)
        refuse_if(is_market and price != 0, BAD_FIELD)
        refuse_if(row.place == "none", PHASE_REFUSES)
        refuse_if(row.place == "rest" and code != GOOD_TILL_CANCELLED, PHASE_REFUSES)
        refuse_if(row.place == "reducing" and code == GOOD_TILL_CANCELLED, PHASE_REFUSES)
        refuse_if(market.index == 0, NO_MARK)
        refuse_if(not 1 <= qty <= market.order_qty_max, QTY_OUT_OF_RANGE)
        refuse_if(not is_market and not 1 <= price <= market.price_max, PRICE_OUT_OF_RANGE)
        refuse_if(account.in_liquidation, IN_LIQUIDATION)
        if reduce_only or row.place == "reducing":
            base = account.positions[market.number].base
            refuse_if(sign(base) != -direction(side) or qty > abs(base), NOT_REDUCING)
        resting = sum(len(book_side) for book_side in market.book)
        refuse_if(code == GOOD_TILL_CANCELLED and resting >= self.limits["orders_max"], BOOK_FULL)
        limit: int | None
        if is_market:
            limit = self.tightest_bound(market, side, liquidation=False)
        else:
            limit = price = self.banded(market, side, price)
            refuse_if(post_only and self.would_take(market, side, price), WOULD_TAKE)
            refuse_if(code == FILL_OR_KILL and not self.fillable(market, side, price, qty), NOT_FILLABLE)
        self.check_order(account.number, market, side, price=None if is_market else price, qty=qty)

        self.accepted_count += 1
        order = Order(
            number=self.accepted_count,
            account=account.number,
            side=side,
            price=price,
            qty=qty,
            post_only=post_only,
            counted=code == GOOD_TILL_CANCELLED,
        )
        self.emit(
            ACCEPTED,
            account=account.number,
            market=market.number,
            order=order.id,
            side=side,
            code=code,
            flags=flags,
            price=price,
            qty=qty,
        )
        if order.counted:
            account.open[side][market.number] += qty
        self.take_in(market, order, limit)

    def order_named(self, market: Market, account: Account) -> Order:
        """Return the resting order that the command names."""
        order = market.find(self.command["order"] >> SLOT_BITS)
        if order is None:
            raise RefusedError(UNKNOWN_ORDER)
        refuse_if(order.account != account.number, NOT_YOUR_ORDER)
        return order

    def cancel(self) -> None:
        """Take a Cancel."""
        market = self.market_named()
        account = self.account_named(self.command["account"])
        order = self.order_named(market, account)
        self.take_out(market, order)
        self.emit_cancelled(market, order, BY_USER)

    def replace(self) -> None:
        """Take a Replace."""
        market = self.market_named()
        account = self.account_named(self.command["account"])
        price, qty = self.command["price"], self.command["qty"]
        row = PHASES[market.phase]
        refuse_if(row.replace == "no", PHASE_REFUSES)
        refuse_if(market.index == 0, NO_MARK)
        refuse_if(not 1 <= qty <= market.order_qty_max, QTY_OUT_OF_RANGE)
        refuse_if(not 1 <= price <= market.price_max, PRICE_OUT_OF_RANGE)
        order = self.order_named(market, account)
        refuse_if(account.in_liquidation, IN_LIQUIDATION)
        if price == order.price and qty <= order.qty:
            account.open[order.side][market.number] -= order.qty - qty
            order.qty = qty
            self.emit_replaced(market, order, kept=True)
            return
        refuse_if(row.replace == "decrease", PHASE_REFUSES)
        price = self.banded(market, order.side, price)
        refuse_if(order.post_only and self.would_take(market, order.side, price), WOULD_TAKE)
        self.check_order(account.number, market, order.side, price=price, qty=qty, gone=order.qty)

        self.take_out(market, order)
        order.price, order.qty = price, qty
        account.open[order.side][market.number] += qty
        self.emit_replaced(market, order, kept=False)
        self.take_in(market, order, price)

    def cancel_all(self) -> None:
        """Take a CancelAll."""
        markets = self.markets if self.command["market"] == NO_MARKET else [self.market_named()]
        account = self.account_named(self.command["account"])
        for market in markets:
            self.cancel_orders(account.number, market, BY_USER)

    def cancel_orders(self, number: int, market: Market, reason: int) -> None:
        """Cancel an account's orders in a market, the highest acceptance number first."""
        mine = [order for side in market.book for order in side if order.account == number]
        for order in sorted(mine, key=lambda o: o.number, reverse=True):
            self.take_out(market, order)
            self.emit_cancelled(market, order, reason)

    def block(self) -> None:
        """Take a Block."""
        command = self.command
        market = self.market_named()
        buyer = self.account_named(command["account"])
        seller = self.account_named(command["order"])
        price, qty, m = command["price"], command["qty"], market.number
        refuse_if(buyer is seller, BAD_FIELD)
        refuse_if(not PHASES[market.phase].block, PHASE_REFUSES)
        refuse_if(market.index == 0, NO_MARK)
        refuse_if(not 1 <= qty <= market.position_max, QTY_OUT_OF_RANGE)
        refuse_if(not 1 <= price <= market.price_max, PRICE_OUT_OF_RANGE)
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
        refuse_if(len(self.accounts) >= self.limits["accounts_max"], ACCOUNTS_FULL)
        number, markets = len(self.accounts), len(self.markets)
        self.accounts.append(Account(number, [Position(0, 0)] * markets, [[0] * markets, [0] * markets]))
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

    def withdraw(self) -> None:
        """Take a Withdraw."""
        account = self.account_named(self.command["account"])
        asset, amount = self.command["code"], self.command["amount"]
        refuse_if(asset >= len(self.assets), UNKNOWN_ASSET)
        refuse_if(amount < 1, AMOUNT_OUT_OF_RANGE)
        refuse_if(account.in_liquidation, IN_LIQUIDATION)
        balance = self.balance(user(account.number, asset))
        refuse_if(amount > balance, BALANCE_SHORT)
        lost = amount if asset == 0 else self.value(asset, balance) - self.value(asset, balance - amount)
        refuse_if(self.equity(account.number) - lost < self.initial(account.number), MARGIN_SHORT)
        self.transfer(user(account.number, asset), ("external", asset), amount)
        self.touched.add(account.number)
        self.emit(WITHDRAWN, account=account.number, code=asset, amount=amount)

    def fund_deposit(self) -> None:
        """Take a FundDeposit."""
        fund, amount = self.command["code"], self.command["amount"]
        refuse_if(fund >= self.fund_count, UNKNOWN_FUND)
        self.refuse_deposit(0, amount)
        self.transfer(("external", 0), ("fund", fund), amount)
        self.emit(FUND_DEPOSITED, code=fund, amount=amount)

    def set_phase(self) -> None:
        """Take a SetPhase."""
        market = self.market_named()
        phase, end = self.command["code"], self.command["amount"]
        refuse_if(phase > SETTLEMENT or (end != 0 and end <= self.now), BAD_FIELD)
        self.enter_phase(market, phase, end)

    def pulse(self) -> None:
        """Take a Pulse: it asks for nothing of its own."""

    # -----------------------------------------------------------------------------------------------------
    # 6. Match and settle
    # -----------------------------------------------------------------------------------------------------

    def emit_cancelled(self, market: Market, order: Order, reason: int) -> None:
        """Report that what was open of an order is gone."""
        self.emit(
            CANCELLED,
            account=order.account,
            market=market.number,
            order=order.id,
            side=order.side,
            price=order.price,
            qty=order.qty,
            code=reason,
        )

    def emit_replaced(self, market: Market, order: Order, *, kept: bool) -> None:
        """Report a replaced order."""
        self.emit(
            REPLACED,
            account=order.account,
            market=market.number,
            order=order.id,
            side=order.side,
            price=order.price,
            qty=order.qty,
            flags=1 if kept else 0,
        )

    def take_out(self, market: Market, order: Order) -> None:
        """Take a resting order out of the book."""
        market.book[order.side].remove(order)
        self.accounts[order.account].open[order.side][market.number] -= order.qty

    def take_in(self, market: Market, order: Order, limit: int | None) -> None:
        """Match an incoming order as far as it goes; the rest rests or is cancelled."""
        tripped = False
        if PHASES[market.phase].matches:
            tripped = self.match(market, order, limit).tripped
        if order.qty == 0:
            return
        if order.counted and not tripped:
            self.arrival_count += 1
            order.arrival = self.arrival_count
            insort(market.book[order.side], order, key=priority_of)
            return
        if order.counted:
            self.accounts[order.account].open[order.side][market.number] -= order.qty
        self.emit_cancelled(market, order, BY_BREAKER if tripped else REST)

    def settle(self, market: Market, order: Order, price: int, qty: int, rate_ppm: int) -> int:
        """Settle one side of a fill and return its fee."""
        self.trade(order.account, market, direction(order.side) * qty, price)
        fee = ceil_div(price * qty * market.tick_value * rate_ppm, MILLION)
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
        for order, _, _ in (first, second):
            if order.qty == 0 and order in market.book[order.side]:
                market.book[order.side].remove(order)
        market.last = price
        self.step_trades.append((market.number, price))

    def match(
        self,
        market: Market,
        taker: Order,
        limit: int | None,
        *,
        liquidation: bool = False,
        backed_at: int | None = None,
    ) -> Matched:
        """Let an incoming order meet the opposite side.

        Parameters
        ----------
        limit
            Price it does not go beyond, None for no limit.
        liquidation
            Whether it is a liquidation order: no trading fee, some breakers exempt.
        backed_at
            The bankruptcy price if the market's fund pays for what is worse than it.
        """
        filled = value = cost = 0
        asked = 0
        opposite = market.book[1 - taker.side]
        rate, flags = (0, TAKER | LIQUIDATION) if liquidation else (market.taker_ppm, TAKER)
        while taker.qty > 0 and opposite and inside(taker.side, limit, opposite[0].price):
            resting = opposite[0]
            price = resting.price
            if price != asked:
                asked = price
                if self.ask_breakers(market, price, by_mark=False, liquidation=liquidation):
                    return Matched(filled, value, cost, True)
            qty = min(taker.qty, resting.qty)
            per_lot = 0
            if backed_at is not None:
                # A sell below the bankruptcy price, or a buy above it, is what the fund pays for.
                per_lot = max(0, -direction(taker.side) * (backed_at - price)) * market.tick_value
                if per_lot > 0:
                    qty = min(qty, (self.fund(market.fund) - cost) // per_lot)
                if qty == 0:
                    break
            self.meet(market, (resting, market.maker_ppm, 0), (taker, rate, flags), price, qty)
            filled += qty
            value += price * qty * market.tick_value
            cost += per_lot * qty
        return Matched(filled, value, cost, False)

    def uncross(self, market: Market) -> None:
        """Trade the greatest volume of a crossed book at one price."""
        buys, sells = market.book
        candidates = []
        for price in {order.price for side in market.book for order in side}:
            demand = sum(order.qty for order in buys if order.price >= price)
            supply = sum(order.qty for order in sells if order.price <= price)
            candidates.append((min(demand, supply), demand - supply, price))
        volume = max((v for v, _, _ in candidates), default=0)
        if volume == 0:
            return
        left = [(s, p) for v, s, p in candidates if v == volume]
        least = min(abs(s) for s, _ in left)
        left = [(s, p) for s, p in left if abs(s) == least]
        prices = [p for _, p in left]
        if all(s > 0 for s, _ in left):
            price = max(prices)
        elif all(s < 0 for s, _ in left):
            price = min(prices)
        else:
            price = min(prices, key=lambda p: (abs(p - market.mark), -p))
        surplus = next(s for s, p in left if p == price)
        self.emit(UNCROSSED, market=market.number, price=price, qty=volume, amount=surplus)
        while volume > 0:
            buy, sell = buys[0], sells[0]
            assert buy.price >= price >= sell.price, "the volume is there at the price"
            qty = min(buy.qty, sell.qty, volume)
            volume -= qty
            rate = market.maker_ppm
            self.meet(market, (buy, rate, AUCTION), (sell, rate, AUCTION), price, qty)

    # -----------------------------------------------------------------------------------------------------
    # 7. Index, mark, funding
    # -----------------------------------------------------------------------------------------------------

    def take_index(self) -> None:
        """Take an Index."""
        market = self.market_named()
        index = self.command["price"]
        refuse_if(not PHASES[market.phase].new_index, PHASE_REFUSES)
        refuse_if(not 1 <= index <= market.price_max, PRICE_OUT_OF_RANGE)
        self.queue += self.parked
        self.parked = []
        if market.index == 0 and market.funding is not None:
            # Funding times at or before the first index are passed over.
            while market.funding.due <= self.now:
                market.funding.due += market.funding.interval_ns
        market.index = index
        buys, sells = market.book
        if buys and sells:
            market.basis.append(buys[0].price + sells[0].price - 2 * index)
            market.basis = market.basis[-market.basis_samples :]
        if market.funding is not None:
            market.funding.samples.append(premium(market, market.funding.impact_qty))
        mark = clamp(self.new_mark(market), 1, market.price_max)
        self.ask_breakers(market, mark, by_mark=True, liquidation=False)
        market.mark = mark
        market.rankings = {}
        self.step_marks.append((market.number, mark))
        self.emit(MARKED, market=market.number, price=mark, amount=index)

    def new_mark(self, market: Market) -> int:
        """Return the mark by the market's method, before its limits."""
        index, last = market.index, market.last or market.index
        if market.mark_method == "index":
            return index
        if market.mark_method == "last":
            return last
        based = index
        if market.basis:
            based += sum(market.basis) // (2 * len(market.basis))
        return sorted((index, based, last))[1]

    def start_funding(self, market: Market) -> None:
        """Fix the rate of a funding time that is due, and begin to settle it."""
        funding = market.funding
        assert funding is not None
        average = trunc_div(sum(funding.samples), len(funding.samples)) if funding.samples else 0
        rate = average + clamp(funding.interest - average, -funding.clamp, funding.clamp)
        rate = clamp(rate, -funding.cap, funding.cap)
        funding.samples = []
        funding.due += funding.interval_ns
        self.emit(FUNDING_SETTLED, market=market.number, price=market.mark, amount=rate)
        self.settlement = Settlement(market.number, rate)

    def settle_funding(self, settlement: Settlement, budget: int) -> int:
        """Go on with a settlement, and return what is left of the number of accounts to examine."""
        market = self.markets[settlement.market]
        while settlement.next_account < len(self.accounts):
            if budget == 0:
                return 0
            budget -= 1
            number = settlement.next_account
            settlement.next_account += 1
            base = self.accounts[number].positions[market.number].base
            paid = ceil_div(market.notional(base) * settlement.rate, BILLION)
            if paid != 0:
                self.transfer(user(number, 0), ("funding", market.number), paid)
                self.touched.add(number)
                self.emit(FUNDING_PAID, account=number, market=market.number, qty=base, amount=paid)
        self.settlement = None
        return budget

    # -----------------------------------------------------------------------------------------------------
    # 8. The waterfall
    # -----------------------------------------------------------------------------------------------------

    def end_liquidation(self, number: int, code: int) -> None:
        """Let an account leave."""
        self.accounts[number].in_liquidation = False
        self.touched.add(number)
        self.emit(LIQUIDATION_ENDED, account=number, code=code, amount=self.equity(number))

    def is_flat(self, number: int) -> bool:
        """Tell whether an account has no position."""
        return all(position.base == 0 for position in self.accounts[number].positions)

    def liquidation_round(self, number: int) -> None:
        """Give one round to an account that has been taken off the queue."""
        account = self.accounts[number]
        # A.
        for market in self.markets:
            self.cancel_orders(number, market, BY_LIQUIDATION)
        # B.
        equity, maintenance = self.equity(number), self.maintenance(number)
        if equity >= maintenance:
            self.end_liquidation(number, RECOVERED)
            return
        # C.
        if self.is_flat(number):
            self.settle_debt(number, self.markets[0])
            return
        # D.
        admitted = [
            market
            for market in self.markets
            if account.positions[market.number].base != 0
            and PHASES[market.phase].liquidation
            and market.liquidation["enabled"]
        ]
        if not admitted:
            self.parked.append(number)
            return
        market = max(admitted, key=lambda each: (self.maintenance_of(number, each), -each.number))
        share = equity * self.maintenance_of(number, market) // maintenance
        self.close_slice(number, market, share)

    def close_slice(self, number: int, market: Market, share: int) -> None:
        """Close a slice of a position to which a share of the account's equity belongs: steps E to K."""
        base = self.accounts[number].positions[market.number].base
        b, size = sign(base), abs(base)
        # E.
        bankruptcy = market.mark - b * (share // (size * market.tick_value))
        bankruptcy = clamp(bankruptcy, 1, market.price_max)
        # F.
        terms = market.liquidation
        lots = size
        if market.notional(size) > terms["full_below"]:
            slice_lots = ceil_div(size * terms["slice_ppm"], MILLION)
            lots = min(size, max(terms["slice_qty_min"], slice_lots))
        # G.
        met = self.liquidation_order(number, market, lots, limit=bankruptcy, bankruptcy=bankruptcy, backed=False)
        if met.filled > 0:
            better = b * (met.value - bankruptcy * met.filled * market.tick_value)
            fee = min(ceil_div(met.value * terms["fee_ppm"], MILLION), max(0, better))
            self.pay_to_fund(number, market, fee)
        left = lots - met.filled
        # H.
        if left > 0 and PHASES[market.phase].liquidation and self.take_over(number, market, left, bankruptcy):
            left = 0
        # I.
        if left > 0 and share < 0 and PHASES[market.phase].liquidation and self.fund(market.fund) > 0:
            left -= self.close_with_fund(number, market, left, bankruptcy)
        # J.
        if left > 0 and share < 0 and market.adl["enabled"] and PHASES[market.phase].adl:
            left -= self.deleverage(number, market, left, bankruptcy)
        # K.
        if left == lots:
            self.parked.append(number)
        elif self.is_flat(number):
            self.settle_debt(number, market)
        elif self.equity(number) >= self.maintenance(number):
            self.end_liquidation(number, RECOVERED)
        else:
            self.queue.append(number)

    def close_with_fund(self, number: int, market: Market, lots: int, bankruptcy: int) -> int:
        """Close lots in the book beyond the bankruptcy price at the fund's cost; return how many were closed."""
        b = sign(self.accounts[number].positions[market.number].base)
        reach = inward_bound(market.mark, market.liquidation["fund_limit_ppm"], SELL if b > 0 else BUY)
        met = self.liquidation_order(number, market, lots, limit=reach, bankruptcy=bankruptcy, backed=True)
        self.pay_from_fund(number, market, met.cost)
        return met.filled

    def liquidation_order(
        self, number: int, market: Market, lots: int, *, limit: int, bankruptcy: int, backed: bool
    ) -> Matched:
        """Send an order that closes lots of a position; what it leaves is cancelled."""
        b = sign(self.accounts[number].positions[market.number].base)
        side = SELL if b > 0 else BUY
        bound = self.tightest_bound(market, side, liquidation=True)
        if bound is not None:
            limit = min(limit, bound) if side == BUY else max(limit, bound)
        self.accepted_count += 1
        order = Order(self.accepted_count, number, side, limit, lots)
        self.emit(
            LIQUIDATION_ORDER,
            account=number,
            market=market.number,
            order=order.id,
            side=side,
            price=limit,
            qty=lots,
            amount=bankruptcy,
            flags=1 if backed else 0,
        )
        met = self.match(market, order, limit, liquidation=True, backed_at=bankruptcy if backed else None)
        if order.qty > 0:
            self.emit_cancelled(market, order, BY_BREAKER if met.tripped else REST)
        return met

    def take_over(self, number: int, market: Market, lots: int, price: int) -> bool:
        """Let the backstop take lots over at the bankruptcy price, if it can."""
        backstop = self.backstop
        if backstop is None or backstop >= len(self.accounts) or backstop == number:
            return False
        if self.accounts[backstop].in_liquidation:
            return False
        b = sign(self.accounts[number].positions[market.number].base)
        equity, initial = self.after_trade(backstop, market, b * lots, price)
        if equity < initial:
            return False
        self.trade(number, market, -b * lots, price)
        self.trade(backstop, market, b * lots, price)
        self.emit(
            TAKEN_OVER,
            account=number,
            market=market.number,
            order=backstop,
            side=SELL if b > 0 else BUY,
            price=price,
            qty=lots,
        )
        return True

    # Auto-deleveraging.

    def profit(self, number: int, market: Market) -> int:
        """Return the profit u of a position at the mark."""
        base, cost = self.accounts[number].positions[market.number]
        return market.notional(base) - cost

    def is_winner(self, number: int, market: Market, bankrupt: int, b: int) -> bool:
        """Tell whether an account is a candidate against a bankrupt whose position has sign b."""
        account = self.accounts[number]
        return (
            number != bankrupt
            and not account.in_liquidation
            and sign(account.positions[market.number].base) == -b
            and self.profit(number, market) > 0
            and self.equity(number) > 0
        )

    def winner_cap(self, number: int, market: Market, price: int) -> int:
        """Return how many lots a candidate can be made to close at a price."""
        base = self.accounts[number].positions[market.number].base
        per_lot = sign(base) * (market.mark - price) * market.tick_value
        if per_lot <= 0:
            return abs(base)
        return min(abs(base), self.equity(number) // per_lot)

    def score(self, number: int, market: Market) -> tuple[bool, Fraction]:
        """Return the score of a candidate; the first part says that it is infinite."""
        base, cost = self.accounts[number].positions[market.number]
        if cost == 0:
            return True, Fraction(0)
        profit, notional = self.profit(number, market), market.notional(abs(base))
        return False, Fraction(profit * notional, abs(cost) * self.equity(number))

    def deleverage(self, number: int, market: Market, lots: int, bankruptcy: int) -> int:
        """Close lots of a bankrupt against the winners, and return how many were closed."""
        b = sign(self.accounts[number].positions[market.number].base)
        price = bankruptcy if market.adl["price"] == "bankruptcy" else market.mark
        band: int | None = market.adl["band_ppm"]
        if band is not None:
            low = ceil_div(market.mark * (MILLION - band), MILLION)
            high = market.mark * (MILLION + band) // MILLION
            price = clamp(price, low, high)
        shortage = b * (bankruptcy - price) * market.tick_value
        can_close = lots
        if shortage > 0:
            can_close = min(lots, self.fund(market.fund) // shortage)
        self.emit(
            ADL_STARTED,
            account=number,
            market=market.number,
            side=SELL if b > 0 else BUY,
            price=price,
            qty=lots,
        )
        if market.adl["method"] == "queue":
            closed = self.deleverage_queue(number, market, can_close, price, b)
        else:
            closed = self.deleverage_pro_rata(number, market, can_close, price, b)
        self.pay_from_fund(number, market, shortage * closed)
        self.pay_to_fund(number, market, -shortage * closed)
        if closed < lots:
            self.emit(ADL_REMAINDER, account=number, market=market.number, qty=lots - closed)
        return closed

    def deleverage_queue(self, number: int, market: Market, lots: int, price: int, b: int) -> int:
        """Close lots against the ranked winners, the highest score first."""
        if lots == 0:
            return 0
        if not market.rankings.get(b):
            winners = [w.number for w in self.accounts if self.is_winner(w.number, market, number, b)]
            # The sort is stable, so equal scores stay in order of number.
            winners.sort(key=lambda w: self.score(w, market), reverse=True)
            market.rankings[b] = winners[: self.limits["adl_rank_max"]]
        ranking = market.rankings[b]
        left = lots
        for _ in range(self.limits["adl_closes_per_round"]):
            if left == 0 or not ranking:
                break
            winner = ranking[0]
            cap = 0
            if self.is_winner(winner, market, number, b):
                cap = self.winner_cap(winner, market, price)
            if cap == 0:
                ranking.pop(0)
                continue
            k = min(cap, left)
            self.adl_close(number, winner, market, k=k, price=price, b=b)
            left -= k
            # It stays first only if the round was done before the winner was.
            if self.accounts[winner].positions[market.number].base == 0 or left > 0:
                ranking.pop(0)
        return lots - left

    def deleverage_pro_rata(self, number: int, market: Market, lots: int, price: int, b: int) -> int:
        """Close lots against all winners in proportion to their positions."""
        winners = [w.number for w in self.accounts if self.is_winner(w.number, market, number, b)]
        weights = [abs(self.accounts[w].positions[market.number].base) for w in winners]
        caps = [self.winner_cap(w, market, price) for w in winners]
        shares = largest_remainder(lots, weights, caps)
        for winner, k in zip(winners, shares, strict=True):
            if k > 0:
                self.adl_close(number, winner, market, k=k, price=price, b=b)
        return sum(shares)

    def adl_close(self, number: int, winner: int, market: Market, *, k: int, price: int, b: int) -> None:
        """Close k lots of a winner against the bankrupt whose position has sign b."""
        self.trade(winner, market, b * k, price)
        self.trade(number, market, -b * k, price)
        self.emit(
            ADL_FILL,
            account=winner,
            market=market.number,
            side=BUY if b > 0 else SELL,
            price=price,
            qty=k,
            amount=-b * (market.mark - price) * market.tick_value * k,
        )

    # Settling the debt.

    def settle_debt(self, number: int, market: Market) -> None:
        """Settle what a flat account owes, in asset 0, and let it leave."""
        self.sell_collateral(number)
        owed = -self.balance(user(number, 0))
        code = CLOSED_OUT
        if owed > 0:
            code = BANKRUPT
            self.pay_from_fund(number, market, min(self.fund(market.fund), owed))
            owed = -self.balance(user(number, 0))
        if owed > 0 and self.config["last_resort"] == "socialise":
            self.socialise(number, market, owed)
            owed = -self.balance(user(number, 0))
        if owed > 0:
            self.transfer(SHORTFALL, user(number, 0), owed)
            self.emit(BAD_DEBT, account=number, amount=owed)
        self.end_liquidation(number, code)

    def sell_collateral(self, number: int) -> None:
        """Sell other assets of an account while it owes asset 0."""
        for asset in range(1, len(self.assets)):
            owed = -self.balance(user(number, 0))
            held = self.balance(user(number, asset))
            if owed <= 0:
                return
            if held <= 0 or self.value(asset, held) == 0:
                continue
            sold = held
            if self.value(asset, held) > owed:
                top, bottom = self.unit_value(asset)
                sold = ceil_div(owed * bottom, top)
            received = self.value(asset, sold)
            self.transfer(user(number, asset), ("treasury", asset), sold)
            self.transfer(("treasury", 0), user(number, 0), received)
            self.emit(COLLATERAL_SOLD, account=number, code=asset, qty=sold, amount=received)

    def socialise(self, number: int, market: Market, loss: int) -> None:
        """Charge a loss to the accounts that have a profit in the market."""
        payers = [
            account.number
            for account in self.accounts
            if account.number != number
            and not account.in_liquidation
            and self.profit(account.number, market) > 0
            and self.equity(account.number) > 0
        ]
        weights = [self.profit(payer, market) for payer in payers]
        caps = [min(self.profit(payer, market), self.equity(payer)) for payer in payers]
        for payer, charge in zip(payers, largest_remainder(loss, weights, caps), strict=True):
            if charge > 0:
                self.transfer(user(payer, 0), user(number, 0), charge)
                self.touched.add(payer)
                self.emit(SOCIALISED, account=payer, market=market.number, amount=charge)

    # -----------------------------------------------------------------------------------------------------
    # 9. Breakers of type move
    # -----------------------------------------------------------------------------------------------------

    def tripping_rule(
        self, market: Market, price: int, *, by_mark: bool, liquidation: bool
    ) -> tuple[MoveRule, int] | None:
        """Return the first rule that a would-be price trips, with the extreme that it leaves."""
        if market.phase != CONTINUOUS:
            return None
        for rule in market.moves:
            if rule.by_mark != by_mark or (liquidation and rule.exempt_liquidations):
                continue
            extreme = rule.extreme_left(price, self.now)
            if extreme is not None:
                return rule, extreme
        return None

    def ask_breakers(self, market: Market, price: int, *, by_mark: bool, liquidation: bool) -> bool:
        """Ask the rules about a would-be price; tell whether one tripped."""
        found = self.tripping_rule(market, price, by_mark=by_mark, liquidation=liquidation)
        if found is None:
            return False
        rule, extreme = found
        end = self.now + rule.duration_ns
        self.emit(
            BREAKER_TRIPPED,
            market=market.number,
            code=rule.number,
            flags=1 if by_mark else 0,
            price=price,
            qty=extreme,
            amount=end,
        )
        self.enter_phase(market, rule.phase, end)
        rule.seen = []
        rule.standing = price
        self.step_tripped.add(market.number)
        return True


def inside(side: int, limit: int | None, price: int) -> bool:
    """Tell whether an opposite price is at or inside a limit."""
    return limit is None or direction(side) * (limit - price) >= 0


def premium(market: Market, lots: int) -> int:
    """Return the premium sample of a market, in ppb of its index."""
    worth = market.index * lots
    bid, ask = (taken_for(side, lots) for side in market.book)
    above = 0 if bid is None else max(0, bid - worth)
    below = 0 if ask is None else max(0, worth - ask)
    return trunc_div(BILLION * (above - below), worth)


def taken_for(side: list[Order], lots: int) -> int | None:
    """Return the sum of price x quantity for lots taken from a side, None if it is too thin."""
    total = 0
    for order in side:
        qty = min(order.qty, lots)
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
    INDEX: OracleVenue.take_index,
    SET_PHASE: OracleVenue.set_phase,
    PULSE: OracleVenue.pulse,
}
