"""Breakers: docs/mechanics.md, section 9, from the page and in the plainest way. Every rule is asked every time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, inf
from typing import TYPE_CHECKING, Final

from .adl import ADL_FILL
from .depths import AT_DEPTH, AT_PENDING
from .funds import DRAWDOWN_CHANGED, FUND_PAID
from .margin import multiplied
from .orders import BUY, LIMIT, MILLION, POST_ONLY, REDUCE_ONLY, SELL, ceil_div, direction
from .phases import (
    CALL_AUCTION,
    CLOSE_ONLY,
    CONTINUOUS,
    COOLING_OFF,
    LIMIT_STATE,
    PAUSE,
    PHASE_NAMES,
    PHASES,
    STRADDLE,
    TRADING,
    severity,
)
from .references import LOWER, UPPER, Look, NoPriceError, Range, Reference, Width, inside_ends, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .orders import Config, Order, Record
    from .references import Ends
    from .venue import Incoming, Market, OracleVenue

BREAKER_TRIPPED: Final = 111
ORDER_BOUNDED: Final = 112
FILL: Final = 210
MULTIPLIER_SET: Final = 504
LIQUIDATION_ORDER: Final = 511
OF_LIQUIDATION: Final = 2
"""Flag of a Fill."""

# Where a rule is asked: flags of a BreakerTripped.
AT_TRADE: Final = 0
AT_MARK: Final = 1
AT_COMMAND: Final = 3
AT_QUOTE: Final = 4
AT_AUCTION: Final = 5
AT_INDEX: Final = 6
AT_GAP: Final = 7
AT_COUNT: Final = 8
ASKED: Final = {
    "trade": AT_TRADE,
    "mark": AT_MARK,
    "entry": 2,
    "manual": AT_COMMAND,
    "quote": AT_QUOTE,
    "index": AT_INDEX,
    "gap": AT_GAP,
    "count": AT_COUNT,
    "depth": AT_DEPTH,
    "pending": AT_PENDING,
}
TRIPPED_AT: Final = (
    *("trade", "mark", "entry", "manual", "quote", "auction", "index", "gap", "count"),
    *("depth", "pending"),
)
"""Names of the same, for those who count."""
# What is done to an order: flags of an OrderBounded.
REFUSED: Final = 0
CAPPED: Final = 1
STOPPED: Final = 2

# What a SetRule changes.
ENABLED: Final = 0
WIDTH: Final = 1
PRICE: Final = 2
WIDTH_MAX: Final = 10**9

U32_MAX: Final = 2**32 - 1
U64: Final = 2**64
NO_BOUNDS: Final = (None, None)
AS_CONFIGURED: Final = (MILLION, MILLION, 0)
"""Multipliers of initial and maintenance rates, and the highest leverage, where no rule says otherwise."""


def draw(seed: int, *keys: int) -> int:
    """Return a number that looks random, from a seed and what it is for."""
    z = seed
    for key in keys:
        z = (z + 0x9E3779B97F4A7C15 + key) % U64
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % U64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % U64
        z ^= z >> 31
    return z


def later(a: int, b: int) -> int:
    """Return the later of two ends, of which 0 is none and later than any."""
    return 0 if 0 in (a, b) else max(a, b)


def is_later(a: int, b: int) -> bool:
    """Tell whether an end is later than another."""
    return (a or inf) > (b or inf)


class Breaker:
    """One rule in one market that it watches."""

    def __init__(self, venue: OracleVenue, market: Market, number: int, config: Config) -> None:
        self.venue, self.market, self.number, self.config = venue, market, number, config
        self.references: list[Reference] = []
        self.ranges = [Range(each, self.make_reference) for each in config.get("ranges", ())]
        self.enabled: bool = config.get("enabled", True)
        self.test: Config = config["test"]
        self.action: Config = config["action"]
        self.exit: Config = config.get("exit") or {}
        self.rearm: Config = config.get("rearm") or {}
        self.trips: list[int] = []
        """When it tripped."""
        self.counted: list[tuple[int, int]] = []
        """What was counted in earlier steps."""
        self.levels_acted: set[tuple[int, int]] = set()
        """Days and levels of a schedule that have acted."""

    def make_reference(self, config: Config) -> Reference:
        """Return a reference of this rule."""
        self.references.append(Reference(self.market, config))
        return self.references[-1]

    @property
    def kind(self) -> str:
        """What it tests."""
        return str(self.test["type"])

    @property
    def does(self) -> str:
        """Its action."""
        return str(self.action["type"])

    @property
    def inclusive(self) -> bool:
        """Tell whether a price at a bound is inside."""
        return bool(self.config.get("inclusive", True))

    @property
    def rounding(self) -> Config:
        """How bounds are rounded."""
        return self.config.get("rounding") or {"type": "inward"}

    @property
    def meanwhile(self) -> Config:
        """What else holds while it acts."""
        return self.exit.get("meanwhile") or {}

    @property
    def told_width(self) -> Width | None:
        """The width that SetRule changes, None if there is none."""
        return self.ranges[0].width if self.ranges and self.ranges[0].width.kind == "ppm" else None

    def look(self) -> Look | None:
        """Look at its ranges as they stand, None if it rests."""
        now = self.venue.now
        if not self.ranges:
            return None
        ends = []
        try:
            for each in self.ranges:
                high, low = (each.bound(side, now, self.market) for side in (UPPER, LOWER))
                exact = [None if bound is None else rounded(bound, self.rounding) for bound in (low, high)]
                ends.append(inside_ends((exact[0], exact[1]), inclusive=self.inclusive))
        except NoPriceError:
            return None
        first = self.ranges[0].reference
        prices = (first.needed(UPPER, now), first.needed(LOWER, now))
        return Look(ends, self.config.get("when") == "outside_all", prices)

    def spares(self, flags: int, *, liquidation: bool) -> bool:
        """Tell whether it is exempt from looking at an order."""
        flows = {"liquidation": liquidation, "reduce_only": flags & REDUCE_ONLY, "post_only": flags & POST_ONLY}
        return any(flows[flow] for flow in self.config.get("exempt", ()))

    def is_armed(self, at: int) -> bool:
        """Tell whether it may trip at a time."""
        most, day = self.rearm.get("per_day"), self.market.day_of(at)
        today = [time for time in self.trips if self.market.day_of(time) == day]
        is_cool = not self.trips or at - self.trips[-1] >= self.rearm.get("cooldown_ns", 0)
        return self.enabled and is_cool and (most is None or len(today) < most)

    def end_from(self, at: int) -> int:
        """Return the end that it asks for, 0 for none."""
        after_ns = self.exit.get("after_ns")
        if after_ns is None:
            return 0
        d = draw(self.venue.config["seed"], self.market.number, self.number, len(self.trips))
        return int(at + after_ns + d * (self.exit.get("random_ns", 0) + 1) // U64)

    def trip(self, price: int, flags: int, look: Look | None, *, at: int | None = None) -> Trip:
        """Return a trip of an interruption by a price."""
        at = self.venue.now if at is None else at
        is_below = look is not None and look.left(price)[:1] == [True]
        side = LOWER if is_below else UPPER
        return Trip(
            rule=self,
            flags=flags,
            price=price,
            side=side,
            reference=0 if look is None else look.references[side],
            bounds=NO_BOUNDS if look is None else look.bounds,
            phase=PHASE_NAMES.index(self.action["phase"]) if "phase" in self.action else CALL_AUCTION,
            end=self.end_from(at),
            auction_ns=self.exit.get("auction_ns"),
        )

    def start_anew(self, price: int) -> None:
        """Let its references start anew from a price."""
        if 1 <= price <= self.market.price_max:
            for each in self.references:
                each.start_anew(price, self.venue.now)

    def reached(self) -> list[int]:
        """Return the markets that it interrupts."""
        own, where = self.market.number, self.config.get("interrupts", "own")
        if where == "venue":
            return list(range(len(self.venue.markets)))
        return sorted({own, *([] if where == "own" else where["group"])})

    def level_prices(self, reference: Fraction) -> list[Fraction]:
        """Return the prices of the levels of a schedule."""
        levels = self.ranges[0].width.config["ppm"]
        return [rounded(reference - reference * ppm / MILLION, self.rounding) for ppm in levels]


@dataclass(frozen=True)
class Trip:
    """A rule that trips, and what it asks for."""

    rule: Breaker
    flags: int
    price: int
    side: int
    reference: int
    bounds: Ends
    phase: int
    end: int
    """0 for none."""
    auction_ns: int | None
    """How long the auction after it lasts, None for as long as the market says."""


@dataclass
class Acting:
    """The rule that acts in a market, and how it was when it tripped."""

    trip: Trip
    extensions: int = 0
    reference: int = 0
    """R of `re_reference`."""

    @property
    def rule(self) -> Breaker:
        """The rule."""
        return self.trip.rule


@dataclass(frozen=True)
class Bound:
    """A bound of a limit at entry."""

    number: int
    price: int
    rejects: bool
    reference: int


class Breakers:
    """The breakers of a venue."""

    def __init__(self, venue: OracleVenue) -> None:
        self.venue = venue
        rows = list(enumerate(venue.config["breakers"]))
        self.of = [[Breaker(venue, m, i, row) for i, row in rows if m.number in row["markets"]] for m in venue.markets]
        self.tripped: set[int] = set()
        """Markets in which a rule tripped in this step so that references see none of its prices."""
        self.before: int | None = None
        """The time of the command before."""

    def asking(self, market: Market, test: str) -> Iterator[Breaker]:
        """Go through the enabled rules of a market with a test, in order."""
        return (rule for rule in self.of[market.number] if rule.kind == test and rule.enabled)

    def note_ranges(self, rule: Breaker) -> None:
        """Note what a rule that has mattered measures from, and how."""
        for each in rule.ranges:
            self.venue.note(f"reference_{each.reference.kind}")
            self.venue.note(f"width_{each.width.kind}")
            if each.width.other is not None:
                self.venue.note(f"width_from_{each.width.other.kind}")

    # 9.3 Entry.

    def bounds_at_entry(self, market: Market, order: Order, limit: int | None, *, liquidation: bool) -> list[Bound]:
        """Return the bounds of a limit that bind an order, in the order in which they are looked at.

        Parameters
        ----------
        limit
            Its limit, None for a market order.
        """
        side = order.side
        found: list[Bound] = []
        acting = market.acting
        if acting is not None and market.phase == COOLING_OFF and acting.rule.market is market:
            end = acting.trip.bounds[1 - side]
            if end is not None:
                found.append(Bound(acting.rule.number, end, rejects=False, reference=acting.trip.reference))
        for rule in self.of[market.number]:
            caps = rule.does == "limit_state" and market.phase in TRADING
            if not rule.enabled or not (rule.kind == "entry" or caps):
                continue
            if rule.spares(order.flags, liquidation=liquidation):
                continue
            passive = bool(rule.test.get("passive")) and not liquidation
            if limit is not None and passive and not self.venue.would_take(market, side, limit):
                continue
            look = rule.look()
            end = None if look is None else look.bounds[1 - side]
            if look is not None and end is not None:
                found.append(Bound(rule.number, end, rule.does == "reject", look.references[side]))
        return found

    def bounded(
        self, market: Market, order: Order, price: int, *, liquidation: bool
    ) -> tuple[int, Record | None, bool]:
        """Return a limit after the rules at entry, what to report of it, and whether it is refused."""
        b, limit, report = direction(order.side), price, None
        for bound in self.bounds_at_entry(market, order, price, liquidation=liquidation):
            if b * (price - bound.price) <= 0:
                continue
            refuses = bound.rejects and not liquidation
            fields = {
                "account": order.account,
                "market": market.number,
                "side": order.side,
                "code": bound.number,
                "flags": REFUSED if refuses else CAPPED,
                "price": bound.price,
                "qty": price,
                "amount": bound.reference,
            }
            if refuses:
                self.note_bound(market, bound, "refused")
                return price, fields, True
            if b * (limit - bound.price) > 0:
                limit, report = bound.price, fields
                self.note_bound(market, bound, "bound")
        nearest = market.nearest(limit)
        if report is None or nearest == price:
            return price, None, False
        if nearest != limit:
            self.venue.note("bound_is_no_price")
        self.venue.note("cooling_off_caps" if market.phase == COOLING_OFF else "rule_capped")
        return nearest, report | {"price": nearest}, False

    def note_bound(self, market: Market, bound: Bound, how: str) -> None:
        """Note which rule has bound an order, and how."""
        self.venue.note(f"rule_{how}")
        for rule in self.of[market.number]:
            if rule.number == bound.number:
                self.note_ranges(rule)

    def market_limit(self, market: Market, order: Order) -> int | None:
        """Return how far a market order may go, None for no limit."""
        bounds = self.bounds_at_entry(market, order, None, liquidation=False)
        prices = [market.nearest(bound.price) for bound in bounds]
        return (min if order.side == BUY else max)(prices, default=None)

    def refused_whole(self, market: Market, order: Order, came: tuple[int, int], limit: int | None) -> Record | None:
        """Return what to report of an order that would trade outside a rule which refuses it, None if none does.

        Parameters
        ----------
        came
            The price and the quantity with which it came.
        """
        price_came, qty = came
        rules = [rule for rule in self.asking(market, "trade") if rule.does == "reject"]
        if market.phase not in TRADING or not rules:
            return None
        worst, lots = None, 0
        for part in market.parts(1 - order.side):
            price = part[0].price
            if limit is not None and direction(order.side) * (price - limit) > 0:
                break
            if lots >= qty:
                break
            worst, lots = price, lots + sum(other.qty for other in part)
        if worst is None:
            return None
        for rule in rules:
            look = None if rule.spares(order.flags, liquidation=False) else rule.look()
            if look is not None and look.is_outside(worst):
                return self.shown(rule, look, order, worst, REFUSED) | {"qty": price_came}
        return None

    def shown(self, rule: Breaker, look: Look, order: Order, price: int, flags: int) -> Record:
        """Return the fields of an OrderBounded of a rule that watches trades."""
        side = LOWER if look.left(price)[0] else UPPER
        return {
            "account": order.account,
            "market": rule.market.number,
            "side": order.side,
            "code": rule.number,
            "flags": flags,
            "price": look.shown_end(side),
            "qty": order.price,
            "amount": look.references[side],
            "order": order.id if flags == STOPPED else 0,
        }

    # 9.4 Trades and marks.

    def acting_on(
        self, market: Market, price: int, *, order: Order, liquidation: bool
    ) -> tuple[list[Trip], list[tuple[Breaker, Look]]]:
        """Return the rules that trip if an order trades at a price, and those that stop it."""
        trips: list[Trip] = []
        stops: list[tuple[Breaker, Look]] = []
        if market.phase not in TRADING:
            return trips, stops
        at_once = liquidation or order.code != LIMIT
        for rule in self.asking(market, "trade"):
            look = None if rule.spares(order.flags, liquidation=liquidation) else rule.look()
            if look is None or not look.is_outside(price):
                continue
            if rule.does != "interrupt":
                stops.append((rule, look))
            elif rule.is_armed(self.venue.now):
                if at_once and rule.test.get("immediate", "trips") == "spared":
                    stops.append((rule, look))
                else:
                    trips.append(rule.trip(price, AT_TRADE, look))
        return trips, stops

    def ask_trade(self, market: Market, incoming: Incoming, price: int) -> bool:
        """Ask the rules before an order trades at a price; tell whether it may not."""
        order = incoming.order
        trips, stops = self.acting_on(market, price, order=order, liquidation=incoming.is_liquidation)
        if trips:
            self.act(market, trips)
            incoming.rests = any(trip.rule.test.get("rest") == "rests" for trip in trips)
        elif stops:
            rule, look = stops[0]
            self.venue.emit(ORDER_BOUNDED, **self.shown(rule, look, order, price, STOPPED))
            self.venue.note("rule_spared" if rule.does == "interrupt" else "rule_stopped")
        return bool(trips or stops)

    def looks_at_index(self, market: Market) -> list[tuple[Breaker, Look]]:
        """Look at the rules that are asked about an index and a mark, before there are new ones."""
        found = []
        for test in ("index", "mark"):
            for rule in self.asking(market, test):
                look = rule.look()
                if look is not None:
                    found.append((rule, look))
        return found

    def ask_index(self, market: Market, looks: list[tuple[Breaker, Look]], index: int, mark: int | None) -> None:
        """Ask about a new index, and about a new mark if there is one."""
        trips: list[Trip] = []
        for rule, look in looks:
            if rule.does == "schedule":
                trips += self.scheduled(rule, look, index)
            elif rule.kind == "index" and look.is_outside(index) and rule.is_armed(self.venue.now):
                trips.append(rule.trip(index, AT_INDEX, look))
            elif rule.kind == "mark" and mark is not None:
                asks = market.phase in TRADING and rule.is_armed(self.venue.now)
                trips += [rule.trip(mark, AT_MARK, look)] if asks and look.is_outside(mark) else []
        self.act(market, trips)

    def scheduled(self, rule: Breaker, look: Look, index: int) -> list[Trip]:
        """Return the trip of a schedule by an index, if there is one."""
        now, market = self.venue.now, rule.market
        prices = rule.level_prices(look.exact[LOWER])
        level = sum(price >= index for price in prices)
        day = market.day_of(now)
        if level == 0 or (day, level) in rule.levels_acted:
            return []
        time = market.time_of_day(now)
        rows = [row for row in rule.action["rows"] if row["level"] == level and row.get("from_ns", 0) <= time]
        row = max(rows, key=lambda each: int(each.get("from_ns", 0)), default=None)
        if row is None or row["phase"] is None or not rule.is_armed(now):
            return []
        rule.levels_acted.add((day, level))
        self.venue.note("schedule_acted")
        trip = rule.trip(index, AT_INDEX, look)
        return [
            replace(
                trip,
                side=LOWER,
                reference=look.references[LOWER],
                bounds=(floor(prices[level - 1]) + 1, None),
                phase=PHASE_NAMES.index(row["phase"]),
                end=0 if row["after_ns"] is None else now + row["after_ns"],
                auction_ns=row.get("auction_ns", 0),
            )
        ]

    def count(self) -> None:
        """Ask the rules that count what happened in the step."""
        for market in self.venue.markets:
            trips = []
            for rule in self.of[market.number]:
                if rule.kind != "count":
                    continue
                amount = self.amount(market, rule.test["of"])
                if amount == 0:
                    continue
                now = self.venue.now
                rule.counted.append((now, amount))
                total = sum(each for time, each in rule.counted if time > now - rule.test["window_ns"])
                if total >= rule.test["least"] and rule.is_armed(now):
                    trips.append(replace(rule.trip(total, AT_COUNT, None), reference=rule.test["least"]))
            self.act(market, trips)

    def amount(self, market: Market, of: str) -> int:
        """Return how much of something happened in a market in this step."""
        events = [event for event in self.venue.events if event["market"] == market.number]

        if of == "liquidations":
            return sum(event["kind"] == LIQUIDATION_ORDER for event in events)
        if of in ("liquidated", "deleveraged"):
            fills = [event for event in events if event["kind"] == FILL and event["flags"] & OF_LIQUIDATION]
            orders = {event["order"] for event in fills}
            each = [[fill for fill in fills if fill["order"] == order] for order in orders]
            if of == "deleveraged":
                each = [[event] for event in events if event["kind"] == ADL_FILL]
            worth = market.contract.worth
            return sum(ceil(sum(worth(fill["qty"], fill["price"]) for fill in order)) for order in each)
        if of == "fund_paid":
            return sum(event["amount"] for event in events if event["kind"] == FUND_PAID)
        return sum(event["kind"] == DRAWDOWN_CHANGED and event["flags"] == 1 for event in events)

    # 9.5 Precedence.

    def act(self, market: Market, trips: list[Trip]) -> None:
        """Let all rules of a market that trip by one event act together."""
        for trip in trips:
            self.report(trip)
        if not trips:
            return
        for number in range(len(self.venue.markets)):
            concerning = [trip for trip in trips if number in trip.rule.reached()]
            if concerning:
                self.interrupt(self.venue.markets[number], concerning)
        assert all(trip.rule.market is market for trip in trips), "one event is of one market"

    def report(self, trip: Trip, *, at: int | None = None) -> None:
        """Report a trip, and do what comes of trips."""
        rule, (low, high) = trip.rule, trip.bounds
        self.venue.emit(
            BREAKER_TRIPPED,
            market=rule.market.number,
            code=rule.number,
            flags=trip.flags,
            price=trip.price,
            side=trip.side,
            qty=trip.reference,
            order=low or 0,
            account=max(0, min(high or 0, U32_MAX)),
            amount=trip.end,
        )
        rule.trips.append(self.venue.now if at is None else at)
        if rule.rearm.get("restart", False):
            rule.start_anew(trip.price)
            self.venue.note("rule_restarted")
        if trip.flags not in (AT_QUOTE, AT_AUCTION, AT_GAP, AT_COUNT, AT_DEPTH, AT_PENDING):
            self.tripped.add(rule.market.number)
        self.venue.note(f"tripped_{TRIPPED_AT[trip.flags]}")
        self.note_ranges(rule)

    def interrupt(self, market: Market, trips: list[Trip]) -> None:
        """Let trips that concern a market put it into a phase."""
        phase = max((trip.phase for trip in trips), key=severity)
        severest = [trip for trip in trips if trip.phase == phase]
        end = trips[0].end
        for trip in trips[1:]:
            end = later(end, trip.end)
        best = severest[0]
        for trip in severest[1:]:
            if is_later(trip.end, best.end):
                best = trip
        acting = market.acting
        stands = severity(market.phase) >= severity(phase)
        if acting is None:
            if stands or market.phase not in TRADING:
                self.venue.note("rule_dominated")
                return
        elif market.phase != STRADDLE:
            if stands:
                if is_later(end, market.phase_end):
                    self.venue.note("rule_prolonged")
                    self.venue.enter_phase(market, market.phase, end, acting=acting)
                return
            if PHASES[market.phase].matches == PHASES[phase].matches:
                end = later(end, market.phase_end)
            self.venue.note("rule_severer")
        if best.rule.market is not market:
            self.venue.note("rule_elsewhere")
        if best.rule.market is not market:
            best = replace(best, bounds=NO_BOUNDS)
        self.venue.enter_phase(market, phase, end, acting=Acting(best, reference=best.reference))

    # 9.6 Commands.

    def meant(self, market: int, number: int) -> list[Breaker]:
        """Return a rule in a market, or in every one that it watches."""
        return [
            rule
            for rules in self.of
            for rule in rules
            if rule.number == number and market in (rule.market.number, 65535)
        ]

    def is_bad_change(self, rules: list[Breaker], what: int, value: int) -> bool:
        """Tell whether a SetRule asks for what there is not."""
        if what == ENABLED:
            return value not in (0, 1)
        if what == WIDTH:
            return not 1 <= value <= WIDTH_MAX or any(rule.told_width is None for rule in rules)
        is_told = all(any(each.kind == "set" for each in rule.references) for rule in rules)
        return what != PRICE or value < 1 or not is_told or any(value > rule.market.price_max for rule in rules)

    def change(self, rules: list[Breaker], what: int, value: int) -> None:
        """Change a rule."""
        for rule in rules:
            if what == ENABLED:
                rule.enabled = value == 1
            elif what == WIDTH:
                assert rule.told_width is not None, "asked before"
                rule.told_width.ppm = value
            else:
                for each in rule.references:
                    if each.kind == "set":
                        each.told = value

    def trip_by_command(self, rule: Breaker, command: Record) -> None:
        """Let a rule trip as an Interrupt says."""
        trip = Trip(
            rule=rule,
            flags=ASKED[rule.kind],
            price=command["price"],
            side=command["side"],
            reference=command["qty"],
            bounds=(command["order"] or None, command["account"] or None),
            phase=command["flags"],
            end=command["amount"],
            auction_ns=rule.exit.get("auction_ns"),
        )
        self.act(rule.market, [trip])
        look = rule.look()
        if rule.does == "schedule" and look is not None and 1 <= trip.price <= rule.market.price_max:
            level = sum(price >= trip.price for price in rule.level_prices(look.exact[LOWER]))
            rule.levels_acted.add((rule.market.day_of(self.venue.now), level))
        self.tripped.add(rule.market.number)
        self.venue.note("rule_by_command")

    # 9.7 State machines.

    def look_at_touches(self) -> None:
        """Look at limit states after a step."""
        for market in self.venue.markets:
            rules = list(self.asking(market, "quote"))
            if market.phase not in (CONTINUOUS, STRADDLE, LIMIT_STATE) or not self.of[market.number]:
                continue
            state, rule, side, look = self.limit_state(market, rules)
            bound = None if look is None else look.bounds[1 - side]
            is_ours = market.acting is not None
            if state == "limit" and rule is not None and bound is not None and market.phase != LIMIT_STATE:
                assert look is not None
                trip = rule.trip(bound, AT_QUOTE, look)
                end = self.venue.now + rule.action["hold_ns"]
                fields = {"side": side, "reference": look.references[side], "phase": LIMIT_STATE, "end": end}
                self.act(market, [replace(trip, **fields)])
            elif market.phase == LIMIT_STATE and is_ours and state != "limit":
                self.lead(market, rule if state == "straddle" else None)
            elif market.phase == STRADDLE and is_ours and state == "normal":
                self.lead(market, None)
            elif market.phase == CONTINUOUS and state == "straddle":
                self.lead(market, rule)

    def lead(self, market: Market, rule: Breaker | None) -> None:
        """Lead a market into a straddle of a rule, or back to where it trades as ever."""
        if rule is None:
            self.venue.enter_phase(market, CONTINUOUS, 0)
            self.venue.note("limit_state_over")
            return
        trip = replace(rule.trip(0, AT_QUOTE, None), phase=STRADDLE, end=0)
        self.venue.enter_phase(market, STRADDLE, 0, acting=Acting(trip))
        self.venue.note("straddle")

    def limit_state(self, market: Market, rules: list[Breaker]) -> tuple[str, Breaker | None, int, Look | None]:
        """Return the first state that is not normal, its rule, and the side of the bound at which a limit stands."""
        buys, sells = market.shown(BUY), market.shown(SELL)
        bid, ask = (side[0].price if side else None for side in (buys, sells))
        crossed = bid is not None and ask is not None and bid >= ask
        for rule in rules:
            look = rule.look()
            if look is None:
                continue
            low, high = look.bounds
            at_low, at_high = ask is not None and ask == low, bid is not None and bid == high
            if not crossed and (at_low or at_high):
                if market.phase == LIMIT_STATE or rule.is_armed(self.venue.now):
                    return "limit", rule, LOWER if at_low else UPPER, look
                continue
            if (bid is not None and low is not None and bid < low) or (
                ask is not None and high is not None and ask > high
            ):
                return "straddle", rule, 0, look
        return "normal", None, 0, None

    def end_limit_state(self, market: Market, due: int) -> bool:
        """Lead a market out of a limit state that a breaker began and that is due to end; tell whether it was one."""
        acting = market.acting
        if acting is None or market.phase != LIMIT_STATE:
            return False
        action, after_ns = acting.rule.action, acting.rule.exit.get("after_ns")
        closes = action.get("close_ns")
        left = None if closes is None else closes - market.time_of_day(due)
        if left is not None and left <= action.get("close_only_ns", 600_000_000_000):
            self.venue.enter_phase(market, CLOSE_ONLY, due + left if left > 0 else 0, acting=acting)
            self.venue.note("limit_state_closes")
        else:
            self.venue.enter_phase(market, PAUSE, 0 if after_ns is None else due + after_ns, acting=acting)
            self.venue.note("limit_state_pauses")
        return True

    def reopening_ns(self, market: Market) -> int:
        """Return how long the auction after a halt or pause lasts."""
        if market.acting is not None and market.acting.trip.auction_ns is not None:
            return market.acting.trip.auction_ns
        return market.reopen_auction_ns

    def extend(self, market: Market, due: int) -> bool:
        """Let a call that is due to end go on, if rules say so; tell whether they do."""
        if market.phase != CALL_AUCTION:
            return False
        auction = self.venue.auctions[market.number]
        found, _ = auction.price()
        if found is None:
            return False
        price = found.price
        trips: list[Trip] = []
        acting = market.acting
        extension = None if acting is None else acting.rule.exit.get("extension")
        if acting is not None and extension is not None and self.watches(acting.rule, market):
            trips += self.extended(market, acting, extension, price, due)
        for rule in self.asking(market, "trade"):
            is_other = acting is None or rule.number != acting.rule.number
            asks = is_other and rule.test.get("auction", False) and rule.action.get("phase") == "call_auction"
            look = rule.look() if asks else None
            if look is not None and look.is_outside(price) and rule.is_armed(due):
                trips.append(rule.trip(price, AT_AUCTION, look, at=due))
                self.venue.note("auction_trips_another")
        if not trips:
            return False
        end = trips[0].end
        for trip in trips:
            self.report(trip, at=due)
            end = later(end, trip.end)
        self.venue.enter_phase(market, CALL_AUCTION, end, acting=acting or Acting(trips[0]))
        return True

    def watches(self, rule: Breaker, market: Market) -> bool:
        """Tell whether a rule watches a market."""
        return any(each.number == rule.number for each in self.of[market.number])

    def extended(self, market: Market, acting: Acting, extension: Config, price: int, due: int) -> list[Trip]:
        """Return the trip of the rule that acts, if its auction would end outside its bounds."""
        most, collar = extension.get("most"), extension.get("collar")
        if most is not None and acting.extensions >= most:
            return []
        bounds = self.moved_out(acting, collar)
        low, high = bounds
        is_below = low is not None and price < low
        is_outside = is_below or (high is not None and price > high)
        auction = self.venue.auctions[market.number]
        if not is_outside and not (collar is not None and auction.leaves_market_orders()):
            return []
        side = LOWER if is_below else UPPER
        end = due + extension["after_ns"]
        trip = replace(acting.trip, flags=AT_AUCTION, price=price, side=side, bounds=bounds, end=end)
        acting.extensions += 1
        self.venue.note("auction_extended_by_collar" if collar is not None else "auction_extended")
        if extension.get("re_reference") is not None:
            trip = replace(trip, reference=acting.reference)
            self.re_reference(acting, extension["re_reference"], price)
        return [trip]

    def moved_out(self, acting: Acting, collar: Config | None) -> Ends:
        """Return the bounds of the rule that acts, moved out on the side that was left where there is a collar."""
        low, high = acting.trip.bounds
        if collar is None:
            return low, high
        bound = low if acting.trip.side == LOWER else high
        if bound is None:
            return low, high
        flat = collar.get("flat")
        step = Fraction(bound * collar["step_ppm"], MILLION)
        if flat is not None and bound <= flat["up_to"]:
            step = Fraction(flat["step"])
        out = (acting.extensions + 1) * step
        rounding = collar.get("rounding") or {"type": "inward"}
        if acting.trip.side == LOWER:
            return max(1, ceil(rounded(bound - out, rounding))), high
        return low, floor(rounded(bound + out, rounding))

    def re_reference(self, acting: Acting, multiple: int, price: int) -> None:
        """Move the reference of the rule that acts to the nearer edge, and its bounds with it."""
        width = acting.rule.told_width
        assert width is not None, "a share of the reference"

        def edges(reference: int) -> tuple[int, int]:
            low = Fraction(reference * (MILLION - width.ppm), MILLION)
            high = Fraction(reference * (MILLION + width.ppm), MILLION)
            return ceil(low / multiple) * multiple, floor(high / multiple) * multiple

        low, high = edges(acting.reference)
        edge = low if price < low else high if price > high else acting.reference
        if edge == acting.reference or low > high:
            return
        acting.reference = edge
        acting.trip = replace(acting.trip, bounds=edges(acting.reference))
        self.venue.note("re_referenced")

    def auction_ended(self, market: Market, acting: Acting | None, price: int) -> None:
        """Let the references of the rule that acted start anew from the price of the auction that ended it."""
        if acting is not None and acting.rule.rearm.get("auction", False):
            for rule in self.of[market.number]:
                if rule.number == acting.rule.number:
                    rule.start_anew(price)
                    self.venue.note("anew_from_auction")

    # Meanwhile.

    def meanwhiles(self) -> list[tuple[Market, Config]]:
        """Return what holds where a rule acts."""
        return [(m, m.acting.rule.meanwhile) for m in self.venue.markets if m.acting is not None]

    def mark_rule(self, market: Market) -> str:
        """Return what the mark of a market does meanwhile."""
        return next((row.get("mark", "follows") for m, row in self.meanwhiles() if m is market), "follows")

    def mark_by_auction(self, market: Market, index: int, would: tuple[int, int, int, int] | None) -> int | None:
        """Return the mark that a rule makes of what an auction would do, None if no rule does.

        Parameters
        ----------
        would
            What the auction of the market would have done before the command: code, price, volume and surplus.
        """
        how = self.mark_rule(market)
        if how not in ("auction", "auction_and_mark") or would is None or would[0] not in (0, 2):
            return None
        prices = sorted([index, would[1], *([market.mark] if how == "auction_and_mark" and market.mark else [])])
        self.venue.note(f"mark_by_{how}")
        return prices[1] if len(prices) == 3 else sum(prices) // 2

    def mark_stands(self, market: Market) -> bool:
        """Tell whether a mark stays where it is."""
        return market.mark > 0 and self.mark_rule(market) == "stands"

    def gates_withdrawals(self) -> bool:
        """Tell whether money stays."""
        gates = any(row.get("gates_withdrawals", False) for _, row in self.meanwhiles())
        if gates:
            self.venue.note("gated_by_rule")
        return gates

    def rounds(self, most: int) -> int:
        """Return how many rounds of the waterfall a step may have."""
        rows: list[int | None] = [row.get("liquidation_rounds") for _, row in self.meanwhiles()]
        held = min([most, *(each for each in rows if each is not None)])
        if self.venue.queue and held < most:
            self.venue.note("rounds_held")
        return held

    def set_margins(self) -> None:
        """Let rates be multiplied where a rule acts that says so, and be as configured elsewhere."""
        for market in self.venue.markets:
            row = (market.acting.rule.meanwhile.get("margin") if market.acting is not None else None) or {}
            wanted = (
                row.get("initial_ppm", MILLION),
                row.get("maintenance_ppm", MILLION),
                row.get("leverage_max") or 0,
            )
            if wanted == market.multiplied_by:
                continue
            market.multiplied_by = wanted
            initial, maintenance, leverage = wanted
            tiers = multiplied(market.tiers, initial, maintenance)
            assert tiers is not None, "the configuration proves it"
            least = ceil_div(MILLION, leverage) if leverage else 0
            market.take_rates([tier | {"initial_ppm": max(tier["initial_ppm"], least)} for tier in tiers])
            held = (a.number for a in self.venue.accounts if a.positions[market.number].base != 0)
            self.venue.touched.update(held)
            fields = {"qty": initial, "amount": maintenance, "code": leverage}
            self.venue.emit(MULTIPLIER_SET, market=market.number, **fields)
            self.venue.note("rates_meanwhile")

    # Steps.

    def begin_step(self) -> None:
        """Forget what belongs to the step before."""
        self.tripped = set()

    def look_at_gap(self) -> None:
        """Ask about the time that has passed since the command before."""
        before, self.before = self.before, self.venue.now
        if not before:
            return
        gap = self.venue.now - before
        for market in self.venue.markets:
            trips = []
            for rule in self.asking(market, "gap"):
                rows = [row for row in rule.action["rows"] if row["gap_ns"] <= gap]
                if gap > 0 and rows and market.phase in TRADING and rule.is_armed(self.venue.now):
                    row = max(rows, key=lambda each: int(each["gap_ns"]))
                    trip = rule.trip(gap, AT_GAP, None)
                    end = self.venue.now + row["after_ns"]
                    trips.append(replace(trip, reference=row["gap_ns"], phase=CALL_AUCTION, end=end))
            self.act(market, trips)

    def observe(self, trades: list[tuple[int, int]], marks: list[tuple[int, int]]) -> None:
        """Let references take the trades and marks of the step."""
        for rules in self.of:
            for rule in rules:
                m = rule.market.number
                if m in self.tripped:
                    continue
                for each in rule.references:
                    seen = {"trade": trades, "mark": marks}.get(each.prices, [])
                    each.observe([price for market, price in seen if market == m], self.venue.now)

    def take_index(self, market: Market, index: int) -> None:
        """Let references take a new index."""
        for rule in self.of[market.number]:
            for each in rule.references:
                each.take_index(index)

    def sample_premiums(self, market: Market, index: int) -> None:
        """Let references take how far the middle of the book is above the index."""
        touch = market.touch()
        for rule in self.of[market.number] if touch is not None else ():
            for each in rule.references:
                if each.kind == "index_premium":
                    assert touch is not None
                    each.seen.append((self.venue.now, Fraction(sum(touch), 2) - index))
