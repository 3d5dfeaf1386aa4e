"""Breakers that look at depth and at what waits for liquidation: docs/mechanics.md, section 9.4."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

from .orders import BUY, MILLION, SELL, ceil_div
from .phases import TRADING

if TYPE_CHECKING:
    from .breakers import Breaker, Trip
    from .venue import Market, OracleVenue

AT_DEPTH = 9
AT_PENDING = 10
I64_MAX = 2**63 - 1


def depth(market: Market, side: int, width_ppm: int) -> int:
    """Return the lots that a side shows near the mark."""
    mark = market.mark
    if side == BUY:
        low = max(1, ceil_div(mark * (MILLION - width_ppm), MILLION))
        return sum(order.lots for order in market.shown(BUY) if order.price >= low)
    high = mark * (MILLION + width_ppm) // MILLION
    return sum(order.lots for order in market.shown(SELL) if order.price <= high)


def pending(venue: OracleVenue, market: Market, side: int) -> int:
    """Return the lots of accounts in liquidation that trade against a side."""
    held = [each.positions[market.number].base for each in venue.accounts if each.in_liquidation]
    return sum(max(0, base) if side == BUY else max(0, -base) for base in held)


def look(rule: Breaker) -> Trip | None:
    """Look at the book with a rule; return its trip, if it trips."""
    venue, market, test = rule.venue, rule.market, rule.test
    found: tuple[int, int, int] | None = None
    width = test["width_ppm"]
    if rule.kind == "pending":
        for side in (BUY, SELL):
            most = min(I64_MAX, depth(market, side, width) * test["share_ppm"] // MILLION)
            lots = pending(venue, market, side)
            if lots == most and lots > 0:
                venue.note("pending_at_most")
            if found is None and lots > most:
                found = side, lots, most
    else:
        lots, side = min((depth(market, side, width), side) for side in (BUY, SELL))
        below = test["below"]
        if below["type"] == "value":
            is_now, least = ceil(market.contract.worth(lots, market.mark)), below["least"]
        else:
            edge = venue.now - below["window_ns"]
            before = [each for at, each in rule.counted if at > edge]
            rule.counted.append((venue.now, lots))
            is_now, least = lots, ceil_div(below["share_ppm"] * sum(before), MILLION * len(before)) if before else 0
        if is_now == least and least > 0:
            venue.note("depth_at_least")
        if is_now < least:
            found = side, is_now, least
    if found is None or not rule.is_armed(venue.now):
        return None
    side, is_now, than = found
    venue.note(f"thin_{'bids' if side == BUY else 'asks'}")
    if rule.kind == "depth":
        venue.note(f"depth_below_{test['below']['type']}")
    flags = AT_PENDING if rule.kind == "pending" else AT_DEPTH
    return replace(rule.trip(is_now, flags, None), side=side, reference=than)


def ask_depths(venue: OracleVenue) -> None:
    """Ask the rules of the market that has a new mark."""
    for number, _ in venue.step_marks:
        market = venue.markets[number]
        if market.phase not in TRADING:
            continue
        rules = [rule for rule in venue.breakers.of[number] if rule.kind in ("depth", "pending")]
        trips = [look(rule) for rule in rules]
        venue.breakers.act(market, [trip for trip in trips if trip is not None])
