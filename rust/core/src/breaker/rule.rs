//! One breaker of one market: its parts, its state, and what it does when it acts.

use super::bounds::{Bounds, Exact, Sight, Spot, bounds, combined, rounded};
use super::depth::Depths;
use super::states::level_prices;
use super::watch::Watch;
use crate::codec::{CodecError, Reader, Writer};
use crate::config::{
    Action, Breaker, Counted, ExemptFlow, Exit, Quantile, Range, Rearm, Reference, Rounding, Test, When,
    Width,
};
use crate::order::FlowKind;
use crate::protocol::{Phase, Record, event, event_of};
use crate::units::{MarketId, Nanos, Ppm, Price, Ratio, Side};
use std::collections::VecDeque;

/// Where a rule was asked, as events show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Trade,
    Mark,
    Entry,
    Manual,
    Quote,
    Auction,
    Index,
    Gap,
    Count,
    Depth,
    Pending,
}

impl Asked {
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Trade => 0,
            Self::Mark => 1,
            Self::Entry => 2,
            Self::Manual => 3,
            Self::Quote => 4,
            Self::Auction => 5,
            Self::Index => 6,
            Self::Gap => 7,
            Self::Count => 8,
            Self::Depth => 9,
            Self::Pending => 10,
        }
    }
}

/// A rule that acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trip {
    /// Number of the rule in the configuration.
    pub(crate) rule: u16,
    /// Where it was asked.
    pub(crate) asked: Asked,
    /// The price that would have been.
    pub(crate) price: Price,
    /// What it was measured from, down to a tick.
    pub(crate) reference: Price,
    /// Which bound it left: the upper for buys.
    pub(crate) side: Side,
    /// What is inside.
    pub(crate) bounds: Bounds,
    /// The phase that follows.
    pub(crate) phase: Phase,
    /// When it ends; [`Nanos::MAX`] for never.
    pub(crate) end: Nanos,
    /// Length of the auction after a halt; none for that of the rule or of the market.
    pub(crate) auction: Option<Nanos>,
}

impl Trip {
    /// The rule as it puts a market in a phase.
    pub(crate) fn acting(&self) -> Acting {
        Acting {
            rule: self.rule,
            bounds: self.bounds,
            reference: self.reference,
            side: self.side,
            confines: self.phase == Phase::CoolingOff,
            extensions: 0,
            auction: self.auction,
        }
    }

    /// `BreakerTripped`.
    pub(crate) fn record(&self, market: MarketId) -> Record {
        let known = |bound: Option<Price>| bound.map_or(0, |price| price.get().max(0));
        Record {
            code: self.rule,
            flags: self.asked.code(),
            side: self.side.code(),
            account: u32::try_from(known(self.bounds.of(Side::Buy))).unwrap_or(u32::MAX),
            order: known(self.bounds.of(Side::Sell)).cast_unsigned(),
            price: self.price.get(),
            qty: self.reference.get(),
            amount: if self.end == Nanos::MAX { 0 } else { self.end.get() },
            ..event_of(event::BREAKER_TRIPPED, market)
        }
    }
}

/// A constraint that acted on an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    /// Number of the rule in the configuration.
    pub(crate) rule: u16,
    /// The bound.
    pub(crate) price: Price,
    /// What it was measured from, down to a tick.
    pub(crate) reference: Price,
    /// The order is refused; else it is capped.
    pub(crate) refuses: bool,
}

impl Bound {
    /// `OrderBounded` of an order with a limit (zero for a market order); what happened: 0 refused, 1 capped, 2 stopped.
    pub(crate) fn record(&self, market: MarketId, side: Side, limit: Price, what: u16) -> Record {
        Record {
            code: self.rule,
            flags: what,
            side: side.code(),
            price: self.price.get(),
            qty: limit.get(),
            amount: self.reference.get(),
            ..event_of(event::ORDER_BOUNDED, market)
        }
    }
}

/// What the rules say about a price before an order trades at it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict {
    /// Interruptions, in order of configuration.
    pub(crate) trips: Vec<Trip>,
    /// What is left of an order that rests may rest.
    pub(crate) rests: bool,
    /// The constraint that stops the order without an interruption.
    pub(crate) stop: Option<Bound>,
}

impl Verdict {
    /// True if the order may not trade at the price.
    pub(crate) fn ends(&self) -> bool {
        self.stop.is_some() || !self.trips.is_empty()
    }
}

/// The rule that put the market in its phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Acting {
    pub(crate) rule: u16,
    /// What was inside when it acted, and what that was measured from.
    pub(crate) bounds: Bounds,
    pub(crate) reference: Price,
    /// Which bound was left.
    pub(crate) side: Side,
    /// The phase keeps orders inside those bounds.
    pub(crate) confines: bool,
    /// How often its auction was extended.
    pub(crate) extensions: u32,
    /// Length of the auction after a halt; none for that of the rule or of the market.
    pub(crate) auction: Option<Nanos>,
}

#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "what they say of a rule is independent")]
pub(super) struct Rule {
    pub(super) number: u16,
    pub(super) ranges: Vec<Range<usize>>,
    pub(super) when: When,
    pub(super) rounding: Rounding,
    pub(super) inclusive: bool,
    pub(super) exempt: [bool; 3],
    pub(super) test: Test,
    pub(super) action: Action,
    pub(super) exit: Option<Exit>,
    pub(super) rearm: Rearm,
    // State.
    pub(super) enabled: bool,
    /// The share that a command gave the first range.
    pub(super) width: Option<Ppm>,
    /// Trips so far, and those of the day with its number.
    pub(super) trips: u64,
    pub(super) today: (i64, u32),
    /// When it may trip again.
    pub(super) armed: Nanos,
    /// Levels that acted on a day, a bit each, with its number.
    pub(super) levels: (i64, u32),
    /// What it counts, in its window.
    pub(super) counted: Tally,
    /// Depths that it has looked at.
    pub(super) depths: Depths,
    // What follows from the state.
    /// Where its references stand.
    pub(super) places: Vec<usize>,
    /// It has to be evaluated: something of it or of a reference has changed, or time alone changes it.
    pub(super) is_new: bool,
    /// Widths go by the hour, which changes them without a reference.
    pub(super) has_hours: bool,
    pub(super) inside: Vec<Bounds>,
    /// The exact ones of `inside`: a list that is used again.
    exacts: Vec<Exact>,
    pub(super) all: Bounds,
    /// What is inside every range.
    tightest: Bounds,
    /// What is inside every range as long as its references stay in their rooms: two numbers for the quick look.
    pub(super) certain: Bounds,
    /// The ends of those rooms say so.
    pub(super) is_smooth: bool,
    /// The reference of the first range.
    pub(super) spot: Option<Spot>,
}

impl Rule {
    pub(super) fn new(number: u16, of: &Breaker, place: &mut impl FnMut(&Reference) -> usize) -> Self {
        let ranges: Vec<Range<usize>> = of.ranges.iter().map(|range| range.map(&mut *place)).collect();
        let mut places = Vec::new();
        for range in &ranges {
            range.map(&mut |place| places.push(*place));
        }
        Self {
            number,
            ranges,
            places,
            is_new: true,
            tightest: Bounds::EVERYTHING,
            certain: Bounds::EVERYTHING,
            has_hours: of.ranges.iter().any(|range| range.width.has_hours()),
            is_smooth: of.ranges.iter().all(|range| range.width.is_smooth(&Watch::moves)),
            when: of.when,
            rounding: of.rounding,
            inclusive: of.inclusive,
            exempt: [ExemptFlow::Liquidation, ExemptFlow::ReduceOnly, ExemptFlow::PostOnly]
                .map(|e| of.exempt.contains(&e)),
            test: of.test,
            action: of.action.clone(),
            exit: of.exit,
            rearm: of.rearm,
            enabled: of.enabled,
            width: None,
            trips: 0,
            today: (i64::MIN, 0),
            armed: Nanos::new(i64::MIN),
            levels: (i64::MIN, 0),
            counted: Tally::default(),
            depths: Depths::default(),
            inside: vec![Bounds::EVERYTHING; of.ranges.len()],
            exacts: Vec::new(),
            all: Bounds::EVERYTHING,
            spot: None,
        }
    }

    pub(super) fn binds(&self, flow: FlowKind) -> bool {
        let [liquidation, reduce_only, post_only] = self.exempt;
        self.enabled
            && !(liquidation && flow.liquidation)
            && !(reduce_only && flow.reduce_only)
            && !(post_only && flow.post_only)
    }

    /// Evaluates its bounds as its references stand.
    pub(super) fn evaluate(&mut self, sight: &Seeing<'_>) {
        self.spot = self.ranges.first().and_then(|range| sight.spot(&range.reference));
        let all = if self.enabled { self.evaluated(sight) } else { None };
        // A rule rests as long as one of its references has no price.
        if all.is_none() {
            self.inside.fill(Bounds::EVERYTHING);
        }
        self.all = all.unwrap_or_default();
        self.tightest = self.inside.iter().fold(Bounds::EVERYTHING, |all, range| all.and(range));
    }

    /// How far its references may move, in ticks, so that most prices stay inside for certain: a quarter of the way from
    /// where it is measured to the nearer bound.
    pub(super) fn room(&self) -> Price {
        let Some(spot) = self.spot.filter(|_| self.is_smooth) else { return Price::ZERO };
        let (up, down) = (spot.up.step_down(Price::new(1)), spot.down.step_down(Price::new(1)));
        let above = self.tightest.of(Side::Buy).map(|upper| upper - up.max(down));
        let below = self.tightest.of(Side::Sell).map(|lower| up.min(down) - lower);
        let nearer = above.into_iter().chain(below).min().unwrap_or(up);
        nearer.max(Price::ZERO).quarter()
    }

    /// Evaluates what is inside wherever its references are in their rooms.
    pub(super) fn make_certain(&mut self, sight: &Seeing<'_>) {
        self.certain = self.tightest;
        let roomy = |place: &usize| sight.watches[*place].room.is_some();
        if !self.enabled || !self.places.iter().any(roomy) {
            return;
        }
        let of = |range: &Range<usize>| {
            bounds(range, &Rooms(sight)).map(|exact| rounded(&exact, self.rounding, self.inclusive))
        };
        // As long as one of its references has no price it has no bounds.
        let all =
            self.ranges.iter().map(of).try_fold(Bounds::EVERYTHING, |all, range| Some(all.and(&range?)));
        self.certain = all.map_or(self.tightest, |all| self.tightest.and(&all));
    }

    /// What is inside all of its ranges together, each of which is written down; none as long as a reference has no price.
    fn evaluated(&mut self, sight: &Seeing<'_>) -> Option<Bounds> {
        let round = |exact: &Exact| rounded(exact, self.rounding, self.inclusive);
        if let ([range], [inside]) = (self.ranges.as_slice(), self.inside.as_mut_slice()) {
            *inside = round(&bounds(range, sight)?);
            return Some(*inside);
        }
        self.exacts.clear();
        for (range, inside) in self.ranges.iter().zip(&mut self.inside) {
            let exact = bounds(range, sight)?;
            *inside = round(&exact);
            self.exacts.push(exact);
        }
        Some(round(&combined(&self.exacts, self.when)))
    }

    /// True if a command may give its first range another share.
    pub(super) fn widens(&self) -> bool {
        matches!(self.ranges.first(), Some(Range { width: Width::Ppm { .. }, .. }))
    }

    pub(super) fn widen(&mut self, to: Ppm) {
        if let Some(Range { width: Width::Ppm { ppm, .. }, .. }) = self.ranges.first_mut() {
            *ppm = to;
            self.width = Some(to);
        }
    }

    /// The prices of its levels; none without levels or a reference.
    pub(super) fn levels_now(&self) -> Vec<Ratio> {
        match (self.ranges.first().map(|range| &range.width), &self.spot) {
            (Some(Width::Levels { ppm }), Some(spot)) => level_prices(&spot.down, ppm, self.rounding),
            _ => Vec::new(),
        }
    }

    pub(super) fn reference(&self, side: Side) -> Price {
        self.spot.map_or(Price::ZERO, |spot| spot.ticks(side))
    }

    pub(super) fn is_armed(&self, now: Nanos, day: i64) -> bool {
        let spent = self.rearm.per_day.is_some_and(|most| self.today.0 == day && self.today.1 >= most);
        now >= self.armed && !spent
    }

    /// The bound that it holds an order to; where its ranges together have none, that of the first that has one.
    pub(super) fn bound(&self, side: Side, refuses: bool) -> Option<Bound> {
        let first = || self.inside.iter().find_map(|range| range.of(side));
        let price = self.all.of(side).or_else(first)?;
        Some(Bound { rule: self.number, price, reference: self.reference(side), refuses })
    }
}

/// Prices that references look at as they stand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Standing {
    pub(crate) mark: Option<Price>,
    pub(crate) index: Option<Price>,
    pub(crate) bid: Option<Price>,
    pub(crate) ask: Option<Price>,
}

pub(super) struct Seeing<'a> {
    pub(super) watches: &'a [Watch],
    pub(super) standing: Standing,
    pub(super) time_of_day: Nanos,
    pub(super) factors: &'a [(Quantile, [Ratio; 2])],
}

impl Sight<usize> for Seeing<'_> {
    fn spot(&self, reference: &usize) -> Option<Spot> {
        self.watches[*reference].spot(|reference| {
            let (bid, ask) = (self.standing.bid, self.standing.ask);
            let one = |price: Option<Price>| price.map(|p| Spot::at(Ratio::of_price(p)));
            match reference {
                Reference::Mark => one(self.standing.mark),
                Reference::Index => one(self.standing.index),
                Reference::Touch => Some(Spot { up: Ratio::of_price(ask?), down: Ratio::of_price(bid?) }),
                Reference::Mid => Some(Spot::at(Ratio::mean((bid? + ask?).get().into(), 2))),
                _ => None,
            }
        })
    }

    fn time_of_day(&self) -> Nanos {
        self.time_of_day
    }

    fn factors(&self, quantile: &Quantile) -> [Ratio; 2] {
        let known = self.factors.iter().find(|(of, _)| of == quantile);
        known.expect("every quantile of the configuration has its factors").1
    }
}

/// The same, of references that are anywhere in their rooms: upper bounds are as low as they can be, lower ones as high.
struct Rooms<'a>(&'a Seeing<'a>);

impl Sight<usize> for Rooms<'_> {
    fn spot(&self, reference: &usize) -> Option<Spot> {
        let spot = self.0.spot(reference)?;
        Some(
            self.0.watches[*reference].room.map_or(spot, |room| Spot {
                up: Ratio::of_price(room.low),
                down: Ratio::of_price(room.high),
            }),
        )
    }

    fn base(&self, reference: &usize) -> Option<Spot> {
        let spot = self.0.spot(reference)?;
        let room = self.0.watches[*reference].room;
        Some(room.map_or(spot, |room| Spot::at(Ratio::of_price(room.low))))
    }

    fn time_of_day(&self) -> Nanos {
        self.0.time_of_day
    }

    fn factors(&self, quantile: &Quantile) -> [Ratio; 2] {
        self.0.factors(quantile)
    }
}

impl Counted {
    pub(super) const fn place(self) -> usize {
        match self {
            Self::Liquidations => 0,
            Self::Liquidated => 1,
            Self::Deleveraged => 2,
            Self::FundPaid => 3,
            Self::Drawdowns => 4,
        }
    }
}

/// What was counted in the last while.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    steps: VecDeque<(Nanos, i64)>,
    pub(super) total: i64,
}

impl Tally {
    pub(super) fn take(&mut self, now: Nanos, window: Nanos, amount: i64) {
        self.expire(now.earlier(window));
        if amount > 0 {
            self.steps.push_back((now, amount));
            self.total = self.total.saturating_add(amount);
        }
    }

    fn expire(&mut self, edge: Nanos) {
        while self.steps.front().is_some_and(|step| step.0 <= edge) {
            self.steps.pop_front();
        }
        self.total = self.steps.iter().fold(0, |sum, step| sum.saturating_add(step.1));
    }

    pub(super) fn encode(&self, now: Nanos, window: Nanos, w: &mut Writer) {
        let kept = || self.steps.iter().filter(|step| step.0 > now.earlier(window));
        w.len(kept().count());
        for (at, amount) in kept() {
            w.i64(at.get());
            w.i64(*amount);
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut tally = Self::default();
        for _ in 0..r.len()? {
            let step = (Nanos::new(r.i64()?), r.i64()?);
            if step.1 <= 0 || tally.steps.back().is_some_and(|last| step.0 < last.0) {
                return Err(r.invalid("what a breaker counted is out of range; take another copy"));
            }
            tally.steps.push_back(step);
        }
        tally.expire(Nanos::new(i64::MIN));
        Ok(tally)
    }
}
