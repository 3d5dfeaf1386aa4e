"""Builders of commands: each returns a structured array of dtype ``COMMAND``.

Every argument is an integer or an array of integers; arrays are broadcast against each other, so one call makes
many commands. Prices are in ticks, quantities in lots, amounts in minor units, times in nanoseconds since the
Unix epoch (UTC). A value that the field cannot hold is refused here; whether the venue accepts the command is
the venue's decision and comes back as an event.

Examples
--------
>>> from seawall import commands
>>> from seawall.protocol import Side
>>> quotes = commands.place(at=0, market=0, account=1, side=Side.BUY, price=[99, 98], qty=10)
>>> quotes["price"].tolist(), len(commands.batch(commands.pulse(at=0), quotes))
([99, 98], 3)
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seawall.errors import CommandError
from seawall.protocol import COMMAND, NO_MARKET, CommandKind, OrderFlag, OrderType, Source

__all__ = [
    "Integers",
    "Records",
    "batch",
    "block",
    "cancel",
    "cancel_all",
    "deposit",
    "fund_deposit",
    "index",
    "open_account",
    "place",
    "pulse",
    "replace",
    "set_phase",
    "withdraw",
]

Integers: TypeAlias = int | Sequence[int] | NDArray[Any]
"""An integer, or several."""

Records: TypeAlias = NDArray[np.void]
"""A one-dimensional structured array of dtype ``COMMAND`` or ``EVENT``."""


def _field(name: str, value: Integers) -> NDArray[Any]:
    array = np.asarray(value)
    if array.size and array.dtype.kind not in "iu":
        message = f"{name}: expected integers, got {value!r}; convert prices to ticks and amounts to minor units"
        raise CommandError(message)
    limits = np.iinfo(COMMAND[name])
    if array.size and (int(array.min()) < limits.min or int(array.max()) > limits.max):
        worst = int(array.min()) if int(array.min()) < limits.min else int(array.max())
        raise CommandError(f"{name}: {worst} is outside the field's range {limits.min} to {limits.max}")
    return array


def _records(kind: CommandKind, *, count: int = 1, **fields: Integers) -> Records:
    arrays = {name: _field(name, value) for name, value in fields.items()}
    try:
        shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError:
        sizes = ", ".join(f"{n} {a.shape}" for n, a in arrays.items() if a.shape)
        raise CommandError(f"{sizes}: lengths differ; give each argument one value or as many as the others") from None
    if len(shape) > 1:
        raise CommandError(f"expected lists of one dimension, got shape {shape}; flatten them first")
    out = np.zeros(shape or (count,), dtype=COMMAND)
    out["kind"] = kind
    if "market" not in arrays:
        out["market"] = NO_MARKET
    for name, array in arrays.items():
        out[name] = array
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
    source: Integers = Source.USER,
) -> Records:
    """Place orders.

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
    source
        `Source`.

    Returns
    -------
    Records
        One command per value.

    Raises
    ------
    CommandError
        For values that are not integers or do not fit.
    """
    return _records(
        CommandKind.PLACE,
        at=at,
        market=market,
        account=account,
        side=side,
        qty=qty,
        price=price,
        code=order_type,
        flags=flags,
        source=source,
    )


def cancel(*, at: Integers, market: Integers, account: Integers, order: Integers) -> Records:
    """Take resting orders out; `order` is the id from the Accepted event."""
    return _records(CommandKind.CANCEL, at=at, market=market, account=account, order=order)


def replace(
    *, at: Integers, market: Integers, account: Integers, order: Integers, price: Integers, qty: Integers
) -> Records:
    """Change resting orders to a price in ticks and an open quantity in lots.

    A smaller quantity at the same price keeps the order's place in the queue.
    """
    return _records(CommandKind.REPLACE, at=at, market=market, account=account, order=order, price=price, qty=qty)


def cancel_all(*, at: Integers, account: Integers, market: Integers = NO_MARKET) -> Records:
    """Take all resting orders of an account out, of one market or (by default) of every market."""
    return _records(CommandKind.CANCEL_ALL, at=at, account=account, market=market)


def block(
    *, at: Integers, market: Integers, buyer: Integers, seller: Integers, price: Integers, qty: Integers
) -> Records:
    """Report a trade agreed outside the book: `qty` lots at `price` ticks between two accounts."""
    return _records(CommandKind.BLOCK, at=at, market=market, account=buyer, order=seller, price=price, qty=qty)


def open_account(*, at: Integers, count: int = 1) -> Records:
    """Open `count` accounts; the venue numbers them from 0 in order."""
    return _records(CommandKind.OPEN_ACCOUNT, count=count, at=at)


def deposit(*, at: Integers, account: Integers, amount: Integers, asset: Integers = 0) -> Records:
    """Pay `amount` minor units of an asset into accounts."""
    return _records(CommandKind.DEPOSIT, at=at, account=account, code=asset, amount=amount)


def withdraw(*, at: Integers, account: Integers, amount: Integers, asset: Integers = 0) -> Records:
    """Pay `amount` minor units of an asset out of accounts."""
    return _records(CommandKind.WITHDRAW, at=at, account=account, code=asset, amount=amount)


def fund_deposit(*, at: Integers, amount: Integers, fund: Integers = 0) -> Records:
    """Pay `amount` minor units of the valuation asset into an insurance fund."""
    return _records(CommandKind.FUND_DEPOSIT, at=at, code=fund, amount=amount)


def index(*, at: Integers, market: Integers, price: Integers) -> Records:
    """Give a market a new index price in ticks; the mark, margin checks and liquidations follow from it."""
    return _records(CommandKind.INDEX, at=at, market=market, price=price)


def set_phase(*, at: Integers, market: Integers, phase: Integers, until: Integers = 0) -> Records:
    """Set a market's `Phase`, until a time in nanoseconds or (0) until it is changed."""
    return _records(CommandKind.SET_PHASE, at=at, market=market, code=phase, amount=until)


def pulse(*, at: Integers) -> Records:
    """Let waiting work go on: timers, and rounds of liquidation."""
    return _records(CommandKind.PULSE, at=at)


def batch(*parts: Records) -> Records:
    """Put commands into one array, in order.

    Parameters
    ----------
    *parts
        Arrays of dtype ``COMMAND``.

    Returns
    -------
    Records
        One array; empty without parts.

    Raises
    ------
    CommandError
        If a part is not of dtype ``COMMAND``.
    """
    for number, part in enumerate(parts):
        if getattr(part, "dtype", None) != COMMAND:
            got = getattr(part, "dtype", type(part).__name__)
            raise CommandError(f"part {number}: expected dtype seawall.COMMAND, got {got}; use seawall.commands")
    return np.concatenate(parts) if parts else np.zeros(0, dtype=COMMAND)
