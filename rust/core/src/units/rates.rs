//! Averages of prices, and rates over time: index, mark and funding.

use super::{BILLION, MILLION, Money, Nanos, Ppb, Ppm, Price, Qty, div_ceil, div_floor, narrow, wide};

/// What decays is counted in parts of 1e18.
const WHOLE: i128 = 1_000_000_000_000_000_000;

/// A price in half ticks: the sum of a bid and an ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Doubled(i64);

impl Doubled {
    /// The middle of two prices.
    #[must_use]
    pub const fn mid(bid: Price, ask: Price) -> Self {
        Self(bid.0 + ask.0)
    }

    /// The count of half ticks.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The price of so many half ticks.
    #[must_use]
    pub const fn new(half_ticks: i64) -> Self {
        Self(half_ticks)
    }

    /// Down to a tick.
    #[must_use]
    pub(crate) fn down(self) -> Price {
        Price(self.0.div_euclid(2))
    }

    /// `self x share`, down to a multiple of the step, which is positive.
    #[must_use]
    pub(crate) fn share_on_step_down(self, share: Ppm, step: Price) -> Price {
        let exact = i128::from(self.0) * i128::from(share.0);
        Price(narrow(div_floor(exact, 2 * i128::from(MILLION) * i128::from(step.0)) * i128::from(step.0)))
    }

    /// `self x share`, up to a multiple of the step, which is positive.
    #[must_use]
    pub(crate) fn share_on_step_up(self, share: Ppm, step: Price) -> Price {
        -Self(-self.0).share_on_step_down(share, step)
    }

    /// How far it is from a price.
    #[must_use]
    pub(crate) const fn above(self, price: Price) -> Self {
        Self(self.0 - 2 * price.0)
    }

    /// The median of some; of an even number the mean of the middle two, down to half a tick. `None` of none.
    #[must_use]
    pub(crate) fn median_down(mut of: Vec<Self>) -> Option<Self> {
        of.sort_unstable();
        let last = of.len().checked_sub(1)?;
        let (low, high) = (of[last.div_euclid(2)], of[of.len().div_euclid(2)]);
        Some(Self((low.0 + high.0).div_euclid(2)))
    }

    /// True if it is further than `width` of a price in quarter ticks from that price.
    fn is_outside(self, quarters: i64, width: Ppm) -> bool {
        let off = (2 * i128::from(self.0) - i128::from(quarters)).abs();
        off * i128::from(MILLION) > i128::from(quarters) * i128::from(width.0)
    }
}

/// The median by weight in quarter ticks: the least price at which half of the weight is reached, and the
/// least at which it is exceeded, added up. Sorts the list, which is not empty and has positive weights.
fn weighted_median_quarters(of: &mut [(Doubled, u32)]) -> i64 {
    of.sort_unstable();
    let total: u64 = of.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let at = |reaches: fn(u64, u64) -> bool| {
        let mut seen = 0;
        let found = of.iter().find(|(_, weight)| {
            seen += u64::from(*weight);
            reaches(2 * seen, total)
        });
        found.expect("the whole weight exceeds its half").0.0
    };
    at(|seen, total| seen >= total) + at(|seen, total| seen > total)
}

/// The median by weight, down to a tick. The list is not empty.
#[must_use]
pub(crate) fn weighted_median(of: &mut [(Doubled, u32)]) -> Price {
    Price(weighted_median_quarters(of).div_euclid(4))
}

/// The mean by weight, down to a tick. A price further than `outlier` from the plain median does not count; if
/// there is more than one of those, the plain median is the answer. The list is not empty.
#[must_use]
pub(crate) fn mean_of_sources_down(of: &[(Doubled, u32)], outlier: Ppm) -> Price {
    let mut plain: Vec<_> = of.iter().map(|(price, _)| (*price, 1)).collect();
    let median = weighted_median_quarters(&mut plain);
    let inside = || of.iter().filter(|(price, _)| !price.is_outside(median, outlier));
    if inside().count() + 1 < of.len() {
        return Price(median.div_euclid(4));
    }
    let sum: i128 = inside().map(|(price, weight)| i128::from(price.0) * i128::from(*weight)).sum();
    let weights: i128 = inside().map(|(_, weight)| i128::from(*weight)).sum();
    Price(narrow(div_floor(sum, 2 * weights)))
}

/// An exponential average over uneven times: `num <- num D(t) + x t`, `den <- den D(t) + t`, and the average is
/// `num / den`, with t the time since the sample before (1 ns for the first) and D(t) as [`decay_down`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ema {
    /// Half ticks x nanoseconds.
    pub(crate) num: i128,
    /// Nanoseconds; zero before the first sample.
    pub(crate) den: i128,
    /// When the last sample was taken.
    pub(crate) at: Nanos,
}

impl Ema {
    /// Takes a sample; both products are rounded down.
    pub(crate) fn sample(&mut self, half_ticks: i64, per_second: Ppb, now: Nanos) {
        let first = self.den == 0;
        let elapsed = if first { Nanos(1) } else { now - self.at };
        let left = decay_down(per_second, elapsed);
        let kept = |of: i128| wide::mul_div_floor(of, left, WHOLE);
        self.num = kept(self.num) + i128::from(half_ticks) * i128::from(elapsed.0);
        self.den = kept(self.den) + i128::from(elapsed.0);
        self.at = now;
    }

    /// The average down to a tick; `None` before the first sample.
    #[must_use]
    pub(crate) fn down(&self) -> Option<Price> {
        (self.den > 0).then(|| Price(narrow(self.num.div_euclid(2 * self.den))))
    }
}

/// What `elapsed` leaves of a weight, in parts of 1e18: F^s (1 - (1 - F) r), F per second, s whole seconds and r the
/// part of one. Powers by squaring from the lowest bit of s, every product rounded down.
fn decay_down(per_second: Ppb, elapsed: Nanos) -> i128 {
    let times = |a: i128, b: i128| wide::mul_div_floor(a, b, WHOLE);
    let second = i128::from(per_second.0) * i128::from(BILLION);
    let (mut left, mut power) = (WHOLE, second);
    let mut seconds = elapsed.0.div_euclid(BILLION);
    while seconds > 0 {
        if seconds % 2 == 1 {
            left = times(left, power);
        }
        power = times(power, power);
        seconds >>= 1;
    }
    let part = i128::from(elapsed.0.rem_euclid(BILLION));
    let lost = div_ceil((WHOLE - second) * part, i128::from(BILLION));
    times(left, WHOLE - lost)
}

/// `last` moved to `target`, by at most `floor(last x most / 1e6)` ticks and at least one.
///
/// A rule of markets whose prices are told from outside (Hyperliquid HIP-3: 1 % per update).
#[must_use]
pub fn slew_limit(last: Price, target: Price, most: Ppm) -> Price {
    let step = Price(narrow(div_floor(i128::from(last.0) * i128::from(most.0), i128::from(MILLION)).max(1)));
    target.min(last + step).max(last - step)
}

impl Price {
    /// `self + floor(sum / (2 count))`: the index moved by an average of doubled differences.
    #[must_use]
    pub(crate) fn plus_half_mean_down(self, doubled_sum: i64, count: usize) -> Self {
        let count = i128::try_from(count).expect("a count fits");
        Self(self.0 + narrow(div_floor(i128::from(doubled_sum), 2 * count)))
    }

    /// `self + floor(self x rate x left / (1e9 x period))`: an index with the funding that is still to come.
    #[must_use]
    pub(crate) fn plus_funding_down(self, rate: Ppb, left: Nanos, period: Nanos) -> Self {
        let exact = i128::from(self.0) * i128::from(rate.0);
        let moved = wide::mul_div_floor(exact, left.0.into(), i128::from(BILLION) * i128::from(period.0));
        Self(self.0 + narrow(moved))
    }
}

/// Premium of the impact prices over the index, in ppb, towards zero:
/// `(max(0, bid - index) - max(0, index - ask)) / index`; the sums are `price x qty` taken for `qty` lots.
#[must_use]
pub fn premium_towards_zero(bid_sum: i64, ask_sum: i64, index: Price, qty: Qty) -> Ppb {
    let index_sum = i128::from(index.0) * i128::from(qty.0);
    let premium = (i128::from(bid_sum) - index_sum).max(0) - (index_sum - i128::from(ask_sum)).max(0);
    Ppb(narrow(premium * i128::from(BILLION) / index_sum))
}

/// The median of votes and of as many zeros as bring them to `least`; of an even number the mean of the middle
/// two, towards zero. Zero without votes (dYdX v4).
#[must_use]
pub fn padded_median_towards_zero(votes: &[Ppb], least: u32) -> Ppb {
    let mut all = votes.to_vec();
    all.resize(votes.len().max(least as usize), Ppb::ZERO);
    all.sort_unstable();
    let Some(last) = all.len().checked_sub(1) else { return Ppb::ZERO };
    let middle = i128::from(all[last.div_euclid(2)].0) + i128::from(all[all.len().div_euclid(2)].0);
    Ppb(narrow(middle / 2))
}

/// Mean of premium samples and of as many zeros as bring them to `least`, towards zero; zero without any.
#[must_use]
pub(crate) fn mean_of_samples_towards_zero(sum: i128, count: i64, least: u32) -> Ppb {
    let count = count.max(i64::from(least));
    if count == 0 { Ppb::ZERO } else { Ppb(narrow(sum / i128::from(count))) }
}

/// The unit of a funding index: so many units for so many ticks of price, both positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexUnits {
    pub(crate) units: i64,
    pub(crate) ticks: i64,
}

/// `trunc(rate x price x units x elapsed / (1e9 x ticks x period))`: whole units by which a funding index moves
/// (dYdX v4), for `scale` = (units, ticks) and `time` = (elapsed, period).
#[must_use]
pub fn funding_index_delta_towards_zero(
    rate: Ppb,
    price: Price,
    scale: (i64, i64),
    time: (Nanos, Nanos),
) -> i64 {
    let exact = i128::from(rate.0) * i128::from(price.0) * i128::from(scale.0);
    let per = i128::from(BILLION) * i128::from(scale.1) * i128::from(time.1.0);
    let size = wide::mul_div_floor(exact.abs(), time.0.0.into(), per);
    narrow(size * exact.signum())
}

impl Money {
    /// `ceil(self x rate x elapsed / (1e9 x period))`.
    #[must_use]
    pub(crate) fn rate_over_up(self, rate: Ppb, elapsed: Nanos, period: Nanos) -> Self {
        let exact = i128::from(self.0) * i128::from(rate.0);
        if elapsed == period {
            return Self(narrow(div_ceil(exact, i128::from(BILLION))));
        }
        let per = i128::from(BILLION) * i128::from(period.0);
        Self(narrow(-wide::mul_div_floor(-exact, elapsed.0.into(), per)))
    }

    /// `floor(self x part / whole)`, `whole > 0`: a receiver's share of what the payers of funding paid.
    #[must_use]
    pub(crate) fn share_of_lots_down(self, part: Qty, whole: Qty) -> Self {
        Self(narrow(div_floor(i128::from(self.0) * i128::from(part.0), i128::from(whole.0))))
    }
}
