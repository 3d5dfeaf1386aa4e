//! Margin: requirements by tier, the health of an account, the need of an order.
//!
//! Pure: reads the ledger and prices, changes nothing.

mod collateral;
mod portfolio;
mod tiers;

pub(crate) use collateral::{Asset, Followed};
pub(crate) use portfolio::{Grids, Level};
pub use tiers::InitialMargin;

use crate::config::{self, Config, Multiplier};
use crate::ledger::{Ledger, Position, Traded};
use crate::mark::Prices;
use crate::units::{
    AccountId, AssetId, Contract, Exposed, Flat, Fraction, MarketId, Money, Ppm, Price, Qty, Ratio, Side,
    Sum, VALUATION,
};
use core::cmp::Ordering;
use tiers::{Exposure, Tiers};

/// What margin needs to know of the configuration, in the form in which it needs it.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    tiers: Vec<Tiers>,
    /// By market: what its rates are multiplied by.
    multipliers: Vec<Multiplier>,
    contracts: Vec<Contract>,
    call: Ppm,
    /// Called accounts have a deadline, and leave liquidation only once they cover their call.
    has_grace: bool,
    /// Equity of an account in liquidation from which it leaves, as a multiple of maintenance.
    exit: Ppm,
    /// How far from maintenance to initial margin a resting order's trade has to leave its account covered.
    fill: Option<Fraction>,
    /// Share of the open notional that a withdrawal leaves.
    withdrawal: Ppm,
    assets: Vec<Asset>,
    /// Some asset counts for less where initial margin is asked for.
    has_scaled_assets: bool,
    /// Groups of markets, if there are any.
    grids: Option<Grids>,
    /// By market: [`Rules::flat`] before there is a mark.
    flat: Vec<Option<Flat>>,
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

/// What is required in a market, where that is simple.
fn flat_of(of: &config::Market, tiers: &Tiers) -> Option<Flat> {
    let (initial, kept) = tiers.flat_rates()?;
    Flat::new(&of.contract(), initial, kept, of.fees.taker_ppm)
}

impl Rules {
    /// The rules of a configuration.
    #[must_use]
    pub(crate) fn new(config: &Config) -> Self {
        let others = || config.assets.iter().enumerate().filter_map(|(i, a)| a.collateral.map(|c| (i, c)));
        let tiers = |m: &config::Market| Tiers::new(&m.tiers, &m.margin, config.margin_call_ppm);
        let tiers: Vec<Tiers> = config.markets.iter().map(tiers).collect();
        let is_alone = config.portfolios.is_empty();
        let flat = |(of, tiers)| flat_of(of, tiers).filter(|_| is_alone);
        Self {
            flat: config.markets.iter().zip(&tiers).map(flat).collect(),
            tiers,
            multipliers: vec![Multiplier::ONE; config.markets.len()],
            contracts: config.markets.iter().map(config::Market::contract).collect(),
            call: config.margin_call_ppm,
            has_grace: config.margin_call_grace_ns.is_positive(),
            exit: config.liquidation_exit_ppm,
            fill: config.levels.fill,
            withdrawal: config.withdrawal_notional_ppm,
            assets: others().map(|(i, c)| Asset::new(AssetId::from_index(i), c)).collect(),
            has_scaled_assets: others().any(|(_, c)| c.deposit_scale_start.is_some()),
            grids: (!config.portfolios.is_empty()).then(|| Grids::new(config)),
        }
    }

    /// The contract of a market.
    #[must_use]
    #[inline(always)]
    pub(crate) fn contract(&self, market: MarketId) -> &Contract {
        &self.contracts[market.index()]
    }

    /// Value of a position at a price, without sign and at least one minor unit: so its requirement is never nothing,
    /// and profit and requirement of a position round the same value.
    #[must_use]
    #[inline(always)]
    pub(crate) fn notional(&self, market: MarketId, base: Qty, price: Price) -> Money {
        debug_assert!(!base.is_zero());
        self.contract(market).value(price, base).abs().max(Money::new(1))
    }

    /// What a market's rates are multiplied by.
    #[must_use]
    pub(crate) fn multiplier(&self, market: MarketId) -> Multiplier {
        self.multipliers[market.index()]
    }

    /// Multiplies the rates of a market's tiers as they are configured; false, and nothing changes, if they would not be
    /// accepted in a configuration.
    #[must_use]
    pub(crate) fn multiply(&mut self, market: MarketId, of: &config::Market, by: Multiplier) -> bool {
        let Some(tiers) = config::multiplied(&of.tiers, by, self.call) else { return false };
        let tiers = Tiers::new(&tiers, &of.margin, self.call);
        self.flat[market.index()] = flat_of(of, &tiers).filter(|_| self.grids.is_none());
        self.tiers[market.index()] = tiers;
        self.multipliers[market.index()] = by;
        true
    }

    /// What is required in a market at a mark where that is simple, and nobody's positions are margined together.
    #[must_use]
    pub(crate) fn flat(&self, market: MarketId, mark: Price) -> Option<Flat> {
        self.flat[market.index()].and_then(|flat| flat.at(mark))
    }

    /// Assets other than the valuation asset.
    #[must_use]
    pub(crate) fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// Maintenance requirement of a position at a price.
    #[must_use]
    #[inline]
    pub(crate) fn maintenance(&self, market: MarketId, base: Qty, price: Price) -> Money {
        let notional = self.notional(market, base, price);
        self.tiers[market.index()].maintenance(notional, base.abs())
    }

    /// The lower bound of a position's tier at a price, and its maintenance rate.
    #[must_use]
    pub(crate) fn tier(&self, market: MarketId, base: Qty, price: Price) -> (Money, Ppm) {
        let notional = self.notional(market, base, price);
        self.tiers[market.index()].tier(notional, base.abs())
    }

    /// Requirement of a position at a price below which its account is called.
    #[must_use]
    #[inline]
    pub(crate) fn call(&self, market: MarketId, base: Qty, price: Price) -> Money {
        let notional = self.notional(market, base, price);
        self.tiers[market.index()].call(notional, base.abs())
    }

    /// The highest rate at which a position's requirement can grow with its notional.
    #[must_use]
    pub(crate) fn rate_max(&self, market: MarketId, base: Qty, call: bool) -> Ppm {
        self.tiers[market.index()].rate_max(base.abs(), call)
    }

    /// True if accounts are called at all.
    #[must_use]
    pub(crate) fn has_calls(&self) -> bool {
        !self.call.is_zero()
    }

    /// True if an account in liquidation is well enough covered to leave it.
    #[must_use]
    pub(crate) fn has_recovered(&self, health: &Health) -> bool {
        let covered = health.equity >= health.maintenance.scaled_up(self.exit);
        covered && (!self.has_grace || health.equity >= health.call)
    }

    /// What an account in liquidation has to cover: its call where calls have deadlines, else maintenance.
    #[must_use]
    pub(crate) fn restored(&self, health: &Health) -> Sum {
        if self.has_grace { health.call.max(health.maintenance) } else { health.maintenance }
    }

    /// The rate at which that requirement of a market grows, from the maintenance rate; rounded up.
    #[must_use]
    pub(crate) fn restored_rate(&self, maintenance: Ppm) -> Ppm {
        if self.has_grace { maintenance.scaled_up(self.call) } else { maintenance }
    }

    /// True if resting orders are asked whether their accounts carry a trade.
    #[must_use]
    #[inline(always)]
    pub(crate) fn has_fill_level(&self) -> bool {
        self.fill.is_some()
    }

    /// Equity of an account.
    #[must_use]
    pub(crate) fn equity(&self, ledger: &Ledger, prices: &Prices, account: AccountId) -> Sum {
        let mut equity =
            Sum::of(ledger.balance(account, VALUATION)) + self.collateral(ledger, prices, account);
        for (i, p) in ledger.positions(account).iter().enumerate() {
            if !p.base.is_zero() {
                let market = MarketId::from_index(i);
                equity += p.profit(prices.known(market), self.contract(market));
            }
        }
        equity
    }

    /// Equity that counts where initial margin is asked for: assets with many deposits count for less.
    #[must_use]
    pub(crate) fn initial_equity(&self, ledger: &Ledger, prices: &Prices, account: AccountId) -> Sum {
        let equity = self.equity(ledger, prices, account);
        if self.has_scaled_assets {
            equity - self.collateral(ledger, prices, account)
                + self.initial_collateral(ledger, prices, account)
        } else {
            equity
        }
    }

    /// What an account's other assets add to its equity.
    fn collateral(&self, ledger: &Ledger, prices: &Prices, account: AccountId) -> Sum {
        let mut sum = Sum::ZERO;
        for asset in &self.assets {
            let held = ledger.balance(account, asset.id);
            if !held.is_zero() {
                sum += asset.value(held, prices);
            }
        }
        sum
    }

    /// What they add where initial margin is asked for.
    #[inline(never)]
    fn initial_collateral(&self, ledger: &Ledger, prices: &Prices, account: AccountId) -> Sum {
        if !self.has_scaled_assets {
            return self.collateral(ledger, prices, account);
        }
        let mut sum = Sum::ZERO;
        for asset in &self.assets {
            sum += asset.initial_value(ledger.balance(account, asset.id), ledger.deposits(asset.id), prices);
        }
        sum
    }

    /// Equity, maintenance and call requirement of an account.
    #[must_use]
    pub(crate) fn health(&self, ledger: &Ledger, prices: &Prices, account: AccountId) -> Health {
        let equity = self.equity(ledger, prices, account);
        let grids = self.grids_of(ledger, account);
        let (mut maintenance, mut call) = (Sum::ZERO, Sum::ZERO);
        for (i, p) in ledger.positions(account).iter().enumerate() {
            let market = MarketId::from_index(i);
            if !p.base.is_zero() && grids.is_none_or(|grids| !grids.covers(market)) {
                let price = prices.known(market);
                maintenance += self.maintenance(market, p.base, price);
                call += self.call(market, p.base, price);
            }
        }
        if let Some(grids) = grids {
            let (lots, price) = (|m| ledger.position(account, m).base, |m| prices.known(m));
            maintenance += grids.total(Level::Maintenance, lots, price);
            call += grids.total(Level::Call, lots, price);
        }
        Health { equity, maintenance, call }
    }

    /// Initial requirement of one market with what rests in it.
    #[must_use]
    #[inline(always)]
    pub(crate) fn initial_of(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        market: MarketId,
        position: &Position,
    ) -> Money {
        self.initial_at(ledger, prices, market, position.exposure(), ledger.own_rate(account, market))
    }

    /// Initial requirement of one market for so many lots at most, at a rate that the account chose for itself.
    #[must_use]
    #[inline(always)]
    pub(crate) fn initial_at(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        market: MarketId,
        size: Qty,
        own: Ppm,
    ) -> Money {
        if size.is_zero() {
            return Money::ZERO;
        }
        let (contract, price) = (self.contract(market), prices.known(market));
        let exposure = Exposure { size, contract, price, open: ledger.open_interest(market), own };
        self.tiers[market.index()].initial(&exposure)
    }

    /// The initial rate of a leverage that an account sets for itself: `Tiers::own_rate` of the market.
    #[must_use]
    pub(crate) fn own_rate(&self, market: MarketId, leverage: i64) -> Option<Ppm> {
        self.tiers[market.index()].own_rate(leverage)
    }

    /// Initial requirement of an account over all markets, open orders counted.
    #[must_use]
    pub(crate) fn initial_total(&self, ledger: &Ledger, prices: &Prices, account: AccountId) -> Sum {
        if self.grids_of(ledger, account).is_some() {
            let first = MarketId::new(0);
            return self.initial_with(ledger, prices, account, (first, ledger.position(account, first)));
        }
        let mut total = Sum::ZERO;
        for (i, p) in ledger.positions(account).iter().enumerate() {
            total += self.initial_of(ledger, prices, account, MarketId::from_index(i), p);
        }
        total
    }

    /// Initial equity less the initial requirement, with one market's position replaced by another, and what fills there
    /// could lead to at most: what every order is asked for, in one look at its account.
    #[must_use]
    #[inline(always)]
    pub(crate) fn spare_with(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        market: MarketId,
        (replaced, size): (&Position, Qty),
    ) -> Sum {
        let mut spare = Sum::of(ledger.balance(account, VALUATION));
        if !self.assets.is_empty() {
            spare += self.initial_collateral(ledger, prices, account);
        }
        spare += self.spare_of(ledger, prices, (account, market), replaced, size);
        if ledger.markets() > 1 {
            spare + self.spare_of_others(ledger, prices, account, market)
        } else {
            spare
        }
    }

    /// Profit of a position less the initial requirement of what fills could lead to at most.
    #[inline(always)]
    fn spare_of(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        of: (AccountId, MarketId),
        p: &Position,
        size: Qty,
    ) -> Money {
        let (account, market) = of;
        let mut spare = Money::ZERO;
        if !p.base.is_zero() {
            spare += p.profit(prices.known(market), self.contract(market));
        }
        if !size.is_zero() {
            spare -= self.initial_at(ledger, prices, market, size, ledger.own_rate(account, market));
        }
        spare
    }

    /// The same of all other markets.
    #[inline(never)]
    fn spare_of_others(&self, ledger: &Ledger, prices: &Prices, account: AccountId, but: MarketId) -> Sum {
        let mut spare = Sum::ZERO;
        for (i, p) in ledger.positions(account).iter().enumerate() {
            let market = MarketId::from_index(i);
            if market != but {
                spare += self.spare_of(ledger, prices, (account, market), p, p.exposure());
            }
        }
        spare
    }

    /// Initial equity after a trade in a market, less the fill requirement of all positions: maintenance, and the fill
    /// level's part of the way from there to initial margin, rounded up in each market. Orders that rest do not count.
    /// `open` is the open interest of the market that traded.
    #[must_use]
    pub(crate) fn fill_spare(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        traded: (MarketId, &Traded),
        open: Qty,
    ) -> Sum {
        let fill = self.fill.expect("a venue without a fill level asks for none");
        let (market, traded) = traded;
        let cash = ledger.balance(account, VALUATION) + traded.profit;
        let mut spare = Sum::of(cash) + self.initial_collateral(ledger, prices, account);
        let grids = self.grids_of(ledger, account);
        if let Some(grids) = grids {
            let lots = |m| if m == market { &traded.after } else { ledger.position(account, m) }.base;
            spare -= grids.fill(fill, lots, |m| prices.known(m));
        }
        for (i, p) in ledger.positions(account).iter().enumerate() {
            let of = MarketId::from_index(i);
            let (p, open) = if of == market { (&traded.after, open) } else { (p, ledger.open_interest(of)) };
            if p.base.is_zero() {
                continue;
            }
            let (price, contract) = (prices.known(of), self.contract(of));
            let own = ledger.own_rate(account, of);
            let exposure = Exposure { size: p.base.abs(), contract, price, open, own };
            let initial = self.tiers[of.index()].initial(&exposure);
            let maintenance = self.maintenance(of, p.base, price);
            spare += p.profit(price, contract);
            if grids.is_some_and(|grids| grids.covers(of)) {
                continue;
            }
            spare -= maintenance + (initial - maintenance).max(Money::ZERO).fraction_up(fill);
        }
        spare
    }

    /// What a withdrawal has to leave: initial margin, and at least a share of the open notional.
    #[must_use]
    pub(crate) fn withdrawal_floor(&self, ledger: &Ledger, prices: &Prices, account: AccountId) -> Sum {
        let initial = self.initial_total(ledger, prices, account);
        if self.withdrawal.is_zero() {
            return initial;
        }
        let mut notional = Sum::ZERO;
        for (i, p) in ledger.positions(account).iter().enumerate().filter(|(_, p)| !p.base.is_zero()) {
            let market = MarketId::from_index(i);
            notional += self.notional(market, p.base, prices.known(market));
        }
        initial.max(notional.scaled_up(self.withdrawal))
    }

    /// The first price of a market, on the way from its mark to the end of its `prices`, at which an account's equity is
    /// below its maintenance if nothing else moves.
    #[must_use]
    pub(crate) fn first_beyond(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        of: (AccountId, MarketId),
        way: (Price, (Price, Price)),
    ) -> Option<Price> {
        let (account, market) = of;
        let (mark, (least, most)) = way;
        let p = ledger.position(account, market);
        let grids = self.grids_of(ledger, account).filter(|grids| grids.covers(market));
        let value = |price| {
            let profit = Sum::of(p.profit(price, self.contract(market)));
            let Some(grids) = grids else { return profit - Sum::of(self.maintenance(market, p.base, price)) };
            let at = |m| if m == market { price } else { prices.known(m) };
            profit - grids.total(Level::Maintenance, |m| ledger.position(account, m).base, at)
        };
        let health = self.health(ledger, prices, account);
        let others = health.equity - health.maintenance - value(mark);
        let is_beyond = |price: i64| (others + value(Price::new(price))).is_negative();
        let (mut inside, mut beyond) = (mark.get(), Side::of(p.base).pick(least, most).get());
        if is_beyond(inside) || !is_beyond(beyond) {
            return is_beyond(inside).then_some(mark);
        }
        while inside.abs_diff(beyond) > 1 {
            let middle = i64::midpoint(inside, beyond);
            if is_beyond(middle) { beyond = middle } else { inside = middle }
        }
        Some(Price::new(beyond))
    }

    /// The price of one market, in ticks and exact, at which an account's equity equals its maintenance if nothing
    /// else moves; none without a position there, or if no positive price does it.
    #[must_use]
    pub(crate) fn liquidation_price(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        market: MarketId,
    ) -> Option<Ratio> {
        let base = ledger.position(account, market).base;
        if base.is_zero() {
            return None;
        }
        let mark = prices.known(market);
        let health = self.health(ledger, prices, account);
        let exposed = Exposed {
            side: Side::of(base),
            contract: *self.contract(market),
            lots: base.abs(),
            notional: self.notional(market, base, mark),
            equity: health.equity,
            other: health.maintenance - Sum::of(self.maintenance(market, base, mark)),
        };
        // The requirement is the greatest of its lines, so the first of their prices that the mark meets is the one.
        let lines = self.tiers[market.index()].lines(base.abs());
        let met = lines.filter_map(|(rate, deduction)| exposed.liquidation_price(rate, deduction));
        match exposed.side {
            Side::Buy => met.max(),
            Side::Sell => met.min(),
        }
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
        traded: &Traded,
    ) -> bool {
        let after = &traded.after;
        if self.grids_of(ledger, account).is_some() {
            let equity = self.initial_equity_with(ledger, prices, account, (market, after));
            return equity + Sum::of(traded.profit)
                >= self.initial_with(ledger, prices, account, (market, after));
        }
        let spare = self.spare_with(ledger, prices, account, market, (after, after.exposure()));
        !(spare + Sum::of(traded.profit)).is_negative()
    }
}
