//! The waterfall: own orders, book, backstop, fund, auto-deleveraging, last resort. One round at a time.
//!
//! Holds the queue and the branches of policy; the order of the stages is that of docs/mechanics.md section 8 and
//! each stage moves money in the ledger with an event of its own. Bounded: a round closes at most one slice.

use crate::book::NO_SLOT;
use crate::codec::{CodecError, Reader, Writer};
use crate::config::LastResort;
use crate::deleverage::{self, Residual};
use crate::floor::{Floor, Flow, Incoming, Swept};
use crate::insurance;
use crate::ledger::{self, Place};
use crate::margin::{self, Health};
use crate::protocol::{CancelReason, Events, Record, SelfTrade, event, event_of};
use crate::units::{
    AccountId, FundId, MarketId, Money, Price, Qty, Side, Sum, TickValue, VALUATION, largest_remainder,
};
use std::collections::VecDeque;

/// Accounts in liquidation: those that wait for a round, and those that wait for a new index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<AccountId>,
    parked: Vec<AccountId>,
}

/// How an account left the queue.
#[derive(Debug, Clone, Copy)]
enum Ended {
    Recovered,
    Closed,
    Bankrupt,
}

impl Ended {
    fn code(self) -> u16 {
        match self {
            Self::Recovered => 1,
            Self::Closed => 2,
            Self::Bankrupt => 3,
        }
    }
}

/// What a round works on: a slice of one position of one account.
#[derive(Debug, Clone, Copy)]
struct Slice {
    account: AccountId,
    market: MarketId,
    /// Side of the position.
    side: Side,
    /// Lots still to close.
    lots: Qty,
    bankruptcy: Price,
    /// The account's share of equity behind the position is negative: the fund or others must pay.
    insolvent: bool,
    mark: Price,
    tick: TickValue,
    fund: FundId,
}

impl Queue {
    /// Accounts that wait for a round.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Accounts that wait for a new index.
    pub(crate) fn parked(&self) -> usize {
        self.parked.len()
    }

    /// A newly endangered account joins the back.
    pub(crate) fn join(&mut self, account: AccountId) {
        self.waiting.push_back(account);
    }

    /// A new index gives the parked accounts another chance.
    pub(crate) fn unpark(&mut self) {
        self.waiting.extend(self.parked.drain(..));
    }

    /// Step 8: up to `rounds` rounds.
    pub(crate) fn resolve(&mut self, floor: &mut Floor, rounds: u32, events: &mut Events) {
        for _ in 0..rounds {
            let Some(account) = self.waiting.pop_front() else { return };
            self.round(floor, account, events);
        }
    }

    fn round(&mut self, floor: &mut Floor, account: AccountId, events: &mut Events) {
        for market in floor.market_ids() {
            floor.cancel_all(market, account, CancelReason::Liquidation, events);
        }
        let health = floor.health(account);
        if !health.is_liquidatable() {
            return leave(floor, account, Ended::Recovered, events);
        }
        if is_flat(floor, account) {
            return settle_debt(floor, account, MarketId::new(0), events);
        }
        let Some(mut slice) = choose(floor, account, &health) else { return self.parked.push(account) };
        let planned = slice.lots;
        to_book(floor, &mut slice, events);
        if slice.lots.is_positive() {
            to_backstop(floor, &mut slice, events);
        }
        // The phase is read anew each time: a breaker may have tripped in the stage before.
        if slice.lots.is_positive() && slice.insolvent {
            to_fund(floor, &mut slice, events);
        }
        if slice.lots.is_positive() {
            to_winners(floor, &mut slice, events);
        }
        if slice.lots == planned {
            self.parked.push(account);
        } else if is_flat(floor, account) {
            settle_debt(floor, account, slice.market, events);
        } else if floor.health(account).is_liquidatable() {
            self.waiting.push_back(account);
        } else {
            leave(floor, account, Ended::Recovered, events);
        }
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        w.len(self.waiting.len());
        self.waiting.iter().for_each(|a| w.u32(a.get()));
        w.len(self.parked.len());
        self.parked.iter().for_each(|a| w.u32(a.get()));
    }

    pub(crate) fn decode(accounts: usize, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut queue = Self::default();
        let mut read = |push: &mut dyn FnMut(AccountId)| {
            for _ in 0..r.len()? {
                let account = AccountId::new(r.u32()?);
                if account.index() >= accounts {
                    return Err(
                        r.invalid(format!("account {account} is queued and unknown; take another copy"))
                    );
                }
                push(account);
            }
            Ok(())
        };
        read(&mut |a| queue.waiting.push_back(a))?;
        read(&mut |a| queue.parked.push(a))?;
        Ok(queue)
    }

    /// Every account in liquidation.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.waiting.iter().chain(&self.parked).copied()
    }
}

fn is_flat(floor: &Floor, account: AccountId) -> bool {
    floor.ledger.positions(account).iter().all(|p| p.base.is_zero())
}

fn leave(floor: &mut Floor, account: AccountId, how: Ended, events: &mut Events) {
    floor.set_liquidated(account, false);
    floor.touch(account);
    let equity = floor.equity(account).saturate();
    events.push(Record {
        account: account.get(),
        code: how.code(),
        amount: equity.get(),
        ..event_of(event::LIQUIDATION_ENDED, MarketId::NONE)
    });
}

/// Stages D to F: the market with the greatest requirement, its bankruptcy price, the size of the slice.
fn choose(floor: &Floor, account: AccountId, health: &Health) -> Option<Slice> {
    let mut best: Option<(Money, MarketId)> = None;
    for market in floor.market_ids() {
        let m = floor.market(market);
        let base = floor.ledger.position(account, market).base;
        if base.is_zero() || !m.admits.liquidation || !m.config.liquidation.enabled {
            continue;
        }
        let need = floor.rules.maintenance(market, base, floor.prices.known(market));
        if best.is_none_or(|(most, _)| need > most) {
            best = Some((need, market));
        }
    }
    let (need, market) = best?;
    let config = &floor.market(market).config;
    let base = floor.ledger.position(account, market).base;
    let (mark, tick) = (floor.prices.known(market), config.tick_value);
    let share = health.equity.share_down(Sum::of(need), health.maintenance);
    let policy = &config.liquidation;
    let whole = base.abs();
    let lots = if mark.value(whole, tick) <= policy.full_below {
        whole
    } else {
        whole.ppm_up(policy.slice_ppm).max(policy.slice_qty_min).min(whole)
    };
    Some(Slice {
        account,
        market,
        side: Side::of(base),
        lots,
        bankruptcy: Price::limited(mark.bankruptcy(share, base, tick), config.price_max),
        insolvent: share.is_negative(),
        mark,
        tick,
        fund: config.fund,
    })
}

/// Sends a closing order and reports it; what the book leaves of it is cancelled.
fn send(floor: &mut Floor, slice: &Slice, limit: Price, flow: Flow, events: &mut Events) -> Swept {
    let side = slice.side.opposite();
    let limit = floor.capped(slice.market, side, limit, true);
    let id = floor.next_id(NO_SLOT);
    events.push(Record {
        account: slice.account.get(),
        order: id.raw(),
        side: side.code(),
        flags: u16::from(matches!(flow, Flow::Backed { .. })),
        price: limit.get(),
        qty: slice.lots.get(),
        amount: slice.bankruptcy.get(),
        ..event_of(event::LIQUIDATION_ORDER, slice.market)
    });
    let order = Incoming {
        id,
        market: slice.market,
        account: slice.account,
        side,
        limit: Some(limit),
        qty: slice.lots,
        flow,
        shown_price: limit,
        prevention: SelfTrade::Allowed,
        leg: None,
    };
    let swept = floor.sweep(&order, events);
    if swept.left.is_positive() {
        let reason = if swept.tripped { CancelReason::Breaker } else { CancelReason::Immediate };
        Floor::report_cancelled(slice.market, &order.rest(swept.left), reason, events);
    }
    swept
}

/// Stage G: the book at the bankruptcy price or better, and the fee out of what is above it.
fn to_book(floor: &mut Floor, slice: &mut Slice, events: &mut Events) {
    let swept = send(floor, slice, slice.bankruptcy, Flow::Liquidation, events);
    slice.lots = swept.left;
    let rate = floor.market(slice.market).config.liquidation.fee_ppm;
    let bankruptcy_value = slice.bankruptcy.value(swept.filled, slice.tick);
    let fee = insurance::fee(slice.side, swept.value, bankruptcy_value, rate);
    pay_fund(floor, slice.account, slice.market, fee, events);
}

/// Money from the account to the market's fund, or back if negative.
fn pay_fund(floor: &mut Floor, account: AccountId, market: MarketId, amount: Money, events: &mut Events) {
    if amount.is_zero() {
        return;
    }
    let fund = floor.market(market).config.fund;
    floor.ledger.transfer(Place::User(account, VALUATION), Place::Fund(fund), amount);
    let kind = if amount.is_positive() { event::FUND_RECEIVED } else { event::FUND_PAID };
    events.push(Record {
        account: account.get(),
        code: fund.get(),
        amount: amount.abs().get(),
        ..event_of(kind, market)
    });
}

/// Stage H: the backstop takes what is left at the bankruptcy price if its initial margin allows.
fn to_backstop(floor: &mut Floor, slice: &mut Slice, events: &mut Events) {
    let Some(backstop) = floor.config.backstop else { return };
    let may = floor.ledger.knows(backstop) && backstop != slice.account && !floor.is_liquidated(backstop);
    if !may || !floor.market(slice.market).admits.liquidation {
        return;
    }
    let held = floor.ledger.position(backstop, slice.market);
    let after = ledger::traded(*held, slice.side.signed(slice.lots), slice.bankruptcy, slice.tick);
    if !floor.rules.carries(&floor.ledger, &floor.prices, backstop, slice.market, &after) {
        return;
    }
    let side = slice.side.opposite();
    floor.pass(slice.market, (slice.account, side), backstop, (slice.bankruptcy, slice.lots));
    events.push(Record {
        account: slice.account.get(),
        order: u64::from(backstop.get()),
        side: side.code(),
        price: slice.bankruptcy.get(),
        qty: slice.lots.get(),
        ..event_of(event::TAKEN_OVER, slice.market)
    });
    slice.lots = Qty::ZERO;
}

/// Stage I: the book beyond the bankruptcy price, for as long as the fund can carry the difference.
fn to_fund(floor: &mut Floor, slice: &mut Slice, events: &mut Events) {
    let admits = floor.market(slice.market).admits;
    if !admits.liquidation || !floor.ledger.at(Place::Fund(slice.fund)).is_positive() {
        return;
    }
    let width = floor.market(slice.market).config.liquidation.fund_limit_ppm;
    let limit = match slice.side {
        Side::Buy => slice.mark.band_lower(width),
        Side::Sell => slice.mark.band_upper(width),
    };
    let flow = Flow::Backed { fund: slice.fund, bankruptcy: slice.bankruptcy };
    let swept = send(floor, slice, limit, flow, events);
    slice.lots = swept.left;
    pay_fund(floor, slice.account, slice.market, -swept.cost, events);
}

/// Stage J: auto-deleveraging of winners on the other side.
fn to_winners(floor: &mut Floor, slice: &mut Slice, events: &mut Events) {
    let residual = Residual {
        account: slice.account,
        market: slice.market,
        side: slice.side,
        lots: slice.lots,
        bankruptcy: slice.bankruptcy,
        mark: slice.mark,
        insolvent: slice.insolvent,
        fund: floor.ledger.at(Place::Fund(slice.fund)),
    };
    let Some(done) = deleverage::run(floor, residual, events) else { return };
    slice.lots -= done.closed;
    pay_fund(floor, slice.account, slice.market, -done.shortage, events);
    if slice.lots.is_positive() {
        events.push(Record {
            account: slice.account.get(),
            qty: slice.lots.get(),
            amount: done.uncovered.get(),
            ..event_of(event::ADL_REMAINDER, slice.market)
        });
    }
}

/// A flat account pays what it owes: other assets, then the fund, then the last resort.
fn settle_debt(floor: &mut Floor, account: AccountId, market: MarketId, events: &mut Events) {
    sell_collateral(floor, account, events);
    let owes = |floor: &Floor| (-floor.ledger.balance(account, VALUATION)).max(Money::ZERO);
    let mut how = Ended::Closed;
    if owes(floor).is_positive() {
        how = Ended::Bankrupt;
        let fund = floor.market(market).config.fund;
        let paid = owes(floor).min(floor.ledger.at(Place::Fund(fund)));
        pay_fund(floor, account, market, -paid, events);
        if owes(floor).is_positive() && floor.config.last_resort == LastResort::Socialise {
            socialise(floor, account, market, owes(floor), events);
        }
        let rest = owes(floor);
        if rest.is_positive() {
            floor.ledger.transfer(Place::Shortfall, Place::User(account, VALUATION), rest);
            events.push(Record {
                account: account.get(),
                amount: rest.get(),
                ..event_of(event::BAD_DEBT, MarketId::NONE)
            });
        }
    }
    leave(floor, account, how, events);
}

/// Other assets of a debtor are sold to the treasury at their collateral value, no more than needed.
fn sell_collateral(floor: &mut Floor, account: AccountId, events: &mut Events) {
    for i in 0..floor.rules.collateral().len() {
        let (asset, c) = floor.rules.collateral()[i];
        let debt = -floor.ledger.balance(account, VALUATION);
        let held = floor.ledger.balance(account, asset);
        let Some(index) = floor.prices.index(c.market).filter(|_| debt.is_positive() && held.is_positive())
        else {
            continue;
        };
        let all = margin::collateral_value(&c, held, index);
        if all.is_zero() {
            continue;
        }
        let sold = if all <= debt {
            held
        } else {
            margin::collateral_for(&c, debt, index).map_or(held, |z| z.min(held))
        };
        let value = margin::collateral_value(&c, sold, index);
        floor.ledger.transfer(Place::User(account, asset), Place::Treasury(asset), sold);
        floor.ledger.transfer(Place::Treasury(VALUATION), Place::User(account, VALUATION), value);
        events.push(Record {
            account: account.get(),
            code: asset.get(),
            qty: sold.get(),
            amount: value.get(),
            ..event_of(event::COLLATERAL_SOLD, MarketId::NONE)
        });
    }
}

/// Winners of the market carry a loss in proportion to their profit, at most that profit and their equity.
fn socialise(floor: &mut Floor, account: AccountId, market: MarketId, loss: Money, events: &mut Events) {
    let Some(mark) = floor.prices.mark(market) else { return };
    let tick = floor.tick(market);
    let mut winners: Vec<AccountId> = Vec::new();
    let (mut weights, mut caps) = (Vec::new(), Vec::new());
    for (other, p) in floor.ledger.market_positions(market) {
        if other == account || p.base.is_zero() || floor.is_liquidated(other) {
            continue;
        }
        let (profit, equity) = (p.profit(mark, tick), floor.equity(other));
        if profit.is_positive() && equity.is_positive() {
            winners.push(other);
            weights.push(profit.get());
            caps.push(profit.min(equity.saturate()).get());
        }
    }
    for (winner, charge) in winners.iter().zip(largest_remainder(loss.get(), &weights, &caps)) {
        if charge == 0 {
            continue;
        }
        let from = Place::User(*winner, VALUATION);
        floor.ledger.transfer(from, Place::User(account, VALUATION), Money::new(charge));
        floor.touch(*winner);
        events.push(Record { account: winner.get(), amount: charge, ..event_of(event::SOCIALISED, market) });
    }
}
