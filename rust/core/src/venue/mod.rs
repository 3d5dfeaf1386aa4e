//! The venue: the only file that knows the order of the steps. It reads like docs/mechanics.md section 4.

mod commands;
mod entry;
mod orders;
mod prices;
mod settlement;
mod snapshot;
mod views;

use crate::config::{self, Config, GateTrigger, Indicative, Test};
use crate::floor::{Calm, Done, Floor, Found, PART, ROOM, Told};
use crate::guard::Cause;
use crate::ledger::Place;
use crate::liquidation::Queue;
use crate::margin::Health;
use crate::order::Gathered;
use crate::protocol::{
    AfterPhase, Command, Events, LIQUIDATED_FOR_CALL, Phase, Placing, Record, Reject, command, event,
    event_of,
};
use crate::units::{AccountId, MarketId, Nanos, Price};
use core::cmp::Ordering;
use std::collections::VecDeque;

/// How much the venue checks itself after each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audit {
    /// Nothing: for measuring what the checks cost.
    Off,
    /// Running totals: net positions, funds, shortfall. The default.
    #[default]
    Cheap,
    /// Everything is counted anew: for tests.
    Full,
}

/// One deterministic venue: commands in, events out.
///
/// ```
/// use seawall_core::{Command, Config, Events, Nanos, Venue};
/// # let json = include_str!("../../tests/data/example.json");
/// let mut venue = Venue::new(Config::new(json)?);
/// let mut events = Events::new();
/// venue.apply(Nanos::new(1), &Command::OpenAccount, &mut events);
/// assert_eq!(events.len(), 1);
/// # Ok::<(), seawall_core::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "what no rule asks for costs a look at each")]
pub struct Venue {
    floor: Floor,
    queue: Queue,
    /// Terms that wait for their order.
    gathered: Gathered,
    /// Orders that fired and wait to be sent, by market and acceptance number; some may be gone.
    fired: VecDeque<(MarketId, u64)>,
    /// Every step has something to do at its end: a full audit, or an indicative price after each command.
    is_restless: bool,
    /// Some rule multiplies margin rates while it acts.
    multiplies: bool,
    /// Number of the last event.
    seq: u64,
    /// The earliest due time of any timer, so that a step without due timers costs one comparison.
    next_due: Nanos,
    audit: Audit,
    /// The market that has a new mark in this step.
    marked: Option<MarketId>,
    /// The shortest time between two commands that a breaker looks at; [`Nanos::MAX`] if none looks at any.
    gap_least: Nanos,
    /// Commands whose time was held against it: for people who measure.
    gaps_told: u64,
    /// Breakers look at touches.
    watches_touches: bool,
    /// Reused lists of the health pass.
    crossed: Vec<AccountId>,
    judged: Vec<(AccountId, Health)>,
}

/// Somebody who looks at a run between two steps and may stop it.
pub(crate) trait Stops: Told {
    /// From this time on every step is told; before it those only that may have moved a price, a fund or an account.
    fn due(&self) -> Nanos;
    /// True if it stops after a step: its command, the list of events and how many were in it before.
    fn stops(&mut self, venue: &Venue, record: &Record, events: &Events, before: usize) -> bool;
}

/// Nobody looks.
struct Nobody;

impl Told for Nobody {
    const ASKS: bool = false;

    #[inline(always)]
    fn passes(&mut self, _: MarketId, _: Option<Price>, _: Nanos) -> bool {
        true
    }
}

impl Stops for Nobody {
    #[inline(always)]
    fn due(&self) -> Nanos {
        Nanos::MAX
    }

    #[inline(always)]
    fn stops(&mut self, _: &Venue, _: &Record, _: &Events, _: usize) -> bool {
        false
    }
}

/// What is due; in the order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Expiry,
    PhaseEnd,
    Funding,
    Source,
    Settlement,
    /// The deadline of margin calls, of no market: it comes after those of markets at its time.
    Call,
}

/// Why an account's liquidation starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// It is below maintenance.
    Maintenance,
    /// The deadline of its call has passed.
    Call,
}

/// A timer that is due: its time, its market, its kind.
type Timer = (Nanos, MarketId, Due);

impl Venue {
    /// An empty venue.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let watches_touches = config.breakers.iter().any(|breaker| breaker.test == Test::Quote);
        let multiplies = config.breakers.iter().any(|breaker| breaker.margin().is_some());
        let gap_least = config.breakers.iter().filter_map(config::Breaker::gap_least).min();
        let mut venue = Self {
            floor: Floor::new(config),
            queue: Queue::default(),
            gathered: None,
            fired: VecDeque::new(),
            is_restless: false,
            multiplies,
            seq: 0,
            next_due: Nanos::MAX,
            audit: Audit::default(),
            marked: None,
            gap_least: gap_least.unwrap_or(Nanos::MAX),
            gaps_told: 0,
            watches_touches,
            crossed: Vec::new(),
            judged: Vec::new(),
        };
        venue.next_due = venue.earliest();
        venue.set_audit(Audit::default());
        venue
    }

    /// Sets how much the venue checks itself.
    pub fn set_audit(&mut self, audit: Audit) {
        self.audit = audit;
        let publishes = |m: &config::Market| m.auction.indicative == Indicative::Command;
        self.is_restless =
            audit == Audit::Full || self.multiplies || self.floor.config.markets.iter().any(publishes);
        self.rest();
    }

    /// Applies one command at a time. A refusal is an event, and leaves the state as it was but for time.
    pub fn apply(&mut self, at: Nanos, command: &Command, events: &mut Events) {
        self.apply_record(&command.encode(at), events);
    }

    /// Applies commands in order: the form in which batches and journals carry them.
    pub fn apply_batch(&mut self, records: &[Record], events: &mut Events) {
        self.apply_until(records, events, &mut Nobody);
    }

    /// Applies commands in order until somebody stops it, and returns how many were applied.
    #[inline(always)]
    pub(crate) fn apply_until<W: Stops>(
        &mut self,
        records: &[Record],
        events: &mut Events,
        watch: &mut W,
    ) -> usize {
        events.begin(self.floor.config.venue, self.floor.now, 0, self.seq);
        let mut calm = Calm::new(self.calm_before().min(watch.due()));
        let mut done = 0;
        'batch: for part in records.chunks(PART) {
            self.floor.look_ahead(part);
            events.make_room(ROOM);
            let mut rest = part.iter();
            loop {
                let end = self.floor.run_plainly(&mut rest, (&mut calm, watch), events);
                let Some((record, way)) = end else { break };
                match way {
                    Done::Not => self.step(record, events),
                    Done::Unfinished => {
                        events.stamp(Nanos::new(record.at), record.source);
                        self.finish(record, true, events);
                        self.watch_touches(events);
                    }
                    Done::Stirred => self.next_due = self.earliest(),
                    Done::Plainly | Done::Taken => {}
                }
                if W::ASKS && watch.stops(self, record, events, calm.events_before(&rest)) {
                    done += part.len() - rest.len();
                    break 'batch;
                }
                if way != Done::Taken {
                    events.make_room(ROOM);
                    calm.set_before(self.calm_before().min(watch.due()));
                }
            }
            done += part.len();
        }
        if self.gap_least < Nanos::MAX {
            self.gaps_told += u64::try_from(done).expect("64 bits");
        }
        self.seq = events.seq();
        done
    }

    /// Applies one command record.
    pub fn apply_record(&mut self, record: &Record, events: &mut Events) {
        self.apply_batch(core::slice::from_ref(record), events);
    }

    /// The time before which nothing is waiting for a step, and nothing that breakers look at changes by time alone or by
    /// the time between commands: plain steps leave it so.
    #[inline(always)]
    fn calm_before(&self) -> Nanos {
        if self.gathered.is_some() || self.floor.is_stirred() {
            return Nanos::new(i64::MIN);
        }
        self.next_due.min(self.floor.touches_due()).min(self.floor.now.later(self.gap_least))
    }

    /// One step. Most are for an order or a cancel, at a time at which there is nothing else to do.
    #[inline(always)]
    fn step(&mut self, record: &Record, events: &mut Events) {
        let at = Nanos::new(record.at);
        events.stamp(at, record.source);
        let is_calm = at >= self.floor.now
            && at < self.next_due
            && at < self.floor.touches_due()
            && self.gathered.is_none()
            && at.since(self.floor.now) < self.gap_least;
        if !is_calm || !command::is_frequent(record.kind) {
            return self.step_with_more(record, at, events);
        }
        self.floor.now = at;
        let done = if record.kind == command::PLACE {
            self.place(record, None, events)
        } else {
            self.cancel(record, events)
        };
        self.end(record, done, false, events);
    }

    /// One step with a command of any kind, at any time.
    #[inline(never)]
    fn step_with_more(&mut self, record: &Record, at: Nanos, events: &mut Events) {
        let said = if record.kind == command::TERM { None } else { self.gathered.take() };
        // An unknown kind is refused before anything else, time included.
        let known = command::is_known(record.kind);
        if at < self.floor.now || !known {
            events.stamp(self.floor.now, record.source);
            let why = if known { Reject::TimeBackwards } else { Reject::UnknownCommand };
            return self.refuse(record, why, events);
        }
        // 1 time.
        let before = std::mem::replace(&mut self.floor.now, at);
        let pending = self.next_due <= at && self.run_timers(events);
        if before.is_positive() && at.since(before) >= self.gap_least {
            self.judge_gaps(at.since(before), events);
        }
        if self.watches_touches {
            self.floor.ask_touches();
        }
        // 2 to 6: admit, check, match, settle, mark.
        let done = match if pending { self.hold(record.kind) } else { None } {
            Some(why) => Err(why),
            None => self.execute(record, said.as_deref(), events),
        };
        self.end(record, done, pending, events);
    }

    /// The end of a step: a refusal, and what most steps do not leave to do.
    #[inline(always)]
    fn end(&mut self, record: &Record, done: Result<(), Reject>, pending: bool, events: &mut Events) {
        if let Err(why) = done {
            self.refuse(record, why, events);
        }
        if self.floor.is_stirred() || record.kind >= command::INDEX {
            self.finish(record, done.is_ok() && !pending, events);
        } else if self.floor.has_news() {
            self.observe_trades();
        }
        self.watch_touches(events);
    }

    /// The last thing of a step: the touch, where breakers look at it.
    #[inline(always)]
    fn watch_touches(&mut self, events: &mut Events) {
        if self.floor.asks_touches() && self.floor.watch_touches(events) {
            self.next_due = self.earliest();
        }
    }

    /// Step 9 where nothing else is left to do: references take the step's trades.
    #[inline(never)]
    fn observe_trades(&mut self) {
        self.floor.observe();
        if self.watches_touches {
            self.floor.ask_touches();
        }
    }

    /// Steps 6a to 10.
    #[inline(never)]
    fn finish(&mut self, record: &Record, done: bool, events: &mut Events) {
        let marked = self.marked.take();
        if self.watches_touches {
            self.floor.ask_touches();
        }
        // 6a triggers.
        if done && self.has_triggers(marked) {
            self.run_triggers(marked, events);
        }
        // 7 health.
        if self.multiplies {
            self.floor.follow_margin(events);
        }
        self.pass_health(marked, events);
        if let Some(market) = marked {
            self.judge_depths(market, events);
        }
        // 8 resolve.
        let resolves = done && (marked.is_some() || record.kind == command::PULSE);
        if resolves && self.queue.len() > 0 {
            let rounds = self.floor.liquidation_rounds();
            self.queue.resolve(&mut self.floor, rounds, events);
            self.pass_health(None, events);
            self.next_due = self.earliest();
        }
        // 9 observe.
        self.publish(record.kind, events);
        if self.floor.has_news() {
            self.floor.observe();
            self.judge_counts(events);
        }
        // 10 audit.
        match self.audit {
            Audit::Off => {}
            Audit::Cheap => self.floor.ledger.audit_moved(),
            Audit::Full => self.audit_full(),
        }
        self.rest();
    }

    /// Whether the next step has something to do at its end for certain: it always has, or orders fired and were not
    /// sent, or waiting orders have not observed a price.
    pub(super) fn rest(&mut self) {
        self.floor.rest(self.is_restless || !self.fired.is_empty());
    }

    /// Indicative prices of auctions under way, where they have changed and are to be told now.
    fn publish(&mut self, kind: u16, events: &mut Events) {
        if !self.floor.has_indicative {
            return;
        }
        for market in self.floor.market_ids() {
            let m = self.floor.market(market);
            let now = match m.config.auction.indicative {
                Indicative::Never => false,
                Indicative::Pulse => matches!(kind, command::INDEX | command::SOURCE | command::PULSE),
                Indicative::Command => true,
            };
            if now && m.admits.place == Placing::Resting {
                self.floor.publish(market, events);
            }
        }
    }

    /// True if a waiting order may have a price to observe, or has fired and was not sent.
    fn has_triggers(&self, marked: Option<MarketId>) -> bool {
        let observes = |m| !self.floor.market(m).book.waiting().is_empty();
        self.floor.has_prints || !self.fired.is_empty() || marked.is_some_and(observes)
    }

    /// Rejected: the refused command's fields are repeated, so that its sender can tell which one it was.
    fn refuse(&mut self, record: &Record, why: Reject, events: &mut Events) {
        if record.kind == command::TERM {
            // The order that it belonged to must not come without it.
            self.gathered.get_or_insert_default().broken = true;
        }
        let flags = record.kind;
        events.push(Record { kind: event::REJECTED, flags, code: why.code(), ..*record });
    }

    // Step 1: time.

    /// True if a timer is due; [`Nanos::MAX`] never comes.
    pub(super) fn has_due(&self, at: Nanos) -> bool {
        let due = if self.queue.plans().awaits() { self.first_due() } else { self.next_due };
        due <= at && due < Nanos::MAX
    }

    /// Why a command has to wait: timers that are not finished, or a plan that is awaited.
    #[inline(never)]
    fn hold(&self, kind: u16) -> Option<Reject> {
        if self.timers_pending() {
            return (kind != command::PULSE).then_some(Reject::TimersPending);
        }
        let admitted = matches!(
            kind,
            command::PLAN_BEGIN
                | command::PLAN_ROW
                | command::PLAN_COMMIT
                | command::CANCEL
                | command::CANCEL_ALL
                | command::PULSE
        );
        (!admitted).then_some(Reject::AwaitingPlan)
    }

    /// The earliest due time of any timer; before all times while a plan is awaited, so that every step asks [`Self::hold`].
    fn earliest(&self) -> Nanos {
        if self.queue.plans().awaits() { Nanos::new(i64::MIN) } else { self.first_due() }
    }

    /// The earliest due time of any timer.
    fn first_due(&self) -> Nanos {
        self.first_timer().map_or(Nanos::MAX, |timer| timer.0)
    }

    /// The first timer of all.
    fn first_timer(&self) -> Option<Timer> {
        let call = self.floor.calls.first().filter(|due| *due < Nanos::MAX);
        let call = call.map(|due| (due, MarketId::NONE, Due::Call));
        self.floor.market_ids().filter_map(|m| self.timer(m)).chain(call).min()
    }

    /// The first timer of a market; a settlement under way is due at once, and [`Nanos::MAX`] never comes.
    fn timer(&self, market: MarketId) -> Option<Timer> {
        let m = self.floor.market(market);
        let expiry = m.book.next_expiry().map(|due| (due, market, Due::Expiry));
        let phase =
            (m.end.is_positive() && m.phase.next().is_some()).then_some((m.end, market, Due::PhaseEnd));
        // A market that was settled has no positions, and will have none.
        let settled = m.settlement.has_begun();
        let funding = m.funding.as_ref().filter(|_| !settled).map(|f| {
            let due = if f.settlement().is_some() { Nanos::new(i64::MIN) } else { f.due() };
            (due, market, Due::Funding)
        });
        let source = Some((m.sources.due(), market, Due::Source));
        let due = m.config.settlement.and_then(|rule| m.settlement.due(&rule));
        let settlement = due.map(|due| (due, market, Due::Settlement));
        expiry
            .into_iter()
            .chain(phase)
            .chain(funding)
            .chain(source)
            .chain(settlement)
            .min()
            .filter(|timer| timer.0 < Nanos::MAX)
    }

    /// Runs what is due; true if a settlement is not finished, or a plan is awaited.
    fn run_timers(&mut self, events: &mut Events) -> bool {
        let mut budget =
            usize::try_from(self.floor.config.limits.funding_accounts_per_step).expect("32 bits fit");
        while let Some((at, market, what)) = self.first_timer().filter(|t| t.0 <= self.floor.now) {
            match what {
                Due::Expiry => self.expire(market, at, events),
                Due::PhaseEnd => self.end_phase(market, at, events),
                Due::Source => self.expire_sources(market, at, events),
                Due::Call => self.end_calls(at, events),
                Due::Settlement => {
                    if self.settle_market(market, at, &mut budget, events) {
                        return true;
                    }
                }
                Due::Funding => {
                    let under_way = |venue: &Self| {
                        venue.floor.market(market).funding.as_ref().is_some_and(|f| f.settlement().is_some())
                    };
                    let begun = under_way(self);
                    if !begun && budget == 0 {
                        return true;
                    }
                    budget -= usize::from(!begun);
                    self.settle_funding(market, &mut budget, events);
                    if under_way(self) {
                        return true;
                    }
                }
            }
        }
        self.next_due = self.earliest();
        self.queue.plans().awaits()
    }

    /// The time since the command before is looked at.
    #[inline(never)]
    fn judge_gaps(&mut self, gap: Nanos, events: &mut Events) {
        for market in self.floor.market_ids() {
            let m = self.floor.market(market);
            if !m.breakers.has_gaps() || !m.phase.is_trading() {
                continue;
            }
            let trips = m.breakers.judge_gap(self.floor.now, gap);
            if !trips.is_empty() {
                self.floor.interrupt(market, &trips, events);
                self.next_due = self.earliest();
            }
        }
    }

    /// What liquidations and auto-deleveraging of the step came to is looked at.
    fn judge_counts(&mut self, events: &mut Events) {
        for market in self.floor.market_ids() {
            if !self.floor.market(market).breakers.has_counts() {
                continue;
            }
            let now = self.floor.now;
            let trips = self.floor.market_mut(market).breakers.judge_counts(now);
            if !trips.is_empty() {
                self.floor.interrupt(market, &trips, events);
                self.next_due = self.earliest();
            }
        }
    }

    fn end_phase(&mut self, market: MarketId, due: Nanos, events: &mut Events) {
        let m = self.floor.market(market);
        if m.settlement.reduces() {
            return self.enter(market, Phase::ReduceOnly, Nanos::ZERO, events);
        }
        let (phase, collects) = (m.phase, m.admits.place == Placing::Resting);
        let acting = m.breakers.acting();
        let auction = m.breakers.reopening().unwrap_or(m.config.reopen_auction_ns);
        match m.phase.next() {
            Some(AfterPhase::Reopen) if auction.is_positive() => {
                self.enter(market, Phase::CallAuction, due.later(auction), events);
                self.floor.market_mut(market).acts(acting);
            }
            Some(AfterPhase::Continue) if m.phase == Phase::LimitState && acting.is_some() => {
                let rule = acting.map_or(0, |acting| acting.rule);
                let (phase, end) = m.breakers.after_limit_state(rule, due);
                self.enter(market, phase, if end == Nanos::MAX { Nanos::ZERO } else { end }, events);
                self.floor.market_mut(market).acts(acting);
            }
            Some(AfterPhase::Continue)
                if m.phase == Phase::CallAuction && self.floor.extends_auction(market, due, events) => {}
            Some(AfterPhase::Close) => self.enter(market, Phase::Closed, Nanos::ZERO, events),
            _ if collects && matches!(self.floor.auction(market, None), Found::Outside(..)) => {
                // The call goes on until somebody ends it.
                self.enter(market, phase, Nanos::ZERO, events);
                self.floor.market_mut(market).acts(acting);
            }
            Some(AfterPhase::Reopen | AfterPhase::Continue) | None => {
                self.enter(market, Phase::Continuous, Nanos::ZERO, events);
            }
        }
    }

    /// Enters a phase; what liquidation orders then trade in an auction is settled.
    fn enter(&mut self, market: MarketId, phase: Phase, end: Nanos, events: &mut Events) {
        let m = self.floor.market(market);
        let uncrosses = phase.admits().matches && !m.admits.matches && m.config.auction.liquidations;
        let offers = if uncrosses { self.queue.offers(&self.floor, market) } else { Vec::new() };
        self.floor.enter(market, phase, end, events);
        self.queue.settle_offers(&mut self.floor, offers, events);
    }

    // Step 7: health.

    /// Calls and queues whoever the step has endangered: touched accounts, and those whose guard a mark crossed.
    fn pass_health(&mut self, marked: Option<MarketId>, events: &mut Events) {
        if marked.is_none() && !self.floor.has_touched() {
            return;
        }
        self.crossed.clear();
        self.floor.endangered(marked, &mut self.crossed);
        if !self.crossed.is_empty() {
            self.judge(events);
        }
    }

    /// Calls and queues those of the crossed accounts that have to be, and sets their guards anew.
    #[inline(never)]
    fn judge(&mut self, events: &mut Events) {
        self.crossed.sort_unstable();
        self.crossed.dedup();
        let mut judged = std::mem::take(&mut self.judged);
        judged.clear();
        for &account in self.crossed.iter().filter(|&&a| !self.floor.is_liquidated(a)) {
            judged.push((account, self.floor.health(account)));
        }
        self.clear_calls(&judged, events);
        judged.retain(|(account, health)| {
            let called = self.floor.is_called(*account);
            let queued = health.is_liquidatable() && self.floor.can_be_liquidated(*account);
            queued || (!called && health.is_callable())
        });
        judged.sort_unstable_by(worst_first);
        self.call_margin(&judged, events);
        self.start_liquidations(&judged, events);
        for i in 0..self.crossed.len() {
            let account = self.crossed[i];
            let cause = if self.floor.is_touched(account) { Cause::Touch } else { Cause::Price };
            self.floor.untouch(account);
            self.floor.arm(account, cause);
        }
        self.judged = judged;
    }

    /// Margin calls have run out at a time: whoever covers its call now is cleared, the others are liquidated; an account
    /// that cannot be is called anew.
    fn end_calls(&mut self, due: Nanos, events: &mut Events) {
        let mut judged: Vec<(AccountId, Health)> = Vec::new();
        for account in self.floor.calls.at(due) {
            let health = self.floor.health(account);
            if health.is_callable() {
                judged.push((account, health));
            } else {
                self.clear_call(account, &health, events);
                self.floor.arm(account, Cause::Touch);
            }
        }
        judged.sort_unstable_by(worst_first);
        for (account, health) in judged {
            if self.floor.can_be_liquidated(account) {
                self.start_liquidation(account, &health, Start::Call, events);
                self.floor.arm(account, Cause::Touch);
            } else {
                self.call(account, &health, events);
            }
        }
    }

    fn clear_calls(&mut self, judged: &[(AccountId, Health)], events: &mut Events) {
        for (account, health) in judged {
            let floor = &mut self.floor;
            if floor.is_called(*account) && floor.is_touched(*account) && health.equity >= health.call {
                self.clear_call(*account, health, events);
            }
        }
    }

    fn clear_call(&mut self, account: AccountId, health: &Health, events: &mut Events) {
        self.floor.set_called(account, false);
        events.push(Record {
            account: account.get(),
            amount: health.equity.saturate().get(),
            ..event_of(event::MARGIN_CALL_CLEARED, MarketId::NONE)
        });
    }

    fn call_margin(&mut self, judged: &[(AccountId, Health)], events: &mut Events) {
        for (account, health) in judged {
            if !(health.is_liquidatable() && self.floor.can_be_liquidated(*account)) {
                self.call(*account, health, events);
            }
        }
    }

    /// Calls an account; where calls have a deadline, says what it lacks and until when it has to cure that.
    fn call(&mut self, account: AccountId, health: &Health, events: &mut Events) {
        let floor = &mut self.floor;
        floor.set_called(account, true);
        events.push(Record {
            account: account.get(),
            amount: health.equity.saturate().get(),
            qty: health.call.saturate().get(),
            ..event_of(event::MARGIN_CALLED, MarketId::NONE)
        });
        let grace = floor.config.margin_call_grace_ns;
        if grace.is_zero() {
            return;
        }
        let due = floor.now.later(grace);
        floor.calls.open(account, due);
        events.push(Record {
            account: account.get(),
            qty: (health.call - health.equity).saturate().get(),
            amount: due.get(),
            ..event_of(event::MARGIN_CALL_DUE, MarketId::NONE)
        });
        self.next_due = self.next_due.min(due);
    }

    fn start_liquidations(&mut self, judged: &[(AccountId, Health)], events: &mut Events) {
        for (account, health) in judged {
            if health.is_liquidatable() && self.floor.can_be_liquidated(*account) {
                self.start_liquidation(*account, health, Start::Maintenance, events);
            }
        }
    }

    /// An account joins the liquidation queue; a call of it has no deadline any more.
    fn start_liquidation(&mut self, account: AccountId, health: &Health, start: Start, events: &mut Events) {
        let floor = &mut self.floor;
        floor.calls.close(account);
        floor.set_called(account, floor.rules.has_calls());
        floor.set_liquidated(account, true);
        self.queue.join(account);
        let flags = if start == Start::Call { LIQUIDATED_FOR_CALL } else { 0 };
        events.push(Record {
            account: account.get(),
            flags,
            amount: health.equity.saturate().get(),
            qty: health.maintenance.saturate().get(),
            ..event_of(event::LIQUIDATION_STARTED, MarketId::NONE)
        });
        if health.equity.is_negative() {
            floor.alarm(account, GateTrigger::NegativeEquity, events);
        }
    }

    // Step 10: audit.

    /// Counts everything anew and asserts the invariants of docs/invariants.md.
    fn audit_full(&self) {
        let floor = &self.floor;
        floor.ledger.audit_cheap();
        for market in floor.market_ids() {
            let (net, long) = floor.ledger.recount(market);
            assert!(net.is_zero(), "positions of market {market} sum to {net}");
            assert_eq!(long, floor.ledger.open_interest(market), "open interest of market {market}");
            assert!(floor.ledger.clearing_is_right(market), "entry costs of market {market}");
            assert!(!floor.ledger.at(Place::Rounding(market)).is_negative(), "rounding of market {market}");
            let m = floor.market(market);
            let settling = m.funding.as_ref().is_some_and(|f| f.settlement().is_some());
            let kept = floor.ledger.at(Place::Funding(market));
            assert!(settling || !kept.is_negative(), "funding of market {market} paid out {kept} too much");
            m.book.check();
            let open = if m.config.cleared { m.book.open_lots(floor.ledger.accounts()) } else { Vec::new() };
            for (account, p) in floor.ledger.market_positions(market) {
                assert_eq!(
                    open.get(account.index()).copied().unwrap_or_default(),
                    [p.open_buys, p.open_sells],
                    "open lots of account {account}"
                );
            }
            assert!(!m.admits.matches || !m.book.is_crossed(), "book of market {market} is crossed");
        }
        let report = self.conservation();
        assert!(report.ok, "money is not conserved: {report:?}");
        for account in (0..floor.ledger.accounts()).map(AccountId::from_index) {
            let health = floor.health(account);
            let endangered = health.is_liquidatable() && floor.can_be_liquidated(account);
            assert!(
                !endangered || floor.is_liquidated(account),
                "account {account} is endangered and not queued"
            );
            assert!(
                !health.is_callable() || floor.is_called(account) || floor.is_liquidated(account),
                "account {account} is below its call requirement and not called"
            );
        }
    }
}

/// Worse health first, ties by lower account.
fn worst_first(a: &(AccountId, Health), b: &(AccountId, Health)) -> Ordering {
    a.1.worse(&b.1).then_with(|| a.0.cmp(&b.0))
}
