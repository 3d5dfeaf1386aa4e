"""Topics of auctions: their price by the pure function, their fills by a whole venue."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import numpy as np

from seawall import _core
from seawall.bare import bare_market, bare_venue
from seawall.commands import Records
from seawall.errors import VectorError
from seawall.protocol import COMMAND, CommandKind, EventKind, OrderType, Phase, Side
from seawall.vectors.cases import Answer, Case, OutOfRangeError, Scale, Topic, number_of, ppm

__all__ = ["TOPICS"]

_RULES: Final[dict[str, dict[str, object]]] = {
    "nearest_reference": {},
    "sign_change_clamp": {"tie": "clamp"},
    "bounded_pressure": {"rounding": "up"},
    "interval_midpoint": {"surplus": "any", "pressure": "none", "tie": "middle"},
}
_CANDIDATES: Final = {"limit_prices": "limits", "tick_grid": "grid"}
_PRICES: Final = ("reference_price", "tick", "grid_low", "grid_high")
_TICKS_MAX: Final = 1 << 24
_LOTS_MAX: Final = 1 << 39


def _orders(case: Case, side: str) -> Sequence[Mapping[str, Any]]:
    orders: Sequence[Mapping[str, Any]] = case.given[side]
    return orders


def _numbers(case: Case) -> Mapping[str, list[str]]:
    """Return every price of a line, and the bounds that a limit of the pressure makes."""
    given = case.given
    prices = [given[key] for key in _PRICES] + [order["price"] for side in ("bids", "asks") for order in given[side]]
    prices.append(case.expect["price"])
    if given["pressure_limit"] is not None and given["tick"] is None and given["reference_price"] is not None:
        reference, limit = (number_of(given[key], f"given.{key}") for key in ("reference_price", "pressure_limit"))
        prices += [str(reference * (1 + limit)), str(reference * (1 - limit))]
    return {"price": [price for price in prices if price is not None]}


_T = TypeVar("_T")


def _known(value: object, field: str, of: Mapping[str, _T]) -> _T:
    if value not in of:
        raise VectorError(f"given.{field}: {value!r} is unknown; known: {', '.join(of)}")
    return of[str(value)]


def _uncross(case: Case, scale: Scale) -> Answer:
    given = case.given
    rule = {**_known(given["rule"], "rule", _RULES)}
    rule["candidates"] = _known(given["candidates"], "candidates", _CANDIDATES)
    if given["pressure_limit"] is not None:
        rule["pressure"] = {"bounded": {"limit_ppm": ppm(given["pressure_limit"])}}
    reference, tick, low, high = (None if given[key] is None else scale.units("price", given[key]) for key in _PRICES)
    on_grid = rule["candidates"] == "grid"
    if on_grid and (tick is None or low is None or high is None or low % tick or high % tick):
        raise VectorError("given.tick: a grid needs its tick, and ends that are multiples of it")
    bids, asks = (
        [(None if o["price"] is None else scale.units("price", o["price"]), o["quantity"]) for o in _orders(case, side)]
        for side in ("bids", "asks")
    )
    found = _core.auction_clearing(
        json.dumps(rule),
        bids,
        asks,
        None if reference is None else 2 * reference,
        1 if tick is None else tick,
        (low, high) if on_grid and low is not None and high is not None else None,
    )
    if found is None:
        return {"price": None, "volume": 0, "surplus": None}
    price, volume, surplus = found
    return {"price": scale.value("price", price), "volume": volume, "surplus": surplus}


def _market(price: int, price_max: int, orders: int) -> str:
    """Return a venue with one market that neither clears nor charges, and whose auction trades at one price."""
    collar = {"around": "reference", "width_ppm": 0, "action": "confine"}
    market = bare_market(
        "auction",
        price_max=price_max,
        lots=_LOTS_MAX,
        phase="call_auction",
        cleared=False,
        auction={"candidates": "grid", "reference": "index", "collar": collar, "market_orders": "cancelled"},
    )
    return json.dumps(bare_venue(f"auction at {price}", market, accounts=2, orders=orders, money=1))


def _commands(price: int, sides: tuple[Sequence[Mapping[str, Any]], ...], scale: Scale) -> Records:
    """Return the commands of an auction: accounts, the price as index, the orders, and the end of the call."""
    orders = [(side, order) for side, orders in zip(Side, sides, strict=True) for order in orders]
    records = np.zeros(len(orders) + 4, COMMAND)
    records["kind"] = CommandKind.PLACE
    records["kind"][:2] = CommandKind.OPEN_ACCOUNT
    records["kind"][2] = CommandKind.INDEX
    records["price"][2] = price
    records["kind"][-1] = CommandKind.SET_PHASE
    records["code"][-1] = Phase.CONTINUOUS
    for record, (side, order) in zip(records[3:-1], orders, strict=True):
        unpriced = order["price"] is None
        record["code"] = OrderType.MARKET if unpriced else OrderType.LIMIT
        record["side"] = record["account"] = side
        record["price"] = 0 if unpriced else scale.units("price", order["price"])
        record["qty"] = order["quantity"]
    return records


def _allocate(case: Case, scale: Scale) -> Answer:
    price = scale.units("price", case.given["price"])
    bids, asks = _orders(case, "bids"), _orders(case, "asks")
    limits = [scale.units("price", o["price"]) for o in (*bids, *asks) if o["price"] is not None]
    if min(price, *limits, 1) < 1 or max(o["quantity"] for o in (*bids, *asks)) > _LOTS_MAX:
        raise VectorError("given: prices and quantities must be positive, and quantities at most 2^39")
    top = max(price, *limits, 1)
    if top > _TICKS_MAX:
        raise OutOfRangeError(f"{top} ticks are beyond the highest price that a market can have")
    venue = _core.Venue(_market(price, top, max(1, len(bids) + len(asks))))
    events = venue.apply(_commands(price, (bids, asks), scale))
    filled = [0] * (len(bids) + len(asks))
    for event in events[events["kind"] == EventKind.FILL]:
        filled[(int(event["order"]) >> 24) - 1] += int(event["qty"])
    return {"bid_fills": filled[: len(bids)], "ask_fills": filled[len(bids) :]}


def _given_prices(case: Case) -> Mapping[str, list[str]]:
    orders = (*_orders(case, "bids"), *_orders(case, "asks"))
    return {"price": [case.given["price"], *(order["price"] for order in orders if order["price"] is not None)]}


TOPICS: Final[dict[str, Topic]] = {
    "auction.uncross": Topic(
        function="seawall_core::clearing",
        given=frozenset({"rule", "candidates", "bids", "asks", *_PRICES, "pressure_limit"}),
        expect=frozenset({"price", "volume", "surplus"}),
        run=_uncross,
        dimensions=_numbers,
    ),
    "auction.allocate": Topic(
        function="seawall_core::Venue::apply_record",
        given=frozenset({"price", "bids", "asks"}),
        expect=frozenset({"bid_fills", "ask_fills"}),
        run=_allocate,
        dimensions=_given_prices,
    ),
}
