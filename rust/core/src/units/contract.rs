//! What a position is worth at a price: linear, inverse and quanto contracts.

use super::{
    BILLION, Fine, IndexUnits, MILLION, Money, Nanos, Ppb, Ppm, Price, Qty, Side, Sum, TickValue, div_ceil,
    div_floor, narrow, wide,
};

impl Fine {
    /// `self x lots`, exact.
    #[must_use]
    pub fn times(self, lots: Qty) -> Self {
        Self(self.0 * lots.0)
    }

    /// `trunc(self x part / whole)`, `whole > 0`: the share of an entry cost that a partial close releases.
    #[must_use]
    pub(crate) fn share_towards_zero(self, part: Qty, whole: Qty) -> Self {
        match self.0.checked_mul(part.0) {
            Some(product) => Self(product / whole.0),
            None => Self(narrow(i128::from(self.0) * i128::from(part.0) / i128::from(whole.0))),
        }
    }
}

/// How the price of a market makes the value of its positions, in the valuation asset.
///
/// A long lot of a linear or quanto contract is worth `price x unit`; of an inverse one `-floor(unit / price)`, because
/// its holder owes the coin that its face buys. So a long gains when the price rises, whatever the form, and the values
/// of a long and a short of the same lots cancel exactly. These values are in parts of a minor unit; what balances,
/// equities and requirements see is rounded down to minor units, once per position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contract {
    /// Parts per tick and lot; of an inverse contract parts x ticks per lot.
    unit: i64,
    /// Parts of a minor unit.
    scale: i64,
    inverse: bool,
}

impl Contract {
    /// A contract that is worth so many minor units per tick and lot.
    #[must_use]
    pub const fn linear(tick: TickValue) -> Self {
        Self { unit: tick.0, scale: 1, inverse: false }
    }

    /// A contract that is worth `multiplier / scale` minor units per tick and lot, whatever currency its price is in.
    #[must_use]
    pub const fn quanto(multiplier: i64, scale: i64) -> Self {
        Self { unit: multiplier, scale, inverse: false }
    }

    /// A contract of which a lot is worth `face / price` minor units, counted in `scale` parts of one.
    #[must_use]
    pub const fn inverse(face: i64, scale: i64) -> Self {
        Self { unit: face * scale, scale, inverse: true }
    }

    /// True for a contract whose value falls as one over the price.
    #[must_use]
    pub const fn is_inverse(&self) -> bool {
        self.inverse
    }

    /// True if values are whole minor units by themselves.
    #[must_use]
    pub(crate) const fn is_whole(&self) -> bool {
        self.scale == 1
    }

    /// The value of one tick of one lot, if values are straight in the price and whole.
    pub(crate) fn tick(&self) -> Option<TickValue> {
        (!self.inverse && self.is_whole()).then_some(TickValue(self.unit))
    }

    /// Parts of a minor unit in which entry costs are kept.
    #[must_use]
    pub(crate) const fn scale(&self) -> i64 {
        self.scale
    }

    /// The side of those who hold what a lot is worth: buyers, but sellers of an inverse contract.
    #[must_use]
    pub fn holder(&self, side: Side) -> Side {
        if self.inverse { side.opposite() } else { side }
    }

    /// Signed value of one long lot.
    #[must_use]
    #[inline(always)]
    pub fn lot(&self, price: Price) -> Fine {
        if self.inverse { self.inverse_lot(price) } else { Fine(price.0 * self.unit) }
    }

    /// Apart, so that linear contracts stay short where they are in line.
    #[inline(never)]
    fn inverse_lot(&self, price: Price) -> Fine {
        Fine(-(self.unit / price.0))
    }

    /// Signed value of a signed quantity, exact: what trades are booked at.
    #[must_use]
    #[inline(always)]
    pub fn fine(&self, price: Price, qty: Qty) -> Fine {
        if self.inverse { self.lot(price).times(qty) } else { Fine(price.0 * qty.0 * self.unit) }
    }

    /// Signed value of a signed quantity in minor units, rounded down.
    #[must_use]
    #[inline(always)]
    pub fn value(&self, price: Price, qty: Qty) -> Money {
        self.down(self.fine(price, qty))
    }

    /// Value of a quantity without sign, rounded up.
    #[must_use]
    #[inline(always)]
    pub fn notional_up(&self, price: Price, qty: Qty) -> Money {
        self.up(self.fine(price, qty).abs())
    }

    /// Minor units, rounded down.
    #[must_use]
    #[inline(always)]
    pub fn down(&self, amount: Fine) -> Money {
        Money(if self.scale == 1 { amount.0 } else { amount.0.div_euclid(self.scale) })
    }

    /// Minor units, rounded up.
    #[must_use]
    #[inline(always)]
    pub fn up(&self, amount: Fine) -> Money {
        -self.down(-amount)
    }

    /// `proceeds - released` in minor units, rounded down, and the parts of one that are left.
    #[must_use]
    #[inline]
    pub(crate) fn realised(&self, proceeds: Fine, released: Fine) -> (Money, Fine) {
        self.split(proceeds - released)
    }

    /// As [`Contract::realised`], for proceeds that are minor units.
    #[must_use]
    pub(crate) fn realised_of(&self, proceeds: Money, released: Fine) -> (Money, Fine) {
        let (profit, rest) = self.split(-released);
        (proceeds + profit, rest)
    }

    fn split(&self, amount: Fine) -> (Money, Fine) {
        let whole = self.down(amount);
        (whole, amount - Fine(whole.0 * self.scale))
    }

    /// The same amount in parts.
    ///
    /// # Panics
    /// If it does not fit: amounts of a position always do.
    #[must_use]
    pub(crate) fn parts(&self, amount: Money) -> Fine {
        Fine(amount.0 * self.scale)
    }

    /// What one lot of a position of this side gains from one price to another.
    #[must_use]
    #[inline(always)]
    pub fn gain_per_lot(&self, side: Side, from: Price, to: Price) -> Fine {
        let long = if self.inverse {
            self.inverse_lot(to) - self.inverse_lot(from)
        } else {
            Fine((to.0 - from.0) * self.unit)
        };
        side.pick(long, -long)
    }

    /// Lots that a budget of which some is spent pays for at a cost per lot, rounded down; the cost is positive.
    #[must_use]
    pub(crate) fn affordable(&self, budget: Money, spent: Fine, cost_per_lot: Fine) -> Qty {
        let budget = i128::from(budget.0) * i128::from(self.scale) - i128::from(spent.0);
        Qty(Sum(div_floor(budget, i128::from(cost_per_lot.0))).saturate().0)
    }

    /// `ceil(notional x rate / 1e6)`: a fee, or a rebate if the rate is negative.
    #[must_use]
    #[inline(always)]
    pub fn rate_up(&self, price: Price, qty: Qty, rate: Ppm) -> Money {
        self.rate_of_up(self.fine(price, qty), rate)
    }

    /// The same of lots whose value is at hand.
    #[must_use]
    #[inline(always)]
    pub(crate) fn rate_of_up(&self, value: Fine, rate: Ppm) -> Money {
        let notional = value.abs();
        if self.scale == 1 { Money(notional.0).ppm_up(rate) } else { self.rate_of_parts_up(notional, rate) }
    }

    #[inline(never)]
    fn rate_of_parts_up(&self, notional: Fine, rate: Ppm) -> Money {
        let exact = i128::from(notional.0) * i128::from(rate.0);
        Money(narrow(div_ceil(exact, i128::from(MILLION) * i128::from(self.scale))))
    }

    /// `ceil(b notional x rate x elapsed / (1e9 x period))` for a signed position, b its sign: what it owes of a funding
    /// rate, rounded up once.
    #[must_use]
    pub fn funding_up(&self, price: Price, base: Qty, rate: Ppb, time: (Nanos, Nanos)) -> Money {
        let owed = self.fine(price, if self.inverse { -base } else { base });
        if self.scale == 1 {
            return Money(owed.0).rate_over_up(rate, time.0, time.1);
        }
        let exact = i128::from(owed.0) * i128::from(rate.0);
        let per = i128::from(BILLION) * i128::from(time.1.0);
        // Two divisions upwards are one.
        let parts = -wide::mul_div_floor(-exact, time.0.0.into(), per);
        Money(narrow(div_ceil(parts, i128::from(self.scale))))
    }

    /// `ceil(base x unit x delta x ticks / (units x scale))`: what a position pays when a funding index moves by `delta`.
    /// Not of inverse contracts.
    #[must_use]
    pub(crate) fn index_payment_up(&self, base: Qty, delta: i64, index: IndexUnits) -> Money {
        debug_assert!(!self.inverse);
        let exact = i128::from(base.0) * i128::from(self.unit) * i128::from(delta);
        let per = i128::from(index.units) * i128::from(self.scale);
        Money(narrow(-wide::mul_div_floor(-exact, index.ticks.into(), per)))
    }

    /// The price at which a position has lost `amount` against the mark, or gained minus that; rounded towards the mark
    /// for an amount above zero, and so that it never loses more. `mark - b floor(amount / (|qty| unit))`, and for an
    /// inverse contract the price whose value of a lot is that far away; may be outside every market's prices.
    #[must_use]
    pub fn losing(&self, mark: Price, position: Qty, amount: Money) -> i128 {
        let side = Side::of(position);
        let lots = i128::from(position.0.abs());
        let amount = i128::from(amount.0) * i128::from(self.scale);
        if self.inverse {
            let moved = div_floor(amount, lots);
            let lot = -i128::from(self.lot(mark).0);
            return self.at_lot(side, side.pick(lot + moved, lot - moved));
        }
        let ticks = div_floor(amount, lots * i128::from(self.unit));
        side.pick(i128::from(mark.0) - ticks, i128::from(mark.0) + ticks)
    }

    /// Of an inverse contract the lowest price at which a lot is worth no more than `lot` parts (for a long), or the
    /// highest at which it is worth no less (for a short).
    fn at_lot(&self, side: Side, lot: i128) -> i128 {
        let unit = i128::from(self.unit);
        match side {
            // floor(unit / p) <= lot if unit / p < lot + 1.
            Side::Buy if lot < 0 => i128::MAX,
            Side::Buy => div_floor(unit, lot + 1) + 1,
            Side::Sell if lot <= 0 => i128::MAX,
            Side::Sell => div_floor(unit, lot),
        }
    }

    /// The furthest price on a position's adverse side, from `now`, at which it has surely lost no more than `spare` of
    /// its value less a requirement that grows with its notional by `rate` at most.
    #[must_use]
    pub(crate) fn reach(&self, now: Price, position: Qty, spare: Sum, rate: Ppm) -> i128 {
        let side = Side::of(position);
        let lots = i128::from(position.0.abs());
        if self.inverse {
            // The notional may move by so many minor units, less one for its rounding and one for the requirement's.
            let units = div_floor((spare.0 - 1) * i128::from(MILLION), i128::from(MILLION + rate.0)) - 1;
            let moved = div_floor(units.max(0) * i128::from(self.scale), lots);
            let lot = -i128::from(self.lot(now).0);
            return self.at_lot(side, side.pick(lot + moved, lot - moved));
        }
        // One tick takes at most this; a long's requirement falls with the price.
        let value = Fine(self.unit).times(Qty(position.0.abs()));
        let rounded = Money(i64::from(self.scale > 1));
        let tick = self.up(value) + rounded;
        let steepest = side.pick(tick, tick + tick.ppm_up(rate));
        let ticks = i128::from(spare.whole_down(steepest.max(Money(1))));
        side.pick(i128::from(now.0) - ticks, i128::from(now.0) + ticks)
    }

    /// What a position is worth at a price of one tick, as parts: the size in the formula of a liquidation price. Of a
    /// linear contract what one tick of price is worth.
    #[must_use]
    pub(crate) fn size(&self, lots: Qty) -> Sum {
        Sum(i128::from(self.unit) * i128::from(lots.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One dollar a lot, half-dollar ticks, in satoshis: 2e8 / price, in 100,000 parts.
    const COIN: Contract = Contract::inverse(200_000_000, 100_000);

    #[test]
    fn an_inverse_lot_is_worth_its_face_over_the_price() {
        // At 10,000 dollars, 20,000 ticks, one dollar is 10,000 satoshis; a long owes it.
        assert_eq!(COIN.value(Price(20_000), Qty(3)), Money(-30_000));
        assert_eq!(COIN.value(Price(20_000), Qty(-3)), Money(30_000));
        // A third of a satoshi more is down for a short's asset and down for a long's debt.
        assert_eq!(
            (COIN.value(Price(6_000), Qty(-1)), COIN.value(Price(6_000), Qty(1))),
            (Money(33_333), Money(-33_334))
        );
        // From 10,000 to 8,000 dollars a long loses 2,500 satoshis a lot, a short wins them.
        let gain = |side| COIN.down(COIN.gain_per_lot(side, Price(20_000), Price(16_000))).get();
        assert_eq!((gain(Side::Buy), gain(Side::Sell)), (-2_500, 2_500));
    }

    #[test]
    fn bankruptcy_prices_of_isolated_positions_are_those_of_the_venues() {
        // Equity of a tenth of the notional: long entry x 10 / 11, short entry x 10 / 9; 20,000 ticks, 30,000 satoshis.
        assert_eq!(COIN.losing(Price(20_000), Qty(3), Money(3_000)), 18_182);
        assert_eq!(COIN.losing(Price(20_000), Qty(-3), Money(3_000)), 22_222);
        // Nothing behind it is the mark; a debt of a tenth is beyond it: entry x 10 / 9 and x 10 / 11.
        assert_eq!(
            (COIN.losing(Price(20_000), Qty(3), Money(0)), COIN.losing(Price(20_000), Qty(-3), Money(0))),
            (20_000, 20_000)
        );
        assert_eq!(COIN.losing(Price(20_000), Qty(3), Money(-3_000)), 22_223);
        assert_eq!(COIN.losing(Price(20_000), Qty(-3), Money(-3_000)), 18_181);
        // A short that has more than its notional never goes bankrupt; a long that owes more is not worth any price.
        assert_eq!(COIN.losing(Price(20_000), Qty(-3), Money(30_000)), i128::MAX);
        assert_eq!(COIN.losing(Price(20_000), Qty(3), Money(-30_001)), i128::MAX);
    }

    #[test]
    fn no_more_is_lost_at_a_losing_price_and_more_a_tick_beyond() {
        for contract in [COIN, Contract::quanto(7, 3), Contract::linear(TickValue(2))] {
            for (base, amount) in [(1, 5), (3, 4_000), (7, 1), (-1, 5), (-3, 4_000), (-7, 1), (-1000, 77_777)]
            {
                let (mark, base, amount) = (Price(20_000), Qty(base), Money(amount));
                let price = Price(narrow(contract.losing(mark, base, amount)));
                let beyond = price + Side::of(base).pick(Price(-1), Price(1));
                let lost = |to| contract.fine(mark, base) - contract.fine(to, base);
                assert!(
                    lost(price) <= contract.parts(amount) && lost(beyond) > contract.parts(amount),
                    "{contract:?} {base}"
                );
            }
        }
    }

    #[test]
    fn a_reach_is_never_too_far() {
        for contract in [COIN, Contract::quanto(7, 3), Contract::linear(TickValue(2))] {
            for base in [1, 2, 9, 100, 12_345, -1, -2, -9, -100, -12_345].map(Qty) {
                for spare in [0, 1, 2, 3, 10, 999, 123_456] {
                    let value = |price| {
                        let value = contract.value(price, base);
                        value - value.abs().ppm_up(Ppm(300_000))
                    };
                    let now = Price(20_000);
                    let far = Price::limited(
                        contract.reach(now, base, Sum(spare), Ppm(300_000)),
                        (Price(1), Price(1 << 24)),
                    );
                    assert!(value(now) - value(far) <= Money(narrow(spare)), "{contract:?} {base} {spare}");
                }
            }
        }
    }

    #[test]
    fn payments_of_funding_leave_a_remainder_that_is_never_negative() {
        let hour = Nanos(3_600_000_000_000);
        for contract in [COIN, Contract::quanto(7, 3)] {
            for rate in [100, -100, 33_333, -33_333].map(Ppb) {
                let owed =
                    |base| contract.funding_up(Price(12_347), Qty(base), rate, (hour, Nanos(8 * hour.0)));
                let sum = owed(3) + owed(4) + owed(-7);
                assert!(!sum.is_negative() && sum < Money(3), "{contract:?} {rate}: {sum}");
            }
        }
        // A long pays a positive rate: a hundredth of 30,000 satoshis.
        let owed = |base| COIN.funding_up(Price(20_000), Qty(base), Ppb(10_000_000), (hour, hour)).get();
        assert_eq!((owed(3), owed(-3)), (300, -300));
    }

    #[test]
    fn a_fee_is_rounded_once() {
        // 33,333.33 satoshis at 100 ppm are 3.33: up to 4, and a rebate of 3.33 down to 3.
        let fee = |rate| COIN.rate_up(Price(6_000), Qty(1), Ppm(rate)).get();
        assert_eq!((fee(100), fee(-100), fee(0)), (4, -3, 0));
    }
}
