"""Replays: a scenario, a seed and a number of accounts become a run with a summary, series, events and a scorecard."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seawall import _core
from seawall.commands import Records
from seawall.errors import ScenarioError
from seawall.measures import measures
from seawall.models import ScenarioModel, VenueProfile, load_scenario
from seawall.models.exact import iso
from seawall.policy import Answer, Asked, Fired, Policy, Trigger
from seawall.saved import RunWriter
from seawall.scorecard import Row, score
from seawall.table import EventTable, Table, library
from seawall.venue import Venue, View

__all__ = ["Progress", "Run", "replay"]

Progress = Callable[[int, int], None]
"""Called with the number of steps done and of all steps."""

_CHUNKS = 200


@dataclass(frozen=True, repr=False)
class Run:
    """A finished replay.

    Amounts are in US dollars, prices in dollars per unit, times in UTC, unless said otherwise.
    """

    scenario: ScenarioModel
    """What was replayed."""
    profile: VenueProfile
    """The venue that it ran through."""
    seed: int
    """Seed of everything random."""
    accounts: int
    """Leveraged accounts."""
    wall_seconds: float
    """Time that it took, set-up included."""
    peak_rss_bytes: int
    """Most memory that this process has used so far; 0 where the system does not say."""
    digest: str
    """Digest of all events: the same for the same scenario, seed and number of accounts, everywhere."""
    conservation: dict[str, Any]
    """The proof that no cent was lost or made, in minor units; see `Venue.audit`."""
    facts: dict[str, Any]
    """What the world counted, in integers: ticks, lots, minor units, nanoseconds."""
    moments: list[Fired]
    """When the policy was asked, and why; empty without one."""
    _world: _core.World
    _records: Records

    def __repr__(self) -> str:
        """Return scenario, seed, accounts and digest."""
        return f"Run({self.scenario.name}, seed={self.seed}, accounts={self.accounts}, digest={self.digest[:16]})"

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(self.facts["steps"])

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What the run came to: the keys that ``seawall replay --json`` prints under ``summary``."""
        facts, usd = self.facts, self.usd
        liquidated = facts["liquidated_notional"]
        return {
            "liquidated_notional_usd": usd(liquidated),
            "liquidated_long_share": facts["liquidated_long_notional"] / liquidated if liquidated else None,
            "accounts_liquidated": facts["accounts_liquidated"],
            "adl_notional_usd": usd(facts["adl_notional"]),
            "adl_accounts": facts["adl_accounts"],
            "fund_start_usd": usd(facts["fund_start"]),
            "fund_end_usd": usd(facts["fund_end"]),
            "bad_debt_usd": usd(facts["bad_debt"]),
            "socialised_usd": usd(facts["socialised"]),
            "open_interest_start_usd": usd(facts["open_interest_start"]),
            "open_interest_end_usd": usd(facts["open_interest_end"]),
            "orders": facts["orders"],
            "fills": facts["fills"],
            "markets": {name: self._market(name, market) for name, market in facts["markets"].items()},
        }

    @cached_property
    def scorecard(self) -> list[Row]:
        """Published figures of the event beside those of the run."""
        return score(self.scenario, self.measures)

    @cached_property
    def measures(self) -> dict[str, Any]:
        """Everything that a scorecard can compare, by name; see `seawall.measures`."""
        return measures(self)

    @cached_property
    def series(self) -> Table:
        """One row per step.

        Returns
        -------
        Table
            ``at`` (datetime64[ns]); per market ``NAME.index``, ``.mark``, ``.last``, ``.bid``, ``.ask`` (dollars, NaN
            where there is none), ``.open_interest`` (units), ``.depth_bid``, ``.depth_ask`` (dollars quoted within
            1 %), ``.phase`` (`Phase`), ``.liquidated_long``, ``.liquidated_short``, ``.adl`` (dollars in the step);
            ``fund``, ``bad_debt``, ``socialised`` (dollars so far) and counts.
        """
        scales = self._scales()
        columns: dict[str, NDArray[Any]] = {}
        for name, column in self._world.series().items():
            kind = name.rpartition(".")[2]
            if name == "at":
                columns[name] = column.view("datetime64[ns]")
            elif name in scales:
                columns[name] = _scaled(column, scales[name])
                if kind in {"index", "mark", "last", "bid", "ask"}:
                    columns[name][column == 0] = np.nan
            else:
                columns[name] = column
        return Table(columns)

    @cached_property
    def events(self) -> EventTable:
        """The events that were kept, in the units of the venue: ticks, lots, minor units."""
        return EventTable(self._records)

    @cached_property
    def venue(self) -> Venue:
        """A copy of the venue as it stood at the end."""
        return Venue._of(self._world.venue(), self.profile)  # noqa: SLF001 - the same package

    @cached_property
    def hedges(self) -> NDArray[np.uint32]:
        """Numbers of the accounts that are short here to hedge what they hold elsewhere."""
        return self._world.hedges()

    def to_dict(self) -> dict[str, Any]:
        """Return the object that ``seawall replay --json`` prints."""
        return {
            "scenario": self.scenario.name,
            "seed": self.seed,
            "accounts": self.accounts,
            "steps": self.steps,
            "wall_seconds": round(self.wall_seconds, 3),
            "peak_rss_bytes": self.peak_rss_bytes,
            "digest": self.digest,
            "conservation": self.conservation,
            "summary": self.summary,
            "scorecard": self.scorecard,
        }

    def report(self, path: str | Path) -> Path:
        """Write one self-contained page with charts, the scorecard and what to know about the figures.

        Parameters
        ----------
        path
            The HTML file. It is written beside its place first and then renamed.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        MissingExtraError
            If Plotly is not installed.
        ScenarioError
            If the folder is not there.
        """
        from seawall.report import page  # noqa: PLC0415 - Plotly is loaded when needed

        check_report(Path(path))
        return write_whole(Path(path), page(self))

    def usd(self, minor: int) -> float:
        """Return an amount in minor units of the valuation asset in whole units."""
        return float(Fraction(minor, 10 ** self.profile.assets[0].decimals))

    def _market(self, name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        market = self.profile.market(name)
        tick, lot = Fraction(market.tick_size), Fraction(market.lot_size)
        out: dict[str, Any] = {}
        for key, value in facts.items():
            if key.endswith("_at"):
                out[key] = iso(value) if value else None
            elif key.startswith(("index_", "mark_", "last_")):
                out[key] = float(tick * value)
            elif key.startswith("open_interest_") or key == "adl_qty":
                out[key] = float(lot * value)
            elif key.endswith("_notional") or key == "volume":
                out[f"{key}_usd"] = self.usd(value)
            else:
                out[key] = value
        return out

    def _scales(self) -> dict[str, Fraction]:
        """Size of one integer of each column of the series, where it is not a count."""
        minor = Fraction(1, 10 ** self.profile.assets[0].decimals)
        scales = dict.fromkeys(("fund", "bad_debt", "socialised"), minor)
        for market in self.profile.markets:
            for column in ("index", "mark", "last", "bid", "ask"):
                scales[f"{market.name}.{column}"] = Fraction(market.tick_size)
            scales[f"{market.name}.open_interest"] = Fraction(market.lot_size)
            for column in ("depth_bid", "depth_ask", "liquidated_long", "liquidated_short", "adl"):
                scales[f"{market.name}.{column}"] = minor
        return scales


def replay(
    scenario: str | Path | Mapping[str, Any],
    *,
    seed: int = 1,
    accounts: int = 100_000,
    liquidations: bool = True,
    impact: bool = True,
    noise: bool = True,
    makers_withdraw: bool = True,
    flow: bool = True,
    set: Iterable[str] = (),  # noqa: A002
    events: Literal["none", "risk", "all"] = "risk",
    policy: Policy | Answer | None = None,
    triggers: Sequence[Trigger] | None = None,
    save: str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run a scenario through a venue.

    Parameters
    ----------
    scenario
        Name of a scenario of the package, path of a TOML file, or its content.
    seed
        Seed of everything random; 0 to 2**64 - 1.
    accounts
        Number of leveraged accounts.
    liquidations
        False: the venue does not liquidate; everything drawn at random stays the same.
    impact
        False: the index is the recorded path; liquidations do not move it.
    noise
        False: no noise traders.
    makers_withdraw
        False: makers quote their normal depth under stress too.
    flow
        False: no trend follower, no profit taking, no exogenous flow. The arbitrageur stays.
    set
        Overrides like ``"impact.exponent=1"`` or ``"venue.margin_call=0"``.
    events
        Which events to keep: none; those of risk (phases, breakers, calls, liquidations and their fills, funds,
        auto-deleveraging, losses); or all, which takes 64 bytes each.
    policy
        A `Policy`, or a function like its ``on_trigger``: asked between two steps of the venue, after the set-up.
    triggers
        When the policy is asked; its own ``triggers`` if left out.
    save
        File to write the run to, so that `load_run` can repeat it without scenario and policy. It is written beside its
        place first and then renamed.
    progress
        Called from time to time with steps done and steps in all.

    Returns
    -------
    Run
        What happened.

    Raises
    ------
    ScenarioError
        If there is no such scenario or it cannot work; names field, value and remedy.
    ConfigError
        The same of the venue profile.
    CommandError
        If a trigger does not fit the venue.
    PolicyError
        If the policy's answer cannot be used.
    JournalError
        If the run cannot be saved.
    Exception
        Whatever the policy raises, with a note on when it was asked. The replay ends there.

    Examples
    --------
    >>> import seawall
    >>> run = seawall.replay("calm", accounts=1000)
    >>> run.conservation["ok"]
    True
    """
    begin = time.perf_counter()
    model, profile = load_scenario(scenario, set=set)
    off = {
        "liquidations": liquidations,
        "impact": impact,
        "noise": noise,
        "maker_withdrawal": makers_withdraw,
        "momentum": flow,
        "profit_taking": flow,
        "exogenous": flow,
    }
    switches = model.switches.model_copy(update={name: False for name, on in off.items() if not on})
    model = model.model_copy(update={"switches": switches})
    world = world_of(model, profile, seed=seed, accounts=accounts, events=events, journal=save is not None)
    asked = None if policy is None else attach(world, profile, policy, triggers)
    with ExitStack() as stack:
        writer = None
        if save is not None:
            facts = {"scenario": model.name, "seed": seed, "accounts": accounts, "policy": asked and asked.name}
            writer = stack.enter_context(RunWriter(Path(save), world.venue().config(), profile, facts))
        _run(world, writer, progress)
    return Run(
        scenario=model,
        profile=profile,
        seed=seed,
        accounts=accounts,
        wall_seconds=time.perf_counter() - begin,
        peak_rss_bytes=_peak_rss_bytes(),
        digest=world.digest(),
        conservation=json.loads(world.audit()),
        facts=json.loads(world.summary()),
        moments=[] if asked is None else asked.moments,
        _world=world,
        _records=world.take_events(),
    )


def _run(world: _core.World, writer: RunWriter | None, progress: Progress | None) -> None:
    """Do every step, write the commands down, and tell how far it is."""
    steps = world.steps
    chunk = max(1, steps // _CHUNKS)
    done = False
    while not done:
        done = world.run_steps(chunk)
        if writer is not None:
            writer.add(world.take_journal())
        if progress is not None:
            progress(world.step, steps)
    if writer is not None:
        writer.finish(world.digest())


def attach(
    world: _core.World, profile: VenueProfile, policy: Policy | Answer, triggers: Sequence[Trigger] | None = None
) -> Asked:
    """Let a policy act in a world from now on."""
    asked = Asked(policy, triggers, View._of(world.venue(), profile))  # noqa: SLF001 - the same package

    def ask(venue: _core.Venue, firing: tuple[int, int, int, int, int, int]) -> bytes:
        answer = asked.ask(View._of(venue, profile), asked.fired(firing))  # noqa: SLF001
        return answer.tobytes()

    world.attach(json.dumps(asked.rows), ask)
    return asked


def world_of(
    model: ScenarioModel,
    profile: VenueProfile,
    *,
    seed: int = 1,
    accounts: int = 10_000,
    events: Literal["none", "risk", "all"] = "none",
    journal: bool = False,
) -> _core.World:
    """Build the world of a scenario, set up and ready for its first step.

    Raises
    ------
    ScenarioError
        If scenario and venue do not fit, or an argument is out of range.
    ConfigError
        If the venue cannot work.
    """
    for name, value, low, high in (("seed", seed, 0, 2**64 - 1), ("accounts", accounts, 1, 2**28)):
        if not low <= value <= high:
            raise ScenarioError(f"{name}: {value}: must be {low} to {high}")
    if events not in ("none", "risk", "all"):
        raise ScenarioError(f"events: {events!r}: must be none, risk or all")
    return _core.World(profile.to_json(), model.to_json(profile), seed, accounts, events=events, journal=journal)


def check_report(path: Path) -> None:
    """Refuse a report that could not be written, before the work is done.

    Raises
    ------
    MissingExtraError
        If Plotly is not installed.
    ScenarioError
        If the folder is not there.
    """
    library("plotly", extra="report")
    if not path.parent.is_dir():
        raise ScenarioError(f"report: {path}: there is no folder {path.parent}; make the folder first")


def write_whole(path: Path, text: str) -> Path:
    """Write a file beside its place and rename it, so that nobody sees half of it.

    Raises
    ------
    ScenarioError
        If it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise ScenarioError(f"report: {path}: cannot be written: {error.strerror}; choose another place") from None
    finally:
        beside.unlink(missing_ok=True)
    return path


def _scaled(column: NDArray[np.int64], scale: Fraction) -> NDArray[np.float64]:
    # One rounding, in the division: the float nearest to the decimal number.
    return np.asarray(column * scale.numerator / scale.denominator, dtype=np.float64)


def _peak_rss_bytes() -> int:
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415 - not there on every platform

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
