//! The highest and the lowest of values that stood at times, of which old ones fall out.
//!
//! Kept are highs that no later value exceeds, and lows likewise: so the extremes are at the front, and values between
//! others cost a look once.

use crate::units::Nanos;
use std::collections::VecDeque;

/// How many values are taken together at most.
pub(crate) const TAKEN_MAX: usize = 64;

/// Highs, falling, and lows, rising, each with its time, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stairs<V> {
    pub(crate) highs: VecDeque<(Nanos, V)>,
    pub(crate) lows: VecDeque<(Nanos, V)>,
}

impl<V: Copy + Ord> Stairs<V> {
    /// Takes up to [`TAKEN_MAX`] values, oldest first; `of` tells the time of one, its low and its high.
    pub(crate) fn take<T>(&mut self, values: &[T], of: impl Fn(&T) -> (Nanos, V, V)) {
        let Some((newest, before)) = values.split_last() else { return };
        let (_, mut low, mut high) = of(newest);
        // Of several values those stay that no later one exceeds: their places, newest first.
        let (mut highs, mut lows) = ([before.len(); TAKEN_MAX], [before.len(); TAKEN_MAX]);
        let (mut high_count, mut low_count) = (1, 1);
        for (number, value) in before.iter().enumerate().rev() {
            let (_, l, h) = of(value);
            if h > high {
                (high, highs[high_count]) = (h, number);
                high_count += 1;
            }
            if l < low {
                (low, lows[low_count]) = (l, number);
                low_count += 1;
            }
        }
        while self.highs.back().is_some_and(|(_, before)| *before <= high) {
            self.highs.pop_back();
        }
        while self.lows.back().is_some_and(|(_, before)| *before >= low) {
            self.lows.pop_back();
        }
        let of = |number: &usize| of(&values[*number]);
        self.highs.extend(highs[..high_count].iter().rev().map(of).map(|(at, _, high)| (at, high)));
        self.lows.extend(lows[..low_count].iter().rev().map(of).map(|(at, low, _)| (at, low)));
    }

    /// Lets go of what stood at a time or before it.
    pub(crate) fn expire(&mut self, edge: Nanos) {
        for list in [&mut self.highs, &mut self.lows] {
            while list.front().is_some_and(|(at, _)| *at <= edge) {
                list.pop_front();
            }
        }
    }

    /// The lowest and the highest.
    pub(crate) fn extremes(&self) -> Option<(V, V)> {
        Some((self.lows.front()?.1, self.highs.front()?.1))
    }
}
