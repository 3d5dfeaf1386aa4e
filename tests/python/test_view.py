"""The book as the operator and as others see it: every order, what waits, the best prices, and changes of levels."""

from typing import Any

import numpy as np
import pytest

import seawall
from seawall import (
    DELTA,
    EventKind,
    OrderFlag,
    OrderType,
    Phase,
    SelfTrade,
    Side,
    TermCode,
    Watched,
    commands,
)
from seawall.commands import Records
from seawall.errors import CommandError

SECOND = 10**9
ORDERS = ("account", "order", "side", "price", "qty", "shown", "position", "client_id", "session", "flags", "expiry")
WAITING = ("account", "order", "side", "type", "price", "qty", "term", "watched", "trigger", "client_id")
LEVELS = 1_000
MET = (
    EventKind.SHOWN,
    EventKind.TRIGGERED,
    EventKind.REPLACED,
    EventKind.FILL,
    EventKind.CANCELLED,
    EventKind.UNCROSSED,
)
"""Events that a random stream must bring."""


def made() -> seawall.Venue:
    """Return a venue with client ids and days of a minute."""
    return seawall.Venue("reference", set=["markets.BTC.client_ids=hashed", "markets.BTC.day.length=1m"])


def opened() -> seawall.Venue:
    """Return the same, open at 60,000 dollars."""
    venue = made()
    venue.apply(beginning())
    return venue


def beginning() -> Records:
    """Open three rich accounts, two of them one party, and trading."""
    return commands.batch(
        commands.open_account(at=1, group=[7, 7, 0], self_trade=[SelfTrade.CANCEL_OLDEST, SelfTrade.DECREMENT, 0]),
        commands.deposit(at=1, account=[0, 1, 2], amount=10**15),
        commands.index(at=1, market=[0, 1], price=[600_000, 300_000]),
        commands.set_phase(at=1, market=[0, 1], phase=Phase.CONTINUOUS),
    )


def rows(table: seawall.Table, *names: str) -> list[tuple[int, ...]]:
    return list(zip(*(table[name].tolist() for name in names), strict=True))


def test_the_operator_sees_what_icebergs_and_hidden_orders_hold() -> None:
    venue = opened()
    place: dict[str, Any] = {"at": 2, "market": 0, "side": Side.SELL, "price": 600_100}
    events = venue.apply(
        commands.batch(
            commands.place(**place, account=0, qty=50, display=5, client_id=77, expires=9 * SECOND),
            commands.place(**place, account=1, qty=3, flags=OrderFlag.HIDDEN, session=4),
            commands.place(**place, account=2, qty=2, flags=OrderFlag.POST_ONLY),
            commands.place(**place | {"side": Side.BUY, "price": [599_000, 599_100]}, account=2, qty=1),
        )
    )
    ids = events["order"][events["kind"] == EventKind.ACCEPTED].tolist()
    orders = venue.orders("BTC")
    assert tuple(orders) == ORDERS
    seen = rows(orders, "side", "price", "order", "account", "qty", "shown", "client_id", "session", "expiry")
    bids, asks = [row for row in seen if row[0] == 0], [row for row in seen if row[0] == 1]
    assert bids == [(0, 599_100, ids[4], 2, 1, 1, 0, 0, 0), (0, 599_000, ids[3], 2, 1, 1, 0, 0, 0)]
    assert asks == [
        (1, 600_100, ids[0], 0, 50, 5, 77, 0, 9 * SECOND),
        (1, 600_100, ids[2], 2, 2, 2, 0, 0, 0),
        (1, 600_100, ids[1], 1, 3, 0, 0, 4, 0),
    ]
    assert orders["position"][orders["side"] == 1].tolist() == [0, 1, 2]
    flags = dict(zip(orders["order"].tolist(), orders["flags"].tolist(), strict=True))
    assert flags[ids[1]] & OrderFlag.HIDDEN
    assert flags[ids[2]] & OrderFlag.POST_ONLY
    assert rows(venue.depth(0)["asks"], "price", "qty", "orders") == [(600_100, 7, 2)]
    assert venue.best("BTC") == (599_100, 600_100)
    assert venue.best(1) == (None, None)
    assert venue.orders(1).height == 0


def test_the_operator_sees_what_waits() -> None:
    venue = opened()
    events = venue.apply(
        commands.batch(
            commands.place(
                at=2,
                market=0,
                account=0,
                side=Side.BUY,
                price=600_500,
                qty=5,
                stop=600_400,
                watch=Watched.MARK,
                client_id=9,
            ),
            commands.place(
                at=2,
                market=0,
                account=1,
                side=Side.SELL,
                qty=6,
                order_type=OrderType.MARKET,
                trailing=50,
                watch=Watched.INDEX,
            ),
        )
    )
    ids = events["order"][events["kind"] == EventKind.ARMED].tolist()
    waiting = venue.waiting_orders("BTC")
    assert tuple(waiting) == WAITING
    assert rows(waiting, *WAITING) == [
        (0, ids[0], Side.BUY, OrderType.LIMIT, 600_500, 5, TermCode.STOP, Watched.MARK, 600_400, 9),
        (1, ids[1], Side.SELL, OrderType.MARKET, 0, 6, TermCode.TRAILING_STOP, Watched.INDEX, 599_950, 0),
    ]
    assert venue.orders("BTC").height == 0
    venue.apply(commands.index(at=3, market=0, price=600_400))
    assert rows(venue.waiting_orders("BTC"), "account", "trigger") == [(1, 600_350)]
    assert venue.orders("BTC")["account"].tolist() == [0]


def test_a_market_that_is_not_there_is_refused() -> None:
    venue = opened()
    for look in (venue.orders, venue.waiting_orders, venue.best, venue.depth):
        with pytest.raises(CommandError, match="market: 'SOL' is not there; known: BTC, ETH"):
            look("SOL")
        with pytest.raises(CommandError, match="market"):
            look(9)


class Stream:
    """Random orders of every kind around one price, from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.at = 2
        self.ids: list[tuple[int, int]] = []
        """Account and id of orders that were accepted."""

    def pick(self, *choices: Any) -> Any:
        return choices[int(self.random.integers(len(choices)))]

    def number(self, least: int, most: int) -> int:
        return int(self.random.integers(least, most + 1))

    def order(self) -> Records:
        """Return a new order with some terms."""
        order_type = self.pick(0, 0, 0, 0, 1, 2, 3)
        account, side, qty = self.number(0, 2), self.number(0, 1), self.number(1, 30)
        price = 600_000 + self.number(-6, 6) + (3 if side == Side.SELL else -3)
        arguments: dict[str, Any] = {"self_trade": self.pick(0, 0, 1, 2, 3, 4, 5)}
        if order_type == OrderType.LIMIT:
            flags = self.pick(0, 0, OrderFlag.POST_ONLY, OrderFlag.POST_ONLY | OrderFlag.SLIDE, OrderFlag.REDUCE_ONLY)
            flags |= self.pick(0, 0, OrderFlag.HIDDEN)
            arguments |= {"flags": flags, "day": self.pick(False, False, True)}
            if not flags & OrderFlag.HIDDEN and self.number(0, 1):
                arguments["display"] = self.number(1, 8)
            if not arguments["day"] and self.number(0, 4) == 0:
                arguments["expires"] = self.at + self.number(1, 60) * SECOND
            if flags & OrderFlag.REDUCE_ONLY:
                qty = self.number(1, 4)
            mine = [order for owner, order in self.ids if owner == account]
            if mine and self.number(0, 5) == 0:
                arguments["other_leg"] = self.pick(*mine)
        if self.number(0, 5) == 0:
            arguments[self.pick("stop", "take_profit")] = price + self.number(-6, 6)
            arguments["watch"] = self.pick(*Watched)
        if order_type == OrderType.MARKET:
            arguments |= {"protection_ticks": self.number(1, 5)}
            price = 0
        return commands.place(
            at=self.at,
            market=0,
            account=account,
            side=side,
            qty=qty,
            price=price,
            order_type=order_type,
            **arguments,
        )

    def command(self) -> Records:
        """Return a command, with its terms before it."""
        self.at += self.number(0, 1) * SECOND
        if not self.ids or self.number(0, 11) <= 6:
            return self.order()
        if self.number(0, 4) == 0:
            return self.of_the_market()
        account, order = self.ids[self.number(0, len(self.ids) - 1)]
        where: dict[str, Any] = {"at": self.at, "market": 0, "account": account}
        bid = 600_000 + self.number(-9, 3)
        lots = {"bid_qty": self.number(0, 20), "ask_qty": self.number(0, 20)}
        command: Records = self.pick(
            commands.cancel(**where, order=order),
            commands.replace(**where, order=order, price=bid + 3, qty=self.number(1, 30)),
            commands.quote(**where, number=self.number(0, 1), bid=bid, ask=bid + self.number(1, 6), **lots),
            commands.replace(**where, order=order, price=600_000, qty=self.number(1, 5)),
        )
        return command

    def of_the_market(self) -> Records:
        """Return a command that concerns everyone."""
        where: dict[str, Any] = {"at": self.at, "market": 0}
        command: Records = self.pick(
            commands.index(**where, price=600_000 + self.number(-8, 8)),
            commands.index(**where, price=600_000 + self.number(-8, 8)),
            commands.set_phase(**where, phase=Phase.CALL_AUCTION, until=self.at + 5 * SECOND),
            commands.set_phase(**where, phase=Phase.CONTINUOUS),
            commands.cancel_all(**where, account=self.number(0, 2), side=self.number(0, 1)),
        )
        return command

    def learn(self, events: Records) -> None:
        """Take the ids of accepted orders."""
        accepted = events[events["kind"] == EventKind.ACCEPTED]
        self.ids += zip(accepted["account"].tolist(), accepted["order"].tolist(), strict=True)
        self.ids = self.ids[-16:]


class Levels:
    """Books by level, from changes."""

    def __init__(self) -> None:
        self.lots: dict[tuple[int, int], dict[int, int]] = {}
        self.seq = 0

    def take(self, deltas: Records, events: Records) -> None:
        assert deltas.dtype == DELTA
        for seq, market, side, price, qty in deltas.tolist():
            assert seq >= self.seq
            assert seq in events["seq"]
            assert qty >= 0
            self.seq = seq
            level = self.lots.setdefault((market, side), {})
            level[price] = qty
            if qty == 0:
                del level[price]


def shown(venue: seawall.Venue, side: str) -> dict[int, int]:
    table = venue.depth(0, levels=LEVELS)[side]
    return dict(zip(table["price"].tolist(), table["qty"].tolist(), strict=True))


def check_orders(venue: seawall.Venue) -> None:
    """Compare the book order by order with its depth."""
    orders = venue.orders(0)
    assert (orders["shown"] <= orders["qty"]).all()
    for number, side in enumerate(("bids", "asks")):
        mine = {name: orders[name][orders["side"] == number] for name in ORDERS}
        seen = mine["shown"] > 0
        lots: dict[int, int] = {}
        for price, qty in zip(mine["price"][seen].tolist(), mine["shown"][seen].tolist(), strict=True):
            lots[price] = lots.get(price, 0) + qty
        assert lots == shown(venue, side)
        for price in np.unique(mine["price"]).tolist():
            here = mine["price"] == price
            assert mine["position"][here].tolist() == list(range(int(here.sum())))
            assert (np.diff(seen[here].astype(int)) <= 0).all(), "hidden orders stand behind shown ones"


@pytest.mark.parametrize("seed", range(4))
def test_changes_of_levels_folded_from_events_give_the_depth_at_every_step(seed: int) -> None:
    venue, stream, deltas, levels = made(), Stream(seed), seawall.Deltas(), Levels()
    every = [venue.apply(beginning())]
    assert len(deltas.update(every[0])) == 0
    for step in range(1_500):
        events = venue.apply(stream.command())
        every.append(events)
        stream.learn(events)
        levels.take(deltas.update(events), events)
        for number, side in enumerate(("bids", "asks")):
            assert levels.lots.get((0, number), {}) == shown(venue, side), f"seed {seed}, step {step}"
        if step % 25 == 0:
            check_orders(venue)
    events = np.concatenate(every)
    assert set(MET) <= set(events["kind"].tolist())
    at_once = Levels()
    at_once.take(seawall.Deltas().update(events), events)
    assert at_once.lots == levels.lots


def test_what_is_not_events_is_refused() -> None:
    with pytest.raises(CommandError, match="events"):
        seawall.Deltas().update(np.zeros(3))  # type: ignore[arg-type]


@pytest.mark.parametrize("market", [-1, 70_000, 2**70, 2, None, 1.5, [0], "SOL"])
def test_a_market_that_is_not_there_is_a_command_error(market: Any) -> None:
    venue = seawall.Venue("reference")
    for view in (venue.depth, venue.best, venue.orders, venue.waiting_orders):
        with pytest.raises(seawall.CommandError, match="market: "):
            view(market)


@pytest.mark.parametrize("levels", [-1, 1.5, None, "x"])
def test_a_number_of_levels_that_is_none_is_a_command_error(levels: Any) -> None:
    venue = seawall.Venue("reference")
    with pytest.raises(seawall.CommandError, match="levels: "):
        venue.depth(levels=levels)
    numbered: Any = np.int64(0)
    assert venue.depth(numbered, levels=2**70)["bids"].height == 0


def test_the_map_of_liquidations_says_who_would_be_liquidated_where() -> None:
    venue = opened()
    venue.apply(
        commands.batch(
            commands.open_account(at=2),
            commands.deposit(at=2, account=3, amount=10**10),
            commands.block(at=2, market=0, buyer=3, seller=0, price=600_000, qty=1_000),
        )
    )
    table = venue.liquidation_map("BTC")
    assert list(table) == ["price", "side", "accounts", "lots", "notional"]
    # The others have a thousand times what they could lose.
    assert table["side"].tolist() == [Side.BUY]
    assert (table["accounts"].tolist(), table["lots"].tolist()) == ([1], [1_000])
    price = int(table["price"][0])
    # One tick before it nothing happens; there the account is liquidated.
    venue.apply(commands.index(at=3, market=0, price=price + 1))
    assert not venue.accounts()["in_liquidation"].any()
    events = seawall.EventTable(venue.apply(commands.index(at=3, market=0, price=price)))
    assert events.of(EventKind.LIQUIDATION_STARTED)["account"].tolist() == [3]
    with pytest.raises(CommandError, match="market"):
        venue.liquidation_map(2)
