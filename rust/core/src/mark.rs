//! Index and mark: the formulas and their small state.
//!
//! Knows nothing of accounts. The mark changes only when an index is told or made.

use crate::codec::{CodecError, Reader, Writer};
use crate::config::{Mark, MarkInput, MarkMethod};
use crate::units::{BILLION, Doubled, Ema, MarketId, Nanos, Ppb, Price, slew_limit};

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
    #[inline(always)]
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

    pub(crate) fn decode(domains: &[(Price, Price)], r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut prices = Self::new(domains.len());
        for list in [&mut prices.marks, &mut prices.indices] {
            for (slot, (least, most)) in list.iter_mut().zip(domains) {
                let price = r.option()?.map(Price::new);
                if price.is_some_and(|p| p < *least || p > *most) {
                    return Err(r.invalid("a price is outside its domain; take another copy"));
                }
                *slot = price;
            }
        }
        Ok(prices)
    }
}

/// What a mark is made from besides its own state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    /// The index.
    pub index: Price,
    /// The best price of each side.
    pub touch: (Option<Price>, Option<Price>),
    /// What the mark's sources come to.
    pub external: Option<Price>,
    /// Time to the next funding settlement, and the time that rates are for.
    pub funding: Option<(Nanos, Nanos)>,
    /// The mark before.
    pub before: Option<Price>,
    /// The price of an auction of which a rule makes the mark, and the mark that counts with it.
    pub called: Option<(Price, Option<Price>)>,
}

/// One market's averages and last trade.
#[derive(Debug, Clone)]
pub(crate) struct MarkState {
    config: Mark,
    last: Option<Price>,
    /// Doubled differences of mid and index, oldest first once full.
    basis: Vec<i64>,
    next: usize,
    basis_ema: Ema,
    touch_ema: Ema,
    /// Rate of the last funding settlement.
    rate: Option<Ppb>,
}

impl MarkState {
    pub(crate) fn new(config: &Mark) -> Self {
        Self {
            config: config.clone(),
            last: None,
            basis: Vec::new(),
            next: 0,
            basis_ema: Ema::default(),
            touch_ema: Ema::default(),
            rate: None,
        }
    }

    /// Price of the last trade in the book.
    pub(crate) fn last(&self) -> Option<Price> {
        self.last
    }

    pub(crate) fn trade(&mut self, price: Price) {
        self.last = Some(price);
    }

    /// Remembers the rate of a settlement.
    pub(crate) fn settled(&mut self, rate: Ppb) {
        self.rate = Some(rate);
    }

    /// Takes a sample of the basis, if the book has both sides, and of the touch.
    pub(crate) fn sample(&mut self, view: &View, now: Nanos) {
        if let (Some(bid), Some(ask)) = view.touch {
            let basis = Doubled::mid(bid, ask).above(view.index);
            self.push(basis.get());
            if let Some(decay) = self.config.basis_decay_ppb {
                self.basis_ema.sample(basis.get(), decay, now);
            }
        }
        let Some(decay) = self.config.touch_decay_ppb else { return };
        if let Some(touch) = self.touch(view) {
            self.touch_ema.sample(touch.get(), decay, now);
        }
    }

    fn push(&mut self, basis: i64) {
        let room = usize::try_from(self.config.basis_samples).expect("32 bits fit");
        if self.basis.len() < room {
            self.basis.push(basis);
        } else {
            self.basis[self.next] = basis;
            self.next = (self.next + 1) % room;
        }
    }

    /// The median of those that there are of best bid, best ask and last trade.
    fn touch(&self, view: &View) -> Option<Doubled> {
        let prices = [view.touch.0, view.touch.1, self.last];
        Doubled::median_down(prices.into_iter().flatten().map(|p| Doubled::mid(p, p)).collect())
    }

    /// The mark: docs/mechanics.md section 7.
    pub(crate) fn mark(&self, view: &View, prices: (Price, Price)) -> Price {
        let index = view.index;
        let mut mark = match (view.called, self.config.method) {
            (Some((price, before)), _) => {
                let prices = [Some(index), Some(price), before].into_iter().flatten();
                median_down(prices).expect("two at least")
            }
            (None, MarkMethod::Index) => index,
            (None, MarkMethod::Last) => self.last.unwrap_or(index),
            (None, MarkMethod::Median) if self.config.inputs.is_empty() => {
                Price::median(index, self.with_basis(index), self.last.unwrap_or(index))
            }
            (None, MarkMethod::Median) => self.median(view),
        };
        if let Some(band) = self.config.index_band_ppm {
            mark = mark.min(index.band_upper(band)).max(index.band_lower(band));
        }
        if let (Some(most), Some(before)) = (self.config.slew_ppm, view.before) {
            mark = slew_limit(before, mark, most);
        }
        mark.max(prices.0).min(prices.1)
    }

    /// The median of the inputs that have a price; the index if none has.
    fn median(&self, view: &View) -> Price {
        let mut inputs: Vec<Price> =
            self.config.inputs.iter().filter_map(|&input| self.input(input, view)).collect();
        if let (2, Some(fallback)) = (inputs.len(), self.config.fallback) {
            inputs.extend(self.input(fallback, view));
        }
        median_down(inputs.into_iter()).unwrap_or(view.index)
    }

    fn input(&self, input: MarkInput, view: &View) -> Option<Price> {
        let index = view.index;
        match input {
            MarkInput::Index => Some(index),
            MarkInput::Last => Some(self.last.unwrap_or(index)),
            MarkInput::Basis => Some(self.with_basis(index)),
            MarkInput::BasisEma => Some(self.basis_ema.down().map_or(index, |basis| index + basis)),
            MarkInput::Funding => Some(match (self.rate, view.funding) {
                (Some(rate), Some((left, period))) => index.plus_funding_down(rate, left, period),
                _ => index,
            }),
            MarkInput::Touch => self.touch(view).map(Doubled::down),
            MarkInput::TouchEma => self.touch_ema.down(),
            MarkInput::External => view.external,
        }
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
        for ema in self.averages() {
            w.i128(ema.num);
            w.i128(ema.den);
            w.i64(ema.at.get());
        }
        if self.config.uses(MarkInput::Funding) {
            w.option(self.rate.map(Ppb::get));
        }
    }

    /// The exponential averages that the configuration asks for.
    fn averages(&self) -> impl Iterator<Item = &Ema> {
        let basis = self.config.basis_decay_ppb.map(|_| &self.basis_ema);
        basis.into_iter().chain(self.config.touch_decay_ppb.map(|_| &self.touch_ema))
    }

    pub(crate) fn decode(config: &Mark, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut state = Self::new(config);
        state.last = r.option()?.map(Price::new);
        let count = r.len()?;
        if u32::try_from(count).map_or(true, |c| c > config.basis_samples) {
            return Err(r.invalid(format!("{count} basis samples are more than the configured maximum")));
        }
        for _ in 0..count {
            match r.i64()? {
                sample if sample.unsigned_abs() < HALF_TICKS_MAX => state.basis.push(sample),
                sample => {
                    return Err(
                        r.invalid(format!("basis sample {sample} is out of range; take another copy"))
                    );
                }
            }
        }
        let has = (config.basis_decay_ppb.is_some(), config.touch_decay_ppb.is_some());
        for (has, ema) in [(has.0, &mut state.basis_ema), (has.1, &mut state.touch_ema)] {
            if has {
                *ema = Ema { num: r.i128()?, den: r.i128()?, at: Nanos::new(r.i64()?) };
                let most = i128::from(HALF_TICKS_MAX) * ema.den.clamp(0, i64::MAX.into());
                if !(0..=i64::MAX.into()).contains(&ema.den) || !(-most..=most).contains(&ema.num) {
                    return Err(r.invalid("an average is out of range; take another copy"));
                }
            }
        }
        if config.uses(MarkInput::Funding) {
            state.rate = r.option()?.map(Ppb::new);
            if state.rate.is_some_and(|rate| rate.abs() > Ppb::new(BILLION)) {
                return Err(r.invalid("a funding rate is out of range; take another copy"));
            }
        }
        Ok(state)
    }
}

/// No basis and no price in half ticks reaches this.
const HALF_TICKS_MAX: u64 = 1 << 27;

/// The median in whole ticks, of an even number the mean of the middle two, down; none of none.
fn median_down(prices: impl Iterator<Item = Price>) -> Option<Price> {
    Doubled::median_down(prices.map(|p| Doubled::mid(p, p)).collect()).map(Doubled::down)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(method: MarkMethod) -> Mark {
        Mark {
            method,
            basis_samples: 2,
            inputs: Vec::new(),
            fallback: None,
            basis_decay_ppb: None,
            touch_decay_ppb: None,
            index_band_ppm: None,
            slew_ppm: None,
            sources: Vec::new(),
        }
    }

    fn view(index: i64, bid: i64, ask: i64) -> View {
        let price = |p: i64| (p > 0).then(|| Price::new(p));
        View {
            index: Price::new(index),
            touch: (price(bid), price(ask)),
            external: None,
            funding: None,
            before: None,
            called: None,
        }
    }

    fn mark_at(s: &MarkState, view: &View) -> i64 {
        s.mark(view, (Price::new(1), Price::MAX)).get()
    }

    #[test]
    fn the_median_keeps_one_bad_input_out() {
        let mut s = MarkState::new(&config(MarkMethod::Median));
        s.trade(Price::new(10));
        s.sample(&view(100, 101, 104), Nanos::ZERO);
        // Basis 2.5: index + basis = 102; last = 10 is far off; the median is the index.
        assert_eq!(mark_at(&s, &view(100, 0, 0)), 100);
        s.trade(Price::new(500));
        assert_eq!(mark_at(&s, &view(100, 0, 0)), 102);
    }

    #[test]
    fn the_averaged_basis_rounds_down_and_forgets_the_oldest() {
        let mut s = MarkState::new(&config(MarkMethod::Median));
        s.trade(Price::new(1));
        for (bid, ask) in [(500, 500), (97, 100), (98, 100)] {
            s.sample(&view(100, bid, ask), Nanos::ZERO);
        }
        // Doubled differences -3 and -2: mean of halves -1.25, down to -2.
        assert_eq!(mark_at(&s, &view(100, 0, 0)), 98);
    }

    #[test]
    fn the_exponential_average_forgets_by_time_and_not_by_samples() {
        let decay = Some(Ppb::new(500_000_000));
        let inputs = vec![MarkInput::BasisEma];
        let mut s = MarkState::new(&Mark { inputs, basis_decay_ppb: decay, ..config(MarkMethod::Median) });
        let second = |s: i64| Nanos::new(s * 1_000_000_000);
        s.sample(&view(100, 108, 108), second(0));
        s.sample(&view(100, 108, 108), second(1));
        assert_eq!(mark_at(&s, &view(100, 0, 0)), 108);
        // Two seconds later: num = (1 s x 8 + 1 ns x 4) / 4 + 2 s x 0, den = (1 s + 0.5 ns) / 4 + 2 s: 2 / 2.25 = 0.88.
        s.sample(&view(100, 100, 100), second(3));
        assert_eq!(mark_at(&s, &view(100, 0, 0)), 100);
        // At the same moment a sample has no weight.
        s.sample(&view(100, 400, 400), second(3));
        assert_eq!(mark_at(&s, &view(100, 0, 0)), 100);
        // Half a second at one half per second leaves 3/4 of a weight, between 1 and 1/2: not the square root.
        s.sample(&view(100, 118, 118), Nanos::new(3_500_000_000));
        // num = 2 x 0.75 + 18 x 0.5 = 10.5, den = 2.25 x 0.75 + 0.5 = 2.1875: 4.8 down.
        assert_eq!(mark_at(&s, &view(100, 0, 0)), 104);
    }

    #[test]
    fn a_median_of_two_is_their_mean_unless_the_fallback_joins_them() {
        let inputs = vec![MarkInput::Index, MarkInput::Touch, MarkInput::External];
        let mut s = MarkState::new(&Mark { inputs, ..config(MarkMethod::Median) });
        s.trade(Price::new(107));
        assert_eq!(mark_at(&s, &view(100, 0, 0)), 103);
        s.config.fallback = Some(MarkInput::Last);
        assert_eq!(mark_at(&s, &view(100, 0, 0)), 107);
        // The best ask alone would be 105, of bid, ask and last it is the middle; the external price makes three.
        let all = View { external: Some(Price::new(101)), ..view(100, 103, 105) };
        assert_eq!(mark_at(&s, &all), 101);
    }

    #[test]
    fn a_slewed_mark_takes_whole_steps_and_always_at_least_one_tick() {
        let limit = |last, target| {
            slew_limit(Price::new(last), Price::new(target), crate::units::Ppm::new(10_000)).get()
        };
        assert_eq!((limit(1000, 500), limit(1000, 1500), limit(1000, 1009)), (990, 1010, 1009));
        assert_eq!((limit(199, 100), limit(99, 50), limit(99, 99)), (198, 98, 99));
    }
}
