//! Formulas of margin: rates, weights, liquidation and bankruptcy prices. Each rounds as its source does, or not at all.

use super::wide::mul_wide;
use super::{
    BILLION, Contract, MILLION, Money, Ppb, Ppm, Qty, Ratio, Side, Sum, div_ceil, div_floor, narrow,
};

/// One ten-thousandth: the step of rates and weights that follow a square root.
const RATE_STEP: i64 = 100;
/// 110 % in ten-thousandths: what a discounted weight would be at size zero.
const DISCOUNT_START: i64 = 11_000;

/// A size in units: `count / unit`, the count not negative and the unit positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Lots of a position, or minor units of a balance.
    pub count: i64,
    /// How many of them make a unit.
    pub unit: i64,
}

/// `base + (1 - base) (open - lower) / (upper - lower)`, limited to `[base, 1]` and rounded down to a ppm.
///
/// dYdX v4, open-interest margin fraction (2024): open interest and both bounds as notional, `lower < upper`,
/// and a base of at most 1.
#[must_use]
pub fn open_interest_rate_down(base: Ppm, open: Money, lower: Money, upper: Money) -> Ppm {
    if open <= lower {
        return base;
    }
    let above = i128::from(open.min(upper).0) - i128::from(lower.0);
    let range = i128::from(upper.0) - i128::from(lower.0);
    Ppm(base.0 + narrow(div_floor(i128::from(MILLION - base.0) * above, range)))
}

/// `max(base, 0.8 base + factor sqrt(size))`, rounded down at 0.0001: Drift v2, size premium.
///
/// The root is exact before the one rounding.
#[must_use]
pub fn size_premium_down(base: Ppm, factor: Ppb, size: Size) -> Ppm {
    let product = factor.0.unsigned_abs();
    let square = u128::from(product) * u128::from(product) * u128::from(size.count.unsigned_abs());
    // The floor of a root below a floor of steps: only whole ppb matter.
    let root = (square / u128::from(size.unit.unsigned_abs())).isqrt().cast_signed();
    let ppb = i128::from(base.0) * 800 + root;
    let premium = div_floor(ppb, i128::from(RATE_STEP) * 1000);
    let plain = div_floor(i128::from(base.0), i128::from(RATE_STEP));
    Ppm(narrow(premium.max(plain) * i128::from(RATE_STEP)))
}

/// `base + slope size`, rounded up to a ppm: Deribit, standard margin (January 2022).
#[must_use]
pub fn size_slope_up(base: Ppm, slope: Ppb, size: Size) -> Ppm {
    let addition = div_ceil(i128::from(slope.0) * i128::from(size.count), i128::from(size.unit) * 1000);
    Ppm(narrow((i128::from(base.0) + addition).min(i128::from(i64::MAX))))
}

/// `min(base, 1.1 / (1 + factor sqrt(size)))`, rounded down at 0.0001: Drift v2, size discount of an asset's weight.
#[must_use]
pub fn size_discount_down(base: Ppm, factor: Ppb, size: Size) -> Ppm {
    let square = |n: i64| u128::from(n.unsigned_abs()) * u128::from(n.unsigned_abs());
    // k steps fit if k (1 + factor sqrt(size)) <= 11000; both sides of k factor sqrt(size) <= 11000 - k squared.
    let fits = |steps: i64| {
        let left = mul_wide(square(steps) * square(factor.0), u128::from(size.count.unsigned_abs()));
        let spare = square(DISCOUNT_START - steps) * square(BILLION);
        left <= mul_wide(spare, u128::from(size.unit.unsigned_abs()))
    };
    let (mut low, mut high) =
        (0, div_floor(i128::from(base.0.min(MILLION * 2)), i128::from(RATE_STEP)) as i64);
    high = high.min(DISCOUNT_START);
    // The greatest number of steps that fits; none always does.
    while low < high {
        let middle = high - (high - low) / 2;
        if fits(middle) { low = middle } else { high = middle - 1 }
    }
    Ppm(low * RATE_STEP)
}

/// `base min(1, start / total)`, exact: Drift v2, initial weight of an asset whose deposits are worth `total`.
#[must_use]
pub fn deposit_scaled(base: Ppm, total: Money, start: Money) -> Ratio {
    if total <= start {
        return Ratio::new(Sum(i128::from(base.0)), Sum(i128::from(MILLION)));
    }
    Ratio::new(Sum(i128::from(base.0) * i128::from(start.0)), Sum(i128::from(MILLION) * i128::from(total.0)))
}

/// A part of a position that is closed, and the account behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// Lots closed, and lots held; both without sign.
    pub lots: (Qty, Qty),
    /// Signed value of the lots closed.
    pub value: Money,
    /// Maintenance requirement of the whole position.
    pub maintenance: Money,
    /// Equity of the account.
    pub equity: Sum,
    /// Maintenance requirement of the account, positive.
    pub total: Sum,
}

impl Closing {
    /// Money for the lots closed at which the rest of the account stays as well covered as it is, rounded up:
    /// `value - equity x (maintenance closed) / total`. Positive: least to receive; negative: most to pay.
    ///
    /// dYdX v4, bankruptcy price in quote quantums (2024). None if the lots are not in `(0, held]`.
    #[must_use]
    pub fn bankruptcy_quote_up(&self) -> Option<Money> {
        let (lots, held) = self.lots;
        if !lots.is_positive() || lots > held {
            return None;
        }
        let part = Sum(i128::from(self.maintenance.0) * i128::from(lots.0));
        let whole = Sum(self.total.0 * i128::from(held.0));
        Some(self.value - self.equity.share_down(part, whole))
    }
}

/// What a liquidation price depends on besides one tier's rate and deduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposed {
    /// Side of the position.
    pub side: Side,
    /// The position's contract.
    pub contract: Contract,
    /// Its lots, without sign.
    pub lots: Qty,
    /// Value of the position at the mark, without sign.
    pub notional: Money,
    /// Equity at the mark.
    pub equity: Sum,
    /// Maintenance requirement of everything else.
    pub other: Sum,
}

impl Exposed {
    /// The price in ticks, exact, at which equity equals maintenance if nothing else moves; none if it is not
    /// positive. At a rate, deduction and `other` of zero it is the bankruptcy price.
    ///
    /// With `b` the side's sign and rest = equity + deduction - other: `(b notional - rest) / (size (b - rate))`, size
    /// being the value of one tick of all lots. Hyperliquid, Binance and dYdX publish the same line; rate below 1. Of an
    /// inverse contract `size (b + rate) / (b notional + rest)`, size being the value of all lots at a price of one tick
    /// (Bybit, `BitMEX`, Kraken).
    #[must_use]
    pub fn liquidation_price(&self, rate: Ppm, deduction: Money) -> Option<Ratio> {
        let rest = self.equity.0 + i128::from(deduction.0) - self.other.0;
        let notional = i128::from(self.notional.0);
        let size = self.contract.size(self.lots).0;
        // A long's value and its requirement move together, a short's against each other; the other way round if inverse.
        let slope = i128::from(self.contract.holder(self.side).pick(MILLION - rate.0, MILLION + rate.0));
        let left = self.contract.holder(self.side).pick(notional - rest, notional + rest);
        if left <= 0 {
            return None;
        }
        let scaled = left.checked_mul(i128::from(self.contract.scale()) * i128::from(MILLION))?;
        let steep = size.checked_mul(slope)?;
        let (above, below) = if self.contract.is_inverse() { (steep, scaled) } else { (scaled, steep) };
        Some(Ratio::new(Sum(above), Sum(below)))
    }
}

impl Ppm {
    /// `ceil(1 / leverage)`, the leverage positive.
    #[must_use]
    pub(crate) fn of_leverage_up(leverage: i64) -> Self {
        Self(narrow(div_ceil(i128::from(MILLION), i128::from(leverage))))
    }

    /// The highest rate that stays below 1 when it is multiplied by a factor.
    #[must_use]
    pub(crate) fn highest_below_one(factor: Self) -> Self {
        let million = i128::from(MILLION);
        Self(narrow(div_floor(million * million - 1, i128::from(factor.0.max(MILLION)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(count: i64, unit: i64) -> Size {
        Size { count, unit }
    }

    #[test]
    fn roots_round_down_once_and_are_exact_where_they_are_whole() {
        // 0.8 x 5 % + 0.001 x 100 = 14 % at 10,000 units; one lot of a million less is just below it.
        let premium = |count| size_premium_down(Ppm(50_000), Ppb(1_000_000), size(count, 1_000_000)).0;
        assert_eq!((premium(10_000_000_000), premium(9_999_999_999)), (140_000, 139_900));
        // 1.1 / (1 + 0.01 x 100) = 0.55 at 10,000 units; a trace more is just below it.
        let weight = |count| size_discount_down(Ppm(900_000), Ppb(10_000_000), size(count, 1_000_000)).0;
        assert_eq!((weight(10_000_000_000), weight(10_000_000_001)), (550_000, 549_900));
        assert_eq!((weight(0), weight(1_000_000_000_000), weight(i64::MAX)), (900_000, 100_000, 0));
    }

    #[test]
    fn the_steepest_sizes_stay_in_range() {
        let all = size(i64::MAX, 1);
        assert!(size_premium_down(Ppm(1_000_000), Ppb(BILLION), all).0 > MILLION);
        assert!(size_slope_up(Ppm(1_000_000), Ppb(BILLION), all).0 > MILLION);
        assert_eq!(size_discount_down(Ppm(1_000_000), Ppb(BILLION), all), Ppm(0));
    }

    #[test]
    fn a_slope_rounds_up() {
        // 50 ppm per unit of 10 lots: 3 lots are 15 ppm; 50.001 ppm make it 15.0003, up to 16.
        assert_eq!(size_slope_up(Ppm(20_000), Ppb(50_000), size(3, 10)), Ppm(20_015));
        assert_eq!(size_slope_up(Ppm(20_000), Ppb(50_001), size(3, 10)), Ppm(20_016));
    }

    #[test]
    fn a_rate_below_one_stays_below_it_when_it_is_called() {
        assert_eq!(Ppm::highest_below_one(Ppm(0)), Ppm(999_999));
        assert_eq!(Ppm::highest_below_one(Ppm(1_250_000)), Ppm(799_999));
    }
}
