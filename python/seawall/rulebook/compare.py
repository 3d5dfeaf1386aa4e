"""Presets of rules on the same scenarios: how often each acts, how long it halts, and who carried the losses."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seawall.comparison import Losses, Progress, carried, variants
from seawall.errors import ConfigError
from seawall.models import load_rules, load_scenario
from seawall.protocol import EventKind, Phase
from seawall.run import Run

__all__ = ["PERPETUAL", "SCENARIOS", "RuleComparison", "RuleOutcome", "compare"]

NONE: Final = "none"
"""The name of the venue without rules."""

_OF_RULES: Final = "venue.breakers."
"""How an override of a rule begins."""

SCENARIOS: Final = ("oct10-2025", "nov03-2025", "calm")
"""Two crash days and a quiet one, on which no rule should act."""

PERPETUAL: Final = (
    "binance-futures",
    "okx",
    "bybit",
    "deribit",
    "drift",
    "vega-btc",
    "hkex-vcm-futures",
    "composite",
    "dydx-block-limits",
    "hyperliquid-staging",
    "drift-ramp",
    "vega-btc+vega-disposal",
    "dutch-auction",
    "okx-adl",
    "bybit-adl",
)
"""Presets whose figures mean something for a perpetual on BTC: no width of an equity, no close of the day before."""

_HALTS: Final = (Phase.CALL_AUCTION, Phase.PAUSE, Phase.HALTED, Phase.CLOSED)
_SLOWS: Final = (
    Phase.LIMIT_STATE,
    Phase.STRADDLE,
    Phase.GUARDED,
    Phase.COOLING_OFF,
    Phase.REDUCE_ONLY,
    Phase.CLOSE_ONLY,
)
_KEEPS: Final = (EventKind.LIMIT_REACHED, EventKind.DRAWDOWN_CHANGED, EventKind.WITHDRAWALS_GATED)


@dataclass(frozen=True)
class RuleOutcome(Losses):
    """What came of one scenario under one set of rules."""

    scenario: str
    """Its name."""
    rules: str
    """Presets, joined by +; none without."""
    trips: dict[str, int]
    """How often each rule with an interruption tripped; those that did."""
    bounded: int
    """Orders that a rule refused, capped or stopped."""
    kept_back: int
    """Times that a limit of a period kept liquidations or auto-deleveraging back, a drawdown trigger turned, or
    withdrawals were gated."""
    halted_seconds: dict[str, float]
    """Time in which each market matched nothing."""
    slowed_seconds: dict[str, float]
    """Time in which it matched with restrictions."""
    last_below_index: dict[str, float]
    """Largest share by which the last trade of each market stood below its index, as a negative number."""
    mark_below_index: dict[str, float]
    """The same of the mark."""

    @property
    def acted(self) -> int:
        """How often the rules did something that an event tells."""
        return sum(self.trips.values()) + self.bounded + self.kept_back

    def to_dict(self) -> dict[str, Any]:
        """Return the row that ``seawall rules compare --json`` prints."""
        return asdict(self) | {"acted": self.acted}


@dataclass(frozen=True)
class RuleComparison:
    """Several presets on several scenarios."""

    seed: int
    """Seed of everything random."""
    accounts: int
    """Leveraged accounts."""
    outcomes: tuple[RuleOutcome, ...]
    """By scenario, then by preset, in the order asked for; in each scenario first that without rules."""

    @property
    def conserved(self) -> bool:
        """Whether every cent of every run is accounted for."""
        return all(outcome.conserved for outcome in self.outcomes)

    def to_dict(self) -> dict[str, Any]:
        """Return the object that ``seawall rules compare --json`` prints."""
        return asdict(self) | {"outcomes": [outcome.to_dict() for outcome in self.outcomes]}


def compare(
    rules: Iterable[str] = (),
    *,
    scenarios: Iterable[str | Path] = (),
    seed: int = 1,
    accounts: int = 100_000,
    set: Iterable[str] = (),  # noqa: A002
    progress: Progress | None = None,
) -> RuleComparison:
    """Run scenarios without rules and with each of some presets.

    The accounts, the input path and all draws are the same; what differs is the rules, and through them the index, as
    liquidations move it.

    Parameters
    ----------
    rules
        Names or paths of presets, several together joined by ``+``; `PERPETUAL` if empty.
    scenarios
        Names of scenarios of the package, or paths of TOML files; `SCENARIOS` if empty.
    seed
        Seed of everything random.
    accounts
        Number of leveraged accounts.
    set
        Overrides of the scenario, or of the venue with ``venue.`` before them; set after the rules. One of a rule, like
        ``venue.breakers.deribit-bandwidth.enabled=false``, is set in the runs that have the rule.
    progress
        Called from time to time.

    Raises
    ------
    ScenarioError
        If a scenario cannot work.
    ConfigError
        If a preset is not there or cannot work in the venue, or something is set of a rule that no run has.

    Examples
    --------
    >>> from seawall import rulebook
    >>> quiet = rulebook.compare(["deribit"], scenarios=["calm"], accounts=200)
    >>> [(row.rules, row.acted) for row in quiet.outcomes]
    [('none', 0), ('deribit', 0)]
    """
    chosen, over = list(rules) or list(PERPETUAL), list(set)
    for name in chosen:
        for preset in name.split("+"):
            load_rules(preset)
    presets: list[tuple[str, list[str]]] = [(NONE, [])]
    presets += [(name, [f"venue.breakers={json.dumps(name.split('+'))}"]) for name in chosen]
    places = list(scenarios) or list(SCENARIOS)
    attached = [_attached(place, presets, over) for place in places]
    outcomes = []
    for number, place in enumerate(places):

        def told(name: str, done: int, total: int, *, place: str | Path = place, number: int = number) -> None:
            # Scenarios differ in length; each counts alike.
            if progress is not None:
                progress(f"{place}, {name}", number * 1000 + 1000 * done // total, 1000 * len(places))

        runs = variants(attached[number], scenario=place, seed=seed, accounts=accounts, progress=told)
        outcomes += [_outcome(name, run) for name, run in runs]
    return RuleComparison(seed=seed, accounts=accounts, outcomes=tuple(outcomes))


def _attached(
    place: str | Path, presets: Sequence[tuple[str, list[str]]], over: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """Return what is set in each run of a scenario; what is said of a rule only where it is."""
    of_rules = [text for text in over if text.startswith(_OF_RULES)]
    others = [text for text in over if text not in of_rules]
    rules = [[rule.name for rule in load_scenario(place, set=[*preset, *others])[1].breakers] for _, preset in presets]
    known = list(dict.fromkeys(name for names in rules for name in names))
    for text in of_rules:
        if not any(_has(names, text) for names in rules):
            has = f"known: {', '.join(known)}" if known else "none of the compared rules is a breaker"
            raise ConfigError(f"--set {text}: breakers has no item {_rule_of(text)} in any of the runs; {has}")
    attached = []
    for (name, preset), names in zip(presets, rules, strict=True):
        here = [text for text in over if text not in of_rules or _has(names, text)]
        load_scenario(place, set=[*preset, *here])
        attached.append((name, [*preset, *here]))
    return attached


def _has(rules: Sequence[str], text: str) -> bool:
    """Tell whether the rule of an override is among some, by name or by number."""
    rule = _rule_of(text)
    return rule in rules or (rule.isdecimal() and int(rule) < len(rules))


def _rule_of(text: str) -> str:
    """Return the rule of which an override says something."""
    return text.removeprefix(_OF_RULES).partition("=")[0].partition(".")[0].strip()


def _outcome(name: str, run: Run) -> RuleOutcome:
    records, markets = run.events.records, [market.name for market in run.profile.markets]
    rules = [rule.name for rule in run.profile.breakers if rule.enabled]
    codes, counts = np.unique(records["code"][records["kind"] == EventKind.BREAKER_TRIPPED], return_counts=True)
    step = run.scenario.step_ns / 1e9

    def seconds(phases: tuple[Phase, ...]) -> dict[str, float]:
        return {market: step * float(np.isin(run.series[f"{market}.phase"], phases).sum()) for market in markets}

    def below(what: str) -> dict[str, float]:
        return {market: _below(run.series[f"{market}.{what}"], run.series[f"{market}.index"]) for market in markets}

    return RuleOutcome(
        **carried(run),
        scenario=run.scenario.name,
        rules=name,
        trips={rules[int(code)]: int(count) for code, count in zip(codes, counts, strict=True)},
        bounded=int((records["kind"] == EventKind.ORDER_BOUNDED).sum()),
        kept_back=int(np.isin(records["kind"], _KEEPS).sum()),
        halted_seconds=seconds(_HALTS),
        slowed_seconds=seconds(_SLOWS),
        last_below_index=below("last"),
        mark_below_index=below("mark"),
    )


def _below(price: NDArray[np.float64], index: NDArray[np.float64]) -> float:
    share = price / index - 1
    known = share[np.isfinite(share)]
    return min(0.0, float(known.min())) if known.size else 0.0
