"""Topics of auto-deleveraging."""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from seawall import _core
from seawall.errors import VectorError
from seawall.vectors.cases import Answer, Case, OutOfRangeError, Scale, Topic, UnsupportedError, number_of

__all__ = ["TOPICS"]

_SIDES: Final = {"long": 0, "short": 1}
_PPM: Final = 10**6
_INT_MAX: Final = 2**63 - 1


def _side(given: Mapping[str, Any]) -> int:
    if given["winner_side"] not in _SIDES:
        raise VectorError(f"winner_side: {given['winner_side']!r} is unknown; known: long, short")
    return _SIDES[given["winner_side"]]


def _rows(case: Case, keys: set[str]) -> list[dict[str, Any]]:
    """Return the accounts of a line, whose keys are fixed as well."""
    rows: list[dict[str, Any]] = case.given["accounts"]
    for row in rows:
        if row.keys() != keys:
            raise VectorError(f"accounts: keys {', '.join(sorted(row.keys() ^ keys))} are unknown or missing")
    return rows


def _by_id(rows: list[dict[str, Any]]) -> list[int]:
    """Return places in the order of ids: the engine numbers accounts, a vector names them."""
    return sorted(range(len(rows)), key=lambda place: rows[place]["id"])


def _by_rank(rows: list[dict[str, Any]], scores: list[int]) -> list[int]:
    """Return places in the order in which the engine ranks their scores."""
    order = _by_id(rows)
    return [order[account] for account in _core.adl_rank([(scores[place], n) for n, place in enumerate(order)])]


def _placed(order: list[int], values: list[Any]) -> list[Any]:
    """Return values by place that are in some order of places."""
    return [value for _, value in sorted(zip(order, values, strict=True), key=lambda pair: pair[0])]


def _product(a: int, b: int) -> int:
    if abs(a * b) > _INT_MAX:
        raise OutOfRangeError(f"{a} x {b} does not fit in 64 bits")
    return a * b


_PRICES: Final = ("mark_price", "entry_price")
_PNL: Final = ("unrealised_pnl", "wallet_balance", "maintenance_margin")
_SCORE_KEYS: Final = {
    "profit_times_leverage": frozenset({"winner_side", *_PRICES, "bankruptcy_price"}),
    "profit_times_margin_ratio": frozenset(_PNL),
    "price_ratio_literal": frozenset({"winner_side", *_PRICES, "size", "account_value"}),
    "price_ratio_signed": frozenset({"winner_side", *_PRICES, "size", "account_value"}),
}
_SCORE_RULES: Final = {"profit_times_leverage": "profit_leverage", "profit_times_margin_ratio": "profit_margin_ratio"}


def _score_dimensions(case: Case) -> Mapping[str, list[str]]:
    given = case.given
    if given["rule"] == "profit_times_margin_ratio":
        return {"money": [given[key] for key in _PNL]}
    if given["rule"] == "profit_times_leverage":
        return {"price": [given[key] for key in (*_PRICES, "bankruptcy_price")]}
    # Money is price times lots, which stay as they are while prices get finer.
    return {"price": [given[key] for key in (*_PRICES, "account_value")]}


def _score(case: Case, scale: Scale) -> Answer:
    given, rule = case.given, _SCORE_RULES.get(case.given["rule"], case.given["rule"])
    if rule == "profit_margin_ratio":
        profit, wallet, maintenance = (scale.units("money", given[key]) for key in _PNL)
        amounts = (profit, 0, 0, profit + wallet, maintenance)
        return {"score": Fraction(*_core.adl_score(rule, 0, amounts, scale.per_one["money"]))}
    side = _side(given)
    sign = 1 - 2 * side
    mark, entry = (scale.units("price", given[key]) for key in _PRICES)
    if rule == "profit_leverage":
        equity = sign * (mark - scale.units("price", given["bankruptcy_price"]))
        amounts = (sign * (mark - entry), entry, mark, equity, 0)
    else:
        lots, per_one = number_of(given["size"], "given.size").as_integer_ratio()
        equity = _product(scale.units("price", given["account_value"]), per_one)
        amounts = (0, _product(entry, lots), _product(mark, lots), equity, 0)
    return {"score": Fraction(*_core.adl_score(rule, side, amounts, 1))}


def _lights(case: Case, scale: Scale) -> Answer:
    rows = _rows(case, {"id", "quantity", "score"})
    order = _by_rank(rows, [scale.units("score", row["score"]) for row in rows])
    ranked = [rows[place]["quantity"] for place in order]
    lights = _core.adl_lights(case.given["method"], case.given["levels"], ranked)
    return {"order": [rows[place]["id"] for place in order], "lights": lights}


def _lights_dimensions(case: Case) -> Mapping[str, list[str]]:
    return {"score": [row["score"] for row in case.given["accounts"]]}


def _weights(case: Case) -> Mapping[str, list[str]]:
    return {"weight": [row["weight"] for row in case.given["accounts"]]}


def _allocate(case: Case, scale: Scale) -> Answer:
    method, residual = case.given["method"], case.given["residual"]
    if method not in {"queue", "largest_remainder", "webster"}:
        raise UnsupportedError(f"method {method!r}: no function of the engine computes it")
    rows = _rows(case, {"id", "lots", "cap", "weight"})
    weights = [scale.units("weight", row["weight"]) for row in rows]
    caps = [min(row["lots"], row["cap"]) for row in rows]
    if method == "queue":
        order = _by_rank(rows, weights)
        taken = _core.adl_queue(residual, [caps[place] for place in order])
    else:
        order = _by_id(rows)
        taken = _core.adl_allocate(method, residual, [(weights[place], caps[place]) for place in order])
    closed = _placed(order, taken)
    return {"closed": closed, "uncovered": residual - sum(closed)}


def _haircut(case: Case, scale: Scale) -> Answer:
    method = case.given["method"]
    if method not in {"queue", "pro_rata"}:
        raise UnsupportedError(f"method {method!r}: no function of the engine computes it")
    rows = _rows(case, {"id", "endowment", "cap", "weight"})
    budget = scale.units("money", case.given["budget"])
    profits, caps = ([scale.units("money", row[key]) for row in rows] for key in ("endowment", "cap"))
    weights = [scale.units("weight", row["weight"]) for row in rows]
    if method == "queue":
        order = _by_rank(rows, weights)
        limits = [max(0, min(caps[place], profits[place])) for place in order]
        taken = [Fraction(amount) for amount in _core.adl_haircut_queue(budget, limits)]
    else:
        order = _by_id(rows)
        shares = _core.adl_haircut(budget, [(profits[place], caps[place], weights[place]) for place in order])
        taken = [whole + Fraction(rest, of) for whole, rest, of in shares]
    seized = [amount / scale.per_one["money"] for amount in _placed(order, taken)]
    return {"seized": seized, "uncovered": scale.value("money", budget) - sum(seized)}


def _haircut_dimensions(case: Case) -> Mapping[str, list[str]]:
    amounts = [row[key] for row in case.given["accounts"] for key in ("endowment", "cap")]
    return {"money": [case.given["budget"], *amounts], **_weights(case)}


def _settle(case: Case, scale: Scale) -> Answer:
    given = case.given
    mark, bankruptcy = (scale.units("price", given[key]) for key in ("mark_price", "bankruptcy_price"))
    fills = []
    for fill in given["fills"]:
        if fill.keys() != {"entry_price", "lots"}:
            raise VectorError("fills: their keys are entry_price and lots")
        fills.append((_product(scale.units("price", fill["entry_price"]), fill["lots"]), fill["lots"]))
    band = given["band_fraction"]
    width = None if band is None else number_of(band, "given.band_fraction") * _PPM
    if width is not None and width.denominator != 1:
        raise VectorError(f"band_fraction: {band} is not a whole number of ppm, in which the engine takes bands")
    price, terms, shortage = _core.adl_settle(
        _side(given), given["price_rule"], None if width is None else int(width), (mark, bankruptcy), fills
    )
    realised, cost = ([scale.value("price", row[n]) for row in terms] for n in (0, 1))
    return {
        "transfer_price": scale.value("price", price),
        "realised_pnl": realised,
        "cost_vs_mark": cost,
        "winners_pay": sum(cost, Fraction(0)),
        "fund_pays": scale.value("price", shortage),
    }


def _settle_dimensions(case: Case) -> Mapping[str, list[str]]:
    given = case.given
    entries = [fill["entry_price"] for fill in given["fills"]]
    return {"price": [given["mark_price"], given["bankruptcy_price"], case.expect["transfer_price"], *entries]}


def _hedge_aware(case: Case, _: Scale) -> Answer:
    rows = _rows(case, {"id", "lots", "other_delta"})
    order = _by_id(rows)
    first, second, leg_risk = _core.adl_hedge_aware(
        _side(case.given),
        case.given["residual"],
        [(rows[place]["lots"], rows[place]["other_delta"]) for place in order],
    )
    closed = [a + b for a, b in zip(first, second, strict=True)]
    return {
        "first_pass": _placed(order, first),
        "second_pass": _placed(order, second),
        "closed": _placed(order, closed),
        "leg_risk": leg_risk,
        "uncovered": case.given["residual"] - sum(closed),
    }


_QUOTE_STEP: Final = "0.000001"
"""What a bankruptcy quote is rounded to: the minor unit."""


def _parties(case: Case) -> list[dict[str, Any]]:
    return [case.given["liquidated"], *case.given["counterparties"]]


def _offset_dimensions(case: Case) -> Mapping[str, list[str]]:
    positions = [position for party in _parties(case) for position in party["positions"]]
    sizes = [case.given["close_size"], *(position["size"] for position in positions)]
    lots = math.lcm(*(number_of(size, "given.size").denominator for size in sizes))
    # What one lot is worth and what it needs are whole money.
    per_lot = [number_of(position["price"], "given.price") / lots for position in positions]
    needs = [
        price * number_of(position["maintenance_fraction"], "given.maintenance_fraction")
        for price, position in zip(per_lot, positions, strict=True)
    ]
    cash = [party["cash"] for party in _parties(case)]
    return {"size": sizes, "money": [_QUOTE_STEP, *cash, *(str(amount) for amount in (*per_lot, *needs))]}


def _offset(case: Case, scale: Scale) -> Answer:
    given = case.given
    money, lots = scale.per_one["money"], scale.per_one["size"]

    def party(data: Mapping[str, Any]) -> tuple[int, list[tuple[bool, int, int, int]]]:
        held = []
        for position in data["positions"]:
            per_lot = number_of(position["price"], "given.price") * money / lots
            need = per_lot * number_of(position["maintenance_fraction"], "given.maintenance_fraction")
            size = scale.units("size", position["size"])
            held.append((position["market"] == given["market"], size, int(per_lot), int(need)))
        return scale.units("money", data["cash"]), held

    if given["basis"] not in {"bankruptcy", "oracle"}:
        raise UnsupportedError(f"basis {given['basis']!r}: no function of the engine computes it")
    close_size = scale.units("size", given["close_size"])
    liquidated, counterparties = party(given["liquidated"]), [party(data) for data in given["counterparties"]]
    basis = "mark" if given["basis"] == "oracle" else "bankruptcy"
    done = _core.adl_offset(basis, close_size, liquidated, counterparties)
    # A size that is no part of the position moves nothing.
    nothing = [0 for _ in counterparties], [cash for cash, _ in counterparties], liquidated[0], close_size
    closed, cash, own, left = nothing if done is None else done
    return {
        "closed": [scale.value("size", units) for units in closed],
        "counterparty_cash": [scale.value("money", units) for units in cash],
        "liquidated_cash": scale.value("money", own),
        "remaining": scale.value("size", left),
        "error": "invalid_size" if done is None else None,
    }


_RATIOS: Final = ("ratio_before", "ratio_after", "floor_ratio")


def _step_check(case: Case, scale: Scale) -> Answer:
    before, after, floor = (scale.units("ratio", case.given[key]) for key in _RATIOS)
    return {"decision": _core.adl_step_check(before, after, floor)}


TOPICS: Final[dict[str, Topic]] = {
    "adl.score": Topic(
        function="seawall_core::adl::score",
        given=frozenset({"rule"}),
        expect=frozenset({"score"}),
        run=_score,
        dimensions=_score_dimensions,
        variants=("rule", _SCORE_KEYS),
    ),
    "adl.lights": Topic(
        function="seawall_core::adl::rank, seawall_core::adl::lights",
        given=frozenset({"method", "levels", "accounts"}),
        expect=frozenset({"order", "lights"}),
        run=_lights,
        dimensions=_lights_dimensions,
    ),
    "adl.allocate": Topic(
        function="seawall_core::adl::allocate, seawall_core::adl::rank, seawall_core::adl::queue",
        given=frozenset({"method", "residual", "accounts"}),
        expect=frozenset({"closed", "uncovered"}),
        run=_allocate,
        dimensions=_weights,
    ),
    "adl.haircut": Topic(
        function="seawall_core::adl::haircut, seawall_core::adl::rank, seawall_core::adl::haircut_queue",
        given=frozenset({"method", "budget", "accounts"}),
        expect=frozenset({"seized", "uncovered"}),
        run=_haircut,
        dimensions=_haircut_dimensions,
    ),
    "adl.settle": Topic(
        function="seawall_core::adl::transfer_terms",
        given=frozenset({"winner_side", "mark_price", "bankruptcy_price", "price_rule", "band_fraction", "fills"}),
        expect=frozenset({"transfer_price", "realised_pnl", "cost_vs_mark", "winners_pay", "fund_pays"}),
        run=_settle,
        dimensions=_settle_dimensions,
    ),
    "adl.hedge_aware": Topic(
        function="seawall_core::adl::hedge_aware",
        given=frozenset({"winner_side", "residual", "accounts"}),
        expect=frozenset({"first_pass", "second_pass", "closed", "leg_risk", "uncovered"}),
        run=_hedge_aware,
    ),
    "adl.offset": Topic(
        function="seawall_core::adl::offset",
        given=frozenset({"basis", "market", "close_size", "liquidated", "counterparties"}),
        expect=frozenset({"closed", "counterparty_cash", "liquidated_cash", "remaining", "error"}),
        run=_offset,
        dimensions=_offset_dimensions,
    ),
    "adl.step_check": Topic(
        function="seawall_core::adl::step_check",
        given=frozenset(_RATIOS),
        expect=frozenset({"decision"}),
        run=_step_check,
        dimensions=lambda case: {"ratio": [case.given[key] for key in _RATIOS]},
    ),
}
