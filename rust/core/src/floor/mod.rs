//! The trading floor: every market with its book, and how an order meets it.
//!
//! What placing, liquidating and uncrossing have in common: plan, ask the breakers before each level, fill,
//! settle, report. Knows nothing of the order of the steps or of the waterfall.

mod certain;
mod health;
mod interruption;
mod levels;
mod matching;
mod plain;
mod portfolio;
mod settlement;
mod store;
mod uncross;

pub(crate) use plain::{Calm, Done, PART, ROOM, Told};
pub(crate) use uncross::Found;

use crate::blocks::{Blocks, Limit};
use crate::book::{Book, Filled, Located, Removed, Resting};
use crate::breaker::{Acting, Breakers};
use crate::calls::Calls;
use crate::config::{self, BlockLimits, Config, GateTrigger, Indicative, Test};
use crate::funding::FundingState;
use crate::guard::Guards;
use crate::history::AdlHistory;
use crate::index::Sources;
use crate::insurance::Pools;
use crate::ledger::{Ledger, Position, Tag};
use crate::margin::{Health, Rules};
use crate::mark::{MarkState, Prices};
use crate::order::FlowKind;
use crate::protocol::{
    Admission, CancelReason, Events, FILL_BLOCK, HIDDEN, Phase, REDUCE_ONLY, Record, Reject, SelfTrade,
    event, event_of,
};
use crate::settlement::SettlementState;
use crate::units::{
    AccountId, Contract, Fine, Flat, MarketId, Money, Nanos, OrderId, Ppm, Price, Qty, Side, Sum,
};
use crate::volunteers::Volunteers;
use certain::Sure;
use plain::Plain;
use std::collections::{BTreeMap, BTreeSet};

/// An account was called and has not recovered since.
const CALLED: u8 = 1;
/// An account waits in the liquidation queue or is parked.
const LIQUIDATED: u8 = 2;
/// An account changed since the last health pass.
const TOUCHED: u8 = 4;

/// One market.
#[derive(Debug, Clone)]
pub(crate) struct Market {
    pub(crate) config: config::Market,
    pub(crate) contract: Contract,
    pub(crate) book: Book,
    pub(crate) mark: MarkState,
    pub(crate) sources: Sources,
    pub(crate) phase: Phase,
    /// The row of the phase table, less what waits for the index.
    pub(crate) admits: Admission,
    /// The configuration asks nothing of orders at entry but a quantity and a price in range.
    pub(crate) plain_entry: bool,
    /// What it asks of most orders, in the phase as it is.
    plain: Plain,
    /// The same where there is margin.
    sure: Sure,
    /// What is required at the mark as it stands, where that is simple.
    flat: Option<Flat>,
    /// End of the phase; zero if it lasts until it is changed.
    pub(crate) end: Nanos,
    pub(crate) funding: Option<FundingState>,
    pub(crate) breakers: Breakers,
    pub(crate) settlement: SettlementState,
    /// Who is ready to take positions over.
    pub(crate) volunteers: Volunteers,
    /// Winners in order of deleveraging, by their side, the next one last; none before it is needed.
    pub(crate) ranking: [Option<Vec<AccountId>>; 2],
    /// What deleveraging has done.
    pub(crate) history: AdlHistory,
    /// Prices of trades that waiting orders have yet to observe, with the last acceptance number at that time.
    pub(crate) prints: Vec<(Price, u64)>,
    /// Bid and ask as they stood when the market stopped matching, where its auction looks at them.
    pub(crate) touch: Option<(Price, Price)>,
    /// The indicative price that was published last in this auction.
    pub(crate) published: Option<Found>,
    /// The orders of each quote by account and number: buy, sell; some may be gone.
    pub(crate) quotes: BTreeMap<(AccountId, u16), [OrderId; 2]>,
}

/// Whose order meets the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// A user's: pays the taker fee; `counted` if its quantity is open buys or sells while it lasts.
    User { counted: bool },
    /// A liquidation order: no trading fee.
    Liquidation,
    /// A liquidation order whose losses beyond the bankruptcy price a fund carries while its budget lasts.
    Backed { budget: Money, bankruptcy: Price },
}

impl Flow {
    pub(crate) fn is_liquidation(self) -> bool {
        !matches!(self, Self::User { .. })
    }
}

/// An order on its way through the book.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming {
    pub(crate) id: OrderId,
    pub(crate) market: MarketId,
    pub(crate) account: AccountId,
    pub(crate) side: Side,
    /// The worst price; none for a market order without a band.
    pub(crate) limit: Option<Price>,
    pub(crate) qty: Qty,
    pub(crate) flow: Flow,
    /// The price that its events show: zero for a market order.
    pub(crate) shown_price: Price,
    pub(crate) prevention: SelfTrade,
    pub(crate) leg: Option<OrderId>,
    /// What breakers are told of it.
    pub(crate) kind: FlowKind,
}

/// What the book made of an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Swept {
    pub(crate) filled: Qty,
    pub(crate) left: Qty,
    /// Value of the lots filled, as those of a long.
    pub(crate) value: Fine,
    /// What the fund has to pay for it.
    pub(crate) cost: Fine,
    /// A breaker ended the match.
    pub(crate) tripped: bool,
    /// What is left of an order that rests may rest all the same.
    pub(crate) may_rest: bool,
    /// The other leg, unless it is gone.
    pub(crate) leg: Option<OrderId>,
}

/// All markets, the ledger and the guards.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each says whether one kind of work is left")]
pub(crate) struct Floor {
    pub(crate) config: Config,
    pub(crate) rules: Rules,
    pub(crate) prices: Prices,
    pub(crate) markets: Vec<Market>,
    pub(crate) ledger: Ledger,
    pub(crate) guards: Guards,
    /// Deadlines of margin calls.
    pub(crate) calls: Calls,
    /// Drawdowns of the funds.
    pub(crate) pools: Pools,
    /// What liquidations have done in the period.
    pub(crate) blocks: Blocks,
    /// Money has to stay in the venue before this time.
    pub(crate) gated: Nanos,
    pub(crate) now: Nanos,
    /// Acceptance number of the last order.
    pub(crate) accepted: u64,
    /// The end of the step has something to look at: what follows, or what the venue knows.
    is_stirred: bool,
    /// A breaker has something to observe at the end of the step.
    has_news: bool,
    /// Some market moves money.
    has_clearing: bool,
    /// The step may have changed a touch that breakers look at, or what they hold it against.
    asks_touches: bool,
    /// When what touches are held against has to be evaluated anew.
    touches_due: Nanos,
    /// Some market publishes indicative prices.
    pub(crate) has_indicative: bool,
    /// Waiting orders have a price to observe.
    pub(crate) has_prints: bool,
    touched: Vec<AccountId>,
    scratch: Vec<OrderId>,
    /// Reused lists of a share-out.
    queue: Vec<Resting>,
    shares: Vec<Qty>,
}

fn bit(flags: u8, which: u8) -> bool {
    flags & which != 0
}

impl Market {
    /// Takes on the row of the phase table of a phase.
    pub(crate) fn admit(&mut self) {
        self.admits = self.config.admission(self.phase, self.sources.state());
        self.plain = Plain::of(self);
        self.sure = Sure::of(self);
    }

    /// A rule has put the market in its phase: what it asks of orders may be more than the phase does.
    pub(crate) fn acts(&mut self, acting: Option<Acting>) {
        self.breakers.set_acting(acting);
        self.admit();
    }
}

impl Floor {
    pub(crate) fn new(config: Config) -> Self {
        let markets = config.markets.iter().enumerate().map(|(i, m)| Market {
            book: Book::new(m, config.limits.orders_max),
            mark: MarkState::new(&m.mark),
            sources: Sources::new(m),
            phase: m.phase,
            admits: m.admission(m.phase, Sources::new(m).state()),
            plain_entry: m.entry.is_plain(),
            plain: Plain::default(),
            sure: Sure::default(),
            flat: None,
            end: Nanos::ZERO,
            funding: m.funding.map(|f| FundingState::new(f, &m.tiers)),
            breakers: Breakers::new(&config, MarketId::from_index(i)),
            settlement: SettlementState::default(),
            volunteers: Volunteers::default(),
            ranking: [None, None],
            history: AdlHistory::default(),
            prints: Vec::new(),
            touch: None,
            published: None,
            quotes: BTreeMap::new(),
            contract: m.contract(),
            config: m.clone(),
        });
        let rules = Rules::new(&config);
        let watches_touches = config.breakers.iter().any(|breaker| breaker.test == Test::Quote);
        let mut markets: Vec<Market> = markets.collect();
        markets.iter_mut().for_each(Market::admit);
        Self {
            markets,
            guards: Guards::new(&config, &rules),
            rules,
            prices: Prices::new(config.markets.len()),
            ledger: Ledger::new(&config),
            calls: Calls::default(),
            pools: Pools::new(&config),
            blocks: Blocks::default(),
            gated: Nanos::ZERO,
            now: Nanos::ZERO,
            accepted: 0,
            is_stirred: false,
            has_news: false,
            has_clearing: config.markets.iter().any(|m| m.cleared),
            asks_touches: false,
            touches_due: if watches_touches { Nanos::new(i64::MIN) } else { Nanos::MAX },
            has_indicative: config.markets.iter().any(|m| m.auction.indicative != Indicative::Never),
            has_prints: false,
            touched: Vec::new(),
            scratch: Vec::new(),
            queue: Vec::new(),
            shares: Vec::new(),
            config,
        }
    }

    #[inline(always)]
    pub(crate) fn market(&self, market: MarketId) -> &Market {
        &self.markets[market.index()]
    }

    #[inline(always)]
    pub(crate) fn market_mut(&mut self, market: MarketId) -> &mut Market {
        &mut self.markets[market.index()]
    }

    pub(crate) fn knows_market(&self, market: MarketId) -> bool {
        market.index() < self.markets.len()
    }

    pub(crate) fn market_ids(&self) -> impl Iterator<Item = MarketId> + use<> {
        (0..self.markets.len()).map(MarketId::from_index)
    }

    #[inline]
    pub(crate) fn contract(&self, market: MarketId) -> &Contract {
        &self.markets[market.index()].contract
    }

    // Accounts.

    pub(crate) fn open_account(&mut self, group: u32, prevention: SelfTrade) -> AccountId {
        let account = self.ledger.open();
        *self.ledger.tag_mut(account) = Tag { group, prevention, ..Tag::default() };
        account
    }

    /// The self-trade mode of orders that say nothing of it.
    pub(crate) fn prevention(&self, account: AccountId) -> SelfTrade {
        self.ledger.tag(account).prevention
    }

    /// True if two accounts are one party.
    pub(crate) fn is_party(&self, a: AccountId, b: AccountId) -> bool {
        let group = self.ledger.tag(a).group;
        a == b || (group != 0 && group == self.ledger.tag(b).group)
    }

    pub(crate) fn is_called(&self, account: AccountId) -> bool {
        bit(self.ledger.tag(account).flags, CALLED)
    }

    pub(crate) fn is_liquidated(&self, account: AccountId) -> bool {
        bit(self.ledger.tag(account).flags, LIQUIDATED)
    }

    pub(crate) fn is_touched(&self, account: AccountId) -> bool {
        bit(self.ledger.tag(account).flags, TOUCHED)
    }

    fn set_flag(&mut self, account: AccountId, which: u8, value: bool) {
        let flags = &mut self.ledger.tag_mut(account).flags;
        *flags = if value { *flags | which } else { *flags & !which };
    }

    /// Notes that an account is called, or is not any more; a deadline goes with a call that is over.
    pub(crate) fn set_called(&mut self, account: AccountId, value: bool) {
        self.set_flag(account, CALLED, value);
        if !value {
            self.calls.close(account);
        }
    }

    pub(crate) fn set_liquidated(&mut self, account: AccountId, value: bool) {
        self.set_flag(account, LIQUIDATED, value);
    }

    /// True if the end of the step has something to look at.
    #[inline(always)]
    pub(crate) fn is_stirred(&self) -> bool {
        self.is_stirred || self.ledger.has_moved()
    }

    /// Nothing is left to look at but unobserved prices, and what the venue knows of.
    pub(crate) fn rest(&mut self, is_restless: bool) {
        self.is_stirred = is_restless || self.has_prints;
    }

    /// A breaker has something to observe at the end of the step, and perhaps something to count.
    pub(crate) fn note_news(&mut self) {
        self.has_news = true;
        self.is_stirred = true;
    }

    /// Touches are looked at at the end of the step.
    #[inline(always)]
    pub(crate) fn ask_touches(&mut self) {
        self.asks_touches = true;
    }

    #[inline(always)]
    pub(crate) fn asks_touches(&self) -> bool {
        self.asks_touches
    }

    /// From this time on touches are looked at whatever the step does; [`Nanos::MAX`] if no breaker looks at them.
    #[inline(always)]
    pub(crate) fn touches_due(&self) -> Nanos {
        self.touches_due
    }

    /// True if a breaker has something to observe.
    #[inline(always)]
    pub(crate) fn has_news(&self) -> bool {
        self.has_news
    }

    /// Step 9: references take the step's prices.
    pub(crate) fn observe(&mut self) {
        self.has_news = false;
        let now = self.now;
        for market in &mut self.markets {
            market.breakers.observe(now);
        }
    }

    pub(crate) fn has_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    pub(crate) fn untouch(&mut self, account: AccountId) {
        self.set_flag(account, TOUCHED, false);
    }

    pub(crate) fn health(&self, account: AccountId) -> Health {
        self.rules.health(&self.ledger, &self.prices, account)
    }

    pub(crate) fn equity(&self, account: AccountId) -> Sum {
        self.rules.equity(&self.ledger, &self.prices, account)
    }

    /// A market has a new index and mark.
    pub(crate) fn set_prices(&mut self, market: MarketId, index: Price, mark: Price) {
        self.prices.set(market, index, mark);
        self.require(market);
    }

    /// Works out anew what a market requires, after its mark or its rates have changed.
    fn require(&mut self, market: MarketId) {
        let mark = self.prices.mark(market);
        self.markets[market.index()].flat = mark.and_then(|mark| self.rules.flat(market, mark));
    }

    // Checks.

    /// Step 3 for an order of `qty` on top of `held`, which is the position with what stays resting.
    #[inline(always)]
    pub(crate) fn check_order(
        &self,
        (m, market): (&Market, MarketId),
        account: AccountId,
        order: (Side, Qty, Option<Price>),
        held: &Position,
    ) -> Result<(), Reject> {
        let (side, qty, limit) = order;
        let config = &m.config;
        let end = held.end(side) + qty;
        if end > config.position_max {
            return Err(Reject::PositionLimit);
        }
        if self.rules.grids_of(&self.ledger, account).is_some() {
            return self.check_portfolio(account, market, order, held);
        }
        // What fills could lead to grows if this order leads beyond both sides as they are; then it is where it leads.
        if end <= held.reach(side.opposite()) {
            return Ok(());
        }
        if self.ledger.open_interest(market) + qty > config.open_interest_max {
            return Err(Reject::OpenInterestLimit);
        }
        let mark = self.prices.known(market);
        let price = limit.unwrap_or(mark);
        let contract = &m.contract;
        let loss = contract.down(contract.gain_per_lot(side, price, mark).min(Fine::ZERO).times(qty));
        let fee = contract.rate_up(price, qty, config.fees.taker_ppm.max(Ppm::ZERO));
        let spare = self.rules.spare_with(&self.ledger, &self.prices, account, market, (held, end));
        if !(spare + Sum::of(loss) - Sum::of(fee)).is_negative() {
            return Ok(());
        }
        self.check_growth(account, market, held, end)
    }

    /// An account that is short may still send what does not make its requirement grow.
    #[inline(never)]
    fn check_growth(
        &self,
        account: AccountId,
        market: MarketId,
        held: &Position,
        end: Qty,
    ) -> Result<(), Reject> {
        let own = self.ledger.own_rate(account, market);
        let of = |size| self.rules.initial_at(&self.ledger, &self.prices, market, size, own);
        if of(end) > of(held.exposure()) { Err(Reject::MarginShort) } else { Ok(()) }
    }

    /// True if at least `need` lots of an order would be filled for certain now: docs/mechanics.md section 6.3.
    pub(crate) fn is_fillable(&self, order: &Incoming, need: Qty) -> bool {
        let m = &self.markets[order.market.index()];
        if !m.admits.matches {
            return false;
        }
        let asks = m.breakers.has_trade() && m.phase.is_trading();
        let ends = |price: Price| {
            order.limit.is_some_and(|l| order.side.gain(price, l).is_negative())
                || (asks && m.breakers.judge_trade(self.now, price, order.kind).ends())
        };
        let opposite = order.side.opposite();
        let mut left = need;
        let asks_fills = self.asks_fills(order.market);
        let is_plain = m.book.is_plain() && !asks_fills;
        if is_plain && order.prevention == SelfTrade::Allowed && order.leg.is_none() {
            for level in m.book.levels(opposite).take_while(|level| !ends(level.price)) {
                left -= level.qty;
                if !left.is_positive() {
                    return true;
                }
            }
            return false;
        }
        // Whose orders do not count any more: what an account's first order does decides about its others.
        let mut seen = BTreeSet::new();
        let whole = m.config.allocation.shares_out();
        let mut part = (Price::ZERO, 0);
        // What would be left if the icebergs of this part of the level showed one peak only.
        let mut left_of_shown = left;
        for resting in m.book.orders(opposite) {
            let here = (resting.price, resting.flags & HIDDEN);
            if here != part {
                if !left.is_positive() {
                    return true;
                }
                if here.0 != part.0 && ends(here.0) {
                    return false;
                }
                part = here;
                left_of_shown = left;
            }
            if order.prevention != SelfTrade::Allowed && self.is_party(order.account, resting.account) {
                if order.prevention == SelfTrade::CancelOldest {
                    continue;
                }
                // A pro-rata market deals with own orders before it shares a price out. In another, an own order
                // comes before the next peaks of those in front of it.
                return !whole && !left_of_shown.is_positive();
            }
            let tied = m.book.rare(resting.id).leg.is_some() || order.leg == Some(resting.id);
            let sure = !asks_fills
                || resting.account != order.account
                    && seen.insert(resting.account)
                    && self.carries_fill(order.market, &resting, resting.price, order.qty);
            if resting.flags & REDUCE_ONLY == 0 && !tied && sure {
                left -= if asks_fills { resting.shown } else { resting.qty };
                left_of_shown -= resting.shown;
            }
        }
        !left.is_positive()
    }

    // Orders.

    /// The id of the next accepted order.
    pub(crate) fn next_id(&mut self, slot: u32) -> OrderId {
        self.accepted += 1;
        OrderId::new(self.accepted, slot)
    }

    /// Changes an account's open buys or sells by what an order gains or loses. Reduce-only orders that rest are not
    /// counted, nor is any order of a market without clearing.
    #[inline(always)]
    pub(crate) fn count_open(&mut self, market: MarketId, of: (AccountId, Side, u16), change: Qty) {
        let (account, side, flags) = of;
        if self.market(market).config.cleared && flags & REDUCE_ONLY == 0 {
            self.ledger.position_mut(account, market).add_open(side, change);
        }
    }

    /// A trade in the book is noted: the last price, breakers, waiting orders.
    #[inline(always)]
    fn note_trade(&mut self, market: MarketId, price: Price) {
        let m = &mut self.markets[market.index()];
        m.mark.trade(price);
        if m.book.waiting().watches_trades() {
            m.prints.push((price, self.accepted));
            self.has_prints = true;
            self.is_stirred = true;
        }
        self.has_news |= m.breakers.trade(price);
    }

    /// Shown: the next peak of an iceberg.
    fn report_peak(market: MarketId, of: &Party, price: Price, filled: &Filled, events: &mut Events) {
        let Some(peak) = filled.peak else { return };
        Self::report_shown(market, of, price, peak, events);
    }

    /// Shown: what an iceberg shows now, and what is behind it.
    pub(crate) fn report_shown(
        market: MarketId,
        of: &Party,
        price: Price,
        peak: (Qty, Qty),
        events: &mut Events,
    ) {
        events.push(Record {
            account: of.account.get(),
            order: of.id.raw(),
            side: of.side.code(),
            price: price.get(),
            qty: peak.0.get(),
            amount: peak.1.get(),
            ..event_of(event::SHOWN, market)
        });
    }

    /// Step 5 for one side: the position, the fee, the event; without clearing the event alone.
    #[inline]
    fn settle(&mut self, market: MarketId, of: &Party, trade: (Price, Qty), rate: Ppm, events: &mut Events) {
        if !self.market(market).config.cleared {
            return Self::report_fill(market, of, trade, Money::ZERO, events);
        }
        let contract = *self.contract(market);
        self.book_trade(market, of, trade, (rate, &contract), events);
    }

    /// The same in a market with clearing.
    #[inline(always)]
    fn book_trade(
        &mut self,
        market: MarketId,
        of: &Party,
        trade: (Price, Qty),
        fee: (Ppm, &Contract),
        events: &mut Events,
    ) {
        let (price, qty) = trade;
        let (rate, contract) = fee;
        self.ledger.trade(of.account, market, of.side.signed(qty), price, contract);
        let fee = if rate.is_zero() { Money::ZERO } else { contract.rate_up(price, qty, rate) };
        if !fee.is_zero() {
            self.ledger.charge(of.account, fee);
        }
        self.touch_in(of.account, market);
        Self::report_fill(market, of, trade, fee, events);
    }

    #[inline(always)]
    fn report_fill(market: MarketId, of: &Party, trade: (Price, Qty), fee: Money, events: &mut Events) {
        events.push(Record {
            account: of.account.get(),
            order: of.id.raw(),
            side: of.side.code(),
            flags: of.flags,
            price: trade.0.get(),
            qty: trade.1.get(),
            amount: fee.get(),
            ..event_of(event::FILL, market)
        });
    }

    /// What is left of an order goes: Cancelled with a reason.
    #[inline(always)]
    pub(crate) fn report_cancelled(
        market: MarketId,
        order: &Resting,
        reason: CancelReason,
        events: &mut Events,
    ) {
        events.push(Record {
            account: order.account.get(),
            order: order.id.raw(),
            side: order.side.code(),
            code: reason.code(),
            price: order.price.get(),
            qty: order.qty.get(),
            ..event_of(event::CANCELLED, market)
        });
    }

    /// Takes an open order out; its other leg goes with it. The caller found the order.
    pub(crate) fn cancel(
        &mut self,
        market: MarketId,
        id: OrderId,
        reason: CancelReason,
        events: &mut Events,
    ) {
        let found = self.market(market).book.find(id).expect("the caller found the order");
        self.cancel_found(market, &found, reason, events);
    }

    /// The same of an order that the caller has at hand.
    #[inline(always)]
    pub(crate) fn cancel_found(
        &mut self,
        market: MarketId,
        order: &Located,
        reason: CancelReason,
        events: &mut Events,
    ) {
        if !order.is_ordinary() {
            return self.cancel_rare(market, order.id(), reason, events);
        }
        let m = &mut self.markets[market.index()];
        Self::report_cancelled(market, &m.book.resting_of(order), reason, events);
        m.book.remove_found(order);
        if m.config.cleared {
            self.count_open(market, (order.account(), order.side(), order.flags()), -order.shown());
        }
    }

    /// The same of an order that waits or has something rare.
    #[inline(never)]
    fn cancel_rare(&mut self, market: MarketId, id: OrderId, reason: CancelReason, events: &mut Events) {
        if let Some(leg) = self.cancel_one(market, id, reason, events) {
            self.cancel_leg(market, leg, events);
        }
    }

    /// The other leg of an order has traded, fired or gone: what is left of this one is cancelled.
    pub(crate) fn cancel_leg(&mut self, market: MarketId, id: OrderId, events: &mut Events) {
        if self.market(market).book.owner(id).is_some() {
            self.cancel_one(market, id, CancelReason::OtherLeg, events);
        }
    }

    /// Takes one open order out; returns its other leg.
    fn cancel_one(
        &mut self,
        market: MarketId,
        id: OrderId,
        reason: CancelReason,
        events: &mut Events,
    ) -> Option<OrderId> {
        let gone = self.market_mut(market).book.remove(id);
        let Removed { order: gone, leg, waited } = gone.expect("the caller found the order");
        if !waited {
            self.count_open(market, (gone.account, gone.side, gone.flags), -gone.qty);
        }
        Self::report_cancelled(market, &gone, reason, events);
        leg
    }

    /// Takes all of an account's open orders in a market out, highest acceptance number first.
    pub(crate) fn cancel_all(
        &mut self,
        market: MarketId,
        account: AccountId,
        reason: CancelReason,
        events: &mut Events,
    ) {
        self.cancel_each(market, reason, events, |book, ids| book.list_orders(account, ids));
    }

    /// Cancels a list of orders in its order; those that went with others before them are passed over.
    pub(crate) fn cancel_each(
        &mut self,
        market: MarketId,
        reason: CancelReason,
        events: &mut Events,
        list: impl FnOnce(&mut Book, &mut Vec<OrderId>),
    ) {
        let mut ids = std::mem::take(&mut self.scratch);
        ids.clear();
        list(&mut self.market_mut(market).book, &mut ids);
        for &id in &ids {
            if self.market(market).book.owner(id).is_some() {
                self.cancel(market, id, reason, events);
            }
        }
        self.scratch = ids;
    }

    // Limits of a period, and the gate.

    /// The limits of a period, and what was done in it.
    pub(crate) fn limited(&mut self) -> Option<(BlockLimits, &mut Blocks)> {
        self.config.block_limits.map(|rules| (rules, &mut self.blocks))
    }

    /// Those of a market as it is now.
    pub(crate) fn limited_in(&mut self, market: MarketId) -> Option<(BlockLimits, &mut Blocks)> {
        let phase = self.market(market).phase;
        self.limited().filter(|(rules, _)| rules.phases.is_none_or(|phases| phases.has(phase)))
    }

    /// What the funds may still pay for an account in this period.
    pub(crate) fn fund_room(&self, account: AccountId) -> Money {
        self.config.block_limits.map_or(Money::MAX, |rules| self.blocks.fund_room(&rules, account))
    }

    /// A limit has kept the waterfall from something.
    pub(crate) fn report_limit(
        market: MarketId,
        account: AccountId,
        limit: Limit,
        lots: Qty,
        events: &mut Events,
    ) {
        events.push(Record {
            account: account.get(),
            code: limit.code(),
            qty: lots.get(),
            ..event_of(event::LIMIT_REACHED, market)
        });
    }

    /// Something was seen that may close the withdrawal gate.
    pub(crate) fn alarm(&mut self, account: AccountId, seen: GateTrigger, events: &mut Events) {
        let Some(gate) = self.config.withdrawal_gate else { return };
        // What nobody carries was below zero before.
        let closes = gate.trigger == GateTrigger::NegativeEquity || seen == GateTrigger::UncoveredLoss;
        let until = self.now.later(gate.duration_ns);
        if closes && until > self.gated {
            self.gated = until;
            events.push(Record {
                account: account.get(),
                amount: until.get(),
                ..event_of(event::WITHDRAWALS_GATED, MarketId::NONE)
            });
        }
    }

    // Phases.

    /// Enters a phase; a book that was collected while nothing matched is uncrossed before it matches again.
    pub(crate) fn enter(&mut self, market: MarketId, phase: Phase, end: Nanos, events: &mut Events) {
        let old = self.market(market).phase;
        let (matches, matched) = (phase.admits().matches, self.market(market).admits.matches);
        if matches && !matched {
            self.uncross(market, events);
        }
        let m = self.market_mut(market);
        if m.config.auction.keeps_touch() && matched && !matches {
            m.touch = m.book.best(Side::Buy).zip(m.book.best(Side::Sell));
        }
        m.published = None;
        m.phase = phase;
        m.end = end;
        m.breakers.enter(phase);
        m.admit();
        events.push(Record {
            code: phase.code(),
            flags: old.code(),
            amount: end.get(),
            ..event_of(event::PHASE_CHANGED, market)
        });
    }

    // Trades outside the book.

    /// A block trade: both positions at a price, without fee.
    pub(crate) fn block(
        &mut self,
        market: MarketId,
        parties: (AccountId, AccountId),
        trade: (Price, Qty),
        events: &mut Events,
    ) {
        for (account, side) in [(parties.0, Side::Buy), (parties.1, Side::Sell)] {
            let of = Party { account, id: OrderId::default(), side, flags: FILL_BLOCK };
            self.settle(market, &of, trade, Ppm::ZERO, events);
        }
    }

    /// Moves lots from one account to another at a price: `side` is what `from` trades. No event, no fee.
    pub(crate) fn pass(
        &mut self,
        market: MarketId,
        from: (AccountId, Side),
        to: AccountId,
        trade: (Price, Qty),
    ) {
        let contract = *self.contract(market);
        for (account, side) in [from, (to, from.1.opposite())] {
            self.ledger.trade(account, market, side.signed(trade.1), trade.0, &contract);
            self.touch_in(account, market);
        }
    }
}

impl Incoming {
    /// What is left of it, as a Cancelled event shows it.
    pub(crate) fn rest(&self, qty: Qty) -> Resting {
        let price = self.shown_price;
        Resting { id: self.id, account: self.account, side: self.side, price, qty, shown: qty, flags: 0 }
    }
}

/// One side of a trade in the book.
pub(crate) struct Party {
    pub(crate) account: AccountId,
    pub(crate) id: OrderId,
    pub(crate) side: Side,
    pub(crate) flags: u16,
}
