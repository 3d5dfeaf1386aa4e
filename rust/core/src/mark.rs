//! Index and mark: the formulas and their small state.
//!
//! Knows nothing of accounts. The mark changes on an Index command only.

use crate::codec::{CodecError, Reader, Writer};
use crate::config::{Mark, MarkMethod};
use crate::units::{MarketId, Price};

/// The prices that margin looks at.
#[derive(Debug, Clone)]
pub(crate) struct Prices {
    marks: Vec<Option<Price>>,
    indices: Vec<Option<Price>>,
}

impl Prices {
    pub(crate) fn new(markets: usize) -> Self {
        Self { marks: vec![None; markets], indices: vec![None; markets] }
    }

    /// A market's mark; none before its first index.
    #[must_use]
    pub(crate) fn mark(&self, market: MarketId) -> Option<Price> {
        self.marks[market.index()]
    }

    /// A market's index.
    #[must_use]
    pub(crate) fn index(&self, market: MarketId) -> Option<Price> {
        self.indices[market.index()]
    }

    /// The mark of a market in which somebody has a position or an order.
    #[must_use]
    pub(crate) fn known(&self, market: MarketId) -> Price {
        self.marks[market.index()].expect("no position or order comes before the first index")
    }

    pub(crate) fn set(&mut self, market: MarketId, index: Price, mark: Price) {
        self.indices[market.index()] = Some(index);
        self.marks[market.index()] = Some(mark);
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        for price in self.marks.iter().chain(&self.indices) {
            w.option(price.map(Price::get));
        }
    }

    pub(crate) fn decode(maxima: &[Price], r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut prices = Self::new(maxima.len());
        for list in [&mut prices.marks, &mut prices.indices] {
            for (slot, max) in list.iter_mut().zip(maxima) {
                let price = r.option()?.map(Price::new);
                if price.is_some_and(|p| !p.is_positive() || p > *max) {
                    return Err(r.invalid("a price is outside its domain; take another copy"));
                }
                *slot = price;
            }
        }
        Ok(prices)
    }
}

/// One market's averaged basis and last trade.
#[derive(Debug, Clone)]
pub(crate) struct MarkState {
    config: Mark,
    last: Option<Price>,
    /// Doubled differences of mid and index, oldest first once full.
    basis: Vec<i64>,
    next: usize,
}

impl MarkState {
    pub(crate) fn new(config: Mark) -> Self {
        Self { config, last: None, basis: Vec::new(), next: 0 }
    }

    /// Price of the last trade in the book.
    pub(crate) fn last(&self) -> Option<Price> {
        self.last
    }

    pub(crate) fn trade(&mut self, price: Price) {
        self.last = Some(price);
    }

    /// Takes a basis sample if the book has both sides.
    pub(crate) fn sample(&mut self, index: Price, bid: Option<Price>, ask: Option<Price>) {
        let (Some(bid), Some(ask)) = (bid, ask) else { return };
        let doubled = (bid + ask - index - index).get();
        let room = usize::try_from(self.config.basis_samples).expect("32 bits fit");
        if self.basis.len() < room {
            self.basis.push(doubled);
        } else {
            self.basis[self.next] = doubled;
            self.next = (self.next + 1) % room;
        }
    }

    /// The mark at an index: docs/mechanics.md section 7.
    pub(crate) fn mark(&self, index: Price, price_max: Price) -> Price {
        let last = self.last.unwrap_or(index);
        let mark = match self.config.method {
            MarkMethod::Index => index,
            MarkMethod::Last => last,
            MarkMethod::Median => Price::median(index, self.with_basis(index), last),
        };
        mark.max(Price::new(1)).min(price_max)
    }

    fn with_basis(&self, index: Price) -> Price {
        if self.basis.is_empty() {
            return index;
        }
        index.plus_half_mean_down(self.basis.iter().sum(), self.basis.len())
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        w.option(self.last.map(Price::get));
        w.len(self.basis.len());
        // Oldest first: where the ring has its seam is not part of the meaning.
        for i in 0..self.basis.len() {
            w.i64(self.basis[(self.next + i) % self.basis.len()]);
        }
    }

    pub(crate) fn decode(config: Mark, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut state = Self::new(config);
        state.last = r.option()?.map(Price::new);
        let count = r.len()?;
        if u32::try_from(count).map_or(true, |c| c > config.basis_samples) {
            return Err(r.invalid(format!("{count} basis samples are more than the configured maximum")));
        }
        for _ in 0..count {
            match r.i64()? {
                sample if sample.unsigned_abs() < 1 << 27 => state.basis.push(sample),
                sample => {
                    return Err(
                        r.invalid(format!("basis sample {sample} is out of range; take another copy"))
                    );
                }
            }
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(method: MarkMethod) -> MarkState {
        MarkState::new(Mark { method, basis_samples: 2 })
    }

    #[test]
    fn the_median_keeps_one_bad_input_out() {
        let mut s = state(MarkMethod::Median);
        s.trade(Price::new(10));
        s.sample(Price::new(100), Some(Price::new(101)), Some(Price::new(104)));
        // Basis 2.5: index + basis = 102; last = 10 is far off; the median is the index.
        assert_eq!(s.mark(Price::new(100), Price::MAX), Price::new(100));
        s.trade(Price::new(500));
        assert_eq!(s.mark(Price::new(100), Price::MAX), Price::new(102));
    }

    #[test]
    fn the_averaged_basis_rounds_down_and_forgets_the_oldest() {
        let mut s = state(MarkMethod::Median);
        s.trade(Price::new(1));
        for (bid, ask) in [(500, 500), (97, 100), (98, 100)] {
            s.sample(Price::new(100), Some(Price::new(bid)), Some(Price::new(ask)));
        }
        // Doubled differences -3 and -2: mean of halves -1.25, down to -2.
        assert_eq!(s.mark(Price::new(100), Price::MAX), Price::new(98));
    }
}
