//! Sources: the prices that a venue is told of other places, their age, and what they come to.
//!
//! Knows nothing of books and marks. Invariant: a live source has a price.

use crate::codec::{CodecError, Reader, Writer};
use crate::config::{Index, IndexRule, Market};
use crate::protocol::IndexState;
use crate::units::{Doubled, Nanos, Price, mean_of_sources_down, weighted_median};

/// One source.
#[derive(Debug, Clone)]
struct Source {
    weight: u32,
    stale: Nanos,
    price: Doubled,
    /// When it was observed; none before the first price.
    seen: Option<Nanos>,
    live: bool,
}

/// The sources of one market: those of the index, then those of the mark.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    rule: Option<IndexRule>,
    least: u32,
    list: Vec<Source>,
    /// How many of the list make the index.
    index_count: usize,
}

impl Sources {
    pub(crate) fn new(config: &Market) -> Self {
        let list = config.sources().map(|s| Source {
            weight: s.weight,
            stale: s.stale_ns,
            price: Doubled::default(),
            seen: None,
            live: false,
        });
        Self {
            rule: config.index.as_ref().map(|index| index.rule),
            least: config.index.as_ref().map_or(0, |index| index.sources_min),
            list: list.collect(),
            index_count: config.index.as_ref().map_or(0, |index: &Index| index.sources.len()),
        }
    }

    /// True if the index is made here, and not told.
    pub(crate) fn make_index(&self) -> bool {
        self.rule.is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The time of a source's last price.
    pub(crate) fn seen(&self, number: usize) -> Option<Nanos> {
        self.list[number].seen
    }

    /// Age at which a source's price is stale.
    pub(crate) fn stale_age(&self, number: usize) -> Nanos {
        self.list[number].stale
    }

    /// A new price.
    pub(crate) fn take(&mut self, number: usize, price: Doubled, seen: Nanos) {
        let source = &mut self.list[number];
        source.price = price;
        source.seen = Some(seen);
        source.live = true;
    }

    /// When the next live source grows stale; [`Nanos::MAX`] if none does.
    pub(crate) fn due(&self) -> Nanos {
        let live = self.list.iter().filter(|s| s.live);
        live.filter_map(|s| Some(s.seen?.later(s.stale))).min().unwrap_or(Nanos::MAX)
    }

    /// Sources whose prices are stale at a time are live no more.
    pub(crate) fn expire(&mut self, due: Nanos) {
        for source in &mut self.list {
            source.live &= source.seen.is_some_and(|seen| seen.later(source.stale) > due);
        }
    }

    /// The live sources of the index.
    pub(crate) fn live_count(&self) -> usize {
        self.list[..self.index_count].iter().filter(|s| s.live).count()
    }

    /// How the index stands; live where it is told.
    pub(crate) fn state(&self) -> IndexState {
        let live = self.live_count();
        if live == self.index_count {
            IndexState::Live
        } else if u32::try_from(live).expect("a short list") >= self.least {
            IndexState::Degraded
        } else {
            IndexState::Stale
        }
    }

    /// The index that the live sources come to; `None` while it is stale, or told.
    pub(crate) fn index(&self) -> Option<Price> {
        if self.state() == IndexState::Stale {
            return None;
        }
        let mut live = Self::live(&self.list[..self.index_count]);
        Some(match self.rule? {
            IndexRule::Median => weighted_median(&mut live),
            IndexRule::Mean { outlier_ppm } => mean_of_sources_down(&live, outlier_ppm),
        })
    }

    /// The price that the mark's live sources come to; `None` without any.
    pub(crate) fn external(&self) -> Option<Price> {
        let mut live = Self::live(&self.list[self.index_count..]);
        if live.is_empty() { None } else { Some(weighted_median(&mut live)) }
    }

    fn live(list: &[Source]) -> Vec<(Doubled, u32)> {
        list.iter().filter(|s| s.live).map(|s| (s.price, s.weight)).collect()
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        for source in &self.list {
            w.option(source.seen.map(Nanos::get));
            w.i64(source.price.get());
            w.bool(source.live);
        }
    }

    pub(crate) fn decode(config: &Market, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut sources = Self::new(config);
        for source in &mut sources.list {
            source.seen = r.option()?.map(Nanos::new);
            source.price = Doubled::new(r.i64()?);
            source.live = r.bool()?;
            let (least, most) = config.prices();
            let (lowest, highest) = (Doubled::mid(least, least), Doubled::mid(most, most));
            let fits = (lowest..=highest).contains(&source.price);
            if source.seen.is_some() != fits || (source.live && source.seen.is_none()) {
                return Err(r.invalid("a source's price is outside its domain; take another copy"));
            }
        }
        Ok(sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Ppm;

    fn of(prices: &[(i64, u32)]) -> Vec<(Doubled, u32)> {
        prices.iter().map(|(p, w)| (Doubled::mid(Price::new(*p), Price::new(*p)), *w)).collect()
    }

    #[test]
    fn the_weighted_median_is_the_middle_of_the_weight_and_not_of_the_list() {
        // Weights 3, 2 and 2 of 7: the first reaches 3, the second 5.
        assert_eq!(weighted_median(&mut of(&[(100, 3), (110, 2), (90, 2)])).get(), 100);
        // Half of the weight is reached exactly at 90: the mean of 90 and 101, down.
        assert_eq!(weighted_median(&mut of(&[(101, 2), (90, 2)])).get(), 95);
        assert_eq!(weighted_median(&mut of(&[(90, 3), (101, 2)])).get(), 90);
    }

    #[test]
    fn one_outlier_does_not_count_and_two_leave_the_median() {
        let mean = |prices| mean_of_sources_down(&of(prices), Ppm::new(50_000)).get();
        // (100 x 1 + 104 x 3) / 4 = 103.
        assert_eq!(mean(&[(100, 1), (104, 3)]), 103);
        // 106 is more than 5 % from the median 100; 105 is exactly 5 %, and counts.
        assert_eq!(mean(&[(100, 1), (100, 1), (106, 1)]), 100);
        assert_eq!(mean(&[(100, 1), (100, 1), (105, 4)]), 103);
        assert_eq!(mean(&[(90, 9), (100, 1), (106, 1)]), 100);
        assert_eq!(mean(&[(70, 5)]), 70);
    }
}
