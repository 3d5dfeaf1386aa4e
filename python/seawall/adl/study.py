"""The published waves of 10 October 2025, added up again, with what their figures mean.

The per-wave results of a study of Hyperliquid's auto-deleveraging come with the package (``data/oct10-adl-waves``, MIT,
see the LICENSE there). Everything here is re-added from those files as exact fractions; published figures are data
with their source. No policy is run again: the rows of single candidates are not public.
"""

import csv
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from importlib import resources
from math import isqrt
from typing import Any, Final, Literal, TypeAlias

from seawall.adl.measures import fund_size, severity_regret

__all__ = ["NO_RERUN", "Figure", "Policy", "Reading", "Study", "Wave", "waves"]

Unit: TypeAlias = Literal["usd", "count", "ratio", "share", "text"]

NO_RERUN: Final = (
    "No policy is rerun: the rows of single candidates are not public. The per-wave results of the published study are "
    "re-added, and Seawall's own mechanisms run on a synthetic round."
)
"""What this is and is not."""

_CENT: Final = Decimal("0.01")
_BASELINE: Final = "min-max ILP"
_CAPITAL_COST, _SHORTFALL_PENALTY = "1/10", 1


@dataclass(frozen=True)
class Wave:
    """One wave of fills of auto-deleveraging, less than five seconds apart. Money is in dollars."""

    number: int
    start: datetime
    end: datetime
    deficit: Fraction
    """Negative equity of the losers, their least within the wave, summed."""
    largest_loss: Fraction
    """The largest of them."""
    needed: Fraction
    """Sum of |mark - price| x quantity over the fills."""
    budgets: Mapping[str, Fraction]
    """What each policy took, by name."""
    burdens: Mapping[str, Fraction]
    """Greatest share of a winner's capacity that each policy took."""

    @property
    def seconds(self) -> float:
        """Length; 0 for a wave of one instant."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True)
class Policy:
    """One policy over all waves: the objective of the paper at lambda = 1, in dollars."""

    name: str
    over: Fraction
    """Taken above what was needed, over the waves in which it was."""
    under: Fraction
    """Missing from what was needed, over the waves in which it was."""
    fairness: Fraction
    """Sum of needed x |greatest burden - that of the min-max ILP|."""
    published: Mapping[str, Decimal]
    """``tracking``, ``fairness`` and ``total`` as the paper prints them."""

    @property
    def tracking(self) -> Fraction:
        """Sum of the absolute differences from what was needed."""
        return self.over + self.under

    @property
    def total(self) -> Fraction:
        """Tracking and fairness together."""
        return self.tracking + self.fairness

    @property
    def agrees(self) -> bool:
        """Whether all three are the published ones, rounded to the cent."""
        return all(_rounded(getattr(self, name), figure) == figure for name, figure in self.published.items())


@dataclass(frozen=True)
class Figure:
    """One figure of the study, re-added."""

    name: str
    label: str
    unit: Unit
    value: Fraction
    published: Decimal | None
    """As it was published, with the digits in which it was; None if it was not."""
    source: str

    @property
    def agrees(self) -> bool | None:
        """Whether it is the published one, rounded to its digits; None without one."""
        return None if self.published is None else _rounded(self.value, self.published) == self.published


@dataclass(frozen=True)
class Reading:
    """What a published figure means."""

    claim: str
    """As it is quoted."""
    meaning: str
    """What it says and does not say, with re-added figures."""
    basis: Literal["re-added", "records"]
    """``re-added`` from the files of this package, or quoted from ``records`` that are not in it."""
    source: str


@dataclass(frozen=True)
class Study:
    """The published waves, re-added."""

    waves: Sequence[Wave]
    policies: Sequence[Policy]
    figures: Sequence[Figure]
    readings: Sequence[Reading]
    sources: Mapping[str, str]

    @property
    def agrees(self) -> bool:
        """Whether every published figure comes out again in the digits in which it was published."""
        return all(p.agrees for p in self.policies) and all(f.agrees is not False for f in self.figures)

    def figure(self, name: str) -> Fraction:
        """Return a figure by name; KeyError if there is none."""
        return next(figure.value for figure in self.figures if figure.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values: money as strings rounded half up to the cent, ratios to a millionth."""
        return {
            "note": NO_RERUN,
            "agrees": self.agrees,
            "policies": [
                {
                    "policy": policy.name,
                    **{name: _written(getattr(policy, name), "usd") for name in ("over", "under")},
                    **{name: _written(getattr(policy, name), "usd") for name in policy.published},
                    "published": {name: str(figure) for name, figure in policy.published.items()},
                    "agrees": policy.agrees,
                }
                for policy in self.policies
            ],
            "figures": [
                {
                    "name": figure.name,
                    "label": figure.label.strip(),
                    "value": _written(figure.value, figure.unit),
                    "published": None if figure.published is None else f"{figure.published:f}",
                    "agrees": figure.agrees,
                    "source": figure.source,
                }
                for figure in self.figures
            ],
            "readings": [vars(reading) for reading in self.readings],
            "waves": [
                {
                    "wave": wave.number,
                    "start": wave.start.isoformat(),
                    "seconds": wave.seconds,
                    **{name: _written(getattr(wave, name), "usd") for name in ("deficit", "largest_loss", "needed")},
                    "budgets": {name: _written(value, "usd") for name, value in wave.budgets.items()},
                    "burdens": {name: _written(value, "ratio") for name, value in wave.burdens.items()},
                }
                for wave in self.waves
            ],
            "sources": dict(self.sources),
        }


def waves() -> Study:
    """Re-add the published waves.

    Returns
    -------
    Study
        Exact fractions of dollars, of the decimals in the files.

    Examples
    --------
    >>> from seawall import adl
    >>> study = adl.waves()
    >>> production = study.policies[0]
    >>> production.name, f"{float(production.total):,.2f}", production.published["total"], production.agrees
    ('production', '64,859,522.21', Decimal('64859522.21'), True)
    """
    published = tomllib.loads(_file("published.toml"))
    columns = {row["name"]: row["column"] for row in published["policy"]}
    rounds = [_wave(row, columns) for row in _rows("policy_per_wave.csv")]
    policies = [_policy(row, rounds) for row in published["policy"]]
    values = _figures(rounds, policies)
    figures = [
        Figure(
            row["name"],
            row["label"],
            row["unit"],
            values[row["name"]],
            Decimal(row["published"]) if "published" in row else None,
            row.get("source", ""),
        )
        for row in published["figure"]
    ]
    words = {figure.name: spell(figure.value, figure.unit) for figure in figures}
    covered = values["queue_budget"] - values["queue_overshoot"]
    words |= _corrected(rounds, policies[0], covered, published["fills"])
    readings = [
        Reading(row["claim"], row["meaning"].format_map(words), row["basis"], row.get("source", "study"))
        for row in published["reading"]
    ]
    return Study(rounds, policies, figures, readings, published["sources"])


def _file(name: str) -> str:
    return (resources.files("seawall") / "data" / "oct10-adl-waves" / name).read_text(encoding="utf-8")


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_file(name).splitlines()))


def _wave(row: Mapping[str, str], columns: Mapping[str, str]) -> Wave:
    return Wave(
        number=int(row["wave"]),
        start=datetime.fromisoformat(row["t_start"]),
        end=datetime.fromisoformat(row["t_end"]),
        deficit=Fraction(row["deficit_usd"]),
        largest_loss=Fraction(row["max_loss_usd"]),
        needed=Fraction(row["budget_needed"]),
        budgets={name: Fraction(row[f"budget_{column}"]) for name, column in columns.items()},
        burdens={name: Fraction(row[f"max_pct_{column}"]) for name, column in columns.items()},
    )


def _policy(row: Mapping[str, str], rounds: Sequence[Wave]) -> Policy:
    name = row["name"]
    errors = [wave.budgets[name] - wave.needed for wave in rounds]
    return Policy(
        name=name,
        over=_sum(max(error, Fraction(0)) for error in errors),
        under=_sum(max(-error, Fraction(0)) for error in errors),
        fairness=_sum(wave.needed * abs(wave.burdens[name] - wave.burdens[_BASELINE]) for wave in rounds),
        published={figure: Decimal(row[figure]) for figure in ("tracking", "fairness", "total")},
    )


def _figures(rounds: Sequence[Wave], policies: Sequence[Policy]) -> dict[str, Fraction]:
    """Return every figure by the name that the file of published figures uses."""
    by_name = {policy.name: policy for policy in policies}
    production, ilp = by_name["production"], by_name[_BASELINE]
    shocks = _rows("per_coin_shocks.csv")
    columns = {
        name: [Fraction(shock[f"{column}_usd"]) for shock in shocks]
        for name, column in (
            ("coin_deficit", "deficit"),
            ("queue_budget", "budget_queue"),
            ("queue_overshoot", "overshoot_queue"),
            ("queue_residual", "residual_queue"),
        )
    }
    sums = {name: _sum(column) for name, column in columns.items()}
    deficits = [wave.deficit for wave in rounds]
    bound = severity_regret(deficits, [wave.needed for wave in rounds])
    envelope = _root(bound.envelope_squared)
    return sums | {
        "waves": Fraction(len(rounds)),
        "deficit": _sum(deficits),
        "needed": _sum(wave.needed for wave in rounds),
        "production": _sum(wave.budgets["production"] for wave in rounds),
        "net": production.over - production.under,
        "over": production.over,
        "under": production.under,
        "ilp_net": ilp.over - ilp.under,
        "path_variation": bound.path_variation,
        "deficit_norm": _root(_sum(deficit * deficit for deficit in deficits)),
        "envelope": envelope,
        "production_of_envelope": production.total / envelope,
        "contract_of_envelope": by_name["contract pro-rata"].total / envelope,
        "vector_of_envelope": by_name["vector mirror descent"].total / envelope,
        "shocks": Fraction(len(shocks)),
        "shocks_with_deficit": Fraction(sum(deficit > 0 for deficit in columns["coin_deficit"])),
        "queue_ratio": sums["queue_budget"] / sums["coin_deficit"],
    }


def _corrected(
    rounds: Sequence[Wave], production: Policy, covered: Fraction, fills: Mapping[str, Any]
) -> dict[str, str]:
    """Return what the readings say, by the name that they use, as text."""
    (frozen, repeats), *_ = Counter(wave.largest_loss for wave in rounds).most_common(1)
    repeated = [wave for wave in rounds if wave.largest_loss == frozen]
    later = [wave.number for wave in repeated[1:]]
    once = [replace(wave, deficit=wave.deficit - frozen) if wave.number in later else wave for wave in rounds]
    needed = [wave.needed for wave in rounds]
    envelope_once = _root(severity_regret([wave.deficit for wave in once], needed).envelope_squared)
    instant, long = ([wave for wave in rounds if (wave.start == wave.end) == single] for single in (True, False))
    took = {wave.number: wave.budgets["production"] - wave.needed for wave in rounds}
    largest = max(long, key=lambda wave: took[wave.number])
    first = rounds[0]
    coins = [row for row in _rows("wave_coin_gap.csv") if int(row["wave"]) == first.number]
    usd = {
        "deficit_once": _sum(wave.deficit for wave in once),
        "deficit_without": _sum(wave.deficit for wave in once) - frozen,
        "envelope_once": envelope_once,
        "fund_as_published": _fund(rounds),
        "fund_once": _fund(once),
        "instant_production": _sum(wave.budgets["production"] for wave in instant),
        "instant_needed": _sum(wave.needed for wave in instant),
        "instant_net": _sum(took[wave.number] for wave in instant),
        "largest_net": took[largest.number],
        "queue_covered": covered,
        "first_short": first.needed - first.budgets["contract pro-rata"],
        "first_contracts": _sum(Fraction(row["gap_per_contract_usd"]) for row in coins),
    }
    counts = {
        "repeats": repeats,
        "losers_first": fills["losers"][str(first.number)],
        "instant": len(instant),
        "long": len(long),
        "largest": largest.number,
        "first_coins": len(coins),
        "fills": fills["total"],
        "fills_in_waves": sum(fills["wave"][str(wave.number)] for wave in rounds),
    }
    minutes = (repeated[-1].start - repeated[0].start) / timedelta(minutes=1)
    return {
        **{name: spell(value, "usd") for name, value in usd.items()},
        **{name: spell(Fraction(value), "count") for name, value in counts.items()},
        "frozen_exact": f"{_decimal(frozen):f}",
        "production_of_envelope_once": spell(production.total / envelope_once, "share"),
        "repeat_minutes": f"{minutes:.1f}",
        "shortest_s": f"{min(wave.seconds for wave in long):.1f}",
        "longest_s": f"{max(wave.seconds for wave in long):.1f}",
        "largest_s": f"{largest.seconds:.1f}",
    }


def _fund(rounds: Sequence[Wave]) -> Fraction:
    chance = Fraction(1, len(rounds))
    days = [(wave.deficit, chance) for wave in rounds]
    return fund_size(days, capital_cost=_CAPITAL_COST, shortfall_penalty=_SHORTFALL_PENALTY).fund_size


def _sum(values: Any) -> Fraction:  # noqa: ANN401 - any iterable of fractions
    return sum(values, Fraction(0))


def _root(square: Fraction) -> Fraction:
    """Return a square root, cut to a millionth of a dollar."""
    return Fraction(isqrt(int(square * 10**12)), 10**6)


def _decimal(value: Fraction, digits: Decimal | None = None) -> Decimal:
    """Return a fraction as a decimal, rounded half up to the last digit of another one if there is one."""
    with localcontext() as context:
        context.prec = 60
        context.rounding = ROUND_HALF_UP
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return exact if digits is None else exact.quantize(digits)


def _rounded(value: Fraction, published: Decimal) -> Decimal:
    return _decimal(value, Decimal((0, (1,), int(published.as_tuple().exponent))))


def _written(value: Fraction, unit: Unit) -> str:
    """Return a value for a program: cents, whole counts, ratios to a millionth."""
    digits = {"usd": _CENT, "count": Decimal(1)}.get(unit, Decimal("0.000001"))
    return f"{_decimal(value, digits):f}"


def spell(value: Fraction, unit: Unit) -> str:
    """Return a value for people: dollars and cents, a count, a percentage or a ratio."""
    if unit == "usd":
        cents = _decimal(value, _CENT)
        return f"{'-' if cents < 0 else ''}${abs(cents):,.2f}"
    if unit == "count":
        return f"{int(value):,}"
    return f"{_decimal(value * 100, Decimal('0.1'))}%" if unit == "share" else f"{_decimal(value, Decimal('0.000001'))}"
