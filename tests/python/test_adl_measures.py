"""Measures of auto-deleveraging: exact answers, refusals, and who calls them."""

import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall import adl
from seawall.vectors import TOPICS

ROOT = Path(__file__).parents[2]
FLOATS: Any = [0.5]
AMOUNTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=12)


def test_an_account_without_profit_has_no_haircut_and_no_part_in_the_maximum() -> None:
    fair = adl.fairness([10, 0, -4], [5, 3, 0], [20])
    assert fair.max_haircut == Fraction(1, 2)
    assert fair.top_survivor == 5
    assert adl.fairness([0], [0], [20]).max_haircut == 0


def test_without_a_budget_there_is_nothing_to_compare_with() -> None:
    fair = adl.fairness([10], [4], [20], severity=0)
    assert fair.top_survivor == 6
    assert (fair.top_survivor_to_budget, fair.top_survivor_to_largest_deficit) == (None, None)
    assert adl.fairness([10], [4], []).top_survivor_to_budget is None


def test_a_queue_may_leave_a_richer_survivor_than_pro_rata() -> None:
    # The claim that a queue by profit leaves the least survivor fails with the paper's own definition.
    queue, pro_rata = adl.fairness([10, 9], [5, 0], [5]), adl.fairness([10, 9], ["50/19", "45/19"], [5])
    assert queue.top_survivor == 9
    assert pro_rata.top_survivor == Fraction(140, 19)


def test_severity_is_one_where_nothing_was_lost_and_never_above() -> None:
    bound = adl.severity_regret([0, 4], [3, 8])
    assert list(map(int, bound.severities)) == [1, 1]
    assert bound.path_variation == 0
    assert bound.envelope_squared == 16
    assert adl.severity_regret([], []).envelope_squared == 0


@pytest.mark.parametrize(
    ("cost", "size"), [("0", 100), ("0.04", 20), ("0.041", 20), ("0.1", 5), ("0.11", 5), ("0.2", 0), ("2", 0)]
)
def test_the_fund_is_the_least_amount_whose_probability_reaches_the_quantile(cost: str, size: int) -> None:
    rows: list[tuple[int, str]] = [(100, "0.02"), (0, "0.9"), (5, "0.05"), (20, "0.03")]
    best = adl.fund_size(rows, capital_cost=cost, shortfall_penalty=2)
    assert best.fund_size == size
    for other in (0, 5, 20, 100):
        short = sum(Fraction(p) * max(a - other, 0) for a, p in rows)
        assert best.cost <= Fraction(cost) * other + 2 * short


@given(AMOUNTS)
def test_concentration_is_that_of_all_pairs(amounts: list[int]) -> None:
    spread, total, count = adl.concentration(amounts), sum(amounts), len(amounts)
    if not total:
        assert spread == adl.Concentration(None, None, None, None, 0)
        return
    pairs = sum(abs(a - b) for a in amounts for b in amounts)
    assert spread.gini == Fraction(pairs, 2 * count * total)
    assert spread.hhi == sum(Fraction(a, total) ** 2 for a in amounts)
    assert spread.top_1 == Fraction(max(amounts), total)
    assert spread.top_10 == Fraction(sum(sorted(amounts)[-10:]), total)


@given(AMOUNTS, st.fractions(min_value="0.001", max_value=1))
def test_a_proportional_cut_turns_nobody_around(amounts: list[int], kept: Fraction) -> None:
    assert adl.inversions(amounts, [amount * kept for amount in amounts]) == 0


def test_inversions_count_neighbours_only_and_no_pair_that_was_equal() -> None:
    assert adl.inversions([9, 5, 5, 1], [0, 6, 3, 2]) == 1
    assert adl.inversions([9, 5, 5, 1], [0, 3, 6, 4]) == 1
    assert adl.inversions([3, 2, 1], [1, 2, 3]) == 2


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: adl.fairness([1], [1, 2], []), "endowments and seized: 1 and 2 values"),
        (lambda: adl.fairness(FLOATS, [0], []), r"endowments\[0\]: 0.5 is not an exact number"),
        (lambda: adl.fairness([1], [True], []), r"seized\[0\]: True is not an exact number"),
        (lambda: adl.fairness([1], [1], ["1/0"]), r"deficits\[0\]: '1/0' is not an exact number"),
        (lambda: adl.fairness([1], [Decimal("inf")], []), r"seized\[0\]: Decimal\('Infinity'\) is not"),
        (lambda: adl.fairness([1], [1], [], severity="half"), "severity: 'half' is not an exact number"),
        (lambda: adl.severity_regret([1], []), "deficits and needed: 1 and 0 values"),
        (lambda: adl.severity_regret([1, -2], [0, 0]), r"deficits\[1\]: -2 is negative"),
        (lambda: adl.fund_size([(1, "0.5")], capital_cost=0, shortfall_penalty=1), "the probabilities add up to 1/2"),
        (lambda: adl.fund_size([(-1, 1)], capital_cost=0, shortfall_penalty=1), r"deficits\[0\]: -1, 1 is negative"),
        (lambda: adl.fund_size([(1, 1)], capital_cost=-1, shortfall_penalty=1), "capital_cost: -1 is negative"),
        (lambda: adl.fund_size([(1, 1)], capital_cost=1, shortfall_penalty=0), "shortfall_penalty: 0 is not above"),
        (lambda: adl.concentration([1, -3]), "amounts: -3 is negative"),
        (lambda: adl.inversions([1], []), "before and after: 1 and 0 values"),
    ],
    ids=range(14),
)
def test_what_makes_no_measure_is_refused_with_field_value_and_remedy(call: Any, part: str) -> None:
    with pytest.raises(adl.LabError, match=part):
        call()


def test_the_harness_is_never_the_only_caller_of_a_measure() -> None:
    measures = [topic.function for topic in TOPICS.values() if topic.function.startswith("seawall.adl.")]
    assert len(measures) == 3
    for function in measures:
        name = function.rpartition(".")[2]
        callers = [
            file
            for file in (ROOT / "python/seawall/adl").glob("*.py")
            if re.search(rf"(?<!def )(?<!>>> )\b{name}\((?!\[)", file.read_text(encoding="utf-8"))
        ]
        assert callers, f"no report calls {function}"
