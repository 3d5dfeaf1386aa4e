//! The insurance fund's arithmetic: what it earns from a liquidation and what it can pay for.
//!
//! Pure; the ledger holds the money and never lets a fund fall below zero.

use crate::units::{Money, Ppm, Price, Qty, Side, TickValue};

/// What the fund takes of a liquidation that the book filled: a fee on the value, limited to what is above the
/// bankruptcy value, so that the fee alone never makes an account bankrupt.
#[must_use]
pub(crate) fn fee(side: Side, value: Money, bankruptcy_value: Money, rate: Ppm) -> Money {
    let surplus = match side {
        Side::Buy => value - bankruptcy_value,
        Side::Sell => bankruptcy_value - value,
    };
    value.ppm_up(rate).min(surplus.max(Money::ZERO))
}

/// What one lot of a position of this side costs the fund if it is closed at `price` instead of its bankruptcy price.
#[must_use]
pub(crate) fn cost_per_lot(side: Side, bankruptcy: Price, price: Price, tick: TickValue) -> Money {
    tick.per_lot(side.gain(price, bankruptcy).max(Price::ZERO))
}

/// Lots that a balance pays for; all of them if they cost nothing.
#[must_use]
pub(crate) fn payable(balance: Money, cost_per_lot: Money, lots: Qty) -> Qty {
    if cost_per_lot.is_positive() { lots.min(Qty::affordable(balance, cost_per_lot)) } else { lots }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_is_cut_to_the_surplus() {
        let of = |side, value, bankruptcy| {
            fee(side, Money::new(value), Money::new(bankruptcy), Ppm::new(10_000)).get()
        };
        // One per cent of 1,000 is 10. A long sold for 1,000: surplus 40, 4 and none.
        assert_eq!(
            (of(Side::Buy, 1000, 960), of(Side::Buy, 1000, 996), of(Side::Buy, 1000, 1010)),
            (10, 4, 0)
        );
        assert_eq!((of(Side::Sell, 1000, 1040), of(Side::Sell, 1000, 996)), (10, 0));
    }

    #[test]
    fn a_fund_pays_whole_lots_only() {
        let cost = cost_per_lot(Side::Buy, Price::new(100), Price::new(97), TickValue::new(2));
        assert_eq!(cost, Money::new(6));
        assert_eq!(payable(Money::new(20), cost, Qty::new(9)), Qty::new(3));
        assert_eq!(payable(Money::new(20), Money::ZERO, Qty::new(9)), Qty::new(9));
    }
}
