"""The waterfall of the oracle: docs/mechanics.md section 8, from the page and in the plainest way.

Formulas are fractions and are rounded where the page rounds; nothing is kept that can be counted anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from . import adl, settlement
from .auction import RESTS_UNTIL_AUCTION, Offer
from .funds import OF_ACCOUNT, OF_FEES, OF_FUND, OF_SHORTFALL
from .levels import BACKSTOP, CLOSE_OUT
from .limits import LIMIT_REACHED, OF_ADL_ROUNDS, OF_COOLDOWN
from .margin import tier_of
from .orders import BUY, LIMIT, MILLION, OFFER, REDUCE_ONLY, SELL, Order, direction, inward_bound

if TYPE_CHECKING:
    from .venue import Incoming, Market, OracleVenue

ORDER_BOUNDED: Final = 112
LIQUIDATION_ORDER: Final = 511
LIQUIDATION_ENDED: Final = 512
TAKEN_OVER: Final = 513
LIQUIDATOR_PAID: Final = 514
VOLUNTEER_SET: Final = 515
ASSIGNED: Final = 516
ASSIGNMENT_REMAINDER: Final = 517
COLLATERAL_SOLD: Final = 522
SOCIALISED: Final = 540
BAD_DEBT: Final = 541
FEES_PAID: Final = 542

RECOVERED: Final = 1
CLOSED_OUT: Final = 2
BANKRUPT: Final = 3

REST: Final = 2
BY_LIQUIDATION: Final = 3
BY_BREAKER: Final = 4
TAKER: Final = 1
LIQUIDATION: Final = 2

FINE: Final = 2**40
"""Parts of a tick that a stairstep keeps."""
STEPS_MAX: Final = 1000
"""Steps of a stairstep that count."""
FEE_SHARE: Final = Fraction(95, 100)
"""Share of what is freed beyond need that a fee by margin left takes."""


def ppm(rate: int) -> Fraction:
    """Return a rate as a fraction."""
    return Fraction(rate, MILLION)


def within(low: Fraction | int, x: Fraction, high: Fraction | int) -> Fraction:
    """Return x limited to [low, high]."""
    return max(Fraction(low), min(Fraction(high), x))


@dataclass(slots=True)
class Pace:
    """What a liquidation remembers of one position since its first round came to it."""

    began: int
    mark: int
    freed: int = 0


@dataclass(slots=True)
class LastSlice:
    """When a schedule with a cooldown last closed a part of a position, and whether this liquidation did it."""

    at: int
    in_this: bool = True


class Met(NamedTuple):
    """What an order that closes a position has met."""

    side: int
    filled: int
    value: int
    """What a long position of it was worth at the prices of the fills, in parts."""


class Waterfall:
    """Liquidation of a venue's accounts, and what it remembers from round to round."""

    def __init__(self, venue: OracleVenue) -> None:
        self.venue = venue
        self.paces: dict[tuple[int, int], Pace] = {}
        self.slices: dict[tuple[int, int], LastSlice] = {}
        self.debts: dict[int, Market] = {}
        """Flat accounts whose debt is paid in parts, with the market whose fund pays."""

    def end(self, number: int, code: int) -> None:
        """Let an account leave."""
        self.paces = {key: pace for key, pace in self.paces.items() if key[0] != number}
        self.debts.pop(number, None)
        for (account, _), last in self.slices.items():
            if account == number:
                last.in_this = False
        self.venue.accounts[number].in_liquidation = False
        self.venue.touched.add(number)
        self.venue.emit(LIQUIDATION_ENDED, account=number, code=code, amount=self.venue.equity(number))

    def round(self, number: int) -> None:
        """Give one round to an account that has been taken off the queue: A to D."""
        venue = self.venue
        # A.
        for market in venue.markets:
            orders = [order for order in market.open_orders() if order.account == number]
            venue.cancel_orders(market, orders, BY_LIQUIDATION)
        # B.
        if venue.has_recovered(number):
            self.end(number, RECOVERED)
            return
        # C.
        if venue.is_flat(number):
            self.settle_debt(number, self.debts.get(number, venue.markets[0]))
            return
        equity, maintenance = venue.equity(number), venue.maintenance(number)
        taken: list[Market] = []
        is_below = venue.levels.is_below(equity, maintenance, BACKSTOP)
        if is_below:
            venue.levels.report(number, BACKSTOP, equity, maintenance)
            taken = self.take_all_over(number)
            if taken and venue.is_flat(number):
                self.settle_debt(number, taken[-1])
                return
            if taken and venue.has_recovered(number):
                self.end(number, RECOVERED)
                return
            equity, maintenance = venue.equity(number), venue.maintenance(number)
        is_closed_out = venue.levels.is_below(equity, maintenance, CLOSE_OUT)
        if is_closed_out:
            venue.levels.report(number, CLOSE_OUT, equity, maintenance)
        if not is_closed_out or venue.levels.has_book:
            self.offer_in_calls(number, is_closed_out=is_closed_out)
        # D.
        admitted = self.admitted(number)
        if not admitted:
            (venue.queue if taken else venue.parked).append(number)
            return
        market = max(admitted, key=lambda each: (self.weight(number, each), -each.number))
        stage = Round(self, number, market, admitted)
        stage.may_be_taken_over = venue.levels.backstop is None or is_below
        stage.run(is_closed_out=is_closed_out, is_begun=bool(taken))

    # 6.9: liquidations in a call.

    def offer_in_calls(self, number: int, *, is_closed_out: bool) -> None:
        """Offer the positions of an account in markets that collect orders."""
        venue = self.venue
        for market in venue.markets:
            has_position = venue.accounts[number].positions[market.number].base != 0
            if has_position and self.takes_offers(market):
                Round(self, number, market, [market]).offer(is_closed_out=is_closed_out)

    def takes_offers(self, market: Market) -> bool:
        """Tell whether accounts in liquidation may offer a position in a market now."""
        venue = self.venue
        return (
            venue.auctions[market.number].takes_offers
            and venue.collects_orders(market)
            and bool(market.liquidation["enabled"])
            and venue.may_close(market)
            and len(market.open_orders()) < venue.limits["orders_max"]
        )

    def looked_at(self, market: Market, order: Order) -> Offer:
        """Return an offer as it stands before the uncross."""
        return Offer(order, Round(self, order.account, market, [market]))

    def settle_offer(self, offer: Offer) -> None:
        """Take the fee of what was filled of an offer, and let the account have its next round."""
        venue, stage, number = self.venue, offer.stage, offer.order.account
        if offer.filled == 0:
            return
        met = Met(offer.order.side, offer.filled, offer.value)
        stage.pay_fees(stage.market, met, offer.bankruptcy, is_free=False, is_whole=offer.is_whole)
        if number in venue.parked:
            venue.parked.remove(number)
            venue.queue.append(number)

    def take_all_over(self, number: int) -> list[Market]:
        """Offer every position of an account to the backstop, each whole; return the markets where it took lots."""
        admitted = self.admitted(number)
        if not admitted:
            return []
        whole = Round(self, number, admitted[0], admitted)
        return [market for market in admitted if whole.offer_whole(market) > 0]

    def admitted(self, number: int) -> list[Market]:
        """Return the markets where an account has a position that may be liquidated now."""
        return [market for market in self.venue.markets if self.is_admitted(number, market)]

    def weight(self, number: int, market: Market) -> int:
        """Return what positions are compared by in D."""
        group = self.venue.group_of(number, market)
        if group is None:
            return self.venue.maintenance_of(number, market)
        self.venue.note("liquidation_of_group")
        return group.closes_by(self.venue.accounts[number], market)

    def is_admitted(self, number: int, market: Market) -> bool:
        """Tell whether a position may be liquidated now."""
        return (
            self.venue.accounts[number].positions[market.number].base != 0
            and self.venue.admits_liquidation(market)
            and self.venue.may_close(market)
            and bool(market.liquidation["enabled"])
        )

    # Settling the debt.

    def settle_debt(self, number: int, market: Market) -> None:
        """Settle what a flat account owes, in asset 0, and let it leave."""
        venue, funds = self.venue, self.venue.funds
        self.sell_collateral(number)
        owed = self.owed(number)
        if owed == 0:
            self.end(number, CLOSED_OUT)
            return
        budget = funds.budget(market)
        bounds = (owed, budget, funds.rules[market.fund]["paid_max"], venue.period.left_for(number))
        paid = min(bound for bound in bounds if bound is not None)
        funds.claim(number, OF_FUND, market.fund, paid, owed)
        funds.pay(number, market, paid)
        owed -= paid
        if owed > 0 and paid < budget:
            self.debts[number] = market
            may_go_on = venue.period.left_for(number) != 0
            (venue.queue if may_go_on else venue.parked).append(number)
            venue.note("debt_in_parts" if may_go_on else "debt_waits_for_period")
            return
        if owed > 0:
            self.last_resort(number, market, owed)
            owed = self.owed(number)
        if owed > 0:
            venue.transfer(("shortfall",), ("user", number, 0), owed)
            funds.claim(number, OF_SHORTFALL, 0, owed, owed)
            venue.emit(BAD_DEBT, account=number, amount=owed)
            venue.gate.close(number)
            rules = market.final.rules
            if rules is not None and rules["notice_ns"] is not None and market.final.time == 0:
                settlement.plan(venue, market, venue.now + rules["notice_ns"])
        self.end(number, BANKRUPT)

    def owed(self, number: int) -> int:
        """Return what an account owes in asset 0."""
        return max(0, -self.venue.balance(("user", number, 0)))

    def sell_collateral(self, number: int) -> None:
        """Sell other assets of an account while it owes asset 0."""
        venue = self.venue
        for asset in range(1, len(venue.assets)):
            owed, held = self.owed(number), venue.balance(("user", number, asset))
            if owed == 0:
                return
            rules = venue.collateral(asset)
            if held <= 0 or rules.sale(held) == 0:
                continue
            sold = held if rules.sale(held) <= owed else rules.sale_for(owed)
            received = rules.sale(sold)
            venue.transfer(("user", number, asset), ("treasury", asset), sold)
            venue.transfer(("treasury", 0), ("user", number, 0), received)
            venue.emit(COLLATERAL_SOLD, account=number, code=asset, qty=sold, amount=received)

    def last_resort(self, number: int, market: Market, loss: int) -> None:
        """Let others carry a loss, by the rule of the venue."""
        rule = self.venue.config["last_resort"]
        if rule in ("socialise", "socialise_equity"):
            self.socialise(number, market, loss, by_equity=rule == "socialise_equity")
        elif isinstance(rule, dict):
            self.share_by_interest(number, market, loss, rule["two_sided"])

    def charge(self, payer: int, number: int, market: Market, amount: int) -> None:
        """Move a charge to the debtor."""
        venue = self.venue
        if amount > 0:
            venue.funds.claim(number, OF_ACCOUNT, payer, amount, self.owed(number))
            venue.transfer(("user", payer, 0), ("user", number, 0), amount)
            venue.touched.add(payer)
            venue.emit(SOCIALISED, account=payer, market=market.number, amount=amount)

    def socialise(self, number: int, market: Market, loss: int, *, by_equity: bool) -> None:
        """Charge a loss to the accounts that have a profit in the market, or to all by their equity."""
        from .venue import largest_remainder  # noqa: PLC0415 - the venue imports this file

        venue = self.venue
        payers = [
            account.number
            for account in venue.accounts
            if account.number != number
            and not account.in_liquidation
            and (by_equity or venue.profit(account.number, market) > 0)
            and venue.equity(account.number) > 0
        ]
        equities = [venue.equity(payer) for payer in payers]
        weights = equities if by_equity else [venue.profit(payer, market) for payer in payers]
        caps = [min(weight, equity) for weight, equity in zip(weights, equities, strict=True)]
        for payer, amount in zip(payers, largest_remainder(loss, weights, caps), strict=True):
            self.charge(payer, number, market, amount)

    def share_by_interest(self, number: int, market: Market, loss: int, rule: dict[str, Any]) -> None:
        """Charge a loss to both sides of a market by their lots."""
        venue = self.venue
        if rule["fee_pool"]:
            paid = min(loss, max(0, venue.balance(("fees",))))
            if paid > 0:
                venue.funds.claim(number, OF_FEES, 0, paid, self.owed(number))
                venue.transfer(("fees",), ("user", number, 0), paid)
                venue.emit(FEES_PAID, account=number, market=market.number, amount=paid)
            loss -= paid
        sizes = {a.number: abs(a.positions[market.number].base) for a in venue.accounts}
        lots = sum(sizes.values())
        if loss == 0 or lots == 0:
            return
        steps = Fraction(loss, lots * rule["rate_step"])
        rate = rule["rate_step"] * (ceil(steps) if rule["rounding"] == "ceil" else floor(steps))
        for payer, size in sizes.items():
            self.charge(payer, number, market, rate * size)
        venue.funds.receive(number, market, venue.balance(("user", number, 0)))

    def left_behind(self, amount: int) -> int:
        """Return what a withdrawal of asset 0 leaves behind for what is missing."""
        venue = self.venue
        if venue.config["last_resort"] != "withdrawal_factor":
            return 0
        missing = -venue.balance(("shortfall",)) - sum(venue.fund(f) for f in range(venue.fund_count))
        if missing <= 0:
            return 0
        cash = -venue.balance(("external", 0)) - venue.balance(("fees",))
        return min(amount, missing, ceil(Fraction(amount * missing, cash + missing)))


class Round:
    """One round for an account with a position: E to K."""

    def __init__(self, waterfall: Waterfall, number: int, market: Market, admitted: list[Market]) -> None:
        self.waterfall, self.venue, self.number = waterfall, waterfall.venue, number
        self.market, self.admitted = market, admitted
        self.equity = self.venue.equity(number)
        self.maintenance = self.venue.maintenance(number)
        self.policy: dict[str, Any] = market.liquidation.get("policy", {"type": "share"})
        self.is_begun = self.is_closed_out = False
        self.may_be_taken_over = True
        self.shortage_at_first = 0

    def run(self, *, is_closed_out: bool, is_begun: bool) -> None:
        """Close what the policy says, and let the account leave, wait, or go on.

        Parameters
        ----------
        is_closed_out
            Whether the account is below the close-out level, so that the position goes whole.
        is_begun
            Whether the backstop has taken lots over in this round.
        """
        market, self.is_begun, self.is_closed_out = self.market, is_begun, is_closed_out
        self.shortage_at_first = self.shortage()
        if self.policy["type"] == "portfolio_share":
            self.end(self.close_everywhere())
            return
        self.pace(market)
        lots = self.within_limits(market, self.lots_of(market) if is_closed_out else self.slice_lots())
        closed = 0 if lots == 0 else self.close(market, lots, market_of_fee=True)
        if self.venue.plans.awaited is None:
            self.end(closed)

    def end(self, closed: int) -> None:
        """Let the account leave, wait, or go on, after so many lots were closed: K."""
        venue, number, market = self.venue, self.number, self.market
        if closed > 0 and self.policy.get("cooldown_ns", 0) > 0 and self.lots_of(market) > 0:
            self.waterfall.slices[number, market.number] = LastSlice(venue.now)
        if venue.is_flat(number):
            self.waterfall.settle_debt(number, market)
        elif closed == 0 and not self.is_begun:
            venue.parked.append(number)
        elif venue.has_recovered(number):
            self.waterfall.end(number, RECOVERED)
        else:
            pace = self.waterfall.paces.get((number, market.number))
            if pace is not None:
                pace.freed += max(0, self.shortage_at_first - self.shortage())
            venue.queue.append(number)

    # Of the position and the account.

    def lots_of(self, market: Market) -> int:
        """Return the size of the position."""
        return abs(self.venue.accounts[self.number].positions[market.number].base)

    def sign_of(self, market: Market) -> int:
        """Return b of the position."""
        return 1 if self.venue.accounts[self.number].positions[market.number].base > 0 else -1

    def share_of(self, market: Market) -> int:
        """Return the share of the equity that belongs to a position: E."""
        return floor(Fraction(self.equity * self.venue.maintenance_of(self.number, market), self.maintenance))

    def pace(self, market: Market) -> Pace:
        """Return what this liquidation remembers of the position, from now on if it is its first round."""
        return self.waterfall.paces.setdefault((self.number, market.number), Pace(self.venue.now, market.mark))

    def shortage(self) -> int:
        """Return what the account lacks to have its requirement and a buffer, as it stands."""
        venue, number = self.venue, self.number
        buffer: int = self.policy.get("buffer_ppm", 0)
        positions = [market.size(venue.accounts[number].positions[market.number].base) for market in venue.markets]
        needed = venue.call_requirement(number) if venue.levels.grace_ns else venue.maintenance(number)
        return needed + sum(ceil(n * ppm(buffer)) for n in positions) - venue.equity(number)

    # 8.1

    def slice_lots(self) -> int:
        """Return the lots that this round may close: F."""
        size = self.lots_of(self.market)
        match self.policy["type"]:
            case "share":
                return self.share_lots(size)
            case "schedule":
                return self.scheduled_lots(size)
            case "tier":
                is_grouped = self.venue.group_of(self.number, self.market) is not None
                lower = 0 if is_grouped else tier_of(self.market.maintenance_rates, self.notional()).lower
                return size if lower == 0 else size - floor((lower - 1) / self.market.lot_value())
            case "restore":
                return self.restoring_lots(size)
            case "ramp":
                return self.ramped_lots(size)
        raise AssertionError(self.policy)

    def share_lots(self, size: int) -> int:
        """Return a share of the position."""
        terms = self.market.liquidation
        if self.notional() <= terms["full_below"]:
            return size
        least: int = terms["slice_qty_min"]
        return min(size, max(least, ceil(size * ppm(terms["slice_ppm"]))))

    def scheduled_lots(self, size: int) -> int:
        """Return whole lots of a schedule with its cooldown."""
        terms, policy, during = self.market.liquidation, self.policy, self.policy["during"]
        slices = self.slices_that_count()
        if slices:
            if self.venue.now - max(slices) < policy["cooldown_ns"]:
                return size if during == "whole" else 0
            if during == "wait_then_whole":
                return size
        lots = size
        if self.notional() > terms["full_below"]:
            step = policy["lot"]
            lots = max(terms["slice_qty_min"], step * ceil(size * ppm(terms["slice_ppm"]) / step))
        return min(lots, size, size if policy["qty_max"] is None else policy["qty_max"])

    def slices_that_count(self) -> list[int]:
        """Return the times of the account's slices that a cooldown goes by."""
        times = []
        for market in self.venue.markets:
            last = self.waterfall.slices.get((self.number, market.number))
            if last is None:
                continue
            policy = market.liquidation["policy"]
            lasts = policy["during"] != "wait_then_whole" and self.venue.now - last.at < policy["cooldown_ns"]
            if last.in_this or lasts:
                times.append(last.at)
        return times

    def notional(self) -> int:
        """Return N of the position in hand."""
        return self.market.size(self.venue.accounts[self.number].positions[self.market.number].base)

    def rate_of(self, market: Market, base: int) -> int:
        """Return the maintenance rate of a position: that of its tier, or by size if that is greater."""
        group = self.venue.group_of(self.number, market)
        if group is not None:
            return group.rate(self.venue.accounts[self.number], market, base)
        tier = tier_of(market.maintenance_rates, market.size(base))
        return max(tier.rate, self.venue.size_rate(market, abs(base)))

    def liquidator(self) -> tuple[int | None, int]:
        """Return who shares in fees, if anybody, and at which rate."""
        rule = self.market.liquidation.get("fee_rule", {"type": "flat"})
        if rule["type"] != "margin_left" or rule["liquidator"] is None:
            return None, 0
        return rule["liquidator"], rule["liquidator_ppm"]

    def restoring_lots(self, size: int) -> int:
        """Return the lots whose closing restores margin and buffer."""
        market, venue = self.market, self.venue
        rate = self.rate_of(market, size * self.sign_of(market))
        freed = (
            (ceil(rate * ppm(venue.call_ppm)) if venue.levels.grace_ns else rate)
            + self.policy["buffer_ppm"]
            - self.liquidator()[1]
            - market.liquidation["fee_ppm"]
        )
        if freed <= 0:
            return size
        return max(1, min(size, floor(self.shortage() / (market.lot_value() * ppm(freed)))))

    def ramped_lots(self, size: int) -> int:
        """Return the lots that a ramp over time allows."""
        policy, shortage, pace = self.policy, self.shortage(), self.pace(self.market)
        allowed = Fraction(1)
        if shortage >= policy["full_below"]:
            elapsed = self.venue.now - pace.began
            reached = min(Fraction(1), Fraction(elapsed, policy["duration_ns"]) + ppm(policy["initial_ppm"]))
            allowed = within(0, (reached * (shortage + pace.freed) - pace.freed) / shortage, 1)
        return floor(self.restoring_lots(size) * allowed)

    def close_everywhere(self) -> int:
        """Close the same share of every position, and take the penalty; return the lots closed."""
        venue, policy = self.venue, self.policy
        step, penalty = ppm(policy["step_ppm"]), ppm(policy["penalty_ppm"])
        share = step
        while share < 1:
            left = self.equity - share * penalty * self.maintenance
            if left > 0 and self.maintenance * (1 - share) / left < ppm(policy["target_ppm"]):
                break
            share += step
        closed = 0
        for market in self.admitted:
            lots = self.within_limits(market, ceil(self.lots_of(market) * share))
            closed += 0 if lots == 0 else self.close(market, lots, market_of_fee=False)
        if closed > 0:
            taken = min(ceil(share * penalty * self.maintenance), max(0, venue.equity(self.number)))
            venue.funds.receive(self.number, self.market, taken)
        return closed

    # 8.2

    def limit(self, market: Market, bankruptcy: int) -> int:
        """Return the limit that the position may be closed at."""
        rule = market.liquidation.get("limit", {"type": "bankruptcy"})
        b = self.sign_of(market)
        match rule["type"]:
            case "bankruptcy":
                return bankruptcy
            case "none":
                return market.price_min if b > 0 else market.price_max
            case "fillable":
                short = ppm(rule["adjustment_ppm"]) * (1 - Fraction(self.equity, self.maintenance))
                given = self.venue.maintenance_of(self.number, market) * ppm(rule["spread_ppm"]) * within(0, short, 1)
                price = market.contract.price_of_loss(market.mark, b * self.lots_of(market), floor(given))
            case "dutch":
                pace = self.pace(market)
                fallen = falling_price(rule, pace.mark, self.venue.now - pace.began)
                price = fallen if b > 0 else 2 * pace.mark - fallen
            case _:
                raise AssertionError(rule)
        return market.contract.limited(price)

    # 8.7

    def within_limits(self, market: Market, lots: int) -> int:
        """Return what the limits of a period leave of a slice."""
        venue, value = self.venue, market.lot_value()
        found = venue.period.room(self.number, market, self.lots_of(market), value) if lots > 0 else None
        if venue.period.rules.get("phases") is not None:
            venue.note(f"limit_{'holds' if found else 'does_not_hold'}_in_a_phase")
        if found is None or lots <= found[0]:
            return lots
        room, limit = found
        venue.emit(LIMIT_REACHED, account=self.number, market=market.number, code=limit, qty=lots - room)
        return room

    # E, G to J.

    def close(self, market: Market, lots: int, *, market_of_fee: bool) -> int:
        """Close lots of a position through the stages; return how many were closed."""
        closed = self.close_in_stages(market, lots, market_of_fee=market_of_fee)
        self.venue.period.count(self.number, market, closed, market.notional(closed))
        return closed

    def bankruptcy(self, market: Market) -> tuple[int, int]:
        """Return the share of the equity that belongs to a position, and its bankruptcy price: E."""
        share = self.share_of(market)
        price = market.contract.price_of_loss(market.mark, self.sign_of(market) * self.lots_of(market), share)
        return share, market.contract.limited(price)

    def offer_whole(self, market: Market) -> int:
        """Offer all of a position to the backstop before anybody else; return how many lots it takes."""
        self.pace(market)
        share, bankruptcy = self.bankruptcy(market)
        lots = self.within_limits(market, self.lots_of(market))
        at_mark = market.liquidation.get("takeover", "bankruptcy") == "mark" and share < 0
        taken = self.take_over(market, lots, bankruptcy, at_mark=at_mark) if lots > 0 else 0
        self.venue.period.count(self.number, market, taken, market.notional(taken))
        return taken

    def close_in_stages(self, market: Market, lots: int, *, market_of_fee: bool) -> int:
        """Close lots of a position through the stages; return how many were closed."""
        venue, number, b = self.venue, self.number, self.sign_of(market)
        # E.
        share, bankruptcy = self.bankruptcy(market)
        limit = self.limit(market, bankruptcy)
        is_fillable = market.liquidation.get("limit", {"type": "bankruptcy"})["type"] == "fillable"
        is_beyond = is_fillable and b * (limit - bankruptcy) < 0
        # G.
        own, is_whole = self.own_limit(market, bankruptcy), lots == self.lots_of(market)
        left = lots
        if not self.is_closed_out or venue.levels.has_book:
            met = self.order(market, lots, limit=own, bankruptcy=bankruptcy, backed=False)
            left -= met.filled
            if met.filled > 0:
                fills = Met(met.order.side, met.filled, met.value)
                self.pay_fees(market, fills, bankruptcy, is_free=not market_of_fee, is_whole=is_whole)
        # H.
        at_mark = market.liquidation.get("takeover", "bankruptcy") == "mark"
        if left > 0 and venue.admits_liquidation(market) and self.may_be_taken_over:
            left -= self.take_over(market, left, bankruptcy, at_mark=at_mark and share < 0)
        left -= self.assign("before_fund", market, left, bankruptcy, share)
        # I.
        is_bankruptcy = market.liquidation.get("limit", {"type": "bankruptcy"})["type"] == "bankruptcy"
        is_backed = not at_mark and ((is_bankruptcy and share < 0) or is_beyond)
        may = left > 0 and is_backed and venue.admits_liquidation(market)
        if may and not venue.funds.is_on(market) and venue.funds.budget_for(number, market) > 0:
            reach = inward_bound(market.mark, market.liquidation["fund_limit_ppm"], SELL if b > 0 else BUY)
            reach = limit if is_fillable else max(market.price_min, reach)
            backed = self.order(market, left, limit=reach, bankruptcy=bankruptcy, backed=True)
            venue.funds.pay(number, market, market.contract.up(backed.cost))
            left -= backed.filled
        left -= self.assign("after_fund", market, left, bankruptcy, share)
        # J.
        triggered = share < 0 or market.adl.get("trigger") == "unfilled"
        if left > 0 and triggered and market.adl["enabled"] and venue.admits_adl(market):
            left -= self.deleverage(market, left, bankruptcy, before=lots - left)
        return lots - left

    def deleverage(self, market: Market, lots: int, bankruptcy: int, *, before: int) -> int:
        """Let winners close lots, if a cooldown and the limits of a period let them; return how many they close."""
        venue, number, began = self.venue, self.number, market.deleveraged.began
        if began is not None and venue.now - began < market.adl.get("cooldown_ns", 0):
            venue.emit(LIMIT_REACHED, account=number, market=market.number, code=OF_COOLDOWN, qty=lots)
            return 0
        if not venue.period.takes_adl_round():
            venue.emit(LIMIT_REACHED, account=number, market=market.number, code=OF_ADL_ROUNDS, qty=lots)
            return 0
        stage = adl.Round(venue, number, market, lots, bankruptcy)
        if market.adl["method"] == "external" and venue.plans.ask(stage, lambda k: self.go_on(market, before, k)):
            return 0
        return stage.run()

    def go_on(self, market: Market, before: int, closed: int) -> None:
        """Go on after a plan has closed some lots, where so many were closed before it."""
        self.venue.period.count(self.number, market, closed, market.notional(closed))
        self.end(before + closed)

    def order(self, market: Market, lots: int, *, limit: int, bankruptcy: int, backed: bool) -> Incoming:
        """Send an order that closes lots of a position; what it leaves is cancelled."""
        from .venue import Incoming  # noqa: PLC0415 - the venue imports this file

        venue = self.venue
        order = self.new_order(market, lots, limit)
        met = Incoming(order, order.price, 0, TAKER | LIQUIDATION, backed_at=bankruptcy if backed else None)
        self.report(market, order, bankruptcy, flags=1 if backed else 0)
        venue.match(market, met)
        if order.qty > 0:
            venue.cancel_order(market, order, BY_BREAKER if met.tripped else REST)
        return met

    def new_order(self, market: Market, lots: int, limit: int) -> Order:
        """Return an order that closes lots of a position, its limit tightened by the bands."""
        venue, number = self.venue, self.number
        side = SELL if self.sign_of(market) > 0 else BUY
        venue.accepted_count += 1
        order = Order(venue.accepted_count, number, side, limit, lots)
        order.price, bounded, _ = venue.breakers.bounded(market, order, limit, liquidation=True)
        if bounded is not None:
            venue.emit(ORDER_BOUNDED, **bounded | {"order": order.id})
        return order

    def report(self, market: Market, order: Order, bankruptcy: int, *, flags: int) -> None:
        """Report an order that closes lots of a position."""
        self.venue.emit(
            LIQUIDATION_ORDER,
            account=self.number,
            market=market.number,
            order=order.id,
            side=order.side,
            price=order.price,
            qty=order.qty,
            amount=bankruptcy,
            flags=flags,
        )

    def offer(self, *, is_closed_out: bool) -> None:
        """Let an order for a slice rest until the auction."""
        market = self.market
        self.pace(market)
        lots = self.lots_of(market) if is_closed_out else self.slice_lots()
        if lots == 0:
            return
        _, bankruptcy = self.bankruptcy(market)
        order = self.new_order(market, lots, self.own_limit(market, bankruptcy))
        order.code, order.flags = LIMIT, REDUCE_ONLY | OFFER
        self.report(market, order, bankruptcy, flags=RESTS_UNTIL_AUCTION)
        self.venue.rest(market, order)
        self.venue.note("offered")

    def own_limit(self, market: Market, bankruptcy: int) -> int:
        """Return the limit of an order that nobody backs: not beyond the bankruptcy price for a fillable one."""
        limit = self.limit(market, bankruptcy)
        is_fillable = market.liquidation.get("limit", {"type": "bankruptcy"})["type"] == "fillable"
        is_beyond = self.sign_of(market) * (limit - bankruptcy) < 0
        return bankruptcy if is_fillable and is_beyond else limit

    def pay_fees(self, market: Market, met: Met, bankruptcy: int, *, is_free: bool, is_whole: bool) -> None:
        """Take the fees of what filled, or let the fund pay for what filled beyond the bankruptcy price."""
        venue, number, terms = self.venue, self.number, market.liquidation
        b, contract = -direction(met.side), market.contract
        better = contract.down(b * (met.value - met.filled * contract.lot(bankruptcy)))
        value = abs(contract.down(b * met.value))
        delta = min(better, ceil(value * ppm(terms["fee_ppm"])))
        rule = terms.get("fee_rule", {"type": "flat"})
        if delta < 0:
            if venue.funds.budget_for(number, market) >= -delta:
                venue.funds.pay(number, market, -delta)
            return
        if is_free:
            return
        if rule["type"] in ("flat", "whole"):
            venue.funds.receive(number, market, delta if rule["type"] == "flat" or is_whole else 0)
            return
        liquidator, rate = self.liquidator()
        if liquidator is not None and liquidator < len(venue.accounts) and liquidator != number:
            paid = min(ceil(value * ppm(rate)), better)
            if paid > 0:
                venue.transfer(("user", number, 0), ("user", liquidator, 0), paid)
                venue.touched.add(liquidator)
                venue.emit(LIQUIDATOR_PAID, account=number, market=market.number, order=liquidator, amount=paid)
            better -= paid
        missing = Fraction(self.maintenance - self.equity, market.notional(met.filled))
        margin = self.rate_of(market, b * (self.lots_of(market) + met.filled))
        left = FEE_SHARE * (ppm(margin) - ppm(rate) - missing)
        venue.funds.receive(number, market, min(ceil(value * within(0, left, ppm(terms["fee_ppm"]))), better))

    def take_over(self, market: Market, lots: int, bankruptcy: int, *, at_mark: bool) -> int:
        """Let the backstop take lots over, if it can; return how many."""
        venue, number, backstop = self.venue, self.number, self.venue.backstop
        if backstop is None or backstop >= len(venue.accounts) or backstop == number:
            return 0
        if venue.accounts[backstop].in_liquidation:
            return 0
        b = self.sign_of(market)
        price, gap = bankruptcy, 0
        if at_mark:
            if venue.funds.is_on(market):
                return 0
            price = market.mark
            gap = market.owed(b, price, bankruptcy)
            budget = venue.funds.budget_for(number, market)
            lots = lots if gap == 0 else min(lots, market.contract.lots_for(budget, gap))
        if lots == 0:
            return 0
        equity, initial = venue.after_trade(backstop, market, b * lots, price)
        if equity < initial:
            return 0
        venue.trade(number, market, -b * lots, price)
        venue.trade(backstop, market, b * lots, price)
        side = SELL if b > 0 else BUY
        venue.emit(TAKEN_OVER, account=number, market=market.number, order=backstop, side=side, price=price, qty=lots)
        venue.funds.pay(number, market, market.contract.up(gap * lots))
        return lots

    # 8.5

    def assign(self, stage: str, market: Market, lots: int, bankruptcy: int, share: int) -> int:
        """Let volunteers take lots over; return how many."""
        venue, rules = self.venue, market.liquidation.get("assignment")
        if lots == 0 or rules is None or rules["stage"] != stage or not venue.admits_liquidation(market):
            return 0
        b, price, gap, wanted = self.sign_of(market), bankruptcy, 0, lots
        if rules["price"] == "mark" and share < 0:
            price = market.mark
            gap = market.owed(b, price, bankruptcy)
            payable = 0 if venue.funds.is_on(market) else lots
            budget = venue.funds.budget_for(self.number, market)
            wanted = min(payable, payable if gap == 0 else market.contract.lots_for(budget, gap))
        assigned = 0
        for volunteer, k in self.assignments(market, wanted, price):
            venue.trade(self.number, market, -b * k, price)
            venue.trade(volunteer, market, b * k, price)
            market.volunteers[volunteer] -= k
            left = market.volunteers[volunteer]
            if left == 0:
                del market.volunteers[volunteer]
            venue.emit(
                ASSIGNED,
                account=self.number,
                market=market.number,
                order=volunteer,
                side=SELL if b > 0 else BUY,
                price=price,
                qty=k,
                amount=left,
            )
            assigned += k
        venue.funds.pay(self.number, market, market.contract.up(gap * assigned))
        if assigned < lots:
            venue.emit(ASSIGNMENT_REMAINDER, account=self.number, market=market.number, qty=lots - assigned)
        return assigned

    def assignments(self, market: Market, lots: int, price: int) -> list[tuple[int, int]]:
        """Return who gets how many of some lots, in the order of assignment."""
        from .venue import largest_remainder  # noqa: PLC0415 - the venue imports this file

        asked = [
            number
            for number in market.volunteers
            if number != self.number and not self.venue.accounts[number].in_liquidation
        ]
        if market.liquidation["assignment"]["order"] == "queue":
            given = []
            for number in asked:
                k = self.carried(market, number, lots, price)
                given.append((number, k))
                lots -= k
        else:
            asked.sort()
            caps = [self.carried(market, number, lots, price) for number in asked]
            weights = [market.volunteers[number] for number in asked]
            given = list(zip(asked, largest_remainder(lots, weights, caps), strict=True))
        return [(number, k) for number, k in given if k > 0]

    def carried(self, market: Market, number: int, lots: int, price: int) -> int:
        """Return how many of some lots a volunteer can take."""
        venue, b = self.venue, self.sign_of(market)
        account = venue.accounts[number]
        held = b * account.positions[market.number].base + account.open[BUY if b > 0 else SELL][market.number]
        most = max(0, min(market.volunteers[number], lots, market.position_max - held))

        def carries(k: int) -> bool:
            equity, initial = venue.after_trade(number, market, b * k, price)
            return equity >= initial

        if most == 0 or carries(most):
            return most
        low, high = 0, most
        while high - low > 1:
            middle = low + (high - low) // 2
            low, high = (middle, high) if carries(middle) else (low, middle)
        return low


def falling_price(rule: dict[str, Any], mark: int, elapsed: int) -> int:
    """Return the price of a falling auction, as a buyer of a long sees it."""
    start, curve = floor(mark * ppm(rule["start_ppm"])), rule["curve"]
    if curve["type"] == "linear":
        duration: int = curve["duration_ns"]
        return start * max(0, duration - elapsed) // duration
    fine = start * FINE
    for _ in range(min(STEPS_MAX, elapsed // curve["step_ns"])):
        fine = floor(fine * ppm(curve["factor_ppm"]))
    return fine // FINE
