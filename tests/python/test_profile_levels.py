"""Levels of margin of real venues, through their dated profiles: fill, and a vault below two thirds of maintenance."""

from decimal import Decimal

import pytest

from seawall import CancelReason, EventKind, MarginLevel, MarginMode, Side, commands
from test_profiles import GENERIC, brackets

from play import BANK, Play


@pytest.mark.parametrize(("price", "taken"), [("98327", 0), ("98319", 10)])
def test_hyperliquid_s_vault_takes_the_whole_account_below_two_thirds_of_maintenance(price: str, taken: int) -> None:
    # docs/trading/liquidations.md: below 2/3 of maintenance positions and margin are transferred, the trader ends with
    # zero equity. 10 BTC with 25,000: equity is 2/3 of 1.25 % at 98,319.33. Above it only the book is asked.
    play = Play("hyperliquid", vault="50_000_000", user="25_000", bank=BANK)
    play.index(BTC="100000", ETH="4000")
    play.block("BTC", "user", "bank", "10", "100000")
    play.open()
    play.index(BTC=price)
    for _ in range(3):
        play.pulse()
    assert play.position("vault", "BTC") == taken
    assert play.position("user", "BTC") == 10 - taken
    equity = 25_000 - 10 * (100_000 - Decimal(price))
    assert play.account("user", "equity") == (0 if taken else equity)
    assert play.account("vault", "equity") == 50_000_000 + (equity if taken else 0)
    levels = play.events(EventKind.LEVEL_REACHED, "user")
    assert levels["code"].tolist() == ([MarginLevel.BACKSTOP] if taken else [])


def fill_level(profile: str, equity: str, *overrides: str) -> bool:
    """Tell whether a bid of 10 at 100 with so much money trades at a mark of 100."""
    wide = ("markets.BTC.order_qty_max=1000", "markets.BTC.position_max=1000", "markets.BTC.fees.maker=0")
    play = Play(profile, *overrides, *wide, user="1000", bank=BANK)
    play.index(BTC="100", ETH="10")
    play.open()
    play.place("BTC", "user", Side.BUY, "10", "100")
    # What leaves a balance that an order stands on: a loss in the other market.
    lost = (1_000 - Decimal(equity)) / 100
    play.block("ETH", "user", "bank", "100", "10")
    play.block("ETH", "bank", "user", "100", str(10 - lost))
    assert play.account("user", "equity") == Decimal(equity)
    play.place("BTC", "bank", Side.SELL, "10", "100")
    cancelled = play.events(EventKind.CANCELLED, "user")
    traded = play.events(EventKind.FILL, "user")["market"].tolist().count(0) == 1
    assert traded != (cancelled["code"].tolist() == [CancelReason.MARGIN])
    return bool(traded)


def test_dydx_maker_orders_that_fail_their_check_are_removed() -> None:
    # memclob_place_order_test.go: "when all maker orders that cross the taker order fail collateralization checks, they
    # are removed and the taker order is placed on the book". Rates of the chain's test markets: 20 % of 1,000.
    assert fill_level("dydx", "200", GENERIC)
    assert not fill_level("dydx", "199", GENERIC)


def test_drift_fill_margin_is_half_of_the_way() -> None:
    # state/perp_market/tests.rs: initial 10 %, maintenance 5 %: fill (10 % + 5 %) / 2.
    rates = brackets("BTC", ("0", "0.1", "0.05"))
    plain = "markets.BTC.margin.size={type='root',initial='0',maintenance='0'}"
    assert fill_level("drift", "75", rates, plain)
    assert not fill_level("drift", "74", rates, plain)


def test_paradex_orders_of_an_account_below_initial_margin_that_do_not_offset_do_not_trade() -> None:
    # deleveraging.mdx: long 10, a buy of 2 at 1,900, sells of 5 at 2,150, 3 at 2,100, 3 at 2,200; below initial margin
    # the buy is cancelled, sells up to the position stay. Here the buy goes when it would trade; the equity is ours.
    play = Play("paradex", "markets.ETH.mark={method='index'}", bank=BANK, alice="2_100", maker=BANK)
    play.index(BTC="60000", ETH="2000")
    play.block("ETH", "alice", "bank", "10", "2000")
    play.open()
    play.place("ETH", "alice", Side.BUY, "2", "1900")
    for qty, price in (("5", "2030"), ("3", "2020")):
        play.place("ETH", "alice", Side.SELL, qty, price)
    play.index(ETH="1825")
    assert play.account("alice", "equity") < play.account("alice", "initial")
    assert not play.events(EventKind.LIQUIDATION_STARTED).size
    play.place("ETH", "maker", Side.SELL, "1", "1900")
    assert play.events(EventKind.CANCELLED, "alice")["code"].tolist() == [CancelReason.MARGIN]
    assert play.position("alice", "ETH") == 10


def test_paradex_minimum_delta_requirement_of_its_example() -> None:
    # portfolio-margin.mdx: long 1, five calls of delta 0.3 short: net 0.5, gross 2.5, hedged 1; at 70,000 (2 % x 0.5 +
    # 1 % x 1) x 70,000 = 1,400. The calls are 1.5 short of the other market at the same price, and no scenario moves.
    group = "{name='both',markets=['BTC','ETH'],net='0.02',hedged='0.01',maintenance='0.5'}"
    over = (f"portfolios=[{group}]", "markets.ETH.price_max=400000", "markets.ETH.tick_size='0.1'")
    wide = ("markets.ETH.position_max=1000", "markets.ETH.order_qty_max=1000", "markets.ETH.open_interest_max=10000")
    play = Play("paradex", *over, *wide, user="100_000", bank=BANK)
    play.index(BTC="70000", ETH="70000")
    play.block("BTC", "user", "bank", "1", "70000")
    play.block("ETH", "bank", "user", "1.5", "70000")
    # By tiers 2 % of 175,000.
    assert play.account("user", "initial") == 3_500
    play.send(commands.set_margin_mode(at=play.now, account=play.people["user"], mode=MarginMode.PORTFOLIO))
    assert play.account("user", "initial") == 1_400
    assert play.account("user", "maintenance") == 700
    assert play.venue.accounts()["portfolio"].tolist() == [True, False]


@pytest.mark.parametrize(("side", "scan"), [(Side.BUY, "0.16"), (Side.SELL, "0.16")])
def test_paradex_scan_risk_is_the_worst_weighted_scenario(side: Side, scan: str) -> None:
    # The same page: 16 standard scenarios and 8 tails; -66 % at 18 % is 11.88 %, +500 % at 2.4 % is 12 %.
    play = Play("paradex", user="100_000", bank=BANK)
    play.index(BTC="70000", ETH="3000")
    parties = ("user", "bank") if side == Side.BUY else ("bank", "user")
    play.block("BTC", *parties, "1", "70000")
    play.send(commands.set_margin_mode(at=play.now, account=play.people["user"], mode=MarginMode.PORTFOLIO))
    assert play.account("user", "initial") == 70_000 * Decimal(scan)
    assert play.account("user", "maintenance") == 35_000 * Decimal(scan)
    # With the standard ones left out the tails decide: a long's fall, a short's rise.
    assert play.venue.profile is not None
    tails = [s for s in play.venue.profile.portfolios[0].scenarios if s.weight < 1]
    worst = max(s.weight * (-s.move if side == Side.BUY else s.move) for s in tails if s.move is not None)
    assert worst == (Decimal("0.1188") if side == Side.BUY else Decimal("0.12"))
