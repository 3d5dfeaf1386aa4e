"""Topics of margin and collateral, and the prices of liquidation and bankruptcy."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from seawall import _core
from seawall.errors import VectorError
from seawall.vectors.cases import Answer, Case, Scale, Topic, UnsupportedError, number_of, ppm

__all__ = ["TOPICS"]

_PPM: Final = Scale({"rate": 10**6})
_PPB: Final = Scale({"rate": 10**9})
_QUOTE: Final = Scale({"money": 10**6})
"""Bankruptcy quotes are rounded at one millionth, which therefore is their minor unit."""


def _number(case: Case, name: str) -> Fraction:
    return number_of(case.given[name], f"given.{name}")


def _initial(case: Case, scale: Scale) -> Answer:
    given, quantum = case.given, _number(case, "quantum")
    if quantum <= 0:
        raise VectorError(f"quantum: {given['quantum']} is not positive")
    caps = (given["open_interest"], given["lower_cap"], given["upper_cap"])
    open_, lower, upper = (scale.units("interest", number) for number in caps)
    notional = _number(case, "notional") / quantum
    if notional.denominator != 1:
        raise VectorError(f"notional: {given['notional']} is not whole in units of {given['quantum']}")
    # An upper cap of zero means that the rate does not depend on open interest.
    bounds = (open_, lower, upper) if upper else None
    rate, margin = _core.initial_margin(ppm(given["base_fraction"]), bounds, int(notional))
    return {"fraction": _PPM.value("rate", rate), "margin": margin * quantum}


def _interest(case: Case) -> Mapping[str, list[str]]:
    return {"interest": [case.given[name] for name in ("open_interest", "lower_cap", "upper_cap")]}


def _maintenance(case: Case, scale: Scale) -> Answer:
    given = case.given
    deduction, margin = _core.tier_margin(
        scale.units("money", given["notional"]),
        scale.units("money", given["lower_bound"]),
        (ppm(given["previous_fraction"]), scale.units("money", given["previous_deduction"])),
        ppm(given["fraction"]),
    )
    return {"deduction": scale.value("money", deduction), "margin": scale.value("money", margin)}


def _brackets(case: Case) -> Mapping[str, list[str]]:
    given, expect = case.given, case.expect
    amounts = (given["notional"], given["lower_bound"], given["previous_deduction"])
    return {"money": [*amounts, expect["deduction"], expect["margin"]]}


_BY_SIZE: Final = frozenset({"rule", "base", "factor", "size"})
_WEIGHTS: Final = {
    "size_discount": _BY_SIZE,
    "size_premium": _BY_SIZE,
    "deposit_scaled": frozenset({"rule", "base", "total_deposits", "price", "scale_start"}),
}


def _weight(case: Case, scale: Scale) -> Answer:
    given = case.given
    if given["rule"] == "deposit_scaled":
        base, unit = ppm(given["base"]), scale.per_one["money"]
        total = _number(case, "total_deposits") * _number(case, "price") * unit
        return {"weight": Fraction(*_core.deposit_weight(base, int(total), scale.units("money", given["scale_start"])))}
    size = (scale.units("size", given["size"]), scale.per_one["size"])
    factor = _PPB.units("rate", given["factor"])
    weight = _core.size_weight(given["rule"] == "size_discount", ppm(given["base"]), factor, size)
    return {"weight": _PPM.value("rate", weight)}


def _sizes(case: Case) -> Mapping[str, list[str]]:
    if case.given["rule"] != "deposit_scaled":
        return {"size": [case.given["size"]]}
    total = _number(case, "total_deposits") * _number(case, "price")
    return {"money": [str(total), case.given["scale_start"]]}


def _open_orders(case: Case, scale: Scale) -> Answer:
    given = case.given
    sizes = [scale.units("size", given[name]) for name in ("position", "open_buys", "open_sells")]
    limit = given["position_limit"]
    # A million minor units per tick and lot: then a requirement in ppm is whole, however fine the units.
    reach, requirement, room = _core.open_orders_margin(
        sizes[0],
        (sizes[1], sizes[2]),
        (scale.units("price", given["mark_price"]), _PPM.per_one["rate"]),
        ppm(given["fraction"]),
        None if limit is None else scale.units("size", limit),
    )
    most = [None, None] if room is None else [scale.value("size", lots) for lots in room]
    per_one = _PPM.per_one["rate"] * scale.per_one["price"] * scale.per_one["size"]
    return {
        "buy_exposure": scale.value("size", reach[0]),
        "sell_exposure": scale.value("size", reach[1]),
        "requirement": Fraction(requirement, per_one),
        "max_buy": most[0],
        "max_sell": most[1],
    }


def _lots_and_marks(case: Case) -> Mapping[str, list[str]]:
    given = case.given
    sizes = [given[name] for name in ("position", "open_buys", "open_sells")]
    limit = given["position_limit"]
    return {"size": sizes if limit is None else [*sizes, limit], "price": [given["mark_price"]]}


def _liquidation_price(case: Case, scale: Scale) -> Answer:
    given = case.given
    if given["contract"] not in ("linear", "inverse"):
        raise UnsupportedError(f"contract {given['contract']!r}: is neither linear nor inverse")
    if given["side"] not in ("long", "short"):
        raise UnsupportedError(f"side {given['side']!r}: is neither long nor short")
    # A tick of one unit of price: a position is worth its size in money per tick, an inverse one its size at one tick.
    price = _core.liquidation_price(
        given["contract"] == "inverse",
        given["side"] == "long",
        (scale.units("money", given["size"]), scale.units("money", str(_notional(case)))),
        scale.units("money", given["equity"]),
        (ppm(given["maintenance_fraction"]), scale.units("money", given["deduction"])),
        scale.units("money", given["other_maintenance"]),
    )
    return {"price": None if price is None else Fraction(*price)}


def _notional(case: Case) -> Fraction:
    size, price = _number(case, "size"), _number(case, "price")
    return size / price if case.given["contract"] == "inverse" else size * price


def _money(case: Case) -> Mapping[str, list[str]]:
    given = case.given
    names = ("size", "equity", "deduction", "other_maintenance")
    return {"money": [str(_notional(case)), *(given[name] for name in names)]}


def _worth(position: Mapping[str, str]) -> tuple[Fraction, Fraction]:
    """Return the signed value of a position and its maintenance requirement."""
    value = number_of(position["size"], "given.positions.size") * number_of(position["price"], "given.positions.price")
    return value, abs(value) * number_of(position["maintenance_fraction"], "given.positions.maintenance_fraction")


def _maintained(case: Case) -> tuple[Mapping[str, str], Fraction, Fraction]:
    """Return the position that is closed, its maintenance requirement and that of the account."""
    held = [position for position in case.given["positions"] if position["market"] == case.given["market"]]
    if len(held) != 1:
        raise VectorError(f"positions: {len(held)} in market {case.given['market']!r}; there must be one")
    return held[0], _worth(held[0])[1], sum((_worth(p)[1] for p in case.given["positions"]), Fraction())


def _bankruptcy_quote(case: Case, scale: Scale) -> Answer:
    given = case.given
    position, own, total = _maintained(case)
    size, closed = number_of(position["size"], "given.positions.size"), _number(case, "close_size")
    value = _worth(position)[0] * closed / abs(size)
    equity = _number(case, "cash") + sum(_worth(p)[0] for p in given["positions"])
    quote = _core.bankruptcy_quote(
        (scale.units("size", given["close_size"]), scale.units("size", str(abs(size)))),
        _QUOTE.units("money", str(value)),
        _QUOTE.units("money", str(equity)),
        (scale.units("maintenance", str(own)), scale.units("maintenance", str(total))),
    )
    if quote is None:
        return {"quote": None, "error": "invalid_size"}
    return {"quote": _QUOTE.value("money", quote), "error": None}


def _parts(case: Case) -> Mapping[str, list[str]]:
    position, own, total = _maintained(case)
    return {"size": [position["size"], case.given["close_size"]], "maintenance": [str(own), str(total)]}


TOPICS: Final[dict[str, Topic]] = {
    "margin.initial": Topic(
        function="seawall_core::open_interest_rate_down",
        given=frozenset({"base_fraction", "open_interest", "lower_cap", "upper_cap", "notional", "quantum"}),
        expect=frozenset({"fraction", "margin"}),
        run=_initial,
        dimensions=_interest,
    ),
    "margin.maintenance": Topic(
        function="seawall_core::tier_requirement_up",
        given=frozenset({"notional", "lower_bound", "previous_fraction", "previous_deduction", "fraction"}),
        expect=frozenset({"deduction", "margin"}),
        run=_maintenance,
        dimensions=_brackets,
    ),
    "margin.weight": Topic(
        function="seawall_core::size_discount_down",
        given=frozenset({"rule"}),
        variants=("rule", _WEIGHTS),
        expect=frozenset({"weight"}),
        run=_weight,
        dimensions=_sizes,
    ),
    "margin.open_orders": Topic(
        function="seawall_core::Position::room",
        given=frozenset({"position", "open_buys", "open_sells", "mark_price", "fraction", "position_limit"}),
        expect=frozenset({"buy_exposure", "sell_exposure", "requirement", "max_buy", "max_sell"}),
        run=_open_orders,
        dimensions=_lots_and_marks,
    ),
    "liquidation.price": Topic(
        function="seawall_core::Exposed::liquidation_price",
        given=frozenset(
            {
                "contract",
                "side",
                "size",
                "price",
                "equity",
                "maintenance_fraction",
                "deduction",
                "other_maintenance",
            }
        ),
        expect=frozenset({"price"}),
        run=_liquidation_price,
        dimensions=_money,
    ),
    "liquidation.bankruptcy_quote": Topic(
        function="seawall_core::Closing::bankruptcy_quote_up",
        given=frozenset({"cash", "positions", "market", "close_size"}),
        expect=frozenset({"quote", "error"}),
        run=_bankruptcy_quote,
        dimensions=_parts,
    ),
}
