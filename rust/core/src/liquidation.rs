//! The waterfall: own orders, book, backstop, fund, auto-deleveraging, last resort. One round at a time.
//!
//! Holds the queue and the stages of a round; the order of the stages is that of docs/mechanics.md section 8 and
//! each stage moves money in the ledger with an event of its own. Bounded: a round closes at most one slice of each
//! position. How much and at which limit is `policy`, what a flat account owes is `debt`.

mod auction;
mod claims;
mod debt;
mod fund;
mod levels;
mod pace;
mod plan;
mod policy;
mod volunteers;

pub(crate) use fund::settle_fund;
pub use policy::{
    Freed, Ramp, ShareStep, Steps, dutch_price, fillable_price, ramp_share, schedule, share_step,
    size_to_close,
};

use crate::blocks::Limit;
use crate::book::NO_SLOT;
use crate::breaker::Bound;
use crate::codec::{CodecError, Reader, Writer};
use crate::config::{
    AssignmentStage, Config, Counted, During, GateTrigger, LimitRule, LiquidationFee, SlicePolicy, Takeover,
};
use crate::deleverage::{self, Answer, Residual};
use crate::floor::{Floor, Flow, Incoming, Swept};
use crate::insurance;
use crate::ledger::{self, Place};
use crate::margin::Health;
use crate::order::FlowKind;
use crate::protocol::{CancelReason, Events, Record, SelfTrade, event, event_of};
use crate::units::{
    AccountId, Closing, Contract, Fine, MarketId, Money, OrderId, Ppm, Price, Qty, Side, Sum, VALUATION,
};
use claims::Claims;
use debt::Settlement;
use fund::{budget, pay_fund, watch_drawdown};
use levels::CloseOut;
use pace::{Cooldown, Pace, Paces};
use plan::Plans;
use policy::Sight;
use std::collections::{BTreeMap, VecDeque};

/// Accounts in liquidation: those that wait for a round, and those that wait for a new index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<AccountId>,
    parked: Vec<AccountId>,
    paces: Paces,
    /// Flat accounts whose debt the fund of a market pays in parts.
    owing: BTreeMap<AccountId, MarketId>,
    claims: Claims,
    plans: Plans,
}

/// The stages of a round after its slice is planned, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Planned,
    Book,
    Backstop,
    Volunteers,
    Fund,
    LastVolunteers,
    Winners,
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
    contract: Contract,
    /// The limit of the rule; the bankruptcy price by default.
    limit: Price,
    /// Maintenance rate of the position's tier.
    margin: Ppm,
    /// What the account lacked of its requirement when the round began.
    shortage: Sum,
    /// The book is offered it.
    is_offered: bool,
    /// The backstop may take it over: always, or below a level.
    is_backed: bool,
    /// The stage that it has come to.
    stage: Stage,
}

impl Slice {
    /// True if lots are left for a later stage, which begins with this.
    fn enters(&mut self, stage: Stage) -> bool {
        assert!(self.stage < stage, "a stage of the waterfall came out of its order");
        self.stage = stage;
        self.lots.is_positive()
    }

    /// True if a price is worse for the account than another.
    fn is_worse(&self, price: Price, than: Price) -> bool {
        self.side.gain(than, price).is_negative()
    }
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
    pub(crate) fn unpark(&mut self, floor: &Floor) {
        self.waiting.extend(self.parked.drain(..));
        self.paces.prune(floor);
    }

    /// A debtor has paid money in.
    pub(crate) fn pay_claims(
        &mut self,
        floor: &mut Floor,
        debtor: AccountId,
        deposited: Money,
        events: &mut Events,
    ) {
        self.claims.pay(floor, debtor, deposited, events);
    }

    /// The market that an account without positions was settled in last, if it owes: its fund stands in.
    pub(crate) fn note_owing(&mut self, floor: &Floor, account: AccountId, market: MarketId) {
        if is_flat(floor, account) && floor.equity(account).is_negative() {
            self.owing.insert(account, market);
        }
    }

    /// Step 8: up to `rounds` rounds.
    pub(crate) fn resolve(&mut self, floor: &mut Floor, rounds: u32, events: &mut Events) {
        let now = floor.now;
        if let Some((rules, blocks)) = floor.limited() {
            blocks.begin(&rules, now);
        }
        for _ in 0..rounds {
            let Some(&account) = self.waiting.front() else { return };
            if floor.limited().is_some_and(|(rules, blocks)| !blocks.may_go_on(&rules)) {
                return Floor::report_limit(MarketId::NONE, account, Limit::Rounds, Qty::ZERO, events);
            }
            self.waiting.pop_front();
            self.round(floor, account, events);
            if self.plans.awaits() {
                return;
            }
            self.after_round(floor, account, events);
        }
    }

    /// A round is over: an account that is still below zero may close the withdrawal gate.
    fn after_round(&mut self, floor: &mut Floor, account: AccountId, events: &mut Events) {
        if floor.is_liquidated(account) && floor.equity(account).is_negative() {
            floor.alarm(account, GateTrigger::NegativeEquity, events);
        }
        self.forget_if_left(floor, account);
    }

    /// What is kept of an account in liquidation goes with it.
    fn forget_if_left(&mut self, floor: &Floor, account: AccountId) {
        if !floor.is_liquidated(account) {
            self.paces.leave(floor, account);
            self.owing.remove(&account);
        }
    }

    fn round(&mut self, floor: &mut Floor, account: AccountId, events: &mut Events) {
        for market in floor.market_ids() {
            floor.cancel_all(market, account, CancelReason::Liquidation, events);
        }
        let health = floor.health(account);
        if floor.rules.has_recovered(&health) {
            return leave(floor, account, Ended::Recovered, events);
        }
        if is_flat(floor, account) {
            let market = self.owing.get(&account).copied().unwrap_or(MarketId::new(0));
            return self.settle(floor, account, market, events);
        }
        let taken = self.take_over_first(floor, account, &health, events);
        let health = if taken.is_some() { floor.health(account) } else { health };
        if let Some(market) = taken
            && (is_flat(floor, account) || floor.rules.has_recovered(&health))
        {
            return self.end_round(floor, (account, market), true, events);
        }
        let close_out = levels::closes_out(floor, account, &health, events);
        if close_out.is_none_or(|rule| rule.book) {
            self.offer(floor, account, (&health, close_out.is_some()), events);
        }
        let Some(first) = riskiest(floor, account) else {
            return self.end_round(floor, (account, MarketId::new(0)), taken.is_some(), events);
        };
        let closed = match floor.market(first).config.liquidation.policy {
            SlicePolicy::PortfolioShare { step_ppm, target_ppm, penalty_ppm } => {
                let (maintenance, equity) = (health.maintenance, health.equity);
                let step = share_step(maintenance, equity, step_ppm, target_ppm, penalty_ppm);
                self.close_everywhere(floor, (account, first), (&health, &step), events)
            }
            SlicePolicy::Share
            | SlicePolicy::Schedule { .. }
            | SlicePolicy::Tier
            | SlicePolicy::Restore { .. }
            | SlicePolicy::Ramp { .. } => {
                let by = (&health, close_out, taken.is_some());
                self.close_one(floor, (account, first), by, events)
            }
        };
        let closed = closed || taken.is_some();
        if !self.plans.awaits() {
            self.end_round(floor, (account, first), closed, events);
        }
    }

    /// Stage K.
    fn end_round(&mut self, floor: &mut Floor, of: (AccountId, MarketId), closed: bool, events: &mut Events) {
        let (account, first) = of;
        if is_flat(floor, account) {
            self.settle(floor, account, first, events);
        } else if !closed {
            self.parked.push(account);
        } else if floor.rules.has_recovered(&floor.health(account)) {
            leave(floor, account, Ended::Recovered, events);
        } else {
            self.waiting.push_back(account);
        }
    }

    /// Settles the debt of a flat account; it comes again if the fund may pay more then.
    fn settle(&mut self, floor: &mut Floor, account: AccountId, market: MarketId, events: &mut Events) {
        let claims = &mut self.claims;
        if !(Settlement { floor, claims, events, account, market }).run() {
            self.owing.insert(account, market);
            // Where the period's limit is used up it waits for another period.
            let waits = !floor.fund_room(account).is_positive();
            if waits { self.parked.push(account) } else { self.waiting.push_back(account) }
        }
    }

    /// One slice of the position in a market; true if anything was closed. By its health, the close-out level, and whether
    /// the round took something over before.
    fn close_one(
        &mut self,
        floor: &mut Floor,
        of: (AccountId, MarketId),
        by: (&Health, Option<CloseOut>, bool),
        events: &mut Events,
    ) -> bool {
        let ((account, market), (health, close_out, taken)) = (of, by);
        let pace = self.paces.begin(floor, account, market);
        let lots = match close_out {
            Some(_) => floor.ledger.position(account, market).base.abs(),
            None => self.lots(floor, account, market, (health, &pace)),
        };
        let lots = within_limits(floor, (account, market), lots, events);
        if lots.is_zero() {
            return false;
        }
        let mut slice = slice(floor, account, market, (health, &pace));
        slice.lots = lots;
        slice.is_offered = close_out.is_none_or(|rule| rule.book);
        let before = shortage(floor, account, market, health);
        let closed = close_slice(floor, &mut slice, events);
        if slice.stage == Stage::Winners && self.plans.ask(floor, &slice, (closed || taken, before), events) {
            return closed;
        }
        self.keep_pace(floor, (account, market), closed, before);
        closed
    }

    /// A slice that closed something binds the next ones, where a policy asks for it.
    fn keep_pace(&mut self, floor: &Floor, at: (AccountId, MarketId), closed: bool, before: Sum) {
        if closed && floor.market(at.1).config.liquidation.is_paced() {
            let after = shortage(floor, at.0, at.1, &floor.health(at.0));
            self.paces.close(floor, at, (before - after).max(Sum::ZERO));
        }
    }

    /// The same share of every position that may be closed, by market, then the penalty to the fund of the first;
    /// true if anything was closed.
    fn close_everywhere(
        &mut self,
        floor: &mut Floor,
        of: (AccountId, MarketId),
        by: (&Health, &ShareStep),
        events: &mut Events,
    ) -> bool {
        let (account, first) = of;
        let mut closed = false;
        for market in floor.market_ids() {
            if may_close(floor, account, market) {
                let pace = self.paces.begin(floor, account, market);
                let mut slice = slice(floor, account, market, (by.0, &pace));
                let lots = slice.lots.ppm_up(by.1.share);
                slice.lots = within_limits(floor, (account, market), lots, events);
                if slice.lots.is_zero() {
                    continue;
                }
                closed |= close_slice(floor, &mut slice, events);
            }
        }
        if closed {
            let left = floor.equity(account).saturate().max(Money::ZERO);
            pay_fund(floor, account, first, by.1.penalty.whole_up().min(left), events);
        }
        closed
    }

    /// Stage F: how many lots of the position to close; zero to wait.
    fn lots(&self, floor: &Floor, account: AccountId, market: MarketId, of: (&Health, &Pace)) -> Qty {
        let rules = &floor.market(market).config.liquidation;
        let mark = floor.prices.known(market);
        let base = floor.ledger.position(account, market).base;
        let contract = floor.contract(market);
        let (whole, per_lot) = (base.abs(), contract.lot(mark).abs());
        let steps = |lot, most| Steps {
            share: rules.slice_ppm,
            least: rules.slice_qty_min,
            most,
            full_below: contract.affordable(rules.full_below, Fine::ZERO, per_lot),
            lot,
        };
        let restoring = || {
            let (_, margin) = floor.tier(account, market);
            let (liquidator_fee, fund_fee) = (liquidator_rate(&rules.fee_rule), rules.fee_ppm);
            let margin = floor.rules.restored_rate(margin) + buffer(&rules.policy);
            let (quote, scale) = (Ppm::ONE, contract.scale());
            let freed = Freed { per_lot, scale, quote, margin, liquidator_fee, fund_fee };
            let lots = size_to_close(shortage(floor, account, market, of.0).saturate(), &freed);
            lots.unwrap_or(whole).max(Qty::new(1)).min(whole)
        };
        match rules.policy {
            SlicePolicy::Share => schedule(whole, &steps(Qty::new(1), None)),
            SlicePolicy::Schedule { lot, qty_max, cooldown_ns, during } => {
                match (self.paces.cooldown(account, floor.now, cooldown_ns), during) {
                    (Cooldown::Lasts, During::Whole) | (Cooldown::Over, During::WaitThenWhole) => whole,
                    (Cooldown::Lasts, During::Wait | During::WaitThenWhole) => Qty::ZERO,
                    (Cooldown::None, _) | (Cooldown::Over, During::Whole | During::Wait) => {
                        schedule(whole, &steps(lot, qty_max))
                    }
                }
            }
            SlicePolicy::Tier => {
                policy::above_tier(whole, floor.tier(account, market).0, (per_lot, contract))
            }
            SlicePolicy::Restore { .. } => restoring(),
            SlicePolicy::Ramp { duration_ns, initial_ppm, full_below, .. } => {
                let ramp =
                    Ramp { duration: duration_ns, initial: initial_ppm, full_below: Sum::of(full_below) };
                let began = of.1.began.map_or(floor.now, |(at, _)| at);
                let lacking = shortage(floor, account, market, of.0);
                restoring().ratio_down(ramp_share(lacking, of.1.freed, floor.now.since(began), &ramp))
            }
            // All markets have it or none: its slices are those of `close_everywhere`.
            SlicePolicy::PortfolioShare { .. } => whole,
        }
    }

    pub(crate) fn encode(&self, config: &Config, w: &mut Writer) {
        w.len(self.waiting.len());
        self.waiting.iter().for_each(|a| w.u32(a.get()));
        w.len(self.parked.len());
        self.parked.iter().for_each(|a| w.u32(a.get()));
        self.paces.encode(config, w);
        if keeps_owing(config) {
            w.len(self.owing.len());
            for (account, market) in &self.owing {
                w.u32(account.get());
                w.u16(market.get());
            }
        }
        self.claims.encode(config, w);
        self.plans.encode(config, w);
    }

    pub(crate) fn decode(floor: &Floor, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut queue = Self::default();
        let accounts = floor.ledger.accounts();
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
        queue.paces = Paces::decode(floor, r)?;
        if keeps_owing(&floor.config) {
            for _ in 0..r.len()? {
                let (account, market) = (AccountId::new(r.u32()?), MarketId::new(r.u16()?));
                if !floor.ledger.knows(account) || !floor.knows_market(market) {
                    return Err(r.invalid("an unknown account or market owes; take another copy"));
                }
                queue.owing.insert(account, market);
            }
        }
        queue.claims = Claims::decode(floor, r)?;
        queue.plans = Plans::decode(floor, r)?;
        Ok(queue)
    }

    /// Every account in liquidation.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.waiting.iter().chain(&self.parked).copied().chain(self.plans.account())
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

/// True if a flat account may owe to a market for longer than its round: funds pay a debt in parts, or a settlement
/// closes positions.
fn keeps_owing(config: &Config) -> bool {
    config.funds.iter().any(|fund| fund.paid_max.is_some())
        || config.block_limits.is_some_and(|limits| limits.account_fund_loss.is_some())
        || config.markets.iter().any(|market| market.settlement.is_some())
}

/// True if a market's position may be closed by a round.
fn may_close(floor: &Floor, account: AccountId, market: MarketId) -> bool {
    let m = floor.market(market);
    let base = floor.ledger.position(account, market).base;
    !base.is_zero() && m.admits.liquidation && m.config.liquidation.enabled
}

fn requirement(floor: &Floor, account: AccountId, market: MarketId) -> Money {
    floor.rules.part(&floor.ledger, &floor.prices, account, market)
}

/// Stage D: the market with the greatest requirement; in a group, what adds most to the worst scenario.
fn riskiest(floor: &Floor, account: AccountId) -> Option<MarketId> {
    let mut best: Option<(Money, MarketId)> = None;
    for market in floor.market_ids().filter(|&m| may_close(floor, account, m)) {
        let need = floor.rules.driving(&floor.ledger, &floor.prices, account, market);
        if best.is_none_or(|(most, _)| need > most) {
            best = Some((need, market));
        }
    }
    best.map(|(_, market)| market)
}

/// Stage E: a position as a slice: its bankruptcy price, its limit; all of its lots.
fn slice(floor: &Floor, account: AccountId, market: MarketId, of: (&Health, &Pace)) -> Slice {
    let (health, pace) = of;
    let config = &floor.market(market).config;
    let base = floor.ledger.position(account, market).base;
    let (mark, contract, prices) = (floor.prices.known(market), *floor.contract(market), config.prices());
    let need = requirement(floor, account, market);
    let value = contract.value(mark, base);
    let closing = Closing {
        lots: (base.abs(), base.abs()),
        value,
        maintenance: need,
        equity: health.equity,
        total: health.maintenance,
    };
    let share = value - closing.bankruptcy_quote_up().expect("a position has lots");
    let bankruptcy = Price::limited(contract.losing(mark, base, share), prices);
    let sight = Sight {
        mark,
        prices,
        bankruptcy,
        base,
        contract,
        health: (health.equity, health.maintenance),
        need,
        began: pace.began.unwrap_or((floor.now, mark)),
        now: floor.now,
    };
    Slice {
        account,
        market,
        side: Side::of(base),
        lots: base.abs(),
        bankruptcy,
        insolvent: share.is_negative(),
        mark,
        contract,
        limit: policy::limit(&config.liquidation.limit, &sight),
        margin: floor.tier(account, market).1,
        shortage: health.maintenance - health.equity,
        is_offered: true,
        is_backed: levels::is_backed(floor, health),
        stage: Stage::Planned,
    }
}

/// Stages G to J for one slice; true if anything was closed.
fn close_slice(floor: &mut Floor, slice: &mut Slice, events: &mut Events) -> bool {
    let planned = slice.lots;
    if slice.enters(Stage::Book) && slice.is_offered {
        to_book(floor, slice, events);
    }
    if slice.enters(Stage::Backstop) && slice.is_backed {
        to_backstop(floor, slice, events);
    }
    // The phase is read anew each time: a breaker may have tripped in the stage before.
    let asked = floor.market(slice.market).config.liquidation.assignment.map(|rule| rule.stage);
    if asked == Some(AssignmentStage::BeforeFund) && slice.enters(Stage::Volunteers) {
        volunteers::assign(floor, slice, events);
    }
    if slice.enters(Stage::Fund) {
        to_fund(floor, slice, events);
    }
    if asked == Some(AssignmentStage::AfterFund) && slice.enters(Stage::LastVolunteers) {
        volunteers::assign(floor, slice, events);
    }
    if slice.enters(Stage::Winners) {
        to_winners(floor, slice, events);
    }
    let closed = planned - slice.lots;
    count_closed(floor, (slice.account, slice.market), closed);
    closed.is_positive()
}

/// What was closed of a slice counts in its period.
fn count_closed(floor: &mut Floor, of: (AccountId, MarketId), closed: Qty) {
    let notional = floor.contract(of.1).notional_up(floor.prices.known(of.1), closed);
    if let Some((rules, blocks)) = floor.limited_in(of.1) {
        blocks.close(&rules, of, closed, notional);
    }
}

/// The lots of a slice that the limits of the period leave.
fn within_limits(floor: &mut Floor, of: (AccountId, MarketId), lots: Qty, events: &mut Events) -> Qty {
    let (account, market) = of;
    let contract = *floor.contract(market);
    let per_lot = contract.lot(floor.prices.known(market)).abs();
    let worth = |notional| contract.affordable(notional, Fine::ZERO, per_lot);
    let whole = floor.ledger.position(account, market).base.abs();
    let room = floor.limited_in(market).and_then(|(rules, blocks)| blocks.room(&rules, of, whole, worth));
    match room {
        Some((room, limit)) if room < lots => {
            Floor::report_limit(market, account, limit, lots - room, events);
            room
        }
        _ => lots,
    }
}

fn buffer(policy: &SlicePolicy) -> Ppm {
    match *policy {
        SlicePolicy::Restore { buffer_ppm } | SlicePolicy::Ramp { buffer_ppm, .. } => buffer_ppm,
        SlicePolicy::Share
        | SlicePolicy::Schedule { .. }
        | SlicePolicy::Tier
        | SlicePolicy::PortfolioShare { .. } => Ppm::ZERO,
    }
}

/// What an account lacks of its requirement with the buffer of a market's policy on the value of every position.
fn shortage(floor: &Floor, account: AccountId, market: MarketId, health: &Health) -> Sum {
    let buffer = buffer(&floor.market(market).config.liquidation.policy);
    let mut lacking = floor.rules.restored(health) - health.equity;
    if buffer.is_positive() {
        for (p, m) in floor.ledger.positions(account).iter().zip(floor.market_ids()) {
            if !p.base.is_zero() {
                lacking += floor.rules.notional(m, p.base, floor.prices.known(m)).ppm_up(buffer);
            }
        }
    }
    lacking
}

fn liquidator_rate(fee: &LiquidationFee) -> Ppm {
    match *fee {
        LiquidationFee::Flat
        | LiquidationFee::Whole
        | LiquidationFee::MarginLeft { liquidator: None, .. } => Ppm::ZERO,
        LiquidationFee::MarginLeft { liquidator: Some(_), liquidator_ppm } => liquidator_ppm,
    }
}

/// `OrderBounded` of a closing order that a breaker capped.
fn report_bound(
    of: (AccountId, Side, OrderId),
    asked: (MarketId, Price),
    bound: Option<Bound>,
    events: &mut Events,
) {
    let Some(bound) = bound else { return };
    let (account, side, id) = of;
    events.push(Record {
        account: account.get(),
        order: id.raw(),
        ..bound.record(asked.0, side, asked.1, 1)
    });
}

/// Sends a closing order and reports it; what the book leaves of it is cancelled.
fn send(floor: &mut Floor, slice: &Slice, limit: Price, flow: Flow, events: &mut Events) -> Swept {
    let side = slice.side.opposite();
    let asked = limit;
    let (limit, bound) = floor.capped(slice.market, side, limit);
    let id = floor.next_id(NO_SLOT);
    report_bound((slice.account, side, id), (slice.market, asked), bound, events);
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
    floor.count(slice.market, Counted::Liquidations, 1);
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
        kind: FlowKind { liquidation: true, immediate: true, ..FlowKind::default() },
    };
    let swept = floor.sweep(&order, events);
    let value = floor.contract(slice.market).up(swept.value.abs());
    floor.count(slice.market, Counted::Liquidated, value.get());
    if swept.left.is_positive() {
        let reason = if swept.tripped { CancelReason::Breaker } else { CancelReason::Immediate };
        Floor::report_cancelled(slice.market, &order.rest(swept.left), reason, events);
    }
    swept
}

/// Stage G: the book at the limit or better, and what the fills bring or cost the fund.
fn to_book(floor: &mut Floor, slice: &mut Slice, events: &mut Events) {
    let whole = slice.lots == floor.ledger.position(slice.account, slice.market).base.abs();
    let swept = send(floor, slice, book_limit(floor, slice), Flow::Liquidation, events);
    slice.lots = swept.left;
    if !swept.filled.is_zero() {
        charge(floor, slice, (swept.filled, swept.value, whole), events);
    }
}

/// The limit of an order that nobody backs: beyond the bankruptcy price a fillable price is for the fund to back.
fn book_limit(floor: &Floor, slice: &Slice) -> Price {
    let rule = floor.market(slice.market).config.liquidation.limit;
    let backed = matches!(rule, LimitRule::Fillable { .. }) && slice.is_worse(slice.limit, slice.bankruptcy);
    if backed { slice.bankruptcy } else { slice.limit }
}

/// What fills of a slice in the book or in an auction bring or cost the fund: lots, their value as those of a long, and
/// whether the order was for the whole position.
fn charge(floor: &mut Floor, slice: &Slice, filled: (Qty, Fine, bool), events: &mut Events) {
    let rules = floor.market(slice.market).config.liquidation;
    // What the position's lots brought, and what they had to bring; the surplus rounded down.
    let contract = &slice.contract;
    let signed = |amount: Fine| slice.side.pick(amount, -amount);
    let value = contract.down(signed(filled.1));
    let surplus = contract.down(signed(filled.1 - contract.fine(slice.bankruptcy, filled.0)));
    let fund = budget(floor, slice.account, slice.market);
    let delta = insurance::fund_delta(value, value - surplus, rules.fee_ppm, fund);
    if delta.amount.is_negative() {
        // Beyond the bankruptcy price; what the fund cannot pay stays with the account.
        let pays = if delta.allowed { delta.amount } else { Money::ZERO };
        return pay_fund(floor, slice.account, slice.market, pays, events);
    }
    let fee = match rules.fee_rule {
        LiquidationFee::Flat => match rules.policy {
            // Its fee is the penalty.
            SlicePolicy::PortfolioShare { .. } => Money::ZERO,
            _ => delta.amount,
        },
        LiquidationFee::Whole if filled.2 => delta.amount,
        LiquidationFee::Whole => Money::ZERO,
        LiquidationFee::MarginLeft { liquidator, liquidator_ppm } => {
            let closed = (value.abs(), surplus);
            let paid = pay_liquidator(floor, slice, (liquidator, liquidator_ppm), closed, events);
            let at_mark = contract.notional_up(slice.mark, filled.0);
            let liquidator_fee = liquidator_rate(&rules.fee_rule);
            let rate =
                insurance::fund_fee(slice.shortage, at_mark, slice.margin, liquidator_fee, rules.fee_ppm);
            value.abs().ratio_up(rate).min(surplus - paid)
        }
    };
    pay_fund(floor, slice.account, slice.market, fee, events);
}

/// The liquidator's fee out of what is above the bankruptcy price; returns what it got.
fn pay_liquidator(
    floor: &mut Floor,
    slice: &Slice,
    of: (Option<AccountId>, Ppm),
    filled: (Money, Money),
    events: &mut Events,
) -> Money {
    let known = of.0.filter(|&to| floor.ledger.knows(to) && to != slice.account);
    let Some(liquidator) = known else { return Money::ZERO };
    let fee = filled.0.ppm_up(of.1).min(filled.1);
    if fee.is_positive() {
        let from = Place::User(slice.account, VALUATION);
        floor.ledger.transfer(from, Place::User(liquidator, VALUATION), fee);
        floor.touch(liquidator);
        events.push(Record {
            account: slice.account.get(),
            order: u64::from(liquidator.get()),
            amount: fee.get(),
            ..event_of(event::LIQUIDATOR_PAID, slice.market)
        });
    }
    fee
}

/// The price at which what is left may be taken over, how many lots, and what the fund pays for each; none if the fund
/// does not pay.
fn takeover_terms(
    floor: &mut Floor,
    slice: &Slice,
    rule: Takeover,
    events: &mut Events,
) -> Option<(Price, Qty, Fine)> {
    if !slice.insolvent || rule == Takeover::Bankruptcy {
        return Some((slice.bankruptcy, slice.lots, Fine::ZERO));
    }
    // Winners come before the fund is drawn down further.
    if watch_drawdown(floor, slice.market, events) {
        return None;
    }
    let paid_per_lot = insurance::cost_per_lot(slice.side, slice.bankruptcy, slice.mark, &slice.contract);
    let budget = budget(floor, slice.account, slice.market);
    let lots = insurance::payable(budget, Fine::ZERO, paid_per_lot, slice.lots, &slice.contract);
    lots.is_positive().then_some((slice.mark, lots, paid_per_lot))
}

/// Stage H: the backstop takes what is left if its initial margin allows: at the bankruptcy price, or at the mark for
/// as many lots as the fund can pay the difference of.
fn to_backstop(floor: &mut Floor, slice: &mut Slice, events: &mut Events) {
    let Some(backstop) = floor.config.backstop else { return };
    let may = floor.ledger.knows(backstop) && backstop != slice.account && !floor.is_liquidated(backstop);
    if !may || !floor.market(slice.market).admits.liquidation {
        return;
    }
    let rule = floor.market(slice.market).config.liquidation.takeover;
    let Some((price, lots, paid_per_lot)) = takeover_terms(floor, slice, rule, events) else { return };
    let held = floor.ledger.position(backstop, slice.market);
    let after = ledger::traded(*held, slice.side.signed(lots), price, &slice.contract);
    if !floor.rules.carries(&floor.ledger, &floor.prices, backstop, slice.market, &after) {
        return;
    }
    let side = slice.side.opposite();
    floor.pass(slice.market, (slice.account, side), backstop, (price, lots));
    events.push(Record {
        account: slice.account.get(),
        order: u64::from(backstop.get()),
        side: side.code(),
        price: price.get(),
        qty: lots.get(),
        ..event_of(event::TAKEN_OVER, slice.market)
    });
    slice.lots -= lots;
    pay_fund(floor, slice.account, slice.market, -slice.contract.up(paid_per_lot.times(lots)), events);
}

/// Stage I: the book beyond the bankruptcy price, for as long as the fund can carry the difference.
fn to_fund(floor: &mut Floor, slice: &mut Slice, events: &mut Events) {
    let config = &floor.market(slice.market).config;
    let (rules, lowest) = (config.liquidation, config.prices().0);
    let limit = match rules.limit {
        LimitRule::Fillable { .. } if slice.is_worse(slice.limit, slice.bankruptcy) => slice.limit,
        LimitRule::Bankruptcy if slice.insolvent => match slice.side {
            Side::Buy => slice.mark.band_lower(rules.fund_limit_ppm).max(lowest),
            Side::Sell => slice.mark.band_upper(rules.fund_limit_ppm),
        },
        // The first order went as far already, or the account's own money is behind the position.
        LimitRule::Bankruptcy | LimitRule::Fillable { .. } | LimitRule::None | LimitRule::Dutch { .. } => {
            return;
        }
    };
    if rules.takeover == Takeover::Mark || !floor.market(slice.market).admits.liquidation {
        return;
    }
    // Winners come before the fund is drawn down further.
    if watch_drawdown(floor, slice.market, events) {
        return;
    }
    let budget = budget(floor, slice.account, slice.market);
    if !budget.is_positive() {
        return;
    }
    let flow = Flow::Backed { budget, bankruptcy: slice.bankruptcy };
    let swept = send(floor, slice, limit, flow, events);
    slice.lots = swept.left;
    pay_fund(floor, slice.account, slice.market, -slice.contract.up(swept.cost), events);
}

/// What is left of a slice for winners.
fn residual(floor: &mut Floor, slice: &Slice) -> Residual {
    Residual {
        account: slice.account,
        market: slice.market,
        side: slice.side,
        lots: slice.lots,
        bankruptcy: slice.bankruptcy,
        mark: slice.mark,
        insolvent: slice.insolvent,
        fund: budget(floor, slice.account, slice.market),
    }
}

/// Stage J: auto-deleveraging of winners on the other side; nothing yet if somebody else is asked for a plan.
fn to_winners(floor: &mut Floor, slice: &mut Slice, events: &mut Events) {
    let residual = residual(floor, slice);
    if deleverage::asked(floor, &residual, 0).is_none() {
        slice.lots -= deleverage_by(floor, residual, Answer::Rule, events);
    }
}

/// Auto-deleveraging, what the fund pays for it, and what stays open; returns the lots that were closed.
fn deleverage_by(floor: &mut Floor, residual: Residual, answer: Answer<'_>, events: &mut Events) -> Qty {
    let Some(done) = deleverage::run(floor, residual, answer, events) else { return Qty::ZERO };
    let Residual { account, market, lots, .. } = residual;
    pay_fund(floor, account, market, -done.shortage, events);
    if done.closed < lots {
        events.push(Record {
            account: account.get(),
            qty: (lots - done.closed).get(),
            amount: done.uncovered.get(),
            ..event_of(event::ADL_REMAINDER, market)
        });
        floor.alarm(account, GateTrigger::UncoveredLoss, events);
    }
    done.closed
}
