"""Commands beside orders: accounts and money, prices, phases, rules, plans."""

import numpy as np
from numpy.typing import ArrayLike

from seawall.commands.records import Integers, Records, batch, integers, records
from seawall.errors import CommandError
from seawall.protocol import NO_MARKET, CommandKind, RuleParameter, SelfTrade


def open_account(
    *, at: Integers, count: int = 1, group: Integers = 0, self_trade: Integers = SelfTrade.DEFAULT
) -> Records:
    """Open accounts; the venue numbers them from 0 in order.

    Parameters
    ----------
    at
        Time in nanoseconds.
    count
        How many, if every other argument is a single value.
    group
        Accounts with the same group are one party for self-trade prevention; 0 for an account of its own.
    self_trade
        `SelfTrade` mode of orders that name none.

    Raises
    ------
    CommandError
        For values that are not integers or do not fit.
    """
    modes = integers("self_trade", self_trade, "code")
    modes = np.where(modes == SelfTrade.ALLOWED, SelfTrade.DEFAULT, modes)
    out = records(
        CommandKind.OPEN_ACCOUNT,
        count=count,
        called={"order": "group", "code": "self_trade"},
        at=at,
        order=group,
        code=modes,
    )
    if count not in (1, out.size):
        raise CommandError(f"count: {count}, but the other arguments have {out.size} values; leave count out")
    return out


def deposit(*, at: Integers, account: Integers, amount: Integers, asset: Integers = 0) -> Records:
    """Pay `amount` minor units of an asset into accounts."""
    return records(CommandKind.DEPOSIT, at=at, account=account, code=asset, amount=amount)


def withdraw(*, at: Integers, account: Integers, amount: Integers, asset: Integers = 0) -> Records:
    """Pay `amount` minor units of an asset out of accounts."""
    return records(CommandKind.WITHDRAW, at=at, account=account, code=asset, amount=amount)


def fund_deposit(*, at: Integers, amount: Integers, fund: Integers = 0) -> Records:
    """Pay `amount` minor units of the valuation asset into an insurance fund."""
    return records(CommandKind.FUND_DEPOSIT, at=at, code=fund, amount=amount)


def set_leverage(*, at: Integers, market: Integers, account: Integers, leverage: Integers) -> Records:
    """Set the leverage that accounts allow themselves in a market; 0 for that of the market."""
    return records(
        CommandKind.SET_LEVERAGE,
        called={"amount": "leverage"},
        at=at,
        market=market,
        account=account,
        amount=leverage,
    )


def set_multiplier(*, at: Integers, market: Integers, initial_ppm: Integers, maintenance_ppm: Integers) -> Records:
    """Multiply the rates of a market's tiers, as they are configured; 1,000,000 for what is configured."""
    return records(
        CommandKind.SET_MULTIPLIER,
        called={"qty": "initial_ppm", "amount": "maintenance_ppm"},
        at=at,
        market=market,
        qty=initial_ppm,
        amount=maintenance_ppm,
    )


def set_margin_mode(*, at: Integers, account: Integers, mode: Integers) -> Records:
    """Margin accounts by the tiers of each market, or in the venue's groups of markets: `MarginMode`."""
    return records(CommandKind.SET_MARGIN_MODE, called={"code": "mode"}, at=at, account=account, code=mode)


def transfer(*, at: Integers, account: Integers, to: Integers, amount: Integers, asset: Integers = 0) -> Records:
    """Move `amount` minor units of an asset to other accounts of the same group."""
    return records(
        CommandKind.TRANSFER, called={"order": "to"}, at=at, account=account, order=to, code=asset, amount=amount
    )


def index(*, at: Integers, market: Integers, price: Integers) -> Records:
    """Give a market a new index price in ticks; the mark, margin checks and liquidations follow from it."""
    return records(CommandKind.INDEX, at=at, market=market, price=price)


def source(
    *, at: Integers, market: Integers, number: Integers, price: Integers, ask: Integers = 0, observed: Integers = 0
) -> Records:
    """Give a market the price of one of its sources; its index and mark are made anew.

    Parameters
    ----------
    at
        Time in nanoseconds.
    market
        Number of the market.
    number
        Number of the source: those of the index from 0, then those of the mark.
    price
        Price in ticks, or the bid where there is an `ask`.
    ask
        Ask in ticks; 0 for one price.
    observed
        When the source had this price, in nanoseconds; 0 for `at`.
    """
    return records(CommandKind.SOURCE, at=at, market=market, code=number, price=price, qty=ask, amount=observed)


def set_phase(*, at: Integers, market: Integers, phase: Integers, until: Integers = 0) -> Records:
    """Set a market's `Phase`, until a time in nanoseconds or (0) until it is changed."""
    return records(CommandKind.SET_PHASE, at=at, market=market, code=phase, amount=until)


def volunteer(*, at: Integers, market: Integers, account: Integers, qty: Integers) -> Records:
    """Say how many lots accounts are ready to take over from liquidations in a market; 0 for none."""
    return records(CommandKind.VOLUNTEER, at=at, market=market, account=account, qty=qty)


def settle(*, at: Integers, market: Integers, when: Integers) -> Records:
    """Plan the final settlement of a market at a time in nanoseconds; 0 drops the plan."""
    return records(CommandKind.SETTLE, called={"amount": "when"}, at=at, market=market, amount=when)


def pulse(*, at: Integers) -> Records:
    """Let waiting work go on: timers, and rounds of liquidation."""
    return records(CommandKind.PULSE, at=at)


def set_rule(
    *, at: Integers, rule: Integers, parameter: Integers, value: Integers, market: Integers = NO_MARKET
) -> Records:
    """Change a breaker of the configuration.

    Parameters
    ----------
    at
        Times.
    rule
        Numbers of the rules in the configuration.
    parameter
        What changes, a `seawall.protocol.RuleParameter`.
    value
        The new value: 1 or 0, a width in ppm, or a price in ticks.
    market
        Markets; left out, every market that the rule watches.

    Examples
    --------
    >>> from seawall import commands
    >>> from seawall.protocol import RuleParameter
    >>> int(commands.set_rule(at=0, rule=1, parameter=RuleParameter.WIDTH, value=50_000)["amount"][0])
    50000
    """
    known = [int(p) for p in RuleParameter]
    if not np.isin(parameter, known).all():
        raise CommandError(f"parameter: {parameter} is unknown; known: {', '.join(p.name for p in RuleParameter)}")
    return records(CommandKind.SET_RULE, at=at, market=market, code=rule, flags=parameter, amount=value)


def interrupt(
    *,
    at: Integers,
    market: Integers,
    rule: Integers,
    phase: Integers,
    end: Integers = 0,
    price: Integers = 0,
    reference: Integers = 0,
    lower: Integers = 0,
    upper: Integers = 0,
    below: ArrayLike = False,
) -> Records:
    """Do what a trip of a breaker does: BreakerTripped with these numbers, and the phase.

    Parameters
    ----------
    at
        Times.
    market
        Markets.
    rule
        Numbers of the rules in the configuration.
    phase
        Phases that follow, each a `seawall.protocol.Phase`.
    end
        When they end; 0 until a command ends them.
    price, reference
        The price that would have been, and what it was measured from, in ticks.
    lower, upper
        Bounds, in ticks; 0 for none.
    below
        Whether the price is below the bounds, and not above.
    """
    return records(
        CommandKind.INTERRUPT,
        at=at,
        market=market,
        code=rule,
        flags=phase,
        amount=end,
        price=price,
        qty=reference,
        order=lower,
        account=upper,
        side=np.where(below, 1, 0),
    )


def plan(*, at: int, market: int, round: int, account: Integers, lots: Integers) -> Records:  # noqa: A002
    """Answer an AdlRequested: which winners are closed, and how many lots of each.

    Parameters
    ----------
    at
        Time.
    market
        Number of the market.
    round
        Number of the request: ``order`` of the AdlRequested.
    account
        The winners, each once.
    lots
        Lots to close of each.
    """
    rows = records(CommandKind.PLAN_ROW, at=at, market=market, order=round, account=account, qty=lots)
    begin = records(CommandKind.PLAN_BEGIN, at=at, market=market, order=round)
    return batch(begin, rows, records(CommandKind.PLAN_COMMIT, at=at, market=market, order=round))


def plan_fallback(*, at: Integers, market: Integers, round: Integers) -> Records:  # noqa: A002
    """Answer an AdlRequested: no plan comes, the market's fallback decides."""
    return records(CommandKind.PLAN_COMMIT, at=at, market=market, order=round, code=1)
