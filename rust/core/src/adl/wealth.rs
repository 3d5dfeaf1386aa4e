//! Haircuts: money instead of lots. Positions stay open and their holders give up a part of their profit.

use crate::config::AdlRisk;
use crate::units::{
    Money, Share, in_turn, leverage_down, leverage_excess_down, leverage_power_down, pro_rata,
};

/// What one account can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Liable {
    /// Its profit; nothing is asked of who has none.
    pub profit: Money,
    /// At most this much.
    pub cap: Money,
    /// Weight of each unit of profit, at most 2^60.
    pub weight: u64,
}

/// Haircut in proportion: `min(cap, level x profit x weight)` with one common level that raises the budget, exact; every
/// cap whose weight is positive if the caps are less than that.
///
/// Equal weights are pro-rata on profit, which is the haircut with the least greatest share of a profit and, with all
/// gains of a session as profits, variation-margin gains haircutting (Cont 2015, SSRN 2588986). With caps it is capped
/// pro-rata, with [`risk_weight`] risk-aware pro-rata (arXiv 2512.01112). [`whole_units`](crate::whole_units) makes the
/// shares whole.
///
/// # Panics
/// If profits times weights sum to more than 128 bits hold: profits that sum to 2^62 never do.
#[must_use]
pub fn haircut(budget: Money, liable: &[Liable]) -> Vec<Share> {
    let weights: Vec<u128> = liable.iter().map(|l| l.profit.max(Money::ZERO).weighted(l.weight)).collect();
    let caps: Vec<i64> = liable.iter().map(|l| l.cap.min(l.profit).max(Money::ZERO).get()).collect();
    pro_rata(budget.get(), &weights, &caps)
}

/// Haircut in turn, in the order of a ranking: each gives up its cap until the budget is raised; nobody after that is
/// looked at, and the list ends there.
#[must_use]
pub fn haircut_queue(budget: Money, caps: impl IntoIterator<Item = Money>) -> Vec<Money> {
    in_turn(budget.get(), caps.into_iter().map(Money::get)).into_iter().map(Money::new).collect()
}

/// The weight of each unit of profit of a position: 1 without a risk rule, else its leverage `L = notional / equity`
/// times a rule's `g(L)`, in ppm. L is rounded down to a ppm and limited to 2^40 of them, the weight rounded down and
/// limited to 2^60; a position without equity has none.
#[must_use]
pub fn risk_weight(rule: AdlRisk, notional: Money, equity: Money) -> u64 {
    if rule == AdlRisk::None {
        return 1;
    }
    if !equity.is_positive() {
        return 0;
    }
    let leverage = leverage_down(notional, equity);
    match rule {
        AdlRisk::None => 1,
        AdlRisk::Power { exponent } => leverage_power_down(leverage, exponent + 1),
        AdlRisk::Threshold { above_ppm } => leverage_excess_down(leverage, above_ppm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Ppm, whole_units};

    #[test]
    fn the_examples_of_the_risk_aware_rule_are_those_of_its_paper() {
        // arXiv 2512.01112: profits (1.2613, 5.6214, 0.8397) stand for equity too, notionals (1.3, 5.2, 1.3).
        let shares = |rule| {
            let liable: Vec<Liable> = [(12_613, 13_000), (56_214, 52_000), (8_397, 13_000)]
                .map(|(profit, notional)| Liable {
                    profit: Money::new(profit),
                    cap: Money::MAX,
                    weight: risk_weight(rule, Money::new(notional), Money::new(profit)),
                })
                .to_vec();
            haircut(Money::new(1000), &liable).iter().map(|s| s.whole).collect::<Vec<_>>()
        };
        // In thousandths, rounded down; published with three digits: .164 .589 .246, .155 .498 .348, .149 .114 .737.
        assert_eq!(shares(AdlRisk::Power { exponent: 1 }), [164, 589, 246]);
        assert_eq!(shares(AdlRisk::Power { exponent: 2 }), [154, 497, 348]);
        assert_eq!(shares(AdlRisk::Threshold { above_ppm: Ppm::new(900_000) }), [148, 113, 737]);
    }

    #[test]
    fn an_account_without_risk_or_profit_pays_nothing_and_the_caps_are_all_there_is() {
        let of = |profit, weight| Liable { profit: Money::new(profit), cap: Money::new(profit), weight };
        let taken = haircut(Money::new(1000), &[of(100, 0), of(-5, 1), of(70, 2), of(3, 1)]);
        assert_eq!(whole_units(&taken), [0, 0, 70, 3]);
    }

    #[test]
    fn extreme_leverage_is_limited() {
        assert_eq!(risk_weight(AdlRisk::Power { exponent: 2 }, Money::MAX, Money::new(1)), 1 << 60);
        assert_eq!(risk_weight(AdlRisk::Power { exponent: 1 }, Money::new(1), Money::ZERO), 0);
        assert_eq!(risk_weight(AdlRisk::Power { exponent: 1 }, Money::new(3), Money::new(2)), 2_250_000);
        assert_eq!(risk_weight(AdlRisk::None, Money::new(3), Money::ZERO), 1);
    }
}
