"""Small random worlds: a configuration and a stream of commands that crowds what is interesting.

The generator looks at the oracle's state, so that orders come close to the initial-margin limit, gaps of
the index land around the prices at which accounts become liquidatable or bankrupt, and books are thin when
they do. Everything follows from the seed.
"""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

from . import orders as o
from . import phases
from . import venue as v
from .further import Further, vary_further
from .rules import Rules, vary_rules
from .scenes import Scenes, chance, command, mode_flags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .orders import Config, Record
    from .venue import OracleVenue

OTHER_WATERFALLS = 1_000_000
"""From this seed on worlds have other policies of liquidation, terms of their funds and ways to share a loss."""
FURTHER_RULES = 2_000_000
"""From this seed on worlds have further rules besides; every second one has other waterfalls as well."""
BREAKERS = 3_000_000
"""From this seed on worlds have breakers of every kind besides."""

# ---------------------------------------------------------------------------------------------------------
# Configurations
# ---------------------------------------------------------------------------------------------------------


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


def random_entry(rng: Random) -> Config:
    """Return limits of what an order may be."""
    step = rng.choice((1, 1, 1, 2))
    notional_min = rng.choice((0, 0, 0, 200, 1500))
    return {
        "price_step": rng.choice((1, 1, 1, 2, 5)),
        "qty_step": step,
        "qty_min": step * rng.choice((1, 1, 1, 2)),
        "notional_min": notional_min,
        "notional_max": rng.choice((None, None, None, notional_min + 20_000)),
        "open_orders_max": rng.choice((None, None, 2, 3, 6)),
    }


def random_allocation(rng: Random, account_count: int) -> Config:
    """Return how a price is shared out."""
    if chance(rng, 0.35):
        return {"type": "price_time"}
    lead = [
        {"account": rng.randrange(account_count), "share_ppm": rng.choice((100_000, 250_000, 400_000))}
        for _ in range(rng.choice((0, 1, 1, 2)))
    ]
    return {
        "type": "pro_rata",
        "top_order": chance(rng, 0.5),
        "lead": lead,
        "fifo_ppm": rng.choice((0, 0, 200_000, 400_000, 1_000_000)),
        "minimum": rng.choice((1, 1, 2, 3)),
    }


def random_rows(rng: Random, number: int, account_count: int) -> Config:
    """Return the rows of a market that may be left out, some of them left out."""
    rows: Config = {
        "cleared": number == 0 or chance(rng, 0.75),
        "client_ids": rng.choice(("none", "hashed", {"dense": {"max": rng.choice((3, 9, 1_000_000))}})),
        "allocation": random_allocation(rng, account_count),
        "day": {"start_ns": rng.choice((0, 7, 1000)), "length_ns": rng.choice((15, 40, 1000))},
        "entry": random_entry(rng),
    }
    likely = {"entry": 0.3, "allocation": 0.5, "client_ids": 0.7, "cleared": 0.9, "day": 0.8}
    return {name: row for name, row in rows.items() if chance(rng, likely[name]) or (name == "cleared" and not row)}


def random_market(rng: Random, number: int, fund_count: int, account_count: int) -> Config:
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
        **random_rows(rng, number, account_count),
    }


def random_breakers(rng: Random, market_count: int) -> list[Config]:
    """Return a few bands and move rules."""
    breakers: list[Config] = []
    every = list(range(market_count))
    while chance(rng, 0.35) and len(breakers) < 4:
        markets = every if chance(rng, 0.5) else [rng.choice(every)]
        rule: Config = {"name": f"rule{len(breakers)}", "markets": markets}
        if chance(rng, 0.5):
            width = rng.choice((None, 20_000, 60_000, 150_000, 400_000))
            rule["test"] = {"type": "entry"}
            rule["action"] = {"type": rng.choice(("cap", "cap", "reject"))}
            reference: Config = {"type": "mark"}
        else:
            width = rng.choice((40_000, 100_000, 200_000, 400_000))
            window, prices = rng.choice((5, 30, 100)), rng.choice(("trade", "trade", "mark"))
            reference = {"type": "window", "prices": prices, "window_ns": window}
            rule["inclusive"] = False
            rule["test"] = {"type": prices}
            phase = rng.choice(("halted", "pause", "call_auction", "reduce_only"))
            rule["action"] = {"type": "interrupt", "phase": phase}
            rule["exit"] = {"after_ns": rng.choice((3, 10, 30))}
            rule["rearm"] = {"restart": True}
        share = {"type": "infinite"} if width is None else {"type": "ppm", "ppm": width}
        rule["ranges"] = [{"reference": reference, "width": share}]
        rule["exempt"] = ["liquidation"] if chance(rng, 0.4) else []
        breakers.append(rule)
    rng.shuffle(breakers)
    return breakers


def random_sources(rng: Random) -> list[Config]:
    """Return sources of prices, some of which grow stale soon."""
    return [
        {"name": f"source{i}", "weight": rng.choice((1, 1, 2, 3)), "stale_ns": rng.choice((20, 60, 300, 10_000))}
        for i in range(rng.choice((1, 2, 3, 3, 5)))
    ]


def price_rows(rng: Random, market: Config) -> None:
    """Give a market an index of its own, inputs of its mark, or terms of its funding."""
    mark, funding = market["mark"], market["funding"]
    if chance(rng, 0.2):
        sources = random_sources(rng)
        market["index"] = {
            "rule": rng.choice(("median", {"mean": {"outlier_ppm": rng.choice((5_000, 30_000, 200_000))}})),
            "sources_min": rng.randint(1, len(sources)),
            "liquidates_stale": chance(rng, 0.4),
            "sources": sources,
        }
    if mark["method"] == "median" and chance(rng, 0.7):
        names = ["index", "last", "basis", "basis_ema", "touch", "touch_ema", "external"]
        names += ["funding"] * (funding is not None)
        mark["inputs"] = rng.sample(names, rng.randint(1, 4))
        left = [name for name in names if name not in mark["inputs"]]
        if len(mark["inputs"]) > 2 and chance(rng, 0.6):
            mark["fallback"] = rng.choice(left)
        used = [*mark["inputs"], mark.get("fallback")]
        for average in ("basis", "touch"):
            if f"{average}_ema" in used or chance(rng, 0.1):
                mark[f"{average}_decay_ppb"] = rng.choice((0, 500_000_000, 993_355_506))
        if "external" in used:
            mark["sources"] = random_sources(rng)
    if chance(rng, 0.1):
        mark["index_band_ppm"] = rng.choice((5_000, 50_000))
    if chance(rng, 0.05):
        mark["slew_ppm"] = rng.choice((10_000, 100_000))
    if funding is not None and chance(rng, 0.6):
        rows: Config = {
            "rate_period_ns": rng.choice((funding["interval_ns"], 8 * funding["interval_ns"], 100)),
            "price": rng.choice(("mark", "index")),
            "cap_margin_multiple": rng.choice((1, 6)),
            "votes": {
                "period_ns": rng.choice((5, 15)),
                "votes_min": rng.choice((1, 4)),
                "samples_min": rng.choice((1, 4)),
            },
            "accrual": {"units": rng.choice((1, 7, 1000)), "ticks": rng.choice((1, 3))},
            "payers": rng.choice(("capped", "capped", "full")),
        }
        funding.update({name: row for name, row in rows.items() if chance(rng, 0.5)})


def random_config(rng: Random) -> Config:
    """Return the configuration of a small world."""
    config = orders_config(rng)
    told = Random(json.dumps(config))  # noqa: S311 - it has to repeat, not to be secret
    for market in config["markets"]:
        price_rows(told, market)
    return config


def orders_config(rng: Random) -> Config:
    """Return the configuration of a small world whose indices are told and whose marks are plain."""
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
    triggers = {"triggers_per_step": rng.choice((1, 1, 2, 3, 16))} if chance(rng, 0.7) else {}
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
            **triggers,
        },
        "assets": assets,
        "funds": [{"name": f"fund{i}"} for i in range(fund_count)],
        "markets": [random_market(rng, i, fund_count, account_count) for i in range(market_count)],
        "breakers": random_breakers(rng, market_count),
    }


def vary(config: Config, seed: int) -> None:
    """Give the configuration of a world further rules, without a change of what its own draws made."""
    strain(config, Random(seed + 10**9))  # noqa: S311 - it has to repeat, not to be secret
    if OTHER_WATERFALLS <= seed < FURTHER_RULES or (seed >= FURTHER_RULES and seed % 2 == 0):
        vary_waterfall(config, Random(seed + 2 * 10**9))  # noqa: S311 - as above
    if seed >= FURTHER_RULES:
        vary_further(config, Random(seed + 3 * 10**9))  # noqa: S311 - as above
    if seed >= BREAKERS:
        vary_rules(config, Random(seed + 4 * 10**9))  # noqa: S311 - as above


def random_policy(rng: Random) -> Config:
    """Return how much of a position a round closes."""
    buffer = rng.choice((0, 10_000, 50_000))
    return rng.choice(
        (
            {"type": "share"},
            {
                "type": "schedule",
                "lot": rng.choice((1, 2, 5)),
                "qty_max": rng.choice((None, 4, 20)),
                "cooldown_ns": rng.choice((0, 2, 6, 30)),
                "during": rng.choice(("whole", "wait", "wait_then_whole")),
            },
            {"type": "tier"},
            {"type": "restore", "buffer_ppm": buffer},
            {
                "type": "ramp",
                "buffer_ppm": buffer,
                "duration_ns": rng.choice((3, 10, 40)),
                "initial_ppm": rng.choice((0, 100_000, 500_000)),
                "full_below": rng.choice((0, 20, 500)),
            },
        )
    )


def random_limit(rng: Random) -> Config:
    """Return at which limit a position is closed."""
    curves: tuple[Config, ...] = (
        {"type": "stairstep", "factor_ppm": rng.choice((900_000, 990_000)), "step_ns": rng.choice((1, 3))},
        {"type": "linear", "duration_ns": rng.choice((5, 20, 100))},
    )
    return rng.choice(
        (
            {"type": "bankruptcy"},
            {"type": "none"},
            {
                "type": "fillable",
                "adjustment_ppm": rng.choice((500_000, 1_000_000, 2_000_000)),
                "spread_ppm": rng.choice((500_000, 1_500_000)),
            },
            {"type": "dutch", "start_ppm": rng.choice((900_000, 1_000_000, 1_200_000)), "curve": rng.choice(curves)},
        )
    )


def vary_waterfall(config: Config, rng: Random) -> None:
    """Give a world other policies of liquidation, terms of its funds and ways to share a loss."""
    share = {
        "type": "portfolio_share",
        "step_ppm": rng.choice((10_000, 200_000, 250_000)),
        "target_ppm": rng.choice((500_000, 900_000, 1_000_000)),
        "penalty_ppm": rng.choice((0, 200_000, 500_000)),
    }
    everywhere = chance(rng, 0.15)
    for market in config["markets"]:
        rows: Config = {
            "limit": random_limit(rng),
            "fee_rule": {
                "type": "margin_left",
                "liquidator": rng.choice((None, 0, 3)),
                "liquidator_ppm": rng.choice((0, 5_000, 10_000)),
            },
            "takeover": "mark",
            "assignment": {
                "price": rng.choice(("bankruptcy", "mark")),
                "order": rng.choice(("queue", "pro_rata")),
                "stage": rng.choice(("before_fund", "after_fund")),
            },
        }
        likely = {"limit": 0.6, "fee_rule": 0.3, "takeover": 0.4, "assignment": 0.6}
        market["liquidation"] |= {name: row for name, row in rows.items() if chance(rng, likely[name])}
        if market.get("cleared", True) and chance(rng, 0.4):
            average = {"average": {"window_ns": rng.choice((5, 40))}}
            market["settlement"] = {
                "price": rng.choice(("index", "mark", average)),
                "reduce_only_ns": rng.choice((0, 5, 40)),
                "notice_ns": rng.choice((None, 10, 60)),
            }
        if everywhere:
            market["liquidation"]["policy"] = dict(share)
            # Its penalty is the fee.
            market["liquidation"].pop("fee_rule", None)
        elif chance(rng, 0.7):
            market["liquidation"]["policy"] = random_policy(rng)
    for fund in config["funds"]:
        if chance(rng, 0.4):
            fund["cap"] = rng.choice((50, 500, 20_000))
        if chance(rng, 0.3):
            fund["paid_max"] = rng.choice((1, 20, 100, 2_000))
        if chance(rng, 0.7):
            trigger = rng.choice((50_000, 100_000, 300_000))
            fund["drawdown"] = {
                "trigger_ppm": trigger,
                "stop_ppm": trigger - rng.choice((1, 50_000)),
                "inclusive": chance(rng, 0.5),
                "window_ns": rng.choice((8, 40, 400, 10_000)),
            }
    if chance(rng, 0.6):
        sides = {
            "rate_step": rng.choice((1, 1, 5)),
            "rounding": rng.choice(("ceil", "floor")),
            "fee_pool": chance(rng, 0.5),
        }
        config["last_resort"] = rng.choice(({"two_sided": sides}, {"two_sided": sides}, "withdrawal_factor"))
    if chance(rng, 0.6):
        config["claims"] = True


def strain(config: Config, rng: Random) -> None:
    """Give some worlds margin rules beside the tiers, and every way to value their second asset."""
    if not chance(rng, 0.3):
        return
    if chance(rng, 0.5):
        config["liquidation_exit_ppm"] = rng.choice((1_100_000, 1_500_000))
    if chance(rng, 0.5):
        config["withdrawal_notional_ppm"] = rng.choice((100_000, 333_333))
    for market in config["markets"]:
        rules: Config = {"account_leverage": chance(rng, 0.6)}
        if chance(rng, 0.5):
            lower = rng.choice((0, 5_000, 50_000))
            rules["open_interest"] = {"lower": lower, "upper": lower + rng.choice((20_000, 500_000, 10**7))}
        if chance(rng, 0.6):
            kind, most = rng.choice((("root", 10_000_000), ("linear", 1_000_000)))
            maintenance = rng.randint(0, most)
            rules["size"] = {
                "type": kind,
                "initial_ppb": maintenance + rng.randint(0, most),
                "maintenance_ppb": maintenance,
                "unit": rng.choice((1, 3, 10)),
            }
        market["margin"] = rules
    for asset in config["assets"][1:]:
        strain_collateral(asset["collateral"], len(config["markets"]), rng)


def strain_collateral(rules: Config, market_count: int, rng: Random) -> None:
    """Change what an asset counts for."""
    rules["price"] = rng.choice(("index", "mark", "mark", "redemption"))
    if rules["price"] != "redemption" and chance(rng, 0.4):
        rules["price_floor"] = rng.randint(1, 300)
    if rules["price"] == "redemption" or chance(rng, 0.4):
        follows = rng.choice((None, rng.randrange(market_count)))
        value = rules["value_num"] * (100 if follows is None else 1)
        rules["redemption"] = {"market": follows, "value_num": value, "value_den": rules["value_den"]}
    if chance(rng, 0.4):
        rules["cap"] = rng.choice((100, 2_000, 10**6))
    if chance(rng, 0.4):
        rules["size_discount"] = {"factor_ppb": rng.randint(0, 50_000_000), "unit": rng.choice((1, 10))}
    if chance(rng, 0.4):
        rules["deposit_scale_start"] = rng.choice((100, 5_000, 10**6))


# ---------------------------------------------------------------------------------------------------------
# Commands
# ---------------------------------------------------------------------------------------------------------


class _Generator(Scenes, Further, Rules):
    """Writes the story of a world: positions, trouble, and whatever else a venue takes."""

    def at_edge(self, market: v.Market) -> int:
        """Choose a price at the edge of a breaker, or one tick beside it."""
        looks = [rule.look() for rule in self.oracle.breakers.of[market.number]]
        edges = [end for look in looks if look is not None for end in look.bounds if end is not None]
        price = self.rng.choice(edges or [market.mark]) + self.rng.choice((-1, 0, 0, 1))
        return v.clamp(price, 1, market.price_max)

    def advance(self) -> int:
        """Return the time of the next command."""
        now, rng = self.oracle.now, self.rng
        if self.chance(0.01):
            return now - rng.randint(1, 5)
        if self.chance(0.04):
            times = [m.phase_end for m in self.oracle.markets if m.phase_end > now]
            times += [m.funding.due for m in self.oracle.markets if m.funding is not None]
            times += [order.expiry for m in self.oracle.markets for order in m.open_orders() if order.expiry]
            times += self.oracle.levels.deadlines.values()
            if times:
                return max(now, min(rng.choice(times) + rng.randint(0, 1), now + 120))
        return now + rng.choice((0, 0, 1, 1, 2, 3))

    def all(self) -> Iterator[Record]:
        """Write the commands of a world, without end."""
        for record in self.story():
            while self.oracle.timers_pending and self.chance(0.85):
                yield command(v.PULSE, at=self.oracle.now, source=self.rng.randint(0, 3))
            while self.oracle.plans.awaited is not None and self.told.random() < 0.9:
                for planned in self.plan(self.oracle.plans.awaited):
                    yield {**planned, "at": self.oracle.now + self.told.choice((0, 0, 0, 1, 5))}
            # A scene may say when.
            at = record["at"] or self.advance()
            source = self.rng.randint(0, 3)
            for told in self.by_sources(record, at):
                yield {**told, "at": at, "source": source}

    def by_sources(self, record: Record, at: int) -> Iterator[Record]:
        """Write an Index as prices of sources, where the market has them."""
        market = next((m for m in self.oracle.markets if m.number == record["market"]), None)
        told = self.told
        if record["kind"] != v.INDEX or market is None or not market.sources.all or told.random() < 0.02:
            yield record
            return
        numbers = range(len(market.sources.all))
        if market.mark > 0 and told.random() < 0.3:
            numbers = range(told.choice(numbers), len(numbers))
        price = record["price"]
        for number in numbers:
            off = told.choice((0,) * 8 + (1, -1, price // 20, -price // 12))
            bid = max(1, price + off)
            ask = told.choice((0, 0, bid, bid + 1, bid + 4)) if told.random() < 0.97 else bid - 1
            seen = 0 if told.random() < 0.8 else max(0, at - told.choice((0, 1, 5, 30, 90, -1)))
            code = number if told.random() < 0.99 else len(market.sources.all)
            yield command(v.SOURCE, market=market.number, code=code, price=bid, qty=ask, amount=seen)
        if not market.sources.makes_index:
            yield record

    def story(self) -> Iterator[Record]:
        """Write the commands without their times."""
        yield from self.beginning()
        for _ in range(self.rng.randint(3, 5)):
            yield from self.change_margin_mode()
            yield from self.open_positions()
            for market in self.oracle.markets:
                if not phases.PHASES[market.phase].matches and self.chance(0.5):
                    yield command(v.SET_PHASE, market=market.number, code=phases.CONTINUOUS)
            if self.chance(0.6):
                yield from self.order_scene()
            yield from self.break_rules()
        while True:
            if self.chance(0.3):
                yield from self.fire_sale()
            yield from self.crash()
            for _ in range(self.rng.choice((0, 1, 1, 2))):
                yield from self.order_scene()
            yield from self.break_rules()
            for _ in range(self.rng.randint(1, 4)):
                yield from self.anything()
            yield from self.volunteer()
            yield from self.settle()
            yield from self.multiply()
            yield from self.change_margin_mode()
            yield from self.call()
            if self.oracle.funds.claims:
                yield from self.repay()
            if self.oracle.config["last_resort"] == "withdrawal_factor":
                yield command(
                    v.WITHDRAW, account=self.told.randrange(self.account_count), amount=self.told.choice((1, 50))
                )

    def volunteer(self) -> Iterator[Record]:
        """Let accounts be ready to take lots over, where there are volunteers."""
        for market in self.oracle.markets:
            if market.liquidation.get("assignment") and self.told.random() < 0.8:
                account, lots = self.told.randrange(self.account_count), self.told.choice((0, 1, 5, 30, 5001))
                yield command(v.VOLUNTEER, market=market.number, account=account, qty=lots)

    def settle(self) -> Iterator[Record]:
        """Plan the settlement of a market, or drop the plan."""
        for market in self.oracle.markets:
            if market.final.rules is not None and self.told.random() < 0.15:
                time = self.told.choice((0, self.oracle.now, *(self.oracle.now + n for n in (1, 10, 50, 200))))
                yield command(v.SETTLE, market=market.number, amount=time)

    def repay(self) -> Iterator[Record]:
        """Let an account that others claim from pay in again."""
        claim = self.told.choice(self.oracle.funds.claims)
        amount = max(1, claim.amount * self.told.choice((40, 100, 130)) // 100)
        yield command(v.DEPOSIT, account=claim.debtor, amount=amount)

    def beginning(self) -> Iterator[Record]:
        """Open accounts, deposit, and give the markets an index."""
        rng, oracle = self.rng, self.oracle
        for _ in range(self.account_count):
            group = rng.choice((0, 0, 0, 1, 2)) if self.chance(0.99) else o.MILLION**2
            mode = rng.choice((0, 0, 0, 1, 2, 3, 4)) if self.chance(0.99) else 5
            yield command(v.OPEN_ACCOUNT, order=group, code=mode)
        for market in oracle.markets:
            if not market.cleared and self.chance(0.6):
                continue
            if self.chance(0.02):
                yield self.place(0, market, o.BUY, self.start_prices[market.number], 1)
            price = self.start_prices[market.number]
            yield command(v.INDEX, market=market.number, price=price)
        scale = max(
            market.contract.notional(1, self.start_prices[market.number]) * market.initial_rates[0].rate
            for market in oracle.markets
        )
        for number in range(self.account_count):
            lots = 200 if number == 0 else rng.choice((5, 10, 20, 40))
            amount = max(1, scale * lots // o.MILLION)
            if len(oracle.assets) > 1 and self.chance(0.5):
                unit = oracle.collateral(1).sale(10**9)
                backed = max(1, amount * 10**9 // max(1, unit))
                yield command(v.DEPOSIT, account=number, code=1, amount=backed)
                amount = max(1, amount // 10)
            if self.chance(0.97):
                yield command(v.DEPOSIT, account=number, amount=amount)
        for fund in range(oracle.fund_count):
            if self.chance(0.5):
                amount = max(1, scale * rng.choice((1, 3, 10, 60)) // o.MILLION)
                yield command(v.FUND_DEPOSIT, code=fund, amount=amount)

    def open_positions(self) -> Iterator[Record]:
        """Let two accounts trade, one of them close to its limit."""
        rng, oracle = self.rng, self.oracle
        market = self.a_market()
        if market.mark == 0 and (market.cleared or self.chance(0.3)):
            yield command(v.INDEX, market=market.number, price=self.start_prices[market.number])
        maker = 0 if self.chance(0.4) else self.an_account()
        taker = self.an_account(besides=maker)
        lots = self.payable_lots(taker, market)
        qty = max(1, int(lots * rng.choice((0.3, 0.6, 0.9, 0.95, 1.0, 1.02))))
        qty = min(qty, max(1, self.payable_lots(maker, market)), market.order_qty_max)
        side = rng.choice((o.BUY, o.SELL))
        price = market.mark if self.chance(0.4) else self.near(market.mark, 30_000)
        if self.chance(0.15) and phases.PHASES[market.phase].block:
            buyer, seller = (taker, maker) if side == o.BUY else (maker, taker)
            yield command(v.BLOCK, market=market.number, account=buyer, order=seller, price=price, qty=qty)
            return
        more = rng.choice((0, 0, 1, 5))
        making = self.place(maker, market, 1 - side, price, min(qty + more, market.order_qty_max))
        yield from self.dressed(making) if self.chance(0.25) else iter((making,))
        code = rng.choice((0, 0, 0, 1, 1, 2, 3))
        if not phases.PHASES[market.phase].matches:
            code = 0
        yield self.place(taker, market, side, price, qty, code=code)
        if len(oracle.accounts) > 2 and self.chance(0.3):
            yield from self.rest_near(market)

    def rest_near(self, market: v.Market) -> Iterator[Record]:
        """Rest an order near the mark."""
        side = self.rng.choice((o.BUY, o.SELL))
        number = 0 if self.chance(0.3) else self.an_account()
        price = market.mark - o.direction(side) * self.rng.choice((0, 1, 1, 2, 3, 5, 10))
        if self.chance(0.25):
            price = self.at_edge(market)
        lots = self.payable_lots(number, market)
        qty = self.rng.choice((1, 2, 5, max(1, lots // 2), max(1, lots)))
        record = self.place(number, market, side, price, qty)
        yield from self.dressed(record) if self.chance(0.5) else iter((record,))

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
        if not phases.PHASES[market.phase].adl and self.chance(0.6):
            yield command(v.SET_PHASE, market=market.number, code=phases.CONTINUOUS)
        target = self.troubling_price(number, market)
        if self.chance(0.35):
            yield from self.thin_book(market, o.BUY if b > 0 else o.SELL)
        elif self.chance(0.5):
            # Someone rests around the price to come, for the slices to meet.
            bidder = 0 if self.chance(0.5) else self.an_account(besides=number)
            side = o.BUY if b > 0 else o.SELL
            record = self.place(bidder, market, side, self.near(target, 30_000), rng.choice((1, 3, 8, 20)))
            yield from self.dressed(record) if self.chance(0.3) else iter((record,))
        if market.marking.method != "index":
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
        return room * o.MILLION // max(1, market.size(oracle.positions(number)[market.number].base))

    def troubling_price(self, number: int, market: v.Market) -> int:
        """Return a price around an account's guard price, or past its bankruptcy."""
        rng, oracle = self.rng, self.oracle
        base = oracle.positions(number)[market.number].base
        equity, maintenance = oracle.equity(number), oracle.maintenance(number)
        room = rng.choice((equity - maintenance, equity, equity + maintenance, equity + 3 * maintenance))
        price = market.contract.price_of_loss(market.mark, base, room) if base else market.mark
        return v.clamp(price - v.sign(base) * rng.choice((0, 0, 1, 1, 2, 5)), market.price_min, market.price_max)

    def thin_book(self, market: v.Market, side: int) -> Iterator[Record]:
        """Cancel most of what rests on one side."""
        for order in list(market.book[side])[:4]:
            if self.chance(0.7) and market.find(order.number) is not None:
                yield self.cancel(market, order)

    def print_trade(self, market: v.Market, price: int) -> Iterator[Record]:
        """Trade one lot at a price, so that marks that follow trades go there."""
        book = market.book
        bid = book[o.BUY][0].price if book[o.BUY] else 0
        ask = book[o.SELL][0].price if book[o.SELL] else market.price_max + 1
        able = [a.number for a in self.oracle.accounts if not a.in_liquidation]
        able.sort(key=lambda a: self.oracle.initial(a) - self.oracle.equity(a))
        if len(able) < 2:
            return
        first, second = able[:2]
        if bid >= price:
            yield self.place(first, market, o.SELL, price, 1 + book[o.BUY][0].qty, code=1)
        elif ask <= price:
            yield self.place(first, market, o.BUY, price, 1 + book[o.SELL][0].qty, code=1)
        yield self.place(first, market, o.BUY, price, 1)
        yield self.place(second, market, o.SELL, price, 1, code=1)

    def anything(self) -> Iterator[Record]:
        """Do something of the rest of what a venue takes."""
        doings: tuple[tuple[int, Any], ...] = (
            (22, self.open_positions),
            (10, lambda: self.rest_near(self.a_market())),
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
        side = o.SELL if base > 0 else o.BUY
        qty = abs(base) if self.chance(0.5) else max(1, abs(base) * rng.randint(2, 9) // 10)
        loss = abs(oracle.equity(number)) * rng.choice((90, 110, 150, 250, 500)) // 100
        price = market.contract.price_of_loss(market.mark, v.sign(base) * qty, loss)
        price = v.clamp(price, market.price_min, market.price_max)
        friend = max(
            (a.number for a in oracle.accounts if a.number != number and not a.in_liquidation),
            key=oracle.equity,
            default=0,
        )
        if self.chance(0.4):
            buyer, seller = (friend, number) if side == o.SELL else (number, friend)
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
            yield from self.rest_near(market)
            return
        order = self.rng.choice(orders)
        price, qty = order.price, order.qty
        if self.chance(0.5):
            qty = max(1, qty - self.rng.randint(0, 3))
        else:
            opposite = market.book[1 - order.side]
            price = opposite[0].price if opposite and self.chance(0.3) else self.near(price, 20_000)
            qty = max(1, qty + self.rng.randint(-2, 4))
        yield self.replace(market, order, price, qty, order.account if self.chance(0.95) else self.an_account())

    def cancel_some(self) -> Iterator[Record]:
        """Cancel an order, or all of an account's."""
        market = self.a_market()
        orders = self.oracle.resting(market.number)
        if orders and self.chance(0.6):
            order = self.rng.choice(orders)
            yield self.cancel(market, order, order.account if self.chance(0.95) else self.an_account())
            return
        where = v.NO_MARKET if self.chance(0.5) else market.number
        yield command(v.CANCEL_ALL, market=where, account=self.an_account())

    def move_money(self) -> Iterator[Record]:
        """Deposit or withdraw, around what an account can spare."""
        rng, oracle = self.rng, self.oracle
        number = self.an_account()
        if any(market.margin["account_leverage"] for market in oracle.markets) and self.chance(0.4):
            asset, amount = rng.randrange(len(oracle.assets)), rng.choice((0, 1, 10, 500, 20_000))
            yield command(v.TRANSFER, account=number, order=self.an_account(), code=asset, amount=amount)
            leverage = rng.choice((-1, 0, 1, 2, 3, 5, 8, 40))
            yield command(v.SET_LEVERAGE, market=self.a_market().number, account=number, amount=leverage)
            return
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
        if phases.PHASES[phase].place == "rest" and market.mark > 0:
            for side in (o.BUY, o.SELL, o.BUY, o.SELL, o.SELL, o.BUY)[: rng.randint(1, 6)]:
                price = max(1, market.mark + o.direction(side) * rng.choice((-1, 0, 1, 2, 3, 5)))
                record = self.place(self.an_account(), market, side, price, rng.randint(1, 8))
                yield from self.dressed(record) if self.chance(0.3) else iter((record,))
        elif phase in (8, 9):
            yield from self.reduce()
        if self.chance(0.6):
            yield command(v.SET_PHASE, market=market.number, code=phases.CONTINUOUS)

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
            yield from self.rest_near(market)
            return
        side = o.SELL if base > 0 else o.BUY
        order = self.place(
            number, market, side, self.near(market.mark, 20_000), abs(base), code=self.rng.choice((0, 1, 3))
        )
        order["flags"] = o.REDUCE_ONLY
        order["qty"] = max(1, order["qty"] // self.rng.choice((1, 1, 2)) + self.rng.choice((0, 0, 0, 1)))
        yield order

    def nonsense(self) -> Iterator[Record]:
        """Write a command that is wrong in some way, or nearly right."""
        rng = self.rng
        kinds = (1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 10, 10, 11, 12, 13, 20, 21, 9)
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
            order=(rng.randint(0, self.oracle.accepted_count + 1) << o.SLOT_BITS),
        )
        if record["kind"] == v.BLOCK:
            record["order"] = self.an_account()
        name, values = rng.choice(
            (
                ("market", (7, v.NO_MARKET)),
                ("account", (99,)),
                ("side", (2,)),
                ("code", (3, 4, 9, 13)),
                ("flags", (1, 2, 3, 4, 8, 16, 256, mode_flags(6))),
                ("price", (0, -1, market.price_max + 1)),
                ("qty", (0, -1, market.order_qty_max + 1, market.position_max + 1)),
                ("amount", (0, -1, 10**12)),
                ("kind", (0, 8, 99, 200)),
            )
        )
        record[name] = rng.choice(values)
        yield record


def random_commands(rng: Random, config: Config, oracle: OracleVenue) -> Iterator[Record]:
    """Write the commands of one world.

    Each command is written from the oracle's state, so the caller applies it before asking for the next.
    """
    length = rng.randint(85, 120)
    for count, record in enumerate(_Generator(rng, config, oracle).all(), start=1):
        yield record
        if count == length:
            return
