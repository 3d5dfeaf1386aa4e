//! What can be read from a venue without changing it.

use super::Venue;
use crate::book::{Level, Resting};
use crate::breaker::{Bounds, BreakerWork};
use crate::config::Config;
use crate::deleverage::{self, AdlRound, LightRow};
use crate::floor::Floor;
use crate::ledger::{Place, Position};
use crate::margin::Health;
use crate::protocol::Phase;
use crate::units::{AccountId, AssetId, FundId, MarketId, Money, Nanos, Price, Qty, Ratio, Side, Sum};

impl Venue {
    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.floor.config
    }

    /// Time of the last command.
    #[must_use]
    pub fn now(&self) -> Nanos {
        self.floor.now
    }

    /// Number of events so far.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Number of accounts.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.floor.ledger.accounts()
    }

    /// A market's index; none before its first.
    #[must_use]
    pub fn index(&self, market: MarketId) -> Option<Price> {
        self.floor.prices.index(market)
    }

    /// A market's mark; none before its first index.
    #[must_use]
    pub fn mark(&self, market: MarketId) -> Option<Price> {
        self.floor.prices.mark(market)
    }

    /// Price of the last trade in a market's book.
    #[must_use]
    pub fn last(&self, market: MarketId) -> Option<Price> {
        self.floor.market(market).mark.last()
    }

    /// Best price of a side of a book.
    #[must_use]
    pub fn best(&self, market: MarketId, side: Side) -> Option<Price> {
        self.floor.market(market).book.best(side)
    }

    /// Up to `levels` price levels of a side, best first.
    #[must_use]
    pub fn depth(&self, market: MarketId, side: Side, levels: usize) -> Vec<Level> {
        self.floor.market(market).book.levels(side).take(levels).collect()
    }

    /// A market's phase.
    #[must_use]
    pub fn phase(&self, market: MarketId) -> Phase {
        self.floor.market(market).phase
    }

    /// Sum of long positions.
    #[must_use]
    pub fn open_interest(&self, market: MarketId) -> Qty {
        self.floor.ledger.open_interest(market)
    }

    /// Money in an insurance fund.
    #[must_use]
    pub fn fund(&self, fund: FundId) -> Money {
        self.floor.ledger.at(Place::Fund(fund))
    }

    /// Money at any place of the ledger.
    #[must_use]
    pub fn money(&self, place: Place) -> Money {
        self.floor.ledger.at(place)
    }

    /// Accounts that wait for a liquidation round.
    #[must_use]
    pub fn queue_len(&self) -> usize {
        self.queue.len()
    }

    /// Accounts in liquidation that wait for a new index.
    #[must_use]
    pub fn parked_len(&self) -> usize {
        self.queue.parked()
    }

    /// Market and number of the round whose plan is awaited: until it comes, only the plan, cancels and Pulse are
    /// admitted.
    #[must_use]
    pub fn plan_awaited(&self) -> Option<(MarketId, u64)> {
        self.queue.plans().awaited()
    }

    /// What a plan is awaited for, as the venue stands; none without one, or if nothing is left to plan. Costs in
    /// proportion to the market's positions.
    #[must_use]
    pub fn adl_round(&self) -> Option<AdlRound> {
        self.queue.plans().round(&self.floor)
    }

    /// True while a funding settlement is not finished: only Pulse is admitted.
    #[must_use]
    pub fn timers_pending(&self) -> bool {
        self.has_due(self.floor.now)
    }

    /// An account's balance of an asset.
    #[must_use]
    pub fn balance(&self, account: AccountId, asset: AssetId) -> Money {
        self.floor.ledger.balance(account, asset)
    }

    /// An account's position in a market.
    #[must_use]
    pub fn position(&self, account: AccountId, market: MarketId) -> Position {
        *self.floor.ledger.position(account, market)
    }

    /// An account's equity: balance, other assets' value and unrealised profit.
    #[must_use]
    pub fn equity(&self, account: AccountId) -> Sum {
        self.floor.equity(account)
    }

    /// An account's equity and requirements.
    #[must_use]
    pub fn health(&self, account: AccountId) -> Health {
        self.floor.health(account)
    }

    /// An account's initial requirement, open orders counted.
    #[must_use]
    pub fn initial(&self, account: AccountId) -> Sum {
        self.floor.rules.initial_total(&self.floor.ledger, &self.floor.prices, account)
    }

    /// Lots that an account may still order on a side within `position_max`.
    #[must_use]
    pub fn room(&self, account: AccountId, market: MarketId, side: Side) -> Qty {
        let floor = &self.floor;
        floor.ledger.position(account, market).room(side, floor.market(market).config.position_max)
    }

    /// The price of one market, in ticks and exact, at which an account's equity equals its maintenance if nothing
    /// else moves; none without a position there, or if no positive price does it. With portfolio margin in the market the
    /// last mark at which maintenance is covered.
    #[must_use]
    pub fn liquidation_price(&self, account: AccountId, market: MarketId) -> Option<Ratio> {
        let Floor { rules, ledger, prices, .. } = &self.floor;
        if rules.is_grouped(ledger, account, market) {
            let ends = self.floor.market(market).config.prices();
            let last = rules.last_covered(ledger, prices, (account, market), ends);
            return last.map(Ratio::of_price);
        }
        rules.liquidation_price(ledger, prices, account, market)
    }

    /// True if the account was called and has not recovered since.
    #[must_use]
    pub fn is_called(&self, account: AccountId) -> bool {
        self.floor.is_called(account)
    }

    /// Until when a called account has to cure its call; none without a call, or where calls have no deadline.
    #[must_use]
    pub fn call_due(&self, account: AccountId) -> Option<Nanos> {
        self.floor.calls.due(account)
    }

    /// True if the account's positions in groups of markets are margined together.
    #[must_use]
    pub fn has_portfolio_margin(&self, account: AccountId) -> bool {
        self.floor.ledger.has_portfolio(account)
    }

    /// True if the account is in liquidation.
    #[must_use]
    pub fn is_in_liquidation(&self, account: AccountId) -> bool {
        self.floor.is_liquidated(account)
    }

    /// An account's resting orders in a market, newest first.
    #[must_use]
    pub fn open_orders(&self, account: AccountId, market: MarketId) -> Vec<Resting> {
        let book = &self.floor.market(market).book;
        let mut ids = Vec::new();
        book.orders_of(account, &mut ids);
        ids.into_iter().filter_map(|id| book.get(id)).collect()
    }

    /// The queue of auto-deleveraging in a market, as every account would see its place: longs before shorts, each side
    /// in the order in which it would be deleveraged, by the market's score and its rule of eligibility. None before
    /// the first index. Costs in proportion to the accounts.
    #[must_use]
    pub fn adl_lights(&self, market: MarketId) -> Vec<LightRow> {
        if self.mark(market).is_none() {
            return Vec::new();
        }
        deleverage::lights(&self.floor, market)
    }

    /// The prices that no breaker refuses or caps as a limit now, whatever the side of the order.
    #[must_use]
    pub fn untouched_limits(&self, market: MarketId) -> Bounds {
        self.floor.untouched(market)
    }

    /// What the breakers of all markets did since this venue was made or restored.
    #[must_use]
    pub fn breaker_work(&self) -> BreakerWork {
        let each = self.floor.markets.iter().map(|m| m.breakers.work());
        let gaps = BreakerWork { tests: self.gaps_told, evaluations: 0 };
        each.fold(gaps, |a, b| BreakerWork {
            tests: a.tests + b.tests,
            evaluations: a.evaluations + b.evaluations,
        })
    }

    #[inline]
    pub(crate) fn floor(&self) -> &Floor {
        &self.floor
    }

    #[inline]
    pub(crate) fn floor_mut(&mut self) -> &mut Floor {
        &mut self.floor
    }
}
