"""Recorded feeds: what is read, what stands in the venue's book, and what is refused.

The recordings are synthetic: a small exchange with its own book writes the same lines as the real one, so the book
that a replay must reach is known without the code under test.
"""

import gzip
import json
import os
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from seawall import EventKind, Side, Venue, feed
from seawall.commands import Records
from seawall.feed import DepthSnapshot, DepthUpdate, FeedError, Other, Quote, RecordedBook, Trade

Book = tuple[dict[int, int], dict[int, int]]
TICK, LOT = Decimal("0.1"), Decimal("0.001")
BEGIN = 1_723_161_255_000_000_000


class Exchange:
    """A random exchange that writes what a recorder would receive.

    ``books`` has, for each line, the book that a reader must have after it.
    """

    def __init__(self, seed: int = 1, market: str = "usd-m", *, tick: Decimal = TICK) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable by its seed
        self.market = market
        self.tick = tick
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.lines: list[str] = []
        self.books: list[Book] = []
        self.received: Book = ({}, {})
        self.seen = market == "coin-m"
        """Whether the reader has a book; a recording of COIN-M has no snapshot and begins with an empty one."""
        self.middle = 6000
        self.id = self.sent = 5000
        self.now = BEGIN

    def change(self, changes: int) -> tuple[dict[int, int], dict[int, int]]:
        """Change some levels; return their new quantities."""
        changed: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.middle += self.random.randint(-3, 3)
        for side, levels in enumerate((self.bids, self.asks)):
            for price in list(levels):
                if price >= self.middle if side == 0 else price <= self.middle:
                    del levels[price]
                    changed[side][price] = 0
            for _ in range(changes):
                away = self.random.randint(1, 30)
                price = self.middle - away if side == 0 else self.middle + away
                qty = self.random.choice((0, self.random.randint(1, 5000)))
                changed[side][price] = qty
                levels[price] = qty
                if not qty:
                    del levels[price]
        self.id += self.random.randint(1, 9)
        return changed

    def update(self, changes: int = 6, *, lost: bool = False, snapshot_inside: bool = False) -> None:
        """Write an update, or lose it; a snapshot may be taken in its middle and arrive after it."""
        first = self.id + 1
        changed = self.change(changes)
        if snapshot_inside:
            copy = self.snapshot_data()
            for levels, more in zip(changed, self.change(changes), strict=True):
                levels.update(more)
        data = {"e": "depthUpdate", "E": self.now // 1_000_000, "s": "BTCUSDT", "U": first, "u": self.id}
        if self.market != "spot":
            data |= {"T": self.now // 1_000_000, "pu": self.sent}
        data |= {"b": self.rows(changed[0]), "a": self.rows(changed[1])}
        self.sent = self.id
        # The exchange quotes every new touch, some of them before the update and some after it.
        late = self.random.random() < 0.5
        if not late:
            self.quote()
        if not lost:
            self.write("depth@0ms", data)
        if late and not snapshot_inside:
            self.quote()
        if snapshot_inside:
            self.seen = True
            self.write("", copy)

    def snapshot_data(self) -> dict[str, Any]:
        return {"lastUpdateId": self.id, "bids": self.rows(self.bids), "asks": self.rows(self.asks)}

    def snapshot(self) -> None:
        self.seen = True
        self.write("", self.snapshot_data())

    def trade(self) -> None:
        price, qty = self.price(self.middle), self.qty(self.random.randint(1, 99))
        data = {"e": "trade", "E": self.now // 1_000_000, "s": "BTCUSDT", "t": 7, "p": price, "q": qty, "m": True}
        self.write("trade", data | ({"M": True} if self.market == "spot" else {"X": "MARKET"}))

    def quote(self) -> None:
        if not self.bids or not self.asks:
            return
        bid, ask = max(self.bids), min(self.asks)
        data: dict[str, Any] = {} if self.market == "spot" else {"e": "bookTicker"}
        data |= {"u": self.id, "s": "BTCUSDT", "b": self.price(bid), "B": self.qty(self.bids.get(bid, 0))}
        self.write("bookTicker", data | {"a": self.price(ask), "A": self.qty(self.asks.get(ask, 0))})

    def write(self, stream: str, data: dict[str, Any]) -> None:
        if self.market == "coin-m" and data.get("e") in ("depthUpdate", "bookTicker"):
            data["ps"] = "BTCUSD"
        self.now += self.random.randint(0, 400_000_000)
        whole = {"stream": f"btcusdt@{stream}", "data": data} if stream else data
        self.lines.append(f"{self.now} {json.dumps(whole, separators=(',', ':'))}\n")
        if self.seen and ("U" in data or "lastUpdateId" in data):
            self.received = dict(self.bids), dict(self.asks)
        self.books.append(self.received)

    def rows(self, levels: dict[int, int]) -> list[list[str]]:
        return [[self.price(price), self.qty(qty)] for price, qty in sorted(levels.items())]

    def price(self, ticks: int) -> str:
        return f"{ticks * self.tick:.8f}" if self.market == "spot" else f"{ticks * self.tick:.2f}"

    def qty(self, lots: int) -> str:
        return f"{lots * LOT:.3f}"

    def session(self, messages: int = 30) -> "Exchange":
        """Write a stale update, one that straddles the snapshot, the snapshot, and then all types of messages."""
        self.update(20)
        if self.market != "coin-m":
            self.update(snapshot_inside=True)
        for _ in range(messages):
            self.random.choices([self.update, self.trade, self.quote], [3, 1, 1])[0]()
        return self

    def save(self, path: Path, lines: int | None = None) -> Path:
        text = "".join(self.lines[:lines]).encode()
        path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
        return path


def venue_levels(run: feed.FeedRun) -> Book:
    """Return the lots at each of the venue's prices, by way of its depth."""
    bids, asks = (
        dict(zip(table["price"].tolist(), table["qty"].tolist(), strict=True))
        for table in run.venue.depth(0, levels=100_000).values()
    )
    return bids, asks


def standing(run: feed.FeedRun) -> Book:
    """Return the venue's levels in recorded ticks."""
    bids, asks = (
        {int(run.price(price) / run.tick): qty for price, qty in levels.items()} for levels in venue_levels(run)
    )
    return bids, asks


def write(path: Path, *messages: dict[str, Any]) -> Path:
    path.write_text("".join(f"{BEGIN + n} {json.dumps(message)}\n" for n, message in enumerate(messages)))
    return path


def update(first: int, final: int, bids: str = "", asks: str = "", **more: object) -> dict[str, Any]:
    """Return a spot update; levels are written ``price x qty``."""
    rows = ([level.split("x") for level in levels.split()] for levels in (bids, asks))
    b, a = rows
    return {"e": "depthUpdate", "E": 1, "s": "BTCUSDT", "U": first, "u": final, "b": b, "a": a} | more


def snapshot(last: int, bids: str, asks: str) -> dict[str, Any]:
    b, a = ([level.split("x") for level in levels.split()] for levels in (bids, asks))
    return {"lastUpdateId": last, "bids": b, "asks": a}


# What stands in the book


@pytest.mark.parametrize("market", ["usd-m", "spot", "coin-m"])
def test_after_every_message_the_venue_has_the_exchanges_levels(tmp_path: Path, market: str) -> None:
    exchange = Exchange(seed=3, market=market).session()
    # A part without the snapshot would be a recording that has none.
    first = 1 if market == "coin-m" else next(line for line, book in enumerate(exchange.books, 1) if book[0])
    for line, book in list(enumerate(exchange.books, 1))[first - 1 :]:
        run = feed.replay(exchange.save(tmp_path / "feed.txt", line), tick="0.1", lot="0.001")
        assert run.ok, (line, run.differences)
        assert standing(run) == book, f"after line {line}"
        assert run.messages == line


@pytest.mark.parametrize("market", ["usd-m", "spot", "coin-m"])
def test_a_longer_session_agrees_and_counts_what_it_compared(tmp_path: Path, market: str) -> None:
    exchange = Exchange(seed=4, market=market).session(400)
    run = feed.replay(exchange.save(tmp_path / "feed.gz"))
    assert run.ok
    assert standing(run) == exchange.books[-1]
    assert run.levels_compared == sum(len(bids) + len(asks) for bids, asks in exchange.books)
    assert (run.symbol, run.market, run.tick, run.lot) == ("BTCUSDT", market, TICK, LOT)
    expected = {"held": 2, "stale": 1} if market != "coin-m" else {"held": 0, "stale": 0}
    assert {name: run.sequence[name] for name in expected} == expected
    assert (run.sequence["gaps"], run.sequence["crossed_levels"]) == (0, 0)
    bids, asks = exchange.books[-1]
    assert run.quotes_compared > 50
    assert run.quotes_differing == 0
    assert run.touch["bid"] == f"{max(bids) * TICK}"
    assert run.touch["ask_qty"] == f"{asks[min(asks)] * LOT}"
    assert run.venue.audit()["ok"]


def test_the_same_recording_gives_the_same_digest_packed_or_not_checked_or_not(tmp_path: Path) -> None:
    exchange = Exchange(seed=5).session(60)
    plain, packed = exchange.save(tmp_path / "feed.txt"), exchange.save(tmp_path / "feed.gz")
    runs = [feed.replay(plain), feed.replay(packed), feed.replay(packed, check=False)]
    assert len({run.digest for run in runs}) == 1
    assert [run.checked for run in runs] == [True, True, False]
    assert runs[2].levels_compared == 0
    assert runs[0].to_dict().keys() == json.loads(json.dumps(runs[2].to_dict())).keys()


def test_one_order_per_level_decreases_in_place_and_removals_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Records] = []
    apply = Venue.apply

    def spy(venue: Venue, batch: Records) -> Records:
        seen.append(apply(venue, batch))
        return seen[-1]

    monkeypatch.setattr(Venue, "apply", spy)
    path = write(
        tmp_path / "feed.txt",
        snapshot(10, "99x5 98x5 97x5", "101x5"),
        # 98 shrinks, 97 grows, 99 goes, and 101 on the other side gives way to a bid.
        update(11, 12, "101x1 97x9 98x2 99x0", "101x0 102x3"),
    )
    run = feed.replay(path, index_every_ns=10**18)
    assert run.ok
    events = seen[-1]
    steps = [(EventKind(int(e["kind"])).name, int(e["price"]), int(e["qty"]), int(e["flags"])) for e in events]
    assert steps == [
        ("CANCELLED", 99, 5, 0),
        ("CANCELLED", 101, 5, 0),
        ("REPLACED", 98, 2, 1),
        ("REPLACED", 97, 9, 0),
        ("ACCEPTED", 101, 1, 1),
        ("ACCEPTED", 102, 3, 1),
    ]
    depth = run.venue.depth(0)
    assert depth["bids"]["orders"].tolist() == [1, 1, 1]
    assert set(events["account"].tolist()) == {run.street}


def test_the_index_is_the_middle_of_the_recorded_book_not_more_often_than_asked(tmp_path: Path) -> None:
    exchange = Exchange(seed=6).session(100)
    path = exchange.save(tmp_path / "feed.txt")
    seldom, often = (feed.replay(path, index_every_ns=every) for every in (10**18, 0))
    assert seldom.index_updates == 1
    before = sum(not bids for bids, _ in exchange.books)
    assert often.index_updates == often.messages - before
    assert seldom.ok
    assert often.ok


def test_an_update_across_the_snapshot_is_held_and_applied_after_it(tmp_path: Path) -> None:
    path = write(
        tmp_path / "feed.txt",
        update(1, 4, "90x9"),
        update(5, 8, "99x0", "101x6"),
        snapshot(6, "98x1 99x2", "101x5"),
        update(9, 9, "97x1"),
    )
    run = feed.replay(path)
    assert standing(run) == ({98: 1, 97: 1}, {101: 6})
    assert {name: run.sequence[name] for name in ("held", "stale", "gaps")} == {"held": 2, "stale": 1, "gaps": 0}


def test_derivatives_chain_by_the_previous_id_and_apply_the_update_that_ends_with_the_snapshot(tmp_path: Path) -> None:
    path = write(
        tmp_path / "feed.txt",
        snapshot(20, "98x1", "101x5"),
        update(15, 20, "50x3", pu=11),
        update(31, 33, "97x2", pu=20),
        update(31, 33, "97x3", pu=20),
        update(40, 41, "96x2", pu=34),
    )
    run = feed.replay(path)
    assert standing(run)[0] == {98: 1, 50: 3, 97: 2, 96: 2}
    assert run.sequence["stale"] == 1
    assert run.sequence["first_gaps"] == [{"line": 5, "last": 33, "before": 34}]


def test_a_gap_is_reported_and_the_next_snapshot_heals_the_book(tmp_path: Path) -> None:
    exchange = Exchange(seed=8).session(10)
    exchange.update(lost=True)
    exchange.update(lost=True)
    exchange.update()
    after = max(line for line, text in enumerate(exchange.lines, 1) if "depthUpdate" in text)
    exchange.update(snapshot_inside=True)
    exchange.update()
    run = feed.replay(exchange.save(tmp_path / "feed.txt"))
    assert run.ok
    assert run.sequence["gaps"] == 1
    assert run.sequence["first_gaps"][0]["line"] == after
    assert standing(run) == exchange.books[-1]


def test_a_quote_that_contradicts_the_book_is_counted(tmp_path: Path) -> None:
    quotes = [
        {"u": u, "s": "BTCUSDT", "b": "98", "B": bid_qty, "a": "101", "A": "5"}
        for u, bid_qty in [(5, "1"), (8, "2"), (10, "3"), (11, "4")]
    ]
    path = write(
        tmp_path / "feed.txt",
        quotes[0],
        snapshot(5, "98x1", "101x5"),
        update(6, 9, "98x2"),
        quotes[1],  # belongs to the update before it
        update(10, 10, "98x7"),
        quotes[2],
        quotes[3],  # ends the wait for quotes up to 10, of which the last said 3
    )
    run = feed.replay(path)
    assert run.ok
    assert (run.quotes_compared, run.quotes_differing) == (3, 1)


def test_a_snapshot_older_than_the_book_is_skipped(tmp_path: Path) -> None:
    path = write(
        tmp_path / "feed.txt", snapshot(5, "98x1", "101x5"), update(6, 9, "98x2"), snapshot(7, "90x1", "120x1")
    )
    run = feed.replay(path)
    assert standing(run) == ({98: 2}, {101: 5})
    assert run.sequence["stale"] == 1


def test_a_new_level_drops_what_it_crosses_on_the_other_side(tmp_path: Path) -> None:
    path = write(
        tmp_path / "feed.txt",
        update(1, 1, "98x1 99x1", "101x5 103x5"),
        update(2, 2, "102x4"),
        update(3, 3, "", "99x7"),
    )
    run = feed.replay(path)
    assert run.ok
    assert standing(run) == ({98: 1}, {99: 7, 103: 5})
    assert (run.sequence["crossed_messages"], run.sequence["crossed_levels"]) == (2, 3)


@pytest.mark.parametrize(
    ("messages", "part"),
    [
        ([update(1, 1, "99x1", "99x1")], "line 1: b, a: the update is crossed"),
        ([update(1, 1, "9x1"), snapshot(1, "99x1", "98x1")], "line 2: bids, asks: the snapshot is crossed"),
    ],
    ids=["update", "snapshot"],
)
def test_a_message_that_crosses_itself_is_refused(tmp_path: Path, messages: list[dict[str, Any]], part: str) -> None:
    with pytest.raises(FeedError, match=part):
        feed.replay(write(tmp_path / "feed.txt", *messages))


def test_a_replay_that_loses_commands_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Exchange(seed=9).session(40).save(tmp_path / "feed.txt")
    orders = feed.street._Replay._orders
    monkeypatch.setattr(feed.street._Replay, "_orders", lambda *arguments: orders(*arguments)[:1])
    run = feed.replay(path)
    assert not run.ok
    assert run.mismatches > len(run.differences) > 0
    assert {row["in"] for row in run.differences} == {"events", "depth"}
    assert CliRunner().invoke(feed.app, ["replay", str(path), "--json"]).exit_code == 1


def test_a_refusal_by_the_venue_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "feed.txt", snapshot(5, "98x1", "101x5"))
    monkeypatch.setattr(feed.street._Replay, "_index", lambda *_: [])
    run = feed.replay(path)
    assert run.refusals == {"no_mark": 2}
    assert not run.ok


# Prices beyond the venue's


def test_prices_beyond_the_limit_are_moved_over_unused_ones_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed.street, "_PRICE_MAX", 50)
    path = write(tmp_path / "feed.txt", update(1, 1, "20x1 24x2", "30x3 200x4"), update(2, 2, "", "201x5"))
    run = feed.replay(path)
    assert run.ok
    assert run.to_dict()["price_cuts"] == [{"from": "200", "ticks": 151}]
    assert run.venue.depth(0)["asks"]["price"].tolist() == [30, 49, 50]
    assert standing(run) == ({20: 1, 24: 2}, {30: 3, 200: 4, 201: 5})


def test_several_cuts_keep_order_and_can_be_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed.street, "_PRICE_MAX", 7)
    prices = [5, 6, 40, 41, 90, 99]
    ladder = feed.street._Ladder(Path("feed"), prices)
    moved = [ladder.venue(price) for price in prices]
    assert moved == sorted(set(moved))
    assert max(moved) == ladder.price_max == 7
    assert [ladder.recorded(price) for price in moved] == prices
    assert ladder.arrays(dict.fromkeys(prices, 1), descending=False)[0].tolist() == moved


def test_more_prices_than_a_market_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed.street, "_PRICE_MAX", 3)
    path = write(tmp_path / "feed.txt", update(1, 1, "20x1 24x2", "30x3 200x4"))
    with pytest.raises(FeedError, match=r"4 prices are used; a market has at most 3: cut"):
        feed.replay(path)


def test_quantities_beyond_the_venue_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "feed.txt", update(1, 1, "100.01x90000000000000.000001", "101x1"))
    with pytest.raises(FeedError, match=r"lot 0\.000001: .* more than a venue can count; give a coarser lot"):
        feed.replay(path)


# Reading


def test_messages_come_typed_in_ticks_and_lots(tmp_path: Path) -> None:
    path = write(
        tmp_path / "feed.txt",
        {"result": None, "id": 1},
        update(1, 2, "99.50x0.000", "100.5x2.25", pu=0, ps="BTCUSD"),
        snapshot(2, "99.5x1", ""),
        {"e": "trade", "E": 5, "s": "BTCUSDT", "t": 3, "p": "99.5", "q": "1", "m": True, "X": "MARKET"},
        {"e": "aggTrade", "E": 6, "s": "BTCUSDT", "a": 4, "p": "99.5", "q": "1", "m": False},
        {"e": "trade", "E": 7, "s": "BTCUSDT", "t": 5, "p": "0", "q": "0", "m": False, "X": "NA"},
        {"e": "bookTicker", "u": 9, "s": "BTCUSDT", "ps": "BTCUSD", "b": "99.5", "B": "1", "a": "100", "A": "2"},
        {"e": "forceOrder", "o": {}},
    )
    assert list(feed.read(path)) == [
        Other(1, BEGIN, "result"),
        DepthUpdate(2, BEGIN + 1, 1_000_000, 1, 2, 0, [(995, 0)], [(1005, 225)]),
        DepthSnapshot(3, BEGIN + 2, 2, [(995, 100)], []),
        Trade(4, BEGIN + 3, 5_000_000, 3, 995, 100, Side.SELL),
        Trade(5, BEGIN + 4, 6_000_000, 4, 995, 100, Side.BUY),
        Other(6, BEGIN + 5, "trade NA"),
        Quote(7, BEGIN + 6, 9, 995, 100, 1000, 200),
        Other(8, BEGIN + 7, "forceOrder"),
    ]
    assert next(iter(feed.read(path, tick="0.5", lot="0.25"))) == Other(1, BEGIN, "result")
    assert list(feed.read(path, tick="0.5", lot="0.25"))[1] == DepthUpdate(
        2, BEGIN + 1, 1_000_000, 1, 2, 0, [(199, 0)], [(201, 9)]
    )


def test_info_says_what_is_in_a_recording(tmp_path: Path) -> None:
    exchange = Exchange(seed=10, market="spot").session(50)
    exchange.update(lost=True)
    exchange.update()
    found = feed.info(exchange.save(tmp_path / "feed.gz"))
    assert found == json.loads(json.dumps(found))
    assert found["symbol"] == "BTCUSDT"
    assert found["market"] == "spot"
    assert (found["tick"], found["lot"]) == ("0.1", "0.001")
    assert found["messages"] == len(exchange.lines) == sum(found["by_type"].values())
    assert found["by_type"]["snapshot"] == 1
    assert (found["held"], found["stale"], found["gaps"]) == (2, 1, 1)
    assert found["end_ns"] == exchange.now
    assert found["end"].startswith("2024-08-08T23:54:")
    assert found["first_gaps"][0]["line"] >= len(exchange.lines) - 1


def test_whole_numbers_have_a_unit_of_one_and_never_a_coarser_one(tmp_path: Path) -> None:
    found = feed.info(write(tmp_path / "feed.txt", update(1, 1, "500x200", "600x100")))
    assert (found["tick"], found["lot"]) == ("1", "1")


def test_a_book_without_a_snapshot_to_come_begins_empty() -> None:
    book = RecordedBook(seeded=False)
    assert book.take(DepthUpdate(1, 1, 1, 50, 60, 40, [(9, 1)], [])) == ({9}, set())
    assert book.gaps == 0


GOOD = json.dumps(update(1, 1, "99.5x1", "100.5x1"))
QUOTE = {"u": 9, "s": "BTCUSDT", "b": "99.5", "B": "1", "a": "100", "A": "2"}
TRADE = {"e": "trade", "E": 5, "s": "BTCUSDT", "t": 3, "p": "99.5", "q": "1", "m": True, "M": True}


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (f"{BEGIN - 1} {GOOD}", ["time:", f"{BEGIN - 1} is before {BEGIN}", "sort"]),
        (f"x{BEGIN} {GOOD}", ["time: must begin with '<local receive ns> <JSON>'", "got 'x17"]),
        (f"-{BEGIN} {GOOD}", ["time: must begin with"]),
        ("9999999999999999999 {}", ["time: must begin with"]),
        (GOOD, ["time: must begin with"]),
        ("", ["time: must begin with"]),
        (f"{BEGIN} {GOOD[:-9]}", ["JSON:", "cut or damaged"]),
        (f"{BEGIN} {GOOD} {GOOD}", ["JSON: Extra data"]),
        (f"{BEGIN} {'[' * 100_000}", ["JSON:"]),
        (f"{BEGIN} [1]", ["JSON: must be one object per line"]),
        (f"{BEGIN} {json.dumps({'stream': 'x', 'data': 1})}", ["JSON: must be one object per line"]),
        (update(2, 2, "99x-1"), ["b: quantity '-1': must not be negative"]),
        (update(2, 2, "", "-99x1"), ["a: price '-99': must not be negative"]),
        (update(2, 2, "0.0x1"), ["b: price '0.0': must be positive"]),
        (update(2, 2, "99.25x1"), ["b: price '99.25'", "not a multiple of the tick 0.1", 'such as "0.01"']),
        (update(2, 2, "99x0.12345"), ["b: quantity '0.12345'", "multiple of the lot 0.01", 'such as "0.00001"']),
        (update(2, 2, "1e2x1"), ["b: price '1e2': must be a decimal number"]),
        (update(2, 2, "NaNx1"), ["b: price 'NaN': must be a decimal number"]),
        (update(2, 2, "9" * 41 + "x1"), ["b: price", "at most 40 characters"]),
        (update(2, 2) | {"b": [["99"]]}, ["b: must be a list of [price, quantity] pairs"]),
        (update(2, 2) | {"b": "99"}, ["b: must be a list of [price, quantity] pairs"]),
        (update(2, 2) | {"b": [[99.5, "1"]]}, ["b: price 99.5: must be a decimal string"]),
        (update(2, 2) | {"b": [["99.5", ["1"]]]}, ["b: prices and quantities must be decimal strings"]),
        (update(3, 2), ["U: 3 is above u, 2"]),
        (update(2, 2) | {"u": "2"}, ["u: '2': must be a whole number"]),
        (update(2, 2) | {"u": True}, ["u: True: must be a whole number"]),
        (update(2, 2) | {"E": -1}, ["E: -1: must be a whole number"]),
        (update(2, 2) | {"s": "ETHUSDT"}, ["s: ETHUSDT after BTCUSDT; make one file per symbol"]),
        (update(2, 2) | {"s": 5}, ["s: 5: must be the name of a symbol"]),
        (update(2, 2, pu=1), ["s: BTCUSDT of usd-m after spot; make one file per market"]),
        ({k: v for k, v in update(2, 2).items() if k != "u"}, ["u: is missing"]),
        ({k: v for k, v in update(2, 2).items() if k != "a"}, ["a: is missing"]),
        ({k: v for k, v in QUOTE.items() if k != "A"}, ["A: is missing"]),
        ({k: v for k, v in TRADE.items() if k != "p"}, ["p: is missing"]),
        ({"lastUpdateId": 5, "bids": []}, ["asks: is missing"]),
        (QUOTE | {"b": [1]}, ["b: must be a decimal string"]),
        (QUOTE | {"B": "-1"}, ["B: quantity '-1': must not be negative"]),
        (TRADE | {"m": 1}, ["m: 1: must be true or false"]),
        (TRADE | {"p": "99.51"}, ["p: price '99.51': is not a multiple of the tick"]),
        ({"channel": "l2Book", "data": {"coin": "BTC", "levels": []}}, ["e: is missing", "got one with coin, levels"]),
        ({}, ["e: is missing", "got one with nothing"]),
    ],
    ids=lambda value: None if isinstance(value, list) else str(value)[:40],
)
def test_a_bad_line_is_refused_with_file_line_field_and_remedy(
    tmp_path: Path, line: str | dict[str, Any], parts: list[str]
) -> None:
    text = line if isinstance(line, str) else f"{BEGIN} {json.dumps(line)}"
    path = tmp_path / "feed.txt"
    path.write_text(f"{BEGIN} {GOOD}\n{text}\n")
    messages = feed.read(path, tick="0.1", lot="0.01")
    assert next(messages).line == 1
    with pytest.raises(FeedError) as caught:
        next(messages)
    for part in [f"{path}: line 2: ", *parts]:
        assert part in str(caught.value)
    with pytest.raises(FeedError, match="line 2: "):
        feed.replay(path, tick="0.1", lot="0.01")


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "feed.txt"
    path.write_bytes(f"{BEGIN} ".encode() + b'{"e":"\xff"}\n')
    with pytest.raises(FeedError, match="line 1: JSON: "):
        feed.info(path)


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (lambda packed: packed[:-9], "the gzip file ends too early"),
        (lambda packed: packed[: len(packed) // 2], "the gzip file ends too early"),
        (lambda packed: packed[:-8] + b"\0\0\0\0" + packed[-4:], "the gzip file is damaged"),
        (lambda packed: packed[:40] + b"\xff" * 40 + packed[80:], "the gzip file is damaged"),
        (lambda packed: packed + b"more", "the gzip file is damaged"),
        (lambda _: b"", "holds no messages"),
        (lambda _: b"\x1f\x8b", "the gzip file ends too early"),
    ],
    ids=["checksum cut", "half", "checksum wrong", "inside", "after the end", "empty", "two bytes"],
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes], part: str) -> None:
    path = Exchange(seed=11).session(40).save(tmp_path / "feed.gz")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FeedError, match=part) as caught:
        feed.replay(path)
    assert str(path) in str(caught.value)


def test_a_cut_gzip_file_gives_the_messages_before_the_cut(tmp_path: Path) -> None:
    exchange = Exchange(seed=11).session(400)
    path = exchange.save(tmp_path / "feed.gz")
    path.write_bytes(path.read_bytes()[:-5000])
    last = 0

    def read() -> None:
        nonlocal last
        for message in feed.read(path, tick=TICK, lot=LOT):
            last = message.line

    with pytest.raises(FeedError) as caught:
        read()
    assert last > 20
    assert f"line {last + 1}: the gzip file ends too early" in str(caught.value)


def test_what_is_no_file_or_no_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="cannot be read: No such file"):
        feed.info(tmp_path / "none.gz")
    with pytest.raises(FeedError, match="cannot be read: Is a directory"):
        feed.info(tmp_path)
    path = Exchange().session(5).save(tmp_path / "feed.txt")
    for unit in ("0", "-1", "x", "NaN", "1e-30"):
        with pytest.raises(FeedError, match=f"tick: {unit}: must be a positive decimal number"):
            feed.info(path, tick=unit)
    with pytest.raises(FeedError, match="index_every_ns: -1: must not be negative"):
        feed.replay(path, index_every_ns=-1)


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed.messages, "_LINE_MAX", 100)
    path = tmp_path / "feed.txt"
    path.write_text("1" * 200)
    with pytest.raises(FeedError, match="line 1: is longer than 100 bytes"):
        feed.info(path)


# The command line


def test_the_commands_print_json_and_tables(tmp_path: Path) -> None:
    path = str(Exchange(seed=12).session(40).save(tmp_path / "feed.gz"))
    shown, replayed = (CliRunner().invoke(feed.app, [name, path, "--json"]) for name in ("info", "replay"))
    assert shown.exit_code == replayed.exit_code == 0
    assert json.loads(shown.stdout)["messages"] == json.loads(replayed.stdout)["messages"] > 40
    assert json.loads(replayed.stdout)["mismatches"] == 0
    table = CliRunner().invoke(feed.app, ["replay", path, "--no-check", "--tick", "0.1"])
    assert table.exit_code == 0
    assert "levels compared" in table.stdout
    assert "seawall feed replay btcusdt.gz --json" in CliRunner().invoke(feed.app, ["replay", "--help"]).stdout


def test_the_commands_end_with_2_and_advice_for_a_bad_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(feed.app, ["info", str(tmp_path / "none.gz")])
    assert result.exit_code == 2
    assert "error: " in result.stderr
    assert "cannot be read" in result.stderr


# Recordings: make feed-check DATA=DIR


def plain_book(path: Path) -> tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]:
    """Return the last book of a recording, from its JSON and nothing else."""
    early: list[dict[str, Any]] = []
    bids: dict[Decimal, Decimal] = {}
    asks: dict[Decimal, Decimal] = {}
    last = 0
    with gzip.open(path, "rt") as lines:
        whole = [json.loads(line.partition(" ")[2]) for line in lines]
    seeded = any("lastUpdateId" in message for message in whole)
    for message in whole:
        data = message.get("data", message)
        if "lastUpdateId" in data:
            last, early, seeded = data["lastUpdateId"], [e for e in early if e["u"] > data["lastUpdateId"]], False
            updates = [{"b": data["bids"], "a": data["asks"]}, *early]
        elif data.get("e") == "depthUpdate":
            if seeded:
                early.append(data)
                continue
            updates = [data] if data["u"] > last else []
        else:
            continue
        for one in updates:
            for book, rows in ((bids, one["b"]), (asks, one["a"])):
                book.update({Decimal(price): Decimal(qty) for price, qty in rows})
    return {p: q for p, q in bids.items() if q}, {p: q for p, q in asks.items() if q}


def recording_line(path: Path) -> str | None:
    """Replay one recording and return its figures; None if it is not of Binance, which its first line shows."""
    try:
        run = feed.replay(path)
    except FeedError as error:
        if "line 1: e: is missing; a message of Binance was expected" in str(error):
            return None
        raise
    assert run.ok, (path.name, run.differences, run.refusals)
    stand = ({run.price(price): qty * run.lot for price, qty in levels.items()} for levels in venue_levels(run))
    assert tuple(stand) == plain_book(path)
    return (
        f"{path.name}: {run.messages:,} messages, {run.levels_compared:,} levels compared, "
        f"{run.mismatches} mismatches, {run.quotes_compared:,} quotes compared, {run.quotes_differing} differing, "
        f"{run.messages_per_second:,.0f} messages/s"
    )


if "SEAWALL_FEED_DATA" in os.environ:

    @pytest.mark.feed_data
    def test_recordings_stand_in_the_venue_level_by_level(capsys: pytest.CaptureFixture[str]) -> None:
        folder = os.environ["SEAWALL_FEED_DATA"]
        assert folder, "no folder of recordings; say which with make feed-check DATA=DIR"
        files = sorted(Path(folder).glob("*.gz"))
        assert files, f"{folder}: holds no recordings (*.gz)"
        lines = {path.name: recording_line(path) for path in files}
        assert any(lines.values()), f"{folder}: holds no recordings of Binance"
        with capsys.disabled():
            for name, line in lines.items():
                print(line or f"{name}: not of Binance, refused at line 1")  # noqa: T201
