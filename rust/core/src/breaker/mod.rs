//! Circuit breakers of one market: what they watch, the bounds that this makes, and what they do about a price.
//!
//! Knows prices and times, not orders or money. Bounds are evaluated when something that they are made of has changed;
//! a price is then held against two numbers, and only one outside them is looked at rule by rule.

mod bounds;
mod depth;
mod judge;
mod rule;
mod states;
mod watch;

pub use bounds::{Admitted, Bounds, Exact, Sight, Spot, admit, bounds, combined, left, rounded};
pub(crate) use depth::Near;
pub(crate) use rule::{Acting, Asked, Bound, Standing, Trip};
pub use states::{
    EndMode, LimitOutcome, QuoteState, gap_row, later_end, level_prices, limit_outcome, quote_state,
    re_reference, reopening_collar, scheduled,
};
pub use watch::mean_reference;

use crate::codec::{CodecError, Reader, Writer};
use crate::config::{Action, Config, Day, LeastDepth, Quantile, Range, Reference, Test, Width};
use crate::order::FlowKind;
use crate::protocol::{Phase, Record};
use crate::units::{MarketId, Nanos, Ppm, Price, Ratio, Side, Span, quantile_factors};
use depth::Depths;
use rule::{Rule, Seeing, Tally};
use watch::{Feed, Moved, Room, Seen, Step, Steps, Watch};

/// The rules of one market.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "what no rule asks for costs nothing")]
pub(crate) struct Breakers {
    market: u64,
    seed: u64,
    day: Day,
    price_min: Price,
    price_max: Price,
    watches: Vec<Watch>,
    rules: Vec<Rule>,
    factors: Vec<(Quantile, [Ratio; 2])>,
    watches_trades: bool,
    watches_marks: bool,
    watches_index: bool,
    has_index: bool,
    has_marks: bool,
    watches_touch: bool,
    has_hours: bool,
    /// Some rule, or the cooling-off that the market is in, looks at limits.
    has_entry: bool,
    has_caps: bool,
    has_trade: bool,
    has_quotes: bool,
    has_gaps: bool,
    has_counts: bool,
    has_depths: bool,
    /// Some rule refuses an order for a level that it would reach.
    refuses_sweeps: bool,
    /// Entry, or what refuses sweeps.
    asks_orders: bool,
    /// Some reference follows from the mark or the index as it stands.
    stands: bool,
    /// The touch was strictly inside the bounds as they are when it was looked at last.
    at_ease: bool,
    // What this step brought, and whether a rule has acted in it.
    trades: Seen,
    marks: Seen,
    /// Steps with trades that references have not been told yet: all of them are in their rooms with these prices.
    untold: Steps,
    /// Prices with which they are, and until when.
    calm: Room,
    calm_until: Nanos,
    tripped: bool,
    /// What this step counted, by the place of [`Counted`](crate::config::Counted).
    counts: [i64; 5],
    acting: Option<Acting>,
    /// Some rule, of this market or of another, can put the market in a phase.
    can_act: bool,
    /// The market is in a phase that trades.
    trading: bool,
    // What follows from the state: what is inside for certain by the rules of a test, until a time or a change.
    standing: Standing,
    entry: Bounds,
    trade: Bounds,
    /// Prices of the market that are let in as limits of either side without a further look, and a touch that is one of them
    /// is at ease.
    free: Span,
    until: Nanos,
    /// When hours change bounds.
    hours: Nanos,
    /// When time alone changes the bounds that were evaluated last.
    exact_until: Nanos,
    /// A reference has moved in its room: what is inside is so still, and what is outside has to be evaluated anew.
    has_moved: bool,
    /// Rules evaluated, and prices looked at rule by rule: for people who measure.
    work: BreakerWork,
}

/// What breakers of a venue did, for people who measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BreakerWork {
    /// Prices, limits, touches, gaps and counts held against the bounds of a market.
    pub tests: u64,
    /// Evaluations of a rule's bounds.
    pub evaluations: u64,
}

impl BreakerWork {
    /// Wrapping: no overflow in a lifetime.
    #[inline(always)]
    fn note_test(&mut self) {
        self.tests = self.tests.wrapping_add(1);
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::EVERYTHING
    }
}

impl Breakers {
    pub(crate) fn new(config: &Config, market: MarketId) -> Self {
        let of_market = &config.markets[market.index()];
        let (price_min, price_max) = of_market.prices();
        let mut breakers = Self {
            market: market.get().into(),
            seed: config.seed,
            day: of_market.day,
            price_min,
            price_max,
            until: Nanos::new(i64::MIN),
            hours: Nanos::MAX,
            trading: of_market.phase.is_trading(),
            can_act: config.breakers.iter().any(|breaker| breaker.reaches(market)),
            ..Self::default()
        };
        for (i, of) in config.breakers.iter().enumerate().filter(|(_, b)| b.markets.contains(&market)) {
            let number = u16::try_from(i).expect("rules are few");
            let anew = of.rearm.restart || of.rearm.auction;
            let watches = &mut breakers.watches;
            let rule = Rule::new(number, of, &mut |reference| {
                // What a command tells one rule is not told the others.
                let owner = (anew || matches!(reference, Reference::Set { .. })).then_some(number);
                let shared = |w: &Watch| w.reference == *reference && w.owner == owner;
                watches.iter().position(shared).unwrap_or_else(|| {
                    watches.push(Watch::new(*reference, owner));
                    watches.len() - 1
                })
            });
            breakers.has_hours |= of.ranges.iter().any(|range| range.width.has_hours());
            let caps = matches!(of.test, Test::Entry { .. } | Test::Quote);
            breakers.has_caps |= caps;
            breakers.has_quotes |= of.test == Test::Quote;
            breakers.has_gaps |= of.test == Test::Gap;
            breakers.has_index |= of.test == Test::Index;
            breakers.has_marks |= of.test == Test::Mark;
            breakers.has_counts |= matches!(of.test, Test::Count { .. });
            breakers.has_depths |= matches!(of.test, Test::Depth { .. } | Test::Pending { .. });
            breakers.has_trade |= matches!(of.test, Test::Trade { .. });
            breakers.refuses_sweeps |= matches!((of.test, &of.action), (Test::Trade { .. }, Action::Reject));
            let mut quantiles = Vec::new();
            of.ranges.iter().for_each(|range: &Range| range.width.quantiles(&mut quantiles));
            breakers.factors.extend(quantiles.into_iter().map(|q| {
                (q, quantile_factors(q.drift_ppm, q.volatility_ppm, q.horizon_ns, q.probability_ppb))
            }));
            breakers.rules.push(rule);
        }
        let has = |of: fn(&Watch) -> bool| breakers.watches.iter().any(of);
        let (trades, marks) = (has(|w| w.feed == Feed::Trades), has(|w| w.feed == Feed::Marks));
        let index = has(Watch::watches_index);
        let touch = has(|w| matches!(w.reference, Reference::Touch | Reference::Mid));
        breakers.watches_trades = trades;
        breakers.untold = Steps::new(trades);
        breakers.watches_marks = marks;
        breakers.watches_index = index;
        breakers.watches_touch = touch;
        breakers.stands = has(Watch::follows_prices);
        breakers.set_acting(None);
        breakers
    }

    /// True if no rule watches the market.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// True if the limits of orders are held against bounds.
    #[inline(always)]
    pub(crate) fn has_entry(&self) -> bool {
        self.has_entry
    }

    /// True if the prices of levels are held against bounds.
    #[inline(always)]
    pub(crate) fn has_trade(&self) -> bool {
        self.has_trade
    }

    /// True if trades are told.
    pub(crate) fn watches_trades(&self) -> bool {
        self.watches_trades
    }

    /// True if a rule refuses orders for a level that they would reach.
    pub(crate) fn refuses_sweeps(&self) -> bool {
        self.refuses_sweeps
    }

    /// Work done so far.
    pub(crate) fn work(&self) -> BreakerWork {
        self.work
    }

    /// True if an order is held against something before it is accepted, or changes what is looked at after it.
    #[inline(always)]
    pub(crate) fn asks_orders(&self) -> bool {
        self.asks_orders
    }

    /// When bounds change by time alone.
    pub(crate) fn changes(&self) -> Nanos {
        debug_assert!(self.untold.is_empty(), "bounds that nobody has looked at");
        self.watches.iter().map(Watch::changes).min().unwrap_or(Nanos::MAX).min(self.hours)
    }

    /// True if what is inside for certain may not be so any more at a time.
    #[inline(always)]
    pub(crate) fn is_stale(&self, now: Nanos) -> bool {
        now >= self.until
    }

    fn outdate(&mut self) {
        (self.until, self.calm_until) = (Nanos::new(i64::MIN), Nanos::new(i64::MIN));
    }

    /// True if what is outside has to be evaluated anew before it is judged at a time.
    #[inline(always)]
    pub(crate) fn is_rough(&self, now: Nanos) -> bool {
        self.has_moved || now >= self.exact_until || self.is_stale(now)
    }

    /// Lets go of what is too old at a time; true if what is inside for certain is so still.
    pub(crate) fn age(&mut self, now: Nanos) -> bool {
        if self.until == Nanos::new(i64::MIN) || now >= self.hours {
            return false;
        }
        self.tell_trades();
        if self.until == Nanos::new(i64::MIN) {
            return false;
        }
        let mut until = self.hours;
        for watch in &mut self.watches {
            if watch.expire(now) == Moved::Beyond {
                self.outdate();
                return false;
            }
            until = until.min(watch.stays_until(now));
        }
        (self.until, self.has_moved) = (until, true);
        self.find_calm();
        true
    }

    /// Evaluates the bounds of every rule at a time.
    #[inline(never)]
    pub(crate) fn refresh(&mut self, now: Nanos, standing: Standing) {
        self.tell_trades();
        self.at_ease = false;
        self.has_moved = false;
        let before = std::mem::replace(&mut self.standing, standing);
        for watch in &mut self.watches {
            watch.expire(now);
            watch.settle();
            watch.is_new |= watch.stands_anew(&before, &standing);
        }
        let Day { start_ns, length_ns } = self.day;
        let time_of_day = start_ns.time_of_day(length_ns, now);
        let sight = Seeing { watches: &self.watches, standing, time_of_day, factors: &self.factors };
        for rule in &mut self.rules {
            rule.is_new |= rule.places.iter().any(|place| self.watches[*place].is_new);
            if rule.is_new {
                rule.evaluate(&sight);
                self.work.evaluations += 1;
            }
        }
        for place in 0..self.watches.len() {
            if self.watches[place].is_new {
                let sight = Seeing { watches: &self.watches, standing, time_of_day, factors: &self.factors };
                let room = room(&self.rules, place, &sight);
                self.watches[place].settle_in(room);
            }
        }
        let sight = Seeing { watches: &self.watches, standing, time_of_day, factors: &self.factors };
        (self.entry, self.trade) = (Bounds::EVERYTHING, Bounds::EVERYTHING);
        for rule in &mut self.rules {
            if std::mem::replace(&mut rule.is_new, rule.has_hours) {
                rule.make_certain(&sight);
            }
            match rule.test {
                Test::Entry { .. } => self.entry = self.entry.and(&rule.certain),
                Test::Quote if self.trading => self.entry = self.entry.and(&rule.certain),
                Test::Trade { .. } => self.trade = self.trade.and(&rule.certain),
                Test::Mark
                | Test::Index
                | Test::Quote
                | Test::Gap
                | Test::Count { .. }
                | Test::Depth { .. }
                | Test::Pending { .. }
                | Test::Manual => {}
            }
        }
        self.hours = Nanos::MAX;
        if self.has_hours {
            let boundary = self.rules.iter().flat_map(|rule| &rule.ranges).filter_map(|range| {
                range.width.next_hour(time_of_day).map(|next| now.later(next - time_of_day))
            });
            // Hours that reach past the day end with it.
            self.hours = boundary.fold(now.later(length_ns - time_of_day), Nanos::min);
        }
        self.exact_until = self.changes();
        let until = self.watches.iter().map(|watch| watch.stays_until(now)).min();
        self.until = until.unwrap_or(Nanos::MAX).min(self.hours);
        if self.watches_touch {
            self.outdate();
        }
        self.find_calm();
        self.find_free();
    }

    /// The limits of which nothing has to be asked but that they are among these: none while more is asked.
    fn find_free(&mut self) {
        let Bounds { lower, upper } = self.entry;
        let more = self.acting.is_some() || self.refuses_sweeps || (self.has_quotes && !self.at_ease);
        // A touch at a bound is not at ease.
        let tick = Price::new(i64::from(self.has_quotes));
        let (low, high) = (self.price_min.max(lower + tick), self.price_max.min(upper - tick));
        self.free = if more { Span::NOTHING } else { Span::new(low.get(), high.get()) };
    }

    /// With what trades every reference stays in its room.
    fn find_calm(&mut self) {
        (self.calm, self.calm_until) = (Room { low: Price::ZERO, high: Price::MAX }, Nanos::MAX);
        for watch in self.watches.iter().filter(|watch| watch.feed == Feed::Trades) {
            let (room, until) = watch.admits().unwrap_or((self.calm, Nanos::new(i64::MIN)));
            (self.calm, self.calm_until) = (self.calm.and(&room), self.calm_until.min(until));
        }
    }

    /// A rule has acted: counts it, and starts its references anew if it is told to.
    pub(crate) fn trip(&mut self, trip: &Trip, now: Nanos) {
        self.tell_trades();
        // What is asked at the end of a step comes after its prices were taken.
        self.tripped |= matches!(trip.asked, Asked::Trade | Asked::Mark | Asked::Index | Asked::Manual);
        let day = self.today(now);
        let is_price = trip.price.is_positive() && trip.price <= self.price_max;
        for rule in self.rules.iter_mut().filter(|r| r.number == trip.rule) {
            rule.trips += 1;
            rule.today = (day, if rule.today.0 == day { rule.today.1.saturating_add(1) } else { 1 });
            if is_price && matches!(rule.action, Action::Schedule { .. }) {
                let price = Ratio::of_price(trip.price);
                let level = rule.levels_now().iter().filter(|level| price <= **level).count();
                let before = if rule.levels.0 == day { rule.levels.1 } else { 0 };
                rule.levels = (day, before | 1 << level);
            }
            rule.armed =
                if rule.rearm.cooldown_ns.is_zero() { rule.armed } else { now.later(rule.rearm.cooldown_ns) };
        }
        let restarts = is_price && self.rules.iter().any(|r| r.number == trip.rule && r.rearm.restart);
        for watch in self.watches.iter_mut().filter(|w| restarts && w.owner == Some(trip.rule)) {
            watch.restart(now, trip.price);
        }
        self.outdate();
    }

    /// The tightest bound of the rules at entry for an order that is limited and never refused.
    pub(crate) fn tightest(&self, side: Side, flow: FlowKind) -> Option<Bound> {
        self.judge_limit(side, None, flow, || true)
    }

    /// What every rule that refuses or caps limits leaves as it is.
    pub(crate) fn untouched(&self) -> Bounds {
        let binds = |r: &&Rule| {
            matches!(r.test, Test::Entry { .. })
                && matches!(r.action, Action::Reject | Action::Cap)
                && r.enabled
        };
        self.rules.iter().filter(binds).fold(Bounds::EVERYTHING, |all, rule| all.and(&rule.all))
    }

    /// The rule that put the market in its phase.
    pub(crate) fn acting(&self) -> Option<Acting> {
        self.acting
    }

    /// The market is in a phase, which no rule has put it in.
    pub(crate) fn enter(&mut self, phase: Phase) {
        self.at_ease = false;
        self.set_acting(None);
        self.trading = phase.is_trading();
        self.outdate();
    }

    pub(crate) fn set_acting(&mut self, acting: Option<Acting>) {
        self.acting = acting;
        self.has_entry = self.has_caps || acting.is_some_and(|acting| acting.confines);
        self.asks_orders = self.has_entry || self.refuses_sweeps;
        self.find_free();
    }

    /// Notes a trade of this step; true if somebody watches trades.
    #[inline(always)]
    pub(crate) fn trade(&mut self, price: Price) -> bool {
        if self.watches_trades {
            self.trades.add(price);
        }
        self.watches_trades
    }

    /// Notes the price of an auction.
    pub(crate) fn auctioned(&mut self, now: Nanos, price: Price) {
        self.tell_trades();
        let begun = self.acting.map(|acting| acting.rule);
        let restarts = |r: &&Rule| Some(r.number) == begun && r.rearm.auction;
        let anew = self.rules.iter().find(restarts).map(|rule| rule.number);
        for watch in &mut self.watches {
            watch.auction(price);
            if anew.is_some() && watch.owner == anew {
                watch.restart(now, price);
            }
        }
        self.outdate();
    }

    /// Notes a new index and mark; true if a rule watches marks.
    pub(crate) fn marked(&mut self, now: Nanos, index: Price, mark: Price, mid: Option<i64>) -> bool {
        if self.is_empty() {
            return false;
        }
        if self.stands {
            self.outdate();
        }
        if self.watches_index {
            for watch in &mut self.watches {
                watch.index(now, index, mid);
            }
        }
        if self.watches_marks {
            self.marks = Seen::one(mark);
        }
        self.watches_marks
    }

    /// References see none of the prices of this step: a command has made a rule act, whatever it tests.
    pub(crate) fn pass_over(&mut self) {
        self.tripped = true;
    }

    /// Ends the step: its prices enter the references, unless a rule has acted in it.
    #[inline]
    pub(crate) fn observe(&mut self, now: Nanos) {
        if self.trades.is_some() && !self.tripped {
            let seen = self.trades;
            self.observe_seen(now, seen);
        }
        if self.marks.is_some() && !self.tripped {
            let step = [(now, self.marks)];
            Self::tell(&mut self.watches, (Feed::Marks, &step), &mut self.until);
            self.has_moved = true;
        }
        self.tripped = false;
        self.trades.forget();
        self.marks.forget();
    }

    /// Ends a step in which an order traded and no rule has acted, by the events of its trades: two for each, which went one
    /// way from price to price.
    #[inline(never)]
    pub(crate) fn observe_fills(&mut self, now: Nanos, fills: &[Record]) {
        let (trades, _) = fills.as_chunks::<2>();
        let ([first, ..], [.., last]) = (trades, trades) else { return };
        let of = |[_, taker]: &[Record; 2]| taker.price;
        let count = u64::try_from(trades.len()).expect("lengths have at most 64 bits");
        let told = (trades.iter().map(of).sum(), count);
        self.observe_seen(now, Seen::from_to(Price::new(of(first)), Price::new(of(last)), told));
    }

    /// The prices of a step's trades enter the references: where that cannot take one out of its room, when it matters.
    #[inline(always)]
    fn observe_seen(&mut self, now: Nanos, seen: Seen) {
        self.has_moved = true;
        let is_calm = self.calm.has(seen.low) && self.calm.has(seen.high) && now < self.calm_until;
        if !(is_calm && self.untold.put((now, seen))) {
            self.tell_now(&(now, seen), is_calm);
        }
    }

    /// Tells references the steps so far, and another one at once if it is not calm: it may take them out of their rooms.
    #[inline(never)]
    fn tell_now(&mut self, step: &Step, is_calm: bool) {
        self.tell_trades();
        self.untold.put(*step);
        if !is_calm {
            self.tell_trades();
            self.find_calm();
        }
    }

    /// Tells references the steps that they have not been told.
    #[inline(never)]
    fn tell_trades(&mut self) {
        if !self.untold.is_empty() {
            Self::tell(&mut self.watches, (Feed::Trades, self.untold.all()), &mut self.until);
            self.untold.clear();
        }
    }

    fn tell(watches: &mut [Watch], (feed, steps): (Feed, &[Step]), until: &mut Nanos) {
        for watch in watches.iter_mut().filter(|watch| watch.feed == feed) {
            if watch.observe(steps) == Moved::Beyond {
                *until = Nanos::new(i64::MIN);
            }
            // A room allows for what time makes of these steps.
            if watch.room.is_none() {
                *until = (*until).min(watch.changes());
            }
        }
    }

    // Commands.

    /// Gives a rule another value; [`Breakers::can`] has said that it takes it.
    pub(crate) fn set(&mut self, rule: u16, value: RuleValue) {
        self.outdate();
        let Some(rule) = self.rules.iter_mut().find(|r| r.number == rule) else { return };
        rule.is_new = true;
        match value {
            RuleValue::Enabled(enabled) => rule.enabled = enabled,
            RuleValue::Width(width) => rule.widen(width),
            RuleValue::Price(price) => {
                let mut places = Vec::new();
                for range in &rule.ranges {
                    range.map(&mut |place| places.push(*place));
                }
                for place in places {
                    self.watches[place].set(price);
                }
            }
        }
    }

    /// Where a rule is asked, as its events show it.
    pub(crate) fn asked(&self, rule: u16) -> Asked {
        match self.rules.iter().find(|r| r.number == rule).map(|rule| rule.test) {
            Some(Test::Trade { .. }) => Asked::Trade,
            Some(Test::Mark) => Asked::Mark,
            Some(Test::Entry { .. }) => Asked::Entry,
            Some(Test::Quote) => Asked::Quote,
            Some(Test::Index) => Asked::Index,
            Some(Test::Gap) => Asked::Gap,
            Some(Test::Count { .. }) => Asked::Count,
            Some(Test::Depth { .. }) => Asked::Depth,
            Some(Test::Pending { .. }) => Asked::Pending,
            Some(Test::Manual) | None => Asked::Manual,
        }
    }

    /// What a command can tell a rule: none if the market does not have it.
    pub(crate) fn can(&self, rule: u16) -> Option<Can> {
        let rule = self.rules.iter().find(|r| r.number == rule)?;
        let mut tells = false;
        for range in &rule.ranges {
            range.map(&mut |place| tells |= matches!(self.watches[*place].reference, Reference::Set { .. }));
        }
        Some(Can { widens: rule.widens(), tells })
    }

    // Bytes.

    pub(crate) fn encode(&self, now: Nanos, w: &mut Writer) {
        if !self.untold.is_empty() {
            let mut told = self.clone();
            told.tell_trades();
            return told.encode(now, w);
        }
        for watch in &self.watches {
            watch.encode(now, w);
        }
        for rule in &self.rules {
            w.bool(rule.enabled);
            w.option(rule.width.map(Ppm::get));
            w.u64(rule.trips);
            w.i64(rule.today.0);
            w.u32(rule.today.1);
            w.i64(rule.armed.get());
            if matches!(rule.action, Action::Schedule { .. }) {
                w.i64(rule.levels.0);
                w.u32(rule.levels.1);
            }
            if let Test::Count { window_ns, .. } = rule.test {
                rule.counted.encode(now, window_ns, w);
            }
            if let Test::Depth { below: LeastDepth::Mean { window_ns, .. }, .. } = rule.test {
                rule.depths.encode(now, window_ns, w);
            }
        }
        if self.can_act {
            w.bool(self.acting.is_some());
            if let Some(acting) = self.acting {
                w.u16(acting.rule);
                w.i64(acting.bounds.lower.get());
                w.i64(acting.bounds.upper.get());
                w.i64(acting.reference.get());
                w.u8(acting.side.code());
                w.bool(acting.confines);
                w.u32(acting.extensions);
                w.option(acting.auction.map(Nanos::get));
            }
        }
    }

    pub(crate) fn decode(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        for watch in &mut self.watches {
            watch.decode(self.price_max, r)?;
        }
        for rule in &mut self.rules {
            rule.enabled = r.bool()?;
            if let Some(width) = r.option()?.map(Ppm::new) {
                if !rule.widens() || !Width::<usize>::is_share(width) {
                    return Err(r.invalid(format!("a rule cannot have the width {width}; take another copy")));
                }
                rule.widen(width);
            }
            rule.trips = r.u64()?;
            rule.today = (r.i64()?, r.u32()?);
            rule.armed = Nanos::new(r.i64()?);
            if matches!(rule.action, Action::Schedule { .. }) {
                rule.levels = (r.i64()?, r.u32()?);
            }
            if let Test::Count { .. } = rule.test {
                rule.counted = Tally::decode(r)?;
            }
            if let Test::Depth { below: LeastDepth::Mean { .. }, .. } = rule.test {
                rule.depths = Depths::decode(r)?;
            }
        }
        if self.can_act && r.bool()? {
            let rule = r.u16()?;
            let bounds = Bounds { lower: Price::new(r.i64()?), upper: Price::new(r.i64()?) };
            let reference = Price::new(r.i64()?);
            let code = r.u8()?;
            let side = Side::from_code(code).ok_or_else(|| r.invalid(format!("side {code} is unknown")))?;
            let (confines, extensions) = (r.bool()?, r.u32()?);
            let auction = r.option()?.map(Nanos::new);
            self.set_acting(Some(Acting { rule, bounds, reference, side, confines, extensions, auction }));
        }
        Ok(())
    }
}

/// The room of a reference that has moved, as its rules stand; none if every move of it counts, or there is no price.
fn room(rules: &[Rule], place: usize, sight: &Seeing<'_>) -> Option<Room> {
    let watch = &sight.watches[place];
    let of = rules.iter().filter(|rule| rule.places.contains(&place)).map(Rule::room);
    let ticks = of.min().filter(|ticks| ticks.is_positive() && Watch::moves(&watch.reference))?;
    Some(Room::around(&sight.spot(&place)?, ticks))
}

/// What a command gives a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleValue {
    /// On or off.
    Enabled(bool),
    /// The share of its first range.
    Width(Ppm),
    /// The price of its references that are told.
    Price(Price),
}

impl RuleValue {
    /// Parameter and value of a record: 0 off or on, 1 width in ppm, 2 price.
    pub(crate) fn read(parameter: u16, amount: i64) -> Option<Self> {
        match (parameter, amount) {
            (0, 0 | 1) => Some(Self::Enabled(amount == 1)),
            (1, _) if Width::<usize>::is_share(Ppm::new(amount)) => Some(Self::Width(Ppm::new(amount))),
            (2, 1..) => Some(Self::Price(Price::new(amount))),
            _ => None,
        }
    }
}

/// What a command can change of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Can {
    pub(crate) widens: bool,
    pub(crate) tells: bool,
}

#[cfg(test)]
mod proof;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Rounding;

    #[test]
    fn bounds_are_rounded_inwards_and_strict_ones_exclude_the_bound() {
        let around = |price: i64, width: i64, inclusive| {
            let range: Range<usize> = Range {
                reference: 0,
                width: Width::Ppm { ppm: Ppm::new(width), of: None, step: None },
                reach: None,
            };
            let watches = [Watch::new(Reference::Set { price: Some(Price::new(price)) }, None)];
            let sight = Seeing {
                watches: &watches,
                standing: Standing::default(),
                time_of_day: Nanos::ZERO,
                factors: &[],
            };
            let bounds = rounded(&bounds(&range, &sight).unwrap(), Rounding::Inward, inclusive);
            (bounds.lower.get(), bounds.upper.get())
        };
        // 1.5 %: 99.485 to 102.515; 5 %: 95.95 to 106.05; 10 % of 100 stands on ticks.
        assert_eq!(around(101, 15_000, true), (100, 102));
        assert_eq!(around(101, 50_000, false), (96, 106));
        assert_eq!((around(100, 100_000, true), around(100, 100_000, false)), ((90, 110), (91, 109)));
        // No price is below one.
        assert_eq!(around(10, 2_000_000, true), (1, 30));
    }
}
