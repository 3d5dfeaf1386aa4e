"""One round under many mechanisms, computed by the engine's own functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import numpy as np

from seawall import _core
from seawall.adl.measures import Concentration, Fairness, LabError, concentration, fairness, inversions
from seawall.adl.round import Candidate, Round
from seawall.table import Table

__all__ = ["MECHANISMS", "Comparison", "Outcome", "compare"]

MECHANISMS: Final[dict[str, str]] = {}


@dataclass(frozen=True)
class Outcome:
    """What one mechanism did with a round. Money is exact, in the currency of the round."""

    mechanism: str
    price: Fraction
    """Price at which positions were transferred."""
    closed: tuple[int, ...]
    """Lots closed of each candidate, in the order of the round; 0 where a mechanism takes money."""
    paid: tuple[Fraction, ...]
    """Given up by each against the mark: (mark - price) x lots for a winner long, or the money taken."""
    uncovered_lots: int
    """Lots of the residual that stay open; 0 where a mechanism takes money."""
    uncovered: Fraction
    """Of the deficit, what nobody paid; 0 where a mechanism closes lots."""
    takes_money: bool
    """Whether it takes money and leaves positions open, instead of closing lots."""
    fairness: Fairness
    """Burdens: what was paid as a share of the profit."""
    concentration: Concentration
    """How unequally lots, or money where it takes money, are spread over the candidates."""
    inversions: int
    """Neighbours by profit that stand in the opposite order after what they paid."""
    inversions_lots: int
    """Neighbours by lots that stand in the opposite order after what was closed."""
    leg_risk: int
    """Lots of net risk that the closing created: sum of (|net after| - |net before|)+, hedges elsewhere included."""
    partial: int
    """Accounts that were closed, or paid their profit, in part."""

    @property
    def cost(self) -> Fraction:
        """Given up by all against the mark."""
        return sum(self.paid, Fraction(0))


class Comparison(Table):
    """One round under several mechanisms: a table with a row per mechanism.

    Columns: ``mechanism``, ``closed`` (lots), ``uncovered_lots``, ``uncovered`` and ``cost`` (money), ``touched``,
    ``partial``, ``max_haircut``, ``top_survivor`` (money), ``top_survivor_to_budget``, ``gini``, ``hhi``, ``top_1``,
    ``top_10`` (shares), ``inversions``, ``inversions_lots``, ``leg_risk`` (lots). Money and shares are the nearest
    floats of exact values, which `outcomes` holds; what has nothing to be taken of is NaN.
    """

    __slots__ = ("outcomes", "round")

    round: Round
    """The round."""
    outcomes: Sequence[Outcome]
    """The exact results, in the order of the rows."""

    def __init__(self, one: Round, outcomes: Sequence[Outcome]) -> None:
        rows = [_row(outcome) for outcome in outcomes]
        super().__init__({name: np.array([row[name] for row in rows]) for name in rows[0]})
        self.round = one
        self.outcomes = outcomes

    def allocations(self) -> Table:
        """Return a row per mechanism and candidate: ``mechanism``, ``id``, ``lots`` closed, ``paid``, ``haircut``.

        ``haircut`` is what was paid as a share of the profit; NaN without one.
        """
        profits = [self.round.profit(candidate) for candidate in self.round.candidates]
        ids = [candidate.id for candidate in self.round.candidates]
        paid = [amount for outcome in self.outcomes for amount in outcome.paid]
        haircuts = [
            _float(x / u if u > 0 else None)
            for outcome in self.outcomes
            for x, u in zip(outcome.paid, profits, strict=True)
        ]
        return Table(
            {
                "mechanism": np.repeat([outcome.mechanism for outcome in self.outcomes], len(ids)),
                "id": np.tile(np.array(ids, dtype=np.int64), len(self.outcomes)),
                "lots": np.array([lots for outcome in self.outcomes for lots in outcome.closed], dtype=np.int64),
                "paid": np.array(list(map(float, paid))),
                "haircut": np.array(haircuts),
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values; money and shares as exact decimals or fractions in text."""
        return {
            "round": {
                "name": self.round.name,
                "side": self.round.side,
                "residual": self.round.residual,
                "mark": _text(self.round.mark),
                "bankruptcy": _text(self.round.bankruptcy),
                "deficit": _text(self.round.deficit),
                "candidates": len(self.round.candidates),
            },
            "mechanisms": [_written(outcome, self.round.candidates) for outcome in self.outcomes],
        }


def compare(one: Round, mechanisms: Iterable[str] | None = None) -> Comparison:
    """Compute a round under several mechanisms, with the functions that the venue runs.

    Parameters
    ----------
    one
        The round, from `read_round`, `synthetic_round`, or made by hand.
    mechanisms
        Names from `MECHANISMS`; all of them if left out.

    Returns
    -------
    Comparison
        A row per mechanism, in the order given. Lots are whole; money taken is whole in minor units (`Round.units`),
        rounded so that it adds up to the deficit exactly.

    Raises
    ------
    LabError
        If a name is unknown or given twice, or the round does not fit in 64 bits.

    Examples
    --------
    >>> from seawall import adl
    >>> table = adl.compare(adl.synthetic_round(), ["queue", "pro_rata"])
    >>> table["mechanism"].tolist(), table["touched"].tolist()
    (['queue', 'pro_rata'], [])
    """
    names = list(MECHANISMS) if mechanisms is None else list(mechanisms)
    for place, name in enumerate(names):
        if name not in MECHANISMS:
            raise LabError(f"mechanisms: {name!r} is unknown; give some of {', '.join(MECHANISMS)}")
        if name in names[:place]:
            raise LabError(f"mechanisms: {name} is given twice; give each once")
    if not names:
        raise LabError(f"mechanisms: none were given; give some of {', '.join(MECHANISMS)}")
    return Comparison(one, [_outcome(one, name) for name in names])


def _float(value: Fraction | None) -> float:
    return float("nan") if value is None else float(value)


def _text(value: Fraction | None) -> str | None:
    """Return an exact number: a decimal if it ends, else a fraction."""
    if value is None:
        return None
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return f"{Decimal(value.numerator) / Decimal(value.denominator):f}" if rest == 1 else str(value)
