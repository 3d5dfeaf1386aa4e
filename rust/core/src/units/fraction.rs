//! An exact fraction of an amount, as two thirds of maintenance margin, which is no whole number of ppm.

use super::{Money, Sum, div_ceil, narrow};
use serde::{Deserialize, Serialize};

/// A fraction of small whole numbers, zero to one where a configuration has proven it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fraction {
    /// Numerator.
    pub num: u32,
    /// Denominator, positive.
    pub den: u32,
}

impl Fraction {
    /// The largest denominator of a configuration.
    pub(crate) const DEN_MAX: u32 = 1_000_000;

    /// True if it is zero to one, with a denominator in range.
    pub(crate) const fn is_share(self) -> bool {
        self.den > 0 && self.den <= Self::DEN_MAX && self.num <= self.den
    }
}

impl Sum {
    /// True if it is below a fraction of another sum; exact.
    #[must_use]
    pub(crate) fn is_below(self, of: Self, fraction: Fraction) -> bool {
        // Sums of configured amounts stay far below 2^100.
        self.0 * i128::from(fraction.den) < of.0 * i128::from(fraction.num)
    }
}

impl Money {
    /// `ceil(self x fraction)`.
    #[must_use]
    pub(crate) fn fraction_up(self, fraction: Fraction) -> Self {
        Self(narrow(div_ceil(i128::from(self.0) * i128::from(fraction.num), i128::from(fraction.den))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_thirds_are_exact_and_a_part_rounds_up() {
        let two_thirds = Fraction { num: 2, den: 3 };
        let is_below = |equity, of| Sum(equity).is_below(Sum(of), two_thirds);
        assert!(is_below(1_999_999, 3_000_000) && !is_below(2_000_000, 3_000_000));
        assert!(is_below(-1, 0) && !is_below(0, 0));
        assert_eq!(Money(10).fraction_up(two_thirds), Money(7));
        assert!(!Fraction { num: 4, den: 3 }.is_share() && !Fraction { num: 0, den: 0 }.is_share());
    }
}
