"""Commands of those who trade: orders, their terms and their ends."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seawall.commands.records import Integers, Records, integers, records, shape_of
from seawall.errors import CommandError
from seawall.protocol import (
    COMMAND,
    NO_MARKET,
    SELF_TRADE_SHIFT,
    CancelAllFlag,
    CancelFlag,
    CommandKind,
    OrderFlag,
    OrderType,
    SelfTrade,
    Source,
    TermCode,
    Watched,
)

_TERM_FIELDS: Final = {
    TermCode.STOP: "price",
    TermCode.TAKE_PROFIT: "price",
    TermCode.TRAILING_STOP: "price",
    TermCode.DISPLAY: "qty",
    TermCode.EXPIRY: "amount",
    TermCode.MINIMUM: "qty",
    TermCode.OTHER_LEG: "order",
    TermCode.PROTECTION_TICKS: "price",
    TermCode.PROTECTION_PPM: "amount",
}
"""The field of a Term that holds its value."""

_TERM_ARGUMENTS: Final = {
    "stop": TermCode.STOP,
    "take_profit": TermCode.TAKE_PROFIT,
    "trailing": TermCode.TRAILING_STOP,
    "display": TermCode.DISPLAY,
    "expires": TermCode.EXPIRY,
    "minimum": TermCode.MINIMUM,
    "other_leg": TermCode.OTHER_LEG,
    "protection_ticks": TermCode.PROTECTION_TICKS,
    "protection_ppm": TermCode.PROTECTION_PPM,
}
"""The arguments of `place` that are terms."""

_TRIGGERS: Final = ("stop", "take_profit", "trailing")
_PPM_MAX: Final = 1_000_000


def _order_flags(flags: Integers, self_trade: Integers, day: Integers = False) -> Integers:
    """Return the flags with the self-trade mode and the day in their bits."""
    modes, days = np.asarray(self_trade), np.asarray(day)
    if not modes.any() and not days.any() and modes.ndim == days.ndim == 0:
        return flags
    if not np.isin(days, (0, 1)).all():
        raise CommandError(f"day: expected True or False, got {day!r}; a time goes into expires")
    modes = integers("self_trade", modes, "code").astype(np.uint16)
    bits = integers("flags", flags, "flags").astype(np.uint16)
    shape_of({"flags": bits, "self_trade": modes, "day": days})
    if modes.size and int(modes.max()) > SelfTrade.ALLOWED:
        raise CommandError(f"self_trade: {int(modes.max())} is no mode; use one of SelfTrade")
    taken = (modes != 0) & (bits >> SELF_TRADE_SHIFT & 7 != 0)
    if taken.any():
        raise CommandError("self_trade: flags name a mode as well; leave bits 5 to 7 of flags empty")
    out: NDArray[Any] = bits | modes << SELF_TRADE_SHIFT | np.where(days, OrderFlag.DAY, OrderFlag.NONE)
    return out


def _order_name(order: Integers | None, client_id: Integers | None) -> tuple[Integers, CancelFlag, dict[str, str]]:
    """Return how an order is named: value, flag, and the argument that it came from."""
    if order is not None and client_id is None:
        return order, CancelFlag.NONE, {}
    if client_id is not None and order is None:
        return client_id, CancelFlag.CLIENT_ID, {"order": "client_id"}
    given = "neither is" if order is None else "both are"
    raise CommandError(f"order, client_id: {given} given; name the order by one of them")


class _Terms:
    """The terms of orders, one column per argument, and what goes together."""

    def __init__(self, values: Mapping[str, NDArray[Any]], orders: Records) -> None:
        self.orders = orders
        self.values = {name: np.broadcast_to(value, orders.shape) for name, value in values.items()}
        for name, value in self.values.items():
            if value.dtype.kind == "i" and value.size and int(value.min()) < 0:
                raise CommandError(f"{name}: {int(value.min())} is below 0; give 1 or more, or 0 for an order without")
        self.has = {name: self.values[name] != 0 for name in _TERM_ARGUMENTS if name in values}
        self.waits = self.any_of(*_TRIGGERS)
        if "watch" in values and not self.waits.any():
            raise CommandError(
                f"watch: {values['watch']} without a trigger; give stop, take_profit or trailing as well"
            )

    def any_of(self, *names: str) -> NDArray[np.bool_]:
        """Return which orders have at least one of these terms."""
        found = np.zeros(self.orders.shape, dtype=np.bool_)
        for name in names:
            if name in self.has:
                found |= self.has[name]
        return found

    def refuse(self, names: str, where: NDArray[np.bool_], why: Callable[[int], str]) -> None:
        """Raise an error that names the arguments, the first order where they are wrong, its values and the remedy."""
        if where.any():
            number = int(np.argmax(where))
            told = [str(int(self.values[name][number])) for name in names.split(", ") if name in self.values]
            place = f" of order {number}" if self.orders.size > 1 else ""
            raise CommandError(f"{names}{place}: {', '.join(told) or 'True'} {why(number)}")

    def check(self) -> None:
        """Refuse terms that contradict each other or their order (docs/mechanics.md section 6.1)."""
        kinds, flags = self.orders["code"], self.orders["flags"]
        rests = kinds == OrderType.LIMIT
        kind = {int(number): OrderType(number).name for number in OrderType}

        def of_type(number: int) -> str:
            return kind.get(int(kinds[number]), str(int(kinds[number])))

        for first, second in (("stop", "take_profit"), ("stop", "trailing"), ("take_profit", "trailing")):
            both = self.any_of(first) & self.any_of(second)
            self.refuse(f"{first}, {second}", both, lambda _: "on one order; place two and tie them with other_leg")
        both = self.any_of("protection_ticks") & self.any_of("protection_ppm")
        self.refuse("protection_ticks, protection_ppm", both, lambda _: "on one order; keep one of them")
        for name in ("protection_ticks", "protection_ppm"):
            wrong = self.any_of(name) & (kinds != OrderType.MARKET)
            self.refuse(name, wrong, lambda n: f"with order_type {of_type(n)}, which has a price; use MARKET")
        if "protection_ppm" in self.values:
            wrong = self.values["protection_ppm"] > _PPM_MAX
            self.refuse("protection_ppm", wrong, lambda _: f"is above {_PPM_MAX}; give millionths of the touch")
        by_day = flags & OrderFlag.DAY != 0
        for name, given in (
            ("expires", self.any_of("expires")),
            ("other_leg", self.any_of("other_leg")),
            ("day", by_day),
        ):
            wrong = given & ~rests & ~self.waits
            self.refuse(name, wrong, lambda n: f"with order_type {of_type(n)}, which is over at once; use LIMIT")
        wrong = self.any_of("expires") & by_day
        self.refuse("expires", wrong, lambda _: "and day on one order; keep one of them")
        wrong = self.any_of("display") & ~rests
        self.refuse("display", wrong, lambda n: f"with order_type {of_type(n)}, which does not rest; use LIMIT")
        wrong = self.any_of("display") & (flags & OrderFlag.HIDDEN != 0)
        self.refuse("display", wrong, lambda _: "on a HIDDEN order, which shows nothing; leave one of them out")
        wrong = self.any_of("minimum") & (kinds == OrderType.FILL_OR_KILL)
        self.refuse(
            "minimum", wrong, lambda _: "with order_type FILL_OR_KILL, which fills all or nothing; leave it out"
        )
        wrong = self.any_of("minimum") & (flags & OrderFlag.POST_ONLY != 0)
        self.refuse("minimum", wrong, lambda _: "on a POST_ONLY order, which fills nothing at once; leave one out")
        if "minimum" in self.values:
            wrong = self.values["minimum"] > self.orders["qty"]
            self.refuse("minimum", wrong, lambda n: f"is above qty {self.orders['qty'][n]}; give no more than it")

    def before_orders(self) -> Records:
        """Return every order with its terms before it, by `TermCode`."""
        counts = sum((has.astype(np.int64) for has in self.has.values()), np.zeros(self.orders.shape, np.int64))
        places = np.arange(self.orders.size) + np.cumsum(counts) - counts
        out = np.zeros(self.orders.size + int(counts.sum()), dtype=COMMAND)
        out[places + counts] = self.orders
        for name, has in self.has.items():
            code = _TERM_ARGUMENTS[name]
            terms = np.zeros(int(has.sum()), dtype=COMMAND)
            terms["kind"], terms["code"] = CommandKind.TERM, code
            for field in ("at", "market", "account", "source"):
                terms[field] = self.orders[field][has]
            terms[_TERM_FIELDS[code]] = self.values[name][has]
            if name in _TRIGGERS and "watch" in self.values:
                terms["flags"] = self.values["watch"][has]
            out[places[has]] = terms
            places = places + has
        return out


def place(
    *,
    at: Integers,
    market: Integers,
    account: Integers,
    side: Integers,
    qty: Integers,
    price: Integers = 0,
    order_type: Integers = OrderType.LIMIT,
    flags: Integers = OrderFlag.NONE,
    client_id: Integers = 0,
    session: Integers = 0,
    self_trade: Integers = SelfTrade.DEFAULT,
    day: Integers = False,
    expires: Integers | None = None,
    display: Integers | None = None,
    minimum: Integers | None = None,
    stop: Integers | None = None,
    take_profit: Integers | None = None,
    trailing: Integers | None = None,
    watch: Integers | None = None,
    other_leg: Integers | None = None,
    protection_ticks: Integers | None = None,
    protection_ppm: Integers | None = None,
    source: Integers = Source.USER,
) -> Records:
    """Place orders, each after the terms that it has.

    In an array, 0 stands for an order without the term.

    Parameters
    ----------
    at
        Time in nanoseconds.
    market, account
        Numbers of market and account.
    side
        `Side`.
    qty
        Quantity in lots.
    price
        Limit in ticks; 0 for market orders.
    order_type
        `OrderType`.
    flags
        `OrderFlag` bits.
    client_id
        The client's own number of the order, where the market keeps them; 0 for none.
    session
        The session that sends it, 1 to 65535, for `cancel_all`; 0 for none.
    self_trade
        `SelfTrade` mode.
    day
        True if the order expires at the end of the market's trading day.
    expires
        Time in nanoseconds at which the order expires.
    display
        An iceberg: lots that it shows at most.
    minimum
        Lots that must be filled at once, or the order is refused.
    stop
        Trigger in ticks: a buy fires at or above, a sell at or below it.
    take_profit
        Trigger in ticks: a buy fires at or below, a sell at or above it.
    trailing
        Offset in ticks by which the watched price must turn back from its best.
    watch
        `Watched` price that fires; the last trade if not given.
    other_leg
        One cancels the other: id of the account's resting or waiting order that goes when this one trades or goes.
    protection_ticks, protection_ppm
        How far from the touch a market order may trade, in ticks or in millionths.
    source
        `Source`.

    Returns
    -------
    Records
        One Place per value, each directly after one Term for every term that it has.

    Raises
    ------
    CommandError
        For values that are not integers or do not fit, and for terms that contradict each other or the order.

    Examples
    --------
    >>> from seawall import commands
    >>> from seawall.protocol import OrderType, Side
    >>> who = {"at": 0, "market": 0, "account": 1, "side": Side.SELL}
    >>> iceberg = commands.place(**who, price=101, qty=[50, 10], display=[5, 0])
    >>> iceberg["kind"].tolist(), iceberg["qty"].tolist()
    ([6, 1, 1], [5, 50, 10])
    >>> commands.place(**who, qty=10, stop=95, order_type=OrderType.MARKET, display=5)
    Traceback (most recent call last):
        ...
    seawall.errors.CommandError: display: 5 with order_type MARKET, which does not rest; use LIMIT
    """
    given = {
        "stop": stop,
        "take_profit": take_profit,
        "trailing": trailing,
        "display": display,
        "expires": expires,
        "minimum": minimum,
        "other_leg": other_leg,
        "protection_ticks": protection_ticks,
        "protection_ppm": protection_ppm,
    }
    values = {
        name: integers(name, value, _TERM_FIELDS[_TERM_ARGUMENTS[name]])
        for name, value in given.items()
        if value is not None
    }
    if watch is not None:
        values["watch"] = integers("watch", watch, "flags")
    orders = records(
        CommandKind.PLACE,
        called={"code": "order_type", "order": "client_id", "amount": "session"},
        beside=values,
        at=at,
        market=market,
        account=account,
        side=side,
        qty=qty,
        price=price,
        code=order_type,
        flags=_order_flags(flags, self_trade, day),
        order=client_id,
        amount=session,
        source=source,
    )
    if not values and not np.any(day):
        return orders
    terms = _Terms(values, orders)
    terms.check()
    return terms.before_orders()


def term(
    *,
    at: Integers,
    market: Integers,
    account: Integers,
    code: Integers,
    value: Integers,
    watch: Integers = Watched.LAST,
    source: Integers = Source.USER,
) -> Records:
    """Say terms of the account's next order; `place` does it by its own arguments.

    Parameters
    ----------
    at
        Time in nanoseconds.
    market, account
        Numbers of market and account: those of the order.
    code
        `TermCode`.
    value
        Its value: ticks, lots, a time, an order's id or millionths.
    watch
        `Watched` price of a trigger.
    source
        `Source`.

    Raises
    ------
    CommandError
        For values that are not integers or do not fit, and for a code that names no term.

    Examples
    --------
    >>> from seawall import commands
    >>> from seawall.protocol import TermCode
    >>> commands.term(at=0, market=0, account=1, code=TermCode.EXPIRY, value=60)["amount"].tolist()
    [60]
    """
    values = np.asarray(value)
    out = records(
        CommandKind.TERM,
        called={"flags": "watch"},
        beside={"value": values},
        at=at,
        market=market,
        account=account,
        code=code,
        flags=watch,
        source=source,
    )
    values = np.broadcast_to(values, out.shape)
    for number in np.unique(out["code"]).tolist():
        if number not in _TERM_FIELDS:
            raise CommandError(f"code: {number} names no term; use one of TermCode")
        field, here = _TERM_FIELDS[TermCode(number)], out["code"] == number
        out[field][here] = integers("value", values[here], field)
    return out


def quote(
    *,
    at: Integers,
    market: Integers,
    account: Integers,
    number: Integers = 0,
    bid: Integers = 0,
    bid_qty: Integers = 0,
    ask: Integers = 0,
    ask_qty: Integers = 0,
    flags: Integers = OrderFlag.NONE,
    self_trade: Integers = SelfTrade.DEFAULT,
    source: Integers = Source.USER,
) -> Records:
    """Set both sides of a quote as one; a side without lots is taken out.

    A side that stays at its price with no more lots than before keeps its place.

    Parameters
    ----------
    at
        Time in nanoseconds.
    market, account
        Numbers of market and account.
    number
        Number of the quote: an account may have several in a market.
    bid, ask
        Prices in ticks.
    bid_qty, ask_qty
        Open quantities in lots; 0 for none.
    flags
        ``OrderFlag.POST_ONLY`` and ``OrderFlag.SLIDE``.
    self_trade
        `SelfTrade` mode.
    source
        `Source`.

    Raises
    ------
    CommandError
        For values that are not integers or do not fit.
    """
    return records(
        CommandKind.QUOTE,
        called={"code": "number", "price": "bid", "qty": "bid_qty", "amount": "ask", "order": "ask_qty"},
        at=at,
        market=market,
        account=account,
        code=number,
        price=bid,
        qty=bid_qty,
        amount=ask,
        order=ask_qty,
        flags=_order_flags(flags, self_trade),
        source=source,
    )


def cancel(
    *,
    at: Integers,
    market: Integers,
    account: Integers,
    order: Integers | None = None,
    client_id: Integers | None = None,
) -> Records:
    """Take resting or waiting orders out.

    `order` is the id from the Accepted event; where the market keeps client ids, `client_id` does as well.
    """
    name, flag, called = _order_name(order, client_id)
    return records(CommandKind.CANCEL, called=called, at=at, market=market, account=account, order=name, flags=flag)


def replace(
    *,
    at: Integers,
    market: Integers,
    account: Integers,
    price: Integers,
    qty: Integers,
    order: Integers | None = None,
    client_id: Integers | None = None,
) -> Records:
    """Change resting orders to a price in ticks and an open quantity in lots.

    A smaller quantity at the same price keeps the order's place in the queue. `order` is the id from the Accepted
    event; where the market keeps client ids, `client_id` does as well.
    """
    name, flag, called = _order_name(order, client_id)
    return records(
        CommandKind.REPLACE,
        called=called,
        at=at,
        market=market,
        account=account,
        order=name,
        flags=flag,
        price=price,
        qty=qty,
    )


def cancel_all(
    *,
    at: Integers,
    account: Integers,
    market: Integers = NO_MARKET,
    side: Integers | None = None,
    session: Integers | None = None,
) -> Records:
    """Take all resting and waiting orders of an account out.

    Parameters
    ----------
    at
        Time in nanoseconds.
    account
        Number of the account, or ``EVERY_ACCOUNT``: the operator's, for the orders of all of them.
    market
        Number of the market; every market if not given.
    side
        Only orders of this `Side`; both if not given.
    session
        Only orders placed with this session, 0 being those without; all if not given.

    Examples
    --------
    >>> from seawall import EVERY_ACCOUNT, commands
    >>> commands.cancel_all(at=0, account=EVERY_ACCOUNT, session=7)["flags"].tolist()
    [2]
    """
    flags = CancelAllFlag.NONE
    if side is not None:
        flags |= CancelAllFlag.SIDE
    if session is not None:
        flags |= CancelAllFlag.SESSION
    return records(
        CommandKind.CANCEL_ALL,
        called={"amount": "session"},
        at=at,
        account=account,
        market=market,
        side=0 if side is None else side,
        amount=0 if session is None else session,
        flags=flags,
    )


def block(
    *, at: Integers, market: Integers, buyer: Integers, seller: Integers, price: Integers, qty: Integers
) -> Records:
    """Report a trade agreed outside the book: `qty` lots at `price` ticks between two accounts."""
    return records(CommandKind.BLOCK, at=at, market=market, account=buyer, order=seller, price=price, qty=qty)
