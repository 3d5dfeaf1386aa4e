"""Presets of perpetual venues: each does in a running venue what its published figures say, at the tick.

Bands, guards and auctions first, then what a preset sets in a venue beside breakers.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from seawall import EventKind, OrderType, Phase, Side, commands
from seawall.commands import Records
from seawall.models import load_profile, load_rules, rule_names
from seawall.protocol import Reject

from play import BANK, SECOND, Play

MINUTE = 60 * SECOND
INDEX = "markets.BTC.mark.method=index"
LAST = "markets.BTC.mark.method=last"
FREE = "markets.BTC.fees.taker=0"


def desk(preset: str, *overrides: str, **balances: str) -> Play:
    """Return the reference venue with a preset in both markets."""
    attached = preset if preset.startswith("[") else f'"{preset}"'
    return Play("reference", f"breakers={attached}", *overrides, **(balances or {"maker": BANK, "taker": BANK}))


def opened(preset: str, price: str, *overrides: str, **balances: str) -> Play:
    """Return it trading, the index of BTC at a price."""
    play = desk(preset, *overrides, **balances)
    play.index(BTC=price, ETH="4000")
    play.open()
    return play


def kinds(events: Records) -> set[int]:
    return set(events["kind"].tolist())


def tripped(play: Play, rule: str | None = None) -> int:
    """Return how often a rule of the preset, or any, has tripped."""
    events = play.events(EventKind.BREAKER_TRIPPED)
    if rule is None:
        return len(events)
    number = [breaker.name for breaker in play.profile.breakers if breaker.enabled].index(rule)
    return int((events["code"] == number).sum())


def phase(play: Play) -> Phase:
    """Return the phase of BTC."""
    changed = play.events(EventKind.PHASE_CHANGED)
    return Phase(int(changed["code"][changed["market"] == 0][-1]))


# Bands of orders.


def limit_of(play: Play, side: Side, price: str) -> Decimal | int:
    """Place an order; return the limit with which it was accepted, or the code with which it was refused."""
    events = play.place("BTC", "taker", side, "0.001", price)
    told = events[(events["kind"] == EventKind.ACCEPTED) | (events["kind"] == EventKind.REJECTED)][0]
    if told["kind"] == EventKind.REJECTED:
        return int(told["code"])
    return play.profile.market("BTC").price(int(told["price"]))


def mark_beside_index(preset: str, mark: str, index: str) -> Play:
    play = opened(preset, mark, LAST)
    for side in (Side.SELL, Side.BUY):
        play.place("BTC", "maker" if side == Side.SELL else "taker", side, "0.001", mark)
    play.index(BTC=index)
    return play


def with_premium(preset: str, index: str, middle: tuple[str, str]) -> Play:
    play = opened(preset, index, INDEX)
    play.place("BTC", "maker", Side.BUY, "1", middle[0])
    play.place("BTC", "maker", Side.SELL, "1", middle[1])
    play.index(BTC=index)
    return play


BANDS: dict[str, tuple[Callable[[], Play], str, str, str]] = {
    # 1.05 and 0.95 of the mark.
    "binance-futures": (lambda: opened("binance-futures", "100000", INDEX), "95000", "105000", "refused"),
    # The worked figures of the formula: a premium of -300, and of 900.
    "okx": (lambda: with_premium("okx", "50000", ("49699.9", "49700.1")), "48700", "50700", "refused"),
    "okx, premium": (lambda: with_premium("okx", "50000", ("50899.9", "50900.1")), "49900", "51900", "refused"),
    "bybit": (lambda: mark_beside_index("bybit", "60000", "60500"), "59400", "60600", "capped"),
    "bybit, index": (lambda: mark_beside_index("bybit", "60000", "58000"), "58000", "60600", "capped"),
    "binance-futures, index": (
        lambda: mark_beside_index("binance-futures", "60000", "60500"),
        "57000",
        "63000",
        "refused",
    ),
    # An index beyond 5 % of the mark does not widen the limit any more.
    "bybit, far index": (lambda: mark_beside_index("bybit", "60000", "70000"), "59400", "63000", "capped"),
    "deribit, index": (lambda: mark_beside_index("deribit", "60000", "60500"), "59100", "60900", "capped"),
    "delta, index": (lambda: mark_beside_index("delta", "60000", "60500"), "58500", "61500", "refused"),
    "deribit": (lambda: opened("deribit", "10000", INDEX), "9850", "10150", "capped"),
    "delta": (lambda: opened("delta", "100", INDEX), "97.5", "102.5", "refused"),
}


@pytest.mark.parametrize("name", BANDS)
def test_a_limit_at_the_band_is_taken_and_a_tick_beyond_is_not(name: str) -> None:
    build, low, high, then = BANDS[name]
    for side, bound, step in ((Side.BUY, Decimal(high), Decimal("0.1")), (Side.SELL, Decimal(low), Decimal("-0.1"))):
        assert limit_of(build(), side, str(bound)) == bound
        play = build()
        beyond = limit_of(play, side, str(bound + step))
        assert beyond == (bound if then == "capped" else Reject.BAND_REFUSES)
        assert len(play.events(EventKind.ORDER_BOUNDED)) == 1
        # Towards the other side nothing binds.
        assert limit_of(build(), side, str(bound - 20 * step)) == bound - 20 * step


@pytest.mark.parametrize(("preset", "low", "high"), [("paradex", "95", "105"), ("grvt", "90", "110")])
def test_a_band_for_takers_lets_others_rest_anywhere(preset: str, low: str, high: str) -> None:
    for side, bound, step in ((Side.BUY, Decimal(high), Decimal("0.1")), (Side.SELL, Decimal(low), Decimal("-0.1"))):
        play = opened(preset, "100", INDEX)
        other = Side.SELL if side == Side.BUY else Side.BUY
        # A passive order beyond the band rests, one that would take is refused as a whole.
        assert EventKind.ACCEPTED in kinds(play.place("BTC", "maker", side, "1", str(bound + step)))
        play = opened(preset, "100", INDEX)
        for price in (bound, bound + step):
            play.place("BTC", "maker", other, "1", str(price))
        events = play.place("BTC", "taker", side, "2", str(bound + step))
        assert kinds(events) == {EventKind.ORDER_BOUNDED, EventKind.REJECTED}
        # A market order becomes a limit order at the band.
        rules = play.profile.market("BTC")
        events = play.send(
            commands.place(
                at=play.now, market=0, account=play.people["taker"], side=side, qty=2_000, order_type=OrderType.MARKET
            )
        )
        fills = events[events["kind"] == EventKind.FILL]
        assert {rules.price(int(price)) for price in fills["price"]} == {bound}
        assert set(fills["qty"].tolist()) == {1_000}


@pytest.mark.parametrize(("preset", "high"), [("paradex", "105"), ("grvt", "110")])
def test_a_band_for_takers_is_one_of_the_mark(preset: str, high: str) -> None:
    for beyond, expected in (("0", Decimal(high)), ("0.1", Reject.BAND_REFUSES)):
        play = mark_beside_index(preset, "100", "104")
        play.place("BTC", "maker", Side.SELL, "1", "104")
        assert limit_of(play, Side.BUY, str(Decimal(high) + Decimal(beyond))) == expected


def test_delta_is_as_wide_as_two_standard_deviations_where_that_is_wider() -> None:
    # Marks of 98 and 102: a deviation of 2, so 4 on each side of the mark.
    for price, expected in (("106", Decimal(106)), ("106.1", Reject.BAND_REFUSES)):
        play = opened("delta", "98", INDEX)
        play.wait(1)
        play.index(BTC="102")
        assert limit_of(play, Side.BUY, price) == expected


@pytest.mark.parametrize(("seconds", "wide"), [(899.999999999, True), (900, False)])
def test_delta_forgets_a_mark_after_a_quarter_of_an_hour(seconds: float, wide: bool) -> None:
    play = opened("delta", "98", INDEX)
    play.wait(seconds)
    play.index(BTC="102")
    assert limit_of(play, Side.BUY, "106") == (106 if wide else Reject.BAND_REFUSES)


@pytest.mark.parametrize(("preset", "limit"), [("delta", "0.1"), ("binance-futures", "47500")])
def test_delta_exempts_liquidations_and_others_hold_them_to_the_band(preset: str, limit: str) -> None:
    play = in_liquidation(preset, 'markets.BTC.liquidation.limit={type="none"}', qty="1", equity="100")
    (order,) = play.events(EventKind.LIQUIDATION_ORDER)
    assert play.profile.market("BTC").price(int(order["price"])) == Decimal(limit)


# Guards by the oracle.


def trade(play: Play, price: str) -> Records:
    play.place("BTC", "maker", Side.SELL, "1", price)
    return play.place("BTC", "taker", Side.BUY, "1", price)


@pytest.mark.parametrize(("price", "fills"), [("109.9", True), ("110", False)])
def test_drift_fills_strictly_within_a_tenth_of_the_oracle(price: str, fills: bool) -> None:
    events = trade(opened("drift", "100"), price)
    assert (EventKind.FILL in kinds(events)) == fills
    assert (EventKind.ORDER_BOUNDED in kinds(events)) != fills


def test_drift_looks_at_the_oracle_and_lets_what_is_inside_trade() -> None:
    # A tenth of the index of 110, and not of the mark of 100; the order trades up to it and loses its rest.
    play = mark_beside_index("drift", "100", "110")
    for price in ("120.9", "121"):
        play.place("BTC", "maker", Side.SELL, "1", price)
    events = play.place("BTC", "taker", Side.BUY, "2", "121")
    assert set(events["price"][events["kind"] == EventKind.FILL].tolist()) == {1_209}
    assert EventKind.CANCELLED in kinds(events)


@pytest.mark.parametrize(("seconds", "fills"), [(299.999999998, False), (300, True)])
def test_drift_averages_over_five_minutes(seconds: float, fills: bool) -> None:
    # Trades at 100 and 149: half above their mean is 186.75; half above 149 alone is 223.5.
    play = opened("drift", "100")
    trade(play, "100")
    play.index(BTC="160")
    play.wait(seconds)
    trade(play, "149")
    play.index(BTC="200")
    play.wait(10**-9)
    assert (EventKind.FILL in kinds(trade(play, "190"))) == fills


@pytest.mark.parametrize(("price", "fills"), [("149.9", True), ("150", False)])
def test_drift_fills_strictly_within_a_half_of_the_average(price: str, fills: bool) -> None:
    play = opened("drift", "100")
    trade(play, "100")
    play.wait(1)
    play.index(BTC="160")
    assert (EventKind.FILL in kinds(trade(play, price))) == fills


def test_dydx_liquidates_by_the_oracle_alone() -> None:
    play = opened("dydx-oracle", "50000", FREE, user="1_000", maker=BANK, taker=BANK)
    play.block("BTC", "user", "maker", "1", "50000")
    # The book trades a tenth lower, and the oracle stays.
    play.place("BTC", "taker", Side.BUY, "1", "45000")
    play.place("BTC", "maker", Side.SELL, "1", "45000")
    play.index(BTC="50000")
    assert not play.events(EventKind.LIQUIDATION_STARTED).size
    # Equity 1,000 - (50,000 - p) against 0.4 % of p: 49,196.8 is the last price with enough.
    play.index(BTC="49196.8")
    assert not play.events(EventKind.LIQUIDATION_STARTED).size
    play.index(BTC="49196.7")
    assert play.events(EventKind.LIQUIDATION_STARTED).size == 1


def test_a_hip3_mark_follows_the_oracle_by_one_per_cent_an_update() -> None:
    play = opened("hip3-oracle", "100")
    marks = []
    for price in ("99", "95", "95"):
        play.wait(3)
        marks.append(int(play.index(BTC=price)[0]["price"]))
    # 1 % of 99 and of 98.01, in ticks of 0.1, down.
    assert marks == [990, 981, 972]


# Auctions of Vega.


@pytest.mark.parametrize(("price", "trips"), [("51072.55", False), ("51072.54", True)])
def test_vega_trades_at_the_published_bound_and_an_auction_begins_a_tick_beyond(price: str, trips: bool) -> None:
    # BTC_USDT-perp-bounds: 520,000,000 with a horizon of 360 s has the bounds 510,725,426 and 529,437,150; here in
    # ticks of a ten-thousandth of that.
    play = opened("vega-btc", "52000", "markets.BTC.tick_size=0.01", "markets.BTC.price_max=160000", INDEX)
    play.place("BTC", "maker", Side.BUY, "1", price)
    events = play.place("BTC", "taker", Side.SELL, "1", price)
    assert (EventKind.FILL in kinds(events)) != trips
    assert tripped(play, "vega-btc-monitor-360s") == int(trips)
    assert phase(play) == (Phase.CALL_AUCTION if trips else Phase.CONTINUOUS)
    if trips:
        (changed,) = events[events["kind"] == EventKind.PHASE_CHANGED]
        assert int(changed["amount"]) == play.now + 120 * SECOND


@pytest.mark.parametrize(("mark", "trips"), [("51072.55", False), ("51072.54", True)])
def test_a_mark_beyond_the_vega_bound_begins_an_auction(mark: str, trips: bool) -> None:
    play = opened("vega-btc", "52000", "markets.BTC.tick_size=0.01", "markets.BTC.price_max=160000", INDEX)
    play.index(BTC=mark)
    assert tripped(play, "vega-btc-mark-360s") == int(trips)
    assert phase(play) == (Phase.CALL_AUCTION if trips else Phase.CONTINUOUS)


def test_a_vega_order_that_does_not_rest_is_stopped_and_the_market_stays_open() -> None:
    play = opened("vega-btc", "52000", INDEX)
    play.place("BTC", "maker", Side.BUY, "1", "51000")
    events = play.place("BTC", "taker", Side.SELL, "1", "51000", order_type=OrderType.IMMEDIATE_OR_CANCEL)
    assert EventKind.FILL not in kinds(events)
    assert tripped(play) == 0
    assert phase(play) == Phase.CONTINUOUS


ROWS = ((10, 60), (60, 300), (600, 3600), (3600, 3600), (21600, 10800), (86400, 21600))
"""The published table: gap and auction in seconds."""


@pytest.mark.parametrize(("row", "early"), [(row, early) for row in range(6) for early in (False, True)])
def test_a_vega_auction_after_a_gap_lasts_as_its_row_says(row: int, early: bool) -> None:
    auction = ROWS[row][1] if not early else ROWS[row - 1][1] if row else 0
    play = opened("vega-gaps", "52000")
    play.now += ROWS[row][0] * SECOND - early
    play.pulse()
    changed = play.events(EventKind.PHASE_CHANGED)
    ends = changed["amount"][(changed["code"] == Phase.CALL_AUCTION) & (changed["market"] == 0)].tolist()
    assert ends == ([play.now + auction * SECOND] if auction else [])


# Staging and throttles of liquidations.


ONE_TIER = 'markets.BTC.tiers=[{lower="0",initial="0.008",maintenance="0.004"}]'


def in_liquidation(preset: str, *overrides: str, qty: str, equity: str, bid: str | None = "50000") -> Play:
    """Return a long with so much equity at an index of 50,000 that has just come, and a bid for all of it."""
    lots = Decimal(qty)
    balance = Decimal(equity) + 1_000 * lots
    play = desk(
        preset, INDEX, FREE, ONE_TIER, "markets.BTC.liquidation.fee=0", *overrides, user=str(balance), maker=BANK
    )
    play.index(BTC="51000", ETH="4000")
    play.block("BTC", "user", "maker", qty, "51000")
    play.open()
    if bid is not None:
        play.place("BTC", "maker", Side.BUY, qty, bid)
    play.index(BTC="50000")
    return play


def slices(play: Play) -> list[int]:
    """Return the lots of each order of a liquidation so far."""
    orders = play.events(EventKind.LIQUIDATION_ORDER, "user")
    return [int(qty) for qty in orders["qty"]]


def limits_reached(play: Play) -> list[int]:
    return [int(code) for code in play.events(EventKind.LIMIT_REACHED)["code"]]


def test_dydx_closes_a_tenth_of_a_position_in_a_block() -> None:
    play = in_liquidation("dydx-block-limits", qty="1", equity="150")
    assert slices(play) == [100]
    assert limits_reached(play) == [1, 1]
    play.wait(0.999999999 - 10**-9)
    play.pulse()
    assert slices(play) == [100]
    # The next second has begun: a tenth of what is left.
    play.wait(1)
    play.index(BTC="50000")
    assert slices(play) == [100, 90]


@pytest.mark.parametrize(("qty", "first"), [("0.02", 20), ("0.021", 20)])
def test_dydx_closes_at_least_a_thousand_dollars(qty: str, first: int) -> None:
    # 1,000 dollars are 20 lots at 50,000.
    play = in_liquidation("dydx-block-limits", qty=qty, equity="0")
    assert slices(play) == [first]
    assert play.position("user", "BTC") == Decimal(qty) - Decimal("0.020")


@pytest.mark.parametrize(("qty", "codes"), [("20", [1, 1]), ("20.01", [2, 2])])
def test_dydx_closes_at_most_a_hundred_thousand_of_an_account(qty: str, codes: list[int]) -> None:
    # A tenth of 20 BTC is 100,000 dollars; of 20.01 it is more.
    play = in_liquidation("dydx-block-limits", qty=qty, equity="3_000")
    assert slices(play) == [2_000]
    assert limits_reached(play) == codes


def many_in_liquidation(
    preset: str,
    lots: list[str],
    *overrides: str,
    equity: str = "0",
    bid: bool = True,
    more: str = "0",
    before: Phase = Phase.CONTINUOUS,
) -> Play:
    """Return longs with so much equity each that an index of 50,000 has just put into liquidation.

    They are bid for in full, and more if that is said, before their market enters a phase.
    """
    people = {f"user{number}": str(1_000 * Decimal(qty) + Decimal(equity)) for number, qty in enumerate(lots)}
    whole = 'markets.BTC.liquidation.slice="1"'
    play = desk(preset, INDEX, FREE, ONE_TIER, whole, *overrides, **people, maker=BANK)
    play.index(BTC="51000", ETH="4000")
    for name, qty in zip(people, lots, strict=True):
        play.block("BTC", name, "maker", qty, "51000")
    play.open()
    if bid:
        play.place("BTC", "maker", Side.BUY, str(sum(map(Decimal, lots)) + Decimal(more)), "50000")
    if before != Phase.CONTINUOUS:
        play.send(commands.set_phase(at=play.now, market=0, phase=before))
    play.index(BTC="50000")
    return play


@pytest.mark.parametrize(("accounts", "left"), [(50, 0), (51, 1)])
def test_dydx_makes_fifty_attempts_in_a_block(accounts: int, left: int) -> None:
    play = many_in_liquidation("dydx-block-limits", ["0.02"] * accounts)
    assert play.events(EventKind.LIQUIDATION_ORDER).size == 50
    assert limits_reached(play) == [4] * left


@pytest.mark.parametrize(("accounts", "left"), [(10, 0), (11, 1)])
def test_dydx_makes_ten_attempts_at_deleveraging_in_a_block(accounts: int, left: int) -> None:
    play = many_in_liquidation("dydx-block-limits", ["0.02"] * accounts, equity="-1", bid=False)
    assert play.events(EventKind.ADL_STARTED).size == 10
    assert limits_reached(play) == [5] * left


def test_dydx_lets_the_fund_lose_a_million_for_an_account_in_a_block() -> None:
    # A hundred thousand of notional cannot lose so much in a block, so that the limit is one for settled debts.
    assert load_profile("reference", set=["breakers=dydx-block-limits"]).config()["block_limits"] == {
        "period_ns": SECOND,
        "position": {"share_ppm": 100_000, "notional_min": 1_000_000_000},
        "account_notional": 100_000_000_000,
        "account_fund_loss": 1_000_000_000_000,
        "rounds": 50,
        "adl_rounds": 10,
    }


@pytest.mark.parametrize(("qty", "orders"), [("2", [2_000]), ("2.001", [401, 1_600])])
def test_hyperliquid_sells_a_fifth_above_a_hundred_thousand_then_the_whole(qty: str, orders: list[int]) -> None:
    # An equity that stays below maintenance, so that the account does not recover in between.
    assert slices(in_liquidation("hyperliquid-staging", qty=qty, equity="1")) == orders


@pytest.mark.parametrize(("equity", "orders"), [("0.41", 41), ("0.4", 4)])
def test_drift_closes_all_below_fifty_dollars_of_shortage_and_a_tenth_from_there(equity: str, orders: int) -> None:
    # 0.042 BTC at 50,000: maintenance 8.40 and a buffer of 42, less the equity: a shortage of 49.99, and of 50. At 1.20
    # per lot 41 lots restore maintenance.
    assert slices(in_liquidation("drift-ramp", qty="0.042", equity=equity))[0] == orders


@pytest.mark.parametrize(("seconds", "lots"), [(53, 983), (54, 1_000)])
def test_drift_frees_the_rest_over_a_minute(seconds: int, lots: int) -> None:
    play = in_liquidation("drift-ramp", qty="1", equity="0", bid=None)
    play.place("BTC", "maker", Side.BUY, "1", "50000")
    play.wait(seconds)
    # 1,000 lots restore maintenance; a tenth of them and so much of a minute may be closed.
    play.index(BTC="50000")
    assert play.events(EventKind.FILL, "user")["qty"][1] == lots


def test_vega_disposes_of_a_tenth_every_ten_seconds() -> None:
    play = in_liquidation("vega-disposal", qty="10", equity="1")
    assert slices(play) == [1_000]
    play.wait(9.999999999)
    play.index(BTC="50000")
    assert slices(play) == [1_000]
    play.now += 1
    play.index(BTC="50000")
    assert slices(play) == [1_000, 900]


def test_a_vega_disposal_ends_at_the_bound_and_begins_no_auction() -> None:
    # The fall of the mark would begin one by itself.
    quiet = "breakers.vega-btc-mark-360s.enabled=false"
    play = in_liquidation('["vega-btc", "vega-disposal"]', quiet, qty="1", equity="1", bid="45000")
    (order,) = play.events(EventKind.LIQUIDATION_ORDER)
    assert int(order["price"]) == 1
    # The bid is beyond the bound: nothing is sold to it, and the market stays open.
    assert not play.events(EventKind.FILL, "user")[1:].size
    assert tripped(play) == 0
    assert phase(play) == Phase.CONTINUOUS


def test_a_dutch_auction_falls_by_one_per_cent_every_ninety_seconds_until_somebody_bids() -> None:
    play = in_liquidation("dutch-auction", qty="1", equity="1")
    limits = []
    for seconds in (0, 89.999999999, 10**-9):
        play.wait(seconds)
        play.index(BTC="50000")
        limits.append(int(play.events(EventKind.LIQUIDATION_ORDER, "user")["price"][-1]))
    assert limits == [650_000, 650_000, 643_500]
    # 1.3 x 0.99^26 is above the bid at the mark, 1.3 x 0.99^27 is not.
    play.wait(25 * 90)
    play.index(BTC="50000")
    assert play.position("user", "BTC") == 1
    play.wait(90)
    play.index(BTC="50000")
    assert play.position("user", "BTC") == 0


# Bands of auto-deleveraging.


def deleveraged(
    preset: str, *, mark: str, fund: str = "0", user: tuple[str, str], winners: dict[str, tuple[str, str]]
) -> Play:
    """Return a bankrupt long (balance, lots) from 50,000 that nobody bids for, and shorts; the mark has just come.

    What the shorts have beyond the user's lots a holder is long.
    """
    balances = {"user": user[0], "holder": BANK} | {name: balance for name, (balance, _) in winners.items()}
    play = desk(preset, INDEX, FREE, ONE_TIER, 'markets.BTC.liquidation.slice="1"', **balances)
    if Decimal(fund):
        play.fund(fund)
    play.index(BTC="50000", ETH="4000")
    left = Decimal(user[1])
    for name, (_, qty) in winners.items():
        from_user = min(left, Decimal(qty))
        left -= from_user
        for buyer, lots in (("user", from_user), ("holder", Decimal(qty) - from_user)):
            if lots:
                play.block("BTC", buyer, name, str(lots), "50000")
    play.open()
    play.index(BTC=mark)
    return play


def closed(play: Play) -> dict[str, int]:
    """Return the lots that were taken from each winner."""
    fills = {name: play.events(EventKind.ADL_FILL, name) for name in play.people}
    return {name: int(events["qty"].sum()) for name, events in fills.items() if events.size}


def test_a_rank_band_gives_up_all_before_the_next_begins() -> None:
    # Ten shorts of 1 BTC, the least equity first: two to a light. 3 BTC are light 1 and half of each of light 2.
    shorts = {f"short{number}": (str(600 + 100 * number), "1") for number in range(10)}
    play = deleveraged("adl-rank-bands", mark="48000", user=("3_000", "3"), winners=shorts)
    assert closed(play) == {"short0": 1_000, "short1": 1_000, "short2": 500, "short3": 500}


@pytest.mark.parametrize(("fund", "at_mark"), [("1", 1), ("0.999999", 0)])
def test_okx_deleverages_at_the_mark_as_long_as_the_fund_pays_a_lot(fund: str, at_mark: int) -> None:
    # Bankrupt at 49,000, a mark of 48,000: a dollar per lot.
    play = deleveraged("okx-adl", mark="48000", fund=fund, user=("1_000", "1"), winners={"winner": (BANK, "1")})
    fills = play.events(EventKind.ADL_FILL, "winner")
    assert int(fills["qty"].sum()) == 1_000
    assert int(fills["qty"][fills["price"] == 480_000].sum()) == at_mark
    assert int(fills["qty"][fills["price"] == 490_000].sum()) == 1_000 - at_mark


@pytest.mark.parametrize(("balance", "lots"), [("1_040", 1_000), ("1_039.9", 0)])
def test_winners_give_up_at_most_the_price_band(balance: str, lots: int) -> None:
    # 2 % above 48,000 is 48,960: at that bankruptcy price winners pay all; a tick beyond the fund would have to.
    play = deleveraged("adl-price-band", mark="48000", user=(balance, "1"), winners={"winner": (BANK, "1")})
    assert closed(play).get("winner", 0) == lots
    play = deleveraged("adl-price-band", mark="48000", fund="0.1", user=(balance, "1"), winners={"winner": (BANK, "1")})
    fills = play.events(EventKind.ADL_FILL, "winner")
    assert set(fills["price"].tolist()) == {489_600}
    assert int(fills["qty"].sum()) == 1_000


def pool(preset: str, fund: str, loss_per_unit: int) -> Play:
    """Return a fund beside a long of 100 BTC that lost so much more per unit than it had, bid for at the mark."""
    play = desk(
        preset, INDEX, FREE, 'markets.BTC.liquidation.fund_limit="0.1"', user="250_000", winner=BANK, bidder=BANK
    )
    play.lose_beyond(loss_per_unit, fund)
    return play


def test_bybit_winners_pay_what_is_beyond_thirty_per_cent_of_the_pool() -> None:
    # The published example: of a loss of 350,000 a pool of 1,000,000 pays 300,000, winners 50,000; to a lot of 3.50.
    play = pool("bybit-adl", "1_000_000", 3_500)
    paid = play.money(int(play.events(EventKind.FUND_PAID)["amount"].sum()))
    given = play.money(int(play.events(EventKind.ADL_FILL, "winner")["amount"].sum()))
    assert 0 <= 300_000 - paid < Decimal("3.5")
    assert paid + given == 350_000


@pytest.mark.parametrize(("preset", "fires"), [("bybit-adl", 0), ("bitget-adl", 1)])
def test_at_exactly_thirty_per_cent_bitget_fires_and_bybit_does_not(preset: str, fires: int) -> None:
    play = pool(preset, "2_000_000", 6_000)
    assert play.money(int(play.events(EventKind.FUND_PAID)["amount"].sum())) == 600_000
    assert play.events(EventKind.DRAWDOWN_CHANGED).size == fires


@pytest.mark.parametrize(
    ("preset", "stop", "hours", "inclusive"), [("bybit-adl", 250_000, 8, False), ("bitget-adl", 100_000, 24, True)]
)
def test_a_drawdown_ends_where_the_venue_says(preset: str, stop: int, hours: int, inclusive: bool) -> None:
    # The function of the trigger has published vectors of its own; here what it is given.
    (fund,) = load_profile("reference", set=[f"breakers={preset}"]).config()["funds"]
    window = hours * 3_600 * SECOND
    told = {"trigger_ppm": 300_000, "stop_ppm": stop, "inclusive": inclusive, "window_ns": window}
    assert fund["drawdown"] == told


def test_a_size_band_leaves_three_quarters_of_a_position_until_the_hour_is_over() -> None:
    play = deleveraged("adl-size-band", mark="48000", user=("3_000", "3"), winners={"winner": (BANK, "4")})
    assert closed(play) == {"winner": 1_000}
    play.wait(3_598.999999998)
    play.index(BTC="48000")
    assert closed(play) == {"winner": 1_000}
    # The next hour has begun: a quarter of 3 BTC.
    play.now += 2
    play.index(BTC="48000")
    assert closed(play) == {"winner": 1_750}


@pytest.mark.parametrize(("lots", "taken"), [("0.375", 375), ("0.376", 0)])
def test_gmx_makes_no_close_that_would_leave_less_than_77_per_cent(lots: str, taken: int) -> None:
    # Shorts of 10 BTC from 180,000 at a mark of 100,000: 80 %. A close of 0.375 BTC leaves 77 %.
    play = desk("gmx-adl", INDEX, FREE, ONE_TIER, user="2_000", holder=BANK, winner=BANK, levered="100_000")
    play.index(BTC="180000", ETH="4000")
    play.block("BTC", "user", "levered", lots, "180000")
    play.block("BTC", "holder", "levered", str(5 - Decimal(lots)), "180000")
    play.block("BTC", "holder", "winner", "5", "180000")
    play.open()
    play.index(BTC="100000")
    # Who is levered more comes first and gives all of it.
    assert closed(play) == ({"levered": taken} if taken else {})


# Open interest.


@pytest.mark.parametrize(
    ("more", "margin"),
    [("799", "400"), ("800", "441.3"), ("1399", "25_200"), ("1999", "50_000"), ("2999", "50_000")],
)
def test_dydx_margin_grows_with_open_interest_from_40_to_100_million(more: str, margin: str) -> None:
    # 1 BTC at 50,000 with a base rate of 0.8 %: open interest of 40M, 40.05M, 70M, 100M, 150M.
    play = desk("dydx-open-interest", INDEX, ONE_TIER, user="1_000", maker=BANK, taker=BANK)
    play.index(BTC="50000", ETH="4000")
    play.block("BTC", "user", "maker", "1", "50000")
    play.block("BTC", "taker", "maker", more, "50000")
    assert play.account("user", "initial") == Decimal(margin)


def test_orders_that_add_beyond_the_open_interest_cap_are_refused() -> None:
    play = desk("open-interest-cap", INDEX, ONE_TIER, maker=BANK, taker=BANK, other=BANK)
    play.index(BTC="100", ETH="4000")
    play.block("BTC", "taker", "maker", "29999.999", "100")
    play.open()
    assert EventKind.ACCEPTED in kinds(play.place("BTC", "other", Side.SELL, "0.001", "100"))
    assert EventKind.FILL in kinds(play.place("BTC", "taker", Side.BUY, "0.001", "100"))
    (refused,) = play.place("BTC", "other", Side.SELL, "0.001", "100")
    assert refused["code"] == Reject.OPEN_INTEREST_LIMIT
    assert EventKind.ACCEPTED in kinds(play.place("BTC", "taker", Side.SELL, "0.001", "100"))


# Withdrawals.


def withdraw(play: Play, who: str, amount: str) -> Records:
    return play.send(commands.withdraw(at=play.now, account=play.people[who], amount=play.profile.amount(amount)))


@pytest.mark.parametrize(("equity", "gated"), [("0", False), ("-0.000001", True)])
def test_dydx_gates_withdrawals_for_fifty_blocks_after_an_account_below_zero(equity: str, gated: bool) -> None:
    play = in_liquidation("dydx-withdrawal-gate", "markets.BTC.adl.enabled=false", qty="0.001", equity=equity, bid=None)
    for wait, refused in ((49.999999999, gated), (10**-9, False)):
        play.wait(wait)
        events = withdraw(play, "maker", "1")
        assert (EventKind.WITHDRAWN not in kinds(events)) == refused
        if refused:
            assert events["code"].tolist() == [Reject.WITHDRAWALS_GATED]


def test_a_paradex_withdrawal_leaves_its_share_of_what_is_missing() -> None:
    # 1,000 missing of claims of 5,000: 20 % of 500. The page's example divides by 4,000 and prints 125.
    play = desk(
        "paradex-withdrawals",
        INDEX,
        FREE,
        'markets.BTC.liquidation.limit={type="none"}',
        alice="1_000",
        bob="1_000",
        charlie="1_000",
    )
    play.leave_missing()
    events = withdraw(play, "charlie", "500")
    assert [play.money(int(amount)) for amount in events[events["kind"] == EventKind.SOCIALISED]["amount"]] == [100]


@pytest.mark.parametrize(("amount", "left"), [("1_000", True), ("1_000.000001", False)])
def test_a_hyperliquid_withdrawal_leaves_a_tenth_of_the_open_notional(amount: str, left: bool) -> None:
    play = desk("hyperliquid-withdrawals", INDEX, user="6_000", maker=BANK)
    play.index(BTC="50000", ETH="4000")
    play.block("BTC", "user", "maker", "1", "50000")
    assert (EventKind.WITHDRAWN in kinds(withdraw(play, "user", amount))) == left


# The composite.


def test_the_composite_caps_orders_that_take_and_exempts_liquidations() -> None:
    play = opened("composite", "100000", INDEX)
    play.place("BTC", "maker", Side.SELL, "1", "104999.9")
    assert limit_of(play, Side.BUY, "105000") == 105_000
    assert limit_of(play, Side.BUY, "105000.1") == 105_000


def test_the_composite_leaves_orders_alone_that_take_from_nobody() -> None:
    play = opened("composite", "100000", INDEX)
    assert limit_of(play, Side.BUY, "106000") == 106_000


def test_the_composite_looks_at_the_mark_and_not_at_the_index() -> None:
    play = mark_beside_index("composite", "60000", "57000")
    assert tripped(play) == 0
    play.place("BTC", "maker", Side.SELL, "1", "62999.9")
    # 5 % of the mark of 60,000.
    assert limit_of(play, Side.BUY, "63000.1") == 63_000


def test_the_composite_forgets_a_mark_after_a_minute() -> None:
    play = opened("composite", "100000", INDEX)
    for wait, mark in ((1, "98000"), (60, "97000")):
        play.wait(wait)
        play.index(BTC=mark)
    # The mark that stood when the minute began counts: 98,000.
    assert tripped(play) == 0


@pytest.mark.parametrize(("mark", "guarded"), [("97000.1", False), ("97000", True)])
def test_the_composite_guards_a_market_whose_mark_moves_by_three_per_cent_in_a_minute(mark: str, guarded: bool) -> None:
    play = opened("composite", "100000", INDEX)
    play.wait(59.999999999)
    events = play.index(BTC=mark)
    assert phase(play) == (Phase.GUARDED if guarded else Phase.CONTINUOUS)
    if guarded:
        (changed,) = events[events["kind"] == EventKind.PHASE_CHANGED]
        assert int(changed["amount"]) == play.now + MINUTE
        # Nobody takes to open a position; who adds a quote may.
        refused = play.place("BTC", "taker", Side.BUY, "1", mark)
        assert refused["code"].tolist() == [Reject.PHASE_REFUSES]
        quote: dict[str, Any] = {"flags": 1}
        assert EventKind.ACCEPTED in kinds(play.place("BTC", "taker", Side.BUY, "1", "96000", **quote))


@pytest.mark.parametrize(("seconds", "again"), [(59.999999999, 1), (60, 2)])
def test_the_composite_guards_again_after_a_minute(seconds: float, again: int) -> None:
    play = opened("composite", "100000", INDEX)
    play.index(BTC="97000")
    play.wait(seconds)
    play.index(BTC="94000")
    assert tripped(play, "composite-guard") == again


UNGUARDED = "breakers.composite-guard.enabled=false"
QUIET = (UNGUARDED, "breakers.composite-overload.enabled=false")


@pytest.mark.parametrize(("last", "guarded"), [("99.999", False), ("100", True)])
def test_the_composite_guards_a_market_in_which_fifty_million_are_liquidated(last: str, guarded: bool) -> None:
    # Ten accounts of 5 million each.
    play = many_in_liquidation("composite", ["100"] * 9 + [last], *QUIET)
    assert tripped(play, "composite-pressure") == int(guarded)
    assert phase(play) == (Phase.GUARDED if guarded else Phase.CONTINUOUS)


@pytest.mark.parametrize(("seconds", "guarded"), [(9.999999999, True), (10, False)])
def test_the_composite_counts_liquidations_of_ten_seconds(seconds: float, guarded: bool) -> None:
    # Five of ten accounts now, 25 million, and as many later.
    play = many_in_liquidation("composite", ["100"] * 10, *QUIET, "limits.liquidation_rounds_per_step=5")
    play.wait(seconds)
    events = play.index(BTC="50000")
    assert tripped(play, "composite-pressure") == int(guarded)
    if guarded:
        (changed,) = events[events["kind"] == EventKind.PHASE_CHANGED]
        assert (int(changed["code"]), int(changed["amount"])) == (Phase.GUARDED, play.now + 30 * SECOND)


@pytest.mark.parametrize(
    ("phase_before", "qty", "reached"), [("guarded", "100", 0), ("guarded", "100.001", 2), ("continuous", "100.001", 0)]
)
def test_the_composite_liquidates_five_million_of_an_account_in_a_second_while_guarded(
    phase_before: str, qty: str, reached: int
) -> None:
    play = many_in_liquidation("composite", [qty], *QUIET, before=Phase[phase_before.upper()])
    assert limits_reached(play) == [2] * reached
    assert play.position("user0", "BTC") == (Decimal(qty) - 100 if phase_before == "guarded" else 0)


@pytest.mark.parametrize(("more", "auction"), [("1000", False), ("999.999", True)])
def test_the_composite_calls_an_auction_when_more_waits_than_half_of_what_the_book_shows(
    more: str, auction: bool
) -> None:
    # A thousand wait against a thousand bids, and these.
    play = many_in_liquidation("composite", ["100"] * 10, UNGUARDED, more=more)
    assert tripped(play, "composite-overload") == int(auction)
    # If they meet the book, they come to 50 million.
    assert phase(play) == (Phase.CALL_AUCTION if auction else Phase.GUARDED)


def test_the_mark_of_the_composite_is_between_the_index_and_its_auction() -> None:
    play = many_in_liquidation("composite", ["600"] * 10, UNGUARDED)
    assert phase(play) == Phase.CALL_AUCTION
    play.wait(1)
    # All are offered at 50,000, and bid for.
    (marked,) = (event for event in play.index(BTC="48000") if event["kind"] == EventKind.MARKED)
    assert int(marked["price"]) == 490_000


@pytest.mark.parametrize(("bids", "guarded"), [("3", False), ("2.999", True)])
def test_the_composite_guards_a_market_whose_depth_falls_below_a_third_of_its_mean(bids: str, guarded: bool) -> None:
    play = opened("composite", "100000", INDEX)
    play.place("BTC", "maker", Side.SELL, "20", "102000")
    play.place("BTC", "maker", Side.BUY, bids, "98000")
    ((order,),) = (play.place("BTC", "taker", Side.BUY, str(10 - Decimal(bids)), "99000")["order"],)
    play.place("BTC", "taker", Side.BUY, "50", "97999.9")
    play.index(BTC="100000")
    play.send(commands.cancel(at=play.now, market=0, account=play.people["taker"], order=order))
    play.wait(599)
    play.index(BTC="100000")
    assert tripped(play, "composite-thin") == int(guarded)
    assert phase(play) == (Phase.GUARDED if guarded else Phase.CONTINUOUS)


@pytest.mark.parametrize(("price", "auction"), [("107999.9", False), ("108000", True)])
def test_the_composite_calls_an_auction_at_eight_per_cent_from_the_extreme_of_five_minutes(
    price: str, auction: bool
) -> None:
    play = opened("composite", "100000", INDEX)
    trade(play, "100000")
    for mark in ("102000", "104000", "106000"):
        play.wait(61)
        play.index(BTC=mark)
    events = trade(play, price)
    assert (EventKind.FILL in kinds(events)) != auction
    assert phase(play) == (Phase.CALL_AUCTION if auction else Phase.CONTINUOUS)
    if auction:
        # The order waits in the call, which lasts a minute and up to ten seconds.
        assert EventKind.CANCELLED not in kinds(events)
        end = int(events["amount"][events["kind"] == EventKind.PHASE_CHANGED][0])
        assert 60 * SECOND <= end - play.now <= 70 * SECOND


@pytest.mark.parametrize(("seconds", "auction"), [(299.999999999, True), (300, False)])
def test_the_composite_forgets_a_trade_after_five_minutes(seconds: float, auction: bool) -> None:
    play = opened("composite", "100000", INDEX)
    trade(play, "100000")
    play.wait(1)
    trade(play, "101000")
    for mark in ("102000", "104000", "106000"):
        play.wait(61)
        play.index(BTC=mark)
    # The trade at 101,000 stands until there is another, and is 8 % below 109,080.
    play.wait(seconds - 3 * 61)
    assert (EventKind.FILL in kinds(trade(play, "108000"))) != auction


def test_liquidations_take_part_in_the_auction_of_the_composite() -> None:
    play = many_in_liquidation("composite", ["600"] * 10, UNGUARDED)
    assert phase(play) == Phase.CALL_AUCTION
    assert play.events(EventKind.LIQUIDATION_ORDER)["flags"].tolist() == [2] * 10


# What every file says, and how it is attached.


@pytest.mark.parametrize("name", rule_names())
def test_a_preset_says_where_from_and_what_it_leaves_out(name: str) -> None:
    told = load_rules(name)
    assert told.gaps
    assert "[S]" in told.source or "[K]" in told.source or "[S, secondary]" in told.source


def test_what_comes_after_a_preset_is_set_over_it_in_one_market_only() -> None:
    after = "markets.BTC.liquidation.policy.cooldown=1s"
    profile = load_profile("reference", set=["breakers=hyperliquid-staging", after])
    pauses = [market["liquidation"]["policy"]["cooldown_ns"] for market in profile.config()["markets"]]
    assert pauses == [SECOND, 30 * SECOND]


def test_a_table_with_a_type_is_replaced_whole() -> None:
    # The profile's own policy is a schedule with a largest slice; the preset's has none.
    profile = load_profile("dydx", set=["breakers=hyperliquid-staging"])
    assert [market["liquidation"]["policy"]["qty_max"] for market in profile.config()["markets"]] == [None, None]


def test_in_a_dated_profile_a_preset_says_that_its_values_are_set_over_the_file() -> None:
    profile = load_profile("dydx", set=['breakers=["dydx-block-limits", "bybit-adl", "okx"]'])
    (told,) = [origin for origin in profile.origins if origin.note == "set by the rules bybit-adl"]
    assert told.confidence == "override"
    assert told.paths == ("funds.*.drawdown.trigger", "funds.*.drawdown.stop", "funds.*.drawdown.window")
    *_, staged, _ = load_profile("dydx", set=["breakers=hyperliquid-staging"]).origins
    assert "markets.*.liquidation.policy" in staged.paths
