"""One order: what its flags and terms say, what it shows, when it fires, and how lots are shared out.

These are the parts of section 6 of ``docs/mechanics.md`` that need no venue around them, and the small
arithmetic that everything here is made of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

Record = dict[str, int]
Config = dict[str, Any]

MILLION: Final = 1_000_000
SLOT_BITS: Final = 24
BUY: Final = 0
SELL: Final = 1


def ceil_div(a: int, b: int) -> int:
    """Return a / b, rounded up (b positive)."""
    return -(-a // b)


def direction(side: int) -> int:
    """Return +1 for a buy and -1 for a sell."""
    return 1 if side == BUY else -1


def inward_bound(price: int, width_ppm: int, side: int) -> int:
    """Return how far from a price an order of a side may reach, rounded inwards."""
    if side == BUY:
        return price * (MILLION + width_ppm) // MILLION
    return max(1, ceil_div(price * (MILLION - width_ppm), MILLION))


def inside(side: int, limit: int | None, price: int) -> bool:
    """Tell whether an opposite price is at or inside a limit."""
    return limit is None or direction(side) * (limit - price) >= 0


# Types of an order.
LIMIT: Final = 0
IMMEDIATE: Final = 1
FILL_OR_KILL: Final = 2
MARKET_ORDER: Final = 3

# Flags of a Place; of a Quote those of QUOTE_FLAGS.
POST_ONLY: Final = 1
REDUCE_ONLY: Final = 2
SLIDE: Final = 4
HIDDEN: Final = 8
DAY: Final = 16
MODE_SHIFT: Final = 5
MODE_BITS: Final = 7 << MODE_SHIFT
QUOTE_FLAGS: Final = POST_ONLY | SLIDE | MODE_BITS
WAITS: Final = 256
"""Flag of an Accepted: the order waits for a trigger."""
OFFER: Final = 512
"""Flag of a liquidation order that rests until the auction; no user's order has it."""

# Self-trade modes: of an order, and of an account up to 4.
ACCOUNTS_OWN: Final = 0
CANCEL_NEWEST: Final = 1
CANCEL_OLDEST: Final = 2
CANCEL_BOTH: Final = 3
DECREMENT: Final = 4
NO_PREVENTION: Final = 5

# What an order can watch.
LAST_TRADE: Final = 0
THE_MARK: Final = 1
THE_INDEX: Final = 2

# Terms.
STOP: Final = 1
TAKE_PROFIT: Final = 2
TRAILING: Final = 3
DISPLAY: Final = 4
EXPIRY: Final = 5
MINIMUM: Final = 6
OTHER_LEG: Final = 7
PROTECTION_TICKS: Final = 8
PROTECTION_PPM: Final = 9
TRIGGERS: Final = (STOP, TAKE_PROFIT, TRAILING)
PROTECTIONS: Final = (PROTECTION_TICKS, PROTECTION_PPM)
VALUE_OF: Final = {
    STOP: "price",
    TAKE_PROFIT: "price",
    TRAILING: "price",
    DISPLAY: "qty",
    EXPIRY: "amount",
    MINIMUM: "qty",
    OTHER_LEG: "order",
    PROTECTION_TICKS: "price",
    PROTECTION_PPM: "amount",
}
"""The field of a Term that has its value."""

SESSION_MAX: Final = 65535


# ---------------------------------------------------------------------------------------------------------
# 6.1 Terms
# ---------------------------------------------------------------------------------------------------------


class Trigger(NamedTuple):
    """What an order waits for."""

    kind: int
    watched: int
    price: int
    """The trigger; of a trailing stop its offset."""


@dataclass(slots=True)
class Gathered:
    """The terms that wait for their order."""

    records: list[Record] = field(default_factory=list)
    broken: bool = False
    """Whether one was refused."""


@dataclass(slots=True)
class Terms:
    """What the gathered terms say; 0 where they say nothing."""

    trigger: Trigger | None = None
    display: int = 0
    expiry: int = 0
    minimum: int = 0
    other_leg: int = 0
    """Acceptance number of the order that it is tied to."""
    protection_ticks: int = 0
    protection_ppm: int = 0

    @classmethod
    def of(cls, records: list[Record]) -> Terms:
        """Return what some terms say together."""
        terms = cls()
        for record in records:
            code = record["code"]
            value = record[VALUE_OF[code]]
            if code in TRIGGERS:
                terms.trigger = Trigger(code, record["flags"], value)
            elif code == DISPLAY:
                terms.display = value
            elif code == EXPIRY:
                terms.expiry = value
            elif code == MINIMUM:
                terms.minimum = value
            elif code == OTHER_LEG:
                terms.other_leg = value >> SLOT_BITS
            elif code == PROTECTION_TICKS:
                terms.protection_ticks = value
            else:
                terms.protection_ppm = value
        return terms

    @property
    def protects(self) -> bool:
        """Tell whether the order is protected from going far from the touch."""
        return self.protection_ticks > 0 or self.protection_ppm > 0


def is_bad_term(term: Record, gathered: list[Record], price_max: int) -> bool:
    """Tell whether a Term is BadField after those gathered before it."""
    code = term["code"]
    if code not in VALUE_OF or (code in TRIGGERS and term["flags"] > THE_INDEX):
        return True
    most = {"price": price_max, "amount": MILLION if code == PROTECTION_PPM else None}.get(VALUE_OF[code])
    value = term[VALUE_OF[code]]
    if value < 1 or (most is not None and value > most):
        return True
    for other in gathered:
        codes = {other["code"], code}
        if len(codes) == 1 or codes <= set(TRIGGERS) or codes <= set(PROTECTIONS):
            return True
        if (other["market"], other["account"]) != (term["market"], term["account"]):
            return True
    return False


def is_bad_mode(flags: int) -> bool:
    """Tell whether flags name a self-trade mode that there is not."""
    return (flags & MODE_BITS) >> MODE_SHIFT > NO_PREVENTION


def is_bad_place(command: Record, terms: Terms) -> bool:
    """Tell whether a Place is BadField by its own fields."""
    code, flags = command["code"], command["flags"]
    if command["side"] > SELL or code > MARKET_ORDER or flags >= WAITS or is_bad_mode(flags):
        return True
    waits = terms.trigger is not None
    return any(
        (
            flags & SLIDE and not flags & POST_ONLY,
            flags & (POST_ONLY | HIDDEN) and code != LIMIT,
            flags & DAY and code != LIMIT and not waits,
            code == MARKET_ORDER and command["price"] != 0,
            not 0 <= command["amount"] <= SESSION_MAX,
        )
    )


def do_not_go(terms: Terms, command: Record) -> bool:
    """Tell whether there is a term that does not go with its order."""
    code, flags = command["code"], command["flags"]
    lasts = code == LIMIT or terms.trigger is not None
    return any(
        (
            terms.display and (code != LIMIT or flags & HIDDEN),
            terms.expiry and (not lasts or flags & DAY),
            terms.minimum and (code == FILL_OR_KILL or flags & POST_ONLY or terms.minimum > command["qty"]),
            terms.other_leg and not lasts,
            terms.protects and code != MARKET_ORDER,
        )
    )


# ---------------------------------------------------------------------------------------------------------
# An order: 6.3, 6.5
# ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Order:
    """An order: on its way in, resting, or waiting for its trigger."""

    number: int
    account: int
    side: int
    price: int
    """The limit as events show it: 0 for a market order."""
    qty: int
    """The open quantity: what is shown and what is behind it."""
    code: int = IMMEDIATE
    flags: int = 0
    terms: Terms = field(default_factory=Terms)
    client: int = 0
    session: int = 0
    expiry: int = 0
    """When it expires, 0 if it does not: by its term or as a day order."""
    quote: int | None = None
    """The number of the quote that it is a side of."""
    behind: int = 0
    counted: bool = False
    """Whether its open quantity is part of the account's open buys or sells."""
    leg: Order | None = None
    arrival: int = 0
    blind_to: int = 0
    """How many of the prices that are yet to be observed were made before it was armed."""
    best: int | None = None
    """The best price that a trailing stop has seen."""
    moved: bool = False
    """Whether that price has moved since."""

    @property
    def id(self) -> int:
        """The order's id in an event; the oracle has no slots."""
        return self.number << SLOT_BITS

    @property
    def post_only(self) -> bool:
        """Tell whether it may not take."""
        return bool(self.flags & POST_ONLY)

    @property
    def reduce_only(self) -> bool:
        """Tell whether it may only reduce the position."""
        return bool(self.flags & REDUCE_ONLY)

    @property
    def hidden(self) -> bool:
        """Tell whether it rests behind what is shown."""
        return bool(self.flags & HIDDEN)

    @property
    def is_offer(self) -> bool:
        """Tell whether it is what an account in liquidation offers in a call."""
        return bool(self.flags & OFFER)

    @property
    def is_market(self) -> bool:
        """Tell whether it has no limit of its own."""
        return self.code == MARKET_ORDER

    @property
    def trigger(self) -> Trigger | None:
        """What it waits for, or has waited for."""
        return self.terms.trigger

    @property
    def needed(self) -> int:
        """What must be filled at once."""
        return self.qty if self.code == FILL_OR_KILL else self.terms.minimum

    @property
    def lots(self) -> int:
        """What can be met of it at once: the shown lots, or all of a hidden order."""
        return self.qty - self.behind

    @property
    def priority(self) -> tuple[int, bool, int]:
        """Best price first, shown before hidden, then longest resting."""
        return (-direction(self.side) * self.price, self.hidden, self.arrival)

    def would_fire(self, price: int) -> bool:
        """Tell whether an observed price fires it."""
        assert self.trigger is not None, "only what waits fires"
        kind, _, trigger = self.trigger
        b = direction(self.side)
        if kind == TRAILING:
            return self.best is not None and b * (price - self.best) >= trigger
        return (b if kind == STOP else -b) * (price - trigger) >= 0

    def follow(self, price: int) -> None:
        """Let a trailing stop move with a price that did not fire it."""
        if self.best is None:
            self.best = price
        elif direction(self.side) * (price - self.best) < 0:
            self.best, self.moved = price, True


def priority_of(order: Order) -> tuple[int, bool, int]:
    """Return the key that a side of the book is sorted by."""
    return order.priority


# ---------------------------------------------------------------------------------------------------------
# 6.2 Allocation at a price
# ---------------------------------------------------------------------------------------------------------


class _Sharing:
    """Lots on their way to the orders at a price."""

    def __init__(self, q: int, orders: list[Order]) -> None:
        self.left = q
        self.open = [order.lots for order in orders]
        self.given = [0] * len(orders)
        self.steps: set[str] = set()
        """The steps that gave lots, for those who count."""

    def give(self, i: int, lots: int, step: str) -> int:
        """Give an order as many of some lots as it has open and as are left; return how many."""
        k = min(lots, self.open[i], self.left)
        self.open[i] -= k
        self.given[i] += k
        self.left -= k
        if k > 0:
            self.steps.add(step)
        return k


def share_out(q: int, orders: list[Order], top: Order | None, rule: Config) -> tuple[list[int], set[str]]:
    """Share q lots out among the orders at a price, longest resting first, that have more than q.

    Returns
    -------
    The lots of each order, and the steps that mattered.
    """
    sharing = _Sharing(q, orders)
    every = range(len(orders))
    # 1.
    if rule["top_order"] and top in orders:
        sharing.give(orders.index(top), sharing.left, "top")
    # 2.
    after_top = sharing.left
    for row in rule["lead"]:
        lots = after_top * row["share_ppm"] // MILLION
        for i in every:
            if orders[i].account == row["account"]:
                lots -= sharing.give(i, lots, "lead")
    # 3.
    lots = sharing.left * rule["fifo_ppm"] // MILLION
    for i in every:
        lots -= sharing.give(i, lots, "fifo")
    # 4.
    left, still_open = sharing.left, list(sharing.open)
    for i in every:
        share = left * still_open[i] // sum(still_open)
        if share >= rule["minimum"]:
            sharing.give(i, share, "share")
        elif share > 0:
            sharing.steps.add("below_minimum")
    # 5.
    for i in every:
        sharing.give(i, sharing.left, "remainder")
    assert sharing.left == 0, "orders that have more take it all"
    return sharing.given, sharing.steps
