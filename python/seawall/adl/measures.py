"""Measures of auto-deleveraging, exact: how fair a round was, how a series of rounds went, how large a fund should be.

Numbers are whole, decimal or rational (``int``, `Decimal`, `Fraction`, or a string such as ``"0.05"`` or ``"1/3"``);
answers are `Fraction` and nothing is rounded. A float is refused: 0.1 as a float is another number than 0.1. Money may
be in any one unit, dollars or minor units: shares and ratios do not depend on it. Where a ratio has nothing to be taken
of, it is None.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from seawall.errors import SeawallError

__all__ = [
    "Concentration",
    "Fairness",
    "FundSize",
    "LabError",
    "Number",
    "SeverityRegret",
    "concentration",
    "fairness",
    "fund_size",
    "inversions",
    "severity_regret",
]

Number: TypeAlias = int | Decimal | Fraction | str


class LabError(SeawallError, ValueError):
    """What the laboratory was given is no round, or makes no measure; the message names field, value and remedy."""


def exact(value: object, field: str) -> Fraction:
    """Return a number as it was written; LabError with its field if it is none."""
    if isinstance(value, int | Decimal | Fraction | str) and not isinstance(value, bool):
        try:
            return Fraction(value)
        except (ValueError, OverflowError, ZeroDivisionError):
            pass
    raise LabError(f'{field}: {value!r} is not an exact number; write it like 5, "0.05" or "1/3"')


def _all(values: Iterable[Number], field: str) -> list[Fraction]:
    return [exact(value, f"{field}[{place}]") for place, value in enumerate(values)]


def _same_length(a: Sequence[object], b: Sequence[object], fields: str) -> None:
    if len(a) != len(b):
        raise LabError(f"{fields}: {len(a)} and {len(b)} values; give one of each for every account or round")


@dataclass(frozen=True)
class Fairness:
    """What a round took, against what there was to take and what had to be covered."""

    max_haircut: Fraction
    """Greatest share of an endowment that was taken; 0 if nobody had one."""
    top_survivor: Fraction
    """Greatest endowment that is left, in the unit of the endowments; at least 0."""
    top_survivor_to_budget: Fraction | None
    """`top_survivor` as a multiple of severity times the sum of the deficits (the paper's PTSR)."""
    top_survivor_to_largest_deficit: Fraction | None
    """The same of severity times the greatest single deficit (its PMR)."""


def fairness(
    endowments: Iterable[Number], seized: Iterable[Number], deficits: Iterable[Number], *, severity: Number = 1
) -> Fairness:
    """Return how fair a round was: arXiv 2512.01112, with the maximum over survivors as the paper defines it.

    Parameters
    ----------
    endowments
        Money of each account that could be taken, usually its unrealised profit; one value per account.
    seized
        Money taken from each, in the same order.
    deficits
        Losses to cover, one value per bankrupt account.
    severity
        Share of the deficits that the round set out to cover, 0 to 1.

    Returns
    -------
    Fairness
        Exact. Accounts whose endowment is not above zero do not count in `max_haircut`.

    Raises
    ------
    LabError
        If there are not as many endowments as seized amounts, or a value is no number.

    Examples
    --------
    A queue takes 8 first, a pro-rata rule takes three fifths of everybody:

    >>> from seawall.adl import fairness
    >>> queue = fairness([8, 4, "0.5"], ["3.5", 4, 0], [3, 12], severity="0.5")
    >>> queue.max_haircut, queue.top_survivor_to_budget
    (Fraction(1, 1), Fraction(3, 5))
    >>> fairness([8, 4, "0.5"], ["4.8", "2.4", "0.3"], [3, 12], severity="0.5").top_survivor_to_budget
    Fraction(32, 75)
    """
    endowment, taken = _all(endowments, "endowments"), _all(seized, "seized")
    losses, theta = _all(deficits, "deficits"), exact(severity, "severity")
    _same_length(endowment, taken, "endowments and seized")
    survivor = max((max(u - x, Fraction(0)) for u, x in zip(endowment, taken, strict=True)), default=Fraction(0))
    budget, largest = theta * sum(losses), theta * max(losses, default=Fraction(0))
    return Fairness(
        max_haircut=max((x / u for u, x in zip(endowment, taken, strict=True) if u > 0), default=Fraction(0)),
        top_survivor=survivor,
        top_survivor_to_budget=survivor / budget if budget else None,
        top_survivor_to_largest_deficit=survivor / largest if largest else None,
    )


@dataclass(frozen=True)
class SeverityRegret:
    """How much the needed severity moved from round to round, and the bound on regret that follows."""

    severities: list[Fraction]
    """Share of each deficit that had to be covered, at most 1; 1 where there is no deficit."""
    path_variation: Fraction
    """Sum of the absolute changes of severity between neighbouring rounds."""
    envelope_squared: Fraction
    """Square of the bound: (1 + 2 path variation) x the sum of squared deficits, in squared units of money."""


def severity_regret(deficits: Iterable[Number], needed: Iterable[Number]) -> SeverityRegret:
    """Return the path variation of severity and the square of the adaptive regret bound of arXiv 2602.15182.

    Parameters
    ----------
    deficits
        Deficit of each round, in order of time, not negative.
    needed
        Money that the round had to raise, in the same unit.

    Returns
    -------
    SeverityRegret
        Exact; the bound itself is the square root of `envelope_squared`, which is left to whoever prints it. It is
        as good as its deficits: one that is counted in many rounds widens it (see docs/adl.md on the 16 waves).

    Raises
    ------
    LabError
        If there are not as many deficits as needed amounts, a deficit is negative, or a value is no number.

    Examples
    --------
    >>> from seawall.adl import severity_regret
    >>> bound = severity_regret([10, 4, 8], [5, 4, 2])
    >>> [str(s) for s in bound.severities], str(bound.path_variation), str(bound.envelope_squared)
    (['1/2', '1', '1/4'], '5/4', '630')
    """
    losses, raised = _all(deficits, "deficits"), _all(needed, "needed")
    _same_length(losses, raised, "deficits and needed")
    for place, loss in enumerate(losses):
        if loss < 0:
            raise LabError(f"deficits[{place}]: {loss} is negative; give a loss as a positive amount")
    one = Fraction(1)
    severities = [min(one, b / d) if d else one for d, b in zip(losses, raised, strict=True)]
    variation = sum((abs(b - a) for a, b in pairwise(severities)), Fraction(0))
    squares = sum((d * d for d in losses), Fraction(0))
    return SeverityRegret(severities, variation, (1 + 2 * variation) * squares)


@dataclass(frozen=True)
class FundSize:
    """How large a fund should be when its capital has a price and so has running out."""

    quantile: Fraction
    """Share of the time that the fund should be enough: 1 - capital cost / shortfall penalty, at least 0."""
    fund_size: Fraction
    """Least deficit whose cumulative probability reaches `quantile`; 0 if `quantile` is 0."""
    cost: Fraction
    """Capital cost of the size, and the penalty on the expected deficit beyond it."""


def fund_size(
    deficits: Iterable[tuple[Number, Number]], *, capital_cost: Number, shortfall_penalty: Number
) -> FundSize:
    """Return the fund that costs least: the capital-cost quantile of the deficits (arXiv 2512.01112).

    Parameters
    ----------
    deficits
        Pairs of a deficit (money, not negative) and its probability; the probabilities add up to 1. Any order.
    capital_cost
        Price of holding one unit of money in the fund, over the time that the deficits are of.
    shortfall_penalty
        Price of one unit of deficit that the fund cannot pay, above zero.

    Returns
    -------
    FundSize
        Exact, money in the unit of the deficits.

    Raises
    ------
    LabError
        If probabilities are negative or do not add up to 1, a deficit or cost is negative, or the penalty is not
        above zero.

    Examples
    --------
    >>> from seawall.adl import fund_size
    >>> days = [(0, "0.9"), (5, "0.05"), (20, "0.03"), (100, "0.02")]
    >>> best = fund_size(days, capital_cost="0.05", shortfall_penalty=2)
    >>> str(best.quantile), str(best.fund_size), str(best.cost)
    ('39/40', '20', '21/5')
    """
    rows = []
    for place, (amount, probability) in enumerate(deficits):
        field = f"deficits[{place}]"
        rows.append((exact(amount, f"{field}.amount"), exact(probability, f"{field}.probability")))
        if min(rows[-1]) < 0:
            raise LabError(f"{field}: {amount}, {probability} is negative; give an amount and a probability from 0 up")
    total = sum((p for _, p in rows), Fraction(0))
    if total != 1:
        raise LabError(f"deficits: the probabilities add up to {total}; give a row for every case, 0 included")
    price, penalty = exact(capital_cost, "capital_cost"), exact(shortfall_penalty, "shortfall_penalty")
    if price < 0:
        raise LabError(f"capital_cost: {capital_cost} is negative; give 0 or more")
    if penalty <= 0:
        raise LabError(f"shortfall_penalty: {shortfall_penalty} is not above zero; give a price of being short")
    quantile = max(1 - price / penalty, Fraction(0))
    size = reached = Fraction(0)
    for amount, probability in sorted(rows):
        if reached >= quantile:
            break
        reached, size = reached + probability, amount
    short = sum((p * max(amount - size, Fraction(0)) for amount, p in rows), Fraction(0))
    return FundSize(quantile, size, price * size + penalty * short)


@dataclass(frozen=True)
class Concentration:
    """How unequally something was shared out; every figure is None if there was nothing to share."""

    gini: Fraction | None
    """Gini coefficient over all accounts, untouched ones included: 0 if all have the same, near 1 if one has all."""
    hhi: Fraction | None
    """Herfindahl-Hirschman index: sum of squared shares, from 1 / accounts to 1."""
    top_1: Fraction | None
    """Share of the one with most."""
    top_10: Fraction | None
    """Share of the ten with most."""
    touched: int
    """How many have any."""


def concentration(amounts: Iterable[Number]) -> Concentration:
    """Return how unequally amounts are spread over accounts.

    Parameters
    ----------
    amounts
        What each account bears, in lots or money, not negative; accounts that bear nothing belong in it as 0.

    Returns
    -------
    Concentration
        Exact.

    Raises
    ------
    LabError
        If an amount is negative or no number.

    Examples
    --------
    >>> from seawall.adl import concentration
    >>> spread = concentration([6, 0, 2])
    >>> str(spread.gini), str(spread.hhi), str(spread.top_1), spread.touched
    ('1/2', '5/8', '3/4', 2)
    """
    rising = sorted(_all(amounts, "amounts"))
    if rising and rising[0] < 0:
        raise LabError(f"amounts: {rising[0]} is negative; a burden is 0 or more")
    touched = sum(amount > 0 for amount in rising)
    total = sum(rising, Fraction(0))
    if not total:
        return Concentration(None, None, None, None, touched)
    count = len(rising)
    weighted = sum((place * amount for place, amount in enumerate(rising, start=1)), Fraction(0))
    return Concentration(
        gini=2 * weighted / (count * total) - Fraction(count + 1, count),
        hhi=sum((amount * amount for amount in rising), Fraction(0)) / (total * total),
        top_1=rising[-1] / total,
        top_10=sum(rising[-10:], Fraction(0)) / total,
        touched=touched,
    )


def inversions(before: Iterable[Number], after: Iterable[Number]) -> int:
    """Return how many neighbours in the order of `before` stand in the opposite order in `after`.

    Neighbours are accounts next to each other when they are sorted by `before`; a pair that is equal before counts
    nothing, and of accounts that are equal the one that is given first stands first.

    Parameters
    ----------
    before, after
        One value per account, in the same order and unit: what it had, and what it has left.

    Raises
    ------
    LabError
        If there are not as many values before as after, or a value is no number.

    Examples
    --------
    A queue takes 9 of the richest, who is then the poorest:

    >>> from seawall.adl import inversions
    >>> inversions([10, 9, 5], [1, 9, 5])
    1
    """
    old, new = _all(before, "before"), _all(after, "after")
    _same_length(old, new, "before and after")
    order = sorted(range(len(old)), key=lambda place: -old[place])
    return sum(old[a] > old[b] and new[a] < new[b] for a, b in pairwise(order))
