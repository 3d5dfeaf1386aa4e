//! Arithmetic of liquidation policies, of the fund's fees and of shared losses.

use super::wide::mul_div_down;
use super::{Fine, Money, Nanos, Ppm, Price, Qty, Ratio, Sum, div_ceil, div_floor, narrow};

const MILLION_WIDE: i128 = 1_000_000;
/// Fractions of a tick in which a falling price is carried from step to step.
const SUB_TICKS: u32 = 40;
/// What an amount is limited to before it is multiplied: far above what a configuration admits.
const WIDE_MAX: i128 = 1 << 62;

fn limited(amount: Sum) -> i128 {
    amount.0.clamp(-WIDE_MAX, WIDE_MAX)
}

impl Qty {
    /// The smallest multiple of `lot` that is at least `self x share`; both are positive.
    #[must_use]
    pub(crate) fn ppm_up_to(self, share: Ppm, lot: Self) -> Self {
        let part = i128::from(self.0) * i128::from(share.0);
        Self(narrow(div_ceil(part, MILLION_WIDE * i128::from(lot.0)) * i128::from(lot.0)))
    }

    /// The quantity itself if it holds, else one below it that does and whose next does not, found by halving; zero if
    /// none is met.
    #[must_use]
    pub(crate) fn greatest_by_halving(self, holds: impl Fn(Self) -> bool) -> Self {
        if !self.is_positive() {
            return Self::ZERO;
        }
        if holds(self) {
            return self;
        }
        let (mut low, mut high) = (0, self.0);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if holds(Self(middle)) { low = middle } else { high = middle }
        }
        Self(low)
    }

    /// `floor(self x ratio)` for a quantity of at least zero and a ratio from 0 to 1.
    #[must_use]
    pub(crate) fn ratio_down(self, ratio: Ratio) -> Self {
        Self(Sum(i128::from(self.0)).scaled_down(ratio).saturate().0)
    }

    /// `floor(shortage / (price quote (margin - liquidator_fee) - price fund_fee))`, the price being the value of one
    /// lot, in parts of which a minor unit has `scale`; none if closing a lot does not lower the shortage.
    #[must_use]
    pub(crate) fn restoring_down(
        shortage: Money,
        price: (Fine, i64),
        quote: Ppm,
        freed: [Ppm; 3],
    ) -> Option<Self> {
        let [margin, liquidator_fee, fund_fee] = freed.map(|rate| i128::from(rate.0));
        let rate = i128::from(quote.0) * (margin - liquidator_fee) - fund_fee * MILLION_WIDE;
        let per_lot = i128::from(price.0.0) * rate;
        let lots = i128::from(shortage.0) * i128::from(price.1) * MILLION_WIDE * MILLION_WIDE;
        (per_lot > 0).then(|| Self(Sum(div_floor(lots, per_lot)).saturate().0))
    }
}

impl Ratio {
    /// `(r (shortage + freed) - freed) / shortage` within 0 and 1, r = min(1, elapsed / duration + initial).
    /// The shortage is positive; a duration is at most an hour.
    #[must_use]
    pub(crate) fn ramp(shortage: Sum, freed: Sum, time: (Nanos, Nanos), initial: Ppm) -> Self {
        let (elapsed, duration) = (i128::from(time.0.0.min(time.1.0)), i128::from(time.1.0));
        let whole = duration * MILLION_WIDE;
        let part = (elapsed * MILLION_WIDE + i128::from(initial.0) * duration).min(whole);
        let (shortage, freed) = (limited(shortage), limited(freed));
        let numerator = part * (shortage + freed) - freed * whole;
        let denominator = whole * shortage;
        Self::new(Sum(numerator.clamp(0, denominator)), Sum(denominator))
    }

    /// `0.95 (margin - liquidator_fee - shortage / value)` within 0 and `max`; the value is positive.
    #[must_use]
    pub(crate) fn margin_left(shortage: Sum, value: Money, margin: Ppm, fees: [Ppm; 2]) -> Self {
        let [liquidator_fee, max] = fees.map(|rate| i128::from(rate.0));
        let value = i128::from(value.0);
        let left = (i128::from(margin.0) - liquidator_fee) * value - limited(shortage) * MILLION_WIDE;
        let whole = 100 * MILLION_WIDE * value;
        Self::new(Sum((95 * left).clamp(0, 100 * max * value)), Sum(whole))
    }

    /// `rate x amount`, exact.
    #[must_use]
    pub(crate) fn part(amount: Sum, rates: [Ppm; 2]) -> Self {
        let [a, b] = rates.map(|rate| i128::from(rate.0));
        Self::new(Sum(limited(amount) * a * b), Sum(MILLION_WIDE * MILLION_WIDE))
    }

    /// `amount - rate x of`, exact.
    #[must_use]
    pub(crate) fn less_part(amount: Sum, of: Sum, rates: [Ppm; 2]) -> Self {
        let whole = MILLION_WIDE * MILLION_WIDE;
        let [a, b] = rates.map(|rate| i128::from(rate.0));
        Self::new(Sum(limited(amount) * whole - limited(of) * a * b), Sum(whole))
    }

    /// The quotient of two ratios with the same denominator; none unless the divisor is positive.
    #[must_use]
    pub(crate) fn over(&self, divisor: &Self) -> Option<Self> {
        assert_eq!(self.denominator(), divisor.denominator(), "ratios of one kind");
        (divisor.numerator() > 0).then(|| Self::new(Sum(self.numerator()), Sum(divisor.numerator())))
    }

    /// The next whole amount up; the denominator is positive.
    #[must_use]
    pub(crate) fn whole_up(&self) -> Money {
        Money::new(1).ratio_up(*self)
    }

    /// A rate as a fraction.
    #[must_use]
    pub(crate) fn of_rate(rate: Ppm) -> Self {
        Self::new(Sum(i128::from(rate.0)), Sum(MILLION_WIDE))
    }
}

impl Sum {
    /// `floor(self x ratio)`, the ratio at least zero.
    #[must_use]
    pub(crate) fn scaled_down(self, ratio: Ratio) -> Self {
        let size = mul_div_down(self.0.unsigned_abs(), ratio.numerator().unsigned_abs(), ratio.denominator());
        if !self.is_negative() {
            return Self(size.0);
        }
        Self(-size.0 - i128::from(size.1))
    }
}

impl Money {
    /// `ceil(self x ratio)`, the ratio at least zero.
    #[must_use]
    pub(crate) fn ratio_up(self, ratio: Ratio) -> Self {
        -Self((-Sum::of(self)).scaled_down(ratio).saturate().0)
    }

    /// The share of a loss that one lot carries: `self / lots` in whole steps, up or down; lots and step are positive.
    #[must_use]
    pub(crate) fn per_lot_up(self, lots: i128, step: Self) -> Self {
        Self(narrow(div_ceil(i128::from(self.0), lots * i128::from(step.0)) * i128::from(step.0)))
    }

    /// As [`Money::per_lot_up`], rounded down.
    #[must_use]
    pub(crate) fn per_lot_down(self, lots: i128, step: Self) -> Self {
        Self(narrow(div_floor(i128::from(self.0), lots * i128::from(step.0)) * i128::from(step.0)))
    }

    /// The same value in another asset, `self x from / to`, rounded down; prices are positive.
    #[must_use]
    pub(crate) fn converted_down(self, from: Ppm, to: Ppm) -> Self {
        Self(narrow(div_floor(i128::from(self.0) * i128::from(from.0), i128::from(to.0))))
    }

    /// As [`Money::converted_down`], rounded up.
    #[must_use]
    pub(crate) fn converted_up(self, from: Ppm, to: Ppm) -> Self {
        -(-self).converted_down(from, to)
    }

    /// The balance of an asset whose weighted value is this amount, rounded up; price and weight are positive.
    #[must_use]
    pub(crate) fn weighted_balance_up(self, price: Ppm, weight: Ppm) -> Self {
        let unit = i128::from(price.0) * i128::from(weight.0);
        Self(Sum(div_ceil(i128::from(self.0) * MILLION_WIDE * MILLION_WIDE, unit)).saturate().0)
    }
}

impl Price {
    /// The price times the nanoseconds between two times.
    #[must_use]
    pub(crate) fn over_time(self, from: Nanos, until: Nanos) -> i128 {
        i128::from(self.0) * (i128::from(until.0) - i128::from(from.0))
    }

    /// The mean of a price whose sum over the nanoseconds between two times is given, rounded down; the second is later.
    #[must_use]
    pub(crate) fn mean_over_down(sum: i128, from: Nanos, until: Nanos) -> Self {
        Self(narrow(div_floor(sum, i128::from(until.0) - i128::from(from.0))))
    }

    /// `floor(self x rate)`.
    #[must_use]
    pub(crate) fn scaled_down(self, rate: Ppm) -> Self {
        Self(narrow(div_floor(i128::from(self.0) * i128::from(rate.0), MILLION_WIDE)))
    }

    /// After `steps` steps that each leave the share `factor`: each rounded down at 2^-40 of a tick, the result to
    /// the tick. At least zero.
    #[must_use]
    pub(crate) fn stepped_down(self, factor: Ppm, steps: u32) -> Self {
        let mut price = i128::from(self.0) << SUB_TICKS;
        for _ in 0..steps {
            price = div_floor(price * i128::from(factor.0), MILLION_WIDE);
        }
        Self(narrow(price >> SUB_TICKS))
    }

    /// `floor(self max(0, 1 - elapsed / duration))`; the duration is positive.
    #[must_use]
    pub(crate) fn run_down(self, elapsed: Nanos, duration: Nanos) -> Self {
        let left = i128::from(duration.0 - elapsed.0.min(duration.0));
        Self(narrow(div_floor(i128::from(self.0) * left, i128::from(duration.0))))
    }
}

impl Money {
    /// `floor(self spread a)`: what a position may be sold below the mark; a = clamp(adjustment (1 - equity / maintenance),
    /// 0, 1); maintenance is positive.
    #[must_use]
    pub(crate) fn discount_down(self, health: (Sum, Sum), rates: (Ppm, Ppm)) -> Self {
        let (adjustment, spread) = rates;
        let maintenance = limited(health.1);
        let lost = maintenance - limited(health.0);
        let part = (lost * i128::from(adjustment.0)).clamp(0, maintenance * MILLION_WIDE);
        let scaled = i128::from(self.0) * i128::from(spread.0);
        let whole = (maintenance * MILLION_WIDE * MILLION_WIDE).unsigned_abs();
        Self(Sum(mul_div_down(scaled.unsigned_abs(), part.unsigned_abs(), whole).0).saturate().0)
    }
}

impl Nanos {
    /// Whole steps in this duration, at most `max`; the step is positive.
    #[must_use]
    pub(crate) fn whole_steps(self, step: Self, max: u32) -> u32 {
        u32::try_from(self.0 / step.0).map_or(max, |steps| steps.min(max))
    }

    /// The time from `earlier` to this time.
    #[must_use]
    pub(crate) const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// The number of the period of a length that this time is in; the length is positive.
    #[must_use]
    pub(crate) fn periods_of(self, length: Self) -> i64 {
        narrow(div_floor(i128::from(self.0), i128::from(length.0)))
    }

    /// The number of the eighth of a window that this time is in; the window is positive.
    #[must_use]
    pub(crate) fn eighths_of(self, window: Self) -> i64 {
        narrow(div_floor(i128::from(self.0) * 8, i128::from(window.0)))
    }
}
