//! Rules that hold what the book shows near the mark against a least, or against what waits for liquidation.

use super::Breakers;
use super::rule::{Asked, Rule, Trip};
use crate::codec::{CodecError, Reader, Writer};
use crate::config::{Action, LeastDepth, Test};
use crate::units::{Money, Nanos, Ppm, Price, Qty, Side};
use std::collections::VecDeque;

/// What these rules look at in a market.
pub(crate) trait Near {
    /// Lots that a side shows no further than a share from the mark.
    fn depth(&self, side: Side, width: Ppm) -> Qty;
    /// The value of lots at the mark.
    fn value(&self, lots: Qty) -> Money;
    /// Lots of accounts in liquidation that trade against a side.
    fn pending(&self, side: Side) -> Qty;
}

impl Breakers {
    /// True if a rule looks at depth.
    #[inline(always)]
    pub(crate) fn has_depths(&self) -> bool {
        self.has_depths
    }

    /// Trips of the rules that look at depth, after a new mark in a phase that trades.
    #[inline(never)]
    pub(crate) fn judge_depths(&mut self, now: Nanos, near: &impl Near) -> Vec<Trip> {
        self.work.note_test();
        let found: Vec<Option<Found>> = self.rules.iter_mut().map(|rule| rule.look_near(now, near)).collect();
        let day = self.today(now);
        let mut trips = Vec::new();
        for (rule, found) in self.rules.iter().zip(found) {
            if let (Some(Found { asked, side, is, of }), Action::Interrupt { phase }) = (found, &rule.action)
                && rule.enabled
                && rule.is_armed(now, day)
            {
                trips.push(self.trip_of(rule, (asked, Price::new(is)), (side, Price::new(of)), *phase, now));
            }
        }
        trips
    }
}

/// What is beyond what a rule allows.
struct Found {
    asked: Asked,
    /// The side of the book.
    side: Side,
    /// What was found, and what it was held against.
    is: i64,
    of: i64,
}

impl Rule {
    /// Looks at depth, and keeps what its mean is of.
    fn look_near(&mut self, now: Nanos, near: &impl Near) -> Option<Found> {
        match self.test {
            Test::Depth { width_ppm, below } => {
                let [bids, asks] = [Side::Buy, Side::Sell].map(|side| near.depth(side, width_ppm));
                let (side, lots) = if bids <= asks { (Side::Buy, bids) } else { (Side::Sell, asks) };
                let (is, of) = match below {
                    LeastDepth::Value { least } => (near.value(lots).get(), least.get()),
                    LeastDepth::Mean { share_ppm, window_ns } => {
                        let least = self.depths.least(now, window_ns, share_ppm);
                        self.depths.take(now, lots);
                        (lots.get(), least?.get())
                    }
                };
                (is < of).then_some(Found { asked: Asked::Depth, side, is, of })
            }
            Test::Pending { width_ppm, share_ppm } => [Side::Buy, Side::Sell].into_iter().find_map(|side| {
                let is = near.pending(side).get();
                // Without lots that wait the book is not looked at.
                let of = || near.depth(side, width_ppm).ppm_limited(share_ppm).get();
                let of = if is > 0 { of() } else { 0 };
                (is > of).then_some(Found { asked: Asked::Pending, side, is, of })
            }),
            _ => None,
        }
    }
}

/// Depths that were looked at in a while.
#[derive(Debug, Clone, Default)]
pub(super) struct Depths {
    looks: VecDeque<(Nanos, Qty)>,
}

impl Depths {
    /// The least depth that is a share of the mean of the last while; none without an earlier look.
    fn least(&mut self, now: Nanos, window: Nanos, share: Ppm) -> Option<Qty> {
        let edge = now.earlier(window);
        while self.looks.front().is_some_and(|look| look.0 <= edge) {
            self.looks.pop_front();
        }
        Qty::mean_share_up(self.looks.iter().map(|look| look.1), share)
    }

    fn take(&mut self, now: Nanos, lots: Qty) {
        self.looks.push_back((now, lots));
    }

    pub(super) fn encode(&self, now: Nanos, window: Nanos, w: &mut Writer) {
        let kept = || self.looks.iter().filter(|look| look.0 > now.earlier(window));
        w.len(kept().count());
        for (at, lots) in kept() {
            w.i64(at.get());
            w.i64(lots.get());
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut depths = Self::default();
        for _ in 0..r.len()? {
            let look = (Nanos::new(r.i64()?), Qty::new(r.i64()?));
            if look.1.is_negative() || depths.looks.back().is_some_and(|last| look.0 < last.0) {
                return Err(r.invalid("a depth that a breaker looked at is out of range; take another copy"));
            }
            depths.looks.push_back(look);
        }
        Ok(depths)
    }
}
