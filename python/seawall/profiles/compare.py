"""One scenario through several venue profiles: what each would have done with the same accounts."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seawall.comparison import Losses, Progress, carried, variants
from seawall.models import load_profile, load_scenario, profile_names
from seawall.profiles.hedge import REHEDGE_COST_BPS, REHEDGE_SECONDS, HedgeLoss, hedge_loss

__all__ = ["Comparison", "Outcome", "compare", "dated_profiles"]


@dataclass(frozen=True)
class Outcome(Losses):
    """What one profile came to."""

    profile: str
    """Its name."""
    date: str | None
    """The day that it describes."""
    hedges: HedgeLoss
    """What it cost those who hedge here."""

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
    over = [(name, [f"venue={name}", *set]) for name in chosen]
    for _, run in variants(over, scenario=scenario, seed=seed, accounts=accounts, progress=progress):
        hedges = hedge_loss(run, seconds=rehedge_seconds, cost_bps=rehedge_cost_bps)
        day = None if run.profile.date is None else run.profile.date.isoformat()
        outcomes.append(Outcome(**carried(run), profile=run.profile.name, date=day, hedges=hedges))
    return Comparison(
        scenario=load_scenario(scenario)[0].name,
        seed=seed,
        accounts=accounts,
        rehedge_seconds=rehedge_seconds,
        rehedge_cost_bps=rehedge_cost_bps,
        outcomes=tuple(outcomes),
    )
