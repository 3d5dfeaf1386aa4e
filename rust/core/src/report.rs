//! Read-only tables, and the proof that money is conserved.

use crate::book::{Rare, Resting, Waits, Work};
use crate::guard::GuardWork;
use crate::ledger::Place;
use crate::order::Order;
use crate::protocol::{OrderType, Phase};
use crate::units::{
    AccountId, AssetId, Fine, FundId, MarketId, Money, Nanos, OrderId, Price, Qty, Side, Sum, VALUATION,
};
use crate::venue::Venue;
use std::collections::BTreeMap;

/// Where the money of one asset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssetTotals {
    /// Deposits less withdrawals.
    pub deposits: Money,
    /// Balances of all accounts.
    pub users: Sum,
    /// Insurance funds.
    pub funds: Sum,
    /// Trading fees.
    pub fees: Money,
    /// Counterparts kept by the venue: clearing, funding, treasury, shortfall.
    pub venue: Sum,
}

/// The proof of conservation, counted anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conservation {
    /// True if for every asset users + funds + fees + venue = deposits, and in every market positions sum to zero and
    /// entry costs to minus its clearing, but for the parts of a minor unit that rounding left there.
    pub ok: bool,
    /// By asset.
    pub assets: Vec<AssetTotals>,
    /// Sum of signed positions by market.
    pub net: Vec<Qty>,
    /// What rounding left behind, by market.
    pub rounding: Vec<Money>,
    /// Loss that nobody carried, as a positive amount.
    pub shortfall: Money,
}

/// One account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRow {
    /// Number.
    pub account: AccountId,
    /// Balance of the valuation asset.
    pub balance: Money,
    /// Equity.
    pub equity: Money,
    /// Initial requirement.
    pub initial: Money,
    /// Maintenance requirement.
    pub maintenance: Money,
    /// Requirement below which it is called; zero without calls.
    pub call: Money,
    /// Called and not recovered.
    pub called: bool,
    /// Until when it has to cure its call; zero without a deadline.
    pub call_due: Nanos,
    /// In liquidation.
    pub in_liquidation: bool,
    /// Its positions in groups of markets are margined together.
    pub portfolio: bool,
}

/// An open margin call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRow {
    /// The account.
    pub account: AccountId,
    /// Its equity.
    pub equity: Money,
    /// The call requirement.
    pub requirement: Money,
    /// What it lacks; zero or less if prices have cured the call and nothing has touched the account since.
    pub missing: Money,
    /// Until when it has to cure the call; zero without a deadline.
    pub due: Nanos,
}

/// One market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketRow {
    /// Number.
    pub market: MarketId,
    /// Phase.
    pub phase: Phase,
    /// When it ends; zero if it lasts until it is changed.
    pub until: Nanos,
    /// Index; none before the first.
    pub index: Option<Price>,
    /// Mark; none before the first index.
    pub mark: Option<Price>,
    /// Last trade in the book.
    pub last: Option<Price>,
    /// Best shown price of a buy.
    pub bid: Option<Price>,
    /// Best shown price of a sell.
    pub ask: Option<Price>,
    /// Sum of long positions.
    pub open_interest: Qty,
}

/// One position with what rests beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionRow {
    /// Account.
    pub account: AccountId,
    /// Market.
    pub market: MarketId,
    /// Signed lots.
    pub base: Qty,
    /// Entry cost, in the parts of the market's contract.
    pub cost: Fine,
    /// Lots in resting buys.
    pub open_buys: Qty,
    /// Lots in resting sells.
    pub open_sells: Qty,
}

/// One resting order, with what only the operator sees of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRow {
    /// The order.
    pub order: Resting,
    /// Place in the order of matching at its price, from 0.
    pub position: u32,
    /// The client's name for it; 0 for none.
    pub client: u64,
    /// The session that sent it; 0 for none.
    pub session: u16,
    /// When it expires.
    pub expiry: Option<Nanos>,
}

/// One order that waits for its trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingRow {
    /// Its id.
    pub id: OrderId,
    /// Its owner.
    pub account: AccountId,
    /// Its side.
    pub side: Side,
    /// Its type.
    pub kind: OrderType,
    /// Its limit; zero for a market order.
    pub price: Price,
    /// Its quantity.
    pub qty: Qty,
    /// 1 stop, 2 take-profit, 3 trailing stop.
    pub term: u16,
    /// Watched price: 0 last, 1 mark, 2 index.
    pub watched: u16,
    /// The trigger as it stands; of a trailing stop that has seen no price, none.
    pub trigger: Option<Price>,
    /// The client's name for it; 0 for none.
    pub client: u64,
}

/// What would be liquidated at one mark of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiquidationRow {
    /// The mark, in ticks.
    pub price: Price,
    /// Side of the positions: longs lie below the present mark, shorts above it.
    pub side: Side,
    /// Accounts that this mark is the first to make liquidatable.
    pub accounts: u32,
    /// Lots that they hold in this market.
    pub lots: Qty,
    /// Their value at this mark, in minor units of the valuation asset.
    pub notional: Money,
}

impl Venue {
    /// Every market, in order of number.
    pub fn market_rows(&self) -> impl Iterator<Item = MarketRow> {
        self.floor().market_ids().map(|market| MarketRow {
            market,
            phase: self.phase(market),
            until: self.floor().market(market).end,
            index: self.index(market),
            mark: self.mark(market),
            last: self.last(market),
            bid: self.best(market, Side::Buy),
            ask: self.best(market, Side::Sell),
            open_interest: self.open_interest(market),
        })
    }

    /// Counts all money and all positions anew. Costs in proportion to the accounts.
    #[must_use]
    pub fn conservation(&self) -> Conservation {
        let ledger = &self.floor().ledger;
        let assets: Vec<AssetTotals> = (0..ledger.assets())
            .map(AssetId::from_index)
            .map(|asset| {
                let own = asset == VALUATION;
                let funds = (0..self.config().funds.len()).map(FundId::from_index);
                let mut funds_total = Sum::ZERO;
                funds.filter(|_| own).for_each(|f| funds_total += ledger.at(Place::Fund(f)));
                AssetTotals {
                    deposits: ledger.deposits(asset),
                    users: ledger.users(asset),
                    funds: funds_total,
                    fees: if own { ledger.at(Place::Fees) } else { Money::ZERO },
                    venue: ledger.venue(asset),
                }
            })
            .collect();
        let markets = || self.floor().market_ids();
        let net: Vec<Qty> = markets().map(|m| ledger.recount(m).0).collect();
        let rounding = markets().map(|m| ledger.at(Place::Rounding(m))).collect();
        let balanced =
            assets.iter().all(|a| a.users + a.funds + Sum::of(a.fees) + a.venue == Sum::of(a.deposits));
        let cleared = markets().all(|m| ledger.clearing_is_right(m));
        let ok = balanced && cleared && net.iter().all(|n| n.is_zero());
        Conservation { ok, assets, net, rounding, shortfall: -ledger.at(Place::Shortfall) }
    }

    /// Every account, by number.
    pub fn account_rows(&self) -> impl Iterator<Item = AccountRow> {
        (0..self.accounts()).map(AccountId::from_index).map(|account| {
            let health = self.health(account);
            AccountRow {
                account,
                balance: self.balance(account, VALUATION),
                equity: health.equity.saturate(),
                initial: self.initial(account).saturate(),
                maintenance: health.maintenance.saturate(),
                call: health.call.saturate(),
                called: self.is_called(account),
                call_due: self.call_due(account).unwrap_or(Nanos::ZERO),
                in_liquidation: self.is_in_liquidation(account),
                portfolio: self.has_portfolio_margin(account),
            }
        })
    }

    /// Open margin calls of accounts that are not in liquidation: first due first, without a deadline last, then by
    /// account.
    pub fn call_rows(&self) -> Vec<CallRow> {
        let each = (0..self.accounts()).map(AccountId::from_index);
        let called = each.filter(|account| self.is_called(*account) && !self.is_in_liquidation(*account));
        let mut rows: Vec<CallRow> = called
            .map(|account| {
                let health = self.health(account);
                CallRow {
                    account,
                    equity: health.equity.saturate(),
                    requirement: health.call.saturate(),
                    missing: (health.call - health.equity).saturate(),
                    due: self.call_due(account).unwrap_or(Nanos::ZERO),
                }
            })
            .collect();
        rows.sort_by_key(|row| (row.due.is_zero(), row.due, row.account));
        rows
    }

    /// The first mark of each of an account's positions, if no other price moves, at which it may be liquidated; none
    /// where no price of the market does it.
    pub fn liquidation_rows(&self, account: AccountId) -> impl Iterator<Item = (MarketId, Option<Price>)> {
        let held = self.floor().ledger.positions(account).iter().enumerate();
        let markets = held.filter(|(_, p)| !p.base.is_zero()).map(|(i, _)| MarketId::from_index(i));
        markets.map(move |market| (market, self.liquidation_mark(account, market)))
    }

    /// The first mark of a market, if no other price moves, at which an account may be liquidated.
    fn liquidation_mark(&self, account: AccountId, market: MarketId) -> Option<Price> {
        let floor = self.floor();
        let side = Side::of(floor.ledger.position(account, market).base);
        let beyond = self.liquidation_price(account, market)?.beyond(side);
        let prices = floor.market(market).config.prices();
        let within = (i128::from(prices.0.get())..=i128::from(prices.1.get())).contains(&beyond);
        if floor.contract(market).is_whole() {
            return within.then(|| Price::limited(beyond, prices));
        }
        // Its values are rounded: the exact price may be a few ticks beside the first mark that does it.
        let way = floor.prices.known(market);
        floor.rules.first_beyond(&floor.ledger, &floor.prices, (account, market), (way, prices))
    }

    /// Every position that is not flat or has orders beside it, by account and market.
    pub fn position_rows(&self) -> impl Iterator<Item = PositionRow> {
        let ledger = &self.floor().ledger;
        (0..self.accounts()).map(AccountId::from_index).flat_map(move |account| {
            ledger.positions(account).iter().enumerate().filter_map(move |(i, p)| {
                let idle = p.base.is_zero() && p.open_buys.is_zero() && p.open_sells.is_zero();
                (!idle).then(|| PositionRow {
                    account,
                    market: MarketId::from_index(i),
                    base: p.base,
                    cost: p.cost,
                    open_buys: p.open_buys,
                    open_sells: p.open_sells,
                })
            })
        })
    }
}

impl Venue {
    /// Every resting order of a market in the order of matching, buys first; market orders that rest until an auction
    /// come first on their side and have a price of zero.
    pub fn order_rows(&self, market: MarketId) -> impl Iterator<Item = OrderRow> {
        let book = &self.floor().market(market).book;
        let orders = [Side::Buy, Side::Sell]
            .into_iter()
            .flat_map(|side| book.waiting().unpriced(side).map(Waits::standing).chain(book.orders(side)));
        orders.scan((None, 0), |(level, position), order| {
            let here = Some((order.side, order.price));
            *position = if *level == here { *position + 1 } else { 0 };
            *level = here;
            let Rare { session, expiry, .. } = book.rare(order.id);
            Some(OrderRow { order, position: *position, client: book.name_of(order.id), session, expiry })
        })
    }

    /// Every waiting order of a market, by acceptance number.
    pub fn waiting_rows(&self, market: MarketId) -> impl Iterator<Item = WaitingRow> {
        let waiting = self.floor().market(market).book.waiting().iter();
        waiting.filter(|waits| !waits.is_unpriced()).map(|waits| {
            let Order { account, side, kind, price, qty, client, .. } = waits.order;
            let rule = waits.trigger();
            let (term, watched) = (rule.kind.code(), rule.watched.code());
            let trigger = waits.level();
            WaitingRow { id: waits.id, account, side, kind, price, qty, term, watched, trigger, client }
        })
    }

    /// Bytes that a market's book keeps: slots, tables, pages; what its resting orders cost.
    #[must_use]
    pub fn book_bytes(&self, market: MarketId) -> usize {
        self.floor().market(market).book.bytes()
    }

    /// What a market's book has done: a measure that noise cannot move. Counted in builds with debug assertions,
    /// zero in others.
    #[must_use]
    pub fn work(&self, market: MarketId) -> Work {
        self.floor().market(market).book.work()
    }

    /// Lots at risk by price, lowest first, for the population as it stands: each account with a position in the market
    /// stands at the first mark that would make it liquidatable if no other price moved, its index included. Left out
    /// are accounts in liquidation, those that cannot be liquidated, and those that no mark endangers. Takes time in
    /// proportion to the accounts.
    #[must_use]
    pub fn liquidation_map(&self, market: MarketId) -> Vec<LiquidationRow> {
        let floor = self.floor();
        let contract = floor.contract(market);
        let mut rows: BTreeMap<Price, LiquidationRow> = BTreeMap::new();
        for (account, p) in floor.ledger.market_positions(market) {
            let spared = p.base.is_zero()
                || floor.is_liquidated(account)
                || !floor.can_be_liquidated(account)
                || floor.health(account).is_liquidatable();
            if spared {
                continue;
            }
            let side = Side::of(p.base);
            let Some(price) = self.liquidation_mark(account, market) else { continue };
            let row = LiquidationRow { price, side, accounts: 0, lots: Qty::ZERO, notional: Money::ZERO };
            let row = rows.entry(price).or_insert(row);
            row.accounts += 1;
            row.lots += p.base.abs();
            row.notional = contract.notional_up(price, row.lots);
        }
        rows.into_values().collect()
    }

    /// True if nobody has to be looked at when a market's mark and index come to this price: all that a mark which
    /// endangers nobody asks of the guard index.
    #[must_use]
    #[inline]
    pub fn is_quiet(&self, market: MarketId, price: Price) -> bool {
        self.floor().guards.is_quiet(market, price, price)
    }

    /// True if an account's guards alone prove that it is healthy: all that the guard index asks when an account has
    /// traded in a market and stays in no danger. Nothing is traded here.
    #[must_use]
    #[inline]
    pub fn is_guarded_after(&mut self, account: AccountId, traded: MarketId) -> bool {
        self.floor_mut().is_guarded(account, traded)
    }

    /// What the guard index has done since the venue began or was restored.
    #[must_use]
    pub fn guard_work(&self) -> GuardWork {
        self.floor().guards.work()
    }

    /// Bytes that the guard index keeps.
    #[must_use]
    pub fn guard_bytes(&self) -> usize {
        self.floor().guards.bytes()
    }

    /// Number of resting orders of a market. Costs in proportion to the levels.
    #[must_use]
    pub fn resting_orders(&self, market: MarketId) -> u32 {
        self.floor().market(market).book.len()
    }
}
