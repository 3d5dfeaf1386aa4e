"""Topics of auto-deleveraging."""

from collections.abc import Mapping
from typing import Final

from seawall import _core
from seawall.vectors.cases import Answer, Case, Scale, Topic, UnsupportedError

__all__ = ["TOPICS"]


def _allocate(case: Case, scale: Scale) -> Answer:
    if case.given["method"] != "largest_remainder":
        raise UnsupportedError(f"method {case.given['method']!r}: no function of the engine computes it yet")
    residual, accounts = case.given["residual"], case.given["accounts"]
    # The engine breaks ties by place; a vector does by id.
    order = sorted(range(len(accounts)), key=lambda place: accounts[place]["id"])
    shares = _core.largest_remainder(
        residual,
        [scale.units("weight", accounts[place]["weight"]) for place in order],
        [min(accounts[place]["lots"], accounts[place]["cap"]) for place in order],
    )
    closed = [share for _, share in sorted(zip(order, shares, strict=True))]
    return {"closed": closed, "uncovered": residual - sum(closed)}


def _allocate_dimensions(case: Case) -> Mapping[str, list[str]]:
    return {"weight": [account["weight"] for account in case.given["accounts"]]}


TOPICS: Final[dict[str, Topic]] = {
    "adl.allocate": Topic(
        function="seawall_core::largest_remainder",
        given=frozenset({"method", "residual", "accounts"}),
        expect=frozenset({"closed", "uncovered"}),
        run=_allocate,
        dimensions=_allocate_dimensions,
    ),
}
