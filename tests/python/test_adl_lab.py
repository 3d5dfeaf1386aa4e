"""One round under many mechanisms: reading it, what it says, what it refuses."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from seawall import adl
from seawall.adl.picture import write_picture

CSV = """# a made-up round
# side = short
# residual = 6
# mark = 100
# bankruptcy = 102.5

id,lots,entry,equity,other_delta
7,4,120,200.50,
3,2,110,50,2

5,10,101,1000,-1
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def made(*candidates: tuple[int, int, str, str], **change: Any) -> adl.Round:
    """Return a round of shorts at a mark of 100, bankrupt at 101: a lot lacks one."""
    rows = tuple(adl.Candidate(n, lots, Fraction(entry), Fraction(equity)) for n, lots, entry, equity in candidates)
    given: dict[str, Any] = {"side": "short", "residual": 1, "mark": Fraction(100), "bankruptcy": Fraction(101)}
    return adl.Round(candidates=rows, **(given | change))


def test_a_csv_and_a_json_of_the_same_round_are_the_same(tmp_path: Path) -> None:
    one = adl.read_round(written(tmp_path, "small.csv", CSV))
    assert (one.name, one.side, one.residual, one.bankruptcy) == ("small", "short", 6, Fraction("102.5"))
    assert one.candidates[0] == adl.Candidate(7, 4, Fraction(120), Fraction("200.5"))
    assert [candidate.other_delta for candidate in one.candidates] == [0, 2, -1]
    data = {
        "side": "short",
        "residual": 6,
        "mark": 100,
        "bankruptcy": 102.5,
        "candidates": [
            {"id": 7, "lots": 4, "entry": 120, "equity": "200.50"},
            {"id": 3, "lots": 2, "entry": "110", "equity": 50, "other_delta": 2},
            {"id": 5, "lots": 10, "entry": 101, "equity": 1000, "other_delta": -1},
        ],
    }
    assert adl.read_round(written(tmp_path, "small.json", json.dumps(data))) == one


def test_what_each_mechanism_closes_can_be_followed_by_hand() -> None:
    # Profits 80, 20, 10; six lots to close at 2.5 below the mark each: 15 to give up.
    one = made(
        (7, 4, "120", "200"), (3, 2, "110", "50"), (5, 10, "101", "1000"), residual=6, bankruptcy=Fraction("102.5")
    )
    closed = {o.mechanism: o.closed for o in adl.compare(one).outcomes}
    assert closed["queue_profit"] == (4, 2, 0)
    # 24/16, 12/16, 60/16: 1.5, 0.75, 3.75.
    assert closed["pro_rata"] == (1, 1, 4)
    # Scores 80/480 x 400/200, 20/220 x 200/50, 10/1010 x 1000/1000: 0.33, 0.36, 0.01.
    assert closed["queue"] == (4, 2, 0)
    assert adl.compare(one, ["queue"]).outcomes[0].uncovered_lots == 0
    # 6 x (80, 20, 10) / 110 under caps 4, 2, 10: the 7 is full, then 4/3 and 2/3.
    assert closed["pro_rata_profit"] == (4, 1, 1)
    paid = {o.mechanism: o.paid for o in adl.compare(one).outcomes}
    assert list(paid["haircut_queue"]) == [15, 0, 0]
    assert list(map(float, paid["haircut"])) == [10.91, 2.73, 1.36]
    assert sum(paid["haircut"]) == 15


def test_measures_of_an_outcome_can_be_followed_by_hand() -> None:
    one = made(
        (7, 4, "120", "200"), (3, 2, "110", "50"), (5, 10, "101", "1000"), residual=6, bankruptcy=Fraction("102.5")
    )
    table = adl.compare(one, ["queue", "haircut"])
    queue = table.outcomes[0]
    assert [queue.price, queue.cost, queue.partial] == [Fraction("102.5"), 15, 0]
    assert queue.fairness.max_haircut == Fraction(5, 20)
    assert queue.fairness.top_survivor_to_budget == Fraction(70, 15)
    assert queue.concentration == adl.concentration([4, 2, 0])
    assert (queue.inversions, queue.inversions_lots, queue.leg_risk) == (0, 0, 0)
    assert table["touched"].tolist() == [2, 3]
    rows = table.allocations()
    assert rows["id"].tolist() == [7, 3, 5, 7, 3, 5]
    assert rows["haircut"].tolist()[:3] == [0.125, 0.25, 0.0]
    assert table.to_dict()["mechanisms"][0]["max_haircut"] == "0.25"
    assert table.to_dict()["mechanisms"][1]["allocation"][0] == {"id": 7, "lots": 0, "paid": "10.91"}


@pytest.mark.parametrize("seed", range(20))
def test_what_every_mechanism_keeps_to(seed: int) -> None:
    one = adl.synthetic_round(12, seed=seed)
    units = one.units()
    for outcome in adl.compare(one).outcomes:
        pairs = list(zip(one.candidates, outcome.closed, outcome.paid, strict=True))
        assert sum(outcome.closed) + outcome.uncovered_lots == (0 if outcome.takes_money else one.residual)
        assert all(0 <= lots <= candidate.lots and candidate.equity - paid >= 0 for candidate, lots, paid in pairs)
        assert all((paid * units.money).denominator == 1 for _, _, paid in pairs)
        if outcome.takes_money:
            assert outcome.cost + outcome.uncovered == one.deficit
            assert all(0 <= paid <= one.profit(candidate) for candidate, _, paid in pairs)
        else:
            # Whatever the allocation, at the bankruptcy price winners give up the deficit of the lots they close.
            assert outcome.cost * one.residual == one.deficit * sum(outcome.closed)


def test_what_candidates_cannot_cover_is_told() -> None:
    outcomes = {o.mechanism: o for o in adl.compare(made((1, 3, "110", "100"), residual=50)).outcomes}
    assert (outcomes["pro_rata"].closed, outcomes["pro_rata"].uncovered_lots) == ((3,), 47)
    assert list(outcomes["haircut"].paid) == [30]
    assert outcomes["haircut"].uncovered == 20


def test_losers_and_accounts_without_equity_are_left_alone() -> None:
    one = made((1, 3, "90", "100"), (2, 3, "110", "0"), (3, 3, "110", "-5"), (4, 3, "110", "50"), residual=4)
    for outcome in adl.compare(one).outcomes:
        assert {c.id for c, x in zip(one.candidates, outcome.paid, strict=True) if x} == {4}


def test_a_band_moves_the_price_and_the_fund_pays_the_rest() -> None:
    one = made((1, 3, "130", "100"), residual=2, bankruptcy=Fraction(110), band=Fraction("0.05"))
    outcome = adl.compare(one, ["queue"]).outcomes[0]
    assert [outcome.price, outcome.cost, outcome.fund] == [105, 10, 10]
    at_mark = made((1, 3, "130", "100"), residual=2, bankruptcy=Fraction(110), price="mark")
    outcome = adl.compare(at_mark, ["queue", "haircut"]).outcomes[0]
    assert [outcome.price, outcome.cost, outcome.fund] == [100, 0, 20]
    assert outcome.concentration.top_1 == 1


def test_a_round_of_longs_mirrors_one_of_shorts() -> None:
    rows = tuple(adl.Candidate(n, 5, Fraction(entry), Fraction(90)) for n, entry in ((1, 80), (2, 95)))
    one = adl.Round("long", 4, Fraction(100), Fraction(98), rows)
    outcome = adl.compare(one, ["haircut"]).outcomes[0]
    assert one.deficit == sum(outcome.paid) == 8
    assert outcome.paid == (Fraction("6.40"), Fraction("1.60"))


def test_the_order_of_the_candidates_does_not_matter() -> None:
    one = adl.synthetic_round(9, seed=3)
    turned = adl.Round("short", one.residual, one.mark, one.bankruptcy, tuple(reversed(one.candidates)))
    for there, back in zip(adl.compare(one).outcomes, adl.compare(turned).outcomes, strict=True):
        assert (there.closed, there.paid) == (back.closed[::-1], back.paid[::-1])


def test_the_capped_rule_may_turn_the_richest_behind_the_next() -> None:
    # A published uniqueness claim asks for a monotone rule; with unequal caps capped pro-rata is none.
    one = made((1, 1, "108", "8"), (2, 1, "115", "2"), (3, 1, "116", "4"), bankruptcy=Fraction(108))
    outcome = adl.compare(one, ["haircut"]).outcomes[0]
    left = [one.profit(c) - x for c, x in zip(one.candidates, outcome.paid, strict=True)]
    assert left == [6, 13, 12]
    assert outcome.inversions == 1


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("r.csv", CSV.replace("7,4,120", "7,4,1x0"), "r.csv: line 8: entry: '1x0' is not an exact number"),
        ("r.csv", CSV.replace("7,4,120", "7,4.5,120"), "line 8: lots: 4.5 is not whole"),
        ("r.csv", CSV.replace("5,10,", "7,10,"), "line 11: id: 7 is that of line 8 too"),
        ("r.csv", CSV.replace("3,2,110", "3,-2,110"), "line 9: lots: -2 is not above zero"),
        ("r.csv", CSV.replace("3,2,110,50,2", "3,2,110"), "line 9: has not as many values as the header"),
        ("r.csv", CSV.replace("entry", "entri"), "line 8: entry: is missing; give id, lots, entry, equity"),
        ("r.csv", CSV.replace("other_delta", "colour").replace(",2\n", ",red\n"), "line 9: colour: is unknown"),
        ("r.csv", CSV.replace("# mark = 100\n", ""), "mark: is missing; give side, residual, mark, bankruptcy"),
        ("r.csv", CSV.replace("mark = 100", "mark = dear"), "line 4: mark: 'dear' is not an exact number"),
        ("r.csv", CSV.replace("# mark = 100", "# side = long"), "line 4: side was given in line 2"),
        ("r.csv", CSV.replace("side = short", "side = up"), "side: 'up' is unknown; give long or short"),
        ("r.csv", CSV.replace("# residual", "# colour = red\n# residual"), "colour: is unknown"),
        ("r.csv", CSV.partition("\n\n")[0], "candidates: there are none"),
        ("r.csv", CSV + '6,1,"105,9,\n', "unexpected end of data"),
        ("r.json", "[]", "candidates: is no list"),
        ("r.json", "{", "is no JSON"),
        ("r.json", '{"candidates": [3]}', r"candidates\[0\]: 3 is no object"),
        (
            "r.json",
            '{"candidates": [{"id": 1, "lots": 1, "entry": NaN, "equity": 1}]}',
            r"candidates\[0\]: entry: 'NaN'",
        ),
        ("r.txt", "", "ends in neither .json nor .csv"),
    ],
    ids=range(19),
)
def test_what_is_no_round_is_refused_with_line_field_value_and_remedy(
    tmp_path: Path, name: str, text: str, part: str
) -> None:
    with pytest.raises(adl.LabError, match=part):
        adl.read_round(written(tmp_path, name, text))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"residual": 0}, "residual: 0 is not above zero"),
        ({"mark": Fraction(-1)}, "mark: -1 is not above zero"),
        ({"band": Fraction(2)}, "band: 2 is not a share"),
        ({"price": "index"}, "price: 'index' is unknown; give bankruptcy or mark"),
        ({"candidates": ()}, "candidates: there are none"),
    ],
    ids=range(5),
)
def test_a_round_made_by_hand_is_checked_too(change: dict[str, Any], part: str) -> None:
    one = made((1, 1, "110", "10"))
    with pytest.raises(adl.LabError, match=part):
        adl.Round(**(vars(one) | change))


def test_mechanisms_are_named_once_and_known() -> None:
    one = made((1, 1, "110", "10"))
    for names, part in ((["queue", "queue"], "queue is given twice"), (["kue"], "'kue' is unknown"), ([], "none were")):
        with pytest.raises(adl.LabError, match=part):
            adl.compare(one, names)


def test_what_does_not_fit_in_64_bits_is_refused() -> None:
    with pytest.raises(adl.LabError, match="do not fit in 64 bits"):
        adl.compare(made((1, 10**15, "1000000.000001", "10")))
    with pytest.raises(adl.LabError, match="more than six decimals"):
        adl.compare(made((1, 1, "110", "10"), band=Fraction("0.0000001")))


def test_a_picture_is_a_page_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    table = adl.compare(adl.synthetic_round(), ["queue", "haircut"])
    write_picture(table, tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "haircut" in page
    assert "synthetic, seed 1" in page
    for name, part in (("out.gif", "ends in none of"), ("no/out.html", "make the folder first")):
        with pytest.raises(adl.LabError, match=part):
            write_picture(table, tmp_path / name)
