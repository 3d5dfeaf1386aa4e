"""Topics that are measures: the public Python functions of `seawall.adl` that the laboratory's reports call."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from seawall.adl import fairness, fund_size, severity_regret
from seawall.vectors.cases import Answer, Case, Scale, Topic, number_of

__all__ = ["TOPICS"]


def _units(scale: Scale, values: list[str]) -> list[int]:
    return [scale.units("money", value) for value in values]


def _fairness(case: Case, scale: Scale) -> Answer:
    given = case.given
    answer = fairness(
        _units(scale, given["endowments"]),
        _units(scale, given["seized"]),
        _units(scale, given["deficits"]),
        severity=number_of(given["severity"], "given.severity"),
    )
    names = ("max_haircut", "top_survivor_to_budget", "top_survivor_to_largest_deficit")
    return {name: getattr(answer, name) for name in names}


def _severity_regret(case: Case, scale: Scale) -> Answer:
    answer = severity_regret(_units(scale, case.given["deficits"]), _units(scale, case.given["needed"]))
    envelope = answer.envelope_squared / Fraction(scale.per_one["money"]) ** 2
    return vars(answer) | {"envelope_squared": envelope}


def _fund_size(case: Case, scale: Scale) -> Answer:
    rows = case.given["deficits"]
    answer = fund_size(
        [(scale.units("money", row["amount"]), number_of(row["probability"], "given.probability")) for row in rows],
        capital_cost=number_of(case.given["capital_cost"], "given.capital_cost"),
        shortfall_penalty=number_of(case.given["shortfall_penalty"], "given.shortfall_penalty"),
    )
    money = Fraction(scale.per_one["money"])
    return {"quantile": answer.quantile, "fund_size": answer.fund_size / money, "cost": answer.cost / money}


def _money(*lists: str) -> Callable[[Case], Mapping[str, list[str]]]:
    """Return the function that gathers the money of a vector from these keys."""
    return lambda case: {"money": [number for name in lists for number in case.given[name]]}


TOPICS: Final[dict[str, Topic]] = {
    "adl.fairness": Topic(
        function="seawall.adl.fairness",
        given=frozenset({"endowments", "seized", "deficits", "severity"}),
        expect=frozenset({"max_haircut", "top_survivor_to_budget", "top_survivor_to_largest_deficit"}),
        run=_fairness,
        dimensions=_money("endowments", "seized", "deficits"),
    ),
    "adl.severity_regret": Topic(
        function="seawall.adl.severity_regret",
        given=frozenset({"deficits", "needed"}),
        expect=frozenset({"severities", "path_variation", "envelope_squared"}),
        run=_severity_regret,
        dimensions=_money("deficits", "needed"),
    ),
    "fund.size": Topic(
        function="seawall.adl.fund_size",
        given=frozenset({"deficits", "capital_cost", "shortfall_penalty"}),
        expect=frozenset({"quantile", "fund_size", "cost"}),
        run=_fund_size,
        dimensions=lambda case: {"money": [row["amount"] for row in case.given["deficits"]]},
    ),
}
