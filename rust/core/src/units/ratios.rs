//! Arithmetic of exact prices: what references and bounds of breakers are made of.

use super::{MILLION, Ppm, Price, Ratio, Side};

/// Where a denominator is cut if a product would leave 127 bits: far below a tick.
const CUT_BITS: u32 = 40;

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// `a x b`; most factors fit in 64 bits, where the product cannot overflow.
fn product(a: i128, b: i128) -> Option<i128> {
    if let (Ok(a), Ok(b)) = (i64::try_from(a), i64::try_from(b)) {
        return Some(i128::from(a) * i128::from(b));
    }
    a.checked_mul(b)
}

/// A numerator rounded down to whole ticks.
fn saturated(n: i128) -> i64 {
    n.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

impl Ratio {
    /// `numerator / denominator` of what was written by an [`Ratio`]; the denominator is positive.
    #[must_use]
    pub(crate) fn exact(numerator: i128, denominator: i128) -> Self {
        Self { numerator, denominator: denominator.cast_unsigned() }
    }

    /// A whole number of ticks.
    #[must_use]
    pub const fn of_price(price: Price) -> Self {
        Self { numerator: price.0 as i128, denominator: 1 }
    }

    /// `sum / count`, `count > 0`.
    #[must_use]
    pub(crate) fn mean(sum: i128, count: u64) -> Self {
        debug_assert!(count > 0);
        Self { numerator: sum, denominator: count.into() }
    }

    /// The same value in the lowest terms; if the denominator is still longer than 40 bits, down to a 2^40th.
    fn shortened(self) -> Self {
        let common = gcd(self.numerator.unsigned_abs(), self.denominator).max(1);
        let (n, d) = (self.numerator / common.cast_signed(), self.denominator / common);
        if d >> CUT_BITS == 0 {
            return Self { numerator: n, denominator: d };
        }
        let whole = super::wide::mul_div_floor(n, 1 << CUT_BITS, d.cast_signed());
        Self { numerator: whole, denominator: 1 << CUT_BITS }
    }

    fn checked_plus(self, other: Self) -> Option<Self> {
        if self.denominator == other.denominator {
            let numerator = self.numerator.checked_add(other.numerator)?;
            return Some(Self { numerator, denominator: self.denominator });
        }
        let (a, b) = (i128::try_from(self.denominator).ok()?, i128::try_from(other.denominator).ok()?);
        let numerator = product(self.numerator, b)?.checked_add(product(other.numerator, a)?)?;
        Some(Self { numerator, denominator: product(a, b)?.cast_unsigned() })
    }

    fn checked_times(self, numerator: i128, denominator: u128) -> Option<Self> {
        let numerator = product(self.numerator, numerator)?;
        let denominator = product(i128::try_from(self.denominator).ok()?, i128::try_from(denominator).ok()?)?;
        Some(Self { numerator, denominator: denominator.cast_unsigned() })
    }

    /// `self + other`, both finite.
    #[must_use]
    pub(crate) fn plus(self, other: Self) -> Self {
        let cut = || self.shortened().checked_plus(other.shortened());
        self.checked_plus(other).or_else(cut).expect("prices are far below 2^80")
    }

    /// `self - other`, both finite.
    #[must_use]
    pub(crate) fn minus(self, other: Self) -> Self {
        self.plus(Self { numerator: -other.numerator, ..other })
    }

    /// `self x share`.
    #[must_use]
    pub(crate) fn times_ppm(self, share: Ppm) -> Self {
        self.times(share.0.into(), MILLION.unsigned_abs().into())
    }

    /// `self x numerator / denominator`.
    #[must_use]
    pub(crate) fn times(self, numerator: i128, denominator: u128) -> Self {
        let cut = || {
            let factor = Self { numerator, denominator }.shortened();
            self.shortened().checked_times(factor.numerator, factor.denominator)
        };
        self.checked_times(numerator, denominator).or_else(cut).expect("prices are far below 2^80")
    }

    /// The greatest multiple of `step` that is not above it, in ticks; limited to 64 bits.
    #[must_use]
    pub(crate) fn step_down(&self, step: Price) -> Price {
        debug_assert!(step.0 > 0);
        let of_one = self.denominator.cast_signed();
        if step.0 == 1 {
            return Price(saturated(super::div_floor(self.numerator, of_one)));
        }
        let step = i128::from(step.0);
        Price(saturated(self.numerator.div_euclid(of_one * step) * step))
    }

    /// The least whole number of ticks that is not below it; limited to 64 bits.
    #[must_use]
    pub(crate) fn up(&self) -> Price {
        Price(saturated(super::div_ceil(self.numerator, self.denominator.cast_signed())))
    }

    /// The nearest multiple of `step`; of two the higher, or the even one.
    #[must_use]
    pub(crate) fn nearest(&self, step: Price, to_even: bool) -> Price {
        let (step, of_one) = (i128::from(step.0), self.denominator.cast_signed());
        let whole = of_one * step;
        let (below, rest) = (self.numerator.div_euclid(whole), self.numerator.rem_euclid(whole));
        let up = match (2 * rest).cmp(&whole) {
            core::cmp::Ordering::Less => false,
            core::cmp::Ordering::Equal => !to_even || below % 2 != 0,
            core::cmp::Ordering::Greater => true,
        };
        Price(saturated((below + i128::from(up)) * step))
    }

    /// The whole tick at it, or the first one inside it seen from a side: down for buyers, up for sellers; with
    /// `strictly`, never the tick that it stands on.
    #[must_use]
    pub(crate) fn inward(&self, side: Side, strictly: bool) -> Price {
        let (tick, one) = match side {
            Side::Buy => (self.step_down(Price(1)), -1),
            Side::Sell => (self.up(), 1),
        };
        let stands = product(tick.0.into(), self.denominator.cast_signed()) == Some(self.numerator);
        if strictly && stands { Price(tick.0.saturating_add(one)) } else { tick }
    }

    /// True if it is not below one price and not above another, both in the domain of a market.
    #[must_use]
    pub(crate) fn is_between(&self, low: Price, high: Price) -> bool {
        let of_one = self.denominator.cast_signed();
        let at = |price: Price| product(price.0.into(), of_one);
        at(low).is_some_and(|low| low <= self.numerator)
            && at(high).is_some_and(|high| self.numerator <= high)
    }

    /// True if it differs from another by at least a share of the other, which is positive.
    #[must_use]
    pub(crate) fn differs_by(&self, share: Ppm, from: &Self) -> bool {
        let gap = self.minus(*from);
        Self { numerator: gap.numerator.abs(), ..gap } >= from.times_ppm(share)
    }
}

/// The standard deviation of `count` prices, each weighing the same, of their sum and the sum of their squares: down to
/// a millionth of a tick.
#[must_use]
pub(crate) fn deviation_down(sum: i128, squares: i128, count: u64) -> Ratio {
    let count = i128::from(count);
    // n^2 times the variance; the root of its whole part is the whole part of its root.
    let spread = count * squares - sum * sum;
    let million = i128::from(MILLION);
    let variance = super::wide::mul_div_floor(spread, million * million, count * count);
    Ratio {
        numerator: variance.unsigned_abs().isqrt().cast_signed(),
        denominator: MILLION.unsigned_abs().into(),
    }
}
