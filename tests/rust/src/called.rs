//! The price of an auction found by looking at every price, written from docs/mechanics.md section 6.9 alone: a list of
//! orders, a list of candidates, and one filter after another. Reads the configuration's words, not its types.

use serde_json::Value;

/// One order of an auction; no price for a market order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bid {
    /// Whether it buys.
    pub buys: bool,
    /// Its limit.
    pub limit: Option<i64>,
    /// Its lots.
    pub lots: i64,
}

/// A price with what trades there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// The price.
    pub price: i64,
    /// Lots that trade.
    pub volume: i64,
    /// Demand less supply.
    pub surplus: i64,
}

/// Which rule of the chain the price came from: what tests count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decided {
    /// Nothing would trade.
    Nothing,
    /// There was no limit: the reference.
    Reference,
    /// One candidate had the greatest volume.
    Volume,
    /// One of those had the least surplus.
    Surplus,
    /// A surplus of one side took the price to an end.
    Edge,
    /// A bounded move from the reference, and whether the ends limited it.
    Bounded(bool),
    /// The nearest of several, and whether another was as near.
    Nearest(bool),
    /// The reference itself, or the end that it was brought to.
    Clamp(bool),
    /// The middle, and whether it was cut to a step.
    Middle(bool),
}

/// An auction to be looked at.
#[derive(Debug, Clone)]
pub struct Called<'a> {
    /// The configuration's `auction`, with every key.
    pub rule: &'a Value,
    /// Every order.
    pub orders: &'a [Bid],
    /// Twice the reference.
    pub reference: Option<i64>,
    /// The price step.
    pub step: i64,
    /// The last price of the market.
    pub price_max: i64,
    /// Seen in a mirror: ties go to the lower price, and rounding the other way.
    pub mirrored: bool,
}

impl Called<'_> {
    fn word(&self, key: &str) -> &str {
        self.rule[key].as_str().unwrap_or("")
    }

    /// What trades at a price.
    #[must_use]
    pub fn at(&self, price: i64) -> Quote {
        let (mut demand, mut supply) = (0, 0);
        for order in self.orders {
            match (order.buys, order.limit) {
                (true, None) => demand += order.lots,
                (true, Some(limit)) if limit >= price => demand += order.lots,
                (false, None) => supply += order.lots,
                (false, Some(limit)) if limit <= price => supply += order.lots,
                _ => {}
            }
        }
        Quote { price, volume: demand.min(supply), surplus: demand - supply }
    }

    /// `numerator / denominator` on a step, by the rule's rounding.
    fn rounded(&self, numerator: i128, denominator: i128) -> i64 {
        let unit = denominator * i128::from(self.step);
        let down = numerator.div_euclid(unit);
        let up = (self.word("rounding") == "up") != self.mirrored;
        let steps = if up && down * unit != numerator { down + 1 } else { down };
        i64::try_from(steps).expect("small prices") * self.step
    }

    /// Every candidate, in order.
    #[must_use]
    pub fn candidates(&self) -> Vec<i64> {
        let mut limits: Vec<i64> = self.orders.iter().filter_map(|order| order.limit).collect();
        limits.sort_unstable();
        limits.dedup();
        if self.word("candidates") == "limits" || limits.is_empty() {
            return limits;
        }
        // Every price between the ends, which lie on steps; those of the market that are on a step count.
        let reference = self.reference.map(|twice| [twice.div_euclid(2), twice.div_euclid(2) + twice % 2]);
        let ends = reference.iter().flatten().chain(&limits);
        let low = ends.clone().min().map_or(1, |price| price - price % self.step);
        let high = ends.max().map_or(1, |price| price + (self.step - price % self.step) % self.step);
        let (low, high) = (low.max(1), high.min(self.price_max));
        (low..=high).filter(|price| price % self.step == 0).collect()
    }

    /// The price, and what decided.
    #[must_use]
    pub fn found(&self) -> (Option<Quote>, Decided) {
        if self.orders.iter().all(|order| order.limit.is_none()) {
            let quote = self.reference.map(|twice| self.at(self.rounded(twice.into(), 2)));
            let quote = quote.filter(|quote| quote.volume > 0);
            return (quote, if quote.is_some() { Decided::Reference } else { Decided::Nothing });
        }
        let all: Vec<Quote> = self.candidates().into_iter().map(|price| self.at(price)).collect();
        let Some(most) = all.iter().map(|quote| quote.volume).max().filter(|most| *most > 0) else {
            return (None, Decided::Nothing);
        };
        let mut left: Vec<Quote> = all.into_iter().filter(|quote| quote.volume == most).collect();
        let mut decided = Decided::Volume;
        if left.len() > 1 && self.word("surplus") == "least" {
            let least = left.iter().map(|quote| quote.surplus.abs()).min().expect("several");
            left.retain(|quote| quote.surplus.abs() == least);
            decided = Decided::Surplus;
        }
        let price = if left.len() == 1 { left[0].price } else { self.tied(&left, &mut decided) };
        let (low, high) = (left[0].price, left[left.len() - 1].price);
        (Some(self.at(price.clamp(low, high))), decided)
    }

    /// The price out of several candidates, before it is brought between their ends.
    fn tied(&self, left: &[Quote], decided: &mut Decided) -> i64 {
        let twice = self.reference.unwrap_or(0);
        let (low, high) = (left[0].price, left[left.len() - 1].price);
        let over = left.iter().all(|quote| quote.surplus > 0);
        let short = left.iter().all(|quote| quote.surplus < 0);
        if let Some(limit) = self.rule["pressure"]["bounded"]["limit_ppm"].as_i64() {
            if over || short {
                let share = if over { 1_000_000 + limit } else { 1_000_000 - limit };
                let price = self.rounded(i128::from(twice) * i128::from(share), 2_000_000);
                *decided = Decided::Bounded(price < low || price > high);
                return price;
            }
        } else if self.word("pressure") == "edge" && (over || short) {
            *decided = Decided::Edge;
            return if over { high } else { low };
        }
        match self.word("tie") {
            "nearest" => {
                let off = |price: i64| (2 * price - twice).abs();
                let near = left.iter().map(|quote| off(quote.price)).min().expect("several");
                let nearest: Vec<i64> =
                    left.iter().map(|quote| quote.price).filter(|price| off(*price) == near).collect();
                *decided = Decided::Nearest(nearest.len() > 1);
                nearest[if self.mirrored { 0 } else { nearest.len() - 1 }]
            }
            "clamp" => {
                let from = left.iter().rev().find(|quote| quote.surplus > 0).map_or(low, |quote| quote.price);
                let to = left.iter().find(|quote| quote.surplus < 0).map_or(high, |quote| quote.price);
                let price = self.rounded(twice.into(), 2);
                *decided = Decided::Clamp(price < from || price > to);
                price.clamp(from, to)
            }
            _ => {
                let price = self.rounded(i128::from(low + high), 2);
                *decided = Decided::Middle(2 * price != low + high);
                price
            }
        }
    }
}
