//! The trading floor: every market with its book, and how an order meets it.
//!
//! What placing, liquidating and uncrossing have in common: plan, ask the breakers before each level, fill,
//! settle, report. Knows nothing of the order of the steps or of the waterfall.

use crate::auction;
use crate::book::{Book, Level, Resting};
use crate::breaker::{Breakers, Trip};
use crate::codec::{CodecError, Reader, Writer};
use crate::config::{self, Config, MoveSource};
use crate::funding::FundingState;
use crate::guard::{Fear, Guards};
use crate::insurance;
use crate::ledger::{Ledger, Place, Position};
use crate::margin::{Health, Rules};
use crate::mark::{MarkState, Prices};
use crate::protocol::{
    CancelReason, Events, FILL_AUCTION, FILL_BLOCK, FILL_LIQUIDATION, FILL_TAKER, Phase, Record, Reject,
    event, event_of,
};
use crate::units::{
    AccountId, FundId, MarketId, Money, Nanos, OrderId, Ppm, Price, Qty, Side, Sum, TickValue, VALUATION,
};

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
    pub(crate) book: Book,
    pub(crate) mark: MarkState,
    pub(crate) phase: Phase,
    /// End of the phase; zero if it lasts until it is changed.
    pub(crate) end: Nanos,
    pub(crate) funding: Option<FundingState>,
    pub(crate) breakers: Breakers,
    /// Winners in order of deleveraging, by their side, the next one last; none before it is needed.
    pub(crate) ranking: [Option<Vec<AccountId>>; 2],
}

/// Whose order meets the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// A user's: pays the taker fee, its quantity is counted as open while it lasts.
    User { rests: bool },
    /// A liquidation order: no trading fee.
    Liquidation,
    /// A liquidation order whose losses beyond the bankruptcy price a fund carries while it can.
    Backed { fund: FundId, bankruptcy: Price },
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
}

/// What the book made of an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Swept {
    pub(crate) filled: Qty,
    pub(crate) left: Qty,
    /// Sum of price x quantity x tick value.
    pub(crate) value: Money,
    /// What the fund has to pay for it.
    pub(crate) cost: Money,
    pub(crate) tripped: bool,
}

/// All markets, the ledger and the guards.
#[derive(Debug, Clone)]
pub(crate) struct Floor {
    pub(crate) config: Config,
    pub(crate) rules: Rules,
    pub(crate) prices: Prices,
    pub(crate) markets: Vec<Market>,
    pub(crate) ledger: Ledger,
    pub(crate) guards: Guards,
    pub(crate) now: Nanos,
    /// Acceptance number of the last order.
    pub(crate) accepted: u64,
    /// A breaker has something to observe at the end of the step.
    pub(crate) has_news: bool,
    flags: Vec<u8>,
    touched: Vec<AccountId>,
    scratch: Vec<OrderId>,
}

fn bit(flags: u8, which: u8) -> bool {
    flags & which != 0
}

impl Floor {
    pub(crate) fn new(config: Config) -> Self {
        let markets = config.markets.iter().enumerate().map(|(i, m)| Market {
            book: Book::new(m.price_max, config.limits.orders_max),
            mark: MarkState::new(m.mark),
            phase: m.phase,
            end: Nanos::ZERO,
            funding: m.funding.map(FundingState::new),
            breakers: Breakers::new(&config.breakers, MarketId::from_index(i)),
            ranking: [None, None],
            config: m.clone(),
        });
        Self {
            markets: markets.collect(),
            rules: Rules::new(&config),
            prices: Prices::new(config.markets.len()),
            ledger: Ledger::new(config.assets.len(), config.funds.len(), config.markets.len()),
            guards: Guards::new(&config),
            now: Nanos::ZERO,
            accepted: 0,
            has_news: false,
            flags: Vec::new(),
            touched: Vec::new(),
            scratch: Vec::new(),
            config,
        }
    }

    pub(crate) fn market(&self, market: MarketId) -> &Market {
        &self.markets[market.index()]
    }

    pub(crate) fn market_mut(&mut self, market: MarketId) -> &mut Market {
        &mut self.markets[market.index()]
    }

    pub(crate) fn knows_market(&self, market: MarketId) -> bool {
        market.index() < self.markets.len()
    }

    pub(crate) fn market_ids(&self) -> impl Iterator<Item = MarketId> + use<> {
        (0..self.markets.len()).map(MarketId::from_index)
    }

    pub(crate) fn tick(&self, market: MarketId) -> TickValue {
        self.markets[market.index()].config.tick_value
    }

    // Accounts.

    pub(crate) fn open_account(&mut self) -> AccountId {
        self.flags.push(0);
        self.ledger.open()
    }

    pub(crate) fn is_called(&self, account: AccountId) -> bool {
        bit(self.flags[account.index()], CALLED)
    }

    pub(crate) fn is_liquidated(&self, account: AccountId) -> bool {
        bit(self.flags[account.index()], LIQUIDATED)
    }

    pub(crate) fn is_touched(&self, account: AccountId) -> bool {
        bit(self.flags[account.index()], TOUCHED)
    }

    fn set_flag(&mut self, account: AccountId, which: u8, value: bool) {
        let flags = &mut self.flags[account.index()];
        *flags = if value { *flags | which } else { *flags & !which };
    }

    pub(crate) fn set_called(&mut self, account: AccountId, value: bool) {
        self.set_flag(account, CALLED, value);
    }

    pub(crate) fn set_liquidated(&mut self, account: AccountId, value: bool) {
        self.set_flag(account, LIQUIDATED, value);
    }

    /// Marks an account for the next health pass.
    pub(crate) fn touch(&mut self, account: AccountId) {
        if !self.is_touched(account) {
            self.set_flag(account, TOUCHED, true);
            self.touched.push(account);
        }
    }

    pub(crate) fn has_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Moves the touched accounts into `into`; their flag stays for the pass to read.
    pub(crate) fn take_touched(&mut self, into: &mut Vec<AccountId>) {
        into.append(&mut self.touched);
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

    /// True if the waterfall may take this account: it only owes, or has a position where liquidation is enabled.
    pub(crate) fn can_be_liquidated(&self, account: AccountId) -> bool {
        let mut held =
            self.ledger.positions(account).iter().zip(&self.markets).filter(|(p, _)| !p.base.is_zero());
        held.clone().next().is_none() || held.any(|(_, m)| m.config.liquidation.enabled)
    }

    /// Sets an account's guards for the requirement that it has to fear next.
    pub(crate) fn arm(&mut self, account: AccountId) {
        let fear = if self.is_liquidated(account) {
            Fear::Nothing
        } else if self.rules.has_calls() && !self.is_called(account) {
            Fear::Call
        } else if self.can_be_liquidated(account) {
            Fear::Liquidation
        } else {
            Fear::Nothing
        };
        self.guards.arm(&self.rules, &self.ledger, &self.prices, account, fear);
    }

    // Checks.

    /// Step 3 for an order of `qty` on top of `held`, which is the position with what stays resting.
    pub(crate) fn check_order(
        &self,
        account: AccountId,
        market: MarketId,
        order: (Side, Qty, Option<Price>),
        held: &Position,
    ) -> Result<(), Reject> {
        let (side, qty, limit) = order;
        let config = &self.market(market).config;
        let mut after = *held;
        after.add_open(side, qty);
        let reach = match side {
            Side::Buy => after.base + after.open_buys,
            Side::Sell => after.open_sells - after.base,
        };
        if reach > config.position_max {
            return Err(Reject::PositionLimit);
        }
        let grows = after.exposure() > held.exposure();
        if grows && self.ledger.open_interest(market) + qty > config.open_interest_max {
            return Err(Reject::OpenInterestLimit);
        }
        if !grows {
            return Ok(());
        }
        let mark = self.prices.known(market);
        let price = limit.unwrap_or(mark);
        let loss = config.tick_value.per_lot(side.gain(price, mark).min(Price::ZERO)).times(qty);
        let fee = price.value(qty, config.tick_value).ppm_up(config.fees.taker_ppm.max(Ppm::ZERO));
        let total = self.rules.initial_with(&self.ledger, &self.prices, account, market, &after);
        let required = total - Sum::of(loss) + Sum::of(fee);
        if self.equity(account) >= required {
            return Ok(());
        }
        // An account that is short may still send what does not make its requirement grow.
        let of = |position| self.rules.initial_of(&self.prices, market, position);
        if of(&after) > of(held) { Err(Reject::MarginShort) } else { Ok(()) }
    }

    /// True if a fill-or-kill order would be filled entirely now.
    pub(crate) fn is_fillable(&self, market: MarketId, side: Side, qty: Qty, limit: Option<Price>) -> bool {
        let now = self.now;
        let m = &self.markets[market.index()];
        if !m.phase.admits().matches {
            return false;
        }
        let asks = m.phase == Phase::Continuous;
        let mut left = qty;
        for level in m.book.levels(side.opposite()) {
            if limit.is_some_and(|l| side.gain(level.price, l).is_negative()) {
                break;
            }
            if asks && m.breakers.ask(MoveSource::Trade, now, level.price, false).is_some() {
                break;
            }
            left -= level.qty;
            if !left.is_positive() {
                return true;
            }
        }
        false
    }

    /// The tightest bound for an order's side, if bands bind it.
    pub(crate) fn bound(&self, market: MarketId, side: Side, liquidation: bool) -> Option<Price> {
        if !self.market(market).breakers.has_bands() {
            return None;
        }
        let mark = self.prices.known(market);
        self.market(market).breakers.bounds(mark, liquidation).of(side)
    }

    /// A limit tightened by the bands.
    pub(crate) fn capped(&self, market: MarketId, side: Side, limit: Price, liquidation: bool) -> Price {
        if !self.market(market).breakers.has_bands() {
            return limit;
        }
        let mark = self.prices.known(market);
        self.market(market).breakers.bounds(mark, liquidation).cap(side, limit)
    }

    // Orders.

    /// The id of the next accepted order.
    pub(crate) fn next_id(&mut self, slot: u32) -> OrderId {
        self.accepted += 1;
        OrderId::new(self.accepted, slot)
    }

    /// Steps 4 and 5: the order meets the book. A breaker that trips has interrupted the market when this returns.
    pub(crate) fn sweep(&mut self, order: &Incoming, events: &mut Events) -> Swept {
        let mut swept = Swept {
            filled: Qty::ZERO,
            left: order.qty,
            value: Money::ZERO,
            cost: Money::ZERO,
            tripped: false,
        };
        if !self.market(order.market).phase.admits().matches {
            return swept;
        }
        let opposite = order.side.opposite();
        let mut budget = match order.flow {
            Flow::Backed { fund, .. } => self.ledger.at(Place::Fund(fund)),
            _ => Money::ZERO,
        };
        let mut asked = None;
        while swept.left.is_positive() {
            let Some(front) = self.market(order.market).book.front(opposite) else { break };
            if order.limit.is_some_and(|l| order.side.gain(front.price, l).is_negative()) {
                break;
            }
            if asked != Some(front.price) {
                if let Some(trip) = self.ask(order.market, front.price, order.flow.is_liquidation()) {
                    self.interrupt(order.market, &trip, events);
                    swept.tripped = true;
                    break;
                }
                asked = Some(front.price);
            }
            let mut qty = front.qty.min(swept.left);
            if let Flow::Backed { bankruptcy, .. } = order.flow {
                let tick = self.tick(order.market);
                let cost = insurance::cost_per_lot(opposite, bankruptcy, front.price, tick);
                qty = insurance::payable(budget, cost, qty);
                if qty.is_zero() {
                    break;
                }
                budget -= cost.times(qty);
                swept.cost += cost.times(qty);
            }
            swept.value += self.fill(order, &front, qty, events);
            swept.filled += qty;
            swept.left -= qty;
        }
        swept
    }

    /// Asks the move rules about a trade; only continuous trading is interrupted.
    fn ask(&mut self, market: MarketId, price: Price, liquidation: bool) -> Option<Trip> {
        let now = self.now;
        let m = self.market_mut(market);
        if m.phase != Phase::Continuous {
            return None;
        }
        m.breakers.ask(MoveSource::Trade, now, price, liquidation)
    }

    /// A rule acts: its event, the new phase.
    pub(crate) fn interrupt(&mut self, market: MarketId, trip: &Trip, events: &mut Events) {
        self.market_mut(market).breakers.trip(trip);
        self.has_news = true;
        events.push(Record {
            code: trip.rule,
            flags: u16::from(trip.source == MoveSource::Mark),
            price: trip.price.get(),
            qty: trip.reference.get(),
            amount: trip.end.get(),
            ..event_of(event::BREAKER_TRIPPED, market)
        });
        self.enter(market, trip.phase, trip.end, events);
    }

    /// One meeting of the incoming order with the first resting one; returns the value traded.
    fn fill(&mut self, order: &Incoming, resting: &Resting, qty: Qty, events: &mut Events) -> Money {
        let m = &mut self.markets[order.market.index()];
        let (price, fees) = (resting.price, m.config.fees);
        m.book.fill_front(resting.side, qty);
        m.mark.trade(price);
        self.has_news |= m.breakers.trade(price);
        let value = price.value(qty, m.config.tick_value);
        self.ledger.position_mut(resting.account, order.market).add_open(resting.side, -qty);
        let maker = Party { account: resting.account, id: resting.id, side: resting.side, flags: 0 };
        self.settle(order.market, &maker, (price, qty), fees.maker_ppm, events);
        let flags = FILL_TAKER | if order.flow.is_liquidation() { FILL_LIQUIDATION } else { 0 };
        let rate = match order.flow {
            Flow::User { rests } => {
                if rests {
                    self.ledger.position_mut(order.account, order.market).add_open(order.side, -qty);
                }
                fees.taker_ppm
            }
            Flow::Liquidation | Flow::Backed { .. } => Ppm::ZERO,
        };
        let taker = Party { account: order.account, id: order.id, side: order.side, flags };
        self.settle(order.market, &taker, (price, qty), rate, events);
        value
    }

    /// Step 5 for one side: the position, the fee, the event.
    fn settle(&mut self, market: MarketId, of: &Party, trade: (Price, Qty), rate: Ppm, events: &mut Events) {
        let (price, qty) = trade;
        let tick = self.tick(market);
        self.ledger.trade(of.account, market, of.side.signed(qty), price, tick);
        let fee = price.value(qty, tick).ppm_up(rate);
        if !fee.is_zero() {
            self.ledger.transfer(Place::User(of.account, VALUATION), Place::Fees, fee);
        }
        self.touch(of.account);
        events.push(Record {
            account: of.account.get(),
            order: of.id.raw(),
            side: of.side.code(),
            flags: of.flags,
            price: price.get(),
            qty: qty.get(),
            amount: fee.get(),
            ..event_of(event::FILL, market)
        });
    }

    /// What is left of an order goes: Cancelled with a reason.
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

    /// Takes a resting order out of the book.
    pub(crate) fn cancel(
        &mut self,
        market: MarketId,
        id: OrderId,
        reason: CancelReason,
        events: &mut Events,
    ) {
        let gone = self.market_mut(market).book.remove(id).expect("the caller found the order");
        self.ledger.position_mut(gone.account, market).add_open(gone.side, -gone.qty);
        Self::report_cancelled(market, &gone, reason, events);
    }

    /// Takes all of an account's orders in a market out, highest acceptance number first.
    pub(crate) fn cancel_all(
        &mut self,
        market: MarketId,
        account: AccountId,
        reason: CancelReason,
        events: &mut Events,
    ) {
        let mut ids = std::mem::take(&mut self.scratch);
        ids.clear();
        self.market(market).book.orders_of(account, &mut ids);
        for &id in &ids {
            self.cancel(market, id, reason, events);
        }
        self.scratch = ids;
    }

    // Phases.

    /// Enters a phase; a book that was collected while nothing matched is uncrossed before it matches again.
    pub(crate) fn enter(&mut self, market: MarketId, phase: Phase, end: Nanos, events: &mut Events) {
        let old = self.market(market).phase;
        if phase.admits().matches && !old.admits().matches {
            self.uncross(market, events);
        }
        let m = self.market_mut(market);
        m.phase = phase;
        m.end = end;
        events.push(Record {
            code: phase.code(),
            flags: old.code(),
            amount: end.get(),
            ..event_of(event::PHASE_CHANGED, market)
        });
    }

    /// The call auction: one price, buys and sells in priority order until the volume is done.
    fn uncross(&mut self, market: MarketId, events: &mut Events) {
        let m = self.market(market);
        if !m.book.is_crossed() {
            return;
        }
        let bids: Vec<Level> = m.book.levels(Side::Buy).collect();
        let asks: Vec<Level> = m.book.levels(Side::Sell).collect();
        let reference = self.prices.known(market);
        let clearing = auction::clearing(&bids, &asks, reference).expect("a crossed book has a price");
        let maker = m.config.fees.maker_ppm;
        events.push(Record {
            price: clearing.price.get(),
            qty: clearing.volume.get(),
            amount: clearing.surplus.get(),
            ..event_of(event::UNCROSSED, market)
        });
        let mut left = clearing.volume;
        while left.is_positive() {
            let book = &mut self.market_mut(market).book;
            let buy = book.front(Side::Buy).expect("the volume was counted");
            let sell = book.front(Side::Sell).expect("the volume was counted");
            let qty = buy.qty.min(sell.qty).min(left);
            book.fill_front(Side::Buy, qty);
            book.fill_front(Side::Sell, qty);
            for order in [buy, sell] {
                self.ledger.position_mut(order.account, market).add_open(order.side, -qty);
                let of =
                    Party { account: order.account, id: order.id, side: order.side, flags: FILL_AUCTION };
                self.settle(market, &of, (clearing.price, qty), maker, events);
            }
            left -= qty;
        }
        let m = &mut self.markets[market.index()];
        m.mark.trade(clearing.price);
        self.has_news |= m.breakers.trade(clearing.price);
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
        let tick = self.tick(market);
        for (account, side) in [from, (to, from.1.opposite())] {
            self.ledger.trade(account, market, side.signed(trade.1), trade.0, tick);
            self.touch(account);
        }
    }
}

/// One side of a trade in the book.
struct Party {
    account: AccountId,
    id: OrderId,
    side: Side,
    flags: u16,
}

impl Floor {
    pub(crate) fn encode(&self, w: &mut Writer) {
        w.i64(self.now.get());
        w.u64(self.accepted);
        self.ledger.encode(w);
        // In liquidation follows from the queue, touched is empty between steps.
        self.flags.iter().for_each(|f| w.bool(bit(*f, CALLED)));
        self.prices.encode(w);
        for m in &self.markets {
            w.u16(m.phase.code());
            w.i64(m.end.get());
            m.book.encode(w);
            m.mark.encode(w);
            if let Some(funding) = &m.funding {
                funding.encode(w);
            }
            m.breakers.encode(w);
            for ranking in &m.ranking {
                w.bool(ranking.is_some());
                let ranked = ranking.as_deref().unwrap_or_default();
                w.len(ranked.len());
                for account in ranked {
                    w.u32(account.get());
                }
            }
        }
    }

    pub(crate) fn decode(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        self.now = Nanos::new(r.i64()?);
        self.accepted = r.u64()?;
        if self.accepted >> (u64::BITS - OrderId::SLOT_BITS) != 0 {
            return Err(r.invalid(format!(
                "acceptance number {} has more than 40 bits; take another copy",
                self.accepted
            )));
        }
        let (assets, funds) = (self.config.assets.len(), self.config.funds.len());
        self.ledger = Ledger::decode(assets, funds, self.markets.len(), r)?;
        let accounts = self.ledger.accounts();
        if accounts > usize::try_from(self.config.limits.accounts_max).expect("32 bits fit") {
            return Err(r.invalid(format!(
                "{accounts} accounts are more than limits.accounts_max; take another copy"
            )));
        }
        for _ in 0..accounts {
            self.flags.push(if r.bool()? { CALLED } else { 0 });
        }
        let maxima: Vec<Price> = self.markets.iter().map(|m| m.config.price_max).collect();
        self.prices = Prices::decode(&maxima, r)?;
        for (i, m) in self.markets.iter_mut().enumerate() {
            let phase = r.u16()?;
            m.phase =
                Phase::from_code(phase).ok_or_else(|| r.invalid(format!("phase {phase} is unknown")))?;
            m.end = Nanos::new(r.i64()?);
            m.book = Book::decode(m.config.price_max, self.config.limits.orders_max, accounts, r)?;
            let market = MarketId::from_index(i);
            for order in [Side::Buy, Side::Sell].into_iter().flat_map(|side| m.book.orders(side)) {
                if order.qty > m.config.order_qty_max || order.id.acceptance() > self.accepted {
                    return Err(
                        r.invalid(format!("order {} cannot rest here; take another copy", order.id.raw()))
                    );
                }
            }
            let open = m.book.open_lots(accounts);
            for (account, p) in self.ledger.market_positions(market) {
                let idle = p.base.is_zero() && p.open_buys.is_zero() && p.open_sells.is_zero();
                if !idle && self.prices.mark(market).is_none() {
                    return Err(r.invalid(format!(
                        "market {market} has positions or orders and no mark; take another copy"
                    )));
                }
                if open[account.index()] != [p.open_buys, p.open_sells] {
                    return Err(r.invalid(format!(
                        "open quantities of account {account} are not those of its orders"
                    )));
                }
            }
            m.mark = MarkState::decode(m.config.mark, r)?;
            if let Some(config) = m.config.funding {
                let funding = FundingState::decode(config, r)?;
                let under_way = funding.settlement();
                if under_way.is_some_and(|s| {
                    s.next.index() >= accounts || !s.mark.is_positive() || s.mark > m.config.price_max
                }) {
                    return Err(r.invalid("a funding settlement is not one of this venue; take another copy"));
                }
                m.funding = Some(funding);
            }
            m.breakers.decode(r)?;
            for ranking in &mut m.ranking {
                let some = r.bool()?;
                let mut ranked = Vec::new();
                for _ in 0..r.len()? {
                    let account = AccountId::new(r.u32()?);
                    if account.index() >= accounts {
                        return Err(
                            r.invalid(format!("account {account} is ranked and unknown; take another copy"))
                        );
                    }
                    ranked.push(account);
                }
                *ranking = some.then_some(ranked);
            }
        }
        Ok(())
    }

    /// Builds the guards from ledger and prices: they are not part of the state.
    pub(crate) fn arm_all(&mut self) {
        for account in (0..self.ledger.accounts()).map(AccountId::from_index) {
            self.arm(account);
        }
    }
}
