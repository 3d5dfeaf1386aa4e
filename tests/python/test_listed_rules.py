"""Presets of listed markets: each does in a running venue what its published text says, at the tick."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from seawall import _core
from seawall.models import load_profile, load_rules
from seawall.protocol import COMMAND, CommandKind, EventKind, Phase, Reject

SECOND = 10**9
MINUTE = 60 * SECOND
CLOSE = 10_000
"""The close of the day before, and the first trade: 100.00, in ticks of a cent."""


@dataclass
class Desk:
    """A venue with one market without clearing, two accounts, and one preset."""

    preset: str
    now: int = SECOND
    venue: Any = field(init=False)

    def __post_init__(self) -> None:
        """Open the market by a call that trades at the close."""
        market = "markets.BTC"
        profile = load_profile(
            "reference",
            set=[
                f"{market}.tick_size=0.01",
                f"{market}.lot_size=1",
                f"{market}.price_max=1000",
                f"{market}.cleared=false",
                "markets.ETH.phase=continuous",
            ],
        )
        first = profile.markets[0].model_copy(update={"phase": "call_auction", "funding": None})
        rules = load_rules(self.preset).of(["BTC"])
        profile = profile.model_copy(update={"markets": (first, *profile.markets[1:]), "breakers": rules})
        self.venue = _core.Venue(profile.to_json())
        for _ in range(2):
            self.do(CommandKind.OPEN_ACCOUNT)
        self.do(CommandKind.INDEX, price=CLOSE)
        for number, rule in enumerate(rules):
            if any(one.reference.type == "set" or "set" in str(one.width) for one in rule.ranges):
                # The price of its reference is told: parameter 2.
                self.do(CommandKind.SET_RULE, code=number, flags=2, amount=CLOSE)
        self.do(CommandKind.PLACE, side=0, price=CLOSE, qty=1)
        self.do(CommandKind.PLACE, account=1, side=1, price=CLOSE, qty=1)
        opened = self.do(CommandKind.SET_PHASE, code=Phase.CONTINUOUS)
        assert EventKind.UNCROSSED in [event["kind"] for event in opened]

    def do(self, kind: int, **fields: int) -> list[dict[str, int]]:
        """Take a command; return its events."""
        record = np.zeros(1, COMMAND)
        record["kind"], record["at"] = kind, self.now
        for name, value in fields.items():
            record[name] = value
        events = self.venue.apply(record)
        return [{name: int(event[name]) for name in events.dtype.names} for event in events]

    def trade(self, price: int) -> list[dict[str, int]]:
        """Offer a lot and take it by a limit order; return the events of the second."""
        self.do(CommandKind.PLACE, account=1, side=1, price=price, qty=1)
        return self.do(CommandKind.PLACE, side=0, price=price, qty=1)


def kinds(events: list[dict[str, int]]) -> set[int]:
    return {event["kind"] for event in events}


def phase_after(events: list[dict[str, int]]) -> tuple[int, int]:
    """Return the last new phase and its end."""
    changed = [event for event in events if event["kind"] == EventKind.PHASE_CHANGED]
    return changed[-1]["code"], changed[-1]["amount"]


@pytest.mark.parametrize(
    ("preset", "inside", "phase", "lasts", "waits"),
    [
        ("cme-dynamic", 10_350, Phase.CALL_AUCTION, (120, 120), 0),
        ("cme-velocity", 10_100, Phase.CALL_AUCTION, (10, 10), 0),
        ("eurex-vi", 10_100, Phase.CALL_AUCTION, (60, 90), 0),
        ("xetra-vi", 10_200, Phase.CALL_AUCTION, (120, 150), 0),
        ("euronext", 10_300, Phase.CALL_AUCTION, (180, 180), 0),
        ("lse", 10_500, Phase.CALL_AUCTION, (300, 330), 0),
        ("jpx-dynamic", 10_080, Phase.CALL_AUCTION, (30, 30), 0),
        ("hkex-vcm", 11_000, Phase.COOLING_OFF, (300, 300), 6),
        ("hkex-vcm-futures", 10_500, Phase.COOLING_OFF, (300, 300), 6),
        ("sgx", 11_000, Phase.COOLING_OFF, (300, 300), 6),
    ],
)
def test_a_trade_at_the_bound_goes_on_and_a_tick_beyond_interrupts(
    preset: str, inside: int, phase: Phase, lasts: tuple[int, int], waits: int
) -> None:
    desk = Desk(preset)
    desk.now += waits * MINUTE
    allowed = desk.trade(inside)
    assert EventKind.FILL in kinds(allowed)
    assert EventKind.BREAKER_TRIPPED not in kinds(allowed)
    desk = Desk(preset)
    desk.now += waits * MINUTE
    events = desk.trade(inside + 1)
    assert EventKind.FILL not in kinds(events)
    assert EventKind.BREAKER_TRIPPED in kinds(events)
    entered, end = phase_after(events)
    assert entered == phase
    assert lasts[0] * SECOND <= end - desk.now <= lasts[1] * SECOND


@pytest.mark.parametrize(
    ("preset", "level", "minutes"), [("us-market-wide", 9_300, 15), ("nse-index", 9_000, 45), ("china-2016", 9_500, 15)]
)
def test_an_index_at_a_level_halts_the_venue(preset: str, level: int, minutes: int) -> None:
    desk = Desk(preset)
    assert EventKind.BREAKER_TRIPPED not in kinds(desk.do(CommandKind.INDEX, price=level + 1))
    events = desk.do(CommandKind.INDEX, price=level)
    halted = [event for event in events if event["kind"] == EventKind.PHASE_CHANGED]
    assert {event["market"] for event in halted} == {0, 1}
    assert {(event["code"], event["amount"] - desk.now) for event in halted} == {(Phase.HALTED, minutes * MINUTE)}


@pytest.mark.parametrize(("preset", "bound"), [("luld-tier1", 10_500), ("luld-tier2", 11_000)])
def test_a_bid_at_the_upper_band_is_a_limit_state_then_a_pause_then_a_collared_auction(preset: str, bound: int) -> None:
    desk = Desk(preset)
    assert EventKind.BREAKER_TRIPPED not in kinds(desk.do(CommandKind.PLACE, side=0, price=bound - 1, qty=1))
    events = desk.do(CommandKind.PLACE, side=0, price=bound, qty=1)
    assert phase_after(events) == (Phase.LIMIT_STATE, desk.now + 15 * SECOND)
    desk.now += 15 * SECOND
    assert phase_after(desk.do(CommandKind.PULSE)) == (Phase.PAUSE, desk.now + 5 * MINUTE)
    desk.now += 5 * MINUTE
    assert phase_after(desk.do(CommandKind.PULSE)) == (Phase.CALL_AUCTION, desk.now + 5 * MINUTE)
    # 5 % of the band beyond it is the collar: a tick more, and the call is extended by five minutes.
    beyond = bound + bound // 20 + 1
    desk.do(CommandKind.PLACE, side=0, price=beyond, qty=5)
    desk.do(CommandKind.PLACE, account=1, side=1, price=beyond, qty=5)
    desk.now += 5 * MINUTE
    assert phase_after(desk.do(CommandKind.PULSE)) == (Phase.CALL_AUCTION, desk.now + 5 * MINUTE)


def test_a_daily_limit_is_traded_at_and_not_beyond() -> None:
    desk = Desk("cme-price-limits")
    assert EventKind.FILL in kinds(desk.trade(10_700))
    events = desk.trade(10_701)
    assert EventKind.FILL not in kinds(events)
    assert EventKind.ORDER_BOUNDED in kinds(events)


def test_an_order_beyond_a_daily_band_is_refused() -> None:
    desk = Desk("nse-stocks")
    assert EventKind.ACCEPTED in kinds(desk.do(CommandKind.PLACE, side=0, price=12_000, qty=1))
    *_, refused = desk.do(CommandKind.PLACE, side=0, price=12_001, qty=1)
    assert refused["code"] == Reject.BAND_REFUSES


@pytest.mark.parametrize(
    "preset", ["luld-tier1", "luld-tier2", "cme-velocity", "nse-index", "hkex-vcm", "eurex-vi", "euronext", "sgx"]
)
def test_a_preset_says_what_it_leaves_out(preset: str) -> None:
    told = load_rules(preset)
    assert told.gaps
    assert "[S]" in told.source or "[K]" in told.source


def test_a_name_among_the_breakers_of_a_profile_stands_for_rules_in_every_market() -> None:
    profile = load_profile(
        "reference", set=['breakers=["hkex-vcm", "deribit"]', "breakers.hkex-vcm-cooling.enabled=false"]
    )
    assert [rule.name for rule in profile.breakers] == ["hkex-vcm-cooling", "deribit-bandwidth"]
    assert {rule.markets for rule in profile.breakers} == {("BTC", "ETH")}
    assert [rule.enabled for rule in profile.breakers] == [False, True]
    assert [rule.name for rule in load_profile("reference", set=["breakers=deribit"]).breakers] == ["deribit-bandwidth"]
