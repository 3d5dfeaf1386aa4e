"""Breakers for random worlds: every reference, width, test and action of docs/mechanics.md, section 9."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import margin, phases
from . import orders as o
from . import venue as v
from .scenes import Writer, chance, command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from .breakers import Breaker
    from .orders import Config, Record

INTERRUPTIONS = (
    *("guarded", "cooling_off", "call_auction", "call_auction", "call_auction"),
    *("pause", "halted", "reduce_only", "close_only", "closed"),
)
REFERENCES = (
    *("set", "auction", "last", "aged", "mean", "window"),
    *("mark", "index", "slewed", "index_premium", "touch", "mid"),
)
WIDTHS = (*("ppm", "ticks", "by_side", "tiers", "quantile", "hours", "levels", "lesser_of", "greater_of"),)
STARTS_ANEW = ("last", "aged", "mean", "window", "slewed")
DAY = {"start_ns": 0, "length_ns": 86_400_000_000_000}


def random_reference(rng: Random, prices: str) -> Config:
    """Return a reference, rather one of what the test watches."""
    window = rng.choice((3, 10, 40))
    if chance(rng, 0.2):
        prices = rng.choice(("trade", "mark"))
    return rng.choice(
        (
            {"type": "set", "price": rng.choice((None, None, 200))},
            {"type": "auction"},
            {"type": "last", "prices": prices},
            {"type": "aged", "prices": prices, "age_ns": rng.choice((1, 5, 20)), "or_first": chance(rng, 0.5)},
            {
                "type": "mean",
                "window_ns": window,
                "hysteresis_ppm": rng.choice((0, 10_000, 50_000)),
                "life_ns": rng.choice((0, 4, 20)),
            },
            {"type": "window", "prices": prices, "window_ns": window},
            {"type": "mark"},
            {"type": "index"},
            {"type": "slewed", "most_ppm": rng.choice((5_000, 30_000))},
            {"type": "index_premium", "window_ns": window},
            {"type": "touch"},
            {"type": "mid"},
        )
    )


def random_width(rng: Random, day_ns: int, prices: str, *, deep: bool = True) -> Config:
    """Return a width, now and then one that is made of others."""
    share = rng.choice((10_000, 30_000, 60_000, 150_000, 400_000))
    plain: tuple[Config, ...] = (
        {"type": "ppm", "ppm": share},
        {"type": "ppm", "ppm": share, "step": rng.choice((2, 5))},
        {"type": "ticks", "ticks": rng.choice((1, 3, 8, 30, 100))},
        {"type": "ppm", "ppm": share, "of": random_reference(rng, prices)},
        {"type": "ppm", "ppm": 3_000_000, "of": {"type": "deviation", "window_ns": rng.choice((10, 40))}},
        {
            "type": "quantile",
            "drift_ppm": rng.choice((0, 500_000)),
            "volatility_ppm": rng.choice((400_000, 1_500_000)),
            "horizon_ns": rng.choice((10**12, 10**14)),
            "probability_ppb": rng.choice((900_000_000, 999_900_000)),
        },
    )
    if not deep or chance(rng, 0.7):
        return rng.choice(plain[:1] * 3 + plain)
    two = [random_width(rng, day_ns, prices, deep=False) for _ in range(2)]
    some = [{"type": "infinite"} if chance(rng, 0.2) else each for each in two]
    start = rng.choice((0, 1, min(5, day_ns - 1)))
    return rng.choice(
        (
            {"type": "by_side", "up": rng.choice((two[0], None)), "down": rng.choice((two[1], two[1], None))},
            {
                "type": "tiers",
                "by": rng.choice((None, None, random_reference(rng, prices))),
                "rows": [{"from": 0, "width": two[0]}, {"from": rng.choice((50, 150, 400)), "width": two[1]}],
            },
            {
                "type": "hours",
                "of": two[0],
                "rows": [{"from_ns": start, "until_ns": start + rng.choice((3, 100)), "multiple_ppm": 2_000_000}],
            },
            {"type": "lesser_of", "of": some},
            {"type": "greater_of", "of": some},
            {"type": "infinite"},
        )
    )


def references_of(part: object) -> list[str]:
    """Return the types of all references in ranges."""
    if isinstance(part, list):
        return [kind for each in part for kind in references_of(each)]
    if not isinstance(part, dict):
        return []
    own = [part["type"]] if part.get("type") in (*STARTS_ANEW, "auction") else []
    return own + [kind for each in part.values() for kind in references_of(each)]


def random_ranges(rng: Random, day_ns: int, prices: str) -> list[Config]:
    """Return one range, or several."""
    return [
        {
            "reference": random_reference(rng, prices),
            "width": random_width(rng, day_ns, prices),
            "reach": random_reference(rng, prices) if chance(rng, 0.1) else None,
        }
        for _ in range(rng.choice((1, 1, 1, 1, 2, 3)))
    ]


def random_meanwhile(rng: Random, config: Config, reached: list[int]) -> Config:
    """Return what else holds while a rule acts, with rates that all its markets can have."""
    row: Config = {
        "mark": rng.choice(("stands", "follows")),
        "gates_withdrawals": chance(rng, 0.5),
        "liquidation_rounds": rng.choice((None, 0, 1)),
    }
    rates: Config = {
        "initial_ppm": rng.choice((1_000_000, 2_000_000, 5_000_000)),
        "maintenance_ppm": rng.choice((1_000_000, 1_500_000, 2_000_000)),
        "leverage_max": rng.choice((None, 2, 5)),
    }
    for m in reached:
        market = config["markets"][m]
        tiers = margin.multiplied(market["tiers"], rates["initial_ppm"], rates["maintenance_ppm"])
        least = 0 if rates["leverage_max"] is None else o.ceil_div(o.MILLION, rates["leverage_max"])
        able = tiers is not None and margin.are_tiers(
            [tier | {"initial_ppm": max(least, tier["initial_ppm"])} for tier in tiers], config["margin_call_ppm"]
        )
        if not able or market.get("margin", {}).get("multipliers"):
            return row
    return row | {"margin": rates} if chance(rng, 0.6) else row


def random_exit(rng: Random, config: Config, phase: str, reached: list[int]) -> Config:
    """Return how an interruption ends."""
    after = rng.choice((None, 3, 10, 30))
    if phase == "closed":
        after = None
    row: Config = {"after_ns": after, "random_ns": rng.choice((0, 0, 7)) if after else 0}
    if phase in ("halted", "pause"):
        row["auction_ns"] = rng.choice((None, 0, 5))
    if (phase == "call_auction" and after) or (after and row.get("auction_ns")):
        kind = rng.choice(("none", "plain", "plain", "collar", "re_reference"))
        if kind != "none":
            row["extension"] = {"after_ns": rng.choice((3, 8)), "most": rng.choice((None, 1, 3))}
        if kind == "collar":
            row["extension"]["collar"] = {
                "step_ppm": rng.choice((10_000, 50_000)),
                "flat": rng.choice((None, {"step": 4, "up_to": 300})),
                "rounding": rng.choice(({"type": "inward"}, {"type": "half_up", "step": 5})),
            }
        elif kind == "re_reference":
            row["extension"]["re_reference"] = rng.choice((1, 5))
    if chance(rng, 0.5):
        row["meanwhile"] = random_meanwhile(rng, config, reached)
        if (phase == "call_auction" or row.get("auction_ns")) and chance(rng, 0.8):
            row["meanwhile"]["mark"] = rng.choice(("auction", "auction_and_mark"))
    return row


def random_depth(rng: Random, test: str) -> Config:
    """Return the numbers of a test that looks at depth."""
    row: Config = {"width_ppm": rng.choice((20_000, 100_000, 500_000, 1_000_000))}
    if test == "pending":
        return row | {"share_ppm": rng.choice((1, 200_000, 500_000, 1_000_000, 3_000_000))}
    value = {"type": "value", "least": rng.choice((1, 200, 1000, 4000))}
    mean = {"type": "mean", "share_ppm": rng.choice((300_000, 500_000, 1_000_000)), "window_ns": rng.choice((5, 60))}
    return row | {"below": rng.choice((value, mean, mean))}


def random_rule(rng: Random, config: Config, name: str) -> Config:  # noqa: C901, PLR0912, PLR0915 - a row of the page each
    """Return one rule."""
    every = list(range(len(config["markets"])))
    markets = every if chance(rng, 0.5) else [rng.choice(every)]
    days = [config["markets"][m].get("day", DAY)["length_ns"] for m in markets]
    test = rng.choice(
        (
            *("entry", "entry", "trade", "trade", "trade", "trade", "mark", "manual", "index", "quote", "gap", "count"),
            *("entry", "depth", "pending"),
        )
    )
    rule: Config = {"name": name, "markets": markets, "test": {"type": test}}
    if chance(rng, 0.05):
        rule["enabled"] = False
    interrupts: object = "own"
    if test not in ("quote", "gap") and chance(rng, 0.3):
        interrupts = rng.choice(("venue", {"group": sorted(rng.sample(every, rng.randint(1, len(every))))}))
    reached = (
        every if interrupts == "venue" else [*markets, *(interrupts["group"] if isinstance(interrupts, dict) else [])]
    )
    ranges = random_ranges(rng, min(days), "mark" if test in ("mark", "index") else "trade")
    phase = rng.choice(INTERRUPTIONS)
    action: Config = {"type": "interrupt", "phase": phase}
    if test == "entry":
        rule["test"]["passive"] = chance(rng, 0.3)
        action = {"type": rng.choice(("cap", "cap", "reject"))}
    elif test == "trade":
        action = rng.choice(({"type": "reject"}, {"type": "stop"}, action, action, action))
        if action["type"] == "interrupt":
            rule["test"] |= {
                "immediate": rng.choice(("trips", "spared")),
                "rest": rng.choice(("cancelled", "rests")),
                "auction": chance(rng, 0.4),
            }
    elif test == "quote":
        close = rng.choice((None, 1, min(days) - 1))
        action = {"type": "limit_state", "hold_ns": rng.choice((3, 10)), "close_ns": close, "close_only_ns": 10}
        phase = "pause"
    elif test == "gap":
        action = {"type": "gaps", "rows": [{"gap_ns": 3, "after_ns": 5}, {"gap_ns": 20, "after_ns": 12}]}
    elif test == "count":
        of = rng.choice(("liquidations", "liquidations", "liquidated", "deleveraged", "fund_paid", "drawdowns"))
        least = rng.choice((1, 2, 3)) if of in ("liquidations", "drawdowns") else rng.choice((1, 200, 3000))
        rule["test"] |= {"of": of, "window_ns": rng.choice((1, 10, 60)), "least": least}
    elif test in ("depth", "pending"):
        rule["test"] |= random_depth(rng, test)
    elif test == "index" and chance(rng, 0.5):
        ranges = ranges[:1]
        ranges[0] |= {"width": {"type": "levels", "ppm": [40_000, 90_000, 200_000]}, "reach": None}
        action = {"type": "schedule", "rows": schedule_rows(rng, min(days))}
    if test not in ("manual", "gap", "count", "depth", "pending"):
        rule |= {
            "ranges": ranges,
            "when": rng.choice(("outside_any", "outside_any", "outside_all")),
            "inclusive": chance(rng, 0.6),
            "rounding": rng.choice(
                (
                    {"type": "inward"},
                    {"type": "inward"},
                    {"type": "half_up", "step": 3},
                    {"type": "half_even", "step": 4},
                )
            ),
        }
    rule["exempt"] = [flow for flow in ("liquidation", "reduce_only", "post_only") if chance(rng, 0.2)]
    rule["action"] = action
    if action["type"] in ("interrupt", "limit_state", "gaps", "schedule"):
        rule["interrupts"] = interrupts
        rule["exit"] = random_exit(rng, config, phase, reached)
        if action["type"] == "schedule":
            # Whether an auction follows is said by its rows.
            rule["exit"].pop("extension", None)
            if "auction" in rule["exit"].get("meanwhile", {}).get("mark", ""):
                rule["exit"]["meanwhile"]["mark"] = "stands"
        if (rule["exit"].get("extension") or {}).get("re_reference") is not None:
            if test == "trade":
                plain = {"type": "ppm", "ppm": rng.choice((10_000, 30_000, 100_000))}
                rule["ranges"] = [rule["ranges"][0] | {"width": plain, "reach": None}]
            else:
                del rule["exit"]["extension"]["re_reference"]
        again = references_of(rule.get("ranges", []))
        rule["rearm"] = {
            "restart": chance(rng, 0.5) and any(kind in STARTS_ANEW for kind in again),
            "cooldown_ns": rng.choice((0, 0, 5, 30)),
            "per_day": rng.choice((None, None, None, 1, 3)),
        }
        has_call = "phase" in action and phase == "call_auction" and rule["exit"]["after_ns"]
        if (
            bool(again)
            and action["type"] != "schedule"
            and (has_call or (rule["exit"].get("auction_ns") and rule["exit"]["after_ns"]))
        ):
            rule["rearm"]["auction"] = chance(rng, 0.5)
    return rule


def schedule_rows(rng: Random, day_ns: int) -> list[Config]:
    """Return what the levels of a schedule do."""
    rows: list[Config] = [
        {"level": 1, "from_ns": 0, "phase": "halted", "after_ns": 4, "auction_ns": rng.choice((0, 3))},
        {"level": 1, "from_ns": min(5, day_ns - 1), "phase": None, "after_ns": None, "auction_ns": 0},
        {"level": 2, "from_ns": 0, "phase": rng.choice(("pause", "call_auction")), "after_ns": 9, "auction_ns": 2},
        {"level": 3, "from_ns": 0, "phase": rng.choice(("halted", "closed")), "after_ns": None, "auction_ns": 0},
    ]
    return rows[: rng.choice((1, 3, 4))]


def vary_rules(config: Config, rng: Random) -> None:
    """Give a world breakers of every kind."""
    rules = [random_rule(rng, config, f"breaker{i}") for i in range(rng.choice((1, 2, 2, 3, 4)))]
    config["breakers"] = [*config["breakers"], *rules] if chance(rng, 0.5) else [*rules, *config["breakers"]]
    config["seed"] = rng.choice((0, 1, 2**64 - 1))


class Rules(Writer):
    """Writes commands that are about breakers."""

    def break_rules(self) -> Iterator[Record]:
        """Go to the edges of rules, change them, let them act, and let what they began end."""
        told, oracle = self.told, self.oracle
        if not self.has_rules:
            return
        for _ in range(told.randint(1, 4)):
            rules = [rule for rules in oracle.breakers.of for rule in rules]
            rule = told.choice(rules)
            doing = told.random()
            if doing < 0.12:
                yield self.a_change(rule)
                # A price that is told may leave no price of the market inside.
                if rule.kind in ("entry", "quote") and rule.market.mark > 0:
                    yield from self.meet_at_edge(rule)
            elif doing < 0.2:
                yield self.an_interruption(rule)
            elif doing < 0.3:
                yield command(v.PULSE, at=oracle.now + told.choice((4, 9, 25)))
            elif doing < 0.42:
                ends = [market.phase_end for market in oracle.markets if market.phase_end > oracle.now]
                yield command(v.PULSE, at=min(ends, default=oracle.now))
            elif rule.market.mark > 0:
                yield from self.meet_at_edge(rule)

    @property
    def has_rules(self) -> bool:
        """Tell whether this world has breakers that others do not have."""
        return any(rule["name"].startswith("breaker") for rule in self.oracle.config["breakers"])

    def a_change(self, rule: Breaker) -> Record:
        """Write a SetRule."""
        told, market = self.told, rule.market
        price = max(1, market.mark + told.choice((-20, -3, 0, 0, 4, 30)))
        what = told.choice((0, 0, 1, 1, 2, 2, 2, 3))
        value = told.choice(((0, 1, 1, 1, 2), (20_000, 100_000, 10**9 + 1), (price, price, 1, 1, 0), (1,))[what])
        where = told.choice((market.number, market.number, v.NO_MARKET, 99))
        code = rule.number if told.random() < 0.95 else 77
        return command(v.SET_RULE, market=where, code=code, flags=what, amount=value)

    def an_interruption(self, rule: Breaker) -> Record:
        """Write an Interrupt."""
        told, market, now = self.told, rule.market, self.oracle.now
        return command(
            v.INTERRUPT,
            market=market.number if told.random() < 0.95 else v.NO_MARKET,
            code=rule.number if told.random() < 0.95 else 77,
            flags=told.choice((4, 5, 5, 6, 6, 7, 8, 9, 10, 11, 1, 12)),
            side=told.choice((0, 0, 1, 2)) if told.random() < 0.3 else 0,
            price=told.choice((0, market.mark, market.mark + 5)),
            qty=market.mark,
            order=told.choice((0, max(1, market.mark - 10))),
            account=told.choice((0, market.mark + 10)),
            amount=told.choice((0, now, now + 2, now + 8, now + 20, now + 20)),
        )

    def meet_at_edge(self, rule: Breaker) -> Iterator[Record]:
        """Bring a price to the edge of a rule, or one tick beside it."""
        told, market = self.told, rule.market
        look = rule.look()
        ends = [] if look is None else [end for end in look.bounds if end is not None]
        edge = told.choice(ends or [market.mark]) + told.choice((-1, 0, 0, 1, 1))
        price = v.clamp(edge, market.price_min, market.price_max)
        if rule.kind in ("mark", "index") or told.random() < 0.1:
            if rule.does == "schedule" and look is not None:
                share = told.choice((30_000, 40_000, 50_000, 100_000, 250_000))
                price = v.clamp(
                    look.references[1] * (o.MILLION - share) // o.MILLION, market.price_min, market.price_max
                )
            yield command(v.INDEX, market=market.number, price=price)
            return
        step = market.entry["price_step"]
        price = max(step, price // step * step)
        first, second = told.randrange(self.account_count), told.randrange(self.account_count)
        side = told.choice((o.BUY, o.SELL))
        qty = max(market.entry["qty_min"], told.choice((1, 2, 4)))
        if market.phase in (phases.PRE_OPEN, phases.CALL_AUCTION):
            for number, each in ((first, o.BUY), (second, o.SELL)):
                yield self.place(number, market, each, price, qty)
            if "auction" in self.oracle.breakers.mark_rule(market):
                index = v.clamp(price + told.choice((-30, -3, 4, 40)), market.price_min, market.price_max)
                yield command(v.INDEX, market=market.number, price=index)
            return
        if rule.kind == "quote" and told.random() < 0.6:
            yield self.place(first, market, side, price, qty)
            return
        if told.random() < 0.4:
            near = max(step, market.mark // step * step)
            yield self.place(first, market, side, near, qty)
        yield self.place(first, market, side, price, qty)
        code = told.choice((0, 0, 0, 1, 2, 3))
        flags = told.choice((0, 0, 0, 0, o.REDUCE_ONLY, o.POST_ONLY))
        if code:
            flags &= ~o.POST_ONLY
        far = price + o.direction(1 - side) * told.choice((0, 0, 3, 40))
        limit = 0 if code == o.MARKET_ORDER else v.clamp(far // step * step, step, market.price_max)
        taking = self.place(second, market, 1 - side, limit, qty + told.choice((0, 0, qty)), code=code)
        yield taking | {"flags": flags}
