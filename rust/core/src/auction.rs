//! The price of an auction: one price at which the most lots of a book trade.
//!
//! Pure; knows levels, not orders.

use crate::book::Level;
use crate::units::{Price, Qty};

/// What an auction would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clearing {
    /// The one price.
    pub(crate) price: Price,
    /// Lots that trade, positive.
    pub(crate) volume: Qty,
    /// Demand less supply at the price.
    pub(crate) surplus: Qty,
}

/// The candidates that no other one beats by volume and size of the surplus, as far as they decide.
struct Tied {
    lowest: Clearing,
    highest: Clearing,
    /// Nearest to the reference, the higher of two.
    nearest: Clearing,
}

impl Tied {
    const fn alone(candidate: Clearing) -> Self {
        Self { lowest: candidate, highest: candidate, nearest: candidate }
    }

    /// Takes the next higher candidate in.
    fn consider(&mut self, next: Clearing, reference: Price) {
        let rank = |c: &Clearing| (c.volume, -c.surplus.abs());
        if rank(&next) < rank(&self.highest) {
            return;
        }
        if rank(&next) > rank(&self.highest) {
            *self = Self::alone(next);
            return;
        }
        self.highest = next;
        if (next.price - reference).abs() <= (self.nearest.price - reference).abs() {
            self.nearest = next;
        }
    }

    /// The surplus falls as the price rises, so the two ends tell the sign of all.
    const fn choose(self) -> Clearing {
        if self.highest.surplus.is_positive() {
            self.highest
        } else if self.lowest.surplus.is_negative() {
            self.lowest
        } else {
            self.nearest
        }
    }
}

/// The clearing of a book whose levels are given best first, `None` if nothing would trade.
///
/// Among the limit prices: greatest volume; then least surplus without its sign; then the highest if all left
/// have demand over, the lowest if all have supply over, else the nearest to the reference, higher on ties.
/// Linear in the number of levels.
pub(crate) fn clearing(bids: &[Level], asks: &[Level], reference: Price) -> Option<Clearing> {
    let mut demand: Qty = bids.iter().map(|level| level.qty).sum();
    let mut supply = Qty::ZERO;
    let mut bids = bids.iter().rev().peekable();
    let mut asks = asks.iter().peekable();
    let mut tied: Option<Tied> = None;
    // Candidates from the lowest up: each side has at most as many prices as levels.
    while let Some(price) = bids.peek().into_iter().chain(asks.peek()).map(|level| level.price).min() {
        if let Some(level) = asks.next_if(|level| level.price == price) {
            supply += level.qty;
        }
        let candidate = Clearing { price, volume: demand.min(supply), surplus: demand - supply };
        match &mut tied {
            Some(tied) => tied.consider(candidate, reference),
            None => tied = Some(Tied::alone(candidate)),
        }
        if let Some(level) = bids.next_if(|level| level.price == price) {
            demand -= level.qty;
        }
    }
    tied.map(Tied::choose).filter(|clearing| clearing.volume.is_positive())
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

    /// (price, volume, surplus) with a reference.
    fn clear(bids: &[(i64, i64)], asks: &[(i64, i64)], reference: i64) -> Option<(i64, i64, i64)> {
        clearing(&levels(bids), &levels(asks), Price::new(reference))
            .map(|c| (c.price.get(), c.volume.get(), c.surplus.get()))
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
