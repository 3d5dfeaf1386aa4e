"""Topics of the fund, of shared losses, and of a whole round of the waterfall."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from seawall import Venue, _core, commands
from seawall.bare import bare_market, bare_venue
from seawall.commands import Records
from seawall.errors import VectorError
from seawall.protocol import EventKind, Side
from seawall.vectors.cases import Answer, Case, Scale, Topic, TradeUnits, ppm, units_of

__all__ = ["TOPICS"]

_SIGNS: Final = {"long": 1, "short": -1}


def _sign(side: object) -> int:
    if side not in _SIGNS:
        raise VectorError(f"side: {side!r} is unknown; known: {', '.join(_SIGNS)}")
    return _SIGNS[str(side)]


def _fund_delta(case: Case, scale: Scale) -> Answer:
    given = case.given
    amounts = [
        given["bankruptcy_quote"],
        given["fund_balance"],
        *(case.expect[k] for k in ("fund_delta", "fund_after")),
    ]
    units = TradeUnits.of(scale, [given["size"]], amounts)
    fill = (_sign(given["side"]) * units.qty(given["size"]), units.price(given["fill_price"]), units.tick)
    quote, fund = units.money(given["bankruptcy_quote"]), units.money(given["fund_balance"])
    delta, allowed, after = _core.fund_delta(fill, quote, ppm(given["max_fee_fraction"]), fund)
    return {"fund_delta": units.amount(delta), "allowed": allowed, "fund_after": units.amount(after)}


def _fund_delta_dimensions(case: Case) -> Mapping[str, list[str]]:
    return {"price": [case.given["fill_price"]]}


def _drawdown(case: Case, scale: Scale) -> Answer:
    given = case.given
    ratio, active, fund, winners = _core.drawdown(
        scale.units("money", given["pool_max"]),
        scale.units("money", given["symbol_loss"]),
        (-ppm(given["trigger_ratio"]), -ppm(given["stop_ratio"])),
        given["inclusive"],
        given["was_active"],
    )
    return {
        "ratio": Fraction(*ratio),
        "active": active,
        "fund_pays": scale.value("money", fund),
        "winners_pay": scale.value("money", winners),
    }


def _drawdown_dimensions(case: Case) -> Mapping[str, list[str]]:
    names = ("fund_pays", "winners_pay")
    return {"money": [case.given["pool_max"], case.given["symbol_loss"], *(case.expect[name] for name in names)]}


def _socialise(case: Case, scale: Scale) -> Answer:
    given = case.given
    if given["rounding"] not in ("ceil", "floor"):
        raise VectorError(f"rounding: {given['rounding']!r} is unknown; known: ceil, floor")
    sizes = [*given["longs"], *given["shorts"]]
    lots = units_of(sizes)
    pool = scale.units("money", given["fee_pool"])
    from_pool, rate, charges = _core.two_sided_loss(
        scale.units("money", given["loss"]),
        pool,
        [Scale({"size": lots}).units("size", size) for size in sizes],
        scale.units("money", str(Fraction(given["rate_step"]) / lots)),
        given["rounding"] == "ceil",
    )
    paid = [scale.value("money", charge) for charge in charges]
    return {
        "rate": None if rate is None else scale.value("money", rate) * lots,
        "long_charges": paid[: len(given["longs"])],
        "short_charges": paid[len(given["longs"]) :],
        "collected": Fraction(sum(paid)),
        "fee_pool_after": scale.value("money", pool - from_pool),
        "error": "no_open_interest" if rate is None else None,
    }


def _socialise_dimensions(case: Case) -> Mapping[str, list[str]]:
    given = case.given
    step = str(Fraction(given["rate_step"]) / units_of([*given["longs"], *given["shorts"]]))
    return {"money": [given["loss"], given["fee_pool"], step]}


_DEBT: Final = ("settle_balance", "perp_pnl", "other_health", "fund_balance", "settle_limit", "takeover_limit")
_RATES: Final = ("settle_price", "fund_price", "asset_weight", "liability_weight")
_RESOLVED: Final = ("settled", "fund_paid", "taken_over", "socialised", "settle_after", "perp_after")


def _negative_pnl(case: Case, scale: Scale) -> Answer:
    amounts = [scale.units("money", case.given[name]) for name in _DEBT]
    found = _core.negative_pnl(amounts, [ppm(case.given[name]) for name in _RATES])
    return {name: scale.value("money", units) for name, units in zip(_RESOLVED, found, strict=True)}


def _negative_pnl_dimensions(case: Case) -> Mapping[str, list[str]]:
    answer = [] if case.tolerance else [case.expect[name] for name in _RESOLVED]
    return {"money": [*(case.given[name] for name in _DEBT), *answer]}


_MAKER, _DEALER, _FILLER, _BACKSTOP, _DEBTOR, _FIRST_WINNER = range(6)
_RICH: Final = 10**17
_PRICE_MAX: Final = 2**24 - 1


def _waterfall_config(lots: int, accounts: int) -> dict[str, Any]:
    """Return a venue in which margin is all but nothing, so that the bankruptcy price alone speaks."""
    many = 4 * lots
    market = bare_market(
        "X",
        price_max=_PRICE_MAX,
        lots=many,
        liquidation={
            "enabled": True,
            "slice_ppm": 1_000_000,
            "slice_qty_min": 1,
            "full_below": 0,
            "fee_ppm": 1_000_000,
            "fund_limit_ppm": 0,
            "takeover": "mark",
        },
        adl={"enabled": True, "method": "pro_rata", "price": "bankruptcy", "band_ppm": None},
    )
    return bare_venue("waterfall", market, accounts=accounts, orders=10_000, money=2**60, backstop=_BACKSTOP)


def _block(account: int, side: int, qty: int, price: int) -> Records:
    """Return a trade of an account with the dealer."""
    buyer, seller = (account, _DEALER) if side > 0 else (_DEALER, account)
    return commands.block(at=0, market=0, buyer=buyer, seller=seller, price=price, qty=qty)


def _waterfall(case: Case, scale: Scale) -> Answer:
    """Build a venue with the line's accounts, book, fund and winners, move the index, and read the round's events."""
    given, sign = case.given, _sign(case.given["side"])
    lots, winners = given["lots"], given["winners"]
    entry, mark, collateral, fund = (
        scale.units("price", given[name]) for name in ("entry_price", "mark_price", "collateral", "fund_balance")
    )
    held, resting = sum(w["lots"] for w in winners), sum(level["lots"] for level in given["book"])
    accounts = _FIRST_WINNER + len(winners)
    venue = Venue.from_config(_waterfall_config(lots + held + resting, accounts))
    steps = [
        commands.open_account(at=0, count=accounts),
        *(commands.deposit(at=0, account=a, amount=_RICH) for a in range(accounts) if a != _DEBTOR),
        commands.deposit(at=0, account=_DEBTOR, amount=collateral),
        commands.index(at=0, market=0, price=entry),
        _block(_DEBTOR, sign, lots, entry),
    ]
    for number, winner in enumerate(winners):
        price = scale.units("price", winner["entry_price"])
        steps.append(_block(_FIRST_WINNER + number, -sign, winner["lots"], price))
    if fund:
        steps.append(commands.fund_deposit(at=0, amount=fund))
    # The dealer gives what it has left to an account that is neither a winner nor in danger at the mark.
    if held != lots:
        steps.append(_block(_FILLER, sign if lots < held else -sign, abs(held - lots), mark))
    side = Side.BUY if sign > 0 else Side.SELL
    for level in given["book"]:
        price = scale.units("price", level["price"])
        steps.append(commands.place(at=0, market=0, account=_MAKER, side=side, price=price, qty=level["lots"]))
    if (venue.apply(commands.batch(*steps))["kind"] == EventKind.REJECTED).any():
        raise VectorError("the venue refuses to build this situation")
    events = venue.apply(commands.index(at=0, market=0, price=mark))
    return _waterfall_answer(case, scale, events, venue)


def _waterfall_answer(case: Case, scale: Scale, events: Records, venue: Venue) -> Answer:
    def total(kind: EventKind, field: str, account: int | None = None) -> int:
        counted = (events["kind"] == kind) & (True if account is None else events["account"] == account)
        return int(events[counted][field].sum())

    sent = events[events["kind"] == EventKind.LIQUIDATION_ORDER]
    if len(sent) == 0:
        raise VectorError("the position is not liquidated at this mark")
    winners = range(_FIRST_WINNER, _FIRST_WINNER + len(case.given["winners"]))
    closed = [total(EventKind.ADL_FILL, "qty", winner) for winner in winners]
    book, taken = total(EventKind.FILL, "qty", _DEBTOR), total(EventKind.TAKEN_OVER, "qty")
    balances = venue.accounts()["balance"]
    return {
        "bankruptcy_price": scale.value("price", int(sent["amount"][0])),
        "book_lots": book,
        "fund_credit": scale.value("price", total(EventKind.FUND_RECEIVED, "amount")),
        "fund_lots": taken,
        "fund_after": scale.value("price", venue.audit()["assets"]["money"]["funds"]),
        "adl_lots": closed,
        "adl_cost": [scale.value("price", total(EventKind.ADL_FILL, "amount", winner)) for winner in winners],
        "winner_pnl": [scale.value("price", int(balances[winner]) - _RICH) for winner in winners],
        "uncovered_lots": case.given["lots"] - book - taken - sum(closed),
    }


def _waterfall_dimensions(case: Case) -> Mapping[str, list[str]]:
    given, expect = case.given, case.expect
    prices = [given["entry_price"], given["mark_price"], given["collateral"], given["fund_balance"]]
    prices += [row["price"] for row in given["book"]] + [row["entry_price"] for row in given["winners"]]
    return {"price": [*prices, expect["bankruptcy_price"]]}


TOPICS: Final[dict[str, Topic]] = {
    "fund.delta": Topic(
        function="seawall_core::fund_delta",
        given=frozenset({"side", "size", "bankruptcy_quote", "fill_price", "max_fee_fraction", "fund_balance"}),
        expect=frozenset({"fund_delta", "allowed", "fund_after"}),
        run=_fund_delta,
        dimensions=_fund_delta_dimensions,
    ),
    "fund.drawdown_trigger": Topic(
        function="seawall_core::drawdown",
        given=frozenset({"pool_max", "symbol_loss", "trigger_ratio", "stop_ratio", "inclusive", "was_active"}),
        expect=frozenset({"ratio", "active", "fund_pays", "winners_pay"}),
        run=_drawdown,
        dimensions=_drawdown_dimensions,
    ),
    "socialise.loss": Topic(
        function="seawall_core::two_sided_loss",
        given=frozenset({"longs", "shorts", "loss", "fee_pool", "rate_step", "rounding"}),
        expect=frozenset({"rate", "long_charges", "short_charges", "collected", "fee_pool_after", "error"}),
        run=_socialise,
        dimensions=_socialise_dimensions,
    ),
    "waterfall.resolve": Topic(
        function="seawall.Venue.apply",
        given=frozenset({"side", "lots", "entry_price", "collateral", "mark_price", "book", "fund_balance", "winners"}),
        expect=frozenset(
            {
                "bankruptcy_price",
                "book_lots",
                "fund_credit",
                "fund_lots",
                "fund_after",
                "adl_lots",
                "adl_cost",
                "winner_pnl",
                "uncovered_lots",
            }
        ),
        run=_waterfall,
        dimensions=_waterfall_dimensions,
    ),
    "waterfall.negative_pnl": Topic(
        function="seawall_core::negative_pnl",
        given=frozenset({*_DEBT, *_RATES}),
        expect=frozenset(_RESOLVED),
        run=_negative_pnl,
        dimensions=_negative_pnl_dimensions,
    ),
}
