//! The uncross: docs/mechanics.md section 6.8.

use super::meet::Meeting;
use super::seen::Situation;
use super::words::{event, fill, flag};
use super::{Market, Naive, Order, number};
use seawall_core::Record;
use std::cmp::Reverse;

/// What an auction found.
#[derive(Debug, Clone, Copy)]
struct Found {
    price: i64,
    volume: i64,
    surplus: i64,
}

impl Market {
    /// The price of an uncross now; none if nothing would trade.
    fn uncross_price(&self) -> Option<Found> {
        let sides = [self.side(0), self.side(1)];
        let lots = |side: &[&Order], reaches: &dyn Fn(i64) -> bool| -> i64 {
            side.iter().filter(|o| reaches(o.price)).map(|o| o.open()).sum()
        };
        let mut found: Vec<Found> = Vec::new();
        for price in sides.iter().flatten().map(|o| o.price) {
            let demand = lots(&sides[0], &|p| p >= price);
            let supply = lots(&sides[1], &|p| p <= price);
            found.push(Found { price, volume: demand.min(supply), surplus: demand - supply });
        }
        let volume = found.iter().map(|f| f.volume).max().filter(|v| *v > 0)?;
        found.retain(|f| f.volume == volume);
        let surplus = found.iter().map(|f| f.surplus.abs()).min()?;
        found.retain(|f| f.surplus.abs() == surplus);
        if found.iter().all(|f| f.surplus > 0) {
            return found.into_iter().max_by_key(|f| f.price);
        }
        if found.iter().all(|f| f.surplus < 0) {
            return found.into_iter().min_by_key(|f| f.price);
        }
        let reference = self.mark.or(self.last).unwrap_or(0);
        found.into_iter().min_by_key(|f| ((f.price - reference).abs(), Reverse(f.price)))
    }
}

impl Naive {
    /// Meets the two sides of a crossed book at one price, again while orders that fell away leave it crossed.
    pub(super) fn uncross(&mut self, m: usize) {
        let mut again = false;
        while let Some(found) = self.markets[m].uncross_price() {
            if again {
                self.seen.mark(Situation::UncrossAgain);
            }
            again = true;
            self.seen.mark(Situation::Uncrossed);
            self.emit(Record {
                kind: event::UNCROSSED,
                market: number(m),
                price: found.price,
                qty: found.volume,
                amount: found.surplus,
                ..Record::default()
            });
            let mut left = found.volume;
            let mut traded = false;
            while left > 0 {
                let Some([buy, sell]) = self.next_pair(m, found.price) else { break };
                let before = self.out.len();
                let gone = !self.still_reduces(m, buy)
                    || !self.markets[m].orders.contains_key(&sell)
                    || !self.still_reduces(m, sell)
                    || !self.markets[m].orders.contains_key(&buy);
                if self.out.len() > before {
                    self.seen.mark(Situation::UncrossReduced);
                }
                if !gone {
                    left -= self.meet_in_auction(m, [buy, sell], found.price, left);
                    traded = true;
                }
            }
            if traded {
                self.markets[m].last = Some(found.price);
                self.markets[m].trades.push((found.price, self.acceptances));
            }
        }
    }

    /// The first buy at or above the price and the first sell at or below it.
    fn next_pair(&self, m: usize, price: i64) -> Option<[u64; 2]> {
        let buy = self.markets[m].first(0).filter(|o| o.price >= price)?;
        let sell = self.markets[m].first(1).filter(|o| o.price <= price)?;
        Some([buy.id, sell.id])
    }

    fn meet_in_auction(&mut self, m: usize, pair: [u64; 2], price: i64, most: i64) -> i64 {
        let orders = pair.map(|id| self.markets[m].orders[&id].clone());
        let [buy, sell] = &orders;
        if orders.iter().any(|o| o.display.is_some()) {
            self.seen.mark(Situation::UncrossIceberg);
        }
        if orders.iter().any(|o| o.has(flag::HIDDEN)) {
            self.seen.mark(Situation::UncrossHidden);
        }
        if self.one_party(buy, sell) {
            self.seen.mark(Situation::UncrossOwn);
        }
        let qty = most.min(buy.front).min(sell.front);
        let rate = self.markets[m].rules.maker_ppm;
        for id in pair {
            self.fill(m, id, Meeting { price, qty }, fill::AUCTION, rate);
        }
        for id in pair {
            self.refresh(m, id);
        }
        self.drop_legs(m, orders.map(|o| o.leg));
        qty
    }
}
