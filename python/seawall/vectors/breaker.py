"""Topics of breakers: bounds, what becomes of orders, state machines, levels of a day, gaps."""

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from seawall import _core
from seawall.errors import VectorError
from seawall.vectors.cases import Answer, Case, Scale, Topic, ppm

__all__ = ["TOPICS"]

_INWARD: Final = json.dumps({"type": "inward"})
_SECOND: Final = 10**9
_SIDES: Final = {"lower": False, "upper": True}


def _given(value: Fraction) -> tuple[int, int]:
    return value.numerator, value.denominator


def _one_of(given: Mapping[str, Any], name: str, known: Mapping[Any, Any]) -> Any:  # noqa: ANN401 - a choice
    if given[name] not in known:
        raise VectorError(f"{name}: {given[name]!r} is unknown; known: {', '.join(map(str, known))}")
    return known[given[name]]


def _rounding(name: str, step: int) -> str:
    return json.dumps({"type": name, "step": step})


def _share(value: str | Fraction, of: int | None = None, step: int | None = None) -> dict[str, Any]:
    return {"type": "ppm", "ppm": ppm(str(value)), "of": of, "step": step}


def _range(width: dict[str, Any], reference: int = 0, reach: int | None = None) -> dict[str, Any]:
    return {"reference": reference, "width": width, "reach": reach}


def _ticks(scale: Scale, value: str) -> int:
    return scale.units("price", value)


def _luld_width(case: Case, scale: Scale) -> dict[str, Any]:
    given = case.given
    doubles = {"from_ns": 0, "until_ns": 1, "multiple_ppm": 2_000_000}

    def doubled(width: dict[str, Any]) -> dict[str, Any]:
        return {"type": "hours", "of": width, "rows": [doubles]}

    def percent(share: str) -> dict[str, Any]:
        return _share(Fraction(share) * given["leverage"])

    low = {"type": "lesser_of", "of": [{"type": "ticks", "ticks": _ticks(scale, "0.15")}, _share("0.75")]}
    high = {1: doubled(percent("0.05")), 2: percent("0.10")}
    rows = [
        {"from": 0, "width": doubled(low)},
        {"from": _ticks(scale, "0.75"), "width": doubled(percent("0.20"))},
        {"from": _ticks(scale, "3") + 1, "width": _one_of(given, "tier", high)},
    ]
    return {"type": "tiers", "by": 1, "rows": rows}


def _luld_bands(case: Case, scale: Scale) -> Answer:
    given = case.given
    spots = [(p, p) for p in (_exact(scale, given[name]) for name in ("reference_price", "previous_close"))]
    ranges = json.dumps([_range(_luld_width(case, scale))])
    rounding = _rounding(given["rounding"], _ticks(scale, "0.01"))
    # The last 25 minutes are the first instant of the day, so that both times can be asked.
    exact, ticks = _core.breaker_bounds(ranges, rounding, spots, 0 if given["last_25_minutes"] else 1)
    plain, _ = _core.breaker_bounds(ranges, rounding, spots, 1)
    lower, upper = (None if tick is None else scale.value("price", tick) for tick in ticks)
    return {"lower": lower, "upper": upper, "doubled": exact != plain}


def _exact(scale: Scale, value: str) -> tuple[int, int]:
    return _given(Fraction(value) * scale.per_one["price"])


def _luld_dimensions(case: Case) -> Mapping[str, list[str]]:
    given = case.given
    return {"price": [given["previous_close"], "0.01", case.expect["lower"], case.expect["upper"]]}


def _luld_reference(case: Case, scale: Scale) -> Answer:
    given = case.given
    candidate, reference, updated = _core.breaker_mean(
        _exact(scale, given["reference_price"]),
        scale_seconds(given["reference_age_s"]),
        [_ticks(scale, price) for price in given["window_trades"]],
        10_000,
        30 * _SECOND,
    )
    one = scale.per_one["price"]
    return {
        "candidate": None if candidate is None else Fraction(*candidate) / one,
        "reference_price": Fraction(*reference) / one,
        "updated": updated,
    }


def scale_seconds(value: str) -> int:
    """Return seconds in nanoseconds."""
    return Scale({"time": _SECOND}).units("time", value)


def _luld_state(case: Case, scale: Scale) -> Answer:
    given, hold = case.given, 15 * _SECOND
    cleared = given["limit_cleared_after_s"]
    after = None if cleared is None else scale_seconds(cleared)
    resumes = after is not None and after <= hold
    state, upper, outcome = _core.breaker_quote(
        (_ticks(scale, given["lower_band"]), _ticks(scale, given["upper_band"])),
        (_ticks(scale, given["best_bid"]), _ticks(scale, given["best_ask"])),
        resumes,
        scale_seconds(given["seconds_to_close"]) - hold,
        600 * _SECOND,
    )
    limit = state == 1
    ended = cleared if resumes else "15"
    return {
        "state": ("normal", "limit", "straddle")[state],
        "band": None if state == 0 else "upper" if upper else "lower",
        "outcome": ("resume", "pause", "close_only")[outcome] if limit else None,
        "outcome_after_s": Fraction(ended) if limit else None,
    }


def _state_dimensions(case: Case) -> Mapping[str, list[str]]:
    return {"price": [case.given[name] for name in ("lower_band", "upper_band", "best_bid", "best_ask")]}


_BAND_RULES: Final = {
    "symmetric": ("reference_price", "fraction"),
    "index_premium": ("index_price", "average_premium", "inner_fraction", "outer_fraction"),
    "index_mark": ("index_price", "mark_price", "inner_fraction", "outer_fraction"),
    "sigma_or_range": ("mark_price", "sigma", "sigma_multiple", "fraction"),
    "by_side": ("reference_price", "bid_up_multiplier", "ask_down_multiplier"),
    "oracle_and_twap": ("oracle_price", "oracle_fraction", "twap_price", "twap_fraction"),
    "slippage": ("best_bid", "best_ask", "tolerance"),
    "midpoint_collar": ("best_bid", "best_ask", "fraction", "minimum"),
    "rolling_extrema": ("window_low", "window_high", "reference_price", "fraction", "tick"),
    "reopening_collar": ("lower_band", "upper_band", "hit_band", "extensions"),
}
_PRICES: Final = (
    "reference_price",
    "index_price",
    "average_premium",
    "mark_price",
    "sigma",
    "oracle_price",
    "twap_price",
    "best_bid",
    "best_ask",
    "tolerance",
    "minimum",
    "window_low",
    "window_high",
    "tick",
    "lower_band",
    "upper_band",
)


def _limit_ranges(  # noqa: PLR0911 - one return for each rule
    case: Case, scale: Scale
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Return the ranges of a rule, and the prices of their references: of the upper and of the lower side."""
    given: Any = case.given
    fraction = given.get("fraction", "0")

    def same(*names: str) -> list[tuple[str, str]]:
        return [(given[name], given[name]) for name in names]

    match given["rule"]:
        case "symmetric":
            return [_range(_share(fraction))], same("reference_price")
        case "index_premium":
            premium = str(Fraction(given["index_price"]) + Fraction(given["average_premium"]))
            inner = _range(_share(given["inner_fraction"], of=1), reach=1)
            outer = _range(_share(given["outer_fraction"]), reference=1)
            return [inner, outer], [(premium, premium), *same("index_price")]
        case "index_mark":
            inner = _range(_share(given["inner_fraction"]), reach=1)
            return [inner, _range(_share(given["outer_fraction"]))], same("mark_price", "index_price")
        case "sigma_or_range":
            widths = [_share(given["sigma_multiple"], of=1), _share(fraction)]
            return [_range({"type": "greater_of", "of": widths})], same("mark_price", "sigma")
        case "by_side":
            up = _share(Fraction(given["bid_up_multiplier"]) - 1)
            down = _share(1 - Fraction(given["ask_down_multiplier"]))
            return [_range({"type": "by_side", "up": up, "down": down})], same("reference_price")
        case "oracle_and_twap":
            ranges = [_range(_share(given["oracle_fraction"])), _range(_share(given["twap_fraction"]), reference=1)]
            return ranges, same("oracle_price", "twap_price")
        case "slippage":
            width = {"type": "ticks", "ticks": _ticks(scale, given["tolerance"])}
            return [_range(width)], [(given["best_ask"], given["best_bid"])]
        case "midpoint_collar":
            mid = str((Fraction(given["best_bid"]) + Fraction(given["best_ask"])) / 2)
            least = {"type": "ticks", "ticks": _ticks(scale, given["minimum"])}
            widths = [least, _share(fraction, of=1)]
            return [_range({"type": "greater_of", "of": widths})], [(given["best_ask"], given["best_bid"]), (mid, mid)]
        case _:
            width = _share(fraction, of=1, step=_ticks(scale, given["tick"]))
            return [_range(width)], [(given["window_low"], given["window_high"]), *same("reference_price")]


def _limits(case: Case, scale: Scale) -> Answer:
    given = case.given
    one = scale.per_one["price"]
    if given["rule"] == "reopening_collar":
        found = _core.breaker_collar(
            (_ticks(scale, given["lower_band"]), _ticks(scale, given["upper_band"])),
            _one_of(given, "hit_band", _SIDES),
            given["extensions"],
            50_000,
            (_ticks(scale, "0.15"), _ticks(scale, "3")),
            _rounding("half_up", _ticks(scale, "0.01")),
        )
        return {name: Fraction(tick, one) for name, tick in zip(("lower", "upper"), found, strict=True)}
    ranges, prices = _limit_ranges(case, scale)
    spots = [(_exact(scale, up), _exact(scale, down)) for up, down in prices]
    exact, _ = _core.breaker_bounds(json.dumps(ranges), _INWARD, spots, 0)
    return {name: of and Fraction(*of) / one for name, of in zip(("lower", "upper"), exact, strict=True)}


def _limits_dimensions(case: Case) -> Mapping[str, list[str]]:
    cents = ["0.01"] if case.given["rule"] == "reopening_collar" else []
    return {"price": [*(case.given[name] for name in _PRICES if name in case.given), *cents]}


def _admit(case: Case, scale: Scale) -> Answer:
    given = case.given
    price = given["price"]
    buys = _one_of(given, "side", {"buy": True, "sell": False})
    decision, limit = _core.breaker_admit(
        (_exact(scale, given["lower"]), _exact(scale, given["upper"])),
        given["inclusive"],
        (buys, None if price is None else _ticks(scale, price), given["aggressive"]),
        _one_of(given, "policy", {"reject": True, "cap": False}),
    )
    return {
        "decision": ("accept", "cap", "reject")[decision],
        "limit_price": None if limit is None else scale.value("price", limit),
    }


def _admit_dimensions(case: Case) -> Mapping[str, list[str]]:
    prices = [case.given["lower"], case.given["upper"], case.given["price"]]
    return {"price": [price for price in prices if price is not None]}


def _monitor_bounds(case: Case, _: Scale) -> Answer:
    given = case.given
    width = {
        "type": "quantile",
        "drift_ppm": ppm(given["drift"]),
        "volatility_ppm": ppm(given["volatility"]),
        "horizon_ns": given["horizon_s"] * _SECOND,
        "probability_ppb": Scale({"p": 10**9}).units("p", given["probability"]),
    }
    price = (int(given["reference_price"]), 1)
    ticks = _core.breaker_bounds(json.dumps([_range(width)]), _INWARD, [(price, price)], 0)[1]
    return {name: None if of is None else Fraction(of) for name, of in zip(("lower", "upper"), ticks, strict=True)}


def _check(case: Case, scale: Scale) -> Answer:
    given = case.given
    triggered, outside = _core.breaker_left(
        [(_ticks(scale, one["lower"]), _ticks(scale, one["upper"])) for one in given["ranges"]],
        _one_of(given, "trigger_when", {"outside_any": False, "outside_all": True}),
        _ticks(scale, given["candidate_price"]),
    )
    return {"triggered": triggered, "outside": [given["ranges"][n]["name"] for n in outside]}


def _check_dimensions(case: Case) -> Mapping[str, list[str]]:
    bounds = [one[name] for one in case.given["ranges"] for name in ("lower", "upper")]
    return {"price": [case.given["candidate_price"], *bounds]}


def _re_reference(case: Case, scale: Scale) -> Answer:
    given = case.given
    reference, taken = _ticks(scale, given["reference_price"]), []
    while True:
        lower, upper, after = _core.breaker_re_reference(
            reference, ppm(given["fraction"]), _ticks(scale, given["tick"]), _ticks(scale, given["matching_price"])
        )
        if after is None:
            break
        reference = after
        taken.append(scale.value("price", after))
    return {"references": taken, "lower": scale.value("price", lower), "upper": scale.value("price", upper)}


def _re_reference_dimensions(case: Case) -> Mapping[str, list[str]]:
    return {"price": [case.given[name] for name in ("reference_price", "tick", "matching_price")]}


def _clock(text: str) -> int:
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return ((hours * 60 + minutes) * 60 + seconds) * _SECOND


_PHASES: Final = {"none": None, "halt": "halted", "close": "closed"}


def _halt(case: Case, scale: Scale) -> Answer:
    given = case.given
    rows = [
        {
            "level": row["level"],
            "from_ns": _clock(row["from"]),
            "phase": _one_of(row, "action", _PHASES),
            "after_ns": row["halt_s"] * _SECOND or None,
            "auction_ns": row["call_auction_s"] * _SECOND,
        }
        for row in given["schedule"]
    ]
    levels, level, place = _core.breaker_levels(
        _exact(scale, given["previous_close"]),
        [ppm(share) for share in given["fractions"]],
        _rounding("half_up", _ticks(scale, "0.01")),
        (_ticks(scale, given["index_value"]), _clock(given["time"])),
        json.dumps(rows),
        given["triggered_levels"],
    )
    row = {"action": "none", "halt_s": 0, "call_auction_s": 0} if place is None else given["schedule"][place]
    return {
        "levels": [Fraction(*one) / scale.per_one["price"] for one in levels],
        "level": level,
        **{name: row[name] for name in ("action", "halt_s", "call_auction_s")},
    }


def _halt_dimensions(case: Case) -> Mapping[str, list[str]]:
    return {"price": [case.given["previous_close"], case.given["index_value"], "0.01"]}


def _end_time(case: Case, _: Scale) -> Answer:
    given, ends = case.given, []
    adds = _one_of(given, "mode", {"latest_end": False, "add": True})
    end = given["start_s"]
    for value in given["values_s"]:
        end = _core.breaker_end(adds, end, value)
        ends.append(end)
    return {"ends_s": ends}


def _block_gap(case: Case, _: Scale) -> Answer:
    rows = [(row["gap_s"], row["auction_s"]) for row in case.given["thresholds"]]
    return {"auction_s": _core.breaker_gap(rows, case.given["gap_s"])}


TOPICS: Final[dict[str, Topic]] = {
    "luld.bands": Topic(
        "seawall_core::bounds, seawall_core::combined, seawall_core::rounded",
        frozenset({"tier", "previous_close", "reference_price", "last_25_minutes", "leverage", "rounding"}),
        frozenset({"lower", "upper", "doubled"}),
        _luld_bands,
        _luld_dimensions,
    ),
    "luld.reference": Topic(
        "seawall_core::mean_reference",
        frozenset({"reference_price", "reference_age_s", "window_trades"}),
        frozenset({"candidate", "reference_price", "updated"}),
        _luld_reference,
        lambda case: {"price": [case.given["reference_price"], *case.given["window_trades"]]},
    ),
    "luld.state": Topic(
        "seawall_core::quote_state, seawall_core::limit_outcome",
        frozenset({"lower_band", "upper_band", "best_bid", "best_ask", "limit_cleared_after_s", "seconds_to_close"}),
        frozenset({"state", "band", "outcome", "outcome_after_s"}),
        _luld_state,
        _state_dimensions,
    ),
    "order_band.limits": Topic(
        "seawall_core::bounds, seawall_core::combined, seawall_core::reopening_collar",
        frozenset({"rule"}),
        frozenset({"lower", "upper"}),
        _limits,
        _limits_dimensions,
        ("rule", {rule: frozenset(keys) for rule, keys in _BAND_RULES.items()}),
    ),
    "order_band.admit": Topic(
        "seawall_core::admit, seawall_core::rounded",
        frozenset({"lower", "upper", "inclusive", "side", "price", "aggressive", "policy"}),
        frozenset({"decision", "limit_price"}),
        _admit,
        _admit_dimensions,
    ),
    "price_monitor.bounds": Topic(
        "seawall_core::quantile_factors, seawall_core::bounds, seawall_core::rounded",
        frozenset({"reference_price", "drift", "volatility", "horizon_s", "probability"}),
        frozenset({"lower", "upper"}),
        _monitor_bounds,
    ),
    "price_monitor.check": Topic(
        "seawall_core::left",
        frozenset({"ranges", "trigger_when", "candidate_price"}),
        frozenset({"triggered", "outside"}),
        _check,
        _check_dimensions,
    ),
    "price_monitor.re_reference": Topic(
        "seawall_core::re_reference",
        frozenset({"reference_price", "fraction", "tick", "matching_price"}),
        frozenset({"references", "lower", "upper"}),
        _re_reference,
        _re_reference_dimensions,
    ),
    "market_wide.halt": Topic(
        "seawall_core::level_prices, seawall_core::scheduled",
        frozenset({"previous_close", "fractions", "index_value", "time", "schedule", "triggered_levels"}),
        frozenset({"levels", "level", "action", "halt_s", "call_auction_s"}),
        _halt,
        _halt_dimensions,
    ),
    "breaker.end_time": Topic(
        "seawall_core::later_end", frozenset({"mode", "start_s", "values_s"}), frozenset({"ends_s"}), _end_time
    ),
    "breaker.block_gap": Topic(
        "seawall_core::gap_row", frozenset({"thresholds", "gap_s"}), frozenset({"auction_s"}), _block_gap
    ),
}
