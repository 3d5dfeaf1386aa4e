"""Topics of liquidation."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from seawall import _core
from seawall.errors import VectorError
from seawall.vectors.cases import Answer, Case, Scale, Topic, TradeUnits, number_of, ppm

__all__ = ["TOPICS"]

_SECOND: Final = 10**9
_SIZE_QUANTUM: Final = 10**9


def _schedule(case: Case, scale: Scale) -> Answer:
    given = case.given

    def size(name: str) -> int:
        return scale.units("size", given[name])

    most = None if given["step_max"] is None else size("step_max")
    lot = 1 if given["lot"] is None else size("lot")
    left, amounts = size("position"), []
    for _ in range(given["steps"]):
        bounds = (size("step_min"), most, size("full_below"))
        amounts.append(_core.schedule(left, ppm(given["fraction"]), bounds, lot))
        left -= amounts[-1]
    return {"amounts": [scale.value("size", x) for x in amounts], "remaining": scale.value("size", left)}


def _schedule_dimensions(case: Case) -> Mapping[str, list[str]]:
    names = ("position", "step_min", "step_max", "full_below", "lot")
    sizes = [case.given[name] for name in names if case.given[name] is not None]
    return {"size": [*sizes, *case.expect["amounts"], case.expect["remaining"]]}


def _size_to_close(case: Case, scale: Scale) -> Answer:
    given = case.given
    per_lot = scale.units("money", str(number_of(given["price"], "price") / _SIZE_QUANTUM))
    rates = [ppm(given[name]) for name in ("quote_price", "margin_fraction", "liquidator_fee", "fund_fee")]
    lots = _core.size_to_close(scale.units("money", given["shortage"]), per_lot, rates)
    return {"size": None if lots is None else Fraction(lots, _SIZE_QUANTUM)}


def _size_to_close_dimensions(case: Case) -> Mapping[str, list[str]]:
    # Sizes are rounded to the quantum of the formula; only money gets finer.
    return {"money": [case.given["shortage"], str(number_of(case.given["price"], "price") / _SIZE_QUANTUM)]}


def _fund_fee(case: Case, scale: Scale) -> Answer:
    given = case.given
    units = TradeUnits.of(scale, [given["size"]], [given["shortage"]])
    closed = (units.price(given["price"]), units.qty(given["size"]), units.tick)
    rates = [ppm(given[name]) for name in ("margin_fraction", "liquidator_fee", "max_fund_fee")]
    return {"fee_fraction": Fraction(*_core.fund_fee(units.money(given["shortage"]), closed, rates))}


def _ramp_share(case: Case, scale: Scale) -> Answer:
    given = case.given
    shortage, freed, full_below = (scale.units("money", given[name]) for name in ("shortage", "freed", "full_below"))
    slots = (given["elapsed_slots"], given["duration_slots"])
    return {"share": Fraction(*_core.ramp_share((shortage, freed, full_below), slots, ppm(given["initial_share"])))}


def _ramp_share_dimensions(case: Case) -> Mapping[str, list[str]]:
    return {"money": [case.given[name] for name in ("shortage", "freed", "full_below")]}


def _share_step(case: Case, scale: Scale) -> Answer:
    given = case.given
    share, amounts, ratio = _core.share_step(
        scale.units("money", given["maintenance"]),
        scale.units("money", given["equity"]),
        [ppm(given[name]) for name in ("share_step", "target_ratio", "penalty_fraction")],
    )
    penalty, maintenance, equity = (Fraction(*amount) / scale.per_one["money"] for amount in amounts)
    return {
        "share": Fraction(share, 10**6),
        "penalty": penalty,
        "maintenance_after": maintenance,
        "equity_after": equity,
        "ratio_after": None if ratio is None else Fraction(*ratio),
    }


def _share_step_dimensions(case: Case) -> Mapping[str, list[str]]:
    return {"money": [case.given["maintenance"], case.given["equity"]]}


def _fillable_price(case: Case, scale: Scale) -> Answer:
    given, held = case.given, case.given["positions"]
    places = [place for place, position in enumerate(held) if position["market"] == given["market"]]
    if len(places) != 1:
        raise VectorError(f"market: {len(places)} positions are in {given['market']}; there must be one")
    amounts = [
        number_of(p["size"], "size") * number_of(p["price"], "price") * number_of(p["maintenance_fraction"], "fraction")
        for p in held
    ]
    sizes = [position["size"] for position in held]
    units = TradeUnits.of(scale, sizes, [given["cash"], *(str(amount) for amount in amounts)])
    positions = [(units.qty(p["size"]), units.price(p["price"]), ppm(p["maintenance_fraction"])) for p in held]
    rates = [ppm(given[name]) for name in ("bankruptcy_adjustment", "spread_to_maintenance")]
    price = _core.fillable_price(units.money(given["cash"]), positions, places[0], rates, units.tick)
    return {"price": scale.value("price", price)}


def _fillable_price_dimensions(case: Case) -> Mapping[str, list[str]]:
    answer = [] if case.tolerance else [case.expect["price"]]
    return {"price": [*(position["price"] for position in case.given["positions"]), *answer]}


def _dutch_price(case: Case, scale: Scale) -> Answer:
    given = case.given
    curve: tuple[int | None, int]
    if given["curve"] == "stairstep":
        curve = (ppm(given["step_factor"]), given["step_s"] * _SECOND)
    else:
        curve = (None, given["duration_s"] * _SECOND)
    start, elapsed = scale.units("price", given["start_price"]), given["elapsed_s"] * _SECOND
    return {"price": scale.value("price", _core.dutch_price(start, curve, elapsed))}


def _dutch_price_dimensions(case: Case) -> Mapping[str, list[str]]:
    # With a tolerance the answer does not end within 64 bits: its unit is chosen by the tolerance.
    answer = [] if case.tolerance else [case.expect["price"]]
    return {"price": [case.given["start_price"], *answer]}


TOPICS: Final[dict[str, Topic]] = {
    "liquidation.fillable_price": Topic(
        function="seawall_core::fillable_price",
        given=frozenset({"cash", "positions", "market", "bankruptcy_adjustment", "spread_to_maintenance"}),
        expect=frozenset({"price"}),
        run=_fillable_price,
        dimensions=_fillable_price_dimensions,
    ),
    "liquidation.size_to_close": Topic(
        function="seawall_core::size_to_close",
        given=frozenset({"shortage", "price", "quote_price", "margin_fraction", "liquidator_fee", "fund_fee"}),
        expect=frozenset({"size"}),
        run=_size_to_close,
        dimensions=_size_to_close_dimensions,
    ),
    "liquidation.fund_fee": Topic(
        function="seawall_core::fund_fee",
        given=frozenset({"shortage", "size", "price", "margin_fraction", "liquidator_fee", "max_fund_fee"}),
        expect=frozenset({"fee_fraction"}),
        run=_fund_fee,
        dimensions=lambda case: {"price": [case.given["price"]]},
    ),
    "liquidation.ramp_share": Topic(
        function="seawall_core::ramp_share",
        given=frozenset({"shortage", "freed", "elapsed_slots", "duration_slots", "initial_share", "full_below"}),
        expect=frozenset({"share"}),
        run=_ramp_share,
        dimensions=_ramp_share_dimensions,
    ),
    "liquidation.schedule": Topic(
        function="seawall_core::schedule",
        given=frozenset({"position", "fraction", "step_min", "step_max", "full_below", "lot", "steps"}),
        expect=frozenset({"amounts", "remaining"}),
        run=_schedule,
        dimensions=_schedule_dimensions,
    ),
    "liquidation.share_step": Topic(
        function="seawall_core::share_step",
        given=frozenset({"maintenance", "equity", "penalty_fraction", "share_step", "target_ratio"}),
        expect=frozenset({"share", "penalty", "maintenance_after", "equity_after", "ratio_after"}),
        run=_share_step,
        dimensions=_share_step_dimensions,
    ),
    "liquidation.dutch_price": Topic(
        function="seawall_core::dutch_price",
        given=frozenset({"curve", "start_price", "elapsed_s"}),
        expect=frozenset({"price"}),
        run=_dutch_price,
        dimensions=_dutch_price_dimensions,
        variants=("curve", {"stairstep": frozenset({"step_factor", "step_s"}), "linear": frozenset({"duration_s"})}),
    ),
}
