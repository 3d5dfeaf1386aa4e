"""What a saved run says of each kind of rule: one small journal each, and the words of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seawall
from seawall import SECOND, EventKind, JournalWriter, Phase, Side, Venue, commands
from seawall.commands import Records

BASE = 1_000 * SECOND
"""A time at which nothing is due."""

LIMIT = "inside is 570000 ticks to 630000 ticks; until 1970-01-01T00:16:56Z"
INSIDE = "inside is 570001 ticks to 629999 ticks"


def told(path: Path, rule: str, *batches: Records) -> seawall.Explanation:
    """Return what is said of a journal of some commands behind two funded accounts in two open markets."""
    venue = Venue("reference", set=[f"breakers=[{rule}]"])
    opening = commands.batch(
        commands.open_account(at=BASE, count=2),
        commands.deposit(at=BASE, account=[0, 1], amount=10**13),
        commands.index(at=BASE, market=[0, 1], price=[600_000, 300_000]),
        commands.set_phase(at=BASE, market=[0, 1], phase=Phase.CONTINUOUS),
    )
    with (path / "journal").open("wb") as out:
        journal = JournalWriter(venue, out)
        for batch in (opening, *batches):
            journal.write(batch)
            venue.apply(batch)
    return seawall.explain(seawall.load_run(path / "journal"), venue.now, window_ns=3600 * SECOND)


def place(at: int, account: int, side: Side, price: int, **more: Any) -> Records:
    return commands.place(at=BASE + at * SECOND, market=0, account=account, side=side, price=price, qty=10, **more)


def words(of: seawall.Explanation) -> list[str]:
    """What rules did after the opening."""
    return [row["words"] for row in of.acted if row["at"] != "1970-01-01T00:16:40Z"]


def test_a_trade_that_halts_another_market_is_named_there(tmp_path: Path) -> None:
    rule = (
        '{name = "fast", markets = ["BTC"], interrupts = ["ETH"], inclusive = false, '
        'ranges = [{reference = {type = "mark"}, width = {type = "share", share = "0.05"}}], '
        'test = {type = "trade"}, action = {type = "interrupt", phase = "halted"}, exit = {after = "2m"}}'
    )
    of = told(tmp_path, rule, place(1, 0, Side.SELL, 640_000), place(2, 1, Side.BUY, 640_000))
    assert words(of) == [
        f"fast tripped on a trade at 640000 ticks, 6.667 % above 600000 ticks; {INSIDE}; until 1970-01-01T00:18:42Z",
        "continuous to halted, until 1970-01-01T00:18:42Z, by fast",
        "continuous to halted, until 1970-01-01T00:18:42Z, by fast in BTC",
    ]
    assert [row["by"] for row in of.markets] == ["fast", "fast in BTC"]


def test_a_limit_state_and_what_follows_is_told(tmp_path: Path) -> None:
    rule = (
        '{name = "limit", markets = ["BTC"], test = {type = "quote"}, '
        'ranges = [{reference = {type = "set", price = "60000"}, width = {type = "share", share = "0.05"}}], '
        'action = {type = "limit_state", hold = "15s"}, exit = {after = "5m"}}'
    )
    of = told(tmp_path, rule, place(1, 0, Side.BUY, 630_000), commands.pulse(at=BASE + 17 * SECOND))
    assert words(of) == [
        "limit tripped on a bid or offer at 630000 ticks, 5.000 % above 600000 ticks; " + LIMIT,
        "continuous to limit_state, until 1970-01-01T00:16:56Z, by limit",
        "limit_state to pause, until 1970-01-01T00:21:56Z, by limit",
    ]
    assert of.markets[0]["by"] == "limit"


def test_a_gap_is_told_in_seconds(tmp_path: Path) -> None:
    rule = (
        '{name = "gap", markets = ["BTC"], test = {type = "gap"}, '
        'action = {type = "gaps", rows = [{gap = "10s", after = "1m"}, {gap = "1m", after = "5m"}]}}'
    )
    of = told(tmp_path, rule, commands.pulse(at=BASE + 30 * SECOND))
    assert words(of) == [
        "gap tripped: 30 s without a command, 10 s or more trips it; until 1970-01-01T00:18:10Z",
        "continuous to call_auction, until 1970-01-01T00:18:10Z, by gap",
    ]


def test_an_extension_of_an_auction_is_told_with_its_bounds(tmp_path: Path) -> None:
    rule = (
        '{name = "vi", markets = ["BTC"], inclusive = false, '
        'ranges = [{reference = {type = "mark"}, width = {type = "share", share = "0.05"}}], '
        'test = {type = "trade", rest = "rests"}, action = {type = "interrupt", phase = "call_auction"}, '
        'exit = {after = "1m", extension = {after = "30s", most = 1}}}'
    )
    of = told(
        tmp_path,
        rule,
        place(1, 0, Side.SELL, 640_000),
        place(2, 1, Side.BUY, 640_000),
        commands.pulse(at=BASE + np.array([63, 100]) * SECOND),
    )
    assert words(of) == [
        f"vi tripped on a trade at 640000 ticks, 6.667 % above 600000 ticks; {INSIDE}; until 1970-01-01T00:17:42Z",
        "continuous to call_auction, until 1970-01-01T00:17:42Z, by vi",
        f"vi tripped on an auction at 640000 ticks, 6.667 % above 600000 ticks; {INSIDE}; until 1970-01-01T00:18:12Z",
        "call_auction extended, until 1970-01-01T00:18:12Z, by vi",
        "auction at 640000 ticks: 10 lots",
        "call_auction to continuous",
    ]


def test_depth_is_told_by_side_and_by_what_it_was_held_against(tmp_path: Path) -> None:
    rules = (
        '{name = "few", markets = ["BTC"], test = {type = "depth", width = "0.02", '
        'below = {type = "value", least = "100_000"}}, '
        'action = {type = "interrupt", phase = "guarded"}, exit = {after = "1m"}, rearm = {cooldown = "1h"}}, '
        '{name = "thin", markets = ["BTC"], test = {type = "depth", width = "0.02", '
        'below = {type = "mean", share = "0.55", window = "1m"}}, '
        'action = {type = "interrupt", phase = "guarded"}, exit = {after = "1m"}}'
    )
    index = [commands.index(at=BASE + at * SECOND, market=0, price=600_000) for at in (61, 62, 63)]
    of = told(
        tmp_path,
        rules,
        place(60, 0, Side.BUY, 599_000),
        place(60, 0, Side.SELL, 601_000),
        place(60, 0, Side.SELL, 601_000),
        index[0],
        index[1],
        commands.cancel_all(at=BASE + 63 * SECOND, account=0),
        index[2],
    )
    near = "bids within 2 % of the mark show"
    # The mean is 10 lots of two looks, of which 5.5 are 55 %.
    assert words(of) == [
        f"few tripped: {near} 600.00 USD, less than 100,000.00 USD trips it; until 1970-01-01T00:18:41Z",
        "continuous to guarded, until 1970-01-01T00:18:41Z, by few",
        f"thin tripped: {near} 0 lots, less than 6 (55 % of the mean of 60 s) trips it; until 1970-01-01T00:18:43Z",
        "guarded extended, until 1970-01-01T00:18:43Z, by thin",
    ]


def test_what_waits_for_liquidation_is_told_by_side_and_share(small: Path, tmp_path: Path) -> None:
    rule = (
        'venue.breakers=[{name = "load", markets = ["BTC", "ETH"], '
        'test = {type = "pending", width = "0.05", share = "0.001"}, '
        'action = {type = "interrupt", phase = "guarded"}, exit = {after = "1m"}, rearm = {cooldown = "1h"}}]'
    )
    run = seawall.replay(small, accounts=1000, set=[rule], save=tmp_path / "run")
    chosen = run.events["kind"] == EventKind.BREAKER_TRIPPED
    trip = {name: int(run.events[name][chosen][0]) for name in ("at", "price", "qty", "side")}
    explained = seawall.explain(seawall.load_run(tmp_path / "run"), trip["at"])
    first = next(row["words"] for row in explained.acted if row["what"] == "breaker_tripped")
    print(first)  # noqa: T201
    side = "asks" if trip["side"] else "bids"
    assert first.startswith(
        f"load tripped: {trip['price']:,} lots of accounts in liquidation wait for {side} within 5 % of the mark, "
        f"more than {trip['qty']:,} (0.1 % of what they show) trips it; until "
    )


@pytest.mark.parametrize(
    ("of", "least", "text"),
    [
        ("liquidations", "5", "liquidation orders came to "),
        ("liquidated", "1000000", "liquidation orders traded "),
        ("deleveraged", "1000", "auto-deleveraging closed "),
        ("fund_paid", "1", "the fund paid "),
    ],
)
def test_a_count_is_told_in_its_unit(of: str, least: str, text: str, small: Path, tmp_path: Path) -> None:
    rule = (
        f'venue.breakers=[{{name = "pressure", markets = ["BTC", "ETH"], '
        f'test = {{type = "count", of = "{of}", window = "1m", least = "{least}"}}, '
        'action = {type = "interrupt", phase = "guarded"}, exit = {after = "1m"}, rearm = {cooldown = "1m"}}]'
    )
    run = seawall.replay(small, accounts=1000, set=["fund.to_open_interest=0.0001", rule], save=tmp_path / "run")
    trips = run.events.of("breaker_tripped")
    saved = seawall.load_run(tmp_path / "run")
    explained = seawall.explain(saved, int(run.events["at"][run.events["kind"] == 111][0]))
    first = next(row["words"] for row in explained.acted if row["what"] == "breaker_tripped")
    print(first)  # noqa: T201
    assert first.startswith(f"pressure tripped: {text}")
    assert first.split(" or more")[0].endswith("USD" if of != "liquidations" else f", {least}")
    assert trips.height
