//! Numbers wider than a record: sums of money and exact fractions.

use super::{MILLION, Money, Ppm, Qty, Side, div_floor, narrow};
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

    /// `ceil(self x factor / 1e6)`, the sum not negative.
    #[must_use]
    pub(crate) fn scaled_up(self, factor: Ppm) -> Self {
        if factor == Ppm::ONE {
            return self;
        }
        let million = i128::from(MILLION);
        // Sums of configured amounts stay far below 2^100.
        Self(-(-self.0 * i128::from(factor.0)).div_euclid(million))
    }

    /// How many times `unit`, which is positive, goes into this sum, rounded down; limited to 64 bits.
    #[must_use]
    pub(crate) fn whole_down(self, unit: Money) -> i64 {
        Self(div_floor(self.0, i128::from(unit.0))).saturate().0
    }

    /// `self x lots`, exact.
    ///
    /// # Panics
    /// If the product does not fit in 128 bits: no sum of a configuration's amounts is that large.
    #[must_use]
    pub fn times(self, lots: Qty) -> Self {
        Self(self.0.checked_mul(i128::from(lots.0)).expect("a sum times lots is in range"))
    }

    /// At most `self x part / whole`, and no less by more than a 2^16th of `self`, `part <= whole < 2^48`: where any
    /// share is right and an exact one would cost a wide division.
    #[must_use]
    pub(crate) fn part_down(self, part: u64, whole: u64) -> Money {
        let share = (part << 16) / whole;
        Self((self.0 * i128::from(share)) >> 16).saturate()
    }

    /// `floor(self / (1 + rate))`: what may be lost by values that move by `1 + rate` at most.
    #[must_use]
    pub(crate) fn less_rate(self, rate: Ppm) -> Self {
        let million = i128::from(MILLION);
        Self(div_floor(self.0 * million, million + i128::from(rate.0)))
    }

    /// `floor(self x part / whole)`, `whole > 0`: a share of an account's equity.
    #[must_use]
    pub fn share_down(self, part: Sum, whole: Sum) -> Money {
        debug_assert!(whole.0 > 0);
        match self.0.checked_mul(part.0) {
            Some(product) => Money(narrow(div_floor(product, whole.0))),
            None => Money(narrow(mul_div_floor(self.0, part.0, whole.0))),
        }
    }
}

/// `floor(a b / c)` through a 256-bit product, `b >= 0`, `c > 0`.
pub(super) fn mul_div_floor(a: i128, b: i128, c: i128) -> i128 {
    // Split a into quotient and remainder by c: a b / c = q b + r b / c, with 0 <= r < c.
    let (q, r) = (a.div_euclid(c), a.rem_euclid(c));
    q * b + mul_div_rem(r as u128, b as u128, c as u128).0.cast_signed()
}

/// `floor(a b / c)` and the rest of that division, `c > 0`; the quotient must fit in 128 bits.
pub(super) fn mul_div_rem(a: u128, b: u128, c: u128) -> (u128, u128) {
    match a.checked_mul(b) {
        Some(product) => (product / c, product % c),
        None => div_rem_wide(mul_wide(a, b), c),
    }
}

/// Long division of a 256-bit product.
fn div_rem_wide((mut high, low): (u128, u128), c: u128) -> (u128, u128) {
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
    (quotient, high)
}

/// `floor(a b / c)`, limited to what fits, and whether something was left over; c is positive.
pub(super) fn mul_div_down(a: u128, b: u128, c: u128) -> (i128, bool) {
    if mul_wide(a, b).0 >= c {
        return (i128::MAX, false);
    }
    let (quotient, rest) = mul_div_rem(a, b, c);
    (i128::try_from(quotient).unwrap_or(i128::MAX), rest != 0)
}

/// Full product of two 128-bit numbers as (high, low).
pub(super) const fn mul_wide(a: u128, b: u128) -> (u128, u128) {
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
pub struct Ratio {
    pub(super) numerator: i128,
    pub(super) denominator: u128,
}

impl Ratio {
    /// `numerator / denominator`, denominator not negative.
    ///
    /// # Panics
    /// If the denominator is negative.
    #[must_use]
    pub fn new(numerator: Sum, denominator: Sum) -> Self {
        assert!(denominator.0 >= 0, "a ratio has a denominator of at least zero");
        Self { numerator: numerator.0, denominator: denominator.0 as u128 }
    }

    /// The numerator; it has the sign.
    #[must_use]
    pub const fn numerator(&self) -> i128 {
        self.numerator
    }

    /// The denominator; zero for infinity.
    #[must_use]
    pub const fn denominator(&self) -> u128 {
        self.denominator
    }

    /// `(a b) / (c d)`; c and d are not negative.
    #[must_use]
    pub(crate) fn of_products(a: Money, b: Money, c: Money, d: Money) -> Self {
        let denominator = Sum(i128::from(c.0) * i128::from(d.0));
        Self::new(Sum(i128::from(a.0) * i128::from(b.0)), denominator)
    }

    /// The first whole number strictly below (for a buyer) or above (for a seller) this positive ratio.
    #[must_use]
    pub(crate) fn beyond(&self, side: Side) -> i128 {
        let denominator = self.denominator.cast_signed();
        match side {
            Side::Buy => (self.numerator - 1).div_euclid(denominator),
            Side::Sell => self.numerator.div_euclid(denominator) + 1,
        }
    }

    /// `floor(amount x self)` of a ratio from 0 to 1: the one place where an exact weight becomes money.
    #[must_use]
    pub(crate) fn of_down(&self, amount: Money) -> Money {
        Sum::of(amount).share_down(Sum(self.numerator), Sum(self.denominator.cast_signed()))
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
