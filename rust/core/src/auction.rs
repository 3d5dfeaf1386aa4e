//! The price of an auction: one price at which the most lots of a book trade.
//!
//! One function for every rule (docs/mechanics.md section 6.9): candidates, then a chain of rules that leaves fewer of
//! them, then a step. Pure; knows levels, not orders. Linear in the levels: candidates between two limits have one
//! volume and one surplus, however many price steps there are.

use crate::book::Level;
use crate::config::{Auction, AuctionRounding, Candidates, Pressure, SurplusRule, Tie};
use crate::units::{Doubled, MILLION, Ppm, Price, Qty};

/// What an auction would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clearing {
    /// The one price.
    pub price: Price,
    /// Lots that trade, positive.
    pub volume: Qty,
    /// Demand less supply at the price.
    pub surplus: Qty,
}

/// What stands in an auction.
#[derive(Debug, Clone, Copy)]
pub struct Interest<'a> {
    /// Buys with a limit, best first, each price once.
    pub bids: &'a [Level],
    /// Sells with a limit, best first, each price once.
    pub asks: &'a [Level],
    /// Lots that buy at any price.
    pub market_buys: Qty,
    /// Lots that sell at any price.
    pub market_sells: Qty,
}

/// The price steps of an auction: multiples of `step` from `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Positive.
    pub step: Price,
    /// The lowest price.
    pub low: Price,
    /// The highest price.
    pub high: Price,
}

/// Neighbouring candidates with the same volume and surplus.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    first: Price,
    last: Price,
    volume: Qty,
    surplus: Qty,
}

impl Interest<'_> {
    /// Demand and supply at a price.
    fn at(&self, price: Price) -> (Qty, Qty) {
        let demand: Qty =
            self.bids.iter().take_while(|level| level.price >= price).map(|level| level.qty).sum();
        let supply: Qty =
            self.asks.iter().take_while(|level| level.price <= price).map(|level| level.qty).sum();
        (self.market_buys + demand, self.market_sells + supply)
    }

    /// What an auction at a price would do; `None` if nothing would trade there.
    #[must_use]
    pub fn cleared_at(&self, price: Price) -> Option<Clearing> {
        let (demand, supply) = self.at(price);
        let clearing = Clearing { price, volume: demand.min(supply), surplus: demand - supply };
        clearing.volume.is_positive().then_some(clearing)
    }

    /// The price steps from the lowest of all limits and the reference, down to a step, to the highest, up to one, as
    /// far as they are `prices` of the market, lowest and highest: limits need not be on a step.
    #[must_use]
    pub fn span(&self, step: Price, prices: (Price, Price), reference: Option<Doubled>) -> Grid {
        let ends =
            |side: &[Level]| side.first().into_iter().chain(side.last()).map(|l| l.price).collect::<Vec<_>>();
        let limits = [ends(self.bids), ends(self.asks)].concat();
        let below = limits.iter().map(|limit| limit.on_step_down(step));
        let above = limits.iter().map(|limit| limit.on_step_up(step));
        let low = below.chain(reference.map(|r| r.share_on_step_down(Ppm::ONE, step))).min();
        let high = above.chain(reference.map(|r| r.share_on_step_up(Ppm::ONE, step))).max();
        let low = low.unwrap_or(step).max(prices.0.on_step_up(step));
        Grid { step, low, high: high.unwrap_or(step).min(prices.1) }
    }

    /// Shows every candidate, from the lowest up: at most two stretches per limit and one more.
    fn each_stretch(&self, candidates: Candidates, grid: &Grid, mut show: impl FnMut(Stretch)) {
        let on_grid = candidates == Candidates::Grid;
        let mut demand = self.market_buys + self.bids.iter().map(|level| level.qty).sum();
        let mut supply = self.market_sells;
        let mut bids = self.bids.iter().rev().peekable();
        let mut asks = self.asks.iter().peekable();
        let mut show = |first: Price, last: Price, (demand, supply): (Qty, Qty)| {
            let (first, last) = if on_grid {
                (first.max(grid.low).on_step_up(grid.step), last.min(grid.high).on_step_down(grid.step))
            } else {
                (first, last)
            };
            if first <= last {
                show(Stretch { first, last, volume: demand.min(supply), surplus: demand - supply });
            }
        };
        let tick = Price::new(1);
        let mut next = grid.low;
        while let Some(price) = bids.peek().into_iter().chain(asks.peek()).map(|level| level.price).min() {
            if on_grid {
                show(next, price - tick, (demand, supply));
                next = price + tick;
            }
            if let Some(level) = asks.next_if(|level| level.price == price) {
                supply += level.qty;
            }
            show(price, price, (demand, supply));
            if let Some(level) = bids.next_if(|level| level.price == price) {
                demand -= level.qty;
            }
        }
        if on_grid {
            show(next, grid.high, (demand, supply));
        }
    }
}

/// The candidates that no other one beats so far, as far as they decide.
#[derive(Debug, Clone, Copy)]
struct Kept {
    volume: Qty,
    lowest: (Price, Qty),
    highest: (Price, Qty),
    /// Nearest to the reference, the higher of two.
    nearest: Price,
    /// The highest with demand over, the lowest with supply over.
    turn: (Option<Price>, Option<Price>),
}

/// The reference of an auction, and the steps around it.
#[derive(Debug, Clone, Copy)]
struct Around {
    exact: Doubled,
    below: Price,
    above: Price,
}

impl Around {
    fn new(exact: Doubled, step: Price) -> Self {
        let (below, above) =
            (exact.share_on_step_down(Ppm::ONE, step), exact.share_on_step_up(Ppm::ONE, step));
        Self { exact, below, above }
    }

    /// How far a price is from the reference, in half ticks.
    fn distance(&self, price: Price) -> i64 {
        self.exact.above(price).get().abs()
    }

    /// The step from one to another that is nearest, the higher of two.
    fn nearest(&self, first: Price, last: Price) -> Price {
        let (below, above) = (self.below.max(first).min(last), self.above.max(first).min(last));
        if self.distance(above) <= self.distance(below) { above } else { below }
    }
}

impl Kept {
    fn alone(stretch: &Stretch, reference: &Around) -> Self {
        let Stretch { first, last, volume, surplus } = *stretch;
        let nearest = reference.nearest(first, last);
        let over = surplus.is_positive().then_some(last);
        let short = surplus.is_negative().then_some(first);
        Self { volume, lowest: (first, surplus), highest: (last, surplus), nearest, turn: (over, short) }
    }

    /// The same with candidates above these.
    fn join(self, next: Self, reference: &Around) -> Self {
        let nearer = reference.distance(next.nearest) <= reference.distance(self.nearest);
        Self {
            volume: self.volume,
            lowest: self.lowest,
            highest: next.highest,
            nearest: if nearer { next.nearest } else { self.nearest },
            turn: (next.turn.0.or(self.turn.0), self.turn.1.or(next.turn.1)),
        }
    }

    /// The price that the rest of the chain leaves.
    fn choose(&self, rule: &Auction, step: Price, reference: Doubled) -> Price {
        let (low, high) = (self.lowest.0, self.highest.0);
        // The surplus falls as the price rises, so the two ends tell the sign of all.
        let (over, short) = (self.highest.1.is_positive(), self.lowest.1.is_negative());
        let on_step = |exact: Doubled, share: Ppm| match rule.rounding {
            AuctionRounding::Down => exact.share_on_step_down(share, step),
            AuctionRounding::Up => exact.share_on_step_up(share, step),
        };
        let chosen = match (rule.pressure, rule.tie) {
            (Pressure::Edge, _) if over => high,
            (Pressure::Edge, _) if short => low,
            (Pressure::Bounded { limit_ppm }, _) if over => on_step(reference, Ppm::new(MILLION) + limit_ppm),
            (Pressure::Bounded { limit_ppm }, _) if short => {
                on_step(reference, Ppm::new(MILLION) - limit_ppm)
            }
            (_, Tie::Nearest) => self.nearest,
            (_, Tie::Clamp) => {
                let (from, to) = (self.turn.0.unwrap_or(low), self.turn.1.unwrap_or(high));
                on_step(reference, Ppm::ONE).max(from).min(to)
            }
            (_, Tie::Middle) => on_step(Doubled::mid(low, high), Ppm::ONE),
        };
        // A step beyond the prices left would trade less.
        chosen.max(low).min(high)
    }
}

/// The clearing of what stands in an auction by a rule; `None` if nothing would trade.
///
/// Candidates are the limits, or the steps of the grid; without any limit the reference alone (no reference, no
/// price). Greatest volume; then, unless the rule skips it, least surplus without its sign; then pressure, if all that
/// are left have a surplus of one side; then the tie. A price between two steps goes to the step that the rule says,
/// and not beyond the prices that were left. Without a reference, 0 is the reference of prices with limits. The
/// collar of the rule is not looked at. Linear in the number of levels.
#[must_use]
pub fn clearing(
    rule: &Auction,
    interest: &Interest<'_>,
    reference: Option<Doubled>,
    grid: &Grid,
) -> Option<Clearing> {
    let step = grid.step;
    if interest.bids.is_empty() && interest.asks.is_empty() {
        let price = match rule.rounding {
            AuctionRounding::Down => reference?.share_on_step_down(Ppm::ONE, step),
            AuctionRounding::Up => reference?.share_on_step_up(Ppm::ONE, step),
        };
        return interest.cleared_at(price);
    }
    // Limits need not be on a step; the grid's prices are.
    let on_steps = if rule.candidates == Candidates::Grid { step } else { Price::new(1) };
    let reference = Around::new(reference.unwrap_or_default(), on_steps);
    let least = rule.surplus == SurplusRule::Least;
    let rank = |volume: Qty, surplus: Qty| (volume, if least { -surplus.abs() } else { Qty::ZERO });
    let mut kept: Option<Kept> = None;
    interest.each_stretch(rule.candidates, grid, |stretch| {
        let rank_of = |kept: &Kept| rank(kept.volume, kept.highest.1);
        let next = rank(stretch.volume, stretch.surplus);
        match &mut kept {
            Some(best) if next < rank_of(best) => {}
            Some(best) if next == rank_of(best) => {
                *best = best.join(Kept::alone(&stretch, &reference), &reference);
            }
            _ => kept = Some(Kept::alone(&stretch, &reference)),
        }
    });
    let price = kept?.choose(rule, step, reference.exact);
    interest.cleared_at(price)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Levels of (price, quantity).
    fn levels(rows: &[(i64, i64)]) -> Vec<Level> {
        rows.iter()
            .map(|&(price, qty)| Level { price: Price::new(price), qty: Qty::new(qty), orders: 1 })
            .collect()
    }

    /// (price, volume, surplus) of today's rule with a reference.
    fn clear(bids: &[(i64, i64)], asks: &[(i64, i64)], reference: i64) -> Option<(i64, i64, i64)> {
        let (bids, asks, reference) = (levels(bids), levels(asks), Price::new(reference));
        let interest = Interest { bids: &bids, asks: &asks, market_buys: Qty::ZERO, market_sells: Qty::ZERO };
        let reference = Some(Doubled::mid(reference, reference));
        let grid = interest.span(Price::new(1), (Price::new(1), Price::new(1_000)), reference);
        clearing(&Auction::default(), &interest, reference, &grid)
            .map(|c| (c.price.get(), c.volume.get(), c.surplus.get()))
    }

    #[test]
    fn a_grid_costs_no_more_than_its_limits() {
        let bids: Vec<(i64, i64)> = (0..1000).rev().map(|i| (1 + 5_000 * i, 1 + i)).collect();
        let asks: Vec<(i64, i64)> = (0..1000).map(|i| (3_000 + 5_000 * i, 1 + i)).collect();
        let (bids, asks) = (levels(&bids), levels(&asks));
        let interest = Interest { bids: &bids, asks: &asks, market_buys: Qty::ZERO, market_sells: Qty::ZERO };
        let grid = Grid { step: Price::new(1), low: Price::new(1), high: Price::new(1 << 40) };
        let mut looked = 0;
        interest.each_stretch(Candidates::Grid, &grid, |_| looked += 1);
        assert!(looked <= 2 * (bids.len() + asks.len()) + 1, "{looked} stretches");
    }

    /// The rule of docs/mechanics.md section 6, word by word.
    fn brute(bids: &[(i64, i64)], asks: &[(i64, i64)], reference: i64) -> Option<(i64, i64, i64)> {
        let at = |price: i64| {
            let demand: i64 = bids.iter().filter(|bid| bid.0 >= price).map(|bid| bid.1).sum();
            let supply: i64 = asks.iter().filter(|ask| ask.0 <= price).map(|ask| ask.1).sum();
            (price, demand.min(supply), demand - supply)
        };
        let mut left: Vec<_> = bids.iter().chain(asks).map(|&(price, _)| at(price)).collect();
        let most = left.iter().map(|c| c.1).max()?;
        left.retain(|c| c.1 == most);
        let least = left.iter().map(|c| c.2.abs()).min()?;
        left.retain(|c| c.2.abs() == least);
        if most == 0 {
            None
        } else if left.iter().all(|c| c.2 > 0) {
            left.into_iter().max()
        } else if left.iter().all(|c| c.2 < 0) {
            left.into_iter().min()
        } else {
            left.into_iter().min_by_key(|c| ((c.0 - reference).abs(), -c.0))
        }
    }

    #[test]
    fn a_book_that_does_not_cross_does_not_clear() {
        assert_eq!(clear(&[], &[], 100), None);
        assert_eq!(clear(&[(100, 5)], &[], 100), None);
        assert_eq!(clear(&[], &[(100, 5)], 100), None);
        assert_eq!(clear(&[(99, 5)], &[(100, 5)], 100), None);
    }

    #[test]
    fn the_greatest_volume_wins() {
        assert_eq!(clear(&[(102, 5), (100, 5)], &[(99, 4), (100, 6), (103, 9)], 103), Some((100, 10, 0)));
    }

    #[test]
    fn the_least_surplus_breaks_a_tie_of_volume() {
        // 3 lots trade at 100 and at 101; 2 and 1 lots are left over.
        assert_eq!(clear(&[(101, 4), (100, 1)], &[(100, 3)], 90), Some((101, 3, 1)));
    }

    #[test]
    fn demand_over_takes_the_highest_price_and_supply_over_the_lowest() {
        assert_eq!(clear(&[(105, 9)], &[(100, 3)], 101), Some((105, 3, 6)));
        assert_eq!(clear(&[(105, 3)], &[(100, 9)], 104), Some((100, 3, -6)));
    }

    #[test]
    fn a_balanced_tie_goes_to_the_nearest_price_and_the_higher_of_two() {
        for (reference, price) in [(90, 100), (102, 100), (103, 106), (104, 106), (200, 106)] {
            assert_eq!(
                clear(&[(106, 3)], &[(100, 3)], reference),
                Some((price, 3, 0)),
                "reference {reference}"
            );
        }
    }

    #[test]
    fn a_tie_of_both_signs_goes_to_the_nearest_price() {
        // At 100 two lots of demand are over, at 101 two of supply.
        let (bids, asks) = ([(101, 3), (100, 2)], [(100, 3), (101, 2)]);
        assert_eq!(clear(&bids, &asks, 100), Some((100, 3, 2)));
        assert_eq!(clear(&bids, &asks, 101), Some((101, 3, -2)));
    }

    #[test]
    fn clearing_agrees_with_brute_force() {
        let mut state = 1u64;
        let mut below = |count: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            i64::try_from((state >> 32).wrapping_mul(count) >> 32).unwrap()
        };
        let mut cleared = 0;
        for book in 0..50_000 {
            // Few prices and small quantities make many ties.
            let mut side = || {
                let density = 1 + u64::try_from(below(4)).unwrap();
                let prices: Vec<i64> = (1..=12).filter(|_| below(density) == 0).collect();
                prices.into_iter().map(|price| (price, 1 + below(3))).collect::<Vec<_>>()
            };
            let (mut bids, asks) = (side(), side());
            bids.reverse();
            let reference = 1 + below(12);
            let expected = brute(&bids, &asks, reference);
            assert_eq!(
                clear(&bids, &asks, reference),
                expected,
                "book {book}: {bids:?} {asks:?} at {reference}"
            );
            cleared += usize::from(expected.is_some());
        }
        assert!(cleared > 10_000);
    }
}
