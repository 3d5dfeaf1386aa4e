//! Portfolio margin: what the positions of a group of markets lose together in the worst of its scenarios.
//!
//! Pure. A requirement is the greatest of sums that are linear in the value of each position, so it is convex; and it
//! falls behind a value by less than the value does (the configuration proves it), so that an account's equity less a
//! requirement never rises when a long's price falls or a short's rises: what the guard index needs.

use super::Rules;
use crate::config::{self, Config};
use crate::ledger::{Ledger, Position};
use crate::mark::Prices;
use crate::units::{
    AccountId, Contract, Fraction, MarketId, Money, Ppm, Price, Qty, Risk, RiskRate, Side, Sum,
};

/// One scenario, or one side of the least requirement.
#[derive(Debug, Clone)]
struct Row {
    /// By market of the group: what a value moves by, as far as it counts.
    moves: Vec<RiskRate>,
    /// What the size of every position is charged.
    charge: RiskRate,
}

/// A group of markets.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    markets: Vec<MarketId>,
    contracts: Vec<Contract>,
    rows: Vec<Row>,
    maintenance: Ppm,
    /// The most that a requirement grows with the size of a position whose price rises, in ppm.
    steepest: Ppm,
}

/// Which requirement of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Initial,
    Maintenance,
    Call,
}

/// All groups.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grids {
    all: Vec<Grid>,
    /// By market: its group, and its place in it.
    of: Vec<Option<(usize, usize)>>,
    call: Ppm,
}

impl Grid {
    fn new(portfolio: &config::Portfolio, config: &Config) -> Self {
        let contract = RiskRate::of(portfolio.contract_ppm);
        let still = vec![RiskRate::default(); portfolio.markets.len()];
        // Nothing moves: the charge of the size alone.
        let mut rows = vec![Row { moves: still, charge: contract }];
        for scenario in &portfolio.scenarios {
            let moved = |step: &Ppm| RiskRate::product(*step, scenario.weight_ppm);
            rows.push(Row { moves: scenario.moves_ppm.iter().map(moved).collect(), charge: contract });
        }
        // net |sum| + hedged (sizes - |sum|) / 2, the greater of both signs of the sum.
        let half = RiskRate::half_of(portfolio.hedged_ppm);
        let net = RiskRate::of(portfolio.net_ppm) + -half;
        for moved in [net, -net] {
            rows.push(Row { moves: vec![moved; portfolio.markets.len()], charge: contract + half });
        }
        let rises = rows
            .iter()
            .flat_map(|row| row.moves.iter().map(move |step| (*step).max(RiskRate::default()) + row.charge));
        let steepest = rises.max().unwrap_or_default().ppm_up(Ppm::ONE);
        Self {
            markets: portfolio.markets.clone(),
            contracts: portfolio.markets.iter().map(|m| config.markets[m.index()].contract()).collect(),
            rows,
            maintenance: portfolio.maintenance_ppm,
            steepest,
        }
    }

    /// The worst row of the values of its markets.
    fn risk(&self, values: &[Money]) -> Risk {
        self.rows.iter().map(|row| row.risk(values)).max().unwrap_or_default()
    }

    fn scaled(&self, risk: Risk, level: Level, call: Ppm) -> Money {
        let (share, factor) = match level {
            Level::Initial => (Ppm::ONE, Ppm::ONE),
            Level::Maintenance => (self.maintenance, Ppm::ONE),
            Level::Call => (self.maintenance, call),
        };
        if factor.is_zero() { Money::ZERO } else { risk.scaled_up(share, factor).max(Money::new(1)) }
    }

    /// Requirement of the group's positions, of which some are not flat, at prices.
    fn requirement(
        &self,
        of: (Level, Ppm),
        lots: impl Fn(MarketId) -> Qty,
        price: impl Fn(MarketId) -> Price,
    ) -> Money {
        let mut values = [Money::ZERO; config::PORTFOLIO_MARKETS_MAX];
        let mut any = false;
        for ((market, contract), value) in self.markets.iter().zip(&self.contracts).zip(&mut values) {
            let base = lots(*market);
            if !base.is_zero() {
                any = true;
                *value = contract.value(price(*market), base);
            }
        }
        if any { self.scaled(self.risk(&values[..self.markets.len()]), of.0, of.1) } else { Money::ZERO }
    }

    /// Initial requirement of whatever fills of the open orders could lead to: the worst row, each position at the end
    /// that is worse for it.
    fn initial(&self, position: impl Fn(MarketId) -> Position, price: impl Fn(MarketId) -> Price) -> Money {
        let mut ends = [[Money::ZERO; 2]; config::PORTFOLIO_MARKETS_MAX];
        let mut any = false;
        for ((market, contract), end) in self.markets.iter().zip(&self.contracts).zip(&mut ends) {
            let p = position(*market);
            let lots = [p.base + p.open_buys, p.base - p.open_sells];
            if lots.iter().any(|lots| !lots.is_zero()) {
                any = true;
                let price = price(*market);
                *end = lots.map(|lots| contract.value(price, lots));
            }
        }
        if !any {
            return Money::ZERO;
        }
        let worst = |row: &Row| {
            let mut risk = Risk::ZERO;
            for (moved, [up, down]) in row.moves.iter().zip(&ends) {
                risk += Risk::of(*up, *moved, row.charge).max(Risk::of(*down, *moved, row.charge));
            }
            risk
        };
        let risk = self.rows.iter().map(worst).max().unwrap_or_default();
        self.scaled(risk, Level::Initial, Ppm::ONE)
    }

    /// What each position adds to the worst row (ties to the first): what drives the requirement, and its rate.
    fn driving(&self, at: usize, values: &[Money]) -> (Risk, RiskRate) {
        let mut worst = &self.rows[0];
        for row in &self.rows[1..] {
            if row.risk(values) > worst.risk(values) {
                worst = row;
            }
        }
        let (value, moved) = (values[at], worst.moves[at]);
        let rate = worst.charge + if value.is_negative() { moved } else { -moved };
        (Risk::of(value, moved, worst.charge), rate)
    }
}

impl Row {
    fn risk(&self, values: &[Money]) -> Risk {
        let mut risk = Risk::ZERO;
        for (value, moved) in values.iter().zip(&self.moves) {
            risk += Risk::of(*value, *moved, self.charge);
        }
        risk
    }
}

impl Grids {
    /// The groups of a configuration.
    pub(super) fn new(config: &Config) -> Self {
        let mut of = vec![None; config.markets.len()];
        for (i, portfolio) in config.portfolios.iter().enumerate() {
            for (place, market) in portfolio.markets.iter().enumerate() {
                of[market.index()] = Some((i, place));
            }
        }
        let all = config.portfolios.iter().map(|p| Grid::new(p, config)).collect();
        Self { all, of, call: config.margin_call_ppm }
    }

    /// True if a market is in a group.
    pub(crate) fn covers(&self, market: MarketId) -> bool {
        self.of[market.index()].is_some()
    }

    fn grid(&self, market: MarketId) -> Option<(&Grid, usize)> {
        self.of[market.index()].map(|(grid, place)| (&self.all[grid], place))
    }

    /// Requirement of every group's positions at prices, added up.
    pub(crate) fn total(
        &self,
        level: Level,
        lots: impl Fn(MarketId) -> Qty,
        price: impl Fn(MarketId) -> Price,
    ) -> Sum {
        let mut total = Sum::ZERO;
        for grid in &self.all {
            total += grid.requirement((level, self.call), &lots, &price);
        }
        total
    }

    /// The fill requirement of every group's positions, added up: maintenance, and a part of the way to initial margin.
    pub(crate) fn fill(
        &self,
        fill: Fraction,
        lots: impl Fn(MarketId) -> Qty,
        price: impl Fn(MarketId) -> Price,
    ) -> Sum {
        let mut total = Sum::ZERO;
        for grid in &self.all {
            let [initial, maintenance] = [Level::Initial, Level::Maintenance]
                .map(|level| grid.requirement((level, self.call), &lots, &price));
            total += maintenance + (initial - maintenance).max(Money::ZERO).fraction_up(fill);
        }
        total
    }

    /// Requirement of one position, alone in its group.
    pub(crate) fn alone(&self, level: Level, market: MarketId, base: Qty, price: Price) -> Money {
        let (grid, _) = self.grid(market).expect("the market is in a group");
        let lots = |m: MarketId| if m == market { base } else { Qty::ZERO };
        grid.requirement((level, self.call), lots, |_| price)
    }

    /// The most that the requirement grows with the size of a position, called or not; rounded up.
    pub(crate) fn rate_max(&self, market: MarketId, call: bool) -> Ppm {
        let (grid, _) = self.grid(market).expect("the market is in a group");
        let rate = grid.steepest.scaled_up(grid.maintenance);
        if call { rate.scaled_up(self.call) } else { rate }
    }

    /// How many roundings a requirement over all groups has at most.
    pub(crate) fn roundings(&self) -> Sum {
        Sum::new(i128::try_from(self.all.len()).expect("few"))
    }
}

/// What an account holds of a group.
struct Held {
    values: [Money; config::PORTFOLIO_MARKETS_MAX],
}

impl Rules {
    /// The groups by which an account is margined, if it is.
    #[inline(always)]
    pub(crate) fn grids_of(&self, ledger: &Ledger, account: AccountId) -> Option<&Grids> {
        self.grids.as_ref().filter(|_| ledger.has_portfolio(account))
    }

    /// True if a market's positions of an account are margined in its group.
    pub(crate) fn is_grouped(&self, ledger: &Ledger, account: AccountId, market: MarketId) -> bool {
        self.grids_of(ledger, account).is_some_and(|grids| grids.covers(market))
    }

    fn held(&self, ledger: &Ledger, prices: &Prices, account: AccountId, grid: &Grid) -> Held {
        let mut values = [Money::ZERO; config::PORTFOLIO_MARKETS_MAX];
        for (market, value) in grid.markets.iter().zip(&mut values) {
            let base = ledger.position(account, *market).base;
            if !base.is_zero() {
                *value = self.contract(*market).value(prices.known(*market), base);
            }
        }
        Held { values }
    }

    /// The group in which a market's position of an account is margined, its place there, and what else is held of it.
    fn group_of(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        market: MarketId,
    ) -> Option<(&Grid, usize, Held)> {
        let (grid, place) = self.grids_of(ledger, account)?.grid(market)?;
        Some((grid, place, self.held(ledger, prices, account, grid)))
    }

    /// A position's part of the account's maintenance requirement: its own, or of a group's in proportion to its size, such
    /// that the parts of a group add up to it.
    #[must_use]
    pub(crate) fn part(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        market: MarketId,
    ) -> Money {
        let Some((grid, place, Held { values })) = self.group_of(ledger, prices, account, market) else {
            let base = ledger.position(account, market).base;
            return self.maintenance(market, base, prices.known(market));
        };
        let values = &values[..grid.markets.len()];
        let whole = grid.scaled(grid.risk(values), Level::Maintenance, Ppm::ONE);
        let size = |values: &[Money]| values.iter().fold(Sum::ZERO, |sum, value| sum + Sum::of(value.abs()));
        let all = size(values);
        let up_to = |count: usize| Sum::of(whole).share_down(size(&values[..count]), all);
        up_to(place + 1) - up_to(place)
    }

    /// What makes a position the one to be closed first: its requirement, or what it adds to the worst scenario of its
    /// group.
    #[must_use]
    pub(crate) fn driving(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        market: MarketId,
    ) -> Money {
        let Some((grid, place, Held { values })) = self.group_of(ledger, prices, account, market) else {
            let base = ledger.position(account, market).base;
            return self.maintenance(market, base, prices.known(market));
        };
        grid.driving(place, &values[..grid.markets.len()]).0.whole_down()
    }

    /// The lower bound of a position's tier and its maintenance rate; in a group zero, and the rate in its worst scenario.
    #[must_use]
    pub(crate) fn tier_of(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        market: MarketId,
    ) -> (Money, Ppm) {
        let Some((grid, place, Held { values })) = self.group_of(ledger, prices, account, market) else {
            let base = ledger.position(account, market).base;
            return self.tier(market, base, prices.known(market));
        };
        let (_, rate) = grid.driving(place, &values[..grid.markets.len()]);
        (Money::ZERO, rate.ppm_up(grid.maintenance))
    }

    /// Initial requirement of an account over all markets with one market's position replaced, open orders counted.
    #[must_use]
    #[inline(never)]
    pub(crate) fn initial_with(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        replaced: (MarketId, &Position),
    ) -> Sum {
        let grids = self.grids_of(ledger, account);
        let of = |market: MarketId| {
            if market == replaced.0 { *replaced.1 } else { *ledger.position(account, market) }
        };
        let mut total = Sum::ZERO;
        for i in 0..ledger.markets() {
            let market = MarketId::from_index(i);
            if grids.is_none_or(|grids| !grids.covers(market)) {
                total += self.initial_of(ledger, prices, account, market, &of(market));
            }
        }
        for grid in grids.into_iter().flat_map(|grids| &grids.all) {
            total += grid.initial(of, |market| prices.known(market));
        }
        total
    }

    /// Initial equity with one market's position replaced.
    #[must_use]
    pub(crate) fn initial_equity_with(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        replaced: (MarketId, &Position),
    ) -> Sum {
        let (market, position) = replaced;
        let (contract, held) = (self.contract(market), ledger.position(account, market));
        let profit = |p: &Position| {
            if p.base.is_zero() { Money::ZERO } else { p.profit(prices.known(market), contract) }
        };
        self.initial_equity(ledger, prices, account) - Sum::of(profit(held)) + Sum::of(profit(position))
    }

    /// The last mark of a market of a group, on the way to the end of its `prices`, at which an account covers
    /// maintenance if nothing else moves; none without a position there, or if every price does.
    #[must_use]
    pub(crate) fn last_covered(
        &self,
        ledger: &Ledger,
        prices: &Prices,
        of: (AccountId, MarketId),
        ends: (Price, Price),
    ) -> Option<Price> {
        let base = ledger.position(of.0, of.1).base;
        if base.is_zero() {
            return None;
        }
        let beyond = self.first_beyond(ledger, prices, of, (prices.known(of.1), ends))?;
        let tick = Price::new(1);
        Some(match Side::of(base) {
            Side::Buy => beyond + tick,
            Side::Sell => beyond - tick,
        })
    }
}
