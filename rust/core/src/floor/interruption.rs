//! Breakers on the floor: bounds looked at before orders, interruptions of markets, touches, auctions that go on.

use super::{Floor, Found, Incoming, Market};
use crate::auction::Clearing;
use crate::book::Located;
use crate::breaker::{Bound, Bounds, EndMode, QuoteState, Standing, Trip, later_end};
use crate::config::{self, Counted, Interrupts, Meanwhile};
use crate::order::FlowKind;
use crate::protocol::{Events, Phase};
use crate::units::{MarketId, Nanos, Price, Side};

impl Market {
    /// True if the breakers let an order trade at every price from the best of the other side to its limit.
    #[inline(always)]
    pub(super) fn lets_sweep(&mut self, now: Nanos, side: Side, limit: Option<Price>) -> bool {
        // Hidden orders trade as well.
        let Some(first) = self.book.touch(side.opposite()) else { return true };
        !self.breakers.is_stale(now) && self.breakers.lets_sweep(side, first, limit)
    }

    /// A bound that a limit is moved to, as a price of the market; none if it stands there. No price of the market may be
    /// inside the bound: the limit is one all the same.
    pub(crate) fn caps(&self, bound: Bound, limit: Option<Price>) -> Option<Bound> {
        let price = self.config.nearest(bound.price);
        (limit != Some(price)).then_some(Bound { price, ..bound })
    }

    /// True if breakers look at a touch that is not at ease: whatever goes may change that.
    #[inline(always)]
    pub(super) fn looks_at_cancels(&self) -> bool {
        self.breakers.has_quotes() && !self.breakers.was_at_ease()
    }

    /// True if a touch that breakers look at moves when an order goes, the only one of its queue.
    #[inline(always)]
    pub(super) fn moves_touch(&self, found: &Located) -> bool {
        self.breakers.has_quotes() && self.book.is_at_best(found)
    }

    /// True if the touch, which was at ease, is so after a step in which an order of a side has traded and that has told the
    /// breakers. The best of its side is what it was, or its limit, which was let in.
    #[inline(always)]
    pub(super) fn keeps_ease(&self, now: Nanos, side: Side) -> bool {
        let best = self.book.best(side.opposite());
        !self.breakers.is_stale(now) && best.is_none_or(|best| self.breakers.is_free(best))
    }
}

impl Floor {
    /// Evaluates a market's bounds, if something that they are made of has changed.
    #[inline(always)]
    pub(crate) fn look_at_bounds(&mut self, market: MarketId) {
        if self.markets[market.index()].breakers.is_rough(self.now) {
            self.refresh_bounds(market);
        }
    }

    /// The same for an order that is about to be held against them.
    #[inline(always)]
    pub(crate) fn look_at_entry(&mut self, market: MarketId) {
        self.look_at_bounds(market);
        self.market_mut(market).breakers.note_entry();
    }

    /// Evaluates them only where what is inside for certain may not be so any more.
    #[inline(always)]
    pub(crate) fn glance_at_bounds(&mut self, market: MarketId) {
        if self.markets[market.index()].breakers.is_stale(self.now) {
            self.age_bounds(market);
        }
    }

    #[inline(never)]
    fn age_bounds(&mut self, market: MarketId) {
        let now = self.now;
        if !self.market_mut(market).breakers.age(now) {
            self.refresh_bounds(market);
        }
    }

    #[inline(never)]
    fn refresh_bounds(&mut self, market: MarketId) {
        let (now, standing) = (self.now, self.standing(market));
        self.market_mut(market).breakers.refresh(now, standing);
    }

    /// Prices that references look at as they stand.
    fn standing(&self, market: MarketId) -> Standing {
        let book = &self.market(market).book;
        Standing {
            mark: self.prices.mark(market),
            index: self.prices.index(market),
            bid: book.best(Side::Buy),
            ask: book.best(Side::Sell),
        }
    }

    /// The prices that no breaker refuses or caps as a limit.
    pub(crate) fn untouched(&self, market: MarketId) -> Bounds {
        let mut breakers = self.market(market).breakers.clone();
        breakers.refresh(self.now, self.standing(market));
        breakers.untouched()
    }

    /// A limit of a liquidation order tightened by the breakers that bind it.
    pub(crate) fn capped(&mut self, market: MarketId, side: Side, limit: Price) -> (Price, Option<Bound>) {
        self.look_at_bounds(market);
        let m = self.market(market);
        let flow = FlowKind { liquidation: true, immediate: true, ..FlowKind::default() };
        let bound = if m.breakers.has_entry() { m.breakers.tightest(side, flow) } else { None };
        let tighter = bound.filter(|bound| side.gain(bound.price, limit).is_positive());
        match tighter.and_then(|bound| m.caps(bound, Some(limit))) {
            Some(bound) => (bound.price, Some(bound)),
            None => (limit, None),
        }
    }

    /// The breaker that refuses an order for the worst price that it would trade at now.
    #[inline(never)]
    pub(crate) fn refused_sweep(&self, order: &Incoming) -> Option<Bound> {
        let m = self.market(order.market);
        if !m.phase.is_trading() {
            return None;
        }
        let (mut left, mut worst) = (order.qty, None);
        for level in m.book.whole_levels(order.side.opposite()) {
            let beyond = order.limit.is_some_and(|l| order.side.gain(level.price, l).is_negative());
            if beyond || !left.is_positive() {
                break;
            }
            left -= level.qty;
            worst = Some(level.price);
        }
        m.breakers.refused_sweep(worst?, order.kind)
    }

    /// Rules act, all by one event: each is reported, and of what they ask for the most severe phase and the latest end
    /// count.
    pub(crate) fn interrupt(&mut self, market: MarketId, trips: &[Trip], events: &mut Events) {
        self.note_news();
        for trip in trips {
            let now = self.now;
            self.market_mut(market).breakers.trip(trip, now);
            events.push(trip.record(market));
        }
        for target in self.market_ids() {
            let concerned: Vec<&Trip> =
                trips.iter().filter(|trip| self.reaches(trip.rule, market, target)).collect();
            if !concerned.is_empty() {
                self.interrupt_one(target, target == market, &concerned, events);
            }
        }
    }

    /// True if a trip of a rule in one market interrupts another.
    fn reaches(&self, rule: u16, from: MarketId, to: MarketId) -> bool {
        match &self.config.breakers[usize::from(rule)].interrupts {
            Interrupts::Own => from == to,
            Interrupts::Group(group) => from == to || group.contains(&to),
            Interrupts::Venue => true,
        }
    }

    fn interrupt_one(&mut self, market: MarketId, own: bool, trips: &[&Trip], events: &mut Events) {
        let m = self.market(market);
        let acting = m.breakers.acting();
        let ends = |m: &Market| if m.end.is_positive() { m.end } else { Nanos::MAX };
        // The first of the most severe, of those the latest.
        let mut strongest = trips[0];
        for trip in &trips[1..] {
            let rank = |trip: &Trip| (trip.phase.severity(), trip.end);
            if rank(trip) > rank(strongest) {
                strongest = trip;
            }
        }
        let stands = m.phase.severity() >= strongest.phase.severity();
        if acting.is_none() && (stands || !m.phase.is_trading()) {
            // What the operator or the day has set stays.
            return;
        }
        let latest = trips.iter().map(|trip| trip.end).max().expect("at least one trip");
        let (mut phase, mut end) = (strongest.phase, latest);
        let mut next = strongest.acting();
        let exit = &self.config.breakers[usize::from(next.rule)].exit;
        next.auction = next.auction.or_else(|| exit.as_ref()?.auction_ns);
        if !own {
            (next.bounds, next.confines) = (Bounds::EVERYTHING, false);
        }
        // A straddle interrupts nothing.
        if let Some(acting) = acting.filter(|_| m.phase != Phase::Straddle) {
            let current = ends(m);
            if stands {
                // A shorter or lesser one changes nothing, and a longer one only the end.
                phase = m.phase;
                if later_end(EndMode::Latest, current, end) == current {
                    return;
                }
                next = acting;
            } else if m.phase.admits().matches == phase.admits().matches {
                end = end.max(current);
            }
        }
        self.enter(market, phase, if end == Nanos::MAX { Nanos::ZERO } else { end }, events);
        self.market_mut(market).acts(Some(next));
    }

    /// What else holds while a rule acts in a market.
    pub(crate) fn meanwhile(&self, market: MarketId) -> Meanwhile {
        let acting = self.market(market).breakers.acting();
        let rule = acting.and_then(|acting| self.config.breakers.get(usize::from(acting.rule)));
        rule.and_then(|rule| rule.exit).map_or(Meanwhile::default(), |exit| exit.meanwhile)
    }

    /// Before accounts are looked at: the margin rates of markets in which a rule began or ceased to act.
    pub(crate) fn follow_margin(&mut self, events: &mut Events) {
        for market in self.market_ids() {
            let by = self.meanwhile(market).margin.unwrap_or_default();
            if by != self.rules.multiplier(market) && config::multiplies(&self.config.breakers, market) {
                let is_done = self.multiply_margin(market, by, events);
                assert!(is_done, "the configuration was proved");
            }
        }
    }

    /// True if a rule that acts keeps money in the venue.
    pub(crate) fn holds_withdrawals(&self) -> bool {
        self.market_ids().any(|market| self.meanwhile(market).gates_withdrawals)
    }

    /// Rounds of the waterfall in a step.
    pub(crate) fn liquidation_rounds(&self) -> u32 {
        let held = self.market_ids().filter_map(|market| self.meanwhile(market).liquidation_rounds).min();
        let rounds = self.config.limits.liquidation_rounds_per_step;
        held.map_or(rounds, |held| held.min(rounds))
    }

    /// At the end of a step: the touch of markets with limit states. True if a phase has changed.
    pub(crate) fn watch_touches(&mut self, events: &mut Events) -> bool {
        self.asks_touches = false;
        self.touches_due = Nanos::MAX;
        let mut changed = false;
        for market in self.market_ids() {
            if self.market(market).breakers.watches_touch_in(self.market(market).phase) {
                self.glance_at_bounds(market);
                changed |= self.watch_touch(market, events);
                self.touches_due = self.touches_due.min(self.market(market).breakers.touches_due(self.now));
            }
        }
        changed
    }

    fn watch_touch(&mut self, market: MarketId, events: &mut Events) -> bool {
        let m = self.market(market);
        let touch = (m.book.best(Side::Buy), m.book.best(Side::Sell));
        let (phase, is_at_ease) = (m.phase, m.breakers.eases(touch.0) && m.breakers.eases(touch.1));
        self.market_mut(market).breakers.set_at_ease(is_at_ease && phase == Phase::Continuous);
        if phase == Phase::Continuous && is_at_ease {
            return false;
        }
        self.look_at_bounds(market);
        let m = self.market(market);
        let Some((state, trip)) = m.breakers.judge_touch(self.now, m.phase, touch) else { return false };
        let acting = m.breakers.acting();
        if acting.is_none() && m.phase != Phase::Continuous {
            return false;
        }
        match (m.phase, state) {
            (Phase::LimitState, QuoteState::Limit(_))
            | (Phase::Straddle, QuoteState::Straddle(_))
            | (Phase::Continuous, QuoteState::Normal) => return false,
            (_, QuoteState::Limit(_)) => self.interrupt(market, &[trip], events),
            (_, QuoteState::Straddle(_)) => {
                self.enter(market, Phase::Straddle, Nanos::ZERO, events);
                self.market_mut(market).acts(Some(trip.acting()));
            }
            (_, QuoteState::Normal) => self.enter(market, Phase::Continuous, Nanos::ZERO, events),
        }
        true
    }

    /// The end of an auction is due: it goes on if its price is outside what a rule allows. True if it does.
    pub(crate) fn extends_auction(&mut self, market: MarketId, due: Nanos, events: &mut Events) -> bool {
        let found = self.auction(market, None);
        let Some(Clearing { price, .. }) = found.clearing() else { return false };
        let leaves_orders = matches!(found, Found::MarketLeft(_));
        self.look_at_bounds(market);
        let breakers = &self.market(market).breakers;
        let mut trips = breakers.judge_auction(due, price);
        let mut next = breakers.acting();
        if let Some((trip, acting)) = breakers.extend(due, price, leaves_orders) {
            trips.insert(0, trip);
            next = Some(acting);
        }
        let Some(end) = trips.iter().map(|trip| trip.end).max() else { return false };
        for trip in &trips {
            self.market_mut(market).breakers.trip(trip, due);
            events.push(trip.record(market));
        }
        self.enter(market, Phase::CallAuction, if end == Nanos::MAX { Nanos::ZERO } else { end }, events);
        let next = next.unwrap_or_else(|| trips[0].acting());
        self.market_mut(market).acts(Some(next));
        true
    }

    /// What a rule counts has happened in a market.
    #[inline(always)]
    pub(crate) fn count(&mut self, market: MarketId, of: Counted, amount: i64) {
        let m = &mut self.markets[market.index()];
        if m.breakers.has_counts() {
            m.breakers.count(of, amount);
            self.note_news();
        }
    }
}
