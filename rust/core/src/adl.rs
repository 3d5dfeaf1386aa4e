//! Auto-deleveraging (ADL): at which price, who first, how many lots.
//!
//! Pure: candidates in, plans out; the waterfall moves the lots.

use crate::config::{Adl, AdlPrice};
use crate::units::{AccountId, Money, Price, Qty, Ratio, Side, TickValue, largest_remainder};

/// An account that could be deleveraged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The account.
    pub account: AccountId,
    /// Lots of its position, without sign.
    pub lots: Qty,
    /// Unrealised profit at the mark, positive.
    pub profit: Money,
    /// Entry cost, without sign.
    pub cost: Money,
    /// Value of the position at the mark.
    pub notional: Money,
    /// Equity of the account, positive.
    pub equity: Money,
}

impl Candidate {
    /// Profit ratio times leverage: `(profit / cost) x (notional / equity)`.
    #[must_use]
    pub(crate) fn score(&self) -> Ratio {
        Ratio::of_products(self.profit, self.notional, self.cost, self.equity)
    }

    /// Lots that may be closed at a cost per lot: the account must not end below zero.
    #[must_use]
    pub(crate) fn cap(&self, cost_per_lot: Money) -> Qty {
        if cost_per_lot.is_positive() {
            self.lots.min(Qty::affordable(self.equity, cost_per_lot))
        } else {
            self.lots
        }
    }
}

/// The transfer price: bankruptcy price or mark by rule, inside the band around the mark.
#[must_use]
pub(crate) fn transfer_price(rule: &Adl, bankruptcy: Price, mark: Price) -> Price {
    let price = match rule.price {
        AdlPrice::Bankruptcy => bankruptcy,
        AdlPrice::Mark => mark,
    };
    match rule.band_ppm {
        Some(width) => price.max(mark.band_lower(width)).min(mark.band_upper(width)),
        None => price,
    }
}

/// What a winner of this side gives up per lot against the mark; negative if it gains.
#[must_use]
pub(crate) fn cost_per_lot(winner: Side, price: Price, mark: Price, tick: TickValue) -> Money {
    tick.per_lot(winner.gain(price, mark))
}

/// The first `max` candidates by score, ties to the lower account, worst first: the next one is at the end.
#[must_use]
pub(crate) fn rank(mut candidates: Vec<Candidate>, max: usize) -> Vec<AccountId> {
    let mut scored: Vec<(Ratio, AccountId)> = candidates.drain(..).map(|c| (c.score(), c.account)).collect();
    let by_rank = |a: &(Ratio, AccountId), b: &(Ratio, AccountId)| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1));
    if scored.len() > max {
        scored.select_nth_unstable_by(max, by_rank);
        scored.truncate(max);
    }
    scored.sort_unstable_by(by_rank);
    scored.into_iter().rev().map(|(_, account)| account).collect()
}

/// Lots of every candidate in proportion to its position, under caps.
#[must_use]
pub(crate) fn pro_rata(lots: Qty, candidates: &[Candidate], cost_per_lot: Money) -> Vec<Qty> {
    let weights: Vec<i64> = candidates.iter().map(|c| c.lots.get()).collect();
    let caps: Vec<i64> = candidates.iter().map(|c| c.cap(cost_per_lot).get()).collect();
    largest_remainder(lots.get(), &weights, &caps).into_iter().map(Qty::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(account: u32, lots: i64, profit: i64, cost: i64, notional: i64, equity: i64) -> Candidate {
        Candidate {
            account: AccountId::new(account),
            lots: Qty::new(lots),
            profit: Money::new(profit),
            cost: Money::new(cost),
            notional: Money::new(notional),
            equity: Money::new(equity),
        }
    }

    #[test]
    fn the_ranking_is_by_profit_and_leverage_then_by_number() {
        let c = vec![
            candidate(0, 1, 10, 100, 90, 90),
            candidate(1, 1, 20, 100, 80, 100),
            candidate(2, 1, 10, 100, 90, 45),
            candidate(3, 1, 10, 100, 90, 90),
        ];
        // Scores 0.1, 0.16, 0.2, 0.1: worst first means 3 before 0.
        let ids = |ranked: Vec<AccountId>| ranked.iter().map(|a| a.get()).collect::<Vec<_>>();
        assert_eq!(ids(rank(c.clone(), 10)), [3, 0, 1, 2]);
        assert_eq!(ids(rank(c, 2)), [1, 2]);
    }

    #[test]
    fn a_winner_is_not_closed_into_debt() {
        let c = candidate(0, 10, 1, 1, 1, 25);
        assert_eq!(
            (c.cap(Money::new(4)), c.cap(Money::ZERO), c.cap(Money::new(-4))),
            (Qty::new(6), Qty::new(10), Qty::new(10))
        );
    }
}
