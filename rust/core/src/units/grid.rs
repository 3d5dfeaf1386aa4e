//! Risk under scenarios: exact sums of values times rates, rounded once into money.

use super::wide::mul_div_floor;
use super::{MILLION, Money, Ppm, narrow};
use core::ops::{Add, AddAssign, Neg};

/// Parts of a minor unit in which risk is counted, and of one in which its rates are: 1e12.
const PARTS: i128 = 1_000_000_000_000;

/// A rate in parts of 1e12: a move of a price times the weight of its scenario, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct RiskRate(i64);

impl RiskRate {
    /// The product of two rates.
    #[must_use]
    pub(crate) const fn product(rate: Ppm, weight: Ppm) -> Self {
        Self(rate.0 * weight.0)
    }

    /// A rate by itself.
    #[must_use]
    pub(crate) const fn of(rate: Ppm) -> Self {
        Self(rate.0 * MILLION)
    }

    /// Half of a rate.
    #[must_use]
    pub(crate) const fn half_of(rate: Ppm) -> Self {
        Self(rate.0 * (MILLION / 2))
    }

    /// `ceil(self x share)` in ppm, at least zero.
    #[must_use]
    pub(crate) fn ppm_up(self, share: Ppm) -> Ppm {
        let exact = -mul_div_floor(-i128::from(self.0.max(0)), i128::from(share.0), PARTS);
        Ppm(narrow(exact))
    }

    /// True if, times a share and a factor, it stays below one.
    #[must_use]
    pub(crate) fn stays_below_one(self, share: Ppm, factor: Ppm) -> bool {
        // At most 1e13 x 1e6 x 1e7.
        i128::from(self.0) * i128::from(share.0) * i128::from(factor.0) < PARTS * PARTS
    }
}

impl Add for RiskRate {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Neg for RiskRate {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

/// What a scenario costs, in parts of a minor unit. The configuration proves that values of a portfolio sum to less than
/// 2^61 and bounds its rates, so that sums stay below 2^106.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Risk(i128);

impl Risk {
    pub(crate) const ZERO: Self = Self(0);

    /// What a value loses by a move of its price, and what its size is charged.
    #[must_use]
    pub(crate) fn of(value: Money, moved: RiskRate, charge: RiskRate) -> Self {
        let (value, size) = (i128::from(value.0), i128::from(value.0.abs()));
        Self(size * i128::from(charge.0) - value * i128::from(moved.0))
    }

    /// `ceil(self x share x factor)` in minor units.
    #[must_use]
    pub(crate) fn scaled_up(self, share: Ppm, factor: Ppm) -> Money {
        let by = i128::from(share.0) * i128::from(factor.0);
        Money(narrow(-mul_div_floor(-self.0, by, PARTS * PARTS)))
    }

    /// Down to minor units; limited to what fits.
    #[must_use]
    pub(crate) fn whole_down(self) -> Money {
        super::Sum(self.0.div_euclid(PARTS)).saturate()
    }
}

impl Add for Risk {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Risk {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_exact_and_rounded_once() {
        // A long of 1,001 falls by 33 % of which 36 % count, and pays 0.5 % of its size: 118.9188 + 5.005.
        let moved = RiskRate::product(Ppm(-330_000), Ppm(360_000));
        let risk = Risk::of(Money(1_001), moved, RiskRate::of(Ppm(5_000)));
        assert_eq!(risk, Risk(123_923_800_000_000));
        assert_eq!((risk.scaled_up(Ppm::ONE, Ppm::ONE), risk.whole_down()), (Money(124), Money(123)));
        // Half of it, and a quarter more: 77.452375.
        assert_eq!(risk.scaled_up(Ppm(500_000), Ppm(1_250_000)), Money(78));
        // A short gains by the same fall.
        assert_eq!(Risk::of(Money(-1_001), moved, RiskRate::default()).whole_down(), Money(-119));
    }

    #[test]
    fn the_largest_risk_stays_in_range() {
        let most = RiskRate::product(Ppm(10 * MILLION), Ppm::ONE);
        let risk = Risk::of(Money(-(1 << 61)), most, RiskRate::of(Ppm::ONE));
        assert!(risk.scaled_up(Ppm(1), Ppm::ONE) > Money::ZERO);
        assert!(!most.stays_below_one(Ppm::ONE, Ppm::ONE) && most.stays_below_one(Ppm(99_999), Ppm::ONE));
        assert_eq!(RiskRate::product(Ppm(-160_000), Ppm::ONE).ppm_up(Ppm::ONE), Ppm::ZERO);
        assert_eq!(RiskRate::half_of(Ppm(3)).ppm_up(Ppm::ONE), Ppm(2));
    }
}
