"""Small random worlds: a configuration and a stream of commands that crowds what is interesting.

The generator looks at the oracle's state, so that orders come close to the initial-margin limit, gaps of
the index land around the prices at which accounts become liquidatable or bankrupt, and books are thin when
they do. Everything follows from the seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import venue as v

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

    from .venue import Config, OracleVenue, Record

REJECT_NAMES = {
    101: "TimeBackwards",
    102: "TimersPending",
    103: "UnknownCommand",
    201: "UnknownMarket",
    202: "UnknownAccount",
    203: "BadField",
    204: "PhaseRefuses",
    205: "NoMark",
    206: "QtyOutOfRange",
    207: "PriceOutOfRange",
    208: "InLiquidation",
    209: "NotReducing",
    210: "BookFull",
    211: "BandRefuses",
    212: "WouldTake",
    213: "NotFillable",
    214: "UnknownOrder",
    215: "NotYourOrder",
    216: "UnknownAsset",
    217: "UnknownFund",
    301: "PositionLimit",
    302: "OpenInterestLimit",
    303: "MarginShort",
    304: "BalanceShort",
    305: "AmountOutOfRange",
    306: "AccountsFull",
}

STATES = (
    "fill",
    "partial_fill",
    "cancel",
    "cancel_rest",
    "cancel_liquidation",
    "cancel_breaker",
    "replace_kept",
    "replace_moved",
    "reduce_only",
    "capped_by_band",
    "rebate",
    "withdrawal",
    "margin_call",
    "call_cleared",
    "liquidation",
    "liquidation_without_position",
    "recovered",
    "closed",
    "bankrupt",
    "fund_paid",
    "fund_received",
    "fund_empty",
    "fund_backed_order",
    "fund_backed_fill",
    "take_over",
    "adl",
    "adl_remainder",
    "adl_queue",
    "adl_pro_rata",
    "adl_band_clip",
    "adl_at_mark",
    "adl_fund_paid",
    "socialised",
    "bad_debt",
    "collateral_sold",
    "breaker_trade",
    "breaker_mark",
    "breaker_by_liquidation",
    "halt",
    "auction_uncross",
    "uncross_surplus",
    "funding_paid",
    "funding_received",
    "timers_pending",
    "timer_phase",
    "block",
    "parked",
    *(f"rejected:{name}" for name in REJECT_NAMES.values()),
)
"""Every state that ``reached`` can name."""


def command(kind: int, **fields: int) -> Record:
    """Return a command with every field that is not given at 0."""
    return {**dict.fromkeys(v.FIELDS, 0), "kind": kind, **fields}


# ---------------------------------------------------------------------------------------------------------
# Configurations
# ---------------------------------------------------------------------------------------------------------


def chance(rng: Random, probability: float) -> bool:
    """Toss a biased coin."""
    return rng.random() < probability


def random_tiers(rng: Random) -> list[dict[str, int]]:
    """Return rate tables; thousands in bounds and rates keep the deductions whole."""
    initial = rng.choice((20, 40, 50, 80, 100, 150)) * 1000
    maintenance = initial * rng.choice((50, 60, 75, 100)) // 100 // 1000 * 1000
    tiers = [{"lower": 0, "initial_ppm": initial, "maintenance_ppm": maintenance}]
    lower = 0
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        lower += rng.choice((1000, 2000, 5000, 10000))
        maintenance += rng.choice((0, 5000, 20000, 50000))
        initial = max(initial + rng.choice((0, 10000, 50000)), maintenance)
        tiers.append({"lower": lower, "initial_ppm": initial, "maintenance_ppm": maintenance})
    return tiers


def random_market(rng: Random, number: int, fund_count: int) -> Config:
    """Return the configuration of one market."""
    funding = None
    if chance(rng, 0.5):
        funding = {
            "first_ns": rng.choice((0, 20, 60)),
            "interval_ns": rng.choice((15, 30, 60, 120)),
            "interest_ppb": rng.choice((0, 100_000, 2_000_000, -1_000_000)),
            "clamp_ppb": rng.choice((0, 500_000, 5_000_000)),
            "cap_ppb": rng.choice((1_000_000, 40_000_000)),
            "impact_qty": rng.choice((1, 3, 10)),
        }
    taker = rng.choice((0, 500, 500, 2500, -200))
    return {
        "name": f"M{number}",
        "tick_value": rng.randint(1, 7),
        "price_max": rng.choice((2000, 4000, 4000, 10000)),
        "order_qty_max": rng.choice((1000, 1000, 1000, 60)),
        "position_max": rng.choice((5000, 5000, 5000, 150)),
        "open_interest_max": rng.choice((20000, 20000, 20000, 300)),
        "fees": {"maker_ppm": rng.choice((0, 200, -200, 1000)), "taker_ppm": taker},
        "tiers": random_tiers(rng),
        "mark": {
            "method": rng.choice(("index", "index", "median", "last")),
            "basis_samples": rng.choice((1, 2, 5, 30)),
        },
        "funding": funding,
        "fund": rng.randrange(fund_count),
        "phase": rng.choice(("continuous",) * 12 + ("pre_open", "call_auction")),
        "reopen_auction_ns": rng.choice((0, 5, 20)),
        "liquidation": {
            "enabled": chance(rng, 0.95),
            "slice_ppm": rng.choice((100_000, 200_000, 500_000, 1_000_000)),
            "slice_qty_min": rng.choice((1, 2, 5)),
            "full_below": rng.choice((0, 0, 2000, 10000, 10**9)),
            "fee_ppm": rng.choice((0, 5000, 20000)),
            "fund_limit_ppm": rng.choice((10_000, 50_000, 200_000)),
        },
        "adl": {
            "enabled": chance(rng, 0.9),
            "method": rng.choice(("queue", "queue", "pro_rata")),
            "price": rng.choice(("bankruptcy", "bankruptcy", "mark")),
            "band_ppm": rng.choice((None, None, 10_000, 50_000, 200_000)),
        },
    }


def random_breakers(rng: Random, market_count: int) -> list[Config]:
    """Return a few bands and move rules."""
    breakers: list[Config] = []
    every = list(range(market_count))
    while chance(rng, 0.35) and len(breakers) < 4:
        markets = every if chance(rng, 0.5) else [rng.choice(every)]
        rule: Config
        if chance(rng, 0.5):
            rule = {
                "type": "band",
                "width_ppm": rng.choice((None, 20_000, 60_000, 150_000, 400_000)),
                "action": rng.choice(("cap", "cap", "reject")),
                "exempt_liquidations": chance(rng, 0.4),
            }
        else:
            rule = {
                "type": "move",
                "width_ppm": rng.choice((40_000, 100_000, 200_000, 400_000)),
                "window_ns": rng.choice((5, 30, 100)),
                "source": rng.choice(("trade", "trade", "mark")),
                "phase": rng.choice(("halted", "pause", "call_auction", "reduce_only")),
                "duration_ns": rng.choice((3, 10, 30)),
                "exempt_liquidations": chance(rng, 0.4),
            }
        breakers.append({"name": f"rule{len(breakers)}", "markets": markets, "rule": rule})
    rng.shuffle(breakers)
    return breakers


def random_config(rng: Random) -> Config:
    """Return the configuration of a small world."""
    market_count = rng.choice((1, 1, 1, 2, 2, 3))
    fund_count = rng.choice((1, 1, 2))
    account_count = rng.randint(5, 8)
    many = 1000
    assets: list[Config] = [
        {
            "name": "USD",
            "decimals": 6,
            "deposits_max": rng.choice((10**9,) * 9 + (200_000,)),
            "collateral": None,
        }
    ]
    if chance(rng, 0.35):
        collateral = {
            "market": rng.randrange(market_count),
            "value_num": rng.randint(1, 5),
            "value_den": rng.choice((1, 7, 100, 1000)),
            "weight_ppm": rng.choice((500_000, 900_000, 950_000)),
        }
        assets.append(
            {
                "name": "BTC",
                "decimals": 8,
                "deposits_max": rng.choice((10**9, 10**7)),
                "collateral": collateral,
            }
        )
    return {
        "schema_version": 1,
        "name": "world",
        "venue": rng.choice((0, 1, 7)),
        "seed": 0,
        "margin_call_ppm": rng.choice((0, 1_000_000, 1_250_000, 1_250_000, 2_000_000)),
        "backstop": rng.randrange(account_count) if chance(rng, 0.2) else None,
        "last_resort": rng.choice(("remainder", "socialise")),
        "limits": {
            "accounts_max": rng.choice((account_count, account_count + 1, 100)),
            "orders_max": rng.choice((1000,) * 12 + (3, 6)),
            "liquidation_rounds_per_step": rng.choice((1, 2, 3, 4, 16)),
            "funding_accounts_per_step": rng.choice((1, 3, 6, many, many)),
            "adl_closes_per_round": rng.choice((1, 2, 3, 5, many)),
            "adl_rank_max": rng.choice((1, 2, 4, 10, many)),
        },
        "assets": assets,
        "funds": [{"name": f"fund{i}"} for i in range(fund_count)],
        "markets": [random_market(rng, i, fund_count) for i in range(market_count)],
        "breakers": random_breakers(rng, market_count),
    }


# ---------------------------------------------------------------------------------------------------------
# Commands
# ---------------------------------------------------------------------------------------------------------


class _Generator:
    """Writes commands by looking at the oracle, which must have applied each before the next is asked for."""

    def __init__(self, rng: Random, config: Config, oracle: OracleVenue) -> None:
        self.rng = rng
        self.oracle = oracle
        self.account_count = min(rng.randint(5, 8), config["limits"]["accounts_max"])
        self.start_prices = [rng.choice((30, 80, 200, 500, 900)) for _ in config["markets"]]

    # Small choices.

    def chance(self, probability: float) -> bool:
        """Toss a biased coin."""
        return chance(self.rng, probability)

    def an_account(self, besides: int = -1) -> int:
        """Choose an account, if possible another than one."""
        return self.rng.choice([a.number for a in self.oracle.accounts if a.number != besides])

    def a_market(self) -> v.Market:
        """Choose a market, rather one where there is trading."""
        open_ones = [m for m in self.oracle.markets if v.PHASES[m.phase].matches]
        return self.rng.choice(open_ones if open_ones and self.chance(0.8) else self.oracle.markets)

    def near(self, price: int, ppm: int) -> int:
        """Choose a price around another."""
        reach = max(1, price * ppm // v.MILLION)
        return max(1, price + self.rng.randint(-reach, reach))

    def at_edge(self, market: v.Market) -> int:
        """Choose a price at the edge of a breaker, or one tick beside it."""
        edges = [
            price * (v.MILLION + width) // v.MILLION
            for rule in market.moves
            for price in rule.reference(self.oracle.now)
            for width in (-rule.width_ppm, rule.width_ppm)
        ]
        edges += [
            v.inward_bound(market.mark, band.width_ppm, side)
            for band in market.bands
            if band.width_ppm is not None
            for side in (v.BUY, v.SELL)
        ]
        price = self.rng.choice(edges or [market.mark]) + self.rng.choice((-1, 0, 0, 1))
        return v.clamp(price, 1, market.price_max)

    def payable_lots(self, number: int, market: v.Market) -> int:
        """Return about how many lots more an account's margin bears."""
        free = self.oracle.equity(number) - self.oracle.initial(number)
        rate = market.initial_rates[0].rate + max(0, market.taker_ppm)
        per_lot = max(1, market.mark * market.tick_value * rate // v.MILLION)
        return max(0, free // per_lot)

    # Commands.

    def place(self, number: int, market: v.Market, side: int, price: int, qty: int, *, code: int = 0) -> Record:
        """Return a Place."""
        flags = 0
        if code == v.GOOD_TILL_CANCELLED:
            flags = v.POST_ONLY if self.chance(0.1) else 0
        elif self.chance(0.05):
            flags = v.REDUCE_ONLY
        return command(
            v.PLACE,
            market=market.number,
            account=number,
            side=side,
            code=code,
            flags=flags,
            price=0 if code == v.MARKET_ORDER else max(1, price),
            qty=max(1, qty),
            order=self.rng.randint(0, 9),
        )

    def advance(self) -> int:
        """Return the time of the next command."""
        now, rng = self.oracle.now, self.rng
        if self.chance(0.01):
            return now - rng.randint(1, 5)
        if self.chance(0.04):
            times = [m.phase_end for m in self.oracle.markets if m.phase_end > now]
            times += [m.funding.due for m in self.oracle.markets if m.funding is not None]
            if times:
                return max(now, min(rng.choice(times) + rng.randint(0, 1), now + 120))
        return now + rng.choice((0, 0, 1, 1, 2, 3))

    def all(self) -> Iterator[Record]:
        """Write the commands of a world, without end."""
        for record in self.story():
            while self.oracle.timers_pending and self.chance(0.85):
                yield command(v.PULSE, at=self.oracle.now, source=self.rng.randint(0, 3))
            record["at"] = self.advance()
            record["source"] = self.rng.randint(0, 3)
            yield record

    def story(self) -> Iterator[Record]:
        """Write the commands without their times."""
        yield from self.beginning()
        for _ in range(self.rng.randint(3, 5)):
            yield from self.open_positions()
            for market in self.oracle.markets:
                if not v.PHASES[market.phase].matches and self.chance(0.5):
                    yield command(v.SET_PHASE, market=market.number, code=v.CONTINUOUS)
        while True:
            if self.chance(0.3):
                yield from self.fire_sale()
            yield from self.crash()
            for _ in range(self.rng.randint(1, 4)):
                yield from self.anything()

    def beginning(self) -> Iterator[Record]:
        """Open accounts, deposit, and give the markets an index."""
        rng, oracle = self.rng, self.oracle
        for _ in range(self.account_count):
            yield command(v.OPEN_ACCOUNT)
        for market in oracle.markets:
            price = self.start_prices[market.number]
            yield command(v.INDEX, market=market.number, price=price)
        scale = max(
            market.tick_value * self.start_prices[market.number] * market.initial_rates[0].rate
            for market in oracle.markets
        )
        for number in range(self.account_count):
            lots = 200 if number == 0 else rng.choice((5, 10, 20, 40))
            amount = max(1, scale * lots // v.MILLION)
            if len(oracle.assets) > 1 and self.chance(0.5):
                top, bottom = oracle.unit_value(1)
                backed = max(1, amount * bottom // max(1, top))
                yield command(v.DEPOSIT, account=number, code=1, amount=backed)
                amount = max(1, amount // 10)
            if self.chance(0.97):
                yield command(v.DEPOSIT, account=number, amount=amount)
        for fund in range(oracle.fund_count):
            if self.chance(0.5):
                amount = max(1, scale * rng.choice((1, 3, 10, 60)) // v.MILLION)
                yield command(v.FUND_DEPOSIT, code=fund, amount=amount)

    def open_positions(self) -> Iterator[Record]:
        """Let two accounts trade, one of them close to its limit."""
        rng, oracle = self.rng, self.oracle
        market = self.a_market()
        if market.mark == 0:
            yield command(v.INDEX, market=market.number, price=self.start_prices[market.number])
        maker = 0 if self.chance(0.4) else self.an_account()
        taker = self.an_account(besides=maker)
        lots = self.payable_lots(taker, market)
        qty = max(1, int(lots * rng.choice((0.3, 0.6, 0.9, 0.95, 1.0, 1.02))))
        qty = min(qty, max(1, self.payable_lots(maker, market)), market.order_qty_max)
        side = rng.choice((v.BUY, v.SELL))
        price = market.mark if self.chance(0.4) else self.near(market.mark, 30_000)
        if self.chance(0.15) and v.PHASES[market.phase].block:
            buyer, seller = (taker, maker) if side == v.BUY else (maker, taker)
            yield command(v.BLOCK, market=market.number, account=buyer, order=seller, price=price, qty=qty)
            return
        more = rng.choice((0, 0, 1, 5))
        yield self.place(maker, market, 1 - side, price, min(qty + more, market.order_qty_max))
        code = rng.choice((0, 0, 0, 1, 1, 2, 3))
        if not v.PHASES[market.phase].matches:
            code = 0
        yield self.place(taker, market, side, price, qty, code=code)
        if len(oracle.accounts) > 2 and self.chance(0.3):
            yield from self.quote(market)

    def quote(self, market: v.Market) -> Iterator[Record]:
        """Rest an order near the mark."""
        side = self.rng.choice((v.BUY, v.SELL))
        number = 0 if self.chance(0.3) else self.an_account()
        price = market.mark - v.direction(side) * self.rng.choice((0, 1, 1, 2, 3, 5, 10))
        if self.chance(0.25):
            price = self.at_edge(market)
        lots = self.payable_lots(number, market)
        qty = self.rng.choice((1, 2, 5, max(1, lots // 2), max(1, lots)))
        yield self.place(number, market, side, price, qty)

    def crash(self) -> Iterator[Record]:
        """Move a market to where one of its accounts is in trouble, often with a thin book."""
        rng, oracle = self.rng, self.oracle
        held = [
            (account.number, market)
            for account in oracle.accounts
            for market in oracle.markets
            if account.positions[market.number].base != 0 and not account.in_liquidation
        ]
        if not held:
            yield from self.open_positions()
            return
        number, market = min(rng.sample(held, min(len(held), 3)), key=lambda each: self.distance(each[0], each[1]))
        b = v.sign(oracle.positions(number)[market.number].base)
        if not v.PHASES[market.phase].adl and self.chance(0.6):
            yield command(v.SET_PHASE, market=market.number, code=v.CONTINUOUS)
        target = self.troubling_price(number, market)
        if self.chance(0.35):
            yield from self.thin_book(market, v.BUY if b > 0 else v.SELL)
        elif self.chance(0.5):
            # Someone rests around the price to come, for the slices to meet.
            bidder = 0 if self.chance(0.5) else self.an_account(besides=number)
            side = v.BUY if b > 0 else v.SELL
            yield self.place(bidder, market, side, self.near(target, 30_000), rng.choice((1, 3, 8, 20)))
        if market.mark_method != "index":
            yield from self.print_trade(market, target)
        yield command(v.INDEX, market=market.number, price=target)
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            if oracle.queue or self.chance(0.1):
                yield command(v.PULSE)
            if self.chance(0.2):
                yield from self.anything()
        if oracle.parked and self.chance(0.5):
            yield command(v.INDEX, market=market.number, price=self.near(market.index, 20_000))

    def distance(self, number: int, market: v.Market) -> int:
        """Return about how far, in ppm of its price, a market is from an account's liquidation."""
        oracle = self.oracle
        room = oracle.equity(number) - oracle.maintenance(number)
        return room * v.MILLION // max(1, market.notional(abs(oracle.positions(number)[market.number].base)))

    def troubling_price(self, number: int, market: v.Market) -> int:
        """Return a price around an account's guard price, or past its bankruptcy."""
        rng, oracle = self.rng, self.oracle
        base = oracle.positions(number)[market.number].base
        equity, maintenance = oracle.equity(number), oracle.maintenance(number)
        room = rng.choice((equity - maintenance, equity, equity + maintenance, equity + 3 * maintenance))
        ticks = room // max(1, abs(base) * market.tick_value) + rng.choice((0, 0, 1, 1, 2, 5))
        return v.clamp(market.mark - v.sign(base) * ticks, 1, market.price_max)

    def thin_book(self, market: v.Market, side: int) -> Iterator[Record]:
        """Cancel most of what rests on one side."""
        for order in list(market.book[side])[:4]:
            if self.chance(0.7) and market.find(order.number) is not None:
                yield command(v.CANCEL, market=market.number, account=order.account, order=order.id)

    def print_trade(self, market: v.Market, price: int) -> Iterator[Record]:
        """Trade one lot at a price, so that marks that follow trades go there."""
        book = market.book
        bid = book[v.BUY][0].price if book[v.BUY] else 0
        ask = book[v.SELL][0].price if book[v.SELL] else market.price_max + 1
        able = [a.number for a in self.oracle.accounts if not a.in_liquidation]
        able.sort(key=lambda a: self.oracle.initial(a) - self.oracle.equity(a))
        if len(able) < 2:
            return
        first, second = able[:2]
        if bid >= price:
            yield self.place(first, market, v.SELL, price, 1 + book[v.BUY][0].qty, code=1)
        elif ask <= price:
            yield self.place(first, market, v.BUY, price, 1 + book[v.SELL][0].qty, code=1)
        yield self.place(first, market, v.BUY, price, 1)
        yield self.place(second, market, v.SELL, price, 1, code=1)

    def anything(self) -> Iterator[Record]:
        """Do something of the rest of what a venue takes."""
        doings: tuple[tuple[int, Any], ...] = (
            (22, self.open_positions),
            (10, lambda: self.quote(self.a_market())),
            (8, self.replace_some),
            (6, self.cancel_some),
            (8, self.move_money),
            (7, self.change_phase),
            (8, self.small_index),
            (9, self.reduce),
            (3, self.nonsense),
            (4, lambda: iter((command(v.PULSE),))),
        )
        (doing,) = self.rng.choices([d for _, d in doings], [w for w, _ in doings])
        yield from doing()

    def fire_sale(self) -> Iterator[Record]:
        """Let an account close a position far below its worth: what reduces is not checked for margin."""
        rng, oracle = self.rng, self.oracle
        market = self.a_market()
        held = [a.number for a in oracle.accounts if a.positions[market.number].base and not a.in_liquidation]
        if not held:
            yield from self.open_positions()
            return
        number = rng.choice(held)
        base = oracle.positions(number)[market.number].base
        side = v.SELL if base > 0 else v.BUY
        qty = abs(base) if self.chance(0.5) else max(1, abs(base) * rng.randint(2, 9) // 10)
        loss = abs(oracle.equity(number)) * rng.choice((90, 110, 150, 250, 500)) // 100
        ticks = loss // max(1, qty * market.tick_value)
        price = v.clamp(market.mark - v.sign(base) * ticks, 1, market.price_max)
        friend = max(
            (a.number for a in oracle.accounts if a.number != number and not a.in_liquidation),
            key=oracle.equity,
            default=0,
        )
        if self.chance(0.4):
            buyer, seller = (friend, number) if side == v.SELL else (number, friend)
            yield command(v.BLOCK, market=market.number, account=buyer, order=seller, price=price, qty=qty)
            return
        yield from self.thin_book(market, 1 - side)
        yield self.place(friend, market, 1 - side, price, qty)
        yield self.place(number, market, side, price, qty, code=rng.choice((1, 2, 3)))

    def replace_some(self) -> Iterator[Record]:
        """Replace a resting order."""
        market = self.a_market()
        orders = self.oracle.resting(market.number)
        if not orders:
            yield from self.quote(market)
            return
        order = self.rng.choice(orders)
        price, qty = order.price, order.qty
        if self.chance(0.5):
            qty = max(1, qty - self.rng.randint(0, 3))
        else:
            opposite = market.book[1 - order.side]
            price = opposite[0].price if opposite and self.chance(0.3) else self.near(price, 20_000)
            qty = max(1, qty + self.rng.randint(-2, 4))
        number = order.account if self.chance(0.95) else self.an_account()
        yield command(v.REPLACE, market=market.number, account=number, order=order.id, price=price, qty=qty)

    def cancel_some(self) -> Iterator[Record]:
        """Cancel an order, or all of an account's."""
        market = self.a_market()
        orders = self.oracle.resting(market.number)
        if orders and self.chance(0.6):
            order = self.rng.choice(orders)
            number = order.account if self.chance(0.95) else self.an_account()
            yield command(v.CANCEL, market=market.number, account=number, order=order.id)
            return
        where = v.NO_MARKET if self.chance(0.5) else market.number
        yield command(v.CANCEL_ALL, market=where, account=self.an_account())

    def move_money(self) -> Iterator[Record]:
        """Deposit or withdraw, around what an account can spare."""
        rng, oracle = self.rng, self.oracle
        number = self.an_account()
        asset = rng.randrange(len(oracle.assets))
        held = oracle.balances(number)[asset]
        free = oracle.equity(number) - oracle.initial(number)
        if self.chance(0.4):
            amount = max(1, abs(oracle.equity(number)) // rng.choice((1, 2, 5)))
            yield command(v.DEPOSIT, account=number, code=asset, amount=amount)
        elif self.chance(0.2):
            yield command(v.FUND_DEPOSIT, code=rng.randrange(oracle.fund_count), amount=rng.randint(1, 300))
        else:
            amount = max(1, rng.choice((free, free, free + 1, held, held + 1, held // 2)))
            yield command(v.WITHDRAW, account=number, code=asset, amount=amount)

    def change_phase(self) -> Iterator[Record]:
        """Close a market for a while, perhaps cross its book, and open it again."""
        rng, oracle = self.rng, self.oracle
        market = self.a_market()
        phase = rng.choice((0, 1, 6, 6, 6, 6, 7, 8, 8, 10, 10, 2, 4, 9, 11))
        end = oracle.now + rng.randint(1, 12) if self.chance(0.6) else 0
        yield command(v.SET_PHASE, market=market.number, code=phase, amount=end)
        if v.PHASES[phase].place == "rest" and market.mark > 0:
            for side in (v.BUY, v.SELL, v.BUY, v.SELL, v.SELL, v.BUY)[: rng.randint(1, 6)]:
                price = max(1, market.mark + v.direction(side) * rng.choice((-1, 0, 1, 2, 3, 5)))
                yield self.place(self.an_account(), market, side, price, rng.randint(1, 8))
        elif phase in (8, 9):
            yield from self.reduce()
        if self.chance(0.6):
            yield command(v.SET_PHASE, market=market.number, code=v.CONTINUOUS)

    def small_index(self) -> Iterator[Record]:
        """Move an index a little."""
        market = self.a_market()
        price = self.near(market.index or self.start_prices[market.number], 15_000)
        if market.index and self.chance(0.3):
            price = self.at_edge(market)
        yield command(v.INDEX, market=market.number, price=price)

    def reduce(self) -> Iterator[Record]:
        """Close some of a position by a reduce-only order."""
        market, number = self.a_market(), self.an_account()
        base = self.oracle.positions(number)[market.number].base
        if base == 0:
            yield from self.quote(market)
            return
        side = v.SELL if base > 0 else v.BUY
        order = self.place(
            number, market, side, self.near(market.mark, 20_000), abs(base), code=self.rng.choice((1, 3))
        )
        order["flags"] = v.REDUCE_ONLY
        order["qty"] = max(1, order["qty"] // self.rng.choice((1, 1, 2)) + self.rng.choice((0, 0, 0, 1)))
        yield order

    def nonsense(self) -> Iterator[Record]:
        """Write a command that is wrong in some way, or nearly right."""
        rng = self.rng
        kinds = (1, 1, 1, 1, 2, 3, 4, 5, 10, 11, 12, 13, 20, 21, 9)
        market = self.a_market()
        record = command(
            rng.choice(kinds),
            market=market.number,
            account=self.an_account(),
            side=rng.choice((0, 1)),
            code=rng.choice((0, 1, 2)),
            price=market.mark,
            qty=rng.choice((1, 5)),
            amount=rng.choice((1, 10)),
            order=(rng.randint(0, self.oracle.accepted_count + 1) << v.SLOT_BITS),
        )
        if record["kind"] == v.BLOCK:
            record["order"] = self.an_account()
        name, values = rng.choice(
            (
                ("market", (7, v.NO_MARKET)),
                ("account", (99,)),
                ("side", (2,)),
                ("code", (3, 4, 9, 13)),
                ("flags", (1, 2, 3, 4)),
                ("price", (0, -1, market.price_max + 1)),
                ("qty", (0, -1, market.order_qty_max + 1, market.position_max + 1)),
                ("amount", (0, -1, 10**12)),
                ("kind", (0, 6, 99, 200)),
            )
        )
        record[name] = rng.choice(values)
        yield record


def random_commands(rng: Random, config: Config, oracle: OracleVenue) -> Iterator[Record]:
    """Write the commands of one world.

    Each command is written from the oracle's state, so the caller applies it before asking for the next.
    """
    length = rng.randint(48, 70)
    for count, record in enumerate(_Generator(rng, config, oracle).all(), start=1):
        yield record
        if count == length:
            return


# ---------------------------------------------------------------------------------------------------------
# What a world reached
# ---------------------------------------------------------------------------------------------------------

_BY_KIND = {
    v.FILL: "fill",
    v.WITHDRAWN: "withdrawal",
    v.MARGIN_CALLED: "margin_call",
    v.MARGIN_CALL_CLEARED: "call_cleared",
    v.LIQUIDATION_STARTED: "liquidation",
    v.TAKEN_OVER: "take_over",
    v.FUND_PAID: "fund_paid",
    v.FUND_RECEIVED: "fund_received",
    v.COLLATERAL_SOLD: "collateral_sold",
    v.ADL_FILL: "adl",
    v.ADL_REMAINDER: "adl_remainder",
    v.SOCIALISED: "socialised",
    v.BAD_DEBT: "bad_debt",
    v.UNCROSSED: "auction_uncross",
}
_CANCELS = {
    v.BY_USER: "cancel",
    v.REST: "cancel_rest",
    v.BY_LIQUIDATION: "cancel_liquidation",
    v.BY_BREAKER: "cancel_breaker",
}
_ENDS = {v.RECOVERED: "recovered", v.CLOSED_OUT: "closed", v.BANKRUPT: "bankrupt"}


class _Reached:
    """Names states while it goes through the events of a world."""

    def __init__(self, config: Config | None) -> None:
        self.config = config
        self.states: set[str] = set()
        self.open_qty: dict[int, int] = {}
        self.last: Record = command(0)
        self.last_liquidation: Record = command(0)

    def look(self, event: Record) -> None:
        """Look at the next event."""
        kind = event["kind"]
        if kind in _BY_KIND:
            self.states.add(_BY_KIND[kind])
        if kind in (v.ACCEPTED, v.REPLACED, v.LIQUIDATION_ORDER, v.CANCELLED, v.FILL):
            self.look_at_order(event)
        elif v.LIQUIDATION_STARTED <= kind <= v.BAD_DEBT:
            self.look_at_waterfall(event)
        else:
            self.look_at_market(event)
        self.last = event

    def look_at_order(self, event: Record) -> None:
        """Look at an event of an order."""
        kind, order = event["kind"], event["order"] >> v.SLOT_BITS
        if kind == v.CANCELLED:
            self.states.add(_CANCELS[event["code"]])
        elif kind == v.FILL:
            self.look_at_fill(event)
        else:
            self.open_qty[order] = event["qty"]
        if kind == v.ACCEPTED and event["flags"] & v.REDUCE_ONLY:
            self.states.add("reduce_only")
        elif kind == v.REPLACED:
            self.states.add("replace_kept" if event["flags"] else "replace_moved")
        elif kind == v.LIQUIDATION_ORDER:
            self.last_liquidation = event
            if event["flags"]:
                self.states.add("fund_backed_order")

    def look_at_fill(self, event: Record) -> None:
        """Look at one side of a fill."""
        if event["amount"] < 0:
            self.states.add("rebate")
        if event["flags"] & v.BLOCK_TRADE:
            self.states.add("block")
            return
        order = event["order"] >> v.SLOT_BITS
        self.open_qty[order] -= event["qty"]
        if self.open_qty[order] > 0:
            self.states.add("partial_fill")
        if event["flags"] & v.LIQUIDATION and self.last_liquidation["flags"]:
            self.states.add("fund_backed_fill")

    def look_at_market(self, event: Record) -> None:
        """Look at an event of a market, or at a refusal."""
        kind = event["kind"]
        if kind == v.REJECTED:
            self.states.add(f"rejected:{REJECT_NAMES[event['code']]}")
            if event["code"] == v.TIMERS_PENDING:
                self.states.add("timers_pending")
        elif kind == v.PHASE_CHANGED and event["code"] == v.HALTED:
            self.states.add("halt")
        elif kind == v.BREAKER_TRIPPED:
            self.states.add("breaker_mark" if event["flags"] else "breaker_trade")
            by_fill = self.last["kind"] == v.FILL and bool(self.last["flags"] & v.LIQUIDATION)
            if by_fill or self.last["kind"] == v.LIQUIDATION_ORDER:
                self.states.add("breaker_by_liquidation")
        elif kind == v.UNCROSSED and event["amount"] != 0:
            self.states.add("uncross_surplus")
        elif kind == v.FUNDING_PAID:
            self.states.add("funding_paid" if event["amount"] > 0 else "funding_received")

    def look_at_waterfall(self, event: Record) -> None:
        """Look at an event of a liquidation."""
        kind = event["kind"]
        if kind == v.LIQUIDATION_STARTED and event["qty"] == 0:
            self.states.add("liquidation_without_position")
        elif kind == v.LIQUIDATION_ENDED:
            self.states.add(_ENDS[event["code"]])
        elif kind in (v.SOCIALISED, v.BAD_DEBT):
            # Others are asked only when the fund has paid all that it had.
            self.states.add("fund_empty")
        elif kind == v.FUND_PAID and self.last["kind"] == v.ADL_FILL:
            self.states.add("adl_fund_paid")
        elif self.config is not None and kind in (v.ADL_STARTED, v.ADL_FILL):
            terms = self.config["markets"][event["market"]]["adl"]
            if kind == v.ADL_FILL:
                self.states.add(f"adl_{terms['method']}")
            elif terms["price"] == "mark":
                self.states.add("adl_at_mark")
            elif event["price"] != self.last_liquidation["amount"]:
                self.states.add("adl_band_clip")


def reached(events: Iterable[Record], config: Config | None = None) -> set[str]:
    """Name the states that a world's events show.

    Parameters
    ----------
    events
        The events of the world, in order.
    config
        Its configuration, which tells the kinds of deleveraging apart.
    """
    seen = _Reached(config)
    for event in events:
        seen.look(event)
    return seen.states
