"""Topics of funding and of the mark."""

import math
from collections.abc import Callable, Mapping
from typing import Final

from seawall import _core
from seawall.errors import VectorError
from seawall.vectors.cases import Answer, Case, OutOfRangeError, Scale, Topic, number_of

__all__ = ["TOPICS"]

_PPM: Final = 1_000_000
_PPB: Final = 1_000_000_000
_INT_MAX: Final = 2**63 - 1


def _rate(case: Case, key: str, parts: int = _PPB) -> int:
    """Return a rate of the vector in the venue's unit."""
    return _parts(case.given[key], key, parts)


def _parts(value: object, key: str, parts: int) -> int:
    count = number_of(value, f"given.{key}") * parts
    if count.denominator != 1:
        raise VectorError(f"given.{key}: {value} is not whole in units of 1/{parts}, those of the venue")
    return count.numerator


def _time(case: Case) -> tuple[int, int]:
    elapsed, period = case.given["elapsed_s"], case.given["rate_period_s"]
    return elapsed * _PPB, period * _PPB


def _prices(*keys: str, answer: str | None = None) -> Callable[[Case], Mapping[str, list[str]]]:
    def dimensions(case: Case) -> Mapping[str, list[str]]:
        return {"price": [case.given[key] for key in keys] + (case.expect[answer] if answer else [])}

    return dimensions


def _funding_rate(case: Case, scale: Scale) -> Answer:
    bid, ask, index = (scale.units("price", case.given[key]) for key in ("impact_bid", "impact_ask", "index_price"))
    premium = _core.premium_towards_zero(bid, ask, index)
    cap = None if case.given["cap"] is None else _rate(case, "cap")
    rate = _core.funding_rate(premium, _rate(case, "interest"), _rate(case, "clamp"), cap)
    parts = Scale({"rate": _PPB})
    return {"premium": parts.value("rate", premium), "rate": parts.value("rate", rate)}


def _premium_sample(case: Case, _: Scale) -> Answer:
    votes = [_parts(vote, "votes", _PPB) for vote in case.given["votes"]]
    sample = _core.padded_median_towards_zero(votes, case.given["minimum_votes"])
    return {"sample": Scale({"rate": _PPB}).value("rate", sample)}


def _payment(case: Case, scale: Scale) -> Answer:
    base, price = scale.units("size", case.given["size"]), scale.units("price", case.given["price"])
    if case.given["side"] not in ("long", "short"):
        raise VectorError(f"given.side: {case.given['side']!r} is neither long nor short")
    base = base if case.given["side"] == "long" else -base
    # A minor unit that both the notional and the answer are whole multiples of.
    per_notional = scale.per_one["size"] * scale.per_one["price"]
    tick = math.lcm(per_notional, number_of(case.expect["payment"], "expect.payment").denominator) // per_notional
    if abs(base) * price * tick > _INT_MAX:
        raise OutOfRangeError("the notional does not fit in 64 bits")
    paid = _core.funding_payment_up(base, price, tick, _rate(case, "rate"), _time(case))
    return {"payment": Scale({"money": per_notional * tick}).value("money", paid)}


def _payment_dimensions(case: Case) -> Mapping[str, list[str]]:
    return {"price": [case.given["price"]], "size": [case.given["size"]]}


def _index_delta(case: Case, scale: Scale) -> Answer:
    units = number_of(case.given["index_scale"], "given.index_scale") / scale.per_one["price"]
    price = scale.units("price", case.given["price"])
    index = (units.numerator, units.denominator)
    delta = _core.funding_index_delta_towards_zero(_rate(case, "rate"), price, index, _time(case))
    return {"index_delta": delta}


def _slew_limit(case: Case, scale: Scale) -> Answer:
    last, target = (scale.units("price", case.given[key]) for key in ("start_price", "target_price"))
    most = _rate(case, "max_fraction", _PPM)
    prices = []
    for _ in range(case.given["updates"]):
        last = _core.slew_limit(last, target, most)
        prices.append(scale.value("price", last))
    return {"prices": prices}


TOPICS: Final[dict[str, Topic]] = {
    "funding.rate": Topic(
        function="seawall_core::funding_rate",
        given=frozenset({"impact_bid", "impact_ask", "index_price", "interest", "clamp", "cap"}),
        expect=frozenset({"premium", "rate"}),
        run=_funding_rate,
        dimensions=_prices("impact_bid", "impact_ask", "index_price"),
    ),
    "funding.premium_sample": Topic(
        function="seawall_core::padded_median_towards_zero",
        given=frozenset({"votes", "minimum_votes"}),
        expect=frozenset({"sample"}),
        run=_premium_sample,
    ),
    "funding.payment": Topic(
        function="seawall_core::funding_payment_up",
        given=frozenset({"side", "size", "price", "rate", "rate_period_s", "elapsed_s"}),
        expect=frozenset({"payment"}),
        run=_payment,
        dimensions=_payment_dimensions,
    ),
    "funding.index_delta": Topic(
        function="seawall_core::funding_index_delta_towards_zero",
        given=frozenset({"rate", "price", "rate_period_s", "elapsed_s", "index_scale"}),
        expect=frozenset({"index_delta"}),
        run=_index_delta,
        dimensions=_prices("price"),
    ),
    "mark.slew_limit": Topic(
        function="seawall_core::slew_limit",
        given=frozenset({"start_price", "target_price", "max_fraction", "updates"}),
        expect=frozenset({"prices"}),
        run=_slew_limit,
        dimensions=_prices("start_price", "target_price", answer="prices"),
    ),
}
