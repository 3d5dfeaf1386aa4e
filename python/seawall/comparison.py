"""What comparisons share: one scenario in several variants, and who carried what in each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seawall.protocol import EventKind
from seawall.run import Run, replay

__all__ = ["Losses", "Progress", "carried", "variants"]

Progress = Callable[[str, int, int], None]
"""Called with the variant that runs, and steps done and to do over all variants."""


@dataclass(frozen=True)
class Losses:
    """Who lost and who carried it in one run. Amounts are in the valuation asset."""

    liquidated_usd: float
    """Notional closed of accounts in liquidation: in the book, by take-over and by auto-deleveraging."""
    accounts_liquidated: int
    """Accounts that were in liquidation."""
    means_start_usd: float
    """Insurance fund, or the backstop's equity, at the start."""
    means_end_usd: float
    """The same at the end."""
    fund_paid_usd: float
    """Paid out of the fund."""
    adl_usd: float
    """Notional closed by auto-deleveraging."""
    adl_accounts: int
    """Accounts that were deleveraged."""
    given_usd: float
    """Given up by all of them: against the mark, and haircuts."""
    socialised_usd: float
    """Charged to others for losses."""
    uncovered_usd: float
    """Losses that nobody carried, and what accounts owe at the end."""
    index_low: dict[str, float]
    """Lowest index of each market, to which liquidations contribute."""
    conserved: bool
    """Whether every cent is accounted for."""
    digest: str
    """Digest of all events."""


def carried(run: Run) -> dict[str, Any]:
    """Return the fields of `Losses` for a run that kept its events of risk."""
    summary, measures = run.summary, run.measures
    equity = run.venue.accounts()["equity"]
    records = run.events.records
    given = np.isin(records["kind"], (EventKind.ADL_FILL, EventKind.ADL_HAIRCUT))
    start, end = summary["fund_start_usd"], summary["fund_end_usd"]
    if run.profile.backstop is not None:
        # The world makes the backstop the last account and gives it what others give to funds.
        start += run.scenario.fund.to_open_interest * summary["open_interest_start_usd"]
        end += run.usd(int(equity[-1]))
    return {
        "liquidated_usd": summary["liquidated_notional_usd"],
        "accounts_liquidated": summary["accounts_liquidated"],
        "means_start_usd": start,
        "means_end_usd": end,
        "fund_paid_usd": measures["fund_paid_usd"],
        "adl_usd": summary["adl_notional_usd"],
        "adl_accounts": summary["adl_accounts"],
        "given_usd": run.usd(int(records["amount"][given].sum())),
        "socialised_usd": summary["socialised_usd"],
        "uncovered_usd": summary["bad_debt_usd"] + run.usd(-int(equity[equity < 0].sum())),
        "index_low": {name: market["index_low"] for name, market in summary["markets"].items()},
        "conserved": run.conservation["ok"],
        "digest": run.digest,
    }


def variants(
    overrides: Sequence[tuple[str, Iterable[str]]],
    *,
    scenario: str | Path,
    seed: int,
    accounts: int,
    progress: Progress | None = None,
) -> Iterator[tuple[str, Run]]:
    """Run a scenario once for each name with its overrides: the same accounts, path and draws."""
    for number, (name, over) in enumerate(overrides):

        def told(done: int, total: int, *, name: str = name, number: int = number) -> None:
            if progress is not None:
                progress(name, number * total + done, len(overrides) * total)

        yield name, replay(scenario, seed=seed, accounts=accounts, set=over, progress=told)
