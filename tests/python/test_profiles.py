"""Venue profiles: every parameter has an origin, and a venue's own worked examples come out of the running venue.

A worked example is played with the profile as it is; where the example is of another day, or chooses a parameter of its
own, the test sets that over the profile and says so.
"""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seawall
from seawall import EventKind, OrderType, Side, commands, profiles
from seawall.errors import ConfigError, ScenarioError
from seawall.models import load_profile, profile_names
from seawall.profiles.compare import dated_profiles

from conftest import SMALL
from play import BANK, Play

DATED = dated_profiles()


def brackets(market: str, *rows: tuple[str, str, str]) -> str:
    tiers = ",".join(f'{{lower="{a}",initial="{b}",maintenance="{c}"}}' for a, b, c in rows)
    return f"markets.{market}.tiers=[{tiers}]"


# What a file says, and what is wrong with it.


def test_nine_venues_have_a_dated_profile() -> None:
    venues = {"binance", "bybit", "okx", "hyperliquid", "bitmex", "deribit", "dydx", "drift", "paradex"}
    assert set(DATED) == venues


@pytest.mark.parametrize("name", DATED)
def test_every_parameter_has_an_origin(name: str) -> None:
    told = profiles.describe(name)
    assert len(told.parameters) > 80
    for row in told.parameters:
        assert row.origin is not None, row.path
        assert row.origin.source in {None, *told.profile.sources}
    used = {row.origin.source for row in told.parameters if row.origin} | {gap.source for gap in told.profile.gaps}
    assert used >= set(told.profile.sources), "a source that nothing comes from"
    assert len(told.profile.gaps) >= 5


@pytest.mark.parametrize("name", profile_names())
def test_a_description_is_one_json_object(name: str) -> None:
    out = json.loads(json.dumps(profiles.describe(name).to_dict()))
    assert {"name", "description", "date", "parameters", "gaps", "sources"} == set(out)
    assert (out["date"] is None) == (name not in DATED)


def test_a_parameter_is_found_by_its_path() -> None:
    told = profiles.describe("hyperliquid")
    row = told.parameter("markets.ETH.tiers.0.maintenance")
    assert (row.value, row.origin and row.origin.confidence, row.origin and row.origin.source) == (
        "0.02",
        "document",
        "tiers",
    )
    with pytest.raises(ConfigError, match=r"markets\.ETH\.index: hyperliquid sets no such parameter"):
        told.parameter("markets.ETH.index")


def test_what_is_set_over_a_file_has_no_source_any_more() -> None:
    profile = load_profile("hyperliquid", set=["markets.0.fees.taker=0.0004", "limits.orders_max=5", "seed=7"])
    origins = [origin for origin in profile.origins if origin.confidence == "override"]
    assert [origin.paths for origin in origins] == [("markets.BTC.fees.taker",)]
    assert origins[0].date == profile.date


def test_a_new_rule_may_be_set_over_a_file() -> None:
    profile = load_profile("binance", set=["markets.BTC.margin.account_leverage=true"])
    assert profile.market("BTC").margin.account_leverage


def written(**over: Any) -> dict[str, Any]:
    """Return a profile as it is written in a file, with keys set over it."""
    data: dict[str, Any] = json.loads(load_profile("hyperliquid").model_dump_json(exclude_unset=True))
    return data | over


@pytest.mark.parametrize(
    ("over", "why"),
    [
        ({"schema_version": 2}, r"schema_version: 2: input should be 1"),
        ({"date": None}, r"date: is missing; a profile with sources says which day it describes"),
        ({"date": "10 October 2025"}, r"date: '10 October 2025' is not a day; write it like 2025-10-10"),
        ({"date": "2025-13-01"}, r"date: '2025-13-01' is not a day"),
        ({"date": 20251010}, r"date: 20251010 is not a day"),
        ({"date": "2024-01-01"}, r"origins\[0\]\.date: 2026-11-30 is after 2024-01-01, the day of the profile"),
        ({"origins": []}, r"levels\.backstop, backstop, last_resort and \d+ more: has no source"),
        ({"sources": {}}, r"origins\[1\]\.source: 'liquidations' is not there; known: none"),
        (
            {"gaps": [{"rule": "a", "kind": "simplified", "instead": "b", "source": "x"}]},
            r"gaps\[0\]\.source: 'x' is not",
        ),
        ({"gaps": [{"rule": "a", "kind": "unknown", "instead": "b"}]}, r"gaps\[0\]\.kind: 'unknown'"),
    ],
    ids=lambda value: next(iter(value)) + "=" + str(next(iter(value.values())))[:20] if isinstance(value, dict) else "",
)
def test_a_profile_without_its_evidence_is_refused_by_field(over: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load_profile(written(**over))


@pytest.mark.parametrize(
    ("origin", "why"),
    [
        ({"paths": []}, r"origins\[\d+\]\.paths: \[\]"),
        ({"paths": ["markets.SOL.fees"]}, r"origins\[\d+\]\.paths: 'markets\.SOL\.fees' is no parameter that the file"),
        ({"confidence": "certain"}, r"origins\[\d+\]\.confidence: 'certain'"),
        ({"source": None}, r"origins\[\d+\]: source: is missing; confidence 'document' needs one"),
        ({"confidence": "assumption"}, r"origins\[\d+\]: source: 'adl': assumption has no source"),
        ({"confidence": "assumption", "source": None}, r"origins\[\d+\]: note: is missing; an assumption says why"),
        ({"date": "2026-11-31"}, r"origins\[\d+\]\.date: '2026-11-31' is not a day"),
        ({"colour": "red"}, r"origins\[\d+\]: unknown key 'colour'"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_an_origin_that_says_nothing_is_refused(origin: dict[str, Any], why: str) -> None:
    good = {"paths": ["last_resort"], "confidence": "document", "date": "2026-11-30", "source": "adl"}
    data = written()
    data["origins"].append(good | origin)
    with pytest.raises(ConfigError, match=why):
        load_profile(data)


def test_the_last_origin_of_a_parameter_counts() -> None:
    data = written()
    last = {"paths": ["markets.*.fees.taker"], "confidence": "code", "date": "2026-10-01", "source": "adl"}
    data["origins"].append(last)
    told = profiles.describe(data)
    found = told.parameter("markets.ETH.fees.taker").origin
    assert found is not None
    assert found.confidence == "code"
    maker = told.parameter("markets.ETH.fees.maker").origin
    assert maker is not None
    assert maker.confidence == "assumption"


# One scenario through several profiles.


@pytest.mark.parametrize("name", DATED)
def test_a_profile_runs_a_scenario(name: str) -> None:
    run = seawall.replay(SMALL, accounts=1000, set=[f"venue={name}"])
    assert run.conservation["ok"]
    assert run.profile.name == name
    assert run.summary["liquidated_notional_usd"] > 0


def test_profiles_are_compared_on_the_same_accounts() -> None:
    steps: list[tuple[str, int, int]] = []
    comparison = profiles.compare(
        ["reference", "hyperliquid"], scenario=SMALL, accounts=1000, progress=lambda *step: steps.append(step)
    )
    assert comparison.conserved
    reference, other = comparison.outcomes
    assert (reference.profile, reference.date, other.profile, other.date) == (
        "reference",
        None,
        "hyperliquid",
        "2026-11-30",
    )
    # What one has in its fund the other has in its backstop.
    assert reference.means_start_usd == pytest.approx(other.means_start_usd, abs=0.01)
    assert reference.hedges.accounts == other.hedges.accounts > 0
    assert steps[-1] == ("hyperliquid", 1200, 1200)
    again = profiles.compare(["reference", "hyperliquid"], scenario=SMALL, accounts=1000)
    assert [row.digest for row in again.outcomes] == [row.digest for row in comparison.outcomes]
    assert json.loads(json.dumps(comparison.to_dict()))["outcomes"][1]["hedges"]["total_usd"] == other.hedges.total_usd


def test_a_comparison_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    comparison = profiles.compare(["reference", "bybit"], scenario=SMALL, accounts=300)
    profiles.write_picture(comparison, tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "What those who hedge here lost by it" in page
    assert "bybit" in page


def test_a_hedge_loses_what_its_events_say() -> None:
    run = seawall.replay(SMALL, accounts=2000, set=["fund.to_open_interest=0", "population.hedged_share=0.9"])
    loss = profiles.hedge_loss(run, seconds=30, cost_bps=10)
    assert loss.deleveraged > 0
    given = closed = unhedged = cost = Fraction(0)
    times = run.series["at"].astype(np.int64).tolist()
    hedges = set(run.hedges.tolist())
    for event in run.events.records:
        if event["kind"] == EventKind.ADL_FILL and int(event["account"]) in hedges and event["side"] == Side.BUY:
            market = run.profile.markets[int(event["market"])]
            qty = Fraction(market.lot_size) * int(event["qty"])
            index = run.series[f"{market.name}.index"]
            step = times.index(int(event["at"]))
            then, later = (Fraction(float(index[min(step + wait, len(times) - 1)])) for wait in (0, 30))
            given += Fraction(int(event["amount"]), 10**6)
            closed += qty * Fraction(market.tick_size) * int(event["price"])
            unhedged += qty * (then - later)
            cost += qty * later / 1000
    assert loss.against_mark_usd == pytest.approx(float(given))
    assert loss.closed_usd == pytest.approx(float(closed))
    assert loss.unhedged_usd == pytest.approx(float(unhedged))
    assert loss.rehedge_usd == pytest.approx(float(cost))
    assert loss.total_usd == pytest.approx(float(given + unhedged + cost) + loss.taken_usd)


def test_a_hedge_loss_needs_events() -> None:
    run = seawall.replay(SMALL, accounts=200, events="none")
    with pytest.raises(ScenarioError, match=r"events: the run kept none"):
        profiles.hedge_loss(run)
    with pytest.raises(ScenarioError, match=r"must be at least 0"):
        profiles.hedge_loss(run, seconds=-1)


def test_an_unknown_profile_is_refused_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match=r"did you mean binance"):
        profiles.compare(["reference", "binanse"], scenario=SMALL)


# Binance


def binance_example() -> Play:
    """Return the two positions of the venue's FAQ, with the brackets that it had then and prices in cents."""
    btc = [
        ("0", "0.008", "0.004"),
        ("50_000", "0.01", "0.005"),
        ("250_000", "0.02", "0.01"),
        ("1_000_000", "0.05", "0.025"),
    ]
    eth = [
        ("0", "0.01", "0.005"),
        ("10_000", "0.013", "0.0065"),
        ("100_000", "0.02", "0.01"),
        ("500_000", "0.04", "0.02"),
    ]
    eth += [("1_000_000", "0.1", "0.05"), ("2_000_000", "0.2", "0.1")]
    play = Play(
        "binance",
        brackets("BTC", *btc),
        brackets("ETH", *eth),
        "markets.BTC.tick_size='0.01'",
        "markets.BTC.price_max=100000",
        user="1_535_443.01",
        bank=BANK,
    )
    play.index(BTC="31967.27", ETH="1335.18")
    play.block("ETH", "user", "bank", "3683.979", "1456.84")
    play.block("BTC", "user", "bank", "109.488", "32481.98")
    play.open()
    return play


def test_binance_maintenance_and_liquidation_prices_of_its_faq() -> None:
    # binance.com/en/support/faq/b3c689c1f50a44cabb3a84e663b81d93, as coded in freqtrade's tests: maintenance of BTC
    # 71,200.811444; liquidation prices 1,153.26 and 26,316.89, to the cent.
    play = binance_example()
    maintenance = play.account("user", "maintenance")
    btc, eth = Decimal("71200.811444"), Decimal("3683.979") * Decimal("1335.18") / 10 - 135_365
    assert maintenance == pytest.approx(btc + eth, abs=Decimal("0.000002"))
    for market, published in (("ETH", "1153.26"), ("BTC", "26316.89")):
        # The venue tells the first mark, in ticks, at which the account is liquidatable: at most a cent below.
        assert 0 <= Decimal(published) - play.liquidation_price("user", market) <= Decimal("0.01")


def test_binance_liquidates_at_that_price_and_not_before() -> None:
    play = binance_example()
    play.index(ETH="1153.26")
    assert not play.events(EventKind.LIQUIDATION_STARTED).size
    play.index(ETH="1153.25")
    assert play.events(EventKind.LIQUIDATION_STARTED, "user").size == 1


# Hyperliquid


def test_hyperliquid_funding_of_its_numerical_example() -> None:
    # docs/trading/funding.md: impact bid 10,100 on an oracle of 10,000: premium 1 %, rate 0.95 % in 8 h, an eighth
    # of it after an hour, on the oracle's notional of 10 contracts of 1 BTC.
    play = Play("hyperliquid", long=BANK, short=BANK)
    play.index(BTC="10000", ETH="1000")
    play.block("BTC", "long", "short", "10", "10000")
    play.open()
    play.wait(3600)
    play.pulse()
    play.seen.clear()
    # A new hour: its only sample is that of the example's book.
    play.place("BTC", "short", Side.BUY, "5", "10100")
    play.place("BTC", "short", Side.SELL, "5", "10200")
    play.index(BTC="10000")
    play.wait(3600)
    play.pulse()
    assert int(play.events(EventKind.FUNDING_SETTLED)["amount"][0]) == 9_500_000
    paid = play.events(EventKind.FUNDING_PAID, "long")
    assert play.money(int(paid["amount"].sum())) == Decimal("118.75")


def test_hyperliquid_sells_a_fifth_of_a_large_position_and_the_rest_within_the_cooldown() -> None:
    # docs/trading/liquidations.md: above 100k USDC only 20 % is sent; for 30 s orders are then for all of it. One
    # round in a step stands for one block.
    play = Play("hyperliquid", "limits.liquidation_rounds_per_step=1", user="25_000", bank=BANK)
    play.index(BTC="100000", ETH="4000")
    play.block("BTC", "user", "bank", "10", "100000")
    play.open()
    play.place("BTC", "bank", Side.BUY, "2", "98200")
    play.index(BTC="98200")
    first = play.events(EventKind.LIQUIDATION_ORDER, "user")
    assert [play.qty(order) for order in first] == [2]
    play.wait(29)
    play.pulse()
    later = play.events(EventKind.LIQUIDATION_ORDER, "user")[1:]
    assert play.qty(later[0]) == 8


def test_hyperliquid_maintenance_is_continuous_over_its_tiers_and_its_liquidation_price_is_its_formula() -> None:
    # docs: maintenance = notional x rate - deduction, deduction = 150M x (0.025 - 0.0125); liq_price = price - side x
    # margin_available / size / (1 - l x side).
    play = Play("hyperliquid", "markets.BTC.position_max=100000", user="20_000_000", small="25_000", bank=BANK)
    play.index(BTC="100000", ETH="4000")
    play.block("BTC", "user", "bank", "2000", "100000")
    play.block("BTC", "small", "bank", "10", "100000")
    assert play.account("user", "maintenance") == 200_000_000 * Decimal("0.025") - 150_000_000 * Decimal("0.0125")
    exact = 100_000 - (25_000 - 12_500) / Decimal(10) / (1 - Decimal("0.0125"))
    assert 0 <= exact - play.liquidation_price("small", "BTC") <= Decimal("0.1")


# Bybit


def test_bybit_maintenance_has_the_deductions_of_its_table() -> None:
    # The margin parameters of BTCUSDT: limit of each tier, maintenance rate in %, deduction.
    table = """2_000_000 0.5 0|2_600_000 0.56 1_200|3_200_000 0.63 3_020|3_800_000 0.67 4_300|4_400_000 0.71 5_820
        5_000_000 0.77 8_460|5_600_000 0.91 15_460|8_500_000 1 20_500|10_000_000 1.3 46_000|14_000_000 1.5 66_000
        20_000_000 1.6 80_000|28_000_000 2 160_000|38_000_000 2.5 300_000|50_000_000 2.9 452_000|55_000_000 3 502_000
        60_000_000 3.5 777_000|65_000_000 3.6 837_000|70_000_000 3.8 967_000|75_000_000 4 1_107_000
        80_000_000 4.5 1_482_000"""
    rows = [[Decimal(cell) for cell in row.split()] for line in table.splitlines() for row in line.split("|")]
    assert len(rows) == 20
    play = Play("bybit", bank=BANK)
    play.index(BTC="100000", ETH="4000")
    for number, (limit, rate, deduction) in enumerate(rows):
        play.join(f"user{number}", "20_000_000")
        play.block("BTC", f"user{number}", "bank", str(limit / 100_000), "100000")
        assert play.account(f"user{number}", "maintenance") == limit * rate / 100 - deduction


def bybit_pool(loss_per_unit: int, pool: str, *overrides: str) -> Play:
    """Return a pool beside a long of 100 BTC that lost so much more per unit than it had, bid for at the mark."""
    play = Play("bybit", *overrides, user="250_000", winner=BANK, bidder=BANK)
    play.lose_beyond(loss_per_unit, pool)
    return play


def test_bybit_winners_pay_what_is_beyond_the_line_of_the_pool() -> None:
    # adl-alert.mdx, example 1: the pool has 1M, the loss is 350k: -35 %, beyond -30 %. The pool pays 300k, winners
    # 50k: to the lot of 3.50.
    play = bybit_pool(3_500, "1_000_000")
    paid = play.money(int(play.events(EventKind.FUND_PAID)["amount"].sum()))
    given = play.money(int(play.events(EventKind.ADL_FILL, "winner")["amount"].sum()))
    assert 0 <= 300_000 - paid < Decimal("3.5")
    assert paid + given == 350_000
    assert play.account("user", "equity") == 0


@pytest.mark.parametrize(("inclusive", "fires"), [(False, 0), (True, 1)])
def test_bybit_at_exactly_the_line_its_text_and_its_example_differ(inclusive: bool, fires: int) -> None:
    # Example 2: 600k of a pool of 2M is -30 %. The text says ADL below -0.3; the example triggers at -0.30.
    play = bybit_pool(6_000, "2_000_000", f"funds.main.drawdown.inclusive={str(inclusive).lower()}")
    assert play.money(int(play.events(EventKind.FUND_PAID)["amount"].sum())) == 600_000
    assert play.events(EventKind.DRAWDOWN_CHANGED).size == fires


# OKX


def test_okx_closes_thirteen_thousand_of_fifteen_thousand_contracts() -> None:
    # The older help page: tiers of up to 2,000 and 12,000 contracts; 15,000 are cut to 2,000. Here in two steps, one
    # tier each. Rates of the page (2 % in tier 3), contracts of 1 BTC at 100.
    tiers = brackets("BTC", ("0", "0.02", "0.01"), ("200_000.1", "0.03", "0.015"), ("1_200_000.1", "0.04", "0.02"))
    wide = ("markets.BTC.order_qty_max=100000", "markets.BTC.position_max=100000")
    play = Play("okx", tiers, *wide, user="25_000", bank=BANK)
    play.index(BTC="103", ETH="4000")
    play.block("BTC", "user", "bank", "15000", "101")
    play.open()
    play.place("BTC", "bank", Side.BUY, "13000", "100")
    play.index(BTC="100")
    closed = [play.qty(order) for order in play.events(EventKind.LIQUIDATION_ORDER, "user")[:2]]
    assert sum(closed) == 13_000
    assert play.position("user", "BTC") == 2_000


@pytest.mark.parametrize("venue", ["bitmex", "bybit", "okx"])
def test_who_is_cut_down_a_tier_keeps_the_margin(venue: str) -> None:
    # Only the take-over of a whole position leaves the margin to the fund: at these venues a partial liquidation is an
    # order on behalf of the account.
    tiers = brackets("BTC", ("0", "0.02", "0.01"), ("200_000.1", "0.03", "0.015"))
    play = Play(venue, tiers, user="6_000", bank=BANK)
    play.index(BTC="103", ETH="20")
    play.block("BTC", "user", "bank", "3000", "101")
    play.open()
    play.place("BTC", "bank", Side.BUY, "3000", "100")
    play.index(BTC="100")
    assert play.position("user", "BTC") == 2_000
    assert play.account("user", "equity") == 3_000
    assert not play.events(EventKind.FUND_RECEIVED).size


def test_okx_deleverages_at_the_mark_and_at_the_bankruptcy_price_once_the_fund_is_empty() -> None:
    # Help page: matched at the mark. The survey: at the bankruptcy price only if the fund is nearly empty.
    prices = []
    for fund in ("1_000_000", "0.5"):
        play = Play("okx", user="2_000", winner=BANK)
        play.fund(fund)
        play.index(BTC="100000", ETH="4000")
        play.block("BTC", "user", "winner", "1", "100000")
        play.open()
        play.index(BTC="97000")
        (fill,) = play.events(EventKind.ADL_FILL, "winner")
        prices.append((int(play.profile.market("BTC").price(int(fill["price"]))), int(play.money(int(fill["amount"])))))
    assert prices == [(97_000, 0), (98_000, 1_000)]


def test_a_fallback_does_not_go_with_quotes() -> None:
    with pytest.raises(ConfigError, match=r"adl\.fallback: bankruptcy: does not go with offset"):
        seawall.Venue("okx", set=["markets.BTC.adl.method=offset"])


# BitMEX


def bitmex_queue() -> Play:
    """Return six longs of the venue's example, ranked as there, and a short of 20 with bankruptcy price 650."""
    play = Play("bitmex", bank=BANK, short="1_800")
    play.index(BTC="560", ETH="20")
    # Account, quantity, rank of the example; a higher rank has a lower entry price, leverage is about the same.
    for account, (qty, rank) in enumerate([(10, 3), (10, 6), (20, 1), (30, 4), (20, 5), (10, 2)], start=1):
        play.join(f"long{account}", str(1_000 * qty))
        play.block("BTC", f"long{account}", "bank", str(qty), str(560 - 10 * rank))
    play.block("BTC", "bank", "short", "20", "560")
    play.open()
    return play


def test_bitmex_lights_and_order_of_its_example() -> None:
    # testnet.bitmex.com/app/autoDeleveragingExamples: 2, 5, 4, 1, 6, 3 in the 20, 40, 60, 80, 80, 100 % of quantity.
    play = bitmex_queue()
    play.index(BTC="640")
    rows = play.venue.adl_lights("BTC")
    longs = rows["side"] == Side.BUY
    names = {number: name for name, number in play.people.items()}
    order = [names[int(account)] for account in rows["account"][longs]]
    assert order == ["long2", "long5", "long4", "long1", "long6", "long3"]
    assert rows["light"][longs].tolist() == [1, 2, 3, 4, 4, 5]


def test_bitmex_closes_account_two_and_half_of_account_five_at_650() -> None:
    play = bitmex_queue()
    play.index(BTC="655")
    fills = play.events(EventKind.ADL_FILL)
    closed = {int(fill["account"]): (int(play.qty(fill)), int(fill["price"])) for fill in fills}
    assert closed == {play.people["long2"]: (10, 6_500), play.people["long5"]: (10, 6_500)}
    assert play.position("long5", "BTC") == 10


def test_bitmex_liquidation_of_its_example() -> None:
    # testnet.bitmex.com/app/liquidationExamples: long 1 at 100.00, liquidation price 99.50 (to half a dollar),
    # bankruptcy price 99.00, at which the engine's order stands; a better fill is for the fund.
    play = Play("bitmex", user="1", bank=BANK)
    play.index(BTC="100", ETH="20")
    play.block("BTC", "user", "bank", "1", "100")
    play.open()
    play.place("BTC", "bank", Side.BUY, "1", "99.3")
    exact = play.liquidation_price("user", "BTC")
    assert round(exact * 2) / 2 == Decimal("99.5")
    play.index(BTC="99.4")
    (order,) = play.events(EventKind.LIQUIDATION_ORDER, "user")
    assert (int(order["price"]), int(order["amount"])) == (990, 990)
    assert play.money(int(play.events(EventKind.FUND_RECEIVED)["amount"].sum())) == Decimal("0.3")
    assert play.account("user", "equity") == 0


# Deribit


@pytest.mark.parametrize(
    ("size", "initial", "maintenance"), [("25", "53_125", "28_125"), ("350", "1_312_500", "962_500")]
)
def test_deribit_margin_of_its_linear_perpetual(size: str, initial: str, maintenance: str) -> None:
    # support.deribit.com 25944738177565: BTC_USDC at 100,000; the copy read ends before the last figure, which is
    # that of its formula.
    play = Play("deribit", user="2_000_000", bank=BANK)
    play.index(BTC="100000", ETH="4000")
    play.block("BTC", "user", "bank", size, "100000")
    assert play.account("user", "initial") == Decimal(initial)
    assert play.account("user", "maintenance") == Decimal(maintenance)


def test_deribit_shares_a_loss_among_winners() -> None:
    # The support page: if the fund is depleted, bankruptcies are socialised among the winning traders.
    play = Play("deribit", user="2_100", winner=BANK, bidder=BANK)
    play.index(BTC="100000", ETH="4000")
    play.block("BTC", "user", "winner", "1", "100000")
    play.open()
    play.place("BTC", "bidder", Side.BUY, "1", "97000")
    play.index(BTC="97000")
    assert play.money(int(play.events(EventKind.SOCIALISED, "winner")["amount"].sum())) == 900
    assert not play.events(EventKind.BAD_DEBT).size


# dYdX v4

GENERIC = brackets("BTC", ("0", "0.2", "0.1"))
"""Rates of the chain's test markets."""


@pytest.mark.parametrize(
    ("cash", "size", "spread", "fillable", "quote"),
    [
        ("-4501", "0.1", "0.1", "49999", "4501"),
        ("5499", "-0.1", "0.1", "50001", "-5499"),
        ("-4501", "0.1", "0.2", "49998", "4501"),
    ],
)
def test_dydx_fillable_price_and_bankruptcy_quote_of_its_tests(
    cash: str, size: str, spread: str, fillable: str, quote: str
) -> None:
    # liquidations_test.go: one position at 50,000, maintenance 10 %, spread to maintenance as there (genesis: 1.5).
    over = (GENERIC, f"markets.BTC.liquidation.limit.spread='{spread}'", "markets.BTC.liquidation.slice=1")
    play = Play("dydx", *over, bank=BANK)
    # Opened where it has initial margin; cash is the deposit less what was paid for the position.
    lots, away = Decimal(size), 60_000 if Decimal(size) > 0 else 40_000
    play.join("user", str(Decimal(cash) + lots * away))
    play.index(BTC=str(away), ETH="3000")
    parties = ("user", "bank") if lots > 0 else ("bank", "user")
    play.block("BTC", *parties, str(abs(lots)), str(away))
    play.open()
    play.index(BTC="50000")
    order = play.events(EventKind.LIQUIDATION_ORDER, "user")[0]
    market = play.profile.market("BTC")
    assert market.price(int(order["price"])) == Decimal(fillable)
    assert market.price(int(order["amount"])) * lots == Decimal(quote)


def test_dydx_deleverages_a_tenth_at_the_bankruptcy_price_of_its_test() -> None:
    # deleveraging_test.go: cash 54,999 and short 1 at 50,000 against cash 50,000 and long 1, 0.1 closed: 55,499.9 and
    # 49,499.1. The test calls the stage on a solvent account; the slice of 10 % is the genesis' own.
    over = (GENERIC, "markets.BTC.adl.trigger=unfilled", "limits.liquidation_rounds_per_step=1")
    play = Play("dydx", *over, short="9_999", long="95_000")
    play.index(BTC="45000", ETH="3000")
    play.block("BTC", "long", "short", "1", "45000")
    play.open()
    play.index(BTC="50000")
    rows = play.venue.positions()
    cost = dict(zip(rows["account"].tolist(), rows["cost"].tolist(), strict=True))
    cash = {who: play.account(who, "balance") - play.money(cost[play.people[who]]) for who in ("long", "short")}
    assert cash == {"long": Decimal("55499.9"), "short": Decimal("49499.1")}
    assert (play.position("long", "BTC"), play.position("short", "BTC")) == (Decimal("0.9"), Decimal("-0.9"))


# Drift


def test_drift_liquidates_one_point_eight_of_two_of_its_test() -> None:
    # controller/liquidation/tests.rs: 2 long at 100, deposit 5, maintenance 5 % with a buffer of 2 %, fees of 1 % each:
    # the shortage of 9 needs 9 / (100 (0.07 - 0.01) - 100 x 0.01) = 1.8.
    play = Play("drift", brackets("BTC", ("0", "0.1", "0.05")), liquidator=BANK, bank=BANK, user="5")
    play.index(BTC="110", ETH="10")
    play.block("BTC", "user", "bank", "2", "100")
    play.open()
    play.index(BTC="100")
    assert play.qty(play.events(EventKind.LIQUIDATION_ORDER, "user")[0]) == Decimal("1.8")


def test_drift_maintenance_has_the_size_premium_of_its_test() -> None:
    # controller/liquidation/tests.rs: ratio 5 %, factor 0.001, size 10,001: 14 %.
    size = "markets.BTC.margin.size={type='root',initial='0.001',maintenance='0.001'}"
    wide = ("markets.BTC.order_qty_max=100000", "markets.BTC.position_max=100000")
    play = Play("drift", brackets("BTC", ("0", "0.05", "0.05")), size, *wide, bank=BANK, user="1_000_000")
    play.index(BTC="100", ETH="10")
    play.block("BTC", "user", "bank", "10001", "100")
    assert play.account("user", "maintenance") == Decimal(10_001) * 100 * Decimal("0.14")


@pytest.mark.parametrize(("fees", "share"), [("0", "50"), ("50", "25")])
def test_drift_shares_a_loss_by_open_interest_after_the_fee_pool(fees: str, share: str) -> None:
    # controller/liquidation/tests.rs: loss 100, 5 long and 5 short: 50 each; with 50 in the fee pool 25 each.
    play = Play("drift", "markets.BTC.fees.maker=0", liquidator="0", long=BANK, short=BANK, loser="1_000", taker=BANK)
    play.index(BTC="1000", ETH="10")
    if Decimal(fees):
        # A trade of 100 BTC at 1,000 by takers of 0.05 % leaves 50.
        play.open()
        play.place("BTC", "taker", Side.SELL, "100", "1000")
        play.place("BTC", "long", Side.BUY, "100", "1000")
        play.block("BTC", "taker", "long", "100", "1000")
    play.block("BTC", "long", "short", "5", "1000")
    play.block("BTC", "loser", "taker", "10", "1000")
    play.open()
    play.place("BTC", "taker", Side.BUY, "10", "890")
    # A shortage above 50 is closed over a minute.
    for _ in range(8):
        play.index(BTC="890")
        play.wait(10)
    paid = {who: play.money(int(play.events(EventKind.SOCIALISED, who)["amount"].sum())) for who in ("long", "short")}
    assert paid == {"long": Decimal(share), "short": Decimal(share)}


# Paradex


def test_paradex_liquidates_two_fifths_of_alice() -> None:
    # liquidations.mdx: with the fee of 50 % that its table uses (the text says 70 %): share 40 %, penalty 17.76,
    # account value 62.24, collateral 614.24, 0.06 BTC and -0.6 ETH left.
    play = Play(
        "paradex", "markets.BTC.liquidation.policy.penalty='0.5'", "markets.ETH.liquidation.policy.penalty='0.5'"
    )
    for name, balance in (("fund", "0"), ("bank", BANK), ("alice", "1_000")):
        play.join(name, balance)
    play.index(BTC="60000", ETH="3000")
    play.block("BTC", "alice", "bank", "0.1", "60000")
    play.block("ETH", "bank", "alice", "1", "3000")
    play.open()
    play.place("BTC", "bank", Side.BUY, "1", "54800")
    play.place("ETH", "bank", Side.SELL, "1", "3400")
    play.index(BTC="54800")
    assert not play.events(EventKind.LIQUIDATION_STARTED).size
    play.index(ETH="3400")
    assert play.account("alice", "equity") == Decimal("62.24")
    assert play.account("alice", "balance") == Decimal("614.24")
    assert (play.position("alice", "BTC"), play.position("alice", "ETH")) == (Decimal("0.06"), Decimal("-0.6"))
    assert play.money(int(play.events(EventKind.FUND_RECEIVED)["amount"].sum())) == Decimal("17.76")
    ratio = play.account("alice", "maintenance") / play.account("alice", "equity")
    assert round(ratio, 3) == Decimal("0.856")


def test_paradex_initial_margin_counts_the_worse_side_of_open_orders() -> None:
    # cross-margin-requirement.mdx: short 1, 3 to buy and 2 to sell, 2 % of 90,000: 5,400.
    play = Play("paradex", user="10_000", bank=BANK)
    play.index(BTC="90000", ETH="3000")
    play.block("BTC", "bank", "user", "1", "90000")
    play.open()
    play.place("BTC", "user", Side.BUY, "3", "89000")
    play.place("BTC", "user", Side.SELL, "2", "91000")
    assert play.account("user", "initial") == 5_400


def test_paradex_position_limit_leaves_room_by_side() -> None:
    # position-limit.mdx: limit 1,000, short 900: 1,900 may be bought and 100 sold.
    play = Play("paradex", "markets.BTC.position_max=1000", user=BANK, bank=BANK)
    play.index(BTC="100", ETH="10")
    play.block("BTC", "bank", "user", "900", "100")
    room = play.venue.room(play.people["user"], "BTC")
    lot = play.profile.market("BTC").lot_size
    assert (int(room.buy * lot), int(room.sell * lot)) == (1_900, 100)


def test_paradex_price_band_of_its_example() -> None:
    # price-bands.mdx: 5 % around 100: a sell at 94 is rejected, a passive buy at 90 is not, a market buy has
    # the limit 105.
    play = Play("paradex", user=BANK)
    play.index(BTC="100", ETH="10")
    play.open()
    refused = play.place("BTC", "user", Side.SELL, "1", "94")
    assert refused["kind"].tolist() == [EventKind.ORDER_BOUNDED, EventKind.REJECTED]
    assert play.place("BTC", "user", Side.BUY, "1", "90")["kind"].tolist() == [EventKind.ACCEPTED]
    play.join("other", BANK)
    play.place("BTC", "other", Side.SELL, "1", "105")
    play.place("BTC", "other", Side.SELL, "1", "105.1")
    market = play.send(
        commands.place(
            at=play.now, market=0, account=play.people["user"], side=Side.BUY, qty=2_000, order_type=OrderType.MARKET
        )
    )
    bought = market[(market["kind"] == EventKind.FILL) & (market["account"] == play.people["user"])]
    assert bought["price"].tolist() == [1_050]


def test_paradex_funding_of_its_example() -> None:
    # funding-mechanism.mdx: 8 bp over 60,000: rate 0.0003 in 8 h; 0.5 BTC pay 0.01875 in a minute.
    play = Play("paradex", "markets.BTC.funding.interval=1m", long=BANK, short=BANK)
    play.index(BTC="60000", ETH="3000")
    play.block("BTC", "long", "short", "0.5", "60000")
    play.open()
    play.wait(60)
    play.pulse()
    play.seen.clear()
    play.place("BTC", "short", Side.BUY, "5", "60048")
    play.place("BTC", "short", Side.SELL, "5", "60060")
    play.index(BTC="60000")
    play.wait(60)
    play.pulse()
    settled = play.events(EventKind.FUNDING_SETTLED)
    assert int(settled["amount"][settled["market"] == 0][0]) == 300_000
    paid = play.events(EventKind.FUNDING_PAID, "long")
    assert play.money(int(paid["amount"][0])) == Decimal("0.01875")


def test_paradex_withdrawals_pay_the_share_of_its_formula_and_not_of_its_example() -> None:
    # socialized-losses.mdx: 1,000 missing of claims of 5,000: by the formula 20 % of a withdrawal of 500 stay; the
    # example divides by 4,000 and prints 125 of 500.
    play = Play("paradex", "markets.BTC.fees.maker=0", fund="0", alice="1_000", bob="1_000", charlie="1_000")
    play.leave_missing()
    events = play.send(commands.withdraw(at=play.now, account=play.people["charlie"], amount=500_000_000))
    left = events[events["kind"] == EventKind.SOCIALISED]["amount"].tolist()
    assert [play.money(amount) for amount in left] == [100]


def test_a_comparison_of_unlike_things_is_told(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('extends = "reference"\nname = "other"\n[[markets]]\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="markets"):
        profiles.compare([str(other)], scenario=SMALL, accounts=100)
