//! Markets in which money is simple: values are whole minor units and straight in the price, and what is required of a
//! position is one rate of its notional.

use super::{Contract, Fine, MILLION, Money, Ppm, Price, Qty, Side};

/// Such a market.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flat {
    /// Minor units per tick and lot.
    unit: i64,
    /// Minor units per lot at the mark.
    now: i64,
    initial: Ppm,
    /// Maintenance, and what calls ask for.
    kept: [Ppm; 2],
    /// A taker's fee; zero for a rebate.
    fee: Ppm,
}

/// An order, and what there is to cover it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cover {
    /// Balance of the account that can be lost.
    pub(crate) cash: Money,
    /// Its position in the market, and the entry cost of that.
    pub(crate) base: Qty,
    pub(crate) cost: Fine,
    pub(crate) side: Side,
    pub(crate) price: Price,
    pub(crate) qty: Qty,
    /// The position, without sign, to which fills can lead.
    pub(crate) end: Qty,
}

impl Flat {
    /// A market with one initial, one maintenance and one call rate, and a taker's fee, before there is a mark; none if its
    /// contract is not that simple.
    pub(crate) fn new(contract: &Contract, initial: Ppm, kept: [Ppm; 2], fee: Ppm) -> Option<Self> {
        let unit = contract.tick()?.0;
        Some(Self { unit, now: 0, initial, kept, fee: fee.max(Ppm::ZERO) })
    }

    /// The same at a mark; none if a lot's value leaves 64 bits.
    pub(crate) fn at(self, mark: Price) -> Option<Self> {
        Some(Self { now: mark.0.checked_mul(self.unit)?, ..self })
    }

    /// True if balance and profit less the loss against the mark cover initial requirement and fee. False says nothing:
    /// of amounts that leave 64 bits, and of less than two minor units to spare, because what is rounded up each for
    /// itself is here rounded up together, by two units.
    #[must_use]
    #[inline(always)]
    pub(crate) fn surely_covers(&self, of: &Cover) -> bool {
        self.spare_at_least(of).is_some_and(|spare| spare >= 0)
    }

    #[inline(always)]
    fn spare_at_least(&self, of: &Cover) -> Option<i64> {
        let (now, lot) = (self.now, of.price.0.checked_mul(self.unit)?);
        let required = of.end.0.checked_mul(now)?.checked_mul(self.initial.0)?;
        let fee = of.qty.0.checked_mul(lot)?.checked_mul(self.fee.0)?;
        let asked = required.checked_add(fee)? / MILLION + 2;
        let gained =
            of.side.pick(now.wrapping_sub(lot), lot.wrapping_sub(now)).min(0).checked_mul(of.qty.0)?;
        let profit = of.base.0.checked_mul(now)?.checked_sub(of.cost.0)?;
        of.cash.0.checked_add(profit)?.checked_add(gained)?.checked_sub(asked)
    }

    /// Profit of a position at a price less what it requires there: maintenance, or the call requirement.
    #[must_use]
    #[inline(always)]
    pub(crate) fn kept_value(&self, base: Qty, cost: Fine, price: Price, call: bool) -> Money {
        let value = Money(base.0 * (price.0 * self.unit));
        // Which side a position is on is the flip of a coin: no branch.
        let notional = Money(value.0.wrapping_abs());
        value - Money(cost.0) - notional.max(Money(1)).ppm_up(self.kept[usize::from(call)])
    }

    /// The furthest price on a position's adverse side, from `now` and within a market's prices, at which it has surely lost
    /// no more than `spare` of that.
    #[must_use]
    pub(crate) fn reach(
        &self,
        (now, within): (Price, (Price, Price)),
        base: Qty,
        spare: Money,
        call: bool,
    ) -> Price {
        // What a long requires falls with the price.
        let tick = Money(base.0.wrapping_abs() * self.unit);
        let steepest = Side::of(base).pick(tick, tick + tick.ppm_up(self.kept[usize::from(call)]));
        let ticks = spare.0 / steepest.0.max(1);
        let (falls, rises) = (now.0.saturating_sub(ticks), now.0.saturating_add(ticks));
        Price(Side::of(base).pick(falls.max(within.0.0), rises.min(within.1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Sum, TickValue, tier_requirement_up};

    /// What the order leaves, each part rounded for itself: the sum of docs/mechanics.md section 7.
    fn spare(contract: &Contract, mark: Price, rates: (Ppm, Ppm), of: &Cover) -> Sum {
        let Cover { cash, base, cost, side, price, qty, end } = *of;
        let profit = contract.value(mark, base) - contract.up(cost);
        let loss = contract.down(contract.gain_per_lot(side, price, mark).min(Fine::ZERO).times(qty));
        let required = tier_requirement_up(contract.notional_up(mark, end), rates.0, Money::ZERO);
        let fee = contract.rate_up(price, qty, rates.1);
        Sum::of(cash) + Sum::of(profit) + Sum::of(loss) - Sum::of(required) - Sum::of(fee)
    }

    #[test]
    fn what_is_covered_for_certain_is_covered() {
        let contract = Contract::linear(TickValue(3));
        let mut draw = 1u64;
        let mut next = |below: u64| {
            draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from((draw >> 33) % below).unwrap_or_default()
        };
        let (mut sure, mut close, mut unsure) = (0, 0, 0);
        for _ in 0..200_000 {
            let (mark, price, qty) = (Price(1 + next(1000)), Price(1 + next(1000)), Qty(1 + next(100)));
            let base = Qty(next(401) - 200);
            let side = if next(2) == 0 { Side::Buy } else { Side::Sell };
            let rates = (Ppm(1 + next(1_000_000)), Ppm(next(1000)));
            let flat = Flat::new(&contract, rates.0, [Ppm(1); 2], rates.1);
            let flat = flat.and_then(|flat| flat.at(mark)).expect("it is linear");
            let cost = Fine(base.0 * 3 * (mark.0 + next(21) - 10));
            let end = Qty((side.signed(base).0 + qty.0).max(1));
            let mut of = Cover { cash: Money(0), base, cost, side, price, qty, end };
            // Balances around the one at which nothing is left.
            let lacks = -spare(&contract, mark, rates, &of).get();
            of.cash = Money(i64::try_from(lacks).unwrap_or_default() + next(7) - 3);
            let left = spare(&contract, mark, rates, &of).get();
            let is_sure = flat.surely_covers(&of);
            assert!(!is_sure || left >= 0, "{of:?} leaves {left}");
            assert!(is_sure || left < 2, "{of:?} leaves {left}");
            sure += u32::from(is_sure);
            close += u32::from(is_sure && left < 2);
            unsure += u32::from(!is_sure && left >= 0);
        }
        assert!(sure > 50_000 && close > 10_000 && unsure > 10_000, "{sure} {close} {unsure}");
    }

    #[test]
    fn a_position_reaches_as_far_as_by_the_contract() {
        let (rate, within) = (Ppm(50_000), (Price(1), Price(100_000)));
        let contract = Contract::linear(TickValue(3));
        let flat = Flat::new(&contract, rate, [rate, Ppm(70_000)], Ppm(0)).expect("it is linear");
        let (mut ends, mut inside) = (0, 0);
        for (base, spare, now) in
            (1..2_000_i64).map(|i| (i % 41 - 20, i * i * i % 1_000_003, 1 + i * 37 % 99_999))
        {
            let (base, spare, now) = (Qty(base), Money(spare), Price(now));
            if base.is_zero() {
                continue;
            }
            let wide = contract.reach(now, base, Sum::of(spare), rate);
            let price = flat.reach((now, within), base, spare, false);
            assert_eq!(price, Price::limited(wide, within), "{base:?} {spare:?} {now:?}");
            // No more is lost there.
            let lost =
                flat.kept_value(base, Fine(0), now, false) - flat.kept_value(base, Fine(0), price, false);
            assert!(lost <= spare, "{base:?} {spare:?} {now:?}");
            ends += u32::from(price == within.0 || price == within.1);
            inside += u32::from(price != within.0 && price != within.1);
        }
        assert!(ends > 300 && inside > 300, "{ends} {inside}");
    }

    #[test]
    fn amounts_beyond_64_bits_and_other_contracts_are_not_certain() {
        let (rate, fee) = (Ppm(1000), Ppm(0));
        let flat = |contract: Contract| Flat::new(&contract, rate, [rate; 2], fee);
        let linear = flat(Contract::linear(TickValue(1))).and_then(|flat| flat.at(Price(1000)));
        let linear = linear.expect("it is linear");
        let of = Cover {
            cash: Money(i64::MAX),
            base: Qty(0),
            cost: Fine(0),
            side: Side::Buy,
            price: Price(1000),
            qty: Qty(1),
            end: Qty(1),
        };
        assert!(linear.surely_covers(&of));
        assert!(!linear.surely_covers(&Cover { end: Qty(i64::MAX / 1000), ..of }));
        assert!(!linear.surely_covers(&Cover { cost: Fine(-1), ..of }));
        assert!(linear.at(Price(i64::MAX)).is_some());
        assert!(flat(Contract::linear(TickValue(2))).expect("it is linear").at(Price(i64::MAX)).is_none());
        assert!(flat(Contract::inverse(1000, 1)).is_none() && flat(Contract::quanto(1, 2)).is_none());
    }
}
