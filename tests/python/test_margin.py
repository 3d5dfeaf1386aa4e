"""Margin and collateral from Python: vectors, profiles, what can be read of an account."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from seawall import Side, Venue, _core, commands
from seawall.errors import CommandError, ConfigError
from seawall.models import load_profile
from seawall.protocol import EventKind
from seawall.vectors import conform

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests/vectors"


def test_every_margin_vector_passes_and_none_is_left_out() -> None:
    result = conform([VECTORS / "margin.jsonl"])
    assert (result["passed"], result["failed"], result["unsupported"]) == (19, 0, 0), result


def test_prices_of_liquidation_and_bankruptcy_pass_for_linear_and_inverse_contracts() -> None:
    topics = conform([VECTORS / "liquidation.jsonl"])["by_topic"]
    counts = {name: [topics[name][n] for n in ("passed", "failed", "unsupported")] for name in topics}
    assert counts["liquidation.bankruptcy_quote"] == [8, 0, 0]
    assert counts["liquidation.price"] == [7, 0, 0]


@pytest.mark.parametrize(
    "function",
    ["open_interest_rate_down", "size_premium_down", "size_discount_down", "deposit_scaled", "tier_deduction"],
)
def test_the_venue_calls_every_function_that_the_weights_and_rates_run(function: str) -> None:
    called = re.compile(rf"(?<!fn )\b{function}\(")
    core = [path for path in (ROOT / "rust/core/src").rglob("*.rs") if path.name != "rates.rs"]
    assert any(called.search(path.read_text(encoding="utf-8").partition("#[cfg(test)]")[0]) for path in core)


def weight(tmp_path: Path, given: dict[str, Any], expect: str) -> dict[str, Any]:
    file = tmp_path / "w.jsonl"
    line = {"id": "w", "topic": "margin.weight", "given": given, "expect": {"weight": expect}}
    file.write_text(json.dumps(line), encoding="utf-8")
    return conform([file])


def test_an_unknown_rule_and_a_wrong_weight_fail(tmp_path: Path) -> None:
    given = {"rule": "size_discount", "base": "0.9", "factor": "0.01", "size": "1000"}
    assert weight(tmp_path, given, "0.8358")["failed"] == 1
    assert weight(tmp_path, given | {"rule": "colour"}, "0.8357")["failed"] == 1
    assert weight(tmp_path, given | {"start": "1"}, "0.8357")["failed"] == 1
    assert weight(tmp_path, {"rule": None}, "0.8357")["failed"] == 1


RULES = {
    "liquidation_exit": "1.2",
    "withdrawal_notional": "0.1",
    "markets.BTC.margin.open_interest.lower": "25_000_000",
    "markets.BTC.margin.open_interest.upper": "60_000_000",
    "markets.BTC.margin.size.type": "root",
    "markets.BTC.margin.size.initial": "0.001",
    "markets.BTC.margin.size.maintenance": "0.0005",
    "markets.BTC.margin.account_leverage": "true",
}


def test_a_profile_says_the_rules_in_units_of_people() -> None:
    profile = load_profile("reference", set=[f"{key}={value}" for key, value in RULES.items()])
    config = profile.config()
    lots = int(1 / profile.markets[0].lot_size)
    assert (config["liquidation_exit_ppm"], config["withdrawal_notional_ppm"]) == (1_200_000, 100_000)
    assert config["markets"][0]["margin"] == {
        "open_interest": {"lower": profile.amount(25_000_000), "upper": profile.amount(60_000_000)},
        "size": {"type": "root", "initial_ppb": 1_000_000, "maintenance_ppb": 500_000, "unit": lots},
        "account_leverage": True,
    }
    assert json.loads(_core.Venue(profile.to_json()).config()) == config


COLLATERAL = """
extends = "reference"
name = "collateral"
[[assets]]
name = "USD"
decimals = 6
deposits_max = "1_000_000_000"
[[assets]]
name = "USDE"
decimals = 4
deposits_max = "1_000_000"
[assets.collateral]
market = "BTC"
weight = "0.9"
price = "mark"
price_floor = "0.5"
cap = "500_000"
size_discount = "0.001"
deposit_scale_start = "100_000"
redemption = { value = "0.99" }
"""


def test_a_profile_says_what_an_asset_counts_for(tmp_path: Path) -> None:
    file = tmp_path / "collateral.toml"
    file.write_text(COLLATERAL, encoding="utf-8")
    profile = load_profile(file)
    rules = profile.config()["assets"][1]["collateral"]
    assert rules == {
        "market": 0,
        "value_num": 10,
        "value_den": 1,
        "weight_ppm": 900_000,
        "price": "mark",
        "price_floor": 5,
        "redemption": {"market": None, "value_num": 99, "value_den": 1},
        "cap": 5_000_000_000,
        "size_discount": {"factor_ppb": 1_000_000, "unit": 10_000},
        "deposit_scale_start": 100_000_000_000,
    }
    assert json.loads(_core.Venue(profile.to_json()).config()) == profile.config()


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("markets.BTC.margin.open_interest={lower = '5', upper = '5'}", "margin.open_interest"),
        ("liquidation_exit=0.9", "liquidation_exit_ppm: 900000"),
        ("withdrawal_notional=2", "withdrawal_notional_ppm: 2000000"),
        ("markets.BTC.margin.size={type = 'cube', initial = '0', maintenance = '0'}", "margin.size"),
    ],
)
def test_rules_that_cannot_work_are_refused(override: str, told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        Venue("reference", set=[override])


def test_room_and_liquidation_prices_are_those_of_the_next_order_and_the_next_mark() -> None:
    venue = Venue("reference", set=["markets.BTC.margin.account_leverage=true"])
    assert venue.profile is not None
    most = venue.profile.config()["markets"][0]["position_max"]
    at = {"at": 0, "market": 0}
    venue.apply(
        commands.batch(
            commands.open_account(at=0, count=2, group=1),
            commands.deposit(at=0, account=[0, 1], amount=[10**9, 10**13]),
            commands.index(**at, price=600_000),
            commands.set_phase(**at, phase=1),
            commands.block(**at, buyer=0, seller=1, price=600_000, qty=100),
            commands.place(**at, account=0, side=Side.BUY, price=500_000, qty=7),
        )
    )
    room = venue.room(0, "BTC")
    assert (room.buy, room.sell) == (most - 107, most + 100)
    table = venue.liquidation_prices(0)
    assert table["market"].tolist() == [0]
    price = int(table["price"][0])
    calm = venue.apply(commands.index(**at, price=price + 1))
    assert EventKind.LIQUIDATION_STARTED not in calm["kind"]
    struck = venue.apply(commands.index(**at, price=price))
    assert EventKind.LIQUIDATION_STARTED in struck["kind"]


def test_leverage_and_transfers_are_commands() -> None:
    venue = Venue("reference", set=["markets.BTC.margin.account_leverage=true"])
    events = venue.apply(
        commands.batch(
            commands.open_account(at=0, count=2, group=1),
            commands.deposit(at=0, account=0, amount=100),
            commands.set_leverage(at=0, market=0, account=0, leverage=3),
            commands.transfer(at=0, account=0, to=1, amount=40),
        )
    )
    assert events["kind"].tolist()[-2:] == [EventKind.LEVERAGE_SET, EventKind.TRANSFERRED]
    assert venue.accounts()["balance"].tolist() == [60, 40]
    assert venue.audit()["ok"]


def test_unknown_accounts_are_refused() -> None:
    venue = Venue("reference")
    for account in (0, -1, 2**32, 1.5):
        with pytest.raises(CommandError, match="account: "):
            venue.liquidation_prices(account)  # type: ignore[arg-type] # wrong on purpose
        with pytest.raises(CommandError, match="account: "):
            venue.room(account, 0)  # type: ignore[arg-type] # wrong on purpose
