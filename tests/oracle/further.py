"""Further rules for random worlds: contracts, limits of a period, ways of deleveraging, levels, plans from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import orders as o
from . import phases
from . import venue as v
from .scenes import Writer, chance, command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from .orders import Config, Record
    from .plan import Request

METHODS = (
    *("queue", "queue", "pro_rata", "webster", "min_max", "hedge_aware", "rank_bands", "offset"),
    *("haircut_queue", "haircut_pro_rata"),
)
PRESET_NAMES = (None, None, None, None, "xetra", "euronext", "asx", "nasdaq", "bnb", "vega", "luld")
SCORES = (
    *("profit_leverage", "profit_margin_ratio", "price_ratio_literal", "price_ratio_signed", "profit"),
    *("profit_ratio", "leverage", "notional", "equity", "random"),
)


def contract_of(rng: Random, price_max: int) -> Config:
    """Return a contract that is not linear, whose lots are worth some hundreds or thousands."""
    if chance(rng, 0.4):
        return {"type": "quanto", "multiplier": rng.randint(1, 70), "scale": rng.choice((1, 3, 10, 1000))}
    face = rng.choice((20_000, 100_000, 600_000))
    scale = -(-o.MILLION * price_max // face) * rng.choice((1, 7, 1000))
    return {"type": "inverse", "face": face, "scale": scale, "price_min": rng.choice((1, 5, 25))}


def priced_by(config: Config) -> set[int]:
    """Return the markets whose prices value other assets."""
    rules = [asset["collateral"] for asset in config["assets"] if asset["collateral"]]
    markets = [rule["market"] for rule in rules]
    return {*markets, *(rule["redemption"]["market"] for rule in rules if rule.get("redemption"))} - {None}


def vary_contracts(config: Config, rng: Random) -> None:
    """Give markets inverse and quanto contracts."""
    for number, market in enumerate(config["markets"]):
        if not chance(rng, 0.45):
            continue
        contract = contract_of(rng, market["price_max"])
        if contract["type"] == "inverse" and number in priced_by(config):
            continue
        del market["tick_value"]
        market["contract"] = contract
        if contract["type"] == "inverse" and market["funding"] is not None:
            market["funding"].pop("accrual", None)


def random_adl(rng: Random, config: Config, number: int) -> Config:
    """Return a way of deleveraging."""
    method = rng.choice(METHODS)
    cuts = method.startswith("haircut")
    others = [i for i, m in enumerate(config["markets"]) if i != number and m.get("cleared", True)]
    rows: Config = {
        "trigger": rng.choice(("insolvent", "unfilled")),
        "fallback": rng.choice(("none", "bankruptcy")),
        "eligible": rng.choice(("in_profit", "realising", "anyone", "anyone")),
        "score": rng.choice(SCORES),
        "weight": rng.choice(("lots", "profit", "equity", "notional")),
        "fraction_ppm": rng.choice((100_000, 333_333, 1_000_000)),
        "correction_floor_ppm": rng.choice((0, 1000, 200_000)),
        "hedges": [{"market": i, "lots_ppm": rng.choice((-500_000, 300_000, 1_000_000))} for i in others],
        "risk": rng.choice(({"type": "power", "exponent": 2}, {"type": "threshold", "above_ppm": 2_000_000})),
        "lights": {"method": rng.choice(("cumulative_quantity", "equal_count")), "levels": rng.choice((1, 2, 5))},
        "size_band": {"share_ppm": rng.choice((100_000, 500_000, 1_000_000)), "window_ns": rng.choice((3, 20, 200))},
        "cooldown_ns": rng.choice((2, 10, 40)),
        "exempt": rng.choice((["group"], ["backstop"], ["group", "backstop"])),
        "carry": True,
    }
    if method == "offset":
        del rows["fallback"]
    if method == "offset" or cuts:
        del rows["correction_floor_ppm"]
    if cuts:
        del rows["size_band"]
    if method != "pro_rata":
        del rows["carry"]
    likely = {"carry": 0.7, "hedges": 0.9 if method == "hedge_aware" else 0.1, "cooldown_ns": 0.2, "size_band": 0.35}
    likely |= {"lights": 0.8, "correction_floor_ppm": 0.1}
    terms: Config = {"enabled": True, "method": method, "price": rng.choice(("bankruptcy", "mark", "index"))}
    terms["band_ppm"] = rng.choice((None, None, 10_000, 50_000))
    return terms | {name: row for name, row in rows.items() if chance(rng, likely.get(name, 0.4))}


def vary_adl(config: Config, rng: Random) -> None:
    """Give markets other ways of deleveraging, some of them planned from outside."""
    for number, market in enumerate(config["markets"]):
        if not chance(rng, 0.75):
            continue
        terms = random_adl(rng, config, number)
        planned = "correction_floor_ppm" not in terms and chance(rng, 0.35)
        if planned and market["liquidation"].get("policy", {"type": "share"})["type"] != "portfolio_share":
            terms["plan_fallback"] = terms["method"]
            terms["method"] = "external"
            terms.pop("carry", None)
            terms.pop("size_band", None)
        market["adl"] = terms


def vary_limits(config: Config, rng: Random) -> None:
    """Give a world limits of a period, a gate, multipliers, and losses that everybody carries."""
    if chance(rng, 0.4):
        rule = {"share_ppm": rng.choice((50_000, 200_000, 500_000)), "notional_min": rng.choice((1, 500, 3000))}
        config["block_limits"] = {
            "period_ns": rng.choice((0, 4, 20, 100)),
            "position": rule if chance(rng, 0.5) else None,
            "account_notional": rng.choice((None, None, 1500, 8000)),
            "account_fund_loss": rng.choice((None, None, 5, 60, 500)),
            "rounds": rng.choice((None, None, 1, 2, 5)),
            "adl_rounds": rng.choice((None, None, 1, 2)),
        }
        if chance(rng, 0.3):
            of_venue = dict.fromkeys(("account_fund_loss", "rounds", "adl_rounds"))
            named = rng.choice((["continuous"], ["guarded", "cooling_off"], ["continuous", "guarded", "reduce_only"]))
            config["block_limits"] |= {**of_venue, "position": rule, "phases": named}
    if chance(rng, 0.3):
        trigger = rng.choice(("negative_equity", "uncovered_loss"))
        config["withdrawal_gate"] = {"duration_ns": rng.choice((5, 30, 200)), "trigger": trigger}
    if chance(rng, 0.3):
        config["last_resort"] = "socialise_equity"
    for market in config["markets"]:
        if chance(rng, 0.4):
            market["margin"] = market.get("margin", {}) | {"multipliers": True}


def vary_levels(config: Config, rng: Random) -> None:
    """Give a world calls with deadlines, and levels."""
    policies = [market["liquidation"].get("policy", {"type": "share"})["type"] for market in config["markets"]]
    everywhere = "portfolio_share" in policies
    if chance(rng, 0.4) and not everywhere:
        config["margin_call_ppm"] = config["margin_call_ppm"] or 1_250_000
        config["margin_call_grace_ns"] = rng.choice((1, 5, 20, 60))
    levels: Config = {"fill": None, "close_out": None, "backstop": None}
    if chance(rng, 0.35):
        levels["fill"] = rng.choice(({"num": 0, "den": 1}, {"num": 1, "den": 2}, {"num": 1, "den": 1}))
        for market in config["markets"]:
            market.pop("allocation", None)
    if chance(rng, 0.35) and not everywhere:
        levels["close_out"] = {"below": {"num": rng.choice((2, 4)), "den": 5}, "book": chance(rng, 0.5)}
    if chance(rng, 0.35):
        config["backstop"] = rng.choice((0, 2))
        levels["backstop"] = {"num": rng.choice((1, 2, 3)), "den": 3}
    if any(levels.values()):
        config["levels"] = levels


def random_auction(rng: Random) -> Config:
    """Return rules of auctions: a preset, some of whose fields may be replaced, or fields alone."""
    rows: Config = {
        "candidates": rng.choice(("limits", "grid")),
        "surplus": rng.choice(("least", "any")),
        "pressure": rng.choice(("edge", "none", {"bounded": {"limit_ppm": rng.choice((10_000, 100_000))}})),
        "tie": rng.choice(("nearest", "clamp", "middle")),
        "reference": rng.choice(("mark", "last", "index", "midpoint")),
        "rounding": rng.choice(("down", "up")),
        "collar": {
            "around": rng.choice(("reference", "touch")),
            "width_ppm": rng.choice((5_000, 20_000, 100_000)),
            "width_min": rng.choice((0, 3)),
            "action": rng.choice(("confine", "refuse")),
        },
        "market_orders": rng.choice(("refused", "cancelled", "limit", "limit")),
        "allocation": rng.choice(("time", "market", "market")),
        "liquidations": True,
        "indicative": rng.choice(("pulse", "command")),
    }
    preset = rng.choice(PRESET_NAMES)
    share = 0.6 if preset is None else 0.2
    rules = {name: row for name, row in rows.items() if chance(rng, share)}
    return rules if preset is None else {"preset": preset, **rules}


def vary_auctions(config: Config, rng: Random) -> None:
    """Give markets rules of auctions."""
    policies = [market["liquidation"].get("policy", {"type": "share"})["type"] for market in config["markets"]]
    for market in config["markets"]:
        if chance(rng, 0.5):
            market["auction"] = random_auction(rng)
            if "portfolio_share" in policies:
                market["auction"].pop("liquidations", None)


def vary_portfolios(config: Config, rng: Random) -> None:
    """Let positions of linear markets be margined in a group."""
    able = [
        i
        for i, market in enumerate(config["markets"])
        if market.get("cleared", True) and market.get("contract", {"type": "linear"})["type"] == "linear"
    ]
    if not able or not chance(rng, 0.5):
        return
    moves = (-200_000, -100_000, -50_000, 0, 50_000, 100_000, 300_000)
    net = rng.choice((0, 20_000, 100_000))
    config["portfolios"] = [
        {
            "name": "group",
            "markets": able,
            "scenarios": [
                {"moves_ppm": [rng.choice(moves) for _ in able], "weight_ppm": rng.choice((1_000_000, 300_000))}
                for _ in range(rng.choice((1, 2, 4)))
            ],
            "net_ppm": net,
            "hedged_ppm": rng.choice((0, net // 2, 2 * net)),
            "contract_ppm": rng.choice((0, 10_000)),
            "maintenance_ppm": rng.choice((300_000, 600_000, 1_000_000)),
        }
    ]


def vary_further(config: Config, rng: Random) -> None:
    """Give a world some of all of them."""
    vary_contracts(config, rng)
    vary_adl(config, rng)
    vary_limits(config, rng)
    vary_levels(config, rng)
    vary_auctions(config, rng)
    vary_portfolios(config, rng)


class Further(Writer):
    """Writes commands that only these rules have."""

    def multiply(self) -> Iterator[Record]:
        """Multiply the rates of a market, or try to."""
        told = self.told
        for market in self.oracle.markets:
            if market.margin["multipliers"] and told.random() < 0.3:
                initial = told.choice((500_000, 1_000_000, 1_000_000, 2_000_000, 10_000_000, 20_000_000))
                maintenance = told.choice((500_000, 1_000_000, initial, initial + 1, 0, 100_000_001))
                yield command(v.SET_MULTIPLIER, market=market.number, qty=initial, amount=maintenance)
                if told.random() < 0.5:
                    yield command(v.SET_MULTIPLIER, market=market.number, qty=o.MILLION, amount=o.MILLION)

    def change_margin_mode(self) -> Iterator[Record]:
        """Let an account be margined in groups, or by tiers again."""
        if self.oracle.groups and self.told.random() < 0.5:
            account, mode = self.told.randrange(self.account_count), self.told.choice((1, 1, 1, 0, 2))
            yield command(v.SET_MARGIN_MODE, account=account, code=mode)

    def call(self) -> Iterator[Record]:
        """Collect orders in a market that has rules of auctions, and end the call, perhaps by time."""
        told, oracle = self.told, self.oracle
        for market in oracle.markets:
            if not market.auction_rules or market.mark == 0 or told.random() > 0.4:
                continue
            end = oracle.now + told.randint(2, 20) if told.random() < 0.4 else 0
            yield command(v.SET_PHASE, market=market.number, code=told.choice((phases.PRE_OPEN, 6, 6)), amount=end)
            if told.random() < 0.3:
                price = max(1, market.mark * told.choice((85, 92, 108, 115)) // 100)
                yield command(v.INDEX, market=market.number, price=price)
            for _ in range(told.randint(2, 8)):
                order = {"market": market.number, "account": told.randrange(self.account_count)}
                order |= {"side": told.choice((o.BUY, o.SELL)), "qty": told.choice((1, 2, 5, 12))}
                if told.random() < 0.4:
                    flags = o.REDUCE_ONLY if told.random() < 0.2 else 0
                    yield command(v.PLACE, **order, code=o.MARKET_ORDER, flags=flags)
                else:
                    off = told.choice((-30, -5, -2, -1, 0, 0, 1, 2, 5, 30))
                    flags = o.HIDDEN if told.random() < 0.1 else 0
                    yield command(v.PLACE, **order, price=max(1, market.mark + off), flags=flags)
                mine = market.unpriced[o.BUY] + market.unpriced[o.SELL]
                if mine and told.random() < 0.1:
                    named = mine[0].number << o.SLOT_BITS
                    kind = told.choice((v.CANCEL, v.REPLACE))
                    price = market.mark if kind == v.REPLACE else 0
                    yield command(kind, market=market.number, account=mine[0].account, order=named, price=price, qty=1)
            if told.random() < 0.3:
                yield command(v.PULSE)
            if told.random() < (0.3 if end else 0.9):
                yield command(v.SET_PHASE, market=market.number, code=phases.CONTINUOUS)

    def plan(self, request: Request) -> Iterator[Record]:
        """Plan a round of deleveraging, or do something that is refused meanwhile."""
        told, oracle = self.told, self.oracle
        stage = request.round(oracle)
        market, number = request.market.number, request.number

        def say(kind: int, **fields: int) -> Record:
            return command(kind, market=market, order=number, **fields)

        doing = told.random()
        if doing < 0.25:
            yield say(v.PLAN_COMMIT, code=told.choice((1, 1, 1, 1, 0, 2)))
        elif doing < 0.45:
            yield told.choice(
                (
                    command(v.PULSE),
                    command(v.PLAN_BEGIN, market=market, order=number + 1),
                    command(v.INDEX, market=market, price=request.market.index),
                    command(v.CANCEL_ALL, market=market, account=told.randrange(self.account_count)),
                    say(v.PLAN_ROW, account=told.choice((0, 99)), qty=1),
                )
            )
        elif stage is not None:
            yield say(v.PLAN_BEGIN)
            names, left = stage.candidates(), stage.payable()
            told.shuffle(names)
            for winner in names:
                cap = stage.cap(winner)
                k = told.choice((cap, min(cap, left), min(cap, left), min(cap, left), 1))
                if min(k, left) > 0 or told.random() < 0.1:
                    yield say(v.PLAN_ROW, account=winner, qty=k)
                    left -= k
            if told.random() < 0.1:
                yield say(v.PLAN_ROW, account=told.randrange(self.account_count), qty=told.choice((0, 1)))
            yield say(v.PLAN_COMMIT)
