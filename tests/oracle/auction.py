"""Auctions: docs/mechanics.md, 6.8 and 6.9, from the page and in the plainest way. Every candidate is looked at."""

from __future__ import annotations

from bisect import insort
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .orders import BUY, LIMIT, SELL, Terms, priority_of, share_out

if TYPE_CHECKING:
    from .orders import Order
    from .venue import Market, OracleVenue
    from .waterfall import Round

UNCROSSED: Final = 300
INDICATIVE: Final = 301

# Reasons of a Cancelled.
REST: Final = 2
BY_BREAKER: Final = 4

PPM: Final = 1_000_000
RESTS_UNTIL_AUCTION: Final = 2
"""Flag of its LiquidationOrder."""
PRICED: Final = 2
"""Flag of a Replaced: a market order comes to rest at a price."""

# What an auction would do.
CLEARS: Final = 0
NOTHING: Final = 1
LEAVES: Final = 2
OUTSIDE: Final = 3

DEFAULTS: Final[dict[str, Any]] = {
    "candidates": "limits",
    "surplus": "least",
    "pressure": "edge",
    "tie": "nearest",
    "reference": "mark",
    "rounding": "down",
    "collar": None,
    "market_orders": "refused",
    "allocation": "time",
    "liquidations": False,
    "indicative": "never",
}
PRESET: Final = {"candidates": "grid", "reference": "last", "market_orders": "limit"}
TOUCH_COLLAR: Final = {"around": "touch", "width_ppm": 100_000}
PRESETS: Final[dict[str, dict[str, Any]]] = {
    "xetra": PRESET | {"candidates": "limits"},
    "euronext": PRESET,
    "asx": PRESET | {"tie": "clamp"},
    "nasdaq": PRESET | {"reference": "midpoint", "collar": TOUCH_COLLAR, "market_orders": "cancelled"},
    "bnb": PRESET | {"pressure": {"bounded": {"limit_ppm": 50_000}}, "rounding": "up", "market_orders": "refused"},
    "vega": PRESET
    | {"candidates": "limits", "surplus": "any", "pressure": "none", "tie": "middle", "market_orders": "refused"},
    "luld": PRESET | {"market_orders": "cancelled"},
}
COLLAR: Final = {"around": "reference", "width_ppm": 100_000, "width_min": 0, "action": "confine"}


class Price(NamedTuple):
    """A price with what trades at it."""

    price: int
    volume: int
    surplus: int


class Auction:
    """The auctions of a market."""

    def __init__(self, venue: OracleVenue, market: Market) -> None:
        self.venue, self.market = venue, market
        given: dict[str, Any] = market.auction_rules
        self.rules = DEFAULTS | PRESETS.get(given.get("preset") or "", {}) | given
        self.collar: dict[str, Any] | None = self.rules["collar"]
        if self.collar is not None:
            self.collar = COLLAR | self.collar
        self.step: int = market.entry["price_step"]

    # What there is to trade.

    def at(self, price: int) -> Price:
        """Return what would trade at a price."""
        market = self.market
        demand = sum(order.qty for order in market.unpriced[BUY])
        demand += sum(order.qty for order in market.book[BUY] if order.price >= price)
        supply = sum(order.qty for order in market.unpriced[SELL])
        supply += sum(order.qty for order in market.book[SELL] if order.price <= price)
        return Price(price, min(demand, supply), demand - supply)

    @property
    def highest(self) -> int:
        """The highest price of the market that is on its step."""
        return self.market.price_max // self.step * self.step

    def reference(self) -> Fraction | None:
        """Return R, None if there is none and no limit either."""
        market, kind = self.market, self.rules["reference"]
        wanted: Fraction | int | None = {
            "mark": market.mark,
            "last": market.last,
            "index": market.index,
            "midpoint": None if market.touch_before is None else Fraction(sum(market.touch_before), 2),
        }[kind]
        found = Fraction(wanted or market.mark or market.last)
        if found == 0:
            return Fraction(0) if market.resting() else None
        return max(Fraction(self.step), min(Fraction(self.highest), found))

    def on_step(self, price: Fraction) -> int:
        """Return a price on the step, by the rounding of the market."""
        steps = price / self.step
        return self.step * (floor(steps) if self.rules["rounding"] == "down" else ceil(steps))

    # 6.9: the chain.

    def free_price(self) -> Price | None:
        """Return the price without the collar, None if nothing trades."""
        limits = {order.price for order in self.market.resting()}
        reference = self.reference()
        if reference is None:
            return None
        if not limits:
            return self.best([self.on_step(reference)], reference)
        if self.rules["candidates"] == "grid":
            ends = [Fraction(price) for price in limits] + ([reference] if reference > 0 else [])
            first, last = floor(min(ends) / self.step), ceil(max(ends) / self.step)
            lowest = ceil(Fraction(self.market.price_min, self.step))
            grid = range(max(lowest, first) * self.step, min(last * self.step, self.highest) + 1, self.step)
            found = self.best(list(grid), reference)
            if found is not None:
                return found
        return self.best(sorted(limits), reference)

    def best(self, candidates: list[int], reference: Fraction) -> Price | None:
        """Return the best of some candidates."""
        left = [self.at(price) for price in candidates]
        volume = max((each.volume for each in left), default=0)
        if volume == 0:
            return None
        left = [each for each in left if each.volume == volume]
        if self.rules["surplus"] == "least":
            least = min(abs(each.surplus) for each in left)
            left = [each for each in left if abs(each.surplus) == least]
        prices = [each.price for each in left]
        wanted = self.wanted(left, reference)
        if isinstance(wanted, int):
            return self.at(wanted)
        return self.at(max(min(prices), min(max(prices), self.on_step(wanted))))

    def wanted(self, left: list[Price], reference: Fraction) -> int | Fraction:
        """Return the candidate that pressure or tie choose, or the price that they would have, if it is none."""
        prices, pressure = [each.price for each in left], self.rules["pressure"]
        is_one_sided = all(each.surplus > 0 for each in left) or all(each.surplus < 0 for each in left)
        if is_one_sided and pressure != "none":
            is_demand = left[0].surplus > 0
            if pressure == "edge":
                return max(prices) if is_demand else min(prices)
            share = Fraction(pressure["bounded"]["limit_ppm"], PPM)
            return reference * (1 + share if is_demand else 1 - share)
        if self.rules["tie"] == "nearest":
            return min(prices, key=lambda price: (abs(price - reference), -price))
        if self.rules["tie"] == "middle":
            return Fraction(min(prices) + max(prices), 2)
        lowest = max((each.price for each in left if each.surplus > 0), default=min(prices))
        highest = min((each.price for each in left if each.surplus < 0), default=max(prices))
        return max(lowest, min(highest, self.on_step(reference)))

    def bounds(self) -> tuple[int, int] | None:
        """Return the bounds of the collar, None without one."""
        reference, collar, touch = self.reference(), self.collar, self.market.touch_before
        if collar is None:
            return None
        if collar["around"] == "touch" and touch is not None:
            low, high, middle = *touch, Fraction(sum(touch), 2)
        elif not reference:
            return None
        else:
            low, high, middle = ceil(reference), floor(reference), reference
        width = max(collar["width_min"], floor(middle * collar["width_ppm"] / PPM))
        lower = max(self.step, ceil(Fraction(low - width, self.step)) * self.step)
        return lower, max(lower, (high + width) // self.step * self.step)

    def price(self, *, refuses: bool = False) -> tuple[Price | None, bool]:
        """Return what trades at which price, and whether a collar that refuses is left.

        Parameters
        ----------
        refuses
            Whether such a collar is looked at; if not there is none.
        """
        found, bounds = self.free_price(), self.bounds()
        if found is None or bounds is None or bounds[0] <= found.price <= bounds[1]:
            return found, False
        assert self.collar is not None
        if self.collar["action"] == "refuse":
            return found, refuses
        confined = self.at(bounds[0] if found.price < bounds[0] else bounds[1])
        self.venue.note("auction_confined")
        return (confined if confined.volume > 0 else None), False

    def is_outside(self) -> bool:
        """Tell whether a collar keeps the auction from ending."""
        return self.price(refuses=True)[1]

    def leaves_market_orders(self) -> bool:
        """Tell whether market orders would be left of the auction."""
        found, _ = self.price()
        volume = 0 if found is None else found.volume
        return any(sum(order.qty for order in side) > volume for side in self.market.unpriced)

    # Orders of a call.

    @property
    def takes_offers(self) -> bool:
        """Tell whether accounts in liquidation offer their positions."""
        return bool(self.rules["liquidations"])

    def admits(self, order: Order) -> bool:
        """Tell whether a market order takes part in the calls of the market."""
        return self.rules["market_orders"] != "refused" and order.is_market and order.terms == Terms()

    # The uncross.

    def uncross(self) -> None:
        """Trade until nothing would trade, and deal with what is left of orders that only an auction has."""
        venue, market = self.venue, self.market
        at, traded, repeated = 0, False, False
        while True:
            found, _ = self.price()
            if found is None:
                break
            if repeated:
                venue.note("uncross_repeated")
            at, repeated = found.price, True
            traded |= self.trade(found)
        for order in sorted(market.open_orders(), key=lambda o: o.number):
            if order.is_offer:
                venue.cancel_order(market, order, REST)
        for side in (BUY, SELL):
            for order in sorted(market.unpriced[side], key=lambda o: o.number):
                if order.qty == 0:
                    continue
                if self.rules["market_orders"] == "limit" and traded:
                    self.give_price(order, at)
                else:
                    venue.note("market_order_left")
                    venue.cancel_order(market, order, REST)
        self.uncross_what_is_outside()

    def give_price(self, order: Order, price: int) -> None:
        """Let a market order rest at a price."""
        venue, market = self.venue, self.market
        market.unpriced[order.side].remove(order)
        venue.arrival_count += 1
        order.arrival, order.price, order.code = venue.arrival_count, price, LIMIT
        venue.take_top(market, order)
        insort(market.book[order.side], order, key=priority_of)
        venue.emit_replaced(market, order, flags=PRICED)
        venue.note("market_order_priced")

    def uncross_what_is_outside(self) -> None:
        """Cancel orders that could only trade beyond a collar that confines."""
        buys, sells = self.market.book
        while buys and sells and buys[0].price >= sells[0].price:
            free, bounds = self.free_price(), self.bounds()
            assert free is not None, "a crossed book trades"
            assert bounds is not None, "a collar leaves it crossed"
            side = buys if free.price > bounds[1] else sells
            while buys and sells and buys[0].price >= sells[0].price:
                self.venue.note("cancelled_beyond_collar")
                self.venue.cancel_order(self.market, side[0], BY_BREAKER)

    def queue(self, side: int, price: int) -> list[Order]:
        """Return who is next on a side: market orders, or the shown or hidden orders of the best price."""
        if self.market.unpriced[side]:
            return self.market.unpriced[side]
        parts = self.market.parts(side)
        sign = 1 if side == BUY else -1
        return parts[0] if parts and sign * (parts[0][0].price - price) >= 0 else []

    def next_of(self, plan: list[list[Any]], side: int, price: int, volume: int) -> list[Any] | None:
        """Return the next order of a side with the lots that it may still get; None if there is none."""
        while plan and (plan[0][0].qty == 0 or plan[0][1] == 0):
            plan.pop(0)
        if not plan:
            queue = self.queue(side, price)
            lots = [order.lots for order in queue]
            market = self.market
            if market.is_pro_rata and self.rules["allocation"] == "market" and sum(lots) > volume:
                lots, _ = share_out(volume, queue, market.top[side], market.allocation)
                self.venue.note("auction_shared_out")
            plan += [[order, k] for order, k in zip(queue, lots, strict=True) if k > 0]
        return plan[0] if plan else None

    def trade(self, found: Price) -> bool:
        """Trade a volume at a price; tell whether any of it traded."""
        venue, market = self.venue, self.market
        price, volume, surplus = found
        venue.emit(UNCROSSED, market=market.number, price=price, qty=volume, amount=surplus)
        plans: list[list[list[Any]]] = [[], []]
        traded = False
        while volume > 0:
            both = [self.next_of(plans[side], side, price, volume) for side in (BUY, SELL)]
            buying, selling = both
            if buying is None or selling is None:
                break
            buy, sell = buying[0], selling[0]
            venue.cut_to_reduce(market, buy)
            if buy.qty == 0:
                continue
            venue.cut_to_reduce(market, sell)
            if venue.drop_uncarried(market, buy, price) or venue.drop_uncarried(market, sell, price):
                continue
            qty = min(buy.lots, sell.lots, buying[1], selling[1], volume)
            if qty > 0:
                volume -= qty
                traded = True
                for each in (buying, selling):
                    each[1] -= qty
                venue.meet_in_auction(market, buy, sell, price, qty)
        if traded:
            market.unobserved.append(price)
            market.last_auction = venue.step_uncrossed = price
            venue.step_trades.append((market.number, price))
        return traded

    # Indicative prices.

    def would(self) -> tuple[int, int, int, int]:
        """Return what the auction would do now: code, price, volume and surplus."""
        found, is_outside = self.price(refuses=True)
        if found is None:
            return NOTHING, 0, 0, 0
        code = OUTSIDE if is_outside else CLEARS
        if not is_outside and self.leaves_market_orders():
            code = LEAVES
        return code, *found

    def indicate(self) -> None:
        """Tell what the auction would do, if that is another thing than was told last in this call."""
        market = self.market
        would = self.would()
        if would != market.indicated and not (market.indicated is None and would[0] == NOTHING):
            market.indicated = would
            code, price, volume, surplus = would
            self.venue.emit(INDICATIVE, market=market.number, code=code, price=price, qty=volume, amount=surplus)


class Offer:
    """What an account in liquidation offers in a call, looked at as it stands before the uncross."""

    def __init__(self, order: Order, stage: Round) -> None:
        self.order, self.stage, self.lots = order, stage, order.qty
        self.is_whole = order.qty == stage.lots_of(stage.market)
        _, self.bankruptcy = stage.bankruptcy(stage.market)
        self.filled = self.value = 0
