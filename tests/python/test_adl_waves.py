"""The published waves: every total re-added from the files, to the cent."""

import csv
from decimal import Decimal
from fractions import Fraction
from importlib import resources

import pytest

from seawall import adl

DATA = resources.files("seawall") / "data" / "oct10-adl-waves"
TABLE = {
    "production": ("53782490.53", "11077031.68", "64859522.21"),
    "contract pro-rata": ("3020120.65", "384064.35", "3404185.00"),
    "vector mirror descent": ("1793022.03", "2620345.57", "4413367.61"),
    "min-max ILP": ("106205.81", "0.00", "106205.81"),
    "continuous pro-rata": ("0.00", "2732437.29", "2732437.29"),
}


@pytest.fixture(scope="module")
def study() -> adl.Study:
    return adl.waves()


def rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(DATA.joinpath(name).read_text(encoding="utf-8").splitlines()))


def test_the_policy_table_is_the_published_one_to_the_cent(study: adl.Study) -> None:
    table = {row["policy"]: (row["tracking"], row["fairness"], row["total"]) for row in study.to_dict()["policies"]}
    assert table == TABLE
    for policy in study.policies:
        assert policy.agrees
        assert tuple(map(str, policy.published.values())) == TABLE[policy.name]


def test_production_is_over_and_under_as_re_added(study: adl.Study) -> None:
    production = study.to_dict()["policies"][0]
    assert (production["over"], production["under"]) == ("49405578.12", "4376912.41")


def test_every_published_figure_comes_out_in_its_own_digits(study: adl.Study) -> None:
    assert [figure.name for figure in study.figures if figure.agrees is False] == []
    assert study.agrees
    written = {row["name"]: row["value"] for row in study.to_dict()["figures"]}
    assert written["path_variation"] == "7.059523"
    assert written["deficit_norm"] == "33356243.10"
    assert written["envelope"] == "129699802.43"
    assert (written["net"], written["ilp_net"]) == ("45028665.72", "92186.99")
    assert (written["deficit"], written["queue_overshoot"]) == ("100063386.69", "653552663.51")


def test_a_figure_that_is_off_by_a_cent_does_not_agree(study: adl.Study) -> None:
    production = study.policies[0]
    off = adl.Policy(
        production.name, production.over + Fraction("0.01"), production.under, production.fairness, production.published
    )
    assert not off.agrees
    figure = adl.Figure("x", "x", "usd", Fraction("45028665.725"), Decimal("45028665.72"), "")
    assert figure.agrees is False
    assert adl.Figure("x", "x", "usd", Fraction("150499999"), Decimal("1.50E+8"), "").agrees


def test_the_readings_are_filled_with_what_is_re_added(study: adl.Study) -> None:
    text = {reading.claim: reading.meaning for reading in study.readings}
    assert not any(mark in meaning for meaning in text.values() for mark in "{}")
    deficit = text["Deficit of $100.1M in 16 waves"]
    for part in ("9 of 16", "10925707.159377944", "4.0 minutes", "$12,657,729.41", "$1,732,022.25"):
        assert part in deficit
    overshoot = text["Production overshot by $45.0M"]
    for part in ("The 6 waves", "$1,050,653.76", "$4,844,691.12", "-$3,794,037.36", "3.0 to 43.8 s", "$32,864,909.56"):
        assert part in overshoot
    assert "$2.82" in next(meaning for claim, meaning in text.items() if claim.startswith("Integer rounding"))
    assert "31,152 of 34,983" in text["The 16 waves are the event"]
    assert {reading.basis for reading in study.readings} == {"re-added", "records"}


def test_the_files_agree_with_each_other(study: adl.Study) -> None:
    gaps: dict[int, Fraction] = {}
    for row in rows("wave_coin_gap.csv"):
        gaps[int(row["wave"])] = gaps.get(int(row["wave"]), Fraction(0)) + Fraction(row["gap_usd_x_qty"])
    assert all(abs(gaps[wave.number] - wave.needed) < Fraction("0.000001") for wave in study.waves)
    for row in rows("policy_per_wave.csv"):
        for column in ("prod", "pr", "vector", "contract_pr", "fixed_point_ilp_integer"):
            error = Fraction(row[f"budget_{column}"]) - Fraction(row["budget_needed"])
            assert abs(error - Fraction(row[f"overshoot_{column}"])) < Fraction("0.000001")
    for row in rows("per_coin_shocks.csv"):
        budget, deficit = Fraction(row["budget_queue_usd"]), Fraction(row["deficit_usd"])
        assert abs(max(budget - deficit, Fraction(0)) - Fraction(row["overshoot_queue_usd"])) < Fraction("0.00001")
        assert abs(max(deficit - budget, Fraction(0)) - Fraction(row["residual_queue_usd"])) < Fraction("0.00001")


def test_nothing_of_the_table_stands_in_the_code() -> None:
    source = resources.files("seawall").joinpath("adl", "study.py").read_text(encoding="utf-8")
    code = (
        "".join(line for line in source.splitlines() if "64,859,522.21" not in line).replace("_", "").replace(",", "")
    )
    for figures in TABLE.values():
        for figure in figures:
            assert figure == "0.00" or figure.partition(".")[0] not in code


def test_it_says_that_no_policy_is_rerun(study: adl.Study) -> None:
    assert "No policy is rerun" in study.to_dict()["note"]
    assert DATA.joinpath("LICENSE").read_text(encoding="utf-8").count("MIT License") == 1
