//! Typed integers: prices, quantities, money, rates, times, ids.
//!
//! The only file that multiplies, divides or rounds. The direction of a rounding is in the name of the
//! function. Knows nothing of accounts, orders or markets.
// `as` is allowed in this file alone: it is the one place where widths change, each time after a check.
#![allow(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use core::fmt;
use core::iter::Sum as IterSum;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use serde::{Deserialize, Serialize};

mod contract;
mod draw;
mod flat;
mod fraction;
mod grid;
mod quantile;
mod rates;
mod ratios;
mod shares;
mod sizes;
mod slices;
mod span;
mod wide;

pub use contract::Contract;
pub(crate) use draw::draw;
pub(crate) use flat::{Cover, Flat};
pub use fraction::Fraction;
pub(crate) use grid::{Risk, RiskRate};
pub use quantile::quantile_factors;
pub use rates::{
    Doubled, funding_index_delta_towards_zero, padded_median_towards_zero, premium_towards_zero, slew_limit,
};
pub(crate) use rates::{
    Ema, IndexUnits, mean_of_samples_towards_zero, mean_of_sources_down, weighted_median,
};
pub(crate) use ratios::deviation_down;
pub use shares::{Share, largest_remainder, whole_units};
pub(crate) use shares::{group_of, in_turn, level_up, min_max, pro_rata, webster, with_carry};
pub use sizes::{
    Closing, Exposed, Size, deposit_scaled, open_interest_rate_down, size_discount_down, size_premium_down,
    size_slope_up,
};
pub(crate) use span::Span;
pub use wide::{Ratio, Sum};

/// One million: the denominator of every [`Ppm`].
pub(crate) const MILLION: i64 = 1_000_000;
/// One thousand million: the denominator of every [`Ppb`].
pub(crate) const BILLION: i64 = 1_000_000_000;

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest value.
            pub const MAX: Self = Self(i64::MAX);

            /// Wraps a count of units.
            #[must_use]
            pub const fn new(units: i64) -> Self {
                Self(units)
            }

            /// The count of units.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }

            /// The size without the sign.
            #[must_use]
            pub const fn abs(self) -> Self {
                Self(self.0.abs())
            }

            /// True above zero.
            #[must_use]
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }

            /// True below zero.
            #[must_use]
            pub const fn is_negative(self) -> bool {
                self.0 < 0
            }

            /// True at zero.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
        }

        impl $name {
            /// The sum, where the caller has a proof that it is in range: without the check.
            #[must_use]
            #[inline(always)]
            #[allow(dead_code, reason = "few kinds have such a proof on a hot path")]
            pub(crate) const fn plus_proven(self, other: Self) -> Self {
                debug_assert!(self.0.checked_add(other.0).is_some());
                Self(self.0.wrapping_add(other.0))
            }

            /// The difference, likewise.
            #[must_use]
            #[inline(always)]
            #[allow(dead_code, reason = "few kinds have such a proof on a hot path")]
            pub(crate) const fn minus_proven(self, other: Self) -> Self {
                debug_assert!(self.0.checked_sub(other.0).is_some());
                Self(self.0.wrapping_sub(other.0))
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }
        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }
        impl IterSum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, |a, b| a + b)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

quantity!(
    /// A price in ticks of its market.
    Price
);
impl Price {
    /// The ticks of a price in the domain of its market, which the configuration keeps within 32 bits.
    #[must_use]
    #[inline(always)]
    pub(crate) const fn ticks(self) -> u32 {
        debug_assert!(self.0 >= 0 && self.0 <= u32::MAX as i64);
        self.0 as u32
    }

    /// A quarter of a distance that is not negative, rounded down.
    #[must_use]
    pub(crate) const fn quarter(self) -> Self {
        Self(self.0 >> 2)
    }
}

quantity!(
    /// A quantity in lots of its market; positions carry a sign, orders do not.
    Qty
);
impl Qty {
    /// The sum, or the most that there is.
    #[must_use]
    #[inline(always)]
    pub(crate) const fn plus_limited(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

quantity!(
    /// An amount in minor units of one asset.
    Money
);
quantity!(
    /// An amount in parts of a minor unit: as many to one as the scale of the market's contract says, one for a linear
    /// contract.
    Fine
);
quantity!(
    /// A rate in parts per million.
    Ppm
);
quantity!(
    /// A rate in parts per thousand million; funding rates.
    Ppb
);
quantity!(
    /// A time or a duration in nanoseconds; times since the Unix epoch, UTC.
    Nanos
);
quantity!(
    /// The value of one tick of one lot: minor units of the valuation asset per tick per lot.
    TickValue
);

macro_rules! dense_id {
    ($(#[$doc:meta])* $name:ident, $repr:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($repr);

        impl $name {
            /// Wraps a number.
            #[must_use]
            pub const fn new(number: $repr) -> Self {
                Self(number)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $repr {
                self.0
            }

            /// The number as an index of a vector.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The id of a vector's index.
            ///
            /// # Panics
            /// If the index does not fit: limits are checked when the vector grows.
            #[must_use]
            pub const fn from_index(index: usize) -> Self {
                assert!(index <= <$repr>::MAX as usize);
                Self(index as $repr)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

dense_id!(
    /// An account: numbered from 0 in the order of opening.
    AccountId,
    u32
);
dense_id!(
    /// A market: its place in the configuration.
    MarketId,
    u16
);
dense_id!(
    /// An asset: its place in the configuration. Asset 0 is the valuation asset.
    AssetId,
    u16
);
dense_id!(
    /// An insurance fund: its place in the configuration.
    FundId,
    u16
);

impl MarketId {
    /// "No market" or "every market" in a record.
    pub const NONE: Self = Self(u16::MAX);
}

/// The valuation asset.
pub(crate) const VALUATION: AssetId = AssetId::new(0);

/// An order's id: acceptance number (40 bits) above the slot in its book (24 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct OrderId(u64);

impl OrderId {
    /// Bits of the slot.
    pub const SLOT_BITS: u32 = 24;

    /// An id from its two parts.
    #[must_use]
    pub const fn new(acceptance: u64, slot: u32) -> Self {
        Self((acceptance << Self::SLOT_BITS) | slot as u64)
    }

    /// The id that a record carries.
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number that a record carries.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The acceptance number: 1 for the venue's first accepted order.
    #[must_use]
    pub const fn acceptance(self) -> u64 {
        self.0 >> Self::SLOT_BITS
    }

    /// The slot in the book.
    #[must_use]
    pub const fn slot(self) -> u32 {
        (self.0 & ((1 << Self::SLOT_BITS) - 1)) as u32
    }
}

/// Which side of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// Buys; the sign is +1.
    Buy = 0,
    /// Sells; the sign is -1.
    Sell = 1,
}

impl Side {
    /// The other side.
    #[must_use]
    #[inline]
    pub fn opposite(self) -> Self {
        self.pick(Self::Sell, Self::Buy)
    }

    /// The number in a record.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The side of a number in a record.
    #[must_use]
    #[inline]
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Buy),
            1 => Some(Self::Sell),
            _ => None,
        }
    }

    /// The side of a bit.
    #[inline]
    pub(crate) fn of_bit(sells: bool) -> Self {
        Self::either(sells, Self::Sell, Self::Buy)
    }

    /// One of two values without a branch: which side an order has is the flip of a coin.
    #[inline]
    fn either<T>(first: bool, one: T, other: T) -> T {
        core::hint::select_unpredictable(first, one, other)
    }

    /// The value for this side of two, without a branch.
    #[inline]
    pub(crate) fn pick<T>(self, buy: T, sell: T) -> T {
        Self::either(self == Self::Buy, buy, sell)
    }

    /// A quantity with this side's sign.
    #[must_use]
    pub fn signed(self, qty: Qty) -> Qty {
        Qty(self.turned(qty.0))
    }

    /// A value with this side's sign.
    #[must_use]
    pub(crate) fn signed_value(self, value: Fine) -> Fine {
        Fine(self.turned(value.0))
    }

    /// The side that holds this signed position; buys for zero.
    #[must_use]
    pub const fn of(position: Qty) -> Self {
        if position.0 < 0 { Self::Sell } else { Self::Buy }
    }

    /// A price difference seen from this side: positive is better for its holder.
    #[must_use]
    #[inline]
    pub fn gain(self, from: Price, to: Price) -> Price {
        Price(self.turned(to.0 - from.0))
    }

    /// A number with this side's sign.
    fn turned(self, number: i64) -> i64 {
        debug_assert!(number != i64::MIN);
        self.pick(number, number.wrapping_neg())
    }
}

/// Floor of `n / d`, `d > 0`.
fn div_floor(n: i128, d: i128) -> i128 {
    debug_assert!(d > 0);
    // Most amounts fit in 64 bits, where the division is an order of magnitude faster.
    if let (Ok(n), Ok(d)) = (i64::try_from(n), i64::try_from(d)) {
        return i128::from(n.div_euclid(d));
    }
    n.div_euclid(d)
}

/// Ceiling of `n / d`, `d > 0`.
fn div_ceil(n: i128, d: i128) -> i128 {
    -div_floor(-n, d)
}

fn narrow(n: i128) -> i64 {
    // The configuration proves that balances, notionals and prices fit; this is the net under the proof.
    i64::try_from(n).expect("amount out of range")
}

impl Price {
    /// Signed value of a signed quantity at this price: `price x qty x tick value`, exact.
    #[must_use]
    pub fn value(self, qty: Qty, tick: TickValue) -> Money {
        Money(self.0 * qty.0 * tick.0)
    }

    /// `self x (1e6 + width) / 1e6` rounded down: the highest price inside a band.
    #[must_use]
    pub fn band_upper(self, width: Ppm) -> Self {
        Self(narrow(div_floor(i128::from(self.0) * i128::from(MILLION + width.0), i128::from(MILLION))))
    }

    /// `self x (1e6 - width) / 1e6` rounded up, at least 1: the lowest price inside a band.
    #[must_use]
    pub fn band_lower(self, width: Ppm) -> Self {
        let low =
            div_ceil(i128::from(self.0) * (i128::from(MILLION) - i128::from(width.0)), i128::from(MILLION));
        Self(narrow(low.max(1)))
    }

    /// True if this price is at least `width` below the reference.
    #[must_use]
    pub fn is_fall_of(self, width: Ppm, reference: Self) -> bool {
        let bound = i128::from(reference.0) * (i128::from(MILLION) - i128::from(width.0));
        i128::from(self.0) * i128::from(MILLION) <= bound
    }

    /// True if this price is at least `width` above the reference.
    #[must_use]
    pub fn is_rise_of(self, width: Ppm, reference: Self) -> bool {
        let bound = i128::from(reference.0) * (i128::from(MILLION) + i128::from(width.0));
        i128::from(self.0) * i128::from(MILLION) >= bound
    }

    /// True for a whole number of steps; the step is positive.
    #[must_use]
    pub(crate) const fn is_multiple_of(self, step: Self) -> bool {
        self.0 % step.0 == 0
    }

    /// The highest multiple of a step that is not above this price; the step is positive.
    #[must_use]
    pub(crate) const fn on_step_down(self, step: Self) -> Self {
        if step.0 == 1 { self } else { Self(self.0 - self.0.rem_euclid(step.0)) }
    }

    /// The lowest multiple of a step that is not below this price; the step is positive.
    #[must_use]
    pub(crate) const fn on_step_up(self, step: Self) -> Self {
        Self(-Self(-self.0).on_step_down(step).0)
    }

    /// The middle one of three.
    #[must_use]
    pub fn median(a: Self, b: Self, c: Self) -> Self {
        a.max(b).min(a.min(b).max(c))
    }

    /// A wide price limited to a market's prices.
    #[must_use]
    pub fn limited(wide: i128, within: (Self, Self)) -> Self {
        Self(narrow(wide.clamp(i128::from(within.0.0), i128::from(within.1.0))))
    }
}

impl Nanos {
    /// This time and a duration more; [`Nanos::MAX`], which never comes, if that is out of range.
    #[must_use]
    pub(crate) const fn later(self, duration: Self) -> Self {
        Self(self.0.saturating_add(duration.0))
    }

    /// This time less a duration; limited to what fits.
    #[must_use]
    pub(crate) const fn earlier(self, duration: Self) -> Self {
        Self(self.0.saturating_sub(duration.0))
    }

    /// The time since the last of the times `self + k length`, k any whole number.
    #[must_use]
    pub(crate) fn time_of_day(self, length: Self, now: Self) -> Self {
        let gone = (i128::from(now.0) - i128::from(self.0)).rem_euclid(i128::from(length.0));
        Self(narrow(gone))
    }

    /// Number of the day that a time is in: whole lengths since `self`.
    #[must_use]
    pub(crate) fn day_number(self, length: Self, now: Self) -> i64 {
        narrow((i128::from(now.0) - i128::from(self.0)).div_euclid(i128::from(length.0)))
    }

    /// The first of the times `self + k length`, k any whole number, that is after `now`.
    #[must_use]
    pub(crate) fn end_of_day(self, length: Self, now: Self) -> Self {
        let (start, length, now) = (i128::from(self.0), i128::from(length.0), i128::from(now.0));
        let end = start + (div_floor(now - start, length) + 1) * length;
        Self(i64::try_from(end).unwrap_or(i64::MAX))
    }

    /// The first of the times `self`, `self + interval`, ... that is after `now`; [`Nanos::MAX`] if none fits.
    #[must_use]
    pub(crate) fn next_after(self, interval: Self, now: Self) -> Self {
        if self > now {
            return self;
        }
        // The last of the times up to now fits: it is between the first one and now.
        Self(now.0 - (now.0 - self.0) % interval.0).later(interval)
    }
}

impl Qty {
    /// True for a whole number of steps; the step is positive.
    #[must_use]
    pub(crate) const fn is_multiple_of(self, step: Self) -> bool {
        self.0 % step.0 == 0
    }

    /// `floor(self x share)`.
    #[must_use]
    pub(crate) fn ppm_down(self, share: Ppm) -> Self {
        Self(narrow(div_floor(i128::from(self.0) * i128::from(share.0), i128::from(MILLION))))
    }

    /// `floor(self x part / whole)`, `whole > 0`: a share in proportion to what is open.
    #[must_use]
    pub(crate) fn share_down(self, part: Self, whole: Self) -> Self {
        Self(narrow(div_floor(i128::from(self.0) * i128::from(part.0), i128::from(whole.0))))
    }

    /// `ceil(self x share)`.
    #[must_use]
    pub fn ppm_up(self, share: Ppm) -> Self {
        Self(narrow(div_ceil(i128::from(self.0) * i128::from(share.0), i128::from(MILLION))))
    }

    /// `floor(self x share)`, at most what fits.
    #[must_use]
    pub(crate) fn ppm_limited(self, share: Ppm) -> Self {
        let part = div_floor(i128::from(self.0) * i128::from(share.0), i128::from(MILLION));
        Self(i64::try_from(part).unwrap_or(i64::MAX))
    }

    /// `ceil(mean x share)` of some, a share of at most one; none of none.
    #[must_use]
    pub(crate) fn mean_share_up(of: impl Iterator<Item = Self>, share: Ppm) -> Option<Self> {
        let (sum, count) = of.fold((0_i128, 0_i128), |(sum, n), lots| (sum + i128::from(lots.0), n + 1));
        (count > 0).then(|| Self(narrow(div_ceil(sum * i128::from(share.0), i128::from(MILLION) * count))))
    }

    /// `trunc(self x share)`, either of any sign: a position in the lots of another market.
    #[must_use]
    pub(crate) fn ppm_towards_zero(self, share: Ppm) -> Self {
        Self(narrow(i128::from(self.0) * i128::from(share.0) / i128::from(MILLION)))
    }
}

impl Ppm {
    /// 100 %.
    pub(crate) const ONE: Self = Self(MILLION);

    /// `self x factor` if that is a whole number of ppm.
    #[must_use]
    pub(crate) fn scaled_exact(self, factor: Self) -> Option<Self> {
        let product = self.0 * factor.0;
        (product % MILLION == 0).then_some(Self(product / MILLION))
    }

    /// `self x multiple` as [`Ppb`], exact.
    #[must_use]
    pub(crate) fn as_ppb_times(self, multiple: u32) -> Ppb {
        Ppb(self.0 * i64::from(multiple) * (BILLION / MILLION))
    }

    /// `ceil(self x factor)`.
    #[must_use]
    pub(crate) fn scaled_up(self, factor: Self) -> Self {
        Self(narrow(div_ceil(i128::from(self.0) * i128::from(factor.0), i128::from(MILLION))))
    }
}

impl Money {
    /// True if a balance and what is added to it are not negative together; false if they leave 64 bits.
    #[must_use]
    #[inline(always)]
    pub(crate) fn covers(self, added: Self) -> bool {
        self.spare(added).is_some()
    }

    /// A balance and what is added to it; none if they are negative together, or leave 64 bits.
    #[must_use]
    #[inline(always)]
    pub(crate) fn spare(self, added: Self) -> Option<Self> {
        self.0.checked_add(added.0).map(Self).filter(|sum| !sum.is_negative())
    }

    /// `ceil(self x rate / 1e6)`.
    #[must_use]
    #[inline(always)]
    pub fn ppm_up(self, rate: Ppm) -> Self {
        match self.0.checked_mul(rate.0) {
            Some(product) => Self(product / MILLION + i64::from(product % MILLION > 0)),
            None => self.ppm_up_wide(rate),
        }
    }

    #[cold]
    fn ppm_up_wide(self, rate: Ppm) -> Self {
        Self(narrow(div_ceil(i128::from(self.0) * i128::from(rate.0), i128::from(MILLION))))
    }

    /// `floor(self x rate / 1e6)`.
    #[must_use]
    pub fn ppm_down(self, rate: Ppm) -> Self {
        Self(narrow(div_floor(i128::from(self.0) * i128::from(rate.0), i128::from(MILLION))))
    }

    /// Minor units of one whole unit of an asset; the most that fits where they do not.
    #[must_use]
    pub fn one(decimals: u8) -> Self {
        Self(10i64.checked_pow(u32::from(decimals)).unwrap_or(i64::MAX))
    }

    /// `self x rate / 1e6` if that is whole.
    #[must_use]
    pub fn ppm_exact(self, rate: Ppm) -> Option<Self> {
        let product = i128::from(self.0) * i128::from(rate.0);
        (product % i128::from(MILLION) == 0).then(|| Self(narrow(product / i128::from(MILLION))))
    }

    /// `trunc(self x part / whole)`, `whole > 0`: the share of an entry cost that a partial close releases.
    #[must_use]
    pub fn share_towards_zero(self, part: Qty, whole: Qty) -> Self {
        let product = i128::from(self.0) * i128::from(part.0);
        Self(narrow(product / i128::from(whole.0)))
    }

    /// `ceil((self x rate - deduction) x factor)`: a tier's requirement, scaled and rounded once.
    #[must_use]
    pub fn scaled_requirement_up(self, rate: Ppm, deduction: Self, factor: Ppm) -> Self {
        if factor.0 == 0 {
            return Self::ZERO;
        }
        let million = i128::from(MILLION);
        let exact = i128::from(self.0) * i128::from(rate.0) - i128::from(deduction.0) * million;
        Self(narrow(div_ceil(exact * i128::from(factor.0), million * million)))
    }

    /// `self x weight` of an amount that is not negative, exact.
    #[must_use]
    pub(crate) fn weighted(self, weight: u64) -> u128 {
        debug_assert!(!self.is_negative());
        u128::from(self.0.unsigned_abs()) * u128::from(weight)
    }

    /// `self x lots`, exact.
    #[must_use]
    pub fn times(self, lots: Qty) -> Self {
        Self(self.0 * lots.0)
    }
}

/// `previous + lower x step`, the deduction of a tier whose rate is a `step` above the one before it; none if it is
/// not whole.
///
/// Binance and Hyperliquid publish it: with it requirements join at the tiers' bounds.
#[must_use]
pub fn tier_deduction(previous: Money, lower: Money, step: Ppm) -> Option<Money> {
    lower.ppm_exact(step).map(|whole| previous + whole)
}

/// `ceil(notional x rate) - deduction`: the requirement of a tier.
#[must_use]
#[inline(always)]
pub fn tier_requirement_up(notional: Money, rate: Ppm, deduction: Money) -> Money {
    notional.ppm_up(rate) - deduction
}

/// Value of a balance of another asset: `floor(balance x index x num x weight / (den x 1e6))`.
#[must_use]
pub(crate) fn collateral_value_down(balance: Money, index: Price, num: i64, den: i64, weight: Ppm) -> Money {
    let unit = i128::from(index.0) * i128::from(num) * i128::from(weight.0);
    let per = i128::from(den) * i128::from(MILLION);
    Money(narrow(div_floor(i128::from(balance.0.max(0)) * unit, per)))
}

/// The smallest balance whose [`collateral_value_down`] reaches `target`, `None` if one unit is worth nothing.
#[must_use]
pub(crate) fn collateral_for_up(
    target: Money,
    index: Price,
    num: i64,
    den: i64,
    weight: Ppm,
) -> Option<Money> {
    let unit = i128::from(index.0) * i128::from(num) * i128::from(weight.0);
    let per = i128::from(den) * i128::from(MILLION);
    (unit > 0).then(|| Money(narrow(div_ceil(i128::from(target.0) * per, unit))))
}

/// Leverage in ppm, `floor(1e6 notional / equity)`, at most 2^40; both are positive.
#[must_use]
pub(crate) fn leverage_down(notional: Money, equity: Money) -> u64 {
    let leverage = i128::from(notional.0) * i128::from(MILLION) / i128::from(equity.0);
    leverage.clamp(0, 1 << 40) as u64
}

/// `floor(leverage^power / 1e6^(power - 1))` of leverages in ppm, at most 2^60; power is 2 or 3.
#[must_use]
pub(crate) fn leverage_power_down(leverage: u64, power: u32) -> u64 {
    let million = MILLION.unsigned_abs();
    let scaled = u128::from(leverage).pow(power) / u128::from(million.pow(power - 1));
    scaled.min(1 << 60) as u64
}

/// `floor(leverage (leverage - above) / 1e6)` of leverages in ppm, at most 2^60; 0 up to `above`.
#[must_use]
pub(crate) fn leverage_excess_down(leverage: u64, above: Ppm) -> u64 {
    let excess = u128::from(leverage.saturating_sub(above.0.max(0).unsigned_abs()));
    let scaled = u128::from(leverage) * excess / u128::from(MILLION.unsigned_abs());
    scaled.min(1 << 60) as u64
}

/// A weight for splitting an account's slack between its positions: any positive heuristic is safe.
#[must_use]
pub(crate) fn exposure_weight(notional: Money) -> u64 {
    // Two thirds power of the notional, from its bit length and square root; only the proportion matters.
    let n = notional.0.unsigned_abs();
    let root = u64::from(n.isqrt() as u32);
    let sixth = 1u64 << ((64 - n.leading_zeros()) / 6);
    (root * sixth).max(1)
}
