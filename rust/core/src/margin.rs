//! Margin: requirements by tier, the health of an account, the need of an order.
//!
//! Pure: reads the ledger and prices, changes nothing.

use crate::config::{Collateral, Config, Tier};
use crate::ledger::{Ledger, Position};
use crate::mark::Prices;
use crate::units::{
    AccountId, AssetId, MarketId, Money, Ppm, Price, Qty, Ratio, Sum, TickValue, VALUATION,
    collateral_for_up, collateral_value_down,
};
use core::cmp::Ordering;

/// Which of the two rates of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rate {
    /// To open.
    Initial,
    /// To keep.
    Maintenance,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    lower: Money,
    rate: Ppm,
    deduction: Money,
}

/// One market's rates with the deductions that make requirements join at the tiers' bounds.
#[derive(Debug, Clone)]
pub(crate) struct Tiers {
    initial: Vec<Row>,
    maintenance: Vec<Row>,
    /// Maintenance times the call factor, where rates and deductions are whole; else the factor is applied anew.
    call: Option<Vec<Row>>,
    factor: Ppm,
}

impl Tiers {
    /// `deduction_n = deduction_(n-1) + lower_n (rate_n - rate_(n-1))`, whole by the configuration's proof.
    #[must_use]
    pub(crate) fn new(tiers: &[Tier], factor: Ppm) -> Self {
        let rows = |rate_of: fn(&Tier) -> Ppm| {
            let mut rows: Vec<Row> = Vec::with_capacity(tiers.len());
            for tier in tiers {
                let rate = rate_of(tier);
                let deduction = rows.last().map_or(Money::ZERO, |before| {
                    let step = tier.lower.ppm_exact(rate - before.rate);
                    before.deduction + step.expect("the configuration proved whole deductions")
                });
                rows.push(Row { lower: tier.lower, rate, deduction });
            }
            rows
        };
        let (initial, maintenance) = (rows(|t| t.initial_ppm), rows(|t| t.maintenance_ppm));
        let scaled = |row: &Row| {
            let rate = row.rate.scaled_exact(factor)?;
            Some(Row { lower: row.lower, rate, deduction: row.deduction.ppm_exact(factor)? })
        };
        let call = maintenance.iter().map(scaled).collect();
        Self { initial, maintenance, call, factor }
    }

    /// `ceil(notional x rate) - deduction` of the tier that the notional falls in.
    #[must_use]
    pub(crate) fn requirement(&self, rate: Rate, notional: Money) -> Money {
        let row = row(
            match rate {
                Rate::Initial => &self.initial,
                Rate::Maintenance => &self.maintenance,
            },
            notional,
        );
        notional.ppm_up(row.rate) - row.deduction
    }

    /// The lower bound and the maintenance rate of the tier that the notional falls in.
    #[must_use]
    pub(crate) fn tier(&self, notional: Money) -> (Money, Ppm) {
        let row = row(&self.maintenance, notional);
        (row.lower, row.rate)
    }

    /// `ceil((notional x rate - deduction) x call)`: one rounding, so that it never grows faster than the notional.
    #[must_use]
    pub(crate) fn call(&self, notional: Money) -> Money {
        if let Some(rows) = &self.call {
            let row = row(rows, notional);
            return notional.ppm_up(row.rate) - row.deduction;
        }
        let row = row(&self.maintenance, notional);
        notional.scaled_requirement_up(row.rate, row.deduction, self.factor)
    }

    /// The highest maintenance rate, times the call factor if asked for, rounded up.
    #[must_use]
    pub(crate) fn rate_max(&self, call: bool) -> Ppm {
        let rate = self.maintenance.last().expect("there is a tier").rate;
        if call { rate.scaled_up(self.factor) } else { rate }
    }
}

/// The row of the tier that a notional falls in.
fn row(rows: &[Row], notional: Money) -> &Row {
    let mut row = &rows[0];
    for next in &rows[1..] {
        if notional < next.lower {
            break;
        }
        row = next;
    }
    row
}

/// What margin needs to know of the configuration, in the form in which it needs it.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    tiers: Vec<Tiers>,
    ticks: Vec<TickValue>,
    call: Ppm,
    collateral: Vec<(AssetId, Collateral)>,
}

/// Equity and requirements of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Balance, other assets' value and unrealised profit.
    pub equity: Sum,
    /// Maintenance requirement.
    pub maintenance: Sum,
    /// Requirement below which the account is called; zero without positions or without calls.
    pub call: Sum,
}

impl Health {
    /// True if the account may be liquidated.
    #[must_use]
    pub fn is_liquidatable(&self) -> bool {
        self.equity < self.maintenance
    }

    /// True if the account is to be called.
    #[must_use]
    pub fn is_callable(&self) -> bool {
        self.call.is_positive() && self.equity < self.call
    }

    /// Worse first: the smaller `equity / maintenance`, without a requirement worst.
    #[must_use]
    pub fn worse(&self, other: &Self) -> Ordering {
        Ratio::new(self.equity, self.maintenance).cmp(&Ratio::new(other.equity, other.maintenance))
    }
}

impl Rules {
    /// The rules of a configuration.
    #[must_use]
    pub(crate) fn new(config: &Config) -> Self {
        let collateral = config.assets.iter().enumerate();
        Self {
            tiers: config.markets.iter().map(|m| Tiers::new(&m.tiers, config.margin_call_ppm)).collect(),
            ticks: config.markets.iter().map(|m| m.tick_value).collect(),
            call: config.margin_call_ppm,
            collateral: collateral
                .filter_map(|(i, a)| a.collateral.map(|c| (AssetId::from_index(i), c)))
                .collect(),
        }
    }

    /// The tick value of a market.
    #[must_use]
    pub(crate) fn tick(&self, market: MarketId) -> TickValue {
        self.ticks[market.index()]
    }

    /// Assets other than the valuation asset.
    #[must_use]
    pub(crate) fn collateral(&self) -> &[(AssetId, Collateral)] {
        &self.collateral
    }

    /// Maintenance requirement of a position at a price.
    #[must_use]
    pub(crate) fn maintenance(&self, market: MarketId, base: Qty, price: Price) -> Money {
        let notional = price.value(base.abs(), self.tick(market));
        self.tiers[market.index()].requirement(Rate::Maintenance, notional)
    }

    /// The lower bound and the maintenance rate of a position's tier at a price.
    #[must_use]
    pub(crate) fn tier(&self, market: MarketId, base: Qty, price: Price) -> (Money, Ppm) {
        self.tiers[market.index()].tier(price.value(base.abs(), self.tick(market)))
    }

    /// Requirement of a position at a price below which its account is called.
    #[must_use]
    pub(crate) fn call(&self, market: MarketId, base: Qty, price: Price) -> Money {
        let notional = price.value(base.abs(), self.tick(market));
        self.tiers[market.index()].call(notional)
    }

    /// The highest rate at which a market's requirement can grow with the notional.
    #[must_use]
    pub(crate) fn rate_max(&self, market: MarketId, call: bool) -> Ppm {
        self.tiers[market.index()].rate_max(call)
    }

    /// True if accounts are called at all.
    #[must_use]
    pub(crate) fn has_calls(&self) -> bool {
        !self.call.is_zero()
    }

    /// Initial requirement of an exposure at a price.
    #[must_use]
    pub(crate) fn initial(&self, market: MarketId, exposure: Qty, price: Price) -> Money {
        self.tiers[market.index()].requirement(Rate::Initial, price.value(exposure, self.tick(market)))
    }

    /// Equity of an account.
    #[must_use]
    pub(crate) fn equity(&self, ledger: &Ledger, prices: &Prices, account: AccountId) -> Sum {
        let mut equity = Sum::of(ledger.balance(account, VALUATION));
        for (asset, c) in &self.collateral {
            let held = ledger.balance(account, *asset);
            if let Some(index) = prices.index(c.market).filter(|_| !held.is_zero()) {
                equity += collateral_value(c, held, index);
            }
        }
        for (i, p) in ledger.positions(account).iter().enumerate() {
            if !p.base.is_zero() {
                let market = MarketId::from_index(i);
                equity += p.profit(prices.known(market), self.tick(market));
            }
        }
        equity
    }

    /// Equity, maintenance and call requirement of an account.
    #[must_use]
    pub(crate) fn health(&self, ledger: &Ledger, prices: &Prices, account: AccountId) -> Health {
        let equity = self.equity(ledger, prices, account);
        let (mut maintenance, mut call) = (Sum::ZERO, Sum::ZERO);
        for (i, p) in ledger.positions(account).iter().enumerate() {
            if !p.base.is_zero() {
                let market = MarketId::from_index(i);
                let price = prices.known(market);
                maintenance += self.maintenance(market, p.base, price);
                call += self.call(market, p.base, price);
            }
        }
        Health { equity, maintenance, call }
    }

    /// Initial requirement of one market with what rests in it.
    #[must_use]
    pub(crate) fn initial_of(&self, prices: &Prices, market: MarketId, position: &Position) -> Money {
        let exposure = position.exposure();
        if exposure.is_zero() { Money::ZERO } else { self.initial(market, exposure, prices.known(market)) }
    }

    /// Initial requirement of an account over all markets, open orders counted.
    #[must_use]
    pub(crate) fn initial_total(&self, ledger: &Ledger, prices: &Prices, account: AccountId) -> Sum {
        let mut total = Sum::ZERO;
        for (i, p) in ledger.positions(account).iter().enumerate() {
            total += self.initial_of(prices, MarketId::from_index(i), p);
        }
        total
    }

    /// Initial requirement with one market's position replaced by another.
    #[must_use]
    pub(crate) fn initial_with(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        market: MarketId,
        replaced: &Position,
    ) -> Sum {
        let mut total = Sum::of(self.initial_of(prices, market, replaced));
        for (i, p) in ledger.positions(account).iter().enumerate() {
            if i != market.index() {
                total += self.initial_of(prices, MarketId::from_index(i), p);
            }
        }
        total
    }
}

impl Rules {
    /// True if an account covers its initial requirement after a trade that leaves it the position `after` and
    /// realises `profit`: what binds trades outside the book.
    #[must_use]
    pub(crate) fn carries(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        market: MarketId,
        traded: &(Position, Money),
    ) -> bool {
        let (after, profit) = traded;
        let (mark, tick) = (prices.known(market), self.tick(market));
        let held = ledger.position(account, market);
        let gain = after.profit(mark, tick) + *profit - held.profit(mark, tick);
        let equity = self.equity(ledger, prices, account) + Sum::of(gain);
        equity >= self.initial_with(ledger, prices, account, market, after)
    }
}

/// Value that a balance of another asset adds to equity, rounded down.
#[must_use]
pub(crate) fn collateral_value(c: &Collateral, balance: Money, index: Price) -> Money {
    collateral_value_down(balance, index, c.value_num, c.value_den, c.weight_ppm)
}

/// The smallest balance worth at least `target`; none if one unit is worth nothing.
#[must_use]
pub(crate) fn collateral_for(c: &Collateral, target: Money, index: Price) -> Option<Money> {
    collateral_for_up(target, index, c.value_num, c.value_den, c.weight_ppm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_join_at_the_bounds_of_tiers() {
        let tier = |lower, initial, maintenance| Tier {
            lower: Money::new(lower),
            initial_ppm: Ppm::new(initial),
            maintenance_ppm: Ppm::new(maintenance),
        };
        let tiers = Tiers::new(
            &[tier(0, 20_000, 10_000), tier(1_000_000, 50_000, 25_000), tier(3_000_000, 100_000, 50_000)],
            Ppm::new(1_250_000),
        );
        let of = |notional| tiers.requirement(Rate::Maintenance, Money::new(notional)).get();
        // 1 % to a million; then 2.5 % less 15,000; then 5 % less 90,000.
        assert_eq!((of(999_999), of(1_000_000), of(3_000_000)), (10_000, 10_000, 60_000));
        assert_eq!((of(1), of(2_000_000), of(4_000_000)), (1, 35_000, 110_000));
        assert_eq!(tiers.requirement(Rate::Initial, Money::new(2_000_000)).get(), 70_000);
    }
}
