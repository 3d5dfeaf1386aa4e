"""Builders of commands: terms before their orders, names of orders, and arguments that contradict each other."""

from typing import Any

import numpy as np
import pytest

from seawall import (
    EVERY_ACCOUNT,
    NO_MARKET,
    CommandKind,
    OrderFlag,
    OrderType,
    SelfTrade,
    Side,
    TermCode,
    Watched,
    commands,
)
from seawall.errors import CommandError

ORDER: dict[str, Any] = {"at": 5, "market": 1, "account": 3, "side": Side.BUY, "qty": 10, "price": 100}
MARKET: dict[str, Any] = ORDER | {"price": 0, "order_type": OrderType.MARKET}


def test_an_order_without_terms_is_one_record() -> None:
    (record,) = commands.place(**ORDER, flags=OrderFlag.POST_ONLY, client_id=77, session=9)
    assert (record["kind"], record["order"], record["amount"], record["flags"]) == (CommandKind.PLACE, 77, 9, 1)
    assert len(commands.place(**ORDER | {"qty": [1, 2, 3]})) == 3


def test_every_term_comes_before_its_order_with_its_value_in_its_field() -> None:
    batch = commands.place(
        **ORDER, trailing=4, watch=Watched.INDEX, display=3, expires=60, minimum=2, other_leg=7 << 24, source=2
    )
    assert batch["kind"].tolist() == [CommandKind.TERM] * 5 + [CommandKind.PLACE]
    assert batch["code"].tolist() == [
        TermCode.TRAILING_STOP,
        TermCode.DISPLAY,
        TermCode.EXPIRY,
        TermCode.MINIMUM,
        TermCode.OTHER_LEG,
        OrderType.LIMIT,
    ]
    assert batch["price"].tolist() == [4, 0, 0, 0, 0, 100]
    assert batch["qty"].tolist() == [0, 3, 0, 2, 0, 10]
    assert batch["amount"].tolist() == [0, 0, 60, 0, 0, 0]
    assert batch["order"].tolist() == [0, 0, 0, 0, 7 << 24, 0]
    assert batch["flags"].tolist() == [Watched.INDEX, 0, 0, 0, 0, 0]
    assert set(batch[["at", "market", "account", "source"]].tolist()) == {(5, 1, 3, 2)}


def test_in_arrays_every_order_has_its_own_terms_and_zero_is_none() -> None:
    batch = commands.place(
        **ORDER | {"price": [100, 0, 101], "order_type": [0, 3, 0]},
        stop=[0, 95, 96],
        watch=[0, Watched.MARK, Watched.LAST],
        protection_ticks=[0, 2, 0],
        display=[5, 0, 0],
    )
    kinds = [(int(kind), int(code)) for kind, code in zip(batch["kind"], batch["code"], strict=True)]
    term, place = CommandKind.TERM, CommandKind.PLACE
    assert kinds == [
        (term, TermCode.DISPLAY),
        (place, OrderType.LIMIT),
        (term, TermCode.STOP),
        (term, TermCode.PROTECTION_TICKS),
        (place, OrderType.MARKET),
        (term, TermCode.STOP),
        (place, OrderType.LIMIT),
    ]
    assert batch["flags"].tolist() == [0, 0, Watched.MARK, 0, 0, Watched.LAST, 0]
    assert batch["price"].tolist() == [0, 100, 95, 2, 0, 96, 101]


def test_a_single_order_with_many_values_of_a_term_is_many_orders() -> None:
    batch = commands.place(**ORDER, display=[1, 2])
    assert batch["kind"].tolist() == [6, 1, 6, 1]
    assert len(commands.place(**ORDER | {"qty": []}, display=[])) == 0


def test_self_trade_and_day_go_into_the_flags() -> None:
    batch = commands.place(
        **ORDER,
        flags=OrderFlag.POST_ONLY,
        self_trade=[SelfTrade.DEFAULT, SelfTrade.CANCEL_OLDEST, SelfTrade.ALLOWED],
        day=[True, False, True],
    )
    assert batch["flags"].tolist() == [1 | 16, 1 | 2 << 5, 1 | 5 << 5 | 16]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"stop": 95, "take_profit": 105}, "stop, take_profit: 95, 105 on one order; place two"),
        ({"take_profit": 95, "trailing": 5}, "take_profit, trailing: 95, 5 on one order"),
        ({"watch": Watched.MARK}, "watch: 1 without a trigger; give stop"),
        ({"watch": [0, 1], "stop": [1, 2, 3]}, r"stop \(3,\), watch \(2,\): lengths differ"),
        ({"protection_ticks": 2}, "protection_ticks: 2 with order_type LIMIT, which has a price; use MARKET"),
        ({"display": 5, "flags": OrderFlag.HIDDEN}, "display: 5 on a HIDDEN order"),
        ({"display": [0, 5], "order_type": [0, 1]}, "display of order 1: 5 with order_type IMMEDIATE_OR_CANCEL"),
        ({"expires": 60, "order_type": 2}, "expires: 60 with order_type FILL_OR_KILL, which is over at once"),
        ({"expires": 60, "day": True}, "expires: 60 and day on one order"),
        ({"day": True, "order_type": 1}, "day: True with order_type IMMEDIATE_OR_CANCEL, which is over at once"),
        ({"day": 60}, "day: expected True or False, got 60; a time goes into expires"),
        ({"other_leg": 9, "order_type": 1}, "other_leg: 9 with order_type IMMEDIATE_OR_CANCEL"),
        ({"minimum": 11}, "minimum: 11 is above qty 10"),
        ({"minimum": 5, "order_type": 2}, "minimum: 5 with order_type FILL_OR_KILL"),
        ({"minimum": 5, "flags": OrderFlag.POST_ONLY}, "minimum: 5 on a POST_ONLY order"),
        ({"stop": -1}, "stop: -1 is below 0; give 1 or more, or 0"),
        ({"stop": 0.5}, "stop: expected integers, got 0.5"),
        ({"client_id": -1}, "client_id: -1 is outside the field's range 0 to"),
        ({"self_trade": 6}, "self_trade: 6 is no mode; use one of SelfTrade"),
        ({"self_trade": 1, "flags": 64}, "self_trade: flags name a mode as well"),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        commands.place(**ORDER | arguments)


def test_a_market_order_has_one_protection() -> None:
    with pytest.raises(CommandError, match="protection_ticks, protection_ppm: 2, 100 on one order; keep one of them"):
        commands.place(**MARKET, protection_ticks=2, protection_ppm=100)
    with pytest.raises(CommandError, match="protection_ppm: 1000001 is above 1000000"):
        commands.place(**MARKET, protection_ppm=1_000_001)


def test_a_market_order_that_waits_may_expire_and_have_another_leg() -> None:
    batch = commands.place(**MARKET, stop=95, expires=60, other_leg=1 << 24)
    assert batch["code"].tolist() == [TermCode.STOP, TermCode.EXPIRY, TermCode.OTHER_LEG, OrderType.MARKET]


def test_a_term_has_its_value_in_its_field() -> None:
    batch = commands.term(at=0, market=0, account=1, code=list(TermCode), value=8)
    assert batch["price"].tolist() == [8, 8, 8, 0, 0, 0, 0, 8, 0]
    assert batch["qty"].tolist() == [0, 0, 0, 8, 0, 8, 0, 0, 0]
    assert batch["amount"].tolist() == [0, 0, 0, 0, 8, 0, 0, 0, 8]
    assert batch["order"].tolist() == [0, 0, 0, 0, 0, 0, 8, 0, 0]
    with pytest.raises(CommandError, match="code: 12 names no term; use one of TermCode"):
        commands.term(at=0, market=0, account=1, code=[1, 12], value=8)


def test_a_quote_has_both_sides() -> None:
    (record,) = commands.quote(
        at=0, market=0, account=1, number=4, bid=99, bid_qty=5, ask=101, ask_qty=6, flags=OrderFlag.POST_ONLY
    )
    fields = ("kind", "code", "price", "qty", "amount", "order", "flags")
    assert tuple(int(record[name]) for name in fields) == (7, 4, 99, 5, 101, 6, 1)
    with pytest.raises(CommandError, match="ask_qty: -1 is outside"):
        commands.quote(at=0, market=0, account=1, ask_qty=-1)


def test_an_order_is_named_by_its_id_or_by_the_client_s() -> None:
    who: dict[str, Any] = {"at": 0, "market": 0, "account": 1}
    both = commands.batch(
        commands.cancel(**who, order=5),
        commands.cancel(**who, client_id=6),
        commands.replace(**who, client_id=7, price=1, qty=1),
    )
    assert both[["order", "flags"]].tolist() == [(5, 0), (6, 1), (7, 1)]
    with pytest.raises(CommandError, match="order, client_id: neither is given"):
        commands.cancel(**who)
    with pytest.raises(CommandError, match="order, client_id: both are given"):
        commands.replace(**who, order=1, client_id=2, price=1, qty=1)


def test_a_mass_cancel_says_what_it_means() -> None:
    every = commands.batch(
        commands.cancel_all(at=0, account=1),
        commands.cancel_all(at=0, account=1, market=2, side=Side.SELL),
        commands.cancel_all(at=0, account=EVERY_ACCOUNT, session=7),
        commands.cancel_all(at=0, account=EVERY_ACCOUNT, side=Side.BUY, session=7),
    )
    assert every["flags"].tolist() == [0, 1, 2, 3]
    assert every["market"].tolist() == [NO_MARKET, 2, NO_MARKET, NO_MARKET]
    assert every["side"].tolist() == [0, 1, 0, 0]
    assert every["amount"].tolist() == [0, 0, 7, 7]
    assert every["account"].tolist() == [1, 1, 0xFFFFFFFF, 0xFFFFFFFF]


def test_accounts_have_groups_and_modes() -> None:
    modes = [SelfTrade.DEFAULT, SelfTrade.CANCEL_NEWEST, SelfTrade.ALLOWED]
    batch = commands.open_account(at=0, group=[7, 7, 0], self_trade=modes)
    assert batch[["order", "code"]].tolist() == [(7, 0), (7, 1), (0, 0)]
    assert len(commands.open_account(at=0, count=3, group=7)) == 3
    with pytest.raises(CommandError, match="count: 3, but the other arguments have 2 values"):
        commands.open_account(at=0, count=3, group=[1, 2])


def test_a_million_orders_with_terms_are_quick_to_build() -> None:
    count = 1_000_000
    batch = commands.place(**ORDER | {"qty": np.full(count, 9)}, display=np.arange(count) % 2)
    assert len(batch) == count + count // 2


def test_a_source_tells_one_price_or_a_bid_and_an_ask() -> None:
    told = commands.source(at=[5, 6], market=1, number=[0, 2], price=100, ask=[0, 102], observed=[0, 4])
    assert told["kind"].tolist() == [CommandKind.SOURCE] * 2
    rows = [told[name].tolist() for name in ("code", "price", "qty", "amount")]
    assert rows == [[0, 2], [100, 100], [0, 102], [0, 4]]
