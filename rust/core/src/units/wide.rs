//! Numbers wider than a record: sums of money and exact fractions.

use super::{Money, div_floor, narrow};
use core::cmp::Ordering;
use core::fmt;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// A sum of money that cannot overflow: equities and requirements of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Sum(pub(super) i128);

impl Sum {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum as wide integer.
    #[must_use]
    pub const fn get(self) -> i128 {
        self.0
    }

    /// A sum of one amount.
    #[must_use]
    pub const fn of(amount: Money) -> Self {
        Self(amount.0 as i128)
    }

    /// A sum from a wide integer.
    #[must_use]
    pub const fn new(amount: i128) -> Self {
        Self(amount)
    }

    /// True below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// True above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The amount, limited to what a record holds.
    #[must_use]
    pub fn saturate(self) -> Money {
        Money(self.0.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }

    /// How many times `unit`, which is positive, goes into this sum, rounded down; limited to 64 bits.
    #[must_use]
    pub(crate) fn whole_down(self, unit: Money) -> i64 {
        Self(div_floor(self.0, i128::from(unit.0))).saturate().0
    }

    /// At most `self x part / whole`, and no less by more than a 2^16th of `self`, `part <= whole < 2^48`: where any
    /// share is right and an exact one would cost a wide division.
    #[must_use]
    pub(crate) fn part_down(self, part: u64, whole: u64) -> Money {
        let share = (part << 16) / whole;
        Self((self.0 * i128::from(share)) >> 16).saturate()
    }

    /// `floor(self x part / whole)`, `whole > 0`: a share of an account's equity.
    #[must_use]
    pub fn share_down(self, part: Sum, whole: Sum) -> Money {
        debug_assert!(whole.0 > 0);
        match self.0.checked_mul(part.0) {
            Some(product) => Money(narrow(div_floor(product, whole.0))),
            None => Money(narrow(share_down_wide(self.0, part.0, whole.0))),
        }
    }
}

/// `floor(a b / c)` through a 256-bit product, `b >= 0`, `c > 0`.
fn share_down_wide(a: i128, b: i128, c: i128) -> i128 {
    // Split a into quotient and remainder by c: a b / c = q b + r b / c, with 0 <= r < c.
    let (q, r) = (a.div_euclid(c), a.rem_euclid(c));
    q * b
        + r.checked_mul(b)
            .map_or_else(|| mul_div_wide(r as u128, b as u128, c as u128).cast_signed(), |p| p / c)
}

/// `floor(a b / c)` by long division of the 256-bit product; the quotient must fit in 128 bits.
fn mul_div_wide(a: u128, b: u128, c: u128) -> u128 {
    let (mut high, low) = mul_wide(a, b);
    assert!(high < c, "quotient out of range");
    let mut quotient = 0u128;
    for bit in (0..128).rev() {
        let carry = high >> 127;
        high = (high << 1) | ((low >> bit) & 1);
        quotient <<= 1;
        if carry == 1 || high >= c {
            high = high.wrapping_sub(c);
            quotient |= 1;
        }
    }
    quotient
}

/// Full product of two 128-bit numbers as (high, low).
const fn mul_wide(a: u128, b: u128) -> (u128, u128) {
    const MASK: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & MASK, b >> 64, b & MASK);
    let low = a0 * b0;
    let mid = a1 * b0 + (low >> 64);
    let mid_low = (mid & MASK) + a0 * b1;
    (a1 * b1 + (mid >> 64) + (mid_low >> 64), (mid_low << 64) | (low & MASK))
}

impl From<Money> for Sum {
    fn from(amount: Money) -> Self {
        Self(i128::from(amount.0))
    }
}
impl Add for Sum {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl Sub for Sum {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}
impl Neg for Sum {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl SubAssign for Sum {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}
impl AddAssign<Money> for Sum {
    fn add_assign(&mut self, other: Money) {
        self.0 += i128::from(other.0);
    }
}
impl SubAssign<Money> for Sum {
    fn sub_assign(&mut self, other: Money) {
        self.0 -= i128::from(other.0);
    }
}
impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An exact fraction; compared by cross-multiplication, never divided. A denominator of zero stands for infinity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio {
    numerator: i128,
    denominator: u128,
}

impl Ratio {
    /// `numerator / denominator`, denominator not negative.
    #[must_use]
    pub(crate) fn new(numerator: Sum, denominator: Sum) -> Self {
        assert!(denominator.0 >= 0, "a ratio has a denominator of at least zero");
        Self { numerator: numerator.0, denominator: denominator.0 as u128 }
    }

    /// `(a b) / (c d)` for factors that are not negative and products within 127 bits.
    #[must_use]
    pub(crate) fn of_products(a: Money, b: Money, c: Money, d: Money) -> Self {
        Self {
            numerator: i128::from(a.0) * i128::from(b.0),
            denominator: (i128::from(c.0) * i128::from(d.0)) as u128,
        }
    }
}

impl Ord for Ratio {
    /// By value; a zero denominator compares by the sign of its numerator against any finite ratio.
    fn cmp(&self, other: &Self) -> Ordering {
        let left = (self.numerator.signum(), mul_wide(self.numerator.unsigned_abs(), other.denominator));
        let right = (other.numerator.signum(), mul_wide(other.numerator.unsigned_abs(), self.denominator));
        match left.0.cmp(&right.0) {
            Ordering::Equal if left.0 < 0 => right.1.cmp(&left.1),
            Ordering::Equal => left.1.cmp(&right.1),
            unequal => unequal,
        }
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ratio {}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
