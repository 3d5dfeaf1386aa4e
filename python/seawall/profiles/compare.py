"""One scenario through several venue profiles: what each would have done with the same accounts."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seawall.models import load_profile, profile_names
from seawall.profiles.hedge import REHEDGE_COST_BPS, REHEDGE_SECONDS, HedgeLoss, hedge_loss
from seawall.protocol import EventKind
from seawall.run import Run, replay

__all__ = ["Comparison", "Outcome", "compare", "dated_profiles"]

Progress = Callable[[str, int, int], None]
"""Called with the profile that runs, and steps done and to do over all profiles."""


@dataclass(frozen=True)
class Outcome:
    """What one profile came to. Amounts are in the valuation asset."""

    profile: str
    """Its name."""
    date: str | None
    """The day that it describes."""
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
    hedges: HedgeLoss
    """What it cost those who hedge here."""
    conserved: bool
    """Whether every cent is accounted for."""
    digest: str
    """Digest of all events."""

    def to_dict(self) -> dict[str, Any]:
        """Return the row that ``seawall profiles compare --json`` prints."""
        row = asdict(self)
        row["hedges"]["total_usd"] = self.hedges.total_usd
        return row


@dataclass(frozen=True)
class Comparison:
    """Several profiles on one scenario."""

    scenario: str
    """Its name."""
    seed: int
    """Seed of everything random."""
    accounts: int
    """Leveraged accounts."""
    rehedge_seconds: float
    """Time after which a hedge that was closed is hedged anew."""
    rehedge_cost_bps: float
    """Cost of that."""
    outcomes: tuple[Outcome, ...]
    """One per profile, in the order asked for."""

    @property
    def conserved(self) -> bool:
        """Whether every cent of every run is accounted for."""
        return all(outcome.conserved for outcome in self.outcomes)

    def to_dict(self) -> dict[str, Any]:
        """Return the object that ``seawall profiles compare --json`` prints."""
        return asdict(self) | {"outcomes": [outcome.to_dict() for outcome in self.outcomes]}


def dated_profiles() -> list[str]:
    """Return the names of the profiles of the package that describe a venue on a day."""
    return [name for name in profile_names() if load_profile(name).date is not None]


def compare(
    names: Iterable[str | Path] = (),
    *,
    scenario: str | Path = "oct10-2025",
    seed: int = 1,
    accounts: int = 100_000,
    set: Iterable[str] = (),  # noqa: A002
    rehedge_seconds: float = REHEDGE_SECONDS,
    rehedge_cost_bps: float = REHEDGE_COST_BPS,
    progress: Progress | None = None,
) -> Comparison:
    """Run a scenario through venue profiles.

    The accounts, the input path and all draws are the same; what differs is the rules, and through them the index, as
    liquidations move it.

    Parameters
    ----------
    names
        Names or paths of profiles; every dated profile of the package if empty.
    scenario
        Name of a scenario of the package, or path of a TOML file.
    seed
        Seed of everything random.
    accounts
        Number of leveraged accounts.
    set
        Overrides of the scenario, or of every profile with ``venue.`` before them.
    rehedge_seconds, rehedge_cost_bps
        What hedging anew takes; see `hedge_loss`.
    progress
        Called from time to time.

    Raises
    ------
    ScenarioError
        If the scenario cannot work, or not with a profile.
    ConfigError
        The same of a profile.
    """
    chosen = [str(name) for name in names] or dated_profiles()
    for name in chosen:
        load_profile(name)
    outcomes = []
    for number, name in enumerate(chosen):

        def told(done: int, total: int, *, name: str = name, number: int = number) -> None:
            if progress is not None:
                progress(name, number * total + done, len(chosen) * total)

        run = replay(scenario, seed=seed, accounts=accounts, set=[f"venue={name}", *set], progress=told)
        outcomes.append(_outcome(run, hedge_loss(run, seconds=rehedge_seconds, cost_bps=rehedge_cost_bps)))
    return Comparison(
        scenario=run.scenario.name,
        seed=seed,
        accounts=accounts,
        rehedge_seconds=rehedge_seconds,
        rehedge_cost_bps=rehedge_cost_bps,
        outcomes=tuple(outcomes),
    )


def _outcome(run: Run, hedges: HedgeLoss) -> Outcome:
    summary, measures = run.summary, run.measures
    equity = run.venue.accounts()["equity"]
    records = run.events.records
    given = np.isin(records["kind"], (EventKind.ADL_FILL, EventKind.ADL_HAIRCUT))
    start, end = summary["fund_start_usd"], summary["fund_end_usd"]
    if run.profile.backstop is not None:
        # The world makes the backstop the last account and gives it what others give to funds.
        start += run.scenario.fund.to_open_interest * summary["open_interest_start_usd"]
        end += run.usd(int(equity[-1]))
    return Outcome(
        profile=run.profile.name,
        date=None if run.profile.date is None else run.profile.date.isoformat(),
        liquidated_usd=summary["liquidated_notional_usd"],
        accounts_liquidated=summary["accounts_liquidated"],
        means_start_usd=start,
        means_end_usd=end,
        fund_paid_usd=measures["fund_paid_usd"],
        adl_usd=summary["adl_notional_usd"],
        adl_accounts=summary["adl_accounts"],
        given_usd=run.usd(int(records["amount"][given].sum())),
        socialised_usd=summary["socialised_usd"],
        uncovered_usd=summary["bad_debt_usd"] + run.usd(-int(equity[equity < 0].sum())),
        index_low={name: market["index_low"] for name, market in summary["markets"].items()},
        hedges=hedges,
        conserved=run.conservation["ok"],
        digest=run.digest,
    )
