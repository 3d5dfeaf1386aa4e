//! Scores of a queue, the order that they make, and the lights that tell an account where it stands.

use super::Candidate;
use crate::config::{AdlLights, AdlScore, LightMethod};
use crate::units::{AccountId, Money, Qty, Ratio, Side, Sum, draw, group_of, level_up};

/// What a score depends on beside the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Side of the candidates' positions.
    pub side: Side,
    /// Their value is one over the price: mark over entry is cost over notional.
    pub inverse: bool,
    /// Minor units of one unit of the valuation asset: the least balance that Binance's rule divides by.
    pub one: Money,
    /// Seed of this ranking, for [`AdlScore::Random`].
    pub seed: u64,
}

/// The exact score of a candidate; the highest is deleveraged first.
///
/// With u the profit, c the cost, N the notional, E the equity and M the maintenance requirement of the account:
/// - `ProfitLeverage`: `(u / c) (N / E)`, of a loss `(u / c) / (N / E)`. For an account of one position N / E is mark
///   over distance to the bankruptcy price. `BitMEX`, 2026: <https://www.bitmex.com/app/autoDeleveraging>.
/// - `ProfitMarginRatio`: `max(0, u) / max(1, W) x M / E` with W = E - u, everything else that the account has. Binance,
///   2026, support faq 360033525471, where W is the wallet balance.
/// - `PriceRatioLiteral`: `(N / c) (N / E)`, N / c being mark over entry, or c / N of an inverse contract;
///   `PriceRatioSigned` has entry over mark for shorts.
///   Hyperliquid, 2026, documented without a side: the first is the letter, the second our reading of what is meant.
/// - the others are what their names say; `Random` is a draw of the frame's seed and the account.
///
/// A denominator of zero stands for infinity, as in a position that cost nothing.
#[must_use]
pub fn score(rule: AdlScore, candidate: &Candidate, frame: &Frame) -> Ratio {
    let c = candidate;
    let whole = |amount: Money| Ratio::new(Sum::of(amount), Sum::new(1));
    let over = |part: Money, of: Money| Ratio::new(Sum::of(part), Sum::of(of));
    match rule {
        AdlScore::ProfitLeverage if c.profit.is_negative() => {
            Ratio::of_products(c.profit, c.equity, c.cost, c.notional)
        }
        AdlScore::ProfitLeverage => Ratio::of_products(c.profit, c.notional, c.cost, c.equity),
        AdlScore::ProfitMarginRatio if !c.profit.is_positive() || !c.equity.is_positive() => {
            whole(Money::ZERO)
        }
        AdlScore::ProfitMarginRatio => {
            let wallet = (c.equity - c.profit).max(frame.one);
            Ratio::of_products(c.profit, c.maintenance, wallet, c.equity)
        }
        AdlScore::PriceRatioSigned if (frame.side == Side::Sell) != frame.inverse => over(c.cost, c.equity),
        AdlScore::PriceRatioLiteral if frame.inverse => over(c.cost, c.equity),
        AdlScore::PriceRatioLiteral | AdlScore::PriceRatioSigned => {
            Ratio::of_products(c.notional, c.notional, c.cost, c.equity)
        }
        AdlScore::Profit => whole(c.profit),
        AdlScore::ProfitRatio => over(c.profit, c.cost),
        AdlScore::Leverage => over(c.notional, c.equity),
        AdlScore::Notional => whole(c.notional),
        AdlScore::Equity => whole(c.equity),
        AdlScore::Random => {
            let drawn = draw(frame.seed, &[u64::from(c.account.get())]);
            Ratio::new(Sum::new(i128::from(drawn)), Sum::new(1))
        }
    }
}

/// The first `max` accounts by score, highest first, ties to the lower account.
#[must_use]
pub fn rank(mut scored: Vec<(Ratio, AccountId)>, max: usize) -> Vec<AccountId> {
    let by_rank = |a: &(Ratio, AccountId), b: &(Ratio, AccountId)| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1));
    if scored.len() > max {
        scored.select_nth_unstable_by(max, by_rank);
        scored.truncate(max);
    }
    scored.sort_unstable_by(by_rank);
    scored.into_iter().map(|(_, account)| account).collect()
}

/// The light of each of some positions, given in the order in which they would be deleveraged: 1 goes first.
///
/// `CumulativeQuantity`: `ceil(levels x lots up to and including the position / all lots)`, as `BitMEX` publishes it;
/// `EqualCount`: groups of `ceil(count / levels)` positions, as Bifinance does.
#[must_use]
pub fn lights(rule: AdlLights, ranked: &[Qty]) -> Vec<u32> {
    let total: i128 = ranked.iter().map(|lots| i128::from(lots.get())).sum();
    let mut running = 0;
    let light = |(place, lots): (usize, &Qty)| match rule.method {
        LightMethod::CumulativeQuantity => {
            running += i128::from(lots.get());
            level_up(running, total, rule.levels)
        }
        LightMethod::EqualCount => group_of(place, ranked.len(), rule.levels),
    };
    ranked.iter().enumerate().map(light).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(account: u32, profit: i64, cost: i64, notional: i64, equity: i64) -> Candidate {
        Candidate {
            account: AccountId::new(account),
            lots: Qty::new(1),
            profit: Money::new(profit),
            cost: Money::new(cost),
            notional: Money::new(notional),
            equity: Money::new(equity),
            ..Candidate::default()
        }
    }

    fn order(rule: AdlScore, side: Side, candidates: &[Candidate]) -> Vec<u32> {
        let frame = Frame { side, inverse: false, one: Money::new(1), seed: 7 };
        let scored = candidates.iter().map(|c| (score(rule, c, &frame), c.account)).collect();
        rank(scored, candidates.len()).into_iter().map(AccountId::get).collect()
    }

    #[test]
    fn the_ranking_is_by_profit_and_leverage_then_by_number() {
        let c = [
            candidate(0, 10, 100, 90, 90),
            candidate(1, 20, 100, 80, 100),
            candidate(2, 10, 100, 90, 45),
            candidate(3, 10, 100, 90, 90),
        ];
        // Scores 0.1, 0.16, 0.2, 0.1.
        assert_eq!(order(AdlScore::ProfitLeverage, Side::Sell, &c), [2, 1, 0, 3]);
        let scored =
            c.iter().map(|c| (Ratio::of_products(c.profit, c.notional, c.cost, c.equity), c.account));
        let first: Vec<u32> = rank(scored.collect(), 2).into_iter().map(AccountId::get).collect();
        assert_eq!(first, [2, 1], "a short ranking keeps the highest");
    }

    #[test]
    fn a_loss_with_more_leverage_comes_first_among_losses() {
        // Losses of 10 % at leverages 2 and 5: -0.05 and -0.02. Positions with a profit come before both.
        let c =
            [candidate(0, -10, 100, 90, 45), candidate(1, -10, 100, 90, 18), candidate(2, 1, 100, 101, 900)];
        assert_eq!(order(AdlScore::ProfitLeverage, Side::Buy, &c), [2, 1, 0]);
    }

    #[test]
    fn the_literal_ratio_turns_the_order_of_shorts_and_the_signed_one_does_not() {
        // Shorts of equal equity at mark 50, from 100 and from 60: the first has more profit.
        let c = [candidate(0, 50, 100, 50, 100), candidate(1, 10, 60, 50, 100)];
        assert_eq!(order(AdlScore::PriceRatioLiteral, Side::Sell, &c), [1, 0]);
        assert_eq!(order(AdlScore::PriceRatioSigned, Side::Sell, &c), [0, 1]);
        // Longs from 25 and 40: both readings agree.
        let c = [candidate(0, 25, 25, 50, 100), candidate(1, 10, 40, 50, 100)];
        assert_eq!(order(AdlScore::PriceRatioLiteral, Side::Buy, &c), [0, 1]);
        assert_eq!(order(AdlScore::PriceRatioSigned, Side::Buy, &c), [0, 1]);
    }

    #[test]
    fn plain_scores_rank_by_what_they_name() {
        let c = [candidate(0, 30, 100, 70, 50), candidate(1, 20, 40, 90, 60), candidate(2, 10, 50, 40, 20)];
        let of = |rule| order(rule, Side::Sell, &c);
        assert_eq!(of(AdlScore::Profit), [0, 1, 2]);
        assert_eq!(of(AdlScore::ProfitRatio), [1, 0, 2]);
        assert_eq!(of(AdlScore::Leverage), [2, 1, 0]);
        assert_eq!(of(AdlScore::Notional), [1, 0, 2]);
        assert_eq!(of(AdlScore::Equity), [1, 0, 2]);
    }

    #[test]
    fn a_random_order_is_that_of_its_seed() {
        let c: Vec<Candidate> = (0..50).map(|n| candidate(n, 1, 1, 1, 1)).collect();
        let of = |seed| {
            let frame = Frame { side: Side::Buy, inverse: false, one: Money::new(1), seed };
            let scored = c.iter().map(|c| (score(AdlScore::Random, c, &frame), c.account)).collect();
            rank(scored, 50)
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn lights_of_nobody_and_of_positions_without_lots() {
        for method in [LightMethod::CumulativeQuantity, LightMethod::EqualCount] {
            let rule = AdlLights { method, levels: 5 };
            assert_eq!(lights(rule, &[]), Vec::<u32>::new());
            assert_eq!(lights(rule, &[Qty::new(7)]), [if method == LightMethod::EqualCount { 1 } else { 5 }]);
        }
    }
}
