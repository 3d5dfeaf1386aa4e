//! The venue: the only file that knows the order of the steps. It reads like docs/mechanics.md section 4.

use crate::book::{NO_SLOT, Resting};
use crate::codec::{CodecError, Reader, Writer, checksum};
use crate::config::{Config, MoveSource};
use crate::floor::{Floor, Flow, Incoming};
use crate::funding;
use crate::ledger::{Place, Position};
use crate::liquidation::Queue;
use crate::margin::{self, Health};
use crate::protocol::{
    AfterPhase, CancelReason, Command, Events, OrderType, POST_ONLY, Phase, Placing, REDUCE_ONLY, Record,
    Reject, Replacing, command, event, event_of,
};
use crate::units::{
    AccountId, AssetId, FundId, MarketId, Money, Nanos, OrderId, Price, Qty, Side, Sum, VALUATION,
};
use core::cmp::Ordering;

/// First bytes of a snapshot.
const SNAPSHOT_MAGIC: &[u8; 8] = b"SEAWALL1";
/// Version of the snapshot's form.
const SNAPSHOT_VERSION: u32 = 1;

/// How much the venue checks itself after each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audit {
    /// Nothing: for measuring what the checks cost.
    Off,
    /// Running totals: net positions, funds, shortfall. The default.
    #[default]
    Cheap,
    /// Everything is counted anew: for tests.
    Full,
}

/// One deterministic venue: commands in, events out.
///
/// ```
/// use seawall_core::{Command, Config, Events, Nanos, Venue};
/// # let json = include_str!("../tests/data/example.json");
/// let mut venue = Venue::new(Config::new(json)?);
/// let mut events = Events::new();
/// venue.apply(Nanos::new(1), &Command::OpenAccount, &mut events);
/// assert_eq!(events.len(), 1);
/// # Ok::<(), seawall_core::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Venue {
    floor: Floor,
    queue: Queue,
    /// Number of the last event.
    seq: u64,
    /// The earliest due time of any timer, so that a step without due timers costs one comparison.
    next_due: Nanos,
    audit: Audit,
    /// Reused lists of the health pass.
    crossed: Vec<AccountId>,
    judged: Vec<(AccountId, Health)>,
}

/// A timer that is due: its time, its market, and whether it is funding rather than the end of a phase.
type Timer = (Nanos, MarketId, bool);

impl Venue {
    /// An empty venue.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let mut venue = Self {
            floor: Floor::new(config),
            queue: Queue::default(),
            seq: 0,
            next_due: Nanos::MAX,
            audit: Audit::default(),
            crossed: Vec::new(),
            judged: Vec::new(),
        };
        venue.next_due = venue.earliest();
        venue
    }

    /// Sets how much the venue checks itself.
    pub fn set_audit(&mut self, audit: Audit) {
        self.audit = audit;
    }

    /// Applies one command record: the form in which batches and journals carry commands.
    pub fn apply_record(&mut self, record: &Record, events: &mut Events) {
        let at = Nanos::new(record.at);
        if let Some(command) = Command::decode(record) {
            self.step(at, &command, record, events);
        } else {
            // An unknown kind is refused before anything else, time included.
            events.begin(self.floor.config.venue, self.floor.now, record.source, self.seq);
            reject(record, Reject::UnknownCommand, events);
            self.seq = events.seq();
        }
    }

    /// Applies one command at a time. A refusal is an event, and leaves the state as it was but for time.
    pub fn apply(&mut self, at: Nanos, command: &Command, events: &mut Events) {
        self.step(at, command, &command.encode(at), events);
    }

    fn step(&mut self, at: Nanos, command: &Command, record: &Record, events: &mut Events) {
        let now = self.floor.now.max(at);
        events.begin(self.floor.config.venue, now, record.source, self.seq);
        if at < self.floor.now {
            reject(record, Reject::TimeBackwards, events);
            self.seq = events.seq();
            return;
        }
        // 1 time.
        self.floor.now = at;
        let pending = if self.next_due <= at { self.run_timers(events) } else { false };
        // 2 to 6: admit, check, match, settle, mark.
        let done = match command {
            Command::Pulse => Ok(()),
            _ if pending => Err(Reject::TimersPending),
            _ => self.execute(command, events),
        };
        if let Err(why) = done {
            reject(record, why, events);
        }
        // 7 health.
        let marked = match command {
            Command::Index { market, .. } if done.is_ok() => Some(*market),
            _ => None,
        };
        self.pass_health(marked, events);
        // 8 resolve.
        let resolves = matches!(command, Command::Index { .. } | Command::Pulse);
        if resolves && done.is_ok() && !pending && self.queue.len() > 0 {
            let rounds = self.floor.config.limits.liquidation_rounds_per_step;
            self.queue.resolve(&mut self.floor, rounds, events);
            self.pass_health(None, events);
            self.next_due = self.earliest();
        }
        // 9 observe.
        for market in &mut self.floor.markets {
            if market.breakers.has_news() {
                market.breakers.observe(at);
            }
        }
        // 10 audit.
        match self.audit {
            Audit::Off => {}
            Audit::Cheap => self.floor.ledger.audit_cheap(),
            Audit::Full => self.audit_full(),
        }
        self.seq = events.seq();
    }

    // Step 1: time.

    /// The earliest due time of any timer.
    fn earliest(&self) -> Nanos {
        self.floor.market_ids().filter_map(|m| self.timer(m)).map(|t| t.0).min().unwrap_or(Nanos::MAX)
    }

    /// The first timer of a market; a settlement under way is due at once.
    fn timer(&self, market: MarketId) -> Option<Timer> {
        let m = self.floor.market(market);
        let phase = (m.end.is_positive() && m.phase.next().is_some()).then_some((m.end, market, false));
        let funding = m.funding.as_ref().map(|f| {
            let due = if f.settlement().is_some() { Nanos::new(i64::MIN) } else { f.due() };
            (due, market, true)
        });
        match (phase, funding) {
            (Some(p), Some(f)) => Some(p.min(f)),
            (p, f) => p.or(f),
        }
    }

    /// Runs what is due; true if a settlement is not finished.
    fn run_timers(&mut self, events: &mut Events) -> bool {
        let mut budget =
            usize::try_from(self.floor.config.limits.funding_accounts_per_step).expect("32 bits fit");
        loop {
            let due = self.floor.market_ids().filter_map(|m| self.timer(m)).min();
            let Some((at, market, is_funding)) = due.filter(|t| t.0 <= self.floor.now) else { break };
            if is_funding {
                let begun =
                    self.floor.market(market).funding.as_ref().is_some_and(|f| f.settlement().is_some());
                if !begun && budget == 0 {
                    return true;
                }
                budget -= usize::from(!begun);
                self.settle_funding(market, &mut budget, events);
                let state = self.floor.market(market).funding.as_ref();
                if state.is_some_and(|f| f.settlement().is_some()) {
                    return true;
                }
            } else {
                self.end_phase(market, at, events);
            }
        }
        self.next_due = self.earliest();
        false
    }

    fn end_phase(&mut self, market: MarketId, due: Nanos, events: &mut Events) {
        let m = self.floor.market(market);
        let auction = m.config.reopen_auction_ns;
        let reopens = m.phase.next() == Some(AfterPhase::Reopen) && auction.is_positive();
        if reopens {
            self.floor.enter(market, Phase::CallAuction, due + auction, events);
        } else {
            self.floor.enter(market, Phase::Continuous, Nanos::ZERO, events);
        }
    }

    /// Begins a settlement that is due, or goes on with it, for as many accounts as the budget allows.
    fn settle_funding(&mut self, market: MarketId, budget: &mut usize, events: &mut Events) {
        let mark = self.floor.prices.known(market);
        let tick = self.floor.tick(market);
        let state = self.floor.market_mut(market).funding.as_mut().expect("a funding timer has funding");
        if state.settlement().is_none() {
            let rate = state.begin(mark);
            events.push(Record {
                price: mark.get(),
                amount: rate.get(),
                ..event_of(event::FUNDING_SETTLED, market)
            });
        }
        let Some(settlement) = state.settlement() else { return };
        let first = settlement.next.index();
        let last = self.floor.ledger.accounts().min(first + *budget);
        *budget -= last - first;
        for account in (first..last).map(AccountId::from_index) {
            let base = self.floor.ledger.position(account, market).base;
            let amount = funding::payment_up(base, settlement.mark, tick, settlement.rate);
            if amount.is_zero() {
                continue;
            }
            self.floor.ledger.transfer(Place::User(account, VALUATION), Place::Funding(market), amount);
            self.floor.touch(account);
            events.push(Record {
                account: account.get(),
                qty: base.get(),
                amount: amount.get(),
                ..event_of(event::FUNDING_PAID, market)
            });
        }
        let next = (last < self.floor.ledger.accounts()).then(|| AccountId::from_index(last));
        let state = self.floor.market_mut(market).funding.as_mut().expect("as above");
        state.advance(next);
    }

    // Steps 2 to 6, by command.

    fn execute(&mut self, command: &Command, events: &mut Events) -> Result<(), Reject> {
        match *command {
            Command::Place { market, account, side, code, flags, price, qty } => {
                self.place(market, account, (side, code, flags), (price, qty), events)
            }
            Command::Cancel { market, account, order } => self.cancel(market, account, order, events),
            Command::Replace { market, account, order, price, qty } => {
                self.replace(market, account, order, (price, qty), events)
            }
            Command::CancelAll { market, account } => self.cancel_all(market, account, events),
            Command::Block { market, buyer, seller, price, qty } => {
                self.block(market, buyer, seller, (price, qty), events)
            }
            Command::OpenAccount => self.open_account(events),
            Command::Deposit { account, asset, amount } => self.deposit(account, asset, amount, events),
            Command::Withdraw { account, asset, amount } => self.withdraw(account, asset, amount, events),
            Command::FundDeposit { fund, amount } => self.fund_deposit(fund, amount, events),
            Command::Index { market, price } => self.index_price(market, price, events),
            Command::SetPhase { market, code, end } => self.set_phase(market, code, end, events),
            Command::Pulse => Ok(()),
        }
    }

    fn known_market(&self, market: MarketId) -> Result<(), Reject> {
        if self.floor.knows_market(market) { Ok(()) } else { Err(Reject::UnknownMarket) }
    }

    fn known_account(&self, account: AccountId) -> Result<(), Reject> {
        if self.floor.ledger.knows(account) { Ok(()) } else { Err(Reject::UnknownAccount) }
    }

    fn check_size(&self, market: MarketId, price: Price, qty: Qty, qty_max: Qty) -> Result<(), Reject> {
        if !qty.is_positive() || qty > qty_max {
            return Err(Reject::QtyOutOfRange);
        }
        if !price.is_positive() || price > self.floor.market(market).config.price_max {
            return Err(Reject::PriceOutOfRange);
        }
        Ok(())
    }

    fn check_mark(&self, market: MarketId) -> Result<(), Reject> {
        if self.floor.prices.mark(market).is_some() { Ok(()) } else { Err(Reject::NoMark) }
    }

    fn check_free(&self, account: AccountId) -> Result<(), Reject> {
        if self.floor.is_liquidated(account) { Err(Reject::InLiquidation) } else { Ok(()) }
    }

    /// The form of an order: its side, type and flags.
    fn order_form(side: u8, code: u16, flags: u16, price: Price) -> Result<(Side, OrderType), Reject> {
        let side = Side::from_code(side).ok_or(Reject::BadField)?;
        let kind = OrderType::from_code(code).ok_or(Reject::BadField)?;
        let known = flags & !(POST_ONLY | REDUCE_ONLY) == 0;
        let post_rests = flags & POST_ONLY == 0 || kind == OrderType::Limit;
        let reduce_goes = flags & REDUCE_ONLY == 0 || kind != OrderType::Limit;
        let priced = kind != OrderType::Market || price.is_zero();
        if known && post_rests && reduce_goes && priced { Ok((side, kind)) } else { Err(Reject::BadField) }
    }

    fn would_take(&self, market: MarketId, side: Side, limit: Price) -> bool {
        let m = self.floor.market(market);
        m.phase.admits().matches
            && m.book.best(side.opposite()).is_some_and(|best| !side.gain(best, limit).is_negative())
    }

    fn place(
        &mut self,
        market: MarketId,
        account: AccountId,
        form: (u8, u16, u16),
        size: (Price, Qty),
        events: &mut Events,
    ) -> Result<(), Reject> {
        let ((side, code, flags), (price, qty)) = (form, size);
        self.known_market(market)?;
        self.known_account(account)?;
        let (side, kind) = Self::order_form(side, code, flags, price)?;
        let m = self.floor.market(market);
        let placing = m.phase.admits().place;
        match (placing, kind) {
            (Placing::All, _) | (Placing::Resting, OrderType::Limit) => {}
            (Placing::Reducing, kind) if kind != OrderType::Limit => {}
            _ => return Err(Reject::PhaseRefuses),
        }
        self.check_mark(market)?;
        let checked = if kind == OrderType::Market { Price::new(1) } else { price };
        self.check_size(market, checked, qty, m.config.order_qty_max)?;
        self.check_free(account)?;
        let held = *self.floor.ledger.position(account, market);
        if flags & REDUCE_ONLY != 0 || placing == Placing::Reducing {
            let reduces = side.signed(Qty::new(1)).is_positive() != held.base.is_positive();
            if held.base.is_zero() || !reduces || qty > held.base.abs() {
                return Err(Reject::NotReducing);
            }
        }
        if m.book.is_full() {
            return Err(Reject::BookFull);
        }
        let limit = self.banded(market, side, (kind != OrderType::Market).then_some(price))?;
        if flags & POST_ONLY != 0 && limit.is_some_and(|l| self.would_take(market, side, l)) {
            return Err(Reject::WouldTake);
        }
        if kind == OrderType::FillOrKill && !self.floor.is_fillable(market, side, qty, limit) {
            return Err(Reject::NotFillable);
        }
        let priced = if kind == OrderType::Market { None } else { limit };
        self.floor.check_order(account, market, (side, qty, priced), &held)?;

        // From here on nothing fails.
        let rests = kind == OrderType::Limit;
        let slot = if rests { self.floor.market_mut(market).book.reserve() } else { NO_SLOT };
        let id = self.floor.next_id(slot);
        events.push(Record {
            account: account.get(),
            order: id.raw(),
            side: side.code(),
            code,
            flags,
            price: priced.map_or(0, Price::get),
            qty: qty.get(),
            ..event_of(event::ACCEPTED, market)
        });
        let order = Incoming { id, market, account, side, limit, qty, flow: Flow::User { rests } };
        self.enter_book(&order, priced, flags & POST_ONLY != 0, events);
        Ok(())
    }

    /// The limit inside the bands: capped, or refused if a band refuses. A market order takes the bound as limit.
    fn banded(&self, market: MarketId, side: Side, limit: Option<Price>) -> Result<Option<Price>, Reject> {
        let Some(limit) = limit else { return Ok(self.floor.bound(market, side, false)) };
        let mark = self.floor.prices.known(market);
        if self.floor.market(market).breakers.refuses(mark, side, limit) {
            return Err(Reject::BandRefuses);
        }
        Ok(Some(self.floor.capped(market, side, limit, false)))
    }

    /// Matches an accepted order and rests or cancels what is left.
    fn enter_book(&mut self, order: &Incoming, priced: Option<Price>, post_only: bool, events: &mut Events) {
        let &Incoming { id, market, account, side, qty, .. } = order;
        let rests = order.flow == Flow::User { rests: true };
        if rests {
            self.floor.ledger.position_mut(account, market).add_open(side, qty);
        }
        let swept = self.floor.sweep(order, events);
        if swept.tripped {
            self.next_due = self.earliest();
        }
        let price = priced.unwrap_or(Price::ZERO);
        let rest = Resting { id, account, side, price, qty: swept.left, post_only };
        if rests && swept.left.is_positive() && !swept.tripped {
            return self.floor.market_mut(market).book.rest(rest);
        }
        if rests {
            self.floor.market_mut(market).book.release(id.slot());
            self.floor.ledger.position_mut(account, market).add_open(side, -swept.left);
        }
        if swept.left.is_positive() {
            let reason = if swept.tripped { CancelReason::Breaker } else { CancelReason::Immediate };
            Floor::report_cancelled(market, &rest, reason, events);
        }
    }

    fn resting(&self, market: MarketId, account: AccountId, order: OrderId) -> Result<Resting, Reject> {
        let found = self.floor.market(market).book.get(order).ok_or(Reject::UnknownOrder)?;
        if found.account == account { Ok(found) } else { Err(Reject::NotYourOrder) }
    }

    fn cancel(
        &mut self,
        market: MarketId,
        account: AccountId,
        order: OrderId,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_market(market)?;
        self.known_account(account)?;
        let found = self.resting(market, account, order)?;
        self.floor.cancel(market, found.id, CancelReason::User, events);
        Ok(())
    }

    fn replace(
        &mut self,
        market: MarketId,
        account: AccountId,
        order: OrderId,
        size: (Price, Qty),
        events: &mut Events,
    ) -> Result<(), Reject> {
        let (price, qty) = size;
        self.known_market(market)?;
        self.known_account(account)?;
        let m = self.floor.market(market);
        let replacing = m.phase.admits().replace;
        if replacing == Replacing::None {
            return Err(Reject::PhaseRefuses);
        }
        self.check_mark(market)?;
        self.check_size(market, price, qty, m.config.order_qty_max)?;
        let old = self.resting(market, account, order)?;
        self.check_free(account)?;
        let keeps = price == old.price && qty <= old.qty;
        let (side, limit) = (old.side, if keeps { price } else { self.replaced_limit(&old, market, size)? });

        // From here on nothing fails.
        events.push(Record {
            account: account.get(),
            order: old.id.raw(),
            side: side.code(),
            flags: u16::from(keeps),
            price: limit.get(),
            qty: qty.get(),
            ..event_of(event::REPLACED, market)
        });
        if keeps {
            self.floor.market_mut(market).book.decrease(old.id, qty);
            self.floor.ledger.position_mut(account, market).add_open(side, qty - old.qty);
            return Ok(());
        }
        self.floor.market_mut(market).book.take_out(old.id).expect("found above");
        self.floor.ledger.position_mut(account, market).add_open(side, -old.qty);
        let flow = Flow::User { rests: true };
        let order = Incoming { id: old.id, market, account, side, limit: Some(limit), qty, flow };
        self.enter_book(&order, Some(limit), old.post_only, events);
        Ok(())
    }

    /// Checks a replace that loses priority as if the old order were gone; returns its limit inside the bands.
    fn replaced_limit(
        &mut self,
        old: &Resting,
        market: MarketId,
        size: (Price, Qty),
    ) -> Result<Price, Reject> {
        let (price, qty) = size;
        if self.floor.market(market).phase.admits().replace == Replacing::Decrease {
            return Err(Reject::PhaseRefuses);
        }
        let limit = self.banded(market, old.side, Some(price))?.unwrap_or(price);
        if old.post_only && self.would_take(market, old.side, limit) {
            return Err(Reject::WouldTake);
        }
        let mut held = *self.floor.ledger.position(old.account, market);
        held.add_open(old.side, -old.qty);
        self.floor.check_order(old.account, market, (old.side, qty, Some(limit)), &held)?;
        Ok(limit)
    }

    fn cancel_all(
        &mut self,
        market: MarketId,
        account: AccountId,
        events: &mut Events,
    ) -> Result<(), Reject> {
        let every = market == MarketId::NONE;
        if !every {
            self.known_market(market)?;
        }
        self.known_account(account)?;
        for m in self.floor.market_ids().filter(|m| every || *m == market) {
            self.floor.cancel_all(m, account, CancelReason::User, events);
        }
        Ok(())
    }

    fn block(
        &mut self,
        market: MarketId,
        buyer: AccountId,
        seller: u64,
        trade: (Price, Qty),
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_market(market)?;
        self.known_account(buyer)?;
        let seller = AccountId::new(u32::try_from(seller).map_err(|_| Reject::UnknownAccount)?);
        self.known_account(seller)?;
        if buyer == seller {
            return Err(Reject::BadField);
        }
        let m = self.floor.market(market);
        if !m.phase.admits().block {
            return Err(Reject::PhaseRefuses);
        }
        self.check_mark(market)?;
        self.check_size(market, trade.0, trade.1, m.config.position_max)?;
        self.check_free(buyer)?;
        self.check_free(seller)?;
        self.check_block(market, (buyer, seller), trade)?;

        // From here on nothing fails.
        self.floor.block(market, (buyer, seller), trade, events);
        Ok(())
    }

    /// Limits and initial margin of both parties after a block trade.
    fn check_block(
        &self,
        market: MarketId,
        parties: (AccountId, AccountId),
        trade: (Price, Qty),
    ) -> Result<(), Reject> {
        let config = &self.floor.market(market).config;
        let (price, qty) = trade;
        let sides = [(parties.0, Side::Buy), (parties.1, Side::Sell)];
        let after = sides.map(|(account, side)| {
            let held = self.floor.ledger.position(account, market);
            crate::ledger::traded(*held, side.signed(qty), price, config.tick_value)
        });
        let [(bought, _), (sold, _)] = after;
        let reach = (bought.base + bought.open_buys).max(sold.open_sells - sold.base);
        if reach > config.position_max {
            return Err(Reject::PositionLimit);
        }
        let long = |p: &Position| p.base.max(Qty::ZERO);
        let mut open = self.floor.ledger.open_interest(market);
        for ((account, _), (position, _)) in sides.iter().zip(&after) {
            open += long(position) - long(self.floor.ledger.position(*account, market));
        }
        if open > config.open_interest_max {
            return Err(Reject::OpenInterestLimit);
        }
        let mark = self.floor.prices.known(market);
        for ((account, _), (position, profit)) in sides.iter().zip(&after) {
            let held = self.floor.ledger.position(*account, market);
            let rules = &self.floor.rules;
            let (before, need) = (
                rules.initial_of(&self.floor.prices, market, held),
                rules.initial_of(&self.floor.prices, market, position),
            );
            let gain =
                position.profit(mark, config.tick_value) + *profit - held.profit(mark, config.tick_value);
            let equity = self.floor.equity(*account) + Sum::of(gain);
            let total =
                rules.initial_with(&self.floor.ledger, &self.floor.prices, *account, market, position);
            if need > before && equity < total {
                return Err(Reject::MarginShort);
            }
        }
        Ok(())
    }

    fn open_account(&mut self, events: &mut Events) -> Result<(), Reject> {
        let max = usize::try_from(self.floor.config.limits.accounts_max).expect("32 bits fit");
        if self.floor.ledger.accounts() >= max {
            return Err(Reject::AccountsFull);
        }
        let account = self.floor.open_account();
        events.push(Record { account: account.get(), ..event_of(event::ACCOUNT_OPENED, MarketId::NONE) });
        Ok(())
    }

    fn known_asset(&self, asset: AssetId) -> Result<(), Reject> {
        if asset.index() < self.floor.config.assets.len() { Ok(()) } else { Err(Reject::UnknownAsset) }
    }

    /// Deposits of an asset stay within the configured maximum, which the proof of the configuration rests on.
    fn check_deposit(&self, asset: AssetId, amount: Money) -> Result<(), Reject> {
        let room = self.floor.config.assets[asset.index()].deposits_max - self.floor.ledger.deposits(asset);
        if amount.is_positive() && amount <= room { Ok(()) } else { Err(Reject::AmountOutOfRange) }
    }

    fn deposit(
        &mut self,
        account: AccountId,
        asset: AssetId,
        amount: Money,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_account(account)?;
        self.known_asset(asset)?;
        self.check_deposit(asset, amount)?;

        // From here on nothing fails.
        self.floor.ledger.transfer(Place::External(asset), Place::User(account, asset), amount);
        self.report_cash(event::DEPOSITED, account, asset, amount, events);
        Ok(())
    }

    fn withdraw(
        &mut self,
        account: AccountId,
        asset: AssetId,
        amount: Money,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_account(account)?;
        self.known_asset(asset)?;
        if !amount.is_positive() {
            return Err(Reject::AmountOutOfRange);
        }
        self.check_free(account)?;
        let balance = self.floor.ledger.balance(account, asset);
        if amount > balance {
            return Err(Reject::BalanceShort);
        }
        let collateral = self.floor.rules.collateral().iter().find(|(a, _)| *a == asset);
        let lost = collateral.map_or(amount, |(_, c)| {
            let value = |held| {
                let index = self.floor.prices.index(c.market);
                index.map_or(Money::ZERO, |index| margin::collateral_value(c, held, index))
            };
            value(balance) - value(balance - amount)
        });
        let need = self.floor.rules.initial_total(&self.floor.ledger, &self.floor.prices, account);
        if self.floor.equity(account) - Sum::of(lost) < need {
            return Err(Reject::MarginShort);
        }

        // From here on nothing fails.
        self.floor.ledger.transfer(Place::User(account, asset), Place::External(asset), amount);
        self.report_cash(event::WITHDRAWN, account, asset, amount, events);
        Ok(())
    }

    fn report_cash(
        &mut self,
        kind: u16,
        account: AccountId,
        asset: AssetId,
        amount: Money,
        events: &mut Events,
    ) {
        self.floor.touch(account);
        events.push(Record {
            account: account.get(),
            code: asset.get(),
            amount: amount.get(),
            ..event_of(kind, MarketId::NONE)
        });
    }

    fn fund_deposit(&mut self, fund: FundId, amount: Money, events: &mut Events) -> Result<(), Reject> {
        if fund.index() >= self.floor.config.funds.len() {
            return Err(Reject::UnknownFund);
        }
        self.check_deposit(VALUATION, amount)?;

        // From here on nothing fails.
        self.floor.ledger.transfer(Place::External(VALUATION), Place::Fund(fund), amount);
        events.push(Record {
            code: fund.get(),
            amount: amount.get(),
            ..event_of(event::FUND_DEPOSITED, MarketId::NONE)
        });
        Ok(())
    }

    fn set_phase(
        &mut self,
        market: MarketId,
        code: u16,
        end: Nanos,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_market(market)?;
        let phase = Phase::from_code(code).ok_or(Reject::BadField)?;
        if !end.is_zero() && end <= self.floor.now {
            return Err(Reject::BadField);
        }

        // From here on nothing fails.
        self.floor.enter(market, phase, end, events);
        self.next_due = self.earliest();
        Ok(())
    }

    /// Step 6: samples, the mark, the breakers that watch it.
    fn index_price(&mut self, market: MarketId, index: Price, events: &mut Events) -> Result<(), Reject> {
        self.known_market(market)?;
        let now = self.floor.now;
        let m = self.floor.market_mut(market);
        if !m.phase.admits().index {
            return Err(Reject::PhaseRefuses);
        }
        if !index.is_positive() || index > m.config.price_max {
            return Err(Reject::PriceOutOfRange);
        }

        // From here on nothing fails.
        self.queue.unpark();
        let is_first = self.floor.prices.mark(market).is_none();
        let m = self.floor.market_mut(market);
        m.mark.sample(index, m.book.best(Side::Buy), m.book.best(Side::Sell));
        if let Some(funding) = &mut m.funding {
            if is_first {
                funding.start(now);
            }
            let qty = funding.impact_qty();
            funding.sample(index, m.book.impact_sum(Side::Buy, qty), m.book.impact_sum(Side::Sell, qty));
        }
        let mark = m.mark.mark(index, m.config.price_max);
        let trip = match m.phase {
            Phase::Continuous => m.breakers.ask(MoveSource::Mark, now, mark, false),
            _ => None,
        };
        m.breakers.marked(mark);
        m.ranking = [None, None];
        self.floor.prices.set(market, index, mark);
        if let Some(trip) = trip {
            self.floor.interrupt(market, &trip, events);
        }
        if is_first || trip.is_some() {
            self.next_due = self.earliest();
        }
        events.push(Record { price: mark.get(), amount: index.get(), ..event_of(event::MARKED, market) });
        Ok(())
    }

    // Step 7: health.

    /// Calls and queues whoever the step has endangered: touched accounts, and those whose guard a mark crossed.
    fn pass_health(&mut self, marked: Option<MarketId>, events: &mut Events) {
        if marked.is_none() && !self.floor.has_touched() {
            return;
        }
        let mut judged = std::mem::take(&mut self.judged);
        self.crossed.clear();
        self.floor.take_touched(&mut self.crossed);
        if let Some(market) = marked {
            let (mark, index) = (self.floor.prices.known(market), self.floor.prices.index(market));
            let index = index.expect("a marked market has an index");
            self.floor.guards.crossed(market, mark, index, &mut self.crossed);
        }
        self.crossed.sort_unstable();
        self.crossed.dedup();
        judged.clear();
        for &account in self.crossed.iter().filter(|&&a| !self.floor.is_liquidated(a)) {
            judged.push((account, self.floor.health(account)));
        }
        self.clear_calls(&judged, events);
        judged.retain(|(account, health)| {
            let called = self.floor.is_called(*account);
            let queued = health.is_liquidatable() && self.floor.can_be_liquidated(*account);
            queued || (!called && health.is_callable())
        });
        judged.sort_unstable_by(worst_first);
        self.call_margin(&judged, events);
        self.start_liquidations(&judged, events);
        for i in 0..self.crossed.len() {
            let account = self.crossed[i];
            self.floor.untouch(account);
            self.floor.arm(account);
        }
        self.judged = judged;
    }

    fn clear_calls(&mut self, judged: &[(AccountId, Health)], events: &mut Events) {
        for (account, health) in judged {
            let floor = &mut self.floor;
            if floor.is_called(*account) && floor.is_touched(*account) && !health.is_callable() {
                floor.set_called(*account, false);
                events.push(Record {
                    account: account.get(),
                    amount: health.equity.saturate().get(),
                    ..event_of(event::MARGIN_CALL_CLEARED, MarketId::NONE)
                });
            }
        }
    }

    fn call_margin(&mut self, judged: &[(AccountId, Health)], events: &mut Events) {
        for (account, health) in judged {
            let floor = &mut self.floor;
            if health.is_liquidatable() && floor.can_be_liquidated(*account) {
                continue;
            }
            floor.set_called(*account, true);
            events.push(Record {
                account: account.get(),
                amount: health.equity.saturate().get(),
                qty: health.call.saturate().get(),
                ..event_of(event::MARGIN_CALLED, MarketId::NONE)
            });
        }
    }

    fn start_liquidations(&mut self, judged: &[(AccountId, Health)], events: &mut Events) {
        for (account, health) in judged {
            let floor = &mut self.floor;
            if !(health.is_liquidatable() && floor.can_be_liquidated(*account)) {
                continue;
            }
            floor.set_called(*account, true);
            floor.set_liquidated(*account, true);
            self.queue.join(*account);
            events.push(Record {
                account: account.get(),
                amount: health.equity.saturate().get(),
                qty: health.maintenance.saturate().get(),
                ..event_of(event::LIQUIDATION_STARTED, MarketId::NONE)
            });
        }
    }

    // Step 10: audit.

    /// Counts everything anew and asserts the invariants of docs/invariants.md.
    fn audit_full(&self) {
        let floor = &self.floor;
        floor.ledger.audit_cheap();
        for market in floor.market_ids() {
            let (net, long) = floor.ledger.recount(market);
            assert!(net.is_zero(), "positions of market {market} sum to {net}");
            assert_eq!(long, floor.ledger.open_interest(market), "open interest of market {market}");
            let clearing = Sum::of(floor.ledger.at(Place::Clearing(market)));
            assert_eq!(floor.ledger.costs(market), -clearing, "entry costs of market {market}");
            let m = floor.market(market);
            m.book.check();
            assert!(!m.phase.admits().matches || !m.book.is_crossed(), "book of market {market} is crossed");
        }
        let report = self.conservation();
        assert!(report.ok, "money is not conserved: {report:?}");
        for account in (0..floor.ledger.accounts()).map(AccountId::from_index) {
            let endangered = floor.health(account).is_liquidatable() && floor.can_be_liquidated(account);
            assert!(
                !endangered || floor.is_liquidated(account),
                "account {account} is endangered and not queued"
            );
        }
    }

    // Views.

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
    pub fn depth(&self, market: MarketId, side: Side, levels: usize) -> Vec<crate::book::Level> {
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

    /// True while a funding settlement is not finished: only Pulse is admitted.
    #[must_use]
    pub fn timers_pending(&self) -> bool {
        self.next_due <= self.floor.now
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

    /// True if the account was called and has not recovered since.
    #[must_use]
    pub fn is_called(&self, account: AccountId) -> bool {
        self.floor.is_called(account)
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

    pub(crate) fn floor(&self) -> &Floor {
        &self.floor
    }

    // Snapshots.

    /// The whole state as bytes: magic, version, checksum, configuration, state.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut body = Writer::new();
        body.bytes(self.floor.config.canonical().as_bytes());
        self.encode(&mut body);
        let body = body.finish();
        let mut w = Writer::new();
        w.raw(SNAPSHOT_MAGIC);
        w.u32(SNAPSHOT_VERSION);
        w.u64(checksum(&body));
        w.raw(&body);
        w.finish()
    }

    /// A venue from a snapshot: it goes on exactly as the one that wrote it.
    ///
    /// # Errors
    /// [`CodecError`] for bytes that are cut short, changed, or of another version.
    pub fn restore(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut r = Reader::new(bytes, "snapshot");
        if r.raw(SNAPSHOT_MAGIC.len())? != SNAPSHOT_MAGIC {
            return Err(r.invalid("does not begin with SEAWALL1; this is not a snapshot of a venue"));
        }
        let version = r.u32()?;
        if version != SNAPSHOT_VERSION {
            return Err(
                r.invalid(format!("version {version} is unknown; this build reads {SNAPSHOT_VERSION}"))
            );
        }
        let sum = r.u64()?;
        let body = r.raw(r.left())?;
        if checksum(body) != sum {
            return Err(
                r.invalid("the checksum does not match; bytes were lost or changed, take another copy")
            );
        }
        let mut r = Reader::new(body, "snapshot");
        let text = std::str::from_utf8(r.bytes()?).map_err(|e| r.invalid(e.to_string()))?;
        let config = Config::new(text).map_err(|e| r.invalid(e.to_string()))?;
        let mut venue = Self::new(config);
        venue.decode(&mut r)?;
        if r.left() > 0 {
            return Err(r.invalid(format!("{} bytes follow the state; take another copy", r.left())));
        }
        Ok(venue)
    }

    /// Digest of the state: equal states have equal digests, whatever slots their orders have.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut w = Writer::canonical();
        w.raw(&self.floor.config.digest());
        self.encode(&mut w);
        *blake3::hash(&w.finish()).as_bytes()
    }

    fn encode(&self, w: &mut Writer) {
        w.u64(self.seq);
        self.floor.encode(w);
        self.queue.encode(w);
    }

    fn decode(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        self.seq = r.u64()?;
        self.floor.decode(r)?;
        self.queue = Queue::decode(self.floor.ledger.accounts(), r)?;
        for account in self.queue.accounts().collect::<Vec<_>>() {
            self.floor.set_liquidated(account, true);
        }
        self.floor.arm_all();
        self.next_due = self.earliest();
        Ok(())
    }
}

/// Worse health first, ties by lower account.
fn worst_first(a: &(AccountId, Health), b: &(AccountId, Health)) -> Ordering {
    a.1.worse(&b.1).then_with(|| a.0.cmp(&b.0))
}

fn reject(record: &Record, why: Reject, events: &mut Events) {
    // The refused command's fields are repeated, so that its sender can tell which one it was.
    let flags = record.kind;
    events.push(Record { kind: event::REJECTED, flags, code: why.code(), ..*record });
}
