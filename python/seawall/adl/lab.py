"""One round under many mechanisms, computed by the engine's own functions."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, Final

import numpy as np

from seawall import _core
from seawall.adl.measures import Concentration, Fairness, LabError, concentration, fairness, inversions
from seawall.adl.round import Candidate, Round
from seawall.table import Table

__all__ = ["MECHANISMS", "Comparison", "Outcome", "compare"]

MECHANISMS: Final[dict[str, str]] = {
    "queue": "highest profit ratio x leverage first (BitMEX)",
    "queue_margin_ratio": "highest profit over balance x margin ratio first (Binance); 0 without maintenance",
    "queue_price_ratio": "highest mark / entry x leverage first (Hyperliquid, as documented)",
    "queue_price_ratio_signed": "the same with entry / mark for shorts",
    "queue_profit": "highest profit in money first",
    "pro_rata": "in proportion to lots, largest remainder",
    "pro_rata_profit": "in proportion to profit, largest remainder",
    "pro_rata_equity": "in proportion to equity, largest remainder",
    "pro_rata_notional": "in proportion to notional, largest remainder",
    "webster": "in proportion to lots, Webster's divisors",
    "min_max": "least greatest share of a profit that whole lots allow",
    "hedge_aware": "lots that nothing hedges first, in proportion to lots",
    "haircut_queue": "money instead of lots: highest profit gives it up first",
    "haircut": "money instead of lots: the same share of every profit",
    "haircut_risk": "money instead of lots: share of a profit rises with leverage squared",
}
"""The mechanisms that `compare` knows, and what each does."""

_RULES: Final[dict[str, dict[str, Any]]] = {
    "queue": {"method": "queue", "score": "profit_leverage"},
    "queue_margin_ratio": {"method": "queue", "score": "profit_margin_ratio"},
    "queue_price_ratio": {"method": "queue", "score": "price_ratio_literal"},
    "queue_price_ratio_signed": {"method": "queue", "score": "price_ratio_signed"},
    "queue_profit": {"method": "queue", "score": "profit"},
    "pro_rata": {"method": "pro_rata", "weight": "lots"},
    "pro_rata_profit": {"method": "pro_rata", "weight": "profit"},
    "pro_rata_equity": {"method": "pro_rata", "weight": "equity"},
    "pro_rata_notional": {"method": "pro_rata", "weight": "notional"},
    "webster": {"method": "webster", "weight": "lots"},
    "min_max": {"method": "min_max", "weight": "profit"},
    "hedge_aware": {"method": "hedge_aware"},
    "haircut_queue": {"method": "haircut_queue", "score": "profit"},
    "haircut": {"method": "haircut_pro_rata"},
    "haircut_risk": {"method": "haircut_pro_rata", "risk": {"type": "power", "exponent": 1}},
}
"""Each as the `adl` table of a venue's market spells it."""


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
    """Of what was to be raised, what nobody paid; 0 where a mechanism closes lots."""
    fund: Fraction
    """What the fund pays because the transfer price is worse than the bankruptcy price."""
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

    Columns: ``mechanism``, ``closed`` (lots), ``uncovered_lots``, ``cost``, ``uncovered`` and ``fund`` (money),
    ``touched``, ``partial``, ``max_haircut``, ``top_survivor`` (money), ``top_survivor_to_budget``, ``gini``, ``hhi``,
    ``top_1``, ``top_10`` (shares), ``inversions``, ``inversions_lots``, ``leg_risk`` (lots). Money and shares are the
    nearest floats of exact values, which `outcomes` holds; what has nothing to be taken of is NaN.
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
    (['queue', 'pro_rata'], [15, 39])
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


def _outcome(one: Round, name: str) -> Outcome:
    units, rule = one.units(), _RULES[name]
    band = None if one.band is None else one.band * 1_000_000
    if band is not None and band.denominator != 1:
        raise LabError(f"band: {one.band} has more than six decimals; give it in millionths")
    price, closed, paid, fund, lots, uncovered, leg_risk = _core.adl_round(
        json.dumps({"enabled": True, "price": one.price, "band_ppm": None if band is None else int(band), **rule}),
        side=0 if one.side == "long" else 1,
        residual=one.residual,
        mark=int(one.mark * units.ticks),
        bankruptcy=int(one.bankruptcy * units.ticks),
        tick_value=units.tick_value,
        one=units.money,
        rows=[
            (
                c.id,
                c.lots,
                int(c.lots * c.entry * units.ticks) * units.tick_value,
                int(c.equity * units.money),
                int(c.maintenance * units.money),
                c.other_delta,
            )
            for c in one.candidates
        ],
    )
    takes_money = str(rule["method"]).startswith("haircut")
    profits = [one.profit(c) for c in one.candidates]
    given = [Fraction(amount, units.money) for amount in paid]
    held = [
        max(u, Fraction(0)) if takes_money else Fraction(c.lots) for u, c in zip(profits, one.candidates, strict=True)
    ]
    borne = given if takes_money else [Fraction(k) for k in closed]
    return Outcome(
        mechanism=name,
        price=Fraction(price, units.ticks),
        closed=tuple(closed),
        paid=tuple(given),
        uncovered_lots=lots,
        uncovered=Fraction(uncovered, units.money),
        fund=Fraction(fund, units.money),
        takes_money=takes_money,
        fairness=fairness(profits, given, [one.deficit]),
        concentration=concentration(borne),
        inversions=inversions(profits, [u - x for u, x in zip(profits, given, strict=True)]),
        inversions_lots=inversions(
            [c.lots for c in one.candidates], [c.lots - k for c, k in zip(one.candidates, closed, strict=True)]
        ),
        leg_risk=leg_risk,
        partial=sum(0 < x < most for x, most in zip(borne, held, strict=True)),
    )


def _row(outcome: Outcome) -> dict[str, Any]:
    fair, spread = outcome.fairness, outcome.concentration
    return {
        "mechanism": outcome.mechanism,
        "closed": sum(outcome.closed),
        "uncovered_lots": outcome.uncovered_lots,
        "cost": float(outcome.cost),
        "uncovered": float(outcome.uncovered),
        "fund": float(outcome.fund),
        "touched": spread.touched,
        "partial": outcome.partial,
        "max_haircut": float(fair.max_haircut),
        "top_survivor": float(fair.top_survivor),
        "top_survivor_to_budget": _float(fair.top_survivor_to_budget),
        "gini": _float(spread.gini),
        "hhi": _float(spread.hhi),
        "top_1": _float(spread.top_1),
        "top_10": _float(spread.top_10),
        "inversions": outcome.inversions,
        "inversions_lots": outcome.inversions_lots,
        "leg_risk": outcome.leg_risk,
    }


def _written(outcome: Outcome, candidates: Sequence[Candidate]) -> dict[str, Any]:
    fair, spread = outcome.fairness, outcome.concentration
    return {
        "mechanism": outcome.mechanism,
        "what": MECHANISMS[outcome.mechanism],
        "takes": "money" if outcome.takes_money else "lots",
        "price": _text(outcome.price),
        "closed": sum(outcome.closed),
        "uncovered_lots": outcome.uncovered_lots,
        "cost": _text(outcome.cost),
        "uncovered": _text(outcome.uncovered),
        "fund": _text(outcome.fund),
        "touched": spread.touched,
        "partial": outcome.partial,
        "max_haircut": _text(fair.max_haircut),
        "top_survivor": _text(fair.top_survivor),
        "top_survivor_to_budget": _text(fair.top_survivor_to_budget),
        **{name: _text(getattr(spread, name)) for name in ("gini", "hhi", "top_1", "top_10")},
        "inversions": outcome.inversions,
        "inversions_lots": outcome.inversions_lots,
        "leg_risk": outcome.leg_risk,
        "allocation": [
            {"id": candidate.id, "lots": lots, "paid": _text(paid)}
            for candidate, lots, paid in zip(candidates, outcome.closed, outcome.paid, strict=True)
        ],
    }


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
    if rest != 1:
        return str(value)
    with localcontext() as context:
        context.prec = 80
        return f"{Decimal(value.numerator) / Decimal(value.denominator):f}"
