//! What another asset counts for: its price, its weight, what a sale of it brings.

use crate::config::{Collateral, CollateralPrice};
use crate::mark::Prices;
use crate::units::{
    AssetId, MarketId, Money, Ppm, Price, Size, collateral_for_up, collateral_value_down, deposit_scaled,
    size_discount_down,
};

/// A price that an asset's value can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// A market's index.
    Index(MarketId),
    /// A market's mark.
    Mark(MarketId),
}

/// One asset other than the valuation asset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    pub(crate) id: AssetId,
    rule: Collateral,
}

/// One of the two values of an asset: a price and minor units of the valuation asset per tick of it.
#[derive(Debug, Clone, Copy)]
struct Worth {
    follows: Option<Followed>,
    /// The least price; the price itself if nothing is followed.
    least: Price,
    num: i64,
    den: i64,
}

impl Worth {
    fn price(&self, prices: &Prices) -> Price {
        let now = match self.follows {
            Some(Followed::Index(market)) => prices.index(market),
            Some(Followed::Mark(market)) => prices.mark(market),
            None => None,
        };
        now.unwrap_or(Price::ZERO).max(self.least)
    }

    fn of(&self, balance: Money, price: Price, weight: Ppm) -> Money {
        collateral_value_down(balance, price, self.num, self.den, weight)
    }
}

impl Asset {
    pub(crate) fn new(id: AssetId, rule: Collateral) -> Self {
        Self { id, rule }
    }

    /// Every price that the asset's value can follow.
    pub(crate) fn followed(&self) -> impl Iterator<Item = Followed> {
        self.worths().filter_map(|worth| worth.follows)
    }

    fn worths(&self) -> impl Iterator<Item = Worth> {
        let rule = self.rule;
        let by_market = |follows| Worth {
            follows: Some(follows),
            least: rule.price_floor.unwrap_or(Price::ZERO),
            num: rule.value_num,
            den: rule.value_den,
        };
        let first = match rule.price {
            CollateralPrice::Index => Some(by_market(Followed::Index(rule.market))),
            CollateralPrice::Mark => Some(by_market(Followed::Mark(rule.market))),
            CollateralPrice::Redemption => None,
        };
        let redeemed = rule.redemption.map(|r| Worth {
            follows: r.market.map(Followed::Index),
            least: if r.market.is_some() { Price::ZERO } else { Price::new(1) },
            num: r.value_num,
            den: r.value_den,
        });
        first.into_iter().chain(redeemed)
    }

    /// The balance that counts.
    fn counted(&self, held: Money) -> Money {
        let held = held.max(Money::ZERO);
        self.rule.cap.map_or(held, |cap| held.min(cap))
    }

    fn weight(&self, counted: Money) -> Ppm {
        let Some(discount) = self.rule.size_discount else { return self.rule.weight_ppm };
        let size = Size { count: counted.get(), unit: discount.unit.get() };
        size_discount_down(self.rule.weight_ppm, discount.factor_ppb, size)
    }

    /// The larger of the two values of a balance at a weight.
    fn worth(&self, balance: Money, prices: &Prices, weight: Ppm) -> Money {
        let values = self.worths().map(|worth| worth.of(balance, worth.price(prices), weight));
        values.max().unwrap_or(Money::ZERO)
    }

    /// Value that a balance adds to equity, rounded down.
    pub(crate) fn value(&self, held: Money, prices: &Prices) -> Money {
        let counted = self.counted(held);
        if counted.is_zero() { Money::ZERO } else { self.worth(counted, prices, self.weight(counted)) }
    }

    /// Value that a balance adds where initial margin is asked for: less once all `deposits` are worth too much.
    pub(crate) fn initial_value(&self, held: Money, deposits: Money, prices: &Prices) -> Money {
        let Some(start) = self.rule.deposit_scale_start else { return self.value(held, prices) };
        let total = self.worth(deposits, prices, Ppm::ONE);
        let counted = self.counted(held);
        if total <= start || counted.is_zero() {
            return self.value(held, prices);
        }
        let scaled = deposit_scaled(self.weight(counted), total, start);
        scaled.of_down(self.worth(counted, prices, Ppm::ONE))
    }

    /// What a sale of a balance brings: its value at the plain weight, whatever its size.
    pub(crate) fn sale(&self, sold: Money, prices: &Prices) -> Money {
        self.worth(sold, prices, self.rule.weight_ppm)
    }

    /// The smallest balance whose sale brings at least `target`; none if one unit is worth nothing.
    pub(crate) fn sale_for_up(&self, target: Money, prices: &Prices) -> Option<Money> {
        let weight = self.rule.weight_ppm;
        let least = |w: Worth| collateral_for_up(target, w.price(prices), w.num, w.den, weight);
        self.worths().filter_map(least).min()
    }

    // For the guard index: a value that is the larger of two is watched by the price that now makes it so. While that
    // price is not beyond its guard the value is at least what it alone makes, and what it alone makes never rises
    // when it falls.

    /// The price that now decides the value of a balance; none if that cannot fall.
    pub(crate) fn decided_by(&self, held: Money, prices: &Prices) -> Option<Followed> {
        let counted = self.counted(held);
        let weight = self.weight(counted);
        // The first of equals, so that a redemption value takes over only where it is larger.
        let priced = self.worths().map(|w| (w.of(counted, w.price(prices), weight), w));
        let (value, worth) = priced.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
        let falls = value.is_positive() && worth.price(prices) > worth.least;
        worth.follows.filter(|_| falls)
    }

    /// The value that a price alone makes of a balance.
    pub(crate) fn value_at(&self, held: Money, followed: Followed, price: Price) -> Money {
        let counted = self.counted(held);
        let weight = self.weight(counted);
        let of = |w: Worth| w.of(counted, price.max(w.least), weight);
        self.worths().filter(|w| w.follows == Some(followed)).map(of).max().unwrap_or(Money::ZERO)
    }

    /// At most so much of that value goes with one tick.
    pub(crate) fn steepest(&self, held: Money, followed: Followed) -> Money {
        let counted = self.counted(held);
        let weight = self.weight(counted);
        let of = |w: Worth| w.of(counted, Price::new(1), weight) + Money::new(1);
        self.worths().filter(|w| w.follows == Some(followed)).map(of).max().unwrap_or(Money::ZERO)
    }
}
