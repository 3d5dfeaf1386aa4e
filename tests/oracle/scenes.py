"""Small scenes about orders: few commands each, written to get one thing of section 6 to happen.

A scene looks at the oracle's state and leaves enough to chance that it often comes out otherwise.
"""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

from . import orders as o
from . import phases
from . import venue as v

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .orders import Config, Order, Record
    from .venue import OracleVenue

Term = tuple[int, int] | tuple[int, int, int]
"""Which term, its value, and the watched price of a trigger."""

NO_PREVENTION = o.NO_PREVENTION << o.MODE_SHIFT
HASHED_IDS = (1, 2, 77, (1 << 24) + 5, 1 << 40)


def command(kind: int, **fields: int) -> Record:
    """Return a command with every field that is not given at 0."""
    return {**dict.fromkeys(v.FIELDS, 0), "kind": kind, **fields}


def chance(rng: Random, probability: float) -> bool:
    """Toss a biased coin."""
    return rng.random() < probability


def mode_flags(mode: int) -> int:
    """Return the flags that say a self-trade mode."""
    return mode << o.MODE_SHIFT


# ---------------------------------------------------------------------------------------------------------
# Choices and commands
# ---------------------------------------------------------------------------------------------------------


class Writer:
    """Writes commands by looking at the oracle, which must have applied each before the next is asked for."""

    def __init__(self, rng: Random, config: Config, oracle: OracleVenue) -> None:
        self.rng = rng
        self.told = Random(json.dumps(config))  # noqa: S311 - it has to repeat, not to be secret
        """Draws of what sources tell, apart from the others."""
        self.oracle = oracle
        self.account_count = min(rng.randint(5, 8), config["limits"]["accounts_max"])
        self.start_prices = [rng.choice((30, 80, 200, 500, 900)) for _ in config["markets"]]

    def chance(self, probability: float) -> bool:
        """Toss a biased coin."""
        return chance(self.rng, probability)

    def an_account(self, besides: int = -1) -> int:
        """Choose an account, if possible another than one."""
        numbers = [a.number for a in self.oracle.accounts if a.number != besides]
        return self.rng.choice(numbers or [0])

    def a_market(self) -> v.Market:
        """Choose a market, rather one where there is trading."""
        open_ones = [m for m in self.oracle.markets if phases.PHASES[m.phase].matches]
        return self.rng.choice(open_ones if open_ones and self.chance(0.8) else self.oracle.markets)

    def near(self, price: int, ppm: int) -> int:
        """Choose a price around another."""
        reach = max(1, price * ppm // o.MILLION)
        return max(1, price + self.rng.randint(-reach, reach))

    def price_of(self, market: v.Market) -> int:
        """Return about what a market is worth, on its step."""
        price = market.mark or market.last or self.start_prices[market.number]
        step: int = market.entry["price_step"]
        return max(step, price // step * step)

    def payable_lots(self, number: int, market: v.Market) -> int:
        """Return about how many lots more an account's margin bears."""
        if not market.cleared:
            return 1000
        free = self.oracle.equity(number) - self.oracle.initial(number)
        rate = market.initial_rates[0].rate + max(0, market.taker_ppm)
        per_lot = max(1, market.notional(1) * rate // o.MILLION)
        return max(0, free // per_lot)

    def able(self, market: v.Market, count: int) -> list[int]:
        """Choose accounts for a scene, rather those that can pay for some lots; the last may repeat the first."""
        accounts = [a for a in self.oracle.accounts if not (market.cleared and a.in_liquidation)]
        numbers = [a.number for a in accounts or self.oracle.accounts]
        self.rng.shuffle(numbers)
        numbers.sort(key=lambda number: self.payable_lots(number, market) < 8)
        return [numbers[i % len(numbers)] for i in range(count)]

    def holder(self, market: v.Market) -> int | None:
        """Choose an account with a position."""
        m = market.number
        held = [a.number for a in self.oracle.accounts if a.positions[m].base and not a.in_liquidation]
        return self.rng.choice(held) if held else None

    # Commands.

    def place(self, number: int, market: v.Market, side: int, price: int, qty: int, *, code: int = 0) -> Record:
        """Return a Place."""
        flags = 0
        if code == o.LIMIT:
            flags = o.POST_ONLY if self.chance(0.07) else 0
        elif self.chance(0.05):
            flags = o.REDUCE_ONLY
        if self.chance(0.08):
            flags |= mode_flags(self.rng.randint(0, 5))
        return self.plain(number, market, side, price, qty, code=code, flags=flags)

    def plain(
        self, number: int, market: v.Market, side: int, price: int, qty: int, *, code: int = 0, flags: int = 0
    ) -> Record:
        """Return a Place with given flags, its numbers on the market's steps as a rule."""
        price, qty = max(1, price), max(1, qty)
        if self.chance(0.97):
            step = market.entry["price_step"]
            price = max(step, price // step * step)
            step = market.entry["qty_step"]
            qty = max(market.entry["qty_min"], -(-qty // step) * step)
        return command(
            v.PLACE,
            market=market.number,
            account=number,
            side=side,
            code=code,
            flags=flags,
            price=0 if code == o.MARKET_ORDER else price,
            qty=qty,
            order=self.client_id(number, market),
            amount=self.rng.choice((0, 0, 0, 1, 2)),
        )

    def client_id(self, number: int, market: v.Market) -> int:
        """Choose a client id, rather one that is free."""
        if market.client_ids == "none":
            return self.rng.randint(0, 9)
        if self.chance(0.6):
            return 0
        most = market.dense_ids
        ids = list(HASHED_IDS) if most is None else list(range(1, min(most, 6) + 1))
        free = [client for client in ids if self.oracle.with_client_id(market, number, client) is None]
        return self.rng.choice(free if free and self.chance(0.93) else ids)

    def with_terms(self, record: Record, *terms: Term) -> Iterator[Record]:
        """Write terms and then their order."""
        for code, value, *watched in terms:
            fields = {o.VALUE_OF[code]: value, "code": code, "flags": watched[0] if watched else 0}
            yield command(v.TERM, market=record["market"], account=record["account"], **fields)
        yield record

    def dressed(self, record: Record) -> Iterator[Record]:
        """Write an order with a few flags and terms as they come."""
        rng, market = self.rng, self.oracle.markets[record["market"]]
        terms: list[Term] = []
        price = record["price"] or self.price_of(market)
        code = record["code"]
        if code == o.LIMIT:
            if self.chance(0.15):
                terms.append((o.DISPLAY, rng.randint(1, 3)))
            elif self.chance(0.1):
                record["flags"] |= o.HIDDEN
            if self.chance(0.06):
                record["flags"] |= o.POST_ONLY | o.SLIDE
            if self.chance(0.05):
                record["flags"] |= o.DAY
            elif self.chance(0.05):
                terms.append((o.EXPIRY, self.oracle.now + rng.randint(1, 12)))
            base = self.oracle.positions(record["account"])[market.number].base
            if base * o.direction(record["side"]) < 0 and self.chance(0.3):
                record["flags"] |= o.REDUCE_ONLY
        elif code == o.MARKET_ORDER and self.chance(0.3):
            terms.append(rng.choice(((o.PROTECTION_TICKS, rng.randint(1, 5)), (o.PROTECTION_PPM, 20_000))))
        if self.chance(0.05):
            terms.append((o.MINIMUM, rng.randint(1, record["qty"])))
        if self.chance(0.05):
            distance = rng.choice((-3, -1, 1, 3))
            terms.append((rng.choice((o.STOP, o.TAKE_PROFIT)), max(1, price + distance), rng.randrange(3)))
        mine = [each for each in market.open_orders() if each.account == record["account"]]
        if mine and self.chance(0.08):
            terms.append((o.OTHER_LEG, rng.choice(mine).id))
        rng.shuffle(terms)
        yield from self.with_terms(record, *terms)

    def cancel(self, market: v.Market, order: Order, number: int | None = None) -> Record:
        """Return a Cancel, by client id where there is one, as it comes."""
        named = order.client != 0 and self.chance(0.5)
        return command(
            v.CANCEL,
            market=market.number,
            account=order.account if number is None else number,
            order=order.client if named else order.id,
            flags=v.BY_CLIENT_ID if named else 0,
        )

    def replace(self, market: v.Market, order: Order, price: int, qty: int, number: int | None = None) -> Record:
        """Return a Replace."""
        return {**self.cancel(market, order, number), "kind": v.REPLACE, "price": price, "qty": max(1, qty)}

    def clear_book(self, market: v.Market) -> Iterator[Record]:
        """Cancel what is in the way of a scene: all of the market, sometimes only the side or session of something."""
        if not self.chance(0.85):
            return
        record = command(v.CANCEL_ALL, market=market.number, account=v.EVERY_ACCOUNT)
        if self.chance(0.2):
            record["flags"] = self.rng.choice((1, 2, 3))
            record["side"], record["amount"] = self.rng.choice((0, 1)), self.rng.choice((0, 1, 2))
        yield record

    def newest(self, market: v.Market, number: int) -> Order | None:
        """Return an account's open order that came last."""
        mine = [order for order in market.open_orders() if order.account == number]
        return max(mine, key=lambda order: order.number, default=None)

    def open_up(self, market: v.Market) -> Iterator[Record]:
        """Let a market match, and have an index as a rule."""
        if market.index == 0 and self.chance(0.9 if market.cleared else 0.1):
            yield command(v.INDEX, market=market.number, price=self.start_prices[market.number])
        if not phases.PHASES[market.phase].matches or phases.PHASES[market.phase].place == "reducing":
            yield command(v.SET_PHASE, market=market.number, code=phases.CONTINUOUS)

    def trade_at(self, market: v.Market, price: int, besides: int = -1) -> Iterator[Record]:
        """Trade a lot at a price."""
        first, second = [number for number in self.able(market, 4) if number != besides][:2] or [0, 0]
        side = self.rng.choice((o.BUY, o.SELL))
        yield self.plain(first, market, side, price, 1, flags=NO_PREVENTION)
        yield self.plain(second, market, 1 - side, price, 1, code=1, flags=NO_PREVENTION)


# ---------------------------------------------------------------------------------------------------------
# Scenes
# ---------------------------------------------------------------------------------------------------------


class Scenes(Writer):
    """The scenes."""

    def order_scene(self) -> Iterator[Record]:
        """Play one of the scenes."""
        scenes: tuple[tuple[int, Callable[[v.Market], Iterator[Record]]], ...] = (
            (8, self.icebergs),
            (5, self.hidden_orders),
            (9, self.reduce_only_orders),
            (9, self.self_trades),
            (6, self.all_or_much),
            (6, self.slides),
            (6, self.protections),
            (16, self.triggers),
            (8, self.cascade),
            (6, self.held_triggers),
            (10, self.two_legs),
            (8, self.expiries),
            (8, self.quotes),
            (6, self.client_ids),
            (4, self.mass_cancels),
            (10, self.shared_level),
            (9, self.auctions),
            (4, self.queued_prices),
            (4, self.wrong_terms),
        )
        (scene,) = self.rng.choices([s for _, s in scenes], [w for w, _ in scenes])
        market = self.rng.choice(self.oracle.markets)
        if scene == self.shared_level:
            shared = [m for m in self.oracle.markets if m.is_pro_rata]
            market = self.rng.choice(shared or [market])
        elif scene == self.client_ids:
            named = [m for m in self.oracle.markets if m.client_ids != "none"]
            market = self.rng.choice(named or [market])
        if self.chance(0.93):
            yield from self.open_up(market)
        yield from scene(market)

    # 6.3.

    def icebergs(self, market: v.Market) -> Iterator[Record]:
        """Rest an iceberg at the touch, others behind it, and sweep."""
        rng, price = self.rng, self.price_of(market)
        a, b, c = self.able(market, 3)
        side, display = rng.choice((o.BUY, o.SELL)), rng.randint(1, 3)
        qty = display * rng.randint(2, 4) + rng.randint(0, 2)
        yield from self.clear_book(market)
        yield from self.with_terms(self.plain(a, market, side, price, qty), (o.DISPLAY, display))
        if self.chance(0.6):
            other = self.plain(b, market, side, price, rng.randint(1, 4), flags=rng.choice((0, 0, o.HIDDEN)))
            yield from self.with_terms(other, *([(o.DISPLAY, 1)] if other["flags"] == 0 and self.chance(0.4) else []))
        iceberg = self.newest(market, a)
        if iceberg is not None and self.chance(0.25):
            yield self.replace(market, iceberg, iceberg.price, max(1, iceberg.qty - rng.randint(1, qty)))
        for _ in range(rng.choice((1, 1, 2))):
            yield self.plain(c, market, 1 - side, price, rng.randint(display, qty + 3), code=rng.choice((0, 1, 2, 3)))

    def hidden_orders(self, market: v.Market) -> Iterator[Record]:
        """Rest hidden orders at and before the touch, and take them."""
        rng, price = self.rng, self.price_of(market)
        a, b, c = self.able(market, 3)
        side = rng.choice((o.BUY, o.SELL))
        yield from self.clear_book(market)
        better = o.direction(side) * rng.choice((0, 0, 1, 2))
        yield self.plain(a, market, side, price + better, rng.randint(1, 5), flags=o.HIDDEN)
        yield self.plain(b, market, side, price, rng.randint(1, 3), flags=rng.choice((0, 0, o.HIDDEN)))
        if self.chance(0.4):
            # Would it take? It does not see why.
            flags = o.POST_ONLY | rng.choice((0, o.SLIDE))
            yield self.plain(c, market, 1 - side, price + better, rng.randint(1, 3), flags=flags)
        if self.chance(0.3):
            yield command(v.INDEX, market=market.number, price=price)
        yield self.plain(c, market, 1 - side, price, rng.randint(1, 9), code=rng.choice((0, 1, 2)))

    def reduce_only_orders(self, market: v.Market) -> Iterator[Record]:
        """Rest orders that may only reduce, change the position, and then meet them."""
        rng, price, m = self.rng, self.price_of(market), market.number
        friend, taker, other = self.able(market, 3)
        if self.holder(market) is None or self.chance(0.2):
            buyer, seller = rng.sample((friend, taker), 2)
            yield command(v.BLOCK, market=m, account=buyer, order=seller, price=price, qty=rng.randint(2, 6))
        number = self.holder(market)
        if number is None:
            return
        base = self.oracle.positions(number)[m].base
        side = o.SELL if base > 0 else o.BUY
        yield from self.clear_book(market)
        for _ in range(rng.choice((1, 1, 2, 3))):
            qty = abs(base) if self.chance(0.6) else rng.randint(1, abs(base))
            record = self.plain(number, market, side, price, qty, flags=o.REDUCE_ONLY)
            terms: list[Term] = [(o.DISPLAY, rng.randint(1, 2))] if self.chance(0.3) else []
            mine = self.newest(market, number)
            if mine is not None and self.chance(0.35):
                terms.append((o.OTHER_LEG, mine.id))
            yield from self.with_terms(record, *terms)
        lots = rng.choice((abs(base), rng.randint(1, abs(base)), abs(base) + rng.randint(1, 3)))
        mate = friend if friend != number else other
        if self.chance(0.75) and mate != number:
            buyer, seller = (mate, number) if base > 0 else (number, mate)
            yield command(v.BLOCK, market=m, account=buyer, order=seller, price=price, qty=lots)
        if self.chance(0.3):
            yield self.plain(mate, market, side, price, rng.randint(1, 3))
        order = self.newest(market, number)
        if order is not None and self.chance(0.3):
            yield self.replace(market, order, price, order.qty + rng.randint(0, 2))
        taker = taker if taker != number else other
        for _ in range(rng.choice((1, 2))):
            qty = rng.choice((1, abs(base), abs(base) + 2))
            yield self.plain(taker, market, 1 - side, price, qty, code=rng.choice((0, 1, 1, 2)))

    def all_or_much(self, market: v.Market) -> Iterator[Record]:
        """Ask for all at once, or for so many lots at least, around what there is."""
        rng, price = self.rng, self.price_of(market)
        a, b, c = self.able(market, 3)
        side = rng.choice((o.BUY, o.SELL))
        yield from self.clear_book(market)
        for number in (a, b, c)[: rng.randint(1, 3)]:
            beside = price - o.direction(side) * rng.choice((0, 0, 1))
            yield from self.dressed(self.plain(number, market, side, beside, rng.randint(1, 5)))
        there = sum(order.qty for order in market.book[side])
        qty = max(1, there + rng.choice((-2, -1, 0, 0, 0, 1)))
        limit = price - 2 * o.direction(side)
        if self.chance(0.5):
            yield self.plain(c, market, 1 - side, limit, qty, code=o.FILL_OR_KILL)
        else:
            record = self.plain(c, market, 1 - side, limit, qty + rng.randint(0, 3), code=rng.choice((0, 1, 3)))
            yield from self.with_terms(record, (o.MINIMUM, qty))

    # 6.4.

    def self_trades(self, market: v.Market) -> Iterator[Record]:
        """Let orders of one party meet each other, with others among them."""
        rng, price = self.rng, self.price_of(market)
        a, b = self.able(market, 2)
        group = self.oracle.accounts[a].group
        mates = [each.number for each in self.oracle.accounts if each.group == group != 0] or [a]
        side = rng.choice((o.BUY, o.SELL))
        yield from self.clear_book(market)
        for number in rng.sample((a, b, rng.choice(mates), a), rng.randint(1, 4)):
            qty, beside = rng.randint(1, 5), price - o.direction(side) * rng.choice((0, 0, 0, 1))
            record = self.plain(number, market, side, beside, qty, flags=rng.choice((0, 0, 0, o.HIDDEN)))
            terms: list[Term] = [(o.DISPLAY, 1)] if record["flags"] == 0 and self.chance(0.3) else []
            yield from self.with_terms(record, *terms)
        mode = rng.choice((0, 0, 1, 2, 3, 4, 4, 5))
        code = rng.choice((0, 0, 1, 2, 3))
        yield self.plain(a, market, 1 - side, price, rng.randint(1, 9), code=code, flags=mode_flags(mode))

    # 6.1.

    def slides(self, market: v.Market) -> Iterator[Record]:
        """Let an order that may not take slide, at its entry and when it is replaced."""
        rng, price = self.rng, self.price_of(market)
        a, b = self.able(market, 2)
        side = rng.choice((o.BUY, o.SELL))
        if self.chance(0.15):
            # There is no price left to slide to.
            price = 1 if side == o.SELL else market.price_max
        yield from self.clear_book(market)
        yield self.plain(a, market, side, price, rng.randint(1, 3), flags=rng.choice((0, o.HIDDEN)))
        limit = price + o.direction(1 - side) * rng.choice((0, 0, 1, 3))
        flags = o.POST_ONLY | rng.choice((0, o.SLIDE, o.SLIDE, o.SLIDE))
        yield self.plain(b, market, 1 - side, limit, rng.randint(1, 4), flags=flags)
        order = self.newest(market, b)
        if order is not None and self.chance(0.5):
            yield self.replace(market, order, v.clamp(limit, 1, market.price_max), order.qty + rng.choice((0, 1)))
        yield self.plain(a, market, side, price, 1, code=1)

    def protections(self, market: v.Market) -> Iterator[Record]:
        """Send protected market orders into a book with a gap."""
        rng, price = self.rng, self.price_of(market)
        a, b, c = self.able(market, 3)
        side = rng.choice((o.BUY, o.SELL))
        yield from self.clear_book(market)
        gap = rng.choice((1, 2, 4, max(1, price // 20)))
        yield self.plain(a, market, side, price, rng.randint(1, 2), flags=rng.choice((0, 0, o.HIDDEN)))
        if self.chance(0.9):
            yield self.plain(b, market, side, max(1, price - o.direction(side) * gap), 2)
        record = self.plain(c, market, 1 - side, 0, rng.randint(2, 4), code=o.MARKET_ORDER)
        ticks = (o.PROTECTION_TICKS, rng.choice((1, 2, 3, 4)))
        ppm = (o.PROTECTION_PPM, rng.choice((1, 10_000, 45_000, 50_000, o.MILLION)))
        yield from self.with_terms(record, rng.choice((ticks, ppm)))

    # 6.5.

    def move(self, market: v.Market, watched: int, price: int) -> Iterator[Record]:
        """Let a watched price go to another."""
        price = v.clamp(price, 1, market.price_max)
        if watched == o.LAST_TRADE:
            yield from self.trade_at(market, price)
        else:
            if watched == o.THE_MARK and market.marking.method == "last":
                yield from self.trade_at(market, price)
            yield command(v.INDEX, market=market.number, price=price)

    def triggers(self, market: v.Market) -> Iterator[Record]:
        """Arm an order and let the price that it watches go there."""
        rng = self.rng
        number, other = self.able(market, 2)
        watched = rng.randrange(3)
        now = market.watched(watched) or self.price_of(market)
        side, distance = rng.choice((o.BUY, o.SELL)), rng.choice((1, 2, 3, 5))
        kind = rng.choice(o.TRIGGERS)
        ahead = o.direction(side) * distance * (1 if kind == o.STOP else -1)
        if self.chance(0.04):
            ahead = -ahead
        value = distance if kind == o.TRAILING else v.clamp(now + ahead, 1, market.price_max)
        yield from self.clear_book(market)
        code = rng.choice((0, 0, 1, 2, 3, 3))
        flags = 0
        if self.chance(0.25 if code else 0.5):
            post, slides = o.POST_ONLY, o.POST_ONLY | o.SLIDE
            flags = o.REDUCE_ONLY if code else rng.choice((o.REDUCE_ONLY, post, post, post, slides, slides, o.DAY))
        limit = now + ahead + rng.choice((-2, 0, 0, 2))
        record = self.plain(number, market, side, limit, rng.randint(1, 4), code=code, flags=flags)
        terms: list[Term] = [(kind, value, watched)]
        if code == o.LIMIT and self.chance(0.2):
            terms.append((o.DISPLAY, 1))
        if code == o.MARKET_ORDER and self.chance(0.3):
            terms.append((o.PROTECTION_TICKS, rng.choice((1, 2))))
        if code != o.FILL_OR_KILL and not flags & o.POST_ONLY and self.chance(0.15):
            terms.append((o.MINIMUM, 1))
        yield from self.with_terms(record, *terms)
        waiting = self.newest(market, number)
        if waiting is not None and self.chance(0.06):
            yield self.replace(market, waiting, now, 1)
        away = now
        if kind == o.TRAILING:
            away = now - o.direction(side) * rng.choice((0, 1, 2, 4))
            if away != now:
                yield from self.move(market, watched, away)
            ahead = o.direction(side) * (distance - rng.choice((0, 0, 0, 1)))
        if self.chance(0.7):
            yield self.plain(other, market, 1 - side, now + ahead, rng.randint(1, 6))
        yield from self.move(market, watched, away + ahead)
        if self.chance(0.3):
            yield from self.move(market, watched, away + ahead * 2)

    def cascade(self, market: v.Market) -> Iterator[Record]:
        """Lay stops under a ladder of orders, so that one that fires makes the price for the next."""
        rng, price = self.rng, self.price_of(market)
        numbers = self.able(market, 4)
        side = rng.choice((o.BUY, o.SELL))
        b = o.direction(side)
        yield from self.clear_book(market)
        gap = rng.choice((1, 1, 2))
        for i in range(rng.randint(2, 4)):
            rung = price + b * gap * i
            yield self.plain(numbers[0], market, 1 - side, rung, rng.choice((1, 1, 2)))
        yield from self.move(market, o.LAST_TRADE, price - b)
        for i, number in enumerate(rng.sample(numbers, rng.randint(2, 4))):
            trigger = price + b * gap * rng.choice((0, i, i))
            code = rng.choice((0, 1, 3, 3))
            record = self.plain(number, market, side, trigger + b * 3, rng.choice((1, 1, 2)), code=code)
            yield from self.with_terms(record, (o.STOP, max(1, trigger), o.LAST_TRADE))
        yield self.plain(numbers[1], market, side, price, 1, code=1, flags=NO_PREVENTION)
        if self.oracle.fired and self.chance(0.4):
            fired = rng.choice(self.oracle.fired)
            yield self.cancel(fired.market, fired.order)
        if self.oracle.fired and self.chance(0.7):
            yield command(v.PULSE)

    def held_triggers(self, market: v.Market) -> Iterator[Record]:
        """Let orders fire while their market does not match."""
        rng, m = self.rng, market.number
        number, other = self.able(market, 2)
        now = market.index or self.price_of(market)
        side = rng.choice((o.BUY, o.SELL))
        for each in (number, other)[: rng.randint(1, 2)]:
            record = self.plain(each, market, side, now, rng.randint(1, 3), code=rng.choice((0, 1, 3)))
            trigger = v.clamp(now + o.direction(side), 1, market.price_max)
            yield from self.with_terms(record, (o.STOP, trigger, o.THE_INDEX))
        yield command(
            v.SET_PHASE, market=m, code=rng.choice((phases.CALL_AUCTION, phases.CALL_AUCTION, phases.HALTED, 8))
        )
        if self.chance(0.3):
            record = self.plain(other, market, side, now, 1, code=rng.choice((0, 1, 3)))
            yield from self.with_terms(record, (o.STOP, max(1, now + 2 * o.direction(side)), o.THE_INDEX))
        yield command(
            v.INDEX, market=m, price=v.clamp(now + o.direction(side) * rng.randint(1, 3), 1, market.price_max)
        )
        if self.oracle.fired and self.chance(0.3):
            fired = rng.choice(self.oracle.fired)
            yield self.cancel(fired.market, fired.order)
        if self.chance(0.5):
            yield self.plain(other, market, 1 - side, now, rng.randint(1, 3))
        yield command(v.SET_PHASE, market=m, code=phases.CONTINUOUS)

    def queued_prices(self, market: v.Market) -> Iterator[Record]:
        """Let a price be made by a timer before a command that is refused, for a waiting order to observe later."""
        rng, price = self.rng, self.price_of(market)
        a, b = self.able(market, 2)
        side = rng.choice((o.BUY, o.SELL))
        yield from self.clear_book(market)
        yield from self.move(market, o.LAST_TRADE, price)
        trigger = max(1, price + o.direction(side))
        record = self.plain(a, market, side, trigger, 1, code=rng.choice((0, 3)))
        yield from self.with_terms(record, (o.STOP, trigger, o.LAST_TRADE))
        end = self.oracle.now + rng.randint(4, 12)
        yield command(v.SET_PHASE, market=market.number, code=phases.CALL_AUCTION, amount=end)
        yield self.plain(a, market, side, trigger, 2, flags=NO_PREVENTION)
        yield self.plain(b, market, 1 - side, trigger, 2, flags=NO_PREVENTION)
        if self.chance(0.6):
            # It comes with the price that the auction makes, which it does not observe.
            late = self.plain(b, market, side, trigger, 1, code=3)
            late["at"] = max(end, self.oracle.now)
            value = max(1, trigger + rng.choice((0, 1)) * o.direction(side))
            yield from self.with_terms(late, rng.choice(((o.STOP, value, o.LAST_TRADE), (o.TRAILING, 1, o.LAST_TRADE))))
        else:
            refused = command(v.CANCEL, market=market.number, account=a, order=0)
            yield {**refused, "at": max(end, self.oracle.now)}
        yield command(v.PULSE)

    # 6.6.

    def two_legs(self, market: v.Market) -> Iterator[Record]:
        """Tie two orders and let something happen to one of them."""
        rng, price = self.rng, self.price_of(market)
        a, b = self.able(market, 2)
        side = rng.choice((o.BUY, o.SELL))
        away = o.direction(side) * rng.choice((1, 2, 3))
        yield from self.clear_book(market)
        end = self.oracle.now + rng.randint(3, 9)
        first = self.plain(a, market, side, price - away, rng.randint(1, 4), flags=rng.choice((0, 0, 0, o.HIDDEN)))
        yield from self.with_terms(first, *([(o.EXPIRY, end)] if self.chance(0.25) else []))
        leg = self.newest(market, a)
        if leg is None:
            return
        how = rng.choice(("stop", "stop", "limit", "opposite", "at once"))
        terms: list[Term] = [(o.OTHER_LEG, leg.id if self.chance(0.97) else leg.id + (1 << o.SLOT_BITS))]
        number = a if self.chance(0.97) else b
        if how == "stop":
            watched = rng.choice((o.LAST_TRADE, o.THE_INDEX))
            now = market.watched(watched) or price
            second = self.plain(number, market, side, price + away, rng.randint(1, 4), code=rng.choice((0, 1, 3)))
            terms.append((o.STOP, v.clamp(now + away, 1, market.price_max), watched))
        elif how == "limit":
            second = self.plain(number, market, side, price - 2 * away, rng.randint(1, 4))
        elif how == "opposite":
            # Beside its leg, or against it.
            at, flags = rng.choice(((price, 0), (leg.price, mode_flags(rng.randint(1, 5))), (leg.price, NO_PREVENTION)))
            second = self.plain(number, market, 1 - side, at, rng.randint(1, 4), flags=flags)
        else:
            yield self.plain(b, market, 1 - side, price, rng.randint(1, 3))
            flags = mode_flags(rng.randint(0, 5))
            second = self.plain(number, market, side, price, rng.randint(1, 3), flags=flags)
        rng.shuffle(terms)
        yield from self.with_terms(second, *terms)
        if self.chance(0.1):
            third = self.plain(a, market, side, price - away, 1)
            yield from self.with_terms(third, (o.OTHER_LEG, leg.id))
        yield from self.end_of_a_leg(market, leg, b, end)

    def end_of_a_leg(self, market: v.Market, leg: Order, other: int, end: int) -> Iterator[Record]:
        """Let one of two tied orders trade, fire, end or stay."""
        rng, price = self.rng, leg.price
        tied = leg.leg
        what = rng.randrange(8)
        if what <= 1:
            yield self.plain(other, market, 1 - leg.side, price, rng.randint(1, 4), code=rng.choice((0, 1)))
        elif what == 2 and tied is not None and tied.trigger is not None:
            yield from self.move(market, tied.trigger.watched, tied.trigger.price)
        elif what == 3:
            yield self.cancel(market, rng.choice([leg, tied or leg]))
        elif what == 4 and leg.expiry:
            yield command(v.PULSE, at=max(end, self.oracle.now))
        elif what == 5:
            mode = rng.randint(1, 5)
            flags = mode_flags(mode)
            yield self.plain(leg.account, market, 1 - leg.side, price, rng.randint(1, 5), code=1, flags=flags)
        elif what == 6 and tied is not None:
            moved = rng.choice((leg, tied))
            yield self.replace(market, moved, moved.price or price, max(1, moved.qty - rng.choice((-1, 0, 1))))
            yield self.plain(other, market, 1 - leg.side, price, 1, code=1)
        elif what == 7:
            yield command(v.CANCEL_ALL, market=market.number, account=leg.account)

    def expiries(self, market: v.Market) -> Iterator[Record]:
        """Let orders expire, resting and waiting, together with what else is due."""
        rng, price, m = self.rng, self.price_of(market), market.number
        a, b = self.able(market, 2)
        end = self.oracle.now + rng.randint(4, 9)
        funding = market.funding
        if funding is not None and self.oracle.now + 3 < funding.due < self.oracle.now + 60 and self.chance(0.5):
            end = funding.due
        for number in (a, b, a)[: rng.randint(1, 3)]:
            side = rng.choice((o.BUY, o.SELL))
            beside = price - o.direction(side) * rng.choice((1, 2))
            if self.chance(0.35):
                yield self.plain(number, market, side, beside, rng.randint(1, 3), flags=o.DAY)
                continue
            terms: list[Term] = [(o.EXPIRY, end if self.chance(0.95) else self.oracle.now)]
            record = self.plain(number, market, side, beside, rng.randint(1, 3))
            if self.chance(0.4):
                record["code"] = rng.choice((0, 1))
                terms.append((o.STOP, max(1, price + 9 * o.direction(side)), rng.randrange(3)))
            yield from self.with_terms(record, *terms)
        if self.chance(0.5):
            yield command(v.SET_PHASE, market=m, code=rng.choice((phases.CALL_AUCTION, 0, 2)), amount=end)
        late = max((order.expiry for order in market.open_orders() if order.expiry < self.oracle.now + 70), default=end)
        yield command(v.PULSE, at=max(self.oracle.now, rng.choice((end, late, late)) + rng.choice((0, 0, 1))))

    # 6.7.

    def quotes(self, market: v.Market) -> Iterator[Record]:
        """Quote both sides and requote them in every way."""
        rng, price = self.rng, self.price_of(market)
        a, b = self.able(market, 2)
        if self.chance(0.6):
            yield from self.clear_book(market)
        record = command(
            v.QUOTE,
            market=market.number,
            account=a,
            code=rng.choice((0, 0, 1, 7)),
            price=price - rng.randint(1, 3),
            qty=rng.randint(0, 5),
            amount=price + rng.randint(1, 3),
            order=rng.randint(0, 5),
            flags=rng.choice((0, 0, o.POST_ONLY, o.POST_ONLY | o.SLIDE, mode_flags(2), mode_flags(1))),
        )
        yield record
        quoted = self.newest(market, a)
        if quoted is not None and self.chance(0.25):
            tied = self.plain(a, market, quoted.side, quoted.price, 1)
            yield from self.with_terms(tied, (o.OTHER_LEG, quoted.id))
        for _ in range(rng.randint(1, 4)):
            what = rng.randrange(7)
            record = dict(record)
            if what == 0:
                record["qty"], record["order"] = max(0, record["qty"] - 1), max(0, record["order"] - 1)
            elif what == 1:
                record["qty"], record["order"] = rng.randint(0, 6), rng.randint(0, 6)
            elif what == 2:
                record["price"], record["amount"] = record["price"] + 1, record["amount"] + rng.choice((0, 1))
            elif what == 3:
                # Someone else's order stands in the way of a side, or takes one.
                side = rng.choice((o.BUY, o.SELL))
                yield self.plain(b, market, side, price + rng.choice((-1, 0, 1)), rng.randint(1, 3))
                record["price"], record["amount"] = price + rng.choice((-1, 0)), price + rng.choice((1, 2))
            elif what == 4:
                record["qty"] = rng.choice((0, 3, market.order_qty_max + 1))
            elif what == 5:
                hit = rng.choice((o.BUY, o.SELL))
                at = record["price"] if hit == o.SELL else record["amount"]
                yield self.plain(b, market, hit, at, rng.randint(1, 3), code=1)
            if self.chance(0.04):
                record["flags"] |= rng.choice((o.REDUCE_ONLY, o.SLIDE, 256, mode_flags(6)))
            yield record
        order = self.newest(market, a)
        if order is not None and self.chance(0.15):
            yield self.replace(market, order, order.price, order.qty + rng.randint(0, 2))
            yield record

    # Names and sessions.

    def client_ids(self, market: v.Market) -> Iterator[Record]:
        """Give client ids again while they are in use, and after."""
        rng, price = self.rng, self.price_of(market)
        a, b = self.able(market, 2)
        side = rng.choice((o.BUY, o.SELL))
        price -= o.direction(side) * rng.randint(1, 3)
        most = market.dense_ids
        client = rng.choice(HASHED_IDS) if most is None else rng.randint(1, most + (1 if self.chance(0.1) else 0))
        for number in (a, rng.choice((a, b))):
            yield {**self.plain(number, market, side, price, rng.randint(1, 3)), "order": client}
        named = command(v.CANCEL, market=market.number, account=a, order=client, flags=v.BY_CLIENT_ID)
        if self.chance(0.4):
            yield {**named, "kind": v.REPLACE, "price": price + rng.choice((0, 1)), "qty": rng.randint(1, 4)}
        if self.chance(0.2):
            yield {**named, "account": b, "flags": rng.choice((0, 1, 1, 2))}
        if self.chance(0.4):
            yield self.plain(b, market, 1 - side, price, 4, code=1)
        else:
            yield named
        yield {**self.plain(a, market, side, price, rng.randint(1, 3)), "order": client}
        if self.chance(0.2):
            yield {**named, "order": 0}

    def mass_cancels(self, market: v.Market) -> Iterator[Record]:
        """Cancel by side, by session, for everyone."""
        rng, price = self.rng, self.price_of(market)
        numbers = self.able(market, 3)
        for number in numbers[: rng.randint(1, 3)]:
            side = rng.choice((o.BUY, o.SELL))
            beside = price - o.direction(side) * rng.randint(1, 3)
            yield from self.dressed(self.plain(number, market, side, beside, rng.randint(1, 3)))
        for _ in range(rng.choice((1, 1, 2))):
            yield command(
                v.CANCEL_ALL,
                market=rng.choice((market.number, v.NO_MARKET)),
                account=rng.choice((numbers[0], numbers[-1], v.EVERY_ACCOUNT)),
                flags=rng.choice((0, 1, 1, 2, 2, 3, 4)) if self.chance(0.9) else 0,
                side=rng.choice((0, 1)) if self.chance(0.95) else 2,
                amount=rng.choice((0, 1, 2)),
            )

    # 6.2.

    def shared_level(self, market: v.Market) -> Iterator[Record]:
        """Fill a level with several orders and let a smaller quantity be shared out among them."""
        rng, price = self.rng, self.price_of(market)
        numbers = self.able(market, 4)
        led = [
            row["account"] for row in market.allocation.get("lead", ()) if row["account"] < len(self.oracle.accounts)
        ]
        side = rng.choice((o.BUY, o.SELL))
        yield from self.clear_book(market)
        hidden, often = self.chance(0.25), rng.choice((0, 0.3, 0.6))
        makers = [rng.choice(led) if led and self.chance(0.35) else rng.choice(numbers[:-1]) for _ in range(4)]
        for number in makers[: rng.choice((2, 3, 3, 4))]:
            flags = o.HIDDEN if hidden and self.chance(0.8) else 0
            record = self.plain(number, market, side, price, rng.randint(1, 9), flags=flags)
            terms: list[Term] = [(o.DISPLAY, rng.randint(1, 3))] if flags == 0 and self.chance(often) else []
            yield from self.with_terms(record, *terms)
        there = sum(order.qty for order in market.book[side])
        for _ in range(rng.choice((1, 1, 2))):
            qty = rng.randint(1, max(1, there))
            taker = rng.choice(numbers) if self.chance(0.4) else numbers[-1]
            yield self.plain(taker, market, 1 - side, price, qty, code=rng.choice((0, 1, 3)))

    # 6.8.

    def auctions(self, market: v.Market) -> Iterator[Record]:
        """Cross a book that does not match, with orders in it that fall away or show only part, and open it."""
        rng, price, m = self.rng, self.price_of(market), market.number
        numbers = self.able(market, 4)
        number = self.holder(market) if self.chance(0.6) else None
        end = self.oracle.now + rng.randint(3, 12) if self.chance(0.4) else 0
        yield command(v.SET_PHASE, market=m, code=rng.choice((0, 6, 6)), amount=end)
        yield from self.clear_book(market)
        # A settlement may have come due meanwhile.
        base = 0 if number is None else self.oracle.positions(number)[m].base
        if number is not None and base != 0:
            side = o.SELL if base > 0 else o.BUY
            b = o.direction(side)
            # Each reduces alone, together they are too much; what they leave meets what is behind them.
            for _ in range(rng.randint(1, 3)):
                qty = abs(base) if self.chance(0.7) else rng.randint(1, abs(base))
                yield self.plain(number, market, side, price + b * rng.choice((0, 0, 2)), qty, flags=o.REDUCE_ONLY)
            lots = min(30, rng.choice((1, 2, 2)) * abs(base) + rng.choice((0, 0, 1)))
            yield self.plain(numbers[0], market, 1 - side, price - b, lots)
            if self.chance(0.7):
                beside = price - b * rng.choice((-1, 0, 1, 1))
                yield self.plain(numbers[1], market, side, beside, rng.randint(1, 4))
            if self.chance(0.3):
                yield self.plain(numbers[2], market, 1 - side, price - b * rng.choice((0, 1)), rng.randint(1, 4))
        for i in range(rng.randint(0, 2) if number is not None else rng.randint(1, 5)):
            side = (o.BUY, o.SELL)[i % 2]
            beside = max(1, price + o.direction(side) * rng.choice((-1, 0, 1, 2, 3)))
            yield from self.dressed(self.plain(rng.choice(numbers), market, side, beside, rng.randint(1, 6)))
        yield command(v.SET_PHASE, market=m, code=phases.CONTINUOUS)

    # Nonsense about terms.

    def wrong_terms(self, market: v.Market) -> Iterator[Record]:
        """Write terms that do not go together, with their order or with anything."""
        rng, price, m = self.rng, self.price_of(market), market.number
        a, b = self.able(market, 2)
        record = self.plain(a, market, rng.choice((0, 1)), price, rng.randint(1, 3), code=rng.randrange(4))
        codes = rng.choices(list(o.VALUE_OF), k=rng.randint(1, 3))
        values = (1, 2, price, price + 3, self.oracle.now + 5, 0, -1, market.price_max + 1, o.MILLION + 1)
        weights = (6, 6, 6, 6, 6, 1, 1, 1, 1)
        for code in codes:
            (value,) = rng.choices(values, weights)
            if code == o.OTHER_LEG:
                order = self.newest(market, a)
                value = 0 if order is None or value < 1 else order.id
            number = a if self.chance(0.95) else b
            term = command(v.TERM, market=m, account=number, code=code, **{o.VALUE_OF[code]: value})
            term["flags"] = rng.choice((0, 0, 1, 2, 3))
            yield {**term, "code": rng.choice((0, 10))} if self.chance(0.03) else term
        what = rng.randrange(8)
        if what == 0:
            yield command(rng.choice((v.PULSE, 99)))
        elif what == 1:
            yield command(v.CANCEL_ALL, market=m, account=b)
        elif what == 2:
            record["account"] = b
        if self.chance(0.3):
            record["flags"] = rng.choice(
                (o.POST_ONLY, o.HIDDEN, o.SLIDE, o.DAY, 256, mode_flags(7), o.POST_ONLY | o.DAY)
            )
        yield record
