"""What auto-deleveraging costs those who are short here to hedge what they hold elsewhere.

A scenario's population has such accounts. When the venue closes a part of a hedge, the account gives up the distance of
the closing price from the mark; what it holds elsewhere is then open to the market until it has hedged it anew, which
costs a spread. Haircuts and shared losses come on top.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from seawall.errors import ScenarioError
from seawall.protocol import EventKind, Side

if TYPE_CHECKING:
    from seawall.run import Run

__all__ = ["REHEDGE_COST_BPS", "REHEDGE_SECONDS", "HedgeLoss", "hedge_loss"]

REHEDGE_SECONDS: Final = 60
"""Time from a forced close until the other leg is hedged anew: an assumption, no figure is published."""

REHEDGE_COST_BPS: Final = 5.0
"""Cost of hedging anew in basis points of the notional: an assumption, about a taker fee with some slippage."""


@dataclass(frozen=True)
class HedgeLoss:
    """The losses of all hedges of a run, in the valuation asset; below zero is a gain."""

    accounts: int
    """Accounts that hedge."""
    deleveraged: int
    """Of these, accounts that were deleveraged."""
    closed_usd: float
    """Notional that was closed of them."""
    against_mark_usd: float
    """What they gave up against the mark."""
    taken_usd: float
    """Haircuts and shared losses that they paid."""
    unhedged_usd: float
    """What the other leg lost against the index until it was hedged anew."""
    rehedge_usd: float
    """What hedging anew cost."""

    @property
    def total_usd(self) -> float:
        """All of it."""
        return self.against_mark_usd + self.taken_usd + self.unhedged_usd + self.rehedge_usd


def hedge_loss(run: "Run", *, seconds: float = REHEDGE_SECONDS, cost_bps: float = REHEDGE_COST_BPS) -> HedgeLoss:
    """Add up what a run's hedges lost by what the venue did to others' losses.

    Every hedge is short here and long as much elsewhere at the index. A close of k lots costs the event's amount, what
    is given up against the mark; then k lots of the other leg move with the index for a time and are sold at it, at a
    cost on the notional. A hedge that is itself liquidated is not counted: that is its own loss.

    Parameters
    ----------
    run
        A replay that kept its events of risk.
    seconds
        Time until the other leg is hedged anew; what is still open at the end is hedged there.
    cost_bps
        Cost of that, in basis points.

    Raises
    ------
    ScenarioError
        If the run kept no events, or an argument is negative.
    """
    if seconds < 0 or cost_bps < 0:
        raise ScenarioError("seconds, cost_bps: must be at least 0")
    if not run.events.height:
        raise ScenarioError('events: the run kept none; replay with events="risk"')
    records = run.events.records
    mine = records[np.isin(records["account"], run.hedges)]
    closes = mine[(mine["kind"] == EventKind.ADL_FILL) & (mine["side"] == Side.BUY)]
    taken = mine[np.isin(mine["kind"], (EventKind.ADL_HAIRCUT, EventKind.SOCIALISED))]
    unhedged = rehedge = notional = 0.0
    times = run.series["at"].astype(np.int64)
    delay = round(seconds * 1e9)
    for number, market in enumerate(run.profile.markets):
        here = closes[closes["market"] == number]
        index = run.series[f"{market.name}.index"]
        units = here["qty"] * float(market.lot_size)
        # The last step at or before a time; a run's events happen at its steps.
        then, later = (np.searchsorted(times, here["at"] + wait, side="right") - 1 for wait in (0, delay))
        unhedged += float((units * (index[then] - index[later])).sum())
        rehedge += float((units * index[later]).sum()) * cost_bps / 1e4
        notional += float((units * here["price"] * float(market.tick_size)).sum())
    return HedgeLoss(
        accounts=len(run.hedges),
        deleveraged=len(np.unique(closes["account"])),
        closed_usd=notional,
        against_mark_usd=run.usd(int(closes["amount"].sum())),
        taken_usd=run.usd(int(taken["amount"].sum())),
        unhedged_usd=unhedged,
        rehedge_usd=rehedge,
    )
