//! How much of a position one round closes, and at which limit: the formulas of the policies.
//!
//! Pure: prices, amounts and times in, lots and prices out. Which rule stands where is docs/mechanics.md section 8.

use crate::config::{Curve, LimitRule};
use crate::units::{Contract, Fine, Money, Nanos, Ppm, Price, Qty, Ratio, Side, Sum};

/// The most steps that a falling price is followed.
const STEPS_MAX: u32 = 1000;

/// A schedule of slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// Share of what is left.
    pub share: Ppm,
    /// Least slice.
    pub least: Qty,
    /// Largest slice; none for no limit.
    pub most: Option<Qty>,
    /// What is closed whole.
    pub full_below: Qty,
    /// Shares are rounded up to a multiple of it.
    pub lot: Qty,
}

/// The next slice of what is left of a position (share of Hyperliquid, dYdX v4 and Vega, 2026).
#[must_use]
pub fn schedule(left: Qty, steps: &Steps) -> Qty {
    let wanted =
        if left <= steps.full_below { left } else { left.ppm_up_to(steps.share, steps.lot).max(steps.least) };
    wanted.min(steps.most.unwrap_or(left)).min(left)
}

/// The lots beyond those that the tier below can hold; all of them in the lowest tier (`BitMEX`, OKX, 2026).
#[must_use]
pub(crate) fn above_tier(whole: Qty, lower: Money, per_lot: (Fine, &Contract)) -> Qty {
    let (lot, contract) = per_lot;
    if lower.is_zero() {
        return whole;
    }
    // The lots kept are worth no more than the tier below holds, also rounded up to a minor unit.
    whole - contract.affordable(lower - Money::new(1), Fine::ZERO, lot)
}

/// The terms on which closing a lot lowers a shortage of margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freed {
    /// Value of one lot, in the parts of its contract.
    pub per_lot: Fine,
    /// Parts of a minor unit in it; one for a linear contract.
    pub scale: i64,
    /// Price of the asset in which it is paid; one million for the valuation asset.
    pub quote: Ppm,
    /// Margin rate that a lot no longer needs.
    pub margin: Ppm,
    /// Rate that the liquidator takes.
    pub liquidator_fee: Ppm,
    /// Rate that the fund takes.
    pub fund_fee: Ppm,
}

/// The lots whose closing makes up for a shortage, rounded down; none if closing a lot does not lower it
/// (Drift v2, 2026).
#[must_use]
pub fn size_to_close(shortage: Money, freed: &Freed) -> Option<Qty> {
    let rates = [freed.margin, freed.liquidator_fee, freed.fund_fee];
    Qty::restoring_down(shortage, (freed.per_lot, freed.scale), freed.quote, rates)
}

/// A ramp of the share that may be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ramp {
    /// Time after which it is all; positive, at most an hour.
    pub duration: Nanos,
    /// Share at once.
    pub initial: Ppm,
    /// Shortage below which it is all at once.
    pub full_below: Sum,
}

/// The share of a shortage that may be closed after a time, `freed` having been closed before (Drift v2, 2026).
/// The shortage is positive.
#[must_use]
pub fn ramp_share(shortage: Sum, freed: Sum, elapsed: Nanos, ramp: &Ramp) -> Ratio {
    if shortage < ramp.full_below {
        return Ratio::of_rate(Ppm::ONE);
    }
    Ratio::ramp(shortage, freed, (elapsed, ramp.duration), ramp.initial)
}

/// A share of every position, and what it leads to.
#[derive(Debug, Clone, Copy)]
pub struct ShareStep {
    /// The share.
    pub share: Ppm,
    /// What is paid for it.
    pub penalty: Ratio,
    /// Maintenance margin then.
    pub maintenance_after: Ratio,
    /// Equity then.
    pub equity_after: Ratio,
    /// Maintenance over equity then; none if equity is not positive.
    pub ratio_after: Option<Ratio>,
}

/// The smallest multiple of `step` that brings maintenance over equity below `target`, everything if none does
/// (Paradex, 2026). `step` divides one million.
#[must_use]
pub fn share_step(maintenance: Sum, equity: Sum, step: Ppm, target: Ppm, penalty: Ppm) -> ShareStep {
    let mut share = Ppm::ZERO;
    loop {
        share += step;
        let maintenance_after = Ratio::less_part(maintenance, maintenance, [share, Ppm::ONE]);
        let equity_after = Ratio::less_part(equity, maintenance, [share, penalty]);
        let ratio_after = maintenance_after.over(&equity_after);
        if share >= Ppm::ONE || ratio_after.is_some_and(|ratio| ratio < Ratio::of_rate(target)) {
            let penalty = Ratio::part(maintenance, [share, penalty]);
            return ShareStep { share, penalty, maintenance_after, equity_after, ratio_after };
        }
    }
}

/// The price of a position at which a liquidation order should fill: the mark less a share of its maintenance margin
/// that grows from 0 to `spread` as the account's equity falls from its maintenance margin by `1 / adjustment`
/// (dYdX v4, 2026). Less than a tick nearer to the mark than the exact price.
#[must_use]
pub fn fillable_price(
    mark: Price,
    health: (Sum, Sum),
    need: Money,
    rates: (Ppm, Ppm),
    position: (Qty, &Contract),
) -> i128 {
    position.1.losing(mark, position.0, need.discount_down(health, rates))
}

/// The price of a falling auction after a time, rounded down (`MakerDAO` MIP45; a thousand steps at most are followed).
#[must_use]
pub fn dutch_price(start: Price, curve: &Curve, elapsed: Nanos) -> Price {
    match *curve {
        Curve::Stairstep { factor_ppm, step_ns } => {
            start.stepped_down(factor_ppm, elapsed.whole_steps(step_ns, STEPS_MAX))
        }
        Curve::Linear { duration_ns } => start.run_down(elapsed, duration_ns),
    }
}

/// What a limit is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight {
    pub(crate) mark: Price,
    /// Lowest and highest price of the market.
    pub(crate) prices: (Price, Price),
    pub(crate) bankruptcy: Price,
    pub(crate) base: Qty,
    pub(crate) contract: Contract,
    /// Equity and maintenance requirement of the account.
    pub(crate) health: (Sum, Sum),
    /// Maintenance requirement of the position.
    pub(crate) need: Money,
    /// When the liquidation of this position began, and the mark then.
    pub(crate) began: (Nanos, Price),
    pub(crate) now: Nanos,
}

/// The limit of the rule for a position, within the market's prices.
#[must_use]
pub(crate) fn limit(rule: &LimitRule, s: &Sight) -> Price {
    let side = Side::of(s.base);
    match *rule {
        LimitRule::Bankruptcy => s.bankruptcy,
        LimitRule::None => side.pick(s.prices.0, s.prices.1),
        LimitRule::Fillable { adjustment_ppm, spread_ppm } => {
            let rates = (adjustment_ppm, spread_ppm);
            Price::limited(fillable_price(s.mark, s.health, s.need, rates, (s.base, &s.contract)), s.prices)
        }
        LimitRule::Dutch { start_ppm, curve } => {
            let (began, mark) = s.began;
            let price = dutch_price(mark.scaled_down(start_ppm), &curve, s.now.since(began));
            // A short's limit rises as a long's falls: the mirror image around the mark of the beginning.
            let price = side.pick(price, mark + mark - price);
            price.max(s.prices.0).min(s.prices.1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::TickValue;

    const UNIT: Contract = Contract::linear(TickValue::new(1));

    fn steps(share: i64, least: i64, most: Option<i64>, full_below: i64, lot: i64) -> Steps {
        Steps {
            share: Ppm::new(share),
            least: Qty::new(least),
            most: most.map(Qty::new),
            full_below: Qty::new(full_below),
            lot: Qty::new(lot),
        }
    }

    #[test]
    fn a_share_is_rounded_up_to_lots_before_the_bounds() {
        let of = |left, s: &Steps| schedule(Qty::new(left), s).get();
        // A fifth of 101 is 20.2: 21 in lots of one, 25 in lots of five.
        assert_eq!(
            (of(101, &steps(200_000, 0, None, 0, 1)), of(101, &steps(200_000, 0, None, 0, 5))),
            (21, 25)
        );
        // The least holds against the share, the most against both, what is left against all; full_below comes first.
        let s = steps(500_000, 30, Some(40), 10, 1);
        assert_eq!((of(50, &s), of(200, &s), of(20, &s), of(10, &s), of(11, &s)), (30, 40, 20, 10, 11));
        assert_eq!(of(50, &steps(500_000, 30, Some(40), 50, 1)), 40, "the most also cuts a whole position");
    }

    #[test]
    fn a_tier_is_left_by_one_unit_of_notional() {
        // Tier from 1,000 at 10 a lot: 99 lots are 990, 100 are in the tier.
        let of = |whole, lower| above_tier(Qty::new(whole), Money::new(lower), (Fine::new(10), &UNIT)).get();
        assert_eq!((of(100, 1000), of(150, 1000), of(150, 1005), of(7, 0)), (1, 51, 50, 7));
    }

    #[test]
    fn a_size_to_close_needs_a_lot_that_lowers_the_shortage() {
        let freed = |margin, liquidator_fee, fund_fee| Freed {
            per_lot: Fine::new(100),
            scale: 1,
            quote: Ppm::ONE,
            margin: Ppm::new(margin),
            liquidator_fee: Ppm::new(liquidator_fee),
            fund_fee: Ppm::new(fund_fee),
        };
        // Ten units at 10 % of 100 are one lot each; 9 % frees less than that and is rounded down.
        let of = |shortage, f: &Freed| size_to_close(Money::new(shortage), f).map(Qty::get);
        assert_eq!(
            (of(30, &freed(100_000, 0, 0)), of(30, &freed(100_000, 5_000, 5_000))),
            (Some(3), Some(3))
        );
        assert_eq!(
            (of(36, &freed(100_000, 10_000, 0)), of(35, &freed(100_000, 10_000, 0))),
            (Some(4), Some(3))
        );
        assert_eq!(of(30, &freed(10_000, 10_000, 0)), None);
    }

    #[test]
    fn a_ramp_counts_what_was_freed_before() {
        let ramp = Ramp { duration: Nanos::new(100), initial: Ppm::new(100_000), full_below: Sum::new(50) };
        let share = |shortage, freed, elapsed| {
            let r = ramp_share(Sum::new(shortage), Sum::new(freed), Nanos::new(elapsed), &ramp);
            Qty::new(1000).ratio_down(r).get()
        };
        assert_eq!((share(49, 0, 0), share(50, 0, 0), share(50, 0, 45)), (1000, 100, 550));
        assert_eq!((share(100, 100, 10), share(100, 100, 40), share(100, 100, 95)), (0, 0, 1000));
    }

    #[test]
    fn a_share_step_stops_at_everything() {
        // Maintenance 100, equity 10: no share with a penalty of half of it reaches the target.
        let s =
            share_step(Sum::new(100), Sum::new(10), Ppm::new(250_000), Ppm::new(900_000), Ppm::new(500_000));
        assert_eq!((s.share, s.ratio_after.is_none()), (Ppm::ONE, true));
        // Without penalty and with equity 60: a half leaves 50 of 60, a quarter 75 of 60.
        let s = share_step(Sum::new(100), Sum::new(60), Ppm::new(250_000), Ppm::new(900_000), Ppm::ZERO);
        assert_eq!(s.share, Ppm::new(500_000));
        // The target itself is not below the target: 50 of 50 against 100 %.
        let s = share_step(Sum::new(100), Sum::new(50), Ppm::new(250_000), Ppm::new(1_000_000), Ppm::ZERO);
        assert_eq!(s.share, Ppm::new(750_000));
    }

    #[test]
    fn a_fillable_price_lies_between_the_mark_and_the_spread() {
        let of = |equity, base| {
            let health = (Sum::new(equity), Sum::new(50));
            let rates = (Ppm::ONE, Ppm::new(1_500_000));
            let at = (Qty::new(base), &UNIT);
            fillable_price(Price::new(100), health, Money::new(50), rates, at)
        };
        // Ten lots, maintenance 50: 7.5 a lot at most, and nearer to the mark by rounding.
        assert_eq!((of(50, 10), of(25, 10), of(0, 10), of(-99, 10)), (100, 97, 93, 93));
        assert_eq!((of(25, -10), of(0, -10)), (103, 107));
    }

    #[test]
    fn a_falling_price_holds_between_steps_and_ends_at_zero() {
        let curve = Curve::Stairstep { factor_ppm: Ppm::new(990_000), step_ns: Nanos::new(90) };
        let of = |elapsed| dutch_price(Price::new(10_000), &curve, Nanos::new(elapsed)).get();
        assert_eq!((of(0), of(89), of(90), of(180), of(270)), (10_000, 10_000, 9_900, 9_801, 9_702));
        assert!(of(i64::MAX) < 1);
        let curve = Curve::Linear { duration_ns: Nanos::new(100) };
        let of = |elapsed| dutch_price(Price::new(999), &curve, Nanos::new(elapsed)).get();
        assert_eq!((of(0), of(25), of(99), of(100), of(i64::MAX)), (999, 749, 9, 0, 0));
    }
}
