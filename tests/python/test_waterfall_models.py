"""Choices of the waterfall: what people write, the integers that the core reads, and that the core takes them."""

from typing import Any

import pytest

import seawall
from seawall.models import VenueProfile, load_profile


def profile(liquidation: dict[str, Any] | None = None, **change: Any) -> VenueProfile:
    """Return the reference profile with choices of its first market and of the venue."""
    data = load_profile("reference").model_dump(mode="json")
    data["markets"][0]["liquidation"] |= liquidation or {}
    return VenueProfile.model_validate(data | change)


def test_defaults_are_left_out() -> None:
    config = profile().config()
    assert config["markets"][0]["liquidation"].keys() == {
        "enabled",
        "slice_ppm",
        "slice_qty_min",
        "full_below",
        "fee_ppm",
        "fund_limit_ppm",
    }
    assert all(fund.keys() == {"name"} for fund in config["funds"])
    assert "claims" not in config


@pytest.mark.parametrize(
    ("key", "written", "read"),
    [
        (
            "policy",
            {"type": "schedule", "qty_max": "2.5", "cooldown": "30s", "during": "wait"},
            {"type": "schedule", "lot": 1, "qty_max": 2500, "cooldown_ns": 30 * 10**9, "during": "wait"},
        ),
        ("policy", {"type": "tier"}, {"type": "tier"}),
        ("policy", {"type": "restore", "buffer": "0.02"}, {"type": "restore", "buffer_ppm": 20_000}),
        (
            "policy",
            {"type": "ramp", "buffer": "0.02", "duration": "60s", "initial": "0.1", "full_below": "50"},
            {
                "type": "ramp",
                "buffer_ppm": 20_000,
                "duration_ns": 60 * 10**9,
                "initial_ppm": 100_000,
                "full_below": 50_000_000,
            },
        ),
        ("limit", {"type": "none"}, {"type": "none"}),
        (
            "limit",
            {"type": "fillable", "adjustment": "1", "spread": "1.5"},
            {"type": "fillable", "adjustment_ppm": 1_000_000, "spread_ppm": 1_500_000},
        ),
        (
            "limit",
            {"type": "dutch", "start": "1.2", "curve": {"type": "stairstep", "factor": "0.99", "step": "90s"}},
            {
                "type": "dutch",
                "start_ppm": 1_200_000,
                "curve": {"type": "stairstep", "factor_ppm": 990_000, "step_ns": 90 * 10**9},
            },
        ),
        (
            "limit",
            {"type": "dutch", "start": "1.2", "curve": {"type": "linear", "duration": "6h"}},
            {"type": "dutch", "start_ppm": 1_200_000, "curve": {"type": "linear", "duration_ns": 21_600 * 10**9}},
        ),
        (
            "fee_rule",
            {"type": "margin_left", "liquidator": 3, "liquidator_fee": "0.01"},
            {"type": "margin_left", "liquidator": 3, "liquidator_ppm": 10_000},
        ),
        ("takeover", "mark", "mark"),
        (
            "assignment",
            {"price": "mark", "order": "queue"},
            {"price": "mark", "order": "queue", "stage": "before_fund"},
        ),
    ],
)
def test_a_market_choice_becomes_integers_that_the_core_takes(key: str, written: Any, read: Any) -> None:
    config = profile({key: written}).config()
    assert config["markets"][0]["liquidation"][key] == read
    assert seawall.Venue.from_config(config).audit()["ok"]


def test_a_share_of_the_portfolio_is_a_rule_of_all_markets() -> None:
    data = load_profile("reference").model_dump(mode="json")
    for market in data["markets"]:
        market["liquidation"]["policy"] = {"type": "portfolio_share", "step": "0.2", "target": "0.9", "penalty": "0.5"}
    config = VenueProfile.model_validate(data).config()
    assert config["markets"][1]["liquidation"]["policy"]["step_ppm"] == 200_000
    assert seawall.Venue.from_config(config).audit()["ok"]


def test_funds_and_the_last_resort_become_integers_that_the_core_takes() -> None:
    drawdown = {"trigger": "0.3", "stop": "0.25", "inclusive": True, "window": "8h"}
    terms = {"rate_step": "0.001", "rounding": "ceil", "fee_pool": True}
    fund = load_profile("reference").funds[0].name
    names = [f.name for f in load_profile("reference").funds[1:]]
    funds = [{"name": fund, "cap": "1000", "paid_max": "10", "drawdown": drawdown}, *({"name": n} for n in names)]
    config = profile(funds=funds, last_resort={"two_sided": terms}, claims=True).config()
    assert config["funds"][0] == {
        "name": fund,
        "cap": 10**9,
        "paid_max": 10**7,
        "drawdown": {"trigger_ppm": 300_000, "stop_ppm": 250_000, "inclusive": True, "window_ns": 28_800 * 10**9},
    }
    assert config["last_resort"] == {"two_sided": {"rate_step": 1000, "rounding": "ceil", "fee_pool": True}}
    assert config["claims"] is True
    assert seawall.Venue.from_config(config).audit()["ok"]


def test_a_settlement_becomes_integers_that_the_core_takes() -> None:
    data = load_profile("reference").model_dump(mode="json")
    data["markets"][0]["settlement"] = {"price": {"average": {"window": "30m"}}, "reduce_only": "1h", "notice": "1d"}
    data["markets"][1]["settlement"] = {"price": "mark"}
    config = VenueProfile.model_validate(data).config()
    hour = 3600 * 10**9
    assert config["markets"][0]["settlement"] == {
        "price": {"average": {"window_ns": hour // 2}},
        "reduce_only_ns": hour,
        "notice_ns": 24 * hour,
    }
    assert config["markets"][1]["settlement"] == {"price": "mark", "reduce_only_ns": 0, "notice_ns": None}
    assert seawall.Venue.from_config(config).audit()["ok"]


def test_limits_and_the_gate_become_integers_that_the_core_takes() -> None:
    limits = {
        "period": "1s",
        "position": {"share": "0.1", "notional_min": "1000"},
        "account_fund_loss": "1.5",
        "rounds": 50,
    }
    gate = {"duration": "50s", "trigger": "negative_equity"}
    config = profile(block_limits=limits, withdrawal_gate=gate, last_resort="socialise_equity").config()
    assert config["block_limits"] == {
        "period_ns": 10**9,
        "position": {"share_ppm": 100_000, "notional_min": 10**9},
        "account_notional": None,
        "account_fund_loss": 1_500_000,
        "rounds": 50,
        "adl_rounds": None,
    }
    assert config["withdrawal_gate"] == {"duration_ns": 50 * 10**9, "trigger": "negative_equity"}
    assert seawall.Venue.from_config(config).audit()["ok"]


def test_limits_may_hold_in_some_phases_alone() -> None:
    config = profile(block_limits={"account_notional": 5, "phases": ["guarded", "cooling_off"]}).config()
    assert config["block_limits"]["phases"] == ["guarded", "cooling_off"]
    assert seawall.Venue.from_config(config).audit()["ok"]
    with pytest.raises(ValueError, match="halted"):
        profile(block_limits={"account_notional": 5, "phases": ["halted"]})


def test_bands_of_adl_become_integers_that_the_core_takes() -> None:
    data = load_profile("reference").model_dump(mode="json")
    bands = {"size_band": {"share": "0.25", "window": "60s"}, "cooldown": "1s", "exempt": ["group", "backstop"]}
    data["markets"][0]["adl"] |= {"method": "rank_bands"} | bands
    data["markets"][1]["adl"] |= {"method": "pro_rata", "carry": True}
    config = VenueProfile.model_validate(data).config()
    adl = config["markets"][0]["adl"]
    assert adl["size_band"] == {"share_ppm": 250_000, "window_ns": 60 * 10**9}
    assert (adl["cooldown_ns"], adl["exempt"], "carry" in adl) == (10**9, ["group", "backstop"], False)
    assert config["markets"][1]["adl"]["carry"] is True
    assert seawall.Venue.from_config(config).audit()["ok"]


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"account_fund_loss": "0.0000001"}, "block_limits.account_fund_loss"),
        ({"position": {"share": "0.0000001", "notional_min": 0}}, "block_limits.position.share"),
    ],
)
def test_a_limit_that_is_not_whole_units_is_refused_by_its_field(limits: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        profile(block_limits=limits).config()
