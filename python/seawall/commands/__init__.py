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

from seawall.commands.orders import block, cancel, cancel_all, place, quote, replace, term
from seawall.commands.records import Integers, Records, batch
from seawall.commands.running import (
    deposit,
    fund_deposit,
    index,
    interrupt,
    open_account,
    plan,
    plan_fallback,
    pulse,
    set_leverage,
    set_margin_mode,
    set_multiplier,
    set_phase,
    set_rule,
    settle,
    source,
    transfer,
    volunteer,
    withdraw,
)

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
    "interrupt",
    "open_account",
    "place",
    "plan",
    "plan_fallback",
    "pulse",
    "quote",
    "replace",
    "set_leverage",
    "set_margin_mode",
    "set_multiplier",
    "set_phase",
    "set_rule",
    "settle",
    "source",
    "term",
    "transfer",
    "volunteer",
    "withdraw",
]
