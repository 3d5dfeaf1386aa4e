//! What the rules of a market say about a price, a limit, a touch, a gap or a count.

use super::Breakers;
use super::bounds::{Admitted, Bounds, admit, left};
use super::rule::{Acting, Asked, Bound, Rule, Trip, Verdict};
use super::states::{
    EndMode, LimitOutcome, QuoteState, gap_row, later_end, limit_outcome, quote_state, re_reference,
    reopening_collar, scheduled,
};
use crate::config::{Action, Counted, Immediate, LevelRow, Range, Rest, Test, Width};
use crate::order::FlowKind;
use crate::protocol::Phase;
use crate::units::{Nanos, Price, Side, draw};

impl Breakers {
    /// True if a price is inside the bounds of every rule that is asked before a trade, for certain.
    #[inline(always)]
    pub(crate) fn lets_trade(&mut self, price: Price) -> bool {
        self.work.note_test();
        self.trade.contains(price)
    }

    /// The same of every price from the first that an order of a side meets to its limit, which is not before it.
    #[inline(always)]
    pub(crate) fn lets_sweep(&mut self, side: Side, first: Price, limit: Option<Price>) -> bool {
        self.work.note_test();
        limit.is_some_and(|limit| {
            self.trade.lower <= side.pick(first, limit) && side.pick(limit, first) <= self.trade.upper
        })
    }

    /// What the rules say about a price that an order is about to trade at. They stand as of the last refresh.
    #[inline(never)]
    pub(crate) fn judge_trade(&self, now: Nanos, price: Price, flow: FlowKind) -> Verdict {
        let mut verdict = Verdict::default();
        if self.trade.contains(price) {
            return verdict;
        }
        let day = self.today(now);
        for rule in self.rules.iter().filter(|rule| rule.binds(flow)) {
            let Test::Trade { immediate, rest, .. } = rule.test else { continue };
            let Some((side, reference)) = Self::outside(rule, price) else { continue };
            match rule.action {
                Action::Interrupt { phase } => {
                    if !rule.is_armed(now, day) {
                        continue;
                    }
                    if immediate == Immediate::Spared && flow.immediate {
                        verdict.stop = verdict.stop.or(rule.bound(side, false));
                        continue;
                    }
                    verdict.rests |= rest == Rest::Rests;
                    verdict.trips.push(self.trip_of(
                        rule,
                        (Asked::Trade, price),
                        (side, reference),
                        phase,
                        now,
                    ));
                }
                _ => verdict.stop = verdict.stop.or(rule.bound(side, false)),
            }
        }
        verdict
    }

    /// The first rule that refuses an order for the worst price that it would trade at.
    pub(crate) fn refused_sweep(&self, worst: Price, flow: FlowKind) -> Option<Bound> {
        let refuses =
            |r: &&Rule| matches!(r.test, Test::Trade { .. }) && r.action == Action::Reject && r.binds(flow);
        self.rules.iter().filter(refuses).find_map(|rule| {
            let (side, _) = Self::outside(rule, worst)?;
            rule.bound(side, true)
        })
    }

    /// True if a rule watches marks or indices.
    pub(crate) fn judges_prices(&self) -> bool {
        self.has_marks || self.has_index
    }

    /// Trips of the rules that watch marks, or indices, by a new one.
    pub(crate) fn judge_price(&mut self, now: Nanos, asked: Asked, price: Price) -> Vec<Trip> {
        let (test, has) = match asked {
            Asked::Index => (Test::Index, self.has_index),
            _ => (Test::Mark, self.has_marks),
        };
        if !has {
            return Vec::new();
        }
        self.work.note_test();
        let day = self.today(now);
        let mut trips = Vec::new();
        for rule in self.rules.iter().filter(|r| r.test == test && r.enabled && r.is_armed(now, day)) {
            match &rule.action {
                Action::Interrupt { phase } => {
                    if let Some(from) = Self::outside(rule, price) {
                        trips.push(self.trip_of(rule, (asked, price), from, *phase, now));
                    }
                }
                Action::Schedule { rows } => trips.extend(self.scheduled_trip(rule, price, rows, now)),
                _ => {}
            }
        }
        trips
    }

    /// What the row of the level that an index has reached asks for.
    fn scheduled_trip(&self, rule: &Rule, price: Price, rows: &[LevelRow], now: Nanos) -> Option<Trip> {
        let levels = rule.levels_now();
        let time = self.day.start_ns.time_of_day(self.day.length_ns, now);
        let day = self.today(now);
        let acted = |level: usize| rule.levels.0 == day && rule.levels.1 >> level & 1 == 1;
        let (level, row) = scheduled(&levels, price, time, rows, acted);
        let row = row?;
        let phase = row.phase?;
        let lower = levels[level - 1].inward(Side::Sell, true);
        Some(Trip {
            rule: rule.number,
            asked: Asked::Index,
            price,
            reference: rule.reference(Side::Sell),
            side: Side::Sell,
            bounds: Bounds { lower, ..Bounds::EVERYTHING },
            phase,
            end: row.after_ns.map_or(Nanos::MAX, |after| now.later(after)),
            auction: Some(row.auction_ns),
        })
    }

    /// True if a rule looks at the touch.
    #[inline(always)]
    pub(crate) fn has_quotes(&self) -> bool {
        self.has_quotes
    }

    /// True if the touch is looked at in a phase.
    #[inline(always)]
    pub(crate) fn watches_touch_in(&self, phase: Phase) -> bool {
        self.has_quotes && matches!(phase, Phase::Continuous | Phase::Straddle | Phase::LimitState)
    }

    /// What the last look at the touch said, until the bounds change.
    pub(crate) fn set_at_ease(&mut self, at_ease: bool) {
        self.work.note_test();
        if self.at_ease != at_ease {
            self.at_ease = at_ease;
            self.find_free();
        }
    }

    /// True if the touch was at ease, and is if it becomes this price.
    #[inline(always)]
    pub(crate) fn stays_at_ease(&self, price: Price) -> bool {
        self.at_ease && self.eases(Some(price))
    }

    /// From this time on the touch is looked at whatever a step does: what it is inside for certain may not be so any more,
    /// or, of one that is not at ease, the bounds change or a rule is armed again.
    pub(crate) fn touches_due(&self, now: Nanos) -> Nanos {
        if self.at_ease {
            return self.until;
        }
        let day = self.today(now);
        let waiting = self.rules.iter().filter(|rule| rule.test == Test::Quote && !rule.is_armed(now, day));
        let ends = self.day.start_ns.end_of_day(self.day.length_ns, now);
        let armed = waiting.map(|rule| if now < rule.armed { rule.armed } else { ends });
        armed.fold(self.changes().min(self.until), Nanos::min)
    }

    /// True if the touch was at ease at the last look, and the bounds are the same.
    #[inline(always)]
    pub(crate) fn was_at_ease(&self) -> bool {
        self.at_ease
    }

    /// True if a side of the touch is strictly inside the bounds of every rule at entry, those that look at it included.
    #[inline(always)]
    pub(crate) fn eases(&self, best: Option<Price>) -> bool {
        best.is_none_or(|p| self.entry.lower < p && p < self.entry.upper)
    }

    /// The first rule by which a touch is not normal, with its state; else the first rule that looks at it. A rule that
    /// is off has no bounds, and one that is not armed begins no limit state.
    pub(crate) fn judge_touch(
        &self,
        now: Nanos,
        phase: Phase,
        touch: (Option<Price>, Option<Price>),
    ) -> Option<(QuoteState, Trip)> {
        let day = self.today(now);
        let mut first = None;
        for rule in self.rules.iter().filter(|rule| rule.test == Test::Quote) {
            let Action::LimitState { hold_ns, .. } = rule.action else { continue };
            let begins = phase == Phase::LimitState || rule.is_armed(now, day);
            let state = match quote_state(&rule.all, touch.0, touch.1) {
                QuoteState::Limit(_) if !begins => QuoteState::Normal,
                state => state,
            };
            let (side, price) = match state {
                QuoteState::Limit(side) => (side, rule.all.of(side)),
                QuoteState::Straddle(side) => (side, side.pick(touch.1, touch.0)),
                QuoteState::Normal => (Side::Buy, None),
            };
            let trip = Trip {
                rule: rule.number,
                asked: Asked::Quote,
                price: price.unwrap_or_default(),
                reference: rule.reference(side),
                side,
                bounds: rule.all,
                phase: Phase::LimitState,
                end: now.later(hold_ns),
                auction: None,
            };
            if state != QuoteState::Normal {
                return Some((state, trip));
            }
            first.get_or_insert((state, trip));
        }
        first
    }

    /// Where a limit state that lasted to its end leads: the phase and its end.
    pub(crate) fn after_limit_state(&self, rule: u16, due: Nanos) -> (Phase, Nanos) {
        let found = self.rules.iter().find(|r| r.number == rule);
        let Some((Action::LimitState { close_ns, close_only_ns, .. }, exit)) =
            found.and_then(|r| Some((&r.action, r.exit.as_ref()?)))
        else {
            return (Phase::Continuous, Nanos::MAX);
        };
        let time = self.day.start_ns.time_of_day(self.day.length_ns, due);
        let left = close_ns.map(|close| close - time);
        match limit_outcome(false, left, *close_only_ns) {
            LimitOutcome::CloseOnly => {
                let left = left.filter(|left| left.is_positive());
                (Phase::CloseOnly, left.map_or(Nanos::MAX, |left| due.later(left)))
            }
            LimitOutcome::Pause | LimitOutcome::Resume => {
                (Phase::Pause, exit.after_ns.map_or(Nanos::MAX, |after| due.later(after)))
            }
        }
    }

    /// True if the time between two commands is looked at.
    pub(crate) fn has_gaps(&self) -> bool {
        self.has_gaps
    }

    /// Trips by the time between two commands, which is what they report as their price.
    pub(crate) fn judge_gap(&self, now: Nanos, gap: Nanos) -> Vec<Trip> {
        let day = self.today(now);
        let mut trips = Vec::new();
        for rule in self.rules.iter().filter(|r| r.enabled && r.is_armed(now, day)) {
            let Action::Gaps { rows } = &rule.action else { continue };
            let Some(row) = gap_row(rows, gap) else { continue };
            trips.push(Trip {
                rule: rule.number,
                asked: Asked::Gap,
                price: Price::new(gap.get()),
                reference: Price::new(row.gap_ns.get()),
                side: Side::Buy,
                bounds: Bounds::EVERYTHING,
                phase: Phase::CallAuction,
                end: now.later(row.after_ns),
                auction: None,
            });
        }
        trips
    }

    /// True if liquidations and auto-deleveraging are counted.
    #[inline(always)]
    pub(crate) fn has_counts(&self) -> bool {
        self.has_counts
    }

    /// Counts something of this step.
    pub(crate) fn count(&mut self, of: Counted, amount: i64) {
        let slot = &mut self.counts[of.place()];
        *slot = slot.saturating_add(amount);
    }

    /// Takes what the step counted, and trips of the rules for which it is enough.
    pub(crate) fn judge_counts(&mut self, now: Nanos) -> Vec<Trip> {
        let counts = std::mem::take(&mut self.counts);
        if counts == [0; 5] {
            return Vec::new();
        }
        self.work.note_test();
        for rule in &mut self.rules {
            if let Test::Count { of, window_ns, .. } = rule.test {
                rule.counted.take(now, window_ns, counts[of.place()]);
            }
        }
        let day = self.today(now);
        let mut trips = Vec::new();
        for rule in self.rules.iter().filter(|r| r.enabled && r.is_armed(now, day)) {
            let (Test::Count { of, least, .. }, Action::Interrupt { phase }) = (rule.test, &rule.action)
            else {
                continue;
            };
            if counts[of.place()] > 0 && rule.counted.total >= least {
                let reached = (Asked::Count, Price::new(rule.counted.total));
                trips.push(self.trip_of(rule, reached, (Side::Buy, Price::new(least)), *phase, now));
            }
        }
        trips
    }

    /// Rules that would trip at the price at which an auction is about to end, that which put the market in it excepted.
    pub(crate) fn judge_auction(&self, now: Nanos, price: Price) -> Vec<Trip> {
        let day = self.today(now);
        let acting = self.acting.map(|acting| acting.rule);
        let mut trips = Vec::new();
        for rule in
            self.rules.iter().filter(|r| r.enabled && r.is_armed(now, day) && Some(r.number) != acting)
        {
            let (Test::Trade { auction: true, .. }, Action::Interrupt { phase: Phase::CallAuction }) =
                (rule.test, &rule.action)
            else {
                continue;
            };
            if let Some(from) = Self::outside(rule, price) {
                trips.push(self.trip_of(rule, (Asked::Auction, price), from, Phase::CallAuction, now));
            }
        }
        trips
    }

    /// The extension of the auction that the acting rule began, if a price is outside: what is reported of it, and how
    /// the rule goes on.
    pub(crate) fn extend(&self, due: Nanos, price: Price, leaves_orders: bool) -> Option<(Trip, Acting)> {
        let acting = self.acting?;
        let rule = self.rules.iter().find(|r| r.number == acting.rule)?;
        let extension = rule.exit?.extension?;
        if extension.most.is_some_and(|most| acting.extensions >= most) {
            return None;
        }
        let inside = match &extension.collar {
            Some(collar) => reopening_collar(&acting.bounds, acting.side, acting.extensions, collar),
            None => acting.bounds,
        };
        // A collared auction goes on for its market orders as well.
        let leaves_orders = leaves_orders && extension.collar.is_some();
        if inside.contains(price) && !leaves_orders {
            return None;
        }
        let mut next = Acting { extensions: acting.extensions + 1, ..acting };
        if let (Some(tick), Some(Range { width: Width::Ppm { ppm, .. }, .. })) =
            (extension.re_reference, rule.ranges.first())
            && let (_, Some(edge)) = re_reference(acting.reference, *ppm, tick, price)
        {
            next.reference = edge;
            next.bounds = re_reference(edge, *ppm, tick, price).0;
        }
        let trip = Trip {
            rule: rule.number,
            asked: Asked::Auction,
            price,
            reference: acting.reference,
            side: if price < inside.lower { Side::Sell } else { Side::Buy },
            bounds: inside,
            phase: Phase::CallAuction,
            end: later_end(EndMode::Add, due, extension.after_ns),
            auction: None,
        };
        Some((trip, next))
    }

    /// Length of the auction after a halt that a rule began; none for the market's own.
    pub(crate) fn reopening(&self) -> Option<Nanos> {
        let acting = self.acting?;
        let rule = self.rules.iter().find(|r| r.number == acting.rule);
        acting.auction.or_else(|| rule?.exit?.auction_ns)
    }

    /// Which bound of a rule a price leaves, and what that is measured from.
    fn outside(rule: &Rule, price: Price) -> Option<(Side, Price)> {
        let (triggered, outside) = left(&rule.inside, rule.when, price);
        let first = *outside.first().filter(|_| triggered)?;
        let side = if price < rule.inside[first].lower { Side::Sell } else { Side::Buy };
        Some((side, rule.reference(side)))
    }

    pub(super) fn trip_of(
        &self,
        rule: &Rule,
        asked: (Asked, Price),
        from: (Side, Price),
        phase: Phase,
        now: Nanos,
    ) -> Trip {
        let exit = rule.exit.expect("an interruption has an exit");
        let end = exit.after_ns.map_or(Nanos::MAX, |after| {
            let end = now.later(after);
            if exit.random_ns.is_zero() {
                return end;
            }
            let drawn = draw(self.seed, &[self.market, rule.number.into(), rule.trips]);
            end.later(exit.random_ns.share_of_draw(drawn))
        });
        Trip {
            rule: rule.number,
            asked: asked.0,
            price: asked.1,
            reference: from.1,
            side: from.0,
            bounds: rule.all,
            phase,
            end,
            auction: None,
        }
    }

    pub(super) fn today(&self, now: Nanos) -> i64 {
        self.day.start_ns.day_number(self.day.length_ns, now)
    }

    /// True if a limit of either side is let in for certain at a time: it is inside the bounds of every rule at entry, no
    /// rule looks further, and a touch that it becomes is at ease.
    #[inline(always)]
    pub(crate) fn lets_in(&mut self, now: Nanos, limit: Price) -> bool {
        let is_in = !self.is_stale(now) && self.is_free(limit);
        if is_in {
            self.work.note_test();
        }
        is_in
    }

    /// True if nothing more is asked of a price as a limit or as a touch, by bounds that are not stale.
    #[inline(always)]
    pub(crate) fn is_free(&self, price: Price) -> bool {
        self.free.has(price.get())
    }

    /// Like [`Breakers::lets_in`], of one side, by bounds that are not stale.
    pub(crate) fn lets_in_on(&mut self, (side, limit): (Side, Price)) -> bool {
        let stays = !self.has_quotes || self.stays_at_ease(limit);
        let is_in = stays && !self.refuses_sweeps && self.leaves(side, limit);
        self.work.tests += u64::from(is_in);
        is_in
    }

    /// Notes that a limit is about to be held against the bounds of rules at entry.
    pub(crate) fn note_entry(&mut self) {
        self.work.tests += u64::from(self.has_entry);
    }

    /// True if the bounds of every rule at entry leave a limit as it is for certain, as of the last look.
    #[inline(always)]
    pub(crate) fn leaves(&self, side: Side, limit: Price) -> bool {
        self.acting.is_none() && self.is_inside(side, limit)
    }

    /// Without a branch: which side an order has is the flip of a coin.
    #[inline(always)]
    fn is_inside(&self, side: Side, limit: Price) -> bool {
        side.pick(limit, self.entry.lower) <= side.pick(self.entry.upper, limit)
    }

    /// What the rules at entry make of a limit; none for a market order. `takes` is asked only where it matters.
    #[inline(always)]
    pub(crate) fn judge_entry(
        &self,
        side: Side,
        limit: Option<Price>,
        flow: FlowKind,
        takes: impl Fn() -> bool,
    ) -> Option<Bound> {
        let inside = limit.is_some_and(|limit| self.is_inside(side, limit));
        if inside && self.acting.is_none() { None } else { self.judge_limit(side, limit, flow, takes) }
    }

    #[inline(never)]
    pub(super) fn judge_limit(
        &self,
        side: Side,
        limit: Option<Price>,
        flow: FlowKind,
        takes: impl Fn() -> bool,
    ) -> Option<Bound> {
        let mut capped: Option<Bound> = None;
        // A cooling-off confines everybody to what was inside when it began.
        if let Some(acting) = self.acting.filter(|acting| acting.confines)
            && let Admitted::Capped(price) = admit(&acting.bounds, side, limit, true, false)
        {
            capped = Some(Bound { rule: acting.rule, price, reference: acting.reference, refuses: false });
        }
        let mut cap = |bound: Bound| {
            let tighter = capped.is_none_or(|so_far| side.gain(bound.price, so_far.price).is_positive());
            if tighter {
                capped = Some(bound);
            }
        };
        for rule in self.rules.iter().filter(|rule| rule.binds(flow)) {
            let passive = match rule.test {
                Test::Entry { passive } => passive,
                Test::Quote if self.trading => false,
                _ => continue,
            };
            let rejects = rule.action == Action::Reject;
            match admit(&rule.all, side, limit, !passive || takes(), rejects) {
                Admitted::Accepted => {}
                Admitted::Refused => return rule.bound(side, true),
                Admitted::Capped(_) => rule.bound(side, false).into_iter().for_each(&mut cap),
            }
        }
        capped
    }
}
