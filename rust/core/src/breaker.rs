//! Circuit breakers: constraints (bands) and interruptions (moves), asked before anything happens.
//!
//! Knows prices and times, not orders or money. References are compared by cross-multiplication.

use crate::codec::{CodecError, Reader, Writer};
use crate::config::{BandAction, Breaker, MoveSource, Rule};
use crate::protocol::Phase;
use crate::units::{MarketId, Nanos, Ppm, Price, Side};
use std::collections::VecDeque;

/// The bounds of a market for one kind of flow: the least and the greatest price where nothing bounds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Highest price that a buyer may pay.
    upper: Price,
    /// Lowest price that a seller may take.
    lower: Price,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { upper: Price::MAX, lower: Price::ZERO }
    }
}

impl Bounds {
    fn tighten(&mut self, mark: Price, width: Ppm) {
        self.upper = self.upper.min(mark.band_upper(width));
        self.lower = self.lower.max(mark.band_lower(width));
    }

    /// The bound that matters for a side.
    #[must_use]
    pub(crate) fn of(&self, side: Side) -> Option<Price> {
        let bound = side.pick(self.upper, self.lower);
        (*self != Self::default()).then_some(bound)
    }

    /// A limit moved to the bound if it lies beyond.
    #[must_use]
    #[inline(always)]
    pub(crate) fn cap(&self, side: Side, limit: Price) -> Price {
        side.pick(limit.min(self.upper), limit.max(self.lower))
    }
}

/// What bands make of a mark: kept, because every order is held against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Fence {
    /// The tightest bounds for ordinary orders.
    ordinary: Bounds,
    /// Those for liquidation orders.
    liquidation: Bounds,
    /// Those of the bands that refuse what lies beyond them.
    refusing: Bounds,
}

/// A rule that acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trip {
    /// Number of the rule in the configuration.
    pub rule: u16,
    /// The price that would have been.
    pub price: Price,
    /// The extreme that it left.
    pub reference: Price,
    /// The phase that follows.
    pub phase: Phase,
    /// When it ends.
    pub end: Nanos,
    /// What was watched.
    pub source: MoveSource,
}

/// Prices of the last while of one rule in one market.
#[derive(Debug, Clone, Default)]
struct Window {
    /// The price standing before the window.
    standing: Option<Price>,
    /// Last price of each step in the window, oldest first.
    lasts: VecDeque<(Nanos, Price)>,
    /// Highs that no later high exceeds, and lows likewise: the extremes are at the front.
    highs: VecDeque<(Nanos, Price)>,
    lows: VecDeque<(Nanos, Price)>,
}

impl Window {
    fn expire(&mut self, edge: Nanos) {
        while let Some(&(_, price)) = self.lasts.front().filter(|(at, _)| *at <= edge) {
            self.standing = Some(price);
            self.lasts.pop_front();
        }
        for list in [&mut self.highs, &mut self.lows] {
            while list.front().is_some_and(|(at, _)| *at <= edge) {
                list.pop_front();
            }
        }
    }

    fn observe(&mut self, at: Nanos, low: Price, high: Price, last: Price) {
        while self.highs.back().is_some_and(|(_, p)| *p <= high) {
            self.highs.pop_back();
        }
        while self.lows.back().is_some_and(|(_, p)| *p >= low) {
            self.lows.pop_back();
        }
        self.highs.push_back((at, high));
        self.lows.push_back((at, low));
        match self.lasts.back_mut() {
            Some(entry) if entry.0 == at => entry.1 = last,
            _ => self.lasts.push_back((at, last)),
        }
    }

    /// The lowest and the highest price since `edge`, the price that stood at it included. Changes nothing: an order
    /// that is refused leaves no trace.
    fn extremes(&self, edge: Nanos) -> Option<(Price, Price)> {
        let past = self.lasts.partition_point(|(at, _)| *at <= edge);
        let standing = past.checked_sub(1).map_or(self.standing, |i| Some(self.lasts[i].1));
        let first = |list: &VecDeque<(Nanos, Price)>| {
            list.get(list.partition_point(|(at, _)| *at <= edge)).map(|e| e.1)
        };
        let (low, high) = (first(&self.lows), first(&self.highs));
        match (standing, low, high) {
            (Some(s), Some(l), Some(h)) => Some((s.min(l), s.max(h))),
            (Some(s), ..) => Some((s, s)),
            (None, Some(l), Some(h)) => Some((l, h)),
            _ => None,
        }
    }

    fn restart(&mut self, standing: Price) {
        *self = Self { standing: Some(standing), ..Self::default() };
    }
}

#[derive(Debug, Clone, Copy)]
struct Band {
    width: Ppm,
    action: BandAction,
    exempt: bool,
}

#[derive(Debug, Clone)]
struct Move {
    rule: u16,
    width: Ppm,
    window_ns: Nanos,
    source: MoveSource,
    phase: Phase,
    duration: Nanos,
    exempt: bool,
    window: Window,
}

/// The rules of one market with their windows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Breakers {
    bands: Vec<Band>,
    fence: Fence,
    moves: Vec<Move>,
    /// Some rule watches trades.
    watches_trades: bool,
    /// Prices of this step, (low, high, last), and whether a rule has acted in it.
    trades: Option<(Price, Price, Price)>,
    marks: Option<Price>,
    tripped: bool,
}

impl Breakers {
    pub(crate) fn new(rules: &[Breaker], market: MarketId) -> Self {
        let mut breakers = Self::default();
        for (i, breaker) in rules.iter().enumerate().filter(|(_, b)| b.markets.contains(&market)) {
            match breaker.rule {
                Rule::Band { width_ppm: Some(width), action, exempt_liquidations: exempt } => {
                    breakers.bands.push(Band { width, action, exempt });
                }
                // An infinite band constrains nothing.
                Rule::Band { width_ppm: None, .. } => {}
                Rule::Move { width_ppm, window_ns, source, phase, duration_ns, exempt_liquidations } => {
                    breakers.watches_trades |= source == MoveSource::Trade;
                    breakers.moves.push(Move {
                        rule: u16::try_from(i).expect("rules are few"),
                        width: width_ppm,
                        window_ns,
                        source,
                        phase,
                        duration: duration_ns,
                        exempt: exempt_liquidations,
                        window: Window::default(),
                    });
                }
            }
        }
        breakers
    }

    /// True if some rule watches trades.
    pub(crate) fn watch_trades(&self) -> bool {
        self.watches_trades
    }

    /// True if some finite band watches the market.
    #[inline(always)]
    pub(crate) fn has_bands(&self) -> bool {
        !self.bands.is_empty()
    }

    /// The market has a new mark, or its bands are others: bounds are made anew.
    pub(crate) fn fence_in(&mut self, mark: Price) {
        self.fence = Fence::default();
        for band in &self.bands {
            self.fence.ordinary.tighten(mark, band.width);
            if !band.exempt {
                self.fence.liquidation.tighten(mark, band.width);
            }
            if band.action == BandAction::Reject {
                self.fence.refusing.tighten(mark, band.width);
            }
        }
    }

    /// The tightest bounds around the mark for ordinary orders or for liquidation orders; without bands none, and
    /// none in a market without clearing before its first index.
    #[inline(always)]
    pub(crate) fn bounds(&self, liquidation: bool) -> &Bounds {
        if liquidation { &self.fence.liquidation } else { &self.fence.ordinary }
    }

    /// True if a limit lies beyond a band that refuses such orders.
    #[inline(always)]
    pub(crate) fn refuses(&self, side: Side, limit: Price) -> bool {
        self.fence.refusing.cap(side, limit) != limit
    }

    /// Asks the move rules about a price before it happens. The reference stands as of the start of the step.
    pub(crate) fn ask(&self, source: MoveSource, at: Nanos, price: Price, liquidation: bool) -> Option<Trip> {
        for rule in &self.moves {
            if rule.source != source || (liquidation && rule.exempt) {
                continue;
            }
            let Some((low, high)) = rule.window.extremes(at - rule.window_ns) else { continue };
            let fell = price.is_fall_of(rule.width, high);
            if !fell && !price.is_rise_of(rule.width, low) {
                continue;
            }
            let reference = if fell { high } else { low };
            let (phase, end) = (rule.phase, at.later(rule.duration));
            return Some(Trip { rule: rule.rule, price, reference, phase, end, source });
        }
        None
    }

    /// A rule has acted: its window starts anew from the price that tripped it.
    pub(crate) fn trip(&mut self, trip: &Trip) {
        self.tripped = true;
        for rule in self.moves.iter_mut().filter(|r| r.rule == trip.rule) {
            rule.window.restart(trip.price);
        }
    }

    /// Notes a trade of this step; true if somebody watches trades.
    pub(crate) fn trade(&mut self, price: Price) -> bool {
        if self.watches_trades {
            let (low, high, _) = self.trades.unwrap_or((price, price, price));
            self.trades = Some((low.min(price), high.max(price), price));
        }
        self.watches_trades
    }

    /// Notes the new mark of this step; true if there is a rule to watch it.
    pub(crate) fn marked(&mut self, mark: Price) -> bool {
        if !self.moves.is_empty() {
            self.marks = Some(mark);
        }
        !self.moves.is_empty()
    }

    /// Ends the step: its prices enter the windows, unless a rule has acted in it.
    pub(crate) fn observe(&mut self, at: Nanos) {
        let (trades, mark) = (self.trades.take(), self.marks.take());
        if std::mem::take(&mut self.tripped) {
            return;
        }
        for rule in &mut self.moves {
            let seen = match rule.source {
                MoveSource::Trade => trades,
                MoveSource::Mark => mark.map(|m| (m, m, m)),
            };
            if let Some((low, high, last)) = seen {
                rule.window.expire(at - rule.window_ns);
                rule.window.observe(at, low, high, last);
            }
        }
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        for rule in &self.moves {
            w.option(rule.window.standing.map(Price::get));
            for list in [&rule.window.lasts, &rule.window.highs, &rule.window.lows] {
                w.len(list.len());
                for (at, price) in list {
                    w.i64(at.get());
                    w.i64(price.get());
                }
            }
        }
    }

    pub(crate) fn decode(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        for rule in &mut self.moves {
            rule.window.standing = r.option()?.map(Price::new);
            for list in [&mut rule.window.lasts, &mut rule.window.highs, &mut rule.window.lows] {
                for _ in 0..r.len()? {
                    list.push_back((Nanos::new(r.i64()?), Price::new(r.i64()?)));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_forgets_extremes_and_keeps_the_standing_price() {
        let mut w = Window::default();
        for (at, price) in [(1, 100), (2, 120), (3, 90)] {
            w.observe(Nanos::new(at), Price::new(price), Price::new(price), Price::new(price));
        }
        let since =
            |w: &Window, edge| w.extremes(Nanos::new(edge)).map(|(low, high)| (low.get(), high.get()));
        // 120 stood when the window after 2 began, so it still counts; 100 does not.
        assert_eq!([0, 2, 3].map(|edge| since(&w, edge)), [Some((90, 120)), Some((90, 120)), Some((90, 90))]);
        w.expire(Nanos::new(2));
        assert_eq!([2, 3].map(|edge| since(&w, edge)), [Some((90, 120)), Some((90, 90))]);
    }

    #[test]
    fn bounds_are_rounded_inwards_and_the_tightest_counts() {
        let band = |w| Band { width: Ppm::new(w), action: BandAction::Cap, exempt: w == 15_000 };
        let bands = vec![band(50_000), band(15_000)];
        let mut b = Breakers { bands, ..Breakers::default() };
        let of = |b: &Breakers, liquidation| {
            [Side::Buy, Side::Sell].map(|side| b.bounds(liquidation).of(side).map(Price::get))
        };
        assert_eq!(of(&b, false), [None, None]);
        b.fence_in(Price::new(101));
        // 1.5 %: 99.485 to 102.515; 5 %: 95.95 to 106.05.
        assert_eq!(of(&b, false), [Some(102), Some(100)]);
        assert_eq!(of(&b, true), [Some(106), Some(96)]);
    }
}
